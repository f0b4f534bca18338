"""``bootstrap``: 2,000 patient-clustered replicates of an AUC on 50,000 images, against a loop over scikit-learn's.

The loop draws the same patients; it is measured on some replicates and its time multiplied, for it would take minutes.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from medfm_gui.metrics.arrays import clusters
from medfm_gui.metrics.bootstrap import draws, replicates_of
from medfm_gui.metrics.ranking import auc_statistic
from tests.bench.measure import Work, alternately, timed

_REPLICATES = 2_000


def main(tiny: bool = False) -> dict[str, Any]:
    """50,000 images of 10,000 patients; 500 of 100 if ``tiny``."""
    n, looped = (500, 20) if tiny else (50_000, 40)
    random = np.random.default_rng(0)
    patient = np.arange(n) // 5
    labels = (random.random(n // 5) < 0.3)[patient]
    scores = random.normal(size=n) + labels + 0.5 * random.normal(size=n // 5)[patient]
    who = clusters([f"P{number}" for number in patient], n)
    statistic = auc_statistic(labels, scores, who.codes)
    order = np.argsort(who.codes, kind="stable")
    starts = np.searchsorted(who.codes[order], np.arange(who.count + 1))

    def loop(count: int) -> list[float]:
        found: list[float] = []
        for drawn in draws(who, _REPLICATES):
            for column in drawn.T[: count - len(found)]:
                places = np.repeat(np.arange(who.count), column.astype(int))
                units = np.concatenate([order[starts[place] : starts[place + 1]] for place in places])
                found.append(float(roc_auc_score(labels[units], scores[units])))
            if len(found) >= count:
                break
        return found

    ours = replicates_of((statistic,), who, replicates=_REPLICATES)[0]
    assert np.allclose(ours[:5], loop(5), atol=1e-9)
    turns = alternately(
        timed(lambda: replicates_of((statistic,), who, replicates=_REPLICATES)), _whole(loop, looped), 1 if tiny else 3
    )
    return turns.line(at_least=20.0, images=n, patients=who.count, replicates=_REPLICATES, looped=looped)


def _whole(loop: Any, looped: int) -> Work:
    """Seconds of all replicates, from those of some; what making the draws costs is not counted against the loop."""

    def measured() -> float:
        begun = time.perf_counter()
        loop(looped)
        return (time.perf_counter() - begun) * _REPLICATES / looped

    return measured

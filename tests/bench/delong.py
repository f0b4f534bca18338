"""``delong``: DeLong's test of two correlated AUCs on 50,000 samples, against scikit-learn's two AUCs alone.

The peer computes no variance and no p value: it is what two areas cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from medfm_gui.metrics.delong import delong_test
from tests.bench.measure import alternately, timed


def main(tiny: bool = False) -> dict[str, Any]:
    """50,000 samples, a third of them events; 500 if ``tiny``."""
    n = 500 if tiny else 50_000
    random = np.random.default_rng(0)
    labels = random.random(n) < 1 / 3
    common = random.normal(size=n) + labels
    a, b = common + 0.5 * random.normal(size=n), common + 0.6 * random.normal(size=n)
    found = delong_test(labels, a, b)
    areas = roc_auc_score(labels, a), roc_auc_score(labels, b)
    assert found.difference is not None and abs(found.difference - (areas[0] - areas[1])) < 1e-9
    turns = alternately(
        timed(lambda: delong_test(labels, a, b)),
        timed(lambda: (roc_auc_score(labels, a), roc_auc_score(labels, b))),
        2 if tiny else 15,
    )
    return turns.line(at_most=3.0, samples=n)

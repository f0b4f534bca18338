"""Whether a subgroup matters: one test, of a covariate that a protocol declared, that its values have equal areas.

Wald's χ² of the areas' differences, on the logit scale. Where each patient has one unit the areas are independent and
their variances are DeLong's; where patients repeat, a patient may stand in two subgroups, so the areas' covariance is
that of the patient bootstrap. Source: DeLong et al., Biometrics 1988; 44: 837–845 (a contrast of areas, L S Lᵀ).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from medfm_gui.metrics.arrays import Clusters, Flags, Floats
from medfm_gui.metrics.bootstrap import replicates_of
from medfm_gui.metrics.delong import placements
from medfm_gui.metrics.estimate import joined
from medfm_gui.metrics.ranking import auc_statistic
from medfm_gui.metrics.scored import Scored

FEWEST = 20
"""Events and others that a value of the covariate needs to take part."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Homogeneity:
    """A test that the areas of ``values`` are equal: χ² with ``df`` degrees of freedom, over ``n`` units.

    ``statistic`` and ``p`` are None where there is no test; ``note`` says why, and which values took no part.
    ``method`` is an id of ``names.METHODS``.
    """

    values: tuple[str, ...]
    statistic: float | None
    df: int | None
    p: float | None
    method: str
    n: int
    n_events: int
    note: str = ""


def interaction_test(
    scored: Scored, values: Sequence[str], *, leave_out: Sequence[str] = (), seed: int = 0
) -> Homogeneity:
    """One test over all values of a covariate of a binary task.

    Args:
        values: (n,) of the covariate, empty where it was not recorded.
        leave_out: values that are none of the covariate's own (several values, for example).

    Raises:
        UsageError: the task is not binary.
    """
    names = np.array([str(value) for value in values], dtype=object)
    events = scored.events
    finite = np.isfinite(scored.scores).all(axis=1)
    wanted = [name for name in dict.fromkeys(names.tolist()) if name and name not in leave_out]
    taking: list[str] = []
    small: list[str] = []
    for name in sorted(wanted):
        inside = np.asarray(names == name) & finite
        n_events = int(events[inside].sum())
        (taking if min(n_events, int(inside.sum()) - n_events) >= FEWEST else small).append(name)
    lacking = f"too few units for a part in it: {', '.join(small)}" if small else ""
    used = np.isin(names.astype(str), taking) & finite
    data = scored.taken(used)
    n, n_events = len(data), int(data.events.sum())
    if len(taking) < 2:
        why = f"fewer than two values with {FEWEST} units of each class"
        return Homogeneity(tuple(taking), None, None, None, "not-estimable", n, n_events, joined(why, lacking))
    parts = [np.asarray(names[used] == name) for name in taking]
    areas, covariance, method = _areas(data, parts, seed)
    if areas is None or covariance is None:
        why = "an area is 0 or 1, or its variance cannot be had"
        return Homogeneity(tuple(taking), None, None, None, "not-estimable", n, n_events, joined(why, lacking))
    statistic, df = _wald(areas, covariance)
    p = float(stats.chi2.sf(statistic, df))
    return Homogeneity(tuple(taking), statistic, df, p, method, n, n_events, lacking)


def _areas(data: Scored, parts: Sequence[Flags], seed: int) -> tuple[Floats | None, Floats | None, str]:
    """Logits of the areas (k,) and their covariance (k, k); None where an area or a variance is none."""
    events, scores, who = data.events, data.event_scores, data.clusters
    found = [placements(events[part], scores[part]) for part in parts]
    areas = np.array([one.auc for one in found])
    method = "wald-areas-bootstrap" if who.repeated else "wald-areas-delong"
    if areas.min() <= _TINY or areas.max() >= 1 - _TINY:
        return None, None, method
    if who.repeated:
        covariance = _drawn(events, scores, who, parts, seed)
    else:
        covariance = np.diag([one.variance() for one in found]) / np.outer(areas * (1 - areas), areas * (1 - areas))
    usable = np.isfinite(covariance).all() and bool((np.diag(covariance) > _TINY).all())
    return (np.asarray(special.logit(areas)), covariance, method) if usable else (None, None, method)


def _drawn(events: Flags, scores: Floats, who: Clusters, parts: Sequence[Flags], seed: int) -> Floats:
    """Covariance of the logits of the areas over drawn patients; replicates that lack a class are left out."""
    statistics = [auc_statistic(events[part], scores[part], who.codes[part]) for part in parts]
    values = special.logit(np.clip(replicates_of(statistics, who, seed=seed), _TINY, 1 - _TINY))
    return np.asarray(np.cov(values[:, np.isfinite(values).all(axis=0)]))


def _wald(areas: Floats, covariance: Floats) -> tuple[float, int]:
    """χ² of the differences of each area from the first, and its degrees of freedom."""
    contrast = np.column_stack([-np.ones(len(areas) - 1), np.eye(len(areas) - 1)])
    shift = contrast @ areas
    return float(shift @ np.linalg.solve(contrast @ covariance @ contrast.T, shift)), len(areas) - 1

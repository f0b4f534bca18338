"""What heat maps are worth: how alike two maps are, and whether they lie on what was marked.

All functions take maps as they are shown, H × W in 0…1. Sources: Adebayo et al., NeurIPS 2018 (parameter
randomisation, rank correlation); Zhang et al., IJCV 2018 (pointing game); Wang et al., CVPRW 2020 (energy inside).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from medfm_gui.metrics.arrays import Flags, Floats, Groups, clusters
from medfm_gui.metrics.bootstrap import percentile_interval, point, replicates_of
from medfm_gui.metrics.counting import share_statistic
from medfm_gui.metrics.estimate import Interval, not_estimable

Map = npt.NDArray[np.float32]
_COARSE = 28


def rank_correlation(a: Map, b: Map) -> float | None:
    """Spearman's correlation of two maps of equal size (-1…1); None where one of them is constant.

    Both are first averaged to at most 28 × 28 places: finer detail comes of enlarging a map, and is no evidence.
    """
    first, second = _coarse(a), _coarse(b)
    if np.ptp(first) <= 0 or np.ptp(second) <= 0:
        return None
    return float(stats.spearmanr(first.ravel(), second.ravel()).statistic)


def is_hit(heat: Map, marked: Flags) -> bool:
    """Whether the strongest place of a map (the middle of them, where several are) lies inside what was marked.

    A map that is all 0 points nowhere and hits nothing.
    """
    top = float(heat.max())
    if top <= 0:
        return False
    rows, columns = np.nonzero(heat >= top)
    nearest = np.hypot(rows - rows.mean(), columns - columns.mean()).argmin()
    return bool(marked[rows[nearest], columns[nearest]])


def energy_inside(heat: Map, marked: Flags) -> float | None:
    """The share of a map's sum that lies inside what was marked (0…1); None for a map that is all 0."""
    total = float(heat.sum(dtype=np.float64))
    return float(heat[marked].sum(dtype=np.float64)) / total if total > 0 else None


def mean_interval(
    values: Sequence[float], *, groups: Groups | None = None, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """The mean of one number an image, with the percentile bootstrap of patients (of images where none is known)."""
    found: Floats = np.asarray(values, dtype=np.float64)
    if not len(found):
        return not_estimable("no image has this number", n=0, confidence=confidence)
    who = clusters(groups, len(found))
    statistic = share_statistic(found, who)
    drawn = replicates_of((statistic,), who, seed=seed)[0]
    return percentile_interval(point(statistic, who.count), drawn, who, n=len(found), confidence=confidence)


def _coarse(heat: Map) -> Floats:
    """Averaged to at most 28 places a side."""
    found: Floats = heat.astype(np.float64)
    for axis in (0, 1):
        length = found.shape[axis]
        if length > _COARSE:
            edges = np.linspace(0, length, _COARSE + 1).astype(np.intp)
            counts = np.diff(edges)
            sums: Floats = np.add.reduceat(found, edges[:-1], axis=axis)
            found = sums / (counts[:, None] if axis == 0 else counts[None, :])
    return found

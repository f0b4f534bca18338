"""Holm's step-down adjustment of several p values.

Source: Holm, Scand J Statist 1979; 6: 65–70. statsmodels' ``multipletests`` gives the same numbers and is held against
it in the tests; it clears the memory of the whole process three times a call, which a report of many metrics feels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medfm_gui.metrics.arrays import Floats


def holm(values: Sequence[float]) -> Floats:
    """Adjusted p values (k,) of p values (k,), in their order; none is above 1."""
    raw = np.asarray(values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    stepped = raw[order] * np.arange(len(raw), 0, -1)
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted

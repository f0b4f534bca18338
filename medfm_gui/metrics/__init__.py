"""Predictions become numbers that a person may quote, and charts.

May import: ``base``, ``domain``, numpy, scipy, statsmodels. No torch, no window, no files.
Front door: the functions in ``__all__`` for arrays; ``scored.Scored``, then ``evaluate``, ``compare``, ``threshold``,
``charts`` for a run; ``segmentation`` for maps of classes, ``paired_shift`` for numbers of each case. To add a metric:
a statistic (``ranking.py``, ``counting.py``), its row in ``quantities.py``, its name in ``names.py``; point estimate
and bootstrap replicates then come from the same code.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medfm_gui.metrics.calibration import calibration_curve
    from medfm_gui.metrics.delong import delong_test
    from medfm_gui.metrics.estimate import Interval, PairedTest
    from medfm_gui.metrics.interaction import interaction_test
    from medfm_gui.metrics.intervals import auc_interval
    from medfm_gui.metrics.paired_shift import signed_rank_shift
    from medfm_gui.metrics.proportions import mcnemar_mid_p, share_interval
    from medfm_gui.metrics.repeats import repeats_test
    from medfm_gui.metrics.scored import Scored
    from medfm_gui.metrics.segmentation import score_case
    from medfm_gui.metrics.simultaneous import simultaneous_intervals
    from medfm_gui.metrics.usefulness import decision_curve

__all__ = [
    "Interval",
    "PairedTest",
    "Scored",
    "auc_interval",
    "calibration_curve",
    "decision_curve",
    "delong_test",
    "interaction_test",
    "mcnemar_mid_p",
    "repeats_test",
    "score_case",
    "share_interval",
    "signed_rank_shift",
    "simultaneous_intervals",
]

_HOME = {
    "Interval": "estimate",
    "PairedTest": "estimate",
    "Scored": "scored",
    "auc_interval": "intervals",
    "calibration_curve": "calibration",
    "decision_curve": "usefulness",
    "delong_test": "delong",
    "interaction_test": "interaction",
    "mcnemar_mid_p": "proportions",
    "repeats_test": "repeats",
    "score_case": "segmentation",
    "share_interval": "proportions",
    "signed_rank_shift": "paired_shift",
    "simultaneous_intervals": "simultaneous",
}


def __getattr__(name: str) -> object:
    """One of ``__all__``, its module loaded only now: the window reads names of metrics and must not load scipy."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """The public surface."""
    return sorted(__all__)

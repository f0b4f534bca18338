"""Two ways compared over the folds of a repeated cross-validation, whose trainings share most of their data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.estimate import checked_confidence

METHOD = "nadeau-bengio"


@dataclass(frozen=True, slots=True)
class RepeatsTest:
    """``difference`` = mean over ``folds`` of a minus b, its interval, and Student's ``t`` on ``df`` degrees.

    ``n_train`` and ``n_test`` are the units that a fold trains and tests on (patients, where patients were split).
    ``low``, ``high``, ``t`` and ``p_value`` are None where the folds do not differ among each other (``note`` says so).
    """

    difference: float
    low: float | None
    high: float | None
    t: float | None
    df: int
    p_value: float | None
    folds: int
    n_train: float
    n_test: float
    method: str = METHOD
    confidence: float = 0.95
    note: str = ""


def repeats_test(differences: npt.ArrayLike, *, n_train: float, n_test: float, confidence: float = 0.95) -> RepeatsTest:
    """The corrected resampled t-test of differences a minus b within folds (Nadeau & Bengio 2003).

    Their variance s² counts (1 / J + n_test / n_train) times, in place of 1 / J, since the J training sets overlap.

    Args:
        differences: (J,) of a metric, one a fold of every repeat; both ways trained and tested on the same folds.
        n_train, n_test: units a fold trains and tests on, means where folds differ in size.

    Raises:
        InputError: fewer than two folds, a difference that is no finite number, or a size that is not positive.
        UsageError: a confidence that is no share.
    """
    confidence = checked_confidence(confidence)
    try:
        values = np.asarray(differences, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty((0, 0))
    if values.ndim != 1 or not np.isfinite(values).all():
        raise InputError(
            "The differences within folds are not one column of finite numbers.",
            "Leave out folds in which a run has no number, of both runs.",
        )
    folds = len(values)
    if folds < 2:
        raise InputError(
            f"{folds} fold has no spread to test with." if folds else "There is no fold to compare.",
            "Compare runs over two folds or more.",
        )
    if not all(math.isfinite(size) and size > 0 for size in (n_train, n_test)):
        raise InputError(f"A fold cannot train on {n_train} and test on {n_test} units.", "Give two sizes above 0.")
    difference, spread = float(values.mean()), float(values.std(ddof=1))
    if not spread > 1e-12:
        why = "the differences do not vary over folds"
        return RepeatsTest(
            difference, None, None, None, folds - 1, None, folds, n_train, n_test, METHOD, confidence, why
        )
    error = spread * math.sqrt(1 / folds + n_test / n_train)
    t = difference / error
    half = float(stats.t.ppf(0.5 + confidence / 2, folds - 1)) * error
    p = float(2 * stats.t.sf(abs(t), folds - 1))
    return RepeatsTest(
        difference, difference - half, difference + half, t, folds - 1, p, folds, n_train, n_test, METHOD, confidence
    )

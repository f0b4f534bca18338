"""What every statistic takes: checked labels and scores, and patients as whole numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.errors import InputError

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]
Groups = Sequence[Hashable] | npt.NDArray[np.generic]
"""The patient of each unit, (n,): names or numbers. None, an empty text and a number that is none are unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Which units stay together when patients are resampled.

    ``codes`` is (n,) with the cluster of each unit in 0 … ``count`` - 1; ``known`` says whether the
    clusters are patients (else every unit is a cluster of its own).
    """

    codes: Codes
    count: int
    known: bool

    @property
    def repeated(self) -> bool:
        """True where a patient has more than one unit, so that units are not independent."""
        return self.count < len(self.codes)

    def taken(self, units: Flags) -> Clusters:
        """The clusters of some of the units, numbered anew: ``units`` is (n,)."""
        kept, codes = np.unique(self.codes[units], return_inverse=True)
        return Clusters(codes.astype(np.intp), len(kept), self.known)


def clusters(groups: Groups | None, n: int) -> Clusters:
    """Number the patients of n units. None, and an unknown name, make a unit a cluster of its own.

    Raises:
        InputError: not one name or number a unit.
    """
    if groups is None:
        return Clusters(np.arange(n, dtype=np.intp), n, known=False)
    names: list[Hashable] = groups.tolist() if isinstance(groups, np.ndarray) else list(_listed(groups))
    if len(names) != n:
        raise InputError(
            f"There are {len(names)} patient names for {n} units.", "Give one name a unit, in the order of the scores."
        )
    named: dict[Hashable, int] = {}
    codes = np.empty(n, np.intp)
    count = 0
    try:
        for place, name in enumerate(names):
            unknown = name is None or name == "" or name != name
            code = None if unknown else named.get(name)
            if code is None:
                code = count
                count += 1
                if not unknown:
                    named[name] = code
            codes[place] = code
    except (TypeError, ValueError) as error:  # a list within the list, or a missing value of another library
        raise InputError(
            "The patients are not one name or number a unit.", "Give texts or whole numbers; None where unknown."
        ) from error
    return Clusters(codes, count, known=True)


def _listed(groups: object) -> Sequence[Hashable]:
    try:
        return list(groups)  # type: ignore[call-overload,no-any-return]
    except TypeError as error:
        raise InputError("The patients are no list.", "Give one name a unit, in the order of the scores.") from error


def checked_events(labels: npt.ArrayLike) -> Flags:
    """Labels 0/1 or False/True of shape (n,) as flags of the event.

    Raises:
        InputError: another shape, or a value that is neither 0 nor 1.
    """
    try:
        array = np.asarray(labels)
    except ValueError:  # lists of several lengths
        array = np.empty((0, 0))
    if array.ndim != 1 or array.dtype.kind not in "biufO" or not np.isin(array, (0, 1)).all():
        raise InputError(
            "The labels are not one column of 0 and 1.", "Code the event as 1 and everything else as 0, without gaps."
        )
    return array.astype(np.bool_)


def checked_scores(scores: npt.ArrayLike, n: int) -> Floats:
    """Scores of shape (n,) as float64.

    Raises:
        InputError: another shape, or a score that is not a finite real number.
    """
    try:
        if np.iscomplexobj(scores):
            raise TypeError
        array = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            "The scores are not one column of real numbers.", "Give one number a label, higher for the event."
        ) from error
    if array.shape != (n,):
        raise InputError(f"There are scores of shape {array.shape} for {n} labels.", "Give one score a label.")
    if not np.isfinite(array).all():
        raise InputError(
            f"{int((~np.isfinite(array)).sum())} of {n} scores are not finite numbers.",
            "Leave units without a score out, and count them as failed.",
        )
    return array

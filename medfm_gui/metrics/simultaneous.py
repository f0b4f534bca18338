"""Intervals of several differences that hold together: the max-t method on one bootstrap of the same patients.

Each interval is estimate ± c · SE with one critical value c for the whole family: the quantile of the largest
|replicate - estimate| / SE over the family. Correlated differences (they share a reference, or whole runs) need a
smaller c than Bonferroni's; a single one needs the usual 1.96.

Source: Westfall & Young, Resampling-Based Multiple Testing, 1993 (max-t by resampling); Hothorn, Bretz & Westfall,
Biom J 2008; 50: 346–363 (simultaneous intervals of a family with one equicoordinate quantile).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.arrays import Floats
from medfm_gui.metrics.bootstrap import vary
from medfm_gui.metrics.estimate import checked_confidence, joined, quantile

METHOD = "max-t-bootstrap"
STILL = "the replicates do not vary"


@dataclass(frozen=True, slots=True)
class Simultaneous:
    """Intervals of k differences that all hold at once with the confidence asked for.

    ``lows`` and ``highs`` are (k,), None where a difference has no such interval (``notes`` says why). ``critical`` is
    the common factor of the standard errors, None where there is no interval at all; ``count`` says of how many
    differences the largest was taken. ``note`` tells of replicates that were left out.
    """

    lows: tuple[float | None, ...]
    highs: tuple[float | None, ...]
    notes: tuple[str, ...]
    critical: float | None
    count: int
    confidence: float = 0.95
    note: str = ""


def simultaneous_intervals(
    estimates: Sequence[float | None], replicates: npt.ArrayLike, *, confidence: float = 0.95
) -> Simultaneous:
    """Simultaneous intervals of estimates from replicates of all of them on the same draws of patients.

    c is never below the deviate of a single interval, which it can be by chance of the draws alone. A difference that
    does not exist, does not vary, or is missing in more than half of the replicates takes no part; of the others a
    replicate counts only where all of them exist.

    Args:
        estimates: (k,) differences; None or NaN where there is none.
        replicates: (k, r) of each estimate on the same r draws; NaN where a draw lacked a class.

    Raises:
        InputError: not one row of replicates an estimate.
        UsageError: a confidence that is no share.
    """
    confidence = checked_confidence(confidence)
    values = np.asarray(replicates, dtype=np.float64)
    if values.ndim != 2 or len(values) != len(estimates):
        raise InputError(
            f"There are replicates of shape {values.shape} for {len(estimates)} differences.",
            "Give one row of replicates a difference, all on the same draws.",
        )
    points = np.array([np.nan if one is None else one for one in estimates], dtype=np.float64)
    notes = [_obstacle(point, row) for point, row in zip(points, values, strict=True)]
    kept, usable = _family(values, notes)
    lost = int((~usable).sum())
    note = f"{lost:,} of {len(usable):,} replicates lacked a class in one of the runs" if lost else ""
    if not kept.any() or 2 * int(usable.sum()) < len(usable):
        why = joined(note, "too many for simultaneous intervals" if kept.any() else "")
        notes = [one or why for one in notes]
        return Simultaneous((None,) * len(points), (None,) * len(points), tuple(notes), None, 0, confidence, why)
    rows = values[kept][:, usable]
    error = np.std(rows, axis=1, ddof=1)
    critical = max(_critical(points[kept], rows, error, confidence), quantile(confidence))
    half = np.full(len(points), np.nan)
    half[kept] = critical * error
    lows, highs = (
        tuple(float(end) if np.isfinite(end) else None for end in ends) for ends in (points - half, points + half)
    )
    return Simultaneous(lows, highs, tuple(notes), critical, int(kept.sum()), confidence, note)


def _family(values: Floats, notes: list[str]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Who takes part, and the replicates in which all of them exist: (k, r) → (k,), (r,).

    A difference may vary only in replicates that another one lacks: it leaves the family, and ``notes`` says so.
    """
    while True:
        kept = np.array([not note for note in notes], dtype=np.bool_)
        usable = np.asarray(np.isfinite(values[kept]).all(axis=0))
        still = [place for place in np.flatnonzero(kept) if not vary(values[place][usable])]
        if not still or 2 * int(usable.sum()) < len(usable):
            return kept, usable
        for place in still:
            notes[place] = STILL


def _critical(points: Floats, rows: Floats, error: Floats, confidence: float) -> float:
    """The quantile over replicates of the largest deviate of the family: (k,), (k, r), (k,)."""
    largest = np.zeros(rows.shape[1])
    for point, row, se in zip(points, rows, error, strict=True):  # one row at a time: 435 × 2,000 fit the cache so
        np.maximum(largest, np.abs(row - point) / se, out=largest)
    return float(np.quantile(largest, confidence))


def _obstacle(point: float, row: Floats) -> str:
    """Why a difference takes no part; empty where it does."""
    if not np.isfinite(point):
        return "not estimable"
    finite = int(np.isfinite(row).sum())
    if not finite or 2 * finite < len(row):
        return "too many replicates lacked a class"
    return "" if vary(row) else STILL

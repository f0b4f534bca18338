"""Drawn regions against a reference: numbers of each case and class, their means over cases, and the pooled overlap.

Empty masks follow MONAI's metrics (``DiceMetric`` and ``MeanIoU`` with ``ignore_empty=True``, ``SurfaceDiceMetric``,
``HausdorffDistanceMetric``), class by class:

====================  ==========  ==========  ==========  =============
reference, predicted  Dice, IoU   NSD         HD95        volume error
====================  ==========  ==========  ==========  =============
both empty            NaN         NaN         NaN         0 mL
reference empty       NaN         0           infinite    as counted
prediction empty      0           0           infinite    as counted
====================  ==========  ==========  ==========  =============

A mean leaves NaN out and keeps 0 and infinity, as MONAI's does: one missed region makes the mean HD95 infinite. How
many cases were left out, how many are infinite, and the mean of the finite ones stand beside it (``CaseMean``).
MONAI warns of an infinite distance where one mask is empty and gives it for the plain Hausdorff distance; at a
percentile its interpolation between infinities gives NaN (1.6.1), so that its mean HD95 leaves a missed region out
silently and equals ``mean_finite`` here.

An edge is a pixel of the region with a neighbour across a face outside of it, or at the border of the image; NSD counts
edge pixels (MONAI's without sub-voxels, Seidlitz et al. 2022), not areas of surface (Nikolov et al. 2018).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.metrics.arrays import Flags, Floats

Labels = npt.NDArray[np.integer]
Box = tuple[slice, ...]
PERCENTILE = 95.0
ROUNDING = 1e-6
"""A distance beyond the tolerance by less than this share of it equals it: 3 · 0.7 mm lies within 2.1 mm."""
MM3_A_ML = 1000.0


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class of one case; NaN, 0 and infinity as the module says.

    ``label`` is the class index; ``n_reference``, ``n_predicted`` and ``n_both`` count its pixels. ``dice``, ``iou``
    and ``nsd`` lie in 0 … 1, ``hd95_mm`` is in mm. ``volume_error_ml`` is predicted minus reference in mL, NaN in an
    image of two dimensions, which has no volume.
    """

    label: int
    n_reference: int
    n_predicted: int
    n_both: int
    dice: float
    iou: float
    nsd: float
    hd95_mm: float
    volume_error_ml: float


@dataclass(frozen=True, slots=True)
class CaseScore:
    """One case: its classes without the background, and the tolerance in mm that its NSD was taken at."""

    case: str
    classes: tuple[ClassScore, ...]
    tolerance_mm: float


@dataclass(frozen=True, slots=True)
class CaseMean:
    """The mean over cases of a number of ``MEASURES``; None where no case has one.

    ``label`` is the class index, or None for all: in each case the mean over the classes that have a number, then over
    cases. ``n`` cases have a number (``n_infinite`` of them an infinite one, which makes ``mean`` infinite;
    ``mean_finite`` leaves these out), ``n_undefined`` have none and are in neither mean.
    """

    metric: str
    label: int | None
    mean: float | None
    mean_finite: float | None
    n: int
    n_undefined: int
    n_infinite: int


def score_case(
    reference: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    classes: int,
    spacing_mm: Sequence[float],
    tolerance_mm: float,
    case: str = "",
) -> CaseScore:
    """All numbers of a case, class by class without class 0 (background).

    Args:
        reference, predicted: class indices 0 … ``classes`` - 1 of one shape, two or three axes.
        spacing_mm: between pixels along each axis of the arrays, in mm.
        tolerance_mm: how far an edge may lie from the other to count as right in the NSD, in mm, from 0.

    Raises:
        InputError: other shapes, no image of two or three axes, an index that is no whole number or outside the
            classes, or a spacing that is not one positive number an axis.
        UsageError: fewer than two classes, or a tolerance that is negative or not finite.
    """
    if classes < 2:
        raise UsageError(f"{classes} classes leave nothing to draw.", "Count the background as the first class.")
    if not (math.isfinite(tolerance_mm) and tolerance_mm >= 0):
        raise UsageError(f"A tolerance of {tolerance_mm} mm cannot be.", "Give a distance in mm, 0 or more.")
    truth, said = _labels(reference, classes), _labels(predicted, classes)
    if truth.shape != said.shape:
        raise InputError(
            f"The reference has the shape {truth.shape}, the prediction {said.shape}.", "Give both at one resolution."
        )
    spacing = _spacing(spacing_mm, truth.ndim)
    boxes = [ndimage.find_objects(side, max_label=classes - 1) for side in (truth, said)]
    found = []
    for label, both in enumerate(zip(*boxes, strict=True), start=1):
        box = _around(*both)
        found.append(_class_score(truth[box], said[box], label, spacing, tolerance_mm))
    return CaseScore(case, tuple(found), tolerance_mm)


def case_values(cases: Sequence[CaseScore], metric: str, label: int | None = None) -> Floats:
    """A number of each case, (cases,), for a mean or a paired comparison; NaN where the case has none.

    Args:
        metric: an id of ``MEASURES``.
        label: a class index; None for the mean over those classes of the case that have a number.

    Raises:
        UsageError: no such metric or class.
        InputError: the cases have other classes.
    """
    if metric not in MEASURES:
        raise UsageError(f"There is no number {metric} of a drawn region.", f"Use one of: {', '.join(MEASURES)}.")
    known = _known_labels(cases)
    if label is not None and label not in known:
        raise UsageError(f"There is no class {label}.", "Give the index of a class, the background being 0.")
    found = np.empty(len(cases))
    for place, case in enumerate(cases):
        values = np.array([_measured(one, metric) for one in case.classes if label in (None, one.label)])
        values = values[~np.isnan(values)]
        found[place] = values.mean() if len(values) else np.nan
    return found


def case_means(cases: Sequence[CaseScore]) -> tuple[CaseMean, ...]:
    """Every number of ``MEASURES`` over cases: first over all classes, then class by class.

    Raises:
        InputError: there is no case, or cases have other classes or another tolerance.
    """
    labels = _known_labels(cases)
    if len({case.tolerance_mm for case in cases}) > 1:
        raise InputError("The cases were measured at several tolerances.", "Measure all cases at one tolerance in mm.")
    return tuple(
        _mean(metric, label, case_values(cases, metric, label)) for metric in MEASURES for label in (None, *labels)
    )


def pooled_overlap_of(cases: Sequence[CaseScore]) -> Mapping[str, float | None]:
    """``studies.pooled_overlap`` of the pixels of all cases together, from their counts: no image need be held.

    Study B's rule: mean over classes, background ignored, a class without a pixel on either side left out. Study B
    takes it at the network's resolution, so the cases must have been scored there. None without any pixel of a class.

    Raises:
        InputError: there is no case, or cases have other classes.
    """
    labels = _known_labels(cases)
    counts = np.zeros((len(labels), 3))
    for case in cases:
        counts += [(one.n_both, one.n_reference, one.n_predicted) for one in case.classes]
    both, theirs, ours = counts[counts[:, 1] + counts[:, 2] > 0].T
    if not len(both):
        return {"study_b_dice_pooled": None, "study_b_jaccard_pooled": None, "study_b_mean_pooled": None}
    dice = float((2 * both / (theirs + ours)).mean())
    jaccard = float((both / (theirs + ours - both)).mean())
    return {
        "study_b_dice_pooled": dice,
        "study_b_jaccard_pooled": jaccard,
        "study_b_mean_pooled": (dice + jaccard) / 2,
    }


MEASURES: Mapping[str, str] = {
    "dice_case_mean": "dice",
    "iou_case_mean": "iou",
    "nsd_case_mean": "nsd",
    "hd95_case_mean": "hd95_mm",
    "volume_error_case_mean": "volume_error_ml",
    "volume_error_absolute_case_mean": "volume_error_ml",
}
"""Ids of ``names.METRICS`` → the field of ``ClassScore`` they average; the absolute one its size without the sign."""


def _measured(score: ClassScore, metric: str) -> float:
    value = float(getattr(score, MEASURES[metric]))
    return abs(value) if metric == "volume_error_absolute_case_mean" else value


def _mean(metric: str, label: int | None, values: Floats) -> CaseMean:
    defined = values[~np.isnan(values)]
    finite = defined[np.isfinite(defined)]
    return CaseMean(
        metric,
        label,
        float(defined.mean()) if len(defined) else None,
        float(finite.mean()) if len(finite) else None,
        len(defined),
        len(values) - len(defined),
        len(defined) - len(finite),
    )


def _around(one: Box | None, other: Box | None) -> Box:
    """The smallest box around both: all pixels of a class, and of its edges, lie in it."""
    if one is None or other is None:
        return one or other or (slice(0, 0),)
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True))


def _class_score(truth: Labels, said: Labels, label: int, spacing: Floats, tolerance_mm: float) -> ClassScore:
    theirs, ours = np.asarray(truth == label), np.asarray(said == label)
    n_theirs, n_ours = int(theirs.sum()), int(ours.sum())
    n_both = int((theirs & ours).sum())
    dice = 2 * n_both / (n_theirs + n_ours) if n_theirs else math.nan
    iou = n_both / (n_theirs + n_ours - n_both) if n_theirs else math.nan
    nsd, hd95 = _surface(theirs, ours, spacing, tolerance_mm)
    volume = (n_ours - n_theirs) * float(spacing.prod()) / MM3_A_ML if len(spacing) == 3 else math.nan
    return ClassScore(label, n_theirs, n_ours, n_both, dice, iou, nsd, hd95, volume)


def _surface(theirs: Flags, ours: Flags, spacing: Floats, tolerance_mm: float) -> tuple[float, float]:
    """NSD and HD95 in mm; HD95 is the larger of the 95th percentiles of both directions (linear interpolation)."""
    if not theirs.any() or not ours.any():
        return (0.0, math.inf) if theirs.any() or ours.any() else (math.nan, math.nan)
    edges = [mask & ~ndimage.binary_erosion(mask) for mask in (theirs, ours)]
    to_ours = ndimage.distance_transform_edt(~edges[1], sampling=spacing)[edges[0]]
    to_theirs = ndimage.distance_transform_edt(~edges[0], sampling=spacing)[edges[1]]
    within = tolerance_mm * (1 + ROUNDING)
    right = int((to_ours <= within).sum()) + int((to_theirs <= within).sum())
    farthest = max(float(np.percentile(one, PERCENTILE)) for one in (to_ours, to_theirs))
    return right / (len(to_ours) + len(to_theirs)), farthest


def _labels(given: npt.ArrayLike, classes: int) -> Labels:
    try:
        array = np.asarray(given)
    except ValueError:  # rows of several lengths
        array = np.empty(0)
    if array.ndim not in (2, 3) or not array.size or array.dtype.kind not in "biu":
        raise InputError(
            "A map of classes is no image of whole numbers with two or three axes.",
            "Give the index of a class for each pixel, 0 for the background.",
        )
    if int(array.min()) < 0 or int(array.max()) >= classes:
        raise InputError(f"A pixel lies outside the classes 0 … {classes - 1}.", "Check the classes.")
    return array.view(np.uint8) if array.dtype == np.bool_ else array  # a volume stays as small as it came


def _spacing(given: Sequence[float], axes: int) -> Floats:
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != (axes,) or not np.isfinite(array).all() or not (array > 0).all():
        raise InputError(
            f"The spacing is not {axes} positive numbers of mm.", "Give the distance of pixels along each axis in mm."
        )
    return array


def _known_labels(cases: Sequence[CaseScore]) -> tuple[int, ...]:
    if not cases:
        raise InputError("There is no case to sum up.", "Score at least one case.")
    labels = tuple(one.label for one in cases[0].classes)
    if any(tuple(one.label for one in case.classes) != labels for case in cases):
        raise InputError("The cases have other classes.", "Score all cases with the same classes.")
    return labels

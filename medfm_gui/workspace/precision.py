"""The precision planner: how narrow the intervals of a test will be, before it is collected or opened.

From a split it takes only counts that stand by design: how many images and patients the sealed test has. How many of
them have the finding is a label of the test, so the share among the training images stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.split import Partition, Split
from medfm_gui.workspace import data
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.statements import statement_of
from medfm_gui.workspace.usefulness import sampling_in

if TYPE_CHECKING:
    from medfm_gui.metrics.planning import Precision

METRICS: tuple[str, ...] = ("auc", "auc-difference", "sensitivity", "specificity", "dice", "calibration")
SAMPLINGS: Mapping[str, str] = {
    "consecutive": "",
    "enriched": "The test holds more events than the clinic: predictive values, Brier score and calibration need "
    "weighting back to the intended prevalence.",
    "case-control": "Cases and controls were drawn apart: predictive values, Brier score and calibration say nothing "
    "without the intended prevalence.",
    "unknown": "How the cases were sampled is not stated, so predictive values and calibration cannot be planned for "
    "a clinic.",
}
"""Ways to sample, each with what it means for the plan."""
_UNSTATED = "unknown"
_EXPECTED: Mapping[str, float] = {
    "auc": 0.85,
    "auc-difference": 0.85,
    "sensitivity": 0.9,
    "specificity": 0.9,
    "dice": 0.8,
    "calibration": 1.0,
}
_MOST_UNITS = 50_000_000
_FEWEST = 4096
"""From so many units on, a request that still cannot be planned never can."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is to be measured on how many units; None where the person leaves it to the split or to the usual.

    ``expected``: value of the metric. ``other``: the second area of ``auc-difference``. ``events`` or ``prevalence``
    say how many units have the finding. ``correlation`` is that of two areas on the same images, ``sd`` of Dice
    between cases. ``units_per_patient`` and ``icc`` make the design effect. ``half_width`` asks for the smallest n.
    """

    metric: str = "auc"
    expected: float | None = None
    other: float | None = None
    n: int | None = None
    events: int | None = None
    prevalence: float | None = None
    correlation: float = 0.5
    sd: float | None = None
    slope_spread: float = 1.0
    units_per_patient: float | None = None
    icc: float | None = None
    sampling: str = "unknown"
    confidence: float = 0.95
    half_width: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What ``n`` units promise; ``notes`` say what was assumed. ``also`` is a second number of the same question."""

    metric: str
    expected: float
    n: int
    n_events: int
    low: float
    high: float
    half_width: float
    design_effect: float
    effective_n: float
    method: str
    confidence: float
    sampling: str
    notes: tuple[str, ...] = ()
    also: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True)
class _Counts:
    """What a split gives by design: images of the test, images a patient of it, training's prevalence; and the way
    its dataset says that cases were sampled."""

    n: int
    per_patient: float
    prevalence: float
    note: str
    sampling: str


def plan(
    request: PlanRequest, *, workspace: Workspace | None = None, dataset: str | None = None, split: str | None = None
) -> Plan:
    """How precise a test will be, from stated numbers or from what a sealed split tells without being opened.

    Raises:
        UsageError: a number is missing or cannot be.
        NotFound: no such dataset or split.
    """
    _check(request)
    counts = _by_design(workspace, dataset, split) if workspace is not None and (dataset or split) else None
    if counts is not None and request.sampling == _UNSTATED:
        request = replace(request, sampling=counts.sampling)
    notes = [SAMPLINGS[request.sampling]]
    if counts is not None:
        notes.append(counts.note)
        request = _filled(request, counts, notes)
    if request.half_width is not None:
        request = replace(request, n=_smallest(request))
        notes.append(f"{request.n} units are the fewest whose interval is ±{request.half_width:g}.")
    found = _planned(request)
    return replace(found, notes=tuple(note for note in notes if note))


def _check(request: PlanRequest) -> None:
    if request.metric not in METRICS:
        raise UsageError(f"“{request.metric}” cannot be planned.", f"Use one of: {', '.join(METRICS)}.")
    if request.sampling not in SAMPLINGS:
        raise UsageError(f"There is no sampling “{request.sampling}”.", f"Use one of: {', '.join(SAMPLINGS)}.")
    if not 0.5 <= request.confidence < 1:
        raise UsageError(f"A confidence of {request.confidence:g} cannot be.", "Use 0.95 for 95 %.")
    if request.prevalence is not None and not 0 < request.prevalence < 1:
        raise UsageError(f"A prevalence of {request.prevalence:g} cannot be.", "Give a share between 0 and 1.")
    if request.events is not None and request.prevalence is not None:
        raise UsageError("Events and prevalence say the same thing twice.", "Give one of them.")
    if request.half_width is not None and (not 0 < request.half_width < 1 or request.n is not None):
        raise UsageError("A half width is a wish between 0 and 1, in place of n.", "Give --half-width or --n.")
    if (request.units_per_patient or 1) > 1 and request.icc is None:
        raise UsageError(
            "Several units a patient are not independent, and how alike they are is not stated.",
            "Give the correlation within patients with --icc, e.g. 0.3.",
        )


def _by_design(workspace: Workspace, dataset_id: str | None, split_id: str | None) -> _Counts:
    name = split_id or data.newest_split(workspace, dataset_id or "")
    if name is None:
        raise UsageError(f"“{dataset_id}” was not split yet.", f"Make a split first: “medfm split {dataset_id}”.")
    split = data.splits_of(workspace, name)[0]
    dataset = data.read(workspace, split.dataset)
    test = set(split.samples_in(Partition.TEST))
    if not test:
        raise UsageError(f"The split “{split.id}” has no test images.", "Choose another split, or give --n.")
    patients = {sample.patient or sample.id for sample in dataset.samples if sample.id in test}
    share, what = _training_share(dataset, split)
    note = (
        f"The sealed test of {split.id} has {len(test)} images of {len(patients)} patients; its labels were not looked "
        f"at: {what} has a share of {share:.3f} among the training images."
    )
    stated = sampling_in(statement_of(workspace, dataset.id)).sampling
    sampling = stated if stated in SAMPLINGS else _UNSTATED
    return _Counts(len(test), len(test) / len(patients), share, note, sampling)


def _training_share(dataset: Dataset, split: Split) -> tuple[float, str]:
    """The positive class's share of the training images, else that of the rarest class or finding, and its name."""
    train = set(split.samples_in(Partition.TRAIN))
    targets = [sample.target for sample in dataset.samples if sample.id in train]
    if not targets:
        raise UsageError(f"The split “{split.id}” has no training images.", "Give --events or --prevalence.")
    if dataset.task is Task.MULTILABEL:
        counts = [sum(target[number] == 1 for target in targets) for number in range(len(dataset.classes))]
    else:
        counts = [sum(target[0] == number for target in targets) for number in range(len(dataset.classes))]
    if dataset.task is Task.BINARY and dataset.positive is not None:
        number = dataset.classes.index(dataset.positive)
    else:
        number = min((place for place, count in enumerate(counts) if count), key=lambda place: counts[place], default=0)
    return counts[number] / len(targets), f"“{dataset.classes[number]}”"


def _filled(request: PlanRequest, counts: _Counts, notes: list[str]) -> PlanRequest:
    n = request.n if request.n is not None or request.half_width is not None else counts.n
    request = replace(request, n=n)
    if request.events is None and request.prevalence is None and 0 < counts.prevalence < 1:
        request = replace(request, prevalence=counts.prevalence)
    if request.units_per_patient is None and counts.per_patient > 1:
        request = replace(request, units_per_patient=counts.per_patient)
        if request.icc is None:
            request = replace(request, icc=1.0)
            notes.append("How alike the images of a patient are is not stated (--icc); each patient counts as one.")
    return request


def _planned(request: PlanRequest) -> Plan:
    from medfm_gui.metrics import planning

    n = request.n
    if n is None:
        raise UsageError("How many units the test has is not stated.", "Give --n, --split, or a wish as --half-width.")
    effect = planning.design_effect(request.units_per_patient or 1.0, request.icc or 0.0)
    expected = _EXPECTED[request.metric] if request.expected is None else request.expected
    more = {"effect": effect, "confidence": request.confidence}
    match request.metric:
        case "dice":
            if request.sd is None:
                raise UsageError("How much Dice differs between cases is not stated.", "Give --sd, e.g. 0.15.")
            return _told(planning.dice_precision(expected, request.sd, n, **more), request)
        case "calibration":
            share = request.prevalence if request.events is None else request.events / n
            if share is None:
                raise UsageError("How many have the finding is not stated.", "Give --events or --prevalence.")
            whole, slope = planning.calibration_precision(share, n, slope_spread=request.slope_spread, **more)
            return replace(_told(whole, request), also=(_told(slope, request),))
        case "auc":
            found = planning.auc_precision(expected, n, _events(request, n), **more)
        case "auc-difference":
            other = expected if request.other is None else request.other
            found = planning.auc_difference_precision(
                expected, other, request.correlation, n, _events(request, n), **more
            )
        case share_metric:
            found = planning.share_precision(share_metric, expected, n, _events(request, n), **more)
    return _told(found, request)


def _told(found: Precision, request: PlanRequest) -> Plan:
    return Plan(
        metric=found.metric,
        expected=found.expected,
        n=found.n,
        n_events=found.n_events,
        low=found.low,
        high=found.high,
        half_width=found.half_width,
        design_effect=found.design_effect,
        effective_n=found.effective,
        method=found.method,
        confidence=found.confidence,
        sampling=request.sampling,
    )


def _events(request: PlanRequest, n: int) -> int:
    if request.events is not None:
        return request.events
    if request.prevalence is None:
        raise UsageError("How many have the finding is not stated.", "Give --events or --prevalence.")
    return round(n * request.prevalence)


def _smallest(request: PlanRequest) -> int:
    """The fewest units whose interval is no wider than wished."""
    wish = request.half_width or 0.0
    if request.events is not None:
        raise UsageError("A wished half width needs a share of events, not their number.", "Give --prevalence.")

    def wide(n: int) -> bool:
        try:
            return _planned(replace(request, n=n, half_width=None)).half_width > wish
        except UsageError:
            if n >= _FEWEST:
                raise
            return True

    high = _FEWEST
    while wide(high):
        high *= 2
        if high > _MOST_UNITS:
            raise UsageError(f"No test of {_MOST_UNITS:,} units is that precise.", "Wish for a wider interval.")
    return _bisected(wide, 1, high)


def _bisected(wide: Callable[[int], bool], low: int, high: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if wide(middle) else (low, middle)
    return high

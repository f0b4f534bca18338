"""From a run's scores of one image to what is shown: calibrated probability, threshold, decision, set, spread.

Where a run has a calibrator, probability and threshold are on its scale, and the decision is the same on either: a
calibrator keeps the order of scores. Without one they are the scores themselves, and that is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.run import Phase, TrainSpec
from medfm_gui.domain.threshold import SIDES
from medfm_gui.domain.units import IMAGE, MEAN, counted, unit_text
from medfm_gui.workspace import training
from medfm_gui.workspace.evaluating import calibrator, operating_point
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.seeds import same_but_for_seed
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    from medfm_gui.domain.evaluation import Calibrator
    from medfm_gui.workspace.class_sets import Limits

NOT_CALIBRATED = "not calibrated: too few images for it, or the run is of an earlier version"
UNLIKE = "Hidden: this image is unlike the calibration set, so nothing is promised of it."
_ONE_HALF = 0.5
_KINDS = {"platt": "Platt's line", "temperature": "one temperature"}


@dataclass(frozen=True, slots=True)
class Displayed:
    """What is said of one unit; ``calibrated`` is empty where the run has no calibrator.

    ``threshold`` is on the scale of ``calibrated`` where there is one, ``score_threshold`` on that of the scores.
    """

    decision: str
    calibrated: Mapping[str, float] = field(default_factory=dict)
    calibration_note: str = ""
    threshold: float | None = None
    score_threshold: float | None = None
    threshold_note: str = ""


def displayed(view: RunView, scores: Sequence[float]) -> Displayed:
    """Decision and numbers of one unit with these scores, one a class.

    Raises:
        InputError: the run's operating point or calibrator is damaged.
    """
    from medfm_gui.metrics.recalibration import calibrated_threshold

    spec, point, line = view.spec, operating_point(view.folder), calibrator(view.folder)
    classes = dict(zip(spec.classes, scores, strict=True))
    if spec.task is Task.BINARY and point is not None:
        other = next(name for name in spec.classes if name != point.positive)
        decision = point.positive if classes[point.positive] >= point.threshold else other
    elif spec.task is Task.MULTILABEL:
        decision = ", ".join(name for name, score in classes.items() if score >= _ONE_HALF) or "none"
    else:
        decision = max(classes, key=lambda name: classes[name])
    shown = dict(zip(spec.classes, probabilities(view, scores), strict=True)) if line is not None else {}
    raw = point.threshold if point is not None else None
    return Displayed(
        decision,
        shown,
        calibration_note(line),
        calibrated_threshold(raw, line) if raw is not None and line is not None else raw,
        raw,
        f"{point.rule}, fitted on {point.fitted_on}; {point.note}".strip("; ") if point else "",
    )


def probabilities(view: RunView, scores: Sequence[float]) -> tuple[float, ...]:
    """Calibrated probabilities where the run has a calibrator, else the scores as they are."""
    line = calibrator(view.folder)
    if line is None or not all(map(math.isfinite, scores)):
        return tuple(map(float, scores))
    from medfm_gui.metrics.recalibration import calibrated_scores

    spec = view.spec
    positive = spec.classes.index(spec.positive) if spec.positive in spec.classes else None
    return tuple(map(float, calibrated_scores(np.array([scores], np.float64), line, positive)[0]))


def pooled_scores(rows: Sequence[Sequence[float]], spec: TrainSpec) -> list[float]:
    """One score a class of several images of one unit, by the rule of the run: their mean, or the highest image's."""
    from medfm_gui.metrics.scored import Scored

    if len(rows) == 1 or spec.recipe.unit_score == MEAN:
        return [float(value) for value in np.mean(np.asarray(rows, np.float64), axis=0)]
    names = tuple(map(str, range(len(rows))))
    blank = np.zeros((len(rows), len(spec.classes)) if spec.task is Task.MULTILABEL else len(rows), np.intp)
    images = Scored(
        names, blank, np.asarray(rows, np.float64), None, spec.task, spec.classes, spec.positive,
        groups={"study": ("one",) * len(rows)},
    )  # fmt: skip
    return [float(value) for value in images.by_unit(unit_text("study", spec.recipe.unit_score)).scores[0]]


def calibration_note(line: Calibrator | None) -> str:
    """How the probabilities were put right, in words; that they were not, where there is no calibrator."""
    if line is None:
        return NOT_CALIBRATED
    side = SIDES.get(line.fitted_on, line.fitted_on)
    said = f"calibrated by {_KINDS[line.kind]} on {counted(line.n, line.unit)} of {side}"
    return f"{said}, {line.note}" if line.note else said


def class_set(
    limits: Limits, scores: Sequence[float], classes: Sequence[str], *, pooled: int, is_unlike: bool
) -> tuple[tuple[str, ...], str]:
    """The set of one unit, and the sentence beside it; without a set, why it is hidden or not there.

    Args:
        pooled: how many images the scores are the mean of.
        is_unlike: whether something speaks against the unit being like what the run learnt from.
    """
    if limits.quantiles is None:
        return (), limits.why_not
    from medfm_gui.metrics.conformal import set_of

    if is_unlike or not all(map(math.isfinite, scores)):
        return (), UNLIKE
    if pooled > 1 and limits.quantiles.unit == IMAGE:
        return (), f"Hidden: a mean of {pooled} images is unlike the calibration set of single images."
    found = tuple(classes[place] for place in set_of(scores, limits.quantiles))
    return (found, limits.note) if found else ((), UNLIKE)


def spread(shown: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Lowest and highest probability of each class over trainings that differ in their seed; no confidence interval."""
    if len(shown) < 2:
        return {}
    return {name: (min(one[name] for one in shown), max(one[name] for one in shown)) for name in shown[0]}


def with_other_seeds(workspace: Workspace, run_ids: Sequence[str]) -> tuple[str, ...]:
    """These runs, and every finished one that differs from one of them in its seed alone."""
    wanted = dict.fromkeys(run_ids)
    finished = [view for view in training.every_run(workspace) if view.state.phase is Phase.FINISHED]
    for group in same_but_for_seed(finished):
        if any(view.id in wanted for view in group):
            wanted |= dict.fromkeys(view.id for view in group)
    return tuple(wanted)

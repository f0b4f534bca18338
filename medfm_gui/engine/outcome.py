"""What a trained model says of the images that it may be judged on, and what is decided with that.

Validation (and calibration) images are scored as the model was kept, and the threshold of a binary task is fixed on
labels that the run may use. The test is never looked at here.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence

import numpy as np

from medfm_gui.base import wire
from medfm_gui.datasets.judged import judged
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.evaluation import Calibrator, OperatingPoint
from medfm_gui.domain.split import Partition
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.material import Material, may_select
from medfm_gui.engine.scoring import SampleScores, Scorer, scores_of_frozen, write_scores
from medfm_gui.engine.similar import Kept
from medfm_gui.metrics.evaluate import validation_metrics
from medfm_gui.metrics.recalibration import fit_calibrator
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.threshold import fit_operating_point

_OPERATING_POINT = "operating_point.json"
_CALIBRATOR = "calibrator.json"
OUT_OF_FOLD = "out-of-fold"


def check_unit(material_unit: str, dataset: Dataset, ids: Sequence[str]) -> None:
    """Fail before the work, not after it, where images cannot be pooled as the recipe says.

    Raises:
        UsageError: the highest image of classes without order.
        InputError: the dataset does not tell the unit; a multi-class unit with images of several classes.
    """
    even = np.full((len(ids), len(dataset.classes)), 1.0 / len(dataset.classes))
    judged(dataset, ids, even).by_unit(material_unit)


def scored_sides(
    material: Material,
    fitted: Fitted,
    sides: Sequence[Partition] = (Partition.VAL, Partition.CAL),
    kept: Mapping[Partition, Kept] | None = None,
) -> Generator[ev.Event, None, Mapping[Partition, Scored]]:
    """Score validation and calibration images with the model as it was kept, and write the scores.

    ``kept`` takes features out of that pass, side by side.
    """
    found = {}
    for side in sides:
        if not material.ids[side]:
            continue
        scores = yield from _scores(material, fitted, side, (kept or {}).get(side))
        name = f"predictions/{side.value}.npz"
        yield ev.FileWritten(time.time(), name, write_scores(material.folder / name, scores))
        found[side] = judged(material.dataset, scores.ids, scores.probabilities)
    return found


def _scores(
    material: Material, fitted: Fitted, side: Partition, kept: Kept | None
) -> Generator[ev.Event, None, SampleScores]:
    ids = material.ids[side]
    if not fitted.backbone_trained:
        return (yield from scores_of_frozen(material.frozen(), fitted.head, ids))
    recipe = material.spec.recipe
    scorer = Scorer(
        material.backbone, fitted.head, material.device, material.images, recipe.batch_size, recipe.workers, kept
    )
    return (yield from scorer.scores(ids, "predict"))


def fixed_threshold(
    material: Material, fitted: Fitted, sides: Mapping[Partition, Scored]
) -> Generator[ev.Event, None, OperatingPoint | None]:
    """The operating point of a binary task.

    From calibration images where they suffice, else from validation. A model that was trained on validation images
    has them no more; a few-shot run that may not use their labels has its shots, scored out of fold, or nothing.
    """
    recipe = material.spec.recipe
    if material.dataset.task is not Task.BINARY:
        return None
    chances = _held_out(material, fitted, sides)
    for name, scored in chances:
        point = fit_operating_point(scored, recipe.threshold_rule, fitted_on=name, unit=recipe.counted)
        if point is not None:
            written = wire.write(material.folder / _OPERATING_POINT, point)
            yield ev.FileWritten(time.time(), _OPERATING_POINT, written)
            return point
    if not chances:
        yield ev.Warned(
            time.time(),
            "No threshold was fixed, for no image was left whose label could be used for that: sensitivity and "
            "specificity have none to stand at.",
        )
    return None


def fixed_calibrator(
    material: Material, fitted: Fitted, sides: Mapping[Partition, Scored]
) -> Generator[ev.Event, None, Calibrator | None]:
    """How the scores become probabilities, of the same images that a threshold may be fixed on.

    None, and no file, where these are too few or the scores do not rise with the event.
    """
    for name, scored in _held_out(material, fitted, sides):
        found = fit_calibrator(scored, fitted_on=name, unit=material.spec.recipe.counted)
        if found is not None:
            written = wire.write(material.folder / _CALIBRATOR, found)
            yield ev.FileWritten(time.time(), _CALIBRATOR, written)
            return found
    return None


def _held_out(material: Material, fitted: Fitted, sides: Mapping[Partition, Scored]) -> list[tuple[str, Scored]]:
    """Scores of images that the model did not learn from and whose labels may be used, the best suited first."""
    if may_select(material.spec):
        return [(side.value, sides[side]) for side in (Partition.CAL, Partition.VAL) if side in sides]
    if fitted.out_of_fold is not None:
        held_out = fitted.out_of_fold
        return [(OUT_OF_FOLD, judged(material.dataset, held_out.ids, held_out.probabilities))]
    return []


def result(material: Material, val: Scored, point: OperatingPoint | None) -> dict[str, float]:
    """Validation numbers under stored ids, by the recipe's unit."""
    pooled = val.by_unit(material.spec.recipe.counted)
    index = material.dataset.positive_index
    return validation_metrics(material.dataset.task, pooled.targets, pooled.scores, index, point=point)


def labels_used(material: Material, fitted: Fitted, point: OperatingPoint | None) -> int:
    """Labelled images that decided the model or its threshold: those learned from, selected on, and calibrated on."""
    sides = {Partition.TRAIN}
    if fitted.selected:
        sides.add(Partition.VAL)
    if point is not None and point.fitted_on in (Partition.VAL.value, Partition.CAL.value):
        sides.add(Partition(point.fitted_on))
    return len({one for side in sides for one in material.ids[side]})

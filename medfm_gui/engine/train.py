"""One training, from its order to its last word, as a generator of events.

Files are checked by hash, the backbone is loaded, an adaptation does its work, the model is kept, and
validation (and calibration) images are scored and the threshold is fixed. The test is never looked at here.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from medfm_gui.base import wire
from medfm_gui.datasets.targets import patients, targets
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import adaptation
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import UsageError, WeightsAbsent
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.domain.run import TrainSpec
from medfm_gui.domain.split import Partition
from medfm_gui.engine.adaptations import ADAPTATIONS
from medfm_gui.engine.backbones import load_backbone
from medfm_gui.engine.devices import choose_device
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.material import (
    Material,
    input_size,
    open_dataset,
    open_split,
    partitions_for_training,
    weights_file,
)
from medfm_gui.engine.saved import save_model
from medfm_gui.engine.scoring import SampleScores, Scorer, scores_of_frozen, write_scores
from medfm_gui.engine.session import make_deterministic, started
from medfm_gui.metrics.evaluate import validation_metrics
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.threshold import fit_operating_point

_OPERATING_POINT = "operating_point.json"


def run_training(spec: TrainSpec, folder: Path) -> Generator[ev.Event, None, None]:
    """Train as ordered, in a run folder.

    Args:
        folder: ``spec.run``'s folder; a ``checkpoint/`` in it is gone on from.

    Yields:
        RunStarted first and RunFinished last; FileWritten for every result.

    Raises:
        MedfmError: what the reason is; the folder stays resumable where that can help.
    """
    _refuse_random_features(spec)
    device = choose_device(spec.device)
    make_deterministic()
    yield started(device)
    material = yield from prepared(spec, folder, device)
    begun = time.perf_counter()
    fitted = yield from ADAPTATIONS[spec.adapt](material)
    yield from save_model(folder, fitted.head, material.backbone if fitted.backbone_trained else None)
    scores = yield from _scored_sides(material, fitted)
    point = yield from _fixed_threshold(material, scores)
    yield ev.RunFinished(
        time.time(),
        metrics=_result(material, scores[Partition.VAL], point),
        seconds=fitted.seconds_before + time.perf_counter() - begun,
        samples_per_second=fitted.samples_per_second,
        trained_parameters=fitted.trained_parameters,
    )
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)  # after the last word is durable: it served its end


def _refuse_random_features(spec: TrainSpec) -> None:
    card = adaptation(spec.adapt)
    if card is None or spec.adapt not in ADAPTATIONS:
        raise UsageError(f"There is no adaptation “{spec.adapt}”.", f"Use one of: {', '.join(ADAPTATIONS)}.")
    if spec.weights is None and card.needs_weights:
        raise WeightsAbsent(
            f"“{spec.adapt}” needs pretrained weights: features of random weights say nothing of {spec.card.title}.",
            f"Get them with “medfm weights pull {spec.card.name}”, or use --adapt full.",
        )
    if spec.weights is None and not spec.from_scratch:
        raise WeightsAbsent(
            f"The weights of {spec.card.title} are not on this computer.",
            f"Get them with “medfm weights pull {spec.card.name}”, or train --from-scratch.",
        )


def prepared(spec: TrainSpec, folder: Path, device: torch.device) -> Generator[ev.Event, None, Material]:
    """Everything that the adaptation needs, checked.

    Raises:
        MedfmError: a file is gone, damaged or changed, or the recipe does not fit the data or the model.
    """
    yield ev.StageStarted(time.time(), "weights")
    dataset, pixels = open_dataset(spec.dataset, spec.pixels)
    ids = partitions_for_training(spec, open_split(spec, dataset), dataset)
    _check_unit(spec, dataset, ids[Partition.VAL])
    torch.manual_seed(spec.seed)  # a start from scratch draws its weights here
    backbone = load_backbone(spec.card, image_size=input_size(spec), weights=weights_file(spec))
    backbone.module.to(device)
    images = ImageReader(pixels, spec.card, backbone.image_size, pin=device.type == "cuda")
    return Material(spec, folder, dataset, ids, images, backbone, device)


def _check_unit(spec: TrainSpec, dataset: Dataset, ids: Sequence[str]) -> None:
    """Fail before the work, not after it, where images cannot be pooled as the recipe says."""
    even = np.full((len(ids), len(dataset.classes)), 1.0 / len(dataset.classes))
    _scored(dataset, ids, even).by_unit(spec.recipe.unit)


def _scored(dataset: Dataset, ids: Sequence[str], probabilities: npt.NDArray[np.floating]) -> Scored:
    """Scores joined with reference standard and patients."""
    names = patients(dataset, ids)
    return Scored(
        samples=tuple(ids),
        targets=targets(dataset, ids).astype(np.intp),
        scores=probabilities.astype(np.float64),
        patients=None if names is None else tuple(names),
        task=dataset.task,
        classes=dataset.classes,
        positive=dataset.positive,
    )


def _scored_sides(material: Material, fitted: Fitted) -> Generator[ev.Event, None, Mapping[Partition, Scored]]:
    """Score validation and calibration images with the model as it was kept, and write the scores."""
    sides = {}
    for side in (Partition.VAL, Partition.CAL):
        if not material.ids[side]:
            continue
        scores = yield from _scores(material, fitted, side)
        name = f"predictions/{side.value}.npz"
        yield ev.FileWritten(time.time(), name, write_scores(material.folder / name, scores))
        sides[side] = _scored(material.dataset, scores.ids, scores.probabilities)
    return sides


def _scores(material: Material, fitted: Fitted, side: Partition) -> Generator[ev.Event, None, SampleScores]:
    ids = material.ids[side]
    if not fitted.backbone_trained:
        return (yield from scores_of_frozen(material.frozen(), fitted.head, ids))
    recipe = material.spec.recipe
    scorer = Scorer(material.backbone, fitted.head, material.device, material.images, recipe.batch_size, recipe.workers)
    return (yield from scorer.scores(ids, "predict"))


def _fixed_threshold(
    material: Material, scores: Mapping[Partition, Scored]
) -> Generator[ev.Event, None, OperatingPoint | None]:
    """The operating point of a binary task, from calibration images where they suffice, else from validation."""
    recipe = material.spec.recipe
    for side in (Partition.CAL, Partition.VAL):
        if side not in scores:
            continue
        point = fit_operating_point(scores[side], recipe.threshold_rule, fitted_on=side.value, unit=recipe.unit)
        if point is not None:
            yield ev.FileWritten(time.time(), _OPERATING_POINT, wire.write(material.folder / _OPERATING_POINT, point))
            return point
    return None


def _result(material: Material, val: Scored, point: OperatingPoint | None) -> dict[str, float]:
    """Validation numbers under stored ids, by the recipe's unit."""
    pooled = val.by_unit(material.spec.recipe.unit)
    index = material.dataset.positive_index
    return validation_metrics(material.dataset.task, pooled.targets, pooled.scores, index, point=point)

"""What a training works with: checked files, samples by partition, the backbone, and where it stands on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from medfm_gui.base.atomic import sha256_file
from medfm_gui.base.settings import load_settings
from medfm_gui.datasets.files import read_dataset, read_split
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain.cards import suitable_size
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, NotFound, UsageError
from medfm_gui.domain.run import FileRef, TrainSpec
from medfm_gui.domain.split import Partition, Split
from medfm_gui.engine import few_shot
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.cases import Cases, Targets, cases_of
from medfm_gui.engine.features import FrozenBackbone
from medfm_gui.engine.images import ImageReader

_GIGA = 1e9
_SEEN_IN_TRAINING = (Partition.TRAIN, Partition.VAL, Partition.CAL)


@dataclass(frozen=True, slots=True)
class Material:
    """The inputs of one training. ``ids`` has no test samples: whoever trains cannot look at them.

    ``chosen`` are settings that an earlier stage chose, as ``Fitted.chosen`` gives them: with them there is nothing
    left to select, and validation images are among the training images.
    """

    spec: TrainSpec
    folder: Path
    dataset: Dataset
    ids: Mapping[Partition, Sequence[str]]
    images: ImageReader
    backbone: Backbone
    device: torch.device
    chosen: Mapping[str, float] | None = None

    def targets(self, partition: Partition) -> Targets:
        """Class indices (n,), or n × classes of 0, 1, -1 (not assessed) for a multi-label task; one a case."""
        return self.cases(partition).targets

    def cases(self, partition: Partition) -> Cases:
        """What is learned from and scored one by one: images, or patients where the recipe joins their images."""
        return cases_of(self.dataset, self.ids[partition], self.spec.recipe.aggregate)

    @property
    def checkpoints(self) -> Path:
        """The folder in which this stage of the training keeps its ``checkpoint``."""
        return self.folder if self.chosen is None else self.folder / "checkpoint" / "second-stage"

    @property
    def every_id(self) -> list[str]:
        """The samples of all partitions."""
        return [one for side in _SEEN_IN_TRAINING for one in self.ids[side]]

    @property
    def selects_on_validation(self) -> bool:
        """Whether labels of validation images may decide anything: a few shots are all that there is, else."""
        return self.chosen is None and may_select(self.spec)

    def frozen(self) -> FrozenBackbone:
        """The backbone as it is, through its feature bank."""
        return frozen_backbone(self.spec, self.backbone, self.dataset, self.images, self.device)


def checked(reference: FileRef, what: str) -> Path:
    """The path of a file after its contents were compared with the reference.

    Raises:
        NotFound: it is not there.
        InputError: it was changed.
    """
    path = Path(reference.path)
    if not path.is_file():
        raise NotFound(
            f"{what} “{path}” is gone.", "Put it back where it was, or start a new run with what is there now."
        )
    if sha256_file(path) != reference.sha256:
        raise InputError(
            f"{what} “{path}” was changed after this run was made, so the result would not be this run's.",
            "Restore the file, or start a new run.",
        )
    return path


def open_dataset(reference: FileRef, pixels: str) -> tuple[Dataset, PixelCache]:
    """A dataset by its manifest, with the pixels that its import made.

    Raises:
        NotFound, InputError: a file is gone, damaged or changed.
    """
    dataset = dataset_of(reference)
    cache = PixelCache(Path(pixels))
    cache.check()
    return dataset, cache


def dataset_of(reference: FileRef) -> Dataset:
    """A dataset by its manifest.

    Raises:
        NotFound, InputError: a file is gone, damaged or changed.
    """
    return read_dataset(checked(reference, "The dataset's manifest").parent)


def open_split(spec: TrainSpec, dataset: Dataset) -> Split:
    """The split of a run.

    Raises:
        NotFound, InputError: it is gone, changed, or belongs to other data.
    """
    split = read_split(checked(spec.split, "The split"))
    if split.dataset_fingerprint != dataset.fingerprint:
        raise InputError(
            f"The split “{split.id}” was made for other data than “{dataset.id}” holds now.",
            f"Make a new one with “medfm split {dataset.id}”.",
        )
    return split


def partitions_for_training(spec: TrainSpec, split: Split, dataset: Dataset) -> dict[Partition, Sequence[str]]:
    """Sample ids to learn from, to select on and to calibrate on; few-shot picks applied.

    Raises:
        UsageError: there is nothing to select on.
    """
    ids: dict[Partition, Sequence[str]] = {part: split.samples_in(part) for part in _SEEN_IN_TRAINING}
    if not ids[Partition.VAL]:
        raise UsageError(
            f"The split “{split.id}” has no validation images, on which the best model and its threshold are chosen.",
            f"Make one that has: “medfm split {dataset.id} --ratios 70/15/15”.",
        )
    if spec.shots is not None:
        ids[Partition.TRAIN] = shots_of(spec, split, dataset).ids
    return ids


def shots_of(spec: TrainSpec, split: Split, dataset: Dataset) -> few_shot.Shots:
    """The training images that a few-shot run is shown.

    Raises:
        UsageError: no class has any.
    """
    joined = spec.recipe.aggregate != "none"
    train = split.samples_in(Partition.TRAIN)
    found = few_shot.draw(dataset, train, spec.shots or 0, spec.seed, spec.recipe.shot_rule, all_images=joined)
    if not found.ids:
        raise UsageError(
            f"No training image fits the rule “{spec.recipe.shot_rule}”.", "Use shot_rule=patients, or more shots."
        )
    return found


def may_select(spec: TrainSpec) -> bool:
    """Whether a run may use the labels of validation images; a few-shot run only if its recipe says so."""
    return spec.shots is None or spec.recipe.shot_tuning == "validation"


def input_size(spec: TrainSpec) -> int:
    """Rows and columns of the model's input in pixels: what the recipe asks for, rounded to what the model takes."""
    return suitable_size(spec.card, spec.recipe.input_size or spec.card.input_size)


def weights_file(spec: TrainSpec) -> Path | None:
    """The checked file of pretrained weights; None for a start from scratch.

    Raises:
        NotFound, InputError: it is gone or was changed.
    """
    return checked(spec.weights, "The weights' file") if spec.weights is not None else None


def frozen_backbone(
    spec: TrainSpec, backbone: Backbone, dataset: Dataset, images: ImageReader, device: torch.device
) -> FrozenBackbone:
    """A run's pretrained backbone looking at a dataset."""
    limit_gb = load_settings().features_gb
    return FrozenBackbone(
        backbone=backbone,
        device=device,
        dataset=dataset,
        images=images,
        banks=Path(spec.features),
        weights_sha256=spec.weights.sha256 if spec.weights else "",
        workers=spec.recipe.workers,
        preprocessing="-".join(filter(None, (images.preprocess.key, images.pixels.look.key))),
        limit_bytes=round(limit_gb * _GIGA) if limit_gb > 0 else None,
    )

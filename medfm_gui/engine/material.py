"""What a training works with: checked files, samples by partition, the backbone, and where it stands on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from medfm_gui.base.atomic import sha256_file
from medfm_gui.datasets.files import read_dataset, read_split
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.datasets.targets import targets
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, NotFound, UsageError
from medfm_gui.domain.run import FileRef, TrainSpec
from medfm_gui.domain.split import Partition, Split
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.features import FrozenBackbone
from medfm_gui.engine.images import ImageReader

Targets = npt.NDArray[np.int64] | npt.NDArray[np.int8]

_SEEN_IN_TRAINING = (Partition.TRAIN, Partition.VAL, Partition.CAL)


@dataclass(frozen=True, slots=True)
class Material:
    """The inputs of one training. ``ids`` has no test samples: whoever trains cannot look at them."""

    spec: TrainSpec
    folder: Path
    dataset: Dataset
    ids: Mapping[Partition, Sequence[str]]
    images: ImageReader
    backbone: Backbone
    device: torch.device

    def targets(self, partition: Partition) -> Targets:
        """Class indices (n,), or n × classes of 0, 1, -1 (not assessed) for a multi-label task."""
        return targets(self.dataset, self.ids[partition])

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
    """A dataset by its manifest, with its pixels.

    Raises:
        NotFound, InputError: a file is gone, damaged or changed.
    """
    dataset = read_dataset(checked(reference, "The dataset's manifest").parent)
    cache = PixelCache(Path(pixels))
    cache.check()
    return dataset, cache


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
        ids[Partition.TRAIN] = few_shot(dataset, ids[Partition.TRAIN], spec.shots, spec.seed)
    return ids


def few_shot(dataset: Dataset, ids: Sequence[str], shots: int, seed: int) -> list[str]:
    """At most ``shots`` samples of each class, in the order of ``ids``; more shots contain fewer."""
    by_lot = sorted(ids, key=lambda one: hashlib.sha256(f"{seed} {one}".encode()).digest())
    labels = dict(zip(by_lot, targets(dataset, by_lot), strict=True))
    drawn: set[str] = set()
    for index in range(len(dataset.classes)):
        if dataset.task is Task.MULTILABEL:
            of_class = [one for one in by_lot if labels[one][index] == 1]
        else:
            of_class = [one for one in by_lot if labels[one] == index]
        drawn.update(of_class[:shots])
    return [one for one in ids if one in drawn]


def input_size(spec: TrainSpec) -> int:
    """Rows and columns of the model's input in pixels."""
    return spec.recipe.input_size or spec.card.input_size


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
    return FrozenBackbone(
        backbone=backbone,
        device=device,
        dataset=dataset,
        images=images,
        banks=Path(spec.features),
        weights_sha256=spec.weights.sha256 if spec.weights else "",
        workers=spec.recipe.workers,
    )

"""A workspace's folders as the engine finds them: cached pixels, a dataset, a split, orders."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write, sha256_file
from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import Settings, weights_folder
from medfm_gui.base.weights_status import status
from medfm_gui.datasets.files import write_dataset, write_split
from medfm_gui.datasets.fingerprint import split_fingerprint
from medfm_gui.datasets.pixels import Place, ShardWriter, write_index
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import error_from_wire
from medfm_gui.domain.events import RunFailed, RunFinished
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import FileRef, TrainSpec
from medfm_gui.domain.split import Assignment, Partition, Split
from medfm_gui.engine.eventlog import EventLog
from medfm_gui.engine.job import carry_out

CLASSES = ("without", "with")
_NAME = "bench"
_CACHED_SIDE = 512  # pixels: what the import keeps of a larger image
_SHARE_OF_VALIDATION = 0.2
_SHARD = "shard-0.pixels"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A dataset with its split and pixels, below ``root``. The test has one image: no training looks at it."""

    root: Path
    dataset: Dataset
    seen: tuple[str, ...]
    """Ids of the images that a training looks at."""

    @property
    def folder(self) -> Path:
        """The dataset's folder."""
        return self.root / "datasets" / _NAME

    def order(
        self,
        run: str,
        card: BackboneCard,
        adapt: str,
        *,
        banks: str = "features",
        weights: FileRef | None = None,
        **recipe: Any,
    ) -> Path:
        """The folder of a run with the order to train it from the weights that are on this computer.

        Args:
            banks: folder of the feature bank; a new name begins an empty one.
            weights: another file to begin with.
        """
        spec = self._spec(run, card, adapt, banks, Recipe(**recipe))
        if weights is not None:
            spec = replace(spec, weights=weights, from_scratch=False)
        folder = self.root / "runs" / run
        atomic_write(folder / "spec.json", wire.encode_spec(spec))
        return folder

    def _spec(self, run: str, card: BackboneCard, adapt: str, banks: str, recipe: Recipe) -> TrainSpec:
        manifest, split = self.folder / "manifest.json", self.root / "splits" / f"{_NAME}.json"
        return TrainSpec(
            run=run,
            dataset=FileRef(str(manifest), sha256_file(manifest)),
            split=FileRef(str(split), sha256_file(split)),
            pixels=str(self.folder / "pixels"),
            features=str(self.root / banks),
            card=card,
            adapt=adapt,
            recipe=recipe,
            seed=0,
            device="cpu",
            weights=local_weights(card),
            from_scratch=local_weights(card) is None,
            dataset_id=_NAME,
            split_id=_NAME,
            task=Task.BINARY,
            classes=CLASSES,
            positive=CLASSES[1],
        )


def card_of(name: str) -> BackboneCard:
    """One of the product's own models."""
    return read_plugins().card(name)


def local_weights(card: BackboneCard) -> FileRef | None:
    """The file of a model's pretrained weights, or None where they are not on this computer."""
    found = status(card, weights_folder(Settings()))
    return FileRef(found.path, found.sha256) if found.path else None


def prepare(root: Path, images: int, side: int = _CACHED_SIDE) -> Prepared:
    """Write a binary dataset of ``images`` grey 8-bit images, a fifth of them for validation, and one for the test."""
    random = np.random.default_rng(0)
    folder = root / "datasets" / _NAME
    (folder / "pixels").mkdir(parents=True)
    shard = ShardWriter(folder / "pixels", _SHARD)
    samples: list[Sample] = []
    places: dict[str, Place] = {}
    for number in range(images + 1):
        image = _image(random, side, number % 2)
        sample_id = f"s{number:06d}"
        places[sample_id] = shard.append(image)
        pixels_sha256 = hashlib.sha256(image.tobytes()).hexdigest()
        samples.append(
            Sample(sample_id, f"{number}.png", (number % 2,), f"P{number}", None, None, None, side, side, pixels_sha256)
        )
    shard.close()
    write_index(folder / "pixels", places)
    dataset = Dataset(
        id=_NAME, name=_NAME, layout="folder", task=Task.BINARY, classes=CLASSES, source="", samples=tuple(samples),
        fingerprint="0" * 64, positive=CLASSES[1],
    )  # fmt: skip
    write_dataset(folder, dataset)
    val = max(2, round(images * _SHARE_OF_VALIDATION))
    sides = [Partition.TRAIN] * (images - val) + [Partition.VAL] * val + [Partition.TEST]
    assignments = tuple(Assignment(one.id, part, one.id) for one, part in zip(samples, sides, strict=True))
    fingerprint = split_fingerprint(dataset, {item.sample: item.partition for item in assignments})
    split = Split(_NAME, _NAME, dataset.fingerprint, "made", 0, assignments, fingerprint)
    write_split(root / "splits" / f"{_NAME}.json", split)
    return Prepared(root, dataset, tuple(one.id for one in samples[:images]))


def trained(folder: Path) -> RunFinished:
    """Carry out the order in a run's folder here, events to the file as a worker does, and return its last word.

    Raises:
        MedfmError: whatever the run failed with.
    """
    with EventLog.in_folder(folder) as log:
        carry_out(folder, log)
    last = wire.decode_event((folder / "events.jsonl").read_bytes().splitlines()[-1])
    if isinstance(last, RunFailed):
        raise error_from_wire(last.error, last.message, last.hint)
    assert isinstance(last, RunFinished)
    return last


def _image(random: np.random.Generator, side: int, label: int) -> npt.NDArray[np.uint8]:
    """Soft structure and noise, with a brighter disc where the label is 1."""
    rows, columns = np.mgrid[0:side, 0:side] / side
    phase, tilt = random.uniform(0, 2 * np.pi, 2)
    image = 110 + 50 * np.sin(6 * rows + phase) * np.cos(5 * columns + tilt) + random.normal(0, 12, (side, side))
    centre = random.uniform(0.25, 0.75, 2)
    disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 0.004
    return np.asarray((image + 25.0 * label * disc).clip(0, 255), dtype=np.uint8)

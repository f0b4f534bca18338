"""What the heat maps of a finished run are worth, measured on a partition of its own data.

In this order: the maps of the model as it is; those of images that are moved by a few pixels; those of images with
marked findings; at last, for it spoils the model in memory, those with weights shuffled from the head down.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.explain import Box, MapCheck, MapChecks
from medfm_gui.domain.run import CheckMapsSpec
from medfm_gui.domain.split import Partition
from medfm_gui.engine.devices import choose_device
from medfm_gui.engine.explain import trust
from medfm_gui.engine.explain.maps import HeatMap, Map
from medfm_gui.engine.explain.methods import check_known, heat_maps
from medfm_gui.engine.head import MultiLabelNeighbours, NearestNeighbours
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.material import dataset_of, open_split
from medfm_gui.engine.pixels import look_of, pixels_ready
from medfm_gui.engine.progress import Pace
from medfm_gui.engine.saved import BACKBONE, HEAD, SavedModel, open_model
from medfm_gui.engine.session import make_deterministic, started

_BATCH = 8
Correlations = tuple[str, list[float | None]]


def check_maps(spec: CheckMapsSpec) -> Generator[ev.Event, None, None]:
    """Run the checks; writes ``explain.MapChecks`` to ``spec.out``.

    Raises:
        UsageError: the run votes by neighbours and has no maps, or the partition is empty or unknown.
        MedfmError: the run, its data or its weights cannot be used.
    """
    begun = time.perf_counter()
    check_known(spec.explain)
    device = choose_device(spec.device)
    make_deterministic()
    yield started(device)
    model = open_model(Path(spec.run_folder), device)
    if isinstance(model.head, NearestNeighbours | MultiLabelNeighbours):
        raise UsageError(
            f"The run {model.spec.run} is a vote of neighbours and has no maps to check.",
            "Check a run with another adaptation.",
        )
    dataset = dataset_of(model.spec.dataset)
    pixels = yield from pixels_ready(dataset, model.spec.pixels, look_of(model.spec), check=False)
    subject = _Subject(spec, model, dataset, _reader(model, pixels))
    ids = subject.ids()
    drawn = sorted(ids, key=lambda one: hashlib.sha256(f"{spec.seed} {one}".encode()).digest())[: spec.images]
    if not drawn:
        raise UsageError("No image was asked for.", "Use --images 32.")
    plain = yield from subject.maps(drawn, "maps")
    checks = [(yield from _stability(subject, drawn, plain))]
    checks += yield from _hits(subject, ids, dict(zip(drawn, plain, strict=True)))
    checks.insert(0, (yield from _randomisation(subject, drawn, plain)))
    found = MapChecks(
        run=model.spec.run,
        explanation=spec.explain,
        subset=spec.subset,
        seed=spec.seed,
        n_images=len(drawn),
        blank=sum(not heat.any() for heat in plain),
        checks=tuple(checks),
        model=tuple(model_files(Path(spec.run_folder))),
        created=spec.created,
    )
    yield ev.FileWritten(time.time(), Path(spec.out).name, wire.write(Path(spec.out), found))
    yield ev.RunFinished(time.time(), {}, time.perf_counter() - begun)


def model_files(folder: Path) -> Iterable[tuple[str, str]]:
    """What names a trained model: its files and their SHA-256."""
    return [(name, sha256_file(folder / name)) for name in (HEAD, BACKBONE) if (folder / name).exists()]


def _reader(model: SavedModel, pixels: PixelCache) -> ImageReader:
    return ImageReader(pixels, model.spec.card, model.backbone.image_size, prepare=model.preprocess)


@dataclass(frozen=True, slots=True)
class _Subject:
    """A model with the images that it is asked about."""

    spec: CheckMapsSpec
    model: SavedModel
    dataset: Dataset
    images: ImageReader

    def ids(self) -> Sequence[str]:
        """The samples of the partition."""
        subset = self.spec.subset
        if subset not in tuple(Partition):
            raise UsageError(f"There is no partition “{subset}”.", f"Use one of: {', '.join(Partition)}.")
        ids = open_split(self.model.spec, self.dataset).samples_in(Partition(subset))
        if not ids:
            raise UsageError(
                f"The split “{self.model.spec.split_id}” has no {subset} images.", "Choose another partition."
            )
        return ids

    def groups(self, ids: Sequence[str]) -> list[str]:
        """The patient of each sample, empty where none is known."""
        patients = {sample.id: sample.patient or "" for sample in self.dataset.samples}
        return [patients[one] for one in ids]

    def maps(
        self, ids: Sequence[str], stage: str, shift: tuple[int, int] = (0, 0)
    ) -> Generator[ev.Event, None, list[Map]]:
        """The map of each sample for its own class, of the image moved by ``shift`` (down, right)."""
        yield ev.StageStarted(time.time(), stage, len(ids))
        pace = Pace(stage, len(ids))
        targets = self._targets(ids)
        found: list[Map] = []
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            images = self.images.batch(batch)
            if shift != (0, 0):
                images = trust.moved(images, *shift)
            found += [one.map for one in self._explained(images, [targets[one] for one in batch])]
            yield pace.advanced(len(batch))
        self.images.release()
        return found

    def whole(self, heat: Map) -> Map:
        """A map over the model's input as one over the whole image."""
        return self.model.preprocess.whole(torch.from_numpy(heat)).numpy()

    def _explained(self, images: Tensor, targets: Sequence[int]) -> Sequence[HeatMap]:
        model = self.model
        return heat_maps(self.spec.explain, model.backbone, model.head, images.to(model.device), targets)

    def _targets(self, ids: Sequence[str]) -> Mapping[str, int]:
        """The class that each image is labelled with; of several the first, of none the first class."""
        labels = {sample.id: sample.target for sample in self.dataset.samples}
        if self.dataset.task is not Task.MULTILABEL:
            return {one: labels[one][0] for one in ids}
        return {one: labels[one].index(1) if 1 in labels[one] else 0 for one in ids}


def _stability(subject: _Subject, ids: Sequence[str], plain: Sequence[Map]) -> Generator[ev.Event, None, MapCheck]:
    found: list[Correlations] = []
    for down, right in trust.shifts_of(subject.model.backbone.image_size):
        maps = yield from subject.maps(ids, "shifts", (down, right))
        pairs = [trust.shared_part(a, b, down, right) for a, b in zip(plain, maps, strict=True)]
        found.append((_words(down, right), trust.correlations(pairs)))
    return trust.stability(found, _different(plain), subject.groups(ids))


def _words(down: int, right: int) -> str:
    """A move for people, e.g. “2 px up, 2 px right”."""
    parts = [(down, "down", "up"), (right, "right", "left")]
    return ", ".join(f"{abs(by)} px {there if by > 0 else back}" for by, there, back in parts if by)


def _hits(
    subject: _Subject, ids: Sequence[str], known: Mapping[str, Map]
) -> Generator[ev.Event, None, Sequence[MapCheck]]:
    """Nothing where no image of the partition has a box."""
    boxes: dict[str, list[Box]] = {}
    for box in subject.spec.boxes:
        boxes.setdefault(box.sample, []).append(box)
    marked = [one for one in ids if one in boxes]
    if not marked:
        return ()
    missing = [one for one in marked if one not in known]
    maps = {**known, **dict(zip(missing, (yield from subject.maps(missing, "findings")), strict=True))}
    whole = [subject.whole(maps[one]) for one in marked]
    masks = [trust.mask_of(boxes[one], *heat.shape) for one, heat in zip(marked, whole, strict=True)]
    return trust.hits(whole, masks, subject.groups(marked))


def _randomisation(subject: _Subject, ids: Sequence[str], plain: Sequence[Map]) -> Generator[ev.Event, None, MapCheck]:
    model = subject.model
    found: list[Correlations] = []
    for stage in trust.stages_of(model.backbone, model.head, subject.spec.seed):
        with torch.no_grad():
            stage.shuffle()
        maps = yield from subject.maps(ids, "shuffled weights")
        found.append((stage.name, trust.correlations(list(zip(plain, maps, strict=True)))))
    return trust.randomisation(found, _different(plain), subject.groups(ids))


def _different(maps: Sequence[Map]) -> list[tuple[Map, Map]]:
    """Each map beside that of the next image."""
    return list(itertools.pairwise(maps))

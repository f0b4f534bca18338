"""Scores from finished runs: a partition of a dataset, or the few images of a study, with heat maps on request."""

from __future__ import annotations

import io
import time
from collections import OrderedDict
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.run import PredictSpec, StudyImage, StudySpec, TrainSpec
from medfm_gui.domain.split import Partition
from medfm_gui.engine.devices import choose_device
from medfm_gui.engine.explain.maps import HeatMap
from medfm_gui.engine.explain.methods import check_known, explained
from medfm_gui.engine.explain.neighbours import neighbours_of
from medfm_gui.engine.head import MultiLabelNeighbours, NearestNeighbours
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.material import dataset_of, frozen_backbone, open_split
from medfm_gui.engine.pixels import look_of, pixels_ready
from medfm_gui.engine.preprocess import Preprocess
from medfm_gui.engine.progress import Pace
from medfm_gui.engine.reading import read
from medfm_gui.engine.saved import BACKBONE, HEAD, HEAD_FACTS, SavedModel, open_model
from medfm_gui.engine.scoring import SampleScores, Scorer, scores_of_case, scores_of_frozen, write_scores
from medfm_gui.engine.session import make_deterministic, started
from medfm_gui.engine.similar import SIMILAR, SimilarCases, read_similar

NO_GRADIENT = "A vote of neighbours has no class gradient, so there is no map: the neighbours are the explanation."
_DECIDE = ("spec.json", HEAD, HEAD_FACTS, BACKBONE, SIMILAR)
"""Files of a run that decide what is said of an image."""


class OpenModels:
    """The last few models that were used, ready for the next question.

    A run that was trained again since is loaded again. Not for several threads.
    """

    def __init__(self, most: int = 3) -> None:
        self._most = most
        self._open: OrderedDict[tuple[object, ...], SavedModel] = OrderedDict()

    def open(self, folder: Path, device: torch.device) -> SavedModel:
        """The model of a run's folder.

        Raises:
            MedfmError: as ``open_model``.
        """
        key = (str(folder), str(device), *(_stamp(folder / name) for name in _DECIDE))
        if key not in self._open:
            while len(self._open) >= self._most:
                self._open.popitem(last=False)
            self._open[key] = replace(open_model(folder, device), similar=_similar(folder))
        self._open.move_to_end(key)
        return self._open[key]


def predict_subset(spec: PredictSpec, out: Path) -> Generator[ev.Event, None, None]:
    """Score one partition of a run's dataset, or all of another dataset; writes ``<subset>.npz`` in ``out``.

    Raises:
        UsageError: there is no such partition, or it is empty.
        MedfmError: the run, the dataset or the weights cannot be used.
    """
    begun = time.perf_counter()
    device = choose_device(spec.device)
    make_deterministic()
    yield started(device)
    model = open_model(Path(spec.run_folder), device)
    if spec.dataset is not None:
        dataset = dataset_of(spec.dataset)
        pixels = yield from pixels_ready(dataset, spec.pixels, look_of(model.spec))
        ids: Sequence[str] = [sample.id for sample in dataset.samples]
    else:
        dataset = dataset_of(model.spec.dataset)
        pixels = yield from pixels_ready(dataset, model.spec.pixels, look_of(model.spec))
        ids = partition_of(model.spec, dataset, spec.subset)
    images = ImageReader(
        pixels, model.spec.card, model.backbone.image_size, pin=device.type == "cuda", prepare=model.preprocess
    )
    asked = time.perf_counter()
    scores = yield from _scores(model, dataset, images, ids)
    name = f"{_file_name(spec.subset)}.npz"
    yield ev.FileWritten(time.time(), name, write_scores(out / name, scores))
    now = time.perf_counter()
    yield ev.RunFinished(time.time(), {}, now - begun, samples_per_second=len(ids) / (now - asked))


def predict_study(spec: StudySpec, models: OpenModels | None = None) -> Generator[ev.Event, None, None]:
    """Score each image with each run, run by run; heat maps are numbered files in ``spec.out``.

    Yields:
        StudyPredicted for each pair; its ``map`` is an absolute path.

    Raises:
        MedfmError: a run or an image cannot be used.
    """
    begun = time.perf_counter()
    if spec.explain:
        check_known(spec.explain)
    device = choose_device(spec.device)
    models = models or OpenModels()
    yield started(device)
    total = len(spec.run_folders) * len(spec.images)
    yield ev.StageStarted(time.time(), "explain" if spec.explain else "predict", total)
    pace = Pace("explain" if spec.explain else "predict", total)
    done = 0
    for folder in spec.run_folders:
        model = models.open(Path(folder), device)
        joined = yield from _joined(model, spec.images)
        for image in spec.images:
            done += 1
            yield (yield from _predicted(model, image, spec, done, joined.get(image.path)))
            yield pace.advanced(1)
    yield ev.RunFinished(time.time(), {}, time.perf_counter() - begun, samples_per_second=pace.samples_per_second)


def partition_of(spec: TrainSpec, dataset: Dataset, subset: str) -> Sequence[str]:
    """The samples of a partition of a run's split.

    Raises:
        UsageError: there is no such partition, or it is empty.
    """
    if subset not in tuple(Partition):
        raise UsageError(f"There is no partition “{subset}”.", f"Use one of: {', '.join(Partition)}.")
    ids = open_split(spec, dataset).samples_in(Partition(subset))
    if not ids:
        raise UsageError(f"The split “{spec.split_id}” has no {subset} images.", "Choose another partition.")
    return ids


def _scores(
    model: SavedModel, dataset: Dataset, images: ImageReader, ids: Sequence[str]
) -> Generator[ev.Event, None, SampleScores]:
    recipe = model.spec.recipe
    if model.frozen:
        frozen = frozen_backbone(model.spec, model.backbone, dataset, images, model.device)
        return (yield from scores_of_frozen(frozen, model.head.cpu(), ids))
    scorer = Scorer(model.backbone, model.head, model.device, images, recipe.batch_size, recipe.workers)
    return (yield from scorer.scores(ids, "predict"))


class _Case(NamedTuple):
    """What a run says of an image: probabilities (one a class) of its case, and the features D that the case comes to.

    ``alone`` are the probabilities of the image by itself, where it is not the only one, and ``seen`` is what the head
    reads of that image (1 × …).
    """

    probabilities: torch.Tensor
    features: torch.Tensor
    seen: torch.Tensor
    alone: tuple[float, ...] = ()


def _joined(model: SavedModel, images: Sequence[StudyImage]) -> Generator[ev.Event, None, dict[str, _Case]]:
    """By path, the images of cases that a run joins, as it was trained and tested; of other runs none."""
    members: dict[str, list[str]] = {}
    if model.head.facts.aggregate != "none":
        for image in images:
            if image.case:
                members.setdefault(image.case, []).append(image.path)
    files = {image.path: image for image in images}
    pace = Pace("features", sum(map(len, members.values())))
    found: dict[str, _Case] = {}
    for paths in members.values():
        rows = []
        for path in paths:
            rows.append(_seen(model, _inputs(model, _pixels(files[path]))))
            yield pace.advanced(1)
        with torch.no_grad():
            scores, joined = scores_of_case(model.head, torch.cat(rows))
            alone = model.head.scores(torch.cat(rows)).probabilities.tolist()
        case = scores.probabilities[0].float().cpu()
        found |= {
            path: _Case(case, joined, seen, tuple(own)) for path, seen, own in zip(paths, rows, alone, strict=True)
        }
    return found


def _inputs(model: SavedModel, pixels: npt.NDArray[Any]) -> torch.Tensor:
    return model.preprocess.input(pixels)[None].to(model.device)


def _seen(model: SavedModel, inputs: torch.Tensor) -> torch.Tensor:
    """What the head reads of one image."""
    with torch.no_grad():
        return read(model.backbone, model.head.facts.reads, inputs)


def _case_of(model: SavedModel, inputs: torch.Tensor) -> _Case:
    """An image that is a case by itself."""
    taken = _seen(model, inputs)
    with torch.no_grad():
        return _Case(model.head.scores(taken).probabilities[0].float().cpu(), taken[0], taken)


def _predicted(
    model: SavedModel, image: StudyImage, spec: StudySpec, number: int, joined: _Case | None
) -> Generator[ev.Event, None, ev.StudyPredicted]:
    """Score one image, or take the score of its case, and explain it; yields progress where that takes long."""
    begun = time.perf_counter()
    pixels = _pixels(image)
    head = model.head
    inputs = _inputs(model, pixels)
    scores, features, seen, alone = joined or _case_of(model, inputs)
    target = _target(model.spec, spec.target, scores.tolist())
    said = ev.StudyPredicted(time.time(), model.spec.run, image.source, tuple(scores.tolist()), target, alone=alone)
    if model.similar is not None:
        score, nearest = model.similar.of_image(seen)
        said = replace(said, outlier_score=score, similar=nearest)
    if spec.explain and isinstance(head, NearestNeighbours | MultiLabelNeighbours):
        said = replace(said, map_note=NO_GRADIENT, neighbours=neighbours_of(head, features))
    elif spec.explain:
        found = yield from _heat_map(model, inputs, target, spec.explain)
        path = _write_map(Path(spec.out) / f"map-{number:05d}.npy", found.map, pixels.shape[:2], model.preprocess)
        said = replace(said, map=str(path), map_note=found.note)
    return replace(said, seconds=time.perf_counter() - begun)


def _heat_map(model: SavedModel, inputs: torch.Tensor, target: int, explain: str) -> Generator[ev.Event, None, HeatMap]:
    """One image's map."""
    work = explained(explain, model.backbone, model.head, inputs, [target])
    while True:
        try:
            done, total = next(work)
        except StopIteration as ended:
            found: HeatMap = ended.value[0]
            return found
        yield ev.Progressed(time.time(), explain, done, total)


def _pixels(image: StudyImage) -> npt.NDArray[Any]:
    try:
        return np.asarray(np.load(image.path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            "An image that was decoded for prediction cannot be read any more.", "Predict the study again."
        ) from error


def _target(spec: TrainSpec, asked: int | None, scores: Sequence[float]) -> int:
    """The explained class: the one asked for, the positive one of a binary task, else the highest score."""
    if asked is not None:
        if not 0 <= asked < len(spec.classes):
            raise UsageError(f"There is no class number {asked}.", f"Use 0 to {len(spec.classes) - 1}.")
        return asked
    if spec.task is Task.BINARY and spec.positive in spec.classes:
        return spec.classes.index(spec.positive)
    return int(np.argmax(scores))


def _write_map(path: Path, heat: npt.NDArray[np.float32], shape: tuple[int, ...], preprocess: Preprocess) -> Path:
    """Stretch a map over the image's own rows and columns, as the image was squeezed into the model's square."""
    stretched = functional.interpolate(
        preprocess.whole(torch.from_numpy(heat))[None, None],
        size=(shape[0], shape[1]),
        mode="bilinear",
        align_corners=False,
    )
    held = io.BytesIO()
    np.save(held, stretched[0, 0].clamp(0.0, 1.0).numpy().astype(np.float32), allow_pickle=False)
    atomic_write(path, held.getvalue())
    return path.absolute()


def _file_name(subset: str) -> str:
    """A subset as a file name: letters, digits, dash and underscore."""
    kept = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in subset)
    return kept or "all"


def _similar(folder: Path) -> SimilarCases | None:
    """The training images to compare with; a damaged file costs the comparison, not the prediction."""
    try:
        return read_similar(folder)
    except InputError:
        return None


def _stamp(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (facts.st_mtime_ns, facts.st_size)

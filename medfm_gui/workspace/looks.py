"""What a model will see of a dataset, before anything is trained: a few training images through a recipe."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import adaptation
from medfm_gui.domain.errors import InputError, MedfmError, UsageError
from medfm_gui.domain.presets import FEW_SHOT, preset_settings
from medfm_gui.domain.recipe import Recipe, hu_bounds, recipe_from
from medfm_gui.domain.run import LooksSpec
from medfm_gui.domain.split import Partition
from medfm_gui.workspace import data
from medfm_gui.workspace.errands import ask_warm, check
from medfm_gui.workspace.models import model
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.training import TrainRequest

if TYPE_CHECKING:
    from medfm_gui.domain.dataset import Dataset, Sample
    from medfm_gui.imaging.pool import DecodePool
    from medfm_gui.jobs.warm import WarmWorker

_IMAGES = 3
_VIEWS = 4
_SIDE = 160
_NO_VIEWS = "This way of training looks at each image as it is, without random views."
_NO_AUGMENT = "Augmentation is off: each image is seen as it is."


@dataclass(frozen=True, slots=True)
class LooksFound:
    """Pictures of ``side`` × ``side`` × 3 bytes one after the other, a row of them a sample; see ``columns``."""

    samples: tuple[str, ...]
    columns: tuple[str, ...]
    side: int
    size: int
    note: str
    pixels: bytes


def looks_of(
    workspace: Workspace,
    request: TrainRequest,
    *,
    warm: WarmWorker,
    pool: DecodePool,
    seed: int = 0,
    stop: threading.Event | None = None,
) -> LooksFound:
    """Three training images as the first model and the first way of a request see them, and random views of them.

    Args:
        warm: prepares them.
        pool: decodes a CT between other values than its header's window.
        seed: another one draws other views.

    Raises:
        UsageError: the request names no model or no way, or its settings do not fit.
        NotFound, InputError: the dataset or its pixels are gone.
        Interrupted: it was stopped.
    """
    import numpy as np

    if not request.models or not request.adapts:
        raise UsageError("No model or no way of training is chosen.", "Choose both first.")
    dataset = data.read(workspace, request.dataset)
    card, adapt = model(workspace.settings, request.models[0]).card, request.adapts[0]
    few = () if None in request.shots else (FEW_SHOT,)
    preset = preset_settings(request.preset, adapt, dataset.layout, dataset.task, card.plugin, *few)
    recipe = recipe_from(adapt, {**preset, **request.settings})
    views, note = _views(adapt, recipe)
    check(stop)
    with tempfile.TemporaryDirectory(prefix="medfm-looks-") as made:
        folder = Path(made)
        chosen = _chosen(workspace, dataset, request.split)
        images = _decoded(workspace, dataset, chosen, recipe, folder, pool)
        spec = LooksSpec(card, recipe, tuple(map(str, images)), str(folder), views, _SIDE, seed)
        atomic_write(folder / "spec.json", wire.encode_spec(spec))
        said = ask_warm(warm, folder, stop=stop)
        pixels = np.load(folder / "looks.npy", allow_pickle=False)
    size = next((int(event.facts["size"]) for event in said if isinstance(event, ev.Answered)), 0)
    columns = ("As it is seen", *(f"View {number + 1}" for number in range(views)))
    return LooksFound(tuple(one.id for one in chosen), columns, _SIDE, size, note, pixels.tobytes())


def _views(adapt: str, recipe: Recipe) -> tuple[int, str]:
    card = adaptation(adapt)
    if card is None or not card.by_gradient:
        return 0, _NO_VIEWS
    return (_VIEWS, "") if recipe.augment else (0, _NO_AUGMENT)


def _chosen(workspace: Workspace, dataset: Dataset, split: str | None) -> Sequence[Sample]:
    """Three images of training, evenly spaced; of the whole dataset where it is not divided yet."""
    name = split or data.newest_split(workspace, dataset.id)
    samples: Sequence[Sample] = dataset.samples
    if name is not None:
        train = set(data.splits_of(workspace, name)[0].samples_in(Partition.TRAIN))
        samples = [sample for sample in samples if sample.id in train] or samples
    step = (len(samples) - 1) / max(1, _IMAGES - 1)
    places = dict.fromkeys(round(number * step) for number in range(_IMAGES))
    return [samples[place] for place in places]


def _decoded(
    workspace: Workspace, dataset: Dataset, chosen: Sequence[Sample], recipe: Recipe, folder: Path, pool: DecodePool
) -> list[Path]:
    """Arrays of the images: from the pixel cache, or, where the recipe bounds the values of a CT, from their files."""
    import numpy as np

    from medfm_gui.datasets.pixel_making import fitting
    from medfm_gui.datasets.pixel_sources import Sources, read_sources
    from medfm_gui.datasets.pixels import Look, PixelCache
    from medfm_gui.imaging.pool import PictureJob

    outs = [folder / f"{number}.npy" for number in range(len(chosen))]
    place = workspace.dataset(dataset.id) / "pixels"
    clamp = fitting(dataset, Look(0, hu_bounds(recipe.hu_window))).clamp
    if clamp is None:
        cache = PixelCache(place)
        for sample, out in zip(chosen, outs, strict=True):
            np.save(out, np.asarray(cache.image(sample.id)), allow_pickle=False)
        return outs
    sources = read_sources(place) or Sources()
    files = [str(sources.file(dataset, sample)) for sample in chosen]
    jobs = [
        (PictureJob(sample.id, file, dataset.source, sample.frame, clamp), out)
        for sample, file, out in zip(chosen, files, outs, strict=True)
    ]
    for result in pool.to_npys(jobs):
        if not result.ok:
            raise _undecodable(result.message)
    return outs


def _undecodable(why: str) -> MedfmError:
    return InputError(
        f"An image cannot be decoded again from its file: {why}",
        "Put the files back where they were imported from, or leave “HU window” empty.",
    )

"""The images of a dataset made ready for a job, told as events: decoded once where they are missing or too small."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

from medfm_gui.base.settings import load_settings
from medfm_gui.datasets.pixel_check import Step, check_files
from medfm_gui.datasets.pixel_making import ready, usable
from medfm_gui.datasets.pixel_store import PixelStore
from medfm_gui.datasets.pixels import Look, PixelCache, store_of
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.recipe import hu_bounds
from medfm_gui.domain.run import TrainSpec
from medfm_gui.engine.progress import Pace

_STAGE = "pixels"
_GIGA = 1e9
_TOLD_EACH_S = 0.1
T = TypeVar("T")


def look_of(spec: TrainSpec) -> Look:
    """How a run's files become cached images."""
    return Look(spec.pixels_side, hu_bounds(spec.recipe.hu_window))


def pixels_ready(
    dataset: Dataset, folder: str, look: Look, *, check: bool = True, at_once: bool = False
) -> Generator[ev.Event, None, PixelCache]:
    """The pixel cache of a dataset, held against removal as long as it lives.

    Args:
        folder: the dataset's folder of pixels.
        look: how its files become images.
        check: look whether files were changed since the import.
        at_once: take what the import made where that is there, however small: nothing is learnt from it.

    Yields:
        StageStarted and Progressed while something is decoded or looked at closer; Warned of what is worth keeping.

    Raises:
        InputError: a file has other pixels than at the import, or cannot be decoded any more.
        NotFound: the pixels are gone and there is nothing to make them from.
        DiskFull: they do not fit.
    """
    place = Path(folder)
    limit = load_settings().pixels_gb
    store = PixelStore(store_of(place), round(limit * _GIGA) if limit > 0 else None)
    if at_once and (found := usable(dataset, place, Look(), store)) is not None:
        return found
    if check:
        yield from _told(check_files(dataset, place))
    cache: PixelCache = yield from _told(ready(dataset, place, look, store))
    return cache


def _told(steps: Generator[Step, None, T]) -> Generator[ev.Event, None, T]:
    """Steps as events, a few a second."""
    pace: Pace | None = None
    done, last = 0, 0.0
    try:
        while True:
            step = next(steps)
            now = time.monotonic()
            if step.note:
                yield ev.Warned(time.time(), step.note)
            elif step.waiting:
                yield ev.Beat(time.time())
            elif pace is None:
                yield ev.StageStarted(time.time(), _STAGE, step.total)
                pace, done, last = Pace(_STAGE, step.total, step.done), step.done, now
            elif now - last >= _TOLD_EACH_S or step.done >= step.total:
                yield pace.advanced(step.done - done)
                done, last = step.done, now
    except StopIteration as end:
        found: T = end.value
        return found
    finally:
        steps.close()

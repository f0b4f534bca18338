"""What a viewer shows: the frames of a series as one file that grows, thumbnails, cached samples, heat maps.

``open_series`` decodes in the children of a pool into an ``.npy`` file that the window maps into its memory
while it is being filled, from the first frame on. Values stay as stored; ``OpenedSeries`` says how to show them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.domain.errors import InputError, NotFound
from medfm_gui.domain.study import Series
from medfm_gui.workspace.opening import (
    OnFrame,
    OnOpen,
    OpenedSeries,
    ShouldStop,
    SourceFrame,
    Subject,
    Watch,
    open_subject,
)
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.studies import read_study

if TYPE_CHECKING:
    from medfm_gui.datasets.pixels import PixelCache
    from medfm_gui.imaging.pool import DecodePool

__all__ = [
    "HeatMapFile",
    "OpenedSeries",
    "SmallPicture",
    "SourceFrame",
    "heat_map",
    "open_file",
    "open_series",
    "sample_picture",
    "sample_thumbnails",
    "series_thumbnails",
    "thumbnail",
]


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """8 bits, rows × columns × channels (1 or 3), row by row in ``payload``; nothing of it where ``message`` says why.

    ``key`` is what it was asked by: a sample's id, a file's path.
    """

    key: str
    rows: int = 0
    columns: int = 0
    channels: int = 1
    payload: bytes = b""
    message: str = ""


@dataclass(frozen=True, slots=True)
class HeatMapFile:
    """A prediction's map: float32, rows × columns, in ``payload``; 0…1 of the image's own maximum.

    ``source`` is the file (or ``file#index``) that was explained: ``OpenedSeries.frame_of`` finds its frame.
    """

    rows: int
    columns: int
    source: str
    target: str
    method: str
    note: str
    payload: bytes


def open_series(
    workspace: Workspace,
    study_uid: str,
    series_uid: str,
    pool: DecodePool,
    folder: Path,
    *,
    number: int = 0,
    on_open: OnOpen | None = None,
    on_frame: OnFrame | None = None,
    should_stop: ShouldStop | None = None,
) -> OpenedSeries:
    """Decode a series into a file of ``folder``, and say what a viewer has to know of it.

    Args:
        number: which one of the series of that UID (one UID may join several geometries).
        on_open: told as soon as the file and its first frame are there; told again, with another file, of a
            series whose frames turn out to have scales of their own.
        on_frame: told how many frames are there, counted from the first.
        should_stop: asked after each frame.

    Raises:
        NotFound: there is no such study or series.
        UnreadableFile: not one of its frames can be decoded.
        Interrupted: ``should_stop`` said so; no file stays.
        DiskFull: the frames do not fit on the disk.
    """
    study = read_study(workspace, study_uid)
    found = [series for series in study.series if series.uid == series_uid]
    if number >= len(found):
        raise NotFound("There is no such series in the study.", "Import the study again.")
    sources = tuple(SourceFrame(item.path, frame) for item in found[number].instances for frame in range(item.frames))
    watch = Watch(on_open, on_frame, should_stop)
    return open_subject(Subject(sources, study, found[number]), pool, folder, watch)


def open_file(
    path: Path,
    pool: DecodePool,
    folder: Path,
    *,
    on_open: OnOpen | None = None,
    on_frame: OnFrame | None = None,
    should_stop: ShouldStop | None = None,
) -> OpenedSeries:
    """A single file as a series of its frames: a picture, the pages of a TIFF, a DICOM object; see ``open_series``.

    Raises:
        InputError: there is no such file.
    """
    path = path.expanduser().absolute()
    if not path.exists():
        raise InputError(f"“{path}” does not exist.", "Check the path.")
    watch = Watch(on_open, on_frame, should_stop)
    return open_subject(Subject((SourceFrame(str(path)),)), pool, folder, watch)


def thumbnail(source: Path | Series, pool: DecodePool, *, side: int = 96) -> SmallPicture:
    """One small picture of a file or a series, its longer side at most ``side`` pixels, windowed as in the viewer."""
    if isinstance(source, Series):
        return next(series_thumbnails([source], pool, side=side))
    from medfm_gui.imaging.volume import thumbnails

    (made,) = thumbnails(pool, [(str(source), str(source), None)], side)
    return SmallPicture(made.key, made.rows, made.columns, made.channels, made.payload, made.message)


def series_thumbnails(series: Sequence[Series], pool: DecodePool, *, side: int = 96) -> Iterator[SmallPicture]:
    """The middle slice of each series, as they come; ``key`` is the place in the list. A bad file gives a message."""
    from medfm_gui.imaging.volume import thumbnails

    jobs = []
    for place, one in enumerate(series):
        middle = one.instances[len(one.instances) // 2]
        jobs.append((str(place), middle.path, middle.frames // 2 if middle.frames > 1 else None))
    for made in thumbnails(pool, jobs, side):
        yield SmallPicture(made.key, made.rows, made.columns, made.channels, made.payload, made.message)


def sample_thumbnails(
    workspace: Workspace, dataset_id: str, sample_ids: Sequence[str], *, side: int = 96
) -> Iterator[SmallPicture]:
    """Small pictures of samples, in the order asked, from the dataset's pixel cache: no foreign file is read.

    Raises:
        NotFound: there is no such dataset, or it has no cache.
    """
    from medfm_gui.imaging.overlay import quick_thumbnail

    cache = cache_of(workspace, dataset_id)
    for sample_id in sample_ids:
        try:
            pixels = cache.image(sample_id)
        except (InputError, NotFound) as error:
            yield SmallPicture(sample_id, message=error.message)
            continue
        small = quick_thumbnail(pixels, side)
        channels = small.shape[2] if small.ndim == 3 else 1
        yield SmallPicture(sample_id, small.shape[0], small.shape[1], channels, small.tobytes())


def sample_picture(workspace: Workspace, dataset_id: str, sample_id: str) -> SmallPicture:
    """The cached image of a sample in full, at 8 bits.

    Raises:
        NotFound: there is no such dataset or sample.
        InputError: the cache is damaged.
    """
    from medfm_gui.imaging.overlay import to_eight_bit

    pixels = to_eight_bit(cache_of(workspace, dataset_id).image(sample_id))
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    return SmallPicture(sample_id, pixels.shape[0], pixels.shape[1], channels, pixels.tobytes())


def heat_map(workspace: Workspace, prediction_id: str, number: int = 0) -> HeatMapFile | None:
    """The map of one of a file's predictions; None where there is none (no gradient, or not asked for).

    Raises:
        NotFound: there is no such prediction.
        InputError: its map is gone or damaged.
    """
    import numpy as np

    from medfm_gui.workspace.prediction import read_prediction

    file = read_prediction(workspace, prediction_id)
    if not 0 <= number < len(file.predictions):
        raise NotFound(f"There is no prediction number {number} in {prediction_id}.", "Predict the study again.")
    explanation = file.predictions[number].explanation
    if explanation is None or not explanation.map:
        return None
    path = workspace.root / "predictions" / file.id / "maps" / Path(explanation.map).name
    try:
        values = np.load(path, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError, EOFError):
        values = np.empty((0, 0), np.float32)
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise InputError("The heat map of this prediction is gone or damaged.", "Predict the study again.")
    return HeatMapFile(
        rows=values.shape[0],
        columns=values.shape[1],
        source=explanation.place,
        target=explanation.target,
        method=explanation.method,
        note=explanation.note,
        payload=np.ascontiguousarray(values).tobytes(),
    )


def cache_of(workspace: Workspace, dataset_id: str) -> PixelCache:
    """The pixel cache of a dataset, its index read once.

    Raises:
        NotFound: there is no such dataset, or it has no cache.
    """
    folder = workspace.dataset(dataset_id) / "pixels"
    index = folder / "index.json"
    return _opened_cache(folder, index.stat().st_mtime_ns if index.exists() else 0)


@functools.lru_cache(maxsize=2)
def _opened_cache(folder: Path, stamp: int) -> PixelCache:
    """A cache's index is read once: of 250,000 samples it takes a second."""
    from medfm_gui.datasets.pixels import PixelCache

    return PixelCache(folder)

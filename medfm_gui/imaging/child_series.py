"""What a decoding child does for a viewer: begin the array of a series, add a frame, measure one, make a thumbnail.

The other side of ``volume``. Frames are written at their place into a file that others have mapped; nothing
is forced to the disk, for it can be made again.
"""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.grid import Grid, common_grid
from medfm_gui.imaging.overlay import thumbnail
from medfm_gui.imaging.plain_frame import plain_frame
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.stored import FrameFile, open_file


def answer_series(order: dict[str, Any], files: dict[str, FrameFile]) -> dict[str, Any]:
    """Carry out one order.

    Args:
        files: what the child holds open; at most one file, replaced here.

    Raises:
        UnreadableFile: the file cannot become what is asked.
        OSError: the array cannot be written.
    """
    if order["work"] == "warm":
        return _warmed()
    if order["work"] == "thumbnail":
        return _thumbnail(order, files)
    if order["work"] == "frame" and order["frame"] == 0 and order["path"] not in files:
        plain = plain_frame(order["path"], Grid(**order["grid"]))
        if plain is not None:
            _put(order["out"], order["at"], plain)
            return {"notes": []}
    opened = _opened(order["path"], files)
    if order["work"] == "begin":
        return _begin(order, opened)
    if order["work"] == "count":
        return {"frames": opened.frames}
    stored = opened.stored(order["frame"])
    if order["work"] == "extent":
        return {"extent": dataclasses.asdict(stored.extent) if stored.pixels.ndim == 2 else None}
    pixels = stored.on(Grid(**order["grid"]))
    if pixels is None:
        return {"off_scale": True}
    _put(order["out"], order["at"], pixels)
    return {"notes": list(stored.notes)}


def _warmed() -> dict[str, Any]:
    """Load what the first slice would have to wait for: pydicom with its decoders, and Pillow, take 0.3 s."""
    import openjpeg.utils  # noqa: F401 - as said

    from medfm_gui.imaging import dicom_frames, raster  # noqa: F401 - as said

    return {}


def _opened(path: str, files: dict[str, FrameFile]) -> FrameFile:
    if path not in files:
        files.clear()
        opened = open_file(Path(path))
        if opened.frames == 1:
            return opened
        files[path] = opened
    return files[path]


def _begin(order: dict[str, Any], opened: FrameFile) -> dict[str, Any]:
    count = order["count"] or opened.frames
    place = (order["frame"], order["index"]) if order["count"] else (opened.frames // 2, opened.frames // 2)
    stored = opened.stored(place[0])
    grid = Grid(**order["grid"]) if order["grid"] else stored.own_grid()
    if grid is None and count > 1:
        return {"needs_extents": True}
    grid = grid or common_grid([stored.extent], *stored.pixels.shape)
    pixels = stored.on(grid)
    if pixels is None:
        raise refusal(Reason.BAD_HEADER, "The values do not fit on the scale of the series.")
    facts = opened.facts(place[0], stored)
    frames = _by_position(facts, count)
    index = frames.index(place[0]) if frames else place[1]
    start = _make(Path(order["out"]), grid, count)
    _put(order["out"], start + index * grid.frame_bytes, pixels)
    return {
        "grid": grid.plain(), "facts": facts, "count": count, "index": index, "data_at": start, "frames": frames,
    }  # fmt: skip


def _by_position(facts: dict[str, Any], count: int) -> list[int]:
    """The frames of a file in order of their positions, which become so, too; nothing where they lie in order.

    Only of a file that is the whole series: its frames may stand in any order, as the slices of a folder may.
    """
    positions = facts.get("positions_mm") or ()
    if len(positions) != count or list(positions) == sorted(positions):
        return []
    frames = sorted(range(count), key=lambda frame: (positions[frame], frame))
    facts["positions_mm"] = [positions[frame] for frame in frames]
    return frames


def _make(path: Path, grid: Grid, count: int) -> int:
    """An ``.npy`` file in its full length, of zeros that take no room yet; returns where its data begin."""
    shape = (count, grid.rows, grid.columns) + ((3,) if grid.channels == 3 else ())
    head = {"descr": np.lib.format.dtype_to_descr(np.dtype(grid.dtype)), "fortran_order": False, "shape": shape}
    with path.open("xb") as handle:
        np.lib.format.write_array_header_1_0(handle, head)
        start = handle.tell()
        handle.truncate(start + count * grid.frame_bytes)
    return start


def _put(path: str, place: int, pixels: npt.NDArray[Any]) -> None:
    """Write a frame at its place; the file is there and has its length."""
    with open(path, "r+b", buffering=0) as handle:  # noqa: PTH123 - Path.open has no gain in a hot loop
        handle.seek(place)
        view = memoryview(np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data)
        while view:
            view = view[handle.write(view) or 0 :]


def _thumbnail(order: dict[str, Any], files: dict[str, FrameFile]) -> dict[str, Any]:
    path = Path(order["path"])
    try:
        picture = read_picture(path, frame=order["frame"])
    except UnreadableFile as error:
        if error.reason != Reason.MULTI_FRAME:
            raise
        picture = read_picture(path, frame=_opened(order["path"], files).frames // 2)
    small = thumbnail(picture.pixels, order["side"])
    channels = small.shape[2] if small.ndim == 3 else 1
    data = base64.b64encode(np.ascontiguousarray(small).tobytes()).decode("ascii")
    return {"shape": [small.shape[0], small.shape[1], channels], "data": data}

"""A decoding child: ``python -P -m medfm_gui.imaging.child``; orders come as JSON lines, answers go back the same way.

The first order of all settles the limits. Then one order a line: ``picture`` (decode, shrink, append to
the shard), ``header`` (DICOM header without pixels), ``npy`` (decode at full size into a file), ``begin``,
``frame`` and ``extent`` (frames of a series, see ``volume``), ``thumbnail``.
Whatever a decoder prints goes nowhere: answers use a private copy of standard output. The child ends
when its input ends, and whatever kills it takes one file with it.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from medfm_gui.base.atomic import atomic_file
from medfm_gui.base.children import die_with_parent
from medfm_gui.domain.errors import DiskFull, UnreadableFile
from medfm_gui.imaging.picture import Pixels
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.shrink import shrink

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclasses.dataclass(slots=True)
class Desk:
    """What a child keeps between orders: the shard it appends to (opened at the first picture), and the size."""

    shard: str | None
    short_side: int | None
    handle: BinaryIO | None = None
    offset: int = 0
    files: dict[str, Any] = dataclasses.field(default_factory=dict)
    """At most one file with many frames, parsed: its next frame is mostly the next order."""

    def append(self, pixels: Pixels) -> dict[str, Any]:
        """Add pixels to the shard, unbuffered; returns where they are."""
        if self.handle is None:
            self.handle = Path(str(self.shard)).open("xb", buffering=0)  # noqa: SIM115 - open as long as the child lives
        view = memoryview(np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data)
        start = self.offset
        while view:
            written = self.handle.write(view) or 0
            self.offset += written
            view = view[written:]
        return {"offset": start, "shape": list(pixels.shape), "dtype": pixels.dtype.name}


def main() -> None:
    """Answer orders until the pipe from the parent closes."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    answers = _private_output()
    orders = sys.stdin.buffer
    first = json.loads(orders.readline() or b"{}")
    _limit_memory(first.get("memory_bytes"))
    desk = Desk(first.get("shard"), first.get("short_side"))
    _say(answers, {"ready": True})
    for line in orders:
        order = json.loads(line)
        _say(answers, {"id": order["id"], **answer(order, desk)})
    if desk.handle:
        desk.handle.close()


def answer(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """Carry out one order. A refused file is an answer with a reason; a full disk one with ``fatal``."""
    try:
        return {"ok": True, **_WORK[order["work"]](order, desk)}
    except UnreadableFile as error:
        return {"ok": False, "reason": error.reason, "message": error.message}
    except (DiskFull, OSError) as error:
        if isinstance(error, DiskFull) or error.errno in _FULL:
            return {"ok": False, "fatal": "disk_full", "message": "The disk is full."}
        return _refused(refusal(Reason.UNREADABLE, f"The file cannot be read ({error.strerror})."))
    except MemoryError:
        return _refused(refusal(Reason.TOO_LARGE, "The image needs more memory than one file may take."))
    except BaseException as error:  # noqa: BLE001 - the border of the process: a Rust decoder panics past Exception
        return _refused(refusal(Reason.UNDECODABLE, f"The decoder failed ({type(error).__name__})."))


def _refused(error: UnreadableFile) -> dict[str, Any]:
    return {"ok": False, "reason": error.reason, "message": error.message}


def _picture(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    picture = read_picture(Path(order["path"]), frame=order.get("frame"), root=_root(order))
    found: dict[str, Any] = {
        "rows": picture.rows,
        "columns": picture.columns,
        "stored_sha256": picture.stored_sha256,
        "header": dict(picture.header),
        "notes": list(picture.notes),
    }
    if order["work"] == "npy":
        with atomic_file(Path(order["out"]), expected_bytes=picture.pixels.nbytes) as handle:
            np.save(handle, picture.pixels, allow_pickle=False)
    elif desk.shard:
        found["cached"] = desk.append(shrink(picture.pixels, desk.short_side))
    return found


def _header(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.dicom import read_header  # pydicom is loaded by the first file that needs it
    from medfm_gui.imaging.header import header_to_plain

    return {"header": header_to_plain(read_header(Path(order["path"]), root=_root(order)))}


def _of_series(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.child_series import answer_series  # a folder of headers needs none of it

    return answer_series(order, desk.files)


def _root(order: dict[str, Any]) -> Path | None:
    return Path(order["root"]) if order.get("root") else None


_WORK = {
    "picture": _picture,
    "npy": _picture,
    "header": _header,
    "begin": _of_series,
    "frame": _of_series,
    "extent": _of_series,
    "count": _of_series,
    "warm": _of_series,
    "thumbnail": _of_series,
}


def _private_output() -> BinaryIO:
    """The pipe to the parent under another number; 1 and 2 lead nowhere from now on."""
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return os.fdopen(kept, "wb", buffering=0)


def _limit_memory(limit: int | None) -> None:
    if os.name != "posix" or not limit:
        return
    import resource  # not on Windows

    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold a patient's image


def _say(answers: BinaryIO, words: dict[str, Any]) -> None:
    view = memoryview(json.dumps(words).encode("ascii") + b"\n")
    while view:
        view = view[answers.write(view) or 0 :]


if __name__ == "__main__":
    main()

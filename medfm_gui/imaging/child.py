"""A decoding child: ``python -P -m medfm_gui.imaging.child``; orders come as JSON lines, answers go back the same way.

The first order of all settles the limits. Then one order a line: ``picture`` (decode, shrink, append to
the shard), ``header`` (DICOM header without pixels; ``headers``: of many files; ``elements``: all of one;
``telling``: which parts of its path name the patient),
``source``, ``file_set``, ``contents`` and ``unpack`` (a DICOMDIR, an archive), and those of other readers (see
``_WORK``): ``npy`` decodes at full size into a file, ``begin``, ``frame`` and ``extent`` fill the file of a series
(see ``volume``), ``record`` tells what a MATLAB file says beside its pixels.
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
from medfm_gui.base.children import die_with_parent, lower_priority
from medfm_gui.domain.errors import DiskFull, UnreadableFile
from medfm_gui.imaging.picture import Picture, Pixels
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.small import Digests, Small, Wish, read_small

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclasses.dataclass(slots=True)
class Desk:
    """What a child keeps between orders: the shard it appends to (opened at the first picture), and the size."""

    shard: str | None
    short_side: int | None
    handle: BinaryIO | None = None
    offset: int = 0
    archives: dict[str, Any] = dataclasses.field(default_factory=dict)
    """At most one archive that is being unpacked."""
    files: dict[str, Any] = dataclasses.field(default_factory=dict)
    """At most one file with many frames, parsed: its next frame is mostly the next order."""
    digests: Digests = dataclasses.field(default_factory=Digests)

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
    if first.get("is_patient"):
        lower_priority()
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


def _small(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """A picture for the pixel cache: shrunk and appended to the shard."""
    if not desk.shard:
        return _picture(order, desk)
    small = _made_small(order, desk, desk.short_side)
    return {
        "rows": small.rows,
        "columns": small.columns,
        "stored_sha256": small.picture.stored_sha256,
        "header": dict(small.picture.header),
        "notes": list(small.picture.notes),
        "file": [small.file.size, small.file.mtime_ns, small.file.sha256],
        "cached": desk.append(small.picture.pixels),
    }


def _made_small(order: dict[str, Any], desk: Desk, short_side: int | None) -> Small:
    path, frame, root, clamp = Path(order["path"]), order.get("frame"), _root(order), order.get("clamp")
    wish = Wish(short_side, (clamp[0], clamp[1]) if clamp else None, order.get("sha256") or "")
    digests = desk.digests
    return read_small(
        path,
        wish,
        lambda: _read(order, desk),
        frame=frame,
        root=root,
        digests=digests,
        values=lambda: next(iter(desk.files.values())).stored(frame or 0).values,
    )


def _read(order: dict[str, Any], desk: Desk) -> Picture:
    return read_picture(Path(order["path"]), frame=order.get("frame"), root=_root(order), held=desk.files)


def _picture(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    picture = _made_small(order, desk, None).picture if order.get("clamp") else _read(order, desk)
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
    return found


def _header(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.dicom import read_header  # pydicom is loaded by the first file that needs it
    from medfm_gui.imaging.header import header_values

    return {"values": header_values(read_header(Path(order["path"]), root=_root(order)))}


def _headers(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.child_headers import answer_headers  # a folder of pictures needs none of it

    return answer_headers(order, lambda path: answer({"work": "header", "path": path, "root": order.get("root")}, desk))


def _record(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.matlab import read_record  # for the one release that has such files
    from medfm_gui.imaging.record import record_to_plain

    return {"record": record_to_plain(read_record(Path(order["path"]), root=_root(order)))}


def _elements(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.dump import elements_of  # pydicom, as above

    return {"elements": elements_of(Path(order["path"]), identity=order["identity"])}


def _telling(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.telling import telling_parts  # pydicom, as above

    return {"parts": telling_parts(Path(order["path"]), order["parts"])}


def _of_source(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.child_sources import answer_source  # only for a DICOMDIR or an archive

    return answer_source(order, desk.archives)


def _of_series(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.child_series import answer_series  # a folder of headers needs none of it

    return answer_series(order, desk.files)


def _volume(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.examine import examine  # a folder of pictures needs none of it
    from medfm_gui.imaging.shrink import shrink

    desk.files.clear()  # a volume takes the memory that a held file may have
    facts, preview = examine(Path(order["path"]), order["masks"], _root(order), apart=order["apart"])
    if desk.shard:
        facts["cached"] = desk.append(shrink(preview, desk.short_side))
    return facts


def _deidentify(order: dict[str, Any], desk: Desk) -> dict[str, Any]:
    from medfm_gui.imaging.deidentify.file import answer_look, answer_write  # for those who ask for it

    desk.files.clear()  # a file is held whole while it is written
    return answer_write(order) if order["work"] == "deidentify" else answer_look(order)


def _root(order: dict[str, Any]) -> Path | None:
    return Path(order["root"]) if order.get("root") else None


_WORK = {
    "picture": _small,
    "npy": _picture,
    "header": _header,
    "headers": _headers,
    "elements": _elements,
    "telling": _telling,
    "source": _of_source,
    "file_set": _of_source,
    "contents": _of_source,
    "unpack": _of_source,
    "record": _record,
    "begin": _of_series,
    "frame": _of_series,
    "extent": _of_series,
    "count": _of_series,
    "warm": _of_series,
    "thumbnail": _of_series,
    "deidentify look": _deidentify,
    "deidentify": _deidentify,
    "volume": _volume,
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

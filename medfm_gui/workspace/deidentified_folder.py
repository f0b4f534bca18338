"""The folder that de-identified copies go to: new or empty, away from the originals, there whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from medfm_gui import __version__
from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain.deidentification import Deidentified, Flag
from medfm_gui.domain.errors import DiskFull, InputError, WorkspaceBusy
from medfm_gui.workspace.place import now

if TYPE_CHECKING:
    from medfm_gui.workspace.deidentifying import Wish

_MORE_THAN_FILES = 1.05
_MOST_LOOKS, _LOOK_S = 20, 0.05


def check_target(out: Path, originals: Sequence[str]) -> Path:
    """The absolute path of a folder that may be made.

    Raises:
        InputError: it is there and not empty, or it lies in a folder of originals.
    """
    target = out.expanduser().absolute()
    if os.path.lexists(target) and (not target.is_dir() or target.is_symlink() or any(target.iterdir())):
        raise InputError(f"“{target}” is there already and is not an empty folder.", "Choose a new or an empty folder.")
    real = Path(os.path.realpath(target))
    folders = {os.path.realpath(Path(path).parent) for path in originals}
    if any(str(parent) in folders for parent in (real, *real.parents)):
        raise InputError(
            "The folder for the copies lies among the originals.", "Choose a folder outside of the originals' folder."
        )
    return target


def check_room(out: Path, needed: int) -> None:
    """See that copies of so many bytes have room.

    Raises:
        DiskFull: they have not.
    """
    parent = next(folder for folder in (out, *out.parents) if folder.exists())
    if shutil.disk_usage(parent).free < needed * _MORE_THAN_FILES:
        raise DiskFull(
            f"There is no room for the copies: {needed / 1e6:,.0f} MB are needed.",
            "Free some space, or choose another disk; nothing was written.",
        )


@contextlib.contextmanager
def new_folder_of(out: Path) -> Iterator[Path]:
    """A folder to write into, which becomes ``out`` when the block ends; if it fails, nothing is left.

    What an interrupted program left of an earlier try is removed first.

    Raises:
        WorkspaceBusy: another program writes there.
        InputError: the folder cannot be made.
    """
    part, name = out.parent / f".{out.name}.medfm-part", out.parent / f".{out.name}.medfm-lock"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(name)
        lock.acquire(timeout=0)
        with contextlib.ExitStack() as held:  # undone from the last to the first
            held.callback(_remove, name)
            held.callback(lock.release)
            held.callback(_clear, part)
            _clear(part)
            part.mkdir(mode=0o700)
            yield part
            _publish(part, out)
    except Timeout as error:
        raise WorkspaceBusy("Another program writes de-identified copies there.", "Choose another folder.") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"The disk that holds “{out.parent}” is full.", "Free some space and do it again; nothing was written."
            ) from error
        raise InputError(
            f"“{out.parent}” cannot be written ({error.strerror}).", "Choose a folder that you may write to."
        ) from error


def _clear(part: Path) -> None:
    """Remove a folder with all in it; a child that still writes may need more than one look."""
    for _ in range(_MOST_LOOKS):
        shutil.rmtree(part, ignore_errors=True)
        if not os.path.lexists(part):
            return
        time.sleep(_LOOK_S)


def _remove(name: Path) -> None:
    with contextlib.suppress(OSError):
        name.unlink()


def _publish(part: Path, out: Path) -> None:
    """All files are durable before the folder has its name."""
    if hasattr(os, "sync"):
        os.sync()
    try:
        if out.is_dir():
            out.rmdir()  # it is empty, or this fails
        part.rename(out)
    except OSError as error:
        raise InputError(
            f"“{out}” cannot be replaced by the finished folder ({error.strerror}).", "Choose a new folder inside it."
        ) from error


def write_reports(
    folder: Path, wish: Wish, done: Deidentified, looked_at: Mapping[Flag, int], face_folders: Sequence[str]
) -> None:
    """What was done, as JSON and as a table: attributes, actions and counts; never a value, a path or an old UID."""
    atomic_write(folder / "deidentification.json", json.dumps(_document(wish, done, looked_at, face_folders), indent=2))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["tag", "keyword", "within", "action", "count"])
    writer.writerows([one.tag, one.keyword, one.within, one.action, one.count] for one in done.removals)
    atomic_write(folder / "deidentification.csv", text.getvalue())


def _document(
    wish: Wish, done: Deidentified, looked_at: Mapping[Flag, int], face_folders: Sequence[str]
) -> dict[str, Any]:
    options = wish.options
    return {
        "made": now(),
        "made_by": f"MedFM Studio {__version__}",
        "method": "DICOM PS3.15 Annex E, Basic Application Level Confidentiality Profile, written from an allow-list",
        "codes": [{"scheme": "DCM", "value": value, "meaning": meaning} for value, meaning in options.codes()],
        "dates": options.dates.value,
        "longitudinal_temporal_information_modified": options.temporal,
        "patients": len(done.patients),
        "written": done.written,
        "held_back": dict(sorted(Counter(one.reason for one in done.held).items())),
        "burned_in": {
            "flagged_and_written": {flag.value: count for flag, count in sorted(looked_at.items())},
            "a_person_looked": bool(looked_at),
        },
        "faces": {
            "series": [
                {"folder": place, "modality": face.modality, "images": face.images, "reason": face.reason}
                for place, face in zip(face_folders, done.faces, strict=True)
            ],
            "a_person_knows": wish.faces_known,
            "remark": "No face was removed. Recognizable Visual Features is never said to be absent.",
        },
        "notes": list(done.notes),
        "attributes": [
            {"tag": one.tag, "keyword": one.keyword, "within": one.within, "action": one.action, "count": one.count}
            for one in done.removals
        ],
    }

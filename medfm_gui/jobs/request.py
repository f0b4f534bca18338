"""What a person asked of a run that is under way: the file ``request`` in its folder, read by worker and supervisor."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain.errors import DiskFull

_FILE = "request"


class Request(StrEnum):
    """The one thing that travels back to a worker."""

    NOTHING = ""
    PAUSE = "pause"
    CANCEL = "cancel"


def asked(folder: Path) -> Request:
    """What is asked of the run now; words we do not know ask nothing."""
    try:
        word = (folder / _FILE).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return Request.NOTHING
    return Request(word) if word in tuple(Request) else Request.NOTHING


def ask(folder: Path, request: Request) -> None:
    """Leave a request; a cancel is not softened by a later pause.

    Raises:
        DiskFull, InputError: the folder cannot be written.
    """
    if asked(folder) is Request.CANCEL:
        return
    try:
        atomic_write(folder / _FILE, request.value)
    except DiskFull as full:  # a run that fills the disk must be stoppable: six bytes may find room without a margin
        try:
            (folder / _FILE).write_text(request.value, encoding="utf-8")
        except OSError:
            raise full from None


def forget(folder: Path) -> None:
    """Remove the request: it was met, or it was meant for an earlier attempt."""
    (folder / _FILE).unlink(missing_ok=True)

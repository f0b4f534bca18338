"""What a decoding child does for the index: the headers of many files of one folder in one answer.

A file is opened once, by its name in the opened folder, and never through a link; its first bytes are read once.
An ordinary header is read out of them (``quick``); anything else goes the way of a single file.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import Any

from medfm_gui.imaging.gate import MAX_FILE_BYTES, OPEN_FLAGS
from medfm_gui.imaging.header import DicomHeader, header_values
from medfm_gui.imaging.quick import quick_header

_FIRST_BYTES = 16 << 10
_MORE_BYTES = 512 << 10
"""Some makers keep 100 kB of their own before the pixels."""
_CAN_OPEN_BESIDE = os.open in os.supports_dir_fd

Single = Callable[[str], dict[str, Any]]
"""Reads one file as the order ``header`` does; a refusal is an answer with a reason."""


def answer_headers(order: dict[str, Any], single: Single) -> dict[str, Any]:
    """The headers of files, in their order: the values of ``DicomHeader``, or ``[reason, message]``.

    Args:
        order: ``folder``, ``names`` of files in it, and ``root``, which links may not lead out of.
        single: for a file that is not ordinary.
    """
    folder: str = order["folder"]
    found: list[Any] = []
    with _opened(folder, order.get("root")) as place:
        for name in order["names"]:
            header = _quickly(name, place) if place is not None else None
            if header is not None:
                found.append(header_values(header))
                continue
            said = single(os.path.join(folder, name))  # noqa: PTH118 - a folder may be a drive's root
            if said.get("fatal"):
                return said
            found.append(said["values"] if said["ok"] else [said["reason"], said["message"]])
    return {"headers": found}


@contextlib.contextmanager
def _opened(folder: str, root: str | None) -> Iterator[int | str | None]:
    """The folder: open where the system can open files beside it, else its real path; None where it lies outside."""
    try:
        real = os.path.realpath(folder, strict=True)
        if root is not None:
            top = os.path.realpath(root)
            if os.path.commonpath((top, real)) != top:
                yield None
                return
        place: int | str = os.open(real, os.O_RDONLY) if _CAN_OPEN_BESIDE else real
    except (OSError, ValueError):
        yield None
        return
    try:
        yield place
    finally:
        if isinstance(place, int):
            os.close(place)


def _quickly(name: str, place: int | str) -> DicomHeader | None:
    """The header of a regular file; None where anything about it is unusual."""
    try:
        if isinstance(place, int):
            descriptor = os.open(name, OPEN_FLAGS, dir_fd=place)
        else:
            descriptor = os.open(os.path.join(place, name), OPEN_FLAGS)  # noqa: PTH118 - as above
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= MAX_FILE_BYTES:
            return None
        data = os.read(descriptor, _FIRST_BYTES)
        found = quick_header(data, status.st_size)
        if found is None and len(data) == _FIRST_BYTES and data[128:132] == b"DICM":
            found = quick_header(data + os.read(descriptor, _MORE_BYTES), status.st_size)
        return found
    except OSError:
        return None
    finally:
        os.close(descriptor)

"""The one way a file is written: temporary file beside it, fsync, replace, fsync of the folder.

A reader sees the old file or the new one, never a part; a full disk leaves the old one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from medfm_gui.domain.errors import DiskFull, InputError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_HEADROOM_BYTES = 1 << 20


def atomic_write(path: Path, data: bytes | str) -> str:
    """Write a whole file durably and return its SHA-256 as hex.

    Raises:
        DiskFull: there is not enough space; the file is as it was before.
        InputError: the folder cannot be written, or ``path`` is one.
    """
    raw = data.encode("utf-8") if isinstance(data, str) else data
    with atomic_file(path, expected_bytes=len(raw)) as handle:
        handle.write(raw)
    return hashlib.sha256(raw).hexdigest()


@contextlib.contextmanager
def atomic_file(path: Path, *, expected_bytes: int = 0, sync: bool = True) -> Iterator[BinaryIO]:
    """A binary handle whose contents become ``path`` when the block ends without an exception.

    Args:
        path: the final name; its folder is made if need be.
        expected_bytes: checked against the free space first.
        sync: False for files that can be made again at any time: not forced to the disk.

    Raises:
        DiskFull, InputError: as ``atomic_write``.
    """
    with atomic_path(path, expected_bytes=expected_bytes, sync=sync) as temporary, temporary.open("wb") as handle:
        yield handle


@contextlib.contextmanager
def atomic_path(path: Path, *, expected_bytes: int = 0, sync: bool = True) -> Iterator[Path]:
    """An empty file for libraries that write by name, whose contents become ``path`` as in ``atomic_file``.

    Raises:
        DiskFull, InputError: as ``atomic_write``.
    """
    temporary: Path | None = None
    if path.is_dir():
        raise InputError(f"“{path}” is a folder, so no file can be written there.", "Name a file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if expected_bytes and shutil.disk_usage(path.parent).free < expected_bytes + _HEADROOM_BYTES:
            raise _full(path, expected_bytes)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".tmp", dir=path.parent)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        if sync:
            _sync_file(temporary)
        temporary.replace(path)
        temporary = None
        if sync:
            _sync_folder(path.parent)
    except OSError as error:
        if error.errno in _FULL:
            raise _full(path, expected_bytes) from error
        if error.errno in {errno.EACCES, errno.EROFS, errno.EPERM}:
            raise InputError(
                f"“{path.parent}” cannot be written ({error.strerror}).",
                "Choose a folder that you may write to.",
            ) from error
        raise
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _full(path: Path, expected_bytes: int) -> DiskFull:
    wanted = f" {expected_bytes / 1e6:.0f} MB are needed." if expected_bytes > 1e6 else ""
    return DiskFull(
        f"The disk that holds “{path.parent}” is full, so “{path.name}” was not written.{wanted}",
        "Free some space and do it again; what was complete before is still there.",
    )


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)  # Windows syncs nothing that is open for reading alone
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows cannot open a folder for fsync
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's contents, as hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()

"""Arrays of an ``.npz`` read row by row: nothing is unpickled, and no member is trusted to be as small as it says."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from medfm_gui.datasets.text import examples, shown
from medfm_gui.domain.errors import InputError

_LARGEST_MEMBER = 64 << 30
_MOST_MEMBERS = 1000
_RATIO = 1100
"""DEFLATE cannot pack better than 1032:1; a member that says so lies about its size."""
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Member:
    """One array as its header declares it: name without ``.npy``, shape, dtype."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def row_bytes(self) -> int:
        """Bytes of one entry of the first axis."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize


def members(path: Path) -> dict[str, Member]:
    """The arrays of an archive, by name.

    Raises:
        InputError: it is no ``.npz``, is damaged, holds objects, or declares sizes that cannot be.
    """
    with _opened(path) as archive:
        items = archive.infolist()
        if len(items) > _MOST_MEMBERS or len({item.filename for item in items}) < len(items):
            raise _damaged(path, "it has too many members, or two of one name")
        found = {}
        for item in items:
            if item.filename.endswith(".npy"):
                if item.file_size > min(_LARGEST_MEMBER, _RATIO * (item.compress_size + 64)):
                    raise _damaged(path, f"{shown(item.filename)} declares {item.file_size} bytes, which cannot be")
                with archive.open(item) as handle:
                    member, _ = _header(path, item.filename, handle)
                if math.prod(member.shape) * member.dtype.itemsize > item.file_size:
                    raise _damaged(path, f"{shown(item.filename)} declares more than it holds")
                found[member.name] = member
        return found


def rows(path: Path, name: str) -> Iterator[Array]:
    """The entries of an array along its first axis, one at a time, in constant memory.

    Raises:
        InputError: the archive is damaged or ends early.
    """
    with _opened(path) as archive, archive.open(f"{name}.npy") as handle:
        member, fortran = _header(path, name, handle)
        if fortran and len(member.shape) > 1:
            raise _damaged(path, f"{shown(name)} is stored column by column")
        for _ in range(member.shape[0]):
            raw = handle.read(member.row_bytes)
            if len(raw) != member.row_bytes:
                raise _damaged(path, f"{shown(name)} ends early")
            yield np.frombuffer(raw, dtype=member.dtype).reshape(member.shape[1:])
        if handle.read(1):  # also makes zipfile compare the checksum of the whole member
            raise _damaged(path, f"{shown(name)} is longer than it says")


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(path, shown(str(error)) or "it ends early") from error
    except OSError as error:
        raise InputError(
            f"“{shown(path.name)}” cannot be read ({error.strerror or shown(str(error))}).", "Check the file."
        ) from error


def _header(path: Path, name: str, handle: IO[bytes]) -> tuple[Member, bool]:
    formats = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        version = np.lib.format.read_magic(handle)
        shape, fortran, dtype = formats[version](handle)
    except (ValueError, KeyError) as error:
        raise _damaged(path, f"{shown(name)} is no array") from error
    if dtype.hasobject or dtype.kind not in "uifb":
        raise _damaged(path, f"{shown(name)} holds {shown(str(dtype))} and not numbers")
    return Member(name.removesuffix(".npy"), shape, dtype), fortran


def _damaged(path: Path, why: str) -> InputError:
    return InputError(f"“{shown(path.name)}” is not a sound .npz file: {why}.", "Download it again from its source.")


def missing(names: list[str], found: dict[str, Member]) -> str:
    """The arrays of ``names`` that an archive lacks, as words; empty if none."""
    return examples([name for name in names if name not in found])

"""The gate: what a path really is, decided by ``lstat`` and by first bytes, never by its name.

A FIFO must not block, a link must not lead out of the folder, and a drawing that loads other files
must not pass for a picture.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.reasons import Reason, refusal

MAX_FILE_BYTES = 2 << 30
_HEAD_BYTES = 4096
_VOLUME_HEADER = 540
OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class FileKind(StrEnum):
    """Formats that are read."""

    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    BMP = "bmp"
    WEBP = "webp"
    DICOM = "dicom"
    MATLAB = "matlab"
    NIFTI = "nifti"
    NRRD = "nrrd"
    META = "meta"
    ARRAY = "array"


VOLUMES = frozenset({FileKind.NIFTI, FileKind.NRRD, FileKind.META, FileKind.ARRAY})
"""Formats that may hold a stack of slices, with or without a place in the patient."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A regular file that passed, opened once: whoever reads uses this handle, at position 0. ``size`` in bytes.

    ``path`` is the file behind all links, for a library that can only open by name; ``changed_ns`` when its contents
    were last changed.
    """

    kind: FileKind
    handle: BinaryIO
    size: int
    path: str = ""
    changed_ns: int = 0


def inspect(path: Path, *, root: Path | None = None) -> FileKind:
    """What the file is.

    Args:
        root: the folder that a link may not lead out of; None allows any place.

    Raises:
        UnreadableFile: it is no regular file, lies outside, is empty, too large or no image.
    """
    with admit(path, root=root) as admitted:
        return admitted.kind


@contextlib.contextmanager
def admit(path: Path, *, root: Path | None = None) -> Iterator[Admitted]:
    """Open a file that passes the gate, for the length of the block.

    Raises:
        UnreadableFile: as ``inspect``.
    """
    try:
        target = _regular_target(path, root)
        descriptor = os.open(target, OPEN_FLAGS)
    except OSError as error:
        raise refusal(Reason.UNREADABLE, f"The file cannot be opened ({error.strerror}).") from error
    except ValueError as error:  # a NUL in the name
        raise refusal(Reason.UNREADABLE, "The file has an impossible name.") from error
    with os.fdopen(descriptor, "rb") as handle:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):  # exchanged between the look and the opening
            raise refusal(Reason.NOT_REGULAR, f"It is {_species(status.st_mode)}, not a file.")
        if status.st_size == 0:
            raise refusal(Reason.EMPTY, "The file is empty.")
        if status.st_size > MAX_FILE_BYTES:
            raise refusal(
                Reason.TOO_LARGE, f"The file has {status.st_size >> 20} MB; the limit is {MAX_FILE_BYTES >> 20} MB."
            )
        try:
            head = handle.read(_HEAD_BYTES)
        except OSError as error:
            raise refusal(Reason.UNREADABLE, f"The file cannot be read ({error.strerror}).") from error
        kind = _kind(head, status.st_size)
        handle.seek(0)
        yield Admitted(kind, handle, status.st_size, target, status.st_mtime_ns)


def _regular_target(path: Path, root: Path | None) -> str:
    os.lstat(path)
    target = os.path.realpath(path, strict=True)
    if root is not None and not Path(target).is_relative_to(os.path.realpath(root)):
        raise refusal(Reason.OUTSIDE, "It is a link that leads out of the folder.")
    mode = os.lstat(target).st_mode
    if not stat.S_ISREG(mode):
        raise refusal(Reason.NOT_REGULAR, f"It is {_species(mode)}, not a file.")
    return target


def _species(mode: int) -> str:
    species = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISLNK, "a link"),
    )
    return next((name for test, name in species if test(mode)), "something special")


_SIGNATURES: tuple[tuple[bytes, FileKind], ...] = (
    (b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    (b"\xff\xd8\xff", FileKind.JPEG),
    (b"II*\0", FileKind.TIFF),
    (b"MM\0*", FileKind.TIFF),
    (b"II+\0", FileKind.TIFF),
    (b"MM\0+", FileKind.TIFF),
    (b"MATLAB 5.0", FileKind.MATLAB),
    (b"MATLAB 7.3", FileKind.MATLAB),
    (b"\x89HDF\r\n\x1a\n", FileKind.MATLAB),  # without MATLAB's 512 bytes of text before it
    (b"NRRD000", FileKind.NRRD),
    (b"\x93NUMPY", FileKind.ARRAY),
)

_OTHER_PICTURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "a GIF animation"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 file outside of DICOM"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 stream outside of DICOM"),
    (4, b"ftyp", "a HEIC/AVIF photograph or a film"),
    (344, b"ni1\0", "a NIfTI header whose voxels lie in another file (.img)"),
    (4, b"ni2\0", "a NIfTI header whose voxels lie in another file (.img)"),
)

_NO_PICTURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript (EPS) document"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript (EPS) document"),
    (0, b"PK\x03\x04", "a ZIP archive or an Office document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"MZ", "a Windows program"),
    (0, b"\x7fELF", "a program"),
    (0, b"SQLite format 3", "a database"),
)

_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)


def _kind(head: bytes, size: int) -> FileKind:
    if head[128:132] == b"DICM":  # first: a DICOM preamble may hold the magic of a TIFF or a program
        return FileKind.DICOM
    for magic, kind in _SIGNATURES:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FileKind.WEBP
    if head[:2] == b"BM" and len(head) >= 18 and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return FileKind.BMP
    for offset, magic, name in _OTHER_PICTURES:
        if head[offset : offset + len(magic)] == magic:
            raise refusal(Reason.UNSUPPORTED_FORMAT, f"It is {name}, which is not read here.")
    if head.startswith(b"\x1f\x8b") and _is_volume(_first_inflated(head)):
        return FileKind.NIFTI
    for offset, magic, name in _NO_PICTURES:
        if head[offset : offset + len(magic)] == magic:
            raise refusal(Reason.NOT_AN_IMAGE, f"It is {name}, not an image.")
    if _is_volume(head):
        return FileKind.NIFTI
    if head.startswith((b"ObjectType", b"NDims")) and b"=" in head[:64]:
        return FileKind.META
    if _looks_like_bare_dicom(head, size):
        return FileKind.DICOM
    raise refusal(Reason.NOT_AN_IMAGE, f"It is {_text(head)}, not an image.")


def looks_like_dicom(head: bytes, size: int) -> bool:
    """Whether a file of ``size`` bytes that begins so passes for DICOM."""
    try:
        return _kind(head, size) is FileKind.DICOM
    except UnreadableFile:
        return False


def _is_volume(head: bytes) -> bool:
    """Whether these are the first bytes of a NIfTI file that holds its own voxels."""
    return head[344:348] == b"n+1\0" or head[4:8] == b"n+2\0"


def _first_inflated(head: bytes) -> bytes:
    """The beginning of what a gzip file holds, from its first bytes; nothing where they are damaged."""
    try:
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(head, _VOLUME_HEADER)
    except zlib.error:
        return b""


def _looks_like_bare_dicom(head: bytes, size: int) -> bool:
    """Whether a data set may begin at the first byte, without preamble; the DICOM reader has the last word."""
    if len(head) < 16:
        return False
    for order in "<>":
        group, element = struct.unpack(f"{order}HH", head[:4])
        if group in (0x0002, 0x0008) and element <= 0x0200:
            explicit = head[4:6].isalpha() and head[4:6].isupper()
            return explicit or struct.unpack(f"{order}L", head[4:8])[0] < size
    return False


def _text(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower().replace(b"\0", b"")  # UTF-16 has NULs
    if b"<svg" in start:
        return "an SVG drawing"
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start[:1000]:
        return "a web page (HTML)"
    if start.startswith(b"<"):
        return "an XML document"
    if b"\0" not in head and not any(byte < 9 for byte in head):
        return "a text"
    return "of no known kind"

"""DICOM files in a ZIP archive, unpacked into a folder of ours under names of ours. For the decoding children.

Nothing of a member's name reaches the disk, so none can lead out of the folder. A member is read in small pieces
and given up where it grows beyond what it declares, or beyond what an image may: declared sizes may lie. Members
that are encrypted, links, or packed otherwise than by deflation are refused by name; archives inside the archive
are passed over and said; what does not begin like DICOM is not written.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from medfm_gui.base.atomic import atomic_file
from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.gate import MAX_FILE_BYTES, looks_like_dicom
from medfm_gui.imaging.header import clean_text
from medfm_gui.imaging.reasons import Reason, refusal

MOST_MEMBERS = 500_000
MOST_BYTES = 64 << 30
"""Of all members of an archive together."""
MOST_RATIO = 100
_RATIO_FROM = 4 << 20
"""Small members may be packed a thousandfold: a black image is."""
_TOTAL_FROM = 1 << 30
_PIECE = 256 << 10
_HEAD = 1024
_ENCRYPTED = 0x1
_ARCHIVES = (".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz")


@dataclass(frozen=True, slots=True)
class Member:
    """A member that may be unpacked: its place in the archive's list, its name made safe to show, its declared size."""

    place: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds: members to unpack, and others with reason and message."""

    members: tuple[Member, ...]
    refused: tuple[tuple[str, str, str], ...]


def is_zip(path: Path) -> bool:
    """Whether a regular file begins as a ZIP archive does."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb", buffering=0) as handle:
            return handle.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except (OSError, ValueError):
        return False


def read_contents(path: Path) -> Contents:
    """The members of an archive by its directory; nothing is unpacked.

    Raises:
        UnreadableFile: the archive is damaged, or holds more than a folder of studies ever does.
    """
    with opened(path) as archive:
        listed = archive.infolist()
        if len(listed) > MOST_MEMBERS:
            raise refusal(Reason.BOMB, f"The archive has {len(listed):,} members; the limit is {MOST_MEMBERS:,}.")
        members, refused = [], []
        total = 0
        for place, info in enumerate(listed):
            name = clean_text(info.filename, 200)
            problem = _problem(info)
            if problem is not None:
                refused.append((name, problem[0].value, problem[1]))
            elif not info.is_dir() and not _is_hidden(info.filename):
                total += info.file_size
                members.append(Member(place, name, info.file_size))
        if total > MOST_BYTES or total > max(_TOTAL_FROM, MOST_RATIO * path.stat().st_size):
            raise refusal(Reason.BOMB, f"The archive grows to {total >> 30} GB; the limit is {MOST_BYTES >> 30} GB.")
        return Contents(tuple(members), tuple(refused))


def opened(path: Path) -> zipfile.ZipFile:
    """An archive with its list read; to be closed by the caller.

    Raises:
        UnreadableFile: it is damaged.
    """
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise refusal(Reason.TRUNCATED, "The ZIP archive is damaged or incomplete.") from error


def unpack(archive: zipfile.ZipFile, places: list[int], folder: Path) -> list[tuple[int, str, str]]:
    """Write members that begin like DICOM as ``<place>.dcm``; those that are there already are left.

    Returns:
        Place, reason and message of each that was not written.

    Raises:
        DiskFull: there is no room.
    """
    refused = []
    listed = archive.infolist()
    for place in places:
        target = folder / file_name(place)
        if target.exists() and target.stat().st_size == listed[place].file_size:
            continue
        try:
            _unpack_one(archive, listed[place], target)
        except UnreadableFile as error:
            refused.append((place, error.reason, error.message))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
            refused.append((place, Reason.TRUNCATED.value, "The member is damaged."))
    return refused


def file_name(place: int) -> str:
    """What a member is called on the disk."""
    return f"{place:06d}.dcm"


def _problem(info: zipfile.ZipInfo) -> tuple[Reason, str] | None:
    """Why a member is not unpacked, by what the directory says of it."""
    parts = info.filename.replace("\\", "/").split("/")
    if info.filename.startswith(("/", "\\")) or ".." in parts or parts[0].endswith(":"):
        return Reason.OUTSIDE, "Its name leads out of the archive."
    if stat.S_ISLNK(info.external_attr >> 16):
        return Reason.OUTSIDE, "It is a link."
    if info.is_dir():
        return None
    if info.flag_bits & _ENCRYPTED:
        return Reason.ENCRYPTED, "It is encrypted."
    if info.filename.lower().endswith(_ARCHIVES):
        return Reason.UNSUPPORTED_FORMAT, "It is an archive inside the archive; unpack it and open it by itself."
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return Reason.UNSUPPORTED_FORMAT, "It is packed by a method that is not read here."
    if info.file_size > MAX_FILE_BYTES:
        return Reason.TOO_LARGE, f"It has {info.file_size >> 20} MB; the limit is {MAX_FILE_BYTES >> 20} MB."
    if info.file_size > max(_RATIO_FROM, MOST_RATIO * info.compress_size):
        return Reason.BOMB, f"It grows more than {MOST_RATIO}-fold when it is unpacked."
    return None


def _is_hidden(name: str) -> bool:
    """Folders' junk, and doubles that macOS adds."""
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)


def _unpack_one(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    """One member into a file that is there whole or not at all.

    Raises:
        UnreadableFile: it is no DICOM, or grows beyond what it declares.
    """
    with archive.open(info) as member:
        head = member.read(_HEAD)
        if head.startswith(b"PK\x03\x04"):
            raise refusal(Reason.UNSUPPORTED_FORMAT, "It is an archive inside the archive; open it by itself.")
        if not looks_like_dicom(head, info.file_size):
            raise refusal(Reason.NOT_DICOM, "It does not begin like a DICOM file.")
        with atomic_file(target, expected_bytes=info.file_size, sync=False) as handle:
            _copy(head, member, handle, info.file_size)


def _copy(head: bytes, member: IO[bytes], handle: IO[bytes], declared: int) -> None:
    written = 0
    piece = head
    while piece:
        written += len(piece)
        if written > declared:
            raise refusal(Reason.BOMB, "It holds more than it declares.")
        handle.write(piece)
        piece = member.read(_PIECE)
    if written < declared:
        raise refusal(Reason.TRUNCATED, "The member ends early.")

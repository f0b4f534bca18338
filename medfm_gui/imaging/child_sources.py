"""What a decoding child does with a file that stands for many: the index of a file-set, a ZIP archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging import archive
from medfm_gui.imaging.reasons import Reason


def answer_source(order: dict[str, Any], archives: dict[str, ZipFile]) -> dict[str, Any]:
    """Carry out one order.

    Args:
        archives: the archive that the child holds open from one part of it to the next, for its list is long.

    Raises:
        UnreadableFile: the file is damaged, or is not what the order takes it for.
        DiskFull: there is no room to unpack.
    """
    path = Path(order["path"])
    if order["work"] == "source":
        return {"kind": _kind(path)}
    if order["work"] == "file_set":
        from medfm_gui.imaging.dicomdir import read_file_set  # pydicom costs 0.2 s, which an archive need not pay

        found = read_file_set(path)
        return {"files": found.files, "outside": found.outside, "missing": found.missing}
    if order["work"] == "contents":
        contents = archive.read_contents(path)
        members = [[member.place, member.name, member.size] for member in contents.members]
        return {"members": members, "refused": contents.refused}
    return {"refused": archive.unpack(_held(path, archives), order["places"], Path(order["folder"]))}


def _held(path: Path, archives: dict[str, ZipFile]) -> ZipFile:
    """The archive, opened; as it is now."""
    status = path.stat()
    key = f"{path} {status.st_size} {status.st_mtime_ns}"
    if key not in archives:
        while archives:
            archives.popitem()[1].close()
        archives[key] = archive.opened(path)
    return archives[key]


def _kind(path: Path) -> str:
    """``zip``, ``file_set``, or ``file`` for everything else."""
    if archive.is_zip(path):
        return "zip"
    from medfm_gui.imaging.dicom import read_header  # as above

    try:
        read_header(path)
    except UnreadableFile as error:
        if error.reason == Reason.FILE_SET_INDEX:
            return "file_set"
    return "file"

"""The index of a file-set (DICOMDIR): which files its records name, and where those are. For the decoding children.

A record names a file by components below the folder of the index (PS3.10, section 8.6). A component that would lead
elsewhere is refused and said; a file that is named and not there is said, too. Media that were copied often have
other letter cases than their index, so a name that does not fit is looked for without regard to case.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset

from medfm_gui.imaging import elements as el
from medfm_gui.imaging.dicom import contained
from medfm_gui.imaging.gate import FileKind, admit
from medfm_gui.imaging.header import clean_text
from medfm_gui.imaging.reasons import Reason, refusal

MOST_BYTES = 256 << 20
_MOST_COMPONENTS = 8
"""PS3.10 allows so many."""


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files that an index names and that are there (relative to its folder, as they are spelt there), and the rest.

    ``outside`` are names that would lead out of the folder, ``missing`` names of files that are not there.
    """

    files: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(slots=True)
class _Folders:
    """Names of what lies in folders, by their lower-case letters; each is listed once."""

    top: Path
    seen: dict[str, dict[str, str]] = field(default_factory=dict)

    def spelt(self, parts: Sequence[str]) -> str | None:
        """A relative path as it is spelt on the disk; None where there is nothing of that name."""
        place = ""
        for part in parts:
            names = self._names(place)
            name = part if part in names.values() else names.get(part.lower())
            if name is None:
                return None
            place = f"{place}/{name}" if place else name
        return place

    def _names(self, place: str) -> dict[str, str]:
        if place not in self.seen:
            try:
                found = [one.name for one in (self.top / place).iterdir()]
            except OSError:
                found = []
            self.seen[place] = {name.lower().partition(";")[0]: name for name in sorted(found, reverse=True)}
        return self.seen[place]


def read_file_set(path: Path) -> FileSet:
    """The files of a DICOMDIR.

    Raises:
        UnreadableFile: it is no such index, or is damaged or too large.
    """
    with admit(path) as admitted:
        if admitted.kind is not FileKind.DICOM:
            raise refusal(Reason.NOT_DICOM, "It is not a DICOMDIR.")
        if admitted.size > MOST_BYTES:
            raise refusal(Reason.TOO_LARGE, f"The DICOMDIR has more than {MOST_BYTES >> 20} MB.")
        with el.quiet(), contained():
            data = dcmread(io.BytesIO(admitted.handle.read(admitted.size)))  # an element may claim 4 GB
            if "DirectoryRecordSequence" not in data:
                raise refusal(Reason.NO_PIXELS, "The DICOMDIR lists no files.")
            named = dict.fromkeys(_named(data))
    return _looked_for(path.parent, list(named))


def _named(data: Dataset) -> Iterator[tuple[str, ...]]:
    """The components of every file that a record in use refers to, in the order of the records."""
    for record in el.items(data, "DirectoryRecordSequence"):
        if el.integer(record, "RecordInUseFlag") == 0:  # deleted from the set; its file may still be there
            continue
        found: Any = el.element(record, "ReferencedFileID")
        if found is not None:
            yield (found,) if isinstance(found, str) else tuple(map(str, found))


def _looked_for(folder: Path, named: Sequence[tuple[str, ...]]) -> FileSet:
    top = Path(os.path.realpath(folder))
    folders = _Folders(top)
    files: dict[str, None] = {}
    outside, missing = [], []
    for parts in named:
        shown = clean_text("\\".join(parts))
        if not _stays_inside(parts):
            outside.append(shown)
            continue
        spelt = folders.spelt(parts)
        if spelt is None or not (top / spelt).is_file():
            missing.append(shown)
        elif not Path(os.path.realpath(top / spelt)).is_relative_to(top):
            outside.append(shown)
        else:
            files[spelt] = None
    return FileSet(tuple(files), tuple(outside), tuple(missing))


def _stays_inside(parts: Sequence[str]) -> bool:
    """Whether a name is made of plain components alone: no step up, no root, no drive, no separator."""
    if not 1 <= len(parts) <= _MOST_COMPONENTS:
        return False
    return all(part.strip() not in ("", ".", "..") and not set(part) & set("/\\:\0") for part in parts)

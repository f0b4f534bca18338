"""Paths of DICOM files that tell who a patient is, replaced by pseudonyms: a dataset of DICOM names nobody.

The workspace keeps the real file of each image beside its pixels (``pixel_sources``), as it must to find a change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from medfm_gui.datasets.layout import Decoder
from medfm_gui.datasets.listing import Entry, Listing
from medfm_gui.datasets.pseudonym import pseudonym
from medfm_gui.datasets.text import shown
from medfm_gui.datasets.walk import has_dicom_mark, suffix_of
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.units import counted

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".npy", ".npz", ".gz", ".mat"})


def without_names(listing: Listing, pool: Decoder, key: bytes) -> Listing:
    """The listing with pseudonyms for parts of paths that hold a name, a number or a UID of the file's own header.

    Only what was found below the source changes, and the class folder of a layout of folders never does. Releases
    that anybody can download keep the names that they were published with.
    """
    if listing.pictures or listing.counts:
        return listing
    dicom = [entry for entry in listing.entries if _may_be_dicom(entry)]
    listing = _patients_as_pseudonyms(listing, {entry.file for entry in dicom}, key)
    parts = {entry.file: [part for part in _parts(entry.path) if part not in entry.labels] for entry in dicom}
    found = {part for _, telling in pool.telling(parts.items()) for part in telling} if parts else set()
    if not found:
        return listing
    rename = _renaming(found, key)
    entries = tuple(replace(entry, path=rename(entry.path)) for entry in listing.entries)
    changed = sum(one.path != other.path for one, other in zip(listing.entries, entries, strict=True))
    skipped = tuple(Skipped(rename(item.path), item.reason, item.message) for item in listing.skipped)
    said = f"of {counted(changed, 'image')}, as they named patients or UIDs: folders and names as pseudonyms"
    return replace(listing, entries=entries, skipped=skipped, taken={**listing.taken, "paths": said})


def _patients_as_pseudonyms(listing: Listing, dicom: set[str], key: bytes) -> Listing:
    """A table of DICOM files has the hospital's numbers: they are kept no more than those of the files."""
    said = listing.taken.get("patient", "")
    if not dicom or "pseudonyms" in said or not any(entry.patient for entry in listing.entries):
        return listing
    entries = tuple(
        replace(entry, patient=pseudonym(key, entry.patient)) if entry.patient else entry for entry in listing.entries
    )
    return replace(listing, entries=entries, taken={**listing.taken, "patient": f"{said}, kept as pseudonyms"})


def _may_be_dicom(entry: Entry) -> bool:
    return suffix_of(entry.file) not in _PICTURES and has_dicom_mark(Path(entry.file))


def _parts(path: str) -> Sequence[str]:
    return path.split("/")


def _renaming(found: set[str], key: bytes) -> Callable[[str], str]:
    made = {part: pseudonym(key, part) + _ending(part) for part in found}

    def rename(path: str) -> str:
        return shown("/".join(made.get(part, part) for part in _parts(path)))

    return rename


def _ending(part: str) -> str:
    """The ending of a file, which tells its kind; the tail of a UID is none."""
    suffix = suffix_of(part)
    return suffix if suffix[1:].isalpha() and len(suffix) <= len(".dicom") else ""

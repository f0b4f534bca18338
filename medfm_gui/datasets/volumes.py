"""Files with volumes and their label images, by name: which belongs to which, before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from medfm_gui.datasets.listing import Entry
from medfm_gui.datasets.text import shown, words
from medfm_gui.domain.dataset import Skipped

SUFFIXES = words(".nii.gz .nii .nrrd .nhdr .mha .mhd .npy")
"""Endings of volumes, the longest first. Headers without voxels are among them, so that they are refused by name."""
SLICES = "slices along the third axis"
"""The count that is known only when the volumes were opened; ``ingest_volumes`` fills it in."""


def is_volume(name: str) -> bool:
    """Whether a name ends like a volume's."""
    return name.lower().endswith(SUFFIXES)


def stem_of(name: str) -> str:
    """A file's own name without the ending of a volume."""
    bare = PurePosixPath(name).name
    ending = next((suffix for suffix in SUFFIXES if bare.lower().endswith(suffix)), "")
    return bare[: len(bare) - len(ending)]


@dataclass(slots=True)
class Pairing:
    """Images and their masks as they are found below ``root``; what has no partner is skipped and said."""

    root: Path
    entries: list[Entry] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def take(
        self,
        image: str,
        mask: str,
        *,
        there: frozenset[str],
        patient: str | None = None,
        fold: str | None = None,
        covariates: Mapping[str, str] | None = None,
    ) -> bool:
        """Add an image with its mask (relative names); whether both are there. A part that is not is skipped."""
        if image not in there:
            what = "Its mask is there, and the image is not." if mask in there else "It is listed, and is not there."
            self.skip(mask if mask in there else image, "missing_image", what)
            return False
        if mask not in there:
            self.skip(image, "no_label", "This image has no mask.")
            return False
        files = str(self.root / image), (str(self.root / mask),)
        facts = dict(covariates or {})
        self.entries.append(Entry(shown(image), files[0], (), None, patient, None, fold, facts, files[1]))
        return True

    def skip(self, path: str, reason: str, message: str) -> None:
        """Note a file that did not become a part of an entry."""
        self.skipped.append(Skipped(shown(path), reason, message))

    def unlabelled(self, names: list[str], why: str) -> None:
        """Note images that nobody labelled, or whose labels were not published."""
        for name in names:
            self.skip(name, "no_label", why)

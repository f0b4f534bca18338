"""From which files a dataset's pixels came: ``sources.json`` beside the index of its pixel cache.

It says how each file was when it was read, so that a change is noticed, and so that the pixels can be made again. A
dataset of an archive, and one that an earlier version imported, has none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medfm_gui.base.atomic import atomic_write
from medfm_gui.datasets.listing import Listing
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.errors import InputError
from medfm_gui.imaging.file_facts import FileFacts

SOURCES = "sources.json"
_COLUMNS = ("samples", "size", "mtime_ns", "sha256")


@dataclass(frozen=True, slots=True)
class Sources:
    """Facts of each sample's file, by sample id.

    ``files`` names the file where it is not the sample's path below the dataset's source.
    """

    facts: Mapping[str, FileFacts] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def file(self, dataset: Dataset, sample: Sample) -> Path:
        """The file of a sample."""
        return Path(self.files.get(sample.id) or Path(dataset.source) / sample.path)

    def keys(self, samples: Sequence[Sample]) -> dict[str, str] | None:
        """What each image's pixels are known by in every dataset; None where a file's contents are not known."""
        found = {}
        for sample in samples:
            facts = self.facts.get(sample.id)
            if facts is None or not facts.sha256:
                return None
            found[sample.id] = f"{facts.sha256}#{sample.frame or 0}"
        return found


def sources_of(listing: Listing, samples: Sequence[Sample], facts: Sequence[FileFacts | None]) -> Sources:
    """What an import found out about the files of its samples, in the order of the listing's entries."""
    found: dict[str, FileFacts] = {}
    files: dict[str, str] = {}
    for sample, entry, fact in zip(samples, listing.entries, facts, strict=True):
        if fact is not None:
            found[sample.id] = fact
            if Path(entry.file) != listing.root / sample.path:
                files[sample.id] = entry.file
    return Sources(found, files)


def write_sources(folder: Path, sources: Sources) -> None:
    """Keep the facts beside the index in ``folder``; of an archive there are none to keep."""
    if not sources.facts:
        return
    ids = sorted(sources.facts)
    found = [sources.facts[one] for one in ids]
    columns = {
        "format": 1,
        "samples": ids,
        "size": [one.size for one in found],
        "mtime_ns": [one.mtime_ns for one in found],
        "sha256": [one.sha256 for one in found],
        "files": dict(sources.files),
    }
    atomic_write(folder / SOURCES, json.dumps(columns, separators=(",", ":")))


def read_sources(folder: Path) -> Sources | None:
    """The facts beside the index in ``folder``; None where there are none.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / SOURCES
    try:
        columns: dict[str, Any] = json.loads(path.read_bytes())
        rows = list(zip(*(columns[name] for name in _COLUMNS), strict=True))
        facts = {str(one): FileFacts(int(size), int(changed), str(digest)) for one, size, changed, digest in rows}
        return Sources(facts, {str(one): str(file) for one, file in columns["files"].items()})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"“{path}” is damaged.", "Restore it from a copy, or import the dataset again.") from error

"""What an importer is: a name, a look at a source, and a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from medfm_gui.datasets.listing import ImportOptions, Listing

if TYPE_CHECKING:
    from medfm_gui.imaging.pool import HeaderResult, PictureJob, PictureResult


class Decoder(Protocol):
    """What is asked of the decode pool (``imaging.pool.DecodePool``): foreign files are read in its children alone."""

    def pictures(self, jobs: Iterable[PictureJob]) -> Iterator[PictureResult]:
        """Decode pictures, in any order."""
        ...

    def headers(self, paths: Iterable[Path]) -> Iterator[HeaderResult]:
        """Read DICOM headers, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a reader may need beyond the source: the pool of decoders and the key of the pseudonyms."""

    pool: Decoder
    key: bytes


@dataclass(frozen=True, slots=True)
class Layout:
    """One way data lie on disk.

    ``recognises`` answers with the reason why a source looks like this layout, or None; it reads names, never pixels.
    """

    name: str
    title: str
    task: str
    recognises: Callable[[Path], str | None]
    read: Callable[[Path, ImportOptions, Tools], Listing]

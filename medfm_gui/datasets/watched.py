"""A pool of decoders that tells how far it is, for a reader that opens every file before it can list one.

Ten thousand DICOM headers or three thousand MATLAB records take minutes on a slow drive: without this they pass
unseen, and cannot be cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from medfm_gui.datasets.layout import Decoder

if TYPE_CHECKING:
    from medfm_gui.imaging.examined import VolumeJob, VolumeResult
    from medfm_gui.imaging.pool import HeaderResult, PictureJob, PictureResult, RecordResult

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Watched:
    """Passes every question on to ``pool``; ``on_progress`` is told (done, all) of headers, records and volumes."""

    pool: Decoder
    on_progress: Callable[[int, int], None]

    def pictures(self, jobs: Iterable[PictureJob]) -> Iterator[PictureResult]:
        """Decode pictures, in any order."""
        return self.pool.pictures(jobs)

    def volumes(self, jobs: Iterable[VolumeJob]) -> Iterator[VolumeResult]:
        """Look at volumes and their masks, in any order."""
        wanted = list(jobs)
        return self._told(self.pool.volumes(wanted), len(wanted))

    def headers(self, paths: Iterable[Path]) -> Iterator[HeaderResult]:
        """Read DICOM headers, in any order."""
        wanted = list(paths)
        return self._told(self.pool.headers(wanted), len(wanted))

    def to_npys(self, files: Iterable[tuple[str | Path, Path]]) -> Iterator[PictureResult]:
        """Decode pictures at full size, each into an ``.npy`` file of its own."""
        return self.pool.to_npys(files)

    def telling(self, files: Iterable[tuple[str, Sequence[str]]]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Which parts of the paths of DICOM files tell who the patient is, in any order."""
        return self.pool.telling(files)

    def records(self, paths: Iterable[Path]) -> Iterator[RecordResult]:
        """Read what MATLAB files say beside their pixels, in any order."""
        wanted = list(paths)
        return self._told(self.pool.records(wanted), len(wanted))

    def _told(self, results: Iterable[Result], total: int) -> Iterator[Result]:
        for done, result in enumerate(results, 1):
            yield result
            self.on_progress(done, total)

"""Whether the files of a dataset are those that were imported, asked at the start of a run.

Size and time of each file come first, contents where those differ, pixels where the contents do. The generators yield
``Step``: whoever drives them shows how far it is, and may stop at each.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.datasets.pixel_sources import Sources, read_sources, write_sources
from medfm_gui.datasets.text import examples
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted
from medfm_gui.imaging.file_facts import FileFacts

_STATS_A_STEP = 5000
_UNREACHABLE = 50


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is: ``done`` of ``total``; ``waiting`` for another run that makes the same; ``note`` to be kept."""

    done: int = 0
    total: int = 0
    waiting: bool = False
    note: str = ""


def noted(names: Sequence[str]) -> str:
    """That files changed and their pixels did not."""
    return (
        f"{counted(len(names), 'file')} changed since the import, but not in any pixel (for example {examples(names)})."
    )


def changed_files(dataset: Dataset, names: Sequence[str]) -> InputError:
    """The refusal of a run whose dataset is not what it was."""
    return InputError(
        f"{counted(len(names), 'image')} of “{dataset.id}” changed since the import: {examples(names)}. A dataset is "
        "frozen, for results would otherwise not be of the data that they name.",
        "Put the former files back, or import the folder again as a new dataset.",
    )


def check_files(dataset: Dataset, folder: Path) -> Generator[Step, None, None]:
    """Look whether files are other than at the import: size and time of each, then contents where those differ.

    Files that are not there do not matter, as long as the pixels are.

    Raises:
        InputError: a file has other pixels than at the import.
    """
    sources = read_sources(folder)
    if sources is None:
        return
    touched: list[tuple[Sample, Path]] = []
    for done, sample in _in_steps(dataset.samples):
        if sample is None:
            yield Step(done, len(dataset.samples))
            continue
        facts = sources.facts.get(sample.id)
        if facts is None:
            continue
        file = sources.files.get(sample.id) or f"{dataset.source}/{sample.path}"
        try:
            status = os.stat(file)  # noqa: PTH116 - a Path for each of 250,000 files costs more than the look
        except OSError:
            if done > _UNREACHABLE and not Path(dataset.source).exists():
                return  # the whole source is away: a disk that is not plugged in, a share that is offline
            continue
        if (status.st_size, status.st_mtime_ns) != (facts.size, facts.mtime_ns):
            touched.append((sample, Path(file)))
    if touched:
        yield from _look_closer(dataset, folder, sources, touched)


def _in_steps(samples: Sequence[Sample]) -> Iterator[tuple[int, Sample | None]]:
    for done, sample in enumerate(samples, 1):
        yield done, sample
        if done % _STATS_A_STEP == 0:
            yield done, None


def _look_closer(
    dataset: Dataset, folder: Path, sources: Sources, touched: Sequence[tuple[Sample, Path]]
) -> Generator[Step, None, None]:
    """Contents of the files that look changed, then pixels of those whose contents are."""
    now: dict[str, FileFacts] = {}
    other: list[tuple[Sample, Path]] = []
    hashed: dict[Path, FileFacts | None] = {}
    for done, (sample, file) in enumerate(touched, 1):
        if file not in hashed:  # many frames may lie in one file
            hashed[file] = _facts(file)
        facts = hashed[file]
        if facts is not None:
            now[sample.id] = facts
            if facts.sha256 != sources.facts[sample.id].sha256:
                other.append((sample, file))
        yield Step(done, len(touched))
    if other:
        yield from _same_pixels(dataset, other)
        yield Step(note=noted([sample.path for sample, _ in other]))
    write_sources(folder, Sources({**sources.facts, **now}, sources.files))


def _facts(file: Path) -> FileFacts | None:
    try:
        with file.open("rb") as handle:
            status = os.fstat(handle.fileno())
            return FileFacts(status.st_size, status.st_mtime_ns, hashlib.file_digest(handle, "sha256").hexdigest())
    except OSError:
        return None


def _same_pixels(dataset: Dataset, files: Sequence[tuple[Sample, Path]]) -> Generator[Step, None, None]:
    """Decode them whole and compare with what was imported.

    Raises:
        InputError: one is another image, or none any more.
    """
    from medfm_gui.imaging.pool import DecodePool, PictureJob

    by_id = {sample.id: sample for sample, _ in files}
    jobs = [PictureJob(sample.id, str(file), dataset.source, sample.frame) for sample, file in files]
    changed = []
    with DecodePool() as pool:
        for done, result in enumerate(pool.pictures(jobs), 1):
            if result.stored_sha256 != by_id[result.key].pixels_sha256:
                changed.append(by_id[result.key].path)
            yield Step(done, len(jobs))
    if changed:
        raise changed_files(dataset, sorted(changed))

"""Pixels made ready for a run: what is there and large enough is read, the rest is decoded from the files, once.

ready          the cache of a dataset for a look; made where it is missing, too small or was removed
share          after an import: its pixels become a set that other datasets of the same files use too

Making is a generator of ``Step``: whoever drives it shows how far it is, and may stop at each. What was decoded is kept
in a journal beside the unfinished shards and is gone on from.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import Timeout

from medfm_gui.datasets.pixel_check import Step, changed_files, noted
from medfm_gui.datasets.pixel_sources import Sources, read_sources, write_sources
from medfm_gui.datasets.pixel_store import PixelStore, are_whole, set_name
from medfm_gui.datasets.pixels import IMPORT_SIDE, IMPORTED, Look, PixelCache, Place, write_index
from medfm_gui.datasets.text import examples
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.errors import DiskFull, InputError, NotFound
from medfm_gui.imaging.file_facts import FileFacts

if TYPE_CHECKING:
    from medfm_gui.imaging.pool import PictureJob, PictureResult

_JOURNAL = "done.jsonl"
_KEPT_EACH_S = 5.0
_KEPT_EACH = 512
_LOCK_POLL_S = 0.2
_MOST_NAMED = 3
_FULL_HEADROOM = 64 << 20
_BYTES_A_PIXEL = 3
_VOLUMES = (".nii", ".nii.gz", ".nrrd", ".mha", ".npy")
_PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".npz", ".mat")


Steps = Generator[Step, None, PixelCache]


def ready(dataset: Dataset, folder: Path, look: Look, store: PixelStore, *, processes: int | None = None) -> Steps:
    """The pixels of a dataset, held against removal as long as the cache lives.

    Args:
        folder: ``datasets/<id>/pixels``.
        look: ``side`` 0 takes what the import made, as it is.
        processes: how many children decode; None for as many as the computer has cores to spare.

    Raises:
        InputError: a file has other pixels than at the import, or cannot be decoded any more.
        NotFound: the pixels are gone and there are no files to make them from.
        DiskFull: they do not fit; what was decoded is kept and gone on from.
    """
    look = fitting(dataset, look)
    found = usable(dataset, folder, look, store)
    if found is None:
        found = yield from _made(dataset, folder, look, store, processes)
    return found


def usable(dataset: Dataset, folder: Path, look: Look, store: PixelStore) -> PixelCache | None:
    """The cache for a look if it is whole and large enough; None where it has to be made."""
    look = fitting(dataset, look)
    imported = _opened(folder, IMPORTED, store)
    if imported is not None and look.clamp is None:
        side = look.side or 0
        if side <= IMPORT_SIDE or imported.suffices(_whole(dataset), side):
            return imported
    return None if look.is_imported else _opened(folder, look, store)


def fitting(dataset: Dataset, look: Look) -> Look:
    """The look without bounds of HU where no file of the dataset has such values: its pixels would be the same."""
    if look.clamp is None or any(map(_may_hold_hu, dataset.samples)):
        return look
    return replace(look, clamp=None)


def _may_hold_hu(sample: Sample) -> bool:
    """Volumes may, for they do not say their modality; pictures do not; of DICOM files only those of CT do."""
    modality, name = sample.covariates.get("modality", "").upper(), sample.path.lower()
    if sample.slices or name.endswith(_VOLUMES):
        return True
    return modality == "CT" or (not modality and not name.endswith(_PICTURES))


def _whole(dataset: Dataset) -> dict[str, tuple[int, int]]:
    return {sample.id: (sample.rows, sample.columns) for sample in dataset.samples}


def _opened(folder: Path, look: Look, store: PixelStore) -> PixelCache | None:
    with contextlib.suppress(NotFound, InputError):
        cache = PixelCache(folder, look)
        held = store.hold(cache.set) if cache.set else None
        cache.check()
        cache.keep(held)
        return cache
    return None


def share(dataset: Dataset, folder: Path, store: PixelStore) -> None:
    """Put what an import made where other datasets find it, or take theirs. Archives keep their pixels to themselves.

    Raises:
        NotFound, InputError: the import left no sound cache in ``folder``.
    """
    sources = read_sources(folder)
    keys = sources.keys(dataset.samples) if sources else None
    if keys is None:
        return
    places = PixelCache(folder).places()
    mine = {path for path in folder.iterdir() if path.suffix == ".pixels"}
    found = store.find(keys.values(), IMPORTED)
    if found is None:
        name = set_name(keys.values(), IMPORTED)
        made, lock = store.making(name)
        lock.acquire()
        try:
            made.mkdir(exist_ok=True)
            for path in mine:
                path.replace(made / path.name)
            store.publish(made, name, IMPORTED, {keys[one]: place for one, place in places.items()})
        finally:
            store.release(lock, name)
        found = name, {keys[one]: place for one, place in places.items()}
    _link(folder, IMPORTED, keys, found)
    for path in mine:
        path.unlink(missing_ok=True)


def _link(folder: Path, look: Look, keys: Mapping[str, str], found: tuple[str, Mapping[str, Place]]) -> None:
    name, places = found
    about: dict[str, str | int] = {"set": name, "side": look.side or IMPORT_SIDE}
    write_index(folder, {one: places[key] for one, key in keys.items()}, name=look.index, about=about)


# -- making


def _made(dataset: Dataset, folder: Path, look: Look, store: PixelStore, processes: int | None) -> Steps:
    sources = read_sources(folder) or Sources()
    keys = sources.keys(dataset.samples)
    if keys is None:  # imported by an earlier version: what the files hold is learnt while they are decoded
        keys = {sample.id: f"{sample.pixels_sha256}@{dataset.id}#{sample.id}" for sample in dataset.samples}
    name = set_name(keys.values(), look)
    made, lock = store.making(name)
    waiting = False
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOCK_POLL_S)
        except Timeout:
            note = "" if waiting else "Another run is decoding the same images; this one waits for them."
            waiting = True
            yield Step(waiting=True, note=note)
    try:
        found = store.find(keys.values(), look)  # by another dataset, or by whoever we waited for
        if found is None:
            _make_room(dataset, look, store)
            job = _Making(dataset, sources, keys, look, made)
            yield from job.decode(processes)
            job.keep_facts(folder)
            if job.noted:
                yield Step(note=noted(job.noted))
            store.publish(made, name, look, job.places)
            found = name, dict(job.places)
        _link(folder, look, keys, found)
    finally:
        store.release(lock, name)
    cache = _opened(folder, look, store)
    if cache is None:
        raise InputError("The pixels that were just made cannot be read.", "Check the disk of the workspace.")
    return cache


def _make_room(dataset: Dataset, look: Look, store: PixelStore) -> None:
    """Let longest unused pixels go, and see that the disk can take the new ones.

    Raises:
        DiskFull: it cannot.
    """
    import shutil

    wanted = needed_bytes(dataset, look.side or IMPORT_SIDE)
    store.make_room(wanted)
    free = shutil.disk_usage(store.root).free
    if free < wanted // _BYTES_A_PIXEL + _FULL_HEADROOM:  # grey images of 8 bits take a third
        raise DiskFull(
            f"The images at {look.side or IMPORT_SIDE} pixels take up to {wanted / 1e9:.1f} GB; "
            f"{free / 1e9:.1f} GB are free on the disk of the workspace.",
            "Free some space, or choose a smaller input size.",
        )


def needed_bytes(dataset: Dataset, side: int) -> int:
    """What the pixels of a dataset take at most, its images in colour and of 8 bits, or grey and of 16."""
    total = 0
    for sample in dataset.samples:
        rows, columns = sample.rows or side, sample.columns or side
        scale = min(1.0, side / max(1, min(rows, columns)))
        total += round(rows * scale) * round(columns * scale)
    return total * _BYTES_A_PIXEL


@dataclass(slots=True)
class _Making:
    """One set in the making: what is done of it and what was found out about its files."""

    dataset: Dataset
    sources: Sources
    keys: Mapping[str, str]
    look: Look
    folder: Path
    places: dict[str, Place] = field(default_factory=dict)
    facts: dict[str, FileFacts] = field(default_factory=dict)
    noted: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unkept: list[tuple[str, str]] = field(default_factory=list)

    def decode(self, processes: int | None) -> Generator[Step, None, None]:
        """Decode every image that no earlier attempt has.

        Raises:
            InputError: files were changed or cannot be decoded.
        """
        from medfm_gui.imaging.pool import DecodePool

        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_up()
        chosen = {key: sample for sample in self.dataset.samples for key in (self.keys[sample.id],)}
        wanted = [sample for key, sample in chosen.items() if key not in self.places]
        by_id = {sample.id: sample for sample in wanted}
        jobs = (self._job(sample) for sample in wanted)
        kept_at = time.monotonic()
        done = len(chosen) - len(wanted)
        yield Step(done, len(chosen))
        with DecodePool(self.folder, short_side=self.look.side or IMPORT_SIDE, processes=processes) as pool:
            try:
                for result in pool.pictures(jobs):
                    self._heard(by_id[result.key], result)
                    done += 1
                    if len(self.unkept) >= _KEPT_EACH or time.monotonic() - kept_at >= _KEPT_EACH_S:
                        pool.sync()
                        self._keep()
                        kept_at = time.monotonic()
                    yield Step(done, len(chosen))
            finally:  # also when the run is paused or cancelled
                pool.sync()
                self._keep()
        self._refuse()

    def keep_facts(self, folder: Path) -> None:
        """Write down how the files are now, where that is news."""
        if self.facts:
            write_sources(folder, Sources({**self.sources.facts, **self.facts}, self.sources.files))

    def _job(self, sample: Sample) -> PictureJob:
        from medfm_gui.imaging.pool import PictureJob

        known = self.sources.facts.get(sample.id)
        file = self.sources.file(self.dataset, sample)
        return PictureJob(
            sample.id, str(file), self.dataset.source, sample.frame, self.look.clamp, known.sha256 if known else ""
        )

    def _heard(self, sample: Sample, result: PictureResult) -> None:
        known = self.sources.facts.get(sample.id)
        if not result.ok or result.cached is None or result.file is None:
            self.lost.append(f"{sample.path} ({result.message})")
        elif (known is None or known.sha256 != result.file.sha256) and result.stored_sha256 != sample.pixels_sha256:
            self.changed.append(sample.path)
        else:
            if known is not None and known.sha256 != result.file.sha256:
                self.noted.append(sample.path)
            if known != result.file:
                self.facts[sample.id] = result.file
            at = result.cached
            place = Place(at.shard, at.offset, at.shape, at.dtype)
            self.places[self.keys[sample.id]] = place
            self.unkept.append((self.keys[sample.id], sample.id))
        if len(self.changed) + len(self.lost) >= _MOST_NAMED:
            self._refuse()

    def _refuse(self) -> None:
        if self.changed:
            raise changed_files(self.dataset, self.changed)
        if self.lost:
            raise InputError(
                f"The images of “{self.dataset.id}” have to be decoded again, and some cannot be: "
                f"{examples(self.lost)}.",
                "Put the files back where they were imported from, or choose an input size that needs no new pixels.",
            )

    def _take_up(self) -> None:
        """What an earlier attempt has written down, as far as it is whole."""
        try:
            lines = (self.folder / _JOURNAL).read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                key, shard, offset, shape, dtype, sample_id, file = json.loads(line if line.endswith(b"\n") else b"")
                place = Place(shard, offset, tuple(shape), dtype)
                if are_whole(self.folder, [place]):
                    self.places[key] = place
                    self.facts[sample_id] = FileFacts(*file)
        wanted = set(self.keys.values())
        self.places = {key: place for key, place in self.places.items() if key in wanted}

    def _keep(self) -> None:
        """Write down what is on the disk."""
        if not self.unkept:
            return
        lines = []
        for key, sample_id in self.unkept:
            place, facts = self.places[key], self.facts.get(sample_id) or self.sources.facts[sample_id]
            row = [key, place.shard, place.offset, list(place.shape), place.dtype, sample_id]
            lines.append(json.dumps([*row, [facts.size, facts.mtime_ns, facts.sha256]]) + "\n")
        with (self.folder / _JOURNAL).open("ab") as journal:
            journal.write("".join(lines).encode())
            journal.flush()
            os.fsync(journal.fileno())
        self.unkept.clear()

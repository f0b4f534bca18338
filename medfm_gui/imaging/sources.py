"""What a person opens becomes studies: a folder, a DICOM file, a DICOMDIR, a ZIP archive.

A DICOMDIR stands for the files that it lists and that are there; what it lists elsewhere is refused, what is missing
is named, and images beside them that it does not list are counted. An archive is unpacked into a folder that belongs
to us, file by file, and goes on there where it was stopped. All of it is done by the children of the pool.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.domain.study import Scan
from medfm_gui.domain.units import counted
from medfm_gui.imaging.archive import file_name
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.reasons import Reason
from medfm_gui.imaging.series import Watch, scan, scan_files
from medfm_gui.imaging.walking import Found, KnownHeaders, Walk, read_headers

_BATCH_BYTES = 32 << 20
_BATCH_MEMBERS = 64
_INDEX = "dicomdir"
UNPACKED_BYTES = 50 * 10**9
"""What unpacked archives of a workspace may take together."""


@dataclass(frozen=True, slots=True)
class Means:
    """What reading needs: children, who watches, headers that are known, and where archives are unpacked.

    Without ``unpack_into`` an archive is refused like any file that is no image. ``on_unpacked`` is told members
    done and members in all. What was unpacked of all archives together takes ``unpacked_bytes`` at most (or what the
    last of them takes): the one that nobody looked at for the longest time goes first, and is unpacked again when its
    archive is opened again.
    """

    pool: DecodePool
    watch: Watch
    known: KnownHeaders | None = None
    unpack_into: Path | None = None
    on_unpacked: Callable[[int, int], None] | None = None
    unpacked_bytes: int = UNPACKED_BYTES


def scan_source(path: Path, means: Means) -> Scan:
    """Every study in a folder, a file, a DICOMDIR or an archive.

    Raises:
        UnreadableFile: the DICOMDIR or the archive as a whole cannot be used.
        Interrupted: the watcher wanted no more; what was read or unpacked until then is kept.
        DiskFull: there is no room to unpack.
    """
    path = path.absolute()
    if path.is_dir():
        return _folder(path, means)
    kind = _said(means.pool, {"work": "source", "path": str(path)})["kind"]
    if kind == "file_set":
        return _file_set(path, means)
    if kind == "zip" and means.unpack_into is not None:
        return _archive(path, means.unpack_into, means)
    return scan(path, means.pool, means.watch, means.known)


def _said(pool: DecodePool, words: dict[str, Any]) -> dict[str, Any]:
    """A child's answer to one order.

    Raises:
        UnreadableFile: it refused.
    """
    (said,) = pool.run([("", words)], lambda _, said, __: said)
    if not said["ok"]:
        raise UnreadableFile(str(said["message"]), "Check the file, or open the folder instead.", reason=said["reason"])
    return said


# -- a file-set


@dataclass(frozen=True, slots=True)
class _Listed:
    """What a DICOMDIR says, with absolute paths of the files that are there, and what is wrong with the rest."""

    files: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def _listed(index: Path, pool: DecodePool) -> _Listed:
    """Raises UnreadableFile where the index cannot be read."""
    said = _said(pool, {"work": "file_set", "path": str(index)})
    top = str(index.parent)
    skipped = [
        Skipped(str(index), Reason.OUTSIDE.value, f"It lists “{name}”, which leads out of its folder; not opened.")
        for name in said["outside"]
    ]
    skipped += [
        Skipped(str(index), Reason.MISSING.value, f"It lists “{name}”, which is not there.") for name in said["missing"]
    ]
    return _Listed(tuple(f"{top}{os.sep}{name.replace('/', os.sep)}" for name in said["files"]), tuple(skipped))


def _folder(path: Path, means: Means) -> Scan:
    """All of it; if it is a file-set, also what its index lists and the folder does not hold, or the reverse."""
    found = scan(path, means.pool, means.watch, means.known)
    index = next((one for one in _top(path) if one.name.lower() == _INDEX), None)
    if index is None:
        return found
    try:
        listed = _listed(index, means.pool)
    except UnreadableFile as error:
        return replace(found, skipped=(*found.skipped, Skipped(str(index), error.reason, error.message)))
    images = {item.path for study in found.studies for series in study.series for item in series.instances}
    more = _not_listed(index, len(images - set(listed.files)), "they were read, too")
    return replace(found, skipped=(*found.skipped, *listed.skipped, *more))


def _top(folder: Path) -> list[Path]:
    """Files right below a folder; none where it cannot be read."""
    try:
        return sorted(one for one in folder.iterdir() if one.is_file() and not one.is_symlink())
    except OSError:
        return []


def _not_listed(index: Path, count: int, then: str) -> tuple[Skipped, ...]:
    if not count:
        return ()
    told = (
        f"{counted(count, 'image')} in its folder {'is' if count == 1 else 'are'} not listed in this DICOMDIR; {then}."
    )
    return (Skipped(str(index), Reason.NOT_LISTED.value, told),)


def _file_set(index: Path, means: Means) -> Scan:
    listed = _listed(index, means.pool)
    found = scan_files(listed.files, means.pool, root=index.parent, watch=means.watch, known=means.known)
    beside = _images_beside(index, set(listed.files), means)
    more = _not_listed(index, beside, "open the folder to read them")
    return replace(found, skipped=(*found.skipped, *listed.skipped, *more))


def _images_beside(index: Path, listed: set[str], means: Means) -> int:
    """How many images lie below the folder of an index that it does not list."""
    others: Iterator[Found] = (file for file in Walk(index.parent) if file.path not in listed)
    count = 0
    with contextlib.closing(read_headers(others, means.pool, root=index.parent, known=means.known)) as results:
        for result in results:
            means.watch.check()
            count += result.ok
    return count


# -- an archive


def _archive(path: Path, unpack_into: Path, means: Means) -> Scan:
    status = path.stat()
    of_path = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    version = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:8]
    folder = unpack_into / f"{of_path}-{version}"
    said = _said(means.pool, {"work": "contents", "path": str(path)})
    names = {place: name for place, name, _ in said["members"]}
    skipped = [Skipped(f"{path}/{name}", reason, message) for name, reason, message in said["refused"]]
    _make_room(unpack_into, folder, sum(size for _, _, size in said["members"]), means.unpacked_bytes)
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    left_out = _unpacked(path, folder, said["members"], means)
    skipped += [Skipped(f"{path}/{names[place]}", reason, message) for place, (reason, message) in left_out.items()]
    there = {str(folder / file_name(place)): name for place, name in names.items() if place not in left_out}
    found = scan_files(list(there), means.pool, root=folder, watch=means.watch, known=means.known)
    skipped += [
        replace(item, path=f"{path}/{there[item.path]}") if item.path in there else item for item in found.skipped
    ]
    _remove_others(unpack_into, of_path, folder if found.studies else None)
    return Scan(found.studies, tuple(skipped))


def _unpacked(
    path: Path, folder: Path, members: Sequence[tuple[int, str, int]], means: Means
) -> dict[int, tuple[str, str]]:
    """Unpack members, many at once; returns those that were refused, by place, with reason and message."""
    refused: dict[int, tuple[str, str]] = {}
    words = {"work": "unpack", "path": str(path), "folder": str(folder)}
    orders = ((",".join(map(str, places)), {**words, "places": places}) for places in _batches(members))
    done = 0
    for key, said in means.pool.run(orders, lambda key, said, _: (key, said)):
        places = [int(place) for place in key.split(",")]
        if said["ok"]:
            refused.update({place: (reason, message) for place, reason, message in said["refused"]})
        else:
            refused.update(_singly(places, words, means.pool))
        done += len(places)
        means.watch.check()
        if means.on_unpacked is not None:
            means.on_unpacked(done, len(members))
    return refused


def _batches(members: Sequence[tuple[int, str, int]]) -> Iterator[list[int]]:
    """Places of members, so many that a child is done with them in good time."""
    batch: list[int] = []
    size = 0
    for place, _, declared in members:
        if batch and (len(batch) >= _BATCH_MEMBERS or size + declared > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(place)
        size += declared
    if batch:
        yield batch


def _singly(places: Sequence[int], words: dict[str, Any], pool: DecodePool) -> dict[int, tuple[str, str]]:
    """Of a batch that ended its child: each member by itself, so that it takes no other with it."""
    refused: dict[int, tuple[str, str]] = {}
    orders = ((str(place), {**words, "places": [place]}) for place in places)
    for key, said in pool.run(orders, lambda key, said, _: (key, said)):
        if not said["ok"]:
            refused[int(key)] = (str(said["reason"]), str(said["message"]))
        else:
            refused.update({place: (reason, message) for place, reason, message in said["refused"]})
    return refused


def _make_room(unpack_into: Path, folder: Path, wanted_bytes: int, limit_bytes: int) -> None:
    """Remove what was unpacked of other archives, the longest unused first, until so many more bytes fit."""
    others = [other for other in unpack_into.glob("*/") if other != folder]
    sizes = {other: sum(item.stat().st_size for item in _files(other)) for other in others}
    total = sum(sizes.values())
    for other in sorted(others, key=_last_used):
        if total + wanted_bytes <= limit_bytes:
            return
        shutil.rmtree(other, ignore_errors=True)
        total -= sizes[other]


def _files(folder: Path) -> list[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return [entry for entry in entries if entry.is_file(follow_symlinks=False)]
    return []


def _last_used(folder: Path) -> float:
    """When its archive was opened, or one of its images was read (as far as the disk notes that)."""
    times = [entry.stat().st_atime for entry in _files(folder)]
    with contextlib.suppress(OSError):
        times.append(folder.stat().st_mtime)
    return max(times, default=0.0)


def _remove_others(unpack_into: Path, of_path: str, kept: Path | None) -> None:
    """What was unpacked of an earlier state of the same archive is not needed any more."""
    for folder in unpack_into.glob(f"{of_path}-*"):
        if folder != kept:
            shutil.rmtree(folder, ignore_errors=True)

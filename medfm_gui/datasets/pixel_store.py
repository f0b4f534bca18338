"""The pixels that datasets of a workspace share: one folder a set of images and look, bounded in bytes.

``<workspace>/pixels/<set>/`` has shards, ``images.json`` (which image lies where, by the contents of its file and its
frame) and ``about.json``, written last. A set is made under another name and renamed when it is whole, so half a set
is never read. Whoever uses one holds a lock of its own in it, which its death releases; a set that nobody holds may be
removed, the one unused longest first. What was removed is made again from the files when it is needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.datasets.pixels import IMPORT_SIDE, Cached, Look, Place
from medfm_gui.domain.errors import MedfmError

PIXELS_VERSION = 2
"""Of the way from a file to cached pixels. Raise it when any pixel would differ."""

_ABOUT = "about.json"
_IMAGES = "images.json"
_USED = "used"
_MAKING = "making-"
_FORGOTTEN_S = 7 * 24 * 3600.0
_NAME = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class About:
    """A whole set: how its files were looked at, how many images it has and what its shards take."""

    side: int
    clamp: tuple[float, float] | None
    images: int
    size_bytes: int
    version: int = PIXELS_VERSION
    format: int = 1


class PixelStore:
    """The shared pixels below a folder, which together may take ``limit_bytes`` (None: whatever they need)."""

    def __init__(self, root: Path, limit_bytes: int | None = None) -> None:
        self.root = root
        self._limit_bytes = limit_bytes

    def find(self, keys: Collection[str], look: Look) -> tuple[str, dict[str, Place]] | None:
        """The name of a whole set with all these images, and where they lie in it by key; None where there is none."""
        wanted = set(keys)
        own = set_name(wanted, look)
        names = [own, *(folder.name for folder in self._sets() if folder.name != own)]
        for name in names:
            about = self._about(self.root / name)
            if about is None or about.images < len(wanted) or not _same(about, look):
                continue
            places = _places(self.root / name)
            if places is not None and wanted <= places.keys():
                return name, {key: places[key] for key in wanted}
        return None

    def hold(self, name: str) -> BaseFileLock | None:
        """Let nobody remove a set as long as the answer lives; None where it is gone, or the disk is read-only."""
        folder = self.root / name
        with contextlib.suppress(OSError), self._guard():
            if (folder / _ABOUT).exists():
                _in_use(folder)  # sweeps away what others left behind
                lock = FileLock(folder / f"use-{secrets.token_hex(8)}.lock")
                lock.acquire(timeout=5)
                (folder / _USED).touch()
                return lock
        return None

    def making(self, name: str) -> tuple[Path, BaseFileLock]:
        """The folder in which a set is made, and the lock of whoever makes it (not yet acquired)."""
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root / f"{_MAKING}{name}", FileLock(self.root / f"{_MAKING}{name}.lock")

    def release(self, lock: BaseFileLock, name: str) -> None:
        """Let go of a lock of ``making``. Its file goes too where the set is there: whoever waited for it sees that."""
        lock.release()
        with contextlib.suppress(OSError):
            if (self.root / name / _ABOUT).exists():
                Path(lock.lock_file).unlink()

    def publish(self, made: Path, name: str, look: Look, places: Mapping[str, Cached]) -> None:
        """Make a finished folder the set of that name: from now on it is read."""
        shards = {place.shard for place in places.values()}
        for path in made.iterdir():
            if path.name not in shards:
                path.unlink()
        size = sum((made / shard).stat().st_size for shard in shards)
        _write_places(made, places)
        wire.write(made / _ABOUT, About(look.side or IMPORT_SIDE, look.clamp, len(places), size))
        (made / _USED).touch()
        with self._guard():
            if (self.root / name).exists():  # what a kill left of an earlier one
                shutil.rmtree(self.root / name)
            made.rename(self.root / name)

    def make_room(self, wanted_bytes: int, keep: Collection[str] = ()) -> bool:
        """Remove sets that nobody holds, the longest unused first, until so many more bytes fit; whether they do.

        Args:
            keep: names of sets that stay.
        """
        if self._limit_bytes is None or not self.root.is_dir():
            return True
        with self._guard():
            self._sweep()
            folders = sorted(self._sets(), key=lambda folder: (_last_used(folder), folder.name))
            sizes = {folder: _bytes_of(folder) for folder in folders}
            total = sum(sizes.values())
            for folder in folders:
                if total + wanted_bytes <= self._limit_bytes:
                    break
                if folder.name not in keep and not _in_use(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                    total -= sizes[folder]
        return total + wanted_bytes <= self._limit_bytes

    def _sets(self) -> Iterator[Path]:
        return (path.parent for path in self.root.glob(f"*/{_ABOUT}") if _NAME.fullmatch(path.parent.name))

    def _sweep(self) -> None:
        """Remove what was begun long ago and never gone on with."""
        for folder in self.root.glob(f"{_MAKING}*/"):
            if time.time() - _last_used(folder) > _FORGOTTEN_S:
                with contextlib.suppress(Timeout, OSError), FileLock(f"{folder}.lock", timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)

    def _about(self, folder: Path) -> About | None:
        with contextlib.suppress(MedfmError):
            return wire.read(About, folder / _ABOUT)
        return None

    def _guard(self) -> FileLock:
        self.root.mkdir(parents=True, exist_ok=True)
        return FileLock(self.root / "store.lock")


def set_name(keys: Collection[str], look: Look) -> str:
    """The name of the set of these images and that look."""
    said = [PIXELS_VERSION, look.side or IMPORT_SIDE, look.clamp, sorted(set(keys))]
    return hashlib.sha256(wire.canonical(said)).hexdigest()[:24]


def _same(about: About, look: Look) -> bool:
    return (about.version, about.side, about.clamp) == (PIXELS_VERSION, look.side or IMPORT_SIDE, look.clamp)


def _write_places(folder: Path, places: Mapping[str, Cached]) -> None:
    rows = [[key, one.shard, one.offset, list(one.shape), one.dtype] for key, one in sorted(places.items())]
    atomic_write(folder / _IMAGES, json.dumps(rows, separators=(",", ":")))


def _places(folder: Path) -> dict[str, Place] | None:
    """Where each image lies; None where the list or a part of a shard is gone."""
    try:
        rows = json.loads((folder / _IMAGES).read_bytes())
        found = {key: Place(shard, offset, tuple(shape), dtype) for key, shard, offset, shape, dtype in rows}
        return found if are_whole(folder, found.values()) else None
    except (OSError, ValueError, TypeError):
        return None


def are_whole(folder: Path, places: Collection[Cached]) -> bool:
    """Whether the shards are as long as these places say."""
    ends: dict[str, int] = {}
    for place in places:
        size = 2 if place.dtype == "uint16" else 1
        for side in place.shape:
            size *= side
        ends[place.shard] = max(ends.get(place.shard, 0), place.offset + size)
    files = {shard: folder / Path(shard).name for shard in ends}
    return all(path.is_file() and path.stat().st_size >= ends[shard] for shard, path in files.items())


def _in_use(folder: Path) -> bool:
    """Whether some process holds the set; marks that a killed one left behind are swept away."""
    held = False
    for path in folder.glob("use-*.lock"):
        try:
            with FileLock(path, timeout=0):
                path.unlink(missing_ok=True)
        except Timeout:
            held = True
        except OSError:  # Windows lets nobody remove an open file; it is swept another time
            continue
    return held


def _last_used(folder: Path) -> float:
    path = folder / _USED
    with contextlib.suppress(OSError):
        return (path if path.exists() else folder).stat().st_mtime
    return 0.0


def _bytes_of(folder: Path) -> int:
    total = 0
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total

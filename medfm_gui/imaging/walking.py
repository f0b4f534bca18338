"""What lies below a folder, found while it is read, and what is known of files that did not change since.

A file is taken for unchanged where its size and the time of its last change (ns) are those that were kept with its
header: then it is not opened again. Links are always read.
"""

from __future__ import annotations

import collections
import os
import stat
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from medfm_gui.domain.dataset import Skipped
from medfm_gui.imaging.header import header_from_values, header_values
from medfm_gui.imaging.pool import DecodePool, HeaderResult
from medfm_gui.imaging.reasons import Reason

JUNK = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
_FIRST_LOOK_S = 0.1
"""So long the folder is looked through before the first file is read: mostly all of it."""
_LOOK_S = 0.01
_EVERY = 256
_FRESH = 512
_FRESH_S = 1.0
_PASSING = frozenset(
    {Reason.UNREADABLE, Reason.OUTSIDE, Reason.TIMED_OUT, Reason.DECODER_DIED, Reason.NOT_REGULAR, Reason.TOO_LARGE}
)
"""Refusals that may not be repeated: these files are tried again."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file; ``size`` is -1 where it is a link, or was not looked at."""

    path: str
    size: int = -1
    changed_ns: int = 0


Kept = tuple[int, int, list[Any]]
"""Of a file: its size, the time of its last change, and the values of its header, or reason and message."""


class KnownHeaders(Protocol):
    """Where headers are kept from one reading to the next."""

    def of(self, folder: str) -> Mapping[str, Kept]:
        """What is known of the files of a folder, by their names."""

    def put(self, folders: Mapping[str, Mapping[str, Kept]]) -> None:
        """Keep what was read of files, by folder and name."""


class Walk:
    """Files below a folder, in order of their names; folders are looked into while their files are drawn.

    Links to folders are not followed; hidden entries are counted only. What is passed over stands in ``skipped``
    once the walk is over.
    """

    def __init__(self, path: Path) -> None:
        self.skipped: list[Skipped] = []
        self.count = 0
        """Files found so far."""
        self._top = str(path)
        self._folders = [str(path)]
        self._files: collections.deque[Found] = collections.deque()
        self._hidden = 0

    def __iter__(self) -> Iterator[Found]:
        self._look(_FIRST_LOOK_S)
        drawn = 0
        while self._files or self._folders:
            if not self._files:
                self._look(0.0)
                continue
            yield self._files.popleft()
            drawn += 1
            if drawn % _EVERY == 0:
                self._look(_LOOK_S)
        if self._hidden:
            hidden = f"{self._hidden} hidden entries were passed over."
            self.skipped.append(Skipped(self._top, Reason.HIDDEN.value, hidden))

    def _look(self, seconds: float) -> None:
        """Look into the next folder, and into more of them as long as there is time."""
        until = time.monotonic() + seconds
        while self._folders:
            self._look_into(self._folders.pop())
            if time.monotonic() >= until:
                return

    def _look_into(self, folder: str) -> None:
        try:
            with os.scandir(folder) as opened:
                entries = sorted(opened, key=lambda entry: entry.name)
        except OSError as error:
            told = f"The folder cannot be read ({error.strerror})."
            self.skipped.append(Skipped(folder, Reason.UNREADABLE.value, told))
            return
        below = []
        for entry in entries:
            name = entry.name
            if name.startswith(".") or name.lower() in JUNK:
                self._hidden += 1
            elif not is_unicode(name):
                shown = os.fsencode(entry.path).decode("utf-8", "backslashreplace")
                told = "Its name is not valid Unicode; rename it."
                self.skipped.append(Skipped(shown, Reason.BAD_NAME.value, told))
            elif entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
            elif not (
                entry.is_symlink() and Path(entry.path).is_dir()
            ):  # a link to itself is an error for entry.is_dir
                self._files.append(_found(entry.path, lambda: entry.stat(follow_symlinks=False)))  # noqa: B023 - as there
                self.count += 1
        self._folders += reversed(below)


def found_files(paths: Iterable[str], *, looked_at: bool = True) -> Iterator[Found]:
    """Files that were named, with their sizes and times if they are to be ``looked_at``."""
    for path in paths:
        yield _found(path, lambda: os.lstat(path)) if looked_at else Found(path)  # noqa: B023 - called at once


def _found(path: str, look: Callable[[], os.stat_result]) -> Found:
    try:
        status = look()
    except (OSError, ValueError):
        return Found(path)
    return Found(path, status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else Found(path)


def is_unicode(name: str) -> bool:
    """Names that are not can be opened, but neither stored in a record nor shown."""
    return name.isascii() or _encodes(name)


def _encodes(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_headers(
    files: Iterable[Found], pool: DecodePool, *, root: Path | None = None, known: KnownHeaders | None = None
) -> Generator[HeaderResult]:
    """The headers of files, in any order; those that did not change come from ``known``, which is told the others.

    Whoever leaves early loses nothing: what was read until then is kept.
    """
    if known is None:
        yield from pool.headers((file.path for file in files), root=root)
        return
    fresh = _Fresh(known)
    source = _Source(files, known, fresh)
    try:
        while not source.is_over:
            for result in pool.headers(source.unknown(), root=root):
                fresh.add(result)
                yield result
                yield from source.drained()
            yield from source.drained()
    finally:
        fresh.keep()


class _Source:
    """Draws files: an unknown one goes to the pool, a known one aside, to be drained before there are many."""

    def __init__(self, files: Iterable[Found], known: KnownHeaders, fresh: _Fresh) -> None:
        self._files = iter(files)
        self._known = known
        self._fresh = fresh
        self._aside: list[HeaderResult] = []
        self._folder: str | None = None
        self._of_folder: Mapping[str, Kept] = {}
        self.is_over = False

    def unknown(self) -> Iterator[str]:
        for file in self._files:
            found = self._result(file)
            if found is None:
                yield file.path
            else:
                self._aside.append(found)
                if len(self._aside) >= _EVERY:
                    return
        self.is_over = True

    def drained(self) -> Iterator[HeaderResult]:
        aside, self._aside = self._aside, []
        yield from aside

    def _result(self, file: Found) -> HeaderResult | None:
        if file.size < 0:
            return None
        folder, name = os.path.split(file.path)
        if folder != self._folder:
            self._folder, self._of_folder = folder, self._known.of(folder)
        kept = self._of_folder.get(name)
        if kept is None or kept[0] != file.size or kept[1] != file.changed_ns:
            self._fresh.expect(file)
            return None
        said = kept[2]
        if len(said) == 2:
            return HeaderResult(file.path, False, str(said[0]), str(said[1]))
        return HeaderResult(file.path, True, header=header_from_values(said))


class _Fresh:
    """What was read just now, on its way to where it is kept."""

    def __init__(self, known: KnownHeaders) -> None:
        self._known = known
        self._expected: dict[str, Found] = {}
        self._folders: dict[str, dict[str, Kept]] = {}
        self._count = 0
        self._since = time.monotonic()

    def expect(self, file: Found) -> None:
        self._expected[file.path] = file

    def add(self, result: HeaderResult) -> None:
        file = self._expected.pop(result.path, None)
        if file is None or result.reason in _PASSING:
            return
        said = header_values(result.header) if result.header is not None else [result.reason, result.message]
        folder, name = os.path.split(result.path)
        self._folders.setdefault(folder, {})[name] = (file.size, file.changed_ns, said)
        self._count += 1
        if self._count >= _FRESH or time.monotonic() - self._since >= _FRESH_S:
            self.keep()

    def keep(self) -> None:
        if self._folders:
            self._known.put(self._folders)
        self._folders, self._count, self._since = {}, 0, time.monotonic()

"""All feature banks together: they take so much of the disk and no more; the one that was unused longest goes first.

A bank that any process holds is never removed. Two processes that make room at once do so one after the other.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from medfm_gui.engine.bank import BankKey, FeatureBank, Precision, in_use, last_used


@dataclass(frozen=True, slots=True)
class Room:
    """What making room came to: banks ``removed``; whether all will be within the limit."""

    removed: int
    suffices: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """The banks below a folder, which together may take ``limit_bytes`` (None: whatever they need)."""

    banks: Path
    limit_bytes: int | None = None

    def bank(self, key: BankKey, precision: Precision = "f32") -> FeatureBank:
        """The bank of that key, held as long as the object lives."""
        self.banks.mkdir(parents=True, exist_ok=True)
        with self._lock():
            bank = FeatureBank(self.banks, key, precision=precision)
            bank.hold()
        return bank

    def make_room(self, wanted_bytes: int) -> Room:
        """Remove banks that nobody holds, the longest unused first, until so many more bytes fit."""
        if self.limit_bytes is None:
            return Room(0, suffices=True)
        with self._lock():
            found = sorted(self._folders(), key=lambda folder: (last_used(folder), folder.name))
            sizes = {folder: _bytes_of(folder) for folder in found}
            total, removed = sum(sizes.values()), 0
            for folder in found:
                if total + wanted_bytes <= self.limit_bytes:
                    break
                if in_use(folder):
                    continue
                shutil.rmtree(folder, ignore_errors=True)
                total, removed = total - sizes[folder], removed + 1
        return Room(removed, suffices=total + wanted_bytes <= self.limit_bytes)

    def _folders(self) -> list[Path]:
        return [path.parent for path in self.banks.glob("*/about.json")]

    def _lock(self) -> FileLock:
        return FileLock(self.banks / "shelf.lock")


def _bytes_of(folder: Path) -> int:
    """What the files of a bank take; one that is being removed counts for what is still there."""
    total = 0
    for path in folder.iterdir():
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total

"""From what a table says of an image to the file: beside the table or below it, with or without its ending."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.datasets.text import shown
from medfm_gui.datasets.walk import TABLE_SUFFIXES, suffix_of, walk, without_image_suffix
from medfm_gui.domain.dataset import Skipped

_ADDRESS = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.\-]+:|~)")
"""What is no path of a computer: ``file:``, ``http:`` and the home of somebody."""
_ABSOLUTE = re.compile(r"^(?:[A-Za-z]:|/)")
_FEWEST_ALIKE = 2
"""So many parts at the end of an absolute path must be as in the image folder: a folder and the name."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a cell leads to no image: a reason code and a sentence."""

    reason: str
    message: str


class ImageFolder:
    """The files below a folder, found by path, by the end of a path, by name, or by name without ending."""

    def __init__(self, root: Path) -> None:
        tree = walk(root)
        self.root = root
        self.files = tuple(name for name in tree.files if suffix_of(name) not in TABLE_SUFFIXES)
        self.skipped: tuple[Skipped, ...] = tree.skipped
        self.junk = tree.junk
        self._paths = frozenset(self.files)
        self._tails: dict[tuple[int, bool], dict[str, str | None]] = {}

    def find(self, said: str) -> str | Missing:
        """The relative path of the file that a cell means, or why there is none.

        Addresses and paths that climb out of the folder are refused whatever they point at. Of an absolute path, as
        tables from another computer have them, only the end counts: the image of that folder and name below the image
        folder is meant, and what lies where the path leads is never looked at. Of files with the right name the one
        whose folders agree longest, from the end, is meant.
        """
        if _ADDRESS.match(said):
            return Missing("outside", "An address; images are taken from the image folder alone.")
        path = posixpath.normpath(said.replace("\\", "/"))
        if is_absolute(said):
            return self._below(path)
        if path == ".." or path.startswith(("../", "/")):
            return Missing("outside", "The path leaves the image folder.")
        parts = path.split("/")
        for start in range(max(1, len(parts) - 1)):  # the name of a release often stands before the folders there are
            tail = "/".join(parts[start:])
            if tail in self._paths:
                return tail
        for without_suffix in (False, True):
            for length in range(len(parts), 0, -1):
                tail = "/".join(parts[-length:])
                tails = self._files_by_tail(length, without_suffix)
                key = _key(tail, without_suffix)
                if key in tails:
                    return tails[key] or Missing("ambiguous", f"Several files end in “{shown(tail)}”.")
        return Missing("not_found", "There is no such image in the image folder or below it.")

    def _below(self, path: str) -> str | Missing:
        """The file here that an absolute path of some computer ends in, by its name and at least one folder."""
        parts = [part for part in path.split("/") if part]
        for length in range(len(parts), _FEWEST_ALIKE - 1, -1):
            tail = "/".join(parts[-length:])
            for without_suffix in (False, True):
                found = self._files_by_tail(length, without_suffix)
                key = _key(tail, without_suffix)
                if key in found:
                    return found[key] or Missing("ambiguous", f"Several files end in “{shown(tail)}”.")
        return Missing("outside", "An absolute path; images are taken from the image folder alone, and none ends so.")

    def _files_by_tail(self, length: int, without_suffix: bool) -> dict[str, str | None]:
        """Files by the last parts of their path, made when first needed; None where several end alike.

        Searching among files of one name instead would take quadratic time where every patient has a “view1.jpg”.
        """
        made = self._tails.get((length, without_suffix))
        if made is None:
            made = self._tails[length, without_suffix] = {}
            for name in self.files:
                parts = name.rsplit("/", length)
                if len(parts) >= length:
                    key = _key("/".join(parts[-length:]), without_suffix)
                    made[key] = None if key in made else name
        return made


def is_absolute(said: str) -> bool:
    """Whether a cell names a place on some computer: ``C:\\x``, ``\\\\server\\x``, ``/x``."""
    return bool(_ABSOLUTE.match(said.replace("\\", "/")))


def _key(tail: str, without_suffix: bool) -> str:
    """The end of a path for comparison: composed, for some systems write “ü” as two letters, and in one case."""
    bare = without_image_suffix(tail) if without_suffix else tail
    return (bare if bare.isascii() else unicodedata.normalize("NFC", bare)).casefold()

"""From what a table says of an image to the file: beside the table or below it, with or without its ending."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.datasets.text import examples, shown
from medfm_gui.datasets.walk import TABLE_SUFFIXES, suffix_of, walk, without_image_suffix
from medfm_gui.domain.dataset import Skipped

_ELSEWHERE = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.\-]*:|/|\\\\|~)")


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
        self._paths = frozenset(self.files)
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[str]] = defaultdict(list)
        for name in self.files:
            base = name.rpartition("/")[2].casefold()
            self._by_name[base].append(name)
            self._by_stem[without_image_suffix(base)].append(name)

    def find(self, said: str) -> str | Missing:
        """The relative path of the file that a cell means, or why there is none.

        Absolute paths, addresses and paths that climb out of the folder are refused whatever they point at.
        """
        if _ELSEWHERE.match(said):
            return Missing("outside", "An absolute path or an address; images are taken from the image folder alone.")
        path = posixpath.normpath(said.replace("\\", "/"))
        if path == ".." or path.startswith(("../", "/")):
            return Missing("outside", "The path leaves the image folder.")
        if path in self._paths:
            return path
        base = path.rpartition("/")[2].casefold()
        stem = without_image_suffix(base)
        candidates = self._by_name.get(base) or self._by_stem.get(stem)
        if candidates:
            return _nearest(path, candidates)
        return Missing("not_found", "There is no such image in the image folder or below it.")


def _nearest(path: str, candidates: Sequence[str]) -> str | Missing:
    """Of files with the right name, the one whose folders agree best with the path."""
    if len(candidates) == 1:
        return candidates[0]
    wanted = path.casefold().split("/")[-2::-1]

    def agreement(name: str) -> int:
        have = name.casefold().split("/")[-2::-1]
        shared = 0
        for mine, theirs in zip(wanted, have, strict=False):
            if mine != theirs:
                break
            shared += 1
        return shared

    best = max(map(agreement, candidates))
    found = [name for name in candidates if agreement(name) == best]
    if len(found) > 1:
        return Missing("ambiguous", f"Several files are called so: {examples(map(shown, found))}.")
    return found[0]

"""All files below a folder, in one order on every system, without following links to folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from medfm_gui.datasets.text import shown, words
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import InputError

IMAGE_SUFFIXES = frozenset(
    words(".png .jpg .jpeg .jpe .jp2 .tif .tiff .bmp .webp .gif .pgm .ppm .dcm .dicom .ima .nii .mha .nrrd")
)
"""Endings by which a *name* looks like an image. What a file is, its contents decide, later."""

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".tab"})
_JUNK = frozenset({"thumbs.db", "desktop.ini", "__macosx", "dicomdir", "lost+found"})
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Tree:
    """Files below ``root`` as (relative path with ``/`` as the system spells it), sorted; and what was not entered.

    ``junk`` are the hidden files and the rubbish of file managers that were left out, a folder of them counting once.
    """

    root: Path
    files: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()
    suffixes: frozenset[str] = field(default_factory=frozenset)
    junk: tuple[str, ...] = ()


def walk(root: Path) -> Tree:
    """List a folder and all folders below it; hidden files and the rubbish of file managers are left out.

    Raises:
        InputError: the folder itself cannot be read.
    """
    skipped: list[Skipped] = []
    junk: list[str] = []
    files = sorted(_below(root, "", 0, skipped, junk))
    return Tree(root, tuple(files), tuple(skipped), frozenset(suffix_of(name) for name in files), tuple(sorted(junk)))


def is_junk(name: str) -> bool:
    """Whether a file or folder of that name is hidden or left behind by a file manager (``._x``, ``Thumbs.db``)."""
    return name.startswith(".") or name.casefold() in _JUNK


def _below(folder: Path, prefix: str, depth: int, skipped: list[Skipped], junk: list[str]) -> Iterator[str]:
    try:
        with os.scandir(folder) as listed:
            items = list(listed)
    except OSError as error:
        if not prefix:
            raise InputError(
                f"The folder “{shown(str(folder))}” cannot be read ({error.strerror}).",
                "Check that it exists and that you may read it.",
            ) from error
        skipped.append(Skipped(shown(prefix), "unreadable", f"This folder cannot be read ({error.strerror})."))
        return
    for item in items:
        name = prefix + item.name
        if is_junk(item.name):
            junk.append(name)
            continue
        if item.is_dir(follow_symlinks=False):
            if depth >= _DEEPEST:
                skipped.append(Skipped(shown(name), "too_deep", f"Folders deeper than {_DEEPEST} are not read."))
            else:
                yield from _below(Path(item.path), name + "/", depth + 1, skipped, junk)
        elif item.is_symlink() and Path(item.path).is_dir():
            skipped.append(Skipped(shown(name), "link", "This is a link to another folder, and such are not followed."))
        else:
            yield name


def suffix_of(name: str) -> str:
    """The ending of a file name in lower case, ``.jpg``; empty where there is none."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


def looks_like_image(name: str) -> bool:
    """Whether a name ends like an image's."""
    return suffix_of(name) in IMAGE_SUFFIXES


def without_image_suffix(name: str) -> str:
    """The name without ``.png`` and the like; other endings (as in a UID) stay."""
    suffix = suffix_of(name)
    return name[: -len(suffix)] if suffix in IMAGE_SUFFIXES else name


def has_dicom_mark(path: Path) -> bool:
    """Whether a regular file carries ``DICM`` behind its preamble; never blocks, never raises."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as handle:
            return handle.read(132)[128:] == b"DICM"
    except OSError:
        return False

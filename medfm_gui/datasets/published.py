"""What the importers of published datasets share: finding what a release calls by name, and saying what is not there.

``find_file(source, *names)`` and ``find_folder(source, *names)``
    the first of these names at most two levels below a source, whatever its case and however a re-host nested it.
``images_below(root, *folders)`` → ``Images``
    the pictures below a folder (or below some folders of it): ``images.named(word)`` finds one by its name, with or
    without folders and ending; ``images.files`` has them all; ``images.junk`` what file managers left.
``header(path)``
    the plain names of a table's columns, for ``recognises``: only the first line is read.
``records(table)``
    rows as a mapping from ``plain_name`` of the column (“left or right breast” → ``leftorrightbreast``) to the cell.
``Gathering(images)``
    collects entries: ``take(said, labels, …)`` adds the picture that a row names or notes it as ``missing_image``;
    ``skip(…)``; afterwards ``entries``, ``skipped`` and ``remarks()`` (unlisted pictures, junk) go into the listing.
``Count`` (``domain.dataset``) and ``difference(count)``
    “25,331 images known, 25,330 found: 1 missing”.

A release is a folder; the name of its folder, a folder above it or a re-host's folder of the same name within it make
no difference.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medfm_gui.datasets.listing import Entry
from medfm_gui.datasets.table import Table
from medfm_gui.datasets.text import examples, natural, plain_name, shown, words
from medfm_gui.datasets.walk import is_junk, looks_like_image, walk, without_image_suffix
from medfm_gui.domain.dataset import Count, Skipped
from medfm_gui.domain.errors import InputError, TableError
from medfm_gui.domain.units import counted

_ARCHIVES = words(".zip .tar .tar.gz .tgz .tar.bz2 .tar.xz .7z .rar .zip.part .crdownload .z01")
_MOST_FOLDERS = 400
"""A folder with more folders than this holds patients or classes, not releases, and is not searched further."""


# -- finding by name


def find_file(source: Path, *names: str, depth: int = 2) -> Path | None:
    """The file of the first of these names that there is: in ``source``, else one level down, else two.

    Upper and lower case are one; hidden files and ``__MACOSX`` are not looked at. Of several on one level the first
    by path is taken. A source that is such a file itself is found too.
    """
    if source.is_file():
        return source if source.name.casefold() in {name.casefold() for name in names} else None
    return _find(source, names, depth, folders=False)


def find_folder(source: Path, *names: str, depth: int = 2) -> Path | None:
    """The folder of the first of these names that there is: ``source`` itself, else up to two levels below it."""
    if not source.is_dir():
        return None
    if source.name.casefold() in {name.casefold() for name in names}:
        return source
    return _find(source, names, depth, folders=True)


def _find(source: Path, names: Sequence[str], depth: int, *, folders: bool) -> Path | None:
    wanted = [name.casefold() for name in names]
    found: dict[str, Path] = {}
    level = [source]
    for _ in range(depth + 1):
        below: list[Path] = []
        for folder in level:
            inside, here = _listed(folder)
            for name in sorted(name for name in (inside if folders else here) if name.casefold() in wanted):
                found.setdefault(name.casefold(), folder / name)
            below += [folder / name for name in sorted(inside)] if len(inside) <= _MOST_FOLDERS else []
        if found:
            return next(found[name] for name in wanted if name in found)
        level = below
    return None


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """The names of folders and of files directly in a folder, without junk; nothing where it cannot be read."""
    inside: list[str] = []
    here: list[str] = []
    try:
        with os.scandir(folder) as items:
            for item in items:
                if not is_junk(item.name):
                    (inside if item.is_dir(follow_symlinks=False) else here).append(item.name)
    except OSError:
        return [], []
    return inside, here


def home(source: Path) -> Path:
    """The folder that a source means: itself, or where the named file lies."""
    return source if source.is_dir() else source.parent


def needed(found: Path | None, what: str, source: Path) -> Path:
    """What was found.

    Raises:
        InputError: it is None; ``what`` names what is lacking.
    """
    if found is None:
        raise InputError(
            f"“{shown(source.name)}” holds no {what}, not even two folders down.",
            "Name the folder into which the release was unpacked.",
        )
    return found


# -- pictures


@dataclass(frozen=True, slots=True)
class Images:
    """Pictures below ``root``: ``files`` are relative paths with ``/``; ``junk`` what file managers left there.

    ``copies`` are files that a release with unique names holds a second time, in another folder.
    """

    root: Path
    files: tuple[str, ...]
    junk: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    copies: tuple[str, ...] = ()
    _paths: frozenset[str] = frozenset()
    _stems: Mapping[str, str | None] = field(default_factory=dict)

    def named(self, said: str) -> str | None:
        """The picture that a word means: its path, else its name whatever its folder, ending and case.

        None where there is no such picture, or where several in different folders are called so.
        """
        path = said.replace("\\", "/")
        if path in self._paths:
            return path
        return self._stems.get(_stem(path))


def images_below(root: Path, *folders: Path, suffixes: frozenset[str] | None = None, unique: bool = False) -> Images:
    """The pictures below ``root``, or only those below these folders of it.

    Args:
        suffixes: endings in lower case with their dot; None = whatever looks like an image.
        unique: the release calls no two images alike, so that files of one name are copies of one image (re-hosts
            pack a folder twice); the first by path is taken.

    Raises:
        InputError: a folder cannot be read.
    """
    files: list[str] = []
    junk: list[str] = []
    skipped: list[Skipped] = []
    for folder in folders or (root,):
        tree = walk(folder)
        prefix = "" if folder == root else folder.relative_to(root).as_posix() + "/"
        taken = [name for name in tree.files if _wanted(name, suffixes)]
        files += [prefix + name for name in taken]
        junk += [prefix + name for name in tree.junk]
        skipped += [Skipped(shown(prefix) + item.path, item.reason, item.message) for item in tree.skipped]
    stems: dict[str, str | None] = {}
    copies: list[str] = []
    for name in (found := tuple(dict.fromkeys(files))):
        if stems.setdefault(_stem(name), name) != name:
            copies.append(name)
            stems[_stem(name)] = stems[_stem(name)] if unique else None
    if unique and copies:
        found = tuple(name for name in found if stems[_stem(name)] == name)
    return Images(root, found, tuple(junk), tuple(skipped), tuple(copies) if unique else (), frozenset(found), stems)


def _wanted(name: str, suffixes: frozenset[str] | None) -> bool:
    return looks_like_image(name) if suffixes is None else name.lower().endswith(tuple(suffixes))


def _stem(path: str) -> str:
    bare = without_image_suffix(path.rpartition("/")[2])
    return (bare if bare.isascii() else unicodedata.normalize("NFC", bare)).casefold()


# -- tables


def header(path: Path | None) -> frozenset[str]:
    """The plain names of a text table's columns, from its first line alone; none where it cannot be read."""
    if path is None:
        return frozenset()
    try:
        with path.open("rb") as handle:
            line = handle.readline(1 << 14)
    except OSError:
        return frozenset()
    return frozenset(plain_name(name) for name in re.split("[,;\t|]", line.decode("utf-8-sig", "replace")))


def records(table: Table) -> Iterator[Mapping[str, str]]:
    """Rows one after the other: the plain name of each column → its cell. Of two columns called alike the first."""
    names = [plain_name(column) for column in table.columns]
    for row in table.rows:
        yield dict(zip(reversed(names), reversed(row), strict=True))


def lacking(table: Table, *names: str) -> None:
    """Check that a table has these columns (in any case, with or without blanks and underscores).

    Raises:
        TableError: it lacks one; all that it lacks and all that it has are listed.
    """
    there = {plain_name(column) for column in table.columns}
    missing = [name for name in names if plain_name(name) not in there]
    if missing:
        raise TableError(
            f"“{shown(table.path.name)}” lacks {examples([f'“{name}”' for name in missing], most=9)}.",
            f"Is it the release's own table? Its columns are: {', '.join(table.columns)}.",
        )


# -- collecting


@dataclass(slots=True)
class Gathering:
    """Entries of a listing as they are found, and what was named but is not there."""

    images: Images
    entries: list[Entry] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    """The pictures that were spoken of, taken or not."""

    def take(
        self,
        said: str,
        labels: tuple[str, ...],
        *,
        patient: str | None = None,
        group: str | None = None,
        fold: str | None = None,
        covariates: Mapping[str, str] | None = None,
        masks: tuple[str, ...] = (),
    ) -> bool:
        """Add the picture that a row speaks of; whether there is one. A second row of the same picture is skipped."""
        name = self.images.named(said)
        if name is None:
            self.skip(said, "missing_image", "The release names this image, and it is not in the folder.")
            return False
        if name in self.named:
            self.skip(name, "repeated", "Another row speaks of this image already.")
            return False
        self.named.add(name)
        facts = {key: value for key, value in (covariates or {}).items() if value}
        file = str(self.images.root / name)
        self.entries.append(Entry(shown(name), file, labels, None, patient, group, fold, facts, masks))
        return True

    def leave(self, said: str, reason: str, message: str) -> None:
        """Leave a picture out for a reason, whether it is there or not."""
        name = self.images.named(said)
        if name is not None:
            self.named.add(name)
        self.skip(name or said, reason, message)

    def skip(self, path: str, reason: str, message: str) -> None:
        """Note something that did not become an entry."""
        self.skipped.append(Skipped(shown(path), reason, message))

    def remarks(self) -> tuple[str, ...]:
        """Warnings: pictures that nothing names, and what file managers left."""
        unlisted = [name for name in self.images.files if name not in self.named]
        said = []
        if unlisted:
            which = examples(map(shown, unlisted))
            said.append(f"Not taken, because no row names them: {counted(len(unlisted), 'image')} ({which}).")
        if self.images.copies:
            which = examples(map(shown, self.images.copies))
            said.append(f"Second copies that count once: {counted(len(self.images.copies), 'image')} ({which}).")
        return (*said, *junk_remark(self.images.junk))


def junk_remark(junk: Sequence[str]) -> tuple[str, ...]:
    """A warning that names the rubbish of file managers; none where there is none."""
    if not junk:
        return ()
    return (f"{counted(len(junk), 'file')} of file managers left out: {examples(map(shown, junk))}.",)


def packed_in(root: Path) -> list[str]:
    """The archives in a folder and in those directly in it, by name: what is in them is not there yet."""
    inside, here = _listed(root)
    for name in sorted(inside) if len(inside) <= _MOST_FOLDERS else []:
        here += _listed(root / name)[1]
    return sorted({shown(name) for name in here if name.lower().endswith(_ARCHIVES)}, key=natural)


# -- counts


def difference(count: Count) -> str:
    """“25,331 images known, 25,330 found: 1 missing”, as one line."""
    if count.known is None:
        return f"{count.found:,} {count.what} found; no number was published"
    apart = count.found - count.known
    said = f"{-apart:,} missing" if apart < 0 else f"{apart:,} more" if apart else "as published"
    return f"{count.known:,} {count.what} known, {count.found:,} found: {said}"

"""One folder a class, its pictures anywhere below; ``train``, ``val``, ``test`` above them are official folds."""

from __future__ import annotations

from pathlib import Path

from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import Entry, ImportOptions, Listing
from medfm_gui.datasets.partitions import all_are_partitions, partition_named
from medfm_gui.datasets.published import junk_remark
from medfm_gui.datasets.text import cell, examples, natural, shown, words
from medfm_gui.datasets.walk import TABLE_SUFFIXES, Tree, looks_like_image, suffix_of, walk
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted

_NOT_PICTURES = frozenset(
    words(".txt .md .csv .tsv .json .xml .html .htm .pdf .py .npz .npy .log .yaml .yml .ini .rtf .docx")
)


def recognises(source: Path) -> str | None:
    """At least two folders with files that look like images."""
    if not source.is_dir():
        return None
    found = {name.split("/")[0] for name in walk(source).files if "/" in name and _may_be_picture(name)}
    return f"there are {len(found)} folders with images: {examples(sorted(found))}" if len(found) > 1 else None


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the pictures below each class folder.

    Raises:
        InputError: there is no such folder, or there are no class folders.
    """
    if not source.is_dir():
        raise InputError(f"“{shown(str(source))}” is not a folder.", "Name the folder that holds one folder a class.")
    tree = walk(source)
    official = _has_official_folds(tree.files)
    entries: list[Entry] = []
    skipped = list(tree.skipped)
    for name in tree.files:
        parts = name.split("/")
        depth = 2 if official else 1
        if len(parts) <= depth:
            if looks_like_image(name):
                skipped.append(Skipped(shown(name), "no_label", "This image lies in no class folder."))
        elif suffix_of(name) in _NOT_PICTURES and not looks_like_image(name):
            skipped.append(Skipped(shown(name), "not_an_image", "This file is no image."))
        else:
            side = partition_named(parts[0]) if official else None
            fold = side.value if side else None
            label = cell(parts[depth - 1]) or parts[depth - 1]  # a class may well be called “NA”
            entries.append(Entry(shown(name), str(source / name), (label,), fold=fold))
    classes = {entry.labels[0] for entry in entries}
    if len(classes) == 1 and not official:
        _complain_of_one_class(source, entries)
    taken = {"class": "the folder's name"}
    if official:
        taken["fold"] = f"the folders {examples(sorted({name.split('/')[0] for name in tree.files if '/' in name}))}"
    return Listing(
        "folder",
        source,
        tuple(entries),
        label_names=("folder",),
        classes=tuple(sorted(classes, key=natural)),
        skipped=tuple(skipped),
        warnings=(*_empty_folders(source, tree), *junk_remark(tree.junk)),
        taken=taken,
    )


def _may_be_picture(name: str) -> bool:
    return looks_like_image(name) or not suffix_of(name)


def _has_official_folds(files: tuple[str, ...]) -> bool:
    """Whether the top level is train, val, test and the classes lie below it.

    Raises:
        InputError: the top level is, but there are no class folders in it.
    """
    deep = [name.split("/") for name in files if "/" in name]
    top = {parts[0] for parts in deep}
    sides = {side for name in top if (side := partition_named(name))}
    if not all_are_partitions(top) or len(sides) < 2:
        return False
    if not any(len(parts) > 2 for parts in deep):
        raise InputError(
            f"The folders {examples(sorted(top))} hold images but no folder a class.",
            "Put a folder for each class into them, or import a table of labels with the layout csv.",
        )
    return True


def _complain_of_one_class(source: Path, entries: list[Entry]) -> None:
    only = entries[0].labels[0]
    tables = [item.name for item in source.iterdir() if item.suffix.lower() in TABLE_SUFFIXES]
    if tables:
        raise InputError(
            f"“{shown(source.name)}” holds one folder only, “{only}”, so there is one class and nothing to tell apart.",
            f"There is a table, {examples(map(shown, sorted(tables)))}: import it with the layout csv.",
        )
    below = sorted({parts[1] for entry in entries if len(parts := entry.path.split("/")) > 2})
    if len(below) > 1:
        raise InputError(
            f"“{shown(source.name)}” holds one folder only, “{only}”, so there is one class and nothing to tell apart.",
            f"The folders {examples(below)} lie below it: import “{shown(str(source / only))}” instead.",
        )


def _empty_folders(source: Path, tree: Tree) -> tuple[str, ...]:
    told = [item.path for item in tree.skipped]  # a folder that cannot be read may well hold files
    filled = {name.split("/")[0] for name in (*tree.files, *told) if "/" in name}
    empty = sorted(
        shown(item.name)
        for item in source.iterdir()
        if item.is_dir() and not item.is_symlink() and not item.name.startswith(".") and item.name not in filled
    )
    return (f"{counted(len(empty), 'folder')} without a file: {examples(empty)}.",) if empty else ()


LAYOUT = Layout("folder", "One folder a class", "classification", recognises, read)

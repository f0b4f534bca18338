"""A table with one row an image: paths, labels, patients, folds; every other column is kept as a covariate."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from medfm_gui.datasets.columns import IDENTITY, NAMES_OF_PERSONS, Columns, covariates, recognise
from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import Entry, ImportOptions, Listing
from medfm_gui.datasets.locate import ImageFolder, Missing, is_absolute
from medfm_gui.datasets.pseudonym import pseudonym
from medfm_gui.datasets.published import junk_remark
from medfm_gui.datasets.sheets import SHEET_SUFFIXES
from medfm_gui.datasets.table import Table, read_table
from medfm_gui.datasets.text import examples, plain_name, shown
from medfm_gui.datasets.walk import TABLE_SUFFIXES, is_junk, looks_like_image
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import TableError
from medfm_gui.domain.units import counted


def recognises(source: Path) -> str | None:
    """A table, or a folder with one beside or above its images."""
    if source.is_file():
        return "it is a table" if source.suffix.lower() in TABLE_SUFFIXES | SHEET_SUFFIXES else None
    tables = tables_in(source)
    return f"there is a table, {examples(shown(path.name) for path in tables)}" if tables else None


def tables_in(folder: Path) -> list[Path]:
    """The tables that lie directly in a folder, by name; workbooks and Parquet files only where there is no text
    and not a folder a class.

    Hidden files (``._labels.csv``) and the marks of an open workbook (``~$labels.xlsx``) are none.
    """
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if not is_junk(path.name) and not path.name.startswith("~$")]
    found = {path: path.suffix.lower() for path in files if path.is_file()}
    texts = sorted(path for path, suffix in found.items() if suffix in TABLE_SUFFIXES)
    if texts or sum(path.is_dir() for path in files) > 1:  # a workbook beside class folders is seldom their table
        return texts
    return sorted(path for path, suffix in found.items() if suffix in SHEET_SUFFIXES)


def table_of(source: Path) -> Path:
    """The table that a source means: itself, or the one in the folder.

    Raises:
        TableError: the folder has none, or several and none is called after labels.
    """
    if not source.is_dir():
        return source
    tables = tables_in(source)
    named = [path for path in tables if "label" in path.stem.casefold()]
    chosen = tables if len(tables) == 1 else named
    if len(chosen) != 1:
        raise TableError(
            f"“{shown(source.name)}” holds {counted(len(tables), 'table')}"
            + (f": {examples(shown(path.name) for path in tables)}." if tables else "."),
            "Name the table itself as the source." if tables else "Put the table beside the images, or name it.",
        )
    return chosen[0]


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the images of a table.

    Raises:
        TableError: the table cannot be read, or a column that is needed is not in it.
        InputError: the image folder cannot be read.
    """
    table = read_table(options.table or table_of(source))
    folder = ImageFolder(options.images or (source if source.is_dir() else table.path.parent))
    columns = recognise(table, options, lambda value: isinstance(folder.find(value), str))
    entries, skipped = _entries(table, columns, folder)
    if plain_name(columns.patient) in NAMES_OF_PERSONS:
        entries = [replace(entry, patient=entry.patient and pseudonym(tools.key, entry.patient)) for entry in entries]
        columns.why["patient"] += ", kept as pseudonyms"
    if plain_name(columns.group) in IDENTITY:
        entries = [replace(entry, group=entry.group and pseudonym(tools.key, entry.group)) for entry in entries]
        columns.why["group"] += ", kept as pseudonyms"
    entries, conflicts, doubled = _without_doubles(entries)
    kept, left_out = covariates(table, columns.all)
    warnings = list(table.warnings)
    if doubled:
        warnings.append(f"{counted(doubled, 'row')} repeated what another says of the same image, and counted once.")
    absolute = sum(map(is_absolute, table.column(columns.path)))
    if absolute:
        warnings.append(
            f"{counted(absolute, 'path')} of some computer in the table: not looked at; the image of that folder and "
            "name in the image folder is taken."
        )
    unlisted = sum(looks_like_image(name) for name in folder.files) - len({entry.file for entry in entries})
    if unlisted > 0:
        warnings.append(f"{counted(unlisted, 'image')} in the image folder were not taken: no usable row names them.")
    if left_out:
        warnings.append(f"Not kept, because they say who a person is: {', '.join(left_out)}.")
    return Listing(
        "csv",
        folder.root,
        tuple(entries),
        label_names=columns.labels,
        skipped=(*skipped, *conflicts, *folder.skipped),
        warnings=(*warnings, *junk_remark(folder.junk)),
        taken=_taken(table, columns, kept),
    )


def _entries(table: Table, columns: Columns, folder: ImageFolder) -> tuple[list[Entry], list[Skipped]]:
    position = {name: number for number, name in enumerate(table.columns)}
    kept = [(name, position[name]) for name in covariates(table, columns.all)[0]]
    labels = [position[name] for name in columns.labels]
    roles = [position.get(name, -1) for name in (columns.patient, columns.group, columns.fold)]
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    for row, line in zip(table.rows, table.lines, strict=True):
        said = row[position[columns.path]]
        if not said:
            skipped.append(Skipped(f"{shown(table.path.name)}, line {line}", "no_path", "This row names no image."))
            continue
        name = folder.find(said)
        if isinstance(name, Missing):
            skipped.append(Skipped(said, name.reason, name.message))
            continue
        patient, group, fold = (row[number] or None if number >= 0 else None for number in roles)
        facts = {key: row[number] for key, number in kept if row[number]}
        cells = tuple(row[number] for number in labels)
        file = str(folder.root / name)
        entries.append(Entry(shown(name), file, cells, patient=patient, group=group, fold=fold, covariates=facts))
    return entries, skipped


def _without_doubles(entries: list[Entry]) -> tuple[list[Entry], list[Skipped], int]:
    """One entry an image; images whose rows contradict one another are skipped, whichever row is right."""
    first: dict[str, Entry] = {}
    contradictions: dict[str, Skipped] = {}
    doubled = 0
    for entry in entries:
        known = first.setdefault(entry.file, entry)
        if known is entry:
            continue
        if known.labels != entry.labels:
            why = "The table gives this image different labels."
            contradictions.setdefault(entry.file, Skipped(entry.path, "conflicting_labels", why))
        elif replace(known, covariates={}) != replace(entry, covariates={}):
            why = "The table gives this image different patients, groups or folds."
            contradictions.setdefault(entry.file, Skipped(entry.path, "conflicting_rows", why))
        else:
            doubled += 1
    rows = Counter(entry.file for entry in entries)
    skipped = [item for file, item in contradictions.items() for _ in range(rows[file])]
    return [entry for file, entry in first.items() if file not in contradictions], skipped, doubled


def _taken(table: Table, columns: Columns, kept: list[str]) -> dict[str, str]:
    taken = {"table": f"{shown(table.path.name)} ({table.kind})"}
    roles = {"path": columns.path, "patient": columns.patient, "group": columns.group, "fold": columns.fold}
    for role, name in roles.items():
        if name:
            taken[role] = f"{name} ({columns.why[role]})"
    taken["label"] = f"{', '.join(columns.labels)} ({columns.why['label']})"
    if kept:
        taken["covariates"] = ", ".join(kept)
    return taken


LAYOUT = Layout("csv", "A table with one row an image", "classification", recognises, read)

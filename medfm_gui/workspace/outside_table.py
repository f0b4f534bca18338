"""Tables that come from outside: whose rows they are, by sample, path or patient, and what stands in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError
from medfm_gui.workspace.place import Workspace, pseudonym_key

if TYPE_CHECKING:
    from medfm_gui.datasets.table import Table

SAMPLE = ("sample", "sample_id", "id")
PATH = ("path", "file", "filename", "file_name", "image")
PATIENT = ("patient", "patient_id", "subject")
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Placed:
    """A table whose rows are known: for each row the sample ids that it speaks of; ``by`` is the column's name."""

    table: Table
    rows: tuple[tuple[str, ...], ...]
    by: str

    def where(self, row: int) -> str:
        """A row as people find it."""
        return f"line {self.table.lines[row]}"


def placed(workspace: Workspace, dataset: Dataset, file: Path) -> Placed:
    """Read a table and find the samples of each row.

    Raises:
        InputError: the file cannot be read, no column names samples, or rows name none of this dataset.
    """
    from medfm_gui.datasets.table import read_table

    path = file.expanduser().absolute()
    if not path.is_file():
        raise InputError(f"There is no file “{path}”.", "Check the path.")
    table = read_table(path)
    by, known = _known(workspace, dataset, table)
    cells = [_bare(cell) for cell in table.column(by)]
    strange = [(cell, line) for cell, line in zip(cells, table.lines, strict=True) if cell not in known]
    if strange:
        named = ", ".join(f"“{cell[:60]}” (line {line})" for cell, line in strange[:_NAMED])
        raise InputError(
            f"{len(strange)} of {len(cells)} rows of “{path.name}” are of no {by} of “{dataset.name}”: {named}"
            f"{f' and {len(strange) - _NAMED:,} more' if len(strange) > _NAMED else ''}.",
            "Nothing was imported. Take those rows out, or choose the dataset that the table belongs to.",
        )
    return Placed(table, tuple(known[cell] for cell in cells), by)


def column(table: Table, names: Sequence[str]) -> str:
    """The first column of one of these names, whatever its case; empty where there is none."""
    folded = {name.casefold().strip(): name for name in table.columns}
    return next((folded[name.casefold()] for name in names if name.casefold() in folded), "")


def _bare(cell: str) -> str:
    """A cell without the mark that keeps a spreadsheet from taking it for a formula."""
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in "=+-@" else text


def _known(workspace: Workspace, dataset: Dataset, table: Table) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    if by := column(table, SAMPLE):
        return by, {sample.id: (sample.id,) for sample in dataset.samples}
    if by := column(table, PATH):
        return by, _paths(dataset)
    if by := column(table, PATIENT):
        return by, _patients(workspace, dataset, table.column(by))
    raise InputError(
        f"“{table.path.name}” has no column that names samples; it has {', '.join(table.columns)}.",
        "Give it a column “sample”, “path” or “patient”.",
    )


def _paths(dataset: Dataset) -> Mapping[str, tuple[str, ...]]:
    """Paths as imported, and file names where they are unique."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    names: defaultdict[str, list[str]] = defaultdict(list)
    for sample in dataset.samples:
        found[sample.path].append(sample.id)
        names[PurePosixPath(sample.path).name].append(sample.id)
    alone = {name: tuple(ids) for name, ids in names.items() if len(ids) == 1}
    return {**alone, **{path: tuple(ids) for path, ids in found.items()}}


def _patients(workspace: Workspace, dataset: Dataset, cells: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Patients as the dataset names them, or by the names that were replaced on import."""
    from medfm_gui.datasets.pseudonym import pseudonym

    found: defaultdict[str, list[str]] = defaultdict(list)
    for sample in dataset.samples:
        if sample.patient is not None:
            found[sample.patient].append(sample.id)
    key = pseudonym_key(workspace)
    for cell in {_bare(cell) for cell in cells} - set(found):
        if (hidden := pseudonym(key, cell)) in found:
            found[cell] = found[hidden]
    return {name: tuple(ids) for name, ids in found.items()}

"""What lies at a place that a person wants to import: its layout, the columns of its table, what would become of it.

``look_at`` reads names and a table's header, ``preview`` does the whole import without keeping anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.domain.dataset import Count, Skipped, Task
from medfm_gui.domain.errors import InputError, MedfmError
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.datasets.layout import Layout
    from medfm_gui.datasets.listing import ImportOptions
    from medfm_gui.datasets.table import Table
    from medfm_gui.domain.dataset import Dataset

Progress = Callable[[int, int], None]
_OF_A_TABLE = frozenset({"", "csv", "dicom", "folder", "medmnist", "nifti"})
"""Layouts (or none) beside which a table of labels may lie that a person chose or made."""
_EXAMPLES = 3
_MOST_COLUMNS = 500
_MOST_SKIPPED = 500


@dataclass(frozen=True, slots=True)
class SourceWish:
    """What a person said about a source; everything left empty is recognised. Folders and files by absolute path."""

    layout: str = "auto"
    labels: tuple[str, ...] = ()
    path: str = ""
    patient: str = ""
    group: str = ""
    fold: str = ""
    images: str = ""
    table: str = ""
    join: str = ""
    task: str = ""
    positive: str = ""
    policies: Mapping[str, str] = field(default_factory=dict)
    preset: str = ""


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """A decision that a layout leaves to a person: its values with what each means, and what is taken by itself."""

    name: str
    title: str
    choices: tuple[tuple[str, str], ...]
    standard: str


@dataclass(frozen=True, slots=True)
class LayoutFacts:
    """A layout that can be imported: its name and what it is, its policies, and those of each study by its name."""

    name: str
    title: str
    policies: tuple[PolicyFacts, ...] = ()
    presets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """A column of a table: its name, how many different values it has, and the first few."""

    name: str
    n_values: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What was found at a place without decoding anything.

    ``layout`` is the one recognised (empty: none) and ``reason`` says why; ``table`` is the file name of the table
    that would be read and ``columns`` are its columns; ``problem`` says why there is no layout or no table.
    """

    path: str
    name: str
    is_folder: bool
    layouts: tuple[LayoutFacts, ...]
    layout: str = ""
    reason: str = ""
    table: str = ""
    n_rows: int = 0
    columns: tuple[ColumnFacts, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SkippedGroup:
    """Files that were left out for one reason: how many, and the first of them."""

    reason: str
    count: int
    items: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import would give. ``counts`` are images a class, in the order of ``classes``; sides in pixels."""

    layout: str
    name: str
    task: Task
    classes: tuple[str, ...]
    positive: str | None
    counts: tuple[int, ...]
    n_samples: int
    n_patients: int | None
    n_skipped: int
    smallest: tuple[int, int] = (0, 0)
    largest: tuple[int, int] = (0, 0)
    taken: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    skipped: tuple[SkippedGroup, ...] = ()
    known: tuple[Count, ...] = ()
    policies: Mapping[str, str] = field(default_factory=dict)
    n_masked: int = 0


def look_at(path: str, *, table: str = "") -> SourceFacts:
    """Recognise the layout of a folder or file and read the header of its table; ``table`` names another table.

    Raises:
        InputError: there is nothing at that place, or it cannot be read.
    """
    from medfm_gui.datasets.layouts import LAYOUTS, choose, entered
    from medfm_gui.datasets.text import shown

    source = _absolute(path)
    if not source.exists():
        raise InputError(f"“{shown(str(source))}” does not exist.", "Check the path, or choose another folder or file.")
    source = entered(source)
    layout, reason, problem = "", "", ""
    try:
        chosen, reason = choose("auto", source)
        layout = chosen.name
    except InputError as error:
        problem = str(error)
    found: Table | None = None
    try:
        # A release knows its own tables: which of them a person would take for labels is no question then.
        found = _table(source, table) if table or layout in _OF_A_TABLE else None
    except MedfmError as error:
        problem = problem or str(error)
    return SourceFacts(
        path=str(source),
        name=shown(source.stem if source.is_file() else source.name),
        is_folder=source.is_dir(),
        layouts=tuple(map(_layout_facts, LAYOUTS)),
        layout=layout,
        reason=reason,
        table=shown(found.path.name) if found else "",
        n_rows=len(found.rows) if found else 0,
        columns=_columns(found) if found else (),
        problem=problem,
    )


def _layout_facts(layout: Layout) -> LayoutFacts:
    policies = tuple(
        PolicyFacts(
            policy.name,
            policy.title,
            tuple((choice.value, choice.title) for choice in policy.choices),
            policy.standard,
        )
        for policy in layout.policies
    )
    return LayoutFacts(layout.name, layout.title, policies, {name: dict(one) for name, one in layout.presets.items()})


def _absolute(path: str) -> Path:
    return Path(path.strip()).expanduser().absolute()


def _table(source: Path, named: str) -> Table | None:
    """The table that an import would read; None where the source has none."""
    from medfm_gui.datasets.importers.csv_table import table_of, tables_in
    from medfm_gui.datasets.sheets import SHEET_SUFFIXES
    from medfm_gui.datasets.table import read_table
    from medfm_gui.datasets.walk import TABLE_SUFFIXES

    if named:
        return read_table(_absolute(named))
    if source.is_file():
        return read_table(source) if source.suffix.lower() in TABLE_SUFFIXES | SHEET_SUFFIXES else None
    for folder in (source, source.parent):  # a DICOM tree often lies beside its table
        if tables_in(folder):
            return read_table(table_of(folder))
    return None


def _columns(table: Table) -> tuple[ColumnFacts, ...]:
    found = []
    for name in table.columns[:_MOST_COLUMNS]:
        values = dict.fromkeys(value for value in table.column(name) if value)
        found.append(ColumnFacts(name, len(values), tuple(list(values)[:_EXAMPLES])))
    return tuple(found)


def options_of(wish: SourceWish) -> ImportOptions:
    """The wish as the importers take it.

    Raises:
        UsageError: the task is none.
    """
    from medfm_gui.datasets.listing import ImportOptions

    return ImportOptions(
        labels=wish.labels,
        path=wish.path,
        patient=wish.patient,
        group=wish.group,
        fold=wish.fold,
        images=_absolute(wish.images) if wish.images else None,
        table=_absolute(wish.table) if wish.table else None,
        join=wish.join,
        task=wish.task,
        positive=wish.positive,
        policies=wish.policies,
        preset=wish.preset,
    )


def preview(workspace: Workspace, path: str, wish: SourceWish, *, on_progress: Progress | None = None) -> ImportReport:
    """Do the whole import and keep nothing.

    Raises:
        InputError, UsageError: as the import itself would.
    """
    from medfm_gui.workspace.data import import_dataset

    made = import_dataset(
        workspace, wish.layout, _absolute(path), options_of(wish), dry_run=True, on_progress=on_progress
    )
    return report_of(made)


def report_of(dataset: Dataset) -> ImportReport:
    """What a dataset holds and what was left out of it, as counts."""
    sides = sorted({(sample.rows, sample.columns) for sample in dataset.samples}, key=lambda side: side[0] * side[1])
    return ImportReport(
        layout=dataset.layout,
        name=dataset.name,
        task=dataset.task,
        classes=dataset.classes,
        positive=dataset.positive,
        counts=class_counts(dataset),
        n_samples=len(dataset.samples),
        n_patients=dataset.n_patients,
        n_skipped=len(dataset.skipped),
        smallest=sides[0] if sides else (0, 0),
        largest=sides[-1] if sides else (0, 0),
        taken=dataset.taken,
        warnings=dataset.warnings,
        skipped=skipped_groups(dataset.skipped),
        known=dataset.counts,
        policies=dataset.policies,
        n_masked=sum(bool(sample.masks) for sample in dataset.samples),
    )


def class_counts(dataset: Dataset) -> tuple[int, ...]:
    """Images a class; with several findings an image, the images that show each; masks are not looked into."""
    found: Counter[int] = Counter()
    for sample in dataset.samples:
        if dataset.task is Task.SEGMENTATION:
            continue
        if dataset.task is Task.MULTILABEL:
            found.update(number for number, value in enumerate(sample.target) if value == 1)
        else:
            found[sample.target[0]] += 1
    return tuple(found[number] for number in range(len(dataset.classes)))


def skipped_groups(skipped: Sequence[Skipped]) -> tuple[SkippedGroup, ...]:
    """Files left out by reason, the most frequent reason first, each with its first 500 files."""
    by_reason: dict[str, list[Skipped]] = {}
    for item in skipped:
        by_reason.setdefault(item.reason, []).append(item)
    order = sorted(by_reason.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(SkippedGroup(reason, len(items), tuple(items[:_MOST_SKIPPED])) for reason, items in order)

"""Raw cells become a task, classes and targets: one class an image, an ordered grade, or several findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from medfm_gui.datasets.positive import likely_positive
from medfm_gui.datasets.text import examples, natural, nearest, plain_name
from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import TableError, UsageError
from medfm_gui.domain.units import counted

NO_FINDING = frozenset({"nofinding", "nofindings", "noabnormality", "normal", "none", "healthy"})
"""Words (as ``plain_name`` writes them) that say of an image that it shows no finding."""
_SEPARATORS = ("|", ";", ",")
_YES = frozenset({"1", "true", "yes", "y", "positive", "present"})
_NO = frozenset({"0", "false", "no", "n", "negative", "absent"})
_UNSURE = frozenset({"", "-1", "uncertain", "unknown"})
_MANY = 50
"""Above so many classes, labels that hardly repeat are taken for identifiers."""

Cells = Sequence[tuple[str, ...]]
Target = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Labelling:
    """``targets`` has one entry a row of cells; None where the row has no label."""

    task: Task
    classes: tuple[str, ...]
    targets: tuple[Target | None, ...]
    positive: str | None = None
    taken: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def label(
    names: Sequence[str],
    cells: Cells,
    *,
    task: Task | None = None,
    classes: Sequence[str] = (),
    positive: str = "",
) -> Labelling:
    """Make targets of cells.

    Args:
        names: the label columns.
        cells: for each image its cells, one a column; empty = no label.
        task: what was asked for; None = recognised (never ordinal, which only a person can know).
        classes: the classes in a given order, where the layout knows them; sorted naturally otherwise.
        positive: the event of a binary task, where it was named.

    Raises:
        TableError: the cells do not fit the task.
        UsageError: ``positive`` is not a class.
    """
    if len(names) > 1:
        if task in (None, Task.MULTILABEL):
            return _columns_of_findings(names, cells)
        return _one_class(_one_hot(names, cells), task, tuple(classes) or tuple(names), positive, names)
    column = [row[0] for row in cells]
    may_join = task is Task.MULTILABEL or (task is None and not classes)
    separator = _separator(column, asked=task is Task.MULTILABEL) if may_join else ""
    if separator or task is Task.MULTILABEL:
        return _joined_findings(column, separator, classes, names[0])
    return _one_class(_whole_numbers(column), task, tuple(classes), positive, names)


def _one_class(
    column: Sequence[str], task: Task | None, classes: tuple[str, ...], positive: str, names: Sequence[str]
) -> Labelling:
    seen = Counter(value for value in column if value)
    if task is Task.ORDINAL and not classes:  # a layout that knows the grades gives them in their order
        _check_grades(seen, names[0])
    found = tuple(name for name in classes if name in seen) or tuple(sorted(seen, key=natural))
    _check_repeats(found, seen, names[0])
    task = task or (Task.BINARY if len(found) == 2 else Task.MULTICLASS)
    if task is Task.BINARY and len(found) > 2:
        raise TableError(
            f"“{names[0]}” holds {len(found)} classes ({examples(found)}), and a binary task has two.",
            "Use --task multiclass, or another column with --label.",
        )
    event, why = _event(found, positive) if task is Task.BINARY and len(found) == 2 else (None, "")
    index = {name: position for position, name in enumerate(found)}
    taken = {} if event is None else {"positive class": f"{event} ({why})"}
    targets = tuple((index[value],) if value else None for value in column)
    return Labelling(task, found, targets, event, taken, _alike(found))


def _event(classes: tuple[str, ...], asked: str) -> tuple[str, str]:
    if not asked:
        return likely_positive(classes)
    same = [name for name in classes if name == asked] or [
        name for name in classes if name.casefold() == asked.strip().casefold()
    ]
    if len(same) != 1:
        meant = nearest(asked, classes)
        raise UsageError(
            f"The positive class “{asked}” is not one of {', '.join(classes)}.",
            f"Did you mean “{meant[0]}”?" if meant else "Name one of the classes with --positive.",
        )
    return same[0], "as asked"


def _check_grades(seen: Counter[str], column: str) -> None:
    wrong = sorted((value for value in seen if not value.lstrip("+-").isdecimal()), key=natural)
    if wrong:
        raise TableError(
            f"“{column}” holds {examples(wrong)}, and an ordinal task needs whole numbers as grades.",
            "Write the grades as 0, 1, 2 …, or use --task multiclass.",
        )


def _check_repeats(classes: Sequence[str], seen: Counter[str], column: str) -> None:
    if len(classes) > _MANY and len(classes) * 2 > sum(seen.values()):
        raise TableError(
            f"“{column}” has {len(classes)} different values for {sum(seen.values())} images: "
            "that looks like identifiers or measurements, not classes.",
            "Name the column of the class with --label.",
        )


def _whole_numbers(column: Sequence[str]) -> list[str]:
    """“1.0” as “1” when every label is a whole number, as spreadsheets like to write them."""
    if not any(value.endswith(".0") for value in column):
        return list(column)
    bare = [value.removesuffix(".0") for value in column]
    return bare if all(value.lstrip("+-").isdecimal() for value in bare if value) else list(column)


def _alike(classes: Sequence[str]) -> tuple[str, ...]:
    folded: dict[str, list[str]] = {}
    for name in classes:
        folded.setdefault("".join(name.casefold().split()), []).append(name)
    return tuple(
        f"The classes {' and '.join(f'“{name}”' for name in names)} differ only in case or blanks; are they one?"
        for names in folded.values()
        if len(names) > 1
    )


# -- several findings an image


def _separator(column: Sequence[str], *, asked: bool) -> str:
    """What joins findings in one cell, or nothing: a bar always does, others only when it is plain."""
    for mark in _SEPARATORS:
        joined = [value for value in column if mark in value]
        if not joined:
            continue
        if mark == "|" or asked or _plainly_joined(joined, column, mark):
            return mark
    return ""


def _plainly_joined(joined: Sequence[str], column: Sequence[str], mark: str) -> bool:
    """Whether each part of a joined cell also stands alone or in another combination somewhere."""
    cells_with: Counter[str] = Counter()
    for value in set(column):
        cells_with.update(set(_parts(value, mark)))
    parts = {part for value in joined for part in _parts(value, mark)}
    return len(set(joined)) > 1 and all(cells_with[part] > 1 for part in parts)


def _parts(value: str, mark: str) -> list[str]:
    return [part.strip() for part in (value.split(mark) if mark else [value]) if part.strip()]


def _joined_findings(column: Sequence[str], mark: str, classes: Sequence[str], name: str) -> Labelling:
    rows = [_parts(value, mark) for value in column]
    seen = {part for row in rows for part in row}
    together = {part for row in rows if len(set(row)) > 1 for part in row}
    healthy = {part for part in seen if plain_name(part) in NO_FINDING}
    found = tuple(classes) or tuple(sorted(seen - (healthy - together), key=natural))
    _check_repeats(found, Counter(part for row in rows for part in row), name)
    index = {finding: position for position, finding in enumerate(found)}
    targets: list[Target | None] = []
    for row in rows:
        marks = [0] * len(found)
        for part in row:
            if part in index:
                marks[index[part]] = 1
        targets.append(tuple(marks) if row else None)
    taken = {"findings": f"joined by “{mark}”" if mark else "one a cell"}
    if healthy - together:
        taken["no finding"] = ", ".join(sorted(healthy - together))
    odd = sorted(healthy & together)
    contradiction = tuple(f"“{part}” stands beside findings in some rows, so it was kept as a finding." for part in odd)
    return Labelling(Task.MULTILABEL, found, tuple(targets), None, taken, (*contradiction, *_alike(found)))


def _columns_of_findings(names: Sequence[str], cells: Cells) -> Labelling:
    marks = [tuple(_mark(value, name) for value, name in zip(row, names, strict=True)) for row in cells]
    targets = tuple(None if all(mark == UNKNOWN for mark in row) else row for row in marks)
    unsure = sum(mark == UNKNOWN for row in targets if row for mark in row)
    said = (f"{counted(unsure, 'label')} blank or -1: taken as unknown, not as absent.",) if unsure else ()
    return Labelling(Task.MULTILABEL, tuple(names), targets, None, {"label": ", ".join(names)}, said)


def _mark(value: str, column: str) -> int:
    word = value.casefold().removesuffix(".0")
    if word in _UNSURE:
        return UNKNOWN
    if word in _YES:
        return 1
    if word in _NO:
        return 0
    raise TableError(
        f"The column “{column}” holds “{value}”; several label columns must hold 0, 1, -1 or nothing.",
        "Name one column that holds the class, or only columns of 0 and 1.",
    )


def _one_hot(names: Sequence[str], cells: Cells) -> list[str]:
    """The one column of each row that is 1; empty where none or several are."""
    column = []
    for row in cells:
        ones = [name for value, name in zip(row, names, strict=True) if _mark(value, name) == 1]
        column.append(ones[0] if len(ones) == 1 else "")
    return column

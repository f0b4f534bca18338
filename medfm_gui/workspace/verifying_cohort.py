"""The counts of a report made again from the rows of its split: who is in each partition, and who is on two sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from medfm_gui.domain.report import Table
from medfm_gui.domain.split import LeakKind, Partition
from medfm_gui.workspace.evidence_numbers import Printed
from medfm_gui.workspace.evidence_split import SplitRow
from medfm_gui.workspace.evidence_study import STUDY, ToldSplit
from medfm_gui.workspace.report_demographics import (
    CHARACTERISTICS,
    FEW,
    NOT_RECORDED,
    SMALLEST,
    WITHHELD,
    characteristic_title,
    characteristics,
)
from medfm_gui.workspace.report_limits import SCANNERS, SITES, named_sources
from medfm_gui.workspace.subgrouping import SEVERAL
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_runs import differs
from medfm_gui.workspace.verifying_sections import Again

_HIDDEN = (FEW, WITHHELD)


def cohort_differs(again: Again, shown: Printed | None) -> list[Difference]:
    """Characteristics by partition that are not those of the rows, and patients or pictures that stand on two sides."""
    found = [*_two_sides(again), *_sources(again)]
    table = next((one for one in shown.tables if one.caption.startswith(CHARACTERISTICS)), None) if shown else None
    if shown is not None and not again.folds:  # whose partitions differ
        found += _characteristics(again, table)
    return found


def _characteristics(again: Again, table: Table | None) -> Iterator[Difference]:
    counted = characteristics(again.dataset, again.split, is_grouped=True)
    if table is None:
        if counted:
            message = f"The attached split tells {', '.join(counted)}, and no table shows them by partition."
            yield Difference(CHARACTERISTICS, "missing", message)
        return
    sides = [Partition(name) for name in table.header[2:]]
    units = {side: next(iter(counted.values())).counted[side].total() if counted else 0 for side in sides}
    wanted = {
        (characteristic_title(name), value): [one.counted[side][value] for side in sides]
        for name, one in counted.items()
        for value in one.order
        if value != WITHHELD
    }
    title = ""
    for number, row in enumerate(table.rows):
        title = row[0] or title
        whole = [units[side] for side in sides]
        numbers = wanted.pop((title, row[1]), [0] * len(sides)) if number else whole
        name = ", ".join(cell for cell in (title, row[1]) if cell)
        for side, cell, count in zip(sides, row[2:], numbers, strict=True):
            if cell in _HIDDEN:
                fits = count == 0 or (count < SMALLEST if cell == FEW else number == 0)
            else:
                fits = cell == f"{count:,}"
            if not fits:
                where = f"{CHARACTERISTICS}, {name}, {side.value}"
                message = f"{where}: shown is {cell}, by the attached split it is {count:,}."
                yield Difference(where, "differs", message, None, f"{count:,}", cell)
    for (characteristic, value), numbers in wanted.items():
        if any(numbers):
            where = f"{CHARACTERISTICS}, {characteristic}, {value}"
            yield Difference(where, "missing", f"{where}: the row is not shown, and {sum(numbers):,} have this value.")


def _sources(again: Again) -> Iterator[Difference]:
    """Sites and scanners of the rows of the split, where the account tells fewer of them."""
    for title, number in (again.study.sources or {}).items():
        if title not in (SITES, SCANNERS):
            yield Difference(
                f"{STUDY}: {title}", "inserted", f"{STUDY} counts “{title[:80]}”, which no limitation is of."
            )
            continue
        values = {value for row in again.held.split for value in named_sources(title, row.covariates)}
        seen = min(2, len(values - {WITHHELD, NOT_RECORDED, SEVERAL}))
        if number < seen or number > 2:
            yield differs(f"{STUDY}: {title}, how many there are", number, seen)


def _two_sides(again: Again) -> Iterator[Difference]:
    """A patient, or pixels, in two partitions, where no leak of that kind was told."""
    yield from _torn(again.study.split, again.held.split)
    for one in again.study.folds[1:]:
        yield from _torn(one, again.held.fold_splits[one.id])


def _torn(split: ToldSplit, rows: Sequence[SplitRow]) -> Iterator[Difference]:
    told = {kind for kind, number in split.leaks.items() if number}
    for kind, of in ((LeakKind.PATIENT, "patient"), (LeakKind.PIXELS, "same")):
        sides: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            if row.partition:
                sides[getattr(row, of)].add(row.partition)
        sides.pop("", None)
        torn = [name for name, where in sides.items() if len(where) > 1]
        if torn and kind not in told:
            message = f"By the attached split {torn[0]} ({kind.value}) stands in {' and '.join(sorted(sides[torn[0]]))}"
            message += f", and {len(torn) - 1:,} more do so" if len(torn) > 1 else ""
            yield Difference(f"leak gate: {kind.value}", "differs", f"{message}; the report tells of no such leak.")

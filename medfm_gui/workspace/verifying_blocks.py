"""Where a section that was made anew differs from the one that was printed: its sentences, facts and tables."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from medfm_gui.domain.report import Block, Facts, Paragraph, Section, Table
from medfm_gui.workspace.evidence_numbers import Printed
from medfm_gui.workspace.report_demographics import FEW, NOTE, WITHHELD
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_pages import tables_differ

_HIDDEN = frozenset({FEW, WITHHELD})
_PRIMARY = " (primary)"
_SHOWN = 300
_ALIKE = 0.5


def section_differs(
    made: Section, shown: Printed, *, tables: bool = True, hidden: frozenset[str] = frozenset()
) -> list[Difference]:
    """What of a section that was made anew the printed one does not say, or says otherwise.

    Args:
        tables: whether its tables are looked at; if not, only which of their numbers are marked primary.
        hidden: names of facts and of rows that no attached file gives back.
    """
    made = replace(made, blocks=tuple(_without(block, hidden) for block in made.blocks))
    shown = replace(
        shown,
        facts=tuple(row for row in shown.facts if row[0] not in hidden),
        tables=tuple(_without_rows(table, hidden) for table in shown.tables),
    )
    found = [*_sentences(made, shown), *_facts(made, shown)]
    for table in (block for block in made.blocks if isinstance(block, Table)):
        other = same_table(table, shown.tables)
        if not tables:
            found += _marks(made.title, table, other)
        elif other is not None or table.rows:
            found += tables_differ(made.title, table, other, hidden=_HIDDEN)
            found += _caption(made.title, table, other)
    return found


def _without(block: Block, hidden: frozenset[str]) -> Block:
    if isinstance(block, Facts):
        return replace(block, rows=tuple(row for row in block.rows if row[0] not in hidden))
    return _without_rows(block, hidden) if isinstance(block, Table) else block


def _without_rows(table: Table, hidden: frozenset[str]) -> Table:
    return replace(table, rows=tuple(row for row in table.rows if row[:1] not in {(name,) for name in hidden}))


def unmade(again: Sequence[Table], shown: Printed) -> Iterator[str]:
    """Tables that were printed and not made anew: they stand in the contents alone."""
    for table in shown.tables:
        if not any(same_table(one, (table,)) for one in again):
            yield f"{shown.title}: {table.caption.rstrip('.') or 'a table'}"


def same_table(wanted: Table, tables: Sequence[Table]) -> Table | None:
    """The printed table that is this one: of the same caption up to a note in brackets, else of the same header."""
    start = wanted.caption.partition(" (")[0].partition(". Not primary")[0].rstrip(".")
    by_caption = next((one for one in tables if one.caption.startswith(start)), None)
    return by_caption or next((one for one in tables if one.header == wanted.header), None)


def _sentences(made: Section, shown: Printed) -> Iterator[Difference]:
    wanted = Counter(_plain(block.text) for block in made.blocks if isinstance(block, Paragraph))
    said = Counter(map(_plain, shown.sentences))
    left = list((said - wanted).elements())
    for text in (wanted - said).elements():
        if text == NOTE or not text:
            continue
        near = difflib.get_close_matches(text, left, 1, _ALIKE) if len(text) < 20_000 else []
        place = f"{made.title}: {(near[0] if near else text)[:60]}"
        if near:
            left.remove(near[0])
            message = f"{made.title}: it says “{near[0][:_SHOWN]}”, by the attached files it is “{text[:_SHOWN]}”"
            yield Difference(place, "differs", message, None, text[:_SHOWN], near[0][:_SHOWN])
        else:
            message = f"{made.title}: it does not say “{text[:_SHOWN]}”, which follows from the attached files."
            yield Difference(place, "missing", message, expected=text[:_SHOWN])


def _facts(made: Section, shown: Printed) -> Iterator[Difference]:
    rows = [row for block in made.blocks if isinstance(block, Facts) for row in block.rows]
    left = list(shown.facts)
    for row in rows:
        if row in left:
            left.remove(row)
    whole = Counter(shown.facts)
    for name, value in (Counter(rows) - whole).elements():
        other = next((is_ for title, is_ in left if title == name), None)
        if other is None:
            message = f"{made.title}: “{name}” is missing; by the attached files it is {value[:_SHOWN]}."
            yield Difference(f"{made.title}: {name}", "missing", message, expected=value[:_SHOWN])
            continue
        left.remove((name, other))
        message = f"{made.title}, {name}: shown is {other[:_SHOWN]}, by the attached files it is {value[:_SHOWN]}."
        yield Difference(f"{made.title}: {name}", "differs", message, None, value[:_SHOWN], other[:_SHOWN])


def _caption(title: str, made: Table, shown: Table | None) -> Iterator[Difference]:
    if shown is not None and shown.caption != made.caption:
        where = f"{title}: {made.caption.rstrip('.')}"
        message = f"{where}: above the table stands “{shown.caption[:_SHOWN]}”, by the attached files it is that."
        yield Difference(f"{where}, what stands above it", "differs", message, None, made.caption, shown.caption)


def _marks(title: str, made: Table, shown: Table | None) -> Iterator[Difference]:
    """Which numbers a protocol had promised must be those that are marked."""
    if shown is None:
        return
    wanted, marked = (Counter(row[:2] for row in one.rows if _is_marked(row)) for one in (made, shown))
    for row in (wanted - marked).elements():
        message = f"{title}: {', '.join(row)} is what the protocol promised, and it is not marked so."
        yield Difference(f"{title}: {', '.join(row)}", "differs", message)
    for row in (marked - wanted).elements():
        message = f"{title}: {', '.join(row)} is marked, and no attached protocol promised it."
        yield Difference(f"{title}: {', '.join(row)}", "differs", message)


def _is_marked(row: Sequence[str]) -> bool:
    return any(cell.endswith(_PRIMARY) for cell in row)


def _plain(text: str) -> str:
    return " ".join(text.split())

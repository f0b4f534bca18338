"""Whether the pages of a report show what its attached contents say: every sentence, value and row of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from medfm_gui.domain.report import Table
from medfm_gui.workspace.evidence_numbers import Contents, Printed
from medfm_gui.workspace.verifying import Difference

_LONGEST = 1000
"""A cell of more characters may be parted between two pages, so its row is not looked for."""
_SHOWN = 160


def pages_differ(contents: Contents, text: str) -> tuple[list[Difference], int]:
    """What the pages do not show as it was written, section by section; and how much was looked for.

    Args:
        text: of all pages, without any space (``reports.attached.read_pdf``).
    """
    found: list[Difference] = []
    checked = 0
    for section, part in _parts(contents.sections, text):
        if part is None:
            message = f"The pages have no section “{section.title}”."
            found.append(Difference(section.title, "missing", message))
            continue
        for where, wanted in _wanted(section):
            checked += 1
            if wanted and wanted[0] not in part and wanted[-1] not in part:
                message = f"{section.title}, {where}: the pages do not show what was written there."
                found.append(Difference(f"{section.title}: {where}", "differs", message, expected=wanted[0][:_SHOWN]))
    if contents.summary and _solid(contents.summary) not in text:
        found.append(Difference("Summary", "differs", "Summary: the pages do not show what was written there."))
    return found, checked + 1


def _parts(sections: Sequence[Printed], text: str) -> Iterator[tuple[Printed, str | None]]:
    """Each section with the text from its heading to the next one; None where the heading is not there."""
    places: list[int | None] = []
    last = 0
    for number, section in enumerate(sections, 1):
        place = text.find(f"{number}{_solid(section.title)}", last)
        places.append(place if place >= 0 else None)
        last = place + 1 if place >= 0 else last
    ends = [*places[1:], None]
    for section, start, end in zip(sections, places, ends, strict=True):
        yield section, None if start is None else text[start : end if end is not None else len(text)]


def _wanted(section: Printed) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where something stands, and how it may read on the pages without spaces."""
    for number, sentence in enumerate(section.sentences, 1):
        for line in filter(None, map(str.strip, sentence.splitlines())):
            yield f"sentence {number}", _readings((line,))
    for name, value in section.facts:
        yield name, _readings((name, *value.splitlines()))
    for table in section.tables:
        for number, row in enumerate(table.rows, 1):
            yield f"{_named(table)}, row {number} ({_key(row)})", _readings(row)


def _readings(cells: Sequence[str]) -> tuple[str, ...]:
    if any(len(cell) > _LONGEST for cell in cells):
        return ()
    return (_solid("".join(cells)), _solid("".join(map(_visible, cells))))


def _named(table: Table) -> str:
    return table.caption.rstrip(".") or "table"


def _key(row: Sequence[str]) -> str:
    return ", ".join(cell for cell in row[:2] if cell)[:_SHOWN]


def _visible(text: str) -> str:
    from medfm_gui.reports.plain import visible

    return visible(text)


def _solid(text: str) -> str:
    from medfm_gui.reports.attached import solid

    return solid(text)


def tables_differ(
    section: str, made: Table, shown: Table | None, *, hidden: frozenset[str], partial: bool = False
) -> list[Difference]:
    """Where a table that was made anew differs from the one that was printed, by row and column.

    Args:
        hidden: cells that tell no number.
        partial: rows may stand in the one and not in the other, because small groups are not told.
    """
    where = f"{section}: {_named(made)}"
    if shown is None:
        return (
            [Difference(where, "missing", f"{section} does not hold the table “{_named(made)}”.")] if made.rows else []
        )
    found: list[Difference] = []
    again = dict(_keyed(made.rows))
    for key, row in _keyed(shown.rows):
        other = again.pop(key, None)
        if other is None:
            if not partial:
                message = f"{where}, {key[0]}: no such row comes of these predictions."
                found.append(Difference(f"{where}, {key[0]}", "inserted", message))
            continue
        for title, cell, expected in _beside(made.header, shown.header, row, other):
            if not _agrees(cell, expected, hidden):
                place, is_, was = f"{where}, {key[0]}, {title}", _bare(cell), _bare(expected)
                message = f"{place}: shown is {is_}, by the attached files it is {was}."
                found.append(Difference(place, "differs", message, None, was, is_))
    if not partial:
        found += [
            Difference(f"{where}, {key[0]}", "missing", f"{where}, {key[0]}: the row is not shown.") for key in again
        ]
    return found


def _beside(
    wanted: Sequence[str], header: Sequence[str], row: Sequence[str], other: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Title, printed cell and cell made anew of every printed column; earlier versions printed fewer of them."""
    for place, (title, cell) in enumerate(zip(header, row, strict=False)):
        is_there = place < len(wanted) and wanted[place] == title
        found = wanted.index(title) if title in wanted else -1
        at = place if is_there else found
        yield title, cell, other[at] if 0 <= at < len(other) else "no such column"


def _agrees(cell: str, expected: str, hidden: frozenset[str]) -> bool:
    """The same, or a hidden cell; “< 5” hides no count that is known to be larger."""
    if cell in hidden:
        count = expected.replace(",", "")
        return not (cell.startswith("< ") and count.isdigit() and int(count) >= int(cell[2:]))
    return _bare(cell) == _bare(expected)


def _keyed(rows: Sequence[tuple[str, ...]]) -> Iterator[tuple[tuple[str, int], tuple[str, ...]]]:
    """Rows by their first two cells, and which of those alike they are."""
    seen: dict[str, int] = {}
    for row in rows:
        name = ", ".join(_bare(cell) for cell in row[:2] if cell)
        seen[name] = seen.get(name, 0) + 1
        yield (name, seen[name]), row


def _bare(cell: str) -> str:
    """A cell without the mark that a protocol puts on a number."""
    return re.sub(r" \(primary\)$", "", cell)[:_SHOWN]

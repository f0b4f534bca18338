"""Whether the pages of a report show what its attached contents say: every sentence, value and row of a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.report import Report, Table
from medfm_gui.workspace.evidence_numbers import Contents, Printed
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_words import caption, inserted_words

_LONGEST = 1000
"""A cell of more characters may be parted between two pages, so its row is not looked for."""
_SHOWN = 160
_TELLING = 12
"""Shorter readings stand in others by chance, so that it is not counted how often they do."""
_TITLE, _CAPTION, _CELL = 240, 600, 100
"""Longest title, caption and cell of a header on a page; longer ones lose their middle."""


def pages_differ(contents: Contents, text: str, charts: Sequence[ChartSpec] = ()) -> tuple[list[Difference], int]:
    """What the pages do not show as it was written, section by section, and what they show besides; how much was seen.

    Args:
        text: of all pages, without any space (``reports.attached.read_pdf``).
        charts: those that are attached: their titles, notes, axes and names stand on the pages too.
    """
    found = list(_whole_differs(contents, text))
    checked = len(charts) + 3
    for section, part in _parts(contents.sections, text):
        if part is None:
            message = f"The pages have no section “{section.title}”."
            found.append(Difference(section.title, "missing", message))
            continue
        missing, known = _missing(section, part)
        checked += len(section.sentences) + len(section.facts) + sum(len(one.rows) + 2 for one in section.tables)
        own = [chart for chart in charts if chart.title in section.sentences]
        for title in (_solid(chart.title) for chart in own):  # it stands in the caption
            if title in known:
                known.remove(title)
        found += [*missing, *(item for chart in own for item in _caption_differs(section, chart, part))]
        if not missing:
            found += _names_differ(section, own, part, known)
            found += inserted_words(section, part, [*known, *_long(section)], own)
    return found, checked


def _whole_differs(contents: Contents, text: str) -> Iterator[Difference]:
    """Title, summary and notice."""
    notice = str(Report.__dataclass_fields__["notice"].default)
    if contents.notice not in ("", notice):
        message = f"Notice: it is “{contents.notice[:_SHOWN]}”, and every report says “{notice}”."
        yield Difference("Notice", "differs", message, None, notice, contents.notice[:_SHOWN])
    for name, said in (("Title", _cut(contents.title, _TITLE)), ("Summary", contents.summary), ("Notice", notice)):
        if said and not any(one in text for one in (_solid(said), _solid(_visible(said)))):
            message = f"{name}: the pages do not show what was written there."
            yield Difference(name, "differs", message, expected=said[:_SHOWN])


def _missing(section: Printed, part: str) -> tuple[list[Difference], list[str]]:
    """What a section does not show, or not as often as it was written; and what it shows, as it reads there."""
    found, known = [], []
    needed: Counter[str] = Counter()
    for where, wanted in _wanted(section):
        reading = next((one for one in wanted if one in part), "")
        needed[reading] += bool(reading)
        if wanted and (not reading or (len(reading) >= _TELLING and part.count(reading) < needed[reading])):
            message = f"{section.title}, {where}: the pages do not show what was written there."
            found.append(Difference(f"{section.title}: {where}", "differs", message, expected=wanted[0][:_SHOWN]))
        elif wanted:
            known.append(reading)
    return found, known


def _caption_differs(section: Printed, chart: ChartSpec, part: str) -> Iterator[Difference]:
    if not any(one in part for one in (_solid(caption(chart)), _solid(_visible(caption(chart))))):
        where = f"{section.title}: chart “{chart.title}”"
        message = f"{where}: the pages do not show its title and note as they are attached."
        yield Difference(where, "differs", message, expected=caption(chart)[:_SHOWN])


def _names_differ(
    section: Printed, charts: Sequence[ChartSpec], part: str, known: Sequence[str]
) -> Iterator[Difference]:
    """Words in the charts of a section that stand there less often than in charts and text together.

    A name that is too long for its chart is cut there, so that of such a section no names are looked for.
    """
    drawn: Counter[str] = Counter()
    for chart in charts:
        lines = chart.series if chart.kind == "lines" and len(chart.series) > 1 else ()
        names = [chart.x_label, chart.y_label, *(one.name for one in lines), *chart.rows, *chart.columns]
        drawn.update(_solid(_visible(name)) for name in names if name)
    whole = "\n".join((*known, *(_solid(_visible(caption(chart))) for chart in charts)))
    for name, number in drawn.items():
        if "…" not in part and part.count(name) < number + whole.count(name):
            where = f"{section.title}: charts"
            message = f"{where}: the pages do not show “{name[:_SHOWN]}” in each chart that has it."
            yield Difference(where, "differs", message, expected=name[:_SHOWN])


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
        yield f"{_named(table)}, what stands above it", _readings((_cut(table.caption, _CAPTION),))
        yield f"{_named(table)}, names of its columns", _readings(tuple(_cut(cell, _CELL) for cell in table.header))
        for number, row in enumerate(table.rows, 1):
            yield f"{_named(table)}, row {number} ({_key(row)})", _readings(row)


def _long(section: Printed) -> Iterator[str]:
    """What is not looked for as a whole, as it reads on the pages: lines, facts and rows with a long text."""
    lines = [(line,) for sentence in section.sentences for line in filter(None, map(str.strip, sentence.splitlines()))]
    rows = [row for table in section.tables for row in table.rows]
    for cells in (*lines, *((name, *value.splitlines()) for name, value in section.facts), *rows):
        if any(len(cell) > _LONGEST for cell in cells):
            yield _solid("".join(cells))


def _readings(cells: Sequence[str]) -> tuple[str, ...]:
    if any(len(cell) > _LONGEST for cell in cells) or not any(cells):
        return ()
    return (_solid("".join(cells)), _solid("".join(map(_visible, cells))))


def _cut(text: str, longest: int) -> str:
    """As a page says a text that is too long for its place."""
    from medfm_gui.reports.plain import shortened

    return text if len(text) <= longest else shortened(text, longest)


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
    numeric = {*made.numeric, *shown.numeric}
    again = dict(_keyed(made.rows, numeric))
    for key, row in _keyed(shown.rows, numeric):
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
    return _as_read(_bare(cell)) == _as_read(_bare(expected))


def _as_read(cell: str) -> str:
    """A cell by what it says: earlier versions wrote a minus, a range and a missing number otherwise."""
    return "–" if cell == "not estimable" else cell.replace("−", "-").replace(" to ", "–")


def _keyed(rows: Sequence[tuple[str, ...]], numeric: Set[int]) -> Iterator[tuple[tuple[str, int], tuple[str, ...]]]:
    """Rows by their first two cells (the first alone, where the second is a number), and which of those alike they are.

    A number may be hidden in the one and told in the other: it names no row.
    """
    seen: dict[str, int] = {}
    for row in rows:
        name = ", ".join(_bare(cell) for cell in row[: 1 if 1 in numeric else min(2, max(1, len(row) - 1))] if cell)
        seen[name] = seen.get(name, 0) + 1
        yield (name, seen[name]), row


def _bare(cell: str) -> str:
    """A cell without the mark that a protocol puts on a number."""
    return re.sub(r" \(primary\)$", "", cell)[:_SHOWN]

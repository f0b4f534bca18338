"""Words on the pages of a report that nobody wrote there: the other way round from what has to be there.

Of each section what was written is taken away from the text of its pages. What stays are names of tables and figures,
headers that were said again on the next page, and the words of charts; letters beside these were put in. Digits are
not counted: numbers of pages, tables and axes are digits too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.report import Table
from medfm_gui.workspace.evidence_numbers import Printed
from medfm_gui.workspace.verifying import Difference

_LISTS = "AttachmentsThesefilestravelinsidethisPDF"
"""How the list of the files starts, which stands behind the last section and is held against the files."""
_FLOW = "Flow of images"
_OWN = ("Table", "Figure", "Warning", "Page")
_FEWEST = 3
"""So many letters at least are told: fewer may be those of a sign that a page writes as a word."""
_SHOWN = 120


def inserted_words(
    section: Printed, part: str, readings: Sequence[str], charts: Sequence[ChartSpec]
) -> Iterator[Difference]:
    """Letters of a section that are neither written there nor those of its charts, tables and figures.

    Args:
        part: the text of its pages without spaces, with its number and heading.
        readings: all that was written there, as it reads on the pages.
        charts: those of the section.
    """
    part = part.partition(_LISTS)[0]
    rest = part
    for known in sorted((*readings, *_captions(charts)), key=len, reverse=True):
        rest = rest.replace(known, "", 1)
    for header in sorted((_solid("".join(table.header)) for table in section.tables), key=len, reverse=True):
        rest = rest.replace(header, "") if header else rest
    left = Counter(part) - Counter("".join((*readings, *_captions(charts))))
    left.subtract(_solid(section.title))
    for name in _OWN:
        left.subtract({letter: number * part.count(name) for letter, number in Counter(name).items()})
    for table in section.tables:
        header = _solid("".join(table.header))
        more = max(0, part.count(header) - sum(header == _solid("".join(one.header)) for one in section.tables))
        left.subtract({letter: number * more for letter, number in Counter(header).items()} if header else {})
    left.subtract("".join(_drawn(charts)))
    left.subtract("".join(_boxes(section.tables)))
    letters = sum(number for letter, number in left.items() if number > 0 and letter.isascii() and letter.isalpha())
    if letters >= _FEWEST:
        found = max(re.findall(r"[^\W\d_]+", _without_names(rest, section)), key=len, default="")
        message = f"{section.title}: the pages show words that were not written there (near “{found[:_SHOWN]}”)."
        yield Difference(f"{section.title}: words", "inserted", message, found=found[:_SHOWN])


def _captions(charts: Sequence[ChartSpec]) -> list[str]:
    return [_solid(caption(chart)) for chart in charts]


def caption(chart: ChartSpec) -> str:
    """What stands under a chart."""
    return ". ".join(filter(None, (chart.title, chart.note)))


def _drawn(charts: Sequence[ChartSpec]) -> Iterator[str]:
    """The words in a chart at most: axes, legend, rows and columns with their marks."""
    for chart in charts:
        yield _solid(chart.x_label + chart.y_label)
        for series in (*chart.series, *chart.links):
            yield _solid(series.name)
        yield from (_solid(name) * 2 for name in (*chart.rows, *chart.columns))
        yield from (_solid(text) for _, text in chart.x_ticks)
        yield "e" * 20  # powers of ten of an axis


def _boxes(tables: Sequence[Table]) -> Iterator[str]:
    """The words of a flow diagram, which stands for its table."""
    for table in tables:
        if table.caption.startswith(_FLOW):
            yield _solid(table.caption)
            yield from (_solid("".join(row)) + "npatients" for row in table.rows)


def _without_names(rest: str, section: Printed) -> str:
    own = "|".join((*_OWN, re.escape(_solid(section.title))))
    return re.sub(rf"\d*(?:{own})\d*\.?", " ", rest)


def _solid(text: str) -> str:
    from medfm_gui.reports.attached import solid

    return solid(text)

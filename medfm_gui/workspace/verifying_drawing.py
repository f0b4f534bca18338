"""Where a chart is not the one that was drawn anew: its points, and every word, axis and mark beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_runs import differs, is_close

CHARTS = "charts.json"
_POINTS = ("x", "y", "low", "high", "spread_low", "spread_high")
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "id": "name",
        "kind": "kind",
        "title": "title",
        "x_label": "title of the horizontal axis",
        "y_label": "title of the vertical axis",
        "x_range": "range of the horizontal axis",
        "y_range": "range of the vertical axis",
        "x_log": "scale of the horizontal axis",
        "x_ticks": "marks of the horizontal axis",
        "diagonal": "line of chance",
        "note": "note",
    }
)
"""What a chart has beside its points, and what people call it."""
_MARKS: Mapping[str, str] = MappingProxyType(
    {
        "family": "family of its marker",
        "style": "kind of its line",
        "markers": "marks of its points",
        "step": "steps",
        "joined": "joined points",
        "hollow": "hollow marks",
    }
)


def chart_differs(chart: ChartSpec, other: ChartSpec) -> list[Difference]:
    """Where a chart is not another one: words, axes, line of chance, cells; of each line the first such point."""
    found = list(words_differ(chart, other))
    if (chart.rows, chart.columns) != (other.rows, other.columns):
        found.append(differs(f"{called(chart)}, its rows and columns", chart.rows, other.rows))
    for row, (cells, fresh) in enumerate(zip(chart.matrix, other.matrix, strict=False)):
        for column, (stored, made) in enumerate(zip(cells, fresh, strict=False)):
            if not is_close(stored, made):
                where = f"{called(chart)}, {_at(chart.rows, row)} decided {_at(chart.columns, column)}"
                found.append(differs(where, stored, made))
    if [len(row) for row in chart.matrix] != [len(row) for row in other.matrix]:
        found.append(differs(f"{called(chart)}, its cells", len(chart.matrix), len(other.matrix)))
    return [
        *found,
        *_lines_differ(chart, "its lines", chart.series, other.series),
        *_lines_differ(chart, "the lines behind them", chart.links, other.links),
    ]


def called(chart: ChartSpec) -> str:
    """A chart in the sentence of a difference: its file and its title."""
    return f"{CHARTS}: chart “{chart.title}”"


def words_differ(chart: ChartSpec, other: ChartSpec, *, but: frozenset[str] = frozenset()) -> Iterator[Difference]:
    """Titles, axes, reference line and note that are not those of another; ``but`` are fields not to look at."""
    for name, title in WORDS.items():
        stored, made = getattr(chart, name), getattr(other, name)
        if name not in but and not is_alike(stored, made):
            yield differs(f"{called(chart)}, {title}", stored, made)


def marks_differ(chart: ChartSpec, one: Series, other: Series) -> Iterator[Difference]:
    """How a line is drawn, where that is not how another one is."""
    for name, title in _MARKS.items():
        stored, made = getattr(one, name), getattr(other, name)
        if stored != made:
            yield differs(f"{called(chart)}, {one.name}, {title}", stored, made)


def is_alike(one: object, other: object) -> bool:
    """Equal, or the same in all but the rounding of numbers, at any depth."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(is_alike, one, other))
    return is_close(one, other)


def _lines_differ(
    chart: ChartSpec, what: str, series: Sequence[Series], others: Sequence[Series]
) -> Iterator[Difference]:
    names, again = [one.name for one in series], [one.name for one in others]
    if names != again:
        yield differs(f"{called(chart)}, {what}", names, again)
    for one, other in zip(series, others, strict=False):
        yield from marks_differ(chart, one, other)
        yield from _points_differ(chart, one, other)


def _points_differ(chart: ChartSpec, one: Series, other: Series) -> Iterator[Difference]:
    for what in _POINTS:
        stored, fresh = getattr(one, what), getattr(other, what)
        where = f"{called(chart)}, {one.name}, {what}"
        if len(stored) != len(fresh):
            yield differs(f"{where}, number of points", len(stored), len(fresh))
            continue
        at = next((at for at, pair in enumerate(zip_longest(stored, fresh)) if not is_close(*pair)), None)
        if at is not None:
            yield differs(f"{where} of point {at + 1}", stored[at], fresh[at])


def _at(names: Sequence[str], place: int) -> str:
    return names[place] if place < len(names) else str(place + 1)

"""The charts of a report as files: every recipe as JSON, every point as a row of one table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.report import Attachment, Charts, Section
from medfm_gui.workspace.spreadsheet import guarded

CHARTS, POINTS = "charts.json", "charts.csv"
_COLUMNS = (
    "chart",
    "title",
    "series",
    "x",
    "y",
    "low",
    "high",
    "lowest draw",
    "highest draw",
    "row",
    "column",
    "count",
)


def charts_of(sections: Sequence[Section]) -> list[ChartSpec]:
    """Every chart, in the order in which they stand."""
    blocks = (block for section in sections for block in section.blocks)
    return [chart for block in blocks if isinstance(block, Charts) for chart in block.charts]


def chart_text(chart: ChartSpec) -> str:
    """A chart's recipe as JSON, the same text for the same chart."""
    return json.dumps(json.loads(wire.encode(chart)), sort_keys=True, separators=(",", ":"))


def chart_files(charts: Sequence[ChartSpec]) -> tuple[Attachment, ...]:
    """All recipes in one file, all points in another; a chart is named by its number and its id."""
    if not charts:
        return ()
    whole = ",\n".join(chart_text(chart) for chart in charts)
    return (
        Attachment(CHARTS, f"[{whole}]\n", "The recipe of every chart"),
        Attachment(POINTS, points_table(charts), "Every point of every chart", "text/csv"),
    )


def points_table(charts: Sequence[ChartSpec]) -> str:
    """Every point of every chart as a row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for number, chart in enumerate(charts, 1):
        for cells in _rows(chart):
            named = (f"{number:02d}-{chart.id}", chart.title, *cells)
            writer.writerow([guarded(cell) if isinstance(cell, str) else f"{cell:.9g}" for cell in named])
    return text.getvalue()


def _rows(chart: ChartSpec) -> Iterator[tuple[str | float, ...]]:
    for series in chart.series:
        for place, (x, y) in enumerate(zip(series.x, series.y, strict=True)):
            ends = (_at(values, place) for values in (series.low, series.high, series.spread_low, series.spread_high))
            name = chart.rows[int(y)] if chart.kind == "intervals" and int(y) < len(chart.rows) else ""
            yield (series.name, x, y, *ends, name, "", "")
    for row, cells in zip(chart.rows, chart.matrix, strict=False):
        for column, count in zip(chart.columns, cells, strict=False):
            yield ("", "", "", "", "", "", "", row, column, count)


def _at(values: Sequence[float], place: int) -> str | float:
    return values[place] if place < len(values) else ""

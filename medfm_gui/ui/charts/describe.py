"""A chart in words, for those who do not see it, and as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.log_axis import is_cloud
from medfm_gui.ui.charts.estimates import estimates
from medfm_gui.ui.charts.wording import count, line

_NAMED = 8
_FORMULA = re.compile(r"^[=+\-@\t\r＝＋－＠]")


def description(chart: ChartSpec) -> str:
    """What is drawn, in a sentence or two."""
    say = {"lines": _lines, "matrix": _matrix, "intervals": _intervals}[chart.kind]
    title = line(chart.title) or "Chart"
    return " ".join(part for part in (f"{title}: {say(chart)}", line(chart.note, 300)) if part)


def as_csv(chart: ChartSpec) -> str:
    """The chart's numbers in full precision; names cannot be taken for formulas."""
    rows = {"lines": _line_rows, "matrix": _matrix_rows, "intervals": _interval_rows}[chart.kind](chart)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _lines(chart: ChartSpec) -> str:
    number = len(chart.series)
    if is_cloud(chart):
        return f"{number} {'point' if number == 1 else 'points'}{_against(chart)}{_names(chart)}."
    curves = "no curve" if not number else "1 curve" if number == 1 else f"{number} curves"
    chance = " The diagonal of chance is drawn." if chart.diagonal else ""
    return f"{curves}{_against(chart)}{_names(chart)}.{chance}"


def _against(chart: ChartSpec) -> str:
    return f" of {line(chart.y_label)} against {line(chart.x_label)}" if chart.x_label and chart.y_label else ""


def _names(chart: ChartSpec) -> str:
    named = _listed([series.name for series in chart.series if series.name])
    return f": {named}" if named else ""


def _matrix(chart: ChartSpec) -> str:
    height, width = len(chart.matrix), max((len(row) for row in chart.matrix), default=0)
    names = f", {line(chart.y_label)} in rows, {line(chart.x_label)} in columns" if chart.x_label else ""
    total = sum(value for row in chart.matrix for value in row if math.isfinite(value))
    if height != width or not total:
        return f"{height} × {width} cells{names}."
    same = sum(row[place] for place, row in enumerate(chart.matrix) if place < len(row) and math.isfinite(row[place]))
    return f"{height} × {width} cells{names}; {count(same)} of {count(total)} on the diagonal."


def _intervals(chart: ChartSpec) -> str:
    rows = estimates(chart, range(len(chart.series)))
    told = _listed([f"{line(row.name)} {row.text(1.0)}" for row in rows], "; ")
    return f"{len(rows)} {'estimate' if len(rows) == 1 else 'estimates'}{': ' + told if told else ''}."


def _listed(names: Sequence[str], between: str = ", ") -> str:
    shown = between.join(line(name) for name in names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _line_rows(chart: ChartSpec) -> Iterable[Sequence[object]]:
    banded = any(series.low and series.high for series in chart.series)
    spread = any(series.spread_low for series in chart.series)
    heads = [*(["low", "high"] if banded else []), *(["lowest draw", "highest draw"] if spread else [])]
    yield ["series", chart.x_label or "x", chart.y_label or "y", *heads]
    for series in chart.series:
        for place, (x, y) in enumerate(zip(series.x, series.y, strict=False)):
            limits = _limits(series.low, series.high, place) if banded else []
            draws = _limits(series.spread_low, series.spread_high, place) if spread else []
            yield [series.name, x, y, *limits, *draws]


def _interval_rows(chart: ChartSpec) -> Iterable[Sequence[object]]:
    yield ["name", chart.x_label or "value", "low", "high"]
    for row in estimates(chart, range(len(chart.series))):
        yield [row.name, row.value, row.low, row.high]


def _matrix_rows(chart: ChartSpec) -> Iterable[Sequence[object]]:
    width = max((len(row) for row in chart.matrix), default=0)
    names = [chart.columns[place] if place < len(chart.columns) else str(place + 1) for place in range(width)]
    yield [f"{chart.y_label or 'row'} \\ {chart.x_label or 'column'}", *names]
    for place, row in enumerate(chart.matrix):
        yield [chart.rows[place] if place < len(chart.rows) else str(place + 1), *row]


def _limits(low: Sequence[float], high: Sequence[float], place: int) -> list[float]:
    known = place < min(len(low), len(high))
    return [low[place], high[place]] if known else [math.nan, math.nan]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return (repr(int(value)) if value.is_integer() else repr(value)) if math.isfinite(value) else ""
    text = str(value).replace("\0", "")
    return "'" + text if _FORMULA.match(text) else text

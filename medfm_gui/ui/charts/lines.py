"""Charts of kind ``lines``: curves with bands or bars, a crosshair and the values under it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Signal
from PySide6.QtGui import QColor, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.log_axis import LogAxis, arranged, is_cloud, value_text
from medfm_gui.ui import theme
from medfm_gui.ui.charts.cloud import Cloud
from medfm_gui.ui.charts.curve_items import CurveItems
from medfm_gui.ui.charts.marks import is_repeated, line_pen, marker_path, series_colour
from medfm_gui.ui.charts.plot_pane import CHART_PX, LEAST_CHART_PX, PlotPane
from medfm_gui.ui.charts.readout import Reading, Readout, ReadoutRow
from medfm_gui.ui.charts.tones import faint
from medfm_gui.ui.charts.trace import Floats, Trace, bounds
from medfm_gui.ui.charts.wording import estimate, line, number

_UNIT = (0.0, 1.0)
_SPOT_PX = 9.0
_NEAR_PX = 3.0
"""Points that close together are read together."""
_LINK_OPACITY = 0.6
_CLOUD_ROOM = 0.03
_AXIS_PX = (44, 20)
"""Room for the numbers of a square chart at the left and below."""


class LinesCanvas(QWidget):
    """Axes that fill the widget; a square in its middle where the chart compares with the diagonal of chance."""

    zoomed = Signal(bool)
    read = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pane = PlotPane(self)
        self.readout = Readout(self)
        self._chart = ChartSpec("", "lines", "")
        self._traces: tuple[Trace, ...] = ()
        self._items: list[CurveItems] = []
        self._shown: list[bool] = []
        self._square = self._is_cloud = False
        self._decades: LogAxis | None = None
        self._place = -1
        self._chance: Any = pg.PlotCurveItem(x=[0.0, 1.0], y=[0.0, 1.0])
        self._cross: Any = pg.InfiniteLine(angle=90, movable=False)
        self._points: Any = pg.ScatterPlotItem(pxMode=True)
        self.pane.add(self._chance, 1)
        self._links: Any = pg.PlotCurveItem(connect="finite", antialias=True)
        self._break: Any = pg.InfiniteLine(angle=90, movable=False)
        self._cloud = Cloud()
        self.pane.add(self._cloud, 3)
        self.pane.add(self._links, 1)
        self.pane.add(self._break, 1)
        self.pane.add(self._cross, 8)
        self.pane.add(self._points, 9)
        self.pane.hovered.connect(self.point_at)
        self.pane.left.connect(self.put_readout_away)
        self.pane.stepped.connect(self._step)
        self.pane.moved.connect(lambda: self.zoomed.emit(not self.pane.is_home))
        self.setFocusProxy(self.pane)
        self.put_readout_away()

    def draw(self, chart: ChartSpec, slots: Sequence[int]) -> None:
        """Show the chart; ``slots`` are its series' places among the theme's colours."""
        self._chart = chart
        for items in self._items:
            items.leave(self.pane)
        self._decades = LogAxis.of(chart) if chart.x_log else None
        self._traces = self._placed(chart, slots)
        self._shown = [True] * len(self._traces)
        x_range, y_range = self._ranges()
        self._square = chart.diagonal and x_range == _UNIT == y_range
        size = x_range[1] - x_range[0], y_range[1] - y_range[0]
        self._is_cloud = cloud = is_cloud(chart)
        area = QRectF(x_range[0], y_range[0], *size)
        self._cloud.set_traces(self._traces if cloud else (), area)
        self._items = [] if cloud else [CurveItems(trace, *size) for trace in self._traces]
        for items in self._items:
            items.join(self.pane)
        self._chance.setVisible(chart.diagonal)
        self.pane.x_name.set_text(chart.x_label)
        self.pane.y_name.set_text(chart.y_label)
        width, height = _AXIS_PX if self._square else (None, None)
        self.pane.set_axis("left", width)
        self.pane.set_axis("bottom", height, decades=self._decades)
        self.pane.set_home(x_range, y_range)
        self.pane.reset()
        self.put_readout_away()
        self.restyle()
        self._arrange()

    def _placed(self, chart: ChartSpec, slots: Sequence[int]) -> tuple[Trace, ...]:
        """The series at their places, with the links behind them and the break of the axis."""
        axis = self._decades
        drawn = arranged(chart, axis) if axis else None
        at = drawn.links if drawn else tuple(link.x for link in chart.links)
        xs = [x for places in at for x in (*places, math.nan)]
        ys = [y for link in chart.links for y in (*link.y, math.nan)]
        self._links.setData(np.array(xs), np.array(ys))
        self._links.setVisible(bool(chart.links))
        self._break.setVisible(axis is not None and axis.break_at is not None)
        if axis is not None and axis.break_at is not None:
            self._break.setPos(axis.break_at)
        return tuple(
            Trace.of(series, slot, drawn.series[place] if drawn else None)
            for place, (series, slot) in enumerate(zip(chart.series, slots, strict=True))
        )

    def set_shown(self, index: int, shown: bool) -> None:
        """Show or hide one series."""
        self._shown[index] = shown
        if self._is_cloud:
            self._cloud.set_shown(index, shown)
        else:
            self._items[index].set_shown(shown)
        self.put_readout_away()

    def is_shown(self, index: int) -> bool:
        """Whether the series is drawn."""
        return self._cloud.is_shown(index) if self._is_cloud else self._items[index].is_shown

    def reset(self) -> None:
        """Show the whole chart."""
        self.pane.reset()

    def restyle(self) -> None:
        """Take the current theme's colours."""
        now = theme.current()
        self.pane.restyle()
        chance = line_pen(QColor(now.muted), width=1)
        chance.setDashPattern([3, 3])
        self._chance.setPen(chance)
        self._cross.setPen(line_pen(QColor(now.muted), width=1))
        self._links.setPen(line_pen(faint(QColor(now.muted), _LINK_OPACITY), width=1))
        dots = line_pen(QColor(now.muted), width=1)
        dots.setDashPattern([1, 3])
        self._break.setPen(dots)
        self._cloud.update()
        for items in self._items:
            items.restyle(now)

    def reading_at(self, x: float, y: float) -> Reading:
        """What the readout tells at a point of the chart."""
        return self._reading(self._nearest(x, y), x)

    def point_at(self, x: float, y: float) -> None:
        """Put crosshair and readout at a point of the chart."""
        found = self._nearest(x, y)
        self._show(found, x, self.pane.place_of(x, y))

    def put_readout_away(self) -> None:
        """Hide crosshair and readout."""
        self.readout.hide()
        self._cross.hide()
        self._points.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep a square chart square."""
        self._arrange()

    def sizeHint(self) -> QSize:
        """Room in which a chart is read well."""
        return CHART_PX

    def minimumSizeHint(self) -> QSize:
        """Room in which a chart can still be read."""
        return LEAST_CHART_PX

    def _ranges(self) -> tuple[tuple[float, float], tuple[float, float]]:
        chart = self._chart
        x = _given(chart.x_range) or (_UNIT if chart.diagonal else bounds([trace.x for trace in self._traces]))
        if self._decades is not None:
            x = _roomy(bounds([np.array(self._decades.ends), *(trace.x for trace in self._traces)]))
        heights = [part for trace in self._traces for part in _heights(trace)]
        y = _given(chart.y_range) or (_UNIT if chart.diagonal else bounds(heights))
        return x, y

    def _nearest(self, x: float, y: float) -> list[tuple[Trace, int]]:
        scales = self.pane.scales()
        seen = [trace for trace, shown in zip(self._traces, self._shown, strict=True) if shown]
        found = [(trace, trace.nearest(x, y, *scales)) for trace in seen]
        known = [(trace, place) for trace, place in found if place is not None]
        if not (self._is_cloud and known):
            return known

        def away(one: tuple[Trace, int]) -> float:
            trace, at = one
            return math.hypot((trace.x[at] - x) * scales[0], (trace.y[at] - y) * scales[1])

        least = min(map(away, known))
        return [one for one in known if away(one) <= least + _NEAR_PX]

    def _show(self, found: list[tuple[Trace, int]], x: float, place: QPointF) -> None:
        if not found:
            self.put_readout_away()
            return
        now = theme.current()
        self._cross.setPos(x)
        self._cross.show()
        spots = [_spot(trace, at, now) for trace, at in found]
        self._points.setData(spots)
        self._points.show()
        self.readout.show_at(self._reading(found, x), place + QPointF(self.pane.pos()))

    def _reading(self, found: list[tuple[Trace, int]], x: float) -> Reading:
        (x_low, x_high), (y_low, y_high) = self._ranges()
        if not found:
            return Reading("")
        own_x = len({float(trace.values[at]) for trace, at in found}) > 1
        width, height = x_high - x_low, y_high - y_low
        first, at = found[0]
        if self._decades is not None:
            told = "" if own_x else value_text(float(first.values[at]))
            rows = (_row(trace, at, height, "log" if own_x else None) for trace, at in found)
            return Reading(f"{line(self._chart.x_label, 60) or 'x'} {told}".strip(), tuple(rows))
        shown = number(x if own_x else float(first.x[at]), width)
        heading = f"{line(self._chart.x_label, 60) or 'x'} {shown}"
        return Reading(heading, tuple(_row(trace, at, height, width if own_x else None) for trace, at in found))

    def _step(self, by: int) -> None:
        """Go from point to point of the first series shown; in a cloud from run to run, from left to right."""
        seen = [trace for trace, shown in zip(self._traces, self._shown, strict=True) if shown and trace.drawn.any()]
        if not seen:
            return
        if self._is_cloud:
            ordered = sorted(seen, key=lambda trace: (trace.x[0], trace.y[0]))
            start = self._place + by if self._cross.isVisible() else (0 if by > 0 else len(ordered) - 1)
            self._place = min(max(start, 0), len(ordered) - 1)
            chosen = ordered[self._place]
            self.point_at(float(chosen.x[0]), float(chosen.y[0]))
            self.read.emit(self.readout.reading.text)
            return
        places = np.flatnonzero(seen[0].drawn)
        start = self._place + by if self._cross.isVisible() else (0 if by > 0 else len(places) - 1)
        self._place = min(max(start, 0), len(places) - 1)
        at = places[self._place]
        self.point_at(float(seen[0].x[at]), float(seen[0].y[at]))
        self.read.emit(self.readout.reading.text)

    def _arrange(self) -> None:
        area = self.rect()
        if self._square:
            wide = _AXIS_PX[0] + self.pane.y_name.sizeHint().width() + 2 * theme.FOCUS
            high = _AXIS_PX[1] + self.pane.x_name.sizeHint().height() + 2 * theme.FOCUS
            side = max(1, min(area.width() - wide, area.height() - high))
            box = QRect(0, 0, side + wide, side + high)
            box.moveCenter(area.center())
            area = box
        self.pane.setGeometry(area)


def _heights(trace: Trace) -> tuple[Floats, ...]:
    return trace.y, trace.low, trace.high, trace.spread_low, trace.spread_high


def _roomy(limits: tuple[float, float]) -> tuple[float, float]:
    room = (limits[1] - limits[0]) * _CLOUD_ROOM
    return limits[0] - room, limits[1] + room


def _row(trace: Trace, at: int, height: float, width: float | Literal["log"] | None) -> ReadoutRow:
    low, high = (trace.low[at], trace.high[at]) if len(trace.low) else (math.nan, math.nan)
    value = estimate(float(trace.y[at]), float(low), float(high), height)
    if len(trace.spread_low) and trace.spread_low[at] < trace.spread_high[at]:
        ends = float(trace.spread_low[at]), float(trace.spread_high[at])
        value += f", draws {number(ends[0], height)}–{number(ends[1], height)}"
    if width == "log":
        value += f" at {value_text(float(trace.values[at]))}"
    elif width is not None:
        value += f" at {number(float(trace.x[at]), width)}"
    return ReadoutRow(line(trace.name, 60), value, trace.family, trace.slot)


def _spot(trace: Trace, at: int, now: theme.Theme) -> dict[str, Any]:
    ring = QPen(QColor(now.text), 1.5)
    ring.setCosmetic(True)
    return {
        "pos": (trace.x[at], trace.y[at]),
        "size": _SPOT_PX,
        "symbol": marker_path(trace.family, pierced=is_repeated(now, trace.slot)),
        "pen": ring,
        "brush": series_colour(now, trace.slot),
    }


def _given(limits: tuple[float, float] | None) -> tuple[float, float] | None:
    if limits is None or not all(math.isfinite(limit) and abs(limit) < 1e15 for limit in limits):
        return None
    return limits if limits[0] < limits[1] else None

"""Curves of a training while it runs: loss, one metric, learning rate, over the same epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.domain.events import EpochFinished
from medfm_gui.metrics.names import metric_title
from medfm_gui.ui import theme
from medfm_gui.ui.charts.epochs import Epochs
from medfm_gui.ui.charts.legend import ChartLegend, LegendEntry
from medfm_gui.ui.charts.live_curve import LiveCurve
from medfm_gui.ui.charts.marks import line_pen, series_colour
from medfm_gui.ui.charts.plot_pane import PlotPane
from medfm_gui.ui.charts.readout import Reading, Readout, ReadoutRow
from medfm_gui.ui.charts.trace import Floats, bounds
from medfm_gui.ui.charts.wording import line, number
from medfm_gui.ui.widgets.text import Label, escape_mnemonic

_AXIS_PX = 56
_LOSSES = (("train_loss", "training", "train"), ("val_loss", "validation", "val"))


class LiveCurves(QWidget):
    """Three plots over one axis of epochs; the best epoch is marked.

    A fine-tuning has its learning rate below, a linear probe the inverse penalty C of each point of its path.
    """

    metric_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.epochs = Epochs()
        self._theme = theme.current()
        self._family, self._slot, self._place = "", 0, 0
        self.loss, self.metric, self.rate = PlotPane(), PlotPane(), PlotPane()
        self.legend = ChartLegend()
        self.legend.set_entries(tuple(LegendEntry(name, style=style, marker=False) for _, name, style in _LOSSES))
        self.legend.toggled.connect(self._on_toggled)
        self._choice = QComboBox()
        self._choice.setAccessibleName("Metric shown")
        self._choice.activated.connect(self._on_chosen)
        self._best = Label(role="caption", wrap=False)
        self._lines: dict[str, LiveCurve] = {
            "train_loss": LiveCurve(self.loss, "train"),
            "val_loss": LiveCurve(self.loss, "val"),
            "metric": LiveCurve(self.metric, "val"),
            "rate": LiveCurve(self.rate, "val"),
        }
        self._marks = [_upright(pane) for pane in self.panes]
        self._crosses = [_upright(pane) for pane in self.panes]
        self._readout = Readout(self)
        self._build()
        self.restyle()
        self.set_curve(())

    @property
    def panes(self) -> tuple[PlotPane, PlotPane, PlotPane]:
        """Loss, metric and learning rate, from top to bottom."""
        return self.loss, self.metric, self.rate

    @property
    def shown_metric(self) -> str:
        """Id of the metric in the middle plot; empty while there is none."""
        return str(self._choice.currentData() or "")

    def set_look(self, family: str, slot: int = 0) -> None:
        """Draw in a run's manner: its family's marker, and its place among the theme's colours."""
        self._family, self._slot = family, slot
        self.restyle()

    def set_curve(self, curve: Sequence[EpochFinished]) -> None:
        """Draw these epochs in place of what was drawn."""
        self.epochs = Epochs()
        self.extend(curve)

    def append(self, epoch: EpochFinished) -> None:
        """Add one epoch; an epoch that was there before voids what followed it."""
        self.extend((epoch,))

    def extend(self, curve: Sequence[EpochFinished]) -> None:
        """Add several epochs in one step."""
        for epoch in curve:
            self.epochs.add(epoch)
        self._offer_metrics()
        self._redraw()

    def show_metric(self, metric: str) -> None:
        """Show this metric in the middle plot, if the training measures it."""
        place = self._choice.findData(metric)
        if place >= 0:
            self._choice.setCurrentIndex(place)
            self._redraw()

    def restyle(self) -> None:
        """Take the current theme's colours."""
        now = self._theme = theme.current()
        colour = series_colour(now, self._slot)
        for pane in self.panes:
            pane.restyle()
        for curve in self._lines.values():
            curve.restyle(colour, self._family, QColor(now.panel))
        for mark, cross in zip(self._marks, self._crosses, strict=True):
            mark.setPen(line_pen(QColor(now.good), "knn", 1.4))
            cross.setPen(line_pen(QColor(now.muted), width=1))

    def changeEvent(self, event: QEvent) -> None:
        """Draw again in another theme's colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and theme.current() != self._theme:
            self.restyle()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.legend, 1)
        head.addWidget(self._best)
        head.addWidget(self._choice)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE[0])
        column.addLayout(head)
        for pane, share in zip(self.panes, (4, 4, 2), strict=True):
            column.addWidget(pane, share)
            pane.set_axis("left", width=_AXIS_PX)
            pane.hovered.connect(lambda x, y, own=pane: self._on_hover(own, x, y))
            pane.left.connect(self._put_readout_away)
            pane.stepped.connect(lambda by, own=pane: self._step(own, by))
        self.metric.link_x(self.loss)
        self.rate.link_x(self.loss)
        self.loss.y_name.set_text("loss")
        self._put_readout_away()

    def _offer_metrics(self) -> None:
        known = self.epochs.metrics
        if [self._choice.itemData(place) for place in range(self._choice.count())] == list(known):
            return
        before = self.shown_metric
        self._choice.clear()
        for metric in known:
            self._choice.addItem(escape_mnemonic(metric_title(metric)), metric)
        self._choice.setCurrentIndex(max(0, self._choice.findData(before)))

    def _redraw(self) -> None:
        epochs, metric = self.epochs, self.shown_metric
        path = "c" in epochs.names
        rate = "c" if path else "lr"
        for name in ("train_loss", "val_loss"):
            self._lines[name].set_points(epochs.numbers, epochs.values(name))
        self._lines["metric"].set_points(epochs.numbers, epochs.values(metric))
        rates = epochs.values(rate)
        self._lines["rate"].set_points(epochs.numbers, _log10(rates) if path else rates)
        self.rate.set_logarithmic_y(path)
        self.rate.y_name.set_text("C (1/penalty)" if path else "learning rate")
        self.metric.y_name.set_text(metric_title(metric) if metric else "metric")
        self.metric.setVisible(bool(metric))
        self.rate.setVisible(rate in epochs.names)
        self._name_axes("point of the penalty path" if path else "epoch")
        self._set_ranges()
        self._mark_best("point" if path else "epoch")
        self._choice.setVisible(self._choice.count() > 1)

    def _name_axes(self, name: str) -> None:
        lowest = [pane for pane in self.panes if not pane.isHidden()][-1]
        for pane in self.panes:
            pane.x_name.set_text(name if pane is lowest else "")
            pane.set_axis("bottom", values=pane is lowest)

    def _set_ranges(self) -> None:
        last = float(self.epochs.numbers[-1]) if len(self.epochs) else 1.0
        x = (1.0, max(2.0, last, float(self.epochs.planned)))
        for pane in self.panes:
            heights = [curve.y for curve in self._lines.values() if curve.pane is pane and curve.is_shown]
            pane.set_home(x, bounds(heights), room=0.05)

    def _mark_best(self, word: str) -> None:
        place = self.epochs.best
        for mark in self._marks:
            mark.setVisible(place is not None)
            if place is not None:
                mark.setPos(float(self.epochs.numbers[place]))
        self._best.setVisible(place is not None)
        if place is not None:
            value = float(self.epochs.values(self.shown_metric)[place])
            told = f", {metric_title(self.shown_metric)} {number(value)}" if value == value else ""
            self._best.setText(f"best {word} {self.epochs.numbers[place]:.0f}{told}")
        self.setAccessibleDescription(self._description(word))

    def _description(self, word: str) -> str:
        if not len(self.epochs):
            return "No epoch is finished yet."
        done = f"{word} {self.epochs.numbers[-1]:.0f} of {self.epochs.planned}"
        return f"Training curves up to {done}. {self.reading(len(self.epochs) - 1).text}. {self._best.text()}"

    def reading(self, place: int) -> Reading:
        """What the readout tells of an epoch, by its place in the curve."""
        epochs, metric = self.epochs, self.shown_metric
        path = "c" in epochs.names
        rows = [(f"{name} loss", f"{epochs.values(key)[place]:.4g}") for key, name, _ in _LOSSES if key in epochs.names]
        rows += [(line(metric_title(metric), 60), number(float(epochs.values(metric)[place])))] if metric else []
        rate = "c" if path else "lr"
        if rate in epochs.names:
            rows.append(("C" if path else "learning rate", f"{epochs.values(rate)[place]:.3g}"))
        heading = f"{'point' if path else 'epoch'} {epochs.numbers[place]:.0f}"
        return Reading(heading, tuple(ReadoutRow(name, "–" if value == "nan" else value) for name, value in rows))

    def _on_hover(self, pane: PlotPane, x: float, y: float) -> None:
        if not len(self.epochs):
            return
        place = int(abs(self.epochs.numbers - x).argmin())
        self._show_reading(pane, place, pane.place_of(x, y))

    def _step(self, pane: PlotPane, by: int) -> None:
        if not len(self.epochs):
            return
        last = len(self.epochs) - 1
        shown = self._readout.isVisible()
        place = self._place + by if shown else (0 if by > 0 else last)
        place = min(max(place, 0), last)
        middle = pane.rect().center().y()
        at = pane.place_of(float(self.epochs.numbers[place]), 0.0)
        self._show_reading(pane, place, QPointF(at.x(), middle))
        pane.setAccessibleDescription(self._readout.reading.text)

    def _show_reading(self, pane: PlotPane, place: int, at: QPointF) -> None:
        self._place = place
        for cross in self._crosses:
            cross.setPos(float(self.epochs.numbers[place]))
            cross.show()
        self._readout.show_at(self.reading(place), at + QPointF(pane.pos()))

    def _put_readout_away(self) -> None:
        self._readout.hide()
        for cross in self._crosses:
            cross.hide()

    def _on_toggled(self, index: int, shown: bool) -> None:
        self._lines[_LOSSES[index][0]].set_shown(shown)
        self._set_ranges()

    def _on_chosen(self, _: int) -> None:
        self._redraw()
        self.metric_chosen.emit(self.shown_metric)


def _upright(pane: PlotPane) -> Any:
    item = pg.InfiniteLine(angle=90, movable=False)
    pane.add(item, 2)
    return item


def _log10(values: Floats) -> Floats:
    known = values > 0
    return np.log10(values, out=np.full(len(values), math.nan), where=known)

"""Curves of a training while it runs: loss, one metric, learning rate, over the same epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.domain.events import EpochFinished
from medfm_gui.metrics.names import metric_title
from medfm_gui.ui import theme
from medfm_gui.ui.charts.epoch_pointer import EpochPointer
from medfm_gui.ui.charts.epochs import LOSSES, Epochs, best_words, description
from medfm_gui.ui.charts.legend import ChartLegend, LegendEntry
from medfm_gui.ui.charts.live_curve import LiveCurve
from medfm_gui.ui.charts.marks import line_pen, series_colour
from medfm_gui.ui.charts.plot_pane import PlotPane
from medfm_gui.ui.charts.trace import Floats, bounds
from medfm_gui.ui.charts.turns import Turns
from medfm_gui.ui.widgets.text import Label, escape_mnemonic

_AXIS_PX = 56


class LiveCurves(QWidget):
    """Three plots over one axis of epochs; the best epoch is marked.

    A fine-tuning has its learning rate below, a linear probe the inverse penalty C of each point of its path.
    """

    metric_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.epochs = Epochs()
        self._theme = theme.current()
        self._family, self._slot = "", 0
        self.panes = PlotPane(), PlotPane(), PlotPane()
        self.legend = ChartLegend()
        self.legend.set_entries(tuple(LegendEntry(name, style=style, marker=False) for _, name, style in LOSSES))
        self.legend.setMinimumWidth(sum(switch.sizeHint().width() + theme.SPACE[0] for switch in self.legend.switches))
        self.legend.toggled.connect(self._on_toggled)
        self._choice = QComboBox()
        self._choice.setAccessibleName("Metric shown")
        self._choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._choice.setMinimumContentsLength(10)
        self._choice.activated.connect(self._on_chosen)
        self._best = Label(role="caption", elide=Qt.TextElideMode.ElideRight)
        self._best.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._lines: dict[str, LiveCurve] = {
            "train_loss": LiveCurve(self.panes[0], "train"),
            "val_loss": LiveCurve(self.panes[0], "val"),
            "metric": LiveCurve(self.panes[1], "val"),
            "rate": LiveCurve(self.panes[2], "val"),
        }
        self._marks = [_upright(pane) for pane in self.panes]
        self.pointer = EpochPointer(self, self.panes)
        self._turns = Turns((self._set_out, *(partial(self._draw, pane) for pane in self.panes)), self)
        self._build()
        self.restyle()
        self.set_curve(())

    @property
    def shown_metric(self) -> str:
        """Id of the metric in the middle plot; empty while there is none."""
        return str(self._choice.currentData() or "")

    @property
    def curves(self) -> tuple[LiveCurve, ...]:
        """Training loss, validation loss, metric and learning rate as they are drawn."""
        return tuple(self._lines.values())

    def set_look(self, family: str, slot: int = 0) -> None:
        """Draw in a run's manner: its family's marker, and its place among the theme's colours."""
        self._family, self._slot = family, slot
        self.restyle()

    def set_curve(self, curve: Sequence[EpochFinished]) -> None:
        """Draw these epochs in place of what was drawn."""
        self.epochs = Epochs()
        self._add(curve)
        self._redraw()

    def append(self, epoch: EpochFinished) -> None:
        """Add one epoch and draw it now; an epoch that was there before voids what followed it."""
        self._add((epoch,))
        self._redraw()

    def extend(self, curve: Sequence[EpochFinished]) -> None:
        """Add news of a run at work: drawn within half a second, one plot a frame, however quickly they come."""
        self._add(curve)
        self._turns.begin()

    def _add(self, curve: Sequence[EpochFinished]) -> None:
        for epoch in curve:
            self.epochs.add(epoch)
        self._offer_metrics()

    def reset(self) -> None:
        """Show all epochs again."""
        for pane in self.panes:
            pane.reset()

    def restyle(self) -> None:
        """Take the current theme's colours."""
        now = self._theme = theme.current()
        colour = series_colour(now, self._slot)
        for pane in self.panes:
            pane.restyle()
        for curve in self._lines.values():
            curve.restyle(colour, self._family, QColor(now.panel))
        for mark in self._marks:
            mark.setPen(line_pen(QColor(now.good), "knn", 1.4))
        self.pointer.restyle(now)

    def changeEvent(self, event: QEvent) -> None:
        """Draw again in another theme's colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and theme.current() != self._theme:
            self.restyle()

    def _build(self) -> None:
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Training curves")
        head = QHBoxLayout()
        head.setSpacing(theme.SPACE[2])
        head.addWidget(self.legend, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self._best, 1)
        head.addWidget(self._choice)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.SPACE[1]] * 4)
        column.setSpacing(0)
        column.addLayout(head)
        for pane, share in zip(self.panes, (4, 4, 2), strict=True):
            column.addWidget(pane, share)
            pane.moved.connect(partial(self._follow, pane))
            pane.reset_wanted.connect(self.reset)
        self.panes[0].y_name.set_text("loss")

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
        self._turns.stop()
        self._set_out()
        for pane in self.panes:
            self._draw(pane)

    def _set_out(self) -> None:
        """What is said around the plots: names, the best epoch, which plots there are."""
        epochs, metric = self.epochs, self.shown_metric
        path = epochs.is_path
        self.pointer.set_epochs(epochs, metric)
        _, middle, lowest = self.panes
        for pane in self.panes:
            pane.set_axis("left", _AXIS_PX, powers=path and pane is lowest)
        lowest.y_name.set_text("C (1/penalty)" if path else "learning rate")
        lowest.setVisible(_rate(epochs) in epochs.names)
        middle.y_name.set_text(metric_title(metric))
        middle.setVisible(bool(metric))
        self._name_axes("point of the penalty path" if path else "epoch")
        self._best.setText(best_words(epochs, metric, named=False))
        self._best.setVisible(epochs.best is not None)
        self.setAccessibleDescription(description(epochs, metric))
        self._choice.setVisible(self._choice.count() > 1)

    def _draw(self, pane: PlotPane) -> None:
        """One plot: its lines, its ranges, the mark of the best epoch."""
        names = {"metric": self.shown_metric, "rate": _rate(self.epochs)}
        for line, curve in self._lines.items():
            if curve.pane is pane:
                values = self.epochs.values(names.get(line, line))
                is_power = line == "rate" and self.epochs.is_path
                curve.set_points(self.epochs.numbers, _log10(values) if is_power else values)
        _set_range(pane, self)
        mark, place = self._marks[self.panes.index(pane)], self.epochs.best
        mark.setVisible(place is not None)
        if place is not None:
            mark.setPos(float(self.epochs.numbers[place]))

    def _name_axes(self, name: str) -> None:
        lowest = [pane for pane in self.panes if not pane.isHidden()][-1]
        for pane in self.panes:
            pane.x_name.set_text(name if pane is lowest else "")
            room = None if pane is lowest else theme.SPACE[1]  # half of a number that stands at the lower end
            pane.set_axis("bottom", room, values=pane is lowest)

    def _follow(self, own: PlotPane) -> None:
        """Keep all plots at the same epochs."""
        shown = own.shown()[0]
        for pane in self.panes:
            if pane is not own and pane.shown()[0] != shown:
                pane.show_x(shown)

    def _on_toggled(self, index: int, shown: bool) -> None:
        self._lines[LOSSES[index][0]].set_shown(shown)
        _set_range(self.panes[0], self)

    def _on_chosen(self, _: int) -> None:
        self._redraw()
        self.metric_chosen.emit(self.shown_metric)


def _rate(epochs: Epochs) -> str:
    return "c" if epochs.is_path else "lr"


def _set_range(pane: PlotPane, plots: LiveCurves) -> None:
    """All epochs across, all values up; left alone where the person has zoomed."""
    last = float(plots.epochs.numbers[-1]) if len(plots.epochs) else 1.0
    x = (1.0, max(2.0, last, float(plots.epochs.planned)))
    heights = [curve.y for curve in plots.curves if curve.pane is pane and curve.is_shown]
    pane.set_home(x, bounds(heights), room=0.05, follow=all(other.is_home for other in plots.panes))


def _upright(pane: PlotPane) -> Any:
    item = pg.InfiniteLine(angle=90, movable=False)
    pane.add(item, 2)
    return item


def _log10(values: Floats) -> Floats:
    known = values > 0
    return np.log10(values, out=np.full(len(values), math.nan), where=known)

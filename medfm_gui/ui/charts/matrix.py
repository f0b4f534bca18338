"""Charts of kind ``matrix``: counts with the share of their row, shaded by that share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QWidget

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.ui import theme
from medfm_gui.ui.charts.axis_name import AxisName, small_font
from medfm_gui.ui.charts.matrix_grid import Grid, Table, grid_for
from medfm_gui.ui.charts.plot_pane import CHART_PX, LEAST_CHART_PX, paint_ring
from medfm_gui.ui.charts.readout import Reading, Readout, ReadoutRow
from medfm_gui.ui.charts.tones import ink_on
from medfm_gui.ui.charts.wording import count, line

_SHARE_FROM_PX = 32
_NUMBER_FROM_PX = 17
_SMALLEST_PX, _LARGEST_PX = 9, 16
_KEYS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class MatrixCanvas(QWidget):
    """Cells between their row and column names; the mouse or the arrow keys read one cell."""

    zoomed = Signal(bool)
    read = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chart = ChartSpec("", "matrix", "")
        self._x_name, self._y_name = AxisName(), AxisName(upright=True)
        self.cells = MatrixCells(self)
        self.cells.read.connect(self.read)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._y_name, 0, 0)
        layout.addWidget(self.cells, 0, 1)
        layout.addWidget(self._x_name, 1, 1)
        layout.setColumnStretch(1, 1)
        layout.setRowStretch(0, 1)
        self.setFocusProxy(self.cells)

    def draw(self, chart: ChartSpec, slots: Sequence[int]) -> None:
        """Show the chart; a matrix has no series and needs no ``slots``."""
        self._x_name.set_text(chart.x_label)
        self._y_name.set_text(chart.y_label)
        self.cells.set_table(Table.of(chart))

    def set_shown(self, index: int, shown: bool) -> None:
        """A matrix has no series to hide."""

    def reset(self) -> None:
        """A matrix is always shown whole."""

    def restyle(self) -> None:
        """Take the current theme's colours."""
        self.cells.update()


class MatrixCells(QWidget):
    """The cells with the names beside and below them."""

    read = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = Table((), (), (), ())
        self._cell: tuple[int, int] | None = None
        self._readout = Readout(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(LEAST_CHART_PX)

    def sizeHint(self) -> QSize:
        """Room in which a chart is read well."""
        return CHART_PX

    def set_table(self, table: Table) -> None:
        """Show these counts."""
        self._table = table
        self._choose(None)
        self.update()

    @property
    def cell(self) -> tuple[int, int] | None:
        """Row and column that are read now."""
        return self._cell

    def grid(self) -> Grid:
        """Where the cells lie at the present size."""
        return grid_for(self._table, self.width(), self.height(), QFontMetrics(small_font(self.font())))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw cells, names and the ring of the cell that is read."""
        painter = QPainter(self)
        now, grid = theme.current(), self.grid()
        painter.fillRect(self.rect(), QColor(now.panel))
        for row in range(self._table.height):
            for column in range(self._table.width):
                self._paint_cell(painter, grid.cell(row, column), row, column)
        self._paint_names(painter, grid)
        if self._cell:
            painter.setPen(QPen(QColor(now.text), theme.FOCUS))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(grid.cell(*self._cell))
        if self.hasFocus():
            paint_ring(painter, self)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the cell under the mouse."""
        self._choose(self.grid().at(event.position()), event.position())

    def leaveEvent(self, event: QEvent) -> None:
        """Put the readout away."""
        self._choose(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Put the readout away."""
        self._choose(None)
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from cell to cell."""
        step = _KEYS.get(Qt.Key(event.key()))
        if step is None or not self._table.height or not self._table.width:
            super().keyPressEvent(event)
            return
        row, column = self._cell or (0, 0)
        if self._cell:
            row, column = row + step[0], column + step[1]
        cell = min(max(row, 0), self._table.height - 1), min(max(column, 0), self._table.width - 1)
        self._choose(cell, self.grid().cell(*cell).center())
        self.read.emit(self._readout.reading.text)

    def reading(self, row: int, column: int) -> Reading:
        """What the readout tells of a cell."""
        table = self._table
        share = table.shares[row][column]
        of_row = f"{100 * share:.1f} % of the row" if math.isfinite(share) else "empty row"
        return Reading(
            f"{table.row_label or 'row'} → {table.column_label or 'column'}",
            (
                ReadoutRow(f"{line(table.row(row), 60)} → {line(table.column(column), 60)}", ""),
                ReadoutRow(count(table.counts[row][column]), of_row),
            ),
        )

    def _choose(self, cell: tuple[int, int] | None, place: QPointF | None = None) -> None:
        self._cell = cell
        if cell is None or place is None:
            self._readout.hide()
        else:
            self._readout.show_at(self.reading(*cell), place)
        self.update()

    def _paint_cell(self, painter: QPainter, area: QRectF, row: int, column: int) -> None:
        now = theme.current()
        share, value = self._table.shares[row][column], self._table.counts[row][column]
        ground = QColor(theme.mix(now.panel, now.accent, 0.05 + 0.9 * (share if math.isfinite(share) else 0.0)))
        painter.fillRect(area.adjusted(0.5, 0.5, -0.5, -0.5), ground)
        size = min(area.height() * 0.3, area.width() * 0.3, _LARGEST_PX)
        if min(area.height(), area.width()) < _NUMBER_FROM_PX:
            return
        painter.setPen(ink_on(ground))
        with_share = area.height() >= _SHARE_FROM_PX and math.isfinite(share)
        upper = QRectF(area.left(), area.top() + area.height() * 0.14, area.width(), area.height() * 0.42)
        lower = QRectF(area.left(), area.center().y() + area.height() * 0.02, area.width(), area.height() * 0.32)
        self._write(painter, upper if with_share else area, count(value), size)
        if with_share:
            self._write(painter, lower, f"{100 * share:.0f} %", size * 0.8)

    def _write(self, painter: QPainter, area: QRectF, text: str, px: float) -> None:
        font = small_font(self.font())
        font.setPixelSize(max(_SMALLEST_PX, round(px)))
        if QFontMetrics(font).horizontalAdvance(text) > area.width() - 2:
            font.setPixelSize(_SMALLEST_PX)
            if QFontMetrics(font).horizontalAdvance(text) > area.width() - 2:
                return
        painter.setFont(font)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine, text)

    def _paint_names(self, painter: QPainter, grid: Grid) -> None:
        font = small_font(self.font())
        metrics, gap = QFontMetrics(font), theme.SPACE[1]
        painter.setFont(font)
        painter.setPen(QColor(theme.current().text))
        end = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        if grid.cell_height >= metrics.height() * 0.8:
            for row in range(self._table.height):
                area = QRectF(0, grid.cell(row, 0).top(), grid.left - gap, grid.cell_height)
                name = metrics.elidedText(line(self._table.row(row)), Qt.TextElideMode.ElideMiddle, int(area.width()))
                painter.drawText(area, end, name)
        if grid.slanted and grid.cell_width < metrics.height() * 0.8:
            return
        for column in range(self._table.width):
            below = grid.cell(self._table.height - 1, column)
            name = line(self._table.column(column))
            if not grid.slanted:
                area = QRectF(below.left(), below.bottom() + theme.SPACE[0], below.width(), metrics.height())
                shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(area.width()))
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine, shown)
                continue
            painter.save()
            painter.translate(below.center().x() + metrics.height() * 0.3, below.bottom() + gap)
            painter.rotate(-grid.angle)
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, grid.name_px)
            painter.drawText(QRectF(-grid.name_px, -metrics.height() / 2, grid.name_px, metrics.height()), end, shown)
            painter.restore()

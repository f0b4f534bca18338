"""A chart with its title, legend, tools and note."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QBuffer, QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QImage, QImageWriter, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.log_axis import has_legend
from medfm_gui.ui import icons, theme
from medfm_gui.ui.charts.describe import as_csv, description
from medfm_gui.ui.charts.intervals import IntervalsCanvas
from medfm_gui.ui.charts.legend import ChartLegend, LegendEntry
from medfm_gui.ui.charts.lines import LinesCanvas
from medfm_gui.ui.charts.matrix import MatrixCanvas
from medfm_gui.ui.charts.wording import file_stem, line
from medfm_gui.ui.widgets.text import Label, tip

FORMATS: Final = {"pdf": "PDF, vectors", "svg": "SVG, vectors", "png": "PNG, picture", "csv": "CSV, numbers"}
"""What a chart can be exported as, and how the menu says it."""

_PICTURE_RATIO = 2.0
_PNG_QUALITY = 90
"""Never lossy: how little time is spent on making the file small."""
_LEGEND_PX = 96
_LONGEST_NOTE = 400
_ICON_PX = 16


Canvas = LinesCanvas | MatrixCanvas | IntervalsCanvas
CANVASES: Final[Mapping[str, type[Canvas]]] = {
    "lines": LinesCanvas,
    "matrix": MatrixCanvas,
    "intervals": IntervalsCanvas,
}
"""The one list of kinds and what draws them."""


class ChartView(QWidget):
    """Draws a ``ChartSpec``. Hover reads values, the legend hides series, the picture can be copied or exported."""

    export_wanted = Signal(str, str)
    """Format (``pdf``, ``svg``, ``png``, ``csv``) and a suggested file name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chart: ChartSpec | None = None
        self._theme = theme.current()
        self._canvases: dict[str, Canvas] = {}
        self._title = Label(role="heading3", elide=Qt.TextElideMode.ElideMiddle)
        self._note = Label(role="caption")
        self._empty = Label("No data", role="muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.legend = ChartLegend()
        self.legend.toggled.connect(self._on_toggled)
        self._scroll = QScrollArea()
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._build()
        self.set_chart(None)

    def _build(self) -> None:
        self._figure = QWidget()
        self._figure.setObjectName("figure")
        self._stack = QStackedLayout()
        self._stack.addWidget(self._empty)
        tools = self._tools()
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addSpacing(tools.sizeHint().width() + theme.SPACE[1])
        self._scroll.setWidget(self.legend)
        self._scroll.setWidgetResizable(True)
        self._scroll.viewport().setAutoFillBackground(False)
        self.legend.setAutoFillBackground(False)
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self._figure)
        column.setContentsMargins(*[theme.SPACE[2]] * 4)
        column.setSpacing(theme.SPACE[1])
        column.addLayout(head)
        column.addLayout(self._stack, 1)
        column.addWidget(self._scroll)
        column.addWidget(self._note)
        whole = QGridLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._figure, 0, 0)
        corner = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
        whole.addWidget(tools, 0, 0, corner)

    def _tools(self) -> QWidget:
        """The buttons in the upper right corner."""
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, theme.SPACE[1], theme.SPACE[1], 0)
        row.setSpacing(0)
        self._reset = _tool("reset", "Show the whole chart (0)")
        self._reset.clicked.connect(self.reset)
        self._copy = _tool("copy", "Copy as image")
        self._copy.clicked.connect(self.copy_image)
        self._export = _tool("export", "Export this chart")
        self._export.setMenu(self._export_menu())
        self._export.setStyleSheet("QToolButton::menu-indicator { image: none; width: 0; }")
        self._export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        for button in (self._reset, self._copy, self._export):
            row.addWidget(button)
        return bar

    def _export_menu(self) -> QMenu:
        menu = QMenu(self)
        for name, caption in FORMATS.items():
            menu.addAction(caption).triggered.connect(lambda _=False, chosen=name: self._export_as(chosen))
        return menu

    @property
    def chart(self) -> ChartSpec | None:
        """What is drawn."""
        return self._chart

    @property
    def canvas(self) -> Canvas | None:
        """What it is drawn on."""
        return self._canvases.get(self._chart.kind) if self._chart else None

    def set_chart(self, chart: ChartSpec | None, slots: Mapping[str, int] | None = None) -> None:
        """Draw a chart, or nothing.

        Args:
            chart: what to draw; numbers that are not finite are gaps.
            slots: place of a run's colour by the series' name, so that a run keeps its colour in every chart of one
                comparison; a series that is not named there takes its own place in the chart.
        """
        self._chart = chart
        drawn = chart is not None and _has_points(chart)
        for button in (self._copy, self._export):
            button.setEnabled(drawn)
        self._reset.setEnabled(False)
        self._title.setText(chart.title if chart else "")
        self._note.setText(line(chart.note, _LONGEST_NOTE) if chart else "")
        self._note.setVisible(bool(chart and chart.note))
        self.legend.set_entries(())
        self.setAccessibleName(line(chart.title) if chart and chart.title else "Chart")
        self.setAccessibleDescription(description(chart) if chart and drawn else "No data")
        if chart is None or not drawn:
            self._stack.setCurrentWidget(self._empty)
        else:
            places = tuple((slots or {}).get(series.name, place) for place, series in enumerate(chart.series))
            self._draw(chart, places)
        self._fit_legend()

    def _draw(self, chart: ChartSpec, places: tuple[int, ...]) -> None:
        canvas = self._canvas_for(chart.kind)
        canvas.draw(chart, places)
        reader = canvas.focusProxy() or canvas
        reader.setAccessibleName(line(chart.title) or "Chart")
        reader.setAccessibleDescription(description(chart))
        if chart.kind == "lines" and has_legend(chart) and any(series.name for series in chart.series):
            self.legend.set_entries(
                tuple(
                    LegendEntry(
                        series.name, series.family, series.style, place, line=len(series.x) > 1 and series.joined
                    )
                    for series, place in zip(chart.series, places, strict=True)
                )
            )
        self._stack.setCurrentWidget(canvas)

    def _canvas_for(self, kind: str) -> Canvas:
        if kind not in self._canvases:
            canvas = CANVASES[kind]()
            canvas.zoomed.connect(self._reset.setEnabled)
            canvas.read.connect(self._on_read)
            self._canvases[kind] = canvas
            self._stack.addWidget(canvas)
        return self._canvases[kind]

    def reset(self) -> None:
        """Show the whole chart again."""
        if self.canvas is not None:
            self.canvas.reset()

    def image(self) -> QImage:
        """Title, chart, legend and note as seen, twice as fine as the screen, without the tools."""
        picture = QImage(self._figure.size() * _PICTURE_RATIO, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(_PICTURE_RATIO)
        picture.fill(QColor(theme.current().panel))
        painter = QPainter(picture)
        self._figure.render(painter, QPoint(), renderFlags=QWidget.RenderFlag.DrawChildren)
        painter.end()
        return picture

    def copy_image(self) -> None:
        """Put the picture on the clipboard."""
        QGuiApplication.clipboard().setImage(self.image())

    def as_png_bytes(self) -> bytes:
        """The picture as the bytes of a PNG file."""
        buffer = QBuffer()
        writer = QImageWriter(buffer, b"PNG")
        writer.setQuality(_PNG_QUALITY)
        writer.write(self.image())
        return bytes(buffer.data().data())

    def as_csv(self) -> str:
        """The chart's numbers as CSV."""
        return as_csv(self._chart) if self._chart else ""

    def changeEvent(self, event: QEvent) -> None:
        """Draw again in another theme's colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and theme.current() != self._theme:
            self._theme = theme.current()
            for canvas in self._canvases.values():
                canvas.restyle()
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the legend as many rows as it needs."""
        super().resizeEvent(event)
        self._fit_legend()

    def _fit_legend(self) -> None:
        wide = self.width() - 2 * theme.SPACE[2]
        self._scroll.setFixedHeight(min(self.legend.heightForWidth(wide), _LEGEND_PX))
        self._scroll.setVisible(bool(self.legend.switches))

    def _on_toggled(self, index: int, shown: bool) -> None:
        if self.canvas is not None:
            self.canvas.set_shown(index, shown)

    def _on_read(self, text: str) -> None:
        if self.canvas is not None:
            (self.canvas.focusProxy() or self.canvas).setAccessibleDescription(text)

    def _export_as(self, name: str) -> None:
        if self._chart is not None:
            self.export_wanted.emit(name, f"{file_stem(self._chart.title or self._chart.id)}.{name}")


def _tool(icon: str, name: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icons.icon(icon, "muted"))
    button.setIconSize(QSize(_ICON_PX, _ICON_PX))
    button.setAutoRaise(True)
    button.setProperty("role", "quiet")
    button.setAccessibleName(name)
    tip(button, name)
    return button


def _has_points(chart: ChartSpec) -> bool:
    if chart.kind == "matrix":
        return any(chart.matrix)
    return any(series.x or series.y for series in chart.series)

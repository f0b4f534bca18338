"""Pages of a PDF below one another: only those in sight are drawn, and old ones stay until newer ones are ready."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from medfm_gui.ui import theme as themes
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.reports.press import Press
from medfm_gui.ui.pages.reports.stack import GAP_PX, Stack, stacked
from medfm_gui.ui.theme import FOCUS, SPACE

ZOOMS: Final = (0.25, 0.33, 0.5, 0.67, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
_SETTLE_MS: Final = 80
_NOTCH: Final = 120


class Paper(QAbstractScrollArea):
    """Shows a PDF; fits its width to the view unless a zoom was chosen.

    Signals:
        place_changed(int, int): the page that is read (from 1), and how many there are.
        zoom_changed(float, bool): 1.0 is the size on paper; whether it follows the width.
    """

    place_changed = Signal(int, int)
    zoom_changed = Signal(float, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stack = Stack()
        self._chosen: float | None = None
        self.press = Press(lambda page: self._stack.rects[page].size() * self.devicePixelRatioF(), self)
        self.press.loaded.connect(self._loaded)
        self.press.drawn.connect(self.viewport().update)
        self._settle = Later(self._draw, _SETTLE_MS, self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Pages of the report")
        self.verticalScrollBar().valueChanged.connect(self._moved)

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return len(self._stack.rects)

    @property
    def page(self) -> int:
        """The page in the upper part of the view, from 1; 0 where there is none."""
        return self._stack.page_at(self.verticalScrollBar().value() + self.viewport().height() // 3)

    @property
    def zoom(self) -> float:
        """1.0 is the size on paper."""
        return self._stack.zoom

    @property
    def fits_width(self) -> bool:
        """Whether the zoom follows the width of the view."""
        return self._chosen is None

    @property
    def is_settled(self) -> bool:
        """Every page in sight is drawn as it should be."""
        return not self._settle.isActive() and self.press.is_settled

    def show_pdf(self, data: bytes, *, keep_place: bool = False) -> None:
        """Show these pages; with ``keep_place`` at the place where the ones before were read."""
        self.press.print_pages(data, keep_place=keep_place)

    def go_to(self, page: int) -> None:
        """Scroll to the beginning of a page, from 1."""
        if 1 <= page <= self.pages:
            self.verticalScrollBar().setValue(self._stack.rects[page - 1].top() - GAP_PX)

    def fit_width(self) -> None:
        """Follow the width of the view."""
        self._chosen = None
        self._lay_out()

    def zoom_by(self, steps: int) -> None:
        """The next larger or smaller of ``ZOOMS``."""
        larger = [zoom for zoom in ZOOMS if zoom > self.zoom * 1.01]
        smaller = [zoom for zoom in ZOOMS if zoom < self.zoom * 0.99]
        wanted = (larger[:1] if steps > 0 else smaller[-1:]) or [self.zoom]
        self.set_zoom(wanted[0])

    def set_zoom(self, zoom: float) -> None:
        """That size, whatever the width of the view."""
        self._chosen = min(max(zoom, ZOOMS[0]), ZOOMS[-1])
        self._lay_out()

    def _loaded(self, keep_place: bool) -> None:
        if not keep_place:
            self.verticalScrollBar().setValue(0)
        self._lay_out()

    def _lay_out(self) -> None:
        """Place the pages, at the place where they were read."""
        down, across = self.verticalScrollBar(), self.horizontalScrollBar()
        anchor = self._stack.anchor(down.value())
        view = self.viewport().size()
        self._stack = stacked(self.press.sizes, view, self._chosen)
        for bar, whole, seen in (
            (down, self._stack.height, view.height()),
            (across, self._stack.width, view.width()),
        ):
            bar.setRange(0, max(whole - seen, 0))
            bar.setPageStep(max(seen - SPACE[5], 1))
            bar.setSingleStep(SPACE[4])
        down.setValue(self._stack.top_of(anchor))
        self._moved()
        self.zoom_changed.emit(self.zoom, self.fits_width)

    def _moved(self) -> None:
        self.viewport().update()
        self.place_changed.emit(self.page, self.pages)
        self.setAccessibleDescription(f"Page {self.page} of {self.pages}" if self.pages else "")
        self._settle.again()

    def _draw(self) -> None:
        self.press.want(self._stack.in_sight(self.verticalScrollBar().value(), self.viewport().height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what is in sight; a page that is not drawn yet is an empty sheet."""
        theme = themes.current()
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), QColor(theme.window))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        top = self.verticalScrollBar().value()
        shift = QPoint(-self.horizontalScrollBar().value(), -top)
        for place in self._stack.in_sight(top, self.viewport().height()):
            sheet = self._stack.rects[place].translated(shift)
            painter.fillRect(sheet, Qt.GlobalColor.white)  # paper is white in every theme
            image = self.press.image(place)
            if image is not None:
                painter.drawImage(sheet, image)
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawRect(sheet.adjusted(-1, -1, 0, 0))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), FOCUS))
            painter.drawRect(self.viewport().rect().adjusted(1, 1, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again."""
        super().resizeEvent(event)
        self._lay_out()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll, or with Ctrl zoom."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            turned = event.angleDelta().y()
            if abs(turned) >= _NOTCH // 2:
                self.zoom_by(1 if turned > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Home and End as well as what every scrolled view knows."""
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_Home:
            bar.setValue(0)
        elif event.key() == Qt.Key.Key_End:
            bar.setValue(bar.maximum())
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Draw anew on a finer screen or in another theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.DevicePixelRatioChange):
            self._moved()

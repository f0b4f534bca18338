"""Pages of a PDF below one another: only those in sight are drawn, and old ones stay until newer ones are ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from medfm_gui.ui import theme as themes
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.reports.volume import Volume
from medfm_gui.ui.theme import FOCUS, SPACE

ZOOMS: Final = (0.25, 0.33, 0.5, 0.67, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
_PIXELS_A_POINT: Final = 96 / 72
_GAP_PX: Final = SPACE[3]
_KEPT_AROUND: Final = 2
_SETTLE_MS: Final = 80
_NOTCH: Final = 120


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A page as it was drawn last, by which volume and how wide."""

    image: QImage
    volume: int
    width: int


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
        self._volume = Volume(self)
        self._volume.drawn.connect(self._take)
        self._next: tuple[bytes, bool] | None = None
        self._number = 0
        self._zoom = 1.0
        self._fits = True
        self._drawn: dict[int, _Drawn] = {}
        self._rects: list[QRect] = []
        self._settle = Later(self._draw_missing, _SETTLE_MS, self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Pages of the report")
        self.verticalScrollBar().valueChanged.connect(self._moved)

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return len(self._rects)

    @property
    def page(self) -> int:
        """The page in the upper part of the view, from 1; 0 where there is none."""
        line = self._top() + self.viewport().height() // 3
        return next((place for place, rect in enumerate(self._rects, 1) if line <= rect.bottom() + _GAP_PX), self.pages)

    @property
    def zoom(self) -> float:
        """1.0 is the size on paper."""
        return self._zoom

    @property
    def fits_width(self) -> bool:
        """Whether the zoom follows the width of the view."""
        return self._fits

    @property
    def is_settled(self) -> bool:
        """Every page in sight is drawn as it should be."""
        return self._next is None and not self._settle.isActive() and self._wanted() is None

    def show_pdf(self, data: bytes, *, keep_place: bool = False) -> None:
        """Show these pages; with ``keep_place`` at the place where the ones before were read."""
        self._next = (data, keep_place)
        if self._volume.is_idle:
            self._replace()

    def go_to(self, page: int) -> None:
        """Scroll to the beginning of a page, from 1."""
        if 1 <= page <= self.pages:
            self.verticalScrollBar().setValue(self._rects[page - 1].top() - _GAP_PX)

    def fit_width(self) -> None:
        """Follow the width of the view."""
        self._fits = True
        self._lay_out()

    def zoom_by(self, steps: int) -> None:
        """The next larger or smaller of ``ZOOMS``."""
        larger = [zoom for zoom in ZOOMS if zoom > self._zoom * 1.01]
        smaller = [zoom for zoom in ZOOMS if zoom < self._zoom * 0.99]
        wanted = (larger[:1] if steps > 0 else smaller[-1:]) or [self._zoom]
        self.set_zoom(wanted[0])

    def set_zoom(self, zoom: float) -> None:
        """That size, whatever the width of the view."""
        self._fits = False
        self._zoom = min(max(zoom, ZOOMS[0]), ZOOMS[-1])
        self._lay_out()

    def _replace(self) -> None:
        if self._next is None:
            return
        (data, keep_place), self._next = self._next, None
        self._volume.load(data)
        self._number += 1
        if not keep_place:
            self._drawn.clear()
            self.verticalScrollBar().setValue(0)
        self._lay_out()

    def _lay_out(self) -> None:
        """Place the pages, at the place where they were read."""
        anchor = self._anchor()
        view = self.viewport().size()
        sizes = self._volume.sizes
        widest = max((size.width() for size in sizes), default=1.0) or 1.0
        if self._fits:
            self._zoom = max(view.width() - 2 * _GAP_PX, 1) / (widest * _PIXELS_A_POINT)
        scale = self._zoom * _PIXELS_A_POINT
        room = max(view.width(), round(widest * scale) + 2 * _GAP_PX)
        top, self._rects = _GAP_PX, []
        for size in sizes:
            width, height = max(round(size.width() * scale), 1), max(round(size.height() * scale), 1)
            self._rects.append(QRect((room - width) // 2, top, width, height))
            top += height + _GAP_PX
        self._set_ranges(room, top)
        self._return_to(anchor)
        self._moved()
        self.zoom_changed.emit(self._zoom, self._fits)

    def _set_ranges(self, width: int, height: int) -> None:
        view = self.viewport().size()
        for bar, whole, seen in (
            (self.verticalScrollBar(), height, view.height()),
            (self.horizontalScrollBar(), width, view.width()),
        ):
            bar.setRange(0, max(whole - seen, 0))
            bar.setPageStep(max(seen - SPACE[5], 1))
            bar.setSingleStep(SPACE[4])

    def _anchor(self) -> tuple[int, float]:
        """The page at the top of the view and how much of it is above."""
        top = self._top()
        for place, rect in enumerate(self._rects):
            if top < rect.bottom():
                return place, (top - rect.top()) / rect.height()
        return 0, -1.0

    def _return_to(self, anchor: tuple[int, float]) -> None:
        place, share = anchor
        if place < self.pages and share > -1:
            rect = self._rects[place]
            above = -_GAP_PX if share < 0 else round(share * rect.height())
            self.verticalScrollBar().setValue(rect.top() + above)

    def _top(self) -> int:
        return self.verticalScrollBar().value()

    def _moved(self) -> None:
        self.viewport().update()
        self.place_changed.emit(self.page, self.pages)
        self.setAccessibleDescription(f"Page {self.page} of {self.pages}" if self.pages else "")
        self._settle.again()

    def _in_sight(self) -> list[int]:
        view = QRect(QPoint(0, self._top()), self.viewport().size())
        return [
            place
            for place, rect in enumerate(self._rects)
            if rect.bottom() >= view.top() and rect.top() <= view.bottom()
        ]

    def _wanted(self) -> int | None:
        """The page to be drawn next: one in sight, then one beside them."""
        seen = self._in_sight()
        if not seen:
            return None
        beside = [place for place in (seen[-1] + 1, seen[0] - 1) if 0 <= place < self.pages]
        for place in (*seen, *beside):
            drawn = self._drawn.get(place)
            if drawn is None or (drawn.volume, drawn.width) != (self._number, self._pixels(place).width()):
                return place
        return None

    def _pixels(self, place: int) -> QSize:
        return self._rects[place].size() * self.devicePixelRatioF()

    def _draw_missing(self) -> None:
        page = self._wanted()
        if page is not None and self._volume.is_idle:
            self._volume.draw(page, self._pixels(page))

    def _take(self, page: int, image: QImage) -> None:
        if self._next is not None:  # waited for this page to be drawn
            self._replace()
            return
        self._drawn[page] = _Drawn(image, self._number, image.width())
        seen = self._in_sight()
        low, high = (seen[0] - _KEPT_AROUND, seen[-1] + _KEPT_AROUND) if seen else (0, 0)
        self._drawn = {place: drawn for place, drawn in self._drawn.items() if low <= place <= high}
        self.viewport().update()
        self._draw_missing()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what is in sight; a page that is not drawn yet is an empty sheet."""
        theme = themes.current()
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), QColor(theme.window))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        shift = QPoint(-self.horizontalScrollBar().value(), -self._top())
        for place in self._in_sight():
            sheet = self._rects[place].translated(shift)
            painter.fillRect(sheet, Qt.GlobalColor.white)  # paper is white in every theme
            drawn = self._drawn.get(place)
            if drawn is not None:
                painter.drawImage(sheet, drawn.image)
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

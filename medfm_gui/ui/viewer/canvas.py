"""The pane that paints a viewer's state: picture, heat map, words. It takes no input.

A step must fit into a frame of the screen, so everything is painted at the size of the pane, tables are looked up
instead of computed, and what costs more (averaging, smooth scaling of very large panes) waits until the hand rests.
"""

from __future__ import annotations

import math
import time

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from medfm_gui.imaging.header import clean_text
from medfm_gui.ui.viewer import facts, lettering
from medfm_gui.ui.viewer.facts import Probe
from medfm_gui.ui.viewer.heat import HeatLayer, Overlay
from medfm_gui.ui.viewer.image import HeatMap, SeriesImage
from medfm_gui.ui.viewer.ink import ink
from medfm_gui.ui.viewer.orientation import letters
from medfm_gui.ui.viewer.picture import Cut, Fining, Picture, cut_for
from medfm_gui.ui.viewer.placement import Placement
from medfm_gui.ui.viewer.state import ViewerState

_REST_MS = 120
_SLICE_OF_WORK_S = 0.006
_SMOOTH_PIXELS = 2_200_000
"""Of the screen, in a pane: where there are more, all of them are painted at rest only."""
_PIXELS_SEEN = 8
"""Zoomed in so far that a picture pixel takes so many of the screen, single ones are looked at: drawn as squares."""
_LONGEST = 120


class Canvas(QWidget):
    """Paints one series, and a heat map over it."""

    def __init__(self, state: ViewerState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.overlay = Overlay()
        self.heat_map: HeatMap | None = None
        self.identity_shown = True
        self.probe_pixel: tuple[int, int] | None = None
        """Column and row of the pixel whose value is told."""
        self.probe_is_marked = False
        self._picture, self._heat = Picture(), HeatLayer()
        self._cut: Cut | None = None
        self._in_haste = False
        self._ink = ink()
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._rested)
        self._work = QTimer(self, interval=0)
        self._work.timeout.connect(self._refine)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(160, 120))
        state.changed.connect(self._state_changed)
        state.series_changed.connect(self._series_changed)

    @property
    def placement(self) -> Placement:
        """Where the picture lies now; of an empty one if there is none."""
        series = self.state.series
        size = (1, 1, 1.0) if series is None else (series.columns, series.rows, series.tallness)
        return Placement(self.state.view, *size, max(self.width(), 1), max(self.height(), 1))

    @property
    def probe(self) -> Probe | None:
        """The value under the cursor, in the slice that is shown."""
        series, pixel = self.state.series, self.probe_pixel
        if series is None or pixel is None or pixel[0] >= series.columns or pixel[1] >= series.rows:
            return None
        return facts.probe_at(self.state, *pixel)

    def set_heat_map(self, heat: HeatMap | None) -> None:
        """Another map over the picture, or none. It is seen only while the overlay is shown."""
        self.heat_map = heat
        self._heat.forget()
        self.update()

    def set_overlay(self, opacity: float, *, follow_value: bool, shown: bool) -> None:
        """How the heat map is laid over the picture: opacity 0…1; off at first."""
        self.overlay = Overlay(min(max(opacity, 0.0), 1.0), follow_value, shown)
        self._hurry()
        self.update()

    def set_identity_shown(self, shown: bool) -> None:
        """Whether the banner says who it is."""
        self.identity_shown = shown
        self.update()

    def sizeHint(self) -> QSize:
        """A square that shows a slice of a CT at its own size."""
        return QSize(512, 512)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Everything, in the order in which it lies."""
        painter = QPainter(self)
        pane = QRectF(self.rect())
        painter.fillRect(pane, self._ink.ground)
        series = self.state.series
        if series is not None:
            placement = self.placement
            if self.state.is_shown:
                self._paint_picture(painter, series, placement)
            else:
                lettering.paint_message(painter, pane, facts.why_nothing(self.state), self._ink)
            self._paint_words(painter, pane, series, placement)
        if self.hasFocus():
            lettering.paint_frame(painter, pane, self._ink)
        painter.end()

    def hideEvent(self, event: QHideEvent) -> None:
        """What nobody sees is not worked on."""
        self._rest.stop()
        self._work.stop()
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Colours follow the theme."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._ink = ink()
            self.update()
        super().changeEvent(event)

    def _paint_picture(self, painter: QPainter, series: SeriesImage, placement: Placement) -> None:
        """In motion a very large or very fine pane is painted at a lower resolution and blown up."""
        ratio = self.devicePixelRatioF()
        pixels_a_column = placement.scale * ratio * min(1.0, series.tallness)
        cut = cut_for(self.state.index, placement.visible(), pixels_a_column)
        if cut.is_empty:
            return
        pixels = self.width() * self.height()
        if self._in_haste and pixels * ratio * ratio > _SMOOTH_PIXELS:
            ratio = min(1.0, math.sqrt(_SMOOTH_PIXELS / pixels))
            draft = QImage(
                max(1, int(self.width() * ratio)), max(1, int(self.height() * ratio)), QImage.Format.Format_RGB32
            )
            draft.fill(self._ink.ground)
            under = QPainter(draft)
            under.scale(draft.width() / self.width(), draft.height() / self.height())
            self._paint_layers(under, series, placement, cut, smooth=True)
            under.end()
            painter.drawImage(QRectF(self.rect()), draft)
        else:
            single = placement.view.zoom > 1 and pixels_a_column >= _PIXELS_SEEN
            self._paint_layers(painter, series, placement, cut, smooth=not single)
        self._cut = cut
        busy = self._rest.isActive() or self._work.isActive()
        if self.isVisible() and not busy and (self._in_haste or self._picture.is_coarse(cut)):
            self._rest.start()

    def _paint_layers(
        self, painter: QPainter, series: SeriesImage, placement: Placement, cut: Cut, *, smooth: bool
    ) -> None:
        """The picture and the map over it."""
        turn = placement.view.turn
        image = self._picture.image(series.frames, cut, turn, self.state.table(), self.state.edition)
        tall, wide = (image.width(), image.height()) if turn.is_sideways else (image.height(), image.width())
        part = placement.box(cut.left, cut.top, cut.left + wide * cut.step, cut.top + tall * cut.step)
        whole = QRectF(*placement.box(0, 0, series.columns, series.rows))
        painter.save()
        painter.setClipRect(whole)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(QRectF(*part), image)
        heat = self.heat_map
        if heat is not None and self.overlay.shown and heat.covers(cut.frame):
            box = QRectF(*placement.box(*heat.box)) if heat.box is not None else whole
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(box, self._heat.image(heat, cut.frame, turn, self.overlay))
        painter.restore()

    def _paint_words(self, painter: QPainter, pane: QRectF, series: SeriesImage, placement: Placement) -> None:
        self._paint_mark(painter, placement)
        words = facts.corners(self.state, placement, self.probe, identity_shown=self.identity_shown)
        bar = facts.scale_bar(series, placement) if self.state.is_shown else None
        lower = lettering.paint_corners(painter, pane, words, bar, self._ink)
        lettering.paint_letters(painter, pane, letters(series, self.state.view.turn), self._ink)
        heat = self.heat_map
        if heat is not None and self.overlay.shown and heat.covers(self.state.index) and self.state.is_shown:
            label = clean_text(heat.label, _LONGEST)
            lettering.paint_legend(painter, pane, heat, label, lower, self._ink)
        if self.state.loaded < self.state.count:
            lettering.paint_progress(painter, pane, self.state.loaded / self.state.count, self._ink)

    def _paint_mark(self, painter: QPainter, placement: Placement) -> None:
        """A small cross where the keyboard has put the value cursor."""
        if self.probe_is_marked and self.probe_pixel is not None:
            x, y = self.probe_pixel[0] + 0.5, self.probe_pixel[1] + 0.5
            arm = 8 / placement.scale
            ends = (((x - arm, y), (x + arm, y)), ((x, y - arm), (x, y + arm)))
            lines = [(QPointF(*placement.to_pane(*start)), QPointF(*placement.to_pane(*end))) for start, end in ends]
            lettering.paint_cross(painter, lines, self._ink)

    def _hurry(self) -> None:
        """The picture is moving: quality waits."""
        self._in_haste = True
        self._work.stop()
        if self.isVisible():
            self._rest.start()

    def _state_changed(self) -> None:
        self._hurry()
        self.update()

    def _series_changed(self) -> None:
        self._picture.forget()
        self._cut, self.probe_pixel, self.probe_is_marked = None, None, False

    def _rested(self) -> None:
        """The hand rests: paint smoothly, tell screen readers, and average what was thinned."""
        self._in_haste = False
        self.setAccessibleDescription(facts.description(self.state))
        series, cut = self.state.series, self._cut
        if series is not None and cut is not None and self.state.is_shown and self._picture.is_coarse(cut):
            if self._picture.fining is None or self._picture.fining.cut != cut:
                self._picture.fining = Fining(series.frames, cut)
            self._work.start()
        self.update()

    def _refine(self) -> None:
        until = time.perf_counter() + _SLICE_OF_WORK_S
        fining = self._picture.fining
        while time.perf_counter() < until:
            if fining is None or fining.advance():
                self._work.stop()
                self.update()
                return

"""One series on screen, read the way a viewer is read.

Left drag window/level, middle drag pan, right drag zoom, wheel next slice, double click this pane alone; every
one of them by keyboard too (``bindings.BINDINGS``). Data are handed in; the viewer reads no file.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from medfm_gui.ui.viewer.actions import ACTIONS
from medfm_gui.ui.viewer.bindings import BINDINGS, by_key, key_name
from medfm_gui.ui.viewer.canvas import Canvas
from medfm_gui.ui.viewer.cine import Cine
from medfm_gui.ui.viewer.hand import Drag, DragDirection, Gesture, gesture
from medfm_gui.ui.viewer.image import HeatMap, SeriesImage
from medfm_gui.ui.viewer.state import ViewerState

_NOTCH = 120
"""What a wheel tells for one click; finer wheels and touchpads tell parts of it."""
_ZOOM_A_NOTCH = 1.15


class Viewer(Canvas):
    """Shows a ``SeriesImage`` and, over it, a ``HeatMap``; keyboard and mouse work as radiology readers expect."""

    slice_changed = Signal(int)
    window_changed = Signal(float, float)
    """Centre and width."""
    hovered = Signal(object)
    """A ``facts.Probe``, or None."""
    enlarge_wanted: Signal = Signal()
    """Double click or Enter: this pane alone, and back."""
    overlay_changed = Signal()
    """Another heat map, or shown in another way."""

    def __init__(self, parent: QWidget | None = None) -> None:
        state = ViewerState()
        super().__init__(state, parent)
        state.setParent(self)
        self.cine: Cine = Cine(state)
        self._drag: Drag | None = None
        self.drag_direction = DragDirection()
        """Which way the left drag works: a setting."""
        self._keys = by_key(BINDINGS)
        self._turned = 0
        state.slice_changed.connect(self.slice_changed)
        state.window_changed.connect(self.window_changed)
        state.changed.connect(self._tell_probe)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)  # the right button zooms
        self.setAccessibleName("Image viewer")
        self.setAccessibleDescription("No image")

    def set_series(self, series: SeriesImage | None) -> None:
        """Show another series from its first frame, or none; the heat map goes with the one before."""
        self.set_heat_map(None)
        self.state.set_series(series)

    def set_loaded(self, count: int, notes: Sequence[str] | None = None) -> None:
        """So many frames of the series are there; ``notes``, if given: one a frame, why it cannot be shown."""
        self.state.set_loaded(count, notes)

    def set_heat_map(self, heat: HeatMap | None) -> None:
        """Another map over the picture, or none. It is seen only while the overlay is shown."""
        super().set_heat_map(heat)
        self.overlay_changed.emit()

    def set_overlay(self, opacity: float, *, follow_value: bool, shown: bool) -> None:
        """How the heat map is laid over the picture: opacity 0…1; off at first."""
        super().set_overlay(opacity, follow_value=follow_value, shown=shown)
        self.overlay_changed.emit()

    def set_probe(self, pixel: tuple[int, int] | None, *, marked: bool = False) -> None:
        """The pixel whose value is told: under the mouse, or ``marked`` where the keyboard put it."""
        if (pixel, marked) != (self.probe_pixel, self.probe_is_marked):
            self.probe_pixel, self.probe_is_marked = pixel, marked
            self._tell_probe()
            self.update()

    def run(self, action: str) -> None:
        """Do what a key does, by the name of its binding."""
        ACTIONS[action](self)

    def step(self, by: int) -> None:
        """So many slices on, or back; a film stops."""
        self.cine.stop()
        self.state.go_to(self.state.index + by)

    def event(self, event: QEvent) -> bool:
        """Keys that mean something here go here before a shortcut of the window takes them."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._action(event):
            event.accept()
            return True
        if event.type() == QEvent.Type.Leave:
            self.set_probe(None)
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The action bound to the key."""
        action = self._action(event)
        if action is not None:
            self.run(action)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A drag may begin; a second button during one is ignored."""
        kind = gesture(event.button(), event.modifiers())
        if self._drag is None and kind is not None and self.state.series is not None:
            window = self.state.window_to_change()
            self._drag = Drag(kind, event.button(), event.position(), self.placement, window)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The drag goes on, or the value under the cursor is told."""
        at = event.position()
        self._point_at(at)
        drag = self._drag
        if drag is None or not drag.begins(at):
            return
        if drag.gesture is Gesture.WINDOW:
            window = drag.window_at(at, self.drag_direction)
            if window is not None:
                self.state.set_window(window.centre, window.width)
        else:
            self.state.set_view(drag.view_at(at))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The drag ends with the button that began it."""
        if self._drag is not None and event.button() == self._drag.button:
            self._drag = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """This pane alone, and back."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.enlarge_wanted.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Next slice, one a notch; with Ctrl zoom where the cursor is."""
        turned = event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            at = event.position()
            factor = _ZOOM_A_NOTCH ** (turned / _NOTCH)
            self.state.set_view(self.placement.zoomed_at(factor, at.x(), at.y()))
        else:
            self._turned += turned
            notches = int(self._turned / _NOTCH)
            self._turned -= notches * _NOTCH
            if notches:
                self.step(-notches)
        event.accept()

    def hideEvent(self, event: QHideEvent) -> None:
        """A film that nobody sees stops."""
        self.cine.stop()
        self._drag = None
        super().hideEvent(event)

    def _action(self, event: QKeyEvent) -> str | None:
        return self._keys.get(key_name(event))

    def _point_at(self, at: QPointF) -> None:
        if self.state.series is not None:
            self.set_probe(self.placement.pixel_at(at.x(), at.y()))

    def _tell_probe(self) -> None:
        self.hovered.emit(self.probe)

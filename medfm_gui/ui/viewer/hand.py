"""What the mouse does: left drag window/level, middle drag pan, right drag zoom.

A drag is worked out from where it began, so that coming back gives back exactly what was there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QPointF, Qt

from medfm_gui.imaging.window import Window
from medfm_gui.ui.viewer.placement import Placement, View

_STARTS_AFTER = 3.0
"""Pane pixels: a click, or a double click, is no drag."""
_PIXELS_A_FOLD = 150.0
"""A window is e times as wide, a picture e times as large, after so many pixels."""


@dataclass(frozen=True, slots=True)
class DragDirection:
    """A setting: how the left drag changes window and level."""

    width_across: bool = True
    """Left and right change the width, up and down the level; else the other way round."""
    up_is_brighter: bool = True
    """Up (or right, where levels lie across) makes the picture brighter, which lowers the level."""


class Gesture(Enum):
    """What a drag does."""

    WINDOW = "window"
    PAN = "pan"
    ZOOM = "zoom"


def gesture(button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> Gesture | None:
    """By button; with Shift or Ctrl the left one pans and zooms too, for a touchpad has no middle."""
    if button == Qt.MouseButton.LeftButton:
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            return Gesture.PAN
        return Gesture.ZOOM if modifiers & Qt.KeyboardModifier.ControlModifier else Gesture.WINDOW
    if button == Qt.MouseButton.MiddleButton:
        return Gesture.PAN
    return Gesture.ZOOM if button == Qt.MouseButton.RightButton else None


@dataclass(slots=True)
class Drag:
    """A button that is held down."""

    gesture: Gesture
    button: Qt.MouseButton
    start: QPointF
    placement: Placement
    window: Window | None
    is_moving: bool = False

    def begins(self, at: QPointF) -> bool:
        """Whether the hand has moved far enough, now or before."""
        moved = at - self.start
        self.is_moving = self.is_moving or math.hypot(moved.x(), moved.y()) >= _STARTS_AFTER
        return self.is_moving

    def window_at(self, at: QPointF, direction: DragDirection) -> Window | None:
        """The window for a hand at this place."""
        if self.window is None:
            return None
        right, up = at.x() - self.start.x(), self.start.y() - at.y()
        wider, brighter = (right, up) if direction.width_across else (up, right)
        return moved_window(self.window, wider, brighter if direction.up_is_brighter else -brighter)

    def view_at(self, at: QPointF) -> View:
        """The view for a hand at this place, panning or zooming."""
        if self.gesture is Gesture.PAN:
            return self.placement.panned(at.x() - self.start.x(), at.y() - self.start.y())
        factor = math.exp((self.start.y() - at.y()) / _PIXELS_A_FOLD)
        return self.placement.zoomed_at(factor, self.start.x(), self.start.y())


def moved_window(window: Window, wider: float, brighter: float) -> Window:
    """The window after a drag of so many pixels; the level moves in proportion to the width."""
    width = window.width * math.exp(wider / _PIXELS_A_FOLD)
    return Window(window.centre - brighter * window.width / (2 * _PIXELS_A_FOLD), width, window.function)

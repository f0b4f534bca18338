"""What each action of ``bindings.BINDINGS`` does to a viewer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from medfm_gui.ui.viewer.hand import moved_window

if TYPE_CHECKING:
    from medfm_gui.ui.viewer.viewer import Viewer

Action = Callable[["Viewer"], None]

_ZOOM = 1.2
_KEY_PIXELS = 12.0
"""A key press moves as much as a drag of so many pixels."""
_LAST = 2**31


def _step(by: int) -> Action:
    def step(viewer: Viewer) -> None:
        viewer.step(by)

    return step


def _zoom(factor: float) -> Action:
    def zoom(viewer: Viewer) -> None:
        viewer.state.set_view(viewer.state.view.zoomed(factor))

    return zoom


def _pan(across: int, down: int) -> Action:
    def pan(viewer: Viewer) -> None:
        viewer.state.set_view(viewer.placement.panned(across * _KEY_PIXELS, down * _KEY_PIXELS))

    return pan


def _window(wider: int, higher: int) -> Action:
    def window(viewer: Viewer) -> None:
        start = viewer.state.window_to_change()
        if start is not None:
            moved = moved_window(start, wider * _KEY_PIXELS, -higher * _KEY_PIXELS)
            viewer.state.set_window(moved.centre, moved.width)

    return window


def _probe(across: int, down: int) -> Action:
    """Moves as seen on the screen, whatever the turn."""

    def probe(viewer: Viewer) -> None:
        series = viewer.state.series
        if series is None:
            return
        column, row = viewer.probe_pixel or (series.columns // 2, series.rows // 2)
        x, y = viewer.state.view.turn.back(across, down)
        column = min(max(column + int(x), 0), series.columns - 1)
        row = min(max(row + int(y), 0), series.rows - 1)
        viewer.set_probe((column, row), marked=True)

    return probe


def _preset(digit: int) -> Action:
    def preset(viewer: Viewer) -> None:
        viewer.state.show_preset(digit)

    return preset


def _overlay(viewer: Viewer) -> None:
    was = viewer.overlay
    if viewer.heat_map is not None:
        viewer.set_overlay(was.opacity, follow_value=was.follow_value, shown=not was.shown)


ACTIONS: Mapping[str, Action] = {
    "next": _step(1),
    "previous": _step(-1),
    "ten-on": _step(10),
    "ten-back": _step(-10),
    "first": _step(-_LAST),
    "last": _step(_LAST),
    "fit": lambda viewer: viewer.state.set_view(viewer.state.view.fitted()),
    "invert": lambda viewer: viewer.state.invert(),
    "rotate": lambda viewer: viewer.state.set_view(viewer.state.view.rotated()),
    "flip-h": lambda viewer: viewer.state.set_view(viewer.state.view.flipped(across=True)),
    "flip-v": lambda viewer: viewer.state.set_view(viewer.state.view.flipped(across=False)),
    "reset": lambda viewer: viewer.state.reset(),
    "cine": lambda viewer: viewer.cine.toggle(),
    "zoom-in": _zoom(_ZOOM),
    "zoom-out": _zoom(1 / _ZOOM),
    "pan-left": _pan(-1, 0),
    "pan-right": _pan(1, 0),
    "pan-up": _pan(0, -1),
    "pan-down": _pan(0, 1),
    "level-up": _window(0, 1),
    "level-down": _window(0, -1),
    "width-up": _window(1, 0),
    "width-down": _window(-1, 0),
    "probe-left": _probe(-1, 0),
    "probe-right": _probe(1, 0),
    "probe-up": _probe(0, -1),
    "probe-down": _probe(0, 1),
    "overlay": _overlay,
    "enlarge": lambda viewer: viewer.enlarge_wanted.emit(),
    **{f"preset-{digit}": _preset(digit) for digit in range(10)},
}

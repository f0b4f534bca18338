"""Mouse and keyboard, as radiology readers expect, and a keyboard way for all that the mouse does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medfm_gui.ui.viewer.actions import ACTIONS
from medfm_gui.ui.viewer.bindings import BINDINGS, by_key
from medfm_gui.ui.viewer.facts import Probe
from medfm_gui.ui.viewer.hand import DragDirection
from medfm_gui.ui.viewer.heat import Overlay
from medfm_gui.ui.viewer.image import HeatMap
from medfm_gui.ui.viewer.viewer import Viewer
from tests.gui.viewer.conftest import Make, is_inverted, is_playing

LEFT, MIDDLE, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton
MIDST = QPoint(300, 200)


def drag(viewer: Viewer, button: Qt.MouseButton, by: tuple[int, int], *, release: bool = True) -> None:
    QTest.mousePress(viewer, button, pos=MIDST)
    QTest.mouseMove(viewer, MIDST + QPoint(*by) / 2)
    _move(viewer, button, MIDST + QPoint(*by))
    if release:
        QTest.mouseRelease(viewer, button, pos=MIDST + QPoint(*by))


def _move(viewer: Viewer, button: Qt.MouseButton, to: QPoint) -> None:
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(to), QPointF(to), Qt.MouseButton.NoButton, button, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(viewer, event)


def wheel(viewer: Viewer, turned: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    at = QPointF(150, 100)
    QApplication.sendEvent(
        viewer,
        QWheelEvent(
            at, at, QPoint(), QPoint(0, turned), Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False
        ),
    )


def window(viewer: Viewer) -> tuple[float, float]:
    assert viewer.state.window is not None
    return viewer.state.window.centre, viewer.state.window.width


def test_left_drag_is_window_and_level(viewer: Viewer) -> None:
    drag(viewer, LEFT, (150, 0))
    assert window(viewer) == pytest.approx((40, 400 * math.e))
    viewer.run("reset")
    drag(viewer, LEFT, (0, -30))
    assert window(viewer) == pytest.approx((0, 400)), "up is brighter: the level falls"


def test_the_direction_of_the_drag_is_a_setting(viewer: Viewer) -> None:
    viewer.drag_direction = DragDirection(width_across=False, up_is_brighter=False)
    drag(viewer, LEFT, (30, 0))
    assert window(viewer) == pytest.approx((80, 400))
    viewer.run("reset")
    drag(viewer, LEFT, (0, -150))
    assert window(viewer) == pytest.approx((40, 400 * math.e))


def test_a_drag_that_comes_back_changes_nothing(viewer: Viewer) -> None:
    drag(viewer, LEFT, (80, 60), release=False)
    assert window(viewer) != (40, 400)
    _move(viewer, LEFT, MIDST)
    assert window(viewer) == (40, 400)
    QTest.mouseRelease(viewer, LEFT, pos=MIDST)
    _move(viewer, Qt.MouseButton.NoButton, MIDST + QPoint(90, 90))
    assert window(viewer) == (40, 400), "after the release nothing is dragged"


def test_middle_drag_pans_and_right_drag_zooms(viewer: Viewer) -> None:
    before = viewer.placement.to_picture(300, 200)
    drag(viewer, MIDDLE, (50, -20))
    assert viewer.placement.to_picture(350, 180) == pytest.approx(before)
    viewer.run("reset")
    drag(viewer, RIGHT, (0, -75))
    assert viewer.state.view.zoom == pytest.approx(math.exp(0.5))
    assert window(viewer) == (40, 400)


def test_the_wheel_scrolls_one_slice_a_notch_and_counts_parts(viewer: Viewer, qtbot: QtBot) -> None:
    with qtbot.waitSignal(viewer.slice_changed) as told:
        wheel(viewer, -120)
    assert told.args == [1]
    wheel(viewer, -60)
    assert viewer.state.index == 1
    wheel(viewer, -60)
    assert viewer.state.index == 2
    wheel(viewer, 120 * 50)
    assert viewer.state.index == 0


def test_ctrl_and_wheel_zoom_where_the_cursor_is(viewer: Viewer) -> None:
    before = viewer.placement.to_picture(150, 100)
    wheel(viewer, 120, Qt.KeyboardModifier.ControlModifier)
    assert viewer.state.view.zoom > 1
    assert viewer.state.index == 0
    assert viewer.placement.to_picture(150, 100) == pytest.approx(before)


def test_a_double_click_enlarges_and_leaves_the_window_alone(viewer: Viewer, qtbot: QtBot) -> None:
    with qtbot.waitSignal(viewer.enlarge_wanted):
        QTest.mouseDClick(viewer, LEFT, pos=MIDST)
    assert window(viewer) == (40, 400)


def test_levels_never_jump_when_the_slice_changes(viewer: Viewer, qtbot: QtBot) -> None:
    viewer.state.set_window(123, 456)
    with qtbot.assertNotEmitted(viewer.window_changed):
        for _ in range(8):
            viewer.run("next")
    assert window(viewer) == (123, 456)
    assert viewer.state.index == 5


def test_keys(viewer: Viewer) -> None:
    state = viewer.state
    for key, index in (
        (Qt.Key.Key_Down, 1), (Qt.Key.Key_Right, 2), (Qt.Key.Key_Up, 1), (Qt.Key.Key_End, 5), (Qt.Key.Key_Left, 4),
        (Qt.Key.Key_Home, 0), (Qt.Key.Key_PageDown, 5), (Qt.Key.Key_PageUp, 0),
    ):  # fmt: skip
        QTest.keyClick(viewer, key)
        assert state.index == index
    QTest.keyClick(viewer, Qt.Key.Key_2)
    assert window(viewer) == (-600, 1500)
    assert state.preset_name == "Lung"
    QTest.keyClick(viewer, Qt.Key.Key_1, Qt.KeyboardModifier.KeypadModifier)
    assert window(viewer) == (40, 400)
    QTest.keyClick(viewer, Qt.Key.Key_7)
    assert window(viewer) == (40, 400), "no seventh preset"
    QTest.keyClick(viewer, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(viewer, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert window(viewer)[0] > 40
    assert window(viewer)[1] > 400
    QTest.keyClick(viewer, Qt.Key.Key_0)
    assert window(viewer) == (40, 400)
    QTest.keyClick(viewer, Qt.Key.Key_Plus, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(viewer, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert state.view.zoom > 1
    assert state.view.pan[0] < 0
    QTest.keyClick(viewer, Qt.Key.Key_F)
    assert (state.view.zoom, state.view.pan) == (1, (0, 0))
    for key in (Qt.Key.Key_R, Qt.Key.Key_H, Qt.Key.Key_V, Qt.Key.Key_I):
        QTest.keyClick(viewer, key)
    assert is_inverted(viewer)
    assert state.view.turn.is_sideways
    QTest.keyClick(viewer, Qt.Key.Key_Space)
    assert not is_inverted(viewer)
    assert not state.view.turn.is_sideways


def test_every_binding_has_an_action_and_keys_of_its_own() -> None:
    assert {binding.action for binding in BINDINGS} == set(ACTIONS)
    keys = [QKeySequence(key).toString() for binding in BINDINGS for key in binding.keys]
    assert len(keys) == len(set(keys)) == len(by_key(BINDINGS))
    assert all(keys)


def test_every_action_does_no_harm_without_a_series(qtbot: QtBot, make: Make) -> None:
    viewer = Viewer()
    qtbot.addWidget(viewer)
    for series in (None, make(loaded=0)):
        viewer.set_series(series)
        for action in ACTIONS:
            viewer.run(action)
        assert not viewer.grab().isNull()
        viewer.cine.stop()


@pytest.mark.parametrize("actions", [(), ("rotate",), ("flip-h",), ("flip-v", "rotate"), ("zoom-in", "pan-left")])
def test_the_value_under_the_cursor_is_that_pixel_s(viewer: Viewer, actions: tuple[str, ...]) -> None:
    viewer.run("next")
    for action in actions:
        viewer.run(action)
    series = viewer.state.series
    assert series is not None
    for column, row in ((0, 0), (17, 31), (59, 39), (30, 20)):
        x, y = viewer.placement.to_pane(column + 0.5, row + 0.5)
        _move(viewer, Qt.MouseButton.NoButton, QPoint(round(x), round(y)))
        if 0 <= x < 600 and 0 <= y < 400:
            assert viewer.probe == Probe(column, row, (float(series.frames[1, row, column]),), "HU")
    viewer.run("next")
    assert viewer.probe is not None
    assert viewer.probe.values == (series.value(2, viewer.probe.row, viewer.probe.column),)


def test_the_value_cursor_goes_by_keyboard_as_seen(viewer: Viewer, qtbot: QtBot) -> None:
    viewer.run("rotate")
    told: list[object] = []
    viewer.hovered.connect(told.append)
    QTest.keyClick(viewer, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert viewer.probe_pixel == (30, 19), "right on the screen is up in a picture turned clockwise"
    assert isinstance(told[-1], Probe)


def test_cine_runs_at_the_frame_time_and_stops_when_nobody_sees_it(viewer: Viewer, make: Make, qtbot: QtBot) -> None:
    viewer.set_series(make(frame_time_ms=12.0))
    assert viewer.cine.frame_ms == 12
    viewer.run("cine")
    qtbot.waitUntil(lambda: viewer.state.index >= 3, timeout=3000)
    viewer.run("previous")
    assert not is_playing(viewer), "who scrolls has taken over"
    viewer.run("cine")
    viewer.hide()
    assert not is_playing(viewer)
    viewer.set_series(make(frame_time_ms=float("nan"), loaded=1))
    assert viewer.cine.frame_ms == pytest.approx(1000 / 15)
    viewer.run("cine")
    assert not is_playing(viewer), "one frame is no film"


def test_the_overlay_is_off_at_first_and_has_a_key(viewer: Viewer, heat: HeatMap) -> None:
    viewer.set_heat_map(heat)
    assert viewer.overlay == Overlay()
    QTest.keyClick(viewer, Qt.Key.Key_O)
    assert viewer.overlay == Overlay(shown=True)
    viewer.set_series(viewer.state.series)
    assert viewer.heat_map is None


def test_colour_has_no_window(viewer: Viewer, make: Make) -> None:
    viewer.set_series(
        make(
            frames=np.full((1, 4, 4, 3), 9, np.uint8), loaded=1, unit="", window=None, positions_mm=(), orientation=None
        )
    )
    drag(viewer, LEFT, (90, 90))
    viewer.run("invert")
    viewer.run("width-up")
    assert viewer.state.window is None
    assert not is_inverted(viewer)
    viewer.set_probe((1, 1))
    assert viewer.probe == Probe(1, 1, (9.0, 9.0, 9.0), "")

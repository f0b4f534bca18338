"""Every page at every size in both themes: seen, whole, with names for its controls, and reachable by keyboard.

The pictures are left in ``build/screens``: look at them whenever something visible changed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from medfm_gui.ui import theme
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages import PAGES, PageEntry
from medfm_gui.ui.sample import sample_context
from tests.fixtures.hand import Hand
from tests.fixtures.window import (
    SIZES,
    application,
    closed,
    controls,
    cut_texts,
    opened_window,
    overlapping,
    settle,
    spoken_name,
    visible,
)

SCREENS = Path(__file__).resolve().parents[3] / "build" / "screens"
KEYS = [entry.key for entry in PAGES]
_FRAME_PX = (176, 28)


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[MainWindow]:
    one = opened_window(tmp_path / "workspace", qtbot.waitUntil)
    yield one
    closed(one)


def _sample_page(entry: PageEntry, qtbot: QtBot, size: tuple[int, int]) -> Page:
    sample = importlib.import_module(f"medfm_gui.ui.pages.{entry.key}.sample")
    page = entry.load()(sample_context(sample.ANSWERS, application()))
    qtbot.addWidget(page)
    page.resize(size[0] - _FRAME_PX[0], size[1] - _FRAME_PX[1])
    page.show()
    for _ in range(12):  # an answer may lead to the next question
        qtbot.wait(15)
    return page


def _is_drawn(widget: QWidget, name: str) -> bool:
    SCREENS.mkdir(parents=True, exist_ok=True)
    picture = widget.grab()
    assert picture.save(str(SCREENS / f"{name}.png"))
    image = picture.toImage()
    seen = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    return len(seen) > 8


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", ["dark", "light"])
@pytest.mark.parametrize("key", KEYS)
def test_a_full_page_is_whole(key: str, look: str, size: tuple[int, int], qtbot: QtBot) -> None:
    entry = next(entry for entry in PAGES if entry.key == key)
    theme.apply(application(), theme.load(look))
    page = _sample_page(entry, qtbot, size)
    assert _is_drawn(page, f"full-{key}-{look}-{size[0]}x{size[1]}")
    assert cut_texts(page) == []
    assert overlapping(page) == []
    assert [type(item).__name__ for item in controls(page) if not spoken_name(item)] == []


@pytest.mark.parametrize("look", ["dark", "light"])
def test_empty_pages_of_a_new_workspace_are_whole(look: str, window: MainWindow, qtbot: QtBot) -> None:
    window.set_appearance(look)
    for size in SIZES:
        window.resize(*size)
        for key in KEYS:
            window.go(key)
            settle(window, qtbot.waitUntil)
            assert _is_drawn(window, f"empty-{key}-{look}-{size[0]}x{size[1]}")
            assert cut_texts(window) == [], key
            assert overlapping(window) == [], key
            assert [type(item).__name__ for item in controls(window) if not spoken_name(item)] == [], key


@pytest.mark.parametrize("key", KEYS)
def test_tab_walks_through_a_page_and_comes_round(key: str, qtbot: QtBot) -> None:
    entry = next(entry for entry in PAGES if entry.key == key)
    page = _sample_page(entry, qtbot, SIZES[0])
    page.activateWindow()
    wanted = set(controls(page))
    first = next(iter(sorted(wanted, key=lambda item: item.mapTo(page, item.rect().topLeft()).y())), None)
    if first is None:
        return
    first.setFocus()
    seen: list[QWidget] = []
    for _ in range(len(wanted) + 40):
        now = application().focusWidget()
        if now is None or (now in seen and now is seen[0] and len(seen) > 1):
            break
        seen.append(now)
        QTest.keyClick(now, Qt.Key.Key_Tab)
        if application().focusWidget() is now:  # tables and texts keep Tab for themselves; Ctrl+Tab leaves them
            QTest.keyClick(now, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    trapped = len(seen) > 3 and seen[-1] is seen[-2] is seen[-3]
    assert not trapped, f"the focus stays on {type(seen[-1]).__name__} “{spoken_name(seen[-1])}”"


@pytest.mark.parametrize("key", KEYS)
def test_a_page_at_twice_the_scale_is_whole(key: str, qtbot: QtBot) -> None:
    """A monitor of 200 % leaves 960 × 540 of a 1920 × 1080 screen: the page scrolls or shrinks, nothing is cut."""
    entry = next(entry for entry in PAGES if entry.key == key)
    page = _sample_page(entry, qtbot, (1136, 628))
    assert _is_drawn(page, f"narrow-{key}-dark")
    assert overlapping(page) == []


def test_every_page_is_reached_by_its_number(window: MainWindow, qtbot: QtBot) -> None:
    hand = Hand(window, qtbot.waitUntil)
    for number, key in enumerate(KEYS, 1):
        hand.key(getattr(Qt.Key, f"Key_{number}"))
        shown = window.pages.currentWidget()
        assert isinstance(shown, Page)
        assert shown.key == key
        settle(window, qtbot.waitUntil, quiet_s=0.05)


def test_the_notice_is_always_there(window: MainWindow, qtbot: QtBot) -> None:
    for key in KEYS:
        window.go(key)
        settle(window, qtbot.waitUntil, quiet_s=0.05)
        texts = {item.accessibleName() for item in visible(window)}
        assert "Research use only – not for clinical use" in texts

"""Whatever a file, a class or a patient calls itself: it is shown as it is, bounded, and never read as markup."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QAbstractTableModel, QModelIndex, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLabel, QWidget
from pytestqt.qtbot import QtBot

from medfm_gui.desk.protocol import Ask
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages import PAGES
from medfm_gui.ui.sample import sample_context
from tests.fixtures.window import application

KEYS = [entry.key for entry in PAGES]
NAMES = (
    '<img src="/etc/passwd">',
    "<b>x</b>&amp;",
    "evil\u202egnp.exe",
    "\U0001f9e0\U0001f3fb\u200d\U0001f52c",
    "n" * 10_000,
    "two\nlines\r\nthree\tfour",
    "\u05d7\u05d5\u05dc\u05d4 \u0645\u0631\u064a\u0636",
    "&File\0\x1b[31m",
    "",
)
_WIDEST_PX = 1280 - 176
_KEPT = {
    "id",
    "run",
    "dataset",
    "split",
    "model",
    "sample",
    "study",
    "series",
    "uid",
    "kind",
    "state",
    "layout",
    "sample_set",
}
"""Fields that join one answer with another, or that hold a word of the program's own."""


def hostile(value: Any, name: Callable[[], str], field: str = "") -> Any:
    """The same answer with other words in it, wherever a person's or a file's words can stand."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return value if field in _KEPT or not value or _is_ours(value) else name()
    if isinstance(value, tuple):
        return tuple(hostile(one, name, field) for one in value)
    if isinstance(value, Mapping):
        return {key: hostile(one, name, field) for key, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = [one for one in dataclasses.fields(value) if one.init]
        return dataclasses.replace(
            value, **{one.name: hostile(getattr(value, one.name), name, one.name) for one in own}
        )
    return value


def _is_ours(text: str) -> bool:
    """A time, a number, a short word of the program's own: never somebody's name."""
    return text[:4].isdigit() or (text.islower() and text.isidentifier() and len(text) < 12) or text.startswith("[")


@pytest.fixture
def opened(qtbot: QtBot) -> Callable[[str, Callable[[], str]], Page]:
    """Shows a page whose answers are full of somebody's words."""

    def open_(key: str, name: Callable[[], str]) -> Page:
        sample = importlib.import_module(f"medfm_gui.ui.pages.{key}.sample")

        def asker(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
            def other(ask: Ask[Any]) -> Any:
                plain = answer(ask)
                try:
                    return hostile(plain, name)
                except (TypeError, ValueError):
                    return plain  # what must not exist cannot be constructed

            return other

        entry = next(entry for entry in PAGES if entry.key == key)
        context = sample_context({ask: asker(answer) for ask, answer in sample.ANSWERS.items()}, application())
        page = entry.load()(context)
        qtbot.addWidget(page)
        page.resize(_WIDEST_PX, 772)
        page.show()
        for _ in range(10):
            qtbot.wait(10)
        return page

    return open_


def judge(page: QWidget) -> None:
    """Plain everywhere, and no wider than a small screen."""
    for label in page.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText, label
    for widget in page.findChildren(QWidget):
        plain_tip(widget.toolTip())
        if isinstance(widget, QAbstractButton):
            assert len(widget.text()) <= 200, widget.text()[:80]
    for view in page.findChildren(QAbstractItemView):
        if view.model() is not None:
            for text in tips(view.model()):
                plain_tip(text)
    assert page.minimumSizeHint().width() <= _WIDEST_PX, f"{page.minimumSizeHint().width()} px wide"
    assert page.width() <= _WIDEST_PX
    assert not page.grab().isNull()


def tips(model: QAbstractItemModel, parent: QModelIndex | None = None) -> Iterator[str]:
    """Tooltips of the first rows and headings of a model."""
    parent = parent or QModelIndex()
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)
    is_flat = isinstance(model, QAbstractListModel | QAbstractTableModel)
    for row in range(min(model.rowCount(parent), 8)):
        for column in range(columns):
            index = model.index(row, column, parent)
            yield str(model.data(index, Qt.ItemDataRole.ToolTipRole) or "")
            if not is_flat and not parent.isValid() and model.hasChildren(index):
                yield from tips(model, index)
    for section in range(columns):
        yield str(model.headerData(section, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole) or "")


def plain_tip(text: str) -> None:
    """A tooltip that Qt would take for markup must have been escaped as a whole."""
    if re.search(r"<[a-zA-Z!/?]", text):
        assert text.startswith("<qt>"), text[:80]
        inner = text.removeprefix("<qt>").removesuffix("</qt>").replace("<br/>", "")
        assert "<" not in inner, text[:80]
    assert len(text) < 8000


@pytest.mark.parametrize("name", NAMES[:-1], ids=lambda name: ascii(name[:12]))
@pytest.mark.parametrize("key", KEYS)
def test_a_page_full_of_one_hostile_name(key: str, name: str, opened: Callable[[str, Callable[[], str]], Page]) -> None:
    judge(opened(key, lambda: name))


_ANY = st.text(st.characters(min_codepoint=1, max_codepoint=0xD7FF), min_size=1, max_size=40) | st.sampled_from(NAMES)


@pytest.mark.parametrize("key", KEYS)
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(words=st.lists(_ANY, min_size=3, max_size=9))
def test_a_page_full_of_any_names(key: str, words: list[str], opened: Callable[[str, Callable[[], str]], Page]) -> None:
    turn = iter(range(10**9))
    page = opened(key, lambda: words[next(turn) % len(words)])
    judge(page)
    page.hide()

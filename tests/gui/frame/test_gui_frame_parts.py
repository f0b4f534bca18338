"""Pages are built in parts: what nobody sees yet comes later, a little a turn, and stands where it belongs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QLineEdit, QStackedWidget, QTabWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from medfm_gui.ui import page_stack
from medfm_gui.ui.page import Page
from medfm_gui.ui.page_stack import PageStack
from medfm_gui.ui.pages import PAGES, PageEntry
from medfm_gui.ui.sample import sample_context
from medfm_gui.ui.widgets.deferred import Deferred, make_all, make_next, unmade
from medfm_gui.ui.widgets.text import Label

MOST_WIDGETS = 180
"""Of one step; the largest page has several times as many."""
MOST_STYLINGS = 7
"""A widget, on the average of a step: each time that what holds it is put into something else costs one."""


class Counter(QObject):
    """Counts how often widgets are styled."""

    def __init__(self) -> None:
        super().__init__()
        self.stylings = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.stylings += event.type() == QEvent.Type.PaletteChange
        return False


@pytest.fixture
def counter(themed: QApplication) -> Iterator[Counter]:
    one = Counter()
    themed.installEventFilter(one)
    yield one
    themed.removeEventFilter(one)


def size(widget: QWidget) -> int:
    return len(widget.findChildren(QWidget))


def chain(first: QWidget) -> list[QWidget]:
    """The widgets that the focus comes to from the first on."""
    found, one = [first], first.nextInFocusChain()
    while one is not None and one is not first:
        found.append(one)
        one = one.nextInFocusChain()
    return found


def _there(place: Deferred[Label]) -> tuple[bool, bool]:
    """Whether the part is made, and whether it is seen."""
    return place.made is not None, place.made is not None and place.made.isVisible()


def test_a_part_is_made_when_it_is_seen(qtbot: QtBot) -> None:
    tabs = QTabWidget()
    qtbot.addWidget(tabs)
    seen, hidden = Deferred(lambda _: Label("first")), Deferred(lambda _: Label("second"))
    tabs.addTab(seen, "First")
    tabs.addTab(hidden, "Second")
    assert _there(seen) == (False, False)
    tabs.show()
    assert _there(seen) == (True, True), "in the same turn, so no empty frame is painted"
    assert _there(hidden) == (False, False)
    tabs.setCurrentIndex(1)
    assert _there(hidden) == (True, True)


def test_a_part_is_made_once_and_where_it_is_needed(qtbot: QtBot) -> None:
    made: list[QWidget] = []

    def make(place: QWidget) -> Label:
        made.append(place)
        return Label("part")

    place = Deferred(make)
    qtbot.addWidget(place)
    part = place.part
    place.show()
    assert place.part is part and made == [place]
    assert part.isVisible() and part.parentWidget() is place


def test_parts_are_made_one_by_one_and_those_inside_of_others_too(qtbot: QtBot) -> None:
    def nest(depth: int) -> Callable[[QWidget], QWidget]:
        def make(place: QWidget) -> QWidget:
            whole = QWidget(place)
            column = QVBoxLayout(whole)
            if depth:
                column.addWidget(Deferred(nest(depth - 1)))
            return whole

        return make

    place = QWidget()
    qtbot.addWidget(place)
    QVBoxLayout(place).addWidget(Deferred(nest(2)))
    for _ in range(3):
        assert len(unmade(place)) == 1
        assert make_next(place)
    assert not unmade(place) and not make_next(place)


def test_a_part_that_came_late_stands_in_the_tab_order_where_it_is_seen(qtbot: QtBot) -> None:
    whole = QWidget()
    qtbot.addWidget(whole)
    column = QVBoxLayout(whole)
    before, after = QLineEdit(), QLineEdit()

    def make(place: QWidget) -> QWidget:
        pair = QWidget(place)
        rows = QVBoxLayout(pair)
        rows.addWidget(QLineEdit("one"))
        rows.addWidget(QLineEdit("two"))
        return pair

    place = Deferred(make)
    for widget in (before, place, after):
        column.addWidget(widget)
    make_all(whole)
    order = [widget.text() for widget in chain(before) if isinstance(widget, QLineEdit)]
    assert order == ["", "one", "two", ""]


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.key)
def test_no_step_of_a_page_makes_much_or_styles_it_over_and_over(
    entry: PageEntry, qtbot: QtBot, counter: Counter
) -> None:
    stack = QStackedWidget()
    qtbot.addWidget(stack)
    stack.show()
    page = entry.load()(replace(sample_context({}, stack), parent=stack))
    stack.addWidget(page)
    steps = [("the page", size(page), counter.stylings)]
    while places := unmade(page):
        known, counter.stylings = size(page), 0
        part = places[0].part
        steps.append((type(part).__name__, size(page) - known, counter.stylings))
    assert [step for step in steps if step[1] > MOST_WIDGETS] == []
    assert [step for step in steps if step[2] > MOST_STYLINGS * max(step[1], 20)] == []


def test_what_nobody_asked_for_is_built_a_step_a_turn(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_stack, "PAGES", tuple(entry for entry in PAGES if entry.key in ("datasets", "train")))
    stack = PageStack()
    qtbot.addWidget(stack)
    stack.show()
    stack.open(sample_context({}, stack))
    sizes: list[int] = []
    stack._builder.timeout.connect(lambda: sizes.append(size(stack)))
    with qtbot.waitSignal(stack.complete, timeout=20_000):
        stack.build_ahead()
    grown = [after - before for before, after in itertools.pairwise(sizes)]
    assert len([step for step in grown if step > 0]) >= 10
    assert max(grown) <= MOST_WIDGETS
    assert not any(unmade(stack.page(key)) for key in ("datasets", "train"))
    stack.close_pages()


def test_a_page_that_is_asked_for_is_there_at_once(qtbot: QtBot) -> None:
    stack = PageStack()
    qtbot.addWidget(stack)
    stack.resize(1000, 700)
    stack.show()
    stack.open(sample_context({}, stack))
    stack.show_page("train")
    page = stack.currentWidget()
    assert isinstance(page, Page) and page.isVisible()
    assert unmade(page), "the wizard comes later"
    stack.close_pages()

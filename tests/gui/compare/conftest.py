"""The compare page on sample answers."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from medfm_gui.ui.pages.compare.page import ComparePage
from medfm_gui.ui.pages.compare.sample import ANSWERS
from medfm_gui.ui.sample import Answers, sample_context
from tests.fixtures.gui_compare import RUNS, Open


@pytest.fixture
def show(qtbot: QtBot) -> Open:
    """Opens the page and waits until it shows what it was answered."""

    def show(changes: Answers | None = None, state: str = "content", **context: Any) -> ComparePage:
        page = ComparePage(sample_context({**ANSWERS, **(changes or {})}, **context))
        qtbot.addWidget(page)
        page.resize(1080, 770)
        page.show()
        qtbot.waitUntil(lambda: page.state.state == state)
        return page

    return show


@pytest.fixture
def compared(show: Open, qtbot: QtBot) -> ComparePage:
    """The page with three runs and their charts."""
    page = show()
    page.visit(runs=RUNS)
    qtbot.waitUntil(lambda: page.board.bar.runs == RUNS and page.board.large.list.count() > 0)
    qtbot.waitUntil(lambda: not page.board.overview.grid._turn.isActive())
    return page

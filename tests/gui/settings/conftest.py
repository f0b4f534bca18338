"""The settings page on sample answers."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from medfm_gui.ui.pages.settings.page import SettingsPage
from medfm_gui.ui.pages.settings.sample import ANSWERS
from medfm_gui.ui.sample import Answers, sample_context
from tests.fixtures.gui_settings import Show


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    def open_page(tab: str, answers: Answers = ANSWERS, **wish: Any) -> SettingsPage:
        context = sample_context(answers)
        page = SettingsPage(context)
        context.desk.setParent(page)  # type: ignore[attr-defined]
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        page.visit(tab=tab, **wish)
        qtbot.wait(20)
        return page

    return open_page

"""The train page on sample answers."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from medfm_gui.ui.pages.train.page import TrainPage
from medfm_gui.ui.pages.train.sample import ANSWERS
from medfm_gui.ui.sample import sample_context
from tests.fixtures.gui_train import Open


@pytest.fixture
def page(qtbot: QtBot) -> Open:
    def make(answers: Any = None, **context: Any) -> TrainPage:
        page = TrainPage(sample_context({**ANSWERS, **(answers or {})}, **context))
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        return page

    return make

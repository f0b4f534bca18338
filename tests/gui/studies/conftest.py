"""The studies page on sample answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from medfm_gui.ui.pages.studies import sample
from medfm_gui.ui.pages.studies.page import StudiesPage
from medfm_gui.ui.sample import sample_context
from tests.fixtures.gui_studies import Make


@pytest.fixture
def make(qtbot: QtBot) -> Iterator[Make]:
    pages: list[StudiesPage] = []

    def make(changes: dict[str, Any] | None = None, **other: Any) -> StudiesPage:
        page = StudiesPage(sample_context(sample.answers(**other), **(changes or {})))
        qtbot.addWidget(page)
        page.resize(1200, 760)
        page.show()
        qtbot.waitUntil(lambda: page.browser.state.state != "busy")
        pages.append(page)
        return page

    yield make
    for page in pages:
        page.reader.close_series()

"""The page: its sections, names from outside, themes, errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLineEdit
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.settings import (
    DiagnosticFile,
    DiagnosticFiles,
    PreviewDiagnostics,
    ReadProgramFacts,
)
from medfm_gui.desk.asks.train import ListModels, ModelList
from medfm_gui.desk.entry import Topic
from medfm_gui.domain.cards import BrokenPlugin
from medfm_gui.domain.errors import InputError, MedfmError
from medfm_gui.ui import theme
from medfm_gui.ui.pages.settings.page import SECTIONS
from medfm_gui.ui.pages.settings.sample import ANSWERS, MODELS
from medfm_gui.ui.pages.settings.weights import WeightsSection
from medfm_gui.ui.sample import WAITS
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label
from tests.fixtures.gui_settings import HOSTILE, KEYS, Show, asked, click, texts, weights


@pytest.mark.parametrize("key", KEYS)
def test_every_section_fills_and_fits_a_small_window(qtbot: QtBot, show: Show, key: str) -> None:
    page = show(key)
    pane = page.section.findChild(StatePane)
    if pane is not None:
        qtbot.waitUntil(lambda: pane.state == "content")
    page.resize(900, 600)
    qtbot.wait(10)
    assert (page.width(), page.height()) == (900, 600)
    assert page.list.currentItem().text() == next(entry.title for entry in SECTIONS if entry.key == key)


@pytest.mark.parametrize("key", KEYS)
def test_every_control_has_a_name_and_takes_part_in_the_tab_order(show: Show, key: str) -> None:
    page = show(key)
    for kind in (QAbstractButton, QLineEdit, QAbstractItemView):
        for control in page.findChildren(kind):
            if control.isVisible() and control.objectName() not in ("qt_spinbox_lineedit",):
                words = control.text() if isinstance(control, QAbstractButton) else ""
                parent = control.parentWidget()
                named = control.accessibleName() or words or (parent and parent.accessibleName())
                assert named, control
    assert page.section.accessibleName()


@pytest.mark.parametrize(
    ("key", "question"), [("weights", ListModels), ("plugins", ListModels), ("diagnostics", PreviewDiagnostics),
                          ("about", ReadProgramFacts)],
)  # fmt: skip
def test_a_section_that_cannot_be_filled_says_why_in_place(
    qtbot: QtBot, show: Show, key: str, question: type[Any]
) -> None:
    def fail(ask: object) -> object:
        raise InputError("The settings are damaged.", "Remove the file.")

    page = show(key, {**ANSWERS, question: fail})
    pane = page.section.findChild(StatePane)
    assert pane is not None
    qtbot.waitUntil(lambda: pane.state == "error")
    assert "The settings are damaged." in texts(page.section)


@pytest.mark.parametrize("key", ["weights", "plugins", "diagnostics", "about"])
def test_a_section_is_busy_until_the_answer_comes(show: Show, key: str) -> None:
    waiting = {question: lambda ask: WAITS for question in ANSWERS}
    pane = show(key, waiting).section.findChild(StatePane)
    assert pane is not None
    assert pane.state == "busy"


def test_the_last_section_is_remembered_and_the_list_works_by_keyboard(qtbot: QtBot, show: Show) -> None:
    page = show("devices")
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Down)
    assert isinstance(page.section, WeightsSection)
    assert page.context.memory.get("settings.section") == "weights"
    page.context.actions.run("settings.about")
    assert page.list.currentItem().text() == "About"


def test_a_changed_topic_makes_the_shown_section_ask_again(qtbot: QtBot, show: Show) -> None:
    page = show("weights")
    before = len(asked(page, ListModels))
    page.mark_stale(Topic.MODELS)
    assert len(asked(page, ListModels)) == before + 1


@pytest.mark.parametrize("key", ["weights", "plugins", "diagnostics"])
def test_names_from_files_stay_plain_and_do_not_widen_the_page(qtbot: QtBot, show: Show, key: str) -> None:
    one = MODELS[2]
    card = replace(one.card, title=HOSTILE, licence=HOSTILE, plugin=HOSTILE, pretraining=HOSTILE)
    models = ModelList((replace(one, card=card),), (BrokenPlugin(f"/p/{HOSTILE}", HOSTILE),))
    files = DiagnosticFiles((DiagnosticFile(HOSTILE, HOSTILE, HOSTILE),))
    answers = {**ANSWERS, ListModels: lambda ask: models, PreviewDiagnostics: lambda ask: files}
    page = show(key, answers, **({"model": one.card.name} if key == "weights" else {}))
    qtbot.wait(30)
    assert page.width() == 1080
    for label in page.findChildren(Label):
        assert label.textFormat() is Qt.TextFormat.PlainText
    for table in page.section.findChildren(QAbstractItemView):
        found = table.model()
        for at in range(found.columnCount() if found is not None else 0):
            tip = found.index(0, at).data(Qt.ItemDataRole.ToolTipRole)
            assert tip is None or "<img" not in tip


def test_the_other_theme_is_drawn_without_complaint(show: Show, themed: Any) -> None:
    page = show("weights")
    theme.apply(themed, theme.load("light"))
    assert not page.grab().isNull()


def test_errors_of_every_kind_can_be_told(show: Show) -> None:
    section = weights(show("weights"))
    section.job.end_badly(MedfmError("It failed."))
    assert section.job.message == "It failed."
    click(section.job.close_button)
    assert not section.job.isVisible()

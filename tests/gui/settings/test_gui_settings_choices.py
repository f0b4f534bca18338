"""What a person sets: folders, network, sets of classes, identity, theme, motion, keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QFileDialog
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.home import Examine
from medfm_gui.desk.asks.settings import (
    AllowNetwork,
    MoveWeightsFolder,
    OfferClassSets,
    ReadSettings,
    SaveDiagnostics,
    SettingsView,
)
from medfm_gui.domain.errors import DiskFull, InputError
from medfm_gui.metrics.conformal import PROMISE
from medfm_gui.ui import theme
from medfm_gui.ui.actions import Action
from medfm_gui.ui.pages.settings.sample import ANSWERS, SETTINGS
from medfm_gui.ui.widgets.switch import Switch
from tests.fixtures.gui_settings import Show, asked, click, keys, said, texts, weights


def test_weights_are_kept_in_another_folder_or_it_is_said_why_not(qtbot: QtBot, show: Show) -> None:
    answered = [True]

    def move(ask: MoveWeightsFolder) -> SettingsView:
        if answered:
            return replace(SETTINGS, weights_dir=ask.folder)
        raise InputError("“x” is not a folder that may be written.", "Choose another.")

    section = weights(page := show("weights", {**ANSWERS, MoveWeightsFolder: move}))
    section.place.move_to("/big/disk")
    qtbot.waitUntil(lambda: bool(asked(page, MoveWeightsFolder)) and "/home/reader" in texts(section.place))
    answered.clear()
    section.place.move_to("/x")
    qtbot.waitUntil(lambda: "may be written" in section.job.message)


def test_the_network_is_allowed_by_the_switch(qtbot: QtBot, show: Show) -> None:
    state = [SETTINGS]

    def allow(ask: AllowNetwork) -> SettingsView:
        state[0] = replace(SETTINGS, network=ask.allowed)
        return state[0]

    page = show("network", {**ANSWERS, ReadSettings: lambda ask: state[0], AllowNetwork: allow})
    switch: QAbstractButton = page.section.switch  # type: ignore[attr-defined]
    qtbot.waitUntil(switch.isEnabled)
    assert switch.isChecked()
    switch.setFocus()
    QTest.keyClick(switch, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "Weights may be fetched" in texts(page.section))
    assert asked(page, AllowNetwork) == [AllowNetwork(True)]
    assert not switch.isChecked()


def test_sets_of_classes_are_offered_by_a_switch_that_is_off_at_first(qtbot: QtBot, show: Show) -> None:
    page = show("predictions")
    switch: QAbstractButton = page.section.switch  # type: ignore[attr-defined]
    qtbot.waitUntil(switch.isEnabled)
    assert not switch.isChecked()
    assert PROMISE in texts(page.section)
    switch.setFocus()
    QTest.keyClick(switch, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: asked(page, OfferClassSets) == [OfferClassSets(True)])
    qtbot.waitUntil(switch.isChecked)


def test_a_locked_network_cannot_be_switched_and_says_who_locked_it(qtbot: QtBot, show: Show) -> None:
    answers = {**ANSWERS, ReadSettings: lambda ask: replace(SETTINGS, network=True, is_offline_locked=True)}
    page = show("network", answers)
    switch: QAbstractButton = page.section.switch  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: "MEDFM_OFFLINE" in texts(page.section))
    assert not switch.isEnabled()
    assert switch.isChecked()


def test_identity_is_hidden_unless_somebody_chose_otherwise(show: Show) -> None:
    page = show("privacy")
    switch: QAbstractButton = page.section.switch  # type: ignore[attr-defined]
    assert switch.isChecked()
    click(switch)
    assert page.context.memory.get("identity.shown") is True


def test_a_theme_is_chosen(show: Show) -> None:
    page = show("appearance")
    buttons: dict[str, QAbstractButton] = page.section.buttons  # type: ignore[attr-defined]
    assert buttons["system"].isChecked()
    click(buttons["light"])
    assert said(page) == [("set_appearance", (("light",), {}))]


def test_motion_can_be_reduced_and_is_remembered(show: Show) -> None:
    page = show("appearance")
    still = page.findChild(Switch)
    assert isinstance(still, Switch)
    theme.set_motion(True)
    try:
        click(still)
        assert page.context.memory.get(theme.REDUCED_MOTION) is True and not theme.motion_allowed()
        click(still)
        assert page.context.memory.get(theme.REDUCED_MOTION) is False
    finally:
        theme.set_motion(False)


def test_keys_are_changed_and_a_conflict_is_told(qtbot: QtBot, show: Show) -> None:
    page = show("shortcuts")
    section = keys(page)
    page.context.actions.add(page, Action("window.x", "Do it", lambda: None, keys="Ctrl+J"), is_global=True)
    assert section.rows.rows[0].action.id == "window.x"
    section.table.selectRow(0)
    section.edit.setKeySequence(QKeySequence("Ctrl+Shift+J"))
    click(section.set_button)
    assert page.context.actions.keys("window.x") == "Ctrl+Shift+J"
    assert section.rows.rows[0].is_own
    section.table.selectRow(1)
    section.edit.setKeySequence(QKeySequence("Ctrl+Shift+J"))
    click(section.set_button)
    assert "belongs to “Do it” already" in section.told.text()
    section.table.selectRow(0)
    click(section.default_button)
    assert page.context.actions.keys("window.x") == "Ctrl+J"
    click(section.none_button)
    assert page.context.actions.keys("window.x") == ""


def test_all_keys_are_reset_after_a_question(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    page = show("shortcuts")
    page.context.actions.set_keys("settings.about", "Ctrl+Alt+A")
    answer = [False]
    monkeypatch.setattr("medfm_gui.ui.pages.settings.shortcuts.ask", lambda *_, **__: answer[0])
    click(keys(page).reset_button)
    assert page.context.actions.keys("settings.about") == "Ctrl+Alt+A"
    answer[0] = True
    click(keys(page).reset_button)
    assert page.context.actions.keys("settings.about") == ""


def test_diagnostics_are_read_before_they_are_saved(qtbot: QtBot, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    page = show("diagnostics")
    section: Any = page.section
    qtbot.waitUntil(lambda: "MedFM Studio 0.1.0" in section.text.toPlainText())
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("/home/reader/out", ""))
    click(section.save_button)
    qtbot.waitUntil(lambda: "saved as /home/reader/out.zip" in section.job.message)
    assert asked(page, SaveDiagnostics) == [SaveDiagnostics("/home/reader/out.zip")]


def test_a_full_disk_is_told_where_one_saved(qtbot: QtBot, show: Show) -> None:
    def full(ask: SaveDiagnostics) -> object:
        raise DiskFull("The disk is full.", "Free some space.")

    section: Any = show("diagnostics", {**ANSWERS, SaveDiagnostics: full}).section
    section.save("/full/out.zip")
    qtbot.waitUntil(lambda: section.job.message == "The disk is full.")


def test_a_broken_plugin_says_why(qtbot: QtBot, show: Show) -> None:
    page = show("plugins")
    qtbot.waitUntil(lambda: "Field required" in texts(page.section))


def test_this_computer_can_be_examined_from_here(qtbot: QtBot, show: Show) -> None:
    page = show("devices")
    section: Any = page.section
    click(section.computer.again_button)
    qtbot.waitUntil(lambda: bool(asked(page, Examine)) and not section.computer.is_busy)
    assert "scikit-learn" in texts(section)

"""The train wizard: its steps, what it asks, what it refuses and says so."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QLineEdit,
    QTableView,
)
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import CheckQuality, DatasetList, ListDatasets, ListSplits, MakeSplit, SplitList
from medfm_gui.desk.asks.train import ListModels
from medfm_gui.domain.errors import DatabaseBusy, UsageError
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.sample import ANSWERS, DATASETS, SPLITS
from medfm_gui.ui.sample import WAITS
from medfm_gui.workspace.cohort import Quality
from tests.fixtures.gui_train import (
    Open,
    asked,
    at_models,
    at_review,
    button,
    fails,
    said,
    words,
)

HOSTILE = '<img src="/etc/passwd"><b>x</b> & ' + "\u202e" + "w" * 10_000


def test_the_introduction_leads_to_the_first_step(page: Open, qtbot: QtBot) -> None:
    one = page()
    QTest.mouseClick(button(one, "New training"), Qt.MouseButton.LeftButton)
    assert one.is_planning
    assert one.wizard.at == At.DATA
    assert not button(one, "Next: Split").isEnabled()
    assert "Choose a dataset." in words(one)


def test_a_dataset_is_chosen_by_key(page: Open, qtbot: QtBot) -> None:
    one = page()
    one.begin()
    table = one.wizard.data.findChild(QTableView)
    assert table is not None
    qtbot.waitUntil(lambda: table.model().rowCount() == len(DATASETS))
    QTest.keyClick(table, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: one.state.plan.dataset is not None)
    assert button(one, "Next: Split").isEnabled()
    assert "Images" in words(one)
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert one.wizard.at == At.SPLIT
    qtbot.waitUntil(lambda: one.state.plan.split is not None)


def test_without_data_the_way_to_import_is_shown(page: Open, qtbot: QtBot) -> None:
    one = page({ListDatasets: lambda ask: DatasetList(())})
    one.begin()
    qtbot.waitUntil(lambda: one.wizard.data.pane.state == "empty")
    buttons = [item for item in one.wizard.data.pane.findChildren(QAbstractButton) if item.isVisible()]
    QTest.mouseClick(next(item for item in buttons if item.text() == "Import data …"), Qt.MouseButton.LeftButton)
    assert said(one, "go") == [(("datasets",), {})]


def test_what_is_asked_shows_that_it_is_asked_and_what_went_wrong(page: Open, qtbot: QtBot) -> None:
    busy = page({ListDatasets: lambda ask: WAITS})
    busy.begin()
    assert busy.wizard.data.pane.state == "busy"
    wrong = page({ListDatasets: fails(DatabaseBusy("Another program holds the database.", "Wait a moment."))})
    wrong.begin()
    qtbot.waitUntil(lambda: wrong.wizard.data.pane.state == "error")
    assert "Another program holds the database." in words(wrong)
    before = len(asked(wrong, ListDatasets))
    QTest.mouseClick(button(wrong, "Try again"), Qt.MouseButton.LeftButton)
    assert len(asked(wrong, ListDatasets)) == before + 1


def test_back_loses_nothing(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_review(one, qtbot)
    one.state.set_setting("linear", "epochs", "7")
    plan = one.state.plan
    while one.wizard.at > At.DATA:
        one.wizard.back()
    qtbot.wait(30)
    assert one.state.plan == plan
    one.wizard.go_to(At.REVIEW)
    assert one.wizard.at == At.REVIEW


def test_a_later_step_waits_for_what_is_missing(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.wizard.go_to(At.REVIEW)
    assert one.wizard.at == At.MODELS
    assert "Choose at least one model." in words(one)
    one.wizard.forward()
    assert one.wizard.at == At.MODELS


def test_leaks_are_listed_with_ways_on(page: Open, qtbot: QtBot) -> None:
    one = page()
    one.visit(dataset="thorax-phantom")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    step = one.wizard.split
    QTest.mouseClick(step.new, Qt.MouseButton.LeftButton)
    editor = step.editor
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    editor.form.by.setCurrentIndex(editor.form.by.findData("image"))
    qtbot.waitUntil(lambda: "11 leaks" in editor.gate.banner.title.text())
    assert "11 pairs" in words(one) and not editor.make.isEnabled()
    assert [shown.text() for shown in (editor.gate.drop, editor.gate.together, editor.gate.accept)] == [
        "Drop 11 images",
        "Move whole groups",
        "Accept with a reason …",
    ]
    QTest.mouseClick(editor.gate.together, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "no leak after moving" in editor.gate.banner.title.text())
    QTest.mouseClick(editor.gate.accept, Qt.MouseButton.LeftButton)
    editor.gate.reason.setText("published like this")
    qtbot.waitUntil(lambda: "leaks accepted" in editor.gate.banner.title.text())
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    QTest.mouseClick(editor.make, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "is made and frozen" in words(one))
    (wish,) = (ask.wish for ask in asked(one, MakeSplit))
    assert (wish.by, wish.accept, wish.drop, wish.move) == ("image", "published like this", False, False)
    assert step.pane.isVisible()


def test_the_rules_are_those_of_the_datasets_page(page: Open, qtbot: QtBot) -> None:
    def offers(ask: CheckQuality) -> Quality:
        units, presets = ("patient", "image", "site"), (("nih-official", "Official lists"),)
        return Quality(ask.dataset, (), (), 0, (), 0, units, True, ("1", "2"), presets, ("site",), ("date",))

    one = page({CheckQuality: offers})
    one.visit(dataset="thorax-phantom")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    one.wizard.split.begin()
    form = one.wizard.split.editor.form
    qtbot.waitUntil(lambda: form.method.count() == 7)
    methods = [form.method.itemData(row) for row in range(form.method.count())]
    assert methods == ["official", "shares", "folds", "sites", "time", "published", "file"]
    QTest.mouseClick(one.wizard.split.editor.back, Qt.MouseButton.LeftButton)
    assert one.wizard.split.pane.isVisible()


def test_read_only_makes_no_split(page: Open, qtbot: QtBot) -> None:
    one = page(is_read_only=True)
    one.wizard.split.begin()
    assert not one.wizard.split.new.isEnabled() and not asked(one, CheckQuality)


def test_a_dataset_without_a_split_gets_one(page: Open, qtbot: QtBot) -> None:
    made: list[MakeSplit] = []

    def splits(ask: ListSplits) -> SplitList:
        return SplitList(SPLITS[:1] if made else ())

    def make(ask: MakeSplit) -> Any:
        made.append(ask)
        return ANSWERS[MakeSplit](ask)

    one = page({ListSplits: splits, MakeSplit: make})
    one.visit(dataset="thorax-phantom")
    qtbot.waitUntil(lambda: one.wizard.split.pane.state == "empty")
    assert "Choose a split, or make one." in words(one)
    one.wizard.split.begin()
    make_it = one.wizard.split.editor.make
    qtbot.waitUntil(make_it.isEnabled)
    QTest.mouseClick(make_it, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    assert (made[0].dataset, made[0].wish.ratios, made[0].wish.by) == ("thorax-phantom", "70/15/15", "patient")


def test_keys_lead_through_the_wizard(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.state.toggle_model("mae-b", True)
    one.context.actions.run("train.next")
    assert one.wizard.at == At.ADAPTATION
    one.context.actions.run("train.back")
    assert one.wizard.at == At.MODELS
    QTest.keyClick(one.wizard.step, Qt.Key.Key_Escape)
    assert one.wizard.step.isVisible()


def test_hostile_names_are_shown_as_they_are(page: Open, qtbot: QtBot) -> None:
    from dataclasses import replace

    evil = replace(DATASETS[0], name=HOSTILE, classes=("<b>a</b>", HOSTILE), positive=HOSTILE, warnings=(HOSTILE,))
    splits = tuple(replace(one, rule=HOSTILE, warnings=(HOSTILE,), acceptance=HOSTILE) for one in SPLITS[:1])
    one = page({ListDatasets: lambda ask: DatasetList((evil,)), ListSplits: lambda ask: SplitList(splits)})
    one.begin()
    qtbot.waitUntil(lambda: one.state.plan.dataset is not None)
    one.wizard.forward()
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    for label in one.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText, label.text()[:80]
        assert "<img" not in label.toolTip()
    assert one.minimumSizeHint().width() < 1400


def test_every_control_has_a_name(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_review(one, qtbot)
    controls = (QAbstractButton, QComboBox, QLineEdit, QTableView)
    for step in At:
        one.wizard.go_to(step)
        for kind in controls:
            for control in one.findChildren(kind):
                if control.isVisible() and control.objectName() != "qt_spinbox_lineedit":
                    assert control.accessibleName() or getattr(control, "text", str)(), control


def test_models_that_cannot_be_listed_say_why(page: Open, qtbot: QtBot) -> None:
    one = page({ListModels: fails(UsageError("The settings file is damaged.", "Restore it."))})
    one.visit(dataset="thorax-phantom")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    one.wizard.forward()
    qtbot.waitUntil(lambda: "The settings file is damaged." in words(one))

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import ImportDataset, Imported, LookAtSource, PreviewImport
from medfm_gui.domain.errors import DiskFull, InputError, Interrupted, TableError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.datasets.importing.dialog import ImportDialog
from medfm_gui.ui.pages.datasets.sample import ANSWERS
from medfm_gui.ui.sample import WAITS, sample_context
from medfm_gui.workspace.sources import SourceWish

SOURCE = "/data/phantom/thorax"


@pytest.fixture
def context(qapp: QApplication) -> Context:
    return sample_context(ANSWERS, qapp)


@pytest.fixture
def dialog(context: Context, qtbot: QtBot) -> Iterator[ImportDialog]:
    made = ImportDialog(context)
    qtbot.addWidget(made)
    made.show()
    yield made
    made._ticket = None
    made.close()


def asked(context: Context, kind: type[Any]) -> list[Any]:
    return [ask for ask in context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def answer(context: Context, kind: type[Any], function: Any) -> None:
    context.desk.answers[kind] = function  # type: ignore[attr-defined]


def shown(dialog: ImportDialog) -> str:
    return dialog.pane.state


def words(dialog: ImportDialog) -> list[str]:
    return [label.text() for label in dialog.pane.findChildren(QLabel) if label.isVisible()]


def test_nothing_is_asked_before_a_source_is_chosen(dialog: ImportDialog, context: Context) -> None:
    assert dialog.pane.state == "empty"
    assert not dialog.view.go.isEnabled()
    assert asked(context, LookAtSource) == []


def test_a_typed_path_is_looked_at_once(dialog: ImportDialog, context: Context, qtbot: QtBot) -> None:
    QTest.keyClicks(dialog.view.path, SOURCE)
    qtbot.waitUntil(lambda: dialog.pane.state == "content")
    assert asked(context, LookAtSource) == [LookAtSource(SOURCE)]
    assert asked(context, PreviewImport) == [PreviewImport(SOURCE, SourceWish())]
    assert dialog.view.name.text() == "thorax"
    assert dialog.view.report.figures["Images"].number.text() == "1,284"
    assert dialog.view.report.skipped.skipped.rowCount() == 2
    assert dialog.view.mapping.roles["join"].itemText(0) == "Automatic: sop_instance_uid"
    assert dialog.view.mapping.roles["patient"].itemText(0) == "Automatic: PatientID of the files"


def test_each_change_of_the_mapping_is_previewed(dialog: ImportDialog, context: Context, qtbot: QtBot) -> None:
    dialog.choose(SOURCE)
    qtbot.waitUntil(lambda: dialog.view.go.isEnabled())
    dialog.view.mapping.labels.tick("finding")
    dialog.view.mapping.roles["group"].setCurrentIndex(dialog.view.mapping.roles["group"].findData("site"))
    dialog.view.mapping.positive.setCurrentIndex(dialog.view.mapping.positive.findData("clear"))
    wish = SourceWish(labels=("finding",), group="site", positive="clear")
    qtbot.waitUntil(lambda: asked(context, PreviewImport)[-1] == PreviewImport(SOURCE, wish))
    qtbot.waitUntil(lambda: dialog.view.go.isEnabled())
    QTest.keyClick(dialog.view.go, Qt.Key.Key_Space)
    assert asked(context, ImportDataset) == [ImportDataset(SOURCE, "thorax", wish)]


def test_fields_follow_the_layout(dialog: ImportDialog, qtbot: QtBot) -> None:
    dialog.choose(SOURCE)
    qtbot.waitUntil(lambda: dialog.view.go.isEnabled())
    assert dialog.view.mapping.roles["join"].isVisible()
    assert not dialog.view.mapping.images.isVisible()
    dialog.view.mapping.choose_layout("csv")
    assert dialog.view.mapping.images.isVisible()
    assert not dialog.view.mapping.roles["join"].isVisible()
    dialog.view.mapping.choose_layout("folder")
    assert not dialog.view.mapping.labels.isVisible()
    qtbot.waitUntil(lambda: dialog.view.reason == "As chosen.")
    assert dialog.view.layout_title == "One folder a class"
    qtbot.waitUntil(lambda: dialog.view.go.isEnabled())


def test_another_table_is_looked_at(dialog: ImportDialog, context: Context, qtbot: QtBot) -> None:
    dialog.choose(SOURCE)
    qtbot.waitUntil(lambda: dialog.view.go.isEnabled())
    dialog.view.mapping.table.set_path("/data/phantom/other.csv")
    qtbot.waitUntil(lambda: asked(context, LookAtSource)[-1].table == "/data/phantom/other.csv")
    qtbot.waitUntil(lambda: dialog.view.go.isEnabled())
    assert asked(context, PreviewImport)[-1].wish.table == "/data/phantom/other.csv"


def test_an_import_tells_of_its_dataset_and_closes(dialog: ImportDialog, qtbot: QtBot) -> None:
    dialog.choose(SOURCE)
    qtbot.waitUntil(lambda: dialog.view.go.isEnabled())
    dialog.view.name.setText("Chest")
    with qtbot.waitSignal(dialog.imported) as heard:
        dialog.view.go.click()
    assert heard.args is not None
    assert isinstance(heard.args[0], Imported)
    assert not dialog.isVisible()


def test_a_source_that_cannot_be_looked_at_says_so(dialog: ImportDialog, context: Context, qtbot: QtBot) -> None:
    def fail(ask: LookAtSource) -> Any:
        raise InputError("“/nowhere” does not exist.", "Check the path.")

    answer(context, LookAtSource, fail)
    dialog.choose("/nowhere")
    qtbot.waitUntil(lambda: dialog.pane.state == "error")
    assert "“/nowhere” does not exist." in words(dialog)
    assert not dialog.view.go.isEnabled()


def test_advice_names_the_fields_of_the_window(dialog: ImportDialog, context: Context, qtbot: QtBot) -> None:
    def fail(ask: PreviewImport) -> Any:
        raise TableError("Which column holds the label is not plain.", "Name it with --label. See --fold COLUMN.")

    answer(context, PreviewImport, fail)
    dialog.choose(SOURCE)
    qtbot.waitUntil(lambda: dialog.pane.state == "error")
    assert "Name it with “Label”. See “Official fold”." in words(dialog)


def test_a_running_import_locks_the_fields_and_can_be_cancelled(
    dialog: ImportDialog, context: Context, qtbot: QtBot
) -> None:
    answer(context, ImportDataset, lambda ask: WAITS)
    dialog.choose(SOURCE)
    qtbot.waitUntil(lambda: dialog.view.go.isEnabled())
    dialog.view.go.click()
    assert shown(dialog) == "busy"
    assert not dialog.view.path.isEnabled()
    assert dialog.view.close_button.text() == "Cancel"
    dialog.reject()
    assert dialog.isVisible()
    dialog._not_done(Interrupted("It was cancelled."))
    assert shown(dialog) == "empty"
    assert "Nothing of it was kept." in words(dialog)
    assert dialog.view.path.isEnabled()
    assert dialog.view.go.isEnabled()


def test_a_failed_import_can_be_tried_again(dialog: ImportDialog, context: Context, qtbot: QtBot) -> None:
    def fail(ask: ImportDataset) -> Any:
        raise DiskFull("The disk is full.", "Free some space.")

    answer(context, ImportDataset, fail)
    dialog.choose(SOURCE)
    qtbot.waitUntil(lambda: dialog.view.go.isEnabled())
    dialog.view.go.click()
    qtbot.waitUntil(lambda: dialog.pane.state == "error")
    dialog._back()
    assert dialog.pane.state == "content"
    assert dialog.view.go.isEnabled()


def test_a_name_is_needed(dialog: ImportDialog, qtbot: QtBot) -> None:
    dialog.choose(SOURCE)
    qtbot.waitUntil(lambda: dialog.view.go.isEnabled())
    dialog.view.name.setFocus()
    dialog.view.name.selectAll()
    QTest.keyClick(dialog.view.name, Qt.Key.Key_Delete)
    assert not dialog.view.go.isEnabled()
    assert "name" in dialog.view.go.toolTip()

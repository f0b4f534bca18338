from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QFrame, QLabel, QWidget
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import (
    DatasetList,
    DescribeCohort,
    ListDatasets,
    ListSamples,
    ListSplits,
    LookAtSource,
    MakeSplit,
    PlanSplit,
    ShowSample,
    ShowSplit,
    SplitList,
    Thumbnails,
)
from medfm_gui.desk.entry import Topic
from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.dataset import Sample, Task
from medfm_gui.domain.errors import InputError, SplitError
from medfm_gui.domain.split import Partition
from medfm_gui.store.rows import SampleFilter
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.datasets.inspector import label_text
from medfm_gui.ui.pages.datasets.page import DatasetsPage
from medfm_gui.ui.pages.datasets.sample import ANSWERS, CHEST, FINDINGS, SPLITS
from medfm_gui.ui.sample import WAITS, sample_context

Build = Callable[..., DatasetsPage]
HOSTILE = '<img src="/etc/passwd"><b>bold</b> &amp; \u202e' + "x" * 10_000


@pytest.fixture
def build(qtbot: QtBot, qapp: QApplication) -> Build:
    def made(answers: Mapping[type[Ask[Any]], Callable[[Any], Any]] | None = None, **changes: Any) -> DatasetsPage:
        page = DatasetsPage(sample_context({**ANSWERS, **(answers or {})}, qapp, **changes))
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        return page

    return made


@pytest.fixture
def page(build: Build, qtbot: QtBot) -> DatasetsPage:
    made = build()
    made.visit(dataset=CHEST.id)
    qtbot.waitUntil(lambda: made.details.images.source.total == CHEST.n_samples)
    return made


def asked(context: Context, kind: type[Any]) -> list[Any]:
    return [ask for ask in context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def said(context: Context) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = context.desk.said  # type: ignore[attr-defined]
    return found


def test_an_empty_workspace_offers_the_import(build: Build, qtbot: QtBot) -> None:
    page = build({ListDatasets: lambda ask: DatasetList(())})
    qtbot.waitUntil(lambda: page.pane.state == "empty")
    page.open_import()
    assert page.dialog is not None
    page.dialog.reject()


def test_the_page_waits_visibly(build: Build, qtbot: QtBot) -> None:
    page = build({ListDatasets: lambda ask: WAITS})
    assert page.pane.state == "busy"


def test_an_error_stands_in_its_place_and_can_be_tried_again(build: Build, qtbot: QtBot) -> None:
    def fail(ask: ListDatasets) -> DatasetList:
        raise InputError("The list is gone.", "Look again.")

    page = build({ListDatasets: fail})
    qtbot.waitUntil(lambda: page.pane.state == "error")
    page.context.desk.answers[ListDatasets] = ANSWERS[ListDatasets]  # type: ignore[attr-defined]
    page.refresh()
    qtbot.waitUntil(lambda: page.pane.state == "content")


def test_newest_datasets_stand_first_and_a_wish_chooses(page: DatasetsPage) -> None:
    names = [page.model.index(row).data() for row in range(page.model.rowCount())]
    assert names == ["Fundus grades, simulated", "Thorax phantom", "Chest findings, simulated"]
    assert page.list.currentIndex().row() == 1
    assert page.context.memory.get("datasets.last") == CHEST.id


def test_the_list_works_by_keyboard(page: DatasetsPage, qtbot: QtBot) -> None:
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: page.details.images.source.total == FINDINGS.n_samples)


def test_only_what_is_seen_is_asked_for(page: DatasetsPage, qtbot: QtBot) -> None:
    page.visit(dataset=FINDINGS.id)
    qtbot.waitUntil(lambda: page.details.images.source.total == 250_000)
    qtbot.waitUntil(lambda: page.details.images.source.kept_pictures > 0)
    bar = page.details.images.grid.verticalScrollBar()
    for share in range(1, 11):
        bar.setValue(bar.maximum() * share // 10)
    first, _ = page.details.images.grid.visible_rows()
    qtbot.waitUntil(lambda: page.details.images.source.sample(first) is not None)
    qtbot.waitUntil(lambda: page.details.images.source.picture(f"s{first + 1:06d}") is not None)
    assert len(asked(page.context, ListSamples)) < 12
    seen = {name for ask in asked(page.context, Thumbnails) for name in ask.samples}
    assert len(seen) < 400


def test_the_grid_works_by_keyboard_and_shows_the_chosen_image(page: DatasetsPage, qtbot: QtBot) -> None:
    grid = page.details.images.grid
    qtbot.waitUntil(lambda: page.details.images.source.sample(0) is not None)
    grid.setFocus()
    for key, row in (
        (Qt.Key.Key_Right, 0),
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_Down, 1 + grid.columns),
        (Qt.Key.Key_Up, 1),
        (Qt.Key.Key_Up, 1),
        (Qt.Key.Key_End, CHEST.n_samples - 1),
        (Qt.Key.Key_Home, 0),
    ):
        QTest.keyClick(grid, key)
        assert grid.current == row
    qtbot.waitUntil(lambda: ShowSample(CHEST.id, "s000001") in asked(page.context, ShowSample))
    assert "nodule" in grid.accessibleDescription()


def test_a_click_chooses_the_picture_below_it(page: DatasetsPage, qtbot: QtBot) -> None:
    grid = page.details.images.grid
    qtbot.waitUntil(lambda: page.details.images.source.sample(0) is not None)
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.cell(2).center())
    assert grid.current == 2
    assert grid.row_at(QPoint(-5, -5)) == -1


def test_filters_ask_for_what_they_say(page: DatasetsPage, qtbot: QtBot) -> None:
    tab = page.details.images
    assert not tab.sides.isEnabled()
    tab.classes.setCurrentIndex(2)
    assert asked(page.context, ListSamples)[-1].only == SampleFilter(class_index=1)
    tab.splits.setCurrentIndex(1)
    assert tab.sides.isEnabled()
    tab.sides.setCurrentIndex(4)
    expected = SampleFilter(class_index=1, split=SPLITS[0].id, partition=Partition.TEST)
    assert asked(page.context, ListSamples)[-1].only == expected
    QTest.keyClicks(tab.text, "nothing")
    qtbot.waitUntil(lambda: asked(page.context, ListSamples)[-1].only.text == "nothing")
    qtbot.waitUntil(lambda: tab._pane.state == "empty")
    tab.clear_filters()
    assert asked(page.context, ListSamples)[-1].only == SampleFilter()
    tab.show_patient("P-0002")
    assert asked(page.context, ListSamples)[-1].only == SampleFilter(patient="P-0002")


def test_characteristics_come_by_partition_and_can_be_copied(page: DatasetsPage, qtbot: QtBot) -> None:
    page.details.tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: page.details.balance.pane.state == "content")
    assert asked(page.context, DescribeCohort) == [DescribeCohort(CHEST.id, SPLITS[-1].id)]
    page.details.balance.copy.click()
    text = QGuiApplication.clipboard().text()
    assert text.splitlines()[0] == "Characteristic\tAll\tTraining\tValidation\tInternal test"
    assert "nodule\t410  (31.9 %)\t287  (32.0 %)" in text
    assert page.details.balance.table.copied() == text


def test_a_changed_topic_is_asked_again(page: DatasetsPage, qtbot: QtBot) -> None:
    before = len(asked(page.context, ListDatasets))
    page.mark_stale(Topic.RUNS)
    assert len(asked(page.context, ListDatasets)) == before
    page.mark_stale(Topic.DATASETS)
    assert len(asked(page.context, ListDatasets)) == before + 1


def test_a_split_shows_its_certificate_and_trains(page: DatasetsPage, qtbot: QtBot) -> None:
    page.visit(dataset=CHEST.id, split=SPLITS[0].id)
    tab = page.details.splits
    qtbot.waitUntil(lambda: tab.certificate.split_id == SPLITS[0].id)
    assert tab.certificate.banner.title.text() == "Leak gate: no leak"
    assert ("Fingerprint", SPLITS[0].fingerprint) in tab.certificate.facts.facts()
    tab.certificate.train.click()
    assert said(page.context)[-1] == ("go", (("train",), {"dataset": CHEST.id, "split": SPLITS[0].id}))
    tab.table.selectRow(0)
    qtbot.waitUntil(lambda: tab.certificate.split_id == SPLITS[1].id)
    assert tab.certificate.banner.words.text() == "Reason: to measure what leakage is worth"
    assert asked(page.context, ShowSplit)[-1] == ShowSplit(CHEST.id, SPLITS[1].id)


def test_a_dataset_without_splits_says_what_a_split_is(page: DatasetsPage, qtbot: QtBot) -> None:
    page.details.tabs.setCurrentIndex(2)
    page.context.desk.answers[ListSplits] = lambda ask: SplitList(())  # type: ignore[attr-defined]
    page.refresh()
    qtbot.waitUntil(lambda: page.details.splits.pane.state == "empty")


def test_a_split_is_planned_then_made(page: DatasetsPage, qtbot: QtBot) -> None:
    editor = page.details.splits.editor
    page.details.new_split()
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    assert asked(page.context, PlanSplit)[-1].wish.ratios == "70/15/15"
    editor.form.shares[Partition.TRAIN].setValue(60)
    assert "90 %" in editor.form.problem
    qtbot.waitUntil(lambda: not editor.make.isEnabled())
    editor.form.shares[Partition.CAL].setValue(10)
    editor.form.seed.setValue(7)
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    QTest.mouseClick(editor.make, Qt.MouseButton.LeftButton)
    wish = asked(page.context, MakeSplit)[-1].wish
    assert (wish.ratios, wish.by, wish.seed, wish.drop, wish.accept) == ("60/15/10/15", "patient", 7, False, "")
    qtbot.waitUntil(lambda: not page.details.splits.is_editing)


def test_leaks_wait_for_one_of_three_decisions(page: DatasetsPage, qtbot: QtBot) -> None:
    editor = page.details.splits.editor
    gate = editor.gate
    page.details.new_split()
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    editor.form.by.setCurrentIndex(1)
    qtbot.waitUntil(lambda: gate.banner.title.text() == "Leak gate: 214 leaks")
    assert not editor.make.isEnabled()
    assert gate.table.leaks.rowCount() == 26
    gate.drop.click()
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    assert asked(page.context, PlanSplit)[-1].wish.drop
    editor.form.seed.setValue(1)
    qtbot.waitUntil(lambda: gate.banner.title.text() == "Leak gate: 214 leaks")
    gate.accept.click()
    assert not editor.make.isEnabled()
    QTest.keyClicks(gate.reason, "to measure it")
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    editor.make.click()
    assert asked(page.context, MakeSplit)[-1].wish.accept == "to measure it"


def test_another_division_is_the_third_way(page: DatasetsPage, qtbot: QtBot) -> None:
    editor = page.details.splits.editor
    page.details.new_split()
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    editor.form.by.setCurrentIndex(1)
    qtbot.waitUntil(lambda: bool(editor.gate.table.leaks.rowCount()))
    editor.gate.accept.click()
    editor.gate.other.click()
    assert editor.gate.accepts == ""
    assert not editor.gate.drops
    qtbot.waitUntil(lambda: not editor._planning.is_waiting)


def test_a_split_that_cannot_be_made_says_why_in_the_windows_words(page: DatasetsPage, qtbot: QtBot) -> None:
    def fail(ask: PlanSplit) -> Any:
        raise SplitError("There are too few.", "Make a split with --ratios or --by patient.")

    page.context.desk.answers[PlanSplit] = fail  # type: ignore[attr-defined]
    page.details.new_split()
    editor = page.details.splits.editor
    qtbot.waitUntil(lambda: editor.pane.state == "error")
    texts = [label.text() for label in editor.pane.findChildren(QLabel)]
    assert "Make a split with “Shares” or “Keep together: patient”." in texts
    assert not editor.make.isEnabled()


def test_nothing_can_be_written_where_the_workspace_is_read_only(build: Build, qtbot: QtBot) -> None:
    page = build(is_read_only=True)
    qtbot.waitUntil(lambda: page.details_pane.state == "content")
    assert not page.add.isEnabled()
    assert "read-only" in page.add.toolTip()
    assert not page.details.splits.new.isEnabled()
    page.open_import()
    assert page.dialog is None


def test_a_dropped_folder_opens_the_import(page: DatasetsPage, qtbot: QtBot) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/data/phantom/thorax")])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    page.dropEvent(event)
    assert page.dialog is not None
    assert asked(page.context, LookAtSource) == [LookAtSource("/data/phantom/thorax")]
    page.dialog.reject()


def test_hostile_names_stay_text(build: Build, qtbot: QtBot) -> None:
    from dataclasses import replace

    hostile = replace(CHEST, name=HOSTILE, classes=(HOSTILE, "b"), positive="b", warnings=(HOSTILE,), source=HOSTILE)
    page = build({ListDatasets: lambda ask: DatasetList((hostile,))})
    qtbot.waitUntil(lambda: page.details.images.source.total == CHEST.n_samples)
    page.details.images.grid.set_current(0)
    for tab in range(page.details.tabs.count()):
        page.details.tabs.setCurrentIndex(tab)
        qtbot.wait(20)
        page.grab()
    for label in page.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText
    tips = [widget.toolTip() for widget in page.findChildren(QWidget)]
    tips.append(str(page.model.index(0).data(Qt.ItemDataRole.ToolTipRole)))
    assert not any("<img" in tip or "<b>" in tip for tip in tips)
    assert page.minimumSizeHint().width() < 1100


def test_every_control_has_a_name(page: DatasetsPage, qtbot: QtBot) -> None:
    nameless = [
        widget
        for widget in page.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not isinstance(widget.parentWidget(), QFrame | QComboBox)  # the list that a combo box opens
        and not (widget.accessibleName() or getattr(widget, "text", str)())
        and not widget.objectName().startswith("qt_")
    ]
    assert nameless == []


def test_volumes_of_a_segmentation_are_told_apart_by_their_files() -> None:
    dataset = replace(CHEST, task=Task.SEGMENTATION)
    named = {"imagesTr/la_003.nii.gz": "la_003", "fundus.png": "fundus", "deep/IM1": "IM1", "": "s000001"}
    assert {path: label_text(dataset, Sample("s000001", path, ())) for path in named} == named

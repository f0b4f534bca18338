"""The page on sample answers: the list, the viewer, header facts, identity, keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import studies as asks
from medfm_gui.desk.asks.runs import RunList
from medfm_gui.desk.asks.studies import SeriesKey
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import InputError, Interrupted, UnreadableFile
from medfm_gui.ui import theme
from medfm_gui.ui.pages.studies import sample
from medfm_gui.ui.sample import WAITS
from medfm_gui.ui.viewer.hand import DragDirection
from medfm_gui.ui.viewer.preset_editor import PresetEditor
from tests.fixtures.gui_studies import CT, Make, asked, opened, predicted, raising


def test_a_study_is_shown_from_its_middle_image(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    assert page.reader.state.state == "content"
    assert page.reader.viewer.state.index == 12
    assert page.reader.slider.maximum() == 23
    page.reader.slider.setValue(3)
    assert page.reader.viewer.state.index == 3


def test_frames_of_the_series_before_are_removed(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    first = page.reader.opener.series
    assert first is not None
    page.visit(study="1.2.4")
    qtbot.waitUntil(lambda: page.reader.opener.series not in (None, first))
    assert [ask.array for ask in asked(page.context, asks.CloseSeries)] == [first.array]
    qtbot.waitUntil(lambda: not Path(first.array).exists())


def test_frames_come_while_one_reads(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    series = page.reader.opener.series
    assert series is not None
    page.reader.opener._take(asks.SeriesOpened(replace(series, loaded=2), 2, 128), page.reader.opener._round)
    state = page.reader.viewer.state
    assert [place for place in range(state.count) if not state.notes[place]] == [0, 1, 12]
    assert page.reader.bar.words.text() == "3 of 24 images read"
    page.reader.opener._take(asks.SeriesOpened(None, 24), page.reader.opener._round)
    assert not any(state.notes)
    assert page.reader.bar.words.text() == ""


def test_an_unreadable_series_says_why_in_place(make: Make, qtbot: QtBot) -> None:
    error = UnreadableFile("The series cannot be shown: its syntax is not supported.", "Export it again.", reason="x")
    page = make(OpenSeries=raising(error))
    page.visit(study="1.2.1")
    qtbot.waitUntil(lambda: page.reader.state.state == "error")


def test_frames_that_are_gone_are_an_error_in_place(make: Make, qtbot: QtBot) -> None:
    def gone(ask: asks.OpenSeries) -> asks.SeriesOpened:
        answer = sample.opened(ask)
        assert answer.opened is not None
        Path(answer.opened.array).unlink()
        return answer

    page = make(OpenSeries=gone)
    page.visit(study="1.2.1")
    qtbot.waitUntil(lambda: page.reader.state.state == "error")


def test_without_studies_it_says_what_to_do_and_offers_the_phantom(make: Make, qtbot: QtBot) -> None:
    page = make(ListStudies=lambda ask: asks.StudyList((), "/workspace/demo-data/ct/0000"))
    assert page.browser.state.state == "empty"
    assert page.reader.state.state == "empty"
    button = next(one for one in page.browser.state.findChildren(QAbstractButton) if one.text() == "Open the phantom")
    button.click()
    qtbot.waitUntil(lambda: asked(page.context, asks.IndexSource) != [])
    assert asked(page.context, asks.IndexSource)[0].path == "/workspace/demo-data/ct/0000"
    qtbot.waitUntil(lambda: page.reader.opener.series is not None)


def test_a_list_that_cannot_be_read_says_so(make: Make) -> None:
    page = make(ListStudies=raising(InputError("The index is damaged.", "Rebuild it.")))
    assert page.browser.state.state == "error"


def test_what_was_left_out_is_told(make: Make, qtbot: QtBot) -> None:
    left = tuple(Skipped(f"/x/{n}.dcm", "unreadable", "It ends in the middle.") for n in range(9))
    page = make(IndexSource=lambda ask: asks.SourceIndexed(sample.STUDIES[:1], skipped=left, n_skipped=9))
    page.browser.open_source("/x")
    qtbot.waitUntil(lambda: not page.browser.notice.isHidden())
    assert page.browser.notice.message.text() == "9 files were left out"
    assert "and 6 more" in page.browser.notice.hint.text()


def test_a_folder_without_images_is_an_error_in_place(make: Make, qtbot: QtBot) -> None:
    page = make(IndexSource=raising(InputError("“x” holds no DICOM image.", "Choose a folder with DICOM files.")))
    page.browser.open_source("/x")
    qtbot.waitUntil(lambda: not page.browser.notice.isHidden())
    assert "holds no DICOM image" in page.browser.notice.message.text()
    assert page.browser.work.isHidden()


def test_reading_a_folder_can_be_cancelled(make: Make, qtbot: QtBot) -> None:
    page = make(IndexSource=lambda ask: WAITS)
    page.browser.open_source("/x")
    assert not page.browser.work.isHidden()
    page.browser.indexing.told.emit(Progress("Reading headers", 30, 120, 4.0))
    page.browser.indexing.cancel()
    page.browser.indexing._fail(Interrupted("It was cancelled.", ""))
    assert page.browser.work.isHidden()
    assert page.browser.notice.isHidden()


def test_a_picture_is_opened_too(make: Make, qtbot: QtBot) -> None:
    page = make()
    page.browser.open_source("/x/skin.png")
    qtbot.waitUntil(lambda: page.reader.opener.series is not None)
    assert page.reader.key == SeriesKey(path="/x/skin.png")
    assert page.panel.target == SeriesKey(path="/x/skin.png")
    assert page.panel.scope.isHidden()


def test_without_a_run_nothing_is_asked_about_what_to_score(make: Make, qtbot: QtBot) -> None:
    panel = opened(make(), qtbot).panel
    panel.set_open(panel.key, 4)
    assert not panel.scope.isHidden()
    panel._has_runs = False
    panel.tell()
    assert panel.scope.isHidden() and not panel.no_runs.isHidden()


def test_identity_is_hidden_at_first_and_in_one_switch(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    assert page.reader.viewer.identity_shown is page.browser.eye.isChecked()
    assert page.context.memory.get("identity.shown") is False
    page.reader.bar.tags.click()
    qtbot.waitUntil(lambda: page.reader.tags.facts.facts() != ())
    assert "Patient ID" not in dict(page.reader.tags.facts.facts())
    page.browser.eye.click()
    assert page.reader.viewer.identity_shown
    assert page.context.memory.get("identity.shown") is True
    qtbot.waitUntil(lambda: "Patient ID" in dict(page.reader.tags.facts.facts()))


def test_all_elements_can_be_searched_and_hide_who_it_is(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    page.reader.bar.tags.click()
    view = page.reader.tags.elements
    page.reader.tags.setCurrentIndex(1)
    qtbot.waitUntil(lambda: view.model.count > 0)
    assert view.count.text() == "13 elements" and view.note.isHidden()
    view.resize(420, 200)
    assert view.table.columnWidth(2) >= view.table.columnWidth(1), "a value has room in a narrow window too"
    view.search.setText("patient")
    qtbot.waitUntil(lambda: view.model.rowCount() == 2)
    assert view.count.text() == "2 of 13"
    assert [view.model.index(0, column).data() for column in range(3)] == ["(0010,0010)", "Patient's Name", "hidden"]
    page.browser.eye.click()
    qtbot.waitUntil(lambda: view.model.index(0, 2).data() == "Phantom^Seven")
    view.search.setText("0043 private")
    qtbot.waitUntil(lambda: view.model.rowCount() == 1)
    assert view.model.rows[0].is_private
    view.search.clear()
    qtbot.waitUntil(lambda: view.model.rowCount() == 13)


def test_elements_of_another_series_replace_those_that_are_shown(make: Make, qtbot: QtBot) -> None:
    page = opened(make(ReadElements=raising(UnreadableFile("The file is gone.", "Open its folder again."))), qtbot)
    page.reader.bar.tags.click()
    page.reader.tags.setCurrentIndex(1)
    view = page.reader.tags.elements
    qtbot.waitUntil(lambda: "The file is gone." in view.note.text())
    assert view.model.count == 0
    page.reader.tags.read()
    assert len(asked(page.context, asks.ReadElements)) == 2, "it is tried again"


def test_what_was_broken_off_can_go_on(make: Make, qtbot: QtBot) -> None:
    page = make(ListStudies=lambda ask: asks.StudyList(sample.STUDIES, unfinished="/x/big"))
    assert page.browser.notice.message.text() == "Reading “big” was interrupted"
    page.browser.notice.buttons[0].click()
    qtbot.waitUntil(lambda: asked(page.context, asks.IndexSource) != [])
    assert asked(page.context, asks.IndexSource)[0].path == "/x/big"


def test_an_incomplete_medium_is_said(make: Make, qtbot: QtBot) -> None:
    left = (Skipped("/x/DICOMDIR", "missing", "It lists “IM2”, which is not there."),)
    page = make(IndexSource=lambda ask: asks.SourceIndexed(sample.STUDIES[:1], skipped=left, n_skipped=1))
    page.browser.open_source("/x/DICOMDIR")
    qtbot.waitUntil(lambda: not page.browser.notice.isHidden())
    assert page.browser.notice.message.text() == "The DICOMDIR is not complete"
    assert "“IM2”" in page.browser.notice.hint.text()


def test_this_pane_alone_and_back(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    QTest.mouseDClick(page.reader.viewer, Qt.MouseButton.LeftButton)
    assert page.browser.isHidden()
    assert page.panel.isHidden()
    QTest.keyClick(page.reader.viewer, Qt.Key.Key_Return)
    assert not page.browser.isHidden()


def test_digits_are_window_presets_and_edits_are_remembered(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    state, menu = page.reader.viewer.state, page.reader.bar.menu
    QTest.keyClick(page.reader.viewer, Qt.Key.Key_2)
    assert state.preset_name == "Lung"
    assert state.window is not None
    assert (state.window.centre, state.window.width) == (-600, 1500)
    menu.edit()
    editor = page.reader.viewer.findChild(PresetEditor)
    assert editor is not None
    editor.findChildren(QLineEdit)[0].setText("Heart")
    editor.accept()
    again = make({"memory": page.context.memory})
    qtbot.waitUntil(lambda: again.reader.viewer.state.presets != ())
    assert again.reader.viewer.state.presets[0].name == "Heart"
    assert again.reader.bar.menu.standard[0].name == "Soft tissue"
    page.context.memory.put("viewer.presets", "edited by hand")
    third = make({"memory": page.context.memory})
    qtbot.waitUntil(lambda: third.reader.viewer.state.presets == third.reader.bar.menu.standard)


def test_the_direction_of_the_drag_is_remembered(make: Make, qtbot: QtBot) -> None:
    page = make()
    page.reader.bar.menu.fill()
    page.reader.bar.menu.drag.actions()[1].trigger()
    assert page.context.memory.get("viewer.drag") == {"width_across": False, "up_is_brighter": True}
    assert make({"memory": page.context.memory}).reader.viewer.drag_direction == DragDirection(width_across=False)
    page.context.memory.put("viewer.drag", {"width_across": "odd", "other": 1})
    assert make({"memory": page.context.memory}).reader.viewer.drag_direction == DragDirection(width_across=False)


def test_rows_are_chosen_and_runs_ticked_by_key(make: Make, qtbot: QtBot) -> None:
    page = make()
    tree = page.browser.view
    tree.setCurrentIndex(page.browser.tree.index_of(CT))
    QTest.keyClick(tree, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.reader.key == CT)
    runs = page.panel.runs
    runs.setCurrentIndex(page.panel.choices.index(1))
    QTest.keyClick(runs, Qt.Key.Key_Space)
    assert page.panel.choices.ticked == ("r0003", "r0002")


def test_search_hides_what_does_not_match_and_a_wish_lifts_it(make: Make, qtbot: QtBot) -> None:
    page = make()
    page.browser.search.setText("nothing of the kind")
    qtbot.waitUntil(lambda: page.browser.state.state == "empty")
    page.visit(study="1.2.4")
    assert page.browser.search.text() == ""
    assert page.reader.key == SeriesKey("1.2.4", "1.2.4.1")


def test_dropped_folders_are_opened(make: Make, qtbot: QtBot) -> None:
    page = make()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/x/study"), QUrl("https://example.org/other")])
    drop = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    page.dropEvent(drop)
    assert [ask.path for ask in asked(page.context, asks.IndexSource)] == ["/x/study"]
    qtbot.waitUntil(lambda: page.reader.opener.series is not None)


@pytest.mark.parametrize("name", theme.NAMES)
def test_it_paints_in_every_theme_with_hostile_words(make: Make, qtbot: QtBot, qapp: Any, name: str) -> None:
    bad = "<b>&amp;\u202e</b>" + "W" * 10_000
    study = replace(sample.STUDIES[0], description=bad, patient=bad)
    run = replace(sample.RUNS[2], title=bad)
    theme.apply(qapp, theme.load(name))
    page = predicted(
        make(ListStudies=lambda ask: asks.StudyList((study,)), ListRuns=lambda ask: RunList((run,))), qtbot
    )
    page.browser.eye.click()
    picture = page.grab().toImage()
    assert page.width() == 1200
    assert picture.pixelColor(3, 3).name() == theme.current().window.lower()


def test_every_control_has_a_name(make: Make, qtbot: QtBot) -> None:
    page = predicted(make(), qtbot)
    nameless = [
        button
        for button in page.findChildren(QAbstractButton)
        if button.isVisible() and not (button.text() or button.accessibleName())
    ]
    assert nameless == []

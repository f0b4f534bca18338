"""The page: what it asks, what it says when something is missing or wrong, and that it works by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import studies as asks
from medfm_gui.desk.asks.runs import RunList
from medfm_gui.desk.asks.studies import SeriesKey
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.dataset import Skipped, Task
from medfm_gui.domain.errors import InputError, Interrupted, UnreadableFile, UsageError, WeightsAbsent
from medfm_gui.ui import theme
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.sample import SETTINGS
from medfm_gui.ui.pages.studies import sample
from medfm_gui.ui.pages.studies.page import StudiesPage
from medfm_gui.ui.sample import WAITS, sample_context
from medfm_gui.ui.viewer.hand import DragDirection
from medfm_gui.ui.viewer.heat import Overlay
from medfm_gui.ui.viewer.preset_editor import PresetEditor

Make = Callable[..., StudiesPage]
CT = SeriesKey("1.2.1", "1.2.1.1")


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


def asked(context: Context, kind: type[Any]) -> list[Any]:
    return [ask for ask in context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def said(context: Context) -> list[Any]:
    return list(context.desk.said)  # type: ignore[attr-defined]


def raising(error: Exception) -> Callable[[Any], Any]:
    def answer(_: Any) -> Any:
        raise error

    return answer


def opened(page: StudiesPage, qtbot: QtBot, study: str = "1.2.1") -> StudiesPage:
    page.visit(study=study)
    qtbot.waitUntil(lambda: page.reader.opener.series is not None)
    return page


def predicted(page: StudiesPage, qtbot: QtBot) -> StudiesPage:
    opened(page, qtbot)
    page.panel.button.click()
    qtbot.waitUntil(lambda: page.panel.answers.view is not None)
    return page


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


def test_prediction_asks_for_the_ticked_runs(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    page.panel.choices.tick(["r0001", "r0002"])
    page.panel.explain.choose("")
    page.panel.scope.setCurrentIndex(1)
    page.panel.button.click()
    qtbot.waitUntil(lambda: page.panel.answers.view is not None)
    assert asked(page.context, asks.PredictSource) == [
        asks.PredictSource(SeriesKey("1.2.1"), ("r0002", "r0001"), explain="")
    ]
    assert page.panel.work.isHidden()


def test_sets_of_classes_are_offered_where_a_ticked_run_has_several(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    panel = page.panel
    assert panel.sets.isHidden() and not panel.wants_sets, "two classes"
    graded = replace(sample.RUNS[0], row=replace(sample.RUNS[0].row, id="r0099", task=Task.ORDINAL))
    panel.fill_runs(RunList((*sample.RUNS, graded)))
    panel.choices.tick(["r0099"])
    assert not panel.sets.isHidden()
    panel.sets.setChecked(False)
    assert page.context.memory.get("studies.class_sets") is False
    panel.sets.setChecked(True)
    panel.button.click()
    qtbot.waitUntil(lambda: bool(asked(page.context, asks.PredictSource)))
    assert asked(page.context, asks.PredictSource)[0].class_sets
    assert page.context.memory.get("studies.class_sets") is True


def test_sets_of_classes_are_not_offered_unless_the_settings_say_so(make: Make, qtbot: QtBot) -> None:
    page = opened(make(ReadSettings=lambda ask: SETTINGS), qtbot)
    panel = page.panel
    graded = replace(sample.RUNS[0], row=replace(sample.RUNS[0].row, id="r0099", task=Task.ORDINAL))
    panel.fill_runs(RunList((*sample.RUNS, graded)))
    panel.choices.tick(["r0099"])
    assert panel.sets.isHidden() and not panel.wants_sets, "off by default"
    panel.button.click()
    qtbot.waitUntil(lambda: bool(asked(page.context, asks.PredictSource)))
    assert not asked(page.context, asks.PredictSource)[0].class_sets


def test_answers_say_score_threshold_and_doubts(make: Make, qtbot: QtBot) -> None:
    page = predicted(make(), qtbot)
    answer = page.panel.answers._runs[0]
    assert answer.decision.text() == "Nodule 0.81, at or above the threshold 0.46 (Youden on validation)"
    assert answer.remark.text().startswith("Mean of 24 slices.")
    assert "not calibrated" in page.panel.answers.calibration.text()
    assert page.panel.answers.warnings.hint.text() == "The study is CT; the runs were trained on DX."
    assert not page.panel.answers.warnings.isHidden()


def test_the_heat_map_is_off_at_first_and_lies_on_its_image(make: Make, qtbot: QtBot) -> None:
    page = predicted(make(), qtbot)
    viewer = page.reader.viewer
    qtbot.waitUntil(lambda: viewer.heat_map is not None)
    assert viewer.overlay == Overlay()
    assert not page.panel.heat.switch.isChecked()
    viewer.state.go_to(0)
    page.panel.heat.switch.click()
    assert viewer.overlay == Overlay(shown=True)
    assert viewer.state.index == 12
    viewer.run("overlay")
    assert not page.panel.heat.switch.isChecked()
    page.panel.heat.opacity.setValue(80)
    assert viewer.overlay.opacity == pytest.approx(0.8)


def test_a_map_below_the_threshold_says_that_it_was_asked_for(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    page.visit(prediction="p0007")
    qtbot.waitUntil(lambda: page.reader.viewer.heat_map is not None)
    heat = page.reader.viewer.heat_map
    assert heat is not None
    assert heat.threshold_note == ""
    page.panel.heat.runs.setCurrentIndex(1)
    page.panel.heat.runs.activated.emit(1)
    qtbot.waitUntil(lambda: page.reader.viewer.heat_map not in (None, heat))
    shown = page.reader.viewer.heat_map
    assert shown is not None
    assert "below the threshold 0.52" in shown.threshold_note


def test_an_earlier_prediction_is_shown_again_without_computing(make: Make, qtbot: QtBot) -> None:
    page = opened(make(), qtbot)
    qtbot.waitUntil(lambda: not page.panel.earlier.isHidden())
    page.panel.earlier.list.clicked.emit(page.panel.earlier.model.index(0))
    qtbot.waitUntil(lambda: page.panel.answers.view is not None)
    assert asked(page.context, asks.ShowPrediction) == [asks.ShowPrediction("p0007")]
    assert asked(page.context, asks.PredictSource) == []


def test_a_prediction_by_its_id_opens_its_study(make: Make, qtbot: QtBot) -> None:
    page = make()
    page.visit(prediction="p0007")
    qtbot.waitUntil(lambda: page.reader.key == CT)
    assert page.panel.answers.view is not None


def test_another_study_takes_the_answers_away(make: Make, qtbot: QtBot) -> None:
    page = predicted(make(), qtbot)
    page.visit(study="1.2.4")
    assert page.panel.answers.view is None
    assert not page.panel.heat.isVisible()
    assert page.reader.viewer.heat_map is None


@pytest.mark.parametrize(
    ("error", "button", "went"),
    [
        (UsageError("The run r0003 is paused, not finished.", "Resume it."), "Look at the runs", "runs"),
        (
            WeightsAbsent("The weights of DINOv2 are not here.", "medfm weights pull dinov2-b"),
            "Open the weights",
            "settings",
        ),
    ],
)
def test_a_failed_prediction_offers_what_helps(
    make: Make, qtbot: QtBot, error: Exception, button: str, went: str
) -> None:
    page = opened(make(PredictSource=raising(error)), qtbot)
    page.panel.button.click()
    qtbot.waitUntil(lambda: not page.panel.notice.isHidden())
    assert page.panel.notice.buttons[0].text() == button
    page.panel.notice.buttons[0].click()
    assert said(page.context)[-1][1][0] == (went,)
    assert page.panel.button.isEnabled()


def test_while_it_predicts_there_is_progress_and_cancel(make: Make, qtbot: QtBot) -> None:
    page = opened(make(PredictSource=lambda ask: WAITS), qtbot)
    page.panel.button.click()
    assert not page.panel.work.isHidden()
    assert not page.panel.button.isEnabled()
    page.predictions._failed(Interrupted("It was cancelled.", ""))
    assert page.panel.work.isHidden()
    assert page.panel.notice.isHidden()


def test_without_a_finished_run_the_way_leads_to_train(make: Make, qtbot: QtBot) -> None:
    page = make(ListRuns=lambda ask: RunList(sample.RUNS[3:]))
    assert page.panel.button.isHidden()
    page.panel.train.click()
    assert said(page.context)[-1] == ("go", (("train",), {}))


def test_read_only_says_why_nothing_can_be_opened_or_predicted(make: Make, qtbot: QtBot) -> None:
    page = opened(make({"is_read_only": True}), qtbot)
    assert not page.browser.open_button.isEnabled()
    assert not page.panel.button.isEnabled()
    assert "read-only" in page.panel.reason.text()


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


def test_export_takes_identity_only_where_it_is_shown(
    make: Make, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("/somewhere/map.dcm", ""))
    page = predicted(make(), qtbot)
    page.panel.heat.export.click()
    page.browser.eye.click()
    page.panel.heat.export.click()
    assert [ask.identity for ask in asked(page.context, asks.ExportCapture)] == [False, True]


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

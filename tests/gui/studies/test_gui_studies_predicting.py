"""What runs say of what is open: asked for, shown, refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import studies as asks
from medfm_gui.desk.asks.runs import RunList
from medfm_gui.desk.asks.studies import SeriesKey
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import Interrupted, UsageError, WeightsAbsent
from medfm_gui.ui.pages.settings.sample import SETTINGS
from medfm_gui.ui.pages.studies import sample
from medfm_gui.ui.sample import WAITS
from medfm_gui.ui.viewer.heat import Overlay
from tests.fixtures.gui_studies import CT, Make, asked, opened, predicted, raising, said


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


def test_export_takes_identity_only_where_it_is_shown(
    make: Make, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("/somewhere/map.dcm", ""))
    page = predicted(make(), qtbot)
    page.panel.heat.export.click()
    page.browser.eye.click()
    page.panel.heat.export.click()
    assert [ask.identity for ask in asked(page.context, asks.ExportCapture)] == [False, True]

"""One prediction's answers: calibrated or not, the spread over seeds, sets of classes and why one is hidden."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.studies import ImageSaid, PredictionView, RunSaid
from medfm_gui.ui.pages.studies.results import Answers, bars_of

PLAIN = RunSaid(
    "p1", 0, "r0001", "A linear probe", "DINOv2", "binary", {"No": 0.27, "Yes": 0.73}, "Yes", "Yes", 0.41,
    "youden, fitted on val",
)  # fmt: skip
CALIBRATED = replace(
    PLAIN, run="r0002", is_calibrated=True, calibration_note="calibrated by Platt's line on 60 images of validation",
    spread={"Yes": (0.61, 0.8), "No": (0.2, 0.39)}, seeds=5,
)  # fmt: skip
GRADED = RunSaid(
    "p1", 2, "r0003", "Grades", "CLIP", "multiclass", {"none": 0.1, "mild": 0.42, "<b>severe</b>": 0.48},
    "<b>severe</b>", class_set=("mild", "<b>severe</b>"), class_set_note="90 % of each class: holds on average.",
)  # fmt: skip


@pytest.fixture
def answers(qtbot: QtBot) -> Answers:
    made = Answers()
    qtbot.addWidget(made)
    return made


def _shown(answers: Answers, *said: RunSaid) -> list[str]:
    answers.show_prediction(PredictionView("p1", "2026-11-22T07:00:00Z", (ImageSaid("/a.png", "", "", said),)))
    return [run.remark.text() for run in answers._runs if not run.isHidden()]


def test_scores_that_are_not_calibrated_are_called_so_once(answers: Answers) -> None:
    assert _shown(answers, PLAIN) == [""]
    assert not answers.calibration.isHidden() and "not calibrated" in answers.calibration.text()
    first, second = _shown(answers, PLAIN, CALIBRATED)
    assert answers.calibration.isHidden()
    assert "Not calibrated" in first and "Calibrated by Platt's line" in second


def test_a_spread_is_no_confidence_interval(answers: Answers) -> None:
    (remark,) = _shown(answers, CALIBRATED)
    assert "spread over 5 seeds, no confidence interval" in remark
    row = bars_of(CALIBRATED, 0).rows[0]
    assert (row.low, row.high, row.seeds) == (0.61, 0.8, 5) and "5 seeds: 0.61–0.80" in row.text
    assert bars_of(PLAIN, 0).rows[0].low is None


def test_a_set_stands_with_its_promise_and_a_hidden_one_with_its_reason(answers: Answers) -> None:
    _shown(answers, GRADED)
    run = answers._runs[0]
    assert run.set.text() == "Set of classes: mild, <b>severe</b>" and "holds on average" in run.promise.text()
    _shown(answers, replace(GRADED, class_set=(), class_set_note="Hidden: this image is unlike the calibration set."))
    assert run.set.isHidden() and "Hidden" in run.promise.text() and not run.promise.isHidden()
    _shown(answers, PLAIN)
    assert run.set.isHidden() and run.promise.isHidden()


def test_an_image_unlike_the_training_images_is_told_in_words_and_with_a_sign(answers: Answers) -> None:
    like = replace(PLAIN, outlier=False, outlier_note="No outlier signal: distance 0.100, not above the limit 0.200.")
    unlike = replace(PLAIN, outlier=True, outlier_note="<b>Looks</b> unlike the training images: distance 0.300.")
    unknown = replace(PLAIN, outlier_note="Not available: “medfm similar r0001” keeps them.")
    _shown(answers, like, unlike, unknown, PLAIN)
    lines = [run.outlier for run in answers._runs]
    assert [line.isHidden() for line in lines] == [False, False, False, True]
    assert [line.words.text() for line in lines[:3]] == [one.outlier_note for one in (like, unlike, unknown)]
    assert [line.words.property("role") for line in lines[:3]] == ["caption", "warning", "caption"]
    assert len({line._sign._icon for line in lines[:3]}) == 3, "not by colour alone"
    _shown(answers, PLAIN)
    assert lines[0].isHidden(), "an answer of an earlier version says nothing of it"

"""Explanations: the choice of one, another one of what was predicted already, and the neighbours of a vote."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import studies as asks
from medfm_gui.desk.asks.data import Thumbnails
from medfm_gui.desk.asks.studies import ExplainAgain, HeatMapAnswer, PredictionView
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, NotFound, UsageError
from medfm_gui.domain.explain import EXPLANATIONS
from medfm_gui.ui.pages.studies import sample
from medfm_gui.ui.pages.studies.explaining import ExplanationChoice
from medfm_gui.ui.pages.studies.neighbours import CAPTION
from medfm_gui.ui.pages.studies.page import StudiesPage
from medfm_gui.ui.sample import WAITS, sample_context
from tests.fixtures.gui_studies import Make, asked, shown_again

GRADCAM = EXPLANATIONS[0].name


@pytest.fixture
def shown(make: Make, qtbot: QtBot) -> Make:
    def show(**answers: Any) -> StudiesPage:
        page = shown_again(make(**answers), qtbot)
        qtbot.waitUntil(lambda: page.panel.heat.note.text() != "" or not page.panel.heat.isVisible())
        return page

    return show


def explain(page: StudiesPage, method: str) -> None:
    field = page.panel.heat.method
    field.setCurrentIndex(field.findData(method))
    field.activated.emit(field.currentIndex())


def test_every_explanation_is_offered_and_says_what_it_shows(qtbot: QtBot) -> None:
    field = ExplanationChoice()
    qtbot.addWidget(field)
    assert field.name == GRADCAM
    for card in EXPLANATIONS:
        field.choose(card.name)
        assert card.passes in field.caption.text()
        assert ("not class-specific" in field.field.currentText()) is not card.class_specific
    field.choose("")
    assert field.name == ""
    assert field.caption.isHidden()


def test_the_chosen_way_is_remembered_and_asked_for(qtbot: QtBot, shown: Make) -> None:
    page = shown()
    page.panel.explain.choose("occlusion")
    assert page.context.memory.get("studies.explanation") == "occlusion"
    page.panel.button.click()
    assert asked(page.context, asks.PredictSource)[-1].explain == "occlusion"


def test_another_way_is_made_without_predicting_again_and_kept(qtbot: QtBot, shown: Make) -> None:
    page = shown()
    predicted = len(asked(page.context, asks.PredictSource))
    explain(page, "eigencam")
    qtbot.waitUntil(lambda: page.reader.viewer.heat_map is not None)
    assert asked(page.context, ExplainAgain) == [ExplainAgain("p0007", 0, "eigencam")]
    assert "EigenCAM (not class-specific)" in page.reader.viewer.heat_map.label  # type: ignore[union-attr]
    assert "Nodule" not in page.reader.viewer.heat_map.label  # type: ignore[union-attr]
    assert not page.panel.heat.export.isEnabled()
    explain(page, GRADCAM)
    qtbot.waitUntil(page.panel.heat.export.isEnabled)
    explain(page, "eigencam")
    assert len(asked(page.context, ExplainAgain)) == 1
    assert len(asked(page.context, asks.PredictSource)) == predicted


def test_a_map_without_positive_evidence_says_so(qtbot: QtBot, shown: Make) -> None:
    page = shown()
    explain(page, "layercam")
    qtbot.waitUntil(page.panel.heat.blank.isVisible)
    assert page.panel.heat.blank.text() == "No positive evidence for “Nodule”."
    assert page.reader.viewer.heat_map is not None
    assert page.reader.viewer.heat_map.threshold_note == "No positive evidence"
    explain(page, GRADCAM)
    assert not page.panel.heat.blank.isVisible()


def test_a_slow_way_shows_how_far_it_is_and_can_be_cancelled(qtbot: QtBot, shown: Make) -> None:
    page = shown(ExplainAgain=lambda ask: WAITS)
    explain(page, "occlusion")
    heat = page.panel.heat
    assert heat.work.isVisible() and not heat.method.isEnabled()
    page.maps.working.emit(Progress("Occlusion", 40, 200))
    assert heat.work.amount.text() == "40 of 200"
    heat.work.cancel.click()
    assert not heat.work.isVisible() and heat.method.isEnabled()


@pytest.mark.parametrize("error", [UsageError("This model has no attention between its patches."), Interrupted("x")])
def test_a_way_that_a_model_has_not_says_why_and_the_map_from_before_is_back(
    qtbot: QtBot, shown: Make, error: Exception
) -> None:
    def refuse(ask: ExplainAgain) -> HeatMapAnswer:
        raise error

    page = shown(ExplainAgain=refuse)
    explain(page, "rollout")
    qtbot.waitUntil(lambda: page.panel.heat.method.currentData() == GRADCAM)
    assert page.reader.viewer.heat_map is not None
    assert page.panel.notice.isVisible() is isinstance(error, UsageError)


def test_what_is_known_of_the_maps_of_a_run_stands_beside_them(qtbot: QtBot, shown: Make) -> None:
    page = shown()
    assert "with shuffled ones the maps change" in page.panel.heat.worth.text()
    first = sample.PREDICTION.images[0]
    unchecked = replace(first, said=tuple(replace(one, prediction="p9", checks={}) for one in first.said))
    page.panel.show_explanations(unchecked.said)
    qtbot.waitUntil(lambda: "were not checked yet" in page.panel.heat.worth.text())


def votes(ask: asks.ShowPrediction) -> PredictionView:
    first = sample.PREDICTION.images[0]
    said = (sample.voted(0, sample.RUNS[0], 0.7), sample.voted(1, sample.RUNS[1], 0.2))
    return replace(sample.PREDICTION, images=(replace(first, said=said),))


def test_a_vote_shows_its_nearest_training_images_instead_of_a_map(qtbot: QtBot, shown: Make) -> None:
    page = shown(ShowPrediction=votes)
    panel = page.panel.neighbours
    assert panel.isVisible() and not page.panel.heat.isVisible()
    model = panel.model
    assert model.rowCount() == 8
    qtbot.waitUntil(lambda: model.index(0).data(Qt.ItemDataRole.DecorationRole) is not None)
    assert asked(page.context, Thumbnails)[-1].dataset == "chest-phantoms"
    assert model.index(0).data() == "No nodule"
    assert model.index(0).data(CAPTION) == "Similarity 0.97 · vote 20 %"
    panel.runs.setCurrentIndex(1)
    panel.runs.activated.emit(1)
    assert panel.said is not None and panel.said.run == "r0002"


def test_neighbours_whose_pictures_are_gone_keep_their_labels(qtbot: QtBot, shown: Make) -> None:
    def gone(ask: Thumbnails) -> Any:
        raise NotFound("There is no dataset “chest-phantoms”.", "Import it again.")

    context = sample_context({**sample.answers(ShowPrediction=votes), Thumbnails: gone})
    page = StudiesPage(context)
    qtbot.addWidget(page)
    page.show()
    page.panel.show_explanations(votes(asks.ShowPrediction("p0007")).images[0].said)
    qtbot.waitUntil(page.panel.neighbours.note.isVisible)
    assert "There is no dataset" in page.panel.neighbours.note.text()
    assert page.panel.neighbours.model.rowCount() == 8


def test_a_picture_that_the_run_was_trained_on_is_told(qtbot: QtBot, shown: Make) -> None:
    page = shown(ShowPrediction=votes)
    assert not page.panel.neighbours.note.isVisible()
    said = sample.voted(0, sample.RUNS[0], 0.7)
    same = replace(said, neighbours=(replace(said.neighbours[0], similarity=1.0), *said.neighbours[1:]))
    page.panel.show_explanations((same,))
    assert "among the training images" in page.panel.neighbours.note.text()
    assert page.panel.neighbours.note.isVisible()


def test_every_run_names_its_similar_training_cases(qtbot: QtBot, shown: Make) -> None:
    page = shown()
    panel = page.panel.neighbours
    assert panel.isVisible() and panel.model.rowCount() == 5
    qtbot.waitUntil(lambda: panel.model.index(0).data(Qt.ItemDataRole.DecorationRole) is not None)
    assert asked(page.context, Thumbnails)[-1].samples == tuple(f"chest-{place:04d}" for place in range(5))
    assert panel.model.index(0).data(CAPTION) == "Training case · distance 0.12"
    assert panel.model.index(1).data(Qt.ItemDataRole.AccessibleTextRole) == "Nodule. Training case · distance 0.14"
    said = sample.PREDICTION.images[0].said
    known = replace(said[0], similar=(replace(said[0].similar[0], distance=0.0001), *said[0].similar[1:]))
    page.panel.show_explanations((known,))
    assert "among the training images" in panel.note.text()
    page.panel.show_explanations(tuple(replace(one, similar=()) for one in said))
    assert not panel.isVisible(), "an answer of an earlier version names none"

"""A run that kept no training images to compare with: they are made when a person wants them, then shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import studies as asks
from medfm_gui.desk.asks.studies import KeepSimilar, PredictSource, RunSaid, SeriesKey
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, UsageError
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.pages.studies import sample
from medfm_gui.ui.pages.studies.asking import again
from medfm_gui.ui.pages.studies.page import StudiesPage
from tests.fixtures.gui_studies import Make, asked, shown_again

FIRST, SECOND = sample.PREDICTION.images[0].said


def early(*said: RunSaid) -> asks.PredictionView:
    return replace(sample.PREDICTION, images=(replace(sample.PREDICTION.images[0], said=said),))


@pytest.fixture
def shown(make: Make, qtbot: QtBot) -> Make:
    def show(*said: RunSaid, read_only: bool = False, **answers: Any) -> StudiesPage:
        view = early(*said)
        return shown_again(make({"is_read_only": read_only}, **{"ShowPrediction": lambda ask: view, **answers}), qtbot)

    return show


def test_they_are_made_and_the_image_is_scored_again_as_it_was(qtbot: QtBot, shown: Make) -> None:
    page = shown(sample.lacking(FIRST), sample.lacking(SECOND))
    panel = page.panel.neighbours
    assert panel.isVisible() and panel.keeping.button.isVisible() and not panel.list.isVisible()
    panel.runs.setCurrentIndex(1)
    panel.runs.activated.emit(1)
    panel.keeping.button.click()
    qtbot.waitUntil(lambda: page.panel.answers.view is not None and page.panel.answers.view.id == "p0008")
    assert asked(page.context, KeepSimilar) == [KeepSimilar(SECOND.run)]
    key = SeriesKey("1.2.1", "1.2.1.1")
    assert asked(page.context, PredictSource) == [PredictSource(key, (FIRST.run, SECOND.run), "gradcam")]
    assert panel.list.isVisible() and panel.model.rowCount() == 5 and not panel.keeping.isVisible()


def test_a_run_beside_it_that_has_them_shows_its_own(shown: Make) -> None:
    page = shown(FIRST, sample.lacking(SECOND))
    panel = page.panel.neighbours
    assert panel.runs.count() == 2 and panel.list.isVisible() and not panel.keeping.isVisible()
    panel.runs.setCurrentIndex(1)
    panel.runs.activated.emit(1)
    assert not panel.list.isVisible() and panel.keeping.button.isVisible()


def test_how_far_it_is_is_shown_and_it_can_be_cancelled(shown: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    page = shown(sample.lacking(FIRST), sample.lacking(SECOND))
    panel = page.panel.neighbours
    under_way: list[dict[str, Any]] = []

    def ask(question: Any, **calls: Any) -> Ticket:
        under_way.append(calls)
        return Ticket(lambda: calls["failed"](Interrupted("Similar cases were not computed.", "")))

    monkeypatch.setattr(page.context.desk, "ask", ask)
    panel.keeping.button.click()
    assert panel.keeping.work.isVisible() and not panel.keeping.button.isVisible()
    under_way[0]["progress"](Progress("Looking at the training images", 40, 200))
    assert panel.keeping.work.amount.text() == "40 of 200"
    panel.runs.setCurrentIndex(1)
    panel.runs.activated.emit(1)
    assert not panel.keeping.work.isVisible() and not panel.keeping.button.isEnabled(), "one run at a time"
    panel.runs.setCurrentIndex(0)
    panel.runs.activated.emit(0)
    panel.keeping.work.cancel.click()
    assert panel.keeping.button.isVisible() and panel.keeping.button.isEnabled() and not panel.keeping.work.isVisible()
    assert not panel.keeping.notice.isVisible() and not asked(page.context, PredictSource)


def test_what_went_wrong_stands_beside_the_button(qtbot: QtBot, shown: Make) -> None:
    def refuse(ask: KeepSimilar) -> asks.SimilarKept:
        raise UsageError("The images are not in this workspace.", "Import that dataset first.")

    page = shown(sample.lacking(FIRST), KeepSimilar=refuse)
    keeping = page.panel.neighbours.keeping
    keeping.button.click()
    qtbot.waitUntil(keeping.notice.isVisible)
    assert "not in this workspace" in keeping.notice.message.text() and keeping.button.isEnabled()


def test_who_reads_only_is_offered_nothing(shown: Make) -> None:
    page = shown(sample.lacking(FIRST), read_only=True)
    assert page.panel._neighbours.made is None
    assert "medfm similar" in page.panel.answers._runs[0].outlier.words.text(), "why there is none is said all the same"


def test_another_prediction_that_is_read_by_then_stays(shown: Make) -> None:
    page = shown(sample.lacking(FIRST))
    page.panel.similar_kept.emit(FIRST.run, "p0001")
    assert not asked(page.context, PredictSource)
    said = page.context.desk.said  # type: ignore[attr-defined]
    assert "Predict again to see them" in str(said[-1])


def test_the_same_once_more() -> None:
    image = sample.PREDICTION.images[0]
    other = replace(image, series="1.2.1.2")
    whole = again(replace(sample.PREDICTION, images=(image, other)), "")
    assert whole == PredictSource(SeriesKey("1.2.1"), (FIRST.run, SECOND.run), "gradcam")
    plain = replace(FIRST, method="", has_map=False, class_set_note="as promised")
    picture = replace(image, study="", series="", source="/a.png", said=(plain,))
    view = replace(sample.PREDICTION, images=(picture,))
    assert again(view, "occlusion") == PredictSource(SeriesKey(path="/a.png"), (FIRST.run,), "", class_sets=True)
    vote = replace(sample.voted(0, sample.RUNS[0], 0.7), class_set_note="")
    voted = again(replace(view, images=(replace(picture, said=(vote,)),)), "occlusion")
    assert voted.explain == "occlusion"

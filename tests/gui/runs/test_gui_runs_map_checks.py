"""What the heat maps of a run are worth: asked for by a button, told in sentences, kept and shown again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.map_checks import CheckMaps, KeptMapChecks, ListMapChecks
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, UsageError
from medfm_gui.domain.explain import MapChecks
from medfm_gui.domain.run import RunState
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.pages.runs.map_checks import NO_MAPS, MapChecksPane, compared
from medfm_gui.ui.pages.runs.outcome import outcome_facts
from medfm_gui.ui.pages.runs.page import RunsPage
from medfm_gui.ui.pages.runs.sample import ANSWERS, RUNS
from medfm_gui.ui.pages.runs.sample_maps import checked
from medfm_gui.ui.sample import WAITS, Answers, sample_context

Open = Callable[..., MapChecksPane]
BY_ID = {run.row.id: run for run in RUNS}


@pytest.fixture
def show(qtbot: QtBot) -> Open:
    def open_pane(run: str = "r0003", answers: Answers = ANSWERS, **changes: Any) -> MapChecksPane:
        context = sample_context(answers, **changes)
        pane = MapChecksPane(context)
        context.desk.setParent(pane)  # type: ignore[attr-defined]
        qtbot.addWidget(pane)
        pane.resize(640, 480)
        pane.show()
        pane.show_run(BY_ID[run])
        qtbot.wait(10)
        return pane

    return open_pane


def asked(pane: MapChecksPane, kind: type[Any]) -> list[Any]:
    return [ask for ask in pane._context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def verdicts(pane: MapChecksPane) -> list[str]:
    return [box.verdict.text() for box in pane._boxes if box.isVisible()]


def test_a_check_is_asked_for_and_told_in_sentences(qtbot: QtBot, show: Open) -> None:
    pane = show()
    assert pane.said.text() == "These maps were not checked yet."
    pane.method.setCurrentIndex(pane.method.findData("occlusion"))
    pane.button.click()
    qtbot.waitUntil(lambda: verdicts(pane) == ["Passed", "Failed", "Open"])
    assert asked(pane, CheckMaps) == [CheckMaps("r0003", "occlusion", "val")]
    assert "the maps depend on what was learnt" in pane._boxes[0].sentence.text()
    assert "two different images: 0.13" in pane._boxes[0].number.text()
    assert pane.said.text().startswith("Occlusion on 32 validation images, ")
    assert "2 of them without positive evidence" in pane.said.text()
    pane.method.setCurrentIndex(0)
    assert verdicts(pane) == []


def test_what_was_found_out_is_shown_again(qtbot: QtBot, show: Open) -> None:
    pane = show("r0004")
    qtbot.waitUntil(lambda: verdicts(pane) == ["Passed", "Failed", "Open"])
    assert asked(pane, CheckMaps) == []
    pane.show_run(BY_ID["r0003"])
    assert verdicts(pane) == []
    qtbot.waitUntil(lambda: len(asked(pane, ListMapChecks)) == 2)


def test_the_newest_kept_check_is_the_one_that_is_chosen(qtbot: QtBot, show: Open) -> None:
    kept = KeptMapChecks((checked("r0003", "eigencam", "train"), checked("r0003")))
    pane = show(answers={**ANSWERS, ListMapChecks: lambda ask: kept})
    qtbot.waitUntil(lambda: pane.method.currentData() == "eigencam")
    assert pane.subset.currentData() == "train"
    assert pane.said.text().startswith("EigenCAM on 32 training images")


def test_a_check_shows_how_far_it_is_and_is_cancelled(
    qtbot: QtBot, show: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = show(answers={**ANSWERS, CheckMaps: lambda ask: WAITS})
    cancelled: list[bool] = []
    whole = pane._context.desk.ask

    def ask(*values: Any, **named: Any) -> Ticket:
        whole(*values, **named)
        return Ticket(lambda: cancelled.append(True))

    monkeypatch.setattr(pane._context.desk, "ask", ask)
    pane.button.click()
    pane._tell(Progress("Shuffling the weights", 16, 32, 40.0))
    assert pane.work.isVisible() and not pane.button.isEnabled()
    pane.show_run(BY_ID["r0005"])
    assert not pane.work.isVisible()
    assert pane.obstacle == "The maps of r0003 are being checked."
    pane.show_run(BY_ID["r0003"])
    assert pane.work.isVisible()
    pane.cancel()
    assert cancelled == [True]
    pane._failed(Interrupted("It was cancelled."))
    assert not pane.work.isVisible() and pane.button.isEnabled() and not pane.notice.isVisible()


def test_a_check_of_a_run_that_is_not_shown_any_more_is_said(qtbot: QtBot, show: Open) -> None:
    pane = show()
    pane.button.click()
    pane.show_run(BY_ID["r0005"])
    qtbot.waitUntil(lambda: bool(pane._context.desk.said))  # type: ignore[attr-defined]
    assert verdicts(pane) == []
    assert pane.button.isEnabled()


def test_an_explanation_that_a_model_has_not_says_why_in_place(qtbot: QtBot, show: Open) -> None:
    def refuse(ask: CheckMaps) -> MapChecks:
        raise UsageError("This model has no attention between its patches.", "Choose another explanation.")

    pane = show(answers={**ANSWERS, CheckMaps: refuse})
    pane.button.click()
    qtbot.waitUntil(pane.notice.isVisible)
    assert "no attention" in pane.notice.message.text()
    assert pane.button.isEnabled()


@pytest.mark.parametrize(
    ("run", "why"), [("r0001", NO_MAPS), ("r0014", "Its maps can be checked when the run is finished.")]
)
def test_a_run_without_maps_says_why(show: Open, run: str, why: str) -> None:
    pane = show(run)
    assert not pane.button.isEnabled()
    assert pane.said.text() == why
    assert asked(pane, ListMapChecks) == []


def test_nothing_is_checked_in_a_workspace_that_is_read_only(show: Open) -> None:
    assert not show(is_read_only=True).button.isEnabled()


def test_test_images_are_offered_only_once_the_test_is_open(show: Open) -> None:
    assert show("r0003").subset.findData("test") >= 0
    assert show("r0004").subset.findData("test") < 0


def test_the_tab_shows_the_run_that_is_chosen(qtbot: QtBot) -> None:
    page = RunsPage(sample_context(ANSWERS))
    qtbot.addWidget(page)
    page.resize(1080, 772)
    page.show()
    qtbot.waitUntil(lambda: page.state.state == "content")
    page.visit(run="r0004")
    page.pane.tabs.setCurrentIndex(3)
    qtbot.waitUntil(lambda: verdicts(page.pane.maps.part) == ["Passed", "Failed", "Open"])
    page.visit(run="r0001")
    assert page.pane.maps.part.said.text() == NO_MAPS
    assert (page.width(), page.height()) == (1080, 772)


def test_numbers_beside_a_sentence() -> None:
    check = checked("r1").checks[0]
    assert compared(check).endswith("Step by step: head 0.61, blocks 9 to 12 0.34, everything 0.08.")
    assert compared(replace(check, reference=None, steps=())) == ""


@pytest.mark.parametrize(
    ("adapt", "facts", "recipe", "said"),
    [
        (
            "lora",
            {"trained of the backbone": "adapters of rank 8 beside 24 layers"},
            {"rank": 8, "alpha": 16.0, "lora_targets": "qkv", "batch_size": 16, "accumulate": 2},
            {
                "Trained of the backbone": "adapters of rank 8 beside 24 layers",
                "Adapted layers": "qkv, scaled by 2 (alpha 16, rank 8)",
                "Effective batch": "32 images a step (2 batches of 16)",
            },
        ),
        (
            "bitfit",
            {"trained of the backbone": "norms and biases"},
            {"batch_size": 32, "accumulate": 1},
            {"Trained of the backbone": "norms and biases", "Effective batch": "32 images a step"},
        ),
        (
            "linear-grid",
            {"head": "learning rate 0.01, 4 blocks (one of 16)", "augmentation": "none: features are frozen"},
            {"batch_size": 32},
            {"Winning head": "learning rate 0.01, 4 blocks (one of 16)", "Augmentation": "none: features are frozen"},
        ),
        (
            "linear",
            {"penalty": "C = 0.1", "something_new": "told"},
            {},
            {"Penalty": "C = 0.1", "Something new": "told"},
        ),
    ],
)
def test_facts_of_what_was_trained(adapt: str, facts: Any, recipe: Any, said: dict[str, str]) -> None:
    assert dict(outcome_facts(adapt, RunState(facts=facts), recipe)) == said

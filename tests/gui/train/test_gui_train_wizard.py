"""The train wizard: its steps, what it asks, what it refuses and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QComboBox, QLabel, QLineEdit, QTableView, QWidget
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import DatasetList, ListDatasets, ListSplits, MakeSplit, SplitList
from medfm_gui.desk.asks.train import CreateRuns, ListModels, Preflight
from medfm_gui.domain.errors import DatabaseBusy, MedfmError, UsageError, WeightsAbsent
from medfm_gui.ui.pages.train.model import Way
from medfm_gui.ui.pages.train.page import TrainPage
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.sample import ANSWERS, DATASETS, SPLITS
from medfm_gui.ui.sample import WAITS, sample_context

HOSTILE = '<img src="/etc/passwd"><b>x</b> & ' + "\u202e" + "w" * 10_000
KNN, LINEAR, FULL, SCRATCH = Way("knn"), Way("linear"), Way("full"), Way("full", from_scratch=True)


@pytest.fixture
def page(qtbot: QtBot) -> Callable[..., TrainPage]:
    def make(answers: Any = None, **context: Any) -> TrainPage:
        page = TrainPage(sample_context({**ANSWERS, **(answers or {})}, **context))
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        return page

    return make


def fails(error: MedfmError) -> Callable[[Any], Any]:
    def answer(ask: Any) -> Any:
        raise error

    return answer


def asked(page: TrainPage, kind: type[Any]) -> list[Any]:
    return [ask for ask in page.context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def said(page: TrainPage, what: str) -> list[Any]:
    return [values for name, values in page.context.desk.said if name == what]  # type: ignore[attr-defined]


def button(page: QWidget, text: str) -> QAbstractButton:
    found = [one for one in page.findChildren(QAbstractButton) if one.text() == text and one.isVisible()]
    assert found, f"no button “{text}” among {[one.text() for one in page.findChildren(QAbstractButton)]}"
    return found[0]


def words(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def at_models(page: TrainPage, qtbot: QtBot) -> None:
    page.visit(dataset="thorax-phantom", split="thorax-phantom-s1")
    qtbot.waitUntil(lambda: page.state.plan.split is not None and page.wizard.at == At.SPLIT)
    page.wizard.forward()
    qtbot.waitUntil(lambda: bool(page.state.models))


def at_review(page: TrainPage, qtbot: QtBot, *models: str) -> None:
    at_models(page, qtbot)
    for name in models or ("dinov2-s", "mae-b"):
        page.state.toggle_model(name, True)
    for _ in range(3):
        page.wizard.forward()
    assert page.wizard.at == At.REVIEW


def test_the_introduction_leads_to_the_first_step(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    QTest.mouseClick(button(one, "New training"), Qt.MouseButton.LeftButton)
    assert one.is_planning
    assert one.wizard.at == At.DATA
    assert not button(one, "Next: Split").isEnabled()
    assert "Choose a dataset." in words(one)


def test_a_dataset_is_chosen_by_key(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_without_data_the_way_to_import_is_shown(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page({ListDatasets: lambda ask: DatasetList(())})
    one.begin()
    qtbot.waitUntil(lambda: one.wizard.data.pane.state == "empty")
    buttons = [item for item in one.wizard.data.pane.findChildren(QAbstractButton) if item.isVisible()]
    QTest.mouseClick(next(item for item in buttons if item.text() == "Import data …"), Qt.MouseButton.LeftButton)
    assert said(one, "go") == [(("datasets",), {})]


def test_what_is_asked_shows_that_it_is_asked_and_what_went_wrong(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_back_loses_nothing(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_a_later_step_waits_for_what_is_missing(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.wizard.go_to(At.REVIEW)
    assert one.wizard.at == At.MODELS
    assert "Choose at least one model." in words(one)
    one.wizard.forward()
    assert one.wizard.at == At.MODELS


def test_leaks_are_listed_with_ways_on(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    one.visit(dataset="thorax-phantom")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    kind = next(item for item in one.wizard.split.findChildren(QComboBox) if item.accessibleName() == "Kind")
    kind.setCurrentIndex(kind.findData("official"))
    QTest.mouseClick(button(one, "Make split"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "and 5 more" in words(one))
    assert "11 pairs" in words(one)
    assert not button(one, "Keep them for this reason").isEnabled()
    reason = next(
        item for item in one.wizard.split.findChildren(QLineEdit) if item.accessibleName().startswith("Reason")
    )
    reason.setText("published like this")
    QTest.mouseClick(button(one, "Keep them for this reason"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "is made and frozen" in words(one))
    wishes = [ask.wish for ask in asked(one, MakeSplit)]
    assert [(wish.official, wish.accept, wish.drop) for wish in wishes] == [
        (True, "", False),
        (True, "published like this", False),
    ]


def test_a_dataset_without_a_split_gets_one(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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
    QTest.mouseClick(button(one, "Make split"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    assert (made[0].dataset, made[0].wish.ratios, made[0].wish.by) == ("thorax-phantom", "70/15/15", "patient")


def test_models_are_searched_and_ticked(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    step = one.wizard.step
    search = next(item for item in step.findChildren(QLineEdit) if item.accessibleName() == "Search models")
    QTest.keyClicks(search, "non-commercial mae b/16")
    boxes = [box for box in step.findChildren(QCheckBox) if box.isVisible()]
    assert [box.text() for box in boxes] == ["MAE B/16"]
    QTest.keyClick(boxes[0], Qt.Key.Key_Space)
    assert one.state.plan.models == ("mae-b",)
    search.setText("nothing of the kind")
    assert "No model matches." in words(one)


def test_absent_weights_leave_only_a_start_from_scratch(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.state.toggle_model("dinov2-l", True)
    one.wizard.forward()
    assert one.wizard.at == At.ADAPTATION
    assert "weights are not on this computer" in words(one).lower()
    assert not button(one, "Next: Recipe").isEnabled()
    qtbot.waitUntil(lambda: any(box.isVisible() for box in one.wizard.step.findChildren(QCheckBox)))
    boxes = one.wizard.step.findChildren(QCheckBox)
    assert [box.accessibleName() for box in boxes] == ["DINOv2 L/14, Full fine-tuning, from scratch"]
    QTest.mouseClick(button(one, "Get weights …"), Qt.MouseButton.LeftButton)
    assert said(one, "go") == [(("settings",), {"tab": "weights"})]
    QTest.keyClick(boxes[0], Qt.Key.Key_Space)
    assert one.state.cells() == (("dinov2-l", SCRATCH),)
    assert one.state.requests()[0].from_scratch


def test_wrong_values_are_told_at_their_field_and_beside_next(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.state.toggle_model("dinov2-s", True)
    one.wizard.forward()
    one.wizard.forward()
    fields = {item.accessibleName(): item for item in one.wizard.step.findChildren(QLineEdit) if item.isVisible()}
    QTest.keyClicks(fields["Input size (pixels)"], "225")
    assert words(one).count("DINOv2 S/14 needs a multiple of 14, e.g. 224 or 238.") == 2
    assert not button(one, "Next: Review").isEnabled()
    fields["Input size (pixels)"].selectAll()
    QTest.keyClicks(fields["Input size (pixels)"], "238")
    assert button(one, "Next: Review").isEnabled()
    assert one.state.requests()[0].settings == {"input_size": "238"}
    fields["Seeds"].selectAll()
    QTest.keyClicks(fields["Seeds"], "0-2, 7")
    assert one.state.requests()[0].seeds == (0, 1, 2, 7)
    QTest.keyClicks(fields["Seeds"], " x")
    assert not button(one, "Next: Review").isEnabled()


def test_review_measures_and_starts(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_review(one, qtbot)
    qtbot.waitUntil(lambda: one.state.cost is not None)
    assert [ask.requests for ask in asked(one, Preflight)] == [one.state.requests()]
    assert "Measured on this computer just now" in words(one)
    requests = one.state.requests()
    QTest.mouseClick(button(one, "Start 2 runs"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(said(one, "go")))
    assert [ask.requests for ask in asked(one, CreateRuns)] == [requests]
    assert said(one, "start_runs") == [((("r0007", "r0008"),), {})]
    assert said(one, "go") == [(("runs",), {"run": "r0007"})]
    assert not one.is_planning
    assert one.state.plan.dataset is None


def test_start_need_not_wait_for_the_measurement(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page({Preflight: lambda ask: WAITS})
    at_review(one, qtbot)
    assert button(one, "Start 2 runs").isEnabled()
    one.wizard.start()
    qtbot.waitUntil(lambda: bool(said(one, "start_runs")))


def test_the_command_line_is_quoted_and_copied(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    from pathlib import Path

    one = page(root=Path("/data/my work; rm -rf"))
    at_review(one, qtbot)
    one.state.set_setting("", "threshold_rule", "sensitivity:0.9")
    QTest.mouseClick(button(one, "Copy"), Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == (
        "medfm train --dataset thorax-phantom --split thorax-phantom-s1 --model dinov2-s --model mae-b --adapt linear "
        "--seed 0 --set threshold_rule=sensitivity:0.9 --workspace '/data/my work; rm -rf'"
    )


@pytest.mark.parametrize(
    ("error", "text", "leads"),
    [
        (WeightsAbsent("The weights are gone.", "Get them."), "Get weights …", "settings"),
        (UsageError("A setting is wrong.", "Change it."), "Back to Recipe", At.RECIPE),
        (DatabaseBusy("Busy.", "Wait."), "Try again", None),
    ],
)
def test_a_refusal_leads_to_where_it_is_mended(
    page: Callable[..., TrainPage], qtbot: QtBot, error: MedfmError, text: str, leads: Any
) -> None:
    one = page({CreateRuns: fails(error)})
    at_review(one, qtbot)
    one.wizard.start()
    qtbot.waitUntil(lambda: error.message in words(one))
    assert error.hint in words(one)
    assert said(one, "start_runs") == []
    QTest.mouseClick(button(one, text), Qt.MouseButton.LeftButton)
    if leads == "settings":
        assert said(one, "go") == [(("settings",), {"tab": "weights"})]
    elif leads is not None:
        assert one.wizard.at == leads
    assert button(one, "Start 2 runs" if one.wizard.at == At.REVIEW else "Next: Review").isEnabled()


def test_a_read_only_workspace_starts_nothing(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page(is_read_only=True)
    at_review(one, qtbot)
    assert not button(one, "Start 2 runs").isEnabled()
    assert "read-only" in words(one)
    one.wizard.start()
    qtbot.wait(20)
    assert asked(one, CreateRuns) == []


def test_a_run_is_cloned(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    one.visit(clone="r0003")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    qtbot.waitUntil(lambda: one.wizard.at == At.SPLIT and bool(one.state.models))
    one.wizard.go_to(At.REVIEW)
    assert one.wizard.at == At.REVIEW
    (request,) = one.state.requests()
    assert (request.models, request.adapts, request.seeds) == (("dinov2-b",), ("full",), (3,))
    assert request.settings == {"epochs": "30", "lr": "5e-05", "unit": "patient"}
    assert request.split == "thorax-phantom-s1"


def test_a_run_whose_data_are_gone_says_so(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page({ListDatasets: lambda ask: DatasetList(DATASETS[1:])})
    one.visit(clone="r0003")
    qtbot.waitUntil(lambda: bool(said(one, "say")))
    assert "thorax-phantom" in said(one, "say")[0][0][0]
    assert one.wizard.at == At.DATA


def test_a_change_takes_the_cost_back(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_review(one, qtbot)
    qtbot.waitUntil(lambda: one.state.cost is not None)
    one.wizard.back()
    one.state.put(seeds="0, 1")
    assert one.state.cost is None
    one.wizard.forward()
    qtbot.waitUntil(lambda: one.state.cost is not None)
    assert len(one.state.cost.runs if one.state.cost else ()) == 4
    assert len(asked(one, Preflight)) == 2


def test_measuring_is_left_when_starting_fails(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page({Preflight: lambda ask: WAITS, CreateRuns: fails(DatabaseBusy("Busy.", "Wait."))})
    at_review(one, qtbot)
    assert "Looking at the plan" in words(one)
    one.wizard.start()
    qtbot.waitUntil(lambda: "Busy." in words(one))
    assert "Looking at the plan" not in words(one)
    QTest.mouseClick(button(one, "Measure"), Qt.MouseButton.LeftButton)
    assert len(asked(one, Preflight)) == 2


def test_keys_lead_through_the_wizard(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.state.toggle_model("mae-b", True)
    one.context.actions.run("train.next")
    assert one.wizard.at == At.ADAPTATION
    one.context.actions.run("train.back")
    assert one.wizard.at == At.MODELS
    QTest.keyClick(one.wizard.step, Qt.Key.Key_Escape)
    assert one.wizard.step.isVisible()


def test_hostile_names_are_shown_as_they_are(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_every_control_has_a_name(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_review(one, qtbot)
    controls = (QAbstractButton, QComboBox, QLineEdit, QTableView)
    for step in At:
        one.wizard.go_to(step)
        for kind in controls:
            for control in one.findChildren(kind):
                if control.isVisible() and control.objectName() != "qt_spinbox_lineedit":
                    assert control.accessibleName() or getattr(control, "text", str)(), control


def test_models_that_cannot_be_listed_say_why(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page({ListModels: fails(UsageError("The settings file is damaged.", "Restore it."))})
    one.visit(dataset="thorax-phantom")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    one.wizard.forward()
    qtbot.waitUntil(lambda: "The settings file is damaged." in words(one))

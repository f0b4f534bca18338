"""The last step of the wizard: what it measures, starts and refuses, and a run that is cloned."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import DatasetList, ListDatasets
from medfm_gui.desk.asks.train import CreateRuns, Preflight
from medfm_gui.domain.errors import DatabaseBusy, MedfmError, UsageError, WeightsAbsent
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.sample import DATASETS
from medfm_gui.ui.sample import WAITS
from tests.fixtures.gui_train import (
    Open,
    asked,
    at_review,
    button,
    fails,
    said,
    words,
)


def test_review_measures_and_starts(page: Open, qtbot: QtBot) -> None:
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


def test_start_need_not_wait_for_the_measurement(page: Open, qtbot: QtBot) -> None:
    one = page({Preflight: lambda ask: WAITS})
    at_review(one, qtbot)
    assert button(one, "Start 2 runs").isEnabled()
    one.wizard.start()
    qtbot.waitUntil(lambda: bool(said(one, "start_runs")))


def test_the_command_line_is_quoted_and_copied(page: Open, qtbot: QtBot) -> None:
    from pathlib import Path

    one = page(root=Path("/data/my work; rm -rf"))
    at_review(one, qtbot)
    one.state.put(rule="sensitivity:0.9")
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
    page: Open, qtbot: QtBot, error: MedfmError, text: str, leads: Any
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


def test_a_read_only_workspace_starts_nothing(page: Open, qtbot: QtBot) -> None:
    one = page(is_read_only=True)
    at_review(one, qtbot)
    assert not button(one, "Start 2 runs").isEnabled()
    assert "read-only" in words(one)
    one.wizard.start()
    qtbot.wait(20)
    assert asked(one, CreateRuns) == []


def test_a_run_is_cloned(page: Open, qtbot: QtBot) -> None:
    one = page()
    one.visit(clone="r0003")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    qtbot.waitUntil(lambda: one.wizard.at == At.SPLIT and bool(one.state.models))
    one.wizard.go_to(At.REVIEW)
    assert one.wizard.at == At.REVIEW
    (request,) = one.state.requests()
    assert (request.models, request.adapts, request.seeds) == (("dinov2-b",), ("full",), (3,))
    assert request.settings == {"epochs": "30", "lr": "5e-05", "unit": "patient", "threshold_rule": "specificity:0.95"}
    assert request.split == "thorax-phantom-s1"


def test_a_run_whose_data_are_gone_says_so(page: Open, qtbot: QtBot) -> None:
    one = page({ListDatasets: lambda ask: DatasetList(DATASETS[1:])})
    one.visit(clone="r0003")
    qtbot.waitUntil(lambda: bool(said(one, "say")))
    assert "thorax-phantom" in said(one, "say")[0][0][0]
    assert one.wizard.at == At.DATA


def test_a_change_takes_the_cost_back(page: Open, qtbot: QtBot) -> None:
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


def test_measuring_is_left_when_starting_fails(page: Open, qtbot: QtBot) -> None:
    one = page({Preflight: lambda ask: WAITS, CreateRuns: fails(DatabaseBusy("Busy.", "Wait."))})
    at_review(one, qtbot)
    assert "Looking at the plan" in words(one)
    one.wizard.start()
    qtbot.waitUntil(lambda: "Busy." in words(one))
    assert "Looking at the plan" not in words(one)
    QTest.mouseClick(button(one, "Measure"), Qt.MouseButton.LeftButton)
    assert len(asked(one, Preflight)) == 2

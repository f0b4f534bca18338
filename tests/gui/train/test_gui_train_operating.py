"""The operating point in the wizard: nothing is preselected, nothing starts without it, what is known is offered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QRadioButton
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.train import CreateRuns, RunOrder, RunSpecOf, ThresholdRulesOf
from medfm_gui.domain.errors import DatabaseBusy
from medfm_gui.domain.presets import PRESETS, Preset
from medfm_gui.domain.threshold import is_rule
from medfm_gui.ui.pages.train import rules
from medfm_gui.ui.pages.train.model import PlanState, command
from medfm_gui.ui.pages.train.operating import CHOOSE, KINDS, Ruled, as_rule, as_typed, kind_of, ruled
from medfm_gui.ui.pages.train.page import TrainPage
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.sample import DATASETS, SPLITS, models
from medfm_gui.ui.pages.train.wizard.operating import OperatingPanel
from medfm_gui.workspace.threshold import KnownRules
from tests.fixtures.gui_train import Open, button, words

SPLIT = "thorax-phantom-s1"


def known(**rules: str) -> dict[Any, Any]:
    return {ThresholdRulesOf: lambda ask: KnownRules(ask.dataset, ask.split, **rules)}


@pytest.fixture
def recipe(page: Open, qtbot: QtBot) -> Open:
    """The wizard at its recipe, with a model chosen."""
    opened = page

    def show(answers: Any = None, dataset: str = "thorax-phantom", **context: Any) -> TrainPage:
        page = opened(answers, **context)
        page.visit(dataset=dataset, split=f"{dataset}-s1")
        qtbot.waitUntil(lambda: page.state.plan.split is not None and page.wizard.at == At.SPLIT)
        qtbot.waitUntil(lambda: bool(page.state.models))
        page.state.toggle_model("dinov2-s", True)
        page.wizard.go_to(At.RECIPE)
        assert page.wizard.at == At.RECIPE
        return page

    return show


def field(page: TrainPage, name: str) -> QLineEdit:
    return next(one for one in page.findChildren(QLineEdit) if one.accessibleName() == name)


def checked(page: TrainPage) -> list[str]:
    panel = page.wizard.step.findChild(OperatingPanel)
    assert panel is not None
    return [one.text() for one in panel.findChildren(QRadioButton) if one.isChecked()]


def test_nothing_is_preselected_and_nothing_starts_without_it(recipe: Open) -> None:
    page = recipe()
    assert checked(page) == []
    assert words(page).count(CHOOSE) == 2, "in its panel, and beside Next"
    assert not button(page, "Next: Review").isEnabled()
    page.wizard.go_to(At.REVIEW)
    page.wizard.start()
    assert page.wizard.at == At.RECIPE
    assert not [ask for ask in page.context.desk.asked if isinstance(ask, CreateRuns)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("title", "number", "typed", "rule"),
    [
        ("Fixed sensitivity", "Sensitivity in per cent", "97.5", "sensitivity:0.975"),
        ("Fixed specificity", "Specificity in per cent", "90 %", "specificity:0.9"),
        ("Cost of a miss", "False alarms that a miss costs", "5", "cost:5"),
    ],
)
def test_a_rule_with_its_number_is_chosen_by_clicks_and_keys(
    recipe: Open, qtbot: QtBot, title: str, number: str, typed: str, rule: str
) -> None:
    page = recipe()
    QTest.mouseClick(button(page, title), Qt.MouseButton.LeftButton)
    assert checked(page) == [title]
    needs = next(kind.needs for kind in KINDS if kind.title == title)
    assert words(page).count(needs) == 2 and not button(page, "Next: Review").isEnabled()
    assert page.focusWidget() is field(page, number)
    QTest.keyClicks(field(page, number), typed)
    assert needs not in words(page)
    (request,) = page.state.requests()
    assert request.settings == {"threshold_rule": rule}
    assert f"--set threshold_rule={rule}" in command(request, "/w")
    QTest.mouseClick(button(page, "Next: Review"), Qt.MouseButton.LeftButton)
    assert page.wizard.at == At.REVIEW
    page.wizard.back()
    assert checked(page) == [title] and field(page, number).text() == typed.removesuffix(" %")
    QTest.mouseClick(button(page, "Youden’s index"), Qt.MouseButton.LeftButton)
    assert checked(page) == ["Youden’s index"] and field(page, number).text() == ""
    assert page.state.requests()[0].settings == {"threshold_rule": "youden"}


def test_typing_a_number_chooses_its_rule(recipe: Open) -> None:
    page = recipe()
    QTest.keyClicks(field(page, "Sensitivity in per cent"), "0.9")
    assert checked(page) == ["Fixed sensitivity"]
    assert not button(page, "Next: Review").isEnabled(), "0.9 % is a share that was typed as a fraction"
    assert field(page, "Sensitivity in per cent").property("role") == "bad"
    assert page.state.requests()[0].settings == {}, "what is no rule is told to nobody"


def test_a_task_without_a_threshold_is_not_asked_for_one(recipe: Open, qtbot: QtBot) -> None:
    page = recipe(dataset="skin-phantom")
    panel = page.wizard.step.findChild(OperatingPanel)
    assert panel is not None and not panel.isVisible()
    assert button(page, "Next: Review").isEnabled()
    assert page.state.requests()[0].settings == {}
    assert not [ask for ask in page.context.desk.asked if isinstance(ask, ThresholdRulesOf)]  # type: ignore[attr-defined]


def test_a_locked_protocol_sets_it_and_a_departure_is_told(recipe: Open, qtbot: QtBot) -> None:
    page = recipe(known(promised="specificity:0.95", protocol="protocol-1", last="cost:2", run="r0001"))
    qtbot.waitUntil(lambda: checked(page) == ["Fixed specificity"])
    assert field(page, "Specificity in per cent").text() == "95"
    assert "As the locked protocol protocol-1 names it." in words(page)
    assert "95 % specificity" in words(page), "the plan at the right"
    assert button(page, "Next: Review").isEnabled()
    assert page.state.requests()[0].settings == {"threshold_rule": "specificity:0.95"}
    QTest.mouseClick(button(page, "Youden’s index"), Qt.MouseButton.LeftButton)
    assert "The locked protocol protocol-1 names another: 95 % specificity." in words(page)
    assert page.state.requests()[0].settings == {"threshold_rule": "youden"}
    page.state.put(rule="specificity:0.95")
    assert "As the locked protocol protocol-1 names it." in words(page)


def test_what_was_chosen_last_is_offered_and_said(recipe: Open, qtbot: QtBot) -> None:
    page = recipe(known(last="cost:2", run="r0004"))
    qtbot.waitUntil(lambda: checked(page) == ["Cost of a miss"])
    assert "As you chose it last for these data, in r0004." in words(page)
    page.state.put(dataset=DATASETS[2])
    page.state.put(dataset=DATASETS[0])
    assert not ruled(page.state).rule, "before a split is chosen nothing is known"


def test_a_desk_that_cannot_tell_leaves_the_choice(recipe: Open) -> None:
    def fails(ask: Any) -> Any:
        raise DatabaseBusy("Busy.", "Wait.")

    page = recipe({ThresholdRulesOf: fails})
    assert checked(page) == [] and CHOOSE in words(page)


def test_a_preset_that_fixes_a_rule_says_so(recipe: Open, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    fixed = Preset("Fixed.", {"threshold_rule": "sensitivity:0.9"})
    monkeypatch.setattr("medfm_gui.domain.presets.PRESETS", {**PRESETS, "quick": fixed})
    page = recipe(known(last="cost:2", run="r0004"))
    qtbot.waitUntil(lambda: checked(page) == ["Cost of a miss"])
    page.state.put(preset="quick")
    assert checked(page) == ["Fixed sensitivity"] and "As the preset says." in words(page)
    assert page.state.requests()[0].settings == {}, "the preset says it itself"


def test_a_repeated_run_brings_its_rule(recipe: Open, qtbot: QtBot) -> None:
    page = recipe(known(last="cost:2", run="r0004"))
    page.visit(clone="r0003")
    qtbot.waitUntil(lambda: page.state.plan.models == ("dinov2-b",) and page.state.plan.split is not None)
    page.wizard.go_to(At.RECIPE)
    assert checked(page) == ["Fixed specificity"] and "As in r0003, which is repeated." in words(page)
    page.begin()
    assert ruled(page.state) == Ruled()


def test_a_repeated_run_that_nobody_chose_for_asks_again(recipe: Open, qtbot: QtBot) -> None:
    order = RunOrder("r0003", "thorax-phantom", SPLIT, "dinov2-b", "full", False, 3, "auto")
    page = recipe({RunSpecOf: lambda ask: order})
    page.visit(clone="r0003")
    qtbot.waitUntil(lambda: page.state.plan.models == ("dinov2-b",) and page.state.plan.split is not None)
    page.wizard.go_to(At.REVIEW)
    assert page.wizard.at == At.RECIPE and checked(page) == []


@pytest.fixture
def state(qapp: QCoreApplication) -> PlanState:
    state = PlanState()
    state.offer_models(models())
    state.put(dataset=DATASETS[0], models=("dinov2-s",))
    state.offer_splits([row for row in SPLITS if row.id == SPLIT])
    return state


def test_another_dataset_or_split_takes_what_was_known_back(state: PlanState) -> None:
    assert rules.first_gap(state) == (At.RECIPE, CHOOSE) and rules.chosen(state, At.RECIPE) == ""
    state.learn_rules(KnownRules("thorax-phantom", SPLIT, "cost:3", "protocol-1"))
    assert rules.first_gap(state) is None and rules.chosen(state, At.RECIPE) == "defaults"
    split = state.plan.split
    assert split is not None
    state.put(split=replace(split, id="other"))
    assert not ruled(state).rule
    state.put(rule="youden", dataset=DATASETS[2])
    assert state.plan.rule == "youden", "as it was asked for together"
    state.put(dataset=DATASETS[0])
    assert (state.plan.rule, state.plan.repeated) == ("", None)


@pytest.mark.parametrize(
    ("typed", "rule", "shown"),
    [
        ("90", "sensitivity:0.9", "90"),
        (" 97.50 % ", "sensitivity:0.975", "97.5"),
        ("0.9", "sensitivity:0.9 %", "0.9"),
        ("100", "sensitivity:100 %", "100"),
        ("nan", "sensitivity:nan %", "nan"),
        ("1e999999", "sensitivity:1e999999 %", "1e999999"),
        ("", "sensitivity: %", ""),
    ],
)
def test_per_cent_become_a_share_and_back(typed: str, rule: str, shown: str) -> None:
    kind = KINDS[0]
    assert as_rule(kind, typed) == rule and as_typed(rule) == shown
    assert is_rule(rule) == (rule in ("sensitivity:0.9", "sensitivity:0.975"))


@pytest.mark.parametrize(
    ("typed", "rule"),
    [("5", "cost:5"), ("2.50", "cost:2.5"), ("0", "cost:0"), ("-1", "cost:-1"), ("1e999999", "cost:1e999999")],
)
def test_costs_are_kept_as_numbers(typed: str, rule: str) -> None:
    kind = kind_of("cost")
    assert kind is not None and as_rule(kind, typed) == rule
    assert is_rule(rule) == (typed in ("5", "2.50"))

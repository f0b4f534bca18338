"""What headline numbers count, in the wizard: only units that the dataset tells are offered, and a choice holds."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QToolButton
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import UnitList, UnitsOf
from medfm_gui.ui.pages.train import rules
from medfm_gui.ui.pages.train.model import learn_units
from medfm_gui.ui.pages.train.page import TrainPage
from medfm_gui.ui.pages.train.rules import At
from tests.fixtures.gui_train import Open, asked


@pytest.fixture
def recipe(page: Open, qtbot: QtBot) -> TrainPage:
    """The wizard at its recipe, with a model chosen, of a dataset that tells studies and patients."""
    told: dict[Any, Any] = {UnitsOf: lambda ask: UnitList(("image", "study", "patient"))}
    found = page(told)
    found.visit(dataset="thorax-phantom", split="thorax-phantom-s1")
    qtbot.waitUntil(lambda: found.state.plan.split is not None and bool(found.state.models))
    found.state.toggle_model("dinov2-s", True)
    found.state.put(rule="youden")
    found.wizard.go_to(At.RECIPE)
    return found


def head(page: TrainPage) -> QToolButton:
    return next(one for one in page.findChildren(QToolButton) if one.text() == "Protocol and results")


def chooser(page: TrainPage, *values: str) -> QComboBox:
    """The field that offers these values and no others."""

    def offered(one: QComboBox) -> list[str]:
        return [one.itemData(at) for at in range(one.count())]

    return next(one for one in page.findChildren(QComboBox) if offered(one) == list(values) and one.isVisible())


def choose(combo: QComboBox, value: str) -> None:
    combo.setCurrentIndex(combo.findData(value))
    combo.activated.emit(combo.currentIndex())


def test_a_unit_of_the_dataset_is_chosen_with_its_rule(recipe: TrainPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: recipe.state.units == ("thorax-phantom", ("image", "study", "patient")))
    QTest.mouseClick(head(recipe), Qt.MouseButton.LeftButton)
    unit = chooser(recipe, "image", "study", "patient")
    assert [unit.itemText(at) for at in range(unit.count())] == ["Images", "Studies", "Patients"]
    assert unit.currentText() == "Images"
    score = chooser(recipe, "mean", "max")
    choose(score, "max")
    assert "each image is counted" in rules.missing(recipe.state, At.RECIPE), "a rule without a unit is named in place"
    choose(unit, "study")
    assert rules.missing(recipe.state, At.RECIPE) == ""
    (request,) = recipe.state.requests()
    assert {key: request.settings[key] for key in ("unit", "unit_score")} == {"unit": "study", "unit_score": "max"}


def test_a_unit_that_another_dataset_told_is_named_before_anything_starts(recipe: TrainPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: recipe.state.units[0] == "thorax-phantom")
    recipe.state.set_setting("", "unit", "lesion")
    said = rules.missing(recipe.state, At.RECIPE)
    assert "does not tell which images are of one lesion" in said
    learn_units(recipe.state, "thorax-phantom", ("image", "lesion"))
    assert rules.missing(recipe.state, At.RECIPE) == ""


def test_each_dataset_is_asked_once_and_again_after_a_refresh(recipe: TrainPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: recipe.state.units[0] == "thorax-phantom")
    assert asked(recipe, UnitsOf) == [UnitsOf("thorax-phantom")]
    recipe.wizard.refresh()
    assert len(asked(recipe, UnitsOf)) == 2

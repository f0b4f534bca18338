"""What headline numbers count, in the wizard: only units that the dataset tells are offered, and a choice holds."""

from __future__ import annotations

from collections.abc import Iterator
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
from medfm_gui.ui.pages.train.sample import ANSWERS
from medfm_gui.ui.sample import sample_context


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[TrainPage]:
    """The wizard at its recipe, with a model chosen, of a dataset that tells studies and patients."""
    told: dict[Any, Any] = {UnitsOf: lambda ask: UnitList(("image", "study", "patient"))}
    found = TrainPage(sample_context({**ANSWERS, **told}))
    qtbot.addWidget(found)
    found.resize(1080, 772)
    found.show()
    found.visit(dataset="thorax-phantom", split="thorax-phantom-s1")
    qtbot.waitUntil(lambda: found.state.plan.split is not None and bool(found.state.models))
    found.state.toggle_model("dinov2-s", True)
    found.state.put(rule="youden")
    found.wizard.go_to(At.RECIPE)
    yield found


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


def test_a_unit_of_the_dataset_is_chosen_with_its_rule(page: TrainPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.state.units == ("thorax-phantom", ("image", "study", "patient")))
    QTest.mouseClick(head(page), Qt.MouseButton.LeftButton)
    unit = chooser(page, "image", "study", "patient")
    assert [unit.itemText(at) for at in range(unit.count())] == ["Images", "Studies", "Patients"]
    assert unit.currentText() == "Images"
    score = chooser(page, "mean", "max")
    choose(score, "max")
    assert "each image is counted" in rules.missing(page.state, At.RECIPE), "a rule without a unit is named in place"
    choose(unit, "study")
    assert rules.missing(page.state, At.RECIPE) == ""
    (request,) = page.state.requests()
    assert {key: request.settings[key] for key in ("unit", "unit_score")} == {"unit": "study", "unit_score": "max"}


def test_a_unit_that_another_dataset_told_is_named_before_anything_starts(page: TrainPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.state.units[0] == "thorax-phantom")
    page.state.set_setting("", "unit", "lesion")
    said = rules.missing(page.state, At.RECIPE)
    assert "does not tell which images are of one lesion" in said
    learn_units(page.state, "thorax-phantom", ("image", "lesion"))
    assert rules.missing(page.state, At.RECIPE) == ""


def test_each_dataset_is_asked_once_and_again_after_a_refresh(page: TrainPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.state.units[0] == "thorax-phantom")
    asked = [ask for ask in page.context.desk.asked if isinstance(ask, UnitsOf)]  # type: ignore[attr-defined]
    assert asked == [UnitsOf("thorax-phantom")]
    page.wizard.refresh()
    again = [ask for ask in page.context.desk.asked if isinstance(ask, UnitsOf)]  # type: ignore[attr-defined]
    assert len(again) == 2

"""The preview of the recipe: shown on demand, following the plan, never left running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.train import ShowLooks
from medfm_gui.domain.errors import InputError
from medfm_gui.ui.pages.train.page import TrainPage
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.sample import ANSWERS
from medfm_gui.ui.pages.train.ways import Way
from medfm_gui.ui.pages.train.wizard.looks import LooksPanel, LooksSheet
from medfm_gui.ui.sample import sample_context


@pytest.fixture
def panel(qtbot: QtBot) -> Callable[..., tuple[TrainPage, LooksPanel]]:
    def make(answers: Any = None) -> tuple[TrainPage, LooksPanel]:
        page = TrainPage(sample_context({**ANSWERS, **(answers or {})}))
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        page.visit(dataset="thorax-phantom", split="thorax-phantom-s1")
        qtbot.waitUntil(lambda: page.state.plan.split is not None and page.wizard.at == At.SPLIT)
        page.wizard.forward()
        qtbot.waitUntil(lambda: bool(page.state.models))
        page.state.toggle_model("dinov2-s", True)
        page.wizard.go_to(At.RECIPE)
        qtbot.waitUntil(lambda: page.wizard.step.findChild(LooksPanel) is not None)
        found = page.wizard.step.findChild(LooksPanel)
        assert found is not None
        return page, found

    return make


def asked(page: TrainPage) -> list[ShowLooks]:
    return [ask for ask in page.context.desk.asked if isinstance(ask, ShowLooks)]  # type: ignore[attr-defined]


def press(panel: LooksPanel, text: str) -> None:
    (button,) = [one for one in panel.findChildren(QAbstractButton) if one.text() == text and one.isVisible()]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def words(panel: LooksPanel) -> str:
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_nothing_is_prepared_before_somebody_asks(panel: Callable[..., Any], qtbot: QtBot) -> None:
    page, shown = panel()
    qtbot.wait(50)
    assert not asked(page)
    press(shown, "Show images")
    sheet = shown.findChild(LooksSheet)
    qtbot.waitUntil(lambda: sheet.has_images)
    assert not sheet.has_views  # a linear probe looks at images as they are
    assert "224 × 224" in words(shown)
    (ask,) = asked(page)
    assert (ask.request.models, ask.request.adapts, ask.seed) == (("dinov2-s",), ("linear",), 0)


def test_it_follows_the_recipe_and_draws_again(panel: Callable[..., Any], qtbot: QtBot) -> None:
    page, shown = panel()
    page.state.toggle_way(Way("linear"), False)
    page.state.toggle_way(Way("full"), True)
    press(shown, "Show images")
    sheet = shown.findChild(LooksSheet)
    qtbot.waitUntil(lambda: sheet.has_views)
    page.state.set_setting("", "normalisation", "min-max")
    qtbot.waitUntil(lambda: len(asked(page)) == 2, timeout=3000)
    assert asked(page)[1].request.settings["normalisation"] == "min-max"
    press(shown, "Draw other views")
    assert asked(page)[-1].seed == 1
    page.state.toggle_model("mae-b", True)
    qtbot.waitUntil(lambda: shown._pair.isVisible())
    assert [shown._pair.itemText(row) for row in range(2)] == [
        "DINOv2 S/14 · Full fine-tuning",
        "MAE B/16 · Full fine-tuning",
    ]


def test_what_went_wrong_stands_in_its_place(panel: Callable[..., Any], qtbot: QtBot) -> None:
    def fail(ask: ShowLooks) -> Any:
        raise InputError("The pixels are gone.", "Import again.")

    _, shown = panel({ShowLooks: fail})
    press(shown, "Show images")
    qtbot.waitUntil(lambda: "The pixels are gone." in words(shown))


def test_leaving_the_step_leaves_nothing_running(panel: Callable[..., Any], qtbot: QtBot) -> None:
    page, shown = panel()
    press(shown, "Show images")
    page.wizard.go_to(At.SPLIT)
    assert not shown._newest.is_waiting
    assert not shown._waits.isActive()
    assert page.wizard.at == At.SPLIT

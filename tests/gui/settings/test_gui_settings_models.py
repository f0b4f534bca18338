"""The list of models: found, chosen, told in full."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.train import ListModels, ModelList
from medfm_gui.desk.entry import Topic
from medfm_gui.domain.cards import WeightsState
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.sample import ANSWERS, MODELS
from medfm_gui.ui.theme import SPACE
from tests.fixtures.gui_settings import Show, texts, weights


def test_a_model_is_chosen_by_the_wish_and_shown_in_full(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", model="mae-b"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    one = section.chosen()
    assert one is not None
    assert one.card.name == "mae-b"
    assert "CC-BY-NC-4.0 · non-commercial" in texts(section.details)
    assert one.weights.sha256 in texts(section.details)


def test_the_filter_narrows_the_table(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights"))
    qtbot.waitUntil(lambda: len(section.rows.rows) == len(MODELS))
    QTest.keyClicks(section.filter, "non-commercial")
    assert {one.card.name for one in section.rows.rows} == {"mae-b", "mae-l"}


def test_overlap_with_known_datasets_is_among_the_facts(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", model="dinov2-l"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    facts = dict(model.about(section.chosen()))  # type: ignore[arg-type]
    assert facts["May have seen"] == "MedMNIST"
    assert "APTOS 2019" in facts["Has not seen"]
    assert facts["Unknown"] == "all others"
    assert facts["Size"] == "≈ 1.2 GB"


def many() -> tuple[Any, ...]:
    return tuple(
        replace(MODELS[at % 4], card=replace(MODELS[at % 4].card, name=f"m{at}", group=f"Family {at % 20:02d}"))
        for at in range(90)
    )


def test_ninety_models_stand_under_their_headings_and_are_found(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", {**ANSWERS, ListModels: lambda ask: ModelList(many(), ())}))
    qtbot.waitUntil(lambda: len(section.rows.rows) == 90)
    assert [group.title for group in section.rows.groups] == [f"Family {at:02d}" for at in range(20)]
    section.filter.setText("family 07")
    assert [group.title for group in section.rows.groups] == ["Family 07"]
    assert section.table.isExpanded(section.rows.index(0, 0))
    section.filter.setText("nothing of the kind")
    assert "No model is called so" in texts(section)
    section.filter.clear()
    section.shown.setCurrentIndex(1)
    assert all(one.weights.is_here for one in section.rows.rows) and section.rows.rows


def test_what_is_chosen_and_unfolded_stays_when_weights_come(qtbot: QtBot, show: Show) -> None:
    state: list[tuple[Any, ...]] = [MODELS]
    section = weights(page := show("weights", {**ANSWERS, ListModels: lambda ask: ModelList(state[0], ())}))
    qtbot.waitUntil(lambda: bool(section.rows.rows))
    heading = next(at for at, group in enumerate(section.rows.groups) if group.title == "AIMv2")
    section.table.expand(section.rows.index(heading, 0))
    section.table.choose("aimv2-l")
    state[0] = tuple(
        replace(one, weights=replace(one.weights, state=WeightsState.PRESENT)) if one.card.name == "aimv2-l" else one
        for one in MODELS
    )
    page.mark_stale(Topic.MODELS)
    qtbot.waitUntil(lambda: section.rows.groups[heading].ready == 1)
    assert section.chosen() is state[0][[one.card.name for one in MODELS].index("aimv2-l")]
    assert section.table.isExpanded(section.rows.index(heading, 0))


def test_the_tree_of_models_is_sound(qtbot: QtBot, qtmodeltester: Any, show: Show) -> None:
    section = weights(show("weights"))
    qtbot.waitUntil(lambda: bool(section.rows.rows))
    qtmodeltester.check(section.rows)


def test_size_and_parameters_are_seen_in_a_narrow_window_until_a_width_is_set(qtbot: QtBot, show: Show) -> None:
    page = show("weights")
    table = weights(page).table
    table.setFixedWidth(500)
    qtbot.waitUntil(lambda: table.viewport().width() <= 500)
    first = sum(table.columnWidth(at) for at in range(4))
    assert first <= table.viewport().width() and table.columnWidth(0) < SPACE[5] * 6
    table.setFixedWidth(900)
    qtbot.waitUntil(lambda: table.columnWidth(0) == SPACE[5] * 6)
    assert page.context.memory.get("settings.weights.widths") is None, "nobody set one"
    table.header().resizeSection(1, 200)
    table.setFixedWidth(500)
    qtbot.waitUntil(lambda: table.viewport().width() <= 500)
    assert table.columnWidth(1) == 200
    assert page.context.memory.get("settings.weights.widths")[1] == 200

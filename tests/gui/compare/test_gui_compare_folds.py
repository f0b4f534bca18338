"""The folds of a comparison's runs, on sample answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import compare_cases as cases
from medfm_gui.domain.errors import InputError
from medfm_gui.ui.charts.interval_cell import INTERVAL_ROLE
from medfm_gui.ui.pages.compare.page import ComparePage
from medfm_gui.ui.pages.compare.sample import ANSWERS
from medfm_gui.ui.pages.compare.sample_folds import sample_folds
from medfm_gui.ui.sample import sample_context

RUNS = ("r0003", "r0004", "r0005")


def shown(qtbot: QtBot, changes: dict[type, Any] | None = None) -> ComparePage:
    page = ComparePage(sample_context({**ANSWERS, **(changes or {})}))
    qtbot.addWidget(page)
    page.resize(1200, 760)
    page.show()
    page.visit(runs=RUNS)
    qtbot.waitUntil(lambda: page.board.bar.runs == RUNS)
    tabs = page.board.tabs
    tabs.setCurrentIndex(next(at for at in range(tabs.count()) if tabs.tabText(at) == "Folds"))
    return page


def test_means_over_folds_their_spread_and_the_ways_in_pairs(qtbot: QtBot) -> None:
    tab = shown(qtbot).board.folds
    qtbot.waitUntil(lambda: tab.model.rowCount() == 2)
    assert "no interval" in str(tab.model.headerData(3, tab.table.horizontalHeader().orientation()))
    assert tab.model.index(0, 2).data(INTERVAL_ROLE) is not None and tab.model.index(0, 3).data() == "0.014"
    assert len(tab.model.index(0, 5).data().split(", ")) == 5
    assert tab.pair_model.rowCount() == 1 and "within folds" in tab.pair_model.index(0, 3).data()
    assert tab.view.chart is not None and tab.view.chart.id == "folds"
    assert "no confidence interval" in tab.note.text() and "models of the folds are held" in tab.sentence.text()


@pytest.mark.parametrize("state", ["empty", "error"])
def test_runs_of_no_fold_and_damaged_files_say_so(qtbot: QtBot, state: str) -> None:
    def answer(ask: cases.ReadFolds) -> cases.FoldTable:
        if state == "error":
            raise InputError("The predictions are damaged.", "Predict again.")
        return cases.FoldTable(ask.runs)

    tab = shown(qtbot, {cases.ReadFolds: answer}).board.folds
    qtbot.waitUntil(lambda: tab.pane.state == state)
    assert tab.model.rowCount() == 0


def test_several_pairs_show_the_intervals_that_hold_together_and_what_was_promised(qtbot: QtBot) -> None:
    plain = sample_folds(dict.fromkeys(RUNS, ("", "", 0.8)), RUNS).found
    assert plain is not None
    (pair,) = plain.pairs
    row = replace(
        pair.comparison, low_simultaneous=-0.031, high_simultaneous=0.052, simultaneous_method="max-t-bootstrap"
    )
    found = replace(plain, pairs=(replace(pair, comparison=row),) * 2)
    said = "Primary comparison: <b>a</b> is non-inferior."
    tab = shown(qtbot, {cases.ReadFolds: lambda ask: cases.FoldTable(ask.runs, found, (said,))}).board.folds
    qtbot.waitUntil(lambda: tab.pair_model.rowCount() == 2)
    titles = [tab.pair_model.headerData(at, Qt.Orientation.Horizontal) for at in range(tab.pair_model.columnCount())]
    at = titles.index("Simultaneous 95 %")
    assert not tab.pairs.isColumnHidden(at) and tab.pair_model.index(0, at).data() == "−0.031 to +0.052"
    assert said in tab.sentence.text() and "hold together" in tab.note.text()


def test_a_single_pair_has_no_column_of_intervals_that_hold_together(qtbot: QtBot) -> None:
    tab = shown(qtbot).board.folds
    qtbot.waitUntil(lambda: tab.pair_model.rowCount() == 1)
    assert tab.pairs.isColumnHidden(6) and "hold together" not in tab.note.text()

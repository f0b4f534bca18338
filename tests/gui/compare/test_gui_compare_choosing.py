"""Which runs are compared: chosen, ordered, opened later, left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QMenu
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import compare as asks
from medfm_gui.desk.asks.runs import OpenTest
from medfm_gui.domain.errors import InputError
from medfm_gui.ui.pages.compare import sample
from medfm_gui.ui.pages.compare.candidates import usual_choice
from medfm_gui.ui.pages.compare.chooser import RunChooser
from medfm_gui.ui.pages.compare.page import ComparePage
from medfm_gui.ui.pages.compare.sample import ANSWERS, candidates
from medfm_gui.ui.pages.runs.seal import SealDialog
from medfm_gui.ui.sample import Answers, sample_context
from tests.fixtures.gui_compare import RUNS, Open, asked, boom, chooser_of, desk, said, words


def test_at_first_the_newest_runs_of_one_test_are_shown(show: Open) -> None:
    page = show()
    assert page.board.bar.runs == tuple(sorted(sample.RUNS))
    assert "best of 6" in page.board.about.text() and "492 patients" in page.board.about.text()
    assert page.context.memory.get("compare.runs") is None, "what nobody chose is chosen anew at the next start"


def test_remembered_runs_come_back(show: Open, qtbot: QtBot) -> None:
    page = ComparePage(sample_context(ANSWERS))
    page.context.memory.put("compare.runs", {"/workspace": ["r0005", "r0003", 7]})
    again = ComparePage(page.context)
    qtbot.addWidget(page)
    qtbot.addWidget(again)
    again.show()
    qtbot.waitUntil(lambda: again.board.bar.runs == ("r0005", "r0003"))


@pytest.mark.parametrize(
    ("runs", "n_unfinished", "title", "page_key"),
    [((), 0, "No runs yet", "train"), ((), 3, "No run is finished yet", "runs")],
)
def test_nothing_to_compare_says_what_to_do(
    show: Open, qtbot: QtBot, runs: tuple[asks.Candidate, ...], n_unfinished: int, title: str, page_key: str
) -> None:
    page = show({asks.ListCandidates: lambda ask: asks.CandidateList("", runs, n_unfinished)}, "empty")
    assert title in words(page)
    button = next(one for one in page.state.findChildren(QAbstractButton) if one.isVisible())
    button.click()
    assert said(page, "go")[0][0][0] == page_key


def test_sealed_runs_only(show: Open) -> None:
    page = show({asks.ListCandidates: lambda ask: asks.CandidateList("", candidates()[-1:])}, "empty")
    assert "The test of r0008 is sealed" in words(page)
    page.choose()
    chooser = page.findChild(RunChooser)
    assert chooser is not None
    chooser.reject()


def test_a_visit_with_sealed_and_foreign_runs_says_what_is_left_out(show: Open, qtbot: QtBot) -> None:
    page = show()
    page.visit(runs=("r0008", "r0003", "r0004"))
    qtbot.waitUntil(lambda: page.board.bar.runs == ("r0003", "r0004"))
    assert "r0008" in page.board.notice.message.text() and page.board.notice.isVisible()
    page.visit(runs=("r0003", "r0001"))
    qtbot.waitUntil(lambda: page.board.bar.runs == ("r0003",))
    assert "r0001" in page.board.notice.message.text()
    assert "different sets of images" in page.board.notice.hint.text()
    page.visit(runs=("r0777",))
    qtbot.waitUntil(lambda: page.state.state == "empty")


def only_open(opened: list[str]) -> Answers:
    """The tests of these runs are open; the list may grow."""

    def listing(ask: asks.ListCandidates) -> asks.CandidateList:
        runs = tuple(replace(one, is_opened=one.run in opened) for one in candidates(ask.reference))
        return asks.CandidateList(ask.reference, runs, 0)

    return {asks.ListCandidates: listing}


def test_a_test_that_is_opened_later_comes_in_where_nobody_chose(show: Open, qtbot: QtBot) -> None:
    opened = ["r0002"]
    page = show(only_open(opened))
    assert page.board.bar.runs == ("r0002",)
    opened.append("r0004")
    page.refresh()
    qtbot.waitUntil(lambda: page.board.bar.runs == ("r0002", "r0004"))
    page.set_runs(("r0002",))
    page.refresh()
    qtbot.waitUntil(lambda: page.board.bar.runs == ("r0002",))
    page.refresh()
    qtbot.wait(30)
    assert page.board.bar.runs == ("r0002",) and page.board.notice.isHidden(), "what was taken out stays out"


def test_a_sealed_run_that_was_wanted_comes_in_once_its_test_is_open(show: Open, qtbot: QtBot) -> None:
    opened = ["r0002"]
    page = show(only_open(opened))
    page.visit(runs=("r0002", "r0003"))
    qtbot.waitUntil(lambda: "r0003" in page.board.notice.message.text())
    opened.append("r0003")
    page.refresh()
    qtbot.waitUntil(lambda: page.board.bar.runs == ("r0002", "r0003"))
    assert page.board.notice.isHidden()
    assert page.context.memory.get("compare.runs") == {"/workspace": ["r0002", "r0003"]}


def test_another_test_that_is_opened_is_offered(show: Open, qtbot: QtBot) -> None:
    opened = ["r0002", "r0003"]
    page = show(only_open(opened))
    page.visit(runs=("r0003", "r0002"))
    qtbot.waitUntil(lambda: page.board.bar.runs == ("r0003", "r0002"))
    opened += ["r0005", "r0001"]
    page.refresh()
    qtbot.waitUntil(page.board.notice.isVisible)
    assert "r0005" in page.board.notice.message.text()
    assert "r0001" not in page.board.notice.message.text(), "it was tested on other images"
    page.board.notice.buttons[0].click()
    qtbot.waitUntil(lambda: page.board.bar.runs == ("r0003", "r0002", "r0005"))


def test_the_first_run_is_the_reference_and_can_be_another(compared: ComparePage, qtbot: QtBot) -> None:
    bar = compared.board.bar
    bar.put("r0005", 0)
    qtbot.waitUntil(lambda: bar.runs == ("r0005", "r0003", "r0004"))
    assert asked(compared, asks.ListCandidates)[-1].reference == "r0005"
    compared.board.overview.table.selectRow(2)
    compared.context.actions.run("compare.reference")
    qtbot.waitUntil(lambda: bar.runs == ("r0004", "r0005", "r0003"))
    bar.remove("r0005")
    qtbot.waitUntil(lambda: bar.runs == ("r0004", "r0003"))
    compared.board.overview.table.selectRow(1)
    compared.context.actions.run("compare.remove")
    qtbot.waitUntil(lambda: bar.runs == ("r0004",))
    bar.remove("r0004")
    qtbot.waitUntil(lambda: compared.state.state == "empty")
    assert "No runs chosen" in words(compared)


def entry(menu: QMenu, title: str) -> QAction:
    return next(one for one in menu.actions() if one.text() == title)


def test_menus_reorder_and_go_to_the_run(compared: ComparePage, qtbot: QtBot) -> None:
    bar, overview = compared.board.bar, compared.board.overview
    menu = bar.menu_for("r0003")
    assert not entry(menu, "Make it the reference").isEnabled()
    entry(menu, "Move right").trigger()
    qtbot.waitUntil(lambda: bar.runs == ("r0004", "r0003", "r0005"))
    rows = overview.menu_for(2)
    entry(rows, "Move up").trigger()
    qtbot.waitUntil(lambda: bar.runs == ("r0004", "r0005", "r0003"))
    entry(overview.menu_for(0), "Show this run").trigger()
    assert said(compared, "go")[-1] == (("runs",), {"run": "r0004"})
    entry(bar.menu_for("r0004"), "Remove").trigger()
    qtbot.waitUntil(lambda: bar.runs == ("r0005", "r0003"))


def test_a_chip_is_dropped_where_it_shall_stand(compared: ComparePage, qtbot: QtBot) -> None:
    bar = compared.board.bar
    carried = QMimeData()
    carried.setData("application/x-medfm-run", b"r0005")
    first = bar.chips[0].geometry()
    event = QDropEvent(
        QPointF(first.left() + 2, first.center().y()),
        Qt.DropAction.MoveAction,
        carried,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    bar.dropEvent(event)
    qtbot.waitUntil(lambda: bar.runs == ("r0005", "r0003", "r0004"))
    assert bar.place_at(QPoint(bar.width(), bar.chips[-1].geometry().bottom())) == 3


def test_choosers_of_the_charts(compared: ComparePage, qtbot: QtBot) -> None:
    grid = compared.board.overview.grid
    grid.metric_field.setCurrentIndex(grid.metric_field.findData("sensitivity"))
    grid.run_field.setCurrentIndex(grid.run_field.findData("r0005"))
    qtbot.waitUntil(lambda: not grid._turn.isActive())
    titles = {place: view.chart.title for place, view in grid.views.items() if view.chart}
    assert titles["intervals"] == "Sensitivity" and titles["differences"].startswith("Sensitivity: difference")
    assert titles["confusion"] == "Confusion matrix, r0005"
    grid.metric_field.setCurrentIndex(grid.metric_field.findData("brier"))
    assert grid.views["differences"].isHidden(), "there is no paired test of it"
    large = compared.board.large
    large.list.setCurrentRow(3)
    assert large.view.chart is None, "nobody looks at it"
    compared.board.tabs.setCurrentWidget(compared.board._large)
    assert large.view.chart is large._drawings[3].chart


def chosen(chooser: RunChooser) -> tuple[str, ...]:
    return chooser.model.chosen


def test_the_chooser_ticks_by_key_and_judges_by_the_first(compared: ComparePage, qtbot: QtBot) -> None:
    chooser = chooser_of(compared)
    qtbot.waitUntil(lambda: chooser.model.rowCount() == 8)
    assert chosen(chooser) == RUNS
    rows = {chooser.model.candidate(row).run: row for row in range(8)}  # type: ignore[union-attr]
    assert not chooser.model.flags(chooser.model.index(rows["r0001"], 0)) & Qt.ItemFlag.ItemIsEnabled
    chooser.table.setCurrentIndex(chooser._rows.index(rows["r0006"], 0))
    cast(Any, qtbot).keyClick(chooser.table, Qt.Key.Key_Return)
    assert chosen(chooser) == (*RUNS, "r0006")
    chooser.model.tick("r0003", False)
    assert asked(compared, asks.ListCandidates)[-1].reference == "r0004"
    chooser.search.setText("vmamba")
    assert chooser._rows.rowCount() == 1
    chooser.compare.click()
    qtbot.waitUntil(lambda: compared.board.bar.runs == ("r0004", "r0005", "r0006"))


def test_a_sealed_test_is_opened_for_a_reason(compared: ComparePage, qtbot: QtBot) -> None:
    chooser = chooser_of(compared)
    qtbot.waitUntil(lambda: chooser.model.rowCount() == 8)
    assert not chooser.seal.isEnabled()
    chooser.table.selectRow(0)
    assert chooser.sealed() == ("r0008",) and chooser.seal.isEnabled()
    chooser.seal.click()
    dialog = chooser.findChild(SealDialog)
    assert dialog is not None and not dialog.act.isEnabled()
    dialog.reason.setPlainText("Final evaluation, protocol 1.2")
    dialog.act.click()
    assert asked(compared, OpenTest) == [OpenTest(("r0008",), "Final evaluation, protocol 1.2")]
    assert chooser.work.isVisible()
    qtbot.waitUntil(lambda: not chooser.work.isVisible())
    desk(compared).answers[OpenTest] = lambda ask: boom(ask)
    chooser.open_test(("r0008",), "again")
    qtbot.waitUntil(chooser.notice.isVisible)
    chooser.reject()


def test_nothing_is_opened_read_only(show: Open, qtbot: QtBot) -> None:
    chooser = chooser_of(show(is_read_only=True))
    qtbot.waitUntil(lambda: chooser.model.rowCount() == 8)
    chooser.table.selectRow(0)
    assert not chooser.seal.isEnabled() and "reading only" in chooser.seal.toolTip()
    chooser.reject()


def test_the_usual_choice_is_of_one_test() -> None:
    assert usual_choice(candidates()) == tuple(sorted(sample.RUNS))
    assert usual_choice(candidates()[-1:]) == ()


def test_answers_that_come_after_another_choice_are_dropped(show: Open, qtbot: QtBot) -> None:
    page = show()
    page.visit(runs=("r0003", "r0004"))
    page.visit(runs=("r0005", "r0006"))
    qtbot.waitUntil(lambda: page.board.bar.runs == ("r0005", "r0006"))
    of = {(pair.a, pair.b) for pair in page.board.tests.model._pairs if not pair.b.startswith("baseline-")}
    assert of == {("r0006", "r0005")}

    def refuse(ask: Any) -> Any:
        raise InputError("A chart is damaged.", "Compare again.")

    desk(page).answers[asks.ReadDrawings] = refuse
    page.refresh()
    qtbot.waitUntil(page.board.notice.isVisible)
    assert page.state.state == "content"


def test_sealed_runs_show_their_ladder_by_validation(show: Open, qtbot: QtBot) -> None:
    sealed = candidates()[-1:]
    two = {asks.ListCandidates: lambda ask: asks.CandidateList("", (*sealed, replace(sealed[0], run="r0009")))}
    page = show(two, "empty")
    qtbot.waitUntil(lambda: page.sealed.isVisible() and page.sealed.part.view.chart is not None)
    assert asked(page, asks.ReadLadder) == [asks.ReadLadder(("r0009",))]
    assert not page.sealed.part.scope.isVisible()
    page.visit(runs=RUNS)
    page.context.desk.answers[asks.ListCandidates] = ANSWERS[asks.ListCandidates]  # type: ignore[attr-defined]
    page.refresh()
    qtbot.waitUntil(lambda: page.state.state == "content")
    assert page.sealed.isHidden()

"""The switch of the paired tests: every run against every other, asked when it is turned, exploratory, kept nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import compare as asks
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import DiskFull, InputError
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.pages.compare import every_pair, sample
from medfm_gui.ui.pages.compare.page import ComparePage
from medfm_gui.ui.pages.compare.pairs import PAIR_COLUMNS, TOGETHER, PairTable
from medfm_gui.ui.pages.compare.sample import ANSWERS, all_pairs, side_by_side
from medfm_gui.ui.pages.compare.tabs import TestsTab
from medfm_gui.ui.sample import WAITS, Answers, SampleDesk, sample_context

RUNS = ("r0003", "r0004", "r0005")
Open = Callable[..., ComparePage]


@pytest.fixture
def show(qtbot: QtBot) -> Open:
    def show(changes: Answers | None = None, runs: tuple[str, ...] = RUNS) -> ComparePage:
        page = ComparePage(sample_context({**ANSWERS, **(changes or {})}))
        qtbot.addWidget(page)
        page.resize(1080, 770)
        page.show()
        page.visit(runs=runs)
        qtbot.waitUntil(lambda: page.board.bar.runs == runs)
        page.board.tabs.setCurrentIndex(1)
        qtbot.waitUntil(lambda: page.board.tests.pane.state == "content" and page.board.tests.isVisible())
        return page

    return show


def desk(page: ComparePage) -> SampleDesk:
    return cast(SampleDesk, page.context.desk)


def asked(page: ComparePage, kind: type) -> list[Any]:
    return [ask for ask in desk(page).asked if isinstance(ask, kind)]


def words(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def turned(page: ComparePage, qtbot: QtBot, state: str = "content") -> TestsTab:
    tests = page.board.tests
    tests.switch.setChecked(True)
    qtbot.waitUntil(lambda: cast(Any, tests.every.pane).state == state)
    return tests


def test_turning_the_switch_asks_for_every_pair_and_says_that_it_is_exploratory(show: Open, qtbot: QtBot) -> None:
    page = show()
    tests = page.board.tests
    assert not asked(page, asks.ReadAllPairs) and tests._every.made is None, "nothing is computed that nobody wants"
    assert tests.against.isVisible() and tests.switch.accessibleName() == "All pairs (exploratory)"
    tests.switch.setFocus()
    QTest.keyClick(tests.switch, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: tests.every.model.rowCount() == 3)
    assert not tests.against.isVisible() and tests.every.isVisible()
    assert "Exploratory: no question named these 3 pairs beforehand" in words(tests)
    assert "hold together" in words(tests) and "unadjusted" not in words(tests.every)
    model = tests.every.model
    ModelTester(None).check(model)  # type: ignore[no-untyped-call]
    names = [(model.index(row, 0).data().partition(" ")[0], model.index(row, 1).data()) for row in range(3)]
    assert names == [("r0004", "r0003"), ("r0005", "r0003"), ("r0005", "r0004")]
    assert model.index(0, TOGETHER).data() == "−0.007 to +0.065"
    assert "Simultaneous 95 % interval: max-t" in model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert tests.every.table.accessibleName() == "Every pair of runs, exploratory"


def test_it_is_remembered_while_the_comparison_stays(show: Open, qtbot: QtBot) -> None:
    page = show()
    tests = turned(page, qtbot)
    tests.switch.setChecked(False)
    tests.switch.setChecked(True)
    page.refresh()
    qtbot.waitUntil(lambda: len(asked(page, asks.ReadSideBySide)) > 1)
    qtbot.wait(20)
    assert tests.switch.isChecked() and len(asked(page, asks.ReadAllPairs)) == 1
    page.set_runs(("r0004", "r0003", "r0005"))
    qtbot.waitUntil(lambda: page.board.bar.runs[0] == "r0004")
    qtbot.waitUntil(lambda: not tests.switch.isChecked())
    assert tests.against.isVisible() and len(asked(page, asks.ReadAllPairs)) == 1


def test_other_numbers_of_the_same_runs_are_computed_again(show: Open, qtbot: QtBot) -> None:
    page = show()
    turned(page, qtbot)
    found = side_by_side(RUNS)
    worse = (replace(found.evaluations[0], value=0.5), *found.evaluations[1:])
    desk(page).answers[asks.ReadSideBySide] = lambda ask: replace(found, evaluations=worse)
    page.refresh()
    qtbot.waitUntil(lambda: len(asked(page, asks.ReadAllPairs)) == 2)


def test_two_runs_have_no_other_pair(show: Open) -> None:
    tests = show(runs=("r0003", "r0004")).board.tests
    assert tests.switch.isHidden() and tests.against.isVisible()
    assert tests.table.isColumnHidden(TOGETHER), "a single comparison needs no adjustment"
    assert "unadjusted" not in tests.head.text().partition("Below them")[0]


def test_progress_is_told_and_it_can_be_stopped(show: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled: list[str] = []
    monkeypatch.setattr(Ticket, "cancel", lambda self: cancelled.append("yes"))
    page = show({asks.ReadAllPairs: lambda ask: WAITS})
    tests = turned(page, qtbot, "busy")
    tests.every._look._progress(Progress("Drawing patients again for all pairs", 500, 2000, 12.0))
    assert "Drawing patients again" in words(tests) and tests.switch.isVisible()
    cancelled.clear()
    tests.every._look._stop()
    assert cancelled and tests.every.pane.state == "error" and "cancelled" in words(tests)


def test_an_error_is_read_in_place_and_tried_again(show: Open, qtbot: QtBot) -> None:
    def refuse(ask: Any) -> Any:
        raise InputError("A predictions file is damaged.", "Let the run predict again.")

    page = show({asks.ReadAllPairs: refuse})
    tests = turned(page, qtbot, "error")
    assert "A predictions file is damaged." in words(tests)
    desk(page).answers[asks.ReadAllPairs] = ANSWERS[asks.ReadAllPairs]
    tests.every._look.again()
    qtbot.waitUntil(lambda: tests.every.model.rowCount() == 3)


def test_all_pairs_leave_as_a_file(show: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    def choose(window: QWidget, title: str, name: str, *_: str) -> str:
        names.append(name)
        return "/out/all.csv"

    monkeypatch.setattr(every_pair, "ask_path", choose)
    page = show()
    tests = turned(page, qtbot)
    tests.every.export.click()
    qtbot.waitUntil(lambda: bool(asked(page, asks.ExportAllPairs)))
    assert asked(page, asks.ExportAllPairs)[0] == asks.ExportAllPairs(RUNS, "/out/all.csv")
    assert names == ["all-pairs-exploratory.csv"]

    def full(ask: Any) -> Any:
        raise DiskFull("The disk is full.", "Make room.")

    desk(page).answers[asks.ExportAllPairs] = full
    tests.every.write()
    qtbot.waitUntil(tests.every.notice.isVisible)
    assert "The disk is full." in words(tests)
    monkeypatch.setattr(every_pair, "ask_path", lambda *_: "")
    tests.every.write()
    assert len(asked(page, asks.ExportAllPairs)) == 2


def test_tests_of_an_earlier_version_say_that_they_are_unadjusted(show: Open) -> None:
    def older(ask: Any) -> asks.SideBySide:
        found = side_by_side(ask.runs)
        bare = tuple(
            replace(pair, low_simultaneous=None, high_simultaneous=None, simultaneous_method="") for pair in found.pairs
        )
        return replace(found, pairs=bare)

    tests = show({asks.ReadSideBySide: older}).board.tests
    assert "Intervals are unadjusted for multiplicity." in tests.head.text()
    assert tests.table.isColumnHidden(TOGETHER)
    assert "interval, unadjusted" in tests.model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)


def test_435_pairs_are_a_table_that_draws_what_is_seen(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = {f"r{place:04d}": (f"Model {place}", "DINOv2", 0.7 + place / 100) for place in range(30)}
    monkeypatch.setattr(sample, "RUNS", runs)
    model = PairTable()
    model.fill_all(side_by_side(tuple(runs)).sides, all_pairs(tuple(runs)).pairs)
    assert model.rowCount() == 435 and model.columnCount() == len(PAIR_COLUMNS)
    table = every_pair.pair_view("pairs", model)
    qtbot.addWidget(table)
    table.resize(1000, 600)
    seen: set[int] = set()
    plain = model.data

    def data(index: Any, role: int = 0) -> Any:
        seen.add(index.row())
        return plain(index, role)

    monkeypatch.setattr(model, "data", data)
    table.show()
    qtbot.waitUntil(lambda: bool(seen))
    table.grab()
    assert len(seen) < 40


def test_a_wide_window_gives_names_and_bars_more_room_until_a_width_is_set(qtbot: QtBot) -> None:
    model = PairTable()
    model.fill_all(side_by_side(RUNS).sides, all_pairs(RUNS).pairs)
    table = every_pair.pair_view("pairs", model)
    qtbot.addWidget(table)
    table.resize(1000, 300)
    table.show()
    narrow = [table.columnWidth(at) for at in range(len(PAIR_COLUMNS))]
    table.resize(1700, 300)
    wide = [table.columnWidth(at) for at in range(len(PAIR_COLUMNS))]
    assert all(wide[at] > narrow[at] for at in (0, 1, 3)) and wide[2] == narrow[2]
    table.setColumnWidth(3, 500)
    table.resize(1000, 300)
    assert table.columnWidth(3) == 500

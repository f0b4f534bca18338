"""The compare page on sample answers: its states, what each button asks, order, keys, and text that would be markup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QMenu, QTableView
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import compare as asks
from medfm_gui.desk.asks.compare_cases import ClassSets, ReadClassSets
from medfm_gui.desk.asks.runs import OpenTest
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.errors import DatabaseBusy, DiskFull, InputError
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.pages.compare import exporting, sample
from medfm_gui.ui.pages.compare.candidates import CandidateTable, usual_choice
from medfm_gui.ui.pages.compare.charts import slots_of
from medfm_gui.ui.pages.compare.chooser import RunChooser
from medfm_gui.ui.pages.compare.model import ClassTable, MetricTable, scale
from medfm_gui.ui.pages.compare.page import ComparePage
from medfm_gui.ui.pages.compare.pairs import PairTable
from medfm_gui.ui.pages.compare.sample import ANSWERS, candidates, drawings, number, several_classes, side_by_side
from medfm_gui.ui.pages.runs.seal import SealDialog
from medfm_gui.ui.sample import WAITS, Answers, SampleDesk, sample_context
from medfm_gui.workspace.class_sets import COVERAGE, SIZE, SetsOnTest

HOSTILE = "<img src='/etc/passwd'>&b\n\u202e" + "x" * 10_000
RUNS = ("r0003", "r0004", "r0005")
Open = Callable[..., ComparePage]


@pytest.fixture
def show(qtbot: QtBot) -> Open:
    """Opens the page and waits until it shows what it was answered."""

    def show(changes: Answers | None = None, state: str = "content", **context: Any) -> ComparePage:
        page = ComparePage(sample_context({**ANSWERS, **(changes or {})}, **context))
        qtbot.addWidget(page)
        page.resize(1080, 770)
        page.show()
        qtbot.waitUntil(lambda: page.state.state == state)
        return page

    return show


@pytest.fixture
def compared(show: Open, qtbot: QtBot) -> ComparePage:
    """The page with three runs and their charts."""
    page = show()
    page.visit(runs=RUNS)
    qtbot.waitUntil(lambda: page.board.bar.runs == RUNS and page.board.large.list.count() > 0)
    qtbot.waitUntil(lambda: not page.board.overview.grid._turn.isActive())
    return page


def desk(page: ComparePage) -> SampleDesk:
    return cast(SampleDesk, page.context.desk)


def asked(page: ComparePage, kind: type) -> list[Any]:
    return [ask for ask in desk(page).asked if isinstance(ask, kind)]


def said(page: ComparePage, what: str) -> list[Any]:
    return [values for kind, values in desk(page).said if kind == what]  # type: ignore[attr-defined]


def boom(ask: Any) -> Any:
    raise DatabaseBusy("The database is in use.", "Wait a moment.")


def words(page: ComparePage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


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


def test_an_error_is_read_in_place_and_tried_again(show: Open, qtbot: QtBot) -> None:
    page = show({asks.ListCandidates: boom}, "error")
    assert "The database is in use." in words(page)
    desk(page).answers[asks.ListCandidates] = ANSWERS[asks.ListCandidates]
    next(one for one in page.findChildren(QAbstractButton) if one.text() == "Try again" and one.isVisible()).click()
    qtbot.waitUntil(lambda: page.state.state == "content")
    desk(page).answers[asks.ReadSideBySide] = boom
    page.refresh()
    qtbot.waitUntil(lambda: page.state.state == "error")


def test_one_run_shows_its_numbers_and_asks_for_others(show: Open, qtbot: QtBot) -> None:
    page = show({asks.ListCandidates: lambda ask: asks.CandidateList(ask.reference, candidates()[1:2])})
    assert page.board.overview.model.rowCount() == 1 and page.board.tests.pane.state == "empty"
    assert not asked(page, asks.CompareRuns)
    qtbot.waitUntil(lambda: page.board.overview.grid.views["roc"].chart is not None)


def test_runs_that_were_never_compared_are(show: Open, qtbot: QtBot) -> None:
    page = show({asks.ReadSideBySide: lambda ask: side_by_side(ask.runs, is_compared=False)})
    qtbot.waitUntil(lambda: page.board.tests.model.rowCount() > 0)
    assert asked(page, asks.CompareRuns)[-1].runs == page.board.bar.runs
    assert page.board.tests.pane.state == "content" and page.board.overview.sentence.text()


def test_a_comparison_shows_progress_and_can_be_stopped(
    show: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled: list[str] = []
    monkeypatch.setattr(Ticket, "cancel", lambda self: cancelled.append("yes"))
    page = show(
        {
            asks.ReadSideBySide: lambda ask: side_by_side(ask.runs, is_compared=False),
            asks.CompareRuns: lambda ask: WAITS,
        }
    )
    pane = cast(Any, page.board.tests.pane)
    assert pane.state == "busy" and "Comparing" in page.board.overview.sentence.text()
    page.results._progress(Progress("Comparing r0004 with r0003", 1, 3, 12.0))
    page.board.tabs.setCurrentIndex(1)
    assert "Comparing r0004 with r0003" in words(page)
    page.results.stop()
    assert cancelled and pane.state == "empty" and "was stopped" in words(page)
    desk(page).answers[asks.CompareRuns] = boom
    page.results.compute()
    qtbot.waitUntil(lambda: pane.state == "error")


def test_read_only_shows_what_is_stored(show: Open) -> None:
    page = show({asks.ReadSideBySide: lambda ask: side_by_side(ask.runs, is_compared=False)}, is_read_only=True)
    assert page.board.tests.pane.state == "empty" and not asked(page, asks.CompareRuns)
    assert page.board.overview.model.rowCount() == len(sample.RUNS)


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


def test_report_and_exports(compared: ComparePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = iter(("/out/roc.svg", "/out/roc.png", "/out/n.csv", "", "/out/full.csv"))
    monkeypatch.setattr(exporting, "ask_path", lambda *_: next(paths))
    compared.board.report.click()
    assert said(compared, "go")[-1] == (("reports",), {"runs": RUNS})
    view = compared.board.overview.grid.views["roc"]
    view.export_wanted.emit("svg", "roc.svg")
    view.export_wanted.emit("png", "roc.png")
    compared.board.csv.click()
    compared.board.csv.click()
    vector, picture = asked(compared, asks.ExportDrawing)
    assert (vector.key, vector.format, vector.path, vector.payload) == ("roc", "svg", "/out/roc.svg", b"")
    assert picture.payload.startswith(b"\x89PNG") and picture.runs == RUNS
    assert [ask.path for ask in asked(compared, asks.ExportNumbers)] == ["/out/n.csv"]
    qtbot.waitUntil(lambda: len(said(compared, "say")) == 3)

    def full(ask: Any) -> Any:
        raise DiskFull("The disk is full.", "Free some space.")

    desk(compared).answers[asks.ExportNumbers] = full
    compared.export_numbers()
    qtbot.waitUntil(compared.board.notice.isVisible)
    assert compared.board.notice.message.text() == "The disk is full."


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


def test_a_run_keeps_its_colour_in_every_chart() -> None:
    sides = side_by_side(RUNS).sides
    found = {one.key: slots_of(one.chart, sides) for one in drawings(RUNS)}
    assert set(found["roc"].values()) == {0, 1, 2} and set(found["differences:auc"].values()) == {1, 2}


def test_the_models_keep_qts_rules(qtmodeltester: ModelTester) -> None:
    metrics, pairs, classes, runs = MetricTable(), PairTable(), ClassTable(), CandidateTable()
    metrics.fill(side_by_side(RUNS))
    pairs.fill(side_by_side(RUNS))
    classes.fill(several_classes(RUNS), "auc")
    runs.fill(candidates("r0003"))
    for model in (metrics, pairs, classes, runs):
        cast(Any, qtmodeltester).check(model)
    assert metrics.data(metrics.index(0, 1)) == "0.873 (0.843–0.900)"
    assert metrics.headerData(3, Qt.Orientation.Horizontal) == "Brier score ↓"
    assert pairs.data(pairs.index(0, 4)) == "0.018" and classes.data(classes.index(3, 1)) == "53"


def test_a_number_that_cannot_be_estimated_has_no_bar(show: Open, qtbot: QtBot) -> None:
    lacking = replace(number("r0003", "auc", 0.5), value=None, low=None, high=None, note="one class only")
    found = replace(side_by_side(("r0003",)), evaluations=(lacking,))
    model = MetricTable()
    model.fill(found)
    assert model.data(model.index(0, 1)) == "not estimable"
    assert "one class only" in model.data(model.index(0, 1), Qt.ItemDataRole.ToolTipRole)
    assert scale("auc", [lacking]) == (0.0, 1.0)


def test_failures_can_be_counted_as_wrong(show: Open, qtbot: QtBot) -> None:
    def failing(ask: Any) -> asks.SideBySide:
        found = side_by_side(ask.runs)
        worse = replace(number("r0003", "auc", 0.8), parameters={"failures": "as errors"})
        wrong = replace(found.pairs[0], difference=0.01, parameters={"failures": "as errors"})
        return replace(found, evaluations=(*found.evaluations, worse), pairs=(*found.pairs, wrong))

    page = show({asks.ReadSideBySide: failing})
    page.visit(runs=RUNS)
    qtbot.waitUntil(lambda: page.board.bar.runs == RUNS)
    overview = page.board.overview
    assert overview.errors.isVisible()
    assert overview.model.data(overview.model.index(0, 1)).startswith("0.873")
    overview.errors.setCurrentIndex(1)
    assert overview.model.data(overview.model.index(0, 1)).startswith("0.800")
    tests = page.board.tests.model
    said = [str(tests.data(tests.index(row, 2))) for row in range(tests.rowCount())]
    assert said[:4] == ["ROC-AUC", "ROC-AUC", "ROC-AUC, failures as errors", "Sensitivity"]


def test_numbers_by_class(show: Open) -> None:
    page = show({asks.ReadSideBySide: lambda ask: several_classes(ask.runs)})
    classes = page.board.classes
    assert classes.pane.state == "content" and classes.model.rowCount() == 4
    plain = show()
    assert plain.board.classes.pane.state == "empty"


def test_coverage_of_class_sets_is_a_number_by_class_with_its_promise(show: Open, qtbot: QtBot) -> None:
    def cover(ask: ReadClassSets) -> ClassSets:
        found = several_classes(ask.runs)
        rows = tuple(
            replace(number(ask.runs[0], COVERAGE, 0.9 - 0.02 * place, label), n_events=20)
            for place, label in enumerate(found.classes)
        )
        size = replace(rows[0], metric=SIZE, value=1.32, low=None, high=None, label="")
        had = SetsOnTest(ask.runs[0], 0.9, "90 % of each class: holds on average.", (*rows, size))
        none = tuple(SetsOnTest(run, 0.9, "No set: 3 calibration units.", ()) for run in ask.runs[1:])
        return ClassSets(is_on=True, sets=(had, *none))

    page = show({asks.ReadSideBySide: lambda ask: several_classes(ask.runs), ReadClassSets: cover})
    classes = page.board.classes
    qtbot.waitUntil(lambda: classes.metric_field.findData(COVERAGE) >= 0)
    assert not classes.note.isVisibleTo(classes), "another metric is shown"
    classes.metric_field.setCurrentIndex(classes.metric_field.findData(COVERAGE))
    assert classes.model.rowCount() == 4
    assert classes.model.data(classes.model.index(0, 2)).startswith("0.900 (")
    assert "1.32" in classes.note.text() and "holds on average" in classes.note.text()
    assert "No set: 3 calibration units." in classes.note.text()
    plain = show({asks.ReadSideBySide: lambda ask: several_classes(ask.runs)})
    qtbot.waitUntil(lambda: bool(asked(plain, ReadClassSets)) or plain.board.classes.model.rowCount() > 0)
    assert plain.board.classes.metric_field.findData(COVERAGE) < 0, "off by default"


def chooser_of(page: ComparePage) -> RunChooser:
    page.choose()
    found = page.findChild(RunChooser)
    assert found is not None
    return found


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


def test_no_name_becomes_markup_or_breaks_the_page(show: Open, qtbot: QtBot) -> None:
    def hostile(ask: Any) -> asks.SideBySide:
        found = several_classes(ask.runs)
        sides = tuple(replace(side, title=HOSTILE, family=HOSTILE) for side in found.sides)
        rows = tuple(replace(row, label=row.label and HOSTILE, note=HOSTILE) for row in found.evaluations)
        pairs = tuple(replace(pair, note=HOSTILE, test=HOSTILE) for pair in found.pairs)
        return replace(
            found, sides=sides, evaluations=rows, pairs=pairs, dataset=HOSTILE, positive=HOSTILE, sentence=HOSTILE
        )

    page = show(
        {
            asks.ReadSideBySide: hostile,
            asks.ListCandidates: lambda ask: asks.CandidateList(
                ask.reference, tuple(replace(one, title=HOSTILE, dataset=HOSTILE) for one in candidates())
            ),
        }
    )
    for place in range(page.board.tabs.count()):
        page.board.tabs.setCurrentIndex(place)
        page.grab()
    assert page.width() == 1080
    for label in page.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText
    role = Qt.ItemDataRole.ToolTipRole
    for view in page.findChildren(QTableView):
        model = view.model()
        tips = [model.index(row, at).data(role) for row in range(model.rowCount()) for at in range(model.columnCount())]
        assert all("<img" not in tip for tip in tips if tip)
    chooser = chooser_of(page)
    qtbot.waitUntil(lambda: chooser.model.rowCount() == 8)
    chooser.grab()
    chooser.reject()


def test_everything_has_a_name(compared: ComparePage) -> None:
    for kind in (QAbstractButton, QComboBox, QTableView):
        for control in compared.findChildren(kind):
            named = control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
            assert named or not control.isVisible(), control


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


def test_the_ladder_is_drawn_against_what_is_chosen(
    compared: ComparePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "ask_path", lambda *_: "/out/labels.svg")
    tab = compared.board.ladder

    def shown() -> ChartSpec:
        assert tab.view.chart is not None
        return tab.view.chart

    assert tab.view.isHidden() or tab.view.chart is None, "nobody looks at it"
    compared.board.tabs.setCurrentWidget(compared.board._ladder)
    assert shown().x_label == "trained parameters" and tab.scope.isVisible()
    assert [series.name.partition(" ")[0] for series in shown().series] == list(RUNS)
    tab.axis.setCurrentIndex(tab.axis.findText("Minutes of training"))
    assert shown().x_label == "minutes of training"
    tab.scope.setCurrentIndex(1)
    assert shown().x_label == "minutes of training", "the axis stays"
    assert "Validation numbers" in shown().note
    tab.axis.setCurrentIndex(tab.axis.findText("Labels, few-shot curves"))
    assert shown().series[0].spread_low
    with qtbot.waitSignal(tab.export_wanted) as asked_for:
        tab.view.export_wanted.emit("svg", "labels.svg")
    assert asked_for.args is not None and asked_for.args[0] == "ladder-of-all:label-efficiency"
    assert asked(compared, asks.ExportDrawing)[-1].key == "ladder-of-all:label-efficiency"


def test_one_run_alone_has_no_ladder(show: Open, qtbot: QtBot) -> None:
    nothing = {asks.ReadDrawings: lambda ask: asks.DrawingList(ask.runs, ())}
    page = show(nothing)
    page.visit(runs=RUNS[:1])
    qtbot.waitUntil(lambda: page.board.bar.runs == RUNS[:1])
    assert page.board.ladder.pane.state == "empty"


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

"""The page on sample answers: numbers, tests, charts, errors, names from outside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QTableView
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import compare as asks
from medfm_gui.desk.asks.compare_cases import ClassSets, ReadClassSets
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.errors import DiskFull
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.pages.compare import exporting, sample, wording
from medfm_gui.ui.pages.compare.candidates import CandidateTable
from medfm_gui.ui.pages.compare.charts import slots_of
from medfm_gui.ui.pages.compare.model import ClassTable, MetricTable, scale
from medfm_gui.ui.pages.compare.page import ComparePage
from medfm_gui.ui.pages.compare.pairs import PairTable
from medfm_gui.ui.pages.compare.sample import ANSWERS, candidates, drawings, number, several_classes, side_by_side
from medfm_gui.ui.sample import WAITS
from medfm_gui.workspace.class_sets import COVERAGE, SIZE, SetsOnTest
from tests.fixtures.gui_compare import HOSTILE, RUNS, Open, asked, boom, chooser_of, desk, said, words


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


def test_runs_that_scored_fewer_images_are_named() -> None:
    found = side_by_side(("r0003", "r0007"))
    assert wording.fewer_line(found) == ""
    some = tuple(replace(row, n=80) if row.run == "r0007" else row for row in found.evaluations)
    said = wording.fewer_line(replace(found, evaluations=some))
    assert said.startswith("Of fewer ") and "r0007 (80 of 492)" in said and "r0003" not in said


def test_patients_that_are_not_known_are_said_to_be() -> None:
    found = side_by_side(("r0003",))
    rows = tuple(replace(row, unit="image", n_patients=None) for row in found.evaluations)
    assert "patients not recorded" in wording.test_line(replace(found, evaluations=rows))
    assert "not recorded" not in wording.test_line(found)

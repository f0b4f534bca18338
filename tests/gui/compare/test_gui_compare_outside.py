"""Cheap models, readers, imports, other data and events on the compare page, on sample answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import compare as plain
from medfm_gui.desk.asks import compare_cases as cases
from medfm_gui.desk.asks import compare_outside as asks
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import InputError
from medfm_gui.ui.advice import window_words
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.charts.interval_cell import INTERVAL_ROLE
from medfm_gui.ui.pages.compare import exporting
from medfm_gui.ui.pages.compare.bring_in import BringIn
from medfm_gui.ui.pages.compare.model import NO_RUN, RUN_ROLE
from medfm_gui.ui.pages.compare.page import ComparePage
from medfm_gui.ui.pages.compare.sample import ANSWERS, number, several_classes, side_by_side
from medfm_gui.ui.pages.compare.site_dialog import SiteDialog
from medfm_gui.ui.sample import WAITS, Answers, SampleDesk, sample_context
from medfm_gui.workspace.sites import KeptTests
from medfm_gui.workspace.subgrouping import Interaction

RUNS = ("r0003", "r0004", "r0005")
HOSTILE = "<img src='/etc/passwd'>&b\n\u202e" + "x" * 10_000
Open = Callable[..., ComparePage]


@pytest.fixture
def show(qtbot: QtBot) -> Open:
    def show(changes: Answers | None = None, runs: tuple[str, ...] = RUNS, **context: Any) -> ComparePage:
        page = ComparePage(sample_context({**ANSWERS, **(changes or {})}, **context))
        qtbot.addWidget(page)
        page.resize(1200, 760)
        page.show()
        page.visit(runs=runs)
        qtbot.waitUntil(lambda: page.board.bar.runs == runs)
        return page

    return show


def desk(page: ComparePage) -> SampleDesk:
    return cast(SampleDesk, page.context.desk)


def asked(page: ComparePage, kind: type) -> list[Any]:
    return [ask for ask in desk(page).asked if isinstance(ask, kind)]


def look_at(page: ComparePage, name: str) -> None:
    tabs = page.board.tabs
    tabs.setCurrentIndex(next(at for at in range(tabs.count()) if tabs.tabText(at) == name))


def words(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def test_two_hollow_rows_and_the_sentence(show: Open, qtbot: QtBot) -> None:
    page = show()
    overview = page.board.overview
    qtbot.waitUntil(lambda: overview.model.rowCount() == 5)
    ModelTester(None).check(overview.model)  # type: ignore[no-untyped-call]
    cheap = overview.model.index(3, 0)
    assert cheap.data() == "Cheap model: covariates alone"
    mark = cheap.data(RUN_ROLE)
    assert mark.hollow and mark.slot == NO_RUN
    bar = overview.model.index(3, 1).data(INTERVAL_ROLE)
    assert bar.hollow and bar.text == "0.688 (0.648–0.728)"
    assert overview.model.index(3, 5).data() == "–", "a cheap model has no threshold"
    assert overview.model.side(3) is None and "learned from" in cheap.data(Qt.ItemDataRole.ToolTipRole)
    assert "r0005" in overview.cheap.notice.message.text() and overview.cheap.notice.isVisible()
    assert "32 × 32" in overview.cheap.about.text()
    tests = page.board.tests
    minus = [tests.model.index(row, 1).data() for row in range(tests.model.rowCount())]
    assert minus.count("covariates alone") == minus.count("32-pixel thumbnails") == 3
    assert "not shown to beat" in tests.text.toPlainText()
    menu = overview.menu_for(2)
    assert not menu.actions()[2].isEnabled(), "below the last run stands a cheap model"
    menu.close()


def test_cheap_models_show_progress_stop_and_start_again(
    show: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled: list[str] = []
    monkeypatch.setattr(Ticket, "cancel", lambda self: cancelled.append("yes"))
    page = show({asks.ReadBaselines: lambda ask: WAITS})
    line = page.board.overview.cheap
    qtbot.waitUntil(lambda: line.work.isVisible())
    line.progress(Progress("A model on covariates alone", 0, 2))
    assert "A model on covariates alone" in words(line)
    page.results._stop_cheap()
    assert cancelled and "were not made" in line.notice.message.text() and page.board.overview.model.rowCount() == 3
    before = len(asked(page, asks.ReadBaselines))
    page.refresh()
    qtbot.waitUntil(lambda: len(asked(page, plain.ReadSideBySide)) > 1)
    qtbot.waitUntil(lambda: not page.results._reading.is_waiting)
    assert len(asked(page, asks.ReadBaselines)) == before, "what was stopped stays stopped"
    desk(page).answers[asks.ReadBaselines] = ANSWERS[asks.ReadBaselines]
    line.notice.buttons[0].click()
    qtbot.waitUntil(lambda: page.board.overview.model.rowCount() == 5)


def test_many_runs_are_summed_up_and_all_that_beat_them_too(show: Open, qtbot: QtBot) -> None:
    plainly = ANSWERS[asks.ReadBaselines]

    def many(ask: Any) -> Any:
        found = plainly(ask)
        return replace(
            found, file=replace(found.file, sentences=("a", "b", "c")),
            unbeaten=tuple((run, "baseline-thumbnails") for run in RUNS),
        )  # fmt: skip

    page = show({asks.ReadBaselines: many})
    notice = page.board.overview.cheap.notice
    qtbot.waitUntil(notice.isVisible)
    assert notice.message.text().startswith("r0003, r0004, r0005 are not shown to beat a model on 32-pixel thumbnails.")

    def none(ask: Any) -> Any:
        found = plainly(ask)
        return replace(found, file=replace(found.file, sentences=()), unbeaten=())

    other = show({asks.ReadBaselines: none})
    about = other.board.overview.cheap.about
    qtbot.waitUntil(lambda: about.text().startswith("Every run is shown to beat both cheap models."))
    assert not other.board.overview.cheap.notice.isVisible()


def test_what_the_gate_flagged_has_a_column_and_a_line(show: Open, qtbot: QtBot) -> None:
    def flagged(ask: Any) -> plain.SideBySide:
        rows = tuple(replace(number(run, "auc", 0.8), n=480, subset="test without flagged images") for run in ask.runs)
        return replace(side_by_side(ask.runs), flagged=12, without_flagged=rows)

    page = show({plain.ReadSideBySide: flagged})
    overview = page.board.overview
    assert overview.model.headerData(2, Qt.Orientation.Horizontal) == "ROC-AUC without flagged"
    assert overview.model.index(0, 2).data().startswith("0.800") and overview.flagged.isVisible()
    assert "12 test images were named by the leak gate" in overview.flagged.text()
    assert "480 patients stay" in overview.flagged.text()
    qtbot.waitUntil(lambda: overview.model.rowCount() == 5)
    assert overview.model.index(4, 2).data() == "–"
    assert not show().board.overview.flagged.isVisible()


def test_cheap_models_and_readers_in_the_roc_on_a_switch(
    show: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = show()
    grid = page.board.overview.grid
    qtbot.waitUntil(lambda: grid.baselines.isVisibleTo(grid) and grid.readers.isVisibleTo(grid))
    qtbot.waitUntil(lambda: grid.views["roc"].chart is not None)
    before = grid.views["roc"].chart
    assert not asked(page, asks.ReadRocBeside), "only where it is wanted"
    grid.baselines.click()
    qtbot.waitUntil(lambda: grid.views["roc"].chart is not before)
    assert asked(page, asks.ReadRocBeside)[-1] == asks.ReadRocBeside(RUNS, True, "", "dataset")
    chart = grid.views["roc"].chart
    assert chart is not None and [one.style for one in chart.series[3:]] == ["baseline", "baseline"]
    grid.readers.click()
    qtbot.waitUntil(lambda: len(grid.views["roc"].chart.series) == 8)  # type: ignore[union-attr]
    assert asked(page, asks.ReadRocBeside)[-1].reads == "reads-0a1b"
    monkeypatch.setattr(exporting, "ask_path", lambda *about: f"/out/{about[2]}")
    grid.views["roc"].export_wanted.emit("svg", "roc.svg")
    qtbot.waitUntil(lambda: bool(asked(page, cases.WriteChart)))
    assert len(asked(page, cases.WriteChart)[-1].chart.series) == 8, "it leaves as it is seen"
    grid.baselines.click()
    grid.readers.click()
    qtbot.waitUntil(lambda: grid.views["roc"].chart == before)


def test_readers_with_their_numbers_agreement_and_cases(show: Open, qtbot: QtBot) -> None:
    page = show()
    look_at(page, "Readers")
    tab = page.board.readers
    qtbot.waitUntil(lambda: tab.model.rowCount() == 3)
    for model in (tab.model, tab.pair_model, tab.agreement_model, tab.case_model):
        ModelTester(None).check(model)  # type: ignore[no-untyped-call]
    assert [tab.model.index(0, column).data() for column in range(4)] == ["A. Kim", "492", "118", "0.760 (0.690–0.830)"]
    assert tab.pair_model.rowCount() == 9 and tab.pair_model.index(0, 2).data() == "0.890, 0.894"
    assert tab.agreement_model.index(0, 0).data() == "Fleiss' kappa of readers"
    assert tab.case_model.headerData(2, Qt.Orientation.Horizontal) == "Read as nodule by"
    assert tab.case_model.index(1, 2).data() == "A. Kim" and tab.case_model.index(1, 3).data() == "B. Rossi, C. Novak"
    assert "96 of 492 patients" in tab.count.text() and "was chosen on these" in tab.note.text()
    tab.cases.activated.emit(tab.case_model.index(2, 0))
    tab.reference.setCurrentIndex(tab.reference.findData("majority"))
    qtbot.waitUntil(lambda: asked(page, asks.ReadReaders)[-1] == asks.ReadReaders("reads-0a1b", RUNS, "majority"))
    tab.reference.setCurrentIndex(tab.reference.findData("B. Rossi"))
    qtbot.waitUntil(lambda: tab.model.rowCount() == 2)
    tab.cases.selectRow(3)
    tab.open_button.click()
    going = [values for kind, values in desk(page).said if kind == "go"]  # type: ignore[attr-defined]
    assert going[-1][1]["path"] == "/data/phantoms/3.png"


def test_no_readers_yet_and_other_tasks(show: Open, qtbot: QtBot) -> None:
    page = show({asks.ListReads: lambda ask: asks.ReadsList(ask.runs, ())})
    look_at(page, "Readers")
    tab = page.board.readers
    qtbot.waitUntil(lambda: tab.pane.state == "empty")
    assert "No human readers yet" in words(tab) and not page.board.overview.grid.readers.isVisibleTo(page)
    other = show({plain.ReadSideBySide: lambda ask: several_classes(ask.runs)})
    look_at(other, "Readers")
    assert "two classes" in words(other.board.readers) and not asked(other, asks.ListReads)


def test_predictions_come_in_as_a_run(show: Open, qtbot: QtBot) -> None:
    page = show(runs=RUNS[:2])
    page.board.bring_in.click()
    dialog = page.findChild(BringIn)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.split.currentData() == "chest-s2")
    assert "opened 6 times" in words(dialog) and not dialog.act.isEnabled()
    dialog.file.set_path("/data/vendor.csv")
    dialog.name.setText("Vendor A")
    assert not dialog.act.isEnabled(), "a reason is wanted"
    dialog.reason.setText("comparison with  the vendor")
    dialog.has_threshold.setChecked(True)
    dialog.threshold.setValue(0.25)
    qtbot.waitUntil(lambda: dialog.unit.count() > 1)
    offered = [str(dialog.unit.itemData(at)) for at in range(dialog.unit.count())]
    assert offered == ["image", "study", "study:max", "patient", "patient:max"], "units that the dataset tells"
    assert dialog.unit.currentData() == "patient", "as the run counts from which the dialog was opened"
    dialog.unit.setCurrentIndex(dialog.unit.findData("study:max"))

    def broken(ask: Any) -> Any:
        raise InputError(f"“{HOSTILE[:60]}” has no column.", "Name it so.")

    desk(page).answers[asks.ImportPredictions] = broken
    dialog.act.click()
    qtbot.waitUntil(dialog.notice.isVisible)
    assert "has no column" in dialog.notice.message.text() and dialog.act.isEnabled(), "what was filled in stays"
    desk(page).answers[asks.ImportPredictions] = ANSWERS[asks.ImportPredictions]
    dialog.act.click()
    qtbot.waitUntil(lambda: page.board.bar.runs == ("r0003", "r0004", "r0005"))
    ask = asked(page, asks.ImportPredictions)[-1]
    assert ask == asks.ImportPredictions(
        "/data/vendor.csv", "Vendor A", "chest", "chest-s2", "study:max", 0.25, "comparison with the vendor"
    )
    assert "without a score" in page.board.notice.message.text()


def test_reads_come_in(show: Open, qtbot: QtBot) -> None:
    page = show()
    look_at(page, "Readers")
    tab = page.board.readers
    qtbot.waitUntil(lambda: tab.model.rowCount() == 3)
    before = len(asked(page, asks.ListReads))
    tab.button.click()
    dialog = page.findChild(BringIn)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.split.currentData() == "chest-s2")
    dialog.file.set_path("/data/reads.csv")
    dialog.act.click()
    qtbot.waitUntil(lambda: bool(asked(page, asks.ImportReaders)))
    assert asked(page, asks.ImportReaders)[-1] == asks.ImportReaders("/data/reads.csv", "chest", "chest-s2")
    qtbot.waitUntil(lambda: len(asked(page, asks.ListReads)) > before)


def test_nothing_is_brought_in_where_it_is_only_read(show: Open, qtbot: QtBot) -> None:
    page = show({asks.ListExternalTests: lambda ask: KeptTests(ask.runs, (), ())}, is_read_only=True)
    assert not page.board.bring_in.isEnabled() and not page.board.readers.button.isEnabled()
    assert not page.board.sites.button.isEnabled()


def test_other_data_as_they_are_first_then_recalibrated(show: Open, qtbot: QtBot) -> None:
    page = show()
    look_at(page, "Other data")
    tab = page.board.sites
    qtbot.waitUntil(lambda: tab.model.rowCount() == 12)
    ModelTester(None).check(tab.model)  # type: ignore[no-untyped-call]
    rows = [[tab.model.index(row, column).data() for column in (1, 2, 3)] for row in range(4)]
    assert rows == [
        ["all", "as they are", "812"], ["all", "recalibrated", "812"],
        ["North", "as they are", "520"], ["North", "recalibrated", "520"],
    ]  # fmt: skip
    assert tab.model.headerData(5, Qt.Orientation.Horizontal) == "ROC-AUC"
    assert tab.model.index(1, 5).data() == "–"
    assert "order" in tab.model.index(1, 5).data(Qt.ItemDataRole.ToolTipRole)
    note = tab.note.text()
    assert "normal = no nodule" in note and "37 images" in note and "opened 2 times" in note
    assert tab.view.chart is not None and tab.view.chart.id == "external-coastal-hospitals"


def test_a_test_elsewhere_wants_a_map_and_a_reason(show: Open, qtbot: QtBot) -> None:
    page = show({asks.ListExternalTests: lambda ask: KeptTests(ask.runs, (), ())})
    look_at(page, "Other data")
    tab = page.board.sites
    qtbot.waitUntil(lambda: tab.pane.state == "empty")
    tab.ask_where()
    dialog = page.findChild(SiteDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.dataset.count() == 2)
    assert not dialog.act.isEnabled()
    dialog.dataset.setCurrentIndex(1)
    qtbot.waitUntil(lambda: len(dialog._fields) == 3)
    assert dialog.labels() == (("nodule", "nodule"),) and "external test once" in dialog.about.text()
    assert dialog._fields["nodule"].findData("") < 0, "a class of our own name is that class"
    dialog.reason.setText("external validation")
    assert not dialog.act.isEnabled(), "two of our classes are needed"
    dialog._fields["normal"].setCurrentIndex(dialog._fields["normal"].findData("no nodule"))
    dialog.by.setCurrentIndex(dialog.by.findData("hospital"))
    desk(page).answers[asks.TestOnSite] = lambda ask: asks.SiteTested((), (("r0003", "It has no model."),), 0)
    dialog.act.click()
    qtbot.waitUntil(dialog.notice.isVisible)
    assert "It has no model." in dialog.notice.message.text()
    desk(page).answers[asks.TestOnSite] = ANSWERS[asks.TestOnSite]
    desk(page).answers[asks.ListExternalTests] = ANSWERS[asks.ListExternalTests]
    dialog.act.click()
    qtbot.waitUntil(lambda: tab.model.rowCount() == 12)
    ask = asked(page, asks.TestOnSite)[-1]
    assert ask == asks.TestOnSite(
        RUNS, "coastal", "external validation", (("nodule", "nodule"), ("normal", "no nodule")), "hospital"
    )


@pytest.mark.parametrize(
    "hint",
    [
        "Name it with --name.",
        "Make one first: “medfm split chest”.",
        "Import them: “medfm import-reads FILE.csv”.",
        "Leave out --on to open its own test.",
        "Say which of their classes is which of ours: --map THEIR=OURS.",
        "Open them with --open-test REASON; the reason is kept and printed.",
        "Name another covariate with --by.",
    ],
)
def test_advice_speaks_of_the_window(hint: str) -> None:
    said = window_words(hint)
    assert "--" not in said and "medfm " not in said and said.endswith(".")


def test_one_event_of_several_is_named(show: Open, qtbot: QtBot) -> None:
    def graded(ask: Any) -> plain.SideBySide:
        return replace(several_classes(ask.runs), events=(("mild", "mild or higher"), (HOSTILE, HOSTILE)))

    page = show({plain.ReadSideBySide: graded})
    look_at(page, "Subgroups")
    tab = page.board.subgroups
    qtbot.waitUntil(lambda: tab.model.rowCount() > 0)
    assert tab.one_event.isVisible() and asked(page, cases.ReadSubgroups)[-1].event == "mild"
    tab.one_event.field.setCurrentIndex(1)
    qtbot.waitUntil(lambda: asked(page, cases.ReadSubgroups)[-1].event == HOSTILE)
    assert len(tab.one_event.field.itemText(1)) <= 160 and "\n" not in tab.one_event.field.itemText(1)
    look_at(page, "Usefulness")
    useful = page.board.usefulness
    qtbot.waitUntil(lambda: "enriched" in useful.stated.text())
    useful.prevalence.setValue(0.2)
    useful.button.click()
    qtbot.waitUntil(lambda: useful.view.isVisible())
    assert asked(page, cases.ReadUsefulness)[-1] == cases.ReadUsefulness(RUNS, 0.05, 0.4, 0.2, "mild")
    useful.one_event.field.setCurrentIndex(1)
    qtbot.waitUntil(lambda: useful.inner.state == "empty")
    assert useful.prevalence.value() == 0.0, "another event has another prevalence"
    assert not show().board.subgroups.one_event.isVisible()


def test_the_interaction_that_a_protocol_promised_is_told(show: Open, qtbot: QtBot) -> None:
    plainly = ANSWERS[cases.ReadSubgroups]
    told = (
        Interaction("r0003", "sex", ("F", "M"), 5.1, 1, 0.024, "bootstrap", 468, 112),
        Interaction("r0004", "sex", ("F",), None, None, None, "not-estimable", 240, 60, "fewer than two values"),
    )
    page = show({cases.ReadSubgroups: lambda ask: replace(plainly(ask), interactions=told)})
    look_at(page, "Subgroups")
    tab = page.board.subgroups
    qtbot.waitUntil(lambda: "p = 0.024" in tab.note.text())
    assert "r0004: no interaction test: fewer than two values." in tab.note.text()

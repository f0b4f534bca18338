"""What lies behind a comparison, on sample answers: what is asked and when, what is shown, what leaves as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import compare as asks
from medfm_gui.desk.asks import compare_cases as cases
from medfm_gui.desk.asks.data import Thumbnails
from medfm_gui.desk.asks.studies import PredictSource
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import DatabaseBusy
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.charts.interval_cell import INTERVAL_ROLE
from medfm_gui.ui.pages.compare import exporting, sample
from medfm_gui.ui.pages.compare.page import ComparePage
from medfm_gui.ui.pages.compare.sample import ANSWERS, several_classes
from medfm_gui.ui.sample import WAITS, Answers, SampleDesk, sample_context
from medfm_gui.workspace.disagreements import Kind
from medfm_gui.workspace.subgrouping import CovariateFacts

RUNS = ("r0003", "r0004", "r0005")
HOSTILE = "<img src='/etc/passwd'>&b\n\u202e" + "x" * 10_000
Open = Callable[..., ComparePage]


@pytest.fixture
def show(qtbot: QtBot) -> Open:
    def show(changes: Answers | None = None, **context: Any) -> ComparePage:
        page = ComparePage(sample_context({**ANSWERS, **(changes or {})}, **context))
        qtbot.addWidget(page)
        page.resize(1200, 760)
        page.show()
        page.visit(runs=RUNS)
        qtbot.waitUntil(lambda: page.board.bar.runs == RUNS)
        return page

    return show


def desk(page: ComparePage) -> SampleDesk:
    return cast(SampleDesk, page.context.desk)


def asked(page: ComparePage, kind: type) -> list[Any]:
    return [ask for ask in desk(page).asked if isinstance(ask, kind)]


def said(page: ComparePage, what: str) -> list[Any]:
    return [values for kind, values in desk(page).said if kind == what]  # type: ignore[attr-defined]


def look_at(page: ComparePage, name: str) -> None:
    tabs = page.board.tabs
    tabs.setCurrentIndex(next(at for at in range(tabs.count()) if tabs.tabText(at) == name))


def words(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def test_nothing_is_asked_before_somebody_looks(show: Open, qtbot: QtBot) -> None:
    page = show()
    board = page.board
    for tab in (board.subgroups, board.usefulness, board.seeds, board.disagreements, board.published):
        assert tab.pane is not None  # made, as the frame makes parts that nobody looks at
    qtbot.wait(50)
    kinds = (
        cases.ListTestCovariates,
        cases.ReadSeeds,
        cases.ReadDisagreements,
        cases.ReadReferences,
        cases.ReadSampling,
    )
    assert not any(asked(page, kind) for kind in kinds)
    look_at(page, "Seeds")
    qtbot.waitUntil(lambda: board.seeds.model.rowCount() == 3)
    look_at(page, "Overview")
    look_at(page, "Seeds")
    assert len(asked(page, cases.ReadSeeds)) == 1


def test_subgroups_of_the_covariate_that_is_chosen(show: Open, qtbot: QtBot) -> None:
    page = show()
    look_at(page, "Subgroups")
    tab = page.board.subgroups
    qtbot.waitUntil(lambda: tab.model.rowCount() == 9)
    ModelTester(None).check(tab.model)  # type: ignore[no-untyped-call]
    assert tab.view.chart is not None and tab.view.chart.id == "subgroups-manufacturer"
    at = tab.model.index(0, 4)
    assert at.data(INTERVAL_ROLE) is not None and at.data() == "0.873 (0.813–0.933)"
    small = [tab.model.index(8, column).data() for column in range(2, 7)]
    assert small == ["24", "6", "fewer than 20 of a class", "–", "–"]
    assert "no p value" in tab.note.text()
    tab.covariate.setCurrentIndex(1)
    qtbot.waitUntil(lambda: tab.view.chart is not None and tab.view.chart.id == "subgroups-sex")
    assert asked(page, cases.ReadSubgroups)[-1] == cases.ReadSubgroups(RUNS, "sex")
    assert page.context.memory.get("compare.covariate") == "sex"
    page.set_runs(RUNS[:2])
    qtbot.waitUntil(lambda: tab.model.rowCount() == 6)
    assert tab.covariate.currentData() == "sex"


def test_what_has_no_subgroups_says_so(show: Open, qtbot: QtBot) -> None:
    page = show({asks.ReadSideBySide: lambda ask: several_classes(ask.runs)})
    look_at(page, "Subgroups")
    assert page.board.subgroups.pane.state == "empty" and "No subgroups of this task" in words(page)
    look_at(page, "Usefulness")
    assert page.board.usefulness.pane.state == "empty"
    other = show({cases.ListTestCovariates: lambda ask: cases.CovariateList(ask.runs, ())})
    look_at(other, "Subgroups")
    qtbot.waitUntil(lambda: other.board.subgroups.pane.state == "empty")


def test_names_from_data_are_no_markup(show: Open, qtbot: QtBot) -> None:
    facts = (CovariateFacts(HOSTILE, 2, 0),)
    page = show({cases.ListTestCovariates: lambda ask: cases.CovariateList(ask.runs, facts)})
    look_at(page, "Subgroups")
    tab = page.board.subgroups
    qtbot.waitUntil(lambda: tab.model.rowCount() > 0)
    assert len(tab.covariate.itemText(0)) <= 160 and "\n" not in tab.covariate.itemText(0)
    assert asked(page, cases.ReadSubgroups)[-1].covariate == HOSTILE
    tip = tab.model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole)
    assert "<img" not in tip


def test_net_benefit_waits_for_a_range_and_a_prevalence(show: Open, qtbot: QtBot) -> None:
    page = show()
    look_at(page, "Usefulness")
    tab = page.board.usefulness
    qtbot.waitUntil(lambda: "enriched" in tab.stated.text())
    assert tab.inner.state == "empty" and not asked(page, cases.ReadUsefulness)
    tab.low.setValue(0.1)
    tab.high.setValue(0.3)
    tab.button.click()
    qtbot.waitUntil(lambda: tab.model.rowCount() == 3)
    assert asked(page, cases.ReadUsefulness)[-1] == cases.ReadUsefulness(RUNS, 0.1, 0.3, None)
    assert not tab.view.isVisible() and "withheld" in tab.notice.message.text() and "r0004" in tab.notice.hint.text()
    assert tab.model.index(1, 7).data() == "distorted by balanced training"
    tab.prevalence.setValue(0.24)
    tab.button.click()
    qtbot.waitUntil(lambda: tab.view.isVisible())
    assert tab.view.chart is not None and tab.view.chart.x_range == (0.1, 0.3)
    assert "r0004" in tab.notice.message.text()
    page.set_runs(RUNS[:2])
    qtbot.waitUntil(lambda: tab.inner.state == "empty")
    assert page.context.memory.get("compare.thresholds") == [0.1, 0.3]


def test_seeds_have_both_intervals_and_the_claim(show: Open, qtbot: QtBot) -> None:
    page = show()
    look_at(page, "Seeds")
    tab = page.board.seeds
    qtbot.waitUntil(lambda: tab.model.rowCount() == 3)
    ModelTester(None).check(tab.model)  # type: ignore[no-untyped-call]
    assert "at least 5 seeds" in tab.sentence.text() and tab.pair_model.rowCount() == 1
    assert [tab.model.index(0, column).data() for column in (1, 2, 3)] == [
        "5", "0.873 (0.861–0.885)", "0.873 (0.842–0.904)",
    ]  # fmt: skip
    assert "(−0.001 to +0.059)" in tab.pair_model.index(0, 2).data()


def test_published_results_are_hollow_and_unknown_ones_say_so(show: Open, qtbot: QtBot) -> None:
    page = show()
    look_at(page, "References")
    tab = page.board.published
    qtbot.waitUntil(lambda: tab.model.rowCount() == 3 + 4)
    assert tab.view.chart is not None and sum(one.hollow for one in tab.view.chart.series) == 3
    assert [tab.model.index(0, column).data() for column in (0, 4, 5)] == ["A", "0.873", "computed"]
    assert tab.model.index(6, 4).data() == "not published here" and "not comparable" in tab.about.text()
    nothing = sample.ANSWERS[cases.ReadReferences]
    other = show({cases.ReadReferences: lambda ask: replace(nothing(ask), results=(), charts=(), dataset="")})
    look_at(other, "References")
    qtbot.waitUntil(lambda: other.board.published.pane.state == "empty")


def test_a_case_opens_with_the_heat_maps_of_the_runs(show: Open, qtbot: QtBot) -> None:
    page = show()
    look_at(page, "Disagreements")
    tab = page.board.disagreements
    qtbot.waitUntil(lambda: tab.model.rowCount() > 100 and bool(asked(page, Thumbnails)))
    ModelTester(None).check(tab.model)  # type: ignore[no-untyped-call]
    wanted = asked(page, Thumbnails)[-1]
    assert len(wanted.samples) < 40, "only what is in sight"
    qtbot.waitUntil(lambda: tab.pictures.picture(wanted.samples[0]) is not None)
    first = tab.model.case(0)
    assert first is not None
    place = tab.table.visualRect(tab.model.index(0, 1)).center()
    qtbot.mouseClick(tab.table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))  # type: ignore[no-untyped-call]
    qtbot.mouseDClick(tab.table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))  # type: ignore[no-untyped-call]
    qtbot.waitUntil(lambda: len(said(page, "go")) == 2)
    (_, path), (_, made) = said(page, "go")
    assert path == {"path": first.place, "map": True} and made == {"prediction": "p0001", "map": True}
    (ask,) = asked(page, PredictSource)
    assert ask.key.path == first.place and ask.runs == RUNS and ask.explain == "gradcam"
    tab.kind.setCurrentIndex(2)
    qtbot.waitUntil(lambda: asked(page, cases.ReadDisagreements)[-1].kind is Kind.ALL_ERR)


def test_scrolling_asks_for_what_is_seen(show: Open, qtbot: QtBot) -> None:
    page = show()
    look_at(page, "Disagreements")
    tab = page.board.disagreements
    qtbot.waitUntil(lambda: bool(asked(page, Thumbnails)))
    before = len(asked(page, Thumbnails))
    tab.table.scrollToBottom()
    qtbot.waitUntil(lambda: len(asked(page, Thumbnails)) > before)
    last = tab.model.case(tab.model.rowCount() - 1)
    assert last is not None and last.sample in asked(page, Thumbnails)[-1].samples


def test_no_case_and_no_place(show: Open, qtbot: QtBot) -> None:
    plain = ANSWERS[cases.ReadDisagreements]
    page = show({cases.ReadDisagreements: lambda ask: replace(plain(ask), cases=(), n_found=0)})
    look_at(page, "Disagreements")
    qtbot.waitUntil(lambda: page.board.disagreements.inner.state == "empty")
    case = replace(plain(cases.ReadDisagreements(RUNS)).cases[0], place="")
    page.board.case_wanted.emit(case, RUNS)
    assert "Where the images of this dataset lie is not known" in page.board.notice.message.text()
    findings = replace(plain(cases.ReadDisagreements(RUNS)), findings=("oedema", "mass"), finding="mass")
    other = show({cases.ReadDisagreements: lambda ask: findings})
    look_at(other, "Disagreements")
    tab = other.board.disagreements
    qtbot.waitUntil(lambda: tab.finding.isVisible())
    assert tab.finding.currentData() == "mass"
    tab.finding.setCurrentIndex(0)
    assert asked(other, cases.ReadDisagreements)[-1].finding == "oedema"


def test_errors_progress_and_giving_up_stay_in_the_tab(
    show: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(ask: Any) -> Any:
        raise DatabaseBusy("The database is in use.", "Wait a moment.")

    page = show({cases.ReadSeeds: boom})
    look_at(page, "Seeds")
    tab = page.board.seeds
    qtbot.waitUntil(lambda: tab.pane.state == "error")
    desk(page).answers[cases.ReadSeeds] = lambda ask: WAITS
    told: list[Any] = []
    plain = desk(page).ask

    def ask(question: Any, **how: Any) -> Ticket:
        if isinstance(question, cases.ReadSeeds):
            told.append(how["progress"])
        return plain(question, **how)

    monkeypatch.setattr(desk(page), "ask", ask)
    tab._look.again()
    assert tab.pane.state == "busy"
    told[0](Progress("Seeds of r0003", 1, 3))
    assert "Seeds of r0003" in words(tab)
    tab._look._stop()
    assert tab.pane.state == "error" and "cancelled" in words(tab)  # type: ignore[comparison-overlap, unreachable]


def test_a_chart_leaves_as_it_is_drawn(show: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    page = show()
    look_at(page, "Seeds")
    tab = page.board.seeds
    qtbot.waitUntil(lambda: tab.view.chart is not None)
    monkeypatch.setattr(exporting, "ask_path", lambda *about: f"/out/{about[2]}")
    tab.view.export_wanted.emit("csv", "seeds.csv")
    qtbot.waitUntil(lambda: bool(asked(page, cases.WriteChart)))
    (ask,) = asked(page, cases.WriteChart)
    assert ask.chart == tab.view.chart and ask.format == "csv" and ask.path == "/out/seeds.csv"

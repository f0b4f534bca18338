"""The runs page on sample answers: its states, what each button asks, news, keys, and text that would be markup."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
)
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks import runs as asks
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import DatabaseBusy, Interrupted
from medfm_gui.domain.run import Phase
from medfm_gui.ui.bridge import Batch, Ticket
from medfm_gui.ui.pages.runs import page as page_module
from medfm_gui.ui.pages.runs.deeds import DEEDS
from medfm_gui.ui.pages.runs.model import Column
from medfm_gui.ui.pages.runs.page import RunsPage
from medfm_gui.ui.pages.runs.sample import ANSWERS, RUNS, curve, item, running, sample_answers
from medfm_gui.ui.pages.runs.seal import SealDialog
from medfm_gui.ui.sample import WAITS, Answers, SampleDesk, sample_context

HOSTILE = "<img src='/etc/passwd'>&b\n\u202e" + "x" * 10_000
Open = Callable[..., RunsPage]


@pytest.fixture
def show(qtbot: QtBot) -> Open:
    """Opens the page and waits until it shows what it was answered."""

    def show(answers: Answers = ANSWERS, state: str = "content", **changes: Any) -> RunsPage:
        page = RunsPage(sample_context(answers, **changes))
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        qtbot.waitUntil(lambda: page.state.state == state)
        return page

    return show


def desk(page: RunsPage) -> SampleDesk:
    return cast(SampleDesk, page.context.desk)


def asked(page: RunsPage, kind: type) -> list[Any]:
    return [ask for ask in desk(page).asked if isinstance(ask, kind)]


def said(page: RunsPage, what: str) -> list[Any]:
    return [values for name, values in desk(page).said if name == what]  # type: ignore[attr-defined]


def choose(page: RunsPage, *runs: str) -> None:
    page.visit(runs=runs)
    assert tuple(sorted(one.row.id for one in page.board.chosen_runs())) == tuple(sorted(runs))


def test_without_runs_it_says_what_to_do(show: Open, qtbot: QtBot) -> None:
    page = show({**ANSWERS, asks.ListRuns: lambda ask: asks.RunList(())}, "empty")
    button = next(one for one in page.findChildren(QAbstractButton) if one.text() == "New training")
    button.click()
    assert said(page, "go") == [(("train",), {})]


def test_it_is_busy_until_the_answer_comes(show: Open) -> None:
    show({**ANSWERS, asks.ListRuns: lambda ask: WAITS}, "busy")


def test_a_failure_is_read_in_place_and_tried_again(show: Open, qtbot: QtBot) -> None:
    def fail(ask: asks.ListRuns) -> asks.RunList:
        raise DatabaseBusy("Another program holds the database.", "Wait a moment.")

    page = show({**ANSWERS, asks.ListRuns: fail}, "error")
    desk(page).answers[asks.ListRuns] = ANSWERS[asks.ListRuns]
    next(one for one in page.findChildren(QAbstractButton) if one.isVisible() and one.text() == "Try again").click()
    qtbot.waitUntil(lambda: page.state.state == "content")


def test_it_shows_the_newest_run_and_its_facts(show: Open, qtbot: QtBot) -> None:
    page = show()
    assert page.pane.run == "r0016"
    choose(page, "r0003")
    qtbot.waitUntil(lambda: ("ROC-AUC", "0.873", "0.861 (0.830–0.889)") in page.pane.results.texts())
    assert ("Trained parameters", "770") in page.pane.setup.facts()
    assert "protocol version 1.2" in page.pane.results.note.text()
    assert len(page.pane.curves.epochs) == 20


@pytest.mark.parametrize(
    ("verb", "run", "ask"),
    [
        ("pause", "r0014", asks.PauseRuns(("r0014",))),
        ("resume", "r0010", asks.CheckResumable(("r0010",))),
        ("retry", "r0008", asks.RetryRuns(("r0008",))),
    ],
)
def test_a_button_asks_the_desk(show: Open, qtbot: QtBot, verb: str, run: str, ask: Any) -> None:
    page = show()
    choose(page, run)
    QTest.mouseClick(page.board.buttons[verb], Qt.MouseButton.LeftButton)
    assert desk(page).asked[-1] == ask


def test_what_can_go_on_is_started_and_a_retry_under_its_new_id(show: Open, qtbot: QtBot) -> None:
    page = show()
    choose(page, "r0010")
    page.do("resume")
    qtbot.waitUntil(lambda: bool(said(page, "start_runs")))
    assert said(page, "start_runs") == [((("r0010",),), {})]
    choose(page, "r0008")
    page.do("retry")
    qtbot.waitUntil(lambda: len(said(page, "start_runs")) == 2)
    assert said(page, "start_runs")[1] == ((("r0020",),), {})


def test_cancel_asks_first_and_names_the_run(show: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    page = show()
    questions: list[tuple[str, str]] = []

    def answer(agree: bool) -> Callable[..., bool]:
        def ask(parent: object, title: str, text: str, action: str, danger: bool = False) -> bool:
            questions.append((title, text))
            return agree

        return ask

    choose(page, "r0014")
    monkeypatch.setattr("medfm_gui.ui.pages.runs.errands.ask", answer(False))
    page.do("cancel")
    assert not asked(page, asks.CancelRuns) and "r0014" in questions[0][0] and "DINOv2 ViT-B/14" in questions[0][1]
    monkeypatch.setattr("medfm_gui.ui.pages.runs.errands.ask", answer(True))
    page.do("cancel")
    assert asked(page, asks.CancelRuns) == [asks.CancelRuns(("r0014",))]


def test_pages_are_gone_to_with_the_chosen_runs(show: Open) -> None:
    page = show()
    choose(page, "r0014")
    page.do("clone")
    choose(page, "r0002", "r0003")
    page.do("compare")
    page.do("report")
    gone = said(page, "go")
    assert gone[0] == (("train",), {"clone": "r0014"})
    assert gone[1][0] == ("compare",) and set(gone[1][1]["runs"]) == {"r0002", "r0003"}
    assert gone[2][0] == ("reports",) and set(gone[2][1]["runs"]) == {"r0002", "r0003"}


def test_absent_weights_lead_to_settings(show: Open, qtbot: QtBot) -> None:
    page = show()
    choose(page, "r0009")
    assert page.pane.cause.isVisible() and "not on this computer" in page.pane.cause.message.text()
    page.pane.cause.button.click()
    assert said(page, "go") == [(("settings",), {"tab": "weights", "model": "vmamba-t"})]


def test_a_test_is_opened_only_with_a_reason(show: Open, qtbot: QtBot) -> None:
    page = show()
    choose(page, "r0004")
    page.do("test")
    dialog = page.findChild(SealDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: ("Test images", "492") in dialog.facts.facts())
    assert "First look for the pilot" in dict(dialog.facts.facts())["Earlier looks"]
    dialog.reason.setPlainText("  \n ")
    assert not dialog.act.isEnabled() and dialog.act.toolTip()
    QTest.keyClick(dialog.reason, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert not asked(page, asks.OpenTest)
    dialog.reason.setPlainText("Protocol 1.2,\nfinal")
    assert dialog.act.isEnabled()
    dialog.act.click()
    assert asked(page, asks.OpenTest) == [asks.OpenTest(("r0004",), "Protocol 1.2, final")]
    assert page.work.isVisible()
    qtbot.waitUntil(lambda: not page.work.isVisible())
    assert "r0004" in said(page, "say")[-1][0][0]


def test_an_opening_can_be_given_up(show: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    page = show({**ANSWERS, asks.OpenTest: lambda ask: WAITS})
    cancelled: list[bool] = []
    hear: list[Callable[[Any], None]] = []
    real = SampleDesk.ask

    def ask(self: SampleDesk, question: Any, **named: Any) -> Ticket:
        if isinstance(question, asks.OpenTest):
            hear.extend((named["progress"], named["failed"]))
            return Ticket(lambda: cancelled.append(True))
        return real(self, question, **named)

    monkeypatch.setattr(SampleDesk, "ask", ask)
    page.errands.open_test(("r0004",), "why")
    hear[0](Progress("r0004: scoring test images", 100, 492, 12.0))
    assert page.work.isVisible()
    next(one for one in page.work.findChildren(QAbstractButton) if one.isVisible()).click()
    assert cancelled == [True]
    hear[1](Interrupted("It was cancelled."))
    assert not page.work.isVisible() and "stopped" in page.notice.message.text()


def test_predictions_are_written_where_the_person_says(
    show: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = show()
    offered: list[str] = []

    def name(parent: object, title: str, suggested: str, kinds: str) -> tuple[str, str]:
        offered.append(kinds)
        return "/somewhere/out.csv", kinds.split(";;")[-1]

    monkeypatch.setattr(QFileDialog, "getSaveFileName", staticmethod(name))
    choose(page, "r0004")
    page.do("export")
    choose(page, "r0003")
    page.do("export")
    assert "Test" not in offered[0] and "Test" in offered[1], "scores of a sealed test do not exist"
    assert asked(page, asks.ExportPredictions)[0] == asks.ExportPredictions("r0004", "val", "/somewhere/out.csv")
    qtbot.waitUntil(lambda: len(said(page, "say")) == 2)


def test_the_folder_is_shown(show: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", shown.append)
    page = show()
    choose(page, "r0003")
    page.do("folder")
    assert shown == [QUrl.fromLocalFile("/workspace/runs/r0003")]


def test_a_refusal_is_read_on_the_page(show: Open, qtbot: QtBot) -> None:
    refused = asks.RunsAsked((), (), (asks.Refused("r0014", "It is not running.", "Look again."),))
    page = show({**ANSWERS, asks.PauseRuns: lambda ask: refused})
    choose(page, "r0014")
    page.do("pause")
    qtbot.waitUntil(page.notice.isVisible)
    assert page.notice.message.text() == "It is not running." and page.notice.hint.text() == "Look again."
    page.notice.close_button.click()
    assert not page.notice.isVisible()


def test_news_move_curves_and_facts_without_asking(show: Open, qtbot: QtBot) -> None:
    page = show()
    choose(page, "r0014")
    qtbot.waitUntil(lambda: bool(asked(page, asks.RunDetails)) and len(page.pane.curves.epochs) == 7)
    qtbot.wait(20)
    before = len(desk(page).asked)
    page.context.runs.batch.emit(Batch("r0014", (), running(8, 64)))
    assert len(page.pane.curves.epochs) == 8 and page.pane.progress.words.text() == "Epoch 9 of 20 · 64 / 2,304"
    assert len(desk(page).asked) == before


def test_a_batch_costs_little(show: Open, qtbot: QtBot) -> None:
    page = show()
    choose(page, "r0014")
    qtbot.wait(50)
    spent = []
    for done in range(40):
        begun = time.perf_counter()
        page.context.runs.batch.emit(Batch(("r0014", "r0013", "r0015")[done % 3], (), running(7, 10 * done)))
        spent.append(time.perf_counter() - begun)
    assert sorted(spent)[len(spent) // 2] < 0.005


def test_a_killed_worker_reads_as_failed_with_resume(show: Open, qtbot: QtBot) -> None:
    page = show()
    choose(page, "r0014")
    killed = replace(
        running(),
        phase=Phase.FAILED,
        error_kind="interrupted",
        message="The run stopped unexpectedly: its worker was killed (SIGKILL, signal 9).",
        hint="“medfm resume r0014” goes on after epoch 7.",
        resumable=True,
    )
    page.context.runs.batch.emit(Batch("r0014", (), killed))
    assert page.pane.cause.isVisible() and "killed" in page.pane.cause.message.text()
    left = item(14, "dinov2-b", "full", killed)
    desk(page).answers[asks.ListRuns] = lambda ask: asks.RunList((left,))
    page.context.runs.left.emit("r0014")
    qtbot.waitUntil(page.board.buttons["resume"].isEnabled)
    assert asked(page, asks.ListRuns)[-1] == asks.ListRuns(runs=("r0014",))
    page.pane.cause.button.click()
    assert desk(page).asked[-1] == asks.CheckResumable(("r0014",))
    qtbot.waitUntil(lambda: bool(said(page, "start_runs")))


def test_a_run_made_elsewhere_appears(show: Open, qtbot: QtBot) -> None:
    page = show()
    new = item(17, "mae-b", "knn", running())
    desk(page).answers.update(sample_answers((*RUNS, new)))
    page.context.runs.batch.emit(Batch("r0017", (), running()))
    qtbot.waitUntil(lambda: page.table.item("r0017") is not None)


def test_a_visit_lifts_the_filter_and_waits_for_the_list(show: Open, qtbot: QtBot) -> None:
    page = show()
    page.board.states.setCurrentIndex(3)
    page.board.filter.look_for("vmamba")
    page.visit(run="r0003")
    assert page.pane.run == "r0003"
    page.visit(run="r0017")
    desk(page).answers.update(sample_answers((*RUNS, item(17, "mae-b", "knn", running()))))
    page.refresh()
    qtbot.waitUntil(lambda: page.pane.run == "r0017")


def test_everything_goes_by_keys(show: Open, qtbot: QtBot) -> None:
    page = show()
    assert {action.id for action in page.context.actions.all()} >= {"runs.pause", "runs.test", "runs.find", "runs.new"}
    keys = [page.context.actions.keys(action.id) for action in page.context.actions.all()]
    assert all(keys) and len(set(keys)) == len(keys)
    choose(page, "r0014")
    page.context.actions.run("runs.pause")
    assert asked(page, asks.PauseRuns)
    page.board.table.setFocus()
    row = page.board.table.currentIndex().row()
    QTest.keyClick(page.board.table, Qt.Key.Key_Down)
    assert page.board.table.currentIndex().row() == row + 1
    assert page.pane.run == "r0013"


def test_the_menu_offers_what_the_tool_bar_offers(show: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[QPoint] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, place: shown.append(place))
    page = show()
    choose(page, "r0014")
    page.board.table.customContextMenuRequested.emit(QPoint(10, 10))
    menu = page.board.table.findChild(QMenu)
    assert menu is not None and shown
    offered = {entry.text(): entry for entry in menu.actions() if entry.text()}
    assert set(offered) == {deed.title for deed in DEEDS}
    assert offered["Pause"].isEnabled() and not offered["Open test"].isEnabled()
    offered["Pause"].trigger()
    assert asked(page, asks.PauseRuns) == [asks.PauseRuns(("r0014",))]
    menu.close()


def test_every_control_has_a_name(show: Open) -> None:
    page = show()
    kinds = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit)
    for kind in kinds:
        for control in page.findChildren(kind):
            if control.isVisibleTo(page):
                named = control.accessibleName() or (control.text() if isinstance(control, QAbstractButton) else "")
                assert named or control.toolTip(), control


def test_reading_only_forbids_what_writes(show: Open) -> None:
    page = show(is_read_only=True)
    choose(page, "r0004")
    assert not page.board.new.isEnabled() and not page.board.buttons["test"].isEnabled()
    assert "read-only" in page.board.buttons["retry"].toolTip()
    assert page.board.buttons["export"].isEnabled()
    page.do("test")
    assert page.findChild(SealDialog) is None


def test_hostile_text_is_shown_as_it_is(show: Open, qtbot: QtBot) -> None:
    failed = replace(
        running(), phase=Phase.FAILED, error_kind="worker_failed", message=HOSTILE, hint=HOSTILE, warnings=(HOSTILE,)
    )
    evil = replace(item(1, "mae-b", "full", failed), title=HOSTILE, model=HOSTILE, dataset=HOSTILE)
    page = show({**sample_answers((evil,)), asks.RunLog: lambda ask: asks.LogText(ask.run, HOSTILE)})
    page.pane.tabs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: "<img src='/etc/passwd'>" in page.pane.log.text.toPlainText())
    assert page.pane.cause.message.text() == HOSTILE
    assert page.grab().height() == 772, "a long name does not blow the page up"


def test_the_look_is_remembered(show: Open) -> None:
    page = show()
    page.pane.tabs.setCurrentIndex(1)
    page.split.splitterMoved.emit(300, 1)
    page.board.table.setColumnWidth(2, 222)
    memory = page.context.memory
    again = show(memory=memory)
    assert again.pane.tabs.currentIndex() == 1 and memory.get("runs.split")
    assert again.board.table.columnWidth(2) == 222
    assert page_module._kept(again.split)


def test_fifty_runs_are_there_at_once(show: Open, qtbot: QtBot) -> None:
    many = tuple(item(n, "mae-b", "full", replace(running(), curve=curve(20))) for n in range(1, 51))
    page = show(sample_answers(many))
    page.hide()
    begun = time.perf_counter()
    page.show()
    page.grab()
    assert time.perf_counter() - begun < 0.1


def test_costs_have_columns_where_there_is_room(show: Open, qtbot: QtBot) -> None:
    page = show()
    table = page.board.table
    page.resize(1400, 800)
    qtbot.waitUntil(lambda: not table.isColumnHidden(Column.MEMORY))
    table.setColumnWidth(Column.MEMORY, 91)
    page.resize(1010, 800)
    qtbot.waitUntil(lambda: table.isColumnHidden(Column.MEMORY) and table.isColumnHidden(Column.LABELS))
    table.setColumnWidth(Column.SEED, 60)
    kept = page.context.memory.get("runs.columns")
    assert isinstance(kept, dict) and kept["Memory"] == 91 and kept["Seed"] == 60, "a hidden column keeps its width"

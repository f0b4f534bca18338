"""Rows, words and what is possible, without a page."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.events import EpochFinished
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.domain.threshold import NOT_CHOSEN, RuleOrigin
from medfm_gui.ui.bridge import Batch
from medfm_gui.ui.pages.runs import deeds, wording
from medfm_gui.ui.pages.runs.model import Column, RunFilter, RunTable
from medfm_gui.ui.pages.runs.sample import RUNS, curve, details, item, running
from medfm_gui.ui.pages.runs.setup import setup_facts

HOSTILE = "<img src=/etc/passwd>&\n\u202e" + "x" * 10_000
BY_ID = {one.row.id: one for one in RUNS}


def text(table: RunTable, run: str, column: Column) -> str:
    return str(table.data(table.index(table.row_of(run), column)))


@pytest.fixture
def table(qtmodeltester: ModelTester) -> RunTable:
    table = RunTable()
    table.fill(RUNS)
    return table


def test_the_models_keep_qts_rules(table: RunTable, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(table)  # type: ignore[no-untyped-call]
    qtmodeltester.check(RunFilter(table))  # type: ignore[no-untyped-call]


def test_a_row_says_what_a_run_is_at(table: RunTable) -> None:
    assert text(table, "r0014", Column.STATE) == "Running"
    assert text(table, "r0014", Column.PROGRESS) == "Epoch 8 of 20 · 1,472 / 2,304"
    assert text(table, "r0014", Column.VALIDATION).startswith("ROC-AUC 0.8"), "of the best epoch so far"
    assert text(table, "r0015", Column.PROGRESS) == "1 in line · It waits for its turn on cuda:0."
    assert text(table, "r0016", Column.PROGRESS).startswith("2 in line")
    assert text(table, "r0013", Column.PROGRESS) == "Paused after epoch 9 of 20"
    assert text(table, "r0003", Column.VALIDATION) == "ROC-AUC 0.873" and text(table, "r0003", Column.TEST) == "Opened"
    assert text(table, "r0004", Column.TIME) == "45 min" and text(table, "r0004", Column.TEST) == "Sealed"


def test_time_left_counts_the_epochs_that_follow() -> None:
    at_work = item(1, "dinov2-s", "full", running(7, 2304))
    assert wording.seconds_left(at_work) == pytest.approx(12 * 41.0)
    first = replace(running(0, 1152), curve=(), epochs=0)
    assert wording.seconds_left(item(1, "dinov2-s", "full", first)) == pytest.approx(1152 / 61.3 + 19 * 2304 / 61.3)
    path = RunState(phase=Phase.RUNNING, stage="train", total=20, epoch=5, epochs=20, curve=curve(5, seconds=2.0))
    assert wording.seconds_left(item(1, "dinov2-s", "linear", path)) == pytest.approx(30.0)
    assert wording.share(item(1, "dinov2-s", "linear", path)) == pytest.approx(0.25)
    assert wording.progress(item(1, "dinov2-s", "linear", path)) == "Penalty 6 of 20"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.42, "0.4 s"), (42, "42 s"), (200, "3 min 20 s"), (4350, "1 h 12 min"), (200_000, "2 d 7 h"), (-1, "–")],
)
def test_durations_read_like_speech(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


def test_news_change_one_row_and_keep_the_place(table: RunTable) -> None:
    changed: list[int] = []
    table.dataChanged.connect(lambda first, last: changed.append(first.row()))
    assert table.take(Batch("r0014", (), running(8, 10)))
    assert changed == [13] and text(table, "r0014", Column.PROGRESS) == "Epoch 9 of 20 · 10 / 2,304"
    assert not table.take(Batch("r0099", (), running()))


def test_a_list_without_curves_does_not_lose_ours(table: RunTable) -> None:
    known = table.item("r0014")
    assert known is not None
    table.renew([replace(known, row=replace(known.row, state=replace(known.row.state, curve=(), done=1500)))])
    renewed = table.item("r0014")
    assert renewed is not None and len(renewed.row.state.curve) == 7 and renewed.row.state.done == 1500


def test_what_was_asked_is_said_until_the_state_changes(table: RunTable) -> None:
    table.note(("r0014",), "Pausing …")
    assert text(table, "r0014", Column.PROGRESS) == "Pausing …"
    table.take(Batch("r0014", (), replace(running(), phase=Phase.PAUSED)))
    assert text(table, "r0014", Column.PROGRESS).startswith("Paused")


def test_the_filter_takes_words_and_states(table: RunTable) -> None:
    shown = RunFilter(table)
    shown.look_for("clip LINEAR")
    assert [run.row.id for row in range(shown.rowCount()) if (run := shown.run_at(shown.index(row, 0)))] == ["r0006"]
    shown.look_for("")
    shown.only(frozenset({Phase.FAILED}))
    assert shown.rowCount() == 3
    shown.only(frozenset(Phase))
    assert shown.rowCount() == len(RUNS)
    first = shown.run_at(shown.index(0, 0))
    assert first is not None and first.row.id == "r0016", "the newest stands first"


def test_every_column_sorts(table: RunTable) -> None:
    shown = RunFilter(table)
    for column in Column:
        for order in Qt.SortOrder:
            shown.sort(column, order)
            assert shown.rowCount() == len(RUNS)
    shown.sort(Column.VALIDATION, Qt.SortOrder.DescendingOrder)
    best = shown.run_at(shown.index(0, 0))
    assert best is not None and best.row.id == "r0004"


def test_hostile_names_stay_plain_and_short(table: RunTable) -> None:
    evil = replace(RUNS[0], model=HOSTILE, dataset=HOSTILE)
    table.renew([evil])
    for column in (Column.MODEL, Column.DATASET):
        index = table.index(0, column)
        assert len(str(table.data(index))) <= 200 and "\n" not in str(table.data(index))
        said = str(table.data(index, Qt.ItemDataRole.ToolTipRole))
        assert "<img" not in said and "&lt;img" in said and len(said) < 2000


def test_many_batches_are_cheap(table: RunTable) -> None:
    runs = [replace(RUNS[n % 16], row=replace(RUNS[n % 16].row, id=f"x{n:04d}")) for n in range(200)]
    table.fill(runs)
    shown = RunFilter(table)
    points = curve(20) * 100
    states = [replace(running(8, done), curve=points) for done in range(100)]
    begun = time.perf_counter()
    for number, state in enumerate(states):
        table.take(Batch(f"x{number % 20:04d}", (), state))
    assert (time.perf_counter() - begun) / len(states) < 0.005
    assert shown.rowCount() == 200


def test_deeds_say_why_not() -> None:
    def why(verb: str, *runs: str, read_only: bool = False) -> str:
        deed = next(one for one in deeds.DEEDS if one.verb == verb)
        return deeds.obstacle(deed, [BY_ID[run] for run in runs], is_read_only=read_only)

    assert why("pause") == "Choose a run first." and not why("pause", "r0014") and why("pause", "r0003")
    assert not why("resume", "r0010") and not why("resume", "r0013") and why("resume", "r0014")
    assert not why("cancel", "r0010") and why("cancel", "r0003") and why("cancel", "r0008")
    assert not why("retry", "r0008") and why("retry", "r0014")
    assert not why("test", "r0004") and "open already" in why("test", "r0003") and why("test", "r0014")
    assert not why("compare", "r0002", "r0003") and "seal" in why("compare", "r0003", "r0004")
    assert why("compare", "r0003") == "Choose two or more runs."
    assert not why("report", "r0003") and why("report", "r0004")
    assert why("clone", "r0002", "r0003") == "Choose one run."
    for deed in deeds.DEEDS:
        said = why(deed.verb, "r0004", read_only=True)
        assert (said == deeds.READ_ONLY) == deed.writes


def test_each_failure_has_the_button_that_helps() -> None:
    assert deeds.remedy(BY_ID["r0008"]).verb == "clone", "the same settings would need the same memory"
    assert deeds.remedy(BY_ID["r0009"]).verb == "weights"
    assert deeds.remedy(BY_ID["r0010"]).verb == "resume"
    broken = RunState(phase=Phase.FAILED, error_kind="worker_failed", message="It died.")
    assert deeds.remedy(item(1, "mae-b", "full", broken)).verb == "retry"


def test_a_curve_of_unknown_numbers_has_no_best() -> None:
    unknown = EpochFinished(1.0, 1, 20, {"auc": None}, 1.0, best=True)
    at_work = item(1, "dinov2-s", "full", replace(running(1), curve=(unknown,)))
    assert wording.best_so_far(at_work) is None


def test_what_a_run_cost_has_columns_and_facts(table: RunTable) -> None:
    item = RUNS[1]
    costly = replace(
        item.row,
        shots=4,
        state=replace(item.row.state, labels_used=1024, peak_memory_bytes=5_100_000_000, device="cpu"),
    )
    table.renew([replace(item, row=costly)])

    def cell(column: Column, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> str:
        return str(table.data(table.index(1, column), role))

    assert (cell(Column.MEMORY), cell(Column.LABELS)) == ("5.1 GB", "1,024")
    assert cell(Column.ADAPTATION).endswith(", N = 4")
    assert "4 patients a class" in cell(Column.ADAPTATION, Qt.ItemDataRole.ToolTipRole)
    assert "process" in cell(Column.MEMORY, Qt.ItemDataRole.ToolTipRole)
    waiting = table.row_of("r0016")
    assert table.data(table.index(waiting, Column.MEMORY)) == "–" == table.data(table.index(waiting, Column.LABELS))


def test_the_setup_says_who_chose_the_threshold_rule() -> None:
    binary = next(one for one in RUNS if one.row.task is Task.BINARY)

    def rule(origin: RuleOrigin) -> str:
        return dict(setup_facts(replace(details(binary), threshold_from=origin)))["Threshold rule"]

    assert rule(RuleOrigin.DEFAULT) == f"Youden's index, {NOT_CHOSEN}"
    assert rule(RuleOrigin.PROTOCOL) == "Youden's index, named by the locked protocol"
    assert rule(RuleOrigin.UNKNOWN) == "Youden's index"
    other = replace(binary, row=replace(binary.row, task=Task.MULTICLASS))
    assert "Threshold rule" not in dict(setup_facts(details(other)))

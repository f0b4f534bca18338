from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from medfm_gui.desk.asks.home import Examination, Overview
from medfm_gui.store.rows import JournalRow
from medfm_gui.ui.pages.home import model
from medfm_gui.ui.pages.home.sample import COMPUTER

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=timezone(timedelta(hours=1)))
NOTHING = Overview(root="/w", is_demo=False, demo_folder="/demo")
WITH_DATA = replace(NOTHING, datasets=1, unsplit=("retina",), untrained=("retina",))
WITH_SPLIT = replace(WITH_DATA, unsplit=(), splits=1)
WITH_RUNS = replace(WITH_SPLIT, runs_finished=2, unopened=2, newest_runs=("r0001", "r0002"))
TESTED = replace(WITH_RUNS, unopened=0)


@pytest.mark.parametrize(
    ("seen", "page", "wish"),
    [
        (NOTHING, "datasets", {}),
        (WITH_DATA, "datasets", {"dataset": "retina"}),
        (WITH_SPLIT, "train", {"dataset": "retina"}),
        (replace(WITH_SPLIT, runs_running=1), "runs", {}),
        (replace(WITH_SPLIT, runs_failed=1), "runs", {}),
        (WITH_RUNS, "compare", {"runs": ("r0001", "r0002")}),
        (TESTED, "reports", {"runs": ("r0001", "r0002")}),
        (replace(TESTED, reports=1), "studies", {}),
        (replace(TESTED, reports=1, predictions=1), "train", {}),
    ],
)
def test_the_next_step_follows_the_state_of_the_workspace(seen: Overview, page: str, wish: dict[str, object]) -> None:
    step = model.next_step(seen)
    assert (step.page, dict(step.wish)) == (page, wish)
    assert step.title
    assert step.text.endswith(".")
    assert step.button


@pytest.mark.parametrize(
    ("what", "subject", "details", "words"),
    [
        ("run finished", "r0001", {}, "Run r0001 finished"),
        ("run created", "r0001", {"model": "mae-b", "adapt": "full"}, "Run r0001 ordered: mae-b · full"),
        ("test opened", "r0001", {"reason": "x"}, "Sealed test opened for r0001"),
        ("runs compared", "r0001 r0002", {}, "r0001 and r0002 compared"),
        ("runs compared", "r1 r2 r3 r4 r5", {}, "r1, r2 and 3 more runs compared"),
        ("study indexed", "9c31034979717a09", {}, "A study added"),
        ("prediction made", "p0001", {"runs": "r0001 r0002 r0003"}, "A study read with r0001, r0002 and r0003"),
        ("report written", "report0001", {"runs": "r0001"}, "Report on r0001 written"),
        ("report written", "report0001", {}, "Report written: report0001"),
        ("something new", "x", {}, "Something new: x"),
        ("dataset imported", "{runs} {0}", {}, "Dataset “{runs} {0}” imported"),
    ],
)
def test_the_journal_is_told_in_sentences(what: str, subject: str, details: dict[str, str], words: str) -> None:
    assert model.sentence(JournalRow("", what, subject, details)) == words


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-22T07:05:00Z", "today 08:05"),
        ("2026-11-21T23:30:00Z", "today 00:30"),
        ("2026-11-21T12:00:00Z", "yesterday 13:00"),
        ("2026-11-02T12:00:00Z", "2 Nov 2026"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_moments_are_told_in_the_time_of_the_place(at: str, words: str) -> None:
    assert model.when(at, NOW) == words


def test_an_unreadable_moment_is_old() -> None:
    assert model.is_old("", NOW)
    assert model.is_old("2026-09-01T00:00:00Z", NOW)
    assert not model.is_old("2026-11-20T00:00:00Z", NOW)


def test_recent_workspaces_come_once_and_newest_first() -> None:
    rows = [{"path": "/a", "at": "3"}, {"path": "/b"}, {"path": "/a", "at": "1"}, 7, {"at": "x"}]
    assert model.recent(rows) == (model.Recent("/a", "3"), model.Recent("/b", ""))
    assert model.recent({"path": "/a"}) == ()


def test_a_computer_without_gpu_or_tensor_library_says_so() -> None:
    assert COMPUTER.diagnosis is not None
    only_cpu = replace(
        COMPUTER, diagnosis=replace(COMPUTER.diagnosis, devices=COMPUTER.diagnosis.devices[1:], torch="")
    )
    rows = dict(model.facts(only_cpu, datetime.now(UTC)))
    assert rows["GPU"] == "none found"
    assert rows["Tensor library"] == "could not be loaded"
    assert rows["Memory"] == "62.6 GB"
    assert model.facts(Examination(), NOW) == ()


def test_the_steps_of_the_demonstration_are_known_by_what_the_desk_says() -> None:
    assert model.demo_step("Training 3 models: r0002") == 2
    assert model.demo_step("Something else") == -1

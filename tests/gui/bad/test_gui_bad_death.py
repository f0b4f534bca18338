"""Processes that are killed and a workspace that goes away: said on the page, nothing lost, and a way on that works."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QPushButton
from pytestqt.qtbot import QtBot

from medfm_gui.domain.run import Phase
from medfm_gui.ui.bridge import Batch
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.pages.runs.page import RunsPage
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.workspace.training import TrainRequest
from tests.fixtures.asked import dataset_and_split, ordered
from tests.fixtures.hand import Hand
from tests.fixtures.hostile import class_folders
from tests.fixtures.window import closed, opened_window, settle, visible

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SLOW = {"epochs": "400", "batch_size": "4", "input_size": "32", "patience": "400"}
"""A training of minutes on thirty-two tiny images: it is always at work when something happens to it."""


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[MainWindow]:
    one = opened_window(tmp_path / "workspace", qtbot.waitUntil)
    yield one
    closed(one)


@pytest.fixture
def hand(window: MainWindow, qtbot: QtBot) -> Hand:
    return Hand(window, qtbot.waitUntil)


def family(pid: int, word: str) -> list[int]:
    """Processes below one whose command holds a word."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, path.read_text().split()):
                if word in _command(child):
                    found.append(child)
                found += family(child, word)
    return found


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def kill(word: str) -> None:
    """Kill one of this process's family at once."""
    (pid,) = family(os.getpid(), word)[:1]
    os.kill(pid, signal.SIGKILL)


def begun(hand: Hand, source: Path) -> tuple[str, list[Batch]]:
    """A slow training whose curves are on screen."""
    window = hand.window
    assert window.session is not None
    dataset, split = dataset_and_split(hand, str(class_folders(source, {"a": 16, "b": 16})), "two")
    request = TrainRequest(dataset, ("efficientnet-lite0",), ("full",), split, settings=SLOW, from_scratch=True)
    (run,) = ordered(hand, request)
    news: list[Batch] = []
    window.session.runs.batch.connect(news.append)
    window.session.supervisors.start((run,))
    window.go("runs", run=run)
    hand.until(lambda: news and len(news[-1].state.curve) >= 2, 120)
    return run, news


def runs_page(hand: Hand) -> RunsPage:
    """The page of runs, in front."""
    page = hand.window.pages.currentWidget()
    assert isinstance(page, RunsPage)
    return page


def none_left(word: str) -> Callable[[], bool]:
    """Whether no process of that kind is left."""
    return lambda: not family(os.getpid(), word)


def test_a_worker_that_is_killed_while_its_curves_are_shown_can_go_on(hand: Hand, tmp_path: Path) -> None:
    run, news = begun(hand, tmp_path / "two")
    kill("medfm_gui.engine")
    page = runs_page(hand)
    hand.until(lambda: news[-1].state.phase is Phase.FAILED, 30)
    hand.until(none_left("medfm_gui.desk.supervisor"), 30)
    settle(hand.window, hand.wait)

    def is_left_alone() -> bool:
        one = page.table.item(run)
        return one is not None and not one.is_supervised

    hand.until(is_left_alone, 30)
    item = page.table.item(run)
    assert item is not None and item.row.state.resumable
    assert item.row.state.curve, "what it learnt is still to be seen"
    done = len(news[-1].state.curve)
    button = next(one for one in visible(page.pane) if isinstance(one, QAbstractButton) and one.text() == "Resume")
    assert button.isEnabled()
    button.click()
    hand.until(lambda: news[-1].state.phase is Phase.RUNNING and len(news[-1].state.curve) > done, 90)
    assert hand.window.session is not None
    kill("medfm_gui.desk.supervisor")
    hand.until(lambda: news[-1].state.phase is Phase.FAILED, 30)
    hand.until(none_left("medfm_gui.engine"), 30)
    settle(hand.window, hand.wait)
    item = page.table.item(run)
    assert item is not None and item.row.state.resumable
    assert hand.sees("Resume")


def test_a_desk_that_is_killed_while_a_page_asks_is_started_again_by_the_button(hand: Hand) -> None:
    window = hand.window
    window.go("datasets")
    settle(window, hand.wait)
    page = window.pages.currentWidget()
    kill("medfm_gui.desk")
    for key in ("runs", "datasets", "home"):
        window.go(key)
        window.pages.refresh()
        settle(window, hand.wait)
    window.go("datasets")
    assert window.pages.currentWidget() is page, "the pages are those that were there"
    assert not [toast for toast in window.toasts.toasts if toast.isVisible()]


def test_questions_that_died_with_the_desk_are_said_in_place(hand: Hand) -> None:
    window = hand.window
    settle(window, hand.wait)
    (pid,) = family(os.getpid(), "medfm_gui.desk")[:1]
    os.kill(pid, signal.SIGSTOP)  # it hears no more, as in a long decode
    for key in ("datasets", "runs", "home"):
        window.go(key)
        window.pages.refresh()
    os.kill(pid, signal.SIGKILL)
    settle(window, hand.wait)
    page = window.pages.page("datasets")
    window.go("datasets")
    panes = [pane for pane in page.findChildren(StatePane) if pane.isVisible() and pane.state == "error"]
    assert len(panes) == 1
    assert hand.sees("The desk process ended unexpectedly.")
    hand.click("Try again")
    hand.until(lambda: hand.sees("No dataset yet"))
    window.go("runs")
    hand.click("Try again")
    hand.until(lambda: hand.sees("No runs yet"))


def test_a_workspace_that_is_deleted_under_the_window(hand: Hand, tmp_path: Path) -> None:
    window = hand.window
    dataset_and_split(hand, str(class_folders(tmp_path / "two", {"a": 4, "b": 4})), "two")
    settle(window, hand.wait)
    root = tmp_path / "workspace"
    shutil.rmtree(root)
    for key in ("datasets", "runs"):
        window.go(key)
        window.pages.refresh()
        settle(window, hand.wait)
        page = window.pages.page(key)
        errors = [pane for pane in page.findChildren(StatePane) if pane.isVisible() and pane.state == "error"]
        assert errors or hand.sees("is not there any more"), key
        buttons = [one for one in visible(page) if isinstance(one, QPushButton) and one.text() == "Try again"]
        assert buttons, key
    kill("medfm_gui.desk")
    window.pages.refresh()
    settle(window, hand.wait)
    assert not (root / "workspace.json").exists(), "a workspace that is gone is not made anew"
    assert window.isVisible()
    shown: list[bool] = []
    window.workspace_opened.connect(lambda: shown.append(True))
    window.open_workspace(tmp_path / "another")
    hand.until(lambda: shown)
    assert window.session is not None and window.session.root == tmp_path / "another"
    settle(window, hand.wait)
    window.go("datasets")
    hand.until(lambda: hand.sees("No dataset yet"))

"""Closing while a run goes on: kept, paused, cancelled or not closed at all; nothing stays behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from medfm_gui.jobs.follow import state_of
from medfm_gui.ui.bridge import Batch
from medfm_gui.ui.closing import ClosingQuestion
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.workspace.training import TrainRequest
from tests.fixtures.asked import dataset_and_split, ordered
from tests.fixtures.hand import Hand
from tests.fixtures.hostile import class_folders
from tests.fixtures.window import closed, opened_window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def answer(title: str) -> None:
    """Press a button of the closing question as soon as it is there."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, ClosingQuestion):
            next(one for one in dialog.findChildren(QPushButton) if one.text() == title).click()
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(0, look)


def at_work(window: MainWindow, hand: Hand, source: Path, epochs: int) -> tuple[str, list[Batch]]:
    """A training that is in its epochs."""
    assert window.session is not None
    dataset, split = dataset_and_split(hand, str(class_folders(source, {"a": 16, "b": 16})), "two")
    recipe = {"epochs": str(epochs), "batch_size": "4", "input_size": "32", "patience": str(epochs)}
    request = TrainRequest(dataset, ("efficientnet-lite0",), ("full",), split, settings=recipe, from_scratch=True)
    (run,) = ordered(hand, request)
    news: list[Batch] = []
    window.session.runs.batch.connect(news.append)
    window.session.supervisors.start((run,))
    hand.until(lambda: news and len(news[-1].state.curve) >= 1, 120)
    return run, news


@pytest.mark.parametrize(
    ("choice", "phase"), [("Pause them", "paused"), ("Cancel them", "cancelled"), ("Keep them running", "finished")]
)
@pytest.mark.slow
def test_closing_ends_when_the_run_is_in_order(choice: str, phase: str, tmp_path: Path, qtbot: QtBot) -> None:
    root = tmp_path / "workspace"
    window = opened_window(root, qtbot.waitUntil)
    hand = Hand(window, qtbot.waitUntil)
    run, _ = at_work(window, hand, tmp_path / "two", 12 if choice.startswith("Keep") else 400)
    gone: list[bool] = []
    window.departed.connect(lambda: gone.append(True))
    answer("Go back")
    window.close()
    assert not gone and window.isVisible() and window.pane.state == "content"
    if choice.startswith("Pause"):
        answer("Keep them running")
        window.close()
        assert not window.isVisible()
        window.come_to_front()  # called while it waited for its runs: it stays
        assert window.isVisible() and window.pane.state == "content"
    answer(choice)
    window.close()
    if choice.startswith("Keep"):
        assert not window.isVisible() and not gone
    hand.until(lambda: gone, 60)
    assert not window.isVisible()
    state = state_of(root / "runs" / run)
    assert state.phase.value == phase
    assert state.resumable == (phase == "paused")
    assert not (root / "locks" / "window.lock").exists()
    closed(window)

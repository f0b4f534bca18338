"""The database made again by a click: pages show what the files say, runs are not disturbed, damage is no dead end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import ImportDataset
from medfm_gui.jobs import owner
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.pages.settings import workspace
from medfm_gui.workspace.training import TrainRequest
from tests.fixtures.asked import asked, dataset_and_split, ordered
from tests.fixtures.hand import Hand
from tests.fixtures.hostile import class_folders
from tests.fixtures.window import closed, opened_window, settle

BUTTON = "Rebuild the database from the files"


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr(workspace, "ask", lambda *_: True)
    one = opened_window(tmp_path / "workspace", qtbot.waitUntil)
    yield one
    closed(one)


@pytest.fixture
def hand(window: MainWindow, qtbot: QtBot) -> Hand:
    return Hand(window, qtbot.waitUntil)


def test_what_came_back_from_a_backup_is_listed_after_the_click(hand: Hand, tmp_path: Path) -> None:
    window, root = hand.window, tmp_path / "workspace"
    source = class_folders(tmp_path / "two", {"a": 4, "b": 4})
    dataset, split = dataset_and_split(hand, str(source), "kept")
    ordered(hand, TrainRequest(dataset, ("efficientnet-lite0",), ("knn",), split, settings={"k": "1"}))
    shutil.copytree(root / "datasets" / dataset, tmp_path / "backup")
    manifest = tmp_path / "backup" / "manifest.json"
    manifest.write_text(
        manifest.read_text().replace(f'"id": "{dataset}"', '"id": "back"').replace('"name": "kept"', '"name": "Back"')
    )
    shutil.move(tmp_path / "backup", root / "datasets" / "back")
    hand.key(Qt.Key.Key_2)
    settle(window, hand.wait)
    assert not hand.sees("2 datasets")
    window.go("settings", tab="workspace")
    hand.until(lambda: hand.sees("1 dataset, 1 split, 1 run"))
    hand.click(BUTTON)
    hand.until(lambda: hand.sees("The database was made again: 2 datasets, 1 split, 1 run"), 60)
    settle(window, hand.wait)
    assert hand.sees("2 datasets, 1 split, 1 run, 0 studies, 0 predictions, 0 reports"), "the facts above it too"
    assert (root / "medfm.sqlite.old1").is_file()
    assert not window.toasts.toasts
    asked(hand, ImportDataset(str(source), "later"))
    hand.key(Qt.Key.Key_2)
    settle(window, hand.wait)
    for name in ("kept", "Back", "later"):
        assert name in _names(hand), name


def _names(hand: Hand) -> set[str]:
    from medfm_gui.desk.asks.data import ListDatasets

    return {row.name for row in asked(hand, ListDatasets()).datasets}


def test_while_a_run_is_at_work_it_is_refused_in_place(hand: Hand, tmp_path: Path) -> None:
    window = hand.window
    dataset, split = dataset_and_split(hand, str(class_folders(tmp_path / "two", {"a": 4, "b": 4})), "two")
    (run,) = ordered(hand, TrainRequest(dataset, ("efficientnet-lite0",), ("knn",), split, settings={"k": "1"}))
    folder = tmp_path / "workspace" / "runs" / run
    owner.claim(folder)
    try:
        window.go("settings", tab="workspace")
        hand.click(BUTTON)
        hand.until(lambda: hand.sees(f"The run {run} is at work"), 60)
        assert hand.sees("on the page Runs") and not hand.sees("medfm pause")
        hand.click("Show runs")
        hand.until(lambda: getattr(window.pages.currentWidget(), "key", "") == "runs")
    finally:
        owner.disown(folder)
    settle(window, hand.wait)
    assert not list((tmp_path / "workspace").glob("medfm.sqlite.*old*"))


def test_a_damaged_database_is_rebuilt_where_it_is_told(tmp_path: Path, qtbot: QtBot) -> None:
    root = tmp_path / "workspace"
    first = opened_window(root, qtbot.waitUntil)
    dataset_and_split(Hand(first, qtbot.waitUntil), str(class_folders(tmp_path / "two", {"a": 4, "b": 4})), "two")
    closed(first)
    database = root / "medfm.sqlite"
    raw = bytearray(database.read_bytes())
    raw[4096:4596] = bytes(range(250)) * 2
    database.write_bytes(raw)
    window = MainWindow(first.memory)
    window.resize(1280, 800)
    window.show()
    hand = Hand(window, qtbot.waitUntil)
    ready: list[bool] = []
    window.workspace_opened.connect(lambda: ready.append(True))
    try:
        window.open_workspace(root)
        hand.until(lambda: window.pane.state == "error")
        assert hand.sees("is damaged") and not hand.sees("medfm rebuild")
        hand.click("Rebuild the database")
        hand.until(lambda: ready, 60)
        settle(window, qtbot.waitUntil)
        assert _names(hand) == {"two"}
        assert (root / "medfm.sqlite.old1").read_bytes() == bytes(raw)
    finally:
        closed(window)

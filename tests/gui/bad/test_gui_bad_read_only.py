"""A second window looks at everything and changes nothing: what would write is disabled and says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import ImportDataset, MakeSplit
from medfm_gui.desk.asks.train import CreateRuns
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.memory import Memory
from medfm_gui.workspace.cohort import SplitWish
from medfm_gui.workspace.training import TrainRequest
from tests.fixtures.asked import dataset_and_split, ordered
from tests.fixtures.hand import Hand
from tests.fixtures.hostile import class_folders
from tests.fixtures.window import closed, opened_window, settle, visible

WRITES = {
    "home": (),
    "datasets": ("Import", "New split", "Make split"),
    "train": ("Start", "Make split"),
    "runs": ("Pause", "Resume", "Cancel", "Retry", "Clone", "Open test", "New training"),
    "studies": ("Predict", "Open a folder", "Open a file"),
    "compare": ("Compute",),
    "reports": ("New report", "Export"),
    "settings": ("Rebuild the database",),
}
SHOWN = {"settings": {"tab": "workspace"}}
"""What a page is asked to show, where what writes does not stand in front."""


@pytest.fixture
def looking(tmp_path: Path, qtbot: QtBot) -> Iterator[tuple[MainWindow, Path]]:
    """A read-only window on a workspace with a dataset, a split and a run that never began."""
    root = tmp_path / "workspace"
    first = opened_window(root, qtbot.waitUntil)
    hand = Hand(first, qtbot.waitUntil)
    dataset, split = dataset_and_split(hand, str(class_folders(tmp_path / "two", {"a": 8, "b": 8})), "two")
    ordered(hand, TrainRequest(dataset, ("efficientnet-lite0",), ("knn",), split, settings={"k": "1"}))
    second = MainWindow(Memory({}, None))
    second.resize(1280, 800)
    second.show()
    ready: list[bool] = []
    second.workspace_opened.connect(lambda: ready.append(True))
    second.open_workspace(root, is_read_only=True)
    qtbot.waitUntil(lambda: bool(ready), timeout=30_000)
    yield second, root
    closed(second)
    closed(first)


def test_every_button_that_writes_is_disabled_with_its_reason(looking: tuple[MainWindow, Path], qtbot: QtBot) -> None:
    window, root = looking
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and "locks" not in path.parts}
    hand = Hand(window, qtbot.waitUntil)
    for key, words in WRITES.items():
        window.go(key, **SHOWN.get(key, {}))
        settle(window, qtbot.waitUntil)
        if key == "datasets":
            hand.tab("Splits")
            settle(window, qtbot.waitUntil)
        for button in [one for one in visible(window.pages.page(key)) if isinstance(one, QAbstractButton)]:
            name = button.text() or button.accessibleName()
            if name.startswith(words) and words:
                assert not button.isEnabled(), (key, name)
                assert "read-only" in button.toolTip() + button.accessibleDescription(), (key, name)
    for action in window.commands.usable():
        assert not action.id.startswith(("datasets.import", "datasets.split", "studies.open", "studies.predict")), (
            action
        )
    settle(window, qtbot.waitUntil)
    after = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and "locks" not in path.parts}
    changed = {path.name for path, at in after.items() if before.get(path) != at} | {
        path.name for path in before.keys() - after.keys()
    }
    assert not {name for name in changed if not name.startswith("medfm.sqlite")}, changed


@pytest.mark.parametrize(
    "ask",
    [
        ImportDataset("/nowhere", "x"),
        MakeSplit("two", SplitWish(ratios="50/25/25")),
        CreateRuns((TrainRequest("two", ("efficientnet-lite0",), ("knn",)),)),
    ],
    ids=lambda ask: type(ask).__name__,
)
def test_the_desk_refuses_what_writes(ask: object, tmp_path: Path, qtbot: QtBot) -> None:
    window = MainWindow(Memory({}, None))
    window.show()
    ready: list[bool] = []
    window.workspace_opened.connect(lambda: ready.append(True))
    window.open_workspace(tmp_path / "workspace", is_read_only=True)
    qtbot.waitUntil(lambda: bool(ready), timeout=30_000)
    errors: list[MedfmError] = []
    assert window.session is not None
    window.session.desk.ask(ask, owner=window, then=lambda _: None, failed=errors.append)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: bool(errors), timeout=30_000)
    assert "read-only" in errors[0].message
    closed(window)

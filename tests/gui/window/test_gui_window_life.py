"""Opening, being second, being refused, breaking, and leaving."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from medfm_gui.base import children
from medfm_gui.ui import crash
from medfm_gui.ui.app import main
from medfm_gui.ui.bridge import Supervisors
from medfm_gui.ui.closing import ClosingQuestion, Leave
from medfm_gui.ui.command_palette import CommandPalette
from medfm_gui.ui.instance import Instance
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.memory import Memory, memory_file, remembered
from tests.fixtures.window import closed, opened_window, settle, visible


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[MainWindow]:
    one = opened_window(tmp_path / "workspace", qtbot.waitUntil)
    yield one
    closed(one)


def _words(window: MainWindow) -> str:
    texts = [getattr(item, "text", None) for item in visible(window)]
    return " ".join(text() for text in texts if callable(text) and isinstance(text(), str))


def test_a_second_window_is_told_who_has_the_workspace_and_may_look(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    second = MainWindow(Memory({}, None))
    second.show()
    try:
        with qtbot.waitSignal(window.session.called, timeout=30_000):  # type: ignore[union-attr]
            second.open_workspace(tmp_path / "workspace")
        qtbot.waitUntil(lambda: second.pane.state == "error", timeout=30_000)
        assert f"process {os.getpid()}" in _words(second)
        button = next(item for item in visible(second) if isinstance(item, QPushButton) and "read-only" in item.text())
        with qtbot.waitSignal(second.workspace_opened, timeout=30_000):
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert second.session is not None
        assert second.session.is_read_only
        settle(second, qtbot.waitUntil)
    finally:
        closed(second)


def test_a_lock_of_a_window_that_was_killed_is_taken(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "locks").mkdir()
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom PySide6.QtCore import QCoreApplication\n"
        "app = QCoreApplication([])\nfrom medfm_gui.ui.instance import Instance\n"
        "one = Instance(Path(sys.argv[1]))\nassert one.take() is None\nprint('held', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        mine = Instance(tmp_path)
        holder = mine.take()
        assert holder is not None
        assert holder.pid == other.pid
        other.kill()
        other.wait()
    assert mine.take() is None
    mine.release()


def test_a_folder_of_other_things_is_refused_in_place(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.docx").write_text("years of work", encoding="utf-8")
    window = MainWindow(Memory({}, None))
    window.show()
    try:
        window.open_workspace(tmp_path / "mine")
        qtbot.waitUntil(lambda: window.pane.state == "error", timeout=30_000)
        assert "is not a workspace" in _words(window)
        assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["thesis.docx"]
    finally:
        closed(window)


def test_a_workspace_deleted_under_the_window_is_an_error_in_place_and_the_window_stays(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    import shutil

    settle(window, qtbot.waitUntil)
    shutil.rmtree(tmp_path / "workspace")
    for key in ("datasets", "runs", "studies", "compare", "reports", "home"):
        window.go(key)
        window.pages.refresh()
        settle(window, qtbot.waitUntil)
    assert window.isVisible()


def test_commands_are_found_by_typing(window: MainWindow, qtbot: QtBot) -> None:
    QTest.keyClick(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    palette = window.findChild(CommandPalette)
    assert palette is not None
    line = palette.findChild(QLineEdit)
    assert line is not None
    QTest.keyClicks(line, "go to runs")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: getattr(window.pages.currentWidget(), "key", "") == "runs")


def test_leaving_asks_when_runs_go_on_and_going_back_changes_nothing(window: MainWindow, qtbot: QtBot) -> None:
    question = ClosingQuestion(window, 2)
    qtbot.addWidget(question)
    choices = [question.choice]
    titles = [button.text() for button in question.findChildren(QPushButton)]
    assert titles == ["Keep them running", "Pause them", "Cancel them", "Go back"]
    question.findChildren(QPushButton)[1].click()
    choices.append(question.choice)
    assert choices == [Leave.STAY, Leave.PAUSE]


def test_a_window_that_is_called_while_it_waits_for_its_runs_can_be_used_again(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert window.session is not None
    with monkeypatch.context() as patch:
        patch.setattr(Supervisors, "runs", property(lambda _: ("r0404",)))
        window._departure.go(window.session, Leave.PAUSE)
        states = [window.pane.state]
        window.come_to_front()
    assert [*states, window.pane.state] == ["busy", "content"]
    assert not window._departure.is_under_way
    settle(window, qtbot.waitUntil)


def test_what_the_window_remembers_survives_and_a_damaged_file_does_not_matter(qtbot: QtBot) -> None:
    memory = Memory({}, lambda write: write())
    memory.put("page", "runs")
    memory.save()
    assert remembered(memory_file()) == {"page": "runs"}
    memory_file().write_text("{", encoding="utf-8")
    assert remembered(memory_file()) == {}


def test_a_defect_in_a_slot_is_written_without_values_and_the_window_stays(tmp_path: Path) -> None:
    told: list[str] = []
    with crash.crash_care(told.append) as ended_badly:
        assert not ended_badly
        try:
            raise ValueError("Doe^John")
        except ValueError as error:
            sys.excepthook(type(error), error, error.__traceback__)
    log = (crash.logs_folder() / "window.log").read_text(encoding="utf-8")
    assert "ValueError" in log
    assert "Doe" not in log
    assert told == ["ValueError"]


def test_the_next_start_knows_that_a_session_did_not_end(tmp_path: Path) -> None:
    code = (
        "import os\nfrom medfm_gui.ui.crash import crash_care\n"
        "with crash_care(print) as badly:\n    print(badly, flush=True)\n    os.abort()\n"
    )
    first = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert first.returncode == -signal.SIGABRT
    with crash.crash_care(lambda _: None) as ended_badly:
        assert ended_badly
    assert any("Fatal Python error" in path.read_text() for path in crash.logs_folder().glob("crash-*.txt"))


@pytest.mark.parametrize("display", ["", ":4711"])
def test_without_a_display_one_line_names_the_command_line(
    display: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", display)
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can be without one")
    assert main([]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "medfm demo --headless" in said


def test_a_window_that_is_told_to_end_ends_in_good_order(tmp_path: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = children.python("medfm_gui.ui", "--workspace", str(tmp_path / "w"))
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as window:
        deadline = time.monotonic() + 40
        while not (tmp_path / "w" / "locks" / "window.lock").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        begun = time.monotonic()
        window.send_signal(signal.SIGTERM)
        assert window.wait(20) == 0
        assert time.monotonic() - begun < 10  # 5 s where nothing else runs; here other tests may
        assert window.stderr is not None
        assert window.stderr.read() == b""
    assert not list(crash.logs_folder().glob("session-*"))

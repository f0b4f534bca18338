from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.home import (
    Examination,
    Examine,
    FindPlaces,
    LastExamination,
    LookAround,
    Overview,
    Place,
    PlaceList,
    RunDemo,
)
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import DatabaseDamaged, Interrupted, WorkerFailed
from medfm_gui.store.rows import JournalRow
from medfm_gui.ui.pages.home.page import HomePage
from medfm_gui.ui.pages.home.sample import ANSWERS, COMPUTER, EMPTY, FULL
from medfm_gui.ui.sample import WAITS, Answers, sample_context
from medfm_gui.ui.widgets.text import Label

HOSTILE = "<img src='/etc/passwd'><b>Doe & Søn</b>" + "x" * 10_000

Show = Callable[..., HomePage]


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    def open_page(answers: Answers = ANSWERS, memory: dict[str, Any] | None = None, **changes: Any) -> HomePage:
        context = sample_context(answers, **changes)
        for key, value in (memory or {}).items():
            context.memory.put(key, value)
        page = HomePage(context)
        context.desk.setParent(page)  # type: ignore[attr-defined]
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        return page

    return open_page


def said(page: HomePage) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = page.context.desk.said  # type: ignore[attr-defined]
    return found


def asked(page: HomePage, kind: type) -> list[Any]:
    return [ask for ask in page.context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def shown_texts(page: HomePage) -> list[str]:
    return [label.text() for label in page.findChildren(Label) if label.isVisible()]


def click(button: QAbstractButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def recent(*paths: str) -> dict[str, Any]:
    return {"recent": [{"path": path, "at": "2026-11-20T10:00:00"} for path in paths]}


def test_it_is_busy_until_the_workspace_is_open(qtbot: QtBot, show: Show) -> None:
    page = show({**ANSWERS, LookAround: lambda ask: WAITS})
    qtbot.wait(20)
    assert page.states.state == "busy"


def test_a_full_workspace(qtbot: QtBot, show: Show) -> None:
    page = show()
    qtbot.waitUntil(lambda: page.states.state == "content")
    texts = shown_texts(page)
    assert {"13", "3,420 images", "1,184 patients", "1 running, 2 waiting", "9 finished, 1 failed"} <= set(texts)
    assert "Run r0013 ordered: dinov2-b · linear" in page.activity.lines
    assert "NVIDIA RTX 4000 Ada Generation" in texts
    assert not page.demo.isVisible()
    assert not page.crashed.isVisible()


def test_an_empty_workspace_says_what_to_do_and_goes_there(qtbot: QtBot, show: Show) -> None:
    page = show({**ANSWERS, LookAround: lambda ask: EMPTY})
    qtbot.waitUntil(lambda: page.states.state == "content")
    click(page.next.button)
    assert said(page) == [("go", (("datasets",), {}))]


def test_a_failure_is_read_in_place_and_can_be_tried_again(qtbot: QtBot, show: Show) -> None:
    failing = [True]

    def answer(ask: LookAround) -> Overview:
        if failing:
            raise DatabaseDamaged("The database is damaged.", "Run “medfm rebuild”.")
        return FULL

    page = show({**ANSWERS, LookAround: answer})
    qtbot.waitUntil(lambda: page.states.state == "error")
    assert "The database is damaged." in shown_texts(page)
    assert page.places.open_button.isVisible()  # another workspace can be opened
    failing.clear()
    button = next(b for b in page.findChildren(QPushButton) if b.isVisible() and b.text() == "Try again")
    click(button)
    qtbot.waitUntil(lambda: page.states.state == "content")


@pytest.mark.parametrize("key", ["datasets", "runs", "studies", "reports"])
def test_a_tile_leads_to_its_page(qtbot: QtBot, show: Show, key: str) -> None:
    page = show()
    qtbot.waitUntil(lambda: page.states.state == "content")
    tile = page.overview.tiles[key]
    tile.setFocus()
    QTest.keyClick(tile, Qt.Key.Key_Space)
    assert said(page) == [("go", ((key,), {}))]


def test_recent_workspaces_are_listed_without_this_one_and_only_those_that_are_there_can_be_opened(
    qtbot: QtBot, show: Show
) -> None:
    states = {"/studies/a": "workspace", "/studies/b": "gone", "/studies/c": "other"}
    answers = {**ANSWERS, FindPlaces: lambda ask: PlaceList(tuple(Place(p, states[p]) for p in ask.paths))}
    page = show(answers, memory=recent("/workspace", "/studies/a", "/studies/b", "/studies/c"))
    qtbot.waitUntil(lambda: [row.isEnabled() for row in page.places.rows] == [True, False, False])
    assert {"not there now", "no workspace now"} <= set(shown_texts(page))
    click(page.places.rows[0])
    assert said(page) == [("open_workspace", ((Path("/studies/a"),), {}))]


@pytest.mark.parametrize("kept", [None, "x", [1, {"path": ""}, {"at": "2026"}], {"path": "/a"}])
def test_what_somebody_wrote_into_the_memory_does_no_harm(qtbot: QtBot, show: Show, kept: object) -> None:
    page = show(memory={"recent": kept, "demo.start": "soon", "crashed": "perhaps"})
    qtbot.waitUntil(lambda: page.states.state == "content")
    assert page.places.rows == []


@pytest.mark.parametrize(
    ("state", "opened", "words"),
    [("workspace", True, ""), ("empty", True, ""), ("other", False, "holds other files"), ("gone", False, "not there")],
)
def test_a_folder_is_looked_at_before_it_is_opened(
    qtbot: QtBot, show: Show, monkeypatch: pytest.MonkeyPatch, state: str, opened: bool, words: str
) -> None:
    page = show({**ANSWERS, FindPlaces: lambda ask: PlaceList((Place(ask.paths[0], state),))})
    qtbot.waitUntil(lambda: page.states.state == "content")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/studies/found")
    click(page.places.open_button)
    qtbot.waitUntil(lambda: len(asked(page, FindPlaces)) == 1)
    qtbot.waitUntil(lambda: bool(said(page)) if opened else any(words in text for text in shown_texts(page)))
    assert said(page) == ([("open_workspace", ((Path("/studies/found"),), {}))] if opened else [])


def test_a_new_workspace_is_named_and_opened(qtbot: QtBot, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    page = show()
    qtbot.waitUntil(lambda: page.states.state == "content")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: ("/studies/new", ""))
    page.context.actions.run("home.create")
    assert said(page) == [("open_workspace", ((Path("/studies/new"),), {}))]


def test_a_computer_that_nobody_looked_at_is_examined_once(qtbot: QtBot, show: Show) -> None:
    page = show({**ANSWERS, LastExamination: lambda ask: Examination(weights_total=14), Examine: lambda ask: WAITS})
    qtbot.waitUntil(lambda: page.computer.is_busy)
    page.refresh()
    page.examine()
    qtbot.wait(30)
    assert len(asked(page, Examine)) == 1
    assert not page.computer.again_button.isEnabled()


def test_a_failed_examination_says_why_and_leaves_the_rest(qtbot: QtBot, show: Show) -> None:
    def fail(ask: Examine) -> Examination:
        raise WorkerFailed("The worker ended without a word.", "Do it again.")

    page = show({**ANSWERS, Examine: fail})
    qtbot.waitUntil(lambda: page.states.state == "content")
    click(page.computer.again_button)
    qtbot.waitUntil(lambda: "The worker ended without a word." in shown_texts(page))
    assert "NVIDIA RTX 4000 Ada Generation" in shown_texts(page)
    assert page.computer.again_button.isEnabled()


def test_the_demonstration_opens_its_own_workspace_and_starts_there(qtbot: QtBot, show: Show) -> None:
    page = show()
    qtbot.waitUntil(lambda: page.states.state == "content")
    click(page.places.demo_button)
    assert said(page) == [("open_workspace", ((Path(FULL.demo_folder),), {}))]
    wished = page.context.memory.get("demo.start")
    there = show(
        {**ANSWERS, LookAround: lambda ask: replace(EMPTY, is_demo=True), RunDemo: lambda ask: WAITS},
        memory={"demo.start": wished},
    )
    qtbot.waitUntil(lambda: there.demo.is_running)
    assert there.context.memory.get("demo.start") is None
    there.demo.tell_progress(Progress("Training 2 models: r0001", 3, 72, 20.0))
    assert "Training 2 models: r0001" in shown_texts(there)
    assert len(asked(there, RunDemo)) == 1


def test_an_old_wish_for_the_demonstration_is_forgotten(qtbot: QtBot, show: Show) -> None:
    answers = {**ANSWERS, LookAround: lambda ask: replace(EMPTY, is_demo=True)}
    page = show(answers, memory={"demo.start": time.time() - 4000})
    qtbot.waitUntil(lambda: page.states.state == "content")
    qtbot.wait(20)
    assert asked(page, RunDemo) == []
    assert page.demo.isVisible()


def test_a_demonstration_that_is_done_leads_to_what_it_left(qtbot: QtBot, show: Show) -> None:
    page = show({**ANSWERS, LookAround: lambda ask: replace(FULL, is_demo=True)})
    qtbot.waitUntil(lambda: page.demo.isVisible())
    for key in ("runs", "compare", "studies", "reports"):
        click(page.demo.links[key])
    assert said(page) == [
        ("go", (("runs",), {"run": "r0011"})),
        ("go", (("compare",), {"runs": FULL.newest_runs})),
        ("go", (("studies",), {"study": FULL.study})),
        ("go", (("reports",), {"runs": FULL.newest_runs})),
    ]


def test_a_cancelled_demonstration_can_be_started_again(qtbot: QtBot, show: Show) -> None:
    def cancelled(ask: RunDemo) -> None:
        raise Interrupted("The demonstration was cancelled.", "Start it again.")

    page = show({**ANSWERS, LookAround: lambda ask: replace(EMPTY, is_demo=True), RunDemo: cancelled})
    qtbot.waitUntil(lambda: page.demo.start_button.isVisible())
    click(page.demo.start_button)
    qtbot.waitUntil(lambda: "The demonstration was cancelled." in shown_texts(page))
    qtbot.waitUntil(lambda: page.demo.start_button.isVisible())
    assert page.demo.start_button.isEnabled()


def test_a_read_only_workspace_does_not_run_the_demonstration_and_says_why(qtbot: QtBot, show: Show) -> None:
    page = show({**ANSWERS, LookAround: lambda ask: replace(EMPTY, is_demo=True)}, is_read_only=True)
    qtbot.waitUntil(lambda: page.demo.isVisible())
    assert not page.demo.start_button.isEnabled()
    assert "read-only" in page.demo.start_button.toolTip()
    page.context.actions.run("home.demo")
    assert asked(page, RunDemo) == []


def test_a_session_that_ended_badly_is_told_once(qtbot: QtBot, show: Show) -> None:
    page = show(memory={"crashed": True})
    qtbot.waitUntil(lambda: page.crashed.isVisible())
    click(page.crashed.save_button)
    assert said(page) == [("go", (("settings",), {"tab": "diagnostics"}))]
    click(page.crashed.close_button)
    assert not page.crashed.isVisible()
    assert page.context.memory.get("crashed") is False


def test_names_from_data_stay_plain(qtbot: QtBot, show: Show) -> None:
    row = JournalRow("not a time", "dataset imported", HOSTILE, {})
    odd = JournalRow("2026-11-01T10:00:00Z", HOSTILE, HOSTILE, {"runs": HOSTILE})
    seen = replace(FULL, root=f"/{HOSTILE}", journal=(row, odd))
    hostile = replace(COMPUTER, diagnosis=replace(COMPUTER.diagnosis, torch=HOSTILE))  # type: ignore[type-var]
    page = show(
        {**ANSWERS, LookAround: lambda ask: seen, LastExamination: lambda ask: hostile},
        memory=recent(f"/{HOSTILE}"),
    )
    qtbot.waitUntil(lambda: page.states.state == "content")
    assert page.width() == 1080
    for label in page.findChildren(Label):
        assert label.textFormat() is Qt.TextFormat.PlainText
    assert "<img" not in page.places.rows[0].toolTip()


def test_the_page_fits_a_small_window(qtbot: QtBot, show: Show) -> None:
    page = show(memory={**recent("/a", "/b", "/c"), "crashed": True})
    qtbot.waitUntil(lambda: page.states.state == "content")
    page.resize(900, 600)
    qtbot.wait(20)
    assert (page.width(), page.height()) == (900, 600)

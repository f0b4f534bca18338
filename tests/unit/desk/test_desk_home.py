from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medfm_gui.base.settings import Settings
from medfm_gui.desk.answers import home
from medfm_gui.desk.asks.home import (
    Examination,
    Examine,
    FindPlaces,
    LastExamination,
    LookAround,
    RunDemo,
)
from medfm_gui.desk.protocol import Progress
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.errors import Interrupted, UsageError, WorkerFailed
from medfm_gui.domain.run import RunState
from medfm_gui.workspace import demo, doctor
from medfm_gui.workspace.doctor import Device, Diagnosis, Problem
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import open_workspace


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("MEDFM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(demo, "default_folder", lambda: tmp_path / "demo")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_workspace(tmp_path / "w") as workspace, Room(workspace) as opened:
        yield opened


def told() -> tuple[Told, list[Progress]]:
    heard: list[Progress] = []
    return Told(lambda _, value: heard.append(value)), heard


DIAGNOSIS = Diagnosis(
    (Device("cpu", "A processor", 15.6),), "2.14.1", {"python": "3.11"}, 100.0, "/weights", "/w", "off", ()
)


def test_an_empty_workspace_has_nothing_and_says_where_the_demonstration_is(room: Room, tmp_path: Path) -> None:
    seen = home.look_around(room, LookAround(), told()[0])
    assert (seen.datasets, seen.runs, seen.studies, seen.reports, seen.journal) == (0, 0, 0, 0, ())
    assert not seen.is_demo
    assert seen.demo_folder == str(tmp_path / "demo")
    assert seen.root == str(tmp_path / "w")


def test_the_journal_comes_newest_first_and_as_long_as_asked(room: Room) -> None:
    for subject in ("one", "two", "three"):
        note(room.workspace, "split made", subject)
    room.workspace.store.flush()
    seen = home.look_around(room, LookAround(lines=2), told()[0])
    assert [row.subject for row in seen.journal] == ["three", "two"]


def test_places_are_told_apart(room: Room, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "workspace.json").write_text('{"format": 999, "made_by": "9"}', encoding="utf-8")
    asked = tuple(str(tmp_path / name) for name in ("w", "empty", "photos", "newer", "gone"))
    found = home.find_places(room, FindPlaces((*asked, "with\0nul")), told()[0])
    assert [place.state for place in found.places] == ["workspace", "empty", "other", "other", "gone", "gone"]
    assert [place.path for place in found.places[:5]] == list(asked)


def test_nobody_has_looked_at_this_computer_yet(room: Room) -> None:
    seen = home.last_examination(room, LastExamination(), told()[0])
    assert seen.diagnosis is None
    assert seen.weights_total > 5
    assert 0 < seen.weights_present < seen.weights_total  # the bundled ones


def test_an_examination_is_kept_for_the_next_start(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def seen(settings: Settings, workspace: Path | None = None) -> Diagnosis:
        return DIAGNOSIS

    monkeypatch.setattr(doctor, "examine", seen)
    say, heard = told()
    now = home.examine(room, Examine(), say)
    assert now.diagnosis is not None
    assert now.diagnosis.devices == DIAGNOSIS.devices
    assert heard
    assert home.last_examination(room, LastExamination(), told()[0]) == now


def test_an_examination_of_another_computer_does_not_count(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda settings, workspace=None: DIAGNOSIS)
    home.examine(room, Examine(), told()[0])
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    assert home.last_examination(room, LastExamination(), told()[0]).diagnosis is None


def test_a_damaged_or_unwritable_note_of_it_is_no_failure(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = room.workspace.root / "logs" / "computer.json"
    kept.parent.mkdir()
    kept.write_text("{", encoding="utf-8")
    assert home.last_examination(room, LastExamination(), told()[0]).diagnosis is None
    kept.unlink()
    kept.mkdir()
    problem = replace(DIAGNOSIS, problems=(Problem("No torch.", "Install it."),))
    monkeypatch.setattr(doctor, "examine", lambda settings, workspace=None: problem)
    seen = home.examine(room, Examine(), told()[0])
    assert isinstance(seen, Examination)
    assert seen.diagnosis is not None
    assert seen.diagnosis.problems == problem.problems


def test_the_demonstration_stays_out_of_other_workspaces(room: Room) -> None:
    with pytest.raises(UsageError, match="workspace of its own"):
        home.run_demo(room, RunDemo(), told()[0])
    assert not list((room.workspace.root / "datasets").iterdir())


def test_a_cancelled_demonstration_says_so_whatever_it_failed_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(workspace: object, *, on_step: demo.OnStep, on_events: demo.OnEvents) -> demo.DemoOutcome:
        on_step("Simulating patients", 1, 10)
        say.stopped.set()
        on_events("r0001", (), RunState())  # raises nothing: a supervisor would take it for its own failure
        raise WorkerFailed("r0001 did not finish.", "")

    monkeypatch.setattr(demo, "run_demo", run)
    say, heard = told()
    with (
        open_workspace(tmp_path / "demo") as workspace,
        Room(workspace) as room,
        pytest.raises(Interrupted, match="was cancelled"),
    ):
        home.run_demo(room, RunDemo(), say)
    assert [item.text for item in heard] == ["Simulating patients"]


def test_the_name_of_every_step_of_the_demonstration_is_heard(room: Room) -> None:
    say, heard = told()
    watch = home._DemoWatch(room, say)
    for name in ("Simulating patients", "Opening the sealed test set", "Writing the report"):
        watch.step(name, 0, 0)
    assert [item.text for item in heard] == ["Simulating patients", "Opening the sealed test set", "Writing the report"]

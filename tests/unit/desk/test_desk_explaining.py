"""Another explanation of what was predicted, and checks of a run's maps; the worker is a double."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base import wire
from medfm_gui.desk.answers import explaining, map_checks, predicting
from medfm_gui.desk.asks.map_checks import CheckMaps, ListMapChecks
from medfm_gui.desk.asks.studies import ExplainAgain
from medfm_gui.desk.protocol import Progress
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import Interrupted, NotFound, UnreadableFile, UsageError
from medfm_gui.domain.explain import NOT_CLASS_SPECIFIC, MapChecks, Neighbour
from medfm_gui.domain.run import StudySpec
from medfm_gui.workspace import errands
from medfm_gui.workspace import map_checks as work
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.prediction import MAP_NOTE, Explanation, PredictionFile, StudyPrediction


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_workspace(tmp_path / "ws") as workspace, Room(workspace) as room:
        yield room


def told() -> tuple[Told, list[Any]]:
    heard: list[Any] = []
    return Told(lambda what, value: heard.append(value)), heard


@pytest.fixture
def predicted(room: Room, tmp_path: Path) -> Path:
    """A prediction of one picture that is kept; the picture's path."""
    picture = tmp_path / "a.png"
    Image.new("L", (6, 4), 90).save(picture)
    (room.workspace.root / "runs" / "r0001").mkdir(parents=True)
    folder = room.workspace.root / "predictions" / "p0001"
    folder.mkdir(parents=True)
    explained = Explanation("gradcam", "", "sick", "map-1.npy", source=str(picture), note=MAP_NOTE)
    item = StudyPrediction(str(picture), "r0001", {"well": 0.3, "sick": 0.7}, "sick", 0.5, explanation=explained)
    plain = StudyPrediction(str(picture), "r0002", {"well": 0.3, "sick": 0.7}, "sick", 0.5)
    wire.write(folder / "prediction.json", PredictionFile("p0001", "2026-11-22T07:00:00Z", (item, plain)))
    return picture


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[StudySpec]]:
    """A warm worker that writes a map of this value, or answers with neighbours."""

    def install(value: float | None = 0.5, note: str = "") -> list[StudySpec]:
        orders: list[StudySpec] = []

        def ask(warm: object, folder: Path, *, on_event: Any, stop: threading.Event) -> list[ev.Event]:
            order = wire.decode_spec((folder / "spec.json").read_bytes())
            assert isinstance(order, StudySpec)
            assert np.load(order.images[0].path).shape == (4, 6)
            orders.append(order)
            on_event(ev.StageStarted(0.0, "explain", 1))
            on_event(ev.Progressed(0.0, order.explain, 40, 200))
            path = ""
            if value is not None:
                path = str(folder / "map-00001.npy")
                np.save(path, np.full((4, 6), value, np.float32))
            source = order.images[0].source
            return [ev.StudyPredicted(0.0, "r0001", source, (0.3, 0.7), 1, map=path, map_note=note)]

        monkeypatch.setattr(errands, "ask_warm", ask)
        monkeypatch.setattr(Room, "warm", lambda self: None)
        return orders

    return install


def test_one_image_is_explained_in_another_way(room: Room, predicted: Path, worker: Any) -> None:
    orders = worker()
    said, heard = told()
    found = explaining.explain_again(room, ExplainAgain("p0001", 0, "eigencam"), said)
    assert (found.rows, found.columns, found.method, found.target) == (4, 6, "eigencam", "sick")
    assert not found.is_blank and found.reason == ""
    assert found.note == f"{NOT_CLASS_SPECIFIC} {MAP_NOTE}"
    assert (orders[0].explain, orders[0].target) == ("eigencam", 1)
    assert any(isinstance(one, Progress) and one.text == "EigenCAM" and one.done == 40 for one in heard)
    assert not list(room.scratch.iterdir())


def test_an_empty_map_comes_with_its_reason(room: Room, predicted: Path, worker: Any) -> None:
    worker(0.0, "no positive evidence")
    found = explaining.explain_again(room, ExplainAgain("p0001", 0, "occlusion"), told()[0])
    assert found.is_blank
    assert (found.reason, found.note) == ("no positive evidence", MAP_NOTE)


def test_a_model_without_maps_answers_with_a_note(room: Room, predicted: Path, worker: Any) -> None:
    worker(None, "A vote has no map.")
    found = explaining.explain_again(room, ExplainAgain("p0001", 0, "gradcam"), told()[0])
    assert found.rows == 0 and found.note == "A vote has no map."


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (ExplainAgain("p0001", 0, "astrology"), UsageError),
        (ExplainAgain("p0001", 1, "gradcam"), NotFound),
        (ExplainAgain("p0001", 7, "gradcam"), NotFound),
        (ExplainAgain("p0009", 0, "gradcam"), NotFound),
    ],
)
def test_what_cannot_be_explained_says_why(
    room: Room, predicted: Path, worker: Any, ask: ExplainAgain, error: type[Exception]
) -> None:
    worker()
    with pytest.raises(error):
        explaining.explain_again(room, ask, told()[0])


def test_an_image_that_is_gone_is_named(room: Room, predicted: Path, worker: Any) -> None:
    worker()
    predicted.unlink()
    with pytest.raises(UnreadableFile, match="cannot be read any more"):
        explaining.explain_again(room, ExplainAgain("p0001", 0, "gradcam"), told()[0])


def test_reason_and_general_note_are_told_apart() -> None:
    assert predicting.told_apart(MAP_NOTE) == ("", MAP_NOTE)
    assert predicting.told_apart(f"no positive evidence {MAP_NOTE}") == ("no positive evidence", MAP_NOTE)
    both = f"{NOT_CLASS_SPECIFIC} {MAP_NOTE}"
    assert predicting.told_apart(f"uniform {both}") == ("uniform", both)
    assert predicting.told_apart("An older note.") == ("An older note.", "")


def test_progress_names_the_image_that_takes_long() -> None:
    said, heard = told()
    telling = predicting.Telling(said)
    telling(ev.StageStarted(0.0, "explain", 3))
    telling(ev.Progressed(0.0, "explain", 1, 3))
    telling(ev.Progressed(0.0, "occlusion", 196, 196))
    assert (heard[0].text, heard[0].total) == ("Explaining", 3)
    assert (heard[-1].text, heard[-1].done) == ("Occlusion, image 2 of 3", 196)


def test_neighbours_of_a_vote_reach_the_window() -> None:
    near = (Neighbour("s1", ("sick",), 0.9, 0.6),)
    item = StudyPrediction(
        "a", "r0001", {"sick": 0.7}, "sick", None, explanation=Explanation("neighbours", "", "sick", neighbours=near)
    )
    said = predicting._said("p0001", 0, item, predicting._Run("title", "MAE", "binary", "sick", "chest"))
    assert (said.neighbours, said.dataset, said.method, said.has_map) == (near, "chest", "neighbours", False)


# --- checks of a run's maps


def checks(run: str, explain: str, created: str) -> MapChecks:
    return MapChecks(run, explain, "val", 0, 8, 0, (), created=created)


def test_kept_checks_come_newest_first(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    there = {
        "gradcam": checks("r0001", "gradcam", "2026-01-01"),
        "occlusion": checks("r0001", "occlusion", "2026-02-01"),
    }
    monkeypatch.setattr(work, "kept_checks", lambda workspace, run, explain: there.get(explain))
    monkeypatch.setattr(type(room.workspace), "run", lambda self, run: self.root / "runs" / run)
    assert map_checks.list_map_checks(room, ListMapChecks("r0001"), told()[0]).checks == ()
    (room.workspace.root / "runs" / "r0001" / "map_checks").mkdir(parents=True)
    found = map_checks.list_map_checks(room, ListMapChecks("r0001"), told()[0])
    assert [one.explanation for one in found.checks] == ["occlusion", "gradcam"]


def test_a_check_tells_how_far_it_is(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[work.CheckRequest] = []

    def measure(workspace: object, request: work.CheckRequest, *, on_event: Any, stop: threading.Event) -> MapChecks:
        asked.append(request)
        on_event(ev.StageStarted(0.0, "shuffled weights", 8))
        on_event(ev.Progressed(0.0, "shuffled weights", 8, 8))
        return checks(request.run, request.explain, "")

    monkeypatch.setattr(work, "check_maps", measure)
    said, heard = told()
    found = map_checks.check_maps(room, CheckMaps("r0001", "layercam", "train", 8), said)
    assert found.explanation == "layercam"
    assert (asked[0].run, asked[0].subset, asked[0].images) == ("r0001", "train", 8)
    assert heard[-1].text == "Shuffling the weights"


def test_a_cancelled_check_says_so(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> MapChecks:
        raise Interrupted("The work was stopped before it was done.")

    monkeypatch.setattr(work, "check_maps", stopped)
    with pytest.raises(Interrupted, match="check of the maps was cancelled"):
        map_checks.check_maps(room, CheckMaps("r0001", "gradcam"), told()[0])

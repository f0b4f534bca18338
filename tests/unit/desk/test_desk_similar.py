"""Training images to compare with are made from the window; the worker is a double."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.desk.answers import predicting, similar
from medfm_gui.desk.asks.studies import KeepSimilar, ShowPrediction, SimilarKept
from medfm_gui.desk.protocol import Progress
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import Interrupted
from medfm_gui.domain.similar import OutlierLimit, SimilarCase
from medfm_gui.workspace import outliers
from medfm_gui.workspace.outliers import OUTLIER, SIMILAR
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.prediction import PredictionFile, StudyPrediction
from tests.fixtures.opened import drawn_dataset, opened_run

LIMIT = OutlierLimit(0.3, 0.2, 0.95, "cal", 240, 118, 10, 70, 120, "for a test")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with open_workspace(tmp_path_factory.mktemp("similar") / "ws", settings=Settings()) as workspace:
        run = opened_run(workspace, drawn_dataset(workspace, 120))
        with Room(workspace) as room:
            yield SimpleNamespace(room=room, run=run, folder=workspace.run(run))


def told() -> tuple[Told, list[Any]]:
    heard: list[Any] = []
    return Told(lambda what, value: heard.append(value)), heard


def test_the_worker_is_asked_and_how_far_it_is_comes_through(
    place: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(order: Any, *, on_event: Any, stop: Any) -> list[ev.Event]:
        on_event(ev.Progressed(0.0, "features", 40, 70, seconds_left=3.0))
        wire.write(Path(order.run_folder) / OUTLIER, LIMIT)
        (Path(order.run_folder) / SIMILAR).write_bytes(b"rows")
        return []

    monkeypatch.setattr(outliers, "run_errand", work)
    said, heard = told()
    assert similar.keep_similar(place.room, KeepSimilar(place.run), said) == SimilarKept(place.run, 70, "for a test")
    assert Progress("Looking at images", 40, 70, 3.0) in heard

    def stopped(order: Any, **_: Any) -> list[ev.Event]:
        raise Interrupted("The work was stopped.", "")

    (place.folder / SIMILAR).unlink()
    monkeypatch.setattr(outliers, "run_errand", stopped)
    with pytest.raises(Interrupted, match="not computed"):
        similar.keep_similar(place.room, KeepSimilar(place.run), told()[0])


def test_an_answer_says_whether_its_run_lacks_them(place: SimpleNamespace) -> None:
    for name in (OUTLIER, SIMILAR):
        (place.folder / name).unlink(missing_ok=True)
    scores = {"without": 0.4, "with": 0.6}
    early = StudyPrediction("/a.png", place.run, scores, "with", None)
    late = StudyPrediction("/b.png", place.run, scores, "with", None, similar=(SimilarCase("s1", ("with",), 0.1),))
    gone = StudyPrediction("/c.png", "r0999", scores, "with", None)
    folder = place.room.workspace.root / "predictions" / "p0001"
    folder.mkdir(parents=True)
    wire.write(folder / "prediction.json", PredictionFile("p0001", "2026-11-22T07:00:00Z", (early, late, gone)))

    def lacking() -> list[bool]:
        view = predicting.show_prediction(place.room, ShowPrediction("p0001"), told()[0])
        return [one.can_keep_similar for image in view.images for one in image.said]

    assert lacking() == [True, True, False], "one image of the run was compared with nothing"
    wire.write(place.folder / OUTLIER, LIMIT)
    (place.folder / SIMILAR).write_bytes(b"rows")
    assert lacking() == [False, False, False], "they are there: a new prediction names them"

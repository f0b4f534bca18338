"""Work that a person ends: nothing half-made stays, and the next thing works."""

from __future__ import annotations

import functools
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.datasets.listing import ImportOptions
from medfm_gui.domain.errors import InputError, Interrupted
from medfm_gui.domain.events import RunFinished, RunStarted
from medfm_gui.domain.run import PredictSpec
from medfm_gui.domain.study import Study
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.jobs import process
from medfm_gui.jobs.warm import WarmWorker
from medfm_gui.workspace import data, errands, studies
from medfm_gui.workspace.place import Workspace, open_workspace

FAKE = str(Path(__file__).parents[1] / "jobs" / "fake_worker.py")
SPEC = PredictSpec("", "val", "")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as opened:
        yield opened


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    command = lambda folder: [sys.executable, "-P", FAKE, str(folder)]  # noqa: E731
    monkeypatch.setattr(process, "supervise", functools.partial(process.supervise, command=command))


def _planned(folder: Path, **plan: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "spec.json").write_bytes(wire.encode_spec(SPEC))
    (folder / "plan.json").write_text(json.dumps(plan))
    return folder


def test_an_errand_ends_when_it_is_asked_to(tmp_path: Path, fake: None) -> None:
    folder = _planned(tmp_path / "job", epoch_s=60)
    stop = threading.Event()
    with pytest.raises(Interrupted, match="stopped before it was done"):
        errands.run_errand(
            SPEC, folder=folder, stop=stop, on_event=lambda event: stop.set() if isinstance(event, RunStarted) else None
        )
    _planned(folder, epochs=1)
    assert isinstance(errands.run_errand(SPEC, folder=folder, stop=threading.Event())[-1], RunFinished)


def test_an_errand_that_is_not_wanted_any_more_never_starts(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        errands.run_errand(SPEC, folder=tmp_path, stop=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_warm_worker_is_stopped_and_answers_the_next(tmp_path: Path) -> None:
    folder = _planned(tmp_path / "a", epoch_s=60)
    stop = threading.Event()
    before = threading.active_count()
    with WarmWorker(tmp_path / "warm.log", command=lambda: [sys.executable, "-P", FAKE, "--serve"]) as warm:
        with pytest.raises(Interrupted):
            errands.ask_warm(
                warm, folder, stop=stop, on_event=lambda event: stop.set() if isinstance(event, RunStarted) else None
            )
        said = errands.ask_warm(warm, _planned(tmp_path / "b"), stop=threading.Event())
    assert isinstance(said[-1], RunFinished)
    assert threading.active_count() <= before + 1, "only the thread that starts children stays"


def _pictures(folder: Path, count: int) -> None:
    rng = np.random.default_rng(1)
    for number in range(count):
        place = folder / ("ill" if number % 2 else "well")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(place / f"{number:03d}.png")


def test_a_stopped_import_leaves_nothing(workspace: Workspace, tmp_path: Path) -> None:
    _pictures(tmp_path / "in", 12)

    def give_up(done: int, total: int) -> None:
        if done == 5:
            raise Interrupted("It was cancelled.")

    with pytest.raises(Interrupted):
        data.import_dataset(workspace, "auto", tmp_path / "in", ImportOptions(), on_progress=give_up)
    assert list((workspace.root / "datasets").iterdir()) == []
    assert len(data.import_dataset(workspace, "auto", tmp_path / "in", ImportOptions()).samples) == 12


def test_studies_are_told_while_a_folder_is_read(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medfm_gui.imaging import series

    monkeypatch.setattr(series, "_FIRST_LOOK_S", 0.0)
    monkeypatch.setattr(series, "_LOOK_S", 0.0)
    monkeypatch.setattr(series, "_DEAR", 0.0)
    folder = Path(str(pydicom.__file__)).parent / "data" / "test_files" / "dicomdirtests"
    steps: list[tuple[int, int]] = []
    told: list[Study] = []
    with DecodePool(processes=1) as pool:
        found = studies.import_studies(
            workspace,
            folder,
            pool=pool,
            on_progress=lambda done, total: steps.append((done, total)),
            on_study=told.append,
        )
        assert [done for done, _ in steps] == list(range(1, steps[0][1] + 1))
        assert len(told) > len(found.studies), "some were told before they were whole"
        assert tuple(told[-len(found.studies) :]) == found.studies
        early = [study for study in told if study.uid == found.studies[0].uid]
        assert len(early[0].series[0].instances) <= len(found.studies[0].series[0].instances)
        assert {study.uid for study in studies.every_study(workspace)} == {study.uid for study in found.studies}
        assert studies.read_study(workspace, found.studies[0].uid) == found.studies[0]


def test_a_stopped_reading_keeps_nothing_and_the_pool_goes_on(workspace: Workspace, tmp_path: Path) -> None:
    _pictures(tmp_path / "in", 30)
    seen: list[int] = []
    with DecodePool(processes=1) as pool:
        with pytest.raises(Interrupted):
            studies.import_studies(
                workspace,
                tmp_path / "in",
                pool=pool,
                on_progress=lambda done, _: seen.append(done),
                should_stop=lambda: len(seen) >= 3,
            )
        assert len(seen) == 3 and studies.every_study(workspace) == []
        with pytest.raises(InputError, match="no DICOM image"):
            studies.import_studies(workspace, tmp_path / "in", pool=pool)

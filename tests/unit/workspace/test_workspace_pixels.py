"""Decoded images as runs order them: how large, made in the run's preparation, gone on from after a kill."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base.settings import Settings
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.pixel_making import fitting
from medfm_gui.datasets.pixels import Look, PixelCache
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import Interrupted, UsageError
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.domain.split import Partition
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.jobs.owner import read_owner
from medfm_gui.jobs.warm import WarmWorker
from medfm_gui.workspace import data, pixels, training
from medfm_gui.workspace.looks import looks_of
from medfm_gui.workspace.pixels import needed_side, needs_of, sized
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.training import TrainRequest
from medfm_gui.workspace.viewing import sample_thumbnails

MODEL = "efficientnet-lite0"  # its weights come with a package
PER_CLASS = 12


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    noise = np.random.default_rng(7)
    for side in ("benign", "malignant"):
        (folder / side).mkdir()
        for number in range(PER_CLASS):
            small = noise.integers(0, 255, (20, 24), dtype=np.uint8)
            Image.fromarray(small).resize((720, 600)).save(folder / side / f"{number}.png", compress_level=1)
    return folder


@pytest.fixture
def workspace(tmp_path: Path, source: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        data.import_dataset(workspace, "folder", source, ImportOptions(), name="noise")
        data.make_split(workspace, "noise", SplitRequest())
        yield workspace


def request(size: int, *, adapt: str = "linear", **settings: str) -> TrainRequest:
    return TrainRequest("noise", (MODEL,), (adapt,), settings={"input_size": str(size), "epochs": "2", **settings})


def test_one_size_serves_all_that_need_more_than_the_import_made(workspace: Workspace) -> None:
    drafts = [
        draft
        for size, geometry in ((224, "stretch"), (544, "stretch"), (512, "centre-crop"))
        for draft in training.drafts_of(workspace, request(size, geometry=geometry))
    ]
    assert [needed_side(draft) for draft in drafts] == [224, 544, 585]
    made = sized(drafts)
    assert [draft.pixels_side for draft in made] == [512, 585, 585]
    assert sized(made) == made
    assert [(need.side, need.images) for need in needs_of(workspace, made)] == [(585, 2 * PER_CLASS)]
    assert needs_of(workspace, sized(drafts[:1])) == ()


def test_a_run_decodes_what_it_needs_and_says_how_far_it_is(workspace: Workspace) -> None:
    (run,) = training.create_runs(workspace, request(544))
    seen: list[ev.Event] = []
    (view,) = training.run_to_end(workspace, [run.id], on_state=lambda _, events, __: seen.extend(events))
    assert view.state.phase is Phase.FINISHED, view.state.message
    stages = list(dict.fromkeys(event.stage for event in seen if isinstance(event, ev.StageStarted)))
    assert stages[:2] == ["pixels", "weights"]
    last = [event for event in seen if isinstance(event, ev.Progressed) and event.stage == "pixels"][-1]
    assert (last.done, last.total) == (2 * PER_CLASS, 2 * PER_CLASS)
    folder = workspace.dataset("noise") / "pixels"
    assert min(PixelCache(folder, Look(544)).image("s000001").shape) == 544


def test_a_worker_killed_while_decoding_goes_on_to_the_same_result(workspace: Workspace, tmp_path: Path) -> None:
    (whole,) = training.create_runs(workspace, request(544))
    training.run_to_end(workspace, [whole.id])
    store = workspace.root / "pixels"
    shutil.rmtree(store)
    shutil.rmtree(workspace.root / "features")
    (run,) = training.create_runs(workspace, request(544))
    killed: list[int] = []

    def kill(run_id: str, events: Sequence[ev.Event], state: RunState) -> None:
        owner = read_owner(run.folder)
        if state.stage == "pixels" and owner is not None and owner.worker is not None and not killed:
            killed.append(state.done)
            os.kill(owner.worker.pid, signal.SIGKILL)

    (view,) = training.run_to_end(workspace, [run.id], on_state=kill)
    assert killed
    assert (view.state.phase, view.state.resumable) == (Phase.FAILED, True)
    folder = workspace.dataset("noise") / "pixels"
    deadline = time.monotonic() + 10
    while list(store.glob("*/about.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    (view,) = training.run_to_end(workspace, [run.id])
    assert view.state.phase is Phase.FINISHED, view.state.message
    one, other = (each.folder / "predictions" / "val.npz" for each in (whole, run))
    with np.load(one) as first, np.load(other) as second:
        assert all(np.array_equal(first[name], second[name]) for name in first.files)
    PixelCache(folder, Look(544)).check()


def test_what_was_let_go_is_made_again(workspace: Workspace) -> None:
    folder = workspace.dataset("noise") / "pixels"
    before = PixelCache(folder).image("s000001").copy()
    shutil.rmtree(workspace.root / "pixels")
    told: list[tuple[int, int]] = []
    pixels.make_again(workspace, "noise", on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2 * PER_CLASS, 2 * PER_CLASS)
    assert np.array_equal(PixelCache(folder).image("s000001"), before)


def test_pixels_keep_within_the_limit(workspace: Workspace, source: Path) -> None:
    narrow = replace(workspace, settings=Settings(pixels_gb=1e-9))
    first = PixelCache(workspace.dataset("noise") / "pixels").set
    other = source.parent / "others"
    shutil.copytree(source, other)
    Image.open(source / "benign" / "0.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(other / "benign" / "0.png")
    data.import_dataset(narrow, "folder", other, ImportOptions(), name="others")
    kept = [path.parent.name for path in (workspace.root / "pixels").glob("*/about.json")]
    assert kept == [PixelCache(workspace.dataset("others") / "pixels").set] != [first]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmWorker]:
    with WarmWorker(tmp_path_factory.mktemp("log") / "warm.log") as worker:
        yield worker


@pytest.mark.parametrize(
    ("adapt", "settings", "columns"), [("linear", {}, 1), ("full", {}, 5), ("full", {"augment": "no"}, 1)]
)
def test_images_are_shown_as_a_model_sees_them(
    workspace: Workspace, warm: WarmWorker, adapt: str, settings: dict[str, str], columns: int
) -> None:
    with DecodePool(processes=1) as pool:
        found = looks_of(workspace, request(64, adapt=adapt, **settings), warm=warm, pool=pool)
    assert (len(found.samples), len(found.columns), found.size) == (3, columns, 64)
    assert len(found.pixels) == 3 * columns * found.side**2 * 3
    assert bool(found.note) == (columns == 1)
    (split,) = data.splits_of(workspace, "noise-s1")
    assert set(found.samples) <= set(split.samples_in(Partition.TRAIN))


def test_without_a_model_nothing_is_shown(workspace: Workspace, warm: WarmWorker) -> None:
    with DecodePool(processes=1) as pool, pytest.raises(UsageError):
        looks_of(workspace, TrainRequest("noise", (), ("linear",)), warm=warm, pool=pool)


# -- bounds of HU where there are none


@pytest.mark.parametrize(
    ("path", "covariates", "slices", "stays"),
    [
        ("a.png", {}, 0, False),
        ("a.JPG", {"modality": "MR"}, 0, False),
        ("a.dcm", {"modality": "CT"}, 0, True),
        ("a.dcm", {"modality": "MR"}, 0, False),
        ("IM0001", {}, 0, True),
        ("a.nii.gz", {"modality": "MRI"}, 0, True),
        ("a.npy", {}, 0, True),
        ("a", {}, 20, True),
    ],
)
def test_bounds_of_hu_are_kept_where_values_may_be_hu(
    path: str, covariates: dict[str, str], slices: int, stays: bool
) -> None:
    sample = Sample("s1", path, (0,), covariates=covariates, slices=slices)
    dataset = Dataset("d", "d", "csv", Task.BINARY, ("a", "b"), "/x", (sample,), "f", positive="b")
    look = Look(0, (-1024.0, 600.0))
    assert fitting(dataset, look) == (look if stays else Look(0))
    assert fitting(dataset, Look(700)) == Look(700)


def test_bounds_of_hu_make_no_second_cache_of_pictures(workspace: Workspace) -> None:
    drafts = training.drafts_of(workspace, request(64, hu_window="-1024,600"))
    assert needs_of(workspace, drafts) == ()
    cache = pixels.cache_of_run(drafts[0])
    assert cache.look == Look()
    (run,) = training.create_drafts(workspace, drafts)
    folder = workspace.dataset("noise") / "pixels"
    before = sorted(path.name for path in folder.iterdir())
    training.run_to_end(workspace, [run.id])
    assert training.view(workspace, run.id).state.phase is Phase.FINISHED
    assert sorted(path.name for path in folder.iterdir()) == before
    assert not [path for path in (workspace.root / "pixels").glob("*/about.json") if b'clamp": [' in path.read_bytes()]


def test_previews_that_were_let_go_are_made_again(workspace: Workspace) -> None:
    folder = workspace.dataset("noise") / "pixels"
    before = {name: PixelCache(folder).image(name).tobytes() for name in ("s000001", "s000024")}
    shutil.rmtree(workspace.root / "pixels")
    (tile,) = sample_thumbnails(workspace, "noise", ["s000001"])
    assert not tile.rows and tile.message
    told: list[tuple[int, int]] = []
    pixels.make_again(workspace, "noise", on_progress=lambda done, total: told.append((done, total)))
    assert told and told[-1] == (2 * PER_CLASS, 2 * PER_CLASS)
    assert {name: PixelCache(folder).image(name).tobytes() for name in before} == before
    (tile,) = sample_thumbnails(workspace, "noise", ["s000001"])
    assert tile.rows and not tile.message


def test_making_previews_again_can_be_stopped_and_goes_on(workspace: Workspace) -> None:
    shutil.rmtree(workspace.root / "pixels")

    def stop(done: int, total: int) -> None:
        raise Interrupted("It was stopped.", "Begin again.")

    with pytest.raises(Interrupted):
        pixels.make_again(workspace, "noise", on_progress=stop)
    pixels.make_again(workspace, "noise", on_progress=lambda done, total: None)
    PixelCache(workspace.dataset("noise") / "pixels").check()

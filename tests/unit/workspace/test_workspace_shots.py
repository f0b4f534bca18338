"""Few shots and seeds as axes of a request, and what a head begins with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.base.weights_status import WeightsRecord, record_file
from medfm_gui.cli.app import app
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.errors import UsageError, WeightsAbsent
from medfm_gui.store import queries
from medfm_gui.workspace import data, monitoring, training
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.training import TrainRequest, create_runs

MODEL = "efficientnet-lite0"  # its weights come with a package


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shots")
    noise = np.random.default_rng(3)
    for side in ("benign", "malignant"):
        (folder / "images" / side).mkdir(parents=True)
        for number in range(12):
            pixels = noise.integers(0, 255, (20, 20), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / side / f"{number}.png")
    with open_workspace(folder / "ws", settings=Settings()) as workspace:
        data.import_dataset(workspace, "folder", folder / "images", ImportOptions(), name="noise")
        data.make_split(workspace, "noise", SplitRequest())
    return folder / "ws"


@pytest.fixture
def workspace(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("MEDFM_WEIGHTS", str(tmp_path / "weights"))
    with open_workspace(root, settings=Settings()) as workspace:
        yield workspace


def _request(adapt: str = "linear", **more: Any) -> TrainRequest:
    return TrainRequest("noise", (MODEL,), (adapt,), **more)


def test_a_run_for_every_number_of_shots_and_seed(workspace: Workspace) -> None:
    views = create_runs(workspace, _request(shots=(1, 4, None), seeds=(0, 1)))
    wanted = [(1, 0), (1, 1), (4, 0), (4, 1), (None, 0), (None, 1)]
    assert [(view.spec.shots, view.spec.seed) for view in views] == wanted
    with workspace.store.reading() as reader:
        rows = {row.id: row for row in queries.runs(reader)}
    assert [rows[view.id].shots for view in views] == [1, 1, 4, 4, None, None]
    assert rows[views[0].id].state.labels_used == 0


@pytest.mark.parametrize("shots", [(), (0,), (2, -1)])
def test_no_shots_are_no_run(workspace: Workspace, shots: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="one shot"):
        create_runs(workspace, _request(shots=shots))


def test_few_shots_and_two_stages_are_refused_before_a_run_is_made(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="second stage"):
        create_runs(workspace, _request(shots=(2,), settings={"protocol": "two-stage"}))
    more = {"protocol": "two-stage", "shot_tuning": "validation"}
    assert create_runs(workspace, _request(shots=(2,), settings=more))[0].spec.shots == 2


def test_the_attention_head_needs_deit_or_says_that_it_begins_by_lot(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(WeightsAbsent, match="DeiT-B"):
        create_runs(workspace, _request("attention-head"))
    (by_lot,) = create_runs(workspace, _request("attention-head", settings={"attention_init": "random"}))
    assert by_lot.spec.head_weights is None
    file = tmp_path / "weights" / f"{training.ATTENTION_BLOCKS}.safetensors"
    file.parent.mkdir()
    file.write_bytes(b"12345")
    wire.write(record_file(file), WeightsRecord("deit-b", "f" * 64, 5, "file", "Apache-2.0", 1, 1, "0" * 64))
    (view,) = create_runs(workspace, _request("attention-head"))
    assert view.spec.head_weights is not None
    assert (view.spec.head_weights.path, view.spec.head_weights.sha256) == (str(file), "f" * 64)


def test_a_run_that_is_made_again_has_as_many_shots(workspace: Workspace) -> None:
    (view,) = create_runs(workspace, _request(shots=(4,)))
    again = monitoring.repeat_run(workspace, view.id)
    assert again.spec.shots == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--shots", "some"), "number of shots"),
        (("--seed", "1", "--seeds", "5"), "--seeds"),
        (("--seeds", "0"), "--seeds"),
        (("--set", "shot_rule=mine"), "shot_rule"),
    ],
)
def test_words_that_are_no_axis_are_refused(workspace: Workspace, options: tuple[str, ...], said: str) -> None:
    command = ["train", "--dataset", "noise", "--model", MODEL, "--adapt", "linear", "--json", *options]
    done = CliRunner().invoke(app, [*command, "--workspace", str(workspace.root)])
    assert done.exit_code == 1
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "usage_error"
    assert said in error["message"] + error["hint"]


def test_axes_stand_in_words_with_commas(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[TrainRequest] = []

    def create(_: Workspace, request: TrainRequest) -> list[object]:
        asked.append(request)
        return []

    monkeypatch.setattr(training, "create_runs", create)
    monkeypatch.setattr(training, "run_to_end", lambda *_, **__: [])
    command = ["train", "--dataset", "noise", "--model", MODEL, "--adapt", "linear", "--json"]
    axes = ["--shots", "1,2, 4", "--shots", "all,1", "--seeds", "3"]
    done = CliRunner().invoke(app, [*command, *axes, "--workspace", str(workspace.root)])
    assert done.exit_code == 0, done.output
    (request,) = asked
    assert request.shots == (1, 2, 4, None)
    assert request.seeds == (0, 1, 2)

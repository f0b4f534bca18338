"""Checks of a run's maps are ordered, kept beside the run and told with its predictions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base import wire
from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import Settings
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import SealError, TableError, UnreadableFile, UsageError
from medfm_gui.domain.explain import MapCheck, MapChecks
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import CheckMapsSpec, FileRef, Phase, RunState, TrainSpec
from medfm_gui.workspace import data, map_checks, training
from medfm_gui.workspace.map_checks import CheckRequest
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.training import RunView

HEAD = "weights/head.safetensors"
CHECK = MapCheck("hits", "Hits", 0.5, 0.4, 0.6, "wilson", 9, 0.1, "share", True, "It hits.")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as opened:
        yield opened


@pytest.fixture
def run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run of a dataset with boxes; its worker writes what it was asked."""
    folder = workspace.root / "runs" / "r0001"
    folder.mkdir(parents=True)
    file = FileRef("/a", "0" * 64)
    card = read_plugins().card("efficientnet-lite0")
    spec = TrainSpec("r0001", file, file, "/p", "/f", card, "linear", Recipe(), 3, "cpu", file, dataset_id="d")
    view = RunView("r0001", spec, RunState(Phase.FINISHED, files={HEAD: "h1"}), folder)
    box = {"x0": "0.1", "y0": "0.1", "x1": "0.2", "y1": "0.2"}
    samples = tuple(Sample(f"s{n}", f"{n}.png", (n % 2,), rows=9, columns=9, covariates=box) for n in range(4))
    dataset = Dataset("d", "d", "csv", Task.BINARY, ("no", "yes"), "/x", samples, "f", positive="yes")
    monkeypatch.setattr(training, "view", lambda _room, _run: view)
    monkeypatch.setattr(data, "read", lambda _room, _id: dataset)
    return folder


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[CheckMapsSpec]:
    given: list[CheckMapsSpec] = []

    def work(order: CheckMapsSpec, **_: Any) -> list[Any]:
        given.append(order)
        found = MapChecks("r0001", order.explain, order.subset, 0, 4, 0, (CHECK,), ((HEAD, "h1"),), order.created)
        wire.write(Path(order.out), found)
        return []

    monkeypatch.setattr(map_checks, "run_errand", work)
    return given


def test_checks_are_kept_beside_the_run(workspace: Workspace, run: Path, orders: list[CheckMapsSpec]) -> None:
    assert map_checks.sentences(workspace, "r0001", "gradcam") == {}
    found = map_checks.check_maps(workspace, CheckRequest("r0001"))
    assert found.checks == (CHECK,)
    assert orders[0].out == str(run / "map_checks" / "gradcam-val.json")
    assert len(orders[0].boxes) == 4 and orders[0].boxes[0].x1 == 0.2
    assert map_checks.sentences(workspace, "r0001", "gradcam") == {"hits": "It hits."}
    assert map_checks.sentences(workspace, "r0001", "occlusion") == {}
    assert "heat maps checked" in (workspace.root / "journal.jsonl").read_text()


def test_a_table_of_boxes_takes_the_place_of_the_datasets_own(
    workspace: Workspace, run: Path, orders: list[CheckMapsSpec], tmp_path: Path
) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text("sample,x0,y0,x1,y1\ns1,0,0,9,9\n")
    map_checks.check_maps(workspace, CheckRequest("r0001", boxes=table))
    assert [(box.sample, box.x1) for box in orders[0].boxes] == [("s1", 1.0)]
    table.write_text("sample,label\ns1,0\n")
    with pytest.raises(TableError, match="no table of boxes"):
        map_checks.check_maps(workspace, CheckRequest("r0001", boxes=table))


def test_masks_are_decoded_and_become_boxes(
    workspace: Workspace, run: Path, orders: list[CheckMapsSpec], tmp_path: Path
) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    mask = np.zeros((9, 9), np.uint8)
    mask[3:6, 0:3] = 1
    Image.fromarray(mask).save(folder / "1_mask.png")
    Image.fromarray(mask.T.copy()).save(folder / "3.png")
    map_checks.check_maps(workspace, CheckRequest("r0001", masks=folder))
    third = 1 / 3
    first, second = orders[0].boxes
    assert (first.sample, second.sample) == ("s1", "s3")
    assert (first.x0, first.y0, first.x1, first.y1) == pytest.approx((0, third, third, 2 * third))
    assert (second.x0, second.y0, second.x1, second.y1) == pytest.approx((third, 0, 2 * third, third))
    (folder / "2.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableFile, match=r"mask “2\.png” cannot be read"):
        map_checks.check_maps(workspace, CheckRequest("r0001", masks=folder))


def test_checks_of_weights_that_are_gone_are_not_told(
    workspace: Workspace, run: Path, orders: list[CheckMapsSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    map_checks.check_maps(workspace, CheckRequest("r0001"))
    view = training.view(workspace, "r0001")
    again = replace(view, state=replace(view.state, files={HEAD: "h2"}))
    monkeypatch.setattr(training, "view", lambda _room, _run: again)
    assert map_checks.kept_checks(workspace, "r0001", "gradcam") is None


@pytest.mark.parametrize(
    ("change", "why"),
    [({"explain": "magic"}, "no explanation"), ({"subset": "holdout"}, "no partition"), ({"images": 0}, "0 images")],
)
def test_wrong_questions_are_named(workspace: Workspace, run: Path, change: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        map_checks.check_maps(workspace, replace(CheckRequest("r0001"), **change))


def test_a_sealed_test_is_not_looked_at(workspace: Workspace, run: Path, orders: list[CheckMapsSpec]) -> None:
    with pytest.raises(SealError, match="sealed"):
        map_checks.check_maps(workspace, CheckRequest("r0001", subset="test"))
    (workspace.root / "evaluations" / "r0001-test.json").write_text("{}")
    map_checks.check_maps(workspace, CheckRequest("r0001", subset="test"))
    assert orders[0].subset == "test"


def test_a_run_that_is_not_finished_is_refused(
    workspace: Workspace, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = training.view(workspace, "r0001")
    waiting = replace(view, state=RunState(Phase.RUNNING))
    monkeypatch.setattr(training, "view", lambda _room, _run: waiting)
    with pytest.raises(UsageError, match="running, not finished"):
        map_checks.check_maps(workspace, CheckRequest("r0001"))

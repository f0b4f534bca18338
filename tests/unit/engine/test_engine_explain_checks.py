"""The order that checks a run's maps, and predictions that explain themselves in every way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.explain import EXPLANATIONS, Box, MapChecks
from medfm_gui.domain.run import CheckMapsSpec, StudyImage, StudySpec, TrainSpec
from medfm_gui.engine.check_maps import check_maps
from medfm_gui.engine.job import events_of
from medfm_gui.engine.predict import NO_GRADIENT, predict_study
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]
BOXES = tuple(
    Box(f"s{number:06d}", 4 / 48 + 14 / 48 * (number % 2), 0.2, 16 / 48 + 14 / 48, 0.7) for number in range(47)
)


@pytest.fixture
def trained(order: Order) -> tuple[TrainSpec, Path]:
    spec, folder = order("linear")
    list(run_training(spec, folder))
    return spec, folder


def _asked(folder: Path, out: Path, **changes: Any) -> CheckMapsSpec:
    return replace(CheckMapsSpec(str(folder), str(out), images=6), **changes)


def test_a_run_is_checked_and_the_result_is_kept(trained: tuple[TrainSpec, Path], tmp_path: Path) -> None:
    spec, folder = trained
    out = tmp_path / "checks" / "gradcam-val.json"
    asked = _asked(folder, out, boxes=BOXES, created="2026-01-01T00:00:00Z")
    events = list(events_of(asked, tmp_path))
    (written,) = (event for event in events if isinstance(event, ev.FileWritten))
    assert written.sha256 == sha256_file(out)
    assert isinstance(events[0], ev.RunStarted) and isinstance(events[-1], ev.RunFinished)
    stages = [event.stage for event in events if isinstance(event, ev.StageStarted)]
    assert stages[0] == "maps" and {"shifts", "findings", "shuffled weights"} <= set(stages)
    found = wire.read(MapChecks, out)
    assert (found.run, found.subset, found.n_images, found.created) == (spec.run, "val", 6, "2026-01-01T00:00:00Z")
    assert [check.name for check in found.checks] == ["randomisation", "stability", "hits", "energy"]
    assert dict(found.model) == {"weights/head.safetensors": sha256_file(folder / "weights" / "head.safetensors")}
    by_name = {check.name: check for check in found.checks}
    assert by_name["hits"].n == 11  # every marked image of the partition, not only those that were drawn
    assert by_name["hits"].reference == pytest.approx(np.mean([(b.x1 - b.x0) * 0.5 for b in BOXES[20:31]]), abs=0.05)
    assert [name for name, _ in by_name["randomisation"].steps][0::7] == ["head"]
    assert all(check.sentence.endswith(".") for check in found.checks)


def test_the_same_seed_gives_the_same_checks(trained: tuple[TrainSpec, Path], tmp_path: Path) -> None:
    _, folder = trained
    for name in ("a", "b"):
        list(check_maps(_asked(folder, tmp_path / f"{name}.json")))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    list(check_maps(_asked(folder, tmp_path / "c.json", seed=1)))
    assert wire.read(MapChecks, tmp_path / "c.json").checks != wire.read(MapChecks, tmp_path / "a.json").checks


def test_without_boxes_there_are_no_hits(order: Order, tmp_path: Path) -> None:
    spec, folder = order("linear", data="multilabel")
    list(run_training(spec, folder))
    list(check_maps(_asked(folder, tmp_path / "x.json", explain="eigencam", subset="train")))
    found = wire.read(MapChecks, tmp_path / "x.json")
    assert [check.name for check in found.checks] == ["randomisation", "stability"]
    head = dict(found.checks[0].steps)["head"]
    assert head == pytest.approx(1.0)  # EigenCAM never looks at the head, and its check says so


def test_what_cannot_be_checked_is_named(order: Order, trained: tuple[TrainSpec, Path], tmp_path: Path) -> None:
    _, folder = trained
    out = tmp_path / "x.json"
    with pytest.raises(UsageError, match="no explanation"):
        list(check_maps(_asked(folder, out, explain="magic")))
    with pytest.raises(UsageError, match="no partition"):
        list(check_maps(_asked(folder, out, subset="holdout")))
    with pytest.raises(UsageError, match="nothing to roll out"):
        list(check_maps(_asked(folder, out, explain="rollout")))
    with pytest.raises(UsageError, match="No image"):
        list(check_maps(_asked(folder, out, images=0)))
    spec, voting = order("knn")
    list(run_training(spec, voting))
    with pytest.raises(UsageError, match="vote of neighbours"):
        list(check_maps(_asked(voting, out)))
    assert not out.exists()


@pytest.fixture
def image(bench: Any, tmp_path: Path) -> StudyImage:
    path = tmp_path / "image.npy"
    np.save(path, PixelCache(Path(bench.spec().pixels)).image("s000003"))
    return StudyImage("/somewhere/3.dcm", str(path))


@pytest.mark.parametrize("name", [card.name for card in EXPLANATIONS if card.name != "rollout"])
def test_a_prediction_is_explained_in_every_way(
    trained: tuple[TrainSpec, Path], image: StudyImage, tmp_path: Path, name: str
) -> None:
    _, folder = trained
    events = list(predict_study(StudySpec((str(folder),), (image,), str(tmp_path / "maps"), explain=name)))
    (said,) = (event for event in events if isinstance(event, ev.StudyPredicted))
    heat = np.load(said.map, allow_pickle=False)
    assert heat.shape == (40, 48) and heat.dtype == np.float32 and 0 <= heat.min() <= heat.max() <= 1
    assert said.neighbours == ()
    told = [event for event in events if isinstance(event, ev.Progressed) and event.stage == name]
    assert bool(told) == (name in ("occlusion", "integrated-gradients"))


@pytest.mark.parametrize("rule", ["vote", "ml-knn"])
def test_a_vote_is_explained_by_its_neighbours(order: Order, image: StudyImage, tmp_path: Path, rule: str) -> None:
    data = "binary" if rule == "vote" else "multilabel"
    spec, folder = order("knn", data=data, recipe={"knn_rule": rule, "k": 4})
    list(run_training(spec, folder))
    events = list(predict_study(StudySpec((str(folder),), (image,), str(tmp_path), explain="gradcam")))
    (said,) = (event for event in events if isinstance(event, ev.StudyPredicted))
    assert (said.map, said.map_note) == ("", NO_GRADIENT)
    assert len(said.neighbours) == 4
    near = [one.similarity for one in said.neighbours]
    assert near == sorted(near, reverse=True)
    assert sum(one.weight for one in said.neighbours) == pytest.approx(1.0)
    assert all(one.sample in {f"s{number:06d}" for number in range(20)} for one in said.neighbours)
    if rule == "vote":  # the image is one of the training images, and so is its own nearest neighbour
        assert said.neighbours[0].sample == "s000003" and said.neighbours[0].labels == ("malignant",)
        share = sum(one.weight for one in said.neighbours if one.labels == ("malignant",))
        assert said.scores[1] == pytest.approx(share, abs=1e-5)
    assert "P-" not in wire.encode_event(said).decode()

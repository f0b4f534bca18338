"""Scores from a finished run's folder: partitions, other datasets, single images, heat maps."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.run import FileRef, PredictSpec, StudyImage, StudySpec, TrainSpec
from medfm_gui.engine.predict import NO_GRADIENT, OpenModels, predict_study, predict_subset
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]


def _scores(path: Path) -> tuple[list[str], Any]:
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["sample"].tolist(), arrays["scores"]


@pytest.fixture
def images(bench: Any, tmp_path: Path) -> tuple[StudyImage, ...]:
    """Three validation images as decoded files: grey, RGB, 16 bit."""
    cache = PixelCache(Path(bench.spec().pixels))
    made = []
    for number in (21, 22, 23):
        path = tmp_path / f"image-{number}.npy"
        np.save(path, cache.image(f"s{number:06d}"))
        made.append(StudyImage(f"/somewhere/{number}.dcm", str(path)))
    return tuple(made)


@pytest.mark.parametrize("adapt", ["knn", "linear", "full"])
def test_a_saved_model_scores_as_it_did_at_training(order: Order, tmp_path: Path, adapt: str) -> None:
    spec, folder = order(adapt)
    list(run_training(spec, folder))
    shutil.rmtree(Path(spec.features), ignore_errors=True)
    events = list(predict_subset(PredictSpec(str(folder), "val", str(tmp_path)), tmp_path))
    assert isinstance(events[0], ev.RunStarted)
    assert isinstance(events[-1], ev.RunFinished)
    (written,) = (event for event in events if isinstance(event, ev.FileWritten))
    assert (written.name, written.sha256) == ("val.npz", sha256_file(tmp_path / "val.npz"))
    assert (tmp_path / "val.npz").read_bytes() == (folder / "predictions" / "val.npz").read_bytes()


def test_the_test_partition_is_scored_when_it_is_asked_for(order: Order, tmp_path: Path) -> None:
    spec, folder = order("linear")
    list(run_training(spec, folder))
    list(predict_subset(PredictSpec(str(folder), "test", str(tmp_path)), tmp_path))
    samples, scores = _scores(tmp_path / "test.npz")
    assert samples == [f"s{number:06d}" for number in range(40, 47)]
    assert scores.shape == (7, 2)


def test_another_dataset_is_scored_whole(bench: Any, order: Order, tmp_path: Path) -> None:
    for adapt in ("linear", "full"):
        spec, folder = order(adapt)
        list(run_training(spec, folder))
        other = bench.spec(data="multiclass")
        asked = PredictSpec(str(folder), "site B/2", str(tmp_path), dataset=other.dataset, pixels=other.pixels)
        list(predict_subset(asked, tmp_path))
        samples, scores = _scores(tmp_path / "site-B-2.npz")
        assert len(samples) == 47
        assert scores.shape == (47, 2)


def test_what_cannot_be_scored_is_named(order: Order, tmp_path: Path) -> None:
    spec, folder = order("linear")
    with pytest.raises(UsageError, match="no result yet"):
        list(predict_subset(PredictSpec(str(folder), "val", str(tmp_path)), tmp_path))
    with pytest.raises(UsageError, match="not the folder of a training run"):
        list(predict_subset(PredictSpec(str(tmp_path), "val", str(tmp_path)), tmp_path))
    list(run_training(spec, folder))
    with pytest.raises(UsageError, match="no partition"):
        list(predict_subset(PredictSpec(str(folder), "holdout", str(tmp_path)), tmp_path))
    bad = FileRef(spec.dataset.path, "0" * 64)
    changed = PredictSpec(str(folder), "all", str(tmp_path), dataset=bad, pixels=spec.pixels)
    with pytest.raises(InputError, match="changed"):
        list(predict_subset(changed, tmp_path))
    head = folder / "weights" / "head.safetensors"
    head.write_bytes(head.read_bytes()[:-3])
    with pytest.raises(InputError, match="damaged"):
        list(predict_subset(PredictSpec(str(folder), "val", str(tmp_path)), tmp_path))


@pytest.mark.parametrize("adapt", ["linear", "full"])
def test_a_study_is_scored_with_maps_of_its_own_size(
    order: Order, images: tuple[StudyImage, ...], tmp_path: Path, adapt: str
) -> None:
    spec, folder = order(adapt)
    list(run_training(spec, folder))
    _, expected = _scores(folder / "predictions" / "val.npz")
    events = list(predict_study(StudySpec((str(folder),), images, str(tmp_path / "maps"), explain="gradcam")))
    said = [event for event in events if isinstance(event, ev.StudyPredicted)]
    assert [event.source for event in said] == [image.source for image in images]
    assert np.allclose([event.scores for event in said], expected[1:4], atol=1e-5)
    for event in said:
        assert (event.run, event.target) == (spec.run, 1)
        heat = np.load(event.map, allow_pickle=False)
        assert heat.shape == (40, 48)
        assert heat.dtype == np.float32
        assert 0 <= heat.min() <= heat.max() <= 1
    assert any(np.load(event.map).std() > 0 for event in said)
    assert {Path(event.map).name for event in said} == {f"map-{number:05d}.npy" for number in (1, 2, 3)}
    assert isinstance(events[-1], ev.RunFinished)


def test_several_runs_score_the_same_images(order: Order, images: tuple[StudyImage, ...], tmp_path: Path) -> None:
    runs = [order(adapt, data=data) for adapt, data in (("knn", "binary"), ("linear", "multilabel"))]
    for spec, folder in runs:
        list(run_training(spec, folder))
    asked = StudySpec(tuple(str(folder) for _, folder in runs), images, str(tmp_path), explain="gradcam", target=0)
    said = [event for event in predict_study(asked) if isinstance(event, ev.StudyPredicted)]
    assert [event.run for event in said] == [spec.run for spec, _ in runs for _ in images]
    assert {event.map_note for event in said[:3]} == {NO_GRADIENT}
    assert [event.map for event in said[:3]] == [""] * 3
    assert all(event.map and event.target == 0 for event in said[3:])


def test_a_study_without_maps_writes_nothing(order: Order, images: tuple[StudyImage, ...], tmp_path: Path) -> None:
    spec, folder = order("linear")
    list(run_training(spec, folder))
    out = tmp_path / "out"
    said = list(predict_study(StudySpec((str(folder),), images, str(out))))
    assert not out.exists()
    assert not [event for event in said if isinstance(event, ev.StudyPredicted) and event.map]


def test_wrong_questions_about_a_study_are_named(order: Order, images: tuple[StudyImage, ...], tmp_path: Path) -> None:
    spec, folder = order("linear")
    list(run_training(spec, folder))
    asked = StudySpec((str(folder),), images, str(tmp_path))
    with pytest.raises(UsageError, match="class number"):
        list(predict_study(replace(asked, target=2)))
    with pytest.raises(UsageError, match="explanation"):
        list(predict_study(replace(asked, explain="magic")))
    with pytest.raises(InputError, match="cannot be read"):
        list(predict_study(replace(asked, images=(StudyImage("x", str(tmp_path / "none.npy")),))))
    with pytest.raises(UsageError, match="no device"):
        list(predict_study(replace(asked, device="cuda:7")))


def test_open_models_are_kept_and_renewed(order: Order) -> None:
    models = OpenModels(most=2)
    device = torch.device("cpu")
    runs = [order("linear")[::-1] for _ in range(3)]
    for folder, spec in runs:
        list(run_training(spec, folder))
    first = models.open(runs[0][0], device)
    assert models.open(runs[0][0], device) is first
    second = models.open(runs[1][0], device)
    models.open(runs[2][0], device)
    assert models.open(runs[1][0], device) is second
    assert models.open(runs[0][0], device) is not first
    folder, spec = runs[1]
    (folder / "spec.json").write_bytes(wire.encode_spec(replace(spec, created="later")))
    assert models.open(folder, device) is not second

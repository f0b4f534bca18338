"""A whole training by each adaptation: what it says, what it writes, and what it never looks at."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError, NonFiniteLoss, NotFound, UsageError, WeightsAbsent
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.domain.run import FileRef, TrainSpec
from medfm_gui.engine.tensor_files import read_tensors
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]
ADAPTS = ("knn", "linear", "full")


def _files(events: list[ev.Event]) -> dict[str, str]:
    return {event.name: event.sha256 for event in events if isinstance(event, ev.FileWritten)}


@pytest.mark.parametrize("data", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("adapt", ADAPTS)
def test_a_training_tells_its_story_and_keeps_its_results(order: Order, adapt: str, data: str) -> None:
    spec, folder = order(adapt, data=data)
    events = list(run_training(spec, folder))
    assert isinstance(events[0], ev.RunStarted)
    last = events[-1]
    assert isinstance(last, ev.RunFinished)
    files = _files(events)
    assert all(sha256_file(folder / name) == sha256 for name, sha256 in files.items())
    assert {"weights/head.safetensors", "weights/head.json", "predictions/val.npz", "predictions/cal.npz"} <= set(files)
    assert ("weights/backbone.safetensors" in files) == (adapt == "full")
    assert ("operating_point.json" in files) == (data == "binary")
    headline = {"binary": "auc", "multiclass": "auc_macro_ovr", "multilabel": "auc_mean_labels"}[data]
    assert 0 <= last.metrics[headline] <= 1
    assert last.seconds > 0
    assert last.samples_per_second > 0
    parameters = {"knn": 0, "linear": 13 * len(spec.classes)}
    expected = parameters.get(adapt, 13 * len(spec.classes) + (3 * 8 * 9 + 8 + 16) + (8 * 12 * 9 + 12 + 24))
    assert last.trained_parameters == expected
    assert not (folder / "checkpoint").exists()


@pytest.mark.parametrize("adapt", ADAPTS)
def test_scores_are_probabilities_of_the_right_samples(order: Order, adapt: str) -> None:
    for data, exclusive in (("binary", True), ("multilabel", False)):
        spec, folder = order(adapt, data=data)
        list(run_training(spec, folder))
        with np.load(folder / "predictions" / "val.npz", allow_pickle=False) as arrays:
            assert arrays["sample"].tolist() == [f"s{number:06d}" for number in range(20, 31)]
            scores = arrays["scores"]
            assert scores.dtype == np.float32
            assert scores.shape == (11, len(spec.classes))
            assert ((scores >= 0) & (scores <= 1)).all()
            assert np.allclose(scores.sum(axis=1), 1, atol=1e-5) or not exclusive
            assert ("logits" in arrays) == (adapt != "knn")


def test_the_test_images_are_never_looked_at(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    from medfm_gui.datasets.pixels import PixelCache

    image = PixelCache.image

    def spied(self: PixelCache, sample_id: str) -> Any:
        seen.add(sample_id)
        return image(self, sample_id)

    monkeypatch.setattr(PixelCache, "image", spied)
    for adapt in ADAPTS:
        spec, folder = order(adapt, recipe={"input_size": 28})
        list(run_training(spec, folder))
    assert seen == {f"s{number:06d}" for number in range(40)}


def test_the_threshold_is_fixed_on_calibration_images(order: Order) -> None:
    spec, folder = order("linear", recipe={"threshold_rule": "sensitivity:0.9"})
    list(run_training(spec, folder))
    point = wire.read(OperatingPoint, folder / "operating_point.json")
    assert (point.fitted_on, point.rule, point.positive) == ("cal", "sensitivity:0.9", "malignant")


def test_a_learnable_finding_is_learned(order: Order) -> None:
    for adapt, changes in (("linear", {"epochs": 8}), ("knn", {}), ("full", {"epochs": 12, "augment": False})):
        spec, folder = order(adapt, recipe=changes)
        last = list(run_training(spec, folder))[-1]
        assert isinstance(last, ev.RunFinished)
        assert last.metrics["auc"] > 0.9, adapt


@pytest.mark.parametrize("adapt", ADAPTS)
def test_equal_orders_give_equal_bytes(order: Order, adapt: str) -> None:
    results = []
    for workers in (0, 1, 3):
        spec, folder = order(adapt, recipe={"workers": workers})
        results.append(_files(list(run_training(spec, folder))))
    assert results[0] == results[1] == results[2]


def test_another_seed_gives_another_fine_tuning(order: Order) -> None:
    first, second = (
        _files(list(run_training(*order("full", seed=seed))))["weights/head.safetensors"] for seed in (1, 2)
    )
    assert first != second


def test_epochs_tell_losses_metrics_and_the_best(order: Order) -> None:
    spec, folder = order("full", recipe={"epochs": 4})
    told = [event for event in run_training(spec, folder) if isinstance(event, ev.EpochFinished)]
    assert [(event.epoch, event.epochs) for event in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert told[0].best
    assert all({"train_loss", "val_loss", "lr", "auc"} <= set(event.metrics) for event in told)


def test_patience_ends_a_training_that_no_longer_gets_better(order: Order) -> None:
    spec, folder = order("full", recipe={"epochs": 30, "patience": 1, "lr": 1e-12})
    told = [event for event in run_training(spec, folder) if isinstance(event, ev.EpochFinished)]
    assert len(told) < 30


def test_a_loss_that_is_not_finite_is_named_and_the_last_state_kept(order: Order) -> None:
    spec, folder = order("full", recipe={"lr": 1e6, "epochs": 50, "warmup_epochs": 0})
    with pytest.raises(NonFiniteLoss, match=r"step \d+ of 3 in epoch \d+, with learning rate"):
        list(run_training(spec, folder))
    for path in (folder / "checkpoint").glob("*.safetensors"):
        assert all(bool(tensor.isfinite().all()) for tensor in read_tensors(path).values())


def test_random_frozen_features_are_refused(order: Order) -> None:
    for adapt in ("knn", "linear"):
        spec, folder = order(adapt, weights=None, from_scratch=True)
        with pytest.raises(WeightsAbsent, match="needs pretrained weights"):
            list(run_training(spec, folder))
    spec, folder = order("full", weights=None)
    with pytest.raises(WeightsAbsent):
        list(run_training(spec, folder))
    spec, folder = order("full", weights=None, from_scratch=True, recipe={"epochs": 1})
    assert isinstance(list(run_training(spec, folder))[-1], ev.RunFinished)


def test_changed_or_missing_files_end_a_run_by_name(order: Order) -> None:
    spec, folder = order(weights=FileRef("/nowhere/w.safetensors", "0" * 64))
    with pytest.raises(NotFound, match="weights"):
        list(run_training(spec, folder))
    spec, folder = order()
    changed = replace(spec, dataset=FileRef(spec.dataset.path, "0" * 64))
    with pytest.raises(InputError, match="changed"):
        list(run_training(changed, folder))


def test_k_is_at_most_the_number_of_training_images(order: Order) -> None:
    spec, folder = order("knn", recipe={"k": 500})
    events = list(run_training(spec, folder))
    assert any(isinstance(event, ev.Warned) and "20 neighbours" in event.message for event in events)
    assert json.loads((folder / "weights" / "head.json").read_text())["k"] == 20


def test_an_unknown_adaptation_is_refused(order: Order) -> None:
    spec, folder = order("magic")
    with pytest.raises(UsageError, match="no adaptation"):
        list(run_training(spec, folder))


def test_headline_metrics_follow_the_unit(order: Order) -> None:
    by_image, by_patient = (
        list(run_training(*order("linear", recipe={"unit": unit})))[-1] for unit in ("image", "patient")
    )
    assert isinstance(by_image, ev.RunFinished)
    assert isinstance(by_patient, ev.RunFinished)
    assert by_image.metrics != by_patient.metrics

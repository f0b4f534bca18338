"""Every adaptation that is trained by gradient: stopped and gone on with, it ends in the same bytes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.domain import events as ev
from medfm_gui.domain.run import TrainSpec
from medfm_gui.engine.session import PauseRequested
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]

RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "lora": ("lora", {"lora_dropout": 0.2, "lora_bias": True}),
    "bitfit": ("bitfit", {}),
    "partial": ("partial", {"blocks": 1}),
    "head-alone": ("partial", {"blocks": 0}),
    "layer-decay": ("full", {"layer_decay": 0.5, "head_lr": 1e-2}),
    "sgd": ("full", {"optimizer": "sgd", "momentum": 0.9, "schedule": "constant", "lr": 1e-2}),
    "mean": ("full", {"ema": 0.8}),
    "accumulated": ("partial", {"blocks": 2, "accumulate": 2, "batch_size": 4}),
    "balanced": ("lora", {"balanced_sampling": True, "class_weights": True, "drop_last": True}),
    "study-a": (
        "full",
        {"augmentation": "study-a", "normalisation": "dataset", "geometry": "centre-crop", "channels": "red"},
    ),
    "study-b": ("full", {"augmentation": "study-b", "normalisation": "min-max", "validation_drop_last": True}),
}


def _results(events: list[ev.Event]) -> dict[str, str]:
    return {event.name: event.sha256 for event in events if isinstance(event, ev.FileWritten)}


@pytest.mark.parametrize("name", RECIPES)
def test_a_stopped_descent_ends_in_the_same_bytes(order: Order, name: str) -> None:
    adapt, recipe = RECIPES[name]
    whole = _results(list(run_training(*order(adapt, recipe=recipe))))
    spec, folder = order(adapt, recipe=recipe)
    for count, pause in ((5, True), (8, False), (6, True)):
        events = run_training(spec, folder)
        list(itertools.islice(events, count))
        if pause:
            with pytest.raises(PauseRequested):
                events.throw(PauseRequested())
        else:
            events.close()
    assert _results(list(run_training(spec, folder))) == whole


@pytest.mark.parametrize("adapt", ["lora", "bitfit", "partial"])
@pytest.mark.parametrize("data", ["multiclass", "multilabel"])
def test_equal_orders_give_equal_bytes_whatever_the_threads(order: Order, adapt: str, data: str) -> None:
    first, second = (
        _results(list(run_training(*order(adapt, data=data, recipe={"workers": workers})))) for workers in (0, 3)
    )
    assert first == second
    assert set(first) >= {"weights/backbone.safetensors", "weights/backbone.json", "weights/preprocess.json"}

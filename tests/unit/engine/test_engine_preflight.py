"""Preflight: numbers of a real worker's batches, nothing kept, nothing trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.domain import events as ev
from medfm_gui.domain.run import PreflightSpec, TrainSpec
from medfm_gui.engine.job import events_of
from tests.fixtures.tiny_transformer import tiny_transformer

Order = Callable[..., tuple[TrainSpec, Path]]


def _facts(spec: TrainSpec, folder: Path) -> tuple[dict[str, str], list[ev.Event]]:
    said = list(events_of(PreflightSpec(spec, seconds=0.05), folder))
    return {name: text for one in said if isinstance(one, ev.Answered) for name, text in one.facts.items()}, said


def test_frozen_work_is_timed_a_sample(order: Order, tmp_path: Path) -> None:
    spec, _ = order("linear", features=str(tmp_path / "features"))
    facts, said = _facts(spec, tmp_path)
    assert isinstance(said[0], ev.RunStarted)
    assert isinstance(said[-1], ev.RunFinished)
    assert float(facts["forward_s"]) > 0
    assert float(facts["fit_s"]) > 0
    assert float(facts["train_s"]) == 0
    assert (int(facts["images"]), int(facts["missing"])) == (40, 40)
    assert int(facts["trained_parameters"]) == 13 * 2
    assert int(facts["batches"]) >= 1
    assert int(facts["memory_bytes"]) > 1 << 20
    assert facts["device"] == "cpu"


def test_what_the_bank_holds_is_not_measured_again(order: Order, tmp_path: Path) -> None:
    spec, folder = order("knn", features=str(tmp_path / "features"))
    list(events_of(spec, folder))
    facts, _ = _facts(spec, tmp_path)
    assert int(facts["missing"]) == 0
    assert float(facts["forward_s"]) == 0
    assert int(facts["trained_parameters"]) == 0


def test_a_grid_of_deeper_blocks_is_held_against_its_own_bank(bench: Any, order: Order, tmp_path: Path) -> None:
    card, weights = tiny_transformer(bench.root, bench.card)
    changes = {"card": card, "weights": weights, "features": str(tmp_path / "features")}
    spec, folder = order("linear-grid", recipe={"grid_blocks": "1,5"}, **changes)
    facts, _ = _facts(spec, tmp_path)
    assert int(facts["missing"]) == 40
    list(events_of(spec, folder))
    assert int(_facts(spec, tmp_path)[0]["missing"]) == 0
    other, _ = order("linear-grid", recipe={"grid_blocks": "1,4"}, **changes)
    assert int(_facts(other, tmp_path)[0]["missing"]) > 0  # another bank


def test_tokens_of_an_attention_head_are_counted_as_the_bank_keeps_them(
    bench: Any, order: Order, tmp_path: Path
) -> None:
    card, weights = tiny_transformer(bench.root, bench.card)
    small = {"attention_init": "random", "attention_width": 64, "attention_depth": 1, "epochs": 1, "augment": False}
    changes = {"card": card, "weights": weights, "features": str(tmp_path / "features")}
    spec, folder = order("attention-head", recipe=small, **changes)
    facts, _ = _facts(spec, folder)
    list(events_of(spec, folder))
    (rows,) = (tmp_path / "features").glob("*/features.f16")
    assert int(facts["row_bytes"]) * 40 == rows.stat().st_size
    other, there = order("attention-head", recipe={**small, "unfreeze": True}, **changes)
    assert int(_facts(other, there)[0]["row_bytes"]) == 0


@pytest.mark.parametrize("data", ["binary", "multilabel"])
def test_fine_tuning_is_timed_for_both_kinds_of_batch(order: Order, tmp_path: Path, data: str) -> None:
    spec, folder = order("full", data=data, weights=None, from_scratch=True)
    facts, _ = _facts(spec, folder)
    assert float(facts["train_s"]) > 0
    assert float(facts["forward_s"]) > 0
    assert int(facts["trained_parameters"]) > int(facts["parameters"])
    assert {path.name for path in folder.iterdir()} == {"spec.json"}  # neither checkpoint nor weights

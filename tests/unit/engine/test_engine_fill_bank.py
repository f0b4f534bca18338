"""The job that fills a feature bank for an embedding map: from its order to rows that the front reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medfm_gui.base import wire
from medfm_gui.datasets.bank_rows import banks_of, open_bank
from medfm_gui.datasets.files import read_dataset
from medfm_gui.datasets.neighbours import neighbours
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.run import FeaturesSpec
from medfm_gui.engine.fill_bank import fill_bank


def order(bench: Any, tmp_path: Path) -> FeaturesSpec:
    spec = bench.spec()
    return FeaturesSpec(spec.dataset, spec.pixels, str(tmp_path / "features"), spec.card, spec.weights)


def test_the_job_fills_a_bank_that_the_front_reads(bench: Any, tmp_path: Path) -> None:
    spec = wire.decode_spec(wire.encode_spec(order(bench, tmp_path)))
    assert isinstance(spec, FeaturesSpec)
    events = list(fill_bank(spec))
    assert isinstance(events[0], ev.RunStarted) and isinstance(events[-1], ev.RunFinished)
    dataset = read_dataset(Path(spec.dataset.path).parent)
    (ready,) = (event for event in events if isinstance(event, ev.FeaturesReady))
    assert ready.computed == len(dataset.samples)
    (answered,) = (event for event in events if isinstance(event, ev.Answered))
    (facts,) = banks_of(tmp_path / "features", dataset.fingerprint)
    assert answered.facts == {"bank": facts.name, "model": "tiny"} and facts.model == "tiny"
    rows = open_bank(tmp_path / "features", facts, dataset)
    assert rows is not None and (rows.places >= 0).all()
    (block,) = (block for _, block in rows.blocks(range(len(dataset.samples))))
    assert block.shape == (len(dataset.samples), 12) and np.isfinite(block).all() and block.std() > 0
    ids = [sample.id for sample in dataset.samples]
    for first, second in neighbours(rows, dataset):
        assert ids.index(first) < ids.index(second)


def test_what_is_there_is_not_computed_again(bench: Any, tmp_path: Path) -> None:
    list(fill_bank(order(bench, tmp_path)))
    (ready,) = (event for event in fill_bank(order(bench, tmp_path)) if isinstance(event, ev.FeaturesReady))
    assert ready.computed == 0


def test_other_weights_than_those_of_the_order_are_refused(bench: Any, tmp_path: Path) -> None:
    spec = order(bench, tmp_path)
    spec = replace(spec, weights=replace(spec.weights, sha256="0" * 64))
    with pytest.raises(InputError):
        list(fill_bank(spec))
    assert not banks_of(tmp_path / "features", bench.spec().dataset_fingerprint)

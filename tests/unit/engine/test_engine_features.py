"""The feature bank: computed once, equal bit by bit, whole after a kill at any instant, bounded in memory."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain import events as ev
from medfm_gui.domain.run import TrainSpec
from medfm_gui.engine.backbones import load_backbone
from medfm_gui.engine.bank import BankKey, FeatureBank, Rows
from medfm_gui.engine.features import FrozenBackbone, StoredFeatures
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.material import frozen_backbone, open_dataset

KEY = BankKey("m", "a", "mean", (0, 0, 0), (1, 1, 1), "w", 32, "1", "d", "cpu", "2")


def _frozen(spec: TrainSpec, banks: Path) -> FrozenBackbone:
    dataset, pixels = open_dataset(spec.dataset, spec.pixels)
    backbone = load_backbone(spec.card, image_size=32, weights=Path(spec.weights.path) if spec.weights else None)
    images = ImageReader(pixels, spec.card, 32)
    return frozen_backbone(replace(spec, features=str(banks)), backbone, dataset, images, torch.device("cpu"))


def _run(work: Generator[ev.Event, None, StoredFeatures]) -> tuple[list[ev.Event], Rows]:
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            return events, end.value.of(list(end.value.keys))


def _computed(events: Sequence[ev.Event]) -> int:
    (ready,) = (event for event in events if isinstance(event, ev.FeaturesReady))
    return ready.computed


def test_features_are_computed_once(bench: Any, tmp_path: Path) -> None:
    frozen = _frozen(bench.spec(), tmp_path)
    ids = [f"s{number:06d}" for number in range(21)]
    events, first = _run(frozen.look(ids))
    assert _computed(events) == 21
    assert [event.total for event in events if isinstance(event, ev.StageStarted)] == [21]
    events, again = _run(_frozen(bench.spec(), tmp_path).look(ids))
    assert _computed(events) == 0
    assert first.tobytes() == again.tobytes()
    assert first.shape == (21, 12)
    assert first.dtype == np.float32


def test_a_row_does_not_depend_on_what_else_was_missing(bench: Any, tmp_path: Path) -> None:
    ids = [f"s{number:06d}" for number in range(30)]
    _, whole = _run(_frozen(bench.spec(), tmp_path / "a").look(ids))
    pieces = _frozen(bench.spec(), tmp_path / "b")
    for part in (ids[7:9], ids[0:1], ids[20:30], ids):
        _run(pieces.look(part))
    _, pieced = _run(pieces.look(ids))
    assert pieced.tobytes() == whole.tobytes()
    _, shuffled = _run(pieces.look(ids[::-1]))
    assert shuffled.tobytes() == whole[::-1].tobytes()


def test_features_are_those_of_the_backbone(bench: Any, tmp_path: Path) -> None:
    frozen = _frozen(bench.spec(), tmp_path)
    ids = ["s000003", "s000001"]
    _, rows = _run(frozen.look(ids))
    with torch.no_grad():
        expected = frozen.backbone.features(frozen.images.batch(ids)).numpy()
    assert np.allclose(rows, expected, atol=1e-6)


def test_work_that_was_stopped_is_kept(bench: Any, tmp_path: Path) -> None:
    frozen = _frozen(bench.spec(), tmp_path)
    ids = [f"s{number:06d}" for number in range(40)]
    work = frozen.look(ids)
    for event in work:
        if isinstance(event, ev.Progressed) and event.done >= 16:
            break
    work.close()
    events, _ = _run(frozen.look(ids))
    assert _computed(events) == 24


def test_what_decides_a_feature_decides_the_bank(bench: Any, tmp_path: Path) -> None:
    frozen = _frozen(bench.spec(), tmp_path)
    changes: list[dict[str, Any]] = [
        {"weights_sha256": "other"},
        {"dataset": replace(frozen.dataset, fingerprint="other")},
        {"backbone": replace(frozen.backbone, image_size=64)},  # type: ignore[type-var]
        {"backbone": replace(frozen.backbone, card=replace(frozen.backbone.card, std=(1.0, 1.0, 1.0)))},  # type: ignore[type-var]
    ]
    keys = {frozen._bank_key().digest, *(replace(frozen, **change)._bank_key().digest for change in changes)}
    assert len(keys) == 5


def test_equal_data_imported_under_other_names_is_not_mixed_up(bench: Any, tmp_path: Path) -> None:
    frozen = _frozen(bench.spec(), tmp_path)
    ids = ["s000000", "s000001"]
    _, rows = _run(frozen.look(ids))
    first, second, *rest = frozen.dataset.samples
    swapped = (replace(first, pixels_sha256=second.pixels_sha256), replace(second, pixels_sha256=first.pixels_sha256))
    other = replace(frozen, dataset=replace(frozen.dataset, samples=(*swapped, *rest)))
    events, _ = _run(other.look(ids))
    assert _computed(events) == 2
    assert len(rows) == 2


def test_a_bank_survives_whatever_a_kill_leaves(tmp_path: Path) -> None:
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    bank = FeatureBank(tmp_path, KEY, 3)
    bank.append(["a", "b"], rows[:2])
    bank.append(["c", "d"], rows[2:])
    folder = tmp_path / KEY.digest
    data, index = (folder / "features.f32").read_bytes(), (folder / "index.jsonl").read_bytes()
    first_line = index.index(b"\n") + 1
    for kept_data, kept_index, there in (
        (data[:-5], index, "ab"),  # rows cut short
        (data[:24] + b"\1" * 24, index, "ab"),  # rows that never reached the disk
        (data, index[:-1], "ab"),  # a torn line
        (data, index[: first_line + 9], "ab"),
        (data + b"xx", index, "abcd"),  # rows without a line
        (b"", index, ""),
    ):
        (folder / "features.f32").write_bytes(kept_data)
        (folder / "index.jsonl").write_bytes(kept_index)
        again = FeatureBank(tmp_path, KEY, 3)
        again.refresh()
        keys = list("abcd")
        missing = again.missing(keys)
        assert [key for place, key in enumerate(keys) if place not in missing] == list(there)
        again.append([keys[place] for place in missing], rows[missing])
        third = FeatureBank(tmp_path, KEY, 3)
        third.refresh()
        assert third.read(["d", "a", "b", "c"]).tobytes() == rows[[3, 0, 1, 2]].tobytes()


def test_two_readers_see_what_the_other_added(tmp_path: Path) -> None:
    one, other = FeatureBank(tmp_path, KEY, 2), FeatureBank(tmp_path, KEY, 2)
    one.append(["x"], np.ones((1, 2), np.float32))
    assert other.missing(["x"]) == [0]
    other.refresh()
    assert other.missing(["x", "y"]) == [1]
    assert other.read([]).shape == (0, 2)
    assert json.loads((tmp_path / KEY.digest / "about.json").read_text())["model"] == "m"


def test_a_second_run_waits_for_the_first(bench: Any, tmp_path: Path) -> None:
    frozen = _frozen(bench.spec(), tmp_path)
    lock = FeatureBank(tmp_path, frozen._bank_key(), 12).lock
    with lock:
        work = frozen.look(["s000000"])
        assert isinstance(next(work), ev.Warned)
        assert isinstance(next(work), ev.Beat)
        work.close()
    events, _ = _run(frozen.look(["s000000"]))
    assert _computed(events) == 1


def test_mapped_pixels_are_let_go_while_computing(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medfm_gui.engine.features._CHUNK_ROWS", 16)
    released = 0
    close = PixelCache.close

    def counted(self: PixelCache) -> None:
        nonlocal released
        released += 1
        close(self)

    monkeypatch.setattr(PixelCache, "close", counted)
    frozen = replace(_frozen(bench.spec(), tmp_path), workers=3)
    _run(frozen.look([f"s{number:06d}" for number in range(40)]))
    assert released >= 3

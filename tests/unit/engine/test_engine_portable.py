"""A model that leaves its workspace scores as the run did, with adapters folded in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.run import ExportSpec, TrainSpec
from medfm_gui.engine.portable import export_model
from medfm_gui.engine.saved import open_model
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]


@pytest.mark.parametrize("adapt", ["lora", "bitfit", "full", "linear", "knn"])
def test_the_files_score_as_the_run_does_without_its_weights(order: Order, tmp_path: Path, adapt: str) -> None:
    spec, folder = order(adapt)
    list(run_training(spec, folder))
    said = list(export_model(ExportSpec(str(folder), str(tmp_path))))
    written = {event.name for event in said if isinstance(event, ev.FileWritten)}
    assert written == {
        "weights/backbone.safetensors",
        "weights/head.safetensors",
        "weights/head.json",
        "weights/preprocess.json",
    }
    assert not any("lora" in name for name in load_file(tmp_path / "weights/backbone.safetensors"))
    order_alone = json.loads((folder / "spec.json").read_bytes())
    order_alone["weights"] = None
    atomic_write(tmp_path / "spec.json", json.dumps(order_alone))
    device = torch.device("cpu")
    before, after = open_model(folder, device), open_model(tmp_path, device)
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted, found = (model.backbone.features(images) for model in (before, after))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    for name, tensor in before.head.state_dict().items():
        assert torch.equal(after.head.state_dict()[name], tensor)
    assert after.preprocess == before.preprocess


def test_an_unfinished_run_has_no_model(order: Order, tmp_path: Path) -> None:
    _, folder = order("linear")
    with pytest.raises(UsageError, match="no result yet"):
        list(export_model(ExportSpec(str(folder), str(tmp_path))))
    assert wire.decode_spec(wire.encode_spec(ExportSpec("/a", "/b"))) == ExportSpec("/a", "/b")

"""An adapted model on disk: ``weights/`` of a run folder, which with ``spec.json`` is all that prediction needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from medfm_gui.base import wire
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError, MedfmError, UsageError
from medfm_gui.domain.run import TrainSpec
from medfm_gui.engine.backbones import Backbone, load_backbone
from medfm_gui.engine.fit import load_checked
from medfm_gui.engine.head import Head, HeadFacts, head_of
from medfm_gui.engine.material import input_size, weights_file
from medfm_gui.engine.tensor_files import read_tensors, write_tensors

HEAD = "weights/head.safetensors"
HEAD_FACTS = "weights/head.json"
BACKBONE = "weights/backbone.safetensors"


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A finished run, ready to score. ``frozen`` tells that the backbone is the pretrained one."""

    spec: TrainSpec
    backbone: Backbone
    head: Head
    device: torch.device
    frozen: bool


def save_model(folder: Path, head: Head, backbone: Backbone | None) -> Iterator[ev.Event]:
    """Write the head, and the backbone if it was trained; yields FileWritten for each file.

    Raises:
        DiskFull: there is not enough space.
    """
    if backbone is not None:
        tensors = {name: tensor.detach().cpu() for name, tensor in backbone.module.state_dict().items()}
        yield ev.FileWritten(time.time(), BACKBONE, write_tensors(folder / BACKBONE, tensors))
    tensors = {name: tensor.detach().cpu() for name, tensor in head.state_dict().items()}
    yield ev.FileWritten(time.time(), HEAD, write_tensors(folder / HEAD, tensors))
    yield ev.FileWritten(time.time(), HEAD_FACTS, wire.write(folder / HEAD_FACTS, head.facts))


def open_model(folder: Path, device: torch.device) -> SavedModel:
    """Load a run's model from its folder alone (and the pretrained weights that its order names).

    Raises:
        UsageError: the folder holds no finished training.
        InputError, NotFound, WeightsError, PluginError: a file is gone, changed or damaged.
    """
    spec = order_of(folder)
    if not (folder / HEAD_FACTS).exists():
        raise UsageError(f"The run “{folder.name}” has no result yet.", "Wait until it is finished, or resume it.")
    trained = folder / BACKBONE
    if trained.exists():
        backbone = load_backbone(spec.card, image_size=input_size(spec), weights=None)
        load_checked(backbone.module, read_tensors(trained), ignore=(), what=trained.name, model=spec.card.title)
    else:
        backbone = load_backbone(spec.card, image_size=input_size(spec), weights=weights_file(spec))
    backbone.module.to(device).eval()
    facts = wire.read(HeadFacts, folder / HEAD_FACTS)
    try:
        head = head_of(facts, read_tensors(folder / HEAD))
    except (MedfmError, KeyError, RuntimeError) as error:
        raise InputError(f"The head of the run “{folder.name}” is damaged.", "Run the training again.") from error
    return SavedModel(spec, backbone, head.to(device), device, frozen=not trained.exists())


def order_of(folder: Path) -> TrainSpec:
    """The order of a training run's folder.

    Raises:
        UsageError: the folder is none.
    """
    path = folder / "spec.json"
    spec = wire.decode_spec(path.read_bytes()) if path.is_file() else None
    if not isinstance(spec, TrainSpec):
        raise UsageError(f"“{folder}” is not the folder of a training run.", "“medfm runs” lists the runs.")
    return spec

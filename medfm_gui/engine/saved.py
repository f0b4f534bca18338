"""An adapted model on disk: ``weights/`` of a run folder, which with ``spec.json`` is all that prediction needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from medfm_gui.base import wire
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError, MedfmError, UsageError
from medfm_gui.domain.run import TrainSpec
from medfm_gui.engine.adapters import merge_adapters
from medfm_gui.engine.backbones import Backbone, load_backbone
from medfm_gui.engine.change import ChangeFacts, applied
from medfm_gui.engine.fit import load_checked
from medfm_gui.engine.head import Head, HeadFacts, head_of
from medfm_gui.engine.material import input_size, weights_file
from medfm_gui.engine.preprocess import Preprocess, preprocess_of
from medfm_gui.engine.similar import SimilarCases
from medfm_gui.engine.tensor_files import read_tensors, write_tensors

if TYPE_CHECKING:
    from medfm_gui.engine.fitted import Fitted  # brings scikit-learn: seconds that predictions save

PREPROCESS = "weights/preprocess.json"
HEAD = "weights/head.safetensors"
HEAD_FACTS = "weights/head.json"
BACKBONE = "weights/backbone.safetensors"
BACKBONE_FACTS = "weights/backbone.json"


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A finished run, ready to score. ``frozen`` tells that the backbone is the pretrained one.

    ``preprocess`` is how its images became the model's input; ``change`` says in what the backbone differs.
    ``similar`` are the training images that a new image is compared with, where they were asked for and are kept.
    """

    spec: TrainSpec
    backbone: Backbone
    head: Head
    device: torch.device
    frozen: bool
    preprocess: Preprocess
    change: ChangeFacts | None = None
    similar: SimilarCases | None = None


def save_model(folder: Path, fitted: Fitted, backbone: Backbone, preprocess: Preprocess) -> Iterator[ev.Event]:
    """Write the head, what was trained of the backbone, and how images are prepared; yields FileWritten for each file.

    Raises:
        DiskFull: there is not enough space.
    """
    if fitted.backbone_trained:
        held = backbone.module.state_dict()
        names = held.keys() if fitted.change is None else fitted.changed
        tensors = {name: held[name].detach().cpu() for name in held if name in names}
        yield ev.FileWritten(time.time(), BACKBONE, write_tensors(folder / BACKBONE, tensors))
    if fitted.change is not None:
        yield ev.FileWritten(time.time(), BACKBONE_FACTS, wire.write(folder / BACKBONE_FACTS, fitted.change))
    tensors = {name: tensor.detach().cpu() for name, tensor in fitted.head.state_dict().items()}
    yield ev.FileWritten(time.time(), HEAD, write_tensors(folder / HEAD, tensors))
    yield ev.FileWritten(time.time(), HEAD_FACTS, wire.write(folder / HEAD_FACTS, fitted.head.facts))
    yield ev.FileWritten(time.time(), PREPROCESS, wire.write(folder / PREPROCESS, preprocess))


def open_model(folder: Path, device: torch.device) -> SavedModel:
    """Load a run's model from its folder alone (and the pretrained weights that its order names).

    Raises:
        UsageError: the folder holds no finished training.
        InputError, NotFound, WeightsError, PluginError: a file is gone, changed or damaged.
    """
    spec = order_of(folder)
    if not (folder / HEAD_FACTS).exists():
        raise UsageError(f"The run “{folder.name}” has no result yet.", "Wait until it is finished, or resume it.")
    backbone, change = _backbone(spec, folder)
    backbone.module.to(device).eval()
    facts = wire.read(HeadFacts, folder / HEAD_FACTS)
    try:
        head = head_of(facts, read_tensors(folder / HEAD))
    except (MedfmError, KeyError, RuntimeError) as error:
        raise InputError(f"The head of the run “{folder.name}” is damaged.", "Run the training again.") from error
    frozen = not (folder / BACKBONE).exists()
    return SavedModel(spec, backbone, head.to(device), device, frozen, _preprocess(spec, folder), change)


def merged(model: SavedModel) -> SavedModel:
    """The same model with its adapters folded into the backbone's own weights, for use without peft; in place."""
    if model.change is not None and model.change.adapters is not None:
        merge_adapters(model.backbone.module)
    return replace(model, change=None)


def _backbone(spec: TrainSpec, folder: Path) -> tuple[Backbone, ChangeFacts | None]:
    """The pretrained backbone with what the run changed of it."""
    path, facts = folder / BACKBONE, folder / BACKBONE_FACTS
    change = wire.read(ChangeFacts, facts) if facts.exists() else None
    whole = path.exists() and change is None
    backbone = load_backbone(spec.card, image_size=input_size(spec), weights=None if whole else weights_file(spec))
    if whole:
        load_checked(backbone.module, read_tensors(path), ignore=(), what=path.name, model=spec.card.title)
    elif change is not None:
        applied(backbone.module, change, read_tensors(path))
    return backbone, change


def _preprocess(spec: TrainSpec, folder: Path) -> Preprocess:
    """As it was kept; runs of earlier versions did what their order says."""
    path = folder / PREPROCESS
    return wire.read(Preprocess, path) if path.exists() else preprocess_of(spec.recipe, spec.card, input_size(spec))


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

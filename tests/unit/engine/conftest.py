"""A tiny workspace for the engine: a plugin with a small network, its weights, images with a finding, a split."""

from __future__ import annotations

import hashlib
import os
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write, sha256_file
from medfm_gui.datasets.files import write_dataset, write_split
from medfm_gui.datasets.pixels import Place, write_index
from medfm_gui.domain.cards import BackboneCard, Family, WeightsSource
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import FileRef, TrainSpec
from medfm_gui.domain.split import Assignment, Partition, Split
from medfm_gui.engine.backbones import build_backbone
from medfm_gui.engine.tensor_files import write_tensors
from tests.fixtures.one_thread import one_thread as one_thread

SIZE = 32
_BACKBONE = '''
"""A network of two convolutions, with batch norm and dropout, for tests."""
from dataclasses import dataclass
from torch import nn
from torch.nn import functional


@dataclass
class Tiny:
    card: object
    module: nn.Module
    image_size: int
    feature_dim: int = 12
    token_dim: int = 12

    def features(self, images):
        return functional.dropout(self.module(images).mean(dim=(2, 3)), 0.1, self.module.training)

    def tokens(self, images):
        return self.module(images).flatten(2).transpose(1, 2)

    def depths(self, images, last):
        mean = self.tokens(images).mean(dim=1)
        return mean[:, None], mean

    def blocks(self):
        return [self.module[0], self.module[3]]

    def lora_targets(self, which):
        return ["0", "3"] if which == "attention+mlp" else ["0"] if which == "qkv" else ["3"]

    def cam_layer(self):
        return self.module[3]

    def cam_maps(self, activation):
        return activation


def build(card, image_size):
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.BatchNorm2d(12), nn.ReLU(),
    )
    return Tiny(card, module, image_size)
'''


@dataclass(frozen=True)
class Bench:
    """Folders and files of the tiny workspace, and what makes orders from them."""

    root: Path
    card: BackboneCard
    weights: FileRef

    def spec(self, adapt: str = "linear", run: str = "r001", data: str = "binary", **changes: Any) -> TrainSpec:
        """The order of a training; ``recipe`` may be a dict of changes."""
        folder = self.root / "datasets" / data
        manifest = folder / "manifest.json"
        split = self.root / "splits" / f"{data}.json"
        dataset = _DATASETS[data]
        recipe = Recipe(
            **{"epochs": 3, "batch_size": 8, "lr": 3e-3, "input_size": SIZE, "k": 5, **changes.pop("recipe", {})}
        )
        spec = TrainSpec(
            run=run,
            dataset=FileRef(str(manifest), sha256_file(manifest)),
            split=FileRef(str(split), sha256_file(split)),
            pixels=str(folder / "pixels"),
            features=str(self.root / "features"),
            card=self.card,
            adapt=adapt,
            recipe=recipe,
            seed=3,
            device="cpu",
            weights=self.weights,
            dataset_id=data,
            split_id=data,
            task=dataset[0],
            classes=dataset[1],
            positive=dataset[2],
        )
        return replace(spec, **changes)

    def folder(self, spec: TrainSpec) -> Path:
        """The run's folder with its order in it."""
        folder = self.root / "runs" / spec.run
        atomic_write(folder / "spec.json", wire.encode_spec(spec))
        return folder


_DATASETS: dict[str, tuple[Task, tuple[str, ...], str | None]] = {
    "binary": (Task.BINARY, ("benign", "malignant"), "malignant"),
    "multiclass": (Task.MULTICLASS, ("a", "b", "c"), None),
    "multilabel": (Task.MULTILABEL, ("left", "right", "never"), None),
}


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root = tmp_path_factory.mktemp("bench")
    plugin = root / "plugins" / "tiny"
    plugin.mkdir(parents=True)
    (plugin / "backbone.py").write_text(textwrap.dedent(_BACKBONE), encoding="utf-8")
    (plugin / "plugin.toml").write_text('[plugin]\nname = "tiny"\n', encoding="utf-8")
    before = os.environ.get("MEDFM_PLUGINS")
    os.environ["MEDFM_PLUGINS"] = str(root / "plugins")
    card = BackboneCard(
        name="tiny", title="Tiny", family=Family.BASELINE, arch="tiny", entry="backbone:build", plugin="tiny",
        plugin_folder=str(plugin), pretraining="none", pretraining_data="none", parameters_m=0.001, input_size=SIZE,
        native_size=SIZE, multiple=1, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), features="mean", cam="[3]",
        licence="MIT", weights=WeightsSource(), adaptations=("knn", "linear", "lora", "bitfit", "partial", "full"),
        feature_dim=12, convolutional=True,
    )  # fmt: skip
    torch.manual_seed(0)
    file = root / "weights" / "tiny.safetensors"
    sha256 = write_tensors(file, build_backbone(card, SIZE).module.state_dict())
    for name in _DATASETS:
        _write_data(root, name)
    yield Bench(root, card, FileRef(str(file), sha256))
    if before is None:
        del os.environ["MEDFM_PLUGINS"]
    else:
        os.environ["MEDFM_PLUGINS"] = before


@pytest.fixture
def order(bench: Bench) -> Callable[..., tuple[TrainSpec, Path]]:
    """Makes an order with a folder of its own."""
    made = iter(range(1000))
    stem = os.environ.get("PYTEST_CURRENT_TEST", "x").split("::")[-1].split(" ")[0].replace("[", "-").replace("]", "")

    def make(adapt: str = "linear", **changes: Any) -> tuple[TrainSpec, Path]:
        spec = bench.spec(adapt, run=f"{stem}-{next(made)}", **changes)
        return spec, bench.folder(spec)

    return make


def _write_data(root: Path, name: str) -> None:
    task, classes, positive = _DATASETS[name]
    random = np.random.default_rng(5)
    sides = [Partition.TRAIN] * 20 + [Partition.VAL] * 11 + [Partition.CAL] * 9 + [Partition.TEST] * 7
    folder = root / "datasets" / name
    (folder / "pixels").mkdir(parents=True)
    samples, places = [], {}
    with (folder / "pixels" / "shard-000.bin").open("wb") as shard:
        for number in range(len(sides)):
            target = _target(task, number)
            sample_id = f"s{number:06d}"
            image = _image(random, target, number)
            places[sample_id] = Place("shard-000.bin", shard.tell(), image.shape, str(image.dtype))
            shard.write(image.tobytes())
            samples.append(
                Sample(sample_id, f"{number}.png", target, patient=f"P-{number // 2}", pixels_sha256=_sha256(image))
            )
    write_index(folder / "pixels", places)
    dataset = Dataset(
        id=name, name=name, layout="folder", task=task, classes=classes, source="nowhere", samples=tuple(samples),
        fingerprint=f"fp-{name}", positive=positive,
    )  # fmt: skip
    write_dataset(folder, dataset)
    assignments = tuple(Assignment(s.id, side, s.id) for s, side in zip(samples, sides, strict=True))
    write_split(root / "splits" / f"{name}.json", Split(name, name, f"fp-{name}", "made", 0, assignments, "fps"))


def _sha256(image: npt.NDArray[Any]) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def _target(task: Task, number: int) -> tuple[int, ...]:
    if task is Task.MULTILABEL:
        return (number % 2, -1 if number % 5 == 0 else number // 2 % 2, 0)
    return (number % (3 if task is Task.MULTICLASS else 2),)


def _image(random: np.random.Generator, target: Sequence[int], number: int) -> npt.NDArray[Any]:
    """Noise with a bright square whose place (or places) tells the label; grey, RGB or 16 bit."""
    image = random.integers(40, 120, (40, 48)).astype(np.float64)
    marks = target if len(target) > 1 else [index == target[0] for index in range(3)]
    for place, there in enumerate(marks):
        if there == 1:
            image[8:28, 4 + 14 * place : 16 + 14 * place] += 120
    grey = image.clip(0, 255)
    if number % 3 == 1:
        return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)
    return (grey * 257).astype(np.uint16) if number % 3 == 2 else grey.astype(np.uint8)

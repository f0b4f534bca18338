"""k nearest neighbours: nothing is trained, the training images themselves vote."""

from __future__ import annotations

import time
from collections.abc import Generator

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.split import Partition
from medfm_gui.engine.fitted import Fitted, validation_of
from medfm_gui.engine.head import HeadFacts, NearestNeighbours
from medfm_gui.engine.material import Material, Targets


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Keep the training images' features; say how they score the validation images."""
    begun = time.perf_counter()
    train, val = material.ids[Partition.TRAIN], material.ids[Partition.VAL]
    features = yield from material.frozen().look([*train, *val, *material.ids[Partition.CAL]])
    recipe = material.spec.recipe
    k = min(recipe.k, len(train))
    if k < recipe.k:
        yield ev.Warned(
            time.time(), f"There are only {len(train)} training images, so {k} neighbours vote, not {recipe.k}."
        )
    dataset = material.dataset
    references = torch.from_numpy(features.of(train))
    functional.normalize(references, dim=1, out=references)  # in place: the largest thing in memory
    facts = HeadFacts("knn", dataset.task, dataset.classes, references.shape[1], k, recipe.temperature)
    labels = _one_hot(material.targets(Partition.TRAIN), len(dataset.classes), dataset.task)
    head = NearestNeighbours(facts, references, torch.from_numpy(labels))
    with torch.no_grad():
        scores = head.scores(torch.from_numpy(features.of(val)))
    loss, metrics = validation_of(dataset, material.targets(Partition.VAL), scores.probabilities.numpy())
    seconds = time.perf_counter() - begun
    yield ev.EpochFinished(time.time(), 1, 1, {"val_loss": loss, **metrics}, seconds, best=True)
    return Fitted(head, trained_parameters=0, samples_per_second=len(features) / seconds)


def _one_hot(targets: Targets, classes: int, task: Task) -> npt.NDArray[np.int8]:
    """n × classes of 1, 0 and, in a multi-label task, -1 for what was not assessed."""
    if task is Task.MULTILABEL:
        return targets.astype(np.int8)
    return np.eye(classes, dtype=np.int8)[targets]

"""k nearest neighbours: nothing is trained, the training images themselves vote.

``vote`` is DINOv2's; ``ml-knn`` is that of Zhang & Zhou for images with several labels, which counts once, among the
training images, how often k neighbours have a label that an image has, and that it has not. There a patient's other
images do not count as neighbours, for an image to come has none among the training images. Those that stand behind a
score are kept by id, so that a prediction can name them.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.engine.cases import Cases, Targets, rows_of
from medfm_gui.engine.fitted import Fitted, validation_of
from medfm_gui.engine.head import HeadFacts, MultiLabelNeighbours, NearestNeighbours, Neighbours, nearest
from medfm_gui.engine.material import Material

_SMOOTHING = 1.0
_ROWS_AT_ONCE = 256

Voters = NearestNeighbours | MultiLabelNeighbours


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Keep the training images' features; say how they score the validation images.

    Raises:
        UsageError: ML-kNN of a task whose classes exclude each other; too few training images to leave one out.
    """
    recipe, dataset = material.spec.recipe, material.dataset
    if recipe.knn_rule == "ml-knn" and dataset.task is not Task.MULTILABEL:
        raise UsageError("ML-kNN is for images with several labels, and here each has one.", "Use knn_rule=vote.")
    begun = time.perf_counter()
    features = yield from material.frozen().look(material.every_id)
    train = material.cases(Partition.TRAIN)
    k = yield from _neighbours_that_vote(
        len(train), recipe.k, spare=recipe.leave_one_out or recipe.knn_rule == "ml-knn"
    )
    references = torch.from_numpy(rows_of(features, train, recipe.aggregate))
    functional.normalize(references, dim=1, out=references)  # in place: the largest thing in memory
    head = _head(material, train, references, k)
    told: dict[str, float] = {}
    if len(material.ids[Partition.VAL]):
        val = material.cases(Partition.VAL)
        with torch.no_grad():
            scores = head.scores(torch.from_numpy(rows_of(features, val, recipe.aggregate)))
        loss, metrics = validation_of(dataset, val.targets, scores.probabilities.numpy())
        told = {"val_loss": loss, **metrics}
    if recipe.leave_one_out:
        told |= _left_out(material, head, train)
    seconds = time.perf_counter() - begun
    yield ev.EpochFinished(time.time(), 1, 1, told, seconds, best=True)
    facts = {"leave_one_out": "each case by the others, its own patient left out"} if recipe.leave_one_out else {}
    return Fitted(head, trained_parameters=0, samples_per_second=len(features) / seconds, facts=facts)


def _neighbours_that_vote(cases: int, k: int, *, spare: bool) -> Generator[ev.Event, None, int]:
    """k, or as many as there are; with ``spare`` one less, since a training image is none of its own neighbours."""
    most = cases - spare
    if most < 1:
        raise UsageError("There is one training image, which has no other to be compared with.", "Use more images.")
    if most < k:
        yield ev.Warned(time.time(), f"There are only {cases} training images, so {most} neighbours vote, not {k}.")
    return min(k, most)


def _head(material: Material, train: Cases, references: Tensor, k: int) -> Voters:
    recipe, dataset = material.spec.recipe, material.dataset
    facts = HeadFacts(
        "ml-knn" if recipe.knn_rule == "ml-knn" else "knn",
        dataset.task,
        dataset.classes,
        references.shape[1],
        k,
        recipe.temperature,
        samples=train.firsts,
        aggregate=recipe.aggregate,
    )
    labels = torch.from_numpy(_one_hot(train.targets, len(dataset.classes), dataset.task))
    if facts.kind == "knn":
        return NearestNeighbours(facts, references, labels)
    return MultiLabelNeighbours(facts, _counted(references, labels, k, _groups(train)))


def _one_hot(targets: Targets, classes: int, task: Task) -> npt.NDArray[np.int8]:
    """n × classes of 1, 0 and, in a multi-label task, -1 for what was not assessed."""
    if task is Task.MULTILABEL:
        return targets.astype(np.int8)
    return np.eye(classes, dtype=np.int8)[targets]


def _groups(train: Cases) -> Tensor:
    """The patient of each training case, as a number."""
    return torch.from_numpy(np.unique(np.array(train.names), return_inverse=True)[1])


def _counted(references: Tensor, labels: Tensor, k: int, groups: Tensor) -> Mapping[str, Tensor]:
    """The tensors of ``MultiLabelNeighbours``: equations 4 to 6 of the paper, smoothing 1.

    An image in which a label was not assessed is left out of that label's counts. Neighbours are of other ``groups``.
    """
    classes = labels.shape[1]
    counts = torch.zeros(2, classes, k + 1, dtype=torch.float64)
    columns = torch.arange(classes)
    for places, found in _by_the_others(references, k, groups):
        there = (found.similarities > -torch.inf)[:, :, None]
        near = ((labels[found.indices] > 0) & there).sum(dim=1)
        for having in (0, 1):
            known = (labels[places] == having).double()
            counts[having].index_put_((columns.expand_as(near), near), known, accumulate=True)
    positives, assessed = (labels > 0).sum(dim=0).double(), (labels != UNKNOWN).sum(dim=0).double()
    prior = (_SMOOTHING + positives) / (2 * _SMOOTHING + assessed)
    likelihood = (_SMOOTHING + counts) / (_SMOOTHING * (k + 1) + counts.sum(dim=2, keepdim=True))
    return {"references": references, "labels": labels, "prior": prior.float(), "likelihood": likelihood.float()}


def _by_the_others(references: Tensor, k: int, groups: Tensor) -> Iterator[tuple[Tensor, Neighbours]]:
    """Each training case's nearest among those of other groups, part by part: places and their neighbours."""
    for places in torch.split(torch.arange(len(references)), _ROWS_AT_ONCE):
        yield places, nearest(references[places], references, k, groups[places][:, None] == groups[None])


def _left_out(material: Material, head: Voters, train: Cases) -> dict[str, float]:
    """Loss and metrics of the training cases, each scored by those of other patients, named ``loo_…``."""
    groups = _groups(train)
    decide = head.vote if isinstance(head, NearestNeighbours) else head.posterior
    parts: Sequence[Tensor] = [decide(found) for _, found in _by_the_others(head.references, head.facts.k, groups)]
    loss, metrics = validation_of(material.dataset, train.targets, torch.cat(list(parts)).numpy())
    return {f"loo_{name}": value for name, value in {"loss": loss, **metrics}.items()}

"""Neighbours: ML-kNN as in the paper, each case left out, and the training images behind a score."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.run import TrainSpec
from medfm_gui.engine.adaptations.knn import _counted
from medfm_gui.engine.head import HeadFacts, MultiLabelNeighbours, NearestNeighbours, head_of
from medfm_gui.engine.saved import open_model
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]


def _by_hand(references: np.ndarray, labels: np.ndarray, query: np.ndarray, k: int) -> np.ndarray:
    """Zhang & Zhou 2007, figure 1, one image and label at a time; every label assessed."""

    def nearest(row: np.ndarray, but: int | None) -> np.ndarray:
        order = [place for place in np.argsort(-(references @ row), kind="stable") if place != but]
        return np.array(order[:k])

    n, classes = labels.shape
    answer = np.zeros((len(query), classes))
    for label in range(classes):
        prior = (1 + labels[:, label].sum()) / (2 + n)
        counts = np.zeros((2, k + 1))
        for place in range(n):
            counts[labels[place, label], labels[nearest(references[place], place), label].sum()] += 1
        for row, one in enumerate(query):
            near = labels[nearest(one, None), label].sum()
            likely = [(1 + counts[b, near]) / (k + 1 + counts[b].sum()) for b in (0, 1)]
            answer[row, label] = prior * likely[1] / (prior * likely[1] + (1 - prior) * likely[0])
    return answer


def test_ml_knn_is_that_of_the_paper() -> None:
    random = np.random.default_rng(4)
    references = functional.normalize(torch.from_numpy(random.normal(size=(70, 6))).float(), dim=1)
    query = functional.normalize(torch.from_numpy(random.normal(size=(300, 6))).float(), dim=1)
    labels = torch.from_numpy(random.integers(0, 2, (70, 3))).to(torch.int8)
    facts = HeadFacts("ml-knn", Task.MULTILABEL, ("a", "b", "c"), 6, k=7)
    head = MultiLabelNeighbours(facts, _counted(references, labels, 7, torch.arange(70)))
    found = head.scores(query * 3).probabilities.numpy()
    assert np.allclose(found, _by_hand(references.numpy(), labels.numpy(), query.numpy(), 7), atol=1e-5)
    again = head_of(facts, head.state_dict()).scores(query * 3).probabilities.numpy()
    assert np.array_equal(again, found)


def test_what_was_not_assessed_is_not_counted() -> None:
    references = functional.normalize(torch.from_numpy(np.random.default_rng(1).normal(size=(30, 4))).float(), dim=1)
    labels = torch.zeros(30, 2, dtype=torch.int8)
    labels[:10, 0] = 1
    labels[:, 1] = -1
    counted = _counted(references, labels, 3, torch.arange(30))
    assert counted["prior"][0] == pytest.approx(11 / 32)
    assert counted["prior"][1] == 0.5
    assert torch.allclose(counted["likelihood"][:, 1], torch.full((2, 4), 0.25))


def test_ml_knn_does_not_learn_from_other_images_of_the_same_patient() -> None:
    """Each image twice, as of one patient: by the twin alone every label would seem certain."""
    random = np.random.default_rng(2)
    rows = functional.normalize(torch.from_numpy(random.normal(size=(40, 6))).float(), dim=1)
    labels = torch.from_numpy(random.integers(0, 2, (40, 1))).to(torch.int8)
    twice, patients = torch.repeat_interleave(torch.arange(40), 2), torch.repeat_interleave(torch.arange(40), 2)
    images = _counted(rows[twice], labels[twice], 1, torch.arange(80))["likelihood"][:, 0]
    by_patient = _counted(rows[twice], labels[twice], 1, patients)["likelihood"][:, 0]
    assert images[1, 1] > 0.9, "a twin always has what its image has"
    assert by_patient[1, 1] < 0.75
    few = _counted(rows[:4], labels[:4], 3, torch.tensor([0, 0, 0, 1]))["likelihood"]
    assert bool(few.isfinite().all())


def test_the_nearest_training_images_are_named() -> None:
    references = functional.normalize(torch.randn(20, 5, generator=torch.Generator().manual_seed(0)), dim=1)
    facts = HeadFacts(
        "knn", Task.BINARY, ("a", "b"), 5, k=3, temperature=0.07, samples=tuple(f"s{n}" for n in range(20))
    )
    head = NearestNeighbours(facts, references, torch.eye(2)[torch.arange(20) % 2])
    indices, similarities = head.neighbours(references[[7]] * 4)
    assert facts.samples[indices[0, 0]] == "s7"
    assert similarities[0, 0] == pytest.approx(1.0)
    assert (similarities[0].diff() <= 0).all()


@pytest.mark.parametrize("rule", ["vote", "ml-knn"])
def test_a_run_tells_how_each_image_is_scored_by_the_others(order: Order, rule: str) -> None:
    recipe = {"knn_rule": rule, "leave_one_out": True, "k": 4}
    spec, folder = order("knn", data="multilabel", recipe=recipe)
    *events, last = run_training(spec, folder)
    assert isinstance(last, ev.RunFinished)
    (epoch,) = (event for event in events if isinstance(event, ev.EpochFinished))
    assert {"val_loss", "loo_loss"} <= set(epoch.metrics)
    assert "left out" in last.facts["leave_one_out"]
    assert last.labels_used == 20  # neighbours select nothing, and several labels have no threshold
    assert last.peak_memory_bytes > 0
    model = open_model(folder, torch.device("cpu"))
    assert model.head.facts.kind == ("ml-knn" if rule == "ml-knn" else "knn")
    assert len(model.head.facts.samples) == 20
    assert json.loads((folder / "weights" / "head.json").read_text())["samples"][0] == "s000000"


def test_images_of_the_same_patient_have_no_say_when_one_is_left_out(order: Order) -> None:
    from medfm_gui.datasets.files import read_dataset
    from medfm_gui.engine.adaptations.knn import _left_out
    from medfm_gui.engine.cases import cases_of

    spec, _ = order("knn")
    dataset = read_dataset(Path(spec.dataset.path).parent)
    train = cases_of(dataset, [f"s{number:06d}" for number in range(8)], "none")
    # two images a patient, all but equal: each patient's own pair would decide every vote
    rows = functional.normalize(torch.repeat_interleave(torch.eye(4), 2, dim=0) + 0.1, dim=1)
    facts = HeadFacts("knn", dataset.task, dataset.classes, 4, k=1, temperature=0.1)
    pairs = torch.eye(2)[torch.tensor([0, 0, 1, 1, 0, 0, 1, 1])]
    head = NearestNeighbours(facts, rows, pairs)

    class _Material:
        pass

    material = _Material()
    material.dataset = dataset  # type: ignore[attr-defined]
    loss = _left_out(material, head, train)["loo_loss"]  # type: ignore[arg-type]
    assert loss > 1  # someone else's label is right half the time at most


def test_ml_knn_of_exclusive_classes_is_refused(order: Order) -> None:
    with pytest.raises(UsageError, match="several labels"):
        list(run_training(*order("knn", recipe={"knn_rule": "ml-knn"})))

"""Heads and what fits them: the vote of neighbours, the linear layer, the path of penalties, losses, checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from sklearn.linear_model import LogisticRegression

from medfm_gui.domain.cards import ADAPTATIONS as CARDS
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import TrainSpec
from medfm_gui.engine.adaptations import ADAPTATIONS
from medfm_gui.engine.adaptations.linear import penalties
from medfm_gui.engine.adaptations.scope import Scope, whole
from medfm_gui.engine.adaptations.tuning import Tuning
from medfm_gui.engine.backbones import load_backbone
from medfm_gui.engine.checkpoint import Checkpoint
from medfm_gui.engine.head import HeadFacts, LinearHead, NearestNeighbours, head_of
from medfm_gui.engine.logistic import LogisticPath
from medfm_gui.engine.loss import Objective, log_loss


def _vote_by_hand(query: np.ndarray, bank: np.ndarray, labels: np.ndarray, k: int, temperature: float) -> np.ndarray:
    """Oquab et al. 2023, one image at a time."""
    scores = []
    for row in query:
        likeness = np.array([row @ other / np.linalg.norm(row) / np.linalg.norm(other) for other in bank])
        nearest = np.argsort(-likeness)[:k]
        weights = np.exp(likeness[nearest] / temperature)
        scores.append(
            [
                (weights * (labels[nearest, index] == 1)).sum() / (weights * (labels[nearest, index] >= 0)).sum()
                for index in range(labels.shape[1])
            ]
        )
    return np.array(scores)


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.MULTILABEL])
def test_the_vote_is_that_of_the_paper(task: Task) -> None:
    random = np.random.default_rng(2)
    bank, query = random.normal(size=(60, 7)), random.normal(size=(300, 7))
    if task is Task.MULTICLASS:
        labels = np.eye(3)[random.integers(0, 3, 60)]
    else:
        labels = random.integers(-1, 2, (60, 3)).astype(float)
    facts = HeadFacts("knn", task, ("a", "b", "c"), 7, k=9, temperature=0.07)
    references = functional.normalize(torch.from_numpy(bank).float(), dim=1)
    head = NearestNeighbours(facts, references, torch.from_numpy(labels))
    scores = head.scores(torch.from_numpy(query).float())
    assert scores.logits is None
    assert np.allclose(scores.probabilities.numpy(), _vote_by_hand(query, bank, labels, 9, 0.07), atol=1e-4)
    again = head_of(facts, head.state_dict()).scores(torch.from_numpy(query).float())
    assert torch.equal(again.probabilities, scores.probabilities)


def test_a_label_that_no_neighbour_was_assessed_for_is_undecided() -> None:
    facts = HeadFacts("knn", Task.MULTILABEL, ("a", "b"), 2, k=2, temperature=0.1)
    head = NearestNeighbours(facts, torch.eye(2), torch.tensor([[1, -1], [0, -1]]))
    assert head.scores(torch.tensor([[1.0, 0.0]])).probabilities[0, 1] == 0.5


def _blobs(classes: int, count: int = 150, dim: int = 12) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(classes)
    targets = random.integers(0, classes, count)
    features = random.normal(size=(count, dim)) + 0.8 * random.normal(size=(classes, dim))[targets]
    return (features - features.mean(0)) / features.std(0), targets


@pytest.mark.parametrize("classes", [2, 3])
def test_the_path_arrives_where_scikit_learn_does(classes: int) -> None:
    features, targets = _blobs(classes)
    path = LogisticPath(features, targets, Task.MULTICLASS, classes)
    for c in (1e-3, 1e-2, 1e-1):
        weight, bias = path.fit(c)
        peer = LogisticRegression(C=c, tol=1e-8, max_iter=5000).fit(features, targets)
        logits = torch.from_numpy(features @ weight.T + bias)
        assert np.allclose(logits.softmax(1).numpy(), peer.predict_proba(features), atol=2e-3)


def test_a_class_without_training_images_is_never_predicted() -> None:
    features, targets = _blobs(2)
    for missing, shown in ((1, np.array([0, 2])), (0, np.array([1, 2]))):
        weight, bias = LogisticPath(features, shown[targets], Task.MULTICLASS, 3).fit(1.0)
        scores = torch.from_numpy(features @ weight.T + bias).softmax(1)
        assert float(scores[:, missing].max()) == 0
    with pytest.raises(UsageError, match="same label"):
        LogisticPath(features, np.zeros(len(features), np.int64), Task.BINARY, 2)


def test_each_label_is_fitted_where_it_was_assessed() -> None:
    features, targets = _blobs(2)
    labels = np.stack([targets, np.where(np.arange(150) % 3 == 0, -1, 1 - targets), np.zeros(150), np.full(150, -1)], 1)
    weight, bias = LogisticPath(features, labels.astype(np.int8), Task.MULTILABEL, 4).fit(0.1)
    kept = np.arange(150) % 3 != 0
    peer = LogisticRegression(C=0.1, tol=1e-8).fit(features[kept], (1 - targets)[kept])
    scores = 1 / (1 + np.exp(-(features @ weight.T + bias)))
    assert np.allclose(scores[:, 1], peer.predict_proba(features)[:, 1], atol=2e-3)
    assert np.allclose(scores[:, 2], 0.5 / 151)
    assert np.allclose(scores[:, 3], 0.5)


def test_the_path_goes_from_strong_to_weak() -> None:
    assert penalties(20)[0] == pytest.approx(1e-5)
    assert penalties(20)[-1] == pytest.approx(1e2)
    assert (np.diff(penalties(20)) > 0).all()
    assert 1e-5 < penalties(1)[0] < 1e2


def _mean_loss(logits: torch.Tensor, targets: torch.Tensor, task: Task) -> torch.Tensor:
    objective = Objective(task)
    return objective.total(logits, targets) / objective.mass(targets)


def test_losses_leave_out_what_was_not_assessed() -> None:
    logits = torch.tensor([[2.0, -1.0], [0.5, 3.0]])
    known = torch.tensor([[1, 0], [0, 1]])
    hidden = torch.tensor([[1, -1], [0, -1]])
    assert _mean_loss(logits, known, Task.MULTILABEL) != _mean_loss(logits, hidden, Task.MULTILABEL)
    expected = functional.binary_cross_entropy_with_logits(logits[:, 0], known[:, 0].float())
    assert _mean_loss(logits, hidden, Task.MULTILABEL) == pytest.approx(float(expected))
    for targets, task in ((hidden, Task.MULTILABEL), (torch.tensor([1, 0]), Task.MULTICLASS)):
        probabilities = (logits.sigmoid() if task is Task.MULTILABEL else logits.softmax(1)).double().numpy()
        assert log_loss(probabilities, targets.numpy(), task) == pytest.approx(
            float(_mean_loss(logits, targets, task)), rel=1e-5
        )
    nothing = torch.full((2, 2), -1)
    assert float(_mean_loss(logits, nothing, Task.MULTILABEL)) == 0
    assert np.isnan(log_loss(probabilities, nothing.numpy(), Task.MULTILABEL))


@dataclass(frozen=True)
class _Place:
    step: int = 0


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, _Place)
    assert checkpoint.load() is None
    tensors = {"a": torch.randn(3), "whole": torch.tensor(7), "half": torch.randn(2).bfloat16()}
    checkpoint.save(_Place(5), tensors)
    loaded = checkpoint.load()
    assert loaded is not None
    assert loaded[0] == _Place(5)
    assert all(torch.equal(loaded[1][name], tensor) for name, tensor in tensors.items())
    checkpoint.save_best(1, {"a": tensors["a"]})
    checkpoint.save_best(2, {"a": tensors["a"] + 1})
    checkpoint.forget_all_but(2)
    assert sorted(path.name for path in (tmp_path / "checkpoint").iterdir()) == [
        "best-2.safetensors",
        "last.safetensors",
    ]
    assert torch.equal(checkpoint.load_best(2)["a"], tensors["a"] + 1)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, _Place)
    checkpoint.save(_Place(5), {"a": torch.randn(300)})
    path = tmp_path / "checkpoint" / "last.safetensors"
    whole = path.read_bytes()
    for damaged in (whole[:-7], b"\x80\x02}q\x00.", whole[:20]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged"):
            checkpoint.load()


def test_biases_and_norms_do_not_decay(order: Callable[..., tuple[TrainSpec, Path]]) -> None:
    spec, _ = order("full")
    backbone = load_backbone(spec.card, image_size=32, weights=None)
    head = LinearHead(HeadFacts("linear", Task.BINARY, spec.classes, 12))
    scope = Scope(head, *whole(backbone))
    tuning = Tuning(backbone, scope, Recipe(weight_decay=0.3), torch.device("cpu"), Objective(Task.BINARY))
    decayed, bare = tuning._optimiser.param_groups
    assert (decayed["weight_decay"], bare["weight_decay"]) == (0.3, 0.0)
    assert all(parameter.ndim > 1 for parameter in decayed["params"])
    assert all(parameter.ndim == 1 for parameter in bare["params"])
    assert sum(part.numel() for group in (decayed, bare) for part in group["params"]) == tuning.parameters


def test_a_linear_head_scores_as_its_task_says() -> None:
    torch.manual_seed(0)
    features = torch.randn(4, 3)
    for task, total in ((Task.BINARY, True), (Task.MULTILABEL, False)):
        head = LinearHead(HeadFacts("linear", task, ("a", "b"), 3)).requires_grad_(False)
        scores = head.scores(features)
        assert scores.logits is not None
        expected = scores.logits.softmax(1) if total else scores.logits.sigmoid()
        assert torch.equal(scores.probabilities, expected)
        assert torch.equal(head_of(head.facts, head.state_dict()).scores(features).probabilities, expected)


def test_every_adaptation_has_a_card_and_every_card_an_adaptation() -> None:
    assert sorted(ADAPTATIONS) == sorted(card.name for card in CARDS)

"""The cheap models themselves: what they look at, and that they look at nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from medfm_gui.datasets.thumbnails import thumbnail
from medfm_gui.domain.dataset import Task
from medfm_gui.metrics.shortcuts import encoded, shortcut_scores


def _learn(n: int, share: float = 0.7) -> np.ndarray:
    return np.arange(n) < share * n


def test_levels_numbers_ages_and_dates_become_columns() -> None:
    n = 40
    found = encoded(
        {
            "view": ["PA", "AP", "PA", ""] * 10,
            "age": ["034Y", "040Y", "", "06M"] * 10,
            "date": ["2020-01-02", "20200103", "2021/05/06", "2022-01-01"] * 10,
            "same": ["x"] * n,
            "file": [f"f{number}" for number in range(n)],
        },
        _learn(n),
        np.arange(n) % 3 % 2,
    )
    assert found.used == ("view", "age", "date")
    assert found.columns.shape == (n, 3 + 2 + 1)
    assert found.columns[0, 3] == 34.0 and found.columns[2, 4] == 1.0 and found.columns[3, 3] == 0.5
    assert len(found.left_out) == 1 and found.left_out[0].startswith("file (")


def test_the_label_in_other_words_is_left_out() -> None:
    targets = np.arange(60) % 2
    words = np.where(targets == 1, "Cardiomegaly", "No Finding").tolist()
    found = encoded({"finding": words, "sex": ["F", "F", "M"] * 20}, _learn(60), targets)
    assert found.used == ("sex",) and "other words" in found.left_out[0]


def test_it_learns_from_the_training_side_alone() -> None:
    random = np.random.default_rng(0)
    features, targets = random.normal(size=(200, 3)), random.integers(0, 2, 200)
    learn, groups = _learn(200), np.arange(200)
    scores = shortcut_scores(features, targets, Task.BINARY, 2, learn=learn, groups=groups)
    others = np.where(learn, targets, 1 - targets)
    assert np.array_equal(scores, shortcut_scores(features, others, Task.BINARY, 2, learn=learn, groups=groups))
    assert np.allclose(scores.sum(axis=1), 1)


@pytest.mark.parametrize("columns", (4, 300))
def test_it_finds_what_is_there(columns: int) -> None:
    random = np.random.default_rng(1)
    targets = random.integers(0, 3, 600)
    features = random.normal(size=(600, columns))
    features[:, :3] += 3 * np.eye(3)[targets]
    features[:, :3] *= 5 if columns > 100 else 1
    scores = shortcut_scores(
        features, targets, Task.MULTICLASS, 4, learn=_learn(600), groups=np.repeat(np.arange(300), 2)
    )
    right = scores.argmax(axis=1)[420:] == targets[420:]
    assert right.mean() > (0.8 if columns == 4 else 0.5)
    assert np.all(scores[:, 3] == 0), "a class that was never seen has no share"


def test_findings_that_were_not_assessed_teach_nothing() -> None:
    random = np.random.default_rng(2)
    targets = random.integers(-1, 2, (300, 2))
    targets[:, 1] = 1
    features = random.normal(size=(300, 1)) + 2 * targets[:, :1]
    scores = shortcut_scores(features, targets, Task.MULTILABEL, 2, learn=_learn(300), groups=np.arange(300))
    held = targets[210:, 0] >= 0
    assert np.corrcoef(scores[210:, 0][held], targets[210:, 0][held])[0, 1] > 0.5
    assert np.allclose(scores[:, 1], 1), "a finding that is always there is always said"


def test_one_patient_and_one_class_give_shares() -> None:
    features = np.arange(6.0)[:, None]
    same = shortcut_scores(features, np.zeros(6, np.intp), Task.BINARY, 2, learn=_learn(6), groups=np.zeros(6, np.intp))
    assert np.array_equal(same, np.tile([1.0, 0.0], (6, 1)))
    one = shortcut_scores(
        features, np.array([0, 1, 0, 1, 0, 1]), Task.BINARY, 2, learn=_learn(6), groups=np.zeros(6, np.intp)
    )
    assert np.isfinite(one).all() and np.allclose(one.sum(axis=1), 1)
    two = shortcut_scores(
        np.arange(800.0).reshape(4, 200), np.array([0, 1, 0, 1]), Task.BINARY, 2, learn=_learn(4, 0.5),
        groups=np.arange(4),
    )  # fmt: skip
    assert np.allclose(two, 0.5)


@pytest.mark.parametrize("shape", ((100, 75), (32, 32), (5, 900), (1, 1)))
@pytest.mark.parametrize("kind", (np.uint8, np.uint16))
def test_a_thumbnail_keeps_brightness(shape: tuple[int, int], kind: type[np.uint8] | type[np.uint16]) -> None:
    full = np.iinfo(kind).max
    assert np.allclose(thumbnail(np.full(shape, full, kind)), 1)  # type: ignore[arg-type]
    halves = np.zeros((64, 64, 3), kind)
    halves[:, 32:] = full
    small = thumbnail(halves)  # type: ignore[arg-type]
    assert small.shape == (32, 32) and np.allclose(small[:, :16], 0) and np.allclose(small[:, 16:], 1)

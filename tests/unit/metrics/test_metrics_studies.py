"""The numbers of both studies against scikit-learn and MONAI's definitions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.studies import pooled_overlap, study_a, study_b


def _scored(task: Task, classes: int, n: int = 200, targets: np.ndarray | None = None) -> Scored:
    random = np.random.default_rng(classes)
    shape = (n, classes) if task is Task.MULTILABEL else (n,)
    wanted = random.integers(0, 2 if task is Task.MULTILABEL else classes, shape) if targets is None else targets
    if task is Task.MULTILABEL:
        scores = np.clip(0.3 * wanted + random.random((n, classes)) * 0.7, 0, 1)
    else:
        raw = random.random((n, classes)) + 0.7 * np.eye(classes)[wanted]
        scores = raw / raw.sum(axis=1, keepdims=True)
    names = tuple(f"c{number}" for number in range(classes))
    positive = "c1" if task is Task.BINARY else None
    return Scored(tuple(map(str, range(n))), wanted, scores, None, task, names, positive)


def test_study_a_of_several_classes_is_one_against_one_and_rounded() -> None:
    one = _scored(Task.MULTICLASS, 4)
    found, said = study_a(one), one.scores.argmax(axis=1)
    assert found["study_a_roc_auc"] == round(metrics.roc_auc_score(one.targets, one.scores, multi_class="ovo"), 3)
    assert found["study_a_recall_macro"] == round(metrics.balanced_accuracy_score(one.targets, said), 3)
    assert found["study_a_accuracy"] == round(metrics.accuracy_score(one.targets, said), 3)
    assert found["study_a_f1_macro"] == round(metrics.f1_score(one.targets, said, average="macro"), 3)
    quadratic = metrics.cohen_kappa_score(one.targets, said, weights="quadratic")
    assert found["study_a_kappa_quadratic"] == round(quadratic, 3)
    ovr = metrics.roc_auc_score(one.targets, one.scores, multi_class="ovr")
    assert study_b(one)["study_b_auroc_macro"] == pytest.approx(ovr)


def test_study_a_counts_a_label_without_positives_half() -> None:
    targets = np.random.default_rng(1).integers(0, 2, (200, 3))
    targets[:, 2] = 0
    one = _scored(Task.MULTILABEL, 3, targets=targets)
    areas = [metrics.roc_auc_score(targets[:, place], one.scores[:, place]) for place in (0, 1)]
    found = study_a(one)
    assert found["study_a_roc_auc"] == round((sum(areas) + 0.5) / 3, 3)
    assert found["study_a_exact_match"] == round(float(((one.scores >= 0.5) == targets).all(axis=1).mean()), 3)
    assert study_b(one)["study_b_auroc_macro"] == pytest.approx(np.mean(areas))


def test_two_classes() -> None:
    one = _scored(Task.BINARY, 2)
    area = metrics.roc_auc_score(one.targets, one.scores[:, 1])
    assert study_a(one)["study_a_roc_auc"] == round(area, 3)
    assert study_b(one)["study_b_auroc_macro"] == pytest.approx(area)


def test_a_class_that_is_not_there_has_no_pairs() -> None:
    one = _scored(Task.MULTICLASS, 3, targets=np.arange(200) % 2)
    assert "study_a_roc_auc" not in study_a(one)
    alone = _scored(Task.BINARY, 2, targets=np.zeros(200, np.intp))
    assert study_b(alone) == {"study_b_auroc_macro": None}


def test_pixels_are_pooled_over_images_and_the_background_has_no_part() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, (4, 20, 20))
    said = np.where(random.random(truth.shape) < 0.8, truth, random.integers(0, 3, truth.shape))
    found = pooled_overlap(truth, said, 3)
    dice = metrics.f1_score(truth.ravel(), said.ravel(), labels=[1, 2], average="macro")
    jaccard = metrics.jaccard_score(truth.ravel(), said.ravel(), labels=[1, 2], average="macro")
    assert found["study_b_dice_pooled"] == pytest.approx(dice)
    assert found["study_b_jaccard_pooled"] == pytest.approx(jaccard)
    assert found["study_b_mean_pooled"] == pytest.approx((dice + jaccard) / 2)
    assert pooled_overlap(np.zeros(5, int), np.zeros(5, int), 3)["study_b_dice_pooled"] is None


def test_what_the_studies_do_not_have_is_refused() -> None:
    one = _scored(Task.BINARY, 2)
    scores = np.array(one.scores)
    scores[0] = np.nan
    failed = Scored(one.samples, one.targets, scores, None, one.task, one.classes, one.positive)
    unknown = _scored(Task.MULTILABEL, 2, targets=np.full((200, 2), -1))
    for wrong in (failed, unknown):
        with pytest.raises(InputError):
            study_a(wrong)
    with pytest.raises(InputError):
        pooled_overlap([0, 1], [0], 2)
    with pytest.raises(InputError):
        pooled_overlap([0, 2], [0, 1], 2)


def test_pooled_overlap_of_maps_of_8_bits_with_many_classes() -> None:
    drawn = np.random.default_rng(0).integers(0, 20, (64, 64)).astype(np.uint8)
    assert pooled_overlap(drawn, drawn, 20)["study_b_dice_pooled"] == 1

"""The numbers of the two studies exactly as their code makes them, under names of their own.

For laying published results beside one's own, never for judging: no interval, labels without positives counted as 0.5
in study A, pixels of a whole test set pooled in study B. Study A: metrics of its classification code, rounded to three
decimals. Study B: 2312.02366, macro AUROC, and Dice and Jaccard over all pixels without the background.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    cohen_kappa_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.arrays import Flags, Floats
from medfm_gui.metrics.scored import Scored

DECIMALS = 3
WITHOUT_POSITIVES = 0.5


def study_a(scored: Scored) -> Mapping[str, float]:
    """Study A's numbers of a test set, by unit as given, rounded to three decimals.

    One class a unit: accuracy, macro precision, recall and F1, kappa, kappa with quadratic weights, and ROC-AUC (of
    class 1, or macro over pairs of classes). Several findings: exact match at 0.5, macro average precision, macro
    precision, recall and F1 at 0.5, mean ROC-AUC in which a label without positives (or without negatives) is 0.5.

    Raises:
        InputError: there is no unit, a unit has no score, or a finding was not assessed (the study has none).
    """
    whole = _whole(scored)
    several = scored.task is Task.MULTILABEL
    found = _several(np.asarray(whole.targets == 1), whole.scores) if several else _single(whole)
    return {f"study_a_{name}": round(float(value), DECIMALS) for name, value in found.items()}


def study_b(scored: Scored) -> Mapping[str, float | None]:
    """Study B's macro AUROC: over labels, one class against the rest, or of two classes; None without both outcomes.

    Raises:
        InputError: as ``study_a``.
    """
    whole = _whole(scored)
    classes = range(len(whole.classes))
    if whole.task is Task.BINARY:
        areas = [_area(whole.events, whole.event_scores)]
    elif whole.task is Task.MULTILABEL:
        areas = [_area(np.asarray(whole.targets[:, one] == 1), whole.scores[:, one]) for one in classes]
    else:
        areas = [_area(np.asarray(whole.targets == one), whole.scores[:, one]) for one in classes]
    known = [area for area in areas if area is not None]
    return {"study_b_auroc_macro": float(np.mean(known)) if known else None}


def pooled_overlap(reference: npt.ArrayLike, predicted: npt.ArrayLike, classes: int) -> Mapping[str, float | None]:
    """Study B's Dice and Jaccard: pixels of all images together, mean over classes, class 0 (background) ignored.

    A class with no pixel on either side is left out of the mean. ``mean`` is what the study's figures show. Class
    0 has no part in the mean; a finding drawn where there is none counts against its class.

    Args:
        reference, predicted: class indices of any equal shape, at the network's resolution.

    Raises:
        InputError: other shapes, or an index outside the classes.
    """
    truth, said = np.asarray(reference).ravel(), np.asarray(predicted).ravel()
    if truth.shape != said.shape:
        raise InputError("Reference and prediction have other shapes.", "Give both at one resolution.")
    if truth.size and (min(truth.min(), said.min()) < 0 or max(truth.max(), said.max()) >= classes):
        raise InputError(f"A pixel lies outside the classes 0 … {classes - 1}.", "Check the classes.")
    # maps are often of 8 bits, where a product of indices would run over
    met = (
        np.bincount(truth.astype(np.intp) * classes + said.astype(np.intp), minlength=classes**2)
        .reshape(classes, classes)
        .astype(np.float64)
    )
    both, theirs, ours = np.diagonal(met)[1:], met.sum(axis=1)[1:], met.sum(axis=0)[1:]
    there = (theirs + ours) > 0
    if not there.any():
        return {"study_b_dice_pooled": None, "study_b_jaccard_pooled": None, "study_b_mean_pooled": None}
    dice = float((2 * both[there] / (theirs + ours)[there]).mean())
    jaccard = float((both[there] / (theirs + ours - both)[there]).mean())
    return {
        "study_b_dice_pooled": dice, "study_b_jaccard_pooled": jaccard, "study_b_mean_pooled": (dice + jaccard) / 2
    }  # fmt: skip


def _whole(scored: Scored) -> Scored:
    if not len(scored) or scored.failed:
        raise InputError(
            f"{len(scored.failed)} of {len(scored)} units have no score.",
            "The studies know no failed unit: leave it out.",
        )
    if scored.task is Task.MULTILABEL and (scored.targets == UNKNOWN).any():
        raise InputError("A finding was not assessed in some units.", "The studies take every finding for known.")
    return scored


def _single(scored: Scored) -> dict[str, float]:
    truth, said = scored.targets, scored.scores.argmax(axis=1)
    if scored.task is Task.BINARY:
        area = _area(np.asarray(truth == 1), scored.scores[:, 1])
    elif len(np.unique(truth)) == len(scored.classes):
        shares = scored.scores / scored.scores.sum(axis=1, keepdims=True)
        area = float(roc_auc_score(truth, shares, multi_class="ovo", average="macro"))
    else:
        area = None  # its code stops there
    found = {
        "accuracy": accuracy_score(truth, said),
        "precision_macro": precision_score(truth, said, average="macro", zero_division=0),
        "recall_macro": recall_score(truth, said, average="macro", zero_division=0),
        "f1_macro": f1_score(truth, said, average="macro", zero_division=0),
        "kappa": cohen_kappa_score(truth, said),
        "kappa_quadratic": cohen_kappa_score(truth, said, weights="quadratic"),
    }
    return found if area is None else {**found, "roc_auc": area}


def _several(truth: Flags, scores: Floats) -> dict[str, float]:
    said = scores >= 0.5
    areas = [_area(truth[:, one], scores[:, one]) for one in range(truth.shape[1])]
    precisions = [
        float(average_precision_score(truth[:, one], scores[:, one])) if truth[:, one].any() else 0.0
        for one in range(truth.shape[1])
    ]
    return {
        "exact_match": accuracy_score(truth, said),
        "average_precision_macro": float(np.mean(precisions)),
        "precision_macro": precision_score(truth, said, average="macro", zero_division=0),
        "recall_macro": recall_score(truth, said, average="macro", zero_division=0),
        "f1_macro": f1_score(truth, said, average="macro", zero_division=0),
        "roc_auc": float(np.mean([WITHOUT_POSITIVES if area is None else area for area in areas])),
    }


def _area(events: Flags, scores: Floats) -> float | None:
    return None if events.all() or not events.any() else float(roc_auc_score(events, scores))

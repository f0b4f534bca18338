"""Statistics of the order of scores: areas under ROC and precision–recall curves, alone and averaged over classes.

Each function sorts once and returns a ``bootstrap.Statistic``. Codes are (n,) cluster numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from medfm_gui.metrics.arrays import Codes, Flags, Floats
from medfm_gui.metrics.bootstrap import Statistic


def auc_statistic(events: Flags, scores: Floats, codes: Codes) -> Statistic:
    """Area under the ROC curve: the share of (event, other) pairs in the right order, ties counted half.

    The units of the smaller class look up the weight of the other class below them in one cumulative sum.
    """
    flipped = bool(2 * events.sum() > len(events))
    few, many = scores[events != flipped], scores[events == flipped]
    few_codes, many_codes = codes[events != flipped], codes[events == flipped]
    order = np.argsort(many, kind="stable")
    many, many_codes = many[order], many_codes[order]
    below, upto = np.searchsorted(many, few, "left"), np.searchsorted(many, few, "right")
    tied = not np.array_equal(below, upto)

    def statistic(drawn: Floats) -> Floats:
        weight_below = np.zeros((len(many) + 1, drawn.shape[1]))
        np.cumsum(drawn[many_codes], axis=0, out=weight_below[1:])
        weights = drawn[few_codes]
        rank = (weight_below[below] + weight_below[upto]) / 2 if tied else weight_below[below]
        pairs = weights.sum(axis=0) * weight_below[-1]
        share = _ratio(np.einsum("ij,ij->j", weights, rank), pairs)
        return 1 - share if flipped else share

    return statistic


def average_precision_statistic(events: Flags, scores: Floats, codes: Codes) -> Statistic:
    """Average precision: precision at each event's score, averaged over events; tied scores enter together.

    Source: the step-wise sum Σ (Rₙ - Rₙ₋₁) Pₙ, as scikit-learn's ``average_precision_score``.
    """
    order = np.argsort(-scores, kind="stable")
    flags, ranked, codes = events[order], scores[order], codes[order]
    block_end = np.searchsorted(-ranked, -ranked[flags], "right") - 1

    def statistic(drawn: Floats) -> Floats:
        weights = drawn[codes]
        total = np.cumsum(weights, axis=0)[block_end]
        hits = np.cumsum(weights * flags[:, None], axis=0)[block_end]
        own = weights[flags]
        precision = np.divide(hits, total, out=np.zeros_like(hits), where=total > 0)
        return _ratio(np.einsum("ij,ij->j", own, precision), own.sum(axis=0))

    return statistic


def mean_statistic(parts: Sequence[Statistic]) -> Statistic:
    """The mean of several statistics; it does not exist where one of them does not: every replicate has all labels."""

    def statistic(drawn: Floats) -> Floats:
        total = np.zeros(drawn.shape[1])
        for part in parts:
            total += part(drawn)
        return total / len(parts) if parts else np.full(drawn.shape[1], np.nan)

    return statistic


def one_vs_rest(targets: Codes, scores: Floats, codes: Codes) -> dict[int, Statistic]:
    """AUC of each class against all others, of classes that some units have and some have not. ``scores`` is (n, c)."""
    found = np.unique(targets)
    if len(found) < 2:
        return {}
    return {int(item): auc_statistic(targets == item, scores[:, item], codes) for item in found}


def one_vs_one(targets: Codes, scores: Floats, codes: Codes) -> list[Statistic]:
    """For each pair of classes present, the mean of both AUCs within the pair (Hand & Till, Machine Learning 2001)."""
    parts = []
    for first, second in combinations(np.unique(targets), 2):
        pair = (targets == first) | (targets == second)
        both = [
            auc_statistic(targets[pair] == item, scores[pair, item], codes[pair]) for item in (int(first), int(second))
        ]
        parts.append(mean_statistic(both))
    return parts


def _ratio(above: Floats, below: Floats) -> Floats:
    ratio: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratio

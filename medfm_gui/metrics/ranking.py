"""Statistics of the order of scores: areas under ROC and precision–recall curves, alone and averaged over classes.

Each function sorts once and returns a ``bootstrap.Statistic``. Codes are (n,) cluster numbers.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from medfm_gui.metrics.arrays import Codes, Flags, Floats
from medfm_gui.metrics.bootstrap import Mean, Statistic

_LONG = 16
"""Units a stretch from which on its own sum is the faster way, measured."""


def auc_statistic(events: Flags, scores: Floats, codes: Codes) -> Statistic:
    """Area under the ROC curve: the share of (event, other) pairs in the right order, ties counted half.

    Each unit of the smaller class looks up the weight of the other class below it. Only at those places is the
    cumulative weight needed, so the larger class is first summed between them.
    """
    flipped = bool(2 * events.sum() > len(events))
    few, few_codes = _ascending(scores[events != flipped], codes[events != flipped])
    many, many_codes = _ascending(scores[events == flipped], codes[events == flipped])
    if not len(few):
        return _absent
    below, upto = np.searchsorted(many, few, "left"), np.searchsorted(many, few, "right")
    places = np.concatenate([[0], below, upto])
    starts = np.unique(places[places < len(many)])
    below, upto = np.searchsorted(starts, below), np.searchsorted(starts, upto)
    tied = not np.array_equal(below, upto)

    def statistic(drawn: Floats) -> Floats:
        weight_below = np.zeros((len(starts) + 1, drawn.shape[1]))
        weight_below[1:] = _summed_to_ends(drawn, many_codes, starts)
        weights = drawn[few_codes]
        rank = (weight_below[below] + weight_below[upto]) / 2 if tied else weight_below[below]
        share = _ratio(np.einsum("ij,ij->j", weights, rank), weights.sum(axis=0) * weight_below[-1])
        return 1 - share if flipped else share

    return statistic


def average_precision_statistic(events: Flags, scores: Floats, codes: Codes) -> Statistic:
    """Average precision: precision at each event's score, averaged over events; tied scores enter together.

    It does not exist where either class is absent: with events alone every order of them would give 1.
    Source: the step-wise sum Σ (Rₙ - Rₙ₋₁) Pₙ, as scikit-learn's ``average_precision_score``.
    """
    if events.all() or not events.any():
        return _absent
    others = np.bincount(codes[~events])
    order = np.argsort(-scores, kind="stable")
    flags, ranked, codes = events[order], -scores[order], codes[order]
    ends = np.searchsorted(ranked, ranked[flags], "right")  # of each event, how many units score as high or higher
    steps, first_event = np.unique(ends, return_index=True)
    unit_starts = np.concatenate([[0], steps[:-1]])
    unit_codes, event_codes = codes[: steps[-1]], codes[flags]
    tied = len(steps) < len(event_codes)

    def statistic(drawn: Floats) -> Floats:
        called = _summed_to_ends(drawn, unit_codes, unit_starts)
        gained = drawn[event_codes]
        if tied:
            gained = np.add.reduceat(gained, first_event, axis=0)
        precision = np.cumsum(gained, axis=0)  # hits so far, which are then shared among the called
        hits = precision[-1].copy()
        precision /= np.maximum(called, 1, out=called)
        is_alone = np.einsum("g,gr->r", others, drawn[: len(others)]) == 0
        return np.where(is_alone, np.nan, _ratio(np.einsum("ij,ij->j", gained, precision), hits))

    return statistic


def one_vs_one(targets: Codes, scores: Floats, codes: Codes) -> list[Statistic]:
    """For each pair of classes present, the mean of both AUCs within the pair (Hand & Till, Machine Learning 2001)."""
    parts: list[Statistic] = []
    for first, second in combinations(np.unique(targets), 2):
        pair = (targets == first) | (targets == second)
        both = [
            auc_statistic(targets[pair] == item, scores[pair, item], codes[pair]) for item in (int(first), int(second))
        ]
        parts.append(Mean(tuple(both)))
    return parts


def _summed_to_ends(drawn: Floats, codes: Codes, starts: Codes) -> Floats:
    """The weight of all units up to the end of each stretch: (stretches, replicates).

    ``starts`` are the places in ``codes`` where a stretch begins, the first of them 0. Long stretches are summed each
    before they are added up; of short ones the running sum over all units is faster. Weights are whole numbers, so
    that both ways give the very same sums.
    """
    if len(codes) > _LONG * len(starts):
        return np.asarray(np.cumsum(np.add.reduceat(drawn[codes], starts, axis=0), axis=0))
    running = drawn[codes]
    np.cumsum(running, axis=0, out=running)
    return np.asarray(running[np.append(starts[1:], len(codes)) - 1])


def _ascending(scores: Floats, codes: Codes) -> tuple[Floats, Codes]:
    order = np.argsort(scores, kind="stable")
    return scores[order], codes[order]


def _absent(drawn: Floats) -> Floats:
    """The statistic of data without a class that it needs."""
    return np.full(drawn.shape[1], np.nan)


def _ratio(above: Floats, below: Floats) -> Floats:
    ratio: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratio

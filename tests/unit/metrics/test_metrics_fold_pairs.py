"""Two ways over the same folds, and the one area of all out-of-fold scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.evaluation import Calibrator
from medfm_gui.metrics.arrays import Floats
from medfm_gui.metrics.folds import METHOD, POOLED, fold_difference, fold_summary, pooled_auc
from medfm_gui.metrics.intervals import auc_interval
from medfm_gui.metrics.names import METHODS
from medfm_gui.metrics.recalibration import calibrated
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]


def better(scored: Scored, by: float) -> Scored:
    """The same units, events scored higher by so many log odds."""
    odds = np.log(scored.event_scores / (1 - scored.event_scores)) + by * scored.events
    event = 1 / (1 + np.exp(-odds))
    place = scored.positive_index
    scores: Floats = np.stack([1 - event, event] if place else [event, 1 - event], axis=1)
    return replace(scored, scores=scores)


def test_the_mean_paired_difference_on_the_same_draws(make_scored: MakeScored) -> None:
    weak = [(make_scored(n=120, images=2, seed=seed), None) for seed in range(3)]
    strong = [(better(one, 1.0), None) for one, _ in weak]
    found = fold_difference(strong, weak)
    wanted = [
        roc_auc_score(one.events, one.event_scores) - roc_auc_score(other.events, other.event_scores)
        for (one, _), (other, _) in zip(strong, weak, strict=True)
    ]
    assert found.values == pytest.approx(wanted) and found.test.difference == pytest.approx(np.mean(wanted))
    assert found.test.method == METHOD in METHODS and found.test.n == 360
    assert found.test.low is not None and found.test.low > 0 and found.test.p_value is not None
    turned = fold_difference(weak, strong)
    assert turned.test.difference == pytest.approx(-np.mean(wanted))
    assert turned.test.p_value == pytest.approx(found.test.p_value)
    means = [fold_summary(side).mean.estimate or 0.0 for side in (strong, weak)]
    assert found.test.difference == pytest.approx(means[0] - means[1])
    shuffled = [(one.taken(np.ones(len(one), np.bool_)), None) for one, _ in weak]
    order = np.random.default_rng(0).permutation(120)
    moved = replace(
        shuffled[0][0],
        samples=tuple(np.array(shuffled[0][0].samples)[order]),
        targets=shuffled[0][0].targets[order],
        scores=shuffled[0][0].scores[order],
        patients=tuple(np.array(shuffled[0][0].patients)[order]),
    )
    assert fold_difference(strong, [(moved, None), *weak[1:]]).values == pytest.approx(found.values)


def test_folds_that_do_not_fit_are_refused_or_not_estimable(
    make_scored: MakeScored, fail: Callable[[Scored, Sequence[int]], Scored]
) -> None:
    folds = [(make_scored(n=80, seed=seed), None) for seed in range(2)]
    with pytest.raises(InputError):
        fold_difference([], [])
    with pytest.raises(InputError):
        fold_difference(folds, folds[:1])
    other = replace(folds[1][0], samples=tuple(f"other {name}" for name in folds[1][0].samples))
    with pytest.raises(InputError, match="different units"):
        fold_difference(folds, [folds[0], (other, None)])
    same = fold_difference(folds, folds)
    assert same.test.difference == 0 and same.test.p_value is None and "do not vary" in same.test.note
    lost = fold_difference(
        [(fail(folds[0][0], range(4)), None), folds[1]], [(better(one, 1.0), None) for one, _ in folds]
    )
    assert lost.test.n == 156 and "4 units" in lost.test.note
    alone = folds[0][0].taken(folds[0][0].events)
    assert fold_difference([(alone, None), folds[1]], [(alone, None), folds[1]]).test.method == "not-estimable"


def test_out_of_fold_scores_are_pooled_only_after_calibration_and_never_by_delong(make_scored: MakeScored) -> None:
    folds = [make_scored(n=100, images=2, seed=seed) for seed in range(3)]
    lines = [Calibrator("platt", slope, shift, "val", "image", 50) for slope, shift in ((1, 0), (2, 1), (0.5, -1))]
    found = pooled_auc(folds, lines)
    told = [calibrated(one, line) for one, line in zip(folds, lines, strict=True)]
    area = roc_auc_score(
        np.concatenate([one.events for one in told]), np.concatenate([one.event_scores for one in told])
    )
    assert found.estimate == pytest.approx(area) and found.method == POOLED in METHODS and found.n == 300
    assert found.low is not None and found.high is not None and found.low < area < found.high
    plain = auc_interval(
        np.concatenate([one.events for one in told]),
        np.concatenate([one.event_scores for one in told]),
        method="bootstrap",
        groups=[f"{at} {name}" for at, one in enumerate(told) for name in one.patients or ()],
    )
    assert plain.high is not None and plain.low is not None
    assert found.high - found.low == pytest.approx(plain.high - plain.low, rel=0.25)
    for method in ("delong", "delong-logit", "auto"):
        with pytest.raises(UsageError, match="3 models"):
            pooled_auc(folds, lines, method=method)
    with pytest.raises(InputError, match="no calibration"):
        pooled_auc(folds, [*lines[:2], None])
    with pytest.raises(InputError):
        pooled_auc([], [])
    with pytest.raises(UsageError):
        pooled_auc(
            [make_scored(Task.MULTICLASS, n=90, classes=3)], [Calibrator("temperature", 1, 0, "val", "image", 9)]
        )

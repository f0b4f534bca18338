"""Several pairs over the same folds: the simultaneous intervals against a plain loop, and each pair as by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.arrays import Floats
from medfm_gui.metrics.bootstrap import draws
from medfm_gui.metrics.folds import Fold, fold_difference, fold_differences
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]
Fail = Callable[[Scored, Sequence[int]], Scored]


def ways(make_scored: MakeScored, count: int = 3, folds: int = 3, n: int = 60) -> list[dict[int, Fold]]:
    """Ways over the same folds, each fold with patients of its own of two units each."""
    made: list[dict[int, Fold]] = []
    for way in range(count):
        own: dict[int, Fold] = {}
        for fold in range(1, folds + 1):
            first = make_scored(n=n, images=2, seed=fold)
            other = make_scored(n=n, images=2, seed=100 * way + fold, signal=0.5 + 0.5 * way)
            own[fold] = (replace(first, scores=(first.scores + other.scores) / 2), None)
        made.append(own)
    return made


def area(scored: Scored, weights: Floats) -> float:
    """The share of pairs in the right order, by all pairs of units."""
    events, scores = scored.events, scored.event_scores
    right = (scores[events][:, None] > scores[~events]) + 0.5 * (scores[events][:, None] == scores[~events])
    return float(weights[events] @ right @ weights[~events] / (weights[events].sum() * weights[~events].sum()))


def shifts_of(a: dict[int, Fold], b: dict[int, Fold], replicates: int) -> Floats:
    """The mean over folds of the difference of areas, in each draw of the patients of every fold."""
    found = np.zeros(replicates)
    for place, number in enumerate(sorted(a)):
        one, other = a[number][0], b[number][0]
        drawn = np.concatenate(list(draws(one.clusters, replicates, place)), axis=1)
        for at in range(replicates):
            weights = drawn[one.clusters.codes, at]
            found[at] += (area(one, weights) - area(other, weights)) / len(a)
    return found


def test_the_intervals_are_those_of_a_plain_loop(make_scored: MakeScored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medfm_gui.metrics.folds.REPLICATES", 40)
    reference, *others = ways(make_scored)
    found = fold_differences([(one, reference) for one in others])
    shifts = np.stack([shifts_of(one, reference, 40) for one in others])
    points = [one.test.difference or 0.0 for one in found.differences]
    errors = shifts.std(axis=1, ddof=1)
    largest = np.max(np.abs(shifts - np.array(points)[:, None]) / errors[:, None], axis=0)
    c = max(float(np.quantile(largest, 0.95)), 1.959964)
    assert found.together.critical == pytest.approx(c)
    for point, error, low, high in zip(points, errors, found.together.lows, found.together.highs, strict=True):
        assert (low, high) == pytest.approx((point - c * error, point + c * error))


def test_a_pair_is_what_it_is_by_itself(make_scored: MakeScored, fail: Fail) -> None:
    reference, other, third = ways(make_scored)
    third[2] = (fail(third[2][0], range(5)), None)
    del third[1]
    fewer = {number: fold for number, fold in reference.items() if number in third}
    found = fold_differences([(other, reference), (third, fewer)])
    alone = [
        fold_difference([a[number] for number in sorted(a)], [b[number] for number in sorted(a)])
        for a, b in ((other, reference), (third, fewer))
    ]
    for one, wanted in zip(found.differences, alone, strict=True):
        assert one.values == wanted.values and one.test.note == wanted.test.note
        numbers = (one.test.low, one.test.high, one.test.p_value)
        assert numbers == pytest.approx((wanted.test.low, wanted.test.high, wanted.test.p_value))
    assert found.together.count == 2 and found.differences[1].test.n == 115
    for one, low, high in zip(found.differences, found.together.lows, found.together.highs, strict=True):
        assert low is not None and high is not None and low < (one.test.difference or 0.0) < high


def test_a_way_beside_its_twin_and_one_without_a_class_take_no_part(make_scored: MakeScored, fail: Fail) -> None:
    reference, other, third = ways(make_scored)
    third[1] = (fail(third[1][0], np.flatnonzero(third[1][0].events).tolist()), None)
    found = fold_differences([(other, reference), (dict(reference), reference), (third, reference)])
    assert [low is None for low in found.together.lows] == [False, True, True]
    assert "do not vary" in found.together.notes[1] and found.together.notes[2]
    assert found.differences[2].test.method == "not-estimable" and found.together.count == 1
    strange = replace(reference[1][0], samples=tuple(f"other {at}" for at in range(60)))
    with pytest.raises(InputError, match="different units"):
        fold_differences([(other, {**reference, 1: (strange, None)})])

"""One test of whether the area is the same in all subgroups, against independent computations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.metrics.interaction import interaction_test
from medfm_gui.metrics.intervals import auc_interval
from medfm_gui.metrics.names import METHODS
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]


def test_two_values_are_the_z_test_of_two_independent_areas(make_scored: MakeScored) -> None:
    scored = make_scored(n=600, signal=0.7)
    values = ["a" if place % 3 else "b" for place in range(600)]
    found = interaction_test(scored, values)
    logits, errors = [], []
    for name in "ab":
        part = np.array([value == name for value in values])
        one = auc_interval(scored.events[part], scored.event_scores[part], method="delong-logit")
        low, high = (np.log(limit / (1 - limit)) for limit in (one.low, one.high))  # type: ignore[operator]
        logits.append((low + high) / 2)
        errors.append((high - low) / 2 / 1.959963984540054)
    z = (logits[0] - logits[1]) / np.hypot(*errors)
    assert found.statistic == pytest.approx(z**2, rel=1e-9) and found.df == 1
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert found.method in METHODS and found.n == 600 and found.n_events == int(scored.events.sum())


def test_a_difference_is_found_and_none_is_not_made_up(make_scored: MakeScored) -> None:
    good, bad = make_scored(n=300, signal=3.0), make_scored(n=300, signal=0.0, seed=1)
    both = replace(
        good, samples=tuple(map(str, range(600))), targets=np.concatenate([good.targets, bad.targets]),
        scores=np.concatenate([good.scores, bad.scores]),
    )  # fmt: skip
    assert interaction_test(both, ["x"] * 300 + ["y"] * 300).p < 1e-6  # type: ignore[operator]
    lots = [interaction_test(make_scored(n=240, seed=seed), ["x", "y", "z"] * 80).p for seed in range(60)]
    assert np.mean([p < 0.05 for p in lots if p is not None]) < 0.15


def test_patients_who_repeat_are_drawn_whole(make_scored: MakeScored) -> None:
    scored = make_scored(n=800, images=4, signal=0.5)
    values = ["left" if place % 2 else "right" for place in range(800)]
    found = interaction_test(scored, values)
    assert found.method == "wald-areas-bootstrap" and found.p is not None
    alone = interaction_test(replace(scored, patients=None), values)
    assert alone.method == "wald-areas-delong" and alone.statistic is not None and found.statistic is not None
    assert 0.2 < found.statistic / max(alone.statistic, 1e-9) < 5


def test_what_cannot_be_tested_says_why(
    make_scored: MakeScored, fail: Callable[[Scored, Sequence[int]], Scored]
) -> None:
    scored = make_scored(n=200)
    few = interaction_test(scored, ["a"] * 190 + ["b"] * 10)
    assert few.p is None and few.method == "not-estimable" and "fewer than two" in few.note and "b" in few.note
    perfect = replace(scored, scores=np.eye(2)[scored.targets])
    assert "0 or 1" in interaction_test(perfect, ["a", "b"] * 100).note
    failed = interaction_test(fail(scored, range(50)), ["a", "b"] * 100)
    assert failed.n == 150
    with_gaps = interaction_test(
        make_scored(n=400), ["a", "b", "", "several values"] * 100, leave_out=("several values",)
    )
    assert with_gaps.values == ("a", "b") and with_gaps.n == 200
    assert interaction_test(scored, [""] * 200).p is None
    with pytest.raises(UsageError):
        interaction_test(make_scored(Task.MULTICLASS, classes=3), ["a"] * 120)

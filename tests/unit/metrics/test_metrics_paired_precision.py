"""Average precision of two runs on the same units: scikit-learn's number in a loop of plain draws, and its families."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Comparison, OperatingPoint
from medfm_gui.metrics.arrays import clusters
from medfm_gui.metrics.bootstrap import bootstrap_test, draws, replicates_of
from medfm_gui.metrics.compare import compare
from medfm_gui.metrics.family import Contender, against_first, compare_family
from medfm_gui.metrics.quantities import PREVALENCE
from medfm_gui.metrics.ranking import auc_statistic, average_precision_statistic
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]
Fail = Callable[[Scored, Sequence[int]], Scored]
POINT = OperatingPoint(0.5, "youden", "cal", "image", "class 1")


def sides(make_scored: MakeScored, count: int, **settings: int) -> list[Contender]:
    """Runs on the same units, each better than the one before; scores in steps, so that some are tied."""
    first = make_scored(signal=0.4, **settings)
    every = [replace(make_scored(signal=0.4 + 0.5 * at, **settings), targets=first.targets) for at in range(count)]
    return [Contender(f"r{at}", replace(one, scores=np.round(one.scores, 2)), POINT) for at, one in enumerate(every)]


def precision_of(rows: Sequence[Comparison], *, failures: bool = False) -> list[Comparison]:
    """The rows of average precision, of one way to count failures."""
    wanted = [row for row in rows if row.metric == "average_precision"]
    return [row for row in wanted if ("failures" in row.parameters) == failures]


def whole(a: Scored, b: Scored) -> float:
    """The difference by scikit-learn."""
    return float(average_precision_score(a.events, a.event_scores) - average_precision_score(b.events, b.event_scores))


@pytest.mark.parametrize(("images", "method"), [(0, "bootstrap"), (3, "clustered-bootstrap")])
def test_the_difference_is_scikit_learns_in_a_loop_of_plain_draws(
    make_scored: MakeScored, images: int, method: str
) -> None:
    b, a = (side.scored for side in sides(make_scored, 2, n=60, images=images))
    who, times = a.clusters, 250
    shifts = []
    for drawn in np.concatenate(list(draws(who, times)), axis=1).T:
        units = np.repeat(np.arange(60), drawn[who.codes].astype(int))  # each unit as often as its patient was drawn
        if 0 < a.events[units].sum() < len(units):
            precisions = [average_precision_score(one.events[units], one.event_scores[units]) for one in (a, b)]
            shifts.append(precisions[0] - precisions[1])
    z = whole(a, b) / np.std(shifts, ddof=1)
    wanted = (whole(a, b), *np.quantile(shifts, (0.025, 0.975)), 2 * stats.norm.sf(abs(z)))
    first, second = (average_precision_statistic(one.events, one.event_scores, who.codes) for one in (a, b))
    short = bootstrap_test(first, second, who, n=60, replicates=times)
    assert (short.difference, short.low, short.high, short.p_value) == pytest.approx(wanted, rel=1e-9)
    rows = compare(a, b, run_a="a", run_b="b", point_a=POINT, point_b=POINT, unit="image")
    assert [row.metric for row in rows] == ["auc", "average_precision", "sensitivity", "specificity"]
    (row,) = precision_of(rows)
    full = bootstrap_test(first, second, who, n=60)
    assert (row.difference, row.low, row.high, row.p) == (full.difference, full.low, full.high, full.p_value)
    assert (row.test, row.n) == (method, 60)
    assert row.parameters["n_events"] == str(int(a.events.sum())) and PREVALENCE in row.note


def test_several_pairs_are_adjusted_together_and_equal_to_pairs_by_themselves(make_scored: MakeScored) -> None:
    runs = sides(make_scored, 3, n=80, images=2)
    rows = precision_of(compare_family(runs, against_first(runs), unit="image"))
    assert len(rows) == 2
    ps = sorted(row.p or 0 for row in rows)
    for row, run in zip(rows, runs[1:], strict=True):
        (alone,) = precision_of(
            compare(
                run.scored, runs[0].scored, run_a=run.run, run_b="r0", point_a=POINT, point_b=POINT, unit="image"
            )
        )  # fmt: skip
        assert (row.difference, row.low, row.high, row.p) == (alone.difference, alone.low, alone.high, alone.p)
        assert row.simultaneous_method == "max-t-bootstrap" and "Holm over 2" in row.note
        assert row.low is not None and row.low_simultaneous is not None and row.low_simultaneous <= row.low
        assert row.p_adjusted == pytest.approx(max(2 * ps[0], ps[1]) if row.p == ps[1] else 2 * ps[0])


def test_failed_units_are_left_out_first_and_wrong_second(make_scored: MakeScored, fail: Fail) -> None:
    good, poor = (side.scored for side in reversed(sides(make_scored, 2, n=80)))
    rows = compare(fail(good, range(6)), poor, run_a="a", run_b="b", point_a=None, point_b=None, unit="image")
    (common,), (wrong,) = precision_of(rows), precision_of(rows, failures=True)
    kept = np.arange(80) >= 6
    assert common.difference == pytest.approx(whole(good.taken(kept), poor.taken(kept)))
    assert (common.n, wrong.n) == (74, 80) and (wrong.difference or 0) < (common.difference or 0)


def test_one_class_alone_has_no_average_precision(make_scored: MakeScored) -> None:
    one, other = (side.scored for side in sides(make_scored, 2, n=30))
    rows = compare(
        one.taken(one.events), other.taken(one.events), run_a="a", run_b="b", point_a=None, point_b=None, unit="image"
    )
    (row,) = precision_of(rows)
    assert (row.difference, row.low, row.p) == (None, None, None) and row.note == "a class is absent"


def test_the_headline_can_stand_alone(make_scored: MakeScored) -> None:
    runs = sides(make_scored, 3, n=40)
    alone = compare_family(runs, against_first(runs), unit="image", headline_alone=True)
    every = compare_family(runs, against_first(runs), unit="image")
    assert alone == tuple(row for row in every if row.metric == "auc")
    grades = [Contender(f"g{at}", make_scored(Task.ORDINAL, classes=4)) for at in range(2)]
    pair = compare_family(grades, [(1, 0)], unit="image", headline_alone=True)
    assert [row.metric for row in pair] == ["kappa_quadratic"]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("digits", [1, 8])
def test_weighted_statistics_are_scikit_learns_with_weights(share: float, digits: int) -> None:
    random = np.random.default_rng(7)
    events = random.random(600) < share
    scores = np.round(random.normal(size=600) + events, digits)
    who = clusters(random.integers(0, 250, 600).tolist(), 600)
    statistics = (
        auc_statistic(events, scores, who.codes),
        average_precision_statistic(events, scores, who.codes),
    )
    values = replicates_of(statistics, who, replicates=12, seed=3)
    drawn = np.concatenate(list(draws(who, 12, 3)), axis=1)
    for at in range(12):
        weights = drawn[who.codes, at]
        wanted = (
            roc_auc_score(events, scores, sample_weight=weights),
            average_precision_score(events, scores, sample_weight=weights),
        )
        assert tuple(values[:, at]) == pytest.approx(wanted, rel=1e-9)

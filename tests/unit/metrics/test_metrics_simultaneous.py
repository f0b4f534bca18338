"""Simultaneous intervals: against an equicoordinate normal quantile, a plain loop, their coverage, degenerate input."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize, stats

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.evaluation import Comparison, OperatingPoint
from medfm_gui.metrics.arrays import clusters
from medfm_gui.metrics.bootstrap import draws, replicates_of
from medfm_gui.metrics.compare import adjust_holm, compare, sentence
from medfm_gui.metrics.counting import share_statistic
from medfm_gui.metrics.family import Contender, against_first, compare_family
from medfm_gui.metrics.names import METHODS, multiplicity
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.simultaneous import METHOD, simultaneous_intervals

MakeScored = Callable[..., Scored]
Fail = Callable[[Scored, Sequence[int]], Scored]
POINT = OperatingPoint(0.5, "youden", "cal", "image", "class 1")


def contenders(make: MakeScored, task: Task = Task.BINARY, count: int = 4, **settings: int) -> list[Contender]:
    """Runs of growing quality on the same units, with scores that are correlated."""
    first = make(task, signal=1.0, **settings)
    other = [make(task, signal=1.0 + 0.3 * place, seed=place, **settings).scores for place in range(1, count)]
    mixed = [first.scores, *((first.scores + scores) / 2 for scores in other)]
    point = POINT if task is Task.BINARY else None
    return [Contender(f"r{place}", replace(first, scores=scores), point) for place, scores in enumerate(mixed)]


def plain(sides: Sequence[Contender], pairs: Sequence[tuple[int, int]], unit: str = "image") -> tuple[Comparison, ...]:
    """Every pair by itself, and Holm."""
    rows: list[Comparison] = []
    for first, second in pairs:
        a, b = sides[first], sides[second]
        rows += compare(a.scored, b.scored, run_a=a.run, run_b=b.run, point_a=a.point, point_b=b.point, unit=unit)
    return adjust_holm(rows)


def bare(row: Comparison) -> Comparison:
    return replace(row, low_simultaneous=None, high_simultaneous=None, simultaneous_method="", note="")


# -- the critical value


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
def test_the_critical_value_is_the_equicoordinate_quantile_of_a_normal_family(correlation: float) -> None:
    k = 5
    covariance = np.full((k, k), correlation) + (1 - correlation) * np.eye(k)
    random = np.random.default_rng(3)
    scale = np.array([0.01, 0.02, 0.1, 1.0, 5.0])
    estimates = random.normal(size=k)
    replicates = estimates[:, None] + scale[:, None] * random.multivariate_normal(np.zeros(k), covariance, 60_000).T
    normal = stats.multivariate_normal(np.zeros(k), covariance, seed=0)

    def missing(c: float) -> float:
        return float(normal.cdf(np.full(k, c), lower_limit=np.full(k, -c))) - 0.95

    wanted = optimize.brentq(missing, 1.5, 3.5, xtol=1e-4)
    found = simultaneous_intervals(list(estimates), replicates)
    assert found.critical == pytest.approx(wanted, abs=0.02) and found.count == k
    assert found.critical is not None
    for low, high, estimate, se in zip(found.lows, found.highs, estimates, scale, strict=True):
        assert low is not None and high is not None
        assert (high - low) / 2 == pytest.approx(found.critical * se, rel=0.02)
        assert (low + high) / 2 == pytest.approx(estimate)


def test_one_difference_has_the_usual_interval() -> None:
    random = np.random.default_rng(0)
    found = simultaneous_intervals([0.1], random.normal(0.1, 0.02, (1, 40_000)))
    assert found.critical == pytest.approx(1.96, abs=0.02)
    assert found.lows[0] == pytest.approx(0.1 - 1.96 * 0.02, abs=0.001)
    wide = simultaneous_intervals([0.1], random.normal(0.1, 0.02, (1, 40_000)), confidence=0.99)
    assert wide.critical == pytest.approx(2.576, abs=0.05) and wide.confidence == 0.99


def test_replicates_without_a_class_and_differences_that_do_not_vary_are_named() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(4, 1000))
    values[0, :100] = np.nan
    values[1] = 0.25
    values[2, :600] = np.nan
    found = simultaneous_intervals([0.0, 0.25, 0.0, None], values)
    assert found.note == "100 of 1,000 replicates lacked a class in one of the runs"
    assert found.notes == ("", "the replicates do not vary", "too many replicates lacked a class", "not estimable")
    assert [low is None for low in found.lows] == [False, True, True, True]
    assert found.count == 1
    none = simultaneous_intervals([None, 0.0], np.full((2, 50), np.nan))
    assert none.critical is None and none.lows == none.highs == (None, None)
    together = np.vstack([values[0], random.normal(size=1000)])
    together[0, :450], together[1, 450:900] = np.nan, np.nan
    said = simultaneous_intervals([0.0, 0.0], together)
    assert said.critical is None and "too many for simultaneous" in said.notes[0]


def test_a_difference_that_varies_only_where_another_one_is_missing_leaves_the_family() -> None:
    values = np.random.default_rng(0).normal(size=(3, 1000))
    values[1] = 1.0
    values[1, :40] = 0.0
    values[2, :40] = np.nan
    found = simultaneous_intervals([0.0, 1.0, 0.0], values)
    assert found.notes == ("", "the replicates do not vary", "") and found.count == 2
    assert found.lows[1] is None and found.lows[0] is not None and found.lows[2] is not None


@given(
    values=arrays(np.float64, st.tuples(st.integers(0, 5), st.integers(0, 12)),
                  elements=st.one_of(st.floats(-10, 10), st.just(float("nan")), st.just(float("inf")))),
    data=st.data(),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_degenerate_replicates_give_intervals_or_none(values: Any, data: st.DataObject) -> None:
    estimates = data.draw(
        st.lists(st.one_of(st.none(), st.floats(-1, 1), st.just(float("nan"))), min_size=len(values),
                 max_size=len(values))
    )  # fmt: skip
    found = simultaneous_intervals(estimates, values)
    assert len(found.lows) == len(found.highs) == len(found.notes) == len(values)
    for estimate, low, high, note in zip(estimates, found.lows, found.highs, found.notes, strict=True):
        assert (low is None) == (high is None)
        if low is not None and high is not None and estimate is not None:
            assert low < estimate < high and math.isfinite(low) and math.isfinite(high) and not note
    assert found.critical is None or (found.critical >= stats.norm.ppf(0.975) and found.count > 0)


def test_what_is_no_family_is_refused() -> None:
    for wrong in (np.zeros((2, 10)), np.zeros(10)):
        with pytest.raises(InputError):
            simultaneous_intervals([0.1], wrong)
    with pytest.raises(UsageError):
        simultaneous_intervals([0.1], np.zeros((1, 10)), confidence=2)


# -- coverage


def test_all_of_a_family_are_covered_together() -> None:
    """Accuracies of five runs against a reference, correlated by what makes a case hard; true differences known."""
    random = np.random.default_rng(11)
    skill, n, times = np.array([0.7, 0.7, 0.75, 0.65, 0.7, 0.8]), 150, 400
    cut = stats.norm.ppf(skill)
    true = skill[1:] - skill[0]
    who = clusters(None, n)
    together = alone = narrow = 0
    bonferroni = stats.norm.ppf(1 - 0.025 / 5)
    for number in range(times):
        hard = random.normal(size=n)
        right = np.sqrt(0.5) * (hard + random.normal(size=(6, n))) < cut[:, None]
        values = replicates_of([share_statistic(row, who) for row in right], who, replicates=400, seed=number)
        shifts = values[1:] - values[0]
        points = right.mean(axis=1)[1:] - right[0].mean()
        found = simultaneous_intervals(list(points), shifts)
        lows, highs = np.array(found.lows, float), np.array(found.highs, float)
        together += bool(((lows <= true) & (true <= highs)).all())
        half = 1.96 * shifts.std(axis=1, ddof=1)
        alone += bool((np.abs(points - true) <= half).all())
        narrow += bool(((highs - lows) / 2 <= bonferroni * 1.06 * shifts.std(axis=1, ddof=1)).all())
    assert 0.92 <= together / times <= 0.98
    assert alone / times < 0.90, "unadjusted intervals do not hold together"
    assert narrow / times > 0.9, "and Bonferroni's are wider than these have to be"


# -- families of runs


def _area(events: Any, scores: Any, weights: Any) -> Any:
    """Weighted Mann–Whitney by all pairs of units: (n,), (n,), (n, r) → (r,)."""
    order = (scores[events][:, None] > scores[~events]) + 0.5 * (scores[events][:, None] == scores[~events])
    above = np.einsum("er,eo,or->r", weights[events], order, weights[~events], optimize=True)
    return above / (weights[events].sum(axis=0) * weights[~events].sum(axis=0))


@pytest.mark.parametrize("images", [0, 3])
def test_the_same_intervals_as_a_plain_loop(make_scored: MakeScored, images: int) -> None:
    sides = contenders(make_scored, n=90, images=images)
    pairs = [(second, first) for first, second in combinations(range(4), 2)]
    rows = [row for row in compare_family(sides, pairs, unit="image") if row.metric == "auc"]
    one = sides[0].scored
    drawn = np.concatenate(list(draws(one.clusters, 2000, 0)), axis=1)[one.clusters.codes]
    areas = [_area(one.events, side.scored.event_scores, drawn) for side in sides]
    whole = [float(_area(one.events, side.scored.event_scores, np.ones((90, 1)))[0]) for side in sides]
    shifts = [areas[first] - areas[second] for first, second in pairs]
    errors = [float(np.std(shift, ddof=1)) for shift in shifts]
    points = [whole[first] - whole[second] for first, second in pairs]
    largest = [
        max(abs(shift[at] - point) / se for shift, point, se in zip(shifts, points, errors, strict=True))
        for at in range(2000)
    ]
    c = float(np.quantile(largest, 0.95))
    assert 1.96 < c < stats.norm.ppf(1 - 0.025 / 6) * 1.1
    for row, point, se in zip(rows, points, errors, strict=True):
        assert row.low is not None and row.high is not None
        assert row.difference == pytest.approx(point)
        assert row.low_simultaneous == pytest.approx(min(point - c * se, row.low))
        assert row.high_simultaneous == pytest.approx(max(point + c * se, row.high))
        assert row.simultaneous_method == METHOD and METHOD in METHODS
        assert f"simultaneous over 6 (critical value {c:.2f})" in row.note and "Holm over 6" in row.note
        assert "unadjusted" not in row.note


@pytest.mark.parametrize(
    ("task", "classes", "images", "unit"),
    [
        (Task.BINARY, 2, 0, "image"),
        (Task.BINARY, 2, 3, "image"),
        (Task.BINARY, 2, 3, "patient"),
        (Task.MULTICLASS, 3, 2, "image"),
        (Task.ORDINAL, 4, 0, "image"),
        (Task.MULTILABEL, 3, 2, "image"),
    ],
)
def test_everything_else_is_what_pairs_by_themselves_give(
    make_scored: MakeScored, task: Task, classes: int, images: int, unit: str
) -> None:
    sides = contenders(make_scored, task, 3, n=60, classes=classes, images=images)
    found = compare_family(sides, against_first(sides), unit=unit)
    wanted = plain(sides, against_first(sides), unit)
    assert [bare(row) for row in found] == [bare(row) for row in wanted]
    for row in found:
        if row.simultaneous_method:
            assert row.low is not None and row.low_simultaneous is not None and row.low_simultaneous <= row.low
            assert row.high is not None and row.high_simultaneous is not None and row.high_simultaneous >= row.high
    assert found[0].simultaneous_method


@pytest.mark.parametrize("images", [0, 2])
def test_failed_units_leave_each_pair_its_own_units(make_scored: MakeScored, fail: Fail, images: int) -> None:
    sides = contenders(make_scored, count=3, n=80, images=images)
    sides[1] = replace(sides[1], scored=fail(sides[1].scored, range(6)))
    sides[2] = replace(sides[2], scored=sides[2].scored.taken(np.arange(80) < 76))
    pairs = [(1, 0), (2, 0), (2, 1)]
    found = compare_family(sides, pairs, unit="image")
    assert [bare(row) for row in found] == [bare(row) for row in plain(sides, pairs)]
    areas = [row for row in found if row.metric == "auc"]
    assert [row.n for row in areas if "failures" not in row.parameters] == [74, 76, 70]
    assert {row.simultaneous_method for row in areas} == {METHOD}
    first = sides[0].scored
    drawn = np.concatenate(list(draws(first.clusters, 2000, 0)), axis=1)[first.clusters.codes]
    kept = np.arange(80) >= 6
    shift = _area(first.events[kept], sides[1].scored.event_scores[kept], drawn[kept])
    shift -= _area(first.events[kept], first.event_scores[kept], drawn[kept])
    se = float(np.std(shift, ddof=1))
    row = areas[0]
    assert row.high_simultaneous is not None and row.difference is not None and row.high is not None
    if row.high_simultaneous > row.high:
        c = (row.high_simultaneous - row.difference) / se
        assert f"(critical value {c:.2f})" in row.note


def test_a_single_pair_needs_no_adjustment(make_scored: MakeScored) -> None:
    sides = contenders(make_scored, count=2)
    rows = compare_family(sides, [(1, 0)], unit="image")
    assert rows == plain(sides, [(1, 0)])
    assert not rows[0].simultaneous_method and "unadjusted" not in rows[0].note and multiplicity(rows) == ""
    assert compare_family(sides, [], unit="image") == ()


def test_a_run_beside_its_twin_has_an_unadjusted_interval(make_scored: MakeScored) -> None:
    sides = contenders(make_scored, count=3)
    twin = Contender("twin", sides[0].scored, POINT)
    rows = compare_family([sides[0], twin, *sides[1:]], [(1, 0), (2, 0), (3, 0)], unit="image")
    area = next(row for row in rows if row.a == "twin" and row.metric == "auc")
    assert area.low is not None and area.low_simultaneous is None
    assert "no simultaneous interval: the replicates do not vary" in area.note and "unadjusted" in area.note
    others = [row for row in rows if row.metric == "auc" and row.a != "twin"]
    assert all("simultaneous over 2 (" in row.note and "Holm over 3" in row.note for row in others)
    assert "1 of 3 have none" in multiplicity([area, *others])
    assert "Some intervals are not adjusted" in sentence([*others, area], {})


def test_one_class_alone_gives_no_interval(make_scored: MakeScored) -> None:
    sides = contenders(make_scored, count=3, n=20)
    one = [replace(side, scored=side.scored.taken(side.scored.events)) for side in sides]
    rows = [row for row in compare_family(one, against_first(one), unit="image") if row.metric == "auc"]
    assert [(row.difference, row.low_simultaneous, row.p) for row in rows] == [(None, None, None)] * 2


def test_work_on_pairs_tells_how_far_it_is_and_can_be_ended(make_scored: MakeScored) -> None:
    sides = contenders(make_scored, count=3)
    told: list[tuple[str, int, int]] = []
    compare_family(sides, against_first(sides), unit="image", on_progress=lambda *news: told.append(news))
    assert told[1][1:] == (2000, 2000) and told[-1] == ("Comparing r2 with r0", 1, 2)

    class EndedError(Exception):
        pass

    def stop(doing: str, done: int, total: int) -> None:
        raise EndedError

    with pytest.raises(EndedError):
        compare_family(sides, against_first(sides), unit="image", on_progress=stop)


def test_runs_of_other_questions_are_refused_before_any_draw(make_scored: MakeScored) -> None:
    sides = contenders(make_scored, count=2)
    odd = Contender("odd", make_scored(Task.MULTICLASS, classes=3))
    with pytest.raises(InputError, match="questions"):
        compare_family([*sides, odd], [(1, 0), (2, 0)], unit="image")


def test_the_sentence_speaks_of_what_holds_together(make_scored: MakeScored) -> None:
    sides = contenders(make_scored, count=3, n=400)
    rows = [row for row in compare_family(sides, against_first(sides), unit="image") if row.metric == "auc"]
    said = sentence(rows, {})
    assert "together with the other comparisons" in said and "not adjusted" not in said
    for row, line in zip(rows, said.splitlines(), strict=False):
        ends = f"{row.low_simultaneous:+.3f} to {row.high_simultaneous:+.3f}".replace("-", "−")
        assert f"differences from {ends} remain compatible" in line
    close = replace(rows[0], difference=0.05, low=0.01, high=0.09, p=0.01, p_adjusted=0.02)
    close = replace(close, low_simultaneous=-0.01, high_simultaneous=0.11)
    told = sentence([close, rows[1]], {})
    assert "p = 0.010, adjusted = 0.020" in told
    assert "is not shown where all comparisons have to hold together" in told, "what is compatible is not excluded"
    older = [replace(row, simultaneous_method="", low_simultaneous=None, high_simultaneous=None) for row in rows]
    assert "The intervals are not adjusted for the number of comparisons." in sentence(older, {})
    assert multiplicity(older) == "Intervals are unadjusted for multiplicity."
    assert "hold together" in multiplicity(rows) and "unadjusted" not in multiplicity(rows)

"""Paired differences of cases: the patient bootstrap of the mean, and Wilcoxon's test with its shift."""

from __future__ import annotations

import tracemalloc
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.metrics.names import METHODS
from medfm_gui.metrics.paired_shift import SIGNED_RANK, paired_shift, signed_rank_shift, walsh_average


def _walsh(values: list[float]) -> list[float]:
    return sorted((one + other) / 2 for one, other in combinations_with_replacement(values, 2))


def test_the_mean_difference_of_cases_that_are_their_own_patients() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0.85, 0.05, 200), random.normal(0.83, 0.05, 200)
    found = paired_shift(a, b, seed=3)
    error = stats.sem(a - b)
    assert found.difference == pytest.approx((a - b).mean()) and found.method == "bootstrap" and found.n == 200
    assert (found.low, found.high) == pytest.approx(stats.norm.interval(0.95, (a - b).mean(), error), abs=0.1 * error)
    assert found.statistic == pytest.approx((a - b).mean() / error, rel=0.05)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.statistic or 0)))
    assert paired_shift(a, b, seed=3) == found != paired_shift(a, b, seed=4)


def test_cases_of_one_patient_stay_together() -> None:
    random = np.random.default_rng(1)
    of_patient = random.normal(0.02, 0.05, 40)
    shift = np.repeat(of_patient, 5)
    found = paired_shift(shift, np.zeros(200), groups=[f"p{place // 5}" for place in range(200)])
    alone = paired_shift(of_patient, np.zeros(40))
    assert found.method == "clustered-bootstrap" and (found.low, found.high) == pytest.approx((alone.low, alone.high))
    naive = paired_shift(shift, np.zeros(200))
    assert found.high - found.low > 1.8 * (naive.high - naive.low)  # type: ignore[operator]


def test_cases_without_a_number_are_left_out_and_counted() -> None:
    a = [0.9, np.nan, 0.7, np.inf, 0.8, 0.6]
    b = [0.8, 0.5, 0.5, 0.5, 0.5, np.nan]
    for found in (paired_shift(a, b, groups=list("uvwxyz")), signed_rank_shift(a, b, groups=list("uvwxyz"))):
        assert found.n == 3 and "3 of 6 cases" in found.note
        assert found.difference == pytest.approx(0.2)
    for ask in (paired_shift, signed_rank_shift):
        nothing = ask([np.nan], [1.0])
        assert nothing.difference is None and nothing.method == "not-estimable" and "no pair" in nothing.note


def test_runs_that_never_differ_have_no_test() -> None:
    same = np.full(30, 0.8)
    for found in (paired_shift(same, same), signed_rank_shift(same, same)):
        assert (found.difference, found.low, found.p_value) == (0.0, None, None) and found.note
    one = paired_shift([0.9], [0.7])
    assert one.difference == pytest.approx(0.2) and one.low is None and one.p_value is None


def test_the_signed_rank_of_hollander_and_wolfe() -> None:
    # Hamilton depression scale, Table 3.1 of Hollander & Wolfe; R: V = 40, p = 0.03906, shift -0.46, interval below
    before = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    after = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    found = signed_rank_shift(after, before)
    assert found.difference == pytest.approx(-0.46) and found.p_value == pytest.approx(0.0390625)
    assert (found.low, found.high) == pytest.approx((-0.786, -0.010))
    assert found.method == SIGNED_RANK in METHODS and found.n == 9 and found.statistic is None


@pytest.mark.parametrize("n", [6, 13, 30, 51, 120])
def test_p_is_scipys_and_the_shift_the_median_of_the_averages(n: int) -> None:
    random = np.random.default_rng(n)
    a, b = random.normal(0.3, 1, n), random.normal(0, 1, n)
    found = signed_rank_shift(a, b, groups=list(range(n)))
    assert found.p_value == pytest.approx(stats.wilcoxon(a, b).pvalue)
    averages = _walsh((a - b).tolist())
    assert found.difference == pytest.approx(np.median(averages))
    assert found.low is not None and found.high is not None
    rank = int(np.searchsorted(averages, found.low - 1e-9)) + 1
    assert found.low == pytest.approx(averages[rank - 1]) and found.high == pytest.approx(averages[-rank])
    inside, outside = (stats.wilcoxon(a - b - shift).pvalue for shift in (found.low + 1e-7, found.low - 1e-7))
    if n <= 50:  # the interval holds the shifts that the exact test does not reject
        assert outside <= 0.05 < inside


def test_the_exact_rank_is_that_of_all_signs() -> None:
    n = 8
    sums = np.array([sum(rank for rank, sign in enumerate(signs, 1) if sign) for signs in product((0, 1), repeat=n)])
    rank = max(k for k in range(1, 20) if (sums <= k - 1).mean() <= 0.025)
    values = np.array([0.11, 0.23, 0.37, -0.05, 0.52, 0.71, 0.94, -0.17])
    found = signed_rank_shift(values, np.zeros(n))
    averages = _walsh(values.tolist())
    assert (found.low, found.high) == pytest.approx((averages[rank - 1], averages[-rank]))


def test_few_pairs_have_a_p_and_no_interval_and_equal_pairs_are_told() -> None:
    few = signed_rank_shift([1.0, 2.0, 3.0, 4.0, 5.0], np.zeros(5))
    assert few.low is None and few.p_value == pytest.approx(2 / 32) and "too few" in few.note
    a = np.array([0.0, 0.0, 0.1, 0.2, 0.3, -0.05, 0.4, 0.5, 0.6, 0.7])
    ties = signed_rank_shift(a, np.zeros(10))
    assert "2 of 10 pairs do not differ" in ties.note
    assert ties.p_value == pytest.approx(stats.wilcoxon(a, zero_method="pratt").pvalue)
    assert ties.difference == pytest.approx(np.median(_walsh(a.tolist())))


def test_differences_that_are_equal_but_for_rounding_tie() -> None:
    assert 0.9 - 0.8 != 0.8 - 0.7
    found = signed_rank_shift([0.9, 0.8, 0.7, 0.5, 0.2, 0.9], [0.8, 0.7, 0.5, 0.1, 0.3, 0.1])
    exact = stats.wilcoxon([1, 1, 2, 4, -1, 8])
    assert found.p_value == pytest.approx(exact.pvalue)


def test_several_cases_of_a_patient_make_wilcoxon_give_way() -> None:
    random = np.random.default_rng(5)
    a, b = random.normal(1, 1, 60), random.normal(0, 1, 60)
    groups = [place // 2 for place in range(60)]
    found = signed_rank_shift(a, b, groups=groups, seed=2)
    plain = paired_shift(a, b, groups=groups, seed=2)
    assert found.method == "clustered-bootstrap" and "in place of Wilcoxon" in found.note
    assert (found.difference, found.low, found.p_value) == (plain.difference, plain.low, plain.p_value)


def test_thousands_of_pairs_need_little_memory() -> None:
    values = np.random.default_rng(7).normal(0.1, 1, 3000)
    tracemalloc.start()
    try:
        found = signed_rank_shift(values, np.zeros(3000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20, "the 4.5 million averages would be 36 MB"
    upper = np.add.outer(values, values)[np.triu_indices(3000)] / 2
    assert found.difference == pytest.approx(np.median(upper))


def test_what_is_no_pair_of_columns_is_refused() -> None:
    for a, b in (([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]]), (["a"], [1.0]), ([1j], [1.0])):
        with pytest.raises(InputError):
            paired_shift(a, b)
        with pytest.raises(InputError):
            signed_rank_shift(a, b)
    with pytest.raises(InputError):
        paired_shift([1.0], [1.0], groups=["p", "q"])
    for ask in (paired_shift, signed_rank_shift):
        with pytest.raises(UsageError):
            ask([1.0], [1.0], confidence=1.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-20, 20) | st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_every_average_is_found_at_its_rank(values: list[float]) -> None:
    ordered = np.sort(np.array(values, np.float64))
    averages = _walsh(ordered.tolist())
    assert [walsh_average(ordered, rank) for rank in range(1, len(averages) + 1)] == averages


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.floats(width=64)] * 2), max_size=15))
def test_any_numbers_have_an_answer(pairs: list[tuple[float, float]]) -> None:
    a, b = ([pair[side] for pair in pairs] for side in (0, 1))
    for found in (paired_shift(a, b, replicates=50), signed_rank_shift(a, b)):
        assert found.n <= len(pairs)
        if found.low is not None and found.high is not None and found.p_value is not None:
            assert found.low <= found.high and 0 <= found.p_value <= 1
        if found.n == 0:
            assert found.difference is None

"""The corrected resampled t-test of folds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.metrics.names import METHODS
from medfm_gui.metrics.repeats import repeats_test


def test_by_hand() -> None:
    # mean 0.03, s² = (0.0004 + 0 + 0 + 0.0004) / 3 = 0.000266…; × (1/4 + 25/75) = 0.000155…; t = 0.03 / 0.012472
    found = repeats_test([0.01, 0.03, 0.03, 0.05], n_train=75, n_test=25)
    assert found.difference == pytest.approx(0.03) and found.df == 3 and found.folds == 4
    assert found.t == pytest.approx(0.03 / math.sqrt(0.0008 / 3 * (1 / 4 + 1 / 3))) == pytest.approx(2.405, abs=1e-3)
    assert found.p_value == pytest.approx(0.0955, abs=5e-4)
    half = 3.182446 * 0.0124722
    assert (found.low, found.high) == pytest.approx((0.03 - half, 0.03 + half), rel=1e-4)
    assert found.method in METHODS and (found.n_train, found.n_test) == (75, 25) and not found.note


def test_no_test_units_leave_students_t_and_the_correction_widens() -> None:
    values = np.random.default_rng(0).normal(0.02, 0.03, 50)
    plain = repeats_test(values, n_train=1e12, n_test=1)
    assert plain.p_value == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    found = repeats_test(values, n_train=80, n_test=20, confidence=0.9)
    assert found.p_value > plain.p_value and found.confidence == 0.9  # type: ignore[operator]
    assert found.t == pytest.approx(plain.t * math.sqrt((1 / 50) / (1 / 50 + 1 / 4)))  # type: ignore[operator]


def test_too_little_to_test_is_refused() -> None:
    for values in ([], [0.1], [0.1, math.nan], [[0.1, 0.2]], ["a", "b"], [[0.1], [0.1, 0.2]]):
        with pytest.raises(InputError):
            repeats_test(values, n_train=80, n_test=20)
    for sizes in ((0, 20), (80, 0), (-1, 20), (80, math.inf), (math.nan, 20)):
        with pytest.raises(InputError):
            repeats_test([0.1, 0.2], n_train=sizes[0], n_test=sizes[1])
    with pytest.raises(UsageError):
        repeats_test([0.1, 0.2], n_train=80, n_test=20, confidence=0)


def test_folds_that_all_agree_have_a_difference_and_no_test() -> None:
    found = repeats_test([0.1] * 5, n_train=80, n_test=20)
    assert found.difference == pytest.approx(0.1) and found.p_value is None and found.low is None and found.note


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20), st.floats(1, 1e4), st.floats(1, 1e4))
def test_turning_the_ways_round_turns_the_answer(values: list[float], n_train: float, n_test: float) -> None:
    found = repeats_test(values, n_train=n_train, n_test=n_test)
    back = repeats_test([-value for value in values], n_train=n_train, n_test=n_test)
    assert back.difference == pytest.approx(-found.difference) and (back.p_value is None) == (found.p_value is None)
    if found.p_value is not None and found.low is not None and found.high is not None:
        assert back.p_value == pytest.approx(found.p_value) and found.low <= found.difference <= found.high

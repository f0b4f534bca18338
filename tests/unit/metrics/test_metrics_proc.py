"""DeLong's statistic, p and intervals against R's pROC."""

from __future__ import annotations

import numpy as np
import pytest

from medfm_gui.metrics.delong import delong_test
from medfm_gui.metrics.intervals import auc_interval
from tests.fixtures.proc import ONE_POSITIVE, PERFECT, SAID, Said, draw


def _check_test(found_by: Said, labels: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    test = delong_test(labels, a, b)
    assert test.method == "delong"
    assert test.difference == pytest.approx(found_by.auc_a - found_by.auc_b, abs=1e-9)
    assert test.statistic == pytest.approx(found_by.z, rel=1e-6)
    assert test.p_value == pytest.approx(found_by.p, rel=1e-6, abs=1e-300)
    assert (test.low, test.high) == pytest.approx((found_by.difference_low, found_by.difference_high), abs=1e-6)


@pytest.mark.parametrize(
    ("how", "said"), SAID.items(), ids=lambda value: str(value) if isinstance(value, tuple) else ""
)
def test_areas_intervals_and_tests_are_those_of_proc(how: tuple[int, int, int], said: Said) -> None:
    labels, a, b = draw(*how)
    one = auc_interval(labels, a, method="delong")
    assert (one.estimate, one.low, one.high) == pytest.approx((said.auc_a, said.low, said.high), abs=1e-6)
    assert auc_interval(labels, b).estimate == pytest.approx(said.auc_b, abs=1e-9)
    _check_test(said, labels, a, b)


def test_perfect_separation() -> None:
    labels, a, b = draw(60, 3, 0)
    a = a + 10 * labels
    _check_test(PERFECT, labels, a, b)
    one = auc_interval(labels, a, method="delong")
    assert one.estimate == 1 and one.high == 1
    assert one.method == "newcombe" and one.low < 1, "an interval from 1 to 1, as pROC warns, would mislead"  # type: ignore[operator]


def test_one_positive_has_areas_and_no_variance() -> None:
    _, a, b = draw(40, 3, 0)
    labels = (np.arange(40) == 17).astype(int)
    first, second = auc_interval(labels, a, method="delong"), auc_interval(labels, b, method="delong")
    assert (first.estimate, second.estimate) == pytest.approx(ONE_POSITIVE, abs=1e-12)
    assert first.method == "newcombe" and first.low < first.estimate < first.high  # type: ignore[operator]
    test = delong_test(labels, a, b)
    assert test.method == "mover" and test.difference == pytest.approx(ONE_POSITIVE[0] - ONE_POSITIVE[1])

"""Shares and paired shares against textbook values."""

from __future__ import annotations

import numpy as np
import pytest

from medfm_gui.metrics.arrays import clusters
from medfm_gui.metrics.newcombe import mover
from medfm_gui.metrics.proportions import (
    mcnemar_exact_p,
    mcnemar_mid_p,
    paired_difference,
    paired_shares,
    share_among,
    share_interval,
    wilson,
)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_limits_of_newcombes_table(hits: int, n: int, low: float, high: float) -> None:
    # Newcombe, Stat Med 1998; 17: 857–872, table I, method 3.
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(n - hits, n) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_mcnemar_gives_the_values_of_the_airway_example() -> None:
    # Fagerland, Lydersen & Laake 2013: 1 and 7 discordant of 21 children; mid-p 0.039, exact 0.070.
    assert mcnemar_mid_p(1, 7) == pytest.approx(0.0391, abs=5e-5)
    assert mcnemar_exact_p(1, 7) == pytest.approx(0.0703, abs=5e-5)
    # The same authors 2014: Newcombe's interval of that difference.
    assert paired_difference(1, 1, 7, 12) == pytest.approx((-0.507, -0.026), abs=5e-4)


@pytest.mark.parametrize(("cells", "limits"), [((36, 12, 2, 0), (0.0569, 0.3404)), ((36, 14, 0, 0), (0.1528, 0.4167))])
def test_paired_differences_have_the_limits_of_newcombes_table(
    cells: tuple[int, int, int, int], limits: tuple[float, float]
) -> None:
    # Newcombe, Stat Med 1998; 17: 2635–2650, method 10.
    assert paired_difference(*cells) == pytest.approx(limits, abs=5e-5)
    both, only_a, only_b, neither = cells
    low, high = paired_difference(both, only_b, only_a, neither)
    assert (-high, -low) == pytest.approx(limits, abs=5e-5)


def test_mid_p_is_symmetric_and_never_above_one() -> None:
    for a, b in [(0, 0), (5, 5), (0, 3), (12, 4), (1, 1)]:
        assert mcnemar_mid_p(a, b) == pytest.approx(mcnemar_mid_p(b, a))
        assert 0 < mcnemar_mid_p(a, b) <= 1
    assert mcnemar_exact_p(0, 0) == 1.0


def test_square_and_add_without_pairing_is_the_independent_interval() -> None:
    assert mover(0.7, (0.6, 0.8), 0.5, (0.4, 0.6)) == pytest.approx((0.2 - 0.02**0.5, 0.2 + 0.02**0.5))


def test_a_share_is_wilsons_unless_a_patient_repeats() -> None:
    flags = np.arange(40) % 4 != 0
    single = share_interval(flags)
    assert (single.estimate, single.method, single.n, single.n_events) == (0.75, "wilson", 40, 30)
    assert (single.low, single.high) == wilson(30, 40)
    paired = share_interval(flags, groups=[f"p{place // 8}" for place in range(40)])
    assert paired.method == "wilson-patients"  # every patient has the same share, and so has every replicate
    assert (paired.low, paired.high) == wilson(3.75, 5)
    varied = share_interval(np.arange(40) < 30, groups=[f"p{place // 4}" for place in range(40)])
    assert varied.method == "clustered-bootstrap"
    assert varied.low is not None and varied.low < (single.low or 0.0)


def test_a_perfect_share_of_repeated_patients_counts_the_patients() -> None:
    found = share_interval(np.ones(40, np.bool_), groups=[f"p{place // 8}" for place in range(40)])
    assert found.method == "wilson-patients"
    assert (found.low, found.high) == wilson(5, 5)
    nothing = share_among(
        np.ones(3, np.bool_), np.zeros(3, np.bool_), clusters(None, 3), absent="no unit has the event"
    )
    assert (nothing.estimate, nothing.note) == (None, "no unit has the event")


def test_paired_shares_count_only_the_units_asked_for() -> None:
    a = np.array([1, 1, 1, 0, 1, 0], np.bool_)
    b = np.array([1, 0, 0, 0, 0, 1], np.bool_)
    among = np.array([1, 1, 1, 1, 1, 0], np.bool_)
    found = paired_shares(a, b, among, clusters(None, 6))
    assert found.difference == pytest.approx(0.6)
    assert (found.method, found.n, found.p_value) == ("mcnemar-mid-p", 5, mcnemar_mid_p(3, 0))
    assert (found.low, found.high) == paired_difference(1, 3, 0, 1)
    assert paired_shares(a, b, ~a & ~b & ~among, clusters(None, 6)).method == "not-estimable"


def test_paired_shares_of_repeated_patients_resample_them() -> None:
    random = np.random.default_rng(0)
    a, b = random.random(200) < 0.8, random.random(200) < 0.6
    who = clusters([f"p{place // 4}" for place in range(200)], 200)
    found = paired_shares(a, b, np.ones(200, np.bool_), who)
    assert found.method == "clustered-bootstrap"
    assert found.low is not None and found.high is not None and found.low < a.mean() - b.mean() < found.high
    same = paired_shares(a, a, np.ones(200, np.bool_), who)
    assert (same.difference, same.p_value, same.method) == (0.0, 1.0, "mcnemar-mid-p")
    assert same.low is not None and same.low < 0
    assert "patients" in same.note

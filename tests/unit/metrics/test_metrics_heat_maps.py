"""How alike heat maps are, and whether they lie on what was marked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from medfm_gui.metrics.heat_maps import energy_inside, is_hit, mean_interval, rank_correlation


def _random(seed: int, size: int = 20) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).random((size, size)).astype(np.float32)


def test_ranks_decide_and_not_strength() -> None:
    heat = _random(0)
    assert rank_correlation(heat, heat**3) == pytest.approx(1.0)
    assert rank_correlation(heat, 1 - heat) == pytest.approx(-1.0)
    other = _random(1)
    assert rank_correlation(heat, other) == pytest.approx(stats.spearmanr(heat.ravel(), other.ravel()).statistic)


def test_detail_that_comes_of_enlarging_is_averaged_away() -> None:
    small = _random(0, 14)
    large = np.kron(small, np.ones((16, 16), np.float32))
    checks = large * (1 + 0.001 * (np.indices(large.shape).sum(axis=0) % 2))
    assert rank_correlation(large, checks.astype(np.float32)) == pytest.approx(1.0)


def test_a_blank_map_is_like_nothing() -> None:
    assert rank_correlation(np.zeros((8, 8), np.float32), _random(0, 8)) is None


def test_the_strongest_place_hits_or_misses() -> None:
    heat = np.zeros((10, 10), np.float32)
    heat[2, 7] = 1.0
    marked = np.zeros((10, 10), np.bool_)
    assert not is_hit(heat, marked)
    marked[2, 7] = True
    assert is_hit(heat, marked)
    assert not is_hit(np.zeros_like(heat), np.ones_like(marked))
    heat[2, 5:9] = 1.0  # of several strongest places the one in their middle
    assert not is_hit(heat, marked)
    marked[2, 6] = True
    assert is_hit(heat, marked)


def test_energy_is_a_share_of_the_sum() -> None:
    heat = np.ones((4, 5), np.float32)
    marked = np.zeros((4, 5), np.bool_)
    marked[:2] = True
    assert energy_inside(heat, marked) == pytest.approx(0.5)
    assert energy_inside(heat * 0, marked) is None


def test_a_mean_has_an_interval_by_patient() -> None:
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    alone = mean_interval(values)
    assert alone.estimate == pytest.approx(0.45)
    assert (alone.n, alone.method) == (8, "bootstrap")
    assert alone.low is not None and alone.high is not None and alone.low < 0.45 < alone.high
    pairs = mean_interval(values, groups=["a", "a", "b", "b", "c", "c", "d", "d"])
    assert pairs.method == "clustered-bootstrap"
    assert pairs.high is not None and pairs.low is not None and pairs.high - pairs.low > alone.high - alone.low
    assert mean_interval([]).estimate is None

"""AUC, its variances, intervals and tests, against published values and slow independent implementations."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.arrays import clusters
from medfm_gui.metrics.delong import delong_test, placements
from medfm_gui.metrics.intervals import AucMethod, auc_interval
from medfm_gui.metrics.newcombe import newcombe_auc
from medfm_gui.metrics.obuchowski import clustered_variance

Array = npt.NDArray[np.float64]

# Ratings of 109 CT images by one reader: Hanley & McNeil, Radiology 1982; 143: 29–36, table I.
CT_SCORES = np.repeat([1.0, 2, 3, 4, 5, 1, 2, 3, 4, 5], [33, 6, 6, 11, 2, 3, 2, 2, 11, 33])
CT_LABELS = np.repeat([0, 1], [58, 51])


def slow_components(labels: npt.NDArray[np.int_], scores: Array) -> tuple[Array, Array]:
    """DeLong's components by comparing every pair."""
    events, others = scores[labels == 1], scores[labels == 0]
    wins = (events[:, None] > others) + 0.5 * (events[:, None] == others)
    return wins.mean(axis=1), wins.mean(axis=0)


def slow_covariance(labels: npt.NDArray[np.int_], a: Array, b: Array) -> Array:
    (events_a, others_a), (events_b, others_b) = slow_components(labels, a), slow_components(labels, b)
    return np.cov(events_a, events_b) / len(events_a) + np.cov(others_a, others_b) / len(others_a)


def made(n: int, seed: int = 0, ties: bool = False) -> tuple[npt.NDArray[np.int_], Array, Array]:
    random = np.random.default_rng(seed)
    labels = (np.arange(n) % 3 == 0).astype(int)
    a = random.normal(size=n) + labels
    b = 0.5 * a + random.normal(size=n) + 0.3 * labels
    return (labels, np.round(a), np.round(b)) if ties else (labels, a, b)


def test_the_published_ct_ratings_give_the_published_area_error_and_interval() -> None:
    found = auc_interval(CT_LABELS, CT_SCORES, method="delong")
    # Stata's manual, roctab, the same data: 0.8932, standard error 0.0307, 0.83295 to 0.95339.
    assert (found.estimate, found.low, found.high) == pytest.approx((0.8932, 0.83295, 0.95339), abs=5e-5)
    assert placements(CT_LABELS == 1, CT_SCORES).variance() ** 0.5 == pytest.approx(0.0307, abs=5e-5)
    assert (found.n, found.n_events, found.method) == (109, 51, "delong")


def test_newcombes_limits_solve_his_equation() -> None:
    for auc, m, n in [(0.8932, 51, 58), (0.5, 3, 40), (0.97, 10, 200), (0.02, 7, 7), (0.3, 1, 1)]:
        size = (m + n) / 2 - 1
        for limit in newcombe_auc(auc, m, n):
            spread = (1 + size * ((1 - limit) / (2 - limit) + limit / (1 + limit))) / (m * n)
            assert (auc - limit) ** 2 == pytest.approx(
                stats.norm.ppf(0.975) ** 2 * limit * (1 - limit) * spread, abs=1e-10
            )


def test_newcombes_interval_is_the_root_of_the_published_quartic_at_a_perfect_auc() -> None:
    m, n, z2 = 8, 12, stats.norm.ppf(0.975) ** 2
    size = (m + n) / 2 - 1
    # (1 - θ)(2 - θ)(1 + θ) mn = z² θ [(2 - θ)(1 + θ) + N*(1 - θ)(1 + θ) + N* θ(2 - θ)], both sides over (1 - θ).
    x = np.polynomial.Polynomial([0, 1])
    left = (1 - x) * (2 - x) * (1 + x) * m * n
    right = z2 * x * ((2 - x) * (1 + x) + size * (1 - x) * (1 + x) + size * x * (2 - x))
    (root,) = [item.real for item in (left - right).roots() if abs(item.imag) < 1e-9 and 0 < item.real < 1]
    low, high = newcombe_auc(1.0, m, n)
    assert low == pytest.approx(root, abs=1e-9)
    assert high == 1.0
    assert newcombe_auc(0.0, m, n) == pytest.approx((0.0, 1 - root), abs=1e-9)


@pytest.mark.parametrize("ties", [False, True])
def test_mid_ranks_give_the_components_of_all_pairs(ties: bool) -> None:
    labels, a, _ = made(90, ties=ties)
    events, others = slow_components(labels, a)
    found = placements(labels == 1, a)
    np.testing.assert_allclose(found.of_events, events, atol=1e-12)
    np.testing.assert_allclose(found.of_others, others, atol=1e-12)
    assert found.auc == pytest.approx(roc_auc_score(labels, a), abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_delongs_test_agrees_with_the_covariance_of_all_pairs(ties: bool) -> None:
    labels, a, b = made(150, seed=3, ties=ties)
    covariance = slow_covariance(labels, a, b)
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    found = delong_test(labels, a, b)
    difference = roc_auc_score(labels, a) - roc_auc_score(labels, b)
    assert found.difference == pytest.approx(difference, abs=1e-12)
    assert found.statistic == pytest.approx(difference / error, rel=1e-9)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(difference / error)), rel=1e-9)
    assert found.low == pytest.approx(difference - stats.norm.ppf(0.975) * error, rel=1e-9)
    assert found.method == "delong"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_auc_is_unchanged_by_a_monotone_transform_and_a_test_is_antisymmetric(data: st.DataObject) -> None:
    n = data.draw(st.integers(4, 40))
    labels = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    assume(2 <= labels.sum() <= n - 2)
    grid = st.lists(st.integers(-20, 20), min_size=n, max_size=n)
    a, b = (np.array(data.draw(grid), dtype=float) for _ in range(2))
    plain, bent = auc_interval(labels, a), auc_interval(labels, np.exp(a / 3))
    assert (plain.estimate, plain.low, plain.high) == pytest.approx((bent.estimate, bent.low, bent.high))
    assert plain.estimate is not None and plain.low is not None and plain.high is not None
    assert 0 <= plain.low <= plain.estimate <= plain.high <= 1
    one, other = delong_test(labels, a, b), delong_test(labels, b, a)
    assert one.p_value == pytest.approx(other.p_value)
    assert one.difference == pytest.approx(-(other.difference or 0.0), abs=1e-12)
    assert (one.low, one.high) == pytest.approx((-(other.high or 0.0), -(other.low or 0.0)), abs=1e-12)


@pytest.mark.parametrize(("n", "method"), [(120, "newcombe"), (240, "delong-logit")])
def test_the_smaller_class_decides_the_method(n: int, method: str) -> None:
    labels, a, _ = made(n)
    assert auc_interval(labels, a).method == method
    assert auc_interval(1 - labels, a).method == method


def test_a_patient_with_several_units_switches_to_the_patient_bootstrap_by_name() -> None:
    labels, a, b = made(240)
    groups = [f"p{place // 2}" for place in range(240)]
    found = auc_interval(labels, a, groups=groups)
    assert found.method == "clustered-bootstrap"
    assert found == auc_interval(labels, a, groups=groups)
    assert delong_test(labels, a, b, groups=groups).method == "clustered-bootstrap"
    assert auc_interval(labels, a, groups=[f"p{place}" for place in range(240)]).method == "delong-logit"


def test_a_perfect_area_has_an_interval_by_newcombe_whatever_was_asked() -> None:
    labels = np.repeat([0, 1], 100)
    for method in ("auto", "delong", "delong-logit", "obuchowski", "bootstrap"):
        found = auc_interval(labels, labels + 0.0, method=method)
        assert (found.estimate, found.high, found.method) == (1.0, 1.0, "newcombe")
        assert found.low is not None and 0.9 < found.low < 1
    groups = [f"p{place // 10}" for place in range(200)]
    found = auc_interval(labels, labels + 0.0, groups=groups)
    assert found.method == "newcombe-patients"
    assert (found.low, found.high) == newcombe_auc(1.0, 10, 10)


def test_degenerate_data_have_no_area_or_an_honest_one() -> None:
    for labels in ([1, 1, 1], [0, 0], []):
        found = auc_interval(labels, np.arange(len(labels)))
        assert (found.estimate, found.low, found.high, found.method) == (None, None, None, "not-estimable")
        assert found.note
    assert delong_test([1, 1], [0.1, 0.2], [0.2, 0.1]).method == "not-estimable"
    two = auc_interval([0, 1], [0.1, 0.9])
    assert (two.estimate, two.high) == (1.0, 1.0)
    assert two.low is not None and two.low < 0.3
    tied = auc_interval([0, 1] * 100, np.full(200, 0.5))
    assert tied.estimate == 0.5
    assert tied.method == "newcombe"
    assert tied.low is not None and tied.high is not None and tied.low < 0.45 and tied.high > 0.55


def test_two_perfect_runs_are_not_called_equal_beyond_the_data() -> None:
    labels = np.repeat([0, 1], 20)
    found = delong_test(labels, labels + 0.0, labels * 2.0)
    assert (found.difference, found.method, found.p_value) == (0.0, "mover", 1.0)
    assert found.low is not None and found.high is not None and found.low < -0.05 and found.high > 0.05
    groups = [f"p{place // 2}" for place in range(40)]
    wider = delong_test(labels, labels + 0.0, labels * 2.0, groups=groups)
    assert wider.method == "mover" and wider.low is not None and wider.low < found.low
    assert delong_test([0, 1, 1], [0.1, 0.5, 0.6], [0.4, 0.3, 0.6]).method == "mover"


@pytest.mark.parametrize(
    ("labels", "scores"),
    [([0, 1, 2], [0.1, 0.2, 0.3]), ([0, 1], [0.1, np.nan]), ([0, 1], [0.1]), ([[0, 1]], [0.1, 0.2])],
)
def test_arrays_that_do_not_fit_are_refused_in_words(labels: list[int], scores: list[float]) -> None:
    with pytest.raises(InputError) as caught:
        auc_interval(labels, scores)
    assert caught.value.hint
    with pytest.raises(InputError):
        auc_interval([0, 1], [0.1, 0.2], groups=["a"])


def test_obuchowski_is_delong_where_no_patient_repeats() -> None:
    labels, a, b = made(100)
    alone = clusters(None, 100)
    assert clustered_variance(placements(labels == 1, a), labels == 1, alone) == pytest.approx(
        placements(labels == 1, a).variance()
    )
    one, other = delong_test(labels, a, b), delong_test(labels, a, b, method="obuchowski")
    assert one.p_value == pytest.approx(other.p_value)


def test_obuchowski_agrees_with_a_plain_transcription_of_the_paper() -> None:
    labels, a, _ = made(60, ties=True)
    who = [f"p{place // 4}" for place in range(60)]
    events, others = slow_components(labels, a)
    auc, m, n, names = events.mean(), len(events), len(others), sorted(set(who))
    mine = np.array(who)
    x = {name: events[mine[labels == 1] == name] for name in names}
    y = {name: others[mine[labels == 0] == name] for name in names}
    with_x, with_y = sum(len(x[name]) > 0 for name in names), sum(len(y[name]) > 0 for name in names)
    s10 = with_x / ((with_x - 1) * m) * sum((x[k].sum() - len(x[k]) * auc) ** 2 for k in names)
    s01 = with_y / ((with_y - 1) * n) * sum((y[k].sum() - len(y[k]) * auc) ** 2 for k in names)
    s11 = (
        len(names)
        / (len(names) - 1)
        * sum((x[k].sum() - len(x[k]) * auc) * (y[k].sum() - len(y[k]) * auc) for k in names)
    )
    expected = s10 / m + s01 / n + 2 * s11 / (m * n)
    assert clustered_variance(placements(labels == 1, a), labels == 1, clusters(who, 60)) == pytest.approx(expected)
    found = auc_interval(labels, a, groups=who, method="obuchowski")
    assert found.method == "obuchowski"
    one_patient = clusters(["p"] * 60, 60)
    assert np.isnan(clustered_variance(placements(labels == 1, a), labels == 1, one_patient))


def coverage(method: AucMethod, n: int, shift: float, trials: int, images: int = 1) -> float:
    """How often the interval holds the true area of two normals; images of a patient share half their variance."""
    truth, random, hits = stats.norm.cdf(shift / np.sqrt(2)), np.random.default_rng(11), 0
    for _ in range(trials):
        labels = np.repeat(np.arange(n) % 2, images)
        own, shared = random.normal(size=n * images), np.repeat(random.normal(size=n), images)
        scores = own if images == 1 else (own + shared) / np.sqrt(2)
        groups = [f"p{place // images}" for place in range(n * images)] if images > 1 else None
        found = auc_interval(labels, scores + shift * labels, method=method, groups=groups)
        assert found.low is not None and found.high is not None
        hits += found.low <= truth <= found.high
    return hits / trials


@pytest.mark.parametrize(("method", "n"), [("newcombe", 30), ("delong-logit", 140)])
def test_intervals_hold_the_truth_as_often_as_they_say(method: AucMethod, n: int) -> None:
    assert 0.92 <= coverage(method, n, shift=1.5, trials=400) <= 0.98


def test_naive_intervals_miss_where_patients_repeat_and_clustered_ones_do_not() -> None:
    naive = coverage("delong-logit", 60, shift=1.0, trials=300, images=4)
    clustered = coverage("obuchowski", 60, shift=1.0, trials=300, images=4)
    assert naive < 0.88
    assert clustered > 0.91


def test_the_pairs_of_a_tiny_example_are_counted_by_hand() -> None:
    labels, scores = np.array([1, 1, 0, 0, 0]), np.array([0.9, 0.4, 0.4, 0.2, 0.8])
    pairs = list(itertools.product(scores[labels == 1], scores[labels == 0]))
    by_hand = sum(1.0 if one > other else 0.5 if one == other else 0.0 for one, other in pairs) / len(pairs)
    assert auc_interval(labels, scores).estimate == pytest.approx(by_hand) == pytest.approx(4.5 / 6)

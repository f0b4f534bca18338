"""Weighted replicates against plain resampling, scikit-learn, and themselves in other chunks."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    roc_auc_score,
)

from medfm_gui.metrics.arrays import Clusters, Codes, Flags, Floats, clusters
from medfm_gui.metrics.bootstrap import (
    Mean,
    bootstrap_test,
    percentile_interval,
    point,
    replicates_of,
)
from medfm_gui.metrics.counting import balanced_accuracy, confusion_statistic, kappa, share_statistic
from medfm_gui.metrics.ranking import auc_statistic, average_precision_statistic, one_vs_one


def made(n: int = 90, patients: int = 30, ties: bool = True, rare: bool = False) -> tuple[Flags, Floats, Clusters]:
    random = np.random.default_rng(5)
    events = random.random(n) < (0.1 if rare else 0.6)
    scores = random.normal(size=n) + events
    groups = [f"p{item}" for item in random.integers(0, patients, n)]
    return events, np.round(scores, 1 if ties else 9), clusters(groups, n)


def drawn_units(who: Clusters, counts: Floats) -> Codes:
    """The units of the drawn patients, as often as each was drawn."""
    return np.repeat(np.arange(len(who.codes)), counts[who.codes].astype(int))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_a_weighted_replicate_is_the_score_of_the_resampled_units(ties: bool, flip: bool) -> None:
    events, scores, who = made(ties=ties)
    events = ~events if flip else events
    random = np.random.default_rng(1)
    counts = np.stack(
        [np.bincount(random.integers(0, who.count, who.count), minlength=who.count) for _ in range(20)], 1
    )
    area = auc_statistic(events, scores, who.codes)(counts.astype(float))
    precision = average_precision_statistic(events, scores, who.codes)(counts.astype(float))
    for place in range(20):
        units = drawn_units(who, counts[:, place].astype(float))
        assert area[place] == pytest.approx(roc_auc_score(events[units], scores[units]), abs=1e-12)
        assert precision[place] == pytest.approx(average_precision_score(events[units], scores[units]), abs=1e-12)


def test_confusion_replicates_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(2)
    targets = random.integers(0, 4, 200)
    decisions = np.where(random.random(200) < 0.5, targets, random.integers(0, 4, 200))
    who = clusters([f"p{place // 3}" for place in range(200)], 200)
    counts = np.bincount(random.integers(0, who.count, who.count), minlength=who.count).astype(float)[:, None]
    units = drawn_units(who, counts[:, 0])
    for power, weights in ((0, None), (1, "linear"), (2, "quadratic")):
        statistic = confusion_statistic(targets, decisions, 4, who, kappa(4, power))
        expected = cohen_kappa_score(targets[units], decisions[units], weights=weights)
        assert statistic(counts)[0] == pytest.approx(expected, abs=1e-12)
    recall = confusion_statistic(targets, decisions, 4, who, balanced_accuracy(np.ones(4, np.bool_)))
    assert recall(counts)[0] == pytest.approx(balanced_accuracy_score(targets[units], decisions[units]))
    share = share_statistic(targets == decisions, who, targets == 2)
    assert share(counts)[0] == pytest.approx((decisions[units] == 2)[targets[units] == 2].mean())


def test_one_against_one_is_hand_and_tills() -> None:
    random = np.random.default_rng(3)
    targets = random.integers(0, 3, 150)
    scores = random.dirichlet(np.ones(3), 150)
    statistic = Mean(tuple(one_vs_one(targets, scores, np.arange(150))))
    assert point(statistic, 150) == pytest.approx(roc_auc_score(targets, scores, multi_class="ovo"), abs=1e-12)


def test_replicates_depend_on_the_seed_and_on_nothing_else() -> None:
    events, scores, who = made()
    statistics = (auc_statistic(events, scores, who.codes), share_statistic(events, who))
    whole = replicates_of(statistics, who, replicates=101, seed=4)
    np.testing.assert_array_equal(whole, replicates_of(statistics, who, replicates=101, seed=4))
    np.testing.assert_allclose(whole, replicates_of(statistics, who, replicates=101, seed=4, chunk_cells=1), atol=1e-12)
    assert not np.allclose(whole, replicates_of(statistics, who, replicates=101, seed=5))


def test_a_mean_uses_the_same_draws_as_its_parts() -> None:
    events, scores, who = made()
    one, other = auc_statistic(events, scores, who.codes), auc_statistic(events, -scores, who.codes)
    values = replicates_of((one, Mean((one, other))), who, replicates=50)
    np.testing.assert_allclose(values[1], 0.5, atol=1e-12)
    assert np.isnan(Mean(())(np.ones((3, 2)))).all()
    np.testing.assert_allclose(Mean((one, one))(np.ones((who.count, 1))), one(np.ones((who.count, 1))))


def test_the_bootstrap_error_of_single_units_is_near_delongs() -> None:
    events, scores, _ = made(n=400, patients=400, ties=False)
    alone = clusters(None, 400)
    from medfm_gui.metrics.delong import placements

    spread = replicates_of((auc_statistic(events, scores, alone.codes),), alone, seed=1)[0].std(ddof=1)
    assert spread == pytest.approx(placements(events, scores).variance() ** 0.5, rel=0.06)


def test_replicates_without_a_class_are_counted_and_too_many_withhold_the_interval() -> None:
    events = np.array([True] + [False] * 9)
    scores = np.linspace(0, 1, 10)
    who = clusters([f"p{place}" for place in range(10)], 10)
    statistic = auc_statistic(events, scores, who.codes)
    values = replicates_of((statistic,), who, replicates=500)[0]
    lacking = int(np.isnan(values).sum())
    assert 100 < lacking < 250
    found = percentile_interval(point(statistic, 10), values, who, n=10, n_events=1)
    assert f"{lacking} of 500 replicates lacked a class" in found.note
    assert "only 10 patients" in found.note
    withheld = percentile_interval(0.5, np.where(np.arange(500) < 300, np.nan, values), who, n=10)
    assert (withheld.estimate, withheld.low) == (0.5, None)
    assert "too many for an interval" in withheld.note
    none = percentile_interval(None, np.empty(0), who, n=10)
    assert none.method == "not-estimable"


def test_a_statistic_of_absent_data_does_not_exist() -> None:
    nothing = np.zeros(4, np.bool_)
    codes = np.arange(4)
    assert point(auc_statistic(nothing, np.arange(4.0), codes), 4) is None
    assert point(auc_statistic(~nothing, np.arange(4.0), codes), 4) is None
    assert point(average_precision_statistic(nothing, np.arange(4.0), codes), 4) is None
    assert point(share_statistic(nothing, clusters(None, 4), nothing), 4) is None
    one_class = confusion_statistic(codes * 0, codes * 0, 2, clusters(None, 4), kappa(2, 2))
    assert point(one_class, 4) is None


def test_average_precision_does_not_exist_in_a_replicate_of_events_alone() -> None:
    events, scores = np.array([True, True, False]), np.array([0.9, 0.2, 0.5])
    statistic = average_precision_statistic(events, scores, np.arange(3))
    drawn = np.array([[1.0, 2.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 3.0]])  # a column a replicate
    whole, events_alone, others_alone = statistic(drawn)
    assert whole == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(events_alone) and np.isnan(others_alone)
    every = np.ones(3, np.bool_)
    assert point(average_precision_statistic(every, scores, np.arange(3)), 3) is None, "any order of events gives 1"


def test_a_small_p_is_not_bounded_by_the_number_of_replicates() -> None:
    events, scores, _ = made(n=600, ties=False)
    who = clusters([f"p{place // 2}" for place in range(600)], 600)
    good = auc_statistic(events, scores + 3 * events, who.codes)
    bad = auc_statistic(events, scores * 0 + np.arange(600) % 7, who.codes)
    found = bootstrap_test(good, bad, who, n=600, replicates=300)
    assert found.p_value is not None and found.p_value < 1e-6
    assert found.low is not None and found.low > 0
    assert found.method == "clustered-bootstrap"


def test_a_difference_without_spread_or_without_a_class_has_no_test() -> None:
    events, scores, who = made()
    statistic = auc_statistic(events, scores, who.codes)
    same = bootstrap_test(statistic, statistic, who, n=90)
    assert (same.difference, same.low, same.p_value) == (0.0, None, None)
    assert "do not vary" in same.note
    nothing = auc_statistic(np.zeros(90, np.bool_), scores, who.codes)
    assert bootstrap_test(statistic, nothing, who, n=90).method == "not-estimable"


def test_unknown_patients_are_patients_of_their_own() -> None:
    who = clusters(["a", "", "a", "", "b"], 5)
    assert who.codes.tolist() == [0, 1, 0, 2, 3]
    assert (who.count, who.repeated, who.known) == (4, True, True)
    assert who.taken(np.array([True, True, False, False, True])).repeated is False


def test_a_replicate_costs_far_less_than_a_call_of_roc_auc_score() -> None:
    random = np.random.default_rng(0)
    n, patients = 20_000, 4_000
    events = random.random(n) < 0.3
    scores = random.normal(size=n) + events
    who = clusters([f"p{item}" for item in random.integers(0, patients, n)], n)
    statistic = auc_statistic(events, scores, who.codes)

    def seconds_of(work: object) -> float:
        start = time.perf_counter()
        work()  # type: ignore[operator]
        return time.perf_counter() - start

    ratios = []
    for _ in range(3):
        ours = seconds_of(lambda: replicates_of((statistic,), who, replicates=100)) / 100
        theirs = seconds_of(lambda: [roc_auc_score(events, scores) for _ in range(5)]) / 5
        ratios.append(theirs / ours)
    assert np.median(ratios) > 5  # 20 on a quiet machine with 50,000 images; here only against a lost order of growth

"""Several seeds: the mean, its interval over seeds and over patients, and differences of ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.seeds import ALIKE, FEWEST_SEEDS, Seeded, seed_difference, seed_summary


def _trainings(plain: Scored, seeds: int, *, spread: float = 0.4, less: float = 0.0) -> Seeded:
    """The same units, each training with errors of its own; ``less`` takes signal away."""
    found = []
    for seed in range(seeds):
        random = np.random.default_rng(1000 + seed + round(1e6 * less))
        odds = np.log(plain.event_scores / (1 - plain.event_scores)) * (1 - less)
        told = 1 / (1 + np.exp(-(odds + spread * random.normal(size=len(plain)))))
        found.append((replace(plain, scores=np.stack([1 - told, told], axis=1)), None))
    return found


def test_the_mean_and_its_interval_over_seeds_are_students(make_scored: Callable[..., Scored]) -> None:
    trainings = _trainings(make_scored(n=400), 6)
    found = seed_summary(trainings)
    areas = [roc_auc_score(one.events, one.event_scores) for one, _ in trainings]
    assert found.values == pytest.approx(areas) and found.metric == "auc"
    low, high = stats.t.interval(0.95, 5, np.mean(areas), stats.sem(areas))
    assert (found.over_seeds.estimate, found.over_seeds.low, found.over_seeds.high) == pytest.approx(
        (np.mean(areas), low, high)
    )
    assert found.spread == pytest.approx(np.std(areas, ddof=1))
    assert found.over_patients.low < np.mean(areas) < found.over_patients.high


def test_patients_of_one_training_are_its_own_bootstrap(make_scored: Callable[..., Scored]) -> None:
    (training,) = _trainings(make_scored(n=300, images=3), 1)
    found = seed_summary([training])
    assert found.over_patients.method == "clustered-bootstrap" and found.over_seeds.low is None
    assert found.spread is None and found.over_seeds.note == "one seed has no spread"


def test_other_tasks_have_their_headline(make_scored: Callable[..., Scored]) -> None:
    several = make_scored(Task.ORDINAL, n=200, classes=4)
    found = seed_summary([(several, None), (several, None)])
    assert found.metric == "kappa_quadratic" and found.spread == pytest.approx(0) and found.over_patients.n == 200


def test_a_unit_that_one_seed_lacks_is_left_out_of_all(
    make_scored: Callable[..., Scored], fail: Callable[[Scored, Sequence[int]], Scored]
) -> None:
    first, second = (one for one, _ in _trainings(make_scored(n=200), 2))
    found = seed_summary([(first, None), (fail(second, [0, 1, 2]), None)])
    assert found.over_patients.n == 197


def test_what_cannot_be_summed_up(make_scored: Callable[..., Scored]) -> None:
    with pytest.raises(InputError):
        seed_summary([])
    with pytest.raises(InputError):
        seed_summary([(make_scored(n=50), None), (make_scored(n=60), None)])
    with pytest.raises(InputError):
        seed_summary([(make_scored(n=50), None)], metric="dice")
    plain = make_scored(n=50)
    alone = replace(plain, targets=np.ones(50, dtype=int))
    found = seed_summary([(alone, None), (alone, None)])
    assert found.over_seeds.estimate is None and found.values == (None, None)
    assert seed_difference([(alone, None)], [(alone, None)]).difference is None


def test_a_claim_needs_five_seeds_of_each(make_scored: Callable[..., Scored]) -> None:
    plain = make_scored(n=600)
    good, worse = _trainings(plain, FEWEST_SEEDS), _trainings(plain, FEWEST_SEEDS, less=0.6, spread=0.8)
    few = seed_difference(good, worse[:4])
    assert few.p_value is None and few.low is None and "no claim" in few.note and few.difference is not None
    found = seed_difference(good, worse)
    means = [np.mean([roc_auc_score(one.events, one.event_scores) for one, _ in side]) for side in (good, worse)]
    assert found.difference == pytest.approx(means[0] - means[1]) and found.method == "seeds-patients"
    assert found.low < found.difference < found.high and found.p_value < 0.05  # type: ignore[operator]
    same = [good[0]] * FEWEST_SEEDS
    nothing = seed_difference(same, same)
    assert nothing.p_value is None and nothing.note == "the replicates do not vary"


def test_seeds_that_spread_widen_the_interval(make_scored: Callable[..., Scored]) -> None:
    plain = make_scored(n=400, signal=1.5)
    calm = seed_difference(_trainings(plain, 6, spread=0.05), _trainings(plain, 6, spread=0.05, less=1e-3))
    restless = seed_difference(_trainings(plain, 6, spread=1.5), _trainings(plain, 6, spread=1.5, less=1e-3))
    assert restless.high - restless.low > 2 * (calm.high - calm.low)  # type: ignore[operator]


def test_seeds_that_draw_nothing_are_one_model(make_scored: Callable[..., Scored]) -> None:
    plain = make_scored(n=300)
    same = [(plain, None)] * FEWEST_SEEDS
    found = seed_summary(same)
    assert (found.over_seeds.low, found.over_seeds.high, found.spread) == (None, None, 0.0)
    assert found.over_seeds.note == ALIKE and found.over_patients.low is not None
    test = seed_difference(_trainings(plain, FEWEST_SEEDS, less=0.5), same)
    assert test.note == ALIKE and test.low is not None
    assert not seed_difference(_trainings(plain, 5, less=0.5), _trainings(plain, 5)).note

"""Calibration against independent fits, recalibration, and what cannot be estimated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.linear_model import LogisticRegression
from statsmodels.discrete.discrete_model import Logit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.arrays import clusters
from medfm_gui.metrics.calibration import _sandwich, calibration, calibration_curve, log_odds
from medfm_gui.metrics.recalibration import calibrated, fit_calibrator
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]


def _cohort(n: int = 4_000, shift: float = 0.4, slope: float = 0.7, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    odds = random.normal(-0.5, 1.2, n)
    events = random.random(n) < special.expit(shift + slope * odds)
    return events.astype(int), special.expit(odds)


def test_intercept_and_slope_are_those_of_other_programs() -> None:
    events, said = _cohort()
    found = calibration(events, said)
    odds = log_odds(said)
    free = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(odds[:, None], events)
    model = Logit(events, np.column_stack([np.ones_like(odds), odds])).fit(disp=0)
    assert found.slope.estimate == pytest.approx(float(free.coef_[0, 0]), abs=1e-5)
    assert (found.slope.low, found.slope.high) == pytest.approx(tuple(model.conf_int()[1]), abs=1e-6)
    assert found.in_the_large.estimate is not None
    balance = special.expit(odds + found.in_the_large.estimate)  # its score equation: as many events as said
    assert balance.sum() == pytest.approx(events.sum(), abs=1e-6)
    assert found.slope.method == "logistic-wald" and found.slope.n == 4_000


def test_repeated_units_of_a_patient_widen_the_interval() -> None:
    events, said = _cohort(600)
    groups = [f"p{number // 4}" for number in range(2_400)]
    once = calibration(events, said)
    naive = calibration(np.repeat(events, 4), np.repeat(said, 4))
    found = calibration(np.repeat(events, 4), np.repeat(said, 4), groups=groups)
    assert found.slope.method == "logistic-clustered"
    assert found.slope.estimate == pytest.approx(once.slope.estimate, abs=1e-8)

    def width(item: object) -> float:
        return item.slope.high - item.slope.low  # type: ignore[attr-defined, no-any-return]

    assert width(found) == pytest.approx(width(once), rel=0.1)
    assert width(naive) < 0.55 * width(once)


def test_a_calibrated_model_is_told_so_and_the_curve_follows_the_truth() -> None:
    events, said = _cohort(20_000, 0.0, 1.0)
    found = calibration(events, said)
    assert found.in_the_large.low < 0 < found.in_the_large.high  # type: ignore[operator]
    assert found.slope.low < 1 < found.slope.high  # type: ignore[operator]
    assert found.ece is not None and found.ece < 0.02
    events, said = _cohort(20_000)
    curve = calibration_curve(events, said)
    truth = special.expit(0.4 + 0.7 * special.logit(np.array(curve.said)))
    inside = (np.array(curve.low) <= truth) & (truth <= np.array(curve.high))
    assert np.abs(np.array(curve.observed) - truth).max() < 0.05 and inside.mean() > 0.8
    assert len(curve.bins) == 10 and sum(item.n for _, item in curve.bins) == 20_000


def test_ece_is_the_mean_gap_of_equally_filled_bins() -> None:
    events, said = [0, 0, 1, 1] * 5, [0.1, 0.3, 0.6, 0.8] * 5
    assert calibration(events, said).ece == pytest.approx((0.1 + 0.3 + 0.4 + 0.2) / 4)


@pytest.mark.parametrize(
    ("events", "said", "why"),
    [
        ([1, 1, 1], [0.2, 0.5, 0.9], "one class"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "without an error"),
        ([0, 1, 0, 1], [0.4, 0.4, 0.4, 0.4], "the same"),
        ([], [], "no units"),
    ],
)
def test_what_has_no_slope_says_why(events: list[int], said: list[float], why: str) -> None:
    found = calibration(events, said)
    assert found.slope.estimate is None and why in found.slope.note
    curve = calibration_curve(events, said)
    assert curve.said == () and curve.note


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(InputError, match="no probabilities"):
        calibration([0, 1], [0.2, 1.4])
    with pytest.raises(InputError, match="finite"):
        calibration_curve([0, 1], [0.2, np.nan])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.integers(0, 3)), max_size=40))
def test_any_probabilities_have_an_answer(rows: list[tuple[bool, float, int]]) -> None:
    events, said, groups = [int(row[0]) for row in rows], [row[1] for row in rows], [f"p{row[2]}" for row in rows]
    found = calibration(events, said, groups=groups)
    for item in (found.in_the_large, found.slope):
        assert (item.estimate is None) == (item.method == "not-estimable")
    calibration_curve(events, said, groups=groups)


def test_platt_puts_a_distorted_model_right_and_keeps_the_order(make_scored: MakeScored) -> None:
    scored = make_scored(n=3_000, signal=1.5)
    calibrator = fit_calibrator(scored, fitted_on="cal", unit="image")
    assert calibrator is not None and calibrator.kind == "platt" and calibrator.n == 3_000
    better = calibrated(scored, calibrator)
    after = calibration(better.events, better.event_scores)
    assert after.slope.estimate == pytest.approx(1, abs=0.01)
    assert after.in_the_large.estimate == pytest.approx(0, abs=0.01)
    assert (np.argsort(better.event_scores) == np.argsort(scored.event_scores)).all() or calibrator.slope < 0
    assert "model selection" in fit_calibrator(scored, fitted_on="val", unit="image").note  # type: ignore[union-attr]


def test_a_temperature_cools_an_overconfident_model(make_scored: MakeScored) -> None:
    scored = make_scored(Task.MULTICLASS, n=2_000, classes=4, signal=1.0)
    hot = Scored(
        scored.samples, scored.targets, special.softmax(3 * np.log(scored.scores), axis=1), None, scored.task,
        scored.classes,
    )  # fmt: skip
    first, second = (fit_calibrator(item, fitted_on="cal", unit="image") for item in (scored, hot))
    assert first is not None and second is not None
    assert second.slope == pytest.approx(first.slope / 3, rel=0.01)
    np.testing.assert_allclose(calibrated(hot, second).scores, calibrated(scored, first).scores, atol=1e-3)


def test_few_units_and_findings_have_no_calibrator(make_scored: MakeScored) -> None:
    assert fit_calibrator(make_scored(n=12), fitted_on="cal", unit="image") is None
    assert fit_calibrator(make_scored(Task.MULTILABEL, classes=3), fitted_on="cal", unit="image") is None


def test_a_few_certainties_do_not_take_the_curve_away() -> None:
    """With several images a patient the usual covariance divides by a fitted share of nothing."""
    random = np.random.default_rng(0)
    events = (np.arange(160) % 2).astype(int)
    said = np.clip(random.normal(0.35 + 0.3 * events, 0.17), 0.03, 0.9)
    said[np.flatnonzero(events)[:4]] = 1.0
    patients = [str(number // 4) for number in range(160)]
    found = calibration_curve(events, said, groups=patients)
    assert not found.note and len(found.said) == 101 and np.isfinite(found.low).all() and np.isfinite(found.high).all()


def test_the_covariance_by_hand_is_the_usual_one_where_both_exist() -> None:
    events, said = _cohort(n=300)
    who = clusters([str(number // 3) for number in range(300)], 300)
    basis = np.column_stack([np.ones(300), log_odds(said)])
    usual = GLM(events.astype(float), basis, family=Binomial()).fit(cov_type="cluster", cov_kwds={"groups": who.codes})
    by_hand = _sandwich(events.astype(bool), basis, np.asarray(usual.mu), who)
    assert by_hand == pytest.approx(np.asarray(usual.cov_params()), rel=1e-6)

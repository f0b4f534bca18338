"""Net benefit and conformal sets against direct counts, and the planner against published formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import special
from statsmodels.discrete.discrete_model import Logit

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.metrics import planning
from medfm_gui.metrics.conformal import coverage, fit_quantiles, sets_of
from medfm_gui.metrics.delong import delong_test
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.usefulness import decision_curve

MakeScored = Callable[..., Scored]


def test_net_benefit_is_that_of_counting() -> None:
    random = np.random.default_rng(3)
    events, said = random.random(300) < 0.3, random.random(300)
    curve = decision_curve(events.astype(int), said, low=0.1, high=0.5, points=5)
    for place, at in enumerate(curve.thresholds):
        called = said >= at
        benefit = ((called & events).sum() - (called & ~events).sum() * at / (1 - at)) / 300
        assert curve.benefit[place] == pytest.approx(benefit)
        assert curve.treat_all[place] == pytest.approx(events.mean() - (1 - events.mean()) * at / (1 - at))
        assert curve.low[place] <= benefit <= curve.high[place]


def test_another_prevalence_reweights_both_classes() -> None:
    events, said = np.array([1] * 50 + [0] * 50), np.r_[np.linspace(0.3, 0.9, 50), np.linspace(0.1, 0.7, 50)]
    curve = decision_curve(events, said, low=0.2, high=0.4, points=3, prevalence=0.1)
    at = curve.thresholds[1]
    called = said >= at
    wanted = 0.1 * called[:50].mean() - 0.9 * called[50:].mean() * at / (1 - at)
    assert curve.benefit[1] == pytest.approx(wanted) and curve.prevalence == 0.1


def test_repeated_patients_widen_the_band() -> None:
    random = np.random.default_rng(5)
    events, said = (random.random(150) < 0.4).astype(int), random.random(150)
    once = decision_curve(events, said, low=0.2, high=0.3, points=2)
    groups = [f"p{number // 5}" for number in range(750)]
    again = decision_curve(np.repeat(events, 5), np.repeat(said, 5), low=0.2, high=0.3, points=2, groups=groups)
    naive = decision_curve(np.repeat(events, 5), np.repeat(said, 5), low=0.2, high=0.3, points=2)
    widths = [curve.high[0] - curve.low[0] for curve in (once, again, naive)]
    assert widths[1] == pytest.approx(widths[0], rel=0.15) and widths[2] < 0.6 * widths[0]


def test_what_cannot_be_weighed_is_refused() -> None:
    with pytest.raises(UsageError, match="no range"):
        decision_curve([0, 1], [0.2, 0.8], low=0.5, high=0.1)
    with pytest.raises(UsageError, match="prevalence"):
        decision_curve([0, 1], [0.2, 0.8], low=0.1, high=0.5, prevalence=1.0)
    with pytest.raises(InputError, match="one class"):
        decision_curve([1, 1], [0.2, 0.8], low=0.1, high=0.5)


def test_conformal_sets_cover_each_class_as_promised(make_scored: MakeScored) -> None:
    fitted = fit_quantiles(
        make_scored(Task.MULTICLASS, n=1_500, classes=3, signal=1.2), level=0.9, fitted_on="cal", unit="image"
    )
    fresh = make_scored(Task.MULTICLASS, n=6_000, classes=3, signal=1.2, seed=9)
    for _, share in coverage(fresh, fitted):
        assert share.estimate == pytest.approx(0.9, abs=0.03) and share.method == "wilson"
    sets = sets_of(fresh, fitted)
    assert 1 < sets.sum(axis=1).mean() < 3
    assert fitted.n == tuple(np.bincount(make_scored(Task.MULTICLASS, n=1_500, classes=3, signal=1.2).targets))


def test_a_class_with_too_few_cases_is_never_left_out(make_scored: MakeScored) -> None:
    scored = make_scored(Task.ORDINAL, n=25, classes=3)
    fitted = fit_quantiles(scored, level=0.95, fitted_on="cal", unit="image")
    assert fitted.smallest == (0.0, 0.0, 0.0) and sets_of(scored, fitted).all()


def test_the_rank_of_a_quantile_is_that_of_whole_numbers(make_scored: MakeScored) -> None:
    n = 99  # 100 · 0.55 is 55.00000000000001 in floats
    own = np.linspace(0.4, 0.9, n)
    scores = np.column_stack([own, (1 - own) / 2, (1 - own) / 2])
    units = tuple(str(one) for one in range(n))
    scored = Scored(units, np.zeros(n, np.intp), scores, None, Task.MULTICLASS, ("a", "b", "c"))
    fitted = fit_quantiles(scored, level=0.55, fitted_on="cal", unit="image")
    assert fitted.smallest[0] == pytest.approx(np.sort(own)[::-1][54])


def test_conformal_sets_need_three_classes_and_independent_units(make_scored: MakeScored) -> None:
    with pytest.raises(UsageError, match="three classes"):
        fit_quantiles(make_scored(), level=0.9, fitted_on="cal", unit="image")
    with pytest.raises(UsageError, match="several units"):
        repeated = make_scored(Task.MULTICLASS, classes=3, images=3)
        fit_quantiles(repeated, level=0.9, fitted_on="cal", unit="image")
    with pytest.raises(UsageError, match="coverage"):
        fit_quantiles(make_scored(Task.MULTICLASS, classes=3), level=1.0, fitted_on="cal", unit="image")


def test_the_planned_width_of_a_difference_is_that_of_delong() -> None:
    random = np.random.default_rng(0)
    events = np.repeat([1, 0], [400, 800])
    common = random.normal(size=1_200)
    a, b = (shift * events + np.sqrt(0.5) * common + np.sqrt(0.5) * random.normal(size=1_200) for shift in (1.19, 0.95))
    test = delong_test(events, a, b)
    planned = planning.auc_difference_precision(0.80, 0.75, 0.47, 1_200, 400)
    assert planned.half_width == pytest.approx((test.high - test.low) / 2, rel=0.15)  # type: ignore[operator]


def test_riley_is_the_standard_error_of_a_large_fit() -> None:
    random = np.random.default_rng(2)
    odds = random.normal(-1.0, 1.0, 400_000)
    events = (random.random(len(odds)) < special.expit(odds)).astype(int)
    model = Logit(events, np.column_stack([np.ones_like(odds), odds])).fit(disp=0)
    whole, slope = planning.calibration_precision(float(events.mean()), len(odds))
    assert slope.half_width == pytest.approx(1.96 * float(model.bse[1]), rel=0.01)
    assert whole.high == pytest.approx(np.exp(1.96 * np.sqrt((1 - events.mean()) / events.sum())), rel=1e-4)


def test_more_units_a_patient_are_worth_less() -> None:
    assert planning.design_effect(4, 0.6) == pytest.approx(2.8)
    alone = planning.auc_precision(0.85, 200, 60)
    repeated = planning.auc_precision(0.85, 200, 60, effect=planning.design_effect(4, 0.6))
    assert repeated.half_width > 1.5 * alone.half_width and repeated.effective == pytest.approx(200 / 2.8)
    sick = planning.share_precision("sensitivity", 0.9, 200, 60)
    well = planning.share_precision("specificity", 0.9, 200, 60)
    assert sick.half_width > well.half_width
    dice = planning.dice_precision(0.9, 0.05, 41)
    assert dice.half_width == pytest.approx(2.0211 * 0.05 / np.sqrt(41), rel=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: planning.auc_precision(0.85, 20, 0),
        lambda: planning.auc_precision(1.0, 20, 5),
        lambda: planning.auc_difference_precision(0.8, 0.7, 1.0, 20, 5),
        lambda: planning.share_precision("kappa", 0.8, 20, 5),
        lambda: planning.dice_precision(0.9, 0.0, 20),
        lambda: planning.calibration_precision(1.0, 20),
        lambda: planning.design_effect(0.5, 0.2),
    ],
)
def test_what_cannot_be_planned_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        wrong()

"""Folds summed up without pooling, sets of one unit, and calibrators that keep the order of scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.evaluation import Calibrator, OperatingPoint
from medfm_gui.metrics.conformal import fewest, fit_quantiles, one_a_patient, set_of, sets_of
from medfm_gui.metrics.folds import METHOD, fold_summary
from medfm_gui.metrics.intervals import auc_interval
from medfm_gui.metrics.names import METHODS
from medfm_gui.metrics.recalibration import calibrated, calibrated_scores, calibrated_threshold, fit_calibrator
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]


def test_the_mean_over_folds_and_an_interval_over_patients(
    make_scored: MakeScored, fail: Callable[[Scored, Sequence[int]], Scored]
) -> None:
    folds = [(make_scored(n=150, images=2, seed=seed), None) for seed in range(4)]
    found = fold_summary(folds)
    areas = [auc_interval(one.events, one.event_scores).estimate for one, _ in folds]
    assert found.values == pytest.approx(areas) and found.mean.estimate == pytest.approx(np.mean(areas))  # type: ignore[arg-type]
    assert found.mean.method == METHOD in METHODS and found.mean.n == 600
    assert found.spread == pytest.approx(np.std(areas, ddof=1))  # type: ignore[arg-type]
    assert found.lowest == pytest.approx(min(areas))  # type: ignore[type-var]
    one = fold_summary(folds[:1])
    assert one.spread is None and one.mean.low is not None and found.mean.low is not None
    assert found.mean.high is not None and one.mean.high is not None
    assert found.mean.high - found.mean.low < one.mean.high - one.mean.low, "four folds tell more than one"
    lost = fold_summary([(fail(folds[0][0], range(5)), None), folds[1]])
    assert lost.mean.n == 295 and "5 units" in lost.mean.note
    point = OperatingPoint(0.5, "youden", "cal", "image", "class 1")
    assert fold_summary([(one, point) for one, _ in folds], metric="sensitivity").metric == "sensitivity"


def test_a_fold_of_one_class_has_no_mean_and_other_metrics_are_refused(make_scored: MakeScored) -> None:
    whole = make_scored(n=80)
    alone = whole.taken(whole.events)
    found = fold_summary([(whole, None), (alone, None)])
    assert found.mean.estimate is None and found.values[1] is None and "1 of 2 folds" in found.mean.note
    with pytest.raises(InputError):
        fold_summary([(whole, None)], metric="dice_case_mean")
    several = fold_summary([(make_scored(Task.MULTICLASS, n=90, classes=3), None)] * 2)
    assert several.metric == "auc_macro_ovr" and several.mean.n_events is None


def test_one_unit_a_patient_makes_units_exchangeable(make_scored: MakeScored) -> None:
    scored = make_scored(Task.MULTICLASS, n=240, classes=3, images=4)
    one = one_a_patient(scored)
    assert len(one) == 60 and not one.clusters.repeated and one_a_patient(scored).samples == one.samples
    assert one_a_patient(scored, seed=1).samples != one.samples
    fitted = fit_quantiles(one, level=0.9, fitted_on="cal", unit="image")
    for place in range(5):
        inside = sets_of(scored, fitted)[place]
        assert set_of(tuple(scored.scores[place]), fitted) == tuple(np.flatnonzero(inside))
    assert (fewest(0.9), fewest(0.95), fewest(0.5)) == (9, 19, 1)


@pytest.mark.parametrize("signal", [1.0, 3.0])
def test_a_calibrator_keeps_every_decision(make_scored: MakeScored, signal: float) -> None:
    scored = make_scored(n=400, signal=signal)
    line = fit_calibrator(scored, fitted_on="val", unit="image")
    assert line is not None and line.slope > 0 and "model selection" in line.note
    found = calibrated(scored, line)
    assert np.array_equal(np.argsort(found.event_scores), np.argsort(scored.event_scores))
    for threshold in (0.1, 0.5, 0.9):
        same = found.event_scores >= calibrated_threshold(threshold, line)
        assert np.array_equal(same, scored.event_scores >= threshold)
    assert calibrated_threshold(0.0, line) == 0.0 and calibrated_threshold(1.1, line) == 1.1


def test_scores_that_fall_with_the_event_and_few_cases_have_no_calibrator(make_scored: MakeScored) -> None:
    scored = make_scored(n=400, signal=2.0)
    turned = replace(scored, scores=scored.scores[:, ::-1])
    assert fit_calibrator(turned, fitted_on="cal", unit="image") is None
    assert fit_calibrator(make_scored(n=15), fitted_on="cal", unit="image") is None
    assert fit_calibrator(make_scored(Task.MULTILABEL, classes=3), fitted_on="cal", unit="image") is None
    platt = Calibrator("platt", 1.0, 0.0, "cal", "image", 20)
    with pytest.raises(UsageError):
        calibrated_scores(np.full((2, 3), 1 / 3), platt, 0)
    with pytest.raises(UsageError):
        calibrated_scores(np.full((2, 2), 0.5), platt, None)

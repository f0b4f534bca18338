"""Predictive values at a named prevalence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.metrics.names import METHODS
from medfm_gui.metrics.predictive import brier_at, predictive_values


def _flags(hits: int, misses: int, alarms: int, clear: int) -> tuple[list[int], list[int]]:
    return [1] * (hits + misses) + [0] * (alarms + clear), [1] * hits + [0] * misses + [1] * alarms + [0] * clear


def test_bayes_rule_and_the_logit_interval_by_hand() -> None:
    labels, called = _flags(80, 20, 30, 170)
    ppv, npv = predictive_values(labels, called, prevalence=0.1)
    assert ppv.estimate == pytest.approx(0.8 * 0.1 / (0.8 * 0.1 + 0.15 * 0.9))
    assert npv.estimate == pytest.approx(0.85 * 0.9 / (0.85 * 0.9 + 0.2 * 0.1))
    se = math.sqrt((1 - 0.8) / 80 + (1 - 0.15) / 30)
    assert ppv.estimate is not None
    middle = math.log(ppv.estimate / (1 - ppv.estimate))
    limits = [1 / (1 + math.exp(-(middle + side * 1.959964 * se))) for side in (-1, 1)]
    assert (ppv.low, ppv.high) == pytest.approx(limits, abs=1e-6)
    assert ppv.method == npv.method == "logit-predictive" and ppv.method in METHODS
    assert (ppv.n, ppv.n_events) == (300, 100)


def test_at_the_share_of_the_data_it_is_the_share_of_right_calls() -> None:
    labels, called = _flags(40, 10, 15, 85)
    ppv, npv = predictive_values(labels, called, prevalence=50 / 150)
    assert ppv.estimate == pytest.approx(40 / 55) and npv.estimate == pytest.approx(85 / 95)


def test_empty_cells_have_an_interval_that_holds_the_value() -> None:
    labels, called = _flags(30, 0, 0, 60)
    ppv, npv = predictive_values(labels, called, prevalence=0.2)
    assert ppv.estimate == npv.estimate == 1 == ppv.high
    assert ppv.low is not None and ppv.low < 1 and "0.5" in ppv.note
    none, rest = predictive_values(*_flags(0, 30, 0, 60), prevalence=0.2)
    assert none.estimate is None and "no unit was called positive" in none.note
    assert rest.estimate == pytest.approx(0.8)


def test_patients_that_repeat_are_drawn_together() -> None:
    draw = np.random.default_rng(3)
    patients = np.repeat(np.arange(60), 4)
    labels = np.repeat(draw.random(60) < 0.4, 4)
    called = np.where(np.repeat(draw.random(60) < 0.8, 4), labels, ~labels)
    alone, _ = predictive_values(labels, called, prevalence=0.1)
    together, _ = predictive_values(labels, called, prevalence=0.1, groups=patients)
    assert together.estimate == alone.estimate and together.method == "clustered-bootstrap"
    assert together.high - together.low > alone.high - alone.low  # type: ignore[operator]


def test_a_re_weighted_brier_score_is_that_of_weighted_cases() -> None:
    draw = np.random.default_rng(1)
    labels = draw.random(400) < 0.5
    said = np.clip(draw.normal(np.where(labels, 0.6, 0.4), 0.2), 0.01, 0.99)
    found = brier_at(labels, said, prevalence=0.05)
    weights = np.where(labels, 0.05 / labels.mean(), 0.95 / (1 - labels.mean()))
    assert found.estimate == pytest.approx(brier_score_loss(labels, said, sample_weight=weights))
    assert found.low < found.estimate < found.high and found.method == "bootstrap"  # type: ignore[operator]
    own = brier_at(labels, said, prevalence=float(labels.mean()))
    assert own.estimate == pytest.approx(brier_score_loss(labels, said))
    assert brier_at([1, 1], [0.2, 0.3], prevalence=0.5).estimate is None
    with pytest.raises(UsageError):
        brier_at([0, 1], [0.2, 0.3], prevalence=0)


def test_what_cannot_be_has_a_sentence() -> None:
    for share in (0, 1, -0.1, 2, math.nan):
        with pytest.raises(UsageError):
            predictive_values([0, 1], [0, 1], prevalence=share)
    with pytest.raises(InputError):
        predictive_values([0, 1], [0, 1, 1], prevalence=0.5)
    ppv, npv = predictive_values([1, 1], [0, 1], prevalence=0.5)
    assert ppv.estimate is npv.estimate is None and "only one" in ppv.note


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30), st.floats(0.001, 0.999))
def test_every_value_lies_in_its_interval(pairs: list[tuple[bool, bool]], share: float) -> None:
    for one in predictive_values([a for a, _ in pairs], [b for _, b in pairs], prevalence=share):
        if one.estimate is not None:
            assert one.low is not None and one.high is not None
            assert 0 <= one.low <= one.estimate <= one.high <= 1

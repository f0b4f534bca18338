"""The limit from which an image counts as unlike the training images."""

from __future__ import annotations

import numpy as np
import pytest

from medfm_gui.metrics.outliers import LEVEL, fewest, fit_limit, is_beyond


def test_at_most_one_in_twenty_like_images_is_beyond_the_limit_on_average() -> None:
    random = np.random.default_rng(0)
    for n in (19, 40, 137):
        shares = []
        for _ in range(800):
            limit = fit_limit(random.gamma(3.0, size=n)).limit
            assert limit is not None
            shares.append((random.gamma(3.0, size=200) > limit).mean())
        promised = 1 - np.ceil((n + 1) * LEVEL) / (n + 1)
        assert np.mean(shares) == pytest.approx(promised, abs=0.004) and promised <= 1 - LEVEL + 1e-9


def test_the_limit_is_an_order_statistic_of_patients_with_one_image() -> None:
    scores = np.random.default_rng(1).permutation(np.arange(1.0, 100.0))
    found = fit_limit(scores, [f"p{place}" for place in range(99)])
    assert (found.limit, found.pooled, found.n, found.n_patients, found.why_not) == (95.0, None, 99, 99, "")
    assert fit_limit(scores) == found, "without names each image is a patient of its own"


def test_every_patient_has_the_same_weight_however_many_images_it_has() -> None:
    scores = np.concatenate([np.full(500, 9.0), np.linspace(0, 1, 60)])
    names = ["many"] * 500 + [f"p{place}" for place in range(60)]
    found = fit_limit(scores, names)
    assert found.limit is not None and found.limit < 1, "five hundred images of one patient are one of sixty-one"
    assert found.n_patients == 61 and fit_limit(scores).limit == 9.0


def test_the_mean_over_a_patients_images_has_its_own_limit() -> None:
    random = np.random.default_rng(2)
    scores = random.normal(1.0, 0.2, 400)
    found = fit_limit(scores, [f"p{place // 8}" for place in range(400)])
    assert found.pooled is not None and found.limit is not None and 1.0 < found.pooled < found.limit


def test_too_few_patients_set_no_limit_and_that_is_said() -> None:
    assert fewest() == 19
    few = fit_limit(np.ones(200), [f"p{place % 18}" for place in range(200)])
    assert few.limit is None and few.pooled is None and "18 patients, and 19 are needed" in few.why_not
    assert fit_limit(np.ones(19)).limit == 1.0
    assert fit_limit(np.array([])).why_not.startswith("0 images")


def test_scores_that_are_not_finite_do_not_count() -> None:
    scores = np.array([np.nan, np.inf, *np.linspace(0, 1, 30)])
    found = fit_limit(scores, [f"p{place}" for place in range(32)])
    assert (found.n, found.n_patients) == (30, 30) and found.limit is not None and np.isfinite(found.limit)


def test_a_score_at_the_limit_is_not_beyond_it() -> None:
    limit = fit_limit(np.full(50, 0.25)).limit
    assert limit == 0.25 and not is_beyond(0.25, limit) and not is_beyond(0.25 + 1e-7, limit)
    assert is_beyond(0.2501, limit) and not is_beyond(0.0, 0.0)

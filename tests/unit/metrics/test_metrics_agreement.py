"""Agreement of readers against statsmodels, scikit-learn and Krippendorff's published example."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats import inter_rater

from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.agreement import UNREAD, cohen_kappa, fleiss_kappa, krippendorff_alpha, majority

# Krippendorff (2011), Computing Krippendorff's alpha-reliability, section C: 4 observers, 12 units, gaps
PUBLISHED = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3),
    (0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0),
)


def _reads(readers: int, n: int = 300, categories: int = 3, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    truth = random.integers(0, categories, n)
    return np.where(random.random((readers, n)) < 0.7, truth, random.integers(0, categories, (readers, n)))


@pytest.mark.parametrize(("level", "value"), (("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)))
def test_alpha_is_the_published_one(level: str, value: float) -> None:
    found = krippendorff_alpha(np.array(PUBLISHED) - 1, 5, level=level)  # type: ignore[arg-type]
    assert found.estimate == pytest.approx(value, abs=5e-4) and found.n == 11


def test_kappas_are_those_of_other_programs() -> None:
    two, four = _reads(2), _reads(4, seed=3)
    assert cohen_kappa(two, 3).estimate == pytest.approx(cohen_kappa_score(*two), abs=1e-12)
    table = inter_rater.aggregate_raters(four.T)[0]
    assert fleiss_kappa(four, 3).estimate == pytest.approx(inter_rater.fleiss_kappa(table), abs=1e-12)


def test_intervals_hold_the_estimate_and_widen_by_patient() -> None:
    reads = np.repeat(_reads(3, 100), 5, axis=1)
    names = [f"P{number // 5}" for number in range(500)]
    by_unit, by_patient = fleiss_kappa(reads, 3), fleiss_kappa(reads, 3, groups=names)
    assert by_unit.estimate == pytest.approx(by_patient.estimate)
    assert by_patient.method == "clustered-bootstrap"
    assert by_patient.low < by_unit.low < by_unit.estimate < by_unit.high < by_patient.high  # type: ignore[operator]


def test_units_that_were_not_read() -> None:
    reads = _reads(2)
    reads[0, :50] = UNREAD
    assert cohen_kappa(reads, 3).estimate == pytest.approx(cohen_kappa_score(*reads[:, 50:]))
    assert cohen_kappa(reads, 3).n == 250
    assert krippendorff_alpha(np.full((2, 4), UNREAD), 2).estimate is None
    assert cohen_kappa(np.zeros((2, 9), int), 2).note == "all reads are of one category"


def test_the_majority_has_no_ties() -> None:
    assert majority([[0, 1, 1, -1], [0, 0, 1, -1], [1, -1, 1, -1]], 2).tolist() == [0, UNREAD, 1, UNREAD]


@pytest.mark.parametrize("reads", ([[0, 1]], [[0, 3], [0, 1]], [0, 1]))
def test_what_is_no_table_of_reads_is_refused(reads: object) -> None:
    with pytest.raises(InputError):
        fleiss_kappa(reads, 2)  # type: ignore[arg-type]

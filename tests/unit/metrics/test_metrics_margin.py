"""Non-inferiority within a margin: the whole interval on the better side, whichever side is which."""

from __future__ import annotations

import pytest

from medfm_gui.domain.evaluation import Comparison
from medfm_gui.metrics.margin import is_non_inferior, margin_sentence


def pair(low: float | None, high: float | None, metric: str = "auc") -> Comparison:
    return Comparison("a", "b", metric, 0.0, low, high, "delong", 0.5, None, 100)


@pytest.mark.parametrize(
    ("low", "high", "metric", "first", "expected"),
    [
        (-0.04, 0.06, "auc", "a", True),
        (-0.06, 0.04, "auc", "a", False),
        (-0.05, 0.04, "auc", "a", False),
        (-0.06, 0.04, "auc", "b", True),
        (-0.04, 0.06, "auc", "b", False),
        (-0.06, 0.04, "brier", "a", True),
        (-0.04, 0.06, "brier", "a", False),
        (-0.04, 0.06, "brier", "b", True),
        (None, None, "auc", "a", None),
    ],
)
def test_the_interval_decides(
    low: float | None, high: float | None, metric: str, first: str, expected: bool | None
) -> None:
    assert is_non_inferior(pair(low, high, metric), 0.05, first=first) is expected


def test_the_sentence_never_says_equal() -> None:
    names = {"a": "Model A", "b": "Model B"}
    shown = margin_sentence(pair(-0.01, 0.02), names, 0.05, first="a")
    assert "Model A is non-inferior to Model B within the margin of 0.05 in the ROC-AUC" in shown
    not_shown = margin_sentence(pair(-0.2, 0.1), names, 0.05, first="b")
    assert "non-inferiority of Model B to Model A is not shown" in not_shown
    nothing = margin_sentence(pair(None, None), names, 0.05, first="a")
    assert not any(word in text for word in ("equal", "no difference") for text in (shown, not_shown, nothing))

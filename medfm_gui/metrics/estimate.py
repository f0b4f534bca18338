"""An estimate with its interval, and a paired difference with its test: what every method here returns."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

from medfm_gui.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with a two-sided interval at ``confidence``.

    ``estimate``, ``low`` and ``high`` are None where they do not exist (``note`` says why). ``method`` is an
    id of ``names.METHODS``. ``n`` counts units, ``n_events`` units with the event, where there is one.
    """

    estimate: float | None
    low: float | None
    high: float | None
    method: str
    n: int
    n_events: int | None = None
    confidence: float = 0.95
    note: str = ""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """``difference`` = a minus b on the same units, its interval at ``confidence``, and a two-sided test of no shift.

    ``statistic`` is the standard normal deviate, or None for a test that has none (mid-p).
    """

    difference: float | None
    low: float | None
    high: float | None
    statistic: float | None
    p_value: float | None
    method: str
    n: int
    confidence: float = 0.95
    note: str = ""


def not_estimable(why: str, *, n: int, n_events: int | None = None, confidence: float = 0.95) -> Interval:
    """A number that these data cannot give; ``why`` is a sentence for people."""
    return Interval(None, None, None, "not-estimable", n, n_events, confidence, why)


def checked_confidence(confidence: float) -> float:
    """The confidence of an interval, between 0 and 1.

    Raises:
        UsageError: it is none.
    """
    try:
        value = float(confidence)
    except (TypeError, ValueError):
        value = -1.0
    if not 0 < value < 1:
        raise UsageError(f"A confidence of {confidence} cannot be.", "Give a share between 0 and 1, such as 0.95.")
    return value


def quantile(confidence: float) -> float:
    """The normal deviate of a two-sided interval: 1.96 for 0.95."""
    return float(stats.norm.ppf(0.5 + confidence / 2))


def two_sided_p(deviate: float) -> float:
    """The two-sided p-value of a standard normal deviate."""
    return float(2 * stats.norm.sf(abs(deviate)))


def joined(*notes: str) -> str:
    """Notes in one line, the empty and the repeated left out."""
    return "; ".join(dict.fromkeys(note for note in notes if note))

"""What an interval says of a margin that was fixed beforehand: non-inferior, or not shown."""

from __future__ import annotations

from collections.abc import Mapping

from medfm_gui.domain.evaluation import Comparison
from medfm_gui.metrics.names import METRICS, metric_title


def is_non_inferior(item: Comparison, margin: float, *, first: str) -> bool | None:
    """Whether the run ``first`` of a pair is not worse than the other by as much as the margin; None without interval.

    The whole interval must lie on the better side of the margin (a two-sided 95 % interval is a one-sided test at
    2.5 %: CONSORT extension for non-inferiority, Piaggio et al., JAMA 2012; 308: 2594–2604).
    """
    if item.low is None or item.high is None:
        return None
    more_is_better = METRICS[item.metric].higher_is_better if item.metric in METRICS else True
    lowest_gain = item.low if (first == item.a) == more_is_better else -item.high
    return lowest_gain > -margin


def margin_sentence(item: Comparison, names: Mapping[str, str], margin: float, *, first: str) -> str:
    """The same in words; it never says “equal” and never that a difference is absent."""
    other = item.b if first == item.a else item.a
    one, reference, title = names.get(first, first), names.get(other, other), metric_title(item.metric)
    asked = f"the margin of {margin:g} in the {title} that the protocol fixed beforehand"
    shown = is_non_inferior(item, margin, first=first)
    if shown is None:
        return f"Primary comparison: without an interval nothing can be said about {asked}."
    if shown:
        return (
            f"Primary comparison: {one} is non-inferior to {reference} within {asked}; the whole "
            f"{100 * item.confidence:g} % interval lies on the better side of it."
        )
    return (
        f"Primary comparison: non-inferiority of {one} to {reference} is not shown; the {100 * item.confidence:g} % "
        f"interval reaches beyond {asked}."
    )

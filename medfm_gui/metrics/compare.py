"""Two runs on the same units: paired differences, adjusted for their number, and said in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Comparison, OperatingPoint
from medfm_gui.domain.units import counted
from medfm_gui.metrics.arrays import Flags, Floats
from medfm_gui.metrics.bootstrap import bootstrap_test
from medfm_gui.metrics.delong import paired_areas
from medfm_gui.metrics.estimate import PairedTest, joined
from medfm_gui.metrics.evaluate import AS_ERRORS
from medfm_gui.metrics.holm import holm
from medfm_gui.metrics.names import headline, method_title, metric_title
from medfm_gui.metrics.proportions import paired_shares
from medfm_gui.metrics.quantities import PREVALENCE, quantities
from medfm_gui.metrics.ranking import average_precision_statistic
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.threshold import decisions

Replicates = Mapping[str, Floats]
"""Metric → (2, replicates) of the two runs of a pair."""
LEVEL = 0.05
PRECISION = "average_precision"
TWO_MODELS = (
    "Each run is one trained model, so this speaks of these models; "
    "a claim about backbones or adaptations needs several seeds of each."
)


def compare(
    a: Scored,
    b: Scored,
    *,
    run_a: str,
    run_b: str,
    point_a: OperatingPoint | None,
    point_b: OperatingPoint | None,
    unit: str,
    seed: int = 0,
    values: Replicates | None = None,
    headline_alone: bool = False,
) -> tuple[Comparison, ...]:
    """Differences a minus b on common units, headline first; sensitivity and specificity where both have a threshold.

    Of two classes the average precision stands second; with ``headline_alone`` nothing but the headline is compared.

    Areas by DeLong, shares by McNemar's mid-p, everything else by a paired bootstrap; by the patient bootstrap
    where a patient has several units. Units that only one run could score are left out, and the same rows with
    failures as errors follow (``parameters["failures"]``). ``values`` are the replicates of both by metric, on the
    draws of this very pair, where they are known from other pairs (``family.py``).

    Raises:
        InputError: other tasks, classes or labels; no common unit.
    """
    check_same_question(a, b)
    first, second = side_by_side(a.by_unit(unit), b.by_unit(unit))
    scored: Flags = np.asarray(np.isfinite(first.scores + second.scores).all(axis=1))
    if not scored.any():
        raise InputError(
            f"{run_a} and {run_b} have no unit in common that both could score.", "Compare runs on the same test set."
        )
    lost = int((~scored).sum())
    common = (first.taken(scored), second.taken(scored)) if lost else (first, second)
    known = {} if lost or values is None else values
    rows = _rows(*common, point_a, point_b, seed, known, headline_alone)
    kept = f"{lost} of {len(first)} units were not scored by both and are left out" if lost else ""
    found = [_comparison(run_a, run_b, row, unit, {}, kept) for row in rows]
    if lost:
        wrongly = first.failures_as_errors(), second.failures_as_errors()
        rows = _rows(*wrongly, point_a, point_b, seed, {}, headline_alone)
        wrong = f"{lost} of {len(first)} units were not scored by both and count as wrong"
        found += [_comparison(run_a, run_b, row, unit, AS_ERRORS, wrong) for row in rows]
    return tuple(found)


def adjust_holm(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons with Holm's adjusted p, over all of one metric (and one way to count failures).

    The note of each says how many they are, and that its interval is unadjusted where no simultaneous one is known.
    """
    adjusted = list(comparisons)
    for places in families(comparisons):
        values = holm([comparisons[place].p or 0.0 for place in places])
        for place, value in zip(places, values, strict=True):
            item = comparisons[place]
            over = "" if item.simultaneous_method or item.low is None else ", interval unadjusted"
            note = joined(item.note, f"Holm over {len(places)}{over}" if len(places) > 1 else "")
            adjusted[place] = replace(item, p_adjusted=float(value), note=note)
    return tuple(adjusted)


def families(comparisons: Sequence[Comparison]) -> list[list[int]]:
    """The places of those that are adjusted for each other: one metric, one way to count failures, a p of their own."""
    found: dict[tuple[str, str], list[int]] = {}
    for place, item in enumerate(comparisons):
        if item.p is not None:
            found.setdefault((item.metric, item.parameters.get("failures", "")), []).append(place)
    return list(found.values())


def sentence(comparisons: Sequence[Comparison], names: Mapping[str, str]) -> str:
    """The headline differences in words: difference and interval first, then what remains compatible with the data.

    It never says that two runs are equal. One line a comparison. ``names`` gives what people read for a run's id.
    """
    main = [item for item in comparisons if item.metric == comparisons[0].metric and "failures" not in item.parameters]
    parts = [*(_clause(item, names) for item in main), *unadjusted(main)]
    return "\n".join([*parts, TWO_MODELS]) if parts else ""


def unadjusted(comparisons: Sequence[Comparison]) -> list[str]:
    """The sentence that some intervals of several comparisons, or all, are not adjusted for their number."""
    known = [item for item in comparisons if item.low is not None]
    if len(comparisons) < 2 or all(item.simultaneous_method for item in known):
        return []
    some = "Some" if any(item.simultaneous_method for item in known) else "The"
    return [f"{some} intervals are not adjusted for the number of comparisons."]


def _clause(item: Comparison, names: Mapping[str, str]) -> str:
    a, b = names.get(item.a, item.a), names.get(item.b, item.b)
    title, units = in_sentence(metric_title(item.metric)), counted(item.n, item.parameters.get("unit", "unit"))
    if item.difference is None:
        return f"On {units} the {title} of {a} and {b} cannot be compared: {item.note or 'not estimable'}."
    return in_words(item, f"On the same {units} the {title} of {a} minus that of {b} is", a, b)


def in_sentence(title: str) -> str:
    """A metric's title within a sentence: what stands behind a comma is closed by another."""
    return f"{title}," if "," in title else title


def in_words(item: Comparison, start: str, a: str, b: str) -> str:
    """A known difference in a sentence that begins with ``start``; it favours ``a`` or ``b`` where that is shown."""
    said = f"{start} {signed(item.difference or 0.0)}"
    if item.low is None or item.high is None or item.p is None:
        return f"{said}; these data give it no interval ({item.note})."
    p = f"p {_p(item.p)}"
    if item.p_adjusted is not None and (item.p_adjusted != item.p or item.simultaneous_method):
        p += f", adjusted {_p(item.p_adjusted)}"
    method, level = method_title(item.test), f"{100 * item.confidence:g} %"
    low, high = item.low, item.high
    said += f" ({level} interval {signed(low)} to {signed(high)}"
    if item.low_simultaneous is not None and item.high_simultaneous is not None:
        low, high = item.low_simultaneous, item.high_simultaneous
        said += f", together with the other comparisons {signed(low)} to {signed(high)}"
    range_ = f"{signed(low)} to {signed(high)}"
    said += f"; {method}, {p}): differences from {range_} remain compatible with these data"
    if (item.p if item.p_adjusted is None else item.p_adjusted) >= LEVEL or not (item.low > 0 or item.high < 0):
        return f"{said}, and which of the two is better is not shown."
    if not (low > 0 or high < 0):  # Holm steps down and is the stronger of the two: what is told is what both show
        return f"{said}, and which of the two is better is not shown where all comparisons have to hold together."
    return f"{said}, which favour {a if (item.difference or 0.0) > 0 else b}."


def signed(value: float) -> str:
    """Three digits behind the sign."""
    return f"{value:+.3f}".replace("-", "−")


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


_Row = tuple[str, PairedTest, Mapping[str, str]]


def _rows(
    a: Scored,
    b: Scored,
    point_a: OperatingPoint | None,
    point_b: OperatingPoint | None,
    seed: int,
    values: Replicates,
    headline_alone: bool,
) -> list[_Row]:
    main = headline(a.task)
    who = a.clusters
    patients = {} if a.patients is None else {"n_patients": str(who.count)}
    if a.task is not Task.BINARY:
        return [(main, _headline_test(a, b, seed, values.get(main)), patients)]
    events = a.events
    counts = {**patients, "n_events": str(int(events.sum()))}
    areas = paired_areas(events, a.event_scores, b.event_scores, who, seed=seed, values=values.get(main))
    rows: list[_Row] = [(main, areas, counts)]
    if headline_alone:
        return rows
    rows.append((PRECISION, _precision_test(a, b, seed, values.get(PRECISION)), counts))
    if point_a is None or point_b is None:
        return rows
    called_a, called_b = decisions(a, point_a), decisions(b, point_b)
    thresholds = {"threshold_a": repr(point_a.threshold), "threshold_b": repr(point_b.threshold)}
    for metric, right_a, right_b, among in (
        ("sensitivity", called_a, called_b, events),
        ("specificity", ~called_a, ~called_b, ~events),
    ):
        shares = paired_shares(right_a, right_b, among, who, seed=seed, values=values.get(metric))
        whose = {} if a.patients is None else {"n_patients": str(who.taken(among).count)}
        rows.append((metric, shares, {**whose, "n_events": str(int((events & among).sum())), **thresholds}))
    return rows


def _precision_test(a: Scored, b: Scored, seed: int, values: Floats | None) -> PairedTest:
    """Average precision by the paired bootstrap; like each of the two, their difference is of this share of events."""
    first, second = (average_precision_statistic(one.events, one.event_scores, one.clusters.codes) for one in (a, b))
    found = bootstrap_test(first, second, a.clusters, n=len(a), seed=seed, values=values)
    return replace(found, note=joined(found.note, "" if found.difference is None else PREVALENCE))


def _headline_test(a: Scored, b: Scored, seed: int, values: Floats | None) -> PairedTest:
    first, second = (quantities(item, None)[0].statistic for item in (a, b))
    return bootstrap_test(first, second, a.clusters, n=len(a), seed=seed, values=values)


def _comparison(run_a: str, run_b: str, row: _Row, unit: str, extra: Mapping[str, str], note: str) -> Comparison:
    metric, test, counts = row
    return Comparison(
        a=run_a,
        b=run_b,
        metric=metric,
        difference=test.difference,
        low=test.low,
        high=test.high,
        test=test.method,
        p=test.p_value,
        p_adjusted=None,
        n=test.n,
        note=joined(test.note, note),
        confidence=test.confidence,
        parameters={"unit": unit, **counts, **extra},
    )


def check_same_question(a: Scored, b: Scored) -> None:
    """Whether two runs can stand in one comparison.

    Raises:
        InputError: other classes, another task, another positive class.
    """
    if (a.task, a.classes, a.positive) != (b.task, b.classes, b.positive):
        raise InputError(
            "The two runs answer different questions: other classes, another task or another positive class.",
            "Compare runs that were trained for the same question.",
        )


def side_by_side(a: Scored, b: Scored) -> tuple[Scored, Scored]:
    """Both runs on all units that either has, in one order; a unit that a run does not have is failed in it.

    Raises:
        InputError: a unit has one label in one run and another in the other.
    """
    if a.samples == b.samples and np.array_equal(a.targets, b.targets):
        return a, b
    places_a, places_b = _places(a), _places(b)
    common = [name for name in a.samples if name in places_b]
    left, right = [places_a[name] for name in common], [places_b[name] for name in common]
    if not np.array_equal(a.targets[left], b.targets[right]):
        raise InputError(
            "Some units have one label in one run and another label in the other.",
            "Evaluate both runs on one version of the dataset.",
        )
    rest = np.array([name not in places_a for name in b.samples], np.bool_)
    only_b = b.taken(rest)
    names = a.samples + only_b.samples
    targets = np.concatenate([a.targets, only_b.targets])
    known = a.patients is not None and only_b.patients is not None
    patients = (a.patients or ()) + (only_b.patients or ()) if known else None
    scores = np.full((2, len(names), len(a.classes)), np.nan)
    scores[0, : len(a)] = a.scores
    scores[1, [*left, *range(len(a), len(names))]] = b.scores[[*right, *np.flatnonzero(rest)]]
    return (
        replace(a, samples=names, targets=targets, scores=scores[0], patients=patients),
        replace(b, samples=names, targets=targets, scores=scores[1], patients=patients),
    )


def _places(scored: Scored) -> dict[str, int]:
    return {name: place for place, name in enumerate(scored.samples)}

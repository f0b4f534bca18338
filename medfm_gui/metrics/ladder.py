"""ChartSpecs of the adaptation ladder: a metric against what it cost, and against the labels that were used."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median

from medfm_gui.domain.cards import ADAPTATIONS
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.ladder import Cost, Ladder, Rung
from medfm_gui.metrics.names import method_title, metric_title

_RUNGS = {card.name: place for place, card in enumerate(ADAPTATIONS)}
_MOST_NAMED = 6
_Known = tuple[Rung, float, float]
"""A rung with its place on the axis of cost and its value."""
_Way = tuple[str, str, bool, str]
"""What runs of one curve share: model, adaptation, whether from scratch, settings."""
_Points = Mapping[int | None, Sequence[_Known]]
"""The draws of one curve by their shots a class; None is all labels."""


def rung_of(adapt: str) -> int:
    """On which rung of the ladder an adaptation stands, from below; an unknown one on top."""
    return _RUNGS.get(adapt, len(_RUNGS))


def ladder_chart(ladder: Ladder, cost: Cost) -> ChartSpec:
    """One point a run: its metric with its interval against a cost; lines join the rungs of one model.

    A line goes up the ladder (``ADAPTATIONS``) among runs of equal shots, seed and fold.
    """
    known, lacking = _known(ladder, cost)
    series = tuple(_point(rung, x, value) for rung, x, value in known)
    title = metric_title(ladder.metric)
    notes = (
        ladder.note,
        _methods(rung for rung, _, _ in known),
        "Lines join the ways of adapting one model." if (links := _links(known)) else "",
        "Runs of equal cost stand side by side." if len({x for _, x, _ in known}) < len(known) else "",
        "Frozen features that were on disk before cost a run no time." if cost is Cost.MINUTES else "",
        f"Not shown, for it is not known of them: {_listed(lacking)}." if lacking else "",
    )
    return ChartSpec(
        id=f"ladder-{cost}",
        kind="lines",
        title=f"Adaptation ladder: {title} against {cost.words}",
        x_label=cost.words,
        y_label=title.partition(", ")[0],  # the rest of a long name stands above
        series=series,
        note=" ".join(note for note in notes if note),
        x_log=True,
        links=links,
    )


def label_chart(ladder: Ladder) -> ChartSpec | None:
    """The metric against the labels used: mean over repeated draws, a line for each model and way of adapting it.

    ``low`` and ``high`` are the mean ends of the intervals over patients, ``spread_low`` and ``spread_high`` the lowest
    and highest draw. None where no model was adapted in one way with two numbers of shots.
    """
    known, lacking = _known(ladder, Cost.LABELS)
    curves: dict[_Way, dict[int | None, list[_Known]]] = defaultdict(lambda: defaultdict(list))
    for one in known:
        rung = one[0]
        curves[rung.model, rung.adapt, rung.from_scratch, rung.settings][rung.shots].append(one)
    several = {key: points for key, points in curves.items() if len(points) > 1}
    if not several:
        return None
    names = _curve_names(several)
    series = tuple(_curve(names[key], points) for key, points in several.items())
    draws = sorted({len(found) for points in several.values() for found in points.values()})
    repeated = f"{draws[0]}" if len(draws) == 1 else f"{draws[0]} to {draws[-1]}"
    notes = (
        ladder.note,
        f"Points: mean of {repeated} draws of the shots; thick bars: from the lowest draw to the highest."
        if draws[-1] > 1
        else "Each point is a single draw of the shots.",
        "Thin bars: the draws' mean interval over patients." if any(one.low for one in series) else "",
        f"Not shown, for their labels are not known: {_listed(lacking)}." if lacking else "",
    )
    title = metric_title(ladder.metric)
    return ChartSpec(
        id="label-efficiency",
        kind="lines",
        title=f"Label efficiency: {title}",
        x_label=f"{Cost.LABELS.words} (shots a class)",
        y_label=title.partition(", ")[0],  # the rest of a long name stands above
        series=series,
        note=" ".join(note for note in notes if note),
        x_log=True,
        x_ticks=_shot_ticks(several.values()),
    )


def charts(ladder: Ladder) -> tuple[ChartSpec, ...]:
    """A chart for each cost in which the runs differ, and the curve of label efficiency where there is one."""
    costs = [cost for cost in Cost if len({rung.cost(cost) for rung in ladder.rungs} - {None}) > 1]
    curve = label_chart(ladder)
    return (*(ladder_chart(ladder, cost) for cost in costs), *([curve] if curve else []))


def _known(ladder: Ladder, cost: Cost) -> tuple[list[_Known], list[str]]:
    """Rungs that have a place, and the runs that have none."""
    placed = [(rung, rung.cost(cost), rung.value) for rung in ladder.rungs]
    known = [(rung, x, value) for rung, x, value in placed if x is not None and value is not None]
    return known, [rung.run for rung, x, value in placed if x is None or value is None]


def _point(rung: Rung, x: float, value: float) -> Series:
    low = () if rung.low is None or rung.high is None else (rung.low,)
    high = () if rung.low is None or rung.high is None else (rung.high,)
    return Series(rung.name, (x,), (value,), low, high, rung.family, rung.adapt, markers=True)


def _links(known: Sequence[_Known]) -> tuple[Series, ...]:
    """A line for every model that was adapted in more than one way, from the lowest rung to the highest."""
    groups: dict[tuple[object, ...], list[_Known]] = defaultdict(list)
    for one in known:
        rung = one[0]
        groups[rung.model, rung.shots, rung.seed, rung.fold, rung.from_scratch].append(one)
    found = []
    for group in groups.values():
        if len({rung.adapt for rung, _, _ in group}) < 2:
            continue
        ordered = sorted(group, key=lambda one: (rung_of(one[0].adapt), one[1], one[0].run))
        xs, ys = tuple(x for _, x, _ in ordered), tuple(value for _, _, value in ordered)
        found.append(Series(ordered[0][0].model_title, xs, ys, family=ordered[0][0].family))
    return tuple(found)


def _curve_names(curves: Mapping[_Way, _Points]) -> dict[_Way, str]:
    """Model and adaptation; a number behind it where the same was done with several settings."""
    taken: Counter[str] = Counter()
    names = {}
    for key, points in curves.items():
        rung = next(iter(points.values()))[0][0]
        name = " · ".join([rung.model_title, rung.adapt, *(["from scratch"] if rung.from_scratch else [])])
        taken[name] += 1
        names[key] = name if taken[name] == 1 else f"{name}, settings {taken[name]}"
    return names


def _curve(name: str, points: _Points) -> Series:
    places = sorted(((fmean(x for _, x, _ in found), found) for found in points.values()), key=lambda one: one[0])
    runs = [[rung for rung, _, _ in found] for _, found in places]
    values = [[value for _, _, value in found] for _, found in places]
    banded = all(rung.low is not None and rung.high is not None for found in runs for rung in found)
    repeated = any(len(found) > 1 for found in values)
    first = runs[0][0]
    return Series(
        name,
        tuple(x for x, _ in places),
        tuple(fmean(found) for found in values),
        tuple(fmean(rung.low or 0.0 for rung in found) for found in runs) if banded else (),
        tuple(fmean(rung.high or 0.0 for rung in found) for found in runs) if banded else (),
        first.family,
        first.adapt,
        markers=True,
        spread_low=tuple(min(found) for found in values) if repeated else (),
        spread_high=tuple(max(found) for found in values) if repeated else (),
    )


def _shot_ticks(curves: Iterable[_Points]) -> tuple[tuple[float, str], ...]:
    """The labels that a number of shots came to, each marked with that number."""
    labels: dict[int | None, list[float]] = defaultdict(list)
    for points in curves:
        for shots, found in points.items():
            labels[shots] += [x for _, x, _ in found]
    marked = [(median(found), "all" if shots is None else f"{shots}") for shots, found in labels.items()]
    return tuple((place, f"{place:,.0f} ({shots})") for place, shots in sorted(marked))


def _methods(rungs: Iterable[Rung]) -> str:
    methods = sorted(
        {f"{100 * rung.confidence:g} % {method_title(rung.method)}" for rung in rungs if rung.low is not None}
    )
    return f"Intervals: {'; '.join(methods)}." if methods else ""


def _listed(runs: Sequence[str]) -> str:
    shown = ", ".join(runs[:_MOST_NAMED])
    return shown if len(runs) <= _MOST_NAMED else f"{shown} and {len(runs) - _MOST_NAMED} more"

"""Subgroups of an opened test by a covariate: what there is to choose from, and the numbers of each run in each part.

An estimate only from ``metrics.subgroups.FEWEST`` units of both classes on. A p value only for a covariate that a
protocol declared before the test was opened, and then one: that the areas of its subgroups are equal.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Sample
from medfm_gui.domain.errors import NotFound
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.workspace import data
from medfm_gui.workspace.comparing import OnProgress
from medfm_gui.workspace.one_event import NO_THRESHOLD, event_title, of_event
from medfm_gui.workspace.opened_runs import (
    OpenedRun,
    OpenedTests,
    chart_owner,
    opened_tests,
    read_opened,
    result_path,
    unit_images,
)
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.roles import standing

if TYPE_CHECKING:
    from medfm_gui.metrics.subgroups import Subgroup

GROUP = "group"
"""The name under which a sample's group (site, lesion, study) is offered; no covariate may be called so."""
NOTE = (
    "Exploratory: subgroups were not fixed before the test was opened, so no p value is given. Sensitivity and "
    "specificity are at the threshold of all."
)
EXPLORATORY = "Exploratory, 95 % intervals."
NO_ESTIMATE = "No estimate (fewer than 20 of a class)"
SEVERAL = "several values"
REST = "other values"
FOREST_NOTES = (EXPLORATORY, EXPLORATORY.removeprefix("Exploratory, "))
"""What the note of a forest says first: of a covariate that was chosen afterwards, and of a declared one."""
_FEW, _SHOWN = 8, 11
_AGES = ((0, 20), (20, 40), (40, 60), (60, 80))
_OLDEST = "80 and over"


@dataclass(frozen=True, slots=True)
class CovariateFacts:
    """A covariate to choose: how many distinct values its test images have, and how many lack one."""

    name: str
    n_values: int
    n_missing: int


@dataclass(frozen=True, slots=True)
class Interaction:
    """The one test of a declared covariate: that a run's ROC-AUC is the same in all subgroups.

    ``values`` took part, over ``n`` units; ``statistic`` (χ² with ``df``) and ``p`` are None where there is no test
    (``note`` says why). ``method`` is an id of ``metrics.names.METHODS``.
    """

    run: str
    covariate: str
    values: tuple[str, ...]
    statistic: float | None
    df: int | None
    p: float | None
    method: str
    n: int
    n_events: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class SubgroupFile:
    """``evaluations/subgroups-<hash>.json``: AUC, sensitivity and specificity of runs by the values of a covariate.

    Each row's ``label`` is the value and its ``parameters`` name the covariate; the values come in the order of
    ``values``: ages and ranges upwards, else the most frequent first. A row without estimate tells the size alone.
    """

    runs: tuple[str, ...]
    covariate: str
    values: tuple[str, ...]
    rows: tuple[Evaluation, ...]
    chart: ChartSpec
    unit: str
    note: str = NOTE
    interactions: tuple[Interaction, ...] = ()
    """One a run where a protocol that binds declared the covariate, else none."""
    event: str = ""
    """Of a task with several classes, the event (a class, a finding, a grade or higher) that the numbers are of."""


def covariates(workspace: Workspace, run_ids: Sequence[str]) -> tuple[CovariateFacts, ...]:
    """Every covariate of the dataset that has two values or more among the opened test images, by name.

    Raises:
        SealError: the test of a run was not opened.
        UsageError, InputError: they cannot be compared, or a predictions file is damaged.
    """
    from medfm_gui.workspace.evaluating import test_predictions
    from medfm_gui.workspace.scores import read_scores

    tests = opened_tests(workspace, run_ids)
    tested = set(read_scores(test_predictions(workspace, tests.views[0].id))[0])
    dataset = data.read(workspace, tests.views[0].spec.dataset_id)
    samples = [sample for sample in dataset.samples if sample.id in tested]
    values: defaultdict[str, set[str]] = defaultdict(set)
    filled: Counter[str] = Counter()
    for sample in samples:
        for name, value in _facts(sample).items():
            if value:
                values[name].add(value)
                filled[name] += 1
    return tuple(
        CovariateFacts(name, len(values[name]), len(samples) - filled[name])
        for name in sorted(values, key=str.casefold)
        if len(values[name]) + (filled[name] < len(samples)) > 1
    )


def subgroup_table(
    workspace: Workspace,
    run_ids: Sequence[str],
    covariate: str,
    *,
    event: str = "",
    on_progress: OnProgress | None = None,
    keep: bool = True,
) -> SubgroupFile:
    """The numbers of runs by the values of a covariate; computed once and kept, with its chart, unless ``keep`` is off.

    A covariate of many numbers is told by ranges (ages by twenty years), one of many names by the most frequent.

    Args:
        event: of a task with several classes, the one that is told apart from all else (``one_event.events_of``).

    Raises:
        NotFound: the dataset has no such covariate.
        SealError: the test of a run was not opened.
        UsageError: the task does not have two classes and no event is named, or the runs cannot be compared.
        InputError: as ``covariates``.
    """
    tests = opened_tests(workspace, run_ids)
    promised = "" if event else _promise(workspace, tests, covariate)  # an event chosen afterwards was not promised
    path = result_path(workspace, "subgroups", tests, covariate, promised, *([event] if event else []))
    if path.exists():
        return wire.read(SubgroupFile, path)
    file = _computed(workspace, tests, (covariate, event, bool(promised)), on_progress)
    if promised:
        file = replace(
            file, note=promised, chart=replace(file.chart, note=file.chart.note.removeprefix("Exploratory, "))
        )
    if keep:
        wire.write(path, file)
        workspace.store.put_chart(chart_owner(file.runs), file.chart)
    return file


def _computed(
    workspace: Workspace, tests: OpenedTests, about: tuple[str, str, bool], on_progress: OnProgress | None
) -> SubgroupFile:
    from medfm_gui.metrics.subgroups import MISSING, subgroups

    covariate, event, is_declared = about
    found = read_opened(workspace, tests, on_progress)
    by_id = {sample.id: sample for sample in found.dataset.samples}
    tested = [by_id[sample] for sample in found.runs[0].images.samples]
    if not any(_facts(sample).get(covariate) for sample in tested):
        raise NotFound(
            f"No test image of “{found.dataset.name}” has a value of “{covariate}”.", "Choose another covariate."
        )
    told = grouping(covariate, tested)
    rows: list[Evaluation] = []
    interactions: list[Interaction] = []
    named: dict[str, None] = {}
    for number, run in enumerate(found.runs):
        if on_progress is not None:
            on_progress(f"Subgroups of {run.view.id}", number, len(found.runs))
        asked, kept = of_event(run, event)
        known = [value for value, is_known in zip(_unit_values(run, by_id, told), kept, strict=True) if is_known]
        for part in subgroups(asked.units, known, asked.point):
            named[part.value] = None
            rows += subgroup_evaluations(asked, covariate, part)
        if is_declared and not event:  # of an event that is chosen afterwards there would be a test each
            interactions.append(_interaction(run, covariate, known))
    values = _in_order(tuple(named), (REST, SEVERAL, MISSING))
    chart = forest_chart([(run.view.id, run.name, run.drawn[1]) for run in found.runs], covariate, values, rows)
    unit = found.runs[0].units.unit
    if not event:
        return SubgroupFile(found.ids, covariate, values, tuple(rows), chart, unit, interactions=tuple(interactions))
    name = event_title(found.dataset.task, event)
    chart = replace(chart, id=f"{chart.id}-{event}", title=f"ROC-AUC of “{name}” by {covariate}")
    said = f"“{name}” against everything else. {NOTE.partition(' Sensitivity')[0]} {NO_THRESHOLD}"
    return SubgroupFile(found.ids, covariate, values, tuple(rows), chart, unit, said, event=event)


def _in_order(values: Sequence[str], last: Sequence[str]) -> tuple[str, ...]:
    """Ranges upwards, other values as they come, and ``last`` at the end."""
    rest = [value for value in last if value in values]
    first = [value for value in values if value not in last]
    starts = {value: found for value in first if (found := _start(value)) is not None}
    if len(starts) == len(first):
        first.sort(key=lambda value: starts[value])
    return (*first, *rest)


def _start(value: str) -> float | None:
    """Where a range begins, as ``_range`` and ``_age_group`` write one; None of anything else."""
    if value.startswith("below "):
        return -math.inf
    found = re.fullmatch(r"(\S+) (?:to \S+|and over)", value)
    return _number(found[1]) if found else None


def _promise(workspace: Workspace, tests: OpenedTests, covariate: str) -> str:
    """What a protocol that binds these runs says of the covariate; empty where none declares it."""
    found = standing(workspace, tests.views)
    if found.locked is None or not found.is_binding:
        return ""
    declared = {name.strip().casefold() for name in found.locked.protocol.subgroups}
    if covariate.casefold() not in declared:
        return ""
    return (
        f"Declared in the protocol {found.locked.id} before the test was opened: one interaction test a run, that its "
        f"ROC-AUC is the same in all subgroups; {_how_many(len(declared))}. Sensitivity and specificity are at the "
        "threshold of all."
    )


def _interaction(run: OpenedRun, covariate: str, values: Sequence[str]) -> Interaction:
    from medfm_gui.metrics.interaction import interaction_test

    found = interaction_test(run.units, values, leave_out=(SEVERAL,))
    return Interaction(
        run.view.id, covariate, found.values, found.statistic, found.df, found.p, found.method, found.n,
        found.n_events, found.note,
    )  # fmt: skip


def _how_many(declared: int) -> str:
    return "the only covariate that was declared" if declared == 1 else f"p is not adjusted for {declared} covariates"


def _facts(sample: Sample) -> dict[str, str]:
    return {**({GROUP: sample.group} if sample.group else {}), **sample.covariates}


def _unit_values(run: OpenedRun, by_id: dict[str, Sample], told: Callable[[Sample], str]) -> list[str]:
    """One value a unit; of a patient whose images differ: ``SEVERAL``."""
    found = []
    for images in unit_images(run).values():
        known = {told(by_id[image]) for image in images} - {""}
        found.append(SEVERAL if len(known) > 1 else next(iter(known), ""))
    return found


def subgroup_evaluations(run: OpenedRun, covariate: str, part: Subgroup) -> list[Evaluation]:
    """The rows of a run in one part: area, sensitivity and specificity at the threshold of all."""
    numbers = (("auc", part.auc), ("sensitivity", part.sensitivity), ("specificity", part.specificity))
    threshold = {} if run.point is None else {"threshold": repr(run.point.threshold), "rule": run.point.rule}
    return [
        Evaluation(
            run=run.view.id, subset="test", metric=metric, value=one.estimate, low=one.low, high=one.high,
            method=one.method, unit=run.units.unit, n=part.n, n_patients=part.n_patients, n_events=part.n_events,
            sample_set=run.test.sample_set, confidence=one.confidence, label=part.value,
            parameters={"covariate": covariate, **(threshold if metric != "auc" else {})}, note=one.note,
        )
        for metric, one in numbers
        if one is not None
    ]  # fmt: skip


def forest_chart(
    runs: Sequence[tuple[str, str, str]], covariate: str, values: Sequence[str], rows: Sequence[Evaluation]
) -> ChartSpec:
    """AUC by value, the runs (id, name, family) of a value below one another; values too small stand in the note."""
    places = {(row.label, row.run): row for row in rows if row.metric == "auc"}
    shown = [value for value in values if any(_known(places, value, run) for run, _, _ in runs)]
    small = [value for value in values if value not in shown]
    names: list[str] = []
    series: list[Series] = []
    for run, name, family in runs:
        known = [(value, row) for value in shown if (row := places.get((value, run))) and row.value is not None]
        for part in (
            [(value, row) for value, row in known if row.low is not None and row.high is not None],
            [(value, row) for value, row in known if row.low is None or row.high is None],
        ):
            if part:
                series.append(_bars(name, family, len(names), [row for _, row in part]))
                names += [f"{value}, {run}" if len(runs) > 1 else value for value, _ in part]
    lacking = f"{NO_ESTIMATE}: {', '.join(small)}." if small else ""
    return ChartSpec(
        f"subgroups-{covariate}", "intervals", f"ROC-AUC by {covariate}", "ROC-AUC", series=tuple(series),
        rows=tuple(names), note=f"{EXPLORATORY} {lacking}".strip(),
    )  # fmt: skip


def _bars(name: str, family: str, start: int, rows: Sequence[Evaluation]) -> Series:
    return Series(
        name,
        tuple(float(row.value or 0.0) for row in rows),
        tuple(float(place) for place in range(start, start + len(rows))),
        tuple(row.low for row in rows if row.low is not None),
        tuple(row.high for row in rows if row.high is not None),
        family=family,
        markers=True,
    )


def _known(places: dict[tuple[str, str], Evaluation], value: str, run: str) -> bool:
    row = places.get((value, run))
    return row is not None and row.value is not None


# -- what a value counts as


def grouping(name: str, samples: Sequence[Sample]) -> Callable[[Sample], str]:
    """What a sample's value counts as: its age group, its range, itself where frequent; empty where not recorded."""
    counted = Counter(value for sample in samples if (value := _facts(sample).get(name)))
    if _is_age(name):
        return lambda sample: _age_group(_facts(sample).get(name, ""))
    if len(counted) <= _FEW:
        return lambda sample: _facts(sample).get(name, "")
    bounds = _quartiles(counted)
    if bounds:
        return lambda sample: _range(_facts(sample).get(name, ""), bounds)
    frequent = {value for value, _ in counted.most_common(_SHOWN)}
    rest = REST if len(counted) > _SHOWN else ""

    def named(sample: Sample) -> str:
        value = _facts(sample).get(name, "")
        return value if value in frequent or not value else rest

    return named


def _is_age(name: str) -> bool:
    return re.sub(r"[\W_]+", "", name.casefold()) in {"age", "patientage", "ageapprox", "ageatstudy", "ageyears"}


def _age_group(value: str) -> str:
    found = re.fullmatch(r"\s*0*(\d{1,3})(?:\.\d+)?\s*([YMWD]?)\s*", value, re.IGNORECASE)
    if found is None:
        return ""
    years = int(found[1]) if found[2].upper() in ("", "Y") else 0
    return next((f"{low} to {high - 1}" for low, high in _AGES if low <= years < high), _OLDEST)


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _quartiles(counted: Counter[str]) -> tuple[float, ...]:
    """Three bounds that part the numbers into quarters; none where a value is no number."""
    numbers = sorted(number for value in counted.elements() if (number := _number(value)) is not None)
    if len(numbers) < counted.total():
        return ()
    return tuple(dict.fromkeys(numbers[len(numbers) * part // 4] for part in (1, 2, 3)))


def _range(value: str, bounds: Sequence[float]) -> str:
    number = _number(value)
    if number is None:
        return ""
    place = sum(number >= bound for bound in bounds)
    if place == 0:
        return f"below {bounds[0]:g}"
    return f"{bounds[-1]:g} and over" if place == len(bounds) else f"{bounds[place - 1]:g} to {bounds[place]:g}"

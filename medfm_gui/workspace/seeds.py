"""Runs that differ in nothing but their seed: mean, interval over seeds and over patients apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.run import TrainSpec, run_name
from medfm_gui.domain.threshold import RuleOrigin
from medfm_gui.metrics.names import headline, metric_title
from medfm_gui.workspace.comparing import OnProgress
from medfm_gui.workspace.opened_runs import OpenedRun, chart_owner, opened_tests, read_opened, result_path
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.training import RunView


@dataclass(frozen=True, slots=True)
class SeedGroup:
    """One way, trained once a seed: ``values`` of the headline metric stand in the order of ``runs``.

    ``over_seeds`` is the mean with its interval over seeds (None of a single one), ``over_patients`` the same mean
    with its interval over patients.
    """

    name: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    values: tuple[float | None, ...]
    spread: float | None
    over_seeds: Evaluation
    over_patients: Evaluation


@dataclass(frozen=True, slots=True)
class SeedFile:
    """``evaluations/seeds-<hash>.json``: the ways among some runs; ``pairs`` compare each with the first.

    ``sentence`` says what may be claimed. ``charts`` has one of the values and both intervals, or none.
    """

    runs: tuple[str, ...]
    metric: str
    groups: tuple[SeedGroup, ...]
    pairs: tuple[Comparison, ...]
    sentence: str
    charts: tuple[ChartSpec, ...]


def seed_table(
    workspace: Workspace, run_ids: Sequence[str], *, on_progress: OnProgress | None = None, keep: bool = True
) -> SeedFile:
    """Group runs that differ in nothing but their seed, and sum each group up; kept unless ``keep`` is off.

    Raises:
        SealError: the test of a run was not opened.
        UsageError, InputError: they cannot be compared, or a predictions file is damaged.
    """
    tests = opened_tests(workspace, run_ids)
    path = result_path(workspace, "seeds", tests)
    if path.exists():
        return wire.read(SeedFile, path)
    found = read_opened(workspace, tests, on_progress)
    file = _computed(found.runs, on_progress)
    if keep:
        wire.write(path, file)
        for chart in file.charts:
            workspace.store.put_chart(chart_owner(file.runs), chart)
    return file


def same_but_for_seed(views: Sequence[RunView]) -> tuple[tuple[RunView, ...], ...]:
    """Runs grouped by everything that decides their result except the seed, in the order of their first members."""
    groups: dict[bytes, list[RunView]] = {}
    for view in views:
        groups.setdefault(wire.canonical(wire.plain(_without_seed(view.spec))), []).append(view)
    return tuple(tuple(sorted(group, key=lambda view: view.spec.seed)) for group in groups.values())


def _without_seed(spec: TrainSpec) -> TrainSpec:
    return replace(spec, run="", seed=0, created="", code_version="", device="", threshold_from=RuleOrigin.UNKNOWN)


def _computed(runs: Sequence[OpenedRun], on_progress: OnProgress | None) -> SeedFile:
    from medfm_gui.metrics.seeds import FEWEST_SEEDS, seed_difference

    metric = headline(runs[0].units.task)
    by_id = {run.view.id: run for run in runs}
    members = [[by_id[view.id] for view in group] for group in same_but_for_seed([run.view for run in runs])]
    names = _names(members)
    groups = []
    for number, group in enumerate(members):
        if on_progress is not None:
            on_progress(f"Seeds of {group[0].view.id}", number, len(members))
        groups.append(_group(group, names[number], metric))
    pairs: list[Comparison] = []
    seeded = [[(run.units, run.point) for run in group] for group in members]
    if any(len(group) > 1 for group in members):
        for number in range(1, len(members)):
            if on_progress is not None:
                on_progress("Comparing over seeds and patients", number, len(members))
            test = seed_difference(seeded[number], seeded[0], metric=metric)
            pairs.append(
                Comparison(
                    groups[number].name, groups[0].name, metric, test.difference, test.low, test.high, test.method,
                    test.p_value, None, test.n, test.note, test.confidence,
                    {"unit": runs[0].units.unit, "seeds": f"{len(members[number])} and {len(members[0])}"},
                )
            )  # fmt: skip
    adjusted = _holm(pairs)
    ids = tuple(run.view.id for run in runs)
    charts = (_chart(groups, metric),) if any(len(group.runs) > 1 for group in groups) else ()
    return SeedFile(ids, metric, tuple(groups), adjusted, _sentence(groups, FEWEST_SEEDS), charts)


def _holm(pairs: Sequence[Comparison]) -> tuple[Comparison, ...]:
    from medfm_gui.metrics.compare import adjust_holm

    return tuple(adjust_holm(pairs)) if pairs else ()


def _names(members: Sequence[Sequence[OpenedRun]]) -> list[str]:
    """What people read for each way: model and adaptation, and the first run where several are called so."""
    plain = []
    for group in members:
        spec = group[0].view.spec
        plain.append(
            run_name(
                spec.card.title, spec.adapt, from_scratch=spec.from_scratch, fold=spec.fold, seed=0, shots=spec.shots
            )
        )
    return [
        f"{name}, as {group[0].view.id}" if plain.count(name) > 1 else name
        for name, group in zip(plain, members, strict=True)
    ]


def _group(group: Sequence[OpenedRun], name: str, metric: str) -> SeedGroup:
    from medfm_gui.metrics.estimate import Interval
    from medfm_gui.metrics.seeds import seed_summary

    found = seed_summary([(run.units, run.point) for run in group], metric=metric)
    first = group[0]

    def row(one: Interval, what: str) -> Evaluation:
        return Evaluation(
            run=first.view.id, subset="test", metric=metric, value=one.estimate, low=one.low, high=one.high,
            method=one.method, unit=first.units.unit, n=one.n, n_patients=first.units.n_patients,
            n_events=one.n_events, sample_set=first.test.sample_set, confidence=one.confidence, label=name,
            parameters={"mean over": f"{len(group)} seeds", "interval over": what}, note=one.note,
        )  # fmt: skip

    return SeedGroup(
        name, tuple(run.view.id for run in group), tuple(run.view.spec.seed for run in group), found.values,
        found.spread, row(found.over_seeds, "seeds"), row(found.over_patients, "patients"),
    )  # fmt: skip


def _sentence(groups: Sequence[SeedGroup], fewest: int) -> str:
    from medfm_gui.metrics.seeds import ALIKE

    several = [group for group in groups if len(group.runs) > 1]
    if not several:
        return (
            "No two of these runs differ in nothing but their seed, so each is one trained model. A claim about a "
            f"backbone or an adaptation needs at least {fewest} seeds of each."
        )
    same = [group.name for group in several if group.over_seeds.note == ALIKE]
    alike = f" Every seed gave the same scores: {'; '.join(same)}. Such seeds are one model." if same else ""
    short = [f"{group.name} ({len(group.runs)})" for group in groups if len(group.runs) < fewest]
    if short:
        return (
            f"A claim about a backbone or an adaptation needs at least {fewest} seeds of each. Fewer have: "
            f"{'; '.join(short)}. What is compared there are single trained models. No seed is chosen by its test."
            f"{alike}"
        )
    drawn = f"At least {fewest} seeds of each: seeds and patients were drawn together. No seed is chosen by its test."
    return drawn + alike


def _chart(groups: Sequence[SeedGroup], metric: str) -> ChartSpec:
    """For each way a bar over seeds and one over patients; the values of the seeds are the marks below them."""
    series: list[Series] = []
    names: list[str] = []
    for group in groups:
        for row, what in ((group.over_seeds, "seeds"), (group.over_patients, "patients")):
            if row.value is None or row.low is None or row.high is None:
                continue
            names.append(f"{group.name}: over {what}")
            series.append(Series(names[-1], (row.value,), (float(len(series)),), (row.low,), (row.high,), markers=True))
        for seed, value in zip(group.seeds, group.values, strict=True):
            if value is not None and len(group.runs) > 1:
                names.append(f"{group.name}: seed {seed}")
                series.append(Series(names[-1], (value,), (float(len(series)),), markers=True))
    title = metric_title(metric)
    return ChartSpec(
        "seeds", "intervals", f"{title} over seeds", title, series=tuple(series), rows=tuple(names),
        note="Mean over seeds with its 95 % interval over seeds (t) and over patients (bootstrap): two questions.",
    )  # fmt: skip

"""What ``compare`` and ``evaluate`` tell besides, when asked to: subgroups, calibration, net benefit, sets, folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.table import Table

from medfm_gui.base import wire
from medfm_gui.cli.answer import table
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.protocol import Role
from medfm_gui.domain.units import counted

if TYPE_CHECKING:
    from medfm_gui.workspace.place import Workspace
    from medfm_gui.workspace.subgrouping import Interaction

Added = tuple[dict[str, Any], list[str], list[Table]]
"""Keys for the document, lines and tables for people."""


def added(
    room: Workspace,
    runs: Sequence[str],
    *,
    subgroup: str | None,
    net_benefit: tuple[float, float] | None,
    prevalence: float | None,
    event: str = "",
    all_pairs: bool = False,
) -> Added:
    """The parts that were asked for.

    Raises:
        UsageError: a prevalence or an event that nothing asks for; see ``workspace.subgrouping`` and ``.usefulness``.
    """
    if prevalence is not None and net_benefit is None:
        raise UsageError("A prevalence is of use for net benefit alone.", "Name the range: --net-benefit 0.05 0.4.")
    if event and subgroup is None and net_benefit is None:
        raise UsageError("An event is of use for subgroups and net benefit alone.", "Add --subgroup or --net-benefit.")
    document: dict[str, Any] = {"event": event} if event else {}
    lines: list[str] = []
    tables: list[Table] = []
    if subgroup is not None:
        from medfm_gui.workspace.subgrouping import subgroup_table
        from medfm_gui.workspace.training import view

        if view(room, runs[0]).spec.task is not Task.BINARY and not event:
            raise UsageError("Subgroups are told of two classes, and this task has more.", "Name one: --event CLASS.")
        parts = subgroup_table(room, runs, subgroup, event=event)
        rows = [wire.plain(row) for row in parts.rows]
        document["subgroups"] = {"covariate": subgroup, "values": list(parts.values), "evaluations": rows,
                                 "note": parts.note,
                                 "interactions": [wire.plain(one) for one in parts.interactions]}  # fmt: skip
        lines.append(parts.note)
        lines += [_tested(one) for one in parts.interactions]
        tables.append(_table(parts.rows, subgroup))
    if net_benefit is not None:
        from medfm_gui.workspace.usefulness import scale_sentence, usefulness_table

        told = usefulness_table(room, runs, *net_benefit, prevalence=prevalence, event=event)
        document["usefulness"] = {
            "low": told.low, "high": told.high, "prevalence": told.prevalence, "sampling": told.sampling.sampling,
            "withheld": told.withheld, "distorted": list(told.distorted),
            "evaluations": [wire.plain(row) for row in told.rows], "charts": [wire.plain(one) for one in told.charts],
        }  # fmt: skip
        lines.append(scale_sentence(told.rows))
        lines += [told.withheld] if told.withheld else [chart.note for chart in told.charts]
        lines += [f"{run}: its training shifted the probabilities." for run in told.distorted]
        tables.append(_table(told.rows, ""))
    if all_pairs:
        from medfm_gui.metrics.names import multiplicity
        from medfm_gui.workspace.all_pairs import HEADLINE_ALONE, every_pair

        pairs = every_pair(room, runs)
        document["all_pairs"] = [{**wire.plain(pair), "role": Role.EXPLORATORY.value} for pair in pairs]
        lines.append(f"All pairs are exploratory: no question named them beforehand. {HEADLINE_ALONE}")
        lines += [said] if (said := multiplicity(pairs)) else []
        tables.append(pair_table(pairs))
    return document, lines, tables


def number(value: float | None) -> str:
    """Three digits; nothing where there is no number."""
    return "" if value is None else f"{value:.3f}"


def pair_table(pairs: Sequence[Comparison]) -> Table:
    """Differences of runs for people; where some have simultaneous intervals, these stand beside the adjusted p."""
    is_family = any(pair.simultaneous_method for pair in pairs)
    rows = [
        (
            pair.a,
            pair.b,
            pair.metric,
            number(pair.difference),
            _ends(pair.low, pair.high),
            pair.test,
            *((_ends(pair.low_simultaneous, pair.high_simultaneous),) if is_family else ()),
            _p(pair.p_adjusted),
        )
        for pair in pairs
    ]
    together = ("simultaneous 95 % interval",) if is_family else ()
    return table("run", "minus", "metric", "difference", "95 % interval", "test", *together, "p (Holm)", rows=rows)


def _p(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else number(value)


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{number(low)} to {number(high)}"


def beside_test(room: Workspace, runs: Sequence[str], *, class_sets: bool | None) -> Added:
    """What stands beside the numbers of opened tests: sets of classes where asked for, and means over folds or sites.

    Args:
        class_sets: None takes what the settings say.
    """
    from medfm_gui.workspace.held_out import held_out

    document: dict[str, Any] = {}
    lines: list[str] = []
    tables: list[Table] = []
    lines += _sampled(room, runs)
    summed = held_out(room, runs)
    if summed:
        document["held_out"] = [wire.plain(one) for one in summed]
        lines += [f"{one.name}: {one.note}" for one in summed]
        tables += [_table((*one.rows, replace(one.mean, run="all", label="mean")), one.by) for one in summed]
    if room.settings.class_sets if class_sets is None else class_sets:
        from medfm_gui.workspace.class_sets import sets_on_test

        sets = sets_on_test(room, runs)
        document["class_sets"] = [wire.plain(one) for one in sets]
        lines += [f"{one.run}: {one.note}" for one in sets]
        tables += [_table(one.evaluations, "class") for one in sets if one.evaluations]
    return document, lines, tables


def _sampled(room: Workspace, runs: Sequence[str]) -> list[str]:
    """What numbers that hang on the share of events are worth, unless the cases were consecutive."""
    from medfm_gui.workspace import data, training
    from medfm_gui.workspace.statements import statement_of
    from medfm_gui.workspace.usefulness import sampling_in

    said = []
    for name in dict.fromkeys(training.view(room, run).spec.dataset_id for run in runs):
        dataset = data.read(room, name)
        stated = sampling_in(statement_of(room, name))
        if dataset.task is Task.BINARY and not stated.is_consecutive:
            how = (
                f"says that its cases are {stated.sampling}" if stated.sampling else "does not say how they were found"
            )
            said.append(
                "Average precision, Brier score, log loss and accuracy hold at the share of events of this test alone: "
                f"“{dataset.name}” {how}."
            )
    return said


def _tested(one: Interaction) -> str:
    """The interaction test of a run in words."""
    from medfm_gui.metrics.names import method_title

    among = f" ({', '.join(one.values)}; {one.n} units)" if one.values else ""
    said = f"{one.run}: interaction with {one.covariate}{among}"
    if one.p is None or one.statistic is None or one.df is None:
        return f"{said}: not tested, {one.note}."
    p = "< 0.001" if one.p < 0.001 else f"= {one.p:.3f}"
    rest = f" {one.note}." if one.note else ""
    freedom = f"{counted(one.df or 0, 'degree')} of freedom"
    return f"{said}: χ² {one.statistic:.2f}, {freedom}, p {p} ({method_title(one.method)}).{rest}"


def _table(rows: Sequence[Evaluation], covariate: str) -> Table:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.3f}"

    cells = [
        (
            *((row.label,) if covariate else ()),
            row.run,
            row.metric,
            number(row.value) or "not estimable",
            f"{number(row.low)} to {number(row.high)}" if row.low is not None else "",
            str(row.n),
            "" if row.n_events is None else str(row.n_events),
            row.note,
        )
        for row in rows
    ]
    head = ((covariate,) if covariate else ()) + ("run", "metric", "value", "95 % interval", "n", "events", "note")
    return table(*head, rows=cells)

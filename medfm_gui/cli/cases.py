"""What ``compare`` tells besides its pairs, when it is asked to: subgroups, calibration and net benefit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from medfm_gui.base import wire
from medfm_gui.cli.answer import table
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import Evaluation

if TYPE_CHECKING:
    from medfm_gui.workspace.place import Workspace

Added = tuple[dict[str, Any], list[str], list[Table]]
"""Keys for the document, lines and tables for people."""


def added(
    room: Workspace,
    runs: Sequence[str],
    *,
    subgroup: str | None,
    net_benefit: tuple[float, float] | None,
    prevalence: float | None,
) -> Added:
    """The parts that were asked for.

    Raises:
        UsageError: a prevalence without a range of thresholds; see ``workspace.subgrouping`` and ``.usefulness``.
    """
    if prevalence is not None and net_benefit is None:
        raise UsageError("A prevalence is of use for net benefit alone.", "Name the range: --net-benefit 0.05 0.4.")
    document: dict[str, Any] = {}
    lines: list[str] = []
    tables: list[Table] = []
    if subgroup is not None:
        from medfm_gui.workspace.subgrouping import subgroup_table

        parts = subgroup_table(room, runs, subgroup)
        rows = [wire.plain(row) for row in parts.rows]
        document["subgroups"] = {"covariate": subgroup, "values": list(parts.values), "evaluations": rows,
                                 "note": parts.note}  # fmt: skip
        lines.append(parts.note)
        tables.append(_table(parts.rows, subgroup))
    if net_benefit is not None:
        from medfm_gui.workspace.usefulness import usefulness_table

        told = usefulness_table(room, runs, *net_benefit, prevalence=prevalence)
        document["usefulness"] = {
            "low": told.low, "high": told.high, "prevalence": told.prevalence, "sampling": told.sampling.sampling,
            "withheld": told.withheld, "distorted": list(told.distorted),
            "evaluations": [wire.plain(row) for row in told.rows], "charts": [wire.plain(one) for one in told.charts],
        }  # fmt: skip
        lines += [told.withheld] if told.withheld else [chart.note for chart in told.charts]
        lines += [f"{run}: its training shifted the probabilities." for run in told.distorted]
        tables.append(_table(told.rows, ""))
    return document, lines, tables


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

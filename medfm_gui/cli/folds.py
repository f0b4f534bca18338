"""What ``compare`` tells of runs that are folds of a cross-validation, which have no common test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.console import Group

from medfm_gui.base import wire
from medfm_gui.cli.answer import table
from medfm_gui.cli.cases import number, pair_table
from medfm_gui.cli.results import protocol_document
from medfm_gui.cli.runs import run_row
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.metrics.names import multiplicity

if TYPE_CHECKING:
    from medfm_gui.workspace.crossvalidation import CrossValidation
    from medfm_gui.workspace.place import Workspace


def compared_folds(
    room: Workspace, runs: Sequence[str], *, asks_more: bool
) -> tuple[dict[str, Any], list[str], Group] | None:
    """Document, lines and tables of runs over several folds; None where they are no folds, or all of one.

    Raises:
        UsageError: subgroups, net benefit or all pairs are asked for, which need one test.
        SealError, InputError: as ``workspace.crossvalidation``.
    """
    from medfm_gui.workspace import training
    from medfm_gui.workspace.crossvalidation import are_folds, cross_validation
    from medfm_gui.workspace.evaluating import opened
    from medfm_gui.workspace.fold_roles import promised_of_folds, role_of_ways, standing_of_folds

    views = [training.view(room, run) for run in dict.fromkeys(runs)]
    if not are_folds(views):
        return None
    if asks_more:
        raise UsageError(
            "Subgroups, net benefit and all pairs are told of one test, and folds have each their own.",
            "Leave them out, or compare runs of one fold.",
        )
    found = cross_validation(room, runs)
    promised = standing_of_folds(room, views)
    said = promised_of_folds(promised, found, views)
    rows = [
        {
            **run_row(view),
            "evaluations": [
                {**wire.plain(row), "role": promised.role(row).value} for row in opened(room, view.id).evaluations
            ],
            "without_flagged": [wire.plain(row) for row in opened(room, view.id).without_flagged],
        }
        for view in views
    ]
    ways = [{**wire.plain(way), "role": promised.role(way.mean).value} for way in found.ways]
    document = {
        "runs": rows,
        "pairs": [
            {**wire.plain(row), "role": role_of_ways(promised, row, found, views).value} for row in found.comparisons
        ],
        "sentence": "\n".join([found.sentence, *said]),
        "reference": views[0].id,
        "protocol": protocol_document(promised),
        "baselines": [],
        "baseline_sentences": [],
        "cross_validation": {**wire.plain(found), "ways": ways},
    }
    multiple = multiplicity(found.comparisons)
    lines = [
        *found.sentence.splitlines(),
        *said,
        *([multiple] if multiple else []),
        *(f"{way.name}: {way.note}" for way in found.ways),
    ]
    if found.left_out:
        lines.append(f"Left out, for no second fold of theirs is here: {', '.join(found.left_out)}.")
    tables = [pair_table(found.comparisons)] if found.pairs else []
    return document, lines, Group(_ways(found), *tables)


def _ways(found: CrossValidation) -> Any:
    """Each fold, their mean, and their spread by that name."""
    cells = []
    for way in found.ways:
        cells += [_row(way.name, row, "") for row in way.rows]
        cells.append(_row(way.name, replace(way.mean, run="", label="mean"), number(way.spread)))
        if way.pooled is not None:
            cells.append(_row(way.name, replace(way.pooled, run="", label="pooled, calibrated"), ""))
    cells += [_row(one.name, replace(one.mean, label="mean of all divisions"), number(one.spread))
              for one in found.repeats]  # fmt: skip
    head = ("way", "fold", "run", "metric", "value", "95 % interval", "method", "n", "SD over folds")
    return table(*head, rows=cells)


def _row(name: str, row: Evaluation, spread: str) -> tuple[str, ...]:
    between = f"{number(row.low)} to {number(row.high)}" if row.low is not None else ""
    value = number(row.value) or "not estimable"
    return name, row.label, row.run, row.metric, value, between, row.method, str(row.n), spread

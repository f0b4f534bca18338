"""A cross-validation, computed again from the predictions that a report carries of each fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Part
from medfm_gui.workspace.crossvalidation import CrossValidation, crossed
from medfm_gui.workspace.evidence_folds import FoldEvidence
from medfm_gui.workspace.evidence_numbers import Contents
from medfm_gui.workspace.held_out import FoldRun, HeldOut
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_demographics import FEW, WITHHELD
from medfm_gui.workspace.report_folds import folds_summary, folds_tables
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_pages import tables_differ
from medfm_gui.workspace.verifying_runs import differs, is_close, pairs_differ, rows_differ


def folds_differ(held: FoldEvidence, runs: Sequence[OpenedRun]) -> list[Difference]:
    """Means, spreads and differences that do not come of the attached predictions.

    Raises:
        InputError: a run stands nowhere, or no two are folds of one cross-validation.
    """
    again = folds_again(held, runs)
    found: list[Difference] = []
    wanted = {(way.name, way.family): way for way in again.ways}
    for way in held.found.ways:
        other = wanted.pop((way.name, way.family), None)
        if other is None:
            found.append(Difference(f"{way.name}", "inserted", f"{way.name} does not come of these runs."))
        else:
            found += _way(way, other)
    found += [Difference(f"{name}", "missing", f"{name} is not told of these runs.") for name, _ in wanted]
    found += pairs_differ(held.found.comparisons, again.comparisons)
    for pair, other_pair in zip(held.found.pairs, again.pairs, strict=False):
        for label, stored, fresh in zip(pair.labels, pair.values, other_pair.values, strict=False):
            if not is_close(stored, fresh):
                found.append(differs(f"{pair.comparison.a} − {pair.comparison.b}, {label}", stored, fresh))
    for one, two in zip(held.found.repeats, again.repeats, strict=False):
        found += rows_differ([one.mean], [two.mean], where=f"{one.name}, all divisions, ")
    if held.found.sentence != again.sentence:
        found.append(differs("Cross-validation: conclusion", held.found.sentence, again.sentence))
    return found


def folds_again(held: FoldEvidence, runs: Sequence[OpenedRun]) -> CrossValidation:
    """The cross-validation of the attached runs.

    Raises:
        InputError: as ``folds_differ``.
    """
    places = {one.run: one for one in held.facts}
    made = []
    for run in runs:
        if run.view.id not in places:
            raise InputError(f"It is not told of which fold {run.view.id} is.", "Ask for the file again.")
        row = next(row for row in run.test.evaluations if not row.label)
        made.append(FoldRun(places[run.view.id], run.view.spec, row, run.units, run.point))
    return crossed(made)


def _way(way: HeldOut, again: HeldOut) -> Iterator[Difference]:
    yield from rows_differ([_named(way.mean, way)], [_named(again.mean, way)], where="mean over folds, ")
    if way.pooled is not None and again.pooled is not None:
        yield from rows_differ([_named(way.pooled, way)], [_named(again.pooled, way)], where="pooled folds, ")
    for what in ("spread", "lowest", "highest"):
        if not is_close(getattr(way, what), getattr(again, what)):
            yield differs(f"{way.name}, {what} over folds", getattr(way, what), getattr(again, what))
    yield from rows_differ(way.rows, again.rows, where="within folds, ")


def _named(row: Evaluation, way: HeldOut) -> Evaluation:
    return replace(row, run=way.name)


def folds_page_differs(held: FoldEvidence, contents: Contents) -> list[Difference]:
    """The printed tables and the summary against the attached cross-validation."""
    found: list[Difference] = []
    said = folds_summary(held.found)
    if said not in contents.summary:
        found.append(Difference("Summary", "differs", f"Summary: it does not say “{said[:200]}”", expected=said[:200]))
    shown = next((one for one in contents.sections if one.title == Part.FOLDS.heading), None)
    if shown is None:
        return found
    for table in folds_tables(held.found):
        other = next((one for one in shown.tables if one.caption == table.caption), None)
        found += tables_differ(shown.title, table, other, hidden=frozenset({FEW, WITHHELD}))
    return found

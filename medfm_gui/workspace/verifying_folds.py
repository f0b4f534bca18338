"""A cross-validation, computed again from the predictions that a report carries of each fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Part
from medfm_gui.workspace.crossvalidation import CrossValidation, crossed
from medfm_gui.workspace.evidence_folds import FOLDS, FoldEvidence
from medfm_gui.workspace.evidence_numbers import Contents
from medfm_gui.workspace.held_out import FoldRun, HeldOut
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_demographics import FEW, WITHHELD
from medfm_gui.workspace.report_folds import folds_summary, folds_tables
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_attached import unlike
from medfm_gui.workspace.verifying_pages import tables_differ
from medfm_gui.workspace.verifying_runs import differs, is_close, pairs_differ, rows_differ

_MOST_TOLD = 20


def folds_differ(held: FoldEvidence, runs: Sequence[OpenedRun], *, words: bool = False) -> list[Difference]:
    """Means, spreads and differences that do not come of the attached predictions.

    Args:
        words: also methods and notes, which earlier versions may have worded otherwise.

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
            found += _way(way, other, words)
    found += [Difference(f"{name}", "missing", f"{name} is not told of these runs.") for name, _ in wanted]
    found += pairs_differ(held.found.comparisons, again.comparisons, words=words)
    for pair, other_pair in zip(held.found.pairs, again.pairs, strict=False):
        for label, stored, fresh in zip(pair.labels, pair.values, other_pair.values, strict=False):
            if not is_close(stored, fresh):
                found.append(differs(f"{pair.comparison.a} − {pair.comparison.b}, {label}", stored, fresh))
    for one, two in zip(held.found.repeats, again.repeats, strict=False):
        found += rows_differ([one.mean], [two.mean], where=f"{one.name}, all divisions, ", words=words)
    if held.found.sentence != again.sentence:
        found.append(differs("Cross-validation: conclusion", held.found.sentence, again.sentence))
    found += _facts(held, runs)
    if words and not found:  # names, notes, the chart
        found += list(unlike(FOLDS, wire.plain(_versionless(held.found)), wire.plain(_versionless(again))))[:_MOST_TOLD]
    return found


def _facts(held: FoldEvidence, runs: Sequence[OpenedRun]) -> Iterator[Difference]:
    """Where a run stands against its order, and its calibration against what it ended with."""
    by_id = {run.view.id: run for run in runs}
    for one in held.facts:
        run = by_id.get(one.run)
        if run is None:
            yield Difference(FOLDS, "inserted", f"{FOLDS}: {one.run} is no run of this report.")
            continue
        if one.fold != run.view.spec.fold:
            yield differs(f"{FOLDS}: {one.run}, fold", one.fold, run.view.spec.fold)
        line = run.calibrator if run.view.spec.task is Task.BINARY else None  # folds are joined of two classes alone
        if one.line != line:
            yield differs(f"{FOLDS}: {one.run}, calibration", one.line, line)


def _versionless(found: CrossValidation) -> CrossValidation:
    """Without the version of the program, which is another for a reader."""
    ways = tuple(
        replace(
            way, mean=replace(way.mean, code_version=""),
            pooled=replace(way.pooled, code_version="") if way.pooled is not None else None,
        )
        for way in found.ways
    )  # fmt: skip
    return replace(found, ways=ways)


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
    has_several = any(pair.comparison.simultaneous_method for pair in held.found.pairs)
    return crossed(made, together=has_several or not _is_earlier(held.found))


def _is_earlier(found: CrossValidation) -> bool:
    """Whether it was written by a version that told no intervals that hold together."""
    return any("interval unadjusted" in pair.comparison.note for pair in found.pairs)


def _way(way: HeldOut, again: HeldOut, words: bool) -> Iterator[Difference]:
    yield from rows_differ([_named(way.mean, way)], [_named(again.mean, way)], where="mean over folds, ", words=words)
    if way.pooled is not None and again.pooled is not None:
        pooled = [_named(way.pooled, way)], [_named(again.pooled, way)]
        yield from rows_differ(*pooled, where="pooled folds, ", words=words)
    for what in ("spread", "lowest", "highest"):
        if not is_close(getattr(way, what), getattr(again, what)):
            yield differs(f"{way.name}, {what} over folds", getattr(way, what), getattr(again, what))
    yield from rows_differ(way.rows, again.rows, where="within folds, ", words=words)


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

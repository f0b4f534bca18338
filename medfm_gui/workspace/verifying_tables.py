"""The tables of a report made anew from its attached files, held against those that were printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.report import Part, Table
from medfm_gui.domain.units import counted, unit_title
from medfm_gui.metrics.names import metric_title
from medfm_gui.workspace.evidence import Evidence
from medfm_gui.workspace.evidence_numbers import Contents, Told
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_demographics import FEW, WITHHELD
from medfm_gui.workspace.report_failures import failure_tables
from medfm_gui.workspace.report_names import ReportNames
from medfm_gui.workspace.report_sections import estimate, pairs_table, results_tables
from medfm_gui.workspace.report_subgroups import HEADER, subgroup_rows
from medfm_gui.workspace.report_usefulness import benefit_table, calibration_blocks, sets_table
from medfm_gui.workspace.subgrouping import SEVERAL, SubgroupFile
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_pages import tables_differ

_HIDDEN = frozenset({FEW, WITHHELD, "–"})


def made_again(held: Evidence, contents: Contents, runs: Sequence[OpenedRun]) -> list[Difference]:
    """Where the printed tables are not those that come of the attached numbers and predictions."""
    sections = {section.title: section for section in contents.sections}
    found: list[Difference] = []
    for part, table, is_partial in tables_again(held, runs):
        section = sections.get(part.heading)
        if section is not None:  # left out by the authors
            start = table.caption.partition(" (")[0].partition(". Not primary")[0].rstrip(".")
            shown = next((one for one in section.tables if one.caption.startswith(start)), None)
            found += tables_differ(part.heading, table, shown, hidden=_HIDDEN, partial=is_partial)
    return [*found, *_headlines(contents, runs, in_summary=held.folds is None), *_sentence(held, contents)]


def tables_again(held: Evidence, runs: Sequence[OpenedRun]) -> Iterator[tuple[Part, Table, bool]]:
    """Section, table, and whether small groups may be missing from it."""
    for table in results_tables([run.test for run in runs]):
        yield Part.RESULTS, table, False
    if held.usefulness is not None:
        calibration = calibration_blocks(held.usefulness.rows)[0]
        if isinstance(calibration, Table):
            yield Part.CALIBRATION, calibration, False
        for chart in held.usefulness.charts:
            yield Part.CALIBRATION, benefit_table(chart), False
    if any(one.by_class for one in held.class_sets):
        yield Part.CALIBRATION, sets_table(held.class_sets), False
    if held.comparison is not None:
        yield Part.COMPARISON, pairs_table(held.comparison), False
    for told in held.subgroups:
        yield Part.SUBGROUPS, _subgroups(told, runs), True
    for block in failure_tables(runs, ReportNames(lambda name: name), held.values, hide=False):
        if isinstance(block, Table):
            is_partial = any(block.caption.startswith(f"Errors by {name},") for name in held.values)
            yield Part.FAILURES, _without_several(block, held), is_partial


def _subgroups(told: Told, runs: Sequence[OpenedRun]) -> Table:
    labels = tuple(dict.fromkeys(row.label for row in told.rows))
    unit = runs[0].units.unit
    file = SubgroupFile(told.runs, told.covariate, labels, told.rows, ChartSpec("", "intervals", ""), unit)
    caption = f"By {told.covariate}, by {unit_title(unit)} ("
    return Table(caption, HEADER, tuple(subgroup_rows(file, hide=False)), (2, 3))


def _without_several(table: Table, held: Evidence) -> Table:
    """Where small groups are not told, who has several values cannot be counted again."""
    if len(table.header) != 4 or not any(WITHHELD in of.values() for of in held.values.values()):
        return table
    return Table(table.caption, table.header, tuple(row for row in table.rows if row[1] != SEVERAL), table.numeric)


def _headlines(contents: Contents, runs: Sequence[OpenedRun], *, in_summary: bool) -> Iterator[Difference]:
    """The headline of each run where it is said again: in the summary (of one test), in the card, beside the costs."""
    sections = {section.title: section for section in contents.sections}
    card = sections.get(Part.CARD.heading)
    said = {value for name, value in card.facts if name == "Results"} if card is not None else None
    for run in runs:
        first = run.test.evaluations[0]
        line = f"{run.name}: {metric_title(first.metric)} {estimate(first)} ({counted(first.n, first.unit)})."
        if in_summary and line not in contents.summary:
            yield Difference("Summary", "differs", f"Summary: it does not say “{line}”", expected=line)
        rows = [row for row in run.test.evaluations if not row.label]
        whole = "; ".join(f"{metric_title(row.metric)} {estimate(row)}" for row in rows)
        if said is not None and whole not in said:
            message = f"Model card, {run.view.id}: the results are not those that come of the predictions."
            yield Difference(f"{Part.CARD.heading}: {run.view.id}", "differs", message, expected=whole[:200])
        yield from _beside_costs(contents, run)


def _beside_costs(contents: Contents, run: OpenedRun) -> Iterator[Difference]:
    first = run.test.evaluations[0]
    ladder = next((one for one in contents.sections if one.title == Part.LADDER.heading), None)
    for table in ladder.tables if ladder is not None else ():
        for row in table.rows:
            told = estimate(first) if first.value is not None else "not estimable"
            if row and row[0] == run.view.id and row[-1] != told and "95 %" in table.header[-1]:
                where = f"{Part.LADDER.heading}: {run.view.id}"
                message = f"{where}: shown is {row[-1]}, computed again {told}."
                yield Difference(where, "differs", message, None, told, row[-1])


def _sentence(held: Evidence, contents: Contents) -> Iterator[Difference]:
    """What the comparison concludes."""
    section = next((one for one in contents.sections if one.title == Part.COMPARISON.heading), None)
    if held.comparison is None or section is None:
        return
    said = " ".join(held.comparison.sentence.splitlines())
    if said not in section.sentences:
        message = f"{Part.COMPARISON.heading}: the conclusion is not the attached one."
        yield Difference(f"{Part.COMPARISON.heading}: conclusion", "differs", message, expected=said[:200])

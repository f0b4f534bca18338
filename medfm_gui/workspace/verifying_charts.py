"""The charts of a report drawn anew from its attached files, points and words, and its files of charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.report import Charts, Part
from medfm_gui.workspace.crossvalidation import folds_chart
from medfm_gui.workspace.evidence_numbers import Contents, Told
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_charts import CHARTS, POINTS, chart_text, points_table
from medfm_gui.workspace.report_outside import outside_charts
from medfm_gui.workspace.report_provenance import sha256_of
from medfm_gui.workspace.report_sections import curves_section
from medfm_gui.workspace.subgrouping import FOREST_NOTES, NO_ESTIMATE, forest_chart
from medfm_gui.workspace.training import RunView
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_drawing import WORDS, called, chart_differs, is_alike, marks_differ, words_differ
from medfm_gui.workspace.verifying_runs import differs
from medfm_gui.workspace.verifying_sections import Again, ladder_again

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored

_FOREST = "subgroups-"


@dataclass(frozen=True, slots=True)
class ChartsLook:
    """What differs, and how many points, words and marks were looked at."""

    differences: tuple[Difference, ...]
    checked: int = 0


def charts_of_file(files: Mapping[str, bytes]) -> tuple[ChartSpec, ...]:
    """The attached recipes; none where there is no such file.

    Raises:
        InputError: they are not what was written.
    """
    return wire.decode(tuple[ChartSpec, ...], files[CHARTS], what=f"The attached {CHARTS}") if CHARTS in files else ()


def look_at_charts(files: Mapping[str, bytes], contents: Contents, again: Again) -> ChartsLook:
    """Every attached chart against one drawn anew, its hash on the pages, and its points in the table of points."""
    charts = charts_of_file(files)
    found = [*_hashes(charts, contents), *_points(files, charts)]
    drawn = _drawn(again)
    checked = 0
    for chart in charts:
        checked += sum(len(series.x) for series in chart.series) + sum(map(len, chart.matrix)) + len(WORDS)
        if chart.id.startswith(_FOREST):
            found += _forest_differs(chart, again, contents)
            continue
        other = drawn.get((chart.id, chart.title)) or drawn.get((chart.id, ""))
        if other is None:
            message = f"{called(chart)} comes of no attached file."
            found.append(Difference(called(chart), "inserted", message))
        else:
            found += chart_differs(chart, other)
    return ChartsLook((*found, *_missing(charts, again, contents)), checked)


def _missing(charts: Sequence[ChartSpec], again: Again, contents: Contents) -> Iterator[Difference]:
    """Charts that a section must have, by what it tells."""
    shown, there = {one.title for one in contents.sections}, {chart.id for chart in charts}
    wanted: list[tuple[Part, ChartSpec]] = [(Part.CURVES, chart) for chart in _curves(again)]
    wanted += [(Part.LADDER, chart) for chart in _ladder(again)]
    wanted += [(Part.EXTERNAL, chart) for chart in outside_charts(again.held.outside, _views(again))]
    wanted += [(Part.FOLDS, chart) for chart in _over_folds(again)]
    wanted += [(Part.CALIBRATION, chart) for chart in (again.held.usefulness.charts if again.held.usefulness else ())]
    for part, chart in wanted:
        if part.heading in shown and chart.id not in there:
            message = f"{part.heading}: the chart “{chart.title}”, which follows from the attached files, is missing."
            yield Difference(f"{CHARTS}: chart “{chart.title}”", "missing", message)


def _hashes(charts: Sequence[ChartSpec], contents: Contents) -> Iterator[Difference]:
    """The hash of every chart as it was printed."""
    tables = [
        table for section in contents.sections for table in section.tables if "SHA-256 of its data" in table.header
    ]
    if not tables:
        return
    printed = [row[1] for row in tables[0].rows]
    for number, (chart, (title, digest)) in enumerate(zip(charts, tables[0].rows, strict=False), 1):
        if title != chart.title:
            yield differs(f"{CHARTS}: chart {number}, title", chart.title, title)
        elif sha256_of(chart_text(chart)) != digest:
            message = f"{CHARTS}, “{chart.title}”: it is not the chart whose SHA-256 the report names."
            yield Difference(f"{CHARTS}: {chart.title}", "changed", message, None, digest, sha256_of(chart_text(chart)))
    if len(printed) != len(charts):
        message = f"{CHARTS} holds {len(charts)} charts, and the report names {len(printed)}."
        yield Difference(CHARTS, "missing" if len(charts) < len(printed) else "inserted", message)


def _points(files: Mapping[str, bytes], charts: Sequence[ChartSpec]) -> Iterator[Difference]:
    """The table of points against the recipes."""
    if POINTS not in files:
        return
    told = files[POINTS].decode("utf-8", errors="replace").splitlines()
    wanted = points_table(charts).splitlines()
    for number, (is_, was) in enumerate(zip(told, wanted, strict=False), 1):
        if is_ != was:
            message = f"{POINTS}, line {number}: it says {is_[:160]}, by {CHARTS} it is {was[:160]}."
            yield Difference(f"{POINTS}: line {number}", "differs", message, number, was[:160], is_[:160])
            return
    if len(told) != len(wanted):
        yield Difference(POINTS, "differs", f"{POINTS} has {len(told)} lines, by {CHARTS} there are {len(wanted)}.")


def _drawn(again: Again) -> dict[tuple[str, str], ChartSpec]:
    """Charts drawn anew by id and title; those of a kind of which there is one by the id alone."""
    from medfm_gui.metrics.charts import confusion_chart, interval_chart, roc_chart
    from medfm_gui.metrics.evaluate import headline
    from medfm_gui.metrics.probability_charts import calibration_chart

    runs = again.runs
    several = len(runs) > 1 and not again.folds
    drawn = runs if several else runs[:1]  # folds have no common curve
    named = [_named(run, run.name if several else run.view.id) for run in drawn]
    made = [roc_chart(named)]
    if runs[0].images.task is Task.BINARY:
        said = [_named(run.calibrated, run.name if several else run.view.id) for run in drawn]
        made.append(calibration_chart(said))
    if several:
        main = headline(runs[0].images.task)
        rows = [
            row
            for run in runs
            for row in run.test.evaluations
            if row.metric == main and not row.label and "failures" not in row.parameters
        ]
        families = {run.view.id: run.view.spec.card.family.value for run in runs}
        made.append(interval_chart(rows, again.titles, families))
        made += _ladder(again)
    made += [*_curves(again), *outside_charts(again.held.outside, _views(again)), *_over_folds(again)]
    found = {(chart.id, ""): chart for chart in made}
    if runs[0].images.targets.ndim == 1 and len(runs[0].images.classes) > 1:
        for run in runs:
            chart = confusion_chart(run.units, run.point)
            title = f"{chart.title}, {run.view.id}"
            found[chart.id, title] = replace(chart, title=title)
    if again.held.usefulness is not None:
        found |= {(chart.id, ""): chart for chart in again.held.usefulness.charts}  # whose points were computed again
    return found


def _ladder(again: Again) -> tuple[ChartSpec, ...]:
    """Those of the section on costs, which several runs have."""
    from medfm_gui.metrics.ladder import charts

    return charts(ladder_again(again)) if len(again.runs) > 1 else ()


def _over_folds(again: Again) -> tuple[ChartSpec, ...]:
    """Of the means and values that are computed again by themselves."""
    told = again.held.folds
    return (folds_chart(told.found.ways, told.found.metric),) if told is not None else ()


def _views(again: Again) -> dict[str, RunView]:
    return {view.id: view for view in again.views}


def _named(run: OpenedRun, name: str) -> tuple[str, str, str, Scored]:
    return name, run.view.spec.card.family.value, run.view.spec.adapt, run.units


def _curves(again: Again) -> Iterator[ChartSpec]:
    for block in curves_section(again.views).blocks:
        if isinstance(block, Charts):
            yield from block.charts


def _forest_differs(chart: ChartSpec, again: Again, contents: Contents) -> list[Difference]:
    """Bars of values whose numbers the report tells, and those of values whose counts are hidden as the table has them.

    Which values are too small for an estimate stands in the note; of those whose counts are hidden nothing is told.
    """
    told = next((one for one in again.held.subgroups if f"{_FOREST}{one.covariate}" == chart.id), None)
    if told is None:
        return [Difference(called(chart), "inserted", f"{called(chart)}: no attached number is behind it.")]
    other = _forest(told, again)
    found = [*words_differ(chart, other, but=frozenset({"note"})), *_note_differs(chart, told)]
    lines = {series.name: series for series in other.series}
    for series in chart.series:
        if series.name in lines:
            found += marks_differ(chart, series, lines[series.name])
        elif series.name not in again.titles.values():
            found.append(differs(f"{called(chart)}, its lines", series.name, ", ".join(again.titles.values())))
    bars, wanted = _bars(chart), _bars(other)
    for name, bar in bars.items():
        same = wanted.get(name)
        if same is None:
            found += _hidden_differs(chart, name, bar, again, contents)
        elif not is_alike(bar, same):
            found.append(differs(f"{called(chart)}, {name}", bar, same))
    missing = [name for name in wanted if name not in bars]
    return [*found, *(differs(f"{called(chart)}, {name}", "no such bar", wanted[name]) for name in missing)]


def _forest(told: Told, again: Again) -> ChartSpec:
    runs = [(run.view.id, run.name, run.view.spec.card.family.value) for run in again.runs]
    values = tuple(dict.fromkeys(row.label for row in told.rows))
    return forest_chart(runs, told.covariate, values, told.rows)


def _note_differs(chart: ChartSpec, told: Told) -> Iterator[Difference]:
    """What the note says first, and the values that it says have no estimate."""
    first, _, listed = chart.note.partition(NO_ESTIMATE)
    if first.strip() not in FOREST_NOTES:
        yield differs(f"{called(chart)}, note", first.strip(), " or ".join(FOREST_NOTES))
    small = set(filter(None, listed.strip().removeprefix(":").removesuffix(".").strip().split(", ")))
    known = {row.label for row in told.rows if row.metric == "auc" and row.value is not None}
    for row in told.rows:
        if row.metric == "auc" and row.label not in known and not set(row.label.split(", ")) <= small:
            yield differs(f"{called(chart)}, note", chart.note, f"{row.label} has no estimate")
    for value in sorted(small & known):
        yield differs(f"{called(chart)}, note", chart.note, f"{value} has an estimate")


def _hidden_differs(
    chart: ChartSpec, name: str, bar: tuple[float | None, ...], again: Again, contents: Contents
) -> Iterator[Difference]:
    """A bar of a value whose counts are hidden against the estimate that the table of the section prints."""
    section = next((one for one in contents.sections if one.title == Part.SUBGROUPS.heading), None)
    several = len(again.runs) > 1
    rows = [row for table in section.tables for row in table.rows if len(row) > 4] if section is not None else []
    value, low, high = bar
    said = f"{value:.3f} ({low:.3f}–{high:.3f})" if None not in bar else f"{value:.3f}"
    if not any((f"{row[0]}, {row[1]}" if several else row[0]) == name and row[4] == said for row in rows):
        yield differs(f"{called(chart)}, {name}", said, "no such row of the table")


def _bars(chart: ChartSpec) -> dict[str, tuple[float | None, ...]]:
    """Estimate, lower and upper limit by the name of the row."""
    found: dict[str, tuple[float | None, ...]] = {}
    for series in chart.series:
        for place, (x, y) in enumerate(zip(series.x, series.y, strict=False)):
            if not 0 <= y < len(chart.rows):
                raise InputError(f"{called(chart)} has a bar without a row.", "It was changed.")
            ends = (values[place] if place < len(values) else None for values in (series.low, series.high))
            found[chart.rows[int(y)]] = (x, *ends)
    return found

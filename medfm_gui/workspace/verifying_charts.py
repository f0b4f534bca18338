"""The charts of a report drawn anew from its attached predictions, point by point, and its files of charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.report import Charts
from medfm_gui.workspace.evidence_numbers import Contents, Told
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_charts import CHARTS, POINTS, chart_text, points_table
from medfm_gui.workspace.report_provenance import sha256_of
from medfm_gui.workspace.report_sections import curves_section
from medfm_gui.workspace.subgrouping import forest_chart
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_runs import differs, is_close
from medfm_gui.workspace.verifying_sections import Again, ladder_again

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored

_FOREST = "subgroups-"


@dataclass(frozen=True, slots=True)
class ChartsLook:
    """What differs, how many points were looked at, and the charts that nothing attached gives back."""

    differences: tuple[Difference, ...]
    checked: int = 0
    alone: tuple[str, ...] = ()


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
    alone: list[str] = []
    checked = 0
    for chart in charts:
        checked += sum(len(series.x) for series in chart.series) + sum(map(len, chart.matrix))
        if chart.id.startswith(_FOREST):
            found += _forest_differs(chart, again)
            continue
        other = drawn.get((chart.id, chart.title)) or drawn.get((chart.id, ""))
        if other is None:
            alone.append(chart.title)
        else:
            found += chart_differs(chart, other)
    return ChartsLook(tuple(found), checked, tuple(alone))


def _hashes(charts: Sequence[ChartSpec], contents: Contents) -> Iterator[Difference]:
    """The hash of every chart as it was printed."""
    tables = [
        table for section in contents.sections for table in section.tables if "SHA-256 of its data" in table.header
    ]
    if not tables:
        return
    printed = [row[1] for row in tables[0].rows]
    for chart, digest in zip(charts, printed, strict=False):
        if sha256_of(chart_text(chart)) != digest:
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
    from medfm_gui.metrics import ladder as ladders
    from medfm_gui.metrics.charts import confusion_chart, interval_chart, roc_chart
    from medfm_gui.metrics.evaluate import headline
    from medfm_gui.metrics.probability_charts import calibration_chart

    runs = again.runs
    several = len(runs) > 1
    named = [_named(run, run.name if several else run.view.id) for run in runs]
    made = [roc_chart(named)]
    if runs[0].images.task is Task.BINARY:
        said = [_named(run.calibrated, run.name if several else run.view.id) for run in runs]
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
        made += ladders.charts(ladder_again(again))
    made += _curves(again)
    found = {(chart.id, ""): chart for chart in made}
    if runs[0].images.targets.ndim == 1 and len(runs[0].images.classes) > 1:
        for run in runs:
            chart = confusion_chart(run.units, run.point)
            title = f"{chart.title}, {run.view.id}"
            found[chart.id, title] = replace(chart, title=title)
    if again.held.usefulness is not None:
        found |= {(chart.id, ""): chart for chart in again.held.usefulness.charts}  # whose points were computed again
    return found


def _named(run: OpenedRun, name: str) -> tuple[str, str, str, Scored]:
    return name, run.view.spec.card.family.value, run.view.spec.adapt, run.units


def _curves(again: Again) -> Iterator[ChartSpec]:
    for block in curves_section(again.views).blocks:
        if isinstance(block, Charts):
            yield from block.charts


def chart_differs(chart: ChartSpec, other: ChartSpec) -> list[Difference]:
    """Where the series or cells of a chart are not those of another; of each series the first such point."""
    found: list[Difference] = []
    if (chart.rows, chart.columns) != (other.rows, other.columns):
        found.append(differs(f"chart “{chart.title}”, its rows and columns", chart.rows, other.rows))
    for row, (cells, fresh) in enumerate(zip(chart.matrix, other.matrix, strict=False)):
        for column, (stored, made) in enumerate(zip(cells, fresh, strict=False)):
            if not is_close(stored, made):
                where = f"chart “{chart.title}”, {_at(chart.rows, row)} decided {_at(chart.columns, column)}"
                found.append(differs(where, stored, made))
    if [len(row) for row in chart.matrix] != [len(row) for row in other.matrix]:
        found.append(differs(f"chart “{chart.title}”, its cells", len(chart.matrix), len(other.matrix)))
    if [one.name for one in chart.series] != [one.name for one in other.series]:
        names = ([one.name for one in which.series] for which in (chart, other))
        return [*found, differs(f"chart “{chart.title}”, its lines", *names)]
    for one, fresh_one in zip(chart.series, other.series, strict=True):
        found += _series_differ(chart, one, fresh_one)
    return found


def _series_differ(chart: ChartSpec, one: Series, other: Series) -> list[Difference]:
    found = []
    for what in ("x", "y", "low", "high", "spread_low", "spread_high"):
        stored, fresh = getattr(one, what), getattr(other, what)
        where = f"chart “{chart.title}”, {one.name}, {what}"
        if len(stored) != len(fresh):
            found.append(differs(f"{where}, number of points", len(stored), len(fresh)))
            continue
        places = (at for at, pair in enumerate(zip(stored, fresh, strict=True)) if not is_close(*pair))
        found += [differs(f"{where} of point {at + 1}", stored[at], fresh[at]) for at in places][:1]
    return found


def _at(names: Sequence[str], place: int) -> str:
    return names[place] if place < len(names) else str(place + 1)


def _forest_differs(chart: ChartSpec, again: Again) -> list[Difference]:
    """Bars of values whose numbers the report tells; what small groups hide cannot be drawn again."""
    told = next((one for one in again.held.subgroups if f"{_FOREST}{one.covariate}" == chart.id), None)
    if told is None:
        return [Difference(f"chart “{chart.title}”", "inserted", f"No attached number is behind “{chart.title}”.")]
    wanted = _bars(_forest(told, again))
    found = []
    for name, bar in _bars(chart).items():
        other = wanted.get(name)
        if other is not None and not all(is_close(one, fresh) for one, fresh in zip(bar, other, strict=True)):
            found.append(differs(f"chart “{chart.title}”, {name}", bar, other))
    return found


def _forest(told: Told, again: Again) -> ChartSpec:
    runs = [(run.view.id, run.name, run.view.spec.card.family.value) for run in again.runs]
    values = tuple(dict.fromkeys(row.label for row in told.rows))
    return forest_chart(runs, told.covariate, values, told.rows)


def _bars(chart: ChartSpec) -> dict[str, tuple[float | None, ...]]:
    """Estimate, lower and upper limit by the name of the row."""
    found: dict[str, tuple[float | None, ...]] = {}
    for series in chart.series:
        for place, (x, y) in enumerate(zip(series.x, series.y, strict=False)):
            if not 0 <= y < len(chart.rows):
                raise InputError(f"The chart “{chart.title}” has a bar without a row.", "It was changed.")
            ends = (values[place] if place < len(values) else None for values in (series.low, series.high))
            found[chart.rows[int(y)]] = (x, *ends)
    return found

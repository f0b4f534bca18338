"""What is stored of runs side by side: which can be compared, their numbers, their charts, and files made of them.

Reading computes nothing: numbers come from the database, paired tests from the comparison's own file. Charts that
only arrange stored numbers (intervals by metric, paired differences) are put together when they are looked at.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import NotFound, SealError, UsageError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.run import Phase
from medfm_gui.metrics.names import METRICS, headline, method_title, metric_title
from medfm_gui.store.rows import DatasetRow, RunRow
from medfm_gui.workspace.comparing import ComparisonFile, Tested, chart_owner, comparison_path, obstacle
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.spreadsheet import guarded

TEST = "test"
_WIDTH_MM, _HEIGHT_MM = 160.0, 110.0


_SHARED = ("roc", "precision-recall", "calibration")
"""Charts with a line for each of the runs."""
_SHARED_WHOLE = ("roc", "precision-recall")
"""Those of them that show of a run all that its own chart shows; its own calibration has bins besides."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that is done, its dataset, and the headline of its test; ``sample_set`` is empty while it is sealed."""

    row: RunRow
    dataset: DatasetRow
    sample_set: str
    test: Evaluation | None

    @property
    def tested(self) -> Tested:
        """What decides with which others it can be compared."""
        row = self.row
        return Tested(row.id, row.task, self.dataset.classes, row.dataset_fingerprint, self.sample_set)


@dataclass(frozen=True, slots=True)
class Stored:
    """Runs in the order of a comparison, with everything that is kept of their tests; ``file`` is None before one."""

    runs: tuple[FinishedRun, ...]
    evaluations: tuple[Evaluation, ...]
    openings: int
    file: ComparisonFile | None


@dataclass(frozen=True, slots=True)
class NamedChart:
    """A chart with its key, what it is called in a list, and the run it is of, where it is of one."""

    key: str
    name: str
    chart: ChartSpec
    run: str = ""


def finished_runs(workspace: Workspace) -> tuple[tuple[FinishedRun, ...], int]:
    """Runs that are done, oldest first, and how many there are besides."""
    from medfm_gui.store import queries

    with workspace.store.reading() as reader:
        rows = queries.runs(reader)
        done = [row for row in rows if row.state.phase is Phase.FINISHED]
        datasets = {one.id: one for one in queries.datasets(reader)}
        sets = {look.run: look.sample_set for look in queries.openings(reader) if look.subset == TEST}
        numbers = queries.evaluations(reader, [row.id for row in done if row.id in sets], TEST)
    main = {
        number.run: number
        for row in done
        for number in numbers
        if number.run == row.id and number.metric == headline(row.task) and is_whole(number)
    }
    found = [
        FinishedRun(row, datasets[row.dataset], sets.get(row.id, "") if row.id in main else "", main.get(row.id))
        for row in done
        if row.dataset in datasets
    ]
    return tuple(found), len(rows) - len(found)


def is_whole(row: Evaluation) -> bool:
    """Whether a number is of all classes together and of the units that could be scored."""
    return not row.label and "failures" not in row.parameters


def reason_against(reference: FinishedRun | None, run: FinishedRun) -> str:
    """Why an opened run cannot stand beside the reference; empty where it can."""
    if reference is None or reference is run or not run.sample_set or not reference.sample_set:
        return ""
    found = obstacle(reference.tested, run.tested)
    if found is not None and _are_folds(reference.row, run.row):
        return "Folds of a cross-validation test other images each: “Folds” sums them up."
    return found.message if found else ""


def _are_folds(one: RunRow, other: RunRow) -> bool:
    """Whether both are folds of one dataset, and not the same one."""
    return one.fold is not None and other.fold is not None and one.fold != other.fold and one.dataset == other.dataset


def stored(workspace: Workspace, run_ids: Sequence[str]) -> Stored:
    """What is kept of these runs.

    Raises:
        NotFound: no finished run of that id.
        SealError: the test of one was not opened.
        UsageError, InputError: they cannot be compared, or none is named.
    """
    from medfm_gui.store import queries

    run_ids = tuple(dict.fromkeys(run_ids))
    known = {run.row.id: run for run in finished_runs(workspace)[0]}
    runs = tuple(_opened(known, run_id) for run_id in run_ids)
    if not runs:
        raise UsageError("No run is named.", "Choose one or more runs.")
    for run in runs[1:]:
        if (found := obstacle(runs[0].tested, run.tested)) is not None:
            raise found
    with workspace.store.reading() as reader:
        rows = queries.evaluations(reader, run_ids, TEST)
        looks = len(queries.openings(reader, sample_set=runs[0].sample_set))
    path = comparison_path(workspace, run_ids)
    file = wire.read(ComparisonFile, path) if len(runs) > 1 and path.exists() else None
    return Stored(runs, rows, looks, file)


def _opened(known: Mapping[str, FinishedRun], run_id: str) -> FinishedRun:
    run = known.get(run_id)
    if run is None:
        raise NotFound(f"There is no finished run “{run_id}”.", "Choose other runs.")
    if not run.sample_set:
        raise SealError(
            f"The test set of {run_id} is sealed, so there are no test results to show.",
            f"Open it first: “medfm evaluate {run_id} --open-test REASON”.",
        )
    return run


def charts(workspace: Workspace, run_ids: Sequence[str], names: Mapping[str, str]) -> tuple[NamedChart, ...]:
    """Every chart of these runs, whole; ``names`` gives what people read for a run's id."""
    kept = stored(workspace, run_ids)
    families = {run.row.id: run.row.family for run in kept.runs}
    shared = {chart.id: chart for chart in workspace.store.charts(chart_owner(run_ids))} if len(run_ids) > 1 else {}
    own = [(run, chart) for run in run_ids for chart in workspace.store.charts(run)]
    found: list[NamedChart] = []
    for name in _SHARED:
        if name in shared:
            found.append(NamedChart(name, shared[name].title, shared[name]))
    found += _interval_charts(kept, names, families)
    if kept.file is not None:
        found += _difference_charts(kept.file, names, families)
    several = len(run_ids) > 1
    for run, chart in own:
        if chart.id in _SHARED_WHOLE and chart.id in shared and kept.runs[0].row.task is Task.BINARY:
            continue  # the same curve stands among the others
        title = f"{chart.title.partition(',')[0]}, {run}"
        drawn = replace(chart, title=title if several else chart.title.partition(",")[0])
        found.append(NamedChart(f"{chart.id}:{run}", title, drawn, run))
    return tuple(found)


def _interval_charts(kept: Stored, names: Mapping[str, str], families: Mapping[str, str]) -> list[NamedChart]:
    from medfm_gui.metrics.charts import interval_chart

    found = []
    whole = [row for row in kept.evaluations if is_whole(row)]
    for metric in dict.fromkeys(row.metric for row in whole):
        chart = interval_chart([row for row in whole if row.metric == metric], names, families)
        title = _heading(metric)
        found.append(NamedChart(f"intervals:{metric}", f"{title} with intervals", replace(chart, title=title)))
    return found


def _difference_charts(file: ComparisonFile, names: Mapping[str, str], families: Mapping[str, str]) -> list[NamedChart]:
    pairs = [pair for pair in file.pairs if "failures" not in pair.parameters]
    reference = file.runs[0]
    found = []
    for metric in dict.fromkeys(pair.metric for pair in pairs):
        title = f"{_heading(metric)}: difference from {reference}"
        rows = [pair for pair in pairs if pair.metric == metric]
        found.append(
            NamedChart(f"differences:{metric}", title, _difference_chart(rows, metric, title, names, families))
        )
    return found


def _difference_chart(
    pairs: Sequence[Comparison], metric: str, title: str, names: Mapping[str, str], families: Mapping[str, str]
) -> ChartSpec:
    known = [(pair, pair.difference) for pair in pairs if pair.difference is not None]
    together = [pair for pair, _ in known if pair.low is not None]
    is_family = bool(together) and all(pair.simultaneous_method for pair in together)
    lacking = [names.get(pair.a, pair.a) for pair in pairs if pair.difference is None]
    series = tuple(
        Series(
            names.get(pair.a, pair.a),
            (difference,),
            (float(place),),
            *_bar(pair, is_family),
            families.get(pair.a, ""),
            markers=True,
        )
        for place, (pair, difference) in enumerate(known)
    )
    way = "simultaneous, {}" if is_family else "{}"
    methods = sorted(
        {
            f"{100 * pair.confidence:g} % "
            + way.format(method_title(pair.simultaneous_method if is_family else pair.test))
            for pair, _ in known
        }
    )
    better = METRICS[metric].higher_is_better if metric in METRICS else True
    notes = (
        f"Paired, {'more' if better else 'less'} is better; {'; '.join(methods)}." if methods else "",
        "Intervals are not adjusted for the number of comparisons." if len(known) > 1 and not is_family else "",
        f"Not estimable: {', '.join(lacking)}." if lacking else "",
    )
    return ChartSpec(
        id=f"differences-{metric}",
        kind="intervals",
        title=title,
        x_label=f"difference in {metric_title(metric)}",
        series=series,
        rows=tuple(one.name for one in series),
        diagonal=True,
        note=" ".join(note for note in notes if note),
    )


def _bar(pair: Comparison, is_family: bool) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Both ends of what is drawn: the simultaneous interval where all have one."""
    low, high = (pair.low_simultaneous, pair.high_simultaneous) if is_family else (pair.low, pair.high)
    return () if low is None else (low,), () if high is None else (high,)


def _heading(metric: str) -> str:
    title = metric_title(metric)
    return title[:1].upper() + title[1:]


def thinned(chart: ChartSpec, most: int) -> ChartSpec:
    """The chart with at most that many points a line, evenly taken, the first and the last among them."""
    if all(len(series.x) <= most for series in chart.series):
        return chart
    return replace(chart, series=tuple(_thin(series, most) for series in chart.series))


def _thin(series: Series, most: int) -> Series:
    count = len(series.x)
    if count <= most:
        return series
    places = [round(step * (count - 1) / (most - 1)) for step in range(most)]

    def taken(values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(values[place] for place in places) if len(values) == count else values

    return replace(
        series,
        x=taken(series.x),
        y=taken(series.y),
        low=taken(series.low),
        high=taken(series.high),
        spread_low=taken(series.spread_low),
        spread_high=taken(series.spread_high),
    )


def export_chart(chart: ChartSpec, kind: str, out: Path, picture: bytes = b"") -> Path:
    """Write a chart as ``pdf``, ``svg`` or ``csv``, or the given picture of it as ``png``."""
    from medfm_gui.reports.figures import draw

    if kind == "png":
        content = picture
    elif kind == "csv":
        content = _as_csv(_chart_rows(chart)).encode("utf-8")
    elif kind in ("pdf", "svg"):
        form: Literal["pdf", "svg"] = "pdf" if kind == "pdf" else "svg"
        content = draw(chart, width_mm=_WIDTH_MM, height_mm=_HEIGHT_MM, titled=True, kind=form)
    else:
        raise UsageError(f"A chart cannot be written as “{kind}”.", "Choose pdf, svg, png or csv.")
    where = out.expanduser().absolute()
    atomic_write(where, content)
    return where


def _chart_rows(chart: ChartSpec) -> list[list[str | float]]:
    if chart.kind == "matrix":
        head: list[str | float] = [f"{chart.y_label or 'row'} \\ {chart.x_label or 'column'}", *chart.columns]
        body: list[list[str | float]] = [[name, *cells] for name, cells in zip(chart.rows, chart.matrix, strict=True)]
        return [head, *body]
    rows: list[list[str | float]] = [["series", chart.x_label or "x", chart.y_label or "y", "low", "high"]]
    if chart.kind == "intervals":
        rows = [["name", chart.x_label or "value", "low", "high"]]
    spread = any(series.spread_low for series in chart.series)
    rows[0] += ["lowest draw", "highest draw"] if spread else []
    for series in chart.series:
        for place, x in enumerate(series.x):
            ends = _ends(series.low, series.high, place)
            ends += _ends(series.spread_low, series.spread_high, place) if spread else []
            rows.append([series.name, x, *([] if chart.kind == "intervals" else [series.y[place]]), *ends])
    return rows


def _ends(low: Sequence[float], high: Sequence[float], place: int) -> list[str | float]:
    return [low[place], high[place]] if low and high else ["", ""]


_NUMBER_COLUMNS = (
    "run",
    "name",
    "compared_with",
    "metric",
    "class",
    "value",
    "low",
    "high",
    "confidence",
    "method",
    "p",
    "p_holm",
    "unit",
    "n",
    "n_patients",
    "n_events",
    "parameters",
    "note",
    "sample_set",
    "low_simultaneous",
    "high_simultaneous",
    "simultaneous_method",
)


def export_numbers(workspace: Workspace, run_ids: Sequence[str], names: Mapping[str, str], out: Path) -> Path:
    """Write every number of these runs, then every paired difference (``compared_with`` names the reference)."""
    kept = stored(workspace, run_ids)
    table: list[list[str | float]] = [list(_NUMBER_COLUMNS)]
    table += [_number_row(row, names) for row in kept.evaluations]
    if kept.file is not None:
        table += [_pair_row(pair, names, kept.runs[0].sample_set) for pair in kept.file.pairs]
    where = out.expanduser().absolute()
    atomic_write(where, _as_csv(table))
    return where


def export_pairs(workspace: Workspace, pairs: Sequence[Comparison], names: Mapping[str, str], out: Path) -> Path:
    """Write paired differences of runs that were opened, which need not be those that are kept."""
    runs = dict.fromkeys(run for pair in pairs for run in (pair.b, pair.a))
    sample_set = stored(workspace, tuple(runs)).runs[0].sample_set
    where = out.expanduser().absolute()
    atomic_write(where, _as_csv([list(_NUMBER_COLUMNS), *(_pair_row(pair, names, sample_set) for pair in pairs)]))
    return where


def _number_row(row: Evaluation, names: Mapping[str, str]) -> list[str | float]:
    return [
        row.run,
        names.get(row.run, row.run),
        "",
        row.metric,
        row.label,
        *map(_known, (row.value, row.low, row.high, row.confidence)),
        row.method,
        "",
        "",
        row.unit,
        *map(_known, (row.n, row.n_patients, row.n_events)),
        _parameters(row.parameters),
        row.note,
        row.sample_set,
        "",
        "",
        "",
    ]


def _pair_row(pair: Comparison, names: Mapping[str, str], sample_set: str) -> list[str | float]:
    rest = {key: value for key, value in pair.parameters.items() if key not in ("unit", "n_patients", "n_events")}
    return [
        pair.a,
        names.get(pair.a, pair.a),
        pair.b,
        pair.metric,
        "",
        *map(_known, (pair.difference, pair.low, pair.high, pair.confidence)),
        pair.test,
        *map(_known, (pair.p, pair.p_adjusted)),
        pair.parameters.get("unit", ""),
        pair.n,
        pair.parameters.get("n_patients", ""),
        pair.parameters.get("n_events", ""),
        _parameters(rest),
        pair.note,
        sample_set,
        *map(_known, (pair.low_simultaneous, pair.high_simultaneous)),
        pair.simultaneous_method,
    ]


def _known(value: float | None) -> str | float:
    return "" if value is None else value


def _parameters(values: Mapping[str, str]) -> str:
    return "; ".join(f"{key}={value}" for key, value in values.items())


def _as_csv(rows: Sequence[Sequence[str | float]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([guarded(cell) if isinstance(cell, str) else repr(cell) for cell in row])
    return text.getvalue()

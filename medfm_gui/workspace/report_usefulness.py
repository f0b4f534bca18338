"""The section on what the probabilities are worth: calibration in numbers, and net benefit where a range was named."""

from __future__ import annotations

from collections.abc import Sequence

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Block, Charts, Paragraph, Part, Section, Table
from medfm_gui.domain.units import plural
from medfm_gui.metrics.names import method_title, metric_title
from medfm_gui.workspace.class_sets import SetsOnTest
from medfm_gui.workspace.report_demographics import SMALLEST, WITHHELD, count_told
from medfm_gui.workspace.usefulness import UsefulnessFile, scale_sentence

_MEANING = (
    "Calibration-in-the-large is right at 0 (above: events are more frequent than said). The slope is right at 1 "
    "(below: the probabilities are too extreme). The expected calibration error is no headline: it grows with fewer "
    "cases. Predictive values follow from sensitivity and specificity at the locked threshold and a prevalence."
)
_THRESHOLDS = 5
"""At how many thresholds net benefit stands in the table; the chart has all."""
_NO_RANGE = (
    "Net benefit is told between two threshold probabilities that a person names; none were named for this report."
)
_NOT_BINARY = "Calibration in numbers and net benefit are told of tasks with two classes."
SETS = "Sets of classes: how often a set holds the true class, on the test set"


def usefulness_section(
    task: Task, rows: Sequence[Evaluation], told: UsefulnessFile | None, sets: Sequence[SetsOnTest] = ()
) -> Section:
    """Calibration of opened runs on the test, and the decision curve between two thresholds where they were named.

    Of a task with several classes, how often sets of classes hold the true one, where those were asked for.
    """
    if task is not Task.BINARY:
        return Section(Part.CALIBRATION.heading, (Paragraph(_NOT_BINARY), *sets_blocks(sets)))
    blocks = [*calibration_blocks(rows)]
    if told is None:
        return Section(Part.CALIBRATION.heading, (*blocks, Paragraph(_NO_RANGE, "small")))
    if told.withheld:
        blocks.append(Paragraph(told.withheld, "warning"))
    if told.charts:
        words = f"for {', '.join(told.runs)}, threshold probabilities {told.low:g} to {told.high:g}"
        blocks += [benefit_table(chart) for chart in told.charts]
        blocks.append(Charts(told.charts, tuple(f"{chart.title}, {words}." for chart in told.charts)))
    if told.distorted:
        runs = ", ".join(told.distorted)
        said = f"The training of {runs} weighed or drew the classes alike, which shifts probabilities."
        blocks.append(Paragraph(said, "warning"))
    return Section(Part.CALIBRATION.heading, tuple(blocks))


def benefit_table(chart: ChartSpec) -> Table:
    """The points of a decision curve at some of its thresholds, the first and the last among them."""
    runs = [series for series in chart.series if series.low]
    all_of_them = next(series for series in chart.series if len(series.x) == len(runs[0].x) and not series.low)
    places = sorted({round(part * (len(runs[0].x) - 1) / (_THRESHOLDS - 1)) for part in range(_THRESHOLDS)})
    rows = tuple(
        (
            f"{series.x[place]:.3f}",
            series.name,
            f"{series.y[place]:.4f} ({series.low[place]:.4f} to {series.high[place]:.4f})",
            f"{all_of_them.y[place]:.4f}",
        )
        for place in places
        for series in runs
    )
    header = ("Threshold probability", "Run", "Net benefit (95 % interval)", "of treating all")
    return Table("Net benefit; that of treating none is 0.", header, rows, (0, 3))


def calibration_blocks(rows: Sequence[Evaluation]) -> list[Block]:
    """A table of intercept, slope and ECE of each run, and how to read it."""
    header = ("Run", "Number", "Estimate (95 % interval)", "Method", "n", "events")
    cells = tuple(
        (
            row.run,
            metric_title(row.metric),
            _number(row),
            "–" if row.value is None else method_title(row.method),
            str(row.n),
            "–" if row.n_events is None else count_told(row.n_events, row.n),
        )
        for row in rows
    )
    notes = dict.fromkeys(row.note for row in rows if row.note)
    said = " ".join((scale_sentence(rows), _MEANING, *(f"{note[:1].upper()}{note[1:]}." for note in notes)))
    return [Table("Calibration on the test set.", header, cells, (4, 5)), Paragraph(said, "small")]


def sets_blocks(sets: Sequence[SetsOnTest]) -> list[Block]:
    """The coverage of sets of classes, what is promised of them and how large they are; why some runs have none."""
    made: list[Block] = []
    if any(one.by_class for one in sets):
        made.append(sets_table(sets))
    for note in dict.fromkeys(one.note for one in sets):
        alike = [one for one in sets if one.note == note]
        sizes = [f"{one.run} {one.size:.2f}" for one in alike if one.size is not None]
        size = f" Classes in a set on average: {', '.join(sizes)}." if sizes else ""
        made.append(Paragraph(f"{', '.join(one.run for one in alike)}: {note}{size}", "small"))
    return made


def sets_table(sets: Sequence[SetsOnTest]) -> Table:
    """A row a run and class; of a class with few units nothing is told."""
    rows = tuple(
        (
            row.run,
            row.label,
            _number(row) if row.n >= SMALLEST else WITHHELD,
            method_title(row.method),
            count_told(row.n),
        )
        for one in sets
        for row in one.by_class
    )
    unit = next((row.unit for one in sets for row in one.by_class), "unit")
    return Table(f"{SETS}.", ("Run", "Class", "Coverage (95 % interval)", "Method", plural(unit)), rows, (4,))


def _number(row: Evaluation) -> str:
    if row.value is None:
        return "withheld" if row.note.startswith("withheld") else "not estimable"
    if row.low is None or row.high is None:
        return f"{row.value:.3f}"
    return f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})"

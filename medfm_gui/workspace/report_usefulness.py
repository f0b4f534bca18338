"""The section on what the probabilities are worth: calibration in numbers, and net benefit where a range was named."""

from __future__ import annotations

from collections.abc import Sequence

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Block, Charts, Paragraph, Part, Section, Table
from medfm_gui.metrics.names import method_title, metric_title
from medfm_gui.workspace import usefulness
from medfm_gui.workspace.place import Workspace

_MEANING = (
    "Calibration-in-the-large is right at 0 (above: events are more frequent than said). The slope is right at 1 "
    "(below: the probabilities are too extreme). The expected calibration error is no headline: it grows with fewer "
    "cases."
)
_NO_RANGE = (
    "Net benefit is told between two threshold probabilities that a person names; none were named for this report."
)
_NOT_BINARY = "Calibration in numbers and net benefit are told of tasks with two classes."


def usefulness_section(
    workspace: Workspace,
    run_ids: Sequence[str],
    task: Task,
    *,
    between: tuple[float, float] | None = None,
    prevalence: float | None = None,
    keep: bool = True,
) -> Section:
    """Calibration of opened runs on the test, and the decision curve between two thresholds.

    Raises:
        UsageError: the range or the prevalence cannot be.
        InputError: a predictions file is damaged.
    """
    if task is not Task.BINARY:
        return Section(Part.CALIBRATION.heading, (Paragraph(_NOT_BINARY),))
    if between is None:
        rows = usefulness.calibration_table(workspace, run_ids)
        return Section(Part.CALIBRATION.heading, (*calibration_blocks(rows), Paragraph(_NO_RANGE, "small")))
    told = usefulness.usefulness_table(workspace, run_ids, *between, prevalence=prevalence, keep=keep)
    blocks = [*calibration_blocks(told.rows)]
    if told.withheld:
        blocks.append(Paragraph(told.withheld, "warning"))
    if told.charts:
        words = f"for {', '.join(told.runs)}, threshold probabilities {told.low:g} to {told.high:g}"
        blocks.append(Charts(told.charts, tuple(f"{chart.title}, {words}." for chart in told.charts)))
    if told.distorted:
        runs = ", ".join(told.distorted)
        said = f"The training of {runs} weighed or drew the classes alike, which shifts probabilities."
        blocks.append(Paragraph(said, "warning"))
    return Section(Part.CALIBRATION.heading, tuple(blocks))


def calibration_blocks(rows: Sequence[Evaluation]) -> list[Block]:
    """A table of intercept, slope and ECE of each run, and how to read it."""
    header = ("Run", "Number", "Estimate (95 % interval)", "Method", "n", "events")
    cells = tuple(
        (row.run, metric_title(row.metric), _number(row), method_title(row.method), str(row.n), str(row.n_events))
        for row in rows
    )
    notes = dict.fromkeys(row.note for row in rows if row.note)
    said = " ".join((_MEANING, *(f"{note[:1].upper()}{note[1:]}." for note in notes)))
    return [Table("Calibration on the test set.", header, cells, (4, 5)), Paragraph(said, "small")]


def _number(row: Evaluation) -> str:
    if row.value is None:
        return "withheld" if row.note.startswith("withheld") else "not estimable"
    if row.low is None or row.high is None:
        return f"{row.value:.3f}"
    return f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})"

"""A report of one or several runs whose test was opened: it reads what was stored and computes nothing anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medfm_gui import __version__
from medfm_gui.base import wire
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.report import Report, ReportFile, Section
from medfm_gui.metrics.names import metric_title
from medfm_gui.workspace import data, evaluating, training
from medfm_gui.workspace import report_sections as write
from medfm_gui.workspace.comparing import ComparisonOutcome, compare, title
from medfm_gui.workspace.errands import OnEvent
from medfm_gui.workspace.evaluating import EvaluationFile
from medfm_gui.workspace.examples import examples
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace, made_folder, now
from medfm_gui.workspace.training import RunView


def write_report(
    workspace: Workspace, run_ids: Sequence[str], *, out: Path | None = None, on_event: OnEvent | None = None
) -> ReportFile:
    """Write the PDF of runs; with several, the first is the reference of every comparison.

    Raises:
        SealError: the test of a run was not opened.
        DiskFull, InputError: the PDF cannot be written there.
    """
    from medfm_gui.reports.pdf import write_pdf

    report = build_report(workspace, run_ids, on_event=on_event)
    with made_folder(workspace.root / "reports", "report", counted=True) as folder:
        path = (out or folder / "report.pdf").expanduser().absolute()
        written = write_pdf(report, path)
        wire.write(folder / "report.json", report)
        wire.write(folder / "file.json", written)
    workspace.store.put_report(folder.name, report.title, report.created, written, list(run_ids))
    note(workspace, "report written", folder.name, sha256=written.sha256, runs=" ".join(run_ids))
    return written


def build_report(workspace: Workspace, run_ids: Sequence[str], *, on_event: OnEvent | None = None) -> Report:
    """What the report says, before it is paper."""
    if not run_ids:
        raise UsageError("No run is named.", "Name one or more runs; “medfm runs” lists them.")
    run_ids = tuple(dict.fromkeys(run_ids))
    views = [training.view(workspace, run_id) for run_id in run_ids]
    tests = [evaluating.opened(workspace, run_id) for run_id in run_ids]
    outcome = compare(workspace, run_ids) if len(run_ids) > 1 else None
    dataset = data.read(workspace, views[0].spec.dataset_id)
    (split,) = data.splits_of(workspace, views[0].spec.split_id)
    openings = [file for file in evaluating.every_opening(workspace) if file.sample_set == tests[0].sample_set]
    sections: list[Section] = [
        write.data_section(dataset, split),
        write.split_section(dataset, split),
        write.models_section(views),
        write.results_section(views, tests, _charts(workspace, views), [title(view) for view in views]),
    ]
    if outcome:
        sections.append(write.comparison_section(outcome.file, {view.id: title(view) for view in views}))
    sections.append(write.curves_section(views))
    pictures = examples(workspace, views, on_event=on_event)
    if pictures.pictures:
        sections.append(write.examples_section(pictures.pictures, len(pictures.explained) + 1, pictures.rule))
    sections.append(write.provenance_section(views, tests, openings, split))
    return Report(
        title="Comparison of adapted foundation models" if outcome else "Evaluation of an adapted foundation model",
        subtitle=f"{dataset.name}: {', '.join(dataset.classes)}",
        created=now(),
        summary=_summary(views, tests, outcome),
        sections=tuple(sections),
        attachments=write.attachments(workspace, dataset, split, views, tests),
        version=__version__,
    )


def _charts(workspace: Workspace, views: Sequence[RunView]) -> write.ResultCharts:
    owner = "+".join(view.id for view in views)
    shared = {chart.id: chart for chart in workspace.store.charts(owner)}
    own = {view.id: {chart.id: chart for chart in workspace.store.charts(view.id)} for view in views}
    first = own[views[0].id]
    roc = shared.get("roc") or first.get("roc")
    return write.ResultCharts(
        roc=roc,
        intervals=shared.get("intervals"),
        confusions=tuple(own[view.id]["confusion"] for view in views if "confusion" in own[view.id]),
    )


def _summary(views: Sequence[RunView], tests: Sequence[EvaluationFile], outcome: ComparisonOutcome | None) -> str:
    lines = []
    for view, test in zip(views, tests, strict=True):
        row = test.evaluations[0]
        lines.append(f"{title(view)}: {metric_title(row.metric)} {write.estimate(row)} ({row.n} {row.unit}s).")
    if outcome:
        lines.append(outcome.file.sentence)
    if any(view.spec.from_scratch for view in views):
        lines.append("Runs marked “from scratch” started from random weights, not from a pretrained model.")
    return " ".join(lines)

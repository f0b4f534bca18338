"""A report of one or several runs whose test was opened: it reads what was stored and computes nothing anew."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui import __version__
from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_file, atomic_write
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.report import OF_SEVERAL, Attachment, Outline, Part, Report, ReportFile, Section
from medfm_gui.domain.split import Split
from medfm_gui.metrics.names import metric_title
from medfm_gui.workspace import data, evaluating, flow, statements, training
from medfm_gui.workspace import report_sections as write
from medfm_gui.workspace.comparing import ComparisonFile, ComparisonOutcome, compare, side_by_side, title
from medfm_gui.workspace.errands import OnEvent
from medfm_gui.workspace.evaluating import EvaluationFile
from medfm_gui.workspace.evidence import attachments
from medfm_gui.workspace.examples import examples, kept_examples
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.ladder import ladder
from medfm_gui.workspace.place import Workspace, made_folder, now
from medfm_gui.workspace.report_card import CARD, Card, card_section, card_text, checked_card, model_card
from medfm_gui.workspace.report_ladder import ladder_section
from medfm_gui.workspace.report_limits import Limit, limitations, limitations_section
from medfm_gui.workspace.report_shortcuts import with_shortcuts
from medfm_gui.workspace.report_table import checked_table, table_text
from medfm_gui.workspace.report_usefulness import usefulness_section
from medfm_gui.workspace.roles import Standing, protocol_section, standing
from medfm_gui.workspace.shortcuts import ShortcutFile, shortcuts
from medfm_gui.workspace.sidebyside import finished_runs
from medfm_gui.workspace.training import RunView
from medfm_gui.workspace.usefulness import sampling_of
from medfm_gui.workspace.verifying import HEAD, journal_head


@dataclass(frozen=True, slots=True)
class FiledReport:
    """A report in the workspace: its id and its PDF."""

    id: str
    file: ReportFile


@dataclass(frozen=True, slots=True)
class Draft:
    """A report that is looked at before it is written: nothing of it goes into the workspace but heat maps.

    Args:
        scratch: a folder where what is costly is kept from one draft to the next.
        is_read_only: heat maps stay in the scratch folder too.
    """

    scratch: Path
    is_read_only: bool = False

    @property
    def pictures(self) -> Path | None:
        """Where new heat maps are kept; None for the run's folder."""
        return self.scratch / "examples" if self.is_read_only else None


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on while a report is made, and may end it.

    Args:
        on_event: what the worker says that draws heat maps.
        on_step: what is done next, in words; may raise to give up.
        stop: set from another thread to end the worker.
    """

    on_event: OnEvent | None = None
    on_step: Callable[[str], None] = lambda _: None
    stop: threading.Event | None = None


def write_report(
    workspace: Workspace,
    run_ids: Sequence[str],
    *,
    outline: Outline | None = None,
    out: Path | None = None,
    table: Path | None = None,
    card: Path | None = None,
    on_event: OnEvent | None = None,
) -> ReportFile:
    """Write the PDF of runs; with several, the first is the reference of every comparison.

    Args:
        table: also the results table, as ``.csv`` or ``.tex``.
        card: also the model card, as JSON.

    Raises:
        SealError: the test of a run was not opened.
        UsageError: the table's name ends otherwise, or a folder is named for a file.
        DiskFull, InputError: a file cannot be written there.
    """
    beside: dict[Path, str] = {}
    if table is not None or card is not None:
        outline, facts = outline or Outline(), _facts(workspace, run_ids, None, Watch())
        if table is not None:
            rows = [row for test in facts.tests for row in test.evaluations]
            path = checked_table(table)
            beside[path] = table_text(path, rows, {view.id: title(view) for view in facts.views})
        if card is not None:
            beside[checked_card(card)] = card_text(_card(facts, outline))
    written = file_report(workspace, run_ids, outline=outline, out=out, watch=Watch(on_event)).file
    for path, text in beside.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, text)
    return written


def file_report(
    workspace: Workspace,
    run_ids: Sequence[str],
    *,
    outline: Outline | None = None,
    out: Path | None = None,
    copy_to: Path | None = None,
    watch: Watch | None = None,
) -> FiledReport:
    """Write the PDF of runs into the workspace, or to ``out`` instead; ``copy_to`` gets the same bytes as well.

    Raises:
        SealError: the test of a run was not opened.
        DiskFull, InputError: a PDF cannot be written where it shall; nothing is filed then.
        Interrupted: the watch ended it.
    """
    from medfm_gui.reports.pdf import write_pdf

    watch = watch or Watch()
    if copy_to is not None and copy_to.is_dir():
        raise UsageError(f"“{copy_to}” is a folder.", "Name a file, e.g. report.pdf.")
    report = build_report(workspace, run_ids, outline=outline, watch=watch)
    watch.on_step("Setting the pages")
    # the copy gets its name last: where anything before that fails, what was there stays and nothing is filed
    with (
        atomic_file(copy_to) if copy_to is not None else contextlib.nullcontext() as copy,
        made_folder(workspace.root / "reports", "report", counted=True) as folder,
    ):
        path = (out or folder / "report.pdf").expanduser().absolute()
        written = write_pdf(report, path)
        if copy is not None:
            copy.write(path.read_bytes())
            copy.flush()
            os.fsync(copy.fileno())
        wire.write(folder / "report.json", report)
        wire.write(folder / "file.json", written)
        workspace.store.put_report(folder.name, report.title, report.created, written, list(dict.fromkeys(run_ids)))
    note(workspace, "report written", folder.name, sha256=written.sha256, runs=" ".join(run_ids))
    return FiledReport(folder.name, written)


def build_report(
    workspace: Workspace,
    run_ids: Sequence[str],
    *,
    outline: Outline | None = None,
    draft: Draft | None = None,
    watch: Watch | None = None,
) -> Report:
    """What the report says, before it is paper.

    Raises:
        SealError: the test of a run was not opened.
        UsageError, InputError: the runs do not belong into one report.
        Interrupted: the watch ended it.
    """
    watch, outline = watch or Watch(), outline or Outline()
    facts = _facts(workspace, run_ids, draft, watch)
    views, tests, dataset = facts.views, facts.tests, facts.dataset
    return Report(
        title=outline.title.strip() or usual_title(len(views)),
        subtitle=f"{dataset.name}: {', '.join(dataset.classes)}",
        created=now(),
        summary=_summary(views, tests, facts.outcome.file if facts.outcome else None),
        sections=_sections(facts, outline, draft, watch),
        attachments=_attachments(facts, outline) if outline.attachments else (),
        version=__version__,
    )


def must_draw(workspace: Workspace, run_ids: Sequence[str], draft: Draft) -> bool:
    """Whether a worker has to draw the heat maps of these runs before they can stand in a report."""
    views = [training.view(workspace, run_id) for run_id in dict.fromkeys(run_ids)]
    if not all(evaluating.evaluation_path(workspace, view.id).exists() for view in views):
        return False  # the report itself says what is missing
    return bool(views) and kept_examples(workspace, views, elsewhere=draft.pictures) is None


def usual_title(runs: int) -> str:
    """The title of a report that was given none."""
    return "Comparison of adapted foundation models" if runs > 1 else "Evaluation of an adapted foundation model"


@dataclass(frozen=True, slots=True)
class _Compared:
    """A comparison as a draft keeps it."""

    file: ComparisonFile
    charts: tuple[ChartSpec, ...]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the sections are made of."""

    workspace: Workspace
    views: Sequence[RunView]
    tests: Sequence[EvaluationFile]
    outcome: _Compared | None
    dataset: Dataset
    split: Split
    promised: Standing

    @property
    def openings(self) -> list[EvaluationFile]:
        """Every opening of these test images."""
        every = evaluating.every_opening(self.workspace)
        return [file for file in every if file.sample_set == self.tests[0].sample_set]


def _facts(workspace: Workspace, run_ids: Sequence[str], draft: Draft | None, watch: Watch) -> _Facts:
    if not run_ids:
        raise UsageError("No run is named.", "Name one or more runs; “medfm runs” lists them.")
    watch.on_step("Reading the runs")
    run_ids = tuple(dict.fromkeys(run_ids))
    views = [training.view(workspace, run_id) for run_id in run_ids]
    tests = [evaluating.opened(workspace, run_id) for run_id in run_ids]
    watch.on_step("Comparing the runs" if len(run_ids) > 1 else "Reading the data")
    outcome = _compared(workspace, run_ids, tests, draft) if len(run_ids) > 1 else None
    dataset = data.read(workspace, views[0].spec.dataset_id)
    (split,) = data.splits_of(workspace, views[0].spec.split_id)
    return _Facts(workspace, views, tests, outcome, dataset, split, standing(workspace, views))


def _limits(facts: _Facts) -> tuple[Limit, ...]:
    stated = sampling_of(facts.dataset)
    return limitations(facts.views, facts.tests, facts.dataset, facts.split, facts.openings, facts.promised, stated)


def _card(facts: _Facts, outline: Outline) -> Card:
    return model_card(
        facts.views,
        facts.tests,
        facts.dataset,
        facts.split,
        openings=len(facts.openings),
        limitations=_limits(facts),
        purpose=outline.purpose,
    )


def _compared(
    workspace: Workspace, run_ids: Sequence[str], tests: Sequence[EvaluationFile], draft: Draft | None
) -> _Compared:
    if draft is None:
        return _without_views(compare(workspace, run_ids))
    scores = [(test.run, test.predictions.sha256) for test in tests]
    kept = draft.scratch / f"compared-{hashlib.sha256(wire.canonical(scores)).hexdigest()[:16]}.json"
    if kept.exists():
        return wire.read(_Compared, kept)
    made = _without_views(side_by_side(workspace, run_ids))
    draft.scratch.mkdir(parents=True, exist_ok=True)
    wire.write(kept, made)
    return made


def _without_views(outcome: ComparisonOutcome) -> _Compared:
    return _Compared(outcome.file, outcome.charts)


def _sections(facts: _Facts, outline: Outline, draft: Draft | None, watch: Watch) -> tuple[Section, ...]:
    """The sections that are asked for, in their order, and at the end what was left out."""
    views, tests, outcome = facts.views, facts.tests, facts.outcome
    openings = facts.openings
    makers: dict[Part, Callable[[], Section | None]] = {
        Part.DATA: lambda: _data(facts),
        Part.SPLIT: lambda: write.split_section(facts.dataset, facts.split),
        Part.MODELS: lambda: write.models_section(views, facts.dataset),
        Part.RESULTS: lambda: write.results_section(
            views, tests, _charts(facts), [title(view) for view in views], facts.promised
        ),
        Part.CALIBRATION: lambda: usefulness_section(
            facts.workspace,
            [view.id for view in views],
            facts.dataset.task,
            between=outline.net_benefit,
            prevalence=outline.prevalence,
            keep=draft is None,
        ),
        Part.COMPARISON: lambda: (
            with_shortcuts(
                write.comparison_section(outcome.file, {view.id: title(view) for view in views}, facts.promised, views),
                _shortcuts(facts, draft),
            )
            if outcome
            else None
        ),
        Part.LADDER: lambda: _ladder(facts),
        Part.CURVES: lambda: write.curves_section(views),
        Part.EXAMPLES: lambda: _examples(facts, draft, watch),
        Part.LIMITATIONS: lambda: limitations_section(_limits(facts)),
        Part.CARD: lambda: card_section(_card(facts, outline)),
        Part.PROVENANCE: lambda: write.provenance_section(
            views, tests, openings, facts.split, _journal(facts.workspace)
        ),
    }
    made: list[Section | None] = [write.purpose_section(outline.purpose)] if outline.purpose.strip() else []
    made += [protocol_section(facts.promised)] if facts.promised.locked else []
    made += [makers[part]() for part in Part if part in outline.parts]
    left_out = [part.heading for part in Part if part not in outline.parts and (outcome or part not in OF_SEVERAL)]
    left_out += ["attached files"] if not outline.attachments else []
    if left_out:
        made.append(write.omissions_section(left_out, openings))
    return tuple(section for section in made if section)


def _data(facts: _Facts) -> Section:
    """The dataset with its statement and the flow of its images."""
    stated = statements.rows(statements.statement_of(facts.workspace, facts.dataset.id))
    found = flow.flow_of(facts.dataset, facts.split, flow.ancestors_of(facts.workspace, facts.dataset))
    return write.data_section(facts.dataset, facts.split, stated, flow.as_table(found))


def _shortcuts(facts: _Facts, draft: Draft | None) -> ShortcutFile:
    run_ids = [view.id for view in facts.views]
    if draft is None:
        return shortcuts(facts.workspace, run_ids)
    scores = [(test.run, test.predictions.sha256) for test in facts.tests]
    kept = draft.scratch / f"shortcuts-{hashlib.sha256(wire.canonical(scores)).hexdigest()[:16]}.json"
    if kept.exists():
        return wire.read(ShortcutFile, kept)
    made = shortcuts(facts.workspace, run_ids, keep=False)
    draft.scratch.mkdir(parents=True, exist_ok=True)
    wire.write(kept, made)
    return made


def _journal(workspace: Workspace) -> list[tuple[str, str]]:
    """What a later journal must agree with: the hash of its last line as it is now."""
    lines, head = journal_head(workspace)
    return [(HEAD, f"{head} (line {lines}; it detects accidental change)")] if head else []


def _attachments(facts: _Facts, outline: Outline) -> tuple[Attachment, ...]:
    made = attachments(
        facts.workspace,
        facts.dataset,
        facts.split,
        facts.views,
        facts.tests,
        comparison=facts.outcome.file if facts.outcome else None,
        protocol=facts.promised.locked,
    )
    text = card_text(_card(facts, outline))
    return (*made, Attachment(CARD, text, "The models: use, data, numbers, limitations"))


def _ladder(facts: _Facts) -> Section | None:
    """What the runs cost and how good they became, from the database."""
    if len(facts.views) < 2:
        return None
    names = {view.id: title(view) for view in facts.views}
    models = {view.spec.card.name: view.spec.card.title for view in facts.views}
    known = {run.row.id: run for run in finished_runs(facts.workspace)[0]}
    rows = ladder([known[view.id] for view in facts.views if view.id in known], names, models)
    return ladder_section(rows, names) if len(rows.rungs) > 1 else None


def _examples(facts: _Facts, draft: Draft | None, watch: Watch) -> Section | None:
    watch.on_step("Looking for heat maps")
    elsewhere = draft.pictures if draft else None
    pictures = examples(facts.workspace, facts.views, on_event=watch.on_event, stop=watch.stop, elsewhere=elsewhere)
    if not pictures.pictures:
        return None
    return write.examples_section(pictures.pictures, len(pictures.explained) + 1, pictures.rule)


def _charts(facts: _Facts) -> write.ResultCharts:
    store = facts.workspace.store
    shared = {chart.id: chart for chart in facts.outcome.charts} if facts.outcome else {}
    own = {view.id: {chart.id: chart for chart in store.charts(view.id)} for view in facts.views}
    return write.ResultCharts(
        roc=shared.get("roc") or own[facts.views[0].id].get("roc"),
        calibration=shared.get("calibration") or own[facts.views[0].id].get("calibration"),
        intervals=shared.get("intervals"),
        confusions=tuple(own[view.id]["confusion"] for view in facts.views if "confusion" in own[view.id]),
    )


def _summary(views: Sequence[RunView], tests: Sequence[EvaluationFile], compared: ComparisonFile | None) -> str:
    lines = []
    for view, test in zip(views, tests, strict=True):
        row = test.evaluations[0]
        lines.append(f"{title(view)}: {metric_title(row.metric)} {write.estimate(row)} ({row.n} {row.unit}s).")
    if compared:
        lines.extend(compared.sentence.splitlines())
    if any(view.spec.from_scratch for view in views):
        lines.append("Runs marked “from scratch” started from random weights, not from a pretrained model.")
    return " ".join(lines)

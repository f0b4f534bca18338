"""A report of one or several runs whose test was opened: it reads what was stored and computes nothing anew."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medfm_gui import __version__
from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_file, atomic_write
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.report import Attachment, Outline, Part, Report, ReportFile, Section
from medfm_gui.domain.split import Partition
from medfm_gui.workspace import evaluating, statements, training
from medfm_gui.workspace import report_folds as folded
from medfm_gui.workspace import report_parts as parts
from medfm_gui.workspace import report_sections as write
from medfm_gui.workspace.errands import OnEvent
from medfm_gui.workspace.evidence import attachments
from medfm_gui.workspace.evidence_folds import fold_files
from medfm_gui.workspace.evidence_numbers import contents_file, number_files
from medfm_gui.workspace.evidence_outside import outside_files
from medfm_gui.workspace.evidence_shortcuts import shortcut_files
from medfm_gui.workspace.evidence_study import study_file
from medfm_gui.workspace.examples import kept_examples
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.outside_looks import external_looks
from medfm_gui.workspace.place import Workspace, made_folder, now
from medfm_gui.workspace.report_card import CARD, Card, card_section, card_text, checked_card, model_card
from medfm_gui.workspace.report_charts import chart_files, charts_of
from medfm_gui.workspace.report_checklists import checklists_section, elsewhere_tests
from medfm_gui.workspace.report_facts import Draft, ReportFacts, Watch, gather
from medfm_gui.workspace.report_limits import Limit, limitations, limitations_section
from medfm_gui.workspace.report_numbers import ReportNumbers, numbers_of
from medfm_gui.workspace.report_permission import no_files, permission_of
from medfm_gui.workspace.report_places import without_places
from medfm_gui.workspace.report_preparation import with_preparation
from medfm_gui.workspace.report_provenance import (
    attached_blocks,
    environment_file,
    omissions_section,
    provenance_section,
)
from medfm_gui.workspace.report_rules import Known
from medfm_gui.workspace.report_shortcuts import with_shortcuts
from medfm_gui.workspace.report_subgroups import subgroups_section
from medfm_gui.workspace.report_table import checked_table, table_text
from medfm_gui.workspace.report_usefulness import usefulness_section
from medfm_gui.workspace.roles import protocol_section
from medfm_gui.workspace.usefulness import sampling_in
from medfm_gui.workspace.verifying import HEAD, journal_head


@dataclass(frozen=True, slots=True)
class FiledReport:
    """A report in the workspace: its id and its PDF."""

    id: str
    file: ReportFile


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
    beside = Beside(table, card)
    return file_report(workspace, run_ids, outline=outline, out=out, beside=beside, watch=Watch(on_event)).file


@dataclass(frozen=True, slots=True)
class Beside:
    """Files that are written beside a report: its results table (``.csv`` or ``.tex``), its model card (JSON)."""

    table: Path | None = None
    card: Path | None = None

    def texts(self, facts: ReportFacts, outline: Outline) -> dict[Path, str]:
        """What goes where.

        Raises:
            UsageError: the table's name ends otherwise, or a folder is named for a file.
        """
        made: dict[Path, str] = {}
        if self.table is not None:
            path = checked_table(self.table)
            rows = [row for test in facts.tests for row in test.evaluations]
            pairs = facts.outcome.file.pairs if facts.outcome is not None else ()
            made[path] = table_text(path, rows, facts.titles, pairs)
        if self.card is not None:
            made[checked_card(self.card)] = card_text(_card(facts, outline))
        return made


def file_report(
    workspace: Workspace,
    run_ids: Sequence[str],
    *,
    outline: Outline | None = None,
    out: Path | None = None,
    copy_to: Path | None = None,
    beside: Beside | None = None,
    watch: Watch | None = None,
) -> FiledReport:
    """Write the PDF of runs into the workspace, or to ``out`` instead; ``copy_to`` gets the same bytes as well.

    Raises:
        SealError: the test of a run was not opened.
        UsageError: a file cannot be named so.
        DiskFull, InputError: a PDF cannot be written where it shall; nothing is filed then.
        Interrupted: the watch ended it.
    """
    from medfm_gui.reports.pdf import write_pdf

    watch, outline = watch or Watch(), outline or Outline()
    for name in (out, copy_to):
        _check_name(name)
    facts = gather(workspace, run_ids, None, watch)
    texts = (beside or Beside()).texts(facts, outline)
    report = _built(facts, outline, watch)
    watch.on_step("Setting the pages")
    # the copy gets its name last: where anything before that fails, what was there stays and nothing is filed
    with (
        atomic_file(copy_to) if copy_to is not None else contextlib.nullcontext() as copy,
        made_folder(workspace.root / "reports", "report", counted=True) as folder,
    ):
        path = (out or folder / "report.pdf").expanduser().absolute()
        written = replace(write_pdf(report, path), runs=tuple(dict.fromkeys(run_ids)))
        if copy is not None:
            copy.write(path.read_bytes())
            copy.flush()
            os.fsync(copy.fileno())
        wire.write(folder / "report.json", report)
        wire.write(folder / "file.json", written)
        workspace.store.put_report(folder.name, report.title, report.created, written, written.runs)
    note(workspace, "report written", folder.name, sha256=written.sha256, runs=" ".join(run_ids))
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, text)
    return FiledReport(folder.name, written)


def _check_name(path: Path | None) -> None:
    """A PDF goes under the name of a PDF, so that it replaces no file of another kind."""
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"“{path}” is a folder.", "Name a file, e.g. report.pdf.")
    if path.suffix.lower() != ".pdf":
        raise UsageError(f"“{path.name}” is no name of a PDF.", "End its name in .pdf.")


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
    return _built(gather(workspace, run_ids, draft, watch), outline, watch)


def _built(facts: ReportFacts, outline: Outline, watch: Watch) -> Report:
    lost = folded.not_told(outline) if facts.folds is not None else ""
    outline = folded.without_one_test(outline) if facts.folds is not None else outline
    numbers, card = numbers_of(facts, outline), _card(facts, outline)
    sections = without_places(_sections(facts, outline, numbers, card, watch, lost), facts.workspace, facts.dataset)
    title, summary = outline.title.strip() or _usual(facts), parts.summary_of(facts)
    files: tuple[Attachment, ...] = ()
    if facts.permission.files(outline):
        files = _attachments(facts, outline, numbers, card, sections)
        sections = tuple(_with_files(section, files, sections) for section in sections)
        files = (*files, contents_file(title, summary, sections))
    return Report(
        title=title,
        subtitle=f"{facts.dataset.name}: {', '.join(facts.dataset.classes)}",
        created=now(),
        summary=summary,
        sections=sections,
        attachments=files,
        version=__version__,
    )


def must_draw(workspace: Workspace, run_ids: Sequence[str], draft: Draft, outline: Outline | None = None) -> bool:
    """Whether a worker has to draw the heat maps of these runs before they can stand in a report."""
    views = [training.view(workspace, run_id) for run_id in dict.fromkeys(run_ids)]
    if not views or not all(evaluating.evaluation_path(workspace, view.id).exists() for view in views):
        return False  # the report itself says what is missing
    stated = statements.statement_of(workspace, views[0].spec.dataset_id)
    if not permission_of(stated).pictures(outline or Outline()):
        return False
    return kept_examples(workspace, views, elsewhere=draft.pictures) is None


def _usual(facts: ReportFacts) -> str:
    return usual_title(len(facts.views)) if facts.folds is None else folded.TITLE


def usual_title(runs: int) -> str:
    """The title of a report that was given none."""
    return "Comparison of adapted foundation models" if runs > 1 else "Evaluation of an adapted foundation model"


def _outside(facts: ReportFacts) -> list[str]:
    """The runs whose external tests showed images of this test."""
    tested = set(facts.split.samples_in(Partition.TEST))
    pixels = {sample.pixels_sha256 for sample in facts.dataset.samples if sample.id in tested} - {""}
    return [entry.subject for entry in external_looks(facts.workspace, pixels)]


def _limits(facts: ReportFacts) -> tuple[Limit, ...]:
    stated, outside = sampling_in(facts.statement), _outside(facts)
    return limitations(
        facts.views, facts.tests, facts.dataset, facts.split, facts.openings, facts.promised, stated, outside,
        tuple(dict.fromkeys(one.name for one in facts.elsewhere)),
        folded.folds_limits(facts.folds.found, len(facts.openings)) if facts.folds is not None else (),
    )  # fmt: skip


def _card(facts: ReportFacts, outline: Outline) -> Card:
    made = _card_of(facts, outline)
    return made if facts.folds is None else replace(made, images={"in all folds": len(facts.dataset.samples)})


def _card_of(facts: ReportFacts, outline: Outline) -> Card:
    return model_card(
        facts.views,
        facts.tests,
        facts.dataset,
        facts.split,
        openings=len(facts.openings),
        limitations=_limits(facts),
        purpose=outline.purpose,
    )


def _sections(
    facts: ReportFacts, outline: Outline, numbers: ReportNumbers, card: Card, watch: Watch, lost: str
) -> tuple[Section, ...]:
    """The sections that are asked for, in their order, and at the end what was left out."""
    views, tests, outcome = facts.views, facts.tests, facts.outcome
    openings = facts.openings
    task = facts.dataset.task
    makers: dict[Part, Callable[[], Section | None]] = {
        Part.DATA: lambda: parts.data_part(facts),
        Part.SPLIT: lambda: parts.split_part(facts),
        Part.MODELS: lambda: with_preparation(write.models_section(views, facts.dataset), views, facts.split),
        Part.RESULTS: lambda: write.results_section(
            views, tests, parts.charts_part(facts), list(facts.titles.values()), facts.promised
        ),
        Part.CALIBRATION: lambda: usefulness_section(task, numbers.calibration, numbers.useful, numbers.sets),
        Part.COMPARISON: lambda: (
            with_shortcuts(
                write.comparison_section(outcome.file, facts.titles, facts.promised, views), numbers.shortcuts
            )
            if outcome and numbers.shortcuts
            else None
        ),
        Part.FOLDS: lambda: folded.folds_section(facts.folds.found, facts.promised, views) if facts.folds else None,
        Part.EXTERNAL: lambda: parts.outside_part(facts, outline),
        Part.SUBGROUPS: lambda: subgroups_section(numbers.parts, task),
        Part.LADDER: lambda: parts.ladder_part(facts),
        Part.CURVES: lambda: write.curves_section(views),
        Part.EXAMPLES: lambda: parts.examples_part(facts, outline, watch),
        Part.FAILURES: lambda: parts.failures_part(facts, outline, numbers),
        Part.LIMITATIONS: lambda: limitations_section(card.limitations),
        Part.CARD: lambda: card_section(card),
        Part.CHECKLISTS: lambda: checklists_section(_known(facts, outline, made)),
        Part.PROVENANCE: lambda: provenance_section(
            views, tests, openings, facts.split, _journal(facts.workspace), facts.folds.splits if facts.folds else ()
        ),
    }
    made: list[Section | None] = [write.purpose_section(outline.purpose)] if outline.purpose.strip() else []
    made += [protocol_section(facts.promised)] if facts.promised.locked else []
    for part in Part:
        if part in outline.parts:
            made.append(makers[part]())  # the checklists look at what was written before them
    left_out = parts.left_out(facts, outline, _no_files(facts, outline))
    left_out += [lost] if lost else []
    if left_out:
        made.append(omissions_section(left_out, openings, len(facts.folds.splits) if facts.folds else 0))
    return tuple(section for section in made if section)


def _known(facts: ReportFacts, outline: Outline, made: Sequence[Section | None]) -> Known:
    """What the rules of the checklists look at."""
    return Known(
        facts.views, facts.tests, facts.dataset, facts.split, facts.statement, facts.promised,
        sections=[section for section in made if section], parts=outline.parts, openings=len(facts.openings),
        attached=facts.permission.files(outline), purpose=outline.purpose,
        elsewhere=elsewhere_tests(facts.workspace, facts.views),
    )  # fmt: skip


def _no_files(facts: ReportFacts, outline: Outline) -> str:
    """What is said where no file travels in the report; empty where some do."""
    if facts.permission.files(outline):
        return ""
    return no_files(facts.permission) if outline.attachments is None else "attached files"


def _with_files(section: Section, files: Sequence[Attachment], sections: Sequence[Section]) -> Section:
    """Provenance with the hashes of what is attached; other sections as they are."""
    if section.title != Part.PROVENANCE.heading:
        return section
    return replace(section, blocks=(*section.blocks, *attached_blocks(files, sections)))


def _journal(workspace: Workspace) -> list[tuple[str, str]]:
    """What a later journal must agree with: the hash of its last line as it is now."""
    lines, head = journal_head(workspace)
    return [(HEAD, f"{head} (line {lines}; it detects accidental change)")] if head else []


def _attachments(
    facts: ReportFacts, outline: Outline, numbers: ReportNumbers, card: Card, sections: Sequence[Section]
) -> tuple[Attachment, ...]:
    made = attachments(
        facts.workspace,
        facts.dataset,
        facts.split,
        facts.views,
        facts.tests,
        comparison=facts.outcome.file if facts.outcome else None,
        protocol=facts.promised.locked,
        names=facts.names,
    )
    told = Attachment(CARD, card_text(card), "The models: use, data, numbers, limitations")
    charts = chart_files(charts_of(sections))
    cheap = shortcut_files(facts, numbers.shortcuts) if numbers.shortcuts is not None else []
    views = {view.id: view for view in facts.views}
    outside = outside_files(facts.workspace, parts.travelling(facts, outline), views, facts.names)
    folds = fold_files(facts.workspace, facts.dataset, facts.folds, facts.names) if facts.folds is not None else []
    more = [*folds, *outside, study_file(facts, outline, _outside(facts))]
    return (*made, *number_files(facts, numbers), *cheap, *more, told, environment_file(facts.views), *charts)

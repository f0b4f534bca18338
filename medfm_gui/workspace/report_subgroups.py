"""The numbers of a report by the values of covariates: those that a protocol declares, and those that a person names.

What was not declared before the test was opened is marked exploratory. Small groups tell no count.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from medfm_gui.domain.dataset import Sample, Task
from medfm_gui.domain.errors import NotFound, UsageError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Block, Charts, Paragraph, Part, Section, Table
from medfm_gui.domain.units import unit_title
from medfm_gui.metrics.names import method_title, metric_title
from medfm_gui.workspace import data, subgrouping
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.report_demographics import suppressed
from medfm_gui.workspace.report_facts import ReportFacts
from medfm_gui.workspace.report_sections import estimate
from medfm_gui.workspace.subgrouping import Interaction, SubgroupFile
from medfm_gui.workspace.training import view

_MOST_VALUES = 200
"""A covariate of more values names each image, and no group of them."""
_DATES = re.compile(r"date|birth|dob$|time$|timestamp")
_DAY = re.compile(r"(?:19|20)\d\d[-/.]?(?:0[1-9]|1[0-2])[-/.]?(?:0[1-9]|[12]\d|3[01])(?:\D.*)?")
_PERSONS = re.compile(r"patientid|patientname|^name$|^mrn$|accession|physician|operator|instanceuid|comment")
_MOST_GROUPS = 20
"""More groups than these are lesions or studies, not sites."""
_METRICS = ("auc", "sensitivity", "specificity")
_NONE_NAMED = (
    "No protocol declares a covariate for these runs and none was named for this report, so no number is told by "
    "subgroup."
)
_NOT_BINARY = "Subgroups are told of tasks with two classes; errors by covariate stand in the failure analysis."
_COUNTS = "Counts of 1 to 4 are not told, nor counts that would give them away; – stands for no estimate."


@dataclass(frozen=True, slots=True)
class Parts:
    """The subgroup files of a report, declared covariates that no test image has, and why others are kept back."""

    files: tuple[SubgroupFile, ...] = ()
    absent: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    kept_back: tuple[str, ...] = ()

    def is_declared(self, covariate: str) -> bool:
        """Whether a protocol that binds named it before the test was opened."""
        return covariate.casefold() in {name.casefold() for name in self.declared}


def parts_of(facts: ReportFacts, named: Sequence[str]) -> Parts:
    """The subgroups of these runs by declared covariates, then by those that are named.

    Raises:
        NotFound: no test image has a named covariate.
        UsageError: a named one holds dates, or names persons.
    """
    said = facts.promised
    declared = said.locked.protocol.subgroups if said.locked is not None and said.is_binding else ()
    if facts.dataset.task is not Task.BINARY:
        return Parts(declared=declared)
    known = {name.casefold(): name for sample in facts.dataset.samples for name in sample.covariates}
    asked = {known.get(name.strip().casefold(), name.strip()): None for name in (*declared, *named) if name.strip()}
    promised = {known.get(name.strip().casefold(), name.strip()) for name in declared}
    files, absent, kept_back = [], [], []
    for covariate in asked:
        values = {_value(sample, covariate) for sample in facts.dataset.samples}
        if reason := untold(covariate, values):
            if covariate not in promised:
                raise UsageError(reason, "Name another covariate.")
            kept_back.append(reason)
            continue
        try:
            files.append(_file(facts, covariate))
        except NotFound:
            if covariate not in promised:
                raise
            absent.append(covariate)
    return Parts(tuple(files), tuple(absent), tuple(promised), tuple(kept_back))


def untold(covariate: str, values: Collection[str]) -> str:
    """Why a report does not tell numbers by a covariate: it holds dates, or names persons; empty where it may."""
    plain = re.sub(r"[\W_]+", "", covariate.casefold())
    known = {value for value in values if value}
    if _DATES.search(plain) or (known and all(_DAY.fullmatch(value.strip()) for value in known)):
        return f"“{covariate}” holds dates, and a report tells no date of a patient."
    if _PERSONS.search(plain) or (covariate == subgrouping.GROUP and len(known) > _MOST_GROUPS):
        return f"“{covariate}” names persons or examinations, and a report tells none."
    return ""


def _value(sample: Sample, covariate: str) -> str:
    return sample.group or "" if covariate == subgrouping.GROUP else sample.covariates.get(covariate, "")


def named_covariates(workspace: Workspace, run_ids: Sequence[str]) -> tuple[str, ...]:
    """What a report of these runs can tell subgroups by; nothing of a task with several classes.

    Raises:
        SealError, UsageError, InputError: they do not belong into one report.
    """
    if view(workspace, run_ids[0]).spec.task is not Task.BINARY:
        return ()
    found = [one for one in subgrouping.covariates(workspace, run_ids) if one.n_values <= _MOST_VALUES]
    samples = data.read(workspace, view(workspace, run_ids[0]).spec.dataset_id).samples
    return tuple(
        one.name
        for one in found
        if one.n_values <= _MOST_VALUES and not untold(one.name, {_value(sample, one.name) for sample in samples})
    )


def _file(facts: ReportFacts, covariate: str) -> SubgroupFile:
    workspace, ids = facts.workspace, facts.found.ids
    if facts.draft is None:
        return subgrouping.subgroup_table(workspace, ids, covariate)
    return facts.draft.kept(
        SubgroupFile,
        "subgroups",
        [facts.key, covariate, facts.promised.locked.sha256 if facts.promised.locked else ""],
        lambda: subgrouping.subgroup_table(workspace, ids, covariate, keep=False),
    )


def subgroups_section(parts: Parts, task: Task) -> Section:
    """A table and a chart of each covariate, or why there is none."""
    if task is not Task.BINARY:
        return Section(Part.SUBGROUPS.heading, (Paragraph(_NOT_BINARY),))
    blocks: list[Block] = []
    for file in parts.files:
        blocks += _covariate(file, is_declared=parts.is_declared(file.covariate))
    blocks += [
        Paragraph(f"The protocol declares “{name}”, which no test image has.", "warning") for name in parts.absent
    ]
    blocks += [Paragraph(f"A declared covariate is kept back: {reason}", "warning") for reason in parts.kept_back]
    if parts.files:
        blocks.append(Paragraph(_COUNTS, "small"))
    return Section(Part.SUBGROUPS.heading, tuple(blocks) or (Paragraph(_NONE_NAMED),))


def _covariate(file: SubgroupFile, *, is_declared: bool) -> list[Block]:
    status = status_of(is_declared)
    caption = f"By {file.covariate}, by {unit_title(file.unit)} ({status})."
    table = Table(caption, HEADER, tuple(subgroup_rows(file)), (2, 3))
    blocks: list[Block] = [table]
    if file.chart.series:
        told = f"{file.chart.title} for {', '.join(file.runs)}, one interval a value; the numbers stand in the table."
        blocks.append(Charts((file.chart,), (told,)))
    blocks += interactions_table(file.covariate, file.interactions)
    return [*blocks, Paragraph(file.note, "small")]


def status_of(is_declared: bool) -> str:
    """What a table says of the covariate that it is by."""
    return "declared in the protocol" if is_declared else "exploratory"


def interactions_table(covariate: str, found: Sequence[Interaction]) -> list[Table]:
    """The tests of a declared covariate that could be made; nothing where there is none."""
    rows = tuple(
        (one.run, method_title(one.method), f"{one.statistic:.2f}", str(one.df), p_told(one.p), str(one.n))
        for one in found
        if one.p is not None and one.statistic is not None
    )
    caption = f"Whether the ROC-AUC is the same in all values of {covariate}."
    return [Table(caption, ("Run", "Test", "χ²", "df", "p", "n"), rows, (2, 3, 4, 5))] if rows else []


HEADER = ("Value", "Run", "n", "events", *(f"{metric_title(metric)} (95 % interval)" for metric in _METRICS))


def subgroup_rows(file: SubgroupFile, *, hide: bool = True) -> list[tuple[str, ...]]:
    """A row a value and run: value, run, n, events, then what is estimable; small counts are hidden if ``hide``."""
    rows = []
    told = {run: _counts(file, run, hide=hide) for run in file.runs}
    places = {(row.label, row.run, row.metric): row for row in file.rows}
    for value in file.values:
        for run in file.runs:
            if (value, run, _METRICS[0]) in places:
                numbers = (_cell(places.get((value, run, metric))) for metric in _METRICS)
                rows.append((value, run, *told[run][value], *numbers))
    return rows


def _counts(file: SubgroupFile, run: str, *, hide: bool) -> Mapping[str, tuple[str, str]]:
    """n and events of every value; hidden where few, where few have no event, and where a sum would tell."""
    rows = [row for row in file.rows if row.run == run and row.metric == _METRICS[0]]
    sizes, events = [row.n for row in rows], [row.n_events or 0 for row in rows]
    if not hide:
        return {row.label: (f"{n:,}", f"{of:,}") for row, n, of in zip(rows, sizes, events, strict=True)}
    few = [place for place, (n, of) in enumerate(zip(sizes, events, strict=True)) if n < 5 or 0 < n - of < 5]
    told_n, told_events = suppressed(sizes), suppressed(events, few)
    return {row.label: (told_n[place], told_events[place]) for place, row in enumerate(rows)}


def _cell(row: Evaluation | None) -> str:
    return "–" if row is None or row.value is None else estimate(row)


def p_told(value: float | None) -> str:
    """A p value with three digits."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"

"""Numbers of a report that are read beside its results: calibration and net benefit, subgroups, failures.

Each is computed once and goes to the pages and, where files travel in the report, into those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Block, Outline, Part
from medfm_gui.workspace.class_sets import SetsOnTest, sets_on_test
from medfm_gui.workspace.report_demographics import recorded
from medfm_gui.workspace.report_facts import ReportFacts, shortcuts_of
from medfm_gui.workspace.report_failures import failure_tables
from medfm_gui.workspace.report_subgroups import Parts, parts_of
from medfm_gui.workspace.shortcuts import ShortcutFile
from medfm_gui.workspace.subgrouping import grouping
from medfm_gui.workspace.usefulness import UsefulnessFile, sampling_in, stated_rows, usefulness_table

_MOST_COVARIATES = 6

Values = Mapping[str, Mapping[str, str]]
"""Of each covariate the value of every tested image, as it counts."""


@dataclass(frozen=True, slots=True)
class ReportNumbers:
    """What was computed for the sections that are asked for; ``useful`` is None where no range was named."""

    calibration: tuple[Evaluation, ...] = ()
    useful: UsefulnessFile | None = None
    parts: Parts = field(default_factory=Parts)
    values: Values = field(default_factory=dict)
    failures: tuple[Block, ...] = ()
    sets: tuple[SetsOnTest, ...] = ()
    shortcuts: ShortcutFile | None = None


def numbers_of(facts: ReportFacts, outline: Outline) -> ReportNumbers:
    """Compute what the sections of this outline need.

    Raises:
        UsageError: the range or the prevalence cannot be.
        NotFound: no test image has a named covariate.
    """
    calibration: tuple[Evaluation, ...] = ()
    useful, sets = None, _sets(facts, outline)
    if Part.CALIBRATION in outline.parts and facts.dataset.task is Task.BINARY:
        if outline.net_benefit is None:
            calibration = stated_rows(facts.found.runs, sampling_in(facts.statement))
        else:
            useful = _useful(facts, outline.net_benefit, outline.prevalence)
            calibration = useful.rows
    cheap = shortcuts_of(facts) if facts.outcome is not None and Part.COMPARISON in outline.parts else None
    parts = parts_of(facts, outline.subgroups) if Part.SUBGROUPS in outline.parts else Parts()
    if Part.FAILURES not in outline.parts:
        known = _values(facts, parts, known=False)
        return ReportNumbers(calibration, useful, parts, known, sets=sets, shortcuts=cheap)
    values = _values(facts, parts, known=True)
    tables = failure_tables(facts.found.runs, facts.names, values)
    return ReportNumbers(calibration, useful, parts, values, tuple(tables), sets, cheap)


def _sets(facts: ReportFacts, outline: Outline) -> tuple[SetsOnTest, ...]:
    """How often sets of classes hold the true one, where that is asked for here or in the settings."""
    wanted = facts.workspace.settings.class_sets if outline.class_sets is None else outline.class_sets
    if not wanted or Part.CALIBRATION not in outline.parts:
        return ()
    if facts.dataset.task not in (Task.MULTICLASS, Task.ORDINAL):
        return ()
    return sets_on_test(facts.workspace, facts.found.ids)


def _useful(facts: ReportFacts, between: tuple[float, float], prevalence: float | None) -> UsefulnessFile:
    def make() -> UsefulnessFile:
        return usefulness_table(
            facts.workspace, facts.found.ids, *between, prevalence=prevalence, keep=facts.draft is None
        )

    if facts.draft is None:
        return make()
    stated = sampling_in(facts.statement)
    key = [facts.key, *between, prevalence, stated.sampling, stated.prevalence]
    return facts.draft.kept(UsefulnessFile, "usefulness", key, make)


def _values(facts: ReportFacts, parts: Parts, *, known: bool) -> Values:
    """Of the covariates that subgroups are told by, and (``known``) of those that describe the partitions."""
    by_id = {sample.id: sample for sample in facts.dataset.samples}
    tested = [by_id[name] for name in facts.found.runs[0].images.samples]
    names = [file.covariate for file in parts.files]
    names += [name for name in (recorded(tested) if known else ()) if name not in names]
    found: dict[str, dict[str, str]] = {}
    for name in names[: max(_MOST_COVARIATES, len(parts.files))]:
        told = grouping(name, tested)
        values = {sample.id: told(sample) for sample in tested}
        if len(set(values.values())) > 1:
            found[name] = values
    return found

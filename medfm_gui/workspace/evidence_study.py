"""The file of a report that carries what its sections tell of dataset, split and runs beside the predictions.

From it, the split and the predictions those sections can be made again. It holds counts and settings: no sample, no
place of this computer, no date of a patient.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset, Sample, Skipped, Statement, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Calibrator
from medfm_gui.domain.events import EpochFinished
from medfm_gui.domain.protocol import LockedProtocol
from medfm_gui.domain.report import Attachment, Outline
from medfm_gui.domain.run import FileRef, RunState
from medfm_gui.domain.split import Assignment, Certificate, Leak, LeakKind, Partition, Split
from medfm_gui.workspace.evaluating import EvaluationFile, calibrator
from medfm_gui.workspace.evidence_split import SplitRow
from medfm_gui.workspace.flow import Flow, ancestors_of, divided, flow_of
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_checklists import elsewhere_tests
from medfm_gui.workspace.report_facts import ReportFacts
from medfm_gui.workspace.report_limits import sources_of
from medfm_gui.workspace.report_places import cleaner
from medfm_gui.workspace.report_rules import site_names
from medfm_gui.workspace.report_sections import LOSSES
from medfm_gui.workspace.roles import Standing

STUDY = "study.json"
_MOST = 2_000_000
"""A foreign file may name any number; so many skipped files or pairs at most are believed."""


@dataclass(frozen=True, slots=True)
class ToldDataset:
    """A dataset without its samples; ``steps`` of its flow end where it was divided."""

    id: str
    name: str
    layout: str
    task: Task
    classes: tuple[str, ...]
    fingerprint: str
    flow: Flow
    positive: str | None = None
    taken: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    skipped: int = 0
    statement: Statement = field(default_factory=Statement)


@dataclass(frozen=True, slots=True)
class ToldSplit:
    """A split without its samples: leaks are counted by their kind."""

    id: str
    rule: str
    seed: int
    fingerprint: str
    leaks: Mapping[LeakKind, int] = field(default_factory=dict)
    suspects: int = 0
    acceptance: str | None = None
    dropped: int = 0
    fold: int | None = None
    warnings: tuple[str, ...] = ()
    certificate: Certificate | None = None
    as_published: bool = False


@dataclass(frozen=True, slots=True)
class ToldRun:
    """How a run ended, with its curve; its calibrator where it has one."""

    run: str
    state: RunState
    calibrator: Calibrator | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One opening of this test set."""

    opened: str
    run: str
    reason: str
    sample_set: str = ""
    """Of a report over folds, whose tests are several; empty where there is one test."""


@dataclass(frozen=True, slots=True)
class Study:
    """``outside`` are runs whose external tests showed some of these images; ``objection`` is of the protocol."""

    dataset: ToldDataset
    split: ToldSplit
    runs: tuple[ToldRun, ...]
    openings: tuple[Look, ...] = ()
    outside: tuple[str, ...] = ()
    objection: str = ""
    departures: tuple[str, ...] = ()
    purpose: str = ""
    sources: Mapping[str, int] | None = None
    """How many sites and scanners the images name, by the title of their limitation; 2 stands for any more."""
    elsewhere: int | None = None
    """How many tests of these runs on other datasets are stored."""
    site_names: tuple[str, ...] | None = None
    """Covariates that name a site."""
    folds: tuple[ToldSplit, ...] = ()
    """Of a report over folds the split of each; ``split`` is the first of them."""

    def standing(self, locked: LockedProtocol | None) -> Standing:
        """What the attached protocol says of these runs."""
        return Standing(locked, self.objection, self.departures, bool(self.folds))


def study_file(facts: ReportFacts, outline: Outline, outside: Sequence[str] = ()) -> Attachment:
    """What the sections tell of dataset, split and runs, without places of this computer."""
    dataset, split, promised = facts.dataset, facts.split, facts.promised
    flow = flow_of(dataset, None, ancestors_of(facts.workspace, dataset))
    study = Study(
        dataset=ToldDataset(
            dataset.id, dataset.name, dataset.layout, dataset.task, dataset.classes, dataset.fingerprint,
            flow, dataset.positive, dataset.taken, dataset.warnings, len(dataset.skipped), facts.statement,
        ),
        split=_told_split(split),
        runs=tuple(ToldRun(view.id, told_state(view.state), calibrator(view.folder)) for view in facts.views),
        openings=tuple(
            Look(one.opened, one.run, one.reason, one.sample_set if facts.folds else "") for one in facts.openings
        ),
        outside=tuple(outside),
        objection=promised.objection,
        departures=promised.departures,
        purpose=outline.purpose,
        sources=sources_of(dataset),
        elsewhere=elsewhere_tests(facts.workspace, facts.views),
        site_names=site_names(dataset),
        folds=tuple(map(_told_split, facts.folds.splits)) if facts.folds else (),
    )  # fmt: skip
    clean = cleaner(facts.workspace, dataset)
    text = json.dumps(_cleaned(wire.plain(study), clean), separators=(",", ":"))
    return Attachment(STUDY, text, "Dataset, split and runs as the sections tell them; no sample")


def _told_split(split: Split) -> ToldSplit:
    return ToldSplit(
        split.id, split.rule, split.seed, split.fingerprint, Counter(leak.kind for leak in split.leaks),
        len(split.certificate.suspects) if split.certificate else 0, split.acceptance, len(split.dropped),
        split.fold, split.warnings, _without_samples(split.certificate), split.as_published,
    )  # fmt: skip


def _without_samples(found: Certificate | None) -> Certificate | None:
    return replace(found, leaks=(), suspects=()) if found is not None else None


def told_state(state: RunState) -> RunState:
    """What sections and charts tell of how a run ended, and its validation; no word that a worker said on the way."""
    curve = tuple(
        EpochFinished(0.0, one.epoch, 0, {key: one.metrics[key] for key in LOSSES if key in one.metrics})
        for one in state.curve
    )
    return RunState(
        phase=state.phase, curve=curve, metrics=state.metrics, seconds=state.seconds,
        trained_parameters=state.trained_parameters, device=state.device, files=state.files,
        labels_used=state.labels_used, peak_memory_bytes=state.peak_memory_bytes,
    )  # fmt: skip


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): _cleaned(item, clean) for key, item in value.items()}
    return [_cleaned(item, clean) for item in value] if isinstance(value, list) else value


def dataset_of(study: Study, rows: Sequence[SplitRow]) -> Dataset:
    """A dataset of the attached rows; a sample's covariates are what its unit counts as.

    Raises:
        InputError: the file tells a number that cannot be, or classes that do not fit its task.
    """
    told = study.dataset
    if not 0 <= told.skipped <= _MOST:
        raise InputError(
            f"The attached {STUDY} names {told.skipped} skipped files.", "It was changed; ask for it again."
        )
    samples = tuple(
        Sample(row.sample, "", row.target, row.patient or None, pixels_sha256=row.pixels, covariates=row.covariates)
        for row in rows
    )
    return Dataset(
        told.id, told.name, told.layout, told.task, told.classes, "", samples, told.fingerprint, told.positive,
        taken=told.taken, warnings=told.warnings, skipped=(Skipped("", ""),) * told.skipped, statement=told.statement,
    )  # fmt: skip


def split_of(study: Study, rows: Sequence[SplitRow]) -> Split:
    """The split of the attached rows; its leaks are as many as were told, of nobody.

    Raises:
        InputError: the file tells a number that cannot be.
        SplitError: train or test is empty.
    """
    return _split_of(study, study.split, rows)


def folds_of(study: Study, rows: Mapping[str, Sequence[SplitRow]]) -> tuple[Split, ...]:
    """The splits of all folds, of the rows of each by its id; none of a report of one test.

    Raises:
        InputError: rows of a fold are missing, or as ``split_of``.
        SplitError: train or test of one is empty.
    """
    lost = [told.id for told in study.folds if told.id not in rows]
    if lost:
        raise InputError(f"The report does not carry the split {', '.join(lost)}.", "Ask for the whole file.")
    return tuple(_split_of(study, told, rows[told.id]) for told in study.folds)


def _split_of(study: Study, told: ToldSplit, rows: Sequence[SplitRow]) -> Split:
    if not all(0 <= number <= _MOST for number in (told.dropped, *told.leaks.values())):
        raise InputError(f"The attached {STUDY} names numbers that cannot be.", "It was changed; ask for it again.")
    leaks = tuple(leak for kind, number in told.leaks.items() for leak in (Leak(kind, "", ""),) * number)
    return Split(
        told.id, study.dataset.id, study.dataset.fingerprint, told.rule, told.seed,
        tuple(Assignment(row.sample, Partition(row.partition), row.sample) for row in rows if row.partition),
        told.fingerprint, leaks=leaks, acceptance=told.acceptance, dropped=("",) * told.dropped, fold=told.fold,
        warnings=told.warnings, certificate=told.certificate, as_published=told.as_published,
    )  # fmt: skip


def flow_again(study: Study, dataset: Dataset, split: Split) -> Flow:
    """The flow with the partitions counted again."""
    return divided(study.dataset.flow, dataset, split)


def ended(study: Study, runs: Sequence[OpenedRun], folder: Path) -> tuple[OpenedRun, ...]:
    """The runs as they ended, each with a folder for threshold and calibrator; its name is none of the file's."""
    told = {one.run: one for one in study.runs}
    found = []
    for number, run in enumerate(runs):
        one = told.get(run.view.id)
        own = folder / f"{number}"
        own.mkdir()
        if run.point is not None:
            wire.write(own / "operating_point.json", run.point)
        if one is not None and one.calibrator is not None:
            wire.write(own / "calibrator.json", one.calibrator)
        state = one.state if one is not None else run.view.state
        found.append(replace(run, view=replace(run.view, state=state, folder=own)))
    return tuple(found)


def openings_of(study: Study, sample_set: str) -> tuple[EvaluationFile, ...]:
    """The openings of this test set, without their numbers."""
    return tuple(
        EvaluationFile(one.run, "test", one.opened, one.reason, one.sample_set or sample_set, FileRef("", ""), ())
        for one in study.openings
    )

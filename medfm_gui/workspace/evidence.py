"""The files that travel inside a report, from which a reader can compute its numbers again; and reading them back.

No place of this computer and no patient is in them: orders carry hashes for paths, and the patients of the test are
numbered anew in every report, in the order in which they come; samples are named anew in every report as well.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from medfm_gui.base import wire
from medfm_gui.datasets.units import unit_names
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Calibrator, Evaluation, OperatingPoint
from medfm_gui.domain.protocol import LockedProtocol
from medfm_gui.domain.report import Attachment
from medfm_gui.domain.run import FileRef, Phase, RunState, TrainSpec
from medfm_gui.domain.split import Split
from medfm_gui.domain.units import unit_word
from medfm_gui.workspace.class_sets import SetsOnTest
from medfm_gui.workspace.comparing import ComparisonFile, title
from medfm_gui.workspace.evaluating import EvaluationFile, calibrator, operating_point, test_predictions
from medfm_gui.workspace.evidence_folds import FoldEvidence, read_folds, rows_of_folds
from medfm_gui.workspace.evidence_numbers import (
    CLASS_SETS,
    CONTENTS,
    SUBGROUPS,
    USEFULNESS,
    VALUES,
    WITHOUT,
    Contents,
    Told,
    Usefulness,
    Without,
    values_of,
)
from medfm_gui.workspace.evidence_outside import read_outside
from medfm_gui.workspace.evidence_shortcuts import BASELINES, SHORTCUTS, Baselines, baselines_of
from medfm_gui.workspace.evidence_split import SPLIT, SplitRow, holds_counts, split_rows, split_text
from medfm_gui.workspace.evidence_study import STUDY, Study
from medfm_gui.workspace.evidence_units import unit_columns, units_of_columns
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.portable import without_places
from medfm_gui.workspace.report_names import ReportNames, patient_numbers
from medfm_gui.workspace.report_numbers import Values
from medfm_gui.workspace.report_outside import OutsideTest
from medfm_gui.workspace.report_sections import label_text
from medfm_gui.workspace.scores import read_scores
from medfm_gui.workspace.shortcuts import ShortcutFile
from medfm_gui.workspace.spreadsheet import guarded
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored

T = TypeVar("T")
RUNS, RESULTS, OUTCOMES = "runs.json", "results.json", "outcomes.json"
COMPARISON, PROTOCOL = "comparison.json", "protocol.json"
PREDICTIONS = "predictions-{run}.csv"
NEEDED = (RUNS, RESULTS, OUTCOMES, SPLIT)
"""Without these files of a report none of its numbers can be computed again."""
_FIRST = ("sample", "patient", "label", "target")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run ended with: validation metrics, the files it wrote (name → SHA-256), its locked threshold, its unit.

    ``knows_patients``: the dataset tells which images are of one patient.
    """

    run: str
    metrics: Mapping[str, float]
    files: Mapping[str, str]
    point: OperatingPoint | None
    unit: str
    device: str
    code_version: str
    predictions_sha256: str
    knows_patients: bool
    opened: str = ""
    reason: str = ""
    calibrator: Calibrator | None = None


def attachments(
    workspace: Workspace,
    dataset: Dataset,
    split: Split,
    views: Sequence[RunView],
    tests: Sequence[EvaluationFile],
    *,
    comparison: ComparisonFile | None = None,
    protocol: LockedProtocol | None = None,
    names: ReportNames | None = None,
) -> tuple[Attachment, ...]:
    """What lets a reader trace the numbers: orders, results, outcomes, split and predictions, without patients.

    Samples bear other names in every call, or ``names``: the same in split and predictions.
    """
    names = names or ReportNames()
    alias, knows_patients = names.sample, dataset.n_patients is not None
    made = [
        Attachment(RUNS, _json([wire.plain(without_places(view.spec)) for view in views]), "The orders of the runs"),
        Attachment(
            RESULTS,
            _json([wire.plain(row) for test in tests for row in test.evaluations]),
            "Every number of this report",
        ),
        Attachment(
            OUTCOMES,
            _json([wire.plain(_outcome(view, test, knows_patients)) for view, test in zip(views, tests, strict=True)]),
            "What the runs ended with: validation, files, thresholds",
        ),
        Attachment(
            SPLIT, _sides(workspace, dataset, split, views, names), "Every image: partition, counts", "text/csv"
        ),
    ]
    if comparison is not None:
        made.append(Attachment(COMPARISON, _json(wire.plain(comparison)), "The paired comparisons"))
    if protocol is not None:
        made.append(Attachment(PROTOCOL, _json(wire.plain(protocol)), "The locked protocol"))
    by_id = {sample.id: sample for sample in dataset.samples}
    units = tuple(dict.fromkeys(unit_word(view.spec.recipe.counted) for view in views))
    for view in views:
        text = _predictions(workspace, dataset, by_id, view.id, alias, units, knows_patients=knows_patients)
        made.append(Attachment(PREDICTIONS.format(run=view.id), text, f"Test predictions of {view.id}", "text/csv"))
    return tuple(made)


def _json(value: object) -> str:
    return json.dumps(value, indent=1)


def _outcome(view: RunView, test: EvaluationFile, knows_patients: bool) -> Outcome:
    return Outcome(
        run=view.id,
        metrics=dict(view.state.metrics),
        files=dict(view.state.files),
        point=operating_point(view.folder),
        unit=view.spec.recipe.counted,
        device=view.state.device,
        code_version=view.spec.code_version,
        predictions_sha256=test.predictions.sha256,
        knows_patients=knows_patients,
        opened=test.opened,
        reason=test.reason,
        calibrator=calibrator(view.folder),
    )


def _sides(workspace: Workspace, dataset: Dataset, split: Split, views: Sequence[RunView], names: ReportNames) -> str:
    tested, _ = read_scores(test_predictions(workspace, views[0].id))
    return split_text(dataset, split, names, tested)


def _predictions(
    workspace: Workspace,
    dataset: Dataset,
    by_id: Mapping[str, Sample],
    run: str,
    alias: Callable[[str], str],
    units: Sequence[str],
    *,
    knows_patients: bool,
) -> str:
    """Sample, number of its patient, label, target as stored, one column a class (digits enough for the same float).

    ``by_id`` are the samples of the dataset; empty patients where it knows none. Of ``units`` that are neither images
    nor patients a last column each numbers the one of the sample, empty where it is unknown.
    """
    samples, scores = read_scores(test_predictions(workspace, run))
    found = [by_id[name] for name in samples]
    # a sample without a patient among others that have one counts as a patient of its own
    who = [sample.patient if sample.patient is not None else f"image {sample.id}" for sample in found]
    numbers = patient_numbers(who) if knows_patients else dict.fromkeys(who, "")
    groups = unit_columns(unit_names(dataset, found), units)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_FIRST, *map(guarded, dataset.classes), *groups])
    for place, (sample, patient, row) in enumerate(zip(found, who, scores.tolist(), strict=True)):
        said = guarded(label_text(dataset, sample.target))
        cells = (alias(sample.id), numbers[patient], said, "|".join(map(str, sample.target)))
        writer.writerow([*cells, *(f"{value:.9g}" for value in row), *(of[place] for of in groups.values())])
    return text.getvalue()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The files of a report, read back and checked for their form."""

    specs: tuple[TrainSpec, ...]
    rows: tuple[Evaluation, ...]
    outcomes: tuple[Outcome, ...]
    pixels: Mapping[str, str]
    """Pixel hash of each tested sample of the split."""
    predictions: Mapping[str, str]
    comparison: ComparisonFile | None = None
    protocol: LockedProtocol | None = None
    usefulness: Usefulness | None = None
    without: tuple[Without, ...] = ()
    subgroups: tuple[Told, ...] = ()
    values: Values = field(default_factory=dict)
    contents: Contents | None = None
    class_sets: tuple[SetsOnTest, ...] = ()
    split: tuple[SplitRow, ...] = ()
    has_counts: bool = False
    """Whether the split carries what the counts are made of; those of earlier versions do not."""
    study: Study | None = None
    shortcuts: ShortcutFile | None = None
    baselines: Baselines = field(default_factory=dict)
    folds: FoldEvidence | None = None
    fold_splits: Mapping[str, tuple[SplitRow, ...]] = field(default_factory=dict)
    """Of a report over folds the rows of each further split, by its id."""
    outside: tuple[OutsideTest, ...] = ()
    outside_tables: Mapping[str, str] = field(default_factory=dict)


def read_evidence(files: Mapping[str, bytes]) -> Evidence:
    """What was attached to a report.

    Raises:
        InputError: a file is missing, or is not what its name says.
    """
    missing = [name for name in NEEDED if name not in files]
    if missing:
        raise InputError(
            f"The report does not carry {', '.join(missing)}, so its numbers cannot be computed again.",
            "Write it with its files attached (--attachments).",
        )
    specs = wire.decode(tuple[TrainSpec, ...], files[RUNS], what=f"The attached {RUNS}")
    wanted = {spec.run: PREDICTIONS.format(run=spec.run) for spec in specs}
    lost = [name for name in wanted.values() if name not in files]
    if lost or not specs:
        raise InputError(f"The report does not carry {', '.join(lost) or 'any run'}.", "Ask for the whole file.")
    sides = _text(files[SPLIT], SPLIT)
    rows, folds = split_rows(sides), rows_of_folds(files)
    return Evidence(
        specs=specs,
        rows=wire.decode(tuple[Evaluation, ...], files[RESULTS], what=f"The attached {RESULTS}"),
        outcomes=wire.decode(tuple[Outcome, ...], files[OUTCOMES], what=f"The attached {OUTCOMES}"),
        pixels={row.sample: row.pixels for of in (rows, *folds.values()) for row in of if of is rows or row.pixels},
        predictions={run: _text(files[name], name) for run, name in wanted.items()},
        comparison=_decoded(ComparisonFile, files, COMPARISON),
        protocol=_decoded(LockedProtocol, files, PROTOCOL),
        usefulness=_decoded(Usefulness, files, USEFULNESS),
        without=_decoded(tuple[Without, ...], files, WITHOUT) or (),
        subgroups=_decoded(tuple[Told, ...], files, SUBGROUPS) or (),
        values=values_of(_text(files[VALUES], VALUES)) if VALUES in files else {},
        contents=_decoded(Contents, files, CONTENTS),
        class_sets=_decoded(tuple[SetsOnTest, ...], files, CLASS_SETS) or (),
        split=rows,
        has_counts=holds_counts(sides),
        study=_decoded(Study, files, STUDY),
        shortcuts=_decoded(ShortcutFile, files, SHORTCUTS),
        baselines=baselines_of(_text(files[BASELINES], BASELINES)) if BASELINES in files else {},
        folds=read_folds(files),
        fold_splits=folds,
        outside=(outside := read_outside(files)),
        outside_tables={one.table: _text(files[one.table], one.table) for one in outside if one.table},
    )


def _decoded(kind: type[T], files: Mapping[str, bytes], name: str) -> T | None:
    return wire.decode(kind, files[name], what=f"The attached {name}") if name in files else None


def _text(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"The attached {name} is no text.", "It was changed; ask for the file again.") from error


def scored_of(text: str, spec: TrainSpec, *, knows_patients: bool) -> Scored:
    """The attached predictions of a run, joined with reference and patients.

    Raises:
        InputError: the table is not what was written.
    """
    from medfm_gui.metrics.scored import Scored

    name = PREDICTIONS.format(run=spec.run)
    rows = list(csv.reader(io.StringIO(text)))
    head = [*_FIRST, *map(guarded, spec.classes)]
    units = units_of_columns(rows[0][len(head) :]) if rows else ()
    if units is None or not rows or rows[0][: len(head)] != head or any(len(row) != len(rows[0]) for row in rows):
        raise InputError(f"The attached {name} is no table of predictions.", "It was changed; ask for the file again.")
    try:
        targets = np.array([[int(part) for part in row[3].split("|")] for row in rows[1:]], np.int64)
        scores = np.array([[float(value) for value in row[4 : len(head)]] for row in rows[1:]], np.float32)
        return Scored(
            samples=tuple(row[0] for row in rows[1:]),
            targets=targets if spec.task is Task.MULTILABEL else targets[:, 0],
            scores=scores.astype(np.float64),
            patients=tuple(row[1] for row in rows[1:]) if knows_patients else None,
            task=spec.task,
            classes=spec.classes,
            positive=spec.positive,
            groups={unit: tuple(row[len(head) + at] for row in rows[1:]) for at, unit in enumerate(units)},
        )
    except (ValueError, IndexError) as error:
        raise InputError(
            f"The attached {name} holds what is no number ({error}).", "It was changed; ask for the file again."
        ) from error


def runs_of(held: Evidence) -> tuple[OpenedRun, ...]:
    """The runs of a report as opened ones, their images in the order of the first run's.

    Raises:
        InputError: predictions are not what was written, or of other images.
        KeyError: nothing is told of a run.
    """
    outcomes = {one.run: one for one in held.outcomes}
    known: Scored | None = None
    found = []
    for spec in held.specs:
        outcome = outcomes[spec.run]
        own = scored_of(held.predictions[spec.run], spec, knows_patients=outcome.knows_patients)
        if known is not None and held.folds is None:  # each fold has a test of its own
            places = {name: place for place, name in enumerate(own.samples)}
            if set(places) != set(known.samples):
                raise InputError("The attached predictions are of different images.", "Ask for the file again.")
            own = replace(known, scores=own.scores[[places[name] for name in known.samples]])
        known = known or own
        rows = tuple(row for row in held.rows if row.run == spec.run)
        left = next((one for one in held.without if one.run == spec.run), None)
        test = EvaluationFile(
            spec.run, "test", outcome.opened, outcome.reason, rows[0].sample_set if rows else "",
            FileRef("", outcome.predictions_sha256), rows, *((left.flagged, left.rows) if left else ()),
        )  # fmt: skip
        view = RunView(spec.run, spec, RunState(Phase.FINISHED, metrics=dict(outcome.metrics)), Path())
        found.append(
            OpenedRun(view, test, title(view), own, own.by_unit(outcome.unit), outcome.point, outcome.calibrator)
        )
    return tuple(found)

"""Human readers beside models: their points on the ROC, their agreement, and where they differ.

A reader decides (a class) or rates from 1 to 5 how sure he is of the positive class; from 3 on counts as positive.
A model is compared with a reader at the reader's own specificity, on the units that he read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.datasets.targets import samples_of
from medfm_gui.datasets.units import names_of
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, NotFound, SealError, UsageError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.split import Partition
from medfm_gui.domain.units import IMAGE, counted
from medfm_gui.metrics.rules import CODE_VERSION
from medfm_gui.workspace import data
from medfm_gui.workspace.external import split_of
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.opened_runs import OpenedRun, opened_tests, read_opened
from medfm_gui.workspace.outside_table import PATIENT, Placed, column, placed
from medfm_gui.workspace.place import Workspace, now
from medfm_gui.workspace.sealing import sealed_splits

if TYPE_CHECKING:
    from medfm_gui.metrics.arrays import Codes, Flags, Floats
    from medfm_gui.metrics.scored import Scored

DATASET, MAJORITY = "dataset", "majority"
"""Reference rules besides the name of a reader (an adjudicator)."""
POSITIVE_FROM = 3
_READER = ("reader", "reader_id", "rater", "observer")
_DECISION = ("decision", "read", "label", "call")
_RATING = ("rating", "confidence", "likert")
_YES, _NO = ("1", "yes", "true", "positive"), ("0", "no", "false", "negative")
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Read:
    """One reader on one image: ``positive``, and ``rating`` 1 … 5 or 0 where he only decided."""

    reader: str
    sample: str
    positive: bool
    rating: int = 0


@dataclass(frozen=True, slots=True)
class ReadsFile:
    """``readers/<id>.json``: the reads of a table; ``unit`` is patient where the table names patients."""

    id: str
    dataset: str
    dataset_fingerprint: str
    split: str
    unit: str
    imported: str
    source_sha256: str
    reads: tuple[Read, ...]

    @property
    def readers(self) -> tuple[str, ...]:
        """Their names, in the order of the table."""
        return tuple(dict.fromkeys(read.reader for read in self.reads))


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A unit that readers, or readers and the reference, see differently: who called it positive, who negative."""

    unit: str
    reference: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReaderTable:
    """Readers against a reference, each other, and runs (``pairs``: a run minus a reader at his specificity)."""

    reads: str
    reference: str
    evaluations: tuple[Evaluation, ...]
    agreement: tuple[Evaluation, ...]
    pairs: tuple[Comparison, ...]
    disagreements: tuple[Disagreement, ...]
    chart: ChartSpec
    note: str


def import_reads(workspace: Workspace, file: Path, *, dataset_id: str, split_id: str | None = None) -> ReadsFile:
    """Keep the reads of a table (reader, sample or path or patient, decision or rating) of a split's test images.

    Raises:
        InputError: a row of no test image, a read twice, a decision that is no class, a rating outside 1 … 5.
        UsageError: the dataset does not have two classes.
    """
    dataset = data.read(workspace, dataset_id)
    if dataset.task is not Task.BINARY:
        raise UsageError(
            f"“{dataset.id}” is {dataset.task.value}; readers are compared on two classes.",
            "Import the dataset with the finding that was read as its label.",
        )
    split = split_of(workspace, dataset, split_id)
    table = placed(workspace, dataset, file)
    reads = _reads(table, dataset, set(split.samples_in(Partition.TEST)))
    sha256 = sha256_file(file.expanduser())
    unit = "patient" if table.by.casefold() in PATIENT else IMAGE
    name = hashlib.sha256(wire.canonical([dataset.fingerprint, split.fingerprint, sha256])).hexdigest()[:12]
    found = ReadsFile(f"reads-{name}", dataset.id, dataset.fingerprint, split.id, unit, now(), sha256, tuple(reads))
    wire.write(_path(workspace, found.id), found)
    note(workspace, "reads imported", found.id, dataset=dataset.id, readers=str(len(found.readers)), sha256=sha256)
    return found


def reads_of(workspace: Workspace, reads_id: str) -> ReadsFile:
    """Reads that were imported.

    Raises:
        NotFound: there are none of that id.
    """
    path = _path(workspace, reads_id)
    if Path(reads_id).name != reads_id or not path.exists():
        raise NotFound(f"There are no reads “{reads_id}”.", "Import them: “medfm import-reads FILE.csv”.")
    return wire.read(ReadsFile, path)


def _path(workspace: Workspace, reads_id: str) -> Path:
    return workspace.root / "readers" / f"{reads_id}.json"


def _reads(given: Placed, dataset: Dataset, test: set[str]) -> list[Read]:
    table = given.table
    who, said, rated = (column(table, names) for names in (_READER, _DECISION, _RATING))
    if not who or not (said or rated):
        raise InputError(
            f"“{table.path.name}” needs a column “reader” and one of “decision” or “rating”; it has "
            f"{', '.join(table.columns)}.",
            "Name the columns so.",
        )
    readers, cells = table.column(who), table.column(said or rated)
    found: dict[tuple[str, str], Read] = {}
    faults: list[str] = []
    for place, (reader, cell, samples) in enumerate(zip(readers, cells, given.rows, strict=True)):
        name = " ".join(reader.split())
        read = _decided(cell, dataset) if said else _rated(cell)
        inside = [sample for sample in samples if sample in test]
        if not name or read is None or not inside or any((name, sample) in found for sample in inside):
            why = "names no reader" if not name else f"“{cell[:40]}” is no read" if read is None else ""
            faults.append(f"{given.where(place)} ({why or ('is read twice' if inside else 'is no test image')})")
            continue
        for sample in inside:
            found[name, sample] = Read(name, sample, *read)
    if faults or not found:
        raise InputError(
            f"{counted(len(faults), 'row')} of “{table.path.name}” cannot be taken: {', '.join(faults[:_NAMED])}"
            f"{f' and {len(faults) - _NAMED:,} more' if len(faults) > _NAMED else ''}.",
            f"Give each reader one read a test image: {', '.join(dataset.classes)} or 0/1, or a rating 1 to 5.",
        )
    return list(found.values())


def _decided(cell: str, dataset: Dataset) -> tuple[bool, int] | None:
    text = cell.strip().casefold()
    for name in dataset.classes:
        if text == name.casefold():
            return name == dataset.positive, 0
    return (True, 0) if text in _YES else (False, 0) if text in _NO else None


def _rated(cell: str) -> tuple[bool, int] | None:
    text = cell.strip()
    return (int(text) >= POSITIVE_FROM, int(text)) if text in ("1", "2", "3", "4", "5") else None


# -- the numbers


@dataclass(frozen=True, slots=True, eq=False)
class _Board:
    """Reads as columns: ``calls`` and ``ratings`` are (readers, n); ``truth`` is (n,), -1 where there is none."""

    units: Scored
    readers: tuple[str, ...]
    calls: Codes
    ratings: Codes
    truth: Codes


def reader_table(
    workspace: Workspace, reads_id: str, run_ids: Sequence[str] = (), *, reference: str = DATASET
) -> ReaderTable:
    """Each reader's sensitivity and specificity, agreement, runs at his specificity, and what is seen differently.

    Args:
        run_ids: runs whose test is open, of the same split.
        reference: ``dataset`` (its labels), ``majority`` (of the readers, ties left out), or a reader's name.

    Raises:
        NotFound: no such reads, no such reader.
        SealError: the test of a run was not opened, or the readers' own is sealed and its labels are the reference.
        InputError, UsageError: a run was tested on other images.
    """
    file = reads_of(workspace, reads_id)
    dataset = data.read(workspace, file.dataset)
    if reference == DATASET and file.split in sealed_splits(workspace, file.dataset):
        raise SealError(
            f"The reads are kept ({file.id}), and the test of {file.split} is sealed: held against its labels, they "
            "would show them.",
            "Open it first: “medfm evaluate RUN --open-test REASON”; or judge them by their --reference majority.",
        )
    board = _board(dataset, file, reference)
    runs: tuple[OpenedRun, ...] = ()
    if run_ids:
        tests = opened_tests(workspace, run_ids)
        if tests.views[0].spec.dataset_fingerprint != file.dataset_fingerprint:
            raise InputError("The runs were tested on other data than was read.", "Choose runs of that dataset.")
        runs = read_opened(workspace, tests).runs
    judged = [place for place, name in enumerate(board.readers) if name != reference]
    pairs = [pair for run in runs for place in judged if (pair := _against(run, board, place, file.unit))]
    from medfm_gui.metrics.compare import adjust_holm

    said = "Runs are set to the reader's specificity on the units that were read: their threshold was chosen on these."
    if reference == MAJORITY:
        said += " The reference is the readers' own majority, which flatters each of them."
    return ReaderTable(
        file.id, reference, tuple(row for place in judged for row in _shares(board, place, file, dataset)),
        _agreement(board, file, dataset), adjust_holm(pairs), _differing(board, dataset),
        _chart(runs, board, judged, file.unit),
        said if runs or reference == MAJORITY else "",
    )  # fmt: skip


def _board(dataset: Dataset, file: ReadsFile, reference: str) -> _Board:
    from medfm_gui.metrics.agreement import UNREAD, majority
    from medfm_gui.workspace.scores import scored

    samples = tuple(dict.fromkeys(read.sample for read in file.reads))
    if reference not in (DATASET, MAJORITY, *file.readers):
        raise NotFound(
            f"There is no reader “{reference}”.", f"Use {DATASET}, {MAJORITY}, or one of {', '.join(file.readers)}."
        )
    blank = np.full((len(samples), 2), 0.5, np.float32)
    units = scored(dataset, samples, blank).by_unit(file.unit)
    names = units.samples
    of = dict(zip(samples, names_of(dataset, samples_of(dataset, samples), file.unit), strict=True))
    place = {name: number for number, name in enumerate(names)}
    calls = np.full((len(file.readers), len(names)), UNREAD, np.intp)
    ratings = np.zeros_like(calls)
    for read in file.reads:
        at = file.readers.index(read.reader), place[of[read.sample]]
        calls[at], ratings[at] = int(read.positive), read.rating
    truth = units.events.astype(np.intp)
    if reference == MAJORITY:
        truth = majority(calls, 2) if len(calls) > 1 else calls[0]
    elif reference != DATASET:
        truth = calls[file.readers.index(reference)]
    return _Board(units, file.readers, calls, ratings, truth)


def _shares(board: _Board, place: int, file: ReadsFile, dataset: Dataset) -> list[Evaluation]:
    from medfm_gui.metrics.proportions import share_among

    sample_set = _read_set(dataset, file, board.readers[place])
    calls, who = board.calls[place], board.units.clusters
    read = (calls >= 0) & (board.truth >= 0)
    rows = []
    for metric, among, right in (
        ("sensitivity", read & (board.truth == 1), calls == 1),
        ("specificity", read & (board.truth == 0), calls == 0),
    ):
        found = share_among(right, among, who)
        rows.append(
            Evaluation(
                run=f"reader:{board.readers[place]}", subset="test", metric=metric, value=found.estimate,
                low=found.low, high=found.high, method=found.method, unit=file.unit, n=found.n,
                n_patients=None if board.units.patients is None else who.taken(among).count,
                n_events=int((read & (board.truth == 1)).sum()), sample_set=sample_set, note=found.note,
                code_version=CODE_VERSION,
            )
        )  # fmt: skip
    return rows


def _read_set(dataset: Dataset, file: ReadsFile, reader: str = "") -> str:
    """The hash of the images that a reader read, or that anybody read."""
    from medfm_gui.datasets.split import sample_set_hash

    return sample_set_hash(dataset, dict.fromkeys(read.sample for read in file.reads if reader in ("", read.reader)))


def _agreement(board: _Board, file: ReadsFile, dataset: Dataset) -> tuple[Evaluation, ...]:
    from medfm_gui.metrics import agreement

    if len(board.readers) < 2:
        return ()
    patients, sample_set = board.units.patients, _read_set(dataset, file)
    found = [
        ("kappa_fleiss", agreement.fleiss_kappa(board.calls, 2, groups=patients)),
        ("alpha_krippendorff", agreement.krippendorff_alpha(board.calls, 2, groups=patients)),
    ]
    if len(board.readers) == 2:
        found.insert(0, ("kappa_cohen", agreement.cohen_kappa(board.calls, 2, groups=patients)))
    if (board.ratings > 0).any():
        ordinal = agreement.krippendorff_alpha(board.ratings - 1, 5, level="ordinal", groups=patients)
        found.append(("alpha_krippendorff_ordinal", ordinal))
    return tuple(
        Evaluation(
            run="readers", subset="test", metric=metric, value=one.estimate, low=one.low, high=one.high,
            method=one.method, unit=file.unit, n=one.n, n_patients=board.units.n_patients, n_events=None,
            sample_set=sample_set, note=one.note, code_version=CODE_VERSION,
        )
        for metric, one in found
    )  # fmt: skip


def _against(run: OpenedRun, board: _Board, place: int, unit: str) -> Comparison | None:
    """The run's sensitivity minus the reader's, the run at the highest sensitivity that keeps his specificity."""
    from medfm_gui.metrics.proportions import paired_shares

    scores, known = _scores(run, board, unit)
    calls = board.calls[place]
    read = (calls >= 0) & (board.truth >= 0) & known
    events, others = read & (board.truth == 1), read & (board.truth == 0)
    if not events.any() or not others.any():
        return None
    kept = float((calls[others] == 0).mean())
    limit = _threshold(scores[others], kept)
    test = paired_shares(scores > limit, calls == 1, events, board.units.clusters)
    return Comparison(
        a=run.view.id, b=f"reader:{board.readers[place]}", metric="sensitivity", difference=test.difference,
        low=test.low, high=test.high, test=test.method, p=test.p_value, p_adjusted=None, n=test.n, note=test.note,
        parameters={"unit": unit, "at_specificity": f"{kept:.6g}", "run_specificity":
                    f"{float((scores[others] <= limit).mean()):.6g}", "threshold": repr(limit)},
    )  # fmt: skip


def _threshold(others: Floats, kept: float) -> float:
    """The lowest limit that at least that share of the units without the event does not exceed."""
    ordered = np.sort(others)
    needed = int(np.ceil(kept * len(ordered) - 1e-9))
    return float(ordered[needed - 1]) if needed else float(np.nextafter(ordered[0], -np.inf))


def _scores(run: OpenedRun, board: _Board, unit: str) -> tuple[Floats, Flags]:
    units = run.images.by_unit(unit)
    place = {name: number for number, name in enumerate(units.samples)}
    found = np.full(len(board.units), np.nan)
    for number, name in enumerate(board.units.samples):
        if name in place:
            found[number] = units.event_scores[place[name]]
    return found, np.isfinite(found)


def _differing(board: _Board, dataset: Dataset) -> tuple[Disagreement, ...]:
    names = {0: next(name for name in dataset.classes if name != dataset.positive), 1: dataset.positive or "", -1: ""}
    found = []
    for number, unit in enumerate(board.units.samples):
        column_ = board.calls[:, number]
        positive = tuple(name for name, call in zip(board.readers, column_, strict=True) if call == 1)
        negative = tuple(name for name, call in zip(board.readers, column_, strict=True) if call == 0)
        wrong = negative if board.truth[number] == 1 else positive if board.truth[number] == 0 else ()
        if (positive and negative) or wrong:
            found.append(Disagreement(unit, names[int(board.truth[number])], positive, negative))
    return tuple(found)


def _chart(runs: Sequence[OpenedRun], board: _Board, judged: Sequence[int], unit: str) -> ChartSpec:
    """ROC curves of the runs on the units that were read, and a point for each reader (each cut, where he rated)."""
    from medfm_gui.metrics.curves import roc_points

    series = []
    truth_known = board.truth >= 0
    for run in runs:
        scores, known = _scores(run, board, unit)
        used = known & truth_known
        x, y = roc_points(board.truth[used] == 1, scores[used])
        series.append(
            Series(run.name, tuple(map(float, x)), tuple(map(float, y)), family=run.drawn[1], style=run.drawn[2])
        )
    for place in judged:
        read = (board.calls[place] >= 0) & truth_known
        rated = board.ratings[place]
        cuts = [rated >= cut for cut in (2, 3, 4, 5)] if (rated[read] > 0).all() else [board.calls[place] == 1]
        events, others = read & (board.truth == 1), read & (board.truth == 0)
        if events.any() and others.any():
            points = sorted((float(cut[others].mean()), float(cut[events].mean())) for cut in cuts)
            series.append(
                Series(f"reader {board.readers[place]}", tuple(x for x, _ in points), tuple(y for _, y in points),
                       markers=True, joined=False)
            )  # fmt: skip
    return ChartSpec(
        "roc-readers", "lines", "ROC and readers", "1 − specificity", "sensitivity", tuple(series),
        x_range=(0.0, 1.0), y_range=(0.0, 1.0), diagonal=True, note="Readers are points; they are not joined.",
    )  # fmt: skip

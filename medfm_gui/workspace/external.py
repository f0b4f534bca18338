"""Another system's predictions as a run: a table of probabilities joins comparisons and reports as any run does.

No model comes with it, so nothing can be predicted or explained by it. Reading it opens the test, which is journalled.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from medfm_gui import __version__
from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write, sha256_file
from medfm_gui.datasets.units import check_unit
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import BackboneCard, Family, WeightsSource
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import EXTERNAL, FileRef, TrainSpec
from medfm_gui.domain.split import Partition, Split
from medfm_gui.domain.units import counted, unit_parts
from medfm_gui.metrics.rules import CODE_VERSION
from medfm_gui.workspace import data, evaluating, training
from medfm_gui.workspace.evaluating import EvaluationFile
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.outside_table import PATH, PATIENT, SAMPLE, Placed, column, placed
from medfm_gui.workspace.place import Workspace, made_folder, now, slug
from medfm_gui.workspace.scores import scored
from medfm_gui.workspace.threshold import promised_rule, rule_for
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    from medfm_gui.datasets.table import Table

_ALONE = ("score", "prob", "probability", "prediction")
_PREFIXES = ("", "prob_", "prob ", "score_", "score ", "p_")
_BESIDE = ("subset", "label", "partition", "fold", "split", "age", "target", "reference", "threshold")
"""Columns that people leave in such a table and that are no probabilities of a class."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class ExternalRun:
    """What was made of a table: the run, its opened test, and what has to be known of it (units left out, failed)."""

    view: RunView
    test: EvaluationFile
    remarks: tuple[str, ...]


def import_predictions(
    workspace: Workspace,
    file: Path,
    *,
    name: str,
    dataset_id: str,
    split_id: str | None = None,
    unit: str = "image",
    threshold: float | None = None,
    reason: str = "",
) -> ExternalRun:
    """Make a finished run with an open test of a table of probabilities.

    The table has a column ``sample``, ``path`` or ``patient`` and one column a class (``score`` alone: the positive
    class). Rows of validation images, where there are any, choose the threshold, unless one is given: by the rule
    that the locked protocol of these data names, else by Youden's, which the run keeps as chosen by nobody.

    Raises:
        InputError: rows of no sample of the dataset, a sample twice, cells that are no probabilities, no test row.
        NotFound: no such dataset or split.
        UsageError: the name is empty, or the threshold lies outside 0 … 1.
    """
    title = " ".join(name.split())[:80]
    if not title:
        raise UsageError("The external system has no name.", "Name it with --name.")
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError("The threshold lies outside 0 … 1.", "Give a probability.")
    dataset = data.read(workspace, dataset_id)
    check_unit(dataset, unit)
    split = split_of(workspace, dataset, split_id)
    table = placed(workspace, dataset, file)
    rows, remarks = _rows(table, dataset)
    if unread := _unread(table, dataset):
        remarks.append(f"not read: {', '.join(f'“{one[:60]}”' for one in unread[:_NAMED])}")
    test = split.samples_in(Partition.TEST)
    if not any(sample in rows for sample in test):
        raise InputError(f"No row of “{file.name}” is of a test image of {split.id}.", "Choose another split.")
    lacking = sum(sample not in rows for sample in test)
    if lacking:
        remarks.append(f"{lacking} of {len(test)} test images are not in the table and count as failed")
    known = set(test) | set(split.samples_in(Partition.VAL))
    if others := sum(sample not in known for sample in rows):
        remarks.append(f"{others} images of other partitions are left aside")
    val = [sample for sample in split.samples_in(Partition.VAL) if sample in rows]
    rule, chosen_by = rule_for(dataset.task, {}, {}, promised_rule(workspace, dataset.id, split.id)[0])
    point = _point(dataset, _taken(rows, val, dataset), val, unit, threshold, rule)
    why = reason.strip() or f"predictions of the external system “{title}” were imported"
    note(workspace, "test opened", f"external {slug(title)}", reason=why, sha256=sha256_file(file.expanduser()))
    scores = {Partition.TEST: (test, _taken(rows, test, dataset)), Partition.VAL: (val, _taken(rows, val, dataset))}
    order = _order(workspace, title, dataset, split, unit)
    if point is not None and threshold is None:
        order = replace(order, recipe=replace(order.recipe, threshold_rule=rule), threshold_from=chosen_by)
    view, opened = _filed(workspace, order, scores, point, why, dataset, file)
    return ExternalRun(view, opened, tuple(remarks))


def split_of(workspace: Workspace, dataset: Dataset, split_id: str | None) -> Split:
    """The split of that id, else the newest.

    Raises:
        NotFound, InputError, UsageError: there is none, it is of other data, or it has several folds.
    """
    name = split_id or data.newest_split(workspace, dataset.id)
    if name is None:
        raise InputError(f"“{dataset.id}” has no split.", f"Make one first: “medfm split {dataset.id}”.")
    found = data.splits_of(workspace, name)
    if len(found) > 1:
        raise UsageError(f"{name} has {len(found)} folds.", f"Name one of them, e.g. {found[0].id}.")
    if found[0].dataset_fingerprint != dataset.fingerprint:
        raise InputError(f"The split “{name}” belongs to other data than “{dataset.id}”.", "Choose another split.")
    return found[0]


# -- the table


def _rows(given: Placed, dataset: Dataset) -> tuple[dict[str, tuple[float, ...]], list[str]]:
    """Probabilities by sample; a row with an empty cell is a failed unit (NaN)."""
    read = _reader(given.table, dataset)
    found: dict[str, tuple[float, ...]] = {}
    twice: list[str] = []
    wrong: list[str] = []
    failed = 0
    for place, (cells, samples) in enumerate(zip(given.table.rows, given.rows, strict=True)):
        values = [_probability(cells[column]) for column in read]
        if None in values:
            wrong.append(given.where(place))
            continue
        row = tuple(float("nan") if value is None else value for value in values)
        if len(row) == 1:
            row = (1 - row[0], row[0]) if dataset.positive_index == 1 else (row[0], 1 - row[0])
        if all(map(math.isfinite, row)) and dataset.task is not Task.MULTILABEL and abs(sum(row) - 1) > 0.01:
            wrong.append(given.where(place))
            continue
        failed += not all(map(math.isfinite, row))
        for sample in samples:
            if sample in found:
                twice.append(f"{sample} ({given.where(place)})")
            found[sample] = row
    name = given.table.path.name
    if twice:
        raise InputError(
            f"“{name}” names {counted(len(twice), 'image')} twice: {', '.join(twice[:_NAMED])}.",
            "Keep one row for each.",
        )
    if wrong:
        rule = "each from 0 to 1" + (", adding up to 1" if dataset.task is not Task.MULTILABEL else "")
        raise InputError(
            f"{counted(len(wrong), 'row')} of “{name}” with no probabilities: {', '.join(wrong[:_NAMED])}.",
            f"Give one probability a class, {rule}; leave a cell empty where the system failed.",
        )
    return found, [f"{counted(failed, 'row')} without a score: counted as failed"] if failed else []


def _reader(table: Table, dataset: Dataset) -> tuple[int, ...]:
    """The places of the columns with the probabilities, in the order of the classes, or of the one score."""
    wanted = [[f"{prefix}{name}" for prefix in _PREFIXES] for name in dataset.classes]
    named = [column(table, names) for names in wanted]
    if all(named):
        return tuple(table.columns.index(name) for name in named)
    if dataset.task is Task.BINARY:
        positive = dataset.positive_index or 0
        if alone := named[positive] or column(table, _ALONE):
            return (table.columns.index(alone),)
    lacking = [name for name, place in zip(dataset.classes, named, strict=True) if not place]
    raise InputError(
        f"“{table.path.name}” has no column for {', '.join(lacking[:_NAMED])}; it has {', '.join(table.columns[:20])}.",
        "Give one column a class, named as the class" + (", or “score”." if dataset.task is Task.BINARY else "."),
    )


def _unread(given: Placed, dataset: Dataset) -> list[str]:
    """Columns beside the one score of a binary table that could be meant as classes: what they hold has no effect."""
    table, read = given.table, _reader(given.table, dataset)
    if len(read) > 1:
        return []
    known = {*SAMPLE, *PATH, *PATIENT, *_BESIDE, *_ALONE, given.by.casefold()}
    known |= {f"{prefix}{name}".casefold() for prefix in _PREFIXES for name in dataset.classes}
    return [
        name
        for place, name in enumerate(table.columns)
        if place not in read
        and name.casefold().strip() not in known
        and all(_probability(cells[place]) is not None for cells in table.rows)
    ]


def _probability(cell: str) -> float | None:
    """A number from 0 to 1; NaN for an empty cell; None for anything else."""
    text = cell.strip()
    if text.casefold() in ("", "nan", "na", "n/a", "none", "null"):
        return float("nan")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def _taken(rows: Mapping[str, tuple[float, ...]], samples: Sequence[str], dataset: Dataset) -> npt.NDArray[np.float32]:
    failed = (float("nan"),) * len(dataset.classes)
    return np.array([rows.get(sample, failed) for sample in samples], np.float32).reshape(-1, len(dataset.classes))


def _point(
    dataset: Dataset,
    scores: npt.NDArray[np.float32],
    val: Sequence[str],
    unit: str,
    threshold: float | None,
    rule: str,
) -> OperatingPoint | None:
    from medfm_gui.metrics.threshold import fit_operating_point

    if dataset.task is not Task.BINARY or dataset.positive is None:
        return None
    if threshold is not None:
        return OperatingPoint(threshold, "as given", "val", unit, dataset.positive, "given with the table")
    if not np.isfinite(scores).all(axis=1).any():
        return None
    return fit_operating_point(scored(dataset, val, scores), rule, fitted_on="val", unit=unit)


# -- the run


def _order(workspace: Workspace, title: str, dataset: Dataset, split: Split, unit: str) -> TrainSpec:
    folder, split_file = workspace.dataset(dataset.id), workspace.split(split.id)
    return TrainSpec(
        run="",
        dataset=FileRef(str(folder / "manifest.json"), sha256_file(folder / "manifest.json")),
        split=FileRef(str(split_file), sha256_file(split_file)),
        pixels=str(folder / "pixels"),
        features=str(workspace.root / "features"),
        card=_card(title),
        adapt=EXTERNAL,
        recipe=Recipe(unit=unit_parts(unit)[0], unit_score=unit_parts(unit)[1]),
        seed=0,
        device="auto",
        weights=None,
        created=now(),
        code_version=__version__,
        dataset_id=dataset.id,
        dataset_fingerprint=dataset.fingerprint,
        split_id=split.id,
        split_fingerprint=split.fingerprint,
        task=dataset.task,
        classes=dataset.classes,
        positive=dataset.positive,
        fold=split.fold,
    )


def _card(title: str) -> BackboneCard:
    return BackboneCard(
        name=f"{EXTERNAL}:{slug(title)}", title=title, family=Family.BASELINE, arch="", entry="", plugin=EXTERNAL,
        plugin_folder="", pretraining="unknown", pretraining_data="unknown", parameters_m=0.0, input_size=0,
        native_size=0, multiple=1, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), features="native", cam="",
        licence="unknown", weights=WeightsSource(), adaptations=(EXTERNAL,), feature_dim=0, group="External systems",
    )  # fmt: skip


def _filed(
    workspace: Workspace,
    draft: TrainSpec,
    scores: Mapping[Partition, tuple[Sequence[str], npt.NDArray[np.float32]]],
    point: OperatingPoint | None,
    reason: str,
    dataset: Dataset,
    file: Path,
) -> tuple[RunView, EvaluationFile]:
    from medfm_gui.datasets.split import sample_set_hash
    from medfm_gui.jobs.follow import read_all
    from medfm_gui.metrics.evaluate import evaluate

    samples, probabilities = scores[Partition.TEST]
    with made_folder(workspace.root / "runs", "r", counted=True) as folder:
        spec = replace(draft, run=folder.name)
        joined = scored(dataset, samples, probabilities)
        sample_set = sample_set_hash(dataset, samples)
        rows = evaluate(
            joined, run=spec.run, subset=evaluating.TEST, unit=spec.recipe.counted, point=point,
            sample_set=sample_set, code_version=CODE_VERSION,
        )  # fmt: skip
        atomic_write(folder / "spec.json", wire.encode_spec(spec))
        written = {}
        if point is not None:
            wire.write(folder / "operating_point.json", point)
            written["operating_point.json"] = sha256_file(folder / "operating_point.json")
        val, of_val = scores[Partition.VAL]
        if val:
            written["predictions/val.npz"] = _write_scores(folder / "predictions" / "val.npz", val, of_val)
        _say(folder, file, written)
    path = evaluating.test_predictions(workspace, spec.run)
    sha256 = _write_scores(path, samples, probabilities)
    opened = EvaluationFile(
        spec.run, evaluating.TEST, now(), reason, sample_set, FileRef(str(path), sha256), tuple(rows)
    )
    workspace.store.put_run(spec, str(folder))
    view = training.view(workspace, spec.run)
    workspace.store.record_events(view.id, read_all(folder), view.state)
    training.index_predictions(workspace, view, "val")
    wire.write(evaluating.evaluation_path(workspace, spec.run), opened)
    evaluating.index(workspace, opened, dataset)
    note(workspace, "predictions imported", view.id, name=spec.card.title, sha256=sha256_file(file.expanduser()))
    return view, opened


def _write_scores(path: Path, samples: Sequence[str], scores: npt.NDArray[np.float32]) -> str:
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, sample=np.array(samples, dtype=np.str_), scores=scores)
    return atomic_write(path, held.getvalue())


def _say(folder: Path, file: Path, written: Mapping[str, str]) -> None:
    """The events of a run that is finished, so that it is listed and shown as any other."""
    at = time.time()
    said: list[ev.Event] = [ev.RunStarted(at, "")]
    said += [ev.FileWritten(at, name, digest) for name, digest in written.items()]
    said.append(ev.RunFinished(at, {}, 0.0, facts={"predictions from": file.name, "made by": "an external system"}))
    atomic_write(folder / "events.jsonl", b"".join(map(wire.encode_event, said)))

"""Facts become rows: what the writing thread does inside a transaction.

Each function may be repeated without doubles.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlite_utils import Database
from sqlite_utils.db import NotFoundError

from medfm_gui.domain import events as ev
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.errors import InternalError, NotFound
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.report import ReportFile
from medfm_gui.domain.run import RunState, TrainSpec
from medfm_gui.domain.split import Split
from medfm_gui.domain.study import Series, Study
from medfm_gui.store.cells import Cell, cell, dataclass_json, json_of, place_cell, row, status, text_cell


def dataset(db: Database, root: Path, dataset: Dataset, folder: Path | str) -> None:
    """A dataset and all its samples; samples that it had before and has no more are gone."""
    values = row(
        id=dataset.id,
        name=dataset.name,
        layout=dataset.layout,
        task=dataset.task.value,
        classes=json_of(dataset.classes),
        positive=dataset.positive,
        source=dataset.source,
        fingerprint=dataset.fingerprint,
        created=dataset.created,
        taken=json_of(dataset.taken),
        warnings=json_of(dataset.warnings),
        n_samples=len(dataset.samples),
        n_patients=dataset.n_patients,
        n_skipped=len(dataset.skipped),
        unit=dataset.sample_unit,
    )
    key = text_cell(dataset.id)
    _upsert(db, "datasets", {**values, "folder": place_cell(root, folder)}, "id")
    db.conn.execute("DELETE FROM samples WHERE dataset = ?", [key])
    db.conn.executemany(
        "INSERT INTO samples VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (_sample(key, position, sample) for position, sample in enumerate(dataset.samples)),
    )


def _sample(dataset: Cell, position: int, sample: Sample) -> tuple[Cell, ...]:
    return (
        dataset,
        position,
        text_cell(sample.id),
        text_cell(sample.path),
        sample.frame,
        target_json(sample.target),
        cell(sample.patient),
        cell(sample.group),
        cell(sample.fold),
        sample.rows,
        sample.columns,
        sample.pixels_sha256,
        json_of(sample.covariates) if sample.covariates else "{}",
        sample.slices,
    )


def target_json(target: Sequence[int]) -> str:
    """Class indices as JSON, e.g. ``[2]`` or ``[0,1,-1]``."""
    return f"[{','.join(map(str, map(int, target)))}]"


def split(db: Database, root: Path, split: Split, path: Path | str) -> None:
    """A split and all its assignments."""
    values = row(
        id=split.id,
        dataset=split.dataset,
        dataset_fingerprint=split.dataset_fingerprint,
        rule=split.rule,
        seed=str(split.seed),
        fingerprint=split.fingerprint,
        created=split.created,
        family=split.family,
        fold=split.fold,
        acceptance=split.acceptance,
        n_leaks=len(split.leaks),
        n_dropped=len(split.dropped),
        warnings=json_of(split.warnings),
        settings=json_of(split.settings),
    )
    sizes = {f"n_{partition}": size for partition, size in split.sizes.items()}
    key = text_cell(split.id)
    _upsert(db, "splits", {**values, **sizes, "path": place_cell(root, path)}, "id")
    db.conn.execute("DELETE FROM assignments WHERE split = ?", [key])
    db.conn.executemany(
        "INSERT INTO assignments (split, position, sample, partition, group_name) VALUES (?,?,?,?,?)",
        (
            (key, position, text_cell(item.sample), item.partition.value, text_cell(item.group))
            for position, item in enumerate(split.assignments)
        ),
    )


def run(db: Database, root: Path, spec: TrainSpec, folder: Path | str) -> None:
    """What a run was ordered to do; its state stays as it is, and is “queued” at first."""
    values = row(
        id=spec.run,
        dataset=spec.dataset_id,
        dataset_fingerprint=spec.dataset_fingerprint,
        split=spec.split_id,
        split_fingerprint=spec.split_fingerprint,
        fold=spec.fold,
        task=spec.task.value,
        model=spec.card.name,
        family=spec.card.family.value,
        adapt=spec.adapt,
        shots=spec.shots,
        seed=str(spec.seed),
        preset=spec.preset,
        recipe=json_of(dataclasses.asdict(spec.recipe)),
        weights_sha256=spec.weights.sha256 if spec.weights else None,
        from_scratch=spec.from_scratch,
        created=spec.created,
        code_version=spec.code_version,
    )
    _upsert(db, "runs", {**values, "folder": place_cell(root, folder)}, "id")


@dataclasses.dataclass(frozen=True, slots=True)
class CurveChange:
    """What a batch of events does to a stored curve: epochs from ``void_from`` on are replaced by ``points``.

    Follows ``domain.run.fold``: an epoch takes back what was said of it and of later ones before, and a
    resume takes back everything after the epoch it starts from.
    """

    void_from: int | None
    points: tuple[ev.EpochFinished, ...]

    @classmethod
    def of(cls, events: Iterable[ev.Event]) -> CurveChange:
        """The change that these events make, in their order."""
        void_from: int | None = None
        points: list[ev.EpochFinished] = []
        for event in events:
            match event:
                case ev.RunResumed():
                    first_void = event.epoch + 1
                case ev.EpochFinished():
                    first_void = event.epoch
                case _:
                    continue
            void_from = first_void if void_from is None else min(void_from, first_void)
            points = [point for point in points if point.epoch < first_void]
            if isinstance(event, ev.EpochFinished):
                points.append(event)
        return cls(void_from, tuple(points))


def progress(db: Database, run: str, change: CurveChange, state: RunState) -> None:
    """How far a run has come, and its curve.

    Raises:
        NotFound: the run is not in the database.
    """
    values = row(
        phase=state.phase.value,
        stage=state.stage,
        done=state.done,
        total=state.total,
        samples_per_second=state.samples_per_second,
        seconds_left=state.seconds_left,
        epoch=state.epoch,
        epochs=state.epochs,
        metrics=json_of(state.metrics),
        seconds=state.seconds,
        startup_seconds=state.startup_seconds,
        trained_parameters=state.trained_parameters,
        device=state.device,
        error_kind=state.error_kind,
        message=state.message,
        hint=state.hint,
        resumable=state.resumable,
        warnings=json_of(state.warnings),
        files=json_of(state.files),
        labels_used=state.labels_used,
        peak_memory_bytes=state.peak_memory_bytes,
        facts=json_of(state.facts),
    )
    key = text_cell(run)
    try:
        db.table("runs").update([key], values)
    except NotFoundError:
        message = f"The run “{run}” is not in the database."
        raise NotFound(message, "“medfm rebuild” indexes all runs again.") from None
    if change.void_from is not None:
        db.conn.execute("DELETE FROM epochs WHERE run = ? AND epoch >= ?", [key, change.void_from])
    for point in change.points:
        epoch = (key, point.epoch, point.epochs, cell(point.at), cell(point.seconds), point.best)
        db.conn.execute("INSERT INTO epochs (run, epoch, epochs, at, seconds, best) VALUES (?,?,?,?,?,?)", epoch)
        db.conn.executemany(
            "INSERT INTO metric_points (run, epoch, metric, value, status) VALUES (?,?,?,?,?)",
            (
                (key, point.epoch, text_cell(name), cell(value), _point_status(value))
                for name, value in point.metrics.items()
            ),
        )


def _point_status(value: float | None) -> str:
    return "not finite" if value is None else status(value=value)


def predictions(
    db: Database,
    run: str,
    subset: str,
    samples: Sequence[str],
    scores: npt.NDArray[np.floating],
    targets: Sequence[Sequence[int]],
) -> None:
    """One row a sample, its scores as one blob of little-endian float32."""
    n_samples, n_classes = scores.shape
    if len(samples) != n_samples or len(targets) != n_samples:
        raise InternalError(
            f"{len(samples)} samples and {len(targets)} labels do not fit {n_samples} rows of scores.",
            "Run the prediction again.",
        )
    keys = [text_cell(run), text_cell(subset)]
    packed = np.ascontiguousarray(scores, dtype="<f4")
    n_not_finite = int(np.count_nonzero(~np.isfinite(packed).all(axis=1)))
    db.conn.execute("DELETE FROM prediction_sets WHERE run = ? AND subset = ?", keys)
    number = db.conn.execute(
        "INSERT INTO prediction_sets (run, subset, n_samples, n_classes, n_not_finite) VALUES (?,?,?,?,?)",
        [*keys, n_samples, n_classes, n_not_finite],
    ).lastrowid
    db.conn.executemany(
        "INSERT INTO predictions (prediction_set, position, sample, target, scores) VALUES (?,?,?,?,?)",
        (
            (number, position, text_cell(sample), target_json(target), values.tobytes())
            for position, (sample, target, values) in enumerate(zip(samples, targets, packed, strict=True))
        ),
    )


def evaluations(db: Database, evaluations: Sequence[Evaluation]) -> None:
    """Numbers of runs; one of the same run, subset, metric, class, unit and parameters replaces the older."""
    pk = ("run", "subset", "metric", "label", "unit", "parameters")
    for position, item in enumerate(evaluations):
        values = row(
            run=item.run,
            subset=item.subset,
            metric=item.metric,
            label=item.label,
            unit=item.unit,
            parameters=json_of(item.parameters),
            position=position,
            value=item.value,
            low=item.low,
            high=item.high,
            status=status(value=item.value, low=item.low, high=item.high),
            method=item.method,
            n=item.n,
            n_patients=item.n_patients,
            n_events=item.n_events,
            sample_set=item.sample_set,
            confidence=item.confidence,
            note=item.note,
            code_version=item.code_version,
        )
        _upsert(db, "evaluations", values, pk)


def comparisons(db: Database, comparisons: Sequence[Comparison]) -> None:
    """The pairs of one comparison; they replace those of the same runs in the same order."""
    runs = json_of(tuple(dict.fromkeys(name for item in comparisons for name in (item.a, item.b))))
    db.conn.execute("DELETE FROM comparisons WHERE runs = ?", [runs])
    for position, item in enumerate(comparisons):
        numbers = {
            "difference": item.difference,
            "low": item.low,
            "high": item.high,
            "p": item.p,
            "p_adjusted": item.p_adjusted,
            "low_simultaneous": item.low_simultaneous,
            "high_simultaneous": item.high_simultaneous,
        }
        values = row(
            runs=runs,
            position=position,
            a=item.a,
            b=item.b,
            metric=item.metric,
            status=status(**numbers),
            test=item.test,
            n=item.n,
            note=item.note,
            confidence=item.confidence,
            parameters=json_of(item.parameters),
            simultaneous_method=item.simultaneous_method,
            **numbers,
        )
        _upsert(db, "comparisons", values, ("runs", "position"))


def chart(db: Database, owner: str, chart: ChartSpec) -> None:
    """A chart of a run or of several; one of the same id replaces it."""
    values = row(owner=owner, id=chart.id, kind=chart.kind, title=chart.title, spec=dataclass_json(chart))
    _upsert(db, "charts", values, ("owner", "id"))


def study(db: Database, root: Path, study: Study, folder: Path | str) -> None:
    """A study and its series; the places of its images stay in its file."""
    values = row(
        uid=study.uid,
        patient=study.patient,
        date=study.date,
        modality=study.modality,
        description=study.description,
        sex=study.sex,
        age=study.age,
    )
    _upsert(db, "studies", {**values, "folder": place_cell(root, folder)}, "uid")
    db.conn.execute("DELETE FROM series WHERE study = ?", [text_cell(study.uid)])
    for position, series in enumerate(study.series):
        _upsert(db, "series", _series(study.uid, position, series), ("study", "position"))


def _series(study: str, position: int, series: Series) -> dict[str, Cell]:
    row_mm, column_mm = series.spacing_mm or (None, None)
    return row(
        study=study,
        position=position,
        uid=series.uid,
        modality=series.modality,
        description=series.description,
        n_instances=len(series.instances),
        image_rows=series.rows,
        image_columns=series.columns,
        row_spacing_mm=row_mm,
        column_spacing_mm=column_mm,
        slice_spacing_mm=series.slice_spacing_mm,
        warnings=json_of(series.warnings),
    )


def study_prediction(
    db: Database, prediction: str, number: int, *, study: str, run: str, created: str, outcome: str
) -> None:
    """The outcome of one run on one image."""
    values = row(prediction=prediction, number=number, study=study, run=run, created=created, outcome=outcome)
    _upsert(db, "study_predictions", values, ("prediction", "number"))


def report(
    db: Database, root: Path, report: str, title: str, created: str, file: ReportFile, runs: Sequence[str]
) -> None:
    """A written report."""
    values = row(
        id=report, title=title, created=created, pages=file.pages, sha256=file.sha256, runs=json_of(tuple(runs))
    )
    _upsert(db, "reports", {**values, "path": place_cell(root, file.path)}, "id")


def journal(db: Database, at: str, what: str, subject: str, details: Mapping[str, str]) -> None:
    """A line of the journal; the same line twice is one row."""
    db.conn.execute(
        "INSERT INTO journal (at, what, subject, details) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
        [text_cell(at), text_cell(what), text_cell(subject), json_of(details)],
    )


def opening(db: Database, run: str, subset: str, sample_set: str, reason: str, at: str) -> None:
    """A look at a sealed test set."""
    values = row(run=run, subset=subset, sample_set=sample_set, at=at, reason=reason)
    _upsert(db, "test_openings", values, ("run", "subset", "sample_set", "at"))


def _upsert(db: Database, table: str, values: Mapping[str, Cell], pk: str | tuple[str, ...]) -> None:
    db.table(table).upsert(dict(values), pk=pk)

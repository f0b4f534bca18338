"""Questions to the database. Reading never writes; each takes a ``Reader`` of ``Store.reading()``.

Rows that are nouns of the domain come back as such (``Sample``, ``Evaluation``, ``Comparison``, ``ChartSpec``,
``EpochFinished``), the others as the dataclasses of ``rows.py``. All orders are fixed.
"""

# ruff: noqa: S608 - only constants of this file are joined into a statement; every value is a parameter

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.errors import NotFound, UsageError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.events import EpochFinished
from medfm_gui.domain.run import Phase
from medfm_gui.store import facts
from medfm_gui.store.cells import (
    Cell,
    json_of,
    place_of,
    text_cell,
    text_mapping_of,
    text_of,
    texts_of,
    whole_numbers_of,
)
from medfm_gui.store.readers import Reader
from medfm_gui.store.rows import (
    DatasetRow,
    JournalRow,
    Opening,
    Predictions,
    ReportRow,
    RunRow,
    SampleFilter,
    SamplePage,
    SeriesRow,
    SplitRow,
    StudyPredictionRow,
    StudyRow,
)


def datasets(reader: Reader) -> tuple[DatasetRow, ...]:
    """All datasets, oldest first."""
    return tuple(
        facts.dataset(reader.root, row) for row in _rows(reader, "SELECT * FROM datasets ORDER BY created, id")
    )


def dataset(reader: Reader, dataset_id: str) -> DatasetRow:
    """One dataset.

    Raises:
        NotFound: there is none of that id.
    """
    for row in _rows(reader, "SELECT * FROM datasets WHERE id = ?", text_cell(dataset_id)):
        return facts.dataset(reader.root, row)
    raise NotFound(f"There is no dataset “{dataset_id}”.", "“medfm datasets” lists them.")


def samples_page(
    reader: Reader, dataset_id: str, *, offset: int = 0, limit: int = 100, only: SampleFilter | None = None
) -> SamplePage:
    """A page of samples in the dataset's order; empty for a dataset that is not there.

    Raises:
        UsageError: a partition is asked for without the split it belongs to.
    """
    if only is None or only == SampleFilter(sealed=only.sealed):
        count = "SELECT coalesce(max(n_samples), 0) FROM datasets WHERE id = ?"
        total = reader.db.conn.execute(count, [text_cell(dataset_id)]).fetchone()[0]
        # positions are 0, 1, 2 …, so a page is found by key however far down it is
        page = "SELECT * FROM samples WHERE dataset = ? AND position >= ? AND position < ? ORDER BY position"
        found = _rows(reader, page, text_cell(dataset_id), offset, offset + limit)
        return SamplePage(int(total), tuple(map(facts.sample, found)))
    source, values = _filtered(reader, dataset_id, only)
    total = reader.db.conn.execute(f"SELECT count(*) {source}", values).fetchone()[0]
    rows = _rows(reader, f"SELECT s.* {source} ORDER BY s.position LIMIT ? OFFSET ?", *values, limit, offset)
    return SamplePage(int(total), tuple(map(facts.sample, rows)))


def _filtered(reader: Reader, dataset_id: str, only: SampleFilter) -> tuple[str, list[Cell]]:
    """FROM and WHERE for a filter; every value is a parameter."""
    source = "FROM samples s"
    values: list[Cell] = []
    if only.partition is not None and only.split is None:
        raise UsageError("A partition is asked for without its split.", "Name the split too.")
    if only.split is not None:
        source += " JOIN assignments a ON a.split = ? AND a.sample = s.id"
        values.append(text_cell(only.split))
    source += " WHERE s.dataset = ?"
    values.append(text_cell(dataset_id))
    if only.partition is not None:
        source += " AND a.partition = ?"
        values.append(only.partition.value)
    if only.class_index is not None:
        # a 1 at the class's place of a multi-label target, or the one class index; the task is asked once, not a row
        task = reader.db.conn.execute("SELECT task FROM datasets WHERE id = ?", [text_cell(dataset_id)]).fetchone()
        if task is not None and task[0] == "multilabel":
            source += " AND json_extract(s.target, ?) = 1"
            values.append(f"$[{int(only.class_index)}]")
        else:
            source += " AND json_extract(s.target, '$[0]') = ?"
            values.append(only.class_index)
    if only.patient is not None:
        source += " AND s.patient = ?"
        values.append(text_cell(only.patient))
    if only.text:
        said, found = _said(only)
        source += f" AND ({said})"
        values += found
    if only.covariate is not None:
        source += " AND EXISTS (SELECT 1 FROM json_each(s.covariates) c WHERE c.key = ? AND c.value = ?)"
        values += [text_cell(name) for name in only.covariate]
    if only.ids is not None:
        source += " AND s.id IN (SELECT value FROM json_each(?))"
        values.append(json_of(only.ids))
    told = only.class_index is not None or (only.covariate is not None and only.covariate_tells)
    if only.sealed and told:
        source += f" AND s.id NOT IN ({_SEALED})"
        values.append(json_of(only.sealed))
    return source, values


_SEALED = "SELECT sample FROM assignments WHERE partition = 'test' AND split IN (SELECT value FROM json_each(?))"


def _said(only: SampleFilter) -> tuple[str, list[Cell]]:
    """The condition for a text: in the id, the patient or the path; a path may tell the label of a sealed test."""
    columns = ("s.id", "coalesce(s.patient, '')", "s.path")
    parts = [f"instr(lower({column}), lower(?))" for column in columns]
    values: list[Cell] = [text_cell(only.text)] * len(columns)
    if only.sealed:
        parts[-1] = f"({parts[-1]} AND s.id NOT IN ({_SEALED}))"
        values.append(json_of(only.sealed))
    return " OR ".join(parts), values


def sealed_ids(reader: Reader, sealed: Sequence[str], ids: Sequence[str] | None = None) -> tuple[str, ...]:
    """Samples in the test of these splits; of ``ids`` alone where they are given."""
    if ids is None:
        rows = reader.db.conn.execute(f"SELECT DISTINCT sample FROM ({_SEALED})", [json_of(tuple(sealed))]).fetchall()
        return tuple(text_of(row[0]) for row in rows)
    # CROSS JOIN keeps this order: each pair is found by key, and no split is read from end to end
    looked_up = (
        "SELECT DISTINCT a.sample FROM json_each(?) i CROSS JOIN json_each(?) p CROSS JOIN assignments a"
        " ON a.split = p.value AND a.sample = i.value WHERE a.partition = 'test'"
    )
    rows = reader.db.conn.execute(looked_up, [json_of(tuple(ids)), json_of(tuple(sealed))]).fetchall()
    return tuple(text_of(row[0]) for row in rows)


def splits_with_runs(reader: Reader, dataset_id: str) -> frozenset[str]:
    """Splits of a dataset on which a run was ordered."""
    rows = reader.db.conn.execute("SELECT DISTINCT split FROM runs WHERE dataset = ?", [text_cell(dataset_id)])
    return frozenset(text_of(row[0]) for row in rows)


def test_contents(reader: Reader, split_id: str) -> tuple[str, ...]:
    """What the seal of a split's test follows: a line a sample, its pixels or, without a hash, its place."""
    joined = (
        "SELECT s.pixels_sha256, s.path, s.frame FROM assignments a JOIN splits p ON p.id = a.split"
        " JOIN samples s ON s.dataset = p.dataset AND s.id = a.sample WHERE a.split = ? AND a.partition = 'test'"
    )
    rows = reader.db.conn.execute(joined, [text_cell(split_id)]).fetchall()
    return tuple(text_of(row[0]) or f"{text_of(row[1])}#{row[2]}" for row in rows)


def covariate_values(
    reader: Reader, dataset_id: str, *, most: int = 200
) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """Covariates whose values repeat (``most`` at most): the name, then value and number of samples, frequent first."""
    counted = (
        "SELECT c.key AS name, c.value AS value, count(*) AS n FROM samples s, json_each(s.covariates) c"
        " WHERE s.dataset = ? GROUP BY c.key, c.value ORDER BY c.key, n DESC, c.value"
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for name, value, number in reader.db.conn.execute(counted, [text_cell(dataset_id)]):
        found.setdefault(text_of(name), []).append((text_of(value), number))
    return tuple((name, tuple(values)) for name, values in found.items() if 1 < len(values) <= most)


def sealed_covariate_values(reader: Reader, dataset_id: str, sealed: Sequence[str]) -> dict[tuple[str, str], int]:
    """How many samples in the tests of these splits have each value of each covariate."""
    counted = (
        "SELECT c.key AS name, c.value AS value, count(*) AS n FROM samples s, json_each(s.covariates) c"
        f" WHERE s.dataset = ? AND s.id IN ({_SEALED}) GROUP BY c.key, c.value"
    )
    rows = reader.db.conn.execute(counted, [text_cell(dataset_id), json_of(sealed)])
    return {(text_of(name), text_of(value)): int(number) for name, value, number in rows}


def splits(reader: Reader, dataset_id: str | None = None) -> tuple[SplitRow, ...]:
    """All splits, or those of a dataset, oldest first."""
    where, values = _where({"dataset": dataset_id})
    order = "ORDER BY created, length(id), id"
    return tuple(
        facts.split(reader.root, row) for row in _rows(reader, f"SELECT * FROM splits {where} {order}", *values)
    )


def newest_split(reader: Reader, dataset_id: str) -> SplitRow | None:
    """The newest split of a dataset (one fold of it, when it is a cross-validation), or None."""
    found = splits(reader, dataset_id)
    return found[-1] if found else None


def runs(reader: Reader, *, phase: Phase | None = None, dataset_id: str | None = None) -> tuple[RunRow, ...]:
    """Runs, oldest first; in one phase or of one dataset when asked."""
    where, values = _where({"phase": phase, "dataset": dataset_id})
    rows = _rows(reader, f"SELECT * FROM runs {where} ORDER BY created, id", *values)
    return tuple(facts.run(reader.root, row) for row in rows)


def run(reader: Reader, run_id: str) -> RunRow:
    """One run.

    Raises:
        NotFound: there is none of that id.
    """
    for row in _rows(reader, "SELECT * FROM runs WHERE id = ?", text_cell(run_id)):
        return facts.run(reader.root, row)
    raise NotFound(f"There is no run “{run_id}”.", "“medfm runs” lists them.")


def curve(reader: Reader, run_id: str) -> tuple[EpochFinished, ...]:
    """The epochs of a run in order; a metric that was not finite is None."""
    metrics: dict[int, dict[str, float | None]] = {}
    points = "SELECT epoch, metric, value FROM metric_points WHERE run = ? ORDER BY epoch, metric"
    for row in _rows(reader, points, text_cell(run_id)):
        metrics.setdefault(row["epoch"], {})[text_of(row["metric"])] = row["value"]
    return tuple(
        EpochFinished(
            at=row["at"] or 0.0,
            epoch=row["epoch"],
            epochs=row["epochs"],
            metrics=metrics.get(row["epoch"], {}),
            seconds=row["seconds"] or 0.0,
            best=bool(row["best"]),
        )
        for row in _rows(reader, "SELECT * FROM epochs WHERE run = ? ORDER BY epoch", text_cell(run_id))
    )


def predictions(reader: Reader, run_id: str, subset: str) -> Predictions:
    """The scores of a run on a subset, in the order they were put.

    Raises:
        NotFound: the run has none there.
    """
    head = reader.db.conn.execute(
        "SELECT number, n_samples, n_classes FROM prediction_sets WHERE run = ? AND subset = ?",
        [text_cell(run_id), text_cell(subset)],
    ).fetchone()
    if head is None:
        raise NotFound(
            f"The run “{run_id}” has no predictions for “{subset}”.", "“medfm evaluate” makes those of the test set."
        )
    number, n_samples, n_classes = head
    found = reader.db.conn.execute(
        "SELECT sample, target, scores FROM predictions WHERE prediction_set = ? ORDER BY position", [number]
    ).fetchall()
    scores = np.frombuffer(b"".join(row[2] for row in found), dtype="<f4").reshape(n_samples, n_classes)
    targets: dict[str, tuple[int, ...]] = {}
    for _, target, _ in found:
        if target not in targets:  # a few classes repeat thousands of times
            targets[target] = whole_numbers_of(target)
    return Predictions(
        tuple(text_of(row[0]) for row in found),
        scores.astype(np.float32, copy=False),
        tuple(targets[row[1]] for row in found),
    )


def evaluations(reader: Reader, run_ids: Sequence[str], subset: str | None = None) -> tuple[Evaluation, ...]:
    """Numbers of runs, in the order of ``run_ids`` and, within a run, as they were put; on one subset when asked."""
    found: list[Evaluation] = []
    for run_id in run_ids:
        where, values = _where({"run": run_id, "subset": subset})
        rows = _rows(
            reader, f"SELECT * FROM evaluations {where} ORDER BY subset, position, metric, label, unit", *values
        )
        found += map(facts.evaluation, rows)
    return tuple(found)


def comparisons(reader: Reader, run_ids: Sequence[str]) -> tuple[Comparison, ...]:
    """The pairs of comparisons between exactly these runs, in whatever order they were compared."""
    asked = set(run_ids)
    return tuple(
        facts.comparison(row)
        for row in _rows(reader, "SELECT * FROM comparisons ORDER BY runs, position")
        if set(texts_of(row["runs"])) == asked
    )


def charts(reader: Reader, owner: str) -> tuple[ChartSpec, ...]:
    """The charts of a run, or of several joined as they were put, by id."""
    rows = _rows(reader, "SELECT spec FROM charts WHERE owner = ? ORDER BY id", text_cell(owner))
    return tuple(wire.decode(ChartSpec, row["spec"], what="A stored chart") for row in rows)


def openings(reader: Reader, *, sample_set: str | None = None, run_id: str | None = None) -> tuple[Opening, ...]:
    """Looks at sealed test sets, oldest first: at one set of samples (by its hash), by one run, or all."""
    where, values = _where({"sample_set": sample_set, "run": run_id})
    ranked = "SELECT *, row_number() OVER (PARTITION BY run, sample_set ORDER BY at, subset) AS look FROM test_openings"
    found = _rows(reader, f"SELECT * FROM ({ranked}) {where} ORDER BY at, run, subset", *values)
    return tuple(map(facts.opening, found))


def studies(reader: Reader) -> tuple[StudyRow, ...]:
    """All studies with their series, newest date first."""
    series: dict[str, list[SeriesRow]] = {}
    for row in _rows(reader, "SELECT * FROM series ORDER BY study, position"):
        series.setdefault(text_of(row["study"]), []).append(facts.series(row))
    found = _rows(reader, "SELECT * FROM studies ORDER BY date DESC, uid")
    return tuple(facts.study(reader.root, row, series.get(text_of(row["uid"]), ())) for row in found)


def study_predictions(reader: Reader, study_uid: str | None = None) -> tuple[StudyPredictionRow, ...]:
    """Outcomes of single-study predictions, oldest first; of one study when asked."""
    where, values = _where({"study": study_uid})
    rows = _rows(reader, f"SELECT * FROM study_predictions {where} ORDER BY created, prediction, number", *values)
    return tuple(
        StudyPredictionRow(
            prediction=text_of(row["prediction"]),
            number=row["number"],
            study=text_of(row["study"]),
            run=text_of(row["run"]),
            created=text_of(row["created"]),
            outcome=text_of(row["outcome"]),
        )
        for row in rows
    )


def reports(reader: Reader) -> tuple[ReportRow, ...]:
    """All reports, oldest first."""
    return tuple(
        ReportRow(
            id=text_of(row["id"]),
            title=text_of(row["title"]),
            created=text_of(row["created"]),
            path=place_of(reader.root, row["path"]),
            pages=row["pages"],
            sha256=text_of(row["sha256"]),
            runs=texts_of(row["runs"]),
        )
        for row in _rows(reader, "SELECT * FROM reports ORDER BY created, id")
    )


def journal(reader: Reader, *, subject: str | None = None, limit: int = 1000) -> tuple[JournalRow, ...]:
    """The last ``limit`` lines of the journal, oldest first; about one subject when asked."""
    where, values = _where({"subject": subject})
    rows = list(_rows(reader, f"SELECT * FROM journal {where} ORDER BY number DESC LIMIT ?", *values, limit))
    return tuple(
        JournalRow(text_of(row["at"]), text_of(row["what"]), text_of(row["subject"]), text_mapping_of(row["details"]))
        for row in reversed(rows)
    )


def _where(equal: Mapping[str, str | None]) -> tuple[str, list[Cell]]:
    """A WHERE clause for the columns that are asked for, and its values."""
    asked = {column: value for column, value in equal.items() if value is not None}
    if not asked:
        return "", []
    return "WHERE " + " AND ".join(f"{column} = ?" for column in asked), [text_cell(value) for value in asked.values()]


def _rows(reader: Reader, sql: str, *values: Cell) -> Iterator[facts.Row]:
    yield from reader.db.query(sql, values)

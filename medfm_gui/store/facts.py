"""Rows become facts again: the inverse of ``records.py``, one function a kind of row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medfm_gui.domain.dataset import Sample, Task
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.domain.split import Partition
from medfm_gui.store.cells import (
    number_mapping_of,
    optional_text_of,
    place_of,
    text_mapping_of,
    text_of,
    texts_of,
    whole_numbers_of,
)
from medfm_gui.store.rows import DatasetRow, Opening, RunRow, SeriesRow, SplitRow, StudyRow

Row = dict[str, Any]
"""Column → cell, as sqlite-utils gives it."""


def dataset(root: Path, row: Row) -> DatasetRow:
    """A row of ``datasets``."""
    return DatasetRow(
        id=text_of(row["id"]),
        name=text_of(row["name"]),
        layout=text_of(row["layout"]),
        task=Task(row["task"]),
        classes=texts_of(row["classes"]),
        positive=optional_text_of(row["positive"]),
        source=text_of(row["source"]),
        folder=place_of(root, row["folder"]),
        fingerprint=text_of(row["fingerprint"]),
        created=text_of(row["created"]),
        taken=text_mapping_of(row["taken"]),
        warnings=texts_of(row["warnings"]),
        n_samples=row["n_samples"],
        n_patients=row["n_patients"],
        n_skipped=row["n_skipped"],
        unit=text_of(row.get("unit", "image")),  # a database of an earlier version is read as it is
    )


def sample(row: Row) -> Sample:
    """A row of ``samples``."""
    return Sample(
        id=text_of(row["id"]),
        path=text_of(row["path"]),
        target=whole_numbers_of(row["target"]),
        patient=optional_text_of(row["patient"]),
        group=optional_text_of(row["group_name"]),
        fold=optional_text_of(row["fold"]),
        frame=row["frame"],
        rows=row["image_rows"],
        columns=row["image_columns"],
        pixels_sha256=text_of(row["pixels_sha256"]),
        covariates=text_mapping_of(row["covariates"]),
        slices=row.get("slices", 0),
    )


def split(root: Path, row: Row) -> SplitRow:
    """A row of ``splits``."""
    return SplitRow(
        id=text_of(row["id"]),
        dataset=text_of(row["dataset"]),
        dataset_fingerprint=text_of(row["dataset_fingerprint"]),
        path=place_of(root, row["path"]),
        rule=text_of(row["rule"]),
        seed=int(row["seed"]),
        fingerprint=text_of(row["fingerprint"]),
        created=text_of(row["created"]),
        family=optional_text_of(row["family"]),
        fold=row["fold"],
        acceptance=optional_text_of(row["acceptance"]),
        n_leaks=row["n_leaks"],
        n_dropped=row["n_dropped"],
        warnings=texts_of(row["warnings"]),
        settings=text_mapping_of(row["settings"]),
        sizes={partition.value: row[f"n_{partition.value}"] for partition in Partition},
    )


def run(root: Path, row: Row) -> RunRow:
    """A row of ``runs``."""
    return RunRow(
        id=text_of(row["id"]),
        folder=place_of(root, row["folder"]),
        dataset=text_of(row["dataset"]),
        dataset_fingerprint=text_of(row["dataset_fingerprint"]),
        split=text_of(row["split"]),
        split_fingerprint=text_of(row["split_fingerprint"]),
        fold=row["fold"],
        task=Task(row["task"]),
        model=text_of(row["model"]),
        family=text_of(row["family"]),
        adapt=text_of(row["adapt"]),
        shots=row["shots"],
        seed=int(row["seed"]),
        preset=text_of(row["preset"]),
        recipe=json.loads(row["recipe"]),
        weights_sha256=optional_text_of(row["weights_sha256"]),
        from_scratch=bool(row["from_scratch"]),
        created=text_of(row["created"]),
        code_version=text_of(row["code_version"]),
        state=_state(row),
    )


def _state(row: Row) -> RunState:
    return RunState(
        phase=Phase(row["phase"]),
        stage=text_of(row["stage"]),
        done=row["done"],
        total=row["total"],
        samples_per_second=row["samples_per_second"] or 0.0,
        seconds_left=row["seconds_left"],
        epoch=row["epoch"],
        epochs=row["epochs"],
        metrics=number_mapping_of(row["metrics"]),
        seconds=row["seconds"] or 0.0,
        startup_seconds=row["startup_seconds"] or 0.0,
        trained_parameters=row["trained_parameters"],
        device=text_of(row["device"]),
        error_kind=text_of(row["error_kind"]),
        message=text_of(row["message"]),
        hint=text_of(row["hint"]),
        resumable=bool(row["resumable"]),
        warnings=texts_of(row["warnings"]),
        files=text_mapping_of(row["files"]),
        labels_used=row["labels_used"],
        peak_memory_bytes=row["peak_memory_bytes"],
        facts=text_mapping_of(row["facts"]),
    )


def evaluation(row: Row) -> Evaluation:
    """A row of ``evaluations``; a number that was not finite is None."""
    return Evaluation(
        run=text_of(row["run"]),
        subset=text_of(row["subset"]),
        metric=text_of(row["metric"]),
        value=row["value"],
        low=row["low"],
        high=row["high"],
        method=text_of(row["method"]),
        unit=text_of(row["unit"]),
        n=row["n"],
        n_patients=row["n_patients"],
        n_events=row["n_events"],
        sample_set=text_of(row["sample_set"]),
        confidence=row["confidence"],
        label=text_of(row["label"]),
        parameters=text_mapping_of(row["parameters"]),
        note=text_of(row["note"]),
        code_version=text_of(row["code_version"]),
    )


def comparison(row: Row) -> Comparison:
    """A row of ``comparisons``; a number that was not finite is None."""
    return Comparison(
        a=text_of(row["a"]),
        b=text_of(row["b"]),
        metric=text_of(row["metric"]),
        difference=row["difference"],
        low=row["low"],
        high=row["high"],
        test=text_of(row["test"]),
        p=row["p"],
        p_adjusted=row["p_adjusted"],
        n=row["n"],
        note=text_of(row["note"]),
        confidence=row["confidence"],
        parameters=text_mapping_of(row["parameters"]),
        low_simultaneous=row.get("low_simultaneous"),  # a database of an earlier version is read as it is
        high_simultaneous=row.get("high_simultaneous"),
        simultaneous_method=text_of(row.get("simultaneous_method", "")),
    )


def series(row: Row) -> SeriesRow:
    """A row of ``series``."""
    spacing_mm = (row["row_spacing_mm"], row["column_spacing_mm"])
    return SeriesRow(
        uid=text_of(row["uid"]),
        modality=text_of(row["modality"]),
        description=text_of(row["description"]),
        n_instances=row["n_instances"],
        rows=row["image_rows"],
        columns=row["image_columns"],
        spacing_mm=None if None in spacing_mm else spacing_mm,
        slice_spacing_mm=row["slice_spacing_mm"],
        warnings=texts_of(row["warnings"]),
    )


def study(root: Path, row: Row, series: Sequence[SeriesRow]) -> StudyRow:
    """A row of ``studies`` with its series."""
    return StudyRow(
        uid=text_of(row["uid"]),
        patient=text_of(row["patient"]),
        date=text_of(row["date"]),
        modality=text_of(row["modality"]),
        description=text_of(row["description"]),
        sex=text_of(row["sex"]),
        age=text_of(row["age"]),
        folder=place_of(root, row["folder"]),
        series=tuple(series),
    )


def opening(row: Row) -> Opening:
    """A row of ``test_openings`` with ``look``: 1 for the first of the run at these samples, then 2, 3 …"""
    return Opening(
        run=text_of(row["run"]),
        subset=text_of(row["subset"]),
        sample_set=text_of(row["sample_set"]),
        at=text_of(row["at"]),
        reason=text_of(row["reason"]),
        is_first=row["look"] == 1,
    )

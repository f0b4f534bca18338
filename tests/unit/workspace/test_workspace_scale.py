"""Calibration, net benefit and predictive values are of the probabilities that a prediction shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medfm_gui.base import wire
from medfm_gui.domain.evaluation import Calibrator
from medfm_gui.store import queries
from medfm_gui.workspace import evaluating, usefulness
from medfm_gui.workspace.comparing import compare
from medfm_gui.workspace.opened_runs import opened_tests, read_opened
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.usefulness import BRIER_AT, CALIBRATED, PPV, SCALE, SLOPE
from tests.fixtures.opened import drawn_dataset, opened_run

LINE = Calibrator("platt", 0.4, -0.7, "val", "image", 90)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, str, str]]:
    """Two runs with the same scores, the second with a calibrator."""
    with open_workspace(tmp_path_factory.mktemp("scale") / "w") as workspace:
        dataset = drawn_dataset(workspace, 1_200)
        raw, line = opened_run(workspace, dataset, seed=1), opened_run(workspace, dataset, seed=1)
        wire.write(workspace.run(line) / "calibrator.json", LINE)
        evaluating.index(workspace, evaluating.opened(workspace, line), dataset)
        yield workspace, raw, line


def test_the_slope_is_that_of_the_calibrated_probabilities(room: tuple[Workspace, str, str]) -> None:
    workspace, raw, line = room
    found = usefulness.usefulness_table(workspace, (raw, line), 0.05, 0.5, prevalence=0.2)
    by = {(row.run, row.metric): row for row in found.rows}
    # a line through the log-odds divides the slope by its own
    assert by[line, SLOPE].value == pytest.approx((by[raw, SLOPE].value or 0) / LINE.slope, rel=1e-4)
    assert by[line, BRIER_AT].value != pytest.approx(by[raw, BRIER_AT].value, abs=1e-3)
    assert by[line, PPV].value == pytest.approx(by[raw, PPV].value), "the same decisions on either scale"
    assert float(by[line, PPV].parameters["threshold"]) != float(by[raw, PPV].parameters["threshold"])
    assert by[line, SLOPE].parameters == {SCALE: CALIBRATED} and SCALE not in by[raw, SLOPE].parameters
    said = usefulness.scale_sentence(found.rows)
    assert f"calibrated probabilities, as predictions show them: {line}." in said
    assert f"without a calibrator: {raw}." in said
    curves = {series.name: series.y for series in found.charts[0].series}
    assert len(set(curves.values())) == 4, "net benefit depends on the scale"


def test_another_calibrator_is_computed_anew(room: tuple[Workspace, str, str]) -> None:
    workspace, _, line = room
    place = workspace.run(line) / "calibrator.json"
    first = usefulness.usefulness_table(workspace, (line,), 0.05, 0.5, prevalence=0.2)
    wire.write(place, replace(LINE, slope=0.8))
    try:
        again = usefulness.usefulness_table(workspace, (line,), 0.05, 0.5, prevalence=0.2)
    finally:
        wire.write(place, LINE)
    slopes = [row.value for file in (first, again) for row in file.rows if row.metric == SLOPE]
    assert slopes[0] == pytest.approx(2 * (slopes[1] or 0), rel=1e-4)


def test_a_run_is_calibrated_once_and_an_order_stays(room: tuple[Workspace, str, str]) -> None:
    workspace, raw, line = room
    runs = read_opened(workspace, opened_tests(workspace, (raw, line))).runs
    assert runs[0].calibrated is runs[0] and not runs[0].is_calibrated
    once = runs[1].calibrated
    assert once.calibrated is once and once.is_calibrated
    assert np.array_equal(np.argsort(once.units.event_scores), np.argsort(runs[1].units.event_scores))
    assert once.point is not None and runs[1].point is not None
    called = once.units.event_scores >= once.point.threshold
    assert np.array_equal(called, runs[1].units.event_scores >= runs[1].point.threshold)


def test_stored_charts_are_on_that_scale_and_by_unit(room: tuple[Workspace, str, str], tmp_path: Path) -> None:
    workspace, raw, line = room
    with workspace.store.reading() as reader:
        charts = {(run, one.id): one for run in (raw, line) for one in queries.charts(reader, run)}
    assert charts[raw, "roc"].series[0].x == charts[line, "roc"].series[0].x
    for name in ("calibration", "distribution"):
        assert charts[raw, name].series[0] != charts[line, name].series[0]
    curves = next(one for one in compare(workspace, (raw, line)).charts if one.id == "calibration")
    assert curves.series[0].x != curves.series[1].x
    with open_workspace(tmp_path / "w") as other:
        dataset = drawn_dataset(other, 200, per_patient=4)
        run = opened_run(other, dataset, settings={"unit": "patient"})
        (row,) = [row for row in evaluating.opened(other, run).evaluations if row.metric == "auc" and not row.label]
        with other.store.reading() as reader:
            (matrix,) = [one for one in queries.charts(reader, run) if one.id == "confusion"]
    assert sum(map(sum, matrix.matrix)) == row.n == row.n_patients, "patients are counted, as the numbers count them"

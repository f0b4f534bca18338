"""``compare``: the page of 30 runs with 25,000 test predictions each to its table, against reading the arrays.

Counted is what the desk does for the page: the numbers of the runs and the comparison's own file. Beside it stand
the seconds of the charts, which come after, and of the cases on which the runs disagree. The peer reads every array
with NumPy.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from medfm_gui.base.settings import Settings
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.desk.answers.compare import list_candidates, read_drawings, read_side_by_side
from medfm_gui.desk.answers.compare_cases import read_disagreements
from medfm_gui.desk.asks.compare import ListCandidates, ReadDrawings, ReadSideBySide
from medfm_gui.desk.asks.compare_cases import ReadDisagreements
from medfm_gui.desk.room import Room, Told
from medfm_gui.workspace.evaluating import opened, test_predictions
from medfm_gui.workspace.place import Workspace, open_workspace
from tests.bench.measure import alternately, rounded, timed
from tests.fixtures.opened import drawn_dataset, opened_run

_SECONDS = 2.0


def main(tiny: bool = False) -> dict[str, Any]:
    """30 runs × 25,000; 3 × 60 if ``tiny``."""
    count, images = (3, 400) if tiny else (30, 50_000)
    with (
        tempfile.TemporaryDirectory() as made,
        open_workspace(Path(made) / "work", settings=Settings()) as workspace,
        Room(workspace) as room,
    ):
        runs, tested = _runs(workspace, count, images)
        told = Told(lambda kind, value: None)

        def table() -> None:
            list_candidates(room, ListCandidates(runs[0]), told)
            assert len(read_side_by_side(room, ReadSideBySide(runs), told).sides) == count

        def arrays() -> None:
            for run in runs:
                with np.load(test_predictions(workspace, run), allow_pickle=False) as held:
                    assert len(held["sample"]) == len(held["scores"]) == tested

        turns = alternately(timed(table), timed(arrays), 2 if tiny else 7)
        charts = timed(lambda: read_drawings(room, ReadDrawings(runs), told))()
        cases = timed(lambda: read_disagreements(room, ReadDisagreements(runs), told))()
    seconds = statistics.median(turns.ours)
    line = turns.line(at_most=float("inf"))
    return {
        **line,
        "goal": f"<= {_SECONDS:g} s to the table",
        "pass": seconds <= _SECONDS,
        "runs": count,
        "predictions": tested,
        "charts_seconds": rounded(charts),
        "disagreements_seconds": rounded(cases),
    }


def _runs(workspace: Workspace, count: int, images: int) -> tuple[tuple[str, ...], int]:
    """Opened runs, each with its own scores. The numbers that the table reads are computed of the first alone."""
    dataset = drawn_dataset(workspace, images, per_patient=1, request=SplitRequest(ratios="40/10/50"))
    first = opened_run(workspace, dataset)
    rows = opened(workspace, first).evaluations
    runs = (first, *(opened_run(workspace, dataset, seed=seed, rows=rows) for seed in range(1, count)))
    with np.load(test_predictions(workspace, first), allow_pickle=False) as held:
        return runs, len(held["sample"])

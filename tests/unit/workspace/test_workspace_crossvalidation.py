"""Ways over the folds of a cross-validation and of its repeats, compared without a common test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.cli.folds import compared_folds
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.errors import InputError, SealError, UsageError
from medfm_gui.domain.evaluation import Calibrator
from medfm_gui.workspace import data, training
from medfm_gui.workspace.crossvalidation import (
    NO_FOLDS,
    are_folds,
    cross_validation,
    siblings,
)
from medfm_gui.workspace.evaluating import evaluation_path
from medfm_gui.workspace.fold_pairs import MODELS_HELD
from medfm_gui.workspace.place import Workspace, open_workspace
from tests.fixtures.opened import drawn_dataset, opened_folds, opened_run


def test_two_ways_over_the_same_folds(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 600, request=SplitRequest(folds=3))
        weak = opened_folds(workspace, dataset, signal=0.6)
        strong = opened_folds(workspace, dataset, signal=2.5, seed=1)
        found = cross_validation(workspace, (*weak, *strong))
        first, second = found.ways
        assert first.runs == weak and second.runs == strong and not found.left_out and not found.repeats
        values = [row.value or 0.0 for row in second.rows]
        assert second.mean.value == pytest.approx(np.mean(values)) and second.spread == pytest.approx(
            np.std(values, ddof=1)
        )
        (pair,) = found.pairs
        row = pair.comparison
        assert (row.a, row.b, row.test) == (second.name, first.name, "bootstrap-within-folds")
        assert row.difference == pytest.approx((second.mean.value or 0) - (first.mean.value or 0))
        assert pair.labels == ("fold 1", "fold 2", "fold 3") and np.mean(
            [value or 0.0 for value in pair.values]
        ) == pytest.approx(row.difference)
        assert row.low is not None and row.low > 0 and row.p is not None and row.p < 0.05 and row.n == first.mean.n
        assert MODELS_HELD in found.sentence and f"which favour {second.name}" in found.sentence
        assert "DeLong" not in found.sentence
        (kept,) = (workspace.root / "evaluations").glob("folds-*.json")
        assert wire.read(type(found), kept) == found
        answer = compared_folds(workspace, (*weak, *strong), asks_more=False)
        assert answer is not None
        document, lines, _ = answer
        assert len(document["runs"]) == 6 and document["pairs"][0]["test"] == row.test and lines
        assert document["cross_validation"]["ways"][0]["spread"] == first.spread
        with pytest.raises(UsageError, match="folds"):
            compared_folds(workspace, (*weak, *strong), asks_more=True)
        assert compared_folds(workspace, (weak[0], strong[0]), asks_more=False) is None, "these have one test"
        assert siblings(workspace, (weak[1],)) == (weak[1], weak[0], weak[2])


def test_repeats_are_compared_by_nadeau_and_bengio(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 400, request=SplitRequest(folds=4))
        runs = [*opened_folds(workspace, dataset), *opened_folds(workspace, dataset, signal=1.9, seed=1)]
        data.make_split(workspace, dataset.id, SplitRequest(folds=4, seed=1))
        runs += [*opened_folds(workspace, dataset), *opened_folds(workspace, dataset, signal=1.9, seed=1)]
        found = cross_validation(workspace, runs)
        assert len(found.ways) == 4 and {way.by for way in found.ways} == {"fold"}
        assert [len(one.families) for one in found.repeats] == [2, 2]
        assert all(one.mean.low is None and one.mean.value is not None for one in found.repeats)
        (pair,) = found.pairs
        row = pair.comparison
        assert row.test == "nadeau-bengio" and len(pair.values) == 8 and row.parameters["divisions"] == "2"
        assert row.parameters["sizes_of"] == "patients" and float(row.parameters["n_test"]) == 50.0
        differences = np.array(pair.values, float)
        n_train, n_test = (float(row.parameters[name]) for name in ("n_train", "n_test"))
        error = differences.std(ddof=1) * np.sqrt(1 / 8 + n_test / n_train)
        assert float(row.parameters["t"]) == pytest.approx(differences.mean() / error, rel=1e-4)
        assert "Nadeau–Bengio" in found.sentence and "of 2 divisions" in found.sentence


def test_what_is_no_cross_validation_says_so(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 300, request=SplitRequest(folds=3))
        one = opened_folds(workspace, dataset)
        two = opened_folds(workspace, dataset, seed=1)
        with pytest.raises(InputError, match=NO_FOLDS):
            cross_validation(workspace, (one[0], two[1]))
        found = cross_validation(workspace, (one[0], one[1], two[2]))
        assert found.left_out == (two[2],) and "Only 2 of the 3 folds" in found.ways[0].note and not found.pairs
        other = opened_run(workspace, drawn_dataset(workspace, 200, name="Other"))
        assert siblings(workspace, (other,)) == ()
        views = [training.view(workspace, name) for name in (one[0], other)]
        assert not are_folds(views) and not are_folds(views[:1])
        with pytest.raises(UsageError, match="no fold"):
            cross_validation(workspace, (one[0], other))
        evaluation_path(workspace, one[2]).unlink()
        with pytest.raises(SealError):
            cross_validation(workspace, one)


def _calibrated(workspace: Workspace, run: str, line: dict[str, Any]) -> None:
    wire.write(workspace.run(run) / "calibrator.json", Calibrator("platt", **line))


def test_one_area_of_all_folds_only_after_each_was_calibrated(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 300, request=SplitRequest(folds=3))
        runs = opened_folds(workspace, dataset)
        line = {"slope": 1.2, "intercept": -0.1, "fitted_on": "val", "unit": "image", "n": 40}
        for run in runs[:2]:
            _calibrated(workspace, run, line)
        assert cross_validation(workspace, runs).ways[0].pooled is None
        _calibrated(workspace, runs[2], line)
        pooled = cross_validation(workspace, runs).ways[0].pooled
        assert pooled is not None and pooled.method == "pooled-calibrated-folds" and pooled.low is not None
        assert "calibrated by its own" in pooled.parameters["pooled over"]

"""Folds and sites left out in turn: a number each, their mean, and no pooled curve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medfm_gui.base.settings import Settings
from medfm_gui.cli.cases import beside_test
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.folds import fold_summary
from medfm_gui.workspace.held_out import held_out
from medfm_gui.workspace.place import open_workspace
from tests.fixtures.opened import drawn_dataset, opened_folds, opened_run


def test_each_site_is_told_by_name(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        sites = ("north", "south", "<b>east</b>")
        dataset = drawn_dataset(
            workspace, 600, covariates={"site": sites}, request=SplitRequest(leave_out="site"), per_patient=2
        )
        runs = opened_folds(workspace, dataset)
        (found,) = held_out(workspace, runs)
        assert found.by == "site" and {row.label for row in found.rows} == set(sites) and found.runs == runs
        values = [row.value for row in found.rows if row.value is not None]
        assert found.mean.value == pytest.approx(np.mean(values)) and found.mean.method == "bootstrap-within-folds"
        assert found.mean.low is not None and found.mean.high is not None
        assert found.mean.low < found.mean.value < found.mean.high  # type: ignore[operator]
        assert found.spread == pytest.approx(np.std(values, ddof=1))
        assert (found.lowest, found.highest) == (min(values), max(values))
        assert found.mean.n == sum(row.n for row in found.rows) and "no confidence interval" in found.note
        document, lines, tables = beside_test(workspace, runs, class_sets=None)
        assert document["held_out"][0]["by"] == "site" and "site" in lines[1] and len(tables) == 1
        assert held_out(workspace, runs[:1]) == ()


def test_folds_are_numbered_and_single_runs_have_none(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 300, request=SplitRequest(folds=3))
        (found,) = held_out(workspace, opened_folds(workspace, dataset))
        assert found.by == "fold" and [row.label for row in found.rows] == ["fold 1", "fold 2", "fold 3"]
        other = drawn_dataset(workspace, 200, name="Other")
        assert held_out(workspace, [opened_run(workspace, other)]) == ()
    with pytest.raises(InputError):
        fold_summary([])

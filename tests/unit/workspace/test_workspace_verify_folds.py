"""Where a run of a fold stands, held against the order of the run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from medfm_gui.domain.dataset import Task
from medfm_gui.workspace.verifying_folds import _facts


def _held(line: object, fold: int = 1) -> Any:
    return cast("Any", SimpleNamespace(facts=(SimpleNamespace(run="r1", fold=fold, line=line),)))


def _run(task: Task) -> Any:
    view = SimpleNamespace(id="r1", spec=SimpleNamespace(task=task, fold=1))
    return cast("Any", SimpleNamespace(view=view, calibrator="a calibrator"))


@pytest.mark.parametrize(
    ("task", "line"), ((Task.BINARY, "a calibrator"), (Task.MULTICLASS, None), (Task.ORDINAL, None))
)
def test_a_calibration_is_told_of_two_classes_alone(task: Task, line: object) -> None:
    assert not list(_facts(_held(line), [_run(task)]))
    (found,) = _facts(_held("another"), [_run(task)])
    assert found.kind == "differs" and "r1, calibration" in found.where


def test_another_fold_and_a_strange_run_are_named() -> None:
    assert [one.where for one in _facts(_held("a calibrator", 2), [_run(Task.BINARY)])] == ["folds.json: r1, fold"]
    assert [one.kind for one in _facts(_held(None), [])] == ["inserted"]

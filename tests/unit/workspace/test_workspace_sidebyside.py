"""Why an opened run cannot stand beside another one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from medfm_gui.domain.dataset import Task
from medfm_gui.workspace.comparing import Tested
from medfm_gui.workspace.sidebyside import reason_against


def _run(run: str, sample_set: str, fold: int | None) -> Any:
    tested = Tested(run, Task.BINARY, ("a", "b"), "fingerprint", sample_set)
    return cast(
        "Any", SimpleNamespace(row=SimpleNamespace(fold=fold, dataset="d"), sample_set=sample_set, tested=tested)
    )


def test_another_fold_is_led_to_where_folds_are_summed_up() -> None:
    first, second = _run("r1", "one", 1), _run("r2", "two", 2)
    assert "“Folds” sums them up" in reason_against(first, second)
    assert reason_against(first, _run("r3", "one", 1)) == "" and reason_against(first, first) == ""


def test_other_images_without_folds_are_named_as_such() -> None:
    assert reason_against(_run("r1", "one", None), _run("r2", "two", None)).endswith("different sets of images.")

"""One named event of a task with several classes: its probability against all else, as a question of two classes.

Of classes without order an event is one class, of several findings one finding, of grades “this grade or higher”. No
threshold was locked for such a question, so nothing that hangs on one is told of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.workspace.opened_runs import OpenedRun

if TYPE_CHECKING:
    from medfm_gui.metrics.arrays import Flags

NO_THRESHOLD = (
    "Sensitivity and specificity are not told: no threshold was locked for one class of several before the test was "
    "opened."
)


def events_of(task: Task, classes: Sequence[str]) -> tuple[str, ...]:
    """What can be named; nothing of a task with two classes, whose positive class is the event, or of masks."""
    if task in (Task.MULTICLASS, Task.MULTILABEL):
        return tuple(classes)
    return tuple(classes[1:]) if task is Task.ORDINAL else ()


def event_title(task: Task, event: str) -> str:
    """How an event reads: a grade counts from there on."""
    return f"{event} or higher" if event and task is Task.ORDINAL else event


def of_event(run: OpenedRun, event: str) -> tuple[OpenedRun, Flags]:
    """The run as an answer to “is it the event?”, and which (n,) of its units were assessed for it.

    An empty event leaves a run as it is.

    Raises:
        UsageError: the task has no such event.
    """
    units = run.units
    if not event:
        return run, np.ones(len(units), np.bool_)
    if event not in events_of(units.task, units.classes):
        known = ", ".join(events_of(units.task, units.classes)) or "none"
        raise UsageError(f"“{event}” is no event that this task can be asked for.", f"Name one of: {known}.")
    at = units.classes.index(event)
    if units.task is Task.MULTILABEL:
        truth, told = units.targets[:, at], units.scores[:, at]
    elif units.task is Task.ORDINAL:
        truth, told = (units.targets >= at).astype(np.intp), units.scores[:, at:].sum(axis=1)
    else:
        truth, told = (units.targets == at).astype(np.intp), units.scores[:, at]
    kept = np.asarray(truth != UNKNOWN)
    part = units.taken(kept)
    share = np.clip(told[kept], 0.0, 1.0)
    name = event_title(units.task, event)
    asked = replace(
        part, targets=truth[kept], scores=np.stack([1.0 - share, share], axis=1), task=Task.BINARY,
        classes=(f"not {name}", name), positive=name,
    )  # fmt: skip
    return replace(run, units=asked, point=None), kept

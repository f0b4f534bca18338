"""What can be done with a choice of runs, as data: title, keys, icon, and why it cannot be done now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medfm_gui.desk.asks.runs import RunItem
from medfm_gui.domain.run import Phase

Runs = Sequence[RunItem]

_AT_WORK = (Phase.QUEUED, Phase.RUNNING)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do. ``obstacle`` says why it cannot be done with these runs; empty when it can."""

    verb: str
    title: str
    icon: str
    keys: str
    obstacle: Callable[[Runs], str]
    writes: bool = False
    about: str = ""


def can_pause(item: RunItem) -> bool:
    """It waits or works, and somebody looks after it."""
    return item.is_supervised and item.row.state.phase in _AT_WORK


def can_resume(item: RunItem) -> bool:
    """Nobody looks after it, and it can go on, or was never begun."""
    state = item.row.state
    return not item.is_supervised and (state.resumable or state.phase is Phase.QUEUED)


def can_cancel(item: RunItem) -> bool:
    """It has not ended for good."""
    state = item.row.state
    return state.phase in (*_AT_WORK, Phase.PAUSED) or (state.phase is Phase.FAILED and state.resumable)


def is_finished(item: RunItem) -> bool:
    """It has a result."""
    return item.row.state.phase is Phase.FINISHED


def is_over(item: RunItem) -> bool:
    """It neither waits nor works."""
    return item.row.state.phase not in _AT_WORK


def _any(test: Callable[[RunItem], bool], why: str) -> Callable[[Runs], str]:
    def obstacle(runs: Runs) -> str:
        if not runs:
            return "Choose a run first."
        return "" if any(map(test, runs)) else why

    return obstacle


def _one(test: Callable[[RunItem], bool], why: str) -> Callable[[Runs], str]:
    def obstacle(runs: Runs) -> str:
        if len(runs) != 1:
            return "Choose one run." if runs else "Choose a run first."
        return "" if test(runs[0]) else why

    return obstacle


def _openable(runs: Runs) -> str:
    if not runs:
        return "Choose a run first."
    finished = [item for item in runs if is_finished(item)]
    if not finished:
        return "Only a finished run can be tested."
    return "The test of these runs is open already." if all(item.is_opened for item in finished) else ""


def _comparable(runs: Runs) -> str:
    opened = [item for item in runs if item.is_opened]
    if len(runs) < 2:
        return "Choose two or more runs."
    if len(opened) < len(runs):
        return "Open the sealed test of each run first."
    if len({item.row.dataset for item in runs}) > 1:
        return "Choose runs of one dataset."
    return ""


def _reportable(runs: Runs) -> str:
    if not runs:
        return "Choose a run first."
    return "" if all(item.is_opened for item in runs) else "Open the sealed test of each run first."


DEEDS: tuple[Deed, ...] = (
    Deed(
        "pause",
        "Pause",
        "pause",
        "Ctrl+.",
        _any(can_pause, "Only a run that waits or works can be paused."),
        True,
        "Saves its place and frees the device; it goes on to the same result.",
    ),
    Deed(
        "resume",
        "Resume",
        "play",
        "Ctrl+Return",
        _any(can_resume, "Only a run that was paused, interrupted or never begun can go on."),
        True,
        "Goes on from the last saved place.",
    ),
    Deed(
        "cancel",
        "Cancel",
        "stop",
        "Ctrl+Backspace",
        _any(can_cancel, "The run has ended already."),
        True,
        "Stops it for good.",
    ),
    Deed(
        "retry",
        "Retry",
        "retry",
        "Ctrl+R",
        _any(is_over, "The run has not ended yet."),
        True,
        "The same run once more, under a new id.",
    ),
    Deed(
        "clone",
        "Clone",
        "clone",
        "Ctrl+D",
        _one(lambda _: True, ""),
        True,
        "A new run with changes, in the train wizard.",
    ),
    Deed(
        "test", "Open test", "seal", "Ctrl+T", _openable, True, "Opens the sealed test set, for a reason that is kept."
    ),
    Deed("compare", "Compare", "compare", "Ctrl+Shift+C", _comparable, False, "Side by side, with paired tests."),
    Deed("report", "Report", "reports", "Ctrl+Shift+E", _reportable, False, "A PDF with its evidence."),
    Deed(
        "export",
        "Export predictions",
        "export",
        "Ctrl+S",
        _one(is_finished, "Only a finished run has predictions."),
        False,
        "Scores of a partition as CSV.",
    ),
    Deed(
        "folder",
        "Show folder",
        "folder",
        "Ctrl+Shift+O",
        _one(lambda _: True, ""),
        False,
        "Everything that the run wrote.",
    ),
)
"""In the order of the tool bar."""

READ_ONLY = "This workspace is open read-only, because another window has it."


def obstacle(deed: Deed, runs: Runs, *, is_read_only: bool) -> str:
    """Why a deed is not possible now; empty when it is."""
    return READ_ONLY if deed.writes and is_read_only else deed.obstacle(runs)


@dataclass(frozen=True, slots=True)
class Remedy:
    """The one button beside a failure: its caption and the verb it stands for."""

    caption: str
    verb: str


_WEIGHTS = ("weights_absent", "weights_rejected", "offline")
_OTHER_SETTINGS = ("out_of_memory", "non_finite_loss", "usage_error", "split_error", "leak_error")


def remedy(item: RunItem) -> Remedy:
    """What helps a run that failed, by the kind of its error."""
    state = item.row.state
    if state.error_kind in _WEIGHTS:
        return Remedy("Open weights in Settings", "weights")
    if state.error_kind in _OTHER_SETTINGS:
        return Remedy("Clone with other settings", "clone")
    if state.resumable:
        return Remedy("Resume", "resume")
    return Remedy("Retry as a new run", "retry")

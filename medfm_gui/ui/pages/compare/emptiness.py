"""What the page says while there is nothing to compare, and the one button that helps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from medfm_gui.desk.asks.compare import CandidateList
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.widgets.states import StatePane

_FOR = (
    "This page sets finished runs side by side on the same test images: every number with its interval, paired tests "
    "against a reference, and charts."
)


def show(
    pane: StatePane, answer: CandidateList, wanted: Sequence[str], *, context: Context, choose: Callable[[], None]
) -> None:
    """Say what is missing.

    Args:
        wanted: runs that were asked for and cannot be shown.
        choose: opens the list of runs.
    """
    if not answer.runs:
        _no_run(pane, answer, context)
        return
    sealed = [one.run for one in answer.runs if not one.is_opened]
    missing = [run for run in wanted if run in sealed] or sealed
    if any(one.is_opened for one in answer.runs) and not wanted:
        pane.show_empty("No runs chosen", _FOR, "Choose runs …", choose, icon="compare")
        return
    if missing:
        named = wording.listed(missing)
        pane.show_empty(
            f"The test of {named} is sealed",
            f"{_FOR} A test is opened once, with a reason that is kept and printed. Select a run in the list to open "
            "its test.",
            "Choose runs …",
            choose,
            icon="seal",
        )
        return
    gone = f"{wording.listed(tuple(wanted))}: there is no finished run of that name any more. "
    pane.show_empty("These runs cannot be compared", gone + _FOR, "Choose runs …", choose, icon="compare")


def _no_run(pane: StatePane, answer: CandidateList, context: Context) -> None:
    if answer.n_unfinished:
        pane.show_empty(
            "No run is finished yet",
            f"{_FOR} Runs of this workspace that wait, work or failed: {answer.n_unfinished}.",
            "Look at the runs",
            lambda: context.go("runs"),
            icon="clock",
        )
        return
    can = not context.is_read_only
    pane.show_empty(
        "No runs yet",
        f"{_FOR} Train a model in two ways, or two models, and come back.",
        "New training" if can else "",
        (lambda: context.go("train")) if can else None,
        icon="compare",
    )

"""Every run against every other on the headline metric: a look without a question named before, so exploratory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from medfm_gui.domain.evaluation import Comparison
from medfm_gui.workspace.comparing import OnProgress
from medfm_gui.workspace.opened_runs import opened_tests, read_opened
from medfm_gui.workspace.place import Workspace

EXPLORATORY = "all pairs, exploratory"
HEADLINE_ALONE = "They are compared by the headline number alone."
"""A bootstrap of every other number of every run would take several times as long."""


def every_pair(
    workspace: Workspace, run_ids: Sequence[str], *, on_progress: OnProgress | None = None
) -> tuple[Comparison, ...]:
    """Differences of the headline metric between all pairs, the later run minus the earlier.

    Holm's p and the simultaneous intervals are over all of them. Nothing is stored: the comparison that counts is that
    against the declared reference.

    Raises:
        SealError: the test of a run was not opened.
        UsageError, InputError: the runs cannot be compared.
    """
    from medfm_gui.metrics.family import Contender, compare_family

    found = read_opened(workspace, opened_tests(workspace, run_ids), on_progress)
    sides = [Contender(run.view.id, run.images) for run in found.runs]  # without thresholds: the headline alone
    pairs = [(second, first) for first, second in combinations(range(len(sides)), 2)]
    rows = compare_family(sides, pairs, unit=found.runs[0].units.unit, headline_alone=True, on_progress=on_progress)
    return tuple(
        replace(row, parameters={**row.parameters, "pairs": EXPLORATORY})
        for row in rows
        if "failures" not in row.parameters
    )

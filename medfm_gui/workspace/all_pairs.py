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


def every_pair(
    workspace: Workspace, run_ids: Sequence[str], *, on_progress: OnProgress | None = None
) -> tuple[Comparison, ...]:
    """Differences of the headline metric between all pairs, the later run minus the earlier, with Holm over all.

    Nothing is stored: the comparison that counts is that against the declared reference.

    Raises:
        SealError: the test of a run was not opened.
        UsageError, InputError: the runs cannot be compared.
    """
    from medfm_gui.metrics import compare as paired

    found = read_opened(workspace, opened_tests(workspace, run_ids))
    pairs = list(combinations(found.runs, 2))
    rows: list[Comparison] = []
    for number, (first, second) in enumerate(pairs):
        if on_progress is not None:
            on_progress(f"Comparing {second.view.id} with {first.view.id}", number, len(pairs))
        whole = paired.compare(
            second.images, first.images, run_a=second.view.id, run_b=first.view.id, point_a=None, point_b=None,
            unit=second.view.spec.recipe.unit,
        )  # fmt: skip
        rows += [row for row in whole if row.metric == whole[0].metric and "failures" not in row.parameters]
    marked = [replace(row, parameters={**row.parameters, "pairs": EXPLORATORY}) for row in rows]
    return paired.adjust_holm(marked)

"""Which numbers of a cross-validation a locked protocol had promised: it has to be of all folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from medfm_gui.domain.evaluation import Comparison
from medfm_gui.domain.protocol import Role
from medfm_gui.workspace.comparing import promised_words
from medfm_gui.workspace.crossvalidation import CrossValidation
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.protocol import locked_for
from medfm_gui.workspace.roles import Standing, standing
from medfm_gui.workspace.training import RunView


def standing_of_folds(workspace: Workspace, views: Sequence[RunView]) -> Standing:
    """What the protocol of runs over folds says; one that names a single fold does not bind all of them."""
    splits = {view.spec.split_id: view for view in views}
    locked = {split: locked_for(workspace, view.spec.dataset_id, split) for split, view in splits.items()}
    known = [split for split, one in locked.items() if one is not None]
    if not known:
        return standing(workspace, views, over_folds=True)
    first = locked[known[0]]
    if first is None or any(one is None or one.id != first.id for one in locked.values()):
        name = first.id if first is not None else ""
        return Standing(first, f"The protocol {name} is not of all these folds: every number is exploratory.")
    return standing(workspace, views, over_folds=True)


def role_of_ways(found: Standing, pair: Comparison, crossed: CrossValidation, views: Sequence[RunView]) -> Role:
    """Primary: the protocol's metric between two ways that are the sides it names."""
    return Role.PRIMARY if _first_side(found, pair, crossed, views) else Role.EXPLORATORY


def promised_of_folds(found: Standing, crossed: CrossValidation, views: Sequence[RunView]) -> list[str]:
    """What a locked protocol has to say: which pair of ways it promised, and whether its margin is kept."""
    sides = [(pair, _first_side(found, pair, crossed, views)) for pair in crossed.comparisons]
    return promised_words(found, [(pair, side) for pair, side in sides if side], {}) if sides else []


def _first_side(found: Standing, pair: Comparison, crossed: CrossValidation, views: Sequence[RunView]) -> str:
    """The way of a promised pair that is the first side of the primary comparison; empty where it is another pair."""
    by_id = {view.id: view for view in views}
    for a in crossed.runs_of(pair.a):
        for b in crossed.runs_of(pair.b):
            if a not in by_id or b not in by_id:
                continue
            of_runs = replace(pair, a=a, b=b)
            if found.role_of_pair(of_runs, (by_id[a], by_id[b])) is Role.PRIMARY:
                return pair.a if found.side_first(of_runs, (by_id[a], by_id[b])) == a else pair.b
    return ""

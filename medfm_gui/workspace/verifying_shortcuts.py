"""The cheap models of a report computed again from what they scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from medfm_gui.domain.errors import InputError
from medfm_gui.workspace.evidence import Evidence
from medfm_gui.workspace.evidence_numbers import Printed
from medfm_gui.workspace.evidence_shortcuts import BASELINES, SHORTCUTS
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_shortcuts import CHEAP_MODELS
from medfm_gui.workspace.shortcuts import TITLES, Baseline, ShortcutFile, beside_runs, told_of
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_runs import pairs_differ, rows_differ

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored


def shortcuts_again(held: Evidence, runs: Sequence[OpenedRun]) -> ShortcutFile | None:
    """The baselines from their attached scores; None where none are attached.

    Raises:
        InputError: the scores of one that has numbers are missing, or are of other images.
    """
    if held.shortcuts is None:
        return None
    scores = {one.name: _scores(one, held, runs) for one in held.shortcuts.baselines if one.evaluations}
    made = [
        beside_runs(runs, one.name, one.note, scores[one.name]) if one.name in scores else one
        for one in held.shortcuts.baselines
    ]
    return told_of(runs, made, scores)


def _scores(one: Baseline, held: Evidence, runs: Sequence[OpenedRun]) -> Scored:
    images = runs[0].images
    if one.name not in held.baselines or one.name not in TITLES:
        raise InputError(f"The attached {BASELINES} does not hold “{one.title}”.", "Ask for the whole file.")
    samples, scores = held.baselines[one.name]
    places = {name: place for place, name in enumerate(samples)}
    if set(places) != set(images.samples) or scores.shape[1] != len(images.classes):
        raise InputError(f"The scores of “{one.title}” are of other images or classes.", "Ask for the file again.")
    ordered = scores[[places[name] for name in images.samples]].astype(np.float64)
    return replace(images, scores=ordered)


def shortcuts_differ(held: Evidence, again: ShortcutFile, *, words: bool = False) -> list[Difference]:
    """Numbers, paired tests and sentences of the cheap models that do not come of their scores."""
    if held.shortcuts is None:
        return []
    found: list[Difference] = []
    for told, fresh in zip(held.shortcuts.baselines, again.baselines, strict=True):
        found += rows_differ(told.evaluations, fresh.evaluations, where="cheap models, ", words=words)
        found += pairs_differ(told.pairs, fresh.pairs, words=words)
    for said in held.shortcuts.sentences:
        if said not in again.sentences:
            message = f"{SHORTCUTS} says “{said[:160]}”, which does not come of the scores."
            found.append(Difference(SHORTCUTS, "differs", message, found=said[:160]))
    return found


def beside_differ(told: ShortcutFile | None, shown: Printed | None) -> list[Difference]:
    """A table of cheap models that no attached number is behind."""
    has_numbers = told is not None and any(one.evaluations for one in told.baselines)
    if shown is None or has_numbers or not any(table.caption == CHEAP_MODELS for table in shown.tables):
        return []
    message = f"{shown.title}: cheap models are told of, and the report carries no numbers of them."
    return [Difference(f"{shown.title}: {CHEAP_MODELS}", "inserted", message)]

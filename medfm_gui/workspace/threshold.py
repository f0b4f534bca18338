"""Which threshold rule a run gets and who chose it; which ones are known for a dataset before anybody chooses."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.run import EXTERNAL
from medfm_gui.domain.threshold import DEFAULT_RULE, RULE, RuleOrigin, has_threshold, is_rule
from medfm_gui.workspace.place import Workspace

_MOST_RUNS = 100
"""Of a dataset, the newest first, that are looked at for what was chosen last."""


@dataclass(frozen=True, slots=True)
class KnownRules:
    """What is known of a dataset and split: ``promised`` is named by the locked ``protocol``, ``last`` was chosen by a
    person for ``run``, the newest of them; empty where there is none."""

    dataset: str = ""
    split: str = ""
    promised: str = ""
    protocol: str = ""
    last: str = ""
    run: str = ""


def rule_for(
    task: Task,
    told: Mapping[str, str],
    preset: Mapping[str, str],
    promised: str = "",
    teller: RuleOrigin = RuleOrigin.PERSON,
) -> tuple[str, RuleOrigin]:
    """The rule of a run: as it was told, else the locked protocol's, else the preset's, else the default.

    Args:
        told: settings of the request; ``preset``: those of its preset.
        promised: the rule that a locked protocol names; empty where none does.
        teller: who chose what is told.
    """
    if not has_threshold(task):
        return told.get(RULE) or preset.get(RULE) or DEFAULT_RULE, RuleOrigin.UNKNOWN
    if rule := told.get(RULE, ""):
        is_promised = rule == promised and teller is RuleOrigin.PERSON
        return rule, RuleOrigin.PROTOCOL if is_promised else teller
    if promised:
        return promised, RuleOrigin.PROTOCOL
    if rule := preset.get(RULE, ""):
        return rule, RuleOrigin.PRESET
    return DEFAULT_RULE, RuleOrigin.DEFAULT


def promised_rule(workspace: Workspace, dataset_id: str, split_id: str) -> tuple[str, str]:
    """The rule that the locked protocol of these data names, and the protocol's id.

    Both are empty where there is none, or where it says it in words that are no rule of a run.
    """
    from medfm_gui.workspace.protocol import locked_for  # which imports ``training``, and that this module

    locked = locked_for(workspace, dataset_id, split_id)
    if locked is None or not is_rule(locked.protocol.threshold_rule):
        return "", ""
    return locked.protocol.threshold_rule, locked.id


def known_rules(workspace: Workspace, dataset_id: str, split_id: str) -> KnownRules:
    """What a person who chooses a rule for these data should be offered."""
    promised, protocol = promised_rule(workspace, dataset_id, split_id)
    last, run = _last_chosen(workspace, dataset_id)
    return KnownRules(dataset_id, split_id, promised, protocol, last, run)


def _last_chosen(workspace: Workspace, dataset_id: str) -> tuple[str, str]:
    """The rule that a person chose for the newest run of a dataset, and the run."""
    from medfm_gui.store import queries
    from medfm_gui.workspace.training import spec_of

    with workspace.store.reading() as reader:
        rows = queries.runs(reader, dataset_id=dataset_id)
    newest = sorted((row for row in rows if row.adapt != EXTERNAL), key=lambda row: (row.created, row.id), reverse=True)
    for row in newest[:_MOST_RUNS]:
        with contextlib.suppress(MedfmError):  # the folder is gone; an older run may tell
            spec = spec_of(Path(row.folder))
            if spec.threshold_from is RuleOrigin.PERSON:
                return spec.recipe.threshold_rule, row.id
    return "", ""

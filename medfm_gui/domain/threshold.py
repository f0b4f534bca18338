"""The rule by which a threshold is fixed: which tasks have one, the rule in words, and who chose it.

What a miss weighs beside a false alarm is a clinical question, so a rule is chosen by a person or named by a locked
protocol; where neither was done, the default is kept as what it is: chosen by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.recipe import Recipe, parsed_rule

RULE = "threshold_rule"
"""The setting of a recipe."""
DEFAULT_RULE = Recipe().threshold_rule
ALIKE = "counts a miss and a false alarm alike"
"""What Youden's index does."""
NOT_CHOSEN = f"not chosen by anybody: the default, which {ALIKE}"


SIDES: Mapping[str, str] = {
    "cal": "calibration",
    "val": "validation",
    "out-of-fold": "held-out parts of the training images",
}
"""Of what a threshold or a calibrator was fixed on, what people read."""


class RuleOrigin(StrEnum):
    """Who chose the threshold rule of a run; unknown of runs of earlier versions and of tasks without a threshold."""

    UNKNOWN = ""
    PERSON = "person"
    PROTOCOL = "protocol"
    PRESET = "preset"
    DEFAULT = "default"

    @property
    def words(self) -> str:
        """To follow the rule in words; empty where it is not known."""
        return _ORIGINS[self]


_ORIGINS = {
    RuleOrigin.UNKNOWN: "",
    RuleOrigin.PERSON: "chosen for this training",
    RuleOrigin.PROTOCOL: "named by the locked protocol",
    RuleOrigin.PRESET: "of the preset",
    RuleOrigin.DEFAULT: NOT_CHOSEN,
}


def has_threshold(task: Task) -> bool:
    """Whether runs of a task get a threshold: binary ones do."""
    return task is Task.BINARY


def is_rule(text: str) -> bool:
    """Whether a text is a rule that a run can be given."""
    try:
        parsed_rule(text)
    except UsageError:
        return False
    return True


def rule_in_words(rule: str) -> str:
    """``sensitivity:0.9`` → “90 % sensitivity”; what is no rule stays as it is."""
    if not is_rule(rule):
        return rule
    name, number = parsed_rule(rule)
    match name:
        case "youden":
            return "Youden's index"
        case "cost":
            return f"a miss costs {number:g} false alarm{'' if number == 1 else 's'}"
        case _:
            return f"{100 * number:g} % {name}"


def fixed_in_words(rule: str, fitted_on: str) -> str:
    """A rule and where its threshold was fixed: “90 % sensitivity, fixed on validation”."""
    where = f"fixed on {SIDES.get(fitted_on, fitted_on)}" if fitted_on else ""
    return ", ".join(part for part in (rule_in_words(rule), where) if part)

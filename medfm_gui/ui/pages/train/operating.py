"""The operating point of a plan: the rules to choose from, as they are typed, and which one holds and why.

No rule is preselected. A rule that is known to be right for the data is there already and says where it comes from: the
locked protocol's, that of the run which is repeated, the preset's, or the one that was chosen last for the dataset.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from medfm_gui.domain.presets import preset_settings
from medfm_gui.domain.threshold import RULE, has_threshold, is_rule, rule_in_words

if TYPE_CHECKING:
    from medfm_gui.ui.pages.train.model import PlanState

CHOOSE = "Choose an operating point: what a miss weighs beside a false alarm is yours to say."
_PERCENT: Final = 100
_LEAST: Final = 1
"""Per cent: less is a share that was typed as a fraction."""
_CHEAPEST, _DEAREST = Decimal("0.001"), Decimal(1_000_000)
"""Costs of a miss that are written out."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A rule to choose: its title, what it does, and the unit of its number; one without a unit has no number.

    ``name`` is the word of the recipe's grammar, ``field`` what the number is called, ``needs`` the sentence where it
    is missing or wrong.
    """

    name: str
    title: str
    gist: str
    field: str = ""
    unit: str = ""
    example: str = ""
    needs: str = ""


KINDS: Final = (
    Kind(
        "sensitivity",
        "Fixed sensitivity",
        "Finds at least this share of the events.",
        "Sensitivity in per cent",
        "%",
        "e.g. 90",
        "Type the sensitivity to hold: a number from 1 to below 100 %.",
    ),
    Kind(
        "specificity",
        "Fixed specificity",
        "Spares at least this share of the others.",
        "Specificity in per cent",
        "%",
        "e.g. 90",
        "Type the specificity to hold: a number from 1 to below 100 %.",
    ),
    Kind(
        "cost",
        "Cost of a miss",
        "The least cost, at the share of events in these images.",
        "False alarms that a miss costs",
        "false alarms",
        "e.g. 5",
        "Type how many false alarms a miss costs: a number above 0.",
    ),
    Kind("youden", "Youden’s index", "Counts a miss and a false alarm alike."),
)


def kind_of(rule: str) -> Kind | None:
    """The kind of a rule, complete or not."""
    name = rule.partition(":")[0]
    return next((kind for kind in KINDS if kind.name == name), None)


def as_rule(kind: Kind, typed: str) -> str:
    """The rule in the recipe's grammar; a number that cannot be is kept as it was typed, and makes no rule."""
    text = typed.strip().removesuffix("%").strip()
    if not kind.unit:
        return kind.name
    number = _number(text)
    if kind.unit != "%":
        return f"{kind.name}:{text if number is None or not _CHEAPEST <= number < _DEAREST else _plain(number)}"
    if number is None or not _LEAST <= number < _PERCENT:
        return f"{kind.name}:{text} %"
    return f"{kind.name}:{_plain(number / _PERCENT)}"


def as_typed(rule: str) -> str:
    """The number of a rule as it is typed: ``sensitivity:0.9`` → 90."""
    kind, text = kind_of(rule), rule.partition(":")[2]
    number = _number(text)
    if kind is None or kind.unit != "%" or number is None:
        return text.removesuffix("%").strip()
    return _plain(number * _PERCENT)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")


@dataclass(frozen=True, slots=True)
class Ruled:
    """The rule that holds for a plan, ``""`` where none does; ``said`` tells where it comes from if not from here.

    ``told`` is whether a request has to say it: a preset says its own. ``departs``: a locked protocol names another.
    """

    rule: str = ""
    said: str = ""
    told: bool = True
    departs: bool = False


def concerns(state: PlanState) -> bool:
    """Whether the runs of a plan get a threshold."""
    dataset = state.plan.dataset
    return dataset is not None and has_threshold(dataset.task)


def ruled(state: PlanState) -> Ruled:
    """What was chosen here, else what is known, the most binding first."""
    plan, known = state.plan, state.known_rules
    if plan.dataset is None or not concerns(state):
        return Ruled()
    is_known = plan.split is not None and (known.dataset, known.split) == (plan.dataset.id, plan.split.id)
    if is_known and known.promised and plan.rule in ("", known.promised):
        return Ruled(known.promised, f"As the locked protocol {known.protocol} names it.")
    if plan.rule:
        departs = is_known and bool(known.promised)
        said = f"The locked protocol {known.protocol} names another: {rule_in_words(known.promised)}. Reports say so."
        return Ruled(plan.rule, said, departs=True) if departs else Ruled(plan.rule)
    if plan.repeated:
        run, rule = plan.repeated
        return Ruled(rule, f"As in {run}, which is repeated. Choose another where that is not what you want.")
    if rule := _of_the_preset(state):
        return Ruled(rule, "As the preset says. Choose another where that is not what you want.", told=False)
    if is_known and known.last:
        return Ruled(known.last, f"As you chose it last for these data, in {known.run}. Choose again if it is not so.")
    return Ruled()


def _of_the_preset(state: PlanState) -> str:
    """The rule that the plan's preset has for all of its ways; empty where it leaves it open."""
    adapts = {way.adapt for _, way in state.cells()}
    found = {preset_settings(state.plan.preset, adapt, *state.where).get(RULE, "") for adapt in adapts}
    return found.pop() if len(found) == 1 else ""


def gap(state: PlanState) -> str:
    """What is missing before the runs can start; empty if nothing is."""
    if not concerns(state):
        return ""
    rule = ruled(state).rule
    kind = kind_of(rule)
    if kind is None:
        return CHOOSE
    return "" if is_rule(rule) else kind.needs


def settings(state: PlanState) -> dict[str, str]:
    """What a request says of it."""
    found = ruled(state)
    return {RULE: found.rule} if found.told and is_rule(found.rule) else {}

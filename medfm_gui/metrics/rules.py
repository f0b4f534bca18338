"""How numbers are made, counted in versions: a file tells by which it was written, so that a number that was changed
is told apart from a rule that was.

Who changes what a number is, how it is named or what stands beside it, raises ``RULES`` and says it in ``CHANGES``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medfm_gui import __version__

RULES = 1
"""The version of the rules by which this program makes numbers; 0 is of programs that did not count them."""
_SIGN = "+rules."
CODE_VERSION = f"{__version__}{_SIGN}{RULES}"
"""What a number bears as the code that made it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A rule that changed: with which version, of what (a pattern of the place of a difference), and how."""

    rules: int
    where: str
    said: str


CHANGES: Sequence[Change] = (
    Change(
        1,
        r"^\S+ − \S+ (sensitivity|specificity) parameters$",
        "paired sensitivity and specificity: patients and events are those of the one class that is compared",
    ),
    Change(1, r"\b(unit_score|threshold_from|counted)\b", "how images become one score is a setting of its own"),
    Change(1, r"chart “(ROC|Precision and recall|Confusion).*note$", "charts say of how many units they are"),
    Change(1, r"^Adaptation ladder: What each run cost.*, (Shots|Trained)$", "what another system cost is not known"),
)
"""The changes since numbers were first told, the oldest first."""


def rules_of(code_version: str) -> int:
    """The version of the rules that made a number, by the code version that it bears; 0 where it tells none."""
    _, sign, number = code_version.partition(_SIGN)
    return int(number) if sign and number.isascii() and number.isdigit() else 0


def changed_since(rules: int, where: str) -> Change | None:
    """The change since then that explains a difference at that place; None where no rule of it changed."""
    return next((one for one in CHANGES if one.rules > rules and re.search(one.where, where)), None)


def told(changes: Iterable[Change]) -> str:
    """What changed, each once, in one sentence's part."""
    return "; ".join(dict.fromkeys(one.said for one in changes))

"""By which program and rules a report was written, and which differences are those of a rule that changed since."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from medfm_gui import __version__
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Part
from medfm_gui.metrics.rules import RULES, changed_since, rules_of, told
from medfm_gui.workspace.report_provenance import ENVIRONMENT, code_hash
from medfm_gui.workspace.verifying import Difference

_MOST = 5
_WORDS = 4
"""So many spaces make a sentence."""
_ONLY = "They need not have been changed: only the version that wrote the report makes them again."


def rules_in(files: Mapping[str, bytes], rows: Sequence[Evaluation]) -> int:
    """The oldest rules by which a number of the report was made; 0 where it does not tell them."""
    return min((_written_with(files)[1], *(rules_of(row.code_version) for row in rows)))


@dataclass(frozen=True, slots=True)
class Parted:
    """Differences that a rule explains, that other code words otherwise with the same numbers, and all others."""

    changed: tuple[Difference, ...] = ()
    worded: tuple[Difference, ...] = ()
    others: tuple[Difference, ...] = ()


def is_own(files: Mapping[str, bytes], rules: int) -> bool:
    """Whether this very program wrote the report, so that every word must be its own too."""
    code = _written_with(files)[2]
    return rules == RULES and bool(code) and code == code_hash()


def parted(differences: Sequence[Difference], rules: int, *, own: bool) -> Parted:
    """Differences by what explains them.

    Args:
        own: this very program wrote the report, so that no word may differ.
    """
    found: defaultdict[str, list[Difference]] = defaultdict(list)
    for one in differences:
        is_rule = changed_since(rules, one.where) is not None
        found["changed" if is_rule else "worded" if not own and _is_worded(one) else "others"].append(one)
    return Parted(**{name: tuple(of) for name, of in found.items()})


def _is_worded(one: Difference) -> bool:
    """Other words around the same numbers; not of hashes and versions, whose letters are no words."""
    if one.where.startswith(Part.PROVENANCE.heading):
        return False
    sentences = one.kind == "differs" and min(one.expected.count(" "), one.found.count(" ")) >= _WORDS
    return sentences and re.findall(r"\d+", one.expected) == re.findall(r"\d+", one.found)


def said_of(files: Mapping[str, bytes], rows: Sequence[Evaluation], found: Parted) -> Iterator[str]:
    """Who wrote the report by which rules, where that is not this program, and what is of a rule or a wording."""
    version, written, code = _written_with(files)
    rules = rules_in(files, rows)
    if is_own(files, rules) and not found.changed:
        return
    by = f"rules {written}" if written else "rules that it does not number"
    said = f"Made by version {version or 'unknown'}, {by}{_code(code)}; this is version {__version__}, rules {RULES}"
    said += f"{_code(code_hash())}."
    if written > rules:
        said += f" Some of its numbers are older: rules {rules or 'that are not numbered'}."
    if written > RULES:
        said += " A newer version knows rules that this one does not: verify it with that version."
    yield said
    if found.changed:
        known = [change for one in found.changed if (change := changed_since(rules, one.where)) is not None]
        yield f"Numbers whose rule changed since: {_places(found.changed)} ({told(known)}). {_ONLY}"
    if found.worded:
        yield f"Sentences that this version words otherwise, with the same numbers: {_places(found.worded)}. {_ONLY}"


def _code(code: str) -> str:
    return f", code {code}" if code else ""


def _places(found: Sequence[Difference]) -> str:
    more = f" and {len(found) - _MOST:,} more" if len(found) > _MOST else ""
    return f"{', '.join(one.where for one in found[:_MOST])}{more}"


def _written_with(files: Mapping[str, bytes]) -> tuple[str, int, str]:
    """Version, rules and code of the program that wrote the report."""
    try:
        found = json.loads(files[ENVIRONMENT])["report"]
        version, rules = str(found["medfm"])[:40], str(found.get("rules", "0"))
        code = str(found.get("code", ""))[:40]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", 0, ""
    return version, int(rules) if rules.isascii() and rules.isdigit() and len(rules) < 6 else 0, code

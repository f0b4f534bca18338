"""The checklists of three guidelines, filled as far as a run can: CLAIM 2024, TRIPOD+AI 2024, STARD-AI 2025.

The items lie in ``resources/report/checklists``; the rules that look for their facts in ``report_rules``. A new
guideline is a file there.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from medfm_gui.base.resources import resources_folder
from medfm_gui.domain.report import Block, Paragraph, Part, Section, Table
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.report_rules import RULES, Known
from medfm_gui.workspace.training import RunView

HELP = (
    "These tables help to fill in the checklists of three guidelines. They are no statement that this report, or a "
    "study, complies with any of them. What is asked is told here in short and in other words: the guideline itself "
    "counts. An item is filled where the stored facts say something to it; whether that is enough is for the authors "
    "to judge. The page is that on which the named section begins."
)
_WIDTHS = (8.0, 20.0, 43.0, 31.0, 46.0)
_GUIDELINES = ("claim-2024", "tripod-ai", "stard-ai")


class Status(StrEnum):
    """What became of an item."""

    FILLED = "filled from the run: check it"
    AUTHORS = "to be written by you"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its number, the guideline's section, what it asks in other words, the rule that looks for the fact."""

    number: str
    section: str
    asks: str
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Guideline:
    """A checklist. ``source`` is its citation, ``name`` has its version."""

    name: str
    title: str
    source: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An item with what the run says to it; ``title`` is the section to look at, empty where there is none."""

    item: Item
    status: Status
    said: str = ""
    title: str = ""


@cache
def guidelines() -> tuple[Guideline, ...]:
    """The guidelines that the program knows."""
    return tuple(_read(name) for name in _GUIDELINES)


def _read(name: str) -> Guideline:
    raw = tomllib.loads((resources_folder() / "report" / "checklists" / f"{name}.toml").read_text(encoding="utf-8"))
    return Guideline(raw["name"], raw["title"], raw["source"], tuple(Item(**item) for item in raw["item"]))


def answers(guideline: Guideline, known: Known) -> tuple[Answer, ...]:
    """Every item of a guideline with what the run says to it."""
    return tuple(_answer(item, known) for item in guideline.items)


def _answer(item: Item, known: Known) -> Answer:
    found = RULES[item.fact](known) if item.fact else None
    if found is None:
        return Answer(item, Status.AUTHORS)
    if not found.title:
        return Answer(item, Status.MISSING, found.said)
    if found.title not in known.titles:
        return Answer(item, Status.MISSING, f"left out of this report: {found.title}")
    return Answer(item, Status.FILLED, found.said, found.title)


def checklists_section(known: Known) -> Section:
    """One table a guideline, with the page of the section that holds the fact."""
    blocks: list[Block] = [Paragraph(HELP)]
    for guideline in guidelines():
        found = answers(guideline, known)
        blocks += [Paragraph(f"{guideline.name}: {guideline.title}. {guideline.source}", "small")]
        rows = tuple((one.item.number, one.item.section, one.item.asks, one.status.value, _place(one)) for one in found)
        header = ("Item", "Section", "What is asked", "State", "Where, and what the run says")
        pages = tuple(one.title for one in found)
        blocks.append(Table(f"{guideline.name}. {_counted(found)}", header, rows, pages=pages, widths=_WIDTHS))
    return Section(Part.CHECKLISTS.heading, tuple(blocks))


def _place(one: Answer) -> str:
    if not one.title:
        return one.said[:1].upper() + one.said[1:] if one.said else "–"
    return f"{one.title}: {one.said}"


def _counted(found: Sequence[Answer]) -> str:
    counted = Counter(one.status for one in found)
    return ", ".join(f"{counted[status]} {status.value.partition(':')[0]}" for status in Status) + "."


def elsewhere_tests(workspace: Workspace, views: Sequence[RunView]) -> int:
    """How many tests of these runs on other datasets are stored."""
    folder = workspace.root / "evaluations"
    return sum(1 for view in views for _ in folder.glob(f"{view.id}-on-*.json"))

"""Whether a report has the sections that it must have, no others, and over each table what has to stand there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from medfm_gui.domain.report import Part
from medfm_gui.workspace.evidence_numbers import Contents, Printed
from medfm_gui.workspace.report_demographics import CHARACTERISTICS
from medfm_gui.workspace.report_folds import OF_ONE_TEST
from medfm_gui.workspace.report_subgroups import status_of
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_runs import differs
from medfm_gui.workspace.verifying_sections import Again

_PURPOSE, _PROTOCOL, LEFT_OUT = "Purpose", "Protocol", "Left out"
_NOT_IN = "Not in this report: "
_AT_WILL = frozenset({Part.EXAMPLES, Part.LADDER, Part.FOLDS})
"""Sections that a report may be without and not say so: there was nothing to show."""


def sections_differ(again: Again, contents: Contents) -> Iterator[Difference]:
    """Sections that are missing and not named as left out, that are there and named so, or that no report has."""
    titles = [one.title for one in contents.sections]
    known = {_PURPOSE, _PROTOCOL, LEFT_OUT, *(part.heading for part in Part)}
    for title in titles:
        if title not in known or titles.count(title) > 1:
            yield Difference(title[:120], "inserted", f"No report has such a section “{title[:120]}”, or only one.")
    named = left_out_of(contents)
    held = again.held
    of_folds = OF_ONE_TEST if held.folds is not None else ()
    wanted = {part.heading: True for part in Part if part not in _AT_WILL and part not in of_folds}
    wanted |= {
        _PURPOSE: bool(again.study.purpose.strip()), _PROTOCOL: held.protocol is not None,
        Part.COMPARISON.heading: held.comparison is not None and not of_folds,
        Part.EXTERNAL.heading: bool(held.outside),
    }  # fmt: skip
    for title, is_wanted in wanted.items():
        if is_wanted and title not in titles and title not in named:
            message = f"The section “{title}” is missing, and the report does not say that it was left out."
            yield Difference(title, "missing", message)
    for title in titles:
        if title in named:
            message = f"{LEFT_OUT}: the report says that “{title}” is not in it, and it is."
            yield Difference(f"{LEFT_OUT}: {title}", "differs", message)


def left_out_of(contents: Contents) -> set[str]:
    """Titles of the sections that the report says are not in it."""
    said = next((one for one in contents.sections if one.title == LEFT_OUT), None)
    texts = said.sentences if said is not None else ()
    return {
        name
        for text in texts
        if text.startswith(_NOT_IN)
        for name in text.removeprefix(_NOT_IN).removesuffix(".").split("; ")
    }


def captions_differ(again: Again, shown: Mapping[str, Printed]) -> Iterator[Difference]:
    """Whether a covariate was declared, and whether patients or images were counted: words above tables."""
    promised = again.promised
    declared = promised.locked.protocol.subgroups if promised.locked is not None and promised.is_binding else ()
    section = shown.get(Part.SUBGROUPS.heading)
    for told in again.held.subgroups:
        start = f"By {told.covariate}, by "
        wanted = status_of(told.covariate.casefold() in {name.casefold() for name in declared})
        for table in section.tables if section is not None else ():
            if table.caption.startswith(start) and not table.caption.endswith(f"({wanted})."):
                where = f"{Part.SUBGROUPS.heading}: By {told.covariate}"
                yield differs(f"{where}, what stands above it", table.caption, f"… ({wanted}).")
    section = shown.get(Part.DATA.heading)
    noun = "patients" if again.dataset.n_patients and all(one.patient for one in again.dataset.samples) else "images"
    for table in section.tables if section is not None else ():
        if table.caption.startswith(CHARACTERISTICS) and table.caption != f"{CHARACTERISTICS}, {noun}.":
            yield differs(f"{CHARACTERISTICS}, what stands above it", table.caption, f"{CHARACTERISTICS}, {noun}.")

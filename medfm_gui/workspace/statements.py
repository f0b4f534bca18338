"""What a dataset states of itself: unit, sampling, prevalence, reference standard, class codes, licence.

The importer's words lie in the manifest; a person's own in ``datasets/<id>/statement.json``, which counts once it is
there. Every saving is told in the journal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Statement
from medfm_gui.domain.errors import UsageError
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace

STATEMENT = "statement.json"
_NUMBER = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s*(%?)")
NOT_STATED = "not stated"
SAMPLINGS: Mapping[str, str] = {
    "": NOT_STATED,
    "consecutive": "consecutive",
    "enriched": "enriched",
    "case-control": "case-control",
    "unknown": "unknown",
}
"""Ways in which images came into a dataset, and how they are written."""
TITLES: Mapping[str, str] = {
    "unit": "Unit of analysis",
    "sampling": "Sampling",
    "prevalence": "Intended prevalence",
    "reference_standard": "Reference standard",
    "reference_timing": "Timing of the reference standard",
    "codes": "Class codes",
    "licence": "Licence",
    "redistribution": "Redistribution",
    "source": "Source",
}


def statement_of(workspace: Workspace, dataset_id: str) -> Statement:
    """What a dataset states: a person's words where there are any, else the importer's.

    Raises:
        NotFound: there is no such dataset.
    """
    from medfm_gui.datasets.files import read_manifest

    folder = workspace.dataset(dataset_id)
    if (folder / STATEMENT).exists():
        return wire.read(Statement, folder / STATEMENT)
    return read_manifest(folder).statement


def state(workspace: Workspace, dataset_id: str, statement: Statement) -> Statement:
    """Keep a statement; what changed stands in the journal.

    Raises:
        NotFound: there is no such dataset.
        UsageError: the sampling is none, the prevalence is a number that no share can be, or a code is of no class.
    """
    from medfm_gui.datasets.files import read_manifest

    folder = workspace.dataset(dataset_id)
    if statement.sampling not in SAMPLINGS:
        names = ", ".join(name for name in SAMPLINGS if name)
        raise UsageError(f"“{statement.sampling}” is no way of sampling.", f"Use {names}.")
    _check_prevalence(statement.prevalence)
    classes = read_manifest(folder).classes
    strange = [name for name in statement.codes if name not in classes]
    if strange:
        raise UsageError(f"The dataset has no class “{strange[0]}”.", f"Its classes are {', '.join(classes)}.")
    codes = {name: " ".join(code.split()) for name, code in statement.codes.items() if code.strip()}
    kept = replace(statement, codes=codes)
    before = statement_of(workspace, dataset_id)
    if kept == before:
        return kept
    wire.write(folder / STATEMENT, kept)
    changed = {title: text for name, title in TITLES.items() if (text := said(kept, name)) != said(before, name)}
    note(workspace, "dataset stated", dataset_id, **changed)
    return kept


def _check_prevalence(text: str) -> None:
    """Words may say anything; a number is a share or a percentage.

    Raises:
        UsageError: it is neither.
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return
    value = float(found[1].replace(",", ".")) / (100 if found[2] else 1)
    if not 0 <= value <= 1:
        raise UsageError(
            f"A prevalence of {text.strip()} cannot be.", "Write a share (0.03), a percentage (3 %) or “12 of 400”."
        )


def said(statement: Statement, name: str) -> str:
    """One field in words; “not stated” where it is empty."""
    value = getattr(statement, name)
    if name == "redistribution":
        return {None: NOT_STATED, True: "allowed", False: "not allowed"}[value]
    if name == "codes":
        return "; ".join(f"{label}: {code}" for label, code in value.items()) or NOT_STATED
    return SAMPLINGS.get(value, value) if name == "sampling" else value or NOT_STATED


def rows(statement: Statement) -> tuple[tuple[str, str], ...]:
    """All fields with their titles, in words, as a report lists them."""
    return tuple((TITLES[item.name], said(statement, item.name)) for item in fields(statement) if item.name in TITLES)

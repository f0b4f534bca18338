"""Whether the files inside a report are those that its pages name: each under its name, none missing, none besides."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping

from medfm_gui.base import wire
from medfm_gui.domain.report import Part
from medfm_gui.workspace.evidence_numbers import CONTENTS, Contents
from medfm_gui.workspace.report_card import CARD, Card
from medfm_gui.workspace.report_provenance import ENVIRONMENT
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_runs import differs, is_close
from medfm_gui.workspace.verifying_sections import Again, card_again, untold_sources

_NEAR = 800
"""Within how many characters after a file's name its hash stands: between them its description and size."""
_MOST_TOLD = 5
_LISTED = "FileWhatitisBytesSHA-256"
"""The header of the list of files on the last pages, as it reads there."""


def files_differ(files: Mapping[str, bytes], text: str) -> Iterator[Difference]:
    """Each attached file against the SHA-256 that stands behind its name on the pages."""
    for name, raw in sorted(files.items()):
        digest = hashlib.sha256(raw).hexdigest()
        told = list(_named_hashes(name, text))
        if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
            message = (
                f"A file inside the report is called “{ascii(name[:120])[1:-1]}”, which no report calls its files."
            )
            yield Difference(name[:120], "inserted", message, found=digest)
        elif digest not in text:
            message = f"The attached {name} is not the file whose SHA-256 the report names."
            yield Difference(name, "changed", message, found=digest)
        elif told and not any(digest in one for one in told):
            message = (
                f"The attached {name} is another file of this report under that name: its SHA-256 is not {name}'s."
            )
            yield Difference(name, "changed", message, found=digest)
        elif _LISTED in text and f"{len(raw):,}{digest}" not in text:
            message = (
                f"The list of the attached files does not tell {name} with its {len(raw):,} bytes and its SHA-256."
            )
            yield Difference(name, "differs", message, expected=f"{len(raw):,} bytes")


def _named_hashes(name: str, text: str) -> Iterator[str]:
    """What stands as a hash next behind each mention of a name; digits of a size may stand before it."""
    for mention in re.finditer(re.escape(name), text):
        found = re.search(r"[0-9a-f]{64,}", text[mention.end() : mention.end() + _NEAR])
        if found is not None:
            yield found[0]


def inventory_differs(files: Mapping[str, bytes], contents: Contents) -> Iterator[Difference]:
    """The table of files as it was printed against the files that are there."""
    section = next((one for one in contents.sections if one.title == Part.PROVENANCE.heading), None)
    tables = [table for table in section.tables if table.header[:1] == ("File",)] if section is not None else []
    if not tables:
        return
    told = {row[0]: row[2] for row in tables[0].rows if len(row) > 2}
    for name, digest in told.items():
        if name not in files:
            yield Difference(name, "missing", f"The report names a file {name}, and it is not attached any more.")
        elif hashlib.sha256(files[name]).hexdigest() != digest:
            message = f"The attached {name} is not the file that the list of files names."
            yield Difference(name, "changed", message, expected=digest)
    for name in sorted(set(files) - set(told) - {CONTENTS}):
        yield Difference(name, "inserted", f"The report carries a file {name} that its list of files does not name.")


def card_differs(files: Mapping[str, bytes], again: Again) -> list[Difference]:
    """The attached model card against one that is made of the other files.

    Raises:
        InputError: it is no card.
    """
    if CARD not in files:
        return []
    told = wire.plain(wire.decode(Card, files[CARD], what=f"The attached {CARD}"))
    hidden = untold_sources(again)
    told["limitations"] = [one for one in told["limitations"] if one[0] not in hidden]
    return list(unlike(CARD, told, wire.plain(card_again(again))))[:_MOST_TOLD]


def unlike(where: str, told: object, made: object) -> Iterator[Difference]:
    """Where plain values that were attached are not those that were made again, by the names of what holds them."""
    if isinstance(told, dict) and isinstance(made, dict):
        for key in made:
            yield from unlike(f"{where} {key}", told.get(key), made[key])
    elif isinstance(told, list) and isinstance(made, list) and len(told) == len(made):
        for number, (one, other) in enumerate(zip(told, made, strict=True), 1):
            yield from unlike(f"{where} {number}", one, other)
    elif not is_close(told, made):
        yield differs(where, told, made)


def environment_differs(files: Mapping[str, bytes], contents: Contents, again: Again) -> Iterator[Difference]:
    """Versions and devices against the attached environment and the orders of the runs."""
    if ENVIRONMENT not in files:
        return
    try:
        told = json.loads(files[ENVIRONMENT])
        versions = {str(name): str(version) for name, version in told["report"].items()}
        runs = {str(run): (str(one["device"]), str(one["medfm"])) for run, one in told["runs"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        yield Difference(ENVIRONMENT, "unreadable", f"The attached {ENVIRONMENT} is not what was written.")
        return
    for view in again.views:
        own = (view.state.device, view.spec.code_version)
        if runs.get(view.id) != own:
            yield differs(f"{ENVIRONMENT} {view.id}", runs.get(view.id), own)
    section = next((one for one in contents.sections if one.title == Part.PROVENANCE.heading), None)
    said = dict(section.facts).get("Written with") if section is not None else None
    wanted = ", ".join(f"{name} {version}" for name, version in versions.items())
    if said is not None and said != wanted:
        message = f"{Part.PROVENANCE.heading}, Written with: shown is {said[:200]}, attached is {wanted[:200]}."
        yield Difference(f"{Part.PROVENANCE.heading}: Written with", "differs", message, None, wanted[:200], said[:200])

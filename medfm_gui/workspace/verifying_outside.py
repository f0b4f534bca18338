"""Tests on other datasets, computed again from what a report carries of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from medfm_gui.domain.report import Part
from medfm_gui.workspace.elsewhere import external_rows
from medfm_gui.workspace.evidence_numbers import Contents, Printed
from medfm_gui.workspace.evidence_outside import outside_scores
from medfm_gui.workspace.report_demographics import WITHHELD
from medfm_gui.workspace.report_outside import HIDDEN, OutsideTest, outside_facts, outside_tables
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_pages import tables_differ
from medfm_gui.workspace.verifying_runs import differs, rows_differ


def outside_differs(one: OutsideTest, tables: Mapping[str, str], *, words: bool = False) -> list[Difference]:
    """Every number of a test on another dataset, and the hash of its images, where its table travels."""
    if not one.table:
        return []
    held = outside_scores(one, tables[one.table])
    found = []
    again = hashlib.sha256("\n".join(sorted(held.pixels)).encode()).hexdigest()  # as ``datasets.fingerprint`` has it
    if all(held.pixels) and again != one.file.sample_set:
        found.append(differs(f"{one.file.run} on {one.name}, images (SHA-256)", one.file.sample_set, again))
    rows, withheld = external_rows(
        held.joined, run=one.file.run, subset=f"external:{one.file.dataset}", unit=one.unit, point=one.point,
        sample_set=one.file.sample_set, sites=held.sites if one.file.by else {}, line=one.line,
    )  # fmt: skip
    wanted = [row for row in rows if row.parameters.get("site") != WITHHELD]
    found += rows_differ(one.file.evaluations, wanted, where=f"on {one.name}, ", words=words)
    if withheld != one.file.withheld:
        found.append(differs(f"{one.file.run} on {one.name}, recalibration", one.file.withheld, withheld))
    return found


def outside_page_differs(tests: Sequence[OutsideTest], contents: Contents) -> list[Difference]:
    """The printed tables and facts against those of the attached tests."""
    shown = next((one for one in contents.sections if one.title == Part.EXTERNAL.heading), None)
    if shown is None:  # left out by the authors
        return []
    return list(_page(tests, shown))


def _page(tests: Sequence[OutsideTest], shown: Printed) -> Iterator[Difference]:
    for dataset in dict.fromkeys(one.file.dataset for one in tests):
        found = [one for one in tests if one.file.dataset == dataset]
        for table in outside_tables(found):
            other = next((one for one in shown.tables if one.caption == table.caption), None)
            yield from tables_differ(shown.title, table, other, hidden=HIDDEN)
        for row in outside_facts(found):
            if row not in shown.facts:
                message = f"{shown.title}: “{row[0]}” is not {row[1][:200]}, as the attached files have it."
                yield Difference(f"{shown.title}: {row[0]}", "differs", message, expected=row[1][:200])

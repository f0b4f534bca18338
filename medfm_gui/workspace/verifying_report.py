"""Whether a report is still what was written, from itself alone.

Every number that the attached files allow is computed again from the attached predictions and held against the attached
rows; the tables are made anew and held against the attached contents; and those against what stands on the pages.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.errors import InputError, MedfmError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Part
from medfm_gui.workspace import evidence as ev
from medfm_gui.workspace.evidence_folds import FOLDS
from medfm_gui.workspace.evidence_numbers import CLASS_SETS, CONTENTS
from medfm_gui.workspace.evidence_outside import OUTSIDE
from medfm_gui.workspace.journal import entries
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.verifying import Difference, Verification
from medfm_gui.workspace.verifying_attached import files_differ, inventory_differs
from medfm_gui.workspace.verifying_folds import folds_differ, folds_page_differs
from medfm_gui.workspace.verifying_numbers import (
    benefit_differs,
    calibration_differs,
    groups_differ,
    sets_differ,
    without_differ,
)
from medfm_gui.workspace.verifying_outside import outside_differs, outside_page_differs
from medfm_gui.workspace.verifying_pages import pages_differ
from medfm_gui.workspace.verifying_runs import differs, pairs_differ, rows_differ
from medfm_gui.workspace.verifying_tables import made_again
from medfm_gui.workspace.verifying_whole import Whole, look_at_whole

_TEST = "test"
_BEYOND = (
    "Not computed again, because the report does not carry what they come from: demographics, cheap models, costs, "
    "training curves. They were held against the attached contents."
)


def verify_report(workspace: Workspace, path: Path) -> Verification:
    """Compute every number of a report again from what is attached to it.

    Raises:
        InputError: it is no PDF, or carries no files to compute from.
    """
    from medfm_gui.reports.attached import read_pdf

    files, text = read_pdf(path)
    found = verify_contents(path.name, files, text)
    sha256 = sha256_file(path)
    known = [entry for entry in entries(workspace.root) if entry.details.get("sha256") == sha256]
    if known:
        said = f"This workspace wrote exactly this file ({known[-1].subject}, {known[-1].at})."
    else:
        said = (
            "This workspace's journal does not know this very file: it was written elsewhere, or changed since. "
            "Whoever changed numbers, predictions and pages alike could not be found out by the file alone."
        )
    facts = {"sha256": sha256, "known": "yes" if known else "no", **found.facts}
    return replace(found, facts=facts, remarks=(said, *found.remarks))


def verify_contents(name: str, files: Mapping[str, bytes], text: str) -> Verification:
    """The same of the files that were attached to a report and the text of its pages (``reports.attached.read_pdf``).

    Raises:
        InputError: there are no files to compute from.
    """
    found = list(files_differ(files, text))
    try:
        held = ev.read_evidence(files)
    except InputError as error:
        if not set(files) & set(ev.NEEDED):  # no files travel in it, or it is no report of ours
            raise
        found.append(Difference(name, "unreadable", error.message))
        return Verification(name, len(files), tuple(found), {"runs": ""})
    checked, contents = len(files), held.contents
    for look in (_rows, _pairs, _test_images, _numbers):
        differences, count = look(held)
        found += differences
        checked += count
    found += inventory_differs(files, contents) if contents is not None else ()
    on_pages, count = _printed(held.rows, text) if contents is None else pages_differ(contents, text)
    whole = _whole(held, files)
    remarks = whole.remarks if held.study is not None else (_BEYOND,) if contents is not None else ()
    every = (*dict.fromkeys((*found, *whole.differences)), *on_pages)
    runs = " ".join(spec.run for spec in held.specs)
    return Verification(name, checked + count + whole.checked, every, {"runs": runs}, remarks)


def _whole(held: ev.Evidence, files: Mapping[str, bytes]) -> Whole:
    """What the attached account gives back besides; nothing of reports of earlier versions, which carry none."""
    if held.study is None or held.contents is None:
        return Whole()
    try:
        runs = ev.runs_of(held)
    except (MedfmError, KeyError):
        return Whole()  # the rows have named it
    return look_at_whole(held, held.study, held.contents, runs, files)


def _rows(held: ev.Evidence) -> tuple[list[Difference], int]:
    from medfm_gui.metrics.evaluate import evaluate

    found: list[Difference] = []
    outcomes = {one.run: one for one in held.outcomes}
    for spec in held.specs:
        rows = [row for row in held.rows if row.run == spec.run]
        outcome = outcomes.get(spec.run)
        if outcome is None or not rows:
            found.append(Difference(spec.run, "missing", f"The report carries no results of {spec.run}."))
            continue
        try:
            again = evaluate(
                ev.scored_of(held.predictions[spec.run], spec, knows_patients=outcome.knows_patients),
                run=spec.run,
                subset=_TEST,
                unit=outcome.unit,
                point=outcome.point,
                sample_set=rows[0].sample_set,
                code_version=rows[0].code_version,
            )
        except MedfmError as error:
            found.append(Difference(ev.PREDICTIONS.format(run=spec.run), "changed", error.message))
            continue
        found += rows_differ(rows, again)
    return found, len(held.rows)


def _pairs(held: ev.Evidence) -> tuple[list[Difference], int]:
    from medfm_gui.metrics.family import Contender, against_first, compare_family

    if held.comparison is None:
        return [], 0
    specs, outcomes = {spec.run: spec for spec in held.specs}, {one.run: one for one in held.outcomes}
    first, *others = held.comparison.runs
    try:
        scored = {
            run: ev.scored_of(held.predictions[run], specs[run], knows_patients=outcomes[run].knows_patients)
            for run in (first, *others)
        }
        sides = [Contender(run, scored[run], outcomes[run].point) for run in (first, *others)]
        made = compare_family(sides, against_first(sides), unit=outcomes[first].unit)
    except (MedfmError, KeyError) as error:
        message = error.message if isinstance(error, MedfmError) else f"The report carries nothing of {error.args[0]}."
        return [Difference(ev.COMPARISON, "changed", message)], len(held.comparison.pairs)
    return pairs_differ(held.comparison.pairs, made), len(held.comparison.pairs)


def _test_images(held: ev.Evidence) -> tuple[list[Difference], int]:
    """The hash over the pixels of the test against the one that every row carries."""
    found = []
    for spec in held.specs:
        names = [row[0] for row in csv.reader(io.StringIO(held.predictions[spec.run])) if row][1:]
        wanted = {row.sample_set for row in held.rows if row.run == spec.run}
        pixels = [held.pixels.get(name, "") for name in names]
        again = hashlib.sha256("\n".join(sorted(pixels)).encode()).hexdigest()  # as ``datasets.fingerprint`` has it
        if wanted and all(pixels) and wanted != {again}:
            found.append(differs(f"{spec.run} test images (SHA-256)", sorted(wanted)[0], again))
    return found, len(held.specs)


def _printed(rows: Sequence[Evaluation], text: str) -> tuple[list[Difference], int]:
    """Every row of the results table of a report without contents, as it must stand on a page."""
    from medfm_gui.metrics.names import method_title, metric_title
    from medfm_gui.reports.attached import solid
    from medfm_gui.workspace.report_sections import estimate

    if solid(Part.RESULTS.heading) not in text:
        return [], 0
    found = []
    whole = [row for row in rows if not row.label]
    for row in whole:
        cells = (row.run, metric_title(row.metric), estimate(row), method_title(row.method), str(row.n))
        written = [solid("".join(cells)), solid("".join((*cells[:1], f"{cells[1]} (primary)", *cells[2:])))]
        if not any(one in text for one in written):
            message = f"{row.run} {row.metric}: the pages do not show {estimate(row)} ({row.n} units)."
            found.append(Difference(f"{row.run} {row.metric}", "differs", message, expected=estimate(row)))
    return found, len(whole)


@dataclass(frozen=True, slots=True)
class _Look:
    """One kind of number: the file that tells it, how it is computed again, and how many numbers there are."""

    name: str
    differ: Callable[[], list[Difference]]
    count: int


def _numbers(held: ev.Evidence) -> tuple[list[Difference], int]:
    """What stands beside the results, and the tables that are made of all of it."""
    try:
        runs = ev.runs_of(held)
    except (MedfmError, KeyError):
        return [], 0  # the rows have named it
    found: list[Difference] = []
    looks = _looks(held, runs)
    for look in looks:
        try:
            found += look.differ()
        except MedfmError as error:
            found.append(Difference(look.name, "changed", error.message))
        except (KeyError, IndexError, ValueError) as error:
            message = f"The attached {look.name} does not fit the predictions ({type(error).__name__})."
            found.append(Difference(look.name, "changed", message))
    return found, sum(look.count for look in looks)


def _looks(held: ev.Evidence, runs: Sequence[OpenedRun]) -> list[_Look]:
    useful, contents = held.usefulness, held.contents
    made = [_Look("without-flagged.json", lambda: without_differ(held, runs), len(held.without))]
    if useful is not None:
        made.append(_Look("usefulness.json", lambda: calibration_differs(useful, runs), len(useful.rows)))
        if useful.charts:
            made.append(_Look("usefulness.json", lambda: benefit_differs(useful, runs), len(runs)))
    for sets in held.class_sets:
        made.append(_Look(CLASS_SETS, partial(sets_differ, sets, runs), len(sets.evaluations)))
    for told in held.subgroups:
        made.append(_Look("subgroups.json", partial(groups_differ, told, held.values, runs), len(told.rows)))
    for one in held.outside:
        look = partial(outside_differs, one, held.outside_tables)
        made.append(_Look(one.table or OUTSIDE, look, len(one.file.evaluations) if one.table else 0))
    if held.outside and contents is not None:
        made.append(_Look(CONTENTS, lambda: outside_page_differs(held.outside, contents), len(held.outside)))
    made += _fold_looks(held, runs)
    if contents is not None:
        tables = sum(len(table.rows) for section in contents.sections for table in section.tables)
        made.append(_Look(CONTENTS, lambda: made_again(held, contents, runs), tables))
    return made


def _fold_looks(held: ev.Evidence, runs: Sequence[OpenedRun]) -> list[_Look]:
    """Of the folds of a cross-validation: their means and pairs, and the pages that tell them."""
    folds, contents = held.folds, held.contents
    if folds is None:
        return []
    made = [_Look(FOLDS, lambda: folds_differ(folds, runs), len(folds.found.ways) + len(folds.found.pairs))]
    if contents is not None:
        made.append(_Look(CONTENTS, lambda: folds_page_differs(folds, contents), 1))
    return made

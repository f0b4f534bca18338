"""Whether a report is still what was written, from itself alone.

Every number that the attached files allow is computed again from the attached predictions and held against the attached
rows; the tables are made anew and held against the attached contents; and those against what stands on the pages.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Part
from medfm_gui.workspace import evidence as ev
from medfm_gui.workspace.evidence_numbers import CONTENTS
from medfm_gui.workspace.journal import entries
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.verifying import Difference, Verification
from medfm_gui.workspace.verifying_numbers import benefit_differs, calibration_differs, groups_differ, without_differ
from medfm_gui.workspace.verifying_pages import pages_differ
from medfm_gui.workspace.verifying_runs import differs, pairs_differ, rows_differ
from medfm_gui.workspace.verifying_tables import made_again

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
    found = [*_beside_pages(files, text)]
    held = ev.read_evidence(files)
    checked = len(files)
    for look in (_rows, _pairs, _test_images, _numbers):
        differences, count = look(held)
        found += differences
        checked += count
    differences, count = _printed(held.rows, text) if held.contents is None else pages_differ(held.contents, text)
    sha256 = sha256_file(path)
    known = [entry for entry in entries(workspace.root) if entry.details.get("sha256") == sha256]
    remarks = []
    if known:
        remarks.append(f"This workspace wrote exactly this file ({known[-1].subject}, {known[-1].at}).")
    else:
        remarks.append(
            "This workspace's journal does not know this very file: it was written elsewhere, or changed since. "
            "Whoever changed numbers, predictions and pages alike could not be found out by the file alone."
        )
    remarks += [_BEYOND] if held.contents is not None else []
    facts = {"sha256": sha256, "known": "yes" if known else "no", "runs": " ".join(spec.run for spec in held.specs)}
    return Verification(path.name, checked + count, (*found, *differences), facts, tuple(remarks))


def _beside_pages(files: Mapping[str, bytes], text: str) -> list[Difference]:
    """Each attached file against the SHA-256 that stands on the pages."""
    found = []
    for name, raw in sorted(files.items()):
        digest = hashlib.sha256(raw).hexdigest()
        if digest not in text:
            message = f"The attached {name} is not the file whose SHA-256 the report names."
            found.append(Difference(name, "changed", message, found=digest))
    return found


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
    from medfm_gui.metrics import compare as paired

    if held.comparison is None:
        return [], 0
    specs, outcomes = {spec.run: spec for spec in held.specs}, {one.run: one for one in held.outcomes}
    first, *others = held.comparison.runs
    try:
        scored = {
            run: ev.scored_of(held.predictions[run], specs[run], knows_patients=outcomes[run].knows_patients)
            for run in (first, *others)
        }
        made = [
            pair
            for run in others
            for pair in paired.compare(
                scored[run],
                scored[first],
                run_a=run,
                run_b=first,
                point_a=outcomes[run].point,
                point_b=outcomes[first].point,
                unit=outcomes[first].unit,
            )
        ]
    except (MedfmError, KeyError) as error:
        message = error.message if isinstance(error, MedfmError) else f"The report carries nothing of {error.args[0]}."
        return [Difference(ev.COMPARISON, "changed", message)], len(held.comparison.pairs)
    return pairs_differ(held.comparison.pairs, paired.adjust_holm(made)), len(held.comparison.pairs)


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
    for told in held.subgroups:
        made.append(_Look("subgroups.json", partial(groups_differ, told, held.values, runs), len(told.rows)))
    if contents is not None:
        tables = sum(len(table.rows) for section in contents.sections for table in section.tables)
        made.append(_Look(CONTENTS, lambda: made_again(held, contents, runs), tables))
    return made

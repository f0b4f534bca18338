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
from medfm_gui.workspace.evidence_numbers import CLASS_SETS, CONTENTS, Contents
from medfm_gui.workspace.evidence_outside import OUTSIDE
from medfm_gui.workspace.evidence_shortcuts import BASELINES
from medfm_gui.workspace.evidence_split import SPLIT
from medfm_gui.workspace.journal import entries
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.verifying import BROKEN, Difference, Verification, in_file
from medfm_gui.workspace.verifying_agreement import baselines_agree, outside_agrees, predictions_differ
from medfm_gui.workspace.verifying_attached import files_differ, inventory_differs
from medfm_gui.workspace.verifying_charts import charts_of_file
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
from medfm_gui.workspace.verifying_rules import Parted, is_own, parted, rules_in, said_of
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

    What differs because a rule changed since the report was written, or because other code words it otherwise, is no
    difference; remarks name the places and the rule.

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
        return Verification(name, len(files), tuple(found), {"runs": ""}, tuple(said_of(files, (), Parted())))
    checked, contents = len(files), held.contents
    rules = rules_in(files, held.rows)
    own = is_own(files, rules)
    for look in _LOOKS:
        differences, count = _looked(look, held, words=own)
        found += differences
        checked += count
    found += inventory_differs(files, contents) if contents is not None else ()
    on_pages, count = _printed(held.rows, text) if contents is None else _pages(files, contents, text)
    whole = _whole(held, files, words=own)
    remarks = whole.remarks if held.study is not None else (_BEYOND,) if contents is not None else ()
    every = (*dict.fromkeys((*found, *whole.differences)), *on_pages)
    by = parted(every, rules, own=own)
    facts = {"runs": " ".join(spec.run for spec in held.specs), "rules": f"{rules}"}
    remarks = (*said_of(files, held.rows, by), *remarks)
    return Verification(name, checked + count + whole.checked, by.others, facts, remarks)


def _pages(files: Mapping[str, bytes], contents: Contents, text: str) -> tuple[list[Difference], int]:
    """The pages against the contents and the words of the charts."""
    try:
        charts = charts_of_file(files)
    except MedfmError:
        charts = ()  # named where they are drawn anew
    return pages_differ(contents, text, charts)


def _looked(look: _Kind, held: ev.Evidence, *, words: bool) -> tuple[list[Difference], int]:
    """What one look finds; a file that cannot be made sense of is one difference."""
    file, see = look
    try:
        found, count = see(held, words)
    except MedfmError as error:
        return [Difference(file, "changed", f"{file}: {error.message}")], 0
    except BROKEN as error:
        message = f"The attached {file} does not fit the other files of the report ({type(error).__name__})."
        return [Difference(file, "changed", message)], 0
    return in_file(file, found), count


def _whole(held: ev.Evidence, files: Mapping[str, bytes], *, words: bool) -> Whole:
    """What the attached account gives back besides; nothing of reports of earlier versions, which carry none."""
    if held.study is None or held.contents is None:
        return Whole()
    try:
        runs = ev.runs_of(held)
    except (MedfmError, *BROKEN):
        return Whole()  # the rows have named it
    return look_at_whole(held, held.study, held.contents, runs, files, words=words)


def _lines(held: ev.Evidence, words: bool) -> tuple[list[Difference], int]:
    """Lines of the predictions against one another, the split and the covariates."""
    return list(predictions_differ(held)), sum(text.count("\n") for text in held.predictions.values())


def _rows(held: ev.Evidence, words: bool) -> tuple[list[Difference], int]:
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
        found += rows_differ(rows, again, words=words)
    return found, len(held.rows)


def _pairs(held: ev.Evidence, words: bool) -> tuple[list[Difference], int]:
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
    return pairs_differ(held.comparison.pairs, made, words=words), len(held.comparison.pairs)


def _test_images(held: ev.Evidence, words: bool) -> tuple[list[Difference], int]:
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


def _numbers(held: ev.Evidence, words: bool) -> tuple[list[Difference], int]:
    """What stands beside the results, and the tables that are made of all of it."""
    try:
        runs = ev.runs_of(held)
    except (MedfmError, *BROKEN):
        return [], 0  # the rows have named it
    found: list[Difference] = []
    looks = _looks(held, runs, words=words)
    for look in looks:
        try:
            found += in_file(look.name, look.differ())
        except MedfmError as error:
            found.append(Difference(look.name, "changed", f"{look.name}: {error.message}"))
        except BROKEN as error:
            message = f"The attached {look.name} does not fit the predictions ({type(error).__name__})."
            found.append(Difference(look.name, "changed", message))
    return found, sum(look.count for look in looks)


_Kind = tuple[str, Callable[[ev.Evidence, bool], tuple[list[Difference], int]]]
_LOOKS: Sequence[_Kind] = (
    ("predictions", _lines),
    (ev.RESULTS, _rows),
    (ev.COMPARISON, _pairs),
    (SPLIT, _test_images),
    (CONTENTS, _numbers),
)
"""Which file tells it, and what looks at it."""


def _looks(held: ev.Evidence, runs: Sequence[OpenedRun], *, words: bool) -> list[_Look]:
    useful, contents = held.usefulness, held.contents
    made = [_Look("without-flagged.json", lambda: without_differ(held, runs, words=words), len(held.without))]
    if useful is not None:
        made.append(_Look("usefulness.json", lambda: calibration_differs(useful, runs, words=words), len(useful.rows)))
        if useful.charts:
            made.append(_Look("usefulness.json", lambda: benefit_differs(useful, runs), len(runs)))
    for sets in held.class_sets:
        made.append(_Look(CLASS_SETS, partial(sets_differ, sets, runs, words=words), len(sets.evaluations)))
    for told in held.subgroups:
        made.append(
            _Look("subgroups.json", partial(groups_differ, told, held.values, runs, words=words), len(told.rows))
        )
    for one in held.outside:
        look = partial(outside_differs, one, held.outside_tables, words=words)
        made.append(_Look(one.table or OUTSIDE, look, len(one.file.evaluations) if one.table else 0))
    if held.outside:
        made.append(_Look(OUTSIDE, lambda: list(outside_agrees(held)), len(held.outside)))
    if held.baselines:
        made.append(_Look(BASELINES, lambda: list(baselines_agree(held, runs[0].images.task)), len(held.baselines)))
    if held.outside and contents is not None:
        made.append(_Look(CONTENTS, lambda: outside_page_differs(held.outside, contents), len(held.outside)))
    made += _fold_looks(held, runs, words=words)
    if contents is not None:
        tables = sum(len(table.rows) for section in contents.sections for table in section.tables)
        made.append(_Look(CONTENTS, lambda: made_again(held, contents, runs), tables))
    return made


def _fold_looks(held: ev.Evidence, runs: Sequence[OpenedRun], *, words: bool) -> list[_Look]:
    """Of the folds of a cross-validation: their means and pairs, and the pages that tell them."""
    folds, contents = held.folds, held.contents
    if folds is None:
        return []
    count = len(folds.found.ways) + len(folds.found.pairs)
    made = [_Look(FOLDS, lambda: folds_differ(folds, runs, words=words), count)]
    if contents is not None:
        made.append(_Look(CONTENTS, lambda: folds_page_differs(folds, contents), 1))
    return made

"""Whether a file that left a workspace is still what was written: a report, a table of predictions, a model.

A report is verified from itself alone: every number is computed again from the attached predictions, held against the
attached rows, and both against what stands on its pages. Foreign files are data: read with limits, never believed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.errors import InputError, MedfmError, NotFound, UsageError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.workspace import evidence as ev
from medfm_gui.workspace.journal import Entry, entries
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.verifying import Difference, Verification, verify_journal
from medfm_gui.workspace.verifying_runs import differs, pairs_differ, rows_differ, verify_run

_LARGEST_ATTACHED = 256 << 20
_TEST = "test"


def verify(workspace: Workspace, subject: str) -> Verification:
    """The journal, a run by its id, or a file: ``.pdf`` report, ``.csv`` of predictions, ``.medfm`` model.

    Raises:
        NotFound: there is neither a run nor a file of that name.
        UsageError: a file of another kind.
        InputError: a file that cannot be read.
    """
    if subject == "journal":
        return verify_journal(workspace)
    if re.fullmatch(r"[\w\-]+", subject) and (workspace.root / "runs" / subject / "spec.json").exists():
        return verify_run(workspace, subject)
    path = Path(subject).expanduser().absolute()
    if not path.is_file():
        raise NotFound(
            f"“{subject}” is neither a run of this workspace nor a file.", "Name a run, a report (PDF), or “journal”."
        )
    match path.suffix.lower():
        case ".pdf":
            return verify_report(workspace, path)
        case ".csv":
            return verify_table(workspace, path)
        case ".medfm":
            return verify_model(path)
    raise UsageError(
        f"“{path.name}” is nothing that can be verified.", "Name a .pdf, a .csv, a .medfm, a run or “journal”."
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
    for differences, count in (_rows(held), _pairs(held), _test_images(held), _printed(held.rows, text)):
        found += differences
        checked += count
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
    facts = {"sha256": sha256, "known": "yes" if known else "no", "runs": " ".join(spec.run for spec in held.specs)}
    return Verification(path.name, checked, tuple(found), facts, tuple(remarks))


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
    """Every row of the results table as it must stand on a page, cell by cell."""
    from medfm_gui.domain.report import Part
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


def verify_table(workspace: Workspace, path: Path) -> Verification:
    """A table of predictions that this workspace exported, against what it would export now.

    Raises:
        InputError: the journal knows of no export that this table could be.
    """
    from medfm_gui.workspace.export import predictions_table

    text, sha256 = _read_table(path), sha256_file(path)
    exports = [entry for entry in entries(workspace.root) if entry.what == "predictions exported"]
    same = [entry for entry in exports if entry.details.get("sha256") == sha256]
    if same:
        remark = f"Exactly as it was exported from {same[-1].subject} at {same[-1].at}."
        return Verification(path.name, 1, (), {"sha256": sha256, "run": same[-1].subject}, (remark,))
    best: tuple[int, Entry, list[str]] | None = None
    for entry in {(one.subject, one.details.get("subset", "")): one for one in exports}.values():
        now = predictions_table(workspace, entry.subject, entry.details.get("subset", "")).splitlines()
        alike = len(set(now) & set(text))
        if best is None or alike > best[0]:
            best = (alike, entry, now)
    if best is None or not best[0]:
        raise InputError(f"This workspace did not export “{path.name}”.", "Verify it where it was exported.")
    _, entry, now = best
    found = []
    for number in range(max(len(now), len(text))):
        was, is_ = (lines[number] if number < len(lines) else "" for lines in (now, text))
        if was != is_:
            kind = "changed" if was and is_ else "removed" if was else "inserted"
            said = f"Line {number + 1} of “{path.name}” is not as it was exported from {entry.subject}."
            found.append(Difference(path.name, kind, said, number + 1, was[:200], is_[:200]))
    if not found:
        found.append(
            Difference(path.name, "changed", f"“{path.name}” has the lines of {entry.subject} and other bytes.")
        )
    return Verification(path.name, len(now), tuple(found), {"sha256": sha256, "run": entry.subject})


def _read_table(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _LARGEST_ATTACHED:
            raise InputError(f"“{path.name}” is too large for a table of predictions.", "Choose another file.")
        return path.read_bytes().decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"“{path.name}” cannot be read as a table.", "It is damaged, or no CSV.") from error


def verify_model(path: Path) -> Verification:
    """A model's file: its card, its members, their hashes."""
    from medfm_gui.workspace.portable_in import opened_model

    try:
        with opened_model(path) as model:
            members = model.check()
            card = model.card
    except InputError as error:
        return Verification(path.name, 1, (Difference(path.name, "changed", error.message),))
    return Verification(path.name, members, (), {"sha256": sha256_file(path), "title": card.title, "model": card.model})

"""What stands in two attached files of a report must be the same in both: orders, outcomes, account, predictions.

A value that was changed in one of them is found by the other where no computation gives it back.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.run import TrainSpec
from medfm_gui.domain.split import LeakKind, Partition
from medfm_gui.workspace import evidence as ev
from medfm_gui.workspace.evidence_numbers import SUBGROUPS, VALUES
from medfm_gui.workspace.evidence_outside import OUTSIDE
from medfm_gui.workspace.evidence_shortcuts import BASELINES, SHORTCUTS
from medfm_gui.workspace.evidence_split import SPLIT
from medfm_gui.workspace.evidence_study import STUDY, Study, told_state
from medfm_gui.workspace.flow import NOTE, title_of
from medfm_gui.workspace.portable import without_places
from medfm_gui.workspace.report_outside import OUTSIDE_TABLE
from medfm_gui.workspace.report_places import INSTEAD
from medfm_gui.workspace.report_sections import classes_text
from medfm_gui.workspace.shortcuts import TITLES
from medfm_gui.workspace.spreadsheet import guarded
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_runs import differs, is_close

_SUM = 1e-5
"""How far scores of classes that exclude one another may lie from 1 in sum: rounding of single precision."""
_MOST = 0.9
_SCORES_FROM = 4


def predictions_differ(held: ev.Evidence) -> Iterator[Difference]:
    """Lines of the attached predictions that do not fit one another, the split or the covariates."""
    several = held.folds is None
    sides = {row.sample: row for row in held.split}
    first: dict[str, list[str]] = {}
    for spec in held.specs:
        name = ev.PREDICTIONS.format(run=spec.run)
        lines = [row for row in csv.reader(io.StringIO(held.predictions[spec.run])) if row][1:]
        yield from _lines(name, spec, lines)
        end = _SCORES_FROM + len(spec.classes)
        for number, line in enumerate(lines, 2):
            if not several or len(line) < end:
                continue
            where = f"{name}: line {number} ({line[0][:40]})"
            side, told = sides.get(line[0]), [*line[1:_SCORES_FROM], *line[end:]]
            other = first.setdefault(line[0], told) if spec is held.specs[0] else first.get(line[0])
            if told != other:
                of = ", ".join(other) if other is not None else "no such image"
                yield _unlike(where, ", ".join(told), of, ev.PREDICTIONS.format(run=held.specs[0].run))
            if side is None or side.partition not in ("", Partition.TEST.value):
                yield _unlike(where, "a tested image", side.partition if side else "no such image", SPLIT)
            elif side.patient and line[1] and side.patient != line[1]:
                yield _unlike(f"{where} patient", line[1], side.patient, SPLIT)
    if several:
        yield from _samples(held, set(first))


def _lines(name: str, spec: TrainSpec, lines: Sequence[Sequence[str]]) -> Iterator[Difference]:
    """Labels that are not those of the targets, and scores that do not add up as all the others do."""
    for number, line in enumerate(lines, 2):
        where = f"{name}: line {number} ({line[0][:40]})"
        target = [int(part) for part in line[3].split("|") if part.lstrip("-").isdigit()] if len(line) > 3 else []
        said = guarded(classes_text(spec.task, spec.classes, target)) if target else ""
        if said != (line[2] if len(line) > 2 else ""):
            yield differs(f"{where} label", line[2] if len(line) > 2 else "none", said or "none")
    if spec.task is not Task.MULTILABEL:
        yield from sums_differ(name, [line[_SCORES_FROM : _SCORES_FROM + len(spec.classes)] for line in lines])


def sums_differ(name: str, scores: Sequence[Sequence[str]]) -> Iterator[Difference]:
    """Lines whose scores do not add up to 1, where nearly all others do."""
    sums = [sum(map(_number, line)) for line in scores]
    fits = [abs(total - 1) <= _SUM for total in sums]
    if not sums or sum(fits) < _MOST * len(sums) or abs(median(sums) - 1) > _SUM:
        return
    for number, (total, fit) in enumerate(zip(sums, fits, strict=True), 2):
        if not fit and total == total:  # a case that could not be scored has no number
            yield differs(f"{name}: line {number}, sum of its scores", total, 1.0)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _samples(held: ev.Evidence, predicted: set[str]) -> Iterator[Difference]:
    """The images of the test in each file that lists them."""
    if held.has_counts:
        tested = {row.sample for row in held.split if row.partition == Partition.TEST.value}
        yield from _sets(SPLIT, tested, predicted)
        for number, row in enumerate(held.split, 2):
            if row.pixels and row.partition != Partition.TEST.value:
                message = f"{SPLIT}: line {number}: an image that was not tested has the hash of its pixels beside it."
                yield Difference(f"{SPLIT}: line {number}", "inserted", message)
        seen = [row.sample for row in held.split]
        for name in sorted({name for name in seen if seen.count(name) > 1} if len(set(seen)) < len(seen) else ()):
            yield Difference(f"{SPLIT}: {name}", "inserted", f"{SPLIT}: the image {name} stands in it more than once.")
    for title, values in held.values.items():
        yield from _sets(f"{VALUES}, {title}", set(values), predicted)


def _sets(where: str, told: set[str], predicted: set[str]) -> Iterator[Difference]:
    for kind, names, said in (
        ("missing", predicted - told, "does not hold the tested image"),
        ("inserted", told - predicted, "holds an image that no run was tested on:"),
    ):
        if names:
            more = f", and {len(names) - 1:,} more" if len(names) > 1 else ""
            yield Difference(where, kind, f"{where}: it {said} {min(names)[:40]}{more}.")


def accounts_differ(held: ev.Evidence, study: Study) -> Iterator[Difference]:
    """What outcomes, orders and account tell of the same thing, and what an account never tells."""
    accounts = {one.run: one for one in study.runs}
    looks = {(one.run, one.opened, one.reason) for one in study.openings}
    for outcome in held.outcomes:
        one, spec = accounts.get(outcome.run), next((o for o in held.specs if o.run == outcome.run), None)
        if one is None or spec is None:
            yield Difference(f"{STUDY}: {outcome.run}", "missing", f"{STUDY} tells nothing of {outcome.run}.")
            continue
        pairs = {
            "validation": (outcome.metrics, one.state.metrics), "files": (outcome.files, one.state.files),
            "device": (outcome.device, one.state.device), "calibrator": (outcome.calibrator, one.calibrator),
        }  # fmt: skip
        for name, (told, other) in pairs.items():
            yield from _apart(f"outcomes.json: {outcome.run} {name}", told, other, STUDY)
        yield from _apart(f"outcomes.json: {outcome.run} version", outcome.code_version, spec.code_version, ev.RUNS)
        yield from _apart(f"outcomes.json: {outcome.run} unit", outcome.unit, spec.recipe.counted, ev.RUNS)
        if (outcome.run, outcome.opened, outcome.reason) not in looks:
            where = f"outcomes.json: {outcome.run} opened"
            told_look = f"{outcome.opened}, {outcome.reason}"
            yield _unlike(where, told_look, "no such opening", STUDY)
    yield from _orders(held, study)
    yield from _study(study)


def account_is_bare(study: Study) -> Iterator[Difference]:
    """An account without what none tells: words of workers, places in a queue, numbers that no section shows."""
    for one in study.runs:
        bare = told_state(one.state)
        for name in one.state.__dataclass_fields__:
            stored, made = getattr(one.state, name), getattr(bare, name)
            if stored != made:
                yield differs(f"{STUDY}: {one.run} {name}", stored, made)


def _orders(held: ev.Evidence, study: Study) -> Iterator[Difference]:
    """The orders against the dataset and the split of the account, and without anything of a computer."""
    told = {
        "dataset_id": study.dataset.id, "dataset_fingerprint": study.dataset.fingerprint, "task": study.dataset.task,
        "classes": study.dataset.classes, "positive": study.dataset.positive,
    }  # fmt: skip
    own = {"split_id": study.split.id, "split_fingerprint": study.split.fingerprint, "fold": study.split.fold}
    for spec in held.specs:
        wanted = told | (own if spec is held.specs[0] else {})
        for name, value in wanted.items():
            yield from _apart(f"{ev.RUNS}: {spec.run} {name}", getattr(spec, name), value, STUDY)
        if without_places(spec) != spec:
            said = f"{ev.RUNS}: {spec.run} names a place of a computer, which no report tells."
            yield Difference(f"{ev.RUNS}: {spec.run}", "inserted", said)
    ids = tuple(spec.run for spec in held.specs)
    if held.shortcuts is not None:
        yield from _apart(f"{SHORTCUTS}: runs", held.shortcuts.runs, ids, ev.RUNS)
        for one in held.shortcuts.baselines:
            yield from _apart(f"{SHORTCUTS}: {one.name} title", one.title, TITLES.get(one.name, "none"), "the program")
    for told_of in held.subgroups:
        yield from _apart(f"{SUBGROUPS}: {told_of.covariate} runs", told_of.runs, ids, ev.RUNS)
        for run in sorted({row.run for row in told_of.rows} - set(ids)):
            yield _unlike(f"{SUBGROUPS}: {told_of.covariate}", run, "no such run", ev.RUNS)


def _study(study: Study) -> Iterator[Difference]:
    """What the account tells twice: its flow, its certificate."""
    from medfm_gui.datasets.certificate import sealed

    flow, split = study.dataset.flow, study.split
    for name, stored, made in (
        ("dataset", flow.dataset, study.dataset.id), ("split", flow.split, ""),
        ("title", flow.title, title_of(study.dataset.name)), ("note", flow.note, NOTE if flow.note else ""),
    ):  # fmt: skip
        yield from _apart(f"{STUDY}: flow {name}", stored, made, f"{STUDY} itself")
    found = split.certificate
    if found is None:
        return
    if found.split and found.split != split.fingerprint:
        yield _unlike(f"{STUDY}: split of the certificate", found.split, split.fingerprint, f"{STUDY} itself")
    near = sum(one.found for one in found.checks if one.kind is LeakKind.NEAR)
    if near != split.suspects:
        yield _unlike(f"{STUDY}: near-duplicates", split.suspects, near, "the certificate in it")
    texts = (found.accepted or "", *found.unseen, *(one.reason for one in found.checks))
    is_whole = not split.suspects and not split.leaks and not any(INSTEAD in text for text in texts)
    if is_whole and found.sha256:  # leaks name samples, so that a report leaves them out
        again = sealed(replace(found, leaks=(), suspects=()))
        yield from _apart(f"{STUDY}: certificate (SHA-256)", found.sha256, again.sha256, "its contents")


def outside_agrees(held: ev.Evidence) -> Iterator[Difference]:
    """Tests on other datasets against the outcomes of their runs and their own tables."""
    outcomes = {one.run: one for one in held.outcomes}
    opened: dict[str, int] = {}
    for number, one in enumerate(held.outside, 1):
        where = f"{OUTSIDE}: {one.file.run} on {one.name}"
        others = opened.setdefault(one.file.sample_set, one.openings)
        yield from _apart(f"{where}, openings of these images", one.openings, others, f"{OUTSIDE} itself")
        own = outcomes.get(one.file.run)
        if own is not None:
            yield from _apart(f"{where}, threshold", one.point, own.point, "outcomes.json")
            yield from _apart(f"{where}, calibration", one.line, own.calibrator, "outcomes.json")
            yield from _apart(f"{where}, unit", one.unit, own.unit, "outcomes.json")
        if one.file.predictions.path:
            said = f"{where}: it names a place of a computer, which no report tells."
            yield Difference(where, "inserted", said)
        if not one.table:
            continue
        yield from _apart(f"{where}, table", one.table, OUTSIDE_TABLE.format(number=number), "its place in the list")
        lines = [row for row in csv.reader(io.StringIO(held.outside_tables[one.table])) if row][1:]
        if one.task is not Task.MULTILABEL:
            yield from sums_differ(one.table, [line[5 : 5 + len(one.classes)] for line in lines])
        patients = len({line[1] for line in lines if len(line) > 1 and line[1]})
        if one.n_patients is not None and patients != one.n_patients:
            yield _unlike(f"{where}, patients", one.n_patients, patients, one.table)
        if bool(one.file.by) != any(line[2] for line in lines if len(line) > 2):
            yield _unlike(f"{where}, parted by", one.file.by or "nothing", "sites in the table", one.table)


def baselines_agree(held: ev.Evidence, task: Task) -> Iterator[Difference]:
    """Scores of the cheap models that do not add up as all the others do."""
    if task is Task.MULTILABEL:
        return
    for name, (_, scores) in held.baselines.items():
        lines = [[str(value) for value in row] for row in scores.tolist()]
        yield from sums_differ(f"{BASELINES}, {name}", lines)


def _apart(where: str, stored: object, other: object, file: str) -> Iterator[Difference]:
    if isinstance(stored, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys((*stored, *other)):
            one, two = stored.get(key), other.get(key)
            if not is_close(one, two):
                yield _unlike(f"{where} {key}", one, two, file)
    elif not is_close(stored, other):
        yield _unlike(where, stored, other, file)


def _unlike(where: str, stored: object, other: object, file: str) -> Difference:
    one, two = str(stored)[:200], str(other)[:200]
    return Difference(where, "differs", f"{where}: it says {one}, by {file} it is {two}.", None, two, one)

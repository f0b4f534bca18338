"""Where the runs of a report fail: errors by class, the surest mistakes, cases that all get wrong, what has no score.

Everything comes from stored predictions, at the locked threshold or by the highest score, so it can be counted again
from the files of the report. Counts of small groups are not told; cases bear names of this report alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.report import Block, Paragraph, Part, Picture, Pictures, Section, Table
from medfm_gui.domain.units import plural
from medfm_gui.workspace.disagreements import decided_by
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_demographics import SMALLEST, WITHHELD, count_told, suppressed
from medfm_gui.workspace.report_names import ReportNames

SUREST = 5
"""Mistakes of each run that are listed, and cases that all runs get wrong."""
_UNSCORED = 10
_NOT_SCORED = -2
_HOW = {
    Task.BINARY: "A decision is made at each run's locked threshold.",
    Task.MULTICLASS: "A decision is the class of the highest probability.",
    Task.ORDINAL: "A decision is the grade of the highest probability.",
    Task.MULTILABEL: "A finding counts as present from a probability of 0.5 on.",
}
_NO_POINT = "A decision is the class of the highest probability: these runs have no locked threshold."
_NOTE = (
    "The surest mistakes are the wrong decisions with the highest probability of the class that was decided for. Cases "
    "bear names of this report alone. Counts by covariate of 1 to 4 are not told, nor counts that would give them away."
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong decision: the unit's place, the finding (-1: none), reference, decision, and how sure the run was."""

    place: int
    finding: int
    reference: int
    decided: int
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The decisions of a run: ``decided`` (n,) or (n, findings), -2 where not scored, against ``reference``."""

    run: OpenedRun
    reference: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
    decided: np.ndarray[tuple[int, ...], np.dtype[np.intp]]

    @property
    def is_wrong(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Scored, assessed, and decided otherwise than the reference."""
        looked_at = (self.decided != _NOT_SCORED) & (self.reference != UNKNOWN)
        return np.asarray(looked_at & (self.decided != self.reference))

    def mistakes(self) -> list[Mistake]:
        """Every wrong decision, the surest first."""
        scores = self.run.units.scores
        found = []
        for spot in np.argwhere(self.is_wrong):
            place, finding = int(spot[0]), int(spot[1]) if len(spot) > 1 else -1
            at = (place, finding) if finding >= 0 else (place,)
            decided = int(self.decided[at])
            said = float(scores[place, finding if finding >= 0 else decided])
            sure = 1 - said if finding >= 0 and decided == 0 else said
            found.append(Mistake(place, finding, int(self.reference[at]), decided, sure))
        return sorted(found, key=lambda one: (-one.probability, one.place, one.finding))


def judged(run: OpenedRun) -> Judged:
    """What a run decided on every unit."""
    units = run.units
    if units.task is Task.MULTILABEL:
        columns = [decided_by(run, at)[1] for at in range(len(units.classes))]
        return Judged(run, np.asarray(units.targets, np.intp), np.stack(columns, axis=1))
    return Judged(run, np.asarray(units.targets, np.intp), np.asarray(decided_by(run, -1)[1], np.intp))


def failure_tables(
    runs: Sequence[OpenedRun],
    names: ReportNames,
    values: Mapping[str, Mapping[str, str]] | None = None,
    *,
    hide: bool = True,
) -> list[Block]:
    """Tables and sentences of all that went wrong.

    Args:
        values: of covariates, the value of each image; an image without one is not recorded.
        hide: whether small counts are hidden.
    """
    seen = [judged(run) for run in runs]
    mistakes = [one.mistakes() for one in seen]
    blocks: list[Block] = [Paragraph(_how(runs)), _by_class(seen, hide=hide), _surest(seen, mistakes, names)]
    blocks += _all_err(seen, mistakes, names) if len(seen) > 1 else []
    blocks += [_unscored(one, names) for one in seen if one.run.units.failed]
    blocks += [_by_covariate(seen, covariate, told, hide=hide) for covariate, told in (values or {}).items()]
    return blocks


def failures_section(tables: Sequence[Block], pictures: Sequence[Picture], no_pictures: str) -> Section:
    """The tables, then pictures of the surest mistakes or why there are none."""
    shown: list[Block] = [Paragraph(no_pictures, "small")] if no_pictures else []
    if pictures:
        shown = [Paragraph("The surest mistakes."), Pictures(tuple(pictures), 4)]
    return Section(Part.FAILURES.heading, (*tables, *shown, Paragraph(_NOTE, "small")))


def _how(runs: Sequence[OpenedRun]) -> str:
    task = runs[0].units.task
    return _NO_POINT if task is Task.BINARY and all(run.point is None for run in runs) else _HOW[task]


def class_word(run: OpenedRun, code: int, finding: int) -> str:
    """A class in words; of a finding, whether it is there."""
    classes = run.units.classes
    return classes[code] if finding < 0 else f"{'' if code == 1 else 'no '}{classes[finding]}"


def _by_class(seen: Sequence[Judged], *, hide: bool) -> Table:
    task = seen[0].run.units.task
    rows = [row for one in seen for row in (_of_findings(one, hide) if task is Task.MULTILABEL else _of_one(one, hide))]
    unit = seen[0].run.units.unit
    if task is Task.MULTILABEL:
        header: tuple[str, ...] = ("Run", "Finding", "present", "missed", "absent", "false alarms")
        return Table(f"Errors by finding, {plural(unit)} that were scored.", header, tuple(rows), (2, 3, 4, 5))
    header = ("Run", "Reference", "n", "errors", "mostly taken for")
    numeric: tuple[int, ...] = (2, 3)
    if task is Task.ORDINAL:
        header, numeric = (*header[:4], "off by 2 or more", header[4]), (2, 3, 4)
    return Table(f"Errors by class, {plural(unit)} that were scored.", header, tuple(rows), numeric)


def _told(wrong: int, n: int, hide: bool) -> str:
    """How many of n are wrong, exactly: sensitivity and specificity with their n tell it too; hidden where n is."""
    return WITHHELD if hide and 0 < n < SMALLEST else f"{wrong:,}"


def _size(number: int, hide: bool) -> str:
    return count_told(number) if hide else f"{number:,}"


def _of_one(one: Judged, hide: bool) -> Iterator[tuple[str, ...]]:
    run, classes = one.run, one.run.units.classes
    scored = one.decided != _NOT_SCORED
    for code, name in enumerate(classes):
        members = scored & (one.reference == code)
        n, wrong = int(members.sum()), one.decided[members & one.is_wrong]
        often = Counter(wrong.tolist()).most_common(1)
        taken = classes[often[0][0]] if often and not (hide and n < SMALLEST) else "–"
        far = (_told(int((np.abs(wrong - code) > 1).sum()), n, hide),) if run.units.task is Task.ORDINAL else ()
        yield (run.view.id, name, _size(n, hide), _told(len(wrong), n, hide), *far, taken)


def _of_findings(one: Judged, hide: bool) -> Iterator[tuple[str, ...]]:
    for at, name in enumerate(one.run.units.classes):
        decided, reference = one.decided[:, at], one.reference[:, at]
        present, absent = (decided != _NOT_SCORED) & (reference == 1), (decided != _NOT_SCORED) & (reference == 0)
        n, others = int(present.sum()), int(absent.sum())
        missed, alarms = int((decided[present] == 0).sum()), int((decided[absent] == 1).sum())
        yield (
            one.run.view.id, name, _size(n, hide), _told(missed, n, hide), _size(others, hide),
            _told(alarms, others, hide),
        )  # fmt: skip


def _surest(seen: Sequence[Judged], mistakes: Sequence[Sequence[Mistake]], names: ReportNames) -> Block:
    rows = []
    for one, found in zip(seen, mistakes, strict=True):
        called = names.of_units(one.run)
        for mistake in found[:SUREST]:
            words = (class_word(one.run, code, mistake.finding) for code in (mistake.reference, mistake.decided))
            unit = called[one.run.units.samples[mistake.place]]
            rows.append((one.run.view.id, unit, *words, f"{mistake.probability:.3f}"))
    if not rows:
        return Paragraph("No run decided wrongly on any unit that it scored.")
    header = ("Run", "Case", "Reference", "Decided", "Probability")
    return Table("The surest mistakes of each run.", header, tuple(rows), (4,))


def _all_err(seen: Sequence[Judged], mistakes: Sequence[Sequence[Mistake]], names: ReportNames) -> list[Block]:
    """Units that every run gets wrong, those first of which the runs are surest together."""
    if len({one.run.units.samples for one in seen}) > 1:
        return [Paragraph("The runs are evaluated by different units, so no case is told that all of them get wrong.")]
    wrong = np.logical_and.reduce([one.is_wrong for one in seen])
    number = int((wrong.any(axis=1) if wrong.ndim > 1 else wrong).sum())
    n, unit = len(seen[0].run.units), seen[0].run.units.unit
    units = plural(unit)
    some = f"{number:,} of the {n:,} {units} {'is' if number == 1 else 'are'}" if number else f"None of the {units} is"
    said = f"{some} decided wrongly by {'both' if len(seen) == 2 else f'all {len(seen)}'} runs."
    rows = []
    sure: dict[tuple[int, int], list[Mistake]] = {}
    for of_run in mistakes:
        for mistake in of_run:
            sure.setdefault((mistake.place, mistake.finding), []).append(mistake)
    shared = sorted(
        (found for found in sure.values() if len(found) == len(seen)),
        key=lambda found: (-sum(one.probability for one in found), found[0].place, found[0].finding),
    )
    called = names.of_units(seen[0].run)
    for found in shared[:SUREST]:
        first = found[0]
        decided = "; ".join(
            f"{one.run.view.id}: {class_word(one.run, mistake.decided, mistake.finding)} {mistake.probability:.3f}"
            for one, mistake in zip(seen, found, strict=True)
        )
        reference = class_word(seen[0].run, first.reference, first.finding)
        rows.append((called[seen[0].run.units.samples[first.place]], reference, decided))
    table = Table("Cases that all runs get wrong.", ("Case", "Reference", "Decided, with probability"), tuple(rows))
    return [Paragraph(said), *([table] if rows else [])]


def _unscored(one: Judged, names: ReportNames) -> Paragraph:
    called = names.of_units(one.run)
    failed = [called[name] for name in one.run.units.failed]
    more = f" and {len(failed) - _UNSCORED:,} more" if len(failed) > _UNSCORED else ""
    unit = one.run.units.unit
    said = f"{one.run.view.id} could not score {len(failed):,} {unit}{'s' if len(failed) > 1 else ''}: "
    return Paragraph(f"{said}{', '.join(failed[:_UNSCORED])}{more}.", "warning")


def _by_covariate(seen: Sequence[Judged], covariate: str, values: Mapping[str, str], *, hide: bool) -> Table:
    """Units and errors of every value, run by run."""
    rows: list[tuple[str, ...]] = []
    for one in seen:
        told = unit_values(one.run, values)
        scored, wrong = _anywhere(one.decided != _NOT_SCORED), _anywhere(one.is_wrong)
        sizes = Counter(value for value, kept in zip(told, scored, strict=True) if kept)
        errors = Counter(value for value, is_bad in zip(told, wrong, strict=True) if is_bad)
        order = sorted(sizes, key=lambda value: (*_first_number(value), -sizes[value], value))
        counted, bad = [sizes[value] for value in order], [errors[value] for value in order]
        cells = _hidden(counted, bad) if hide else [(f"{n:,}", f"{of:,}") for n, of in zip(counted, bad, strict=True)]
        rows += [(one.run.view.id, value, *pair) for value, pair in zip(order, cells, strict=True)]
    unit = seen[0].run.units.unit
    caption = f"Errors by {covariate}, {plural(unit)} that were scored."
    return Table(caption, ("Run", covariate, "n", "errors"), tuple(rows), (2, 3))


def _anywhere(flags: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[bool]:
    """Of each unit, whether it holds for it, or for one of its findings."""
    counted: list[int] = np.count_nonzero(flags.reshape(len(flags), -1), axis=1).tolist()
    return [number > 0 for number in counted]


def _first_number(value: str) -> tuple[bool, float]:
    """Ranges upwards, then everything else."""
    if value.startswith("below "):
        return (False, -math.inf)
    found = re.match(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", value)
    return (False, float(found[0])) if found else (True, 0.0)


def _hidden(sizes: Sequence[int], errors: Sequence[int]) -> list[tuple[str, str]]:
    few = [place for place, (n, bad) in enumerate(zip(sizes, errors, strict=True)) if n < SMALLEST or 0 < n - bad < 5]
    return list(zip(suppressed(sizes), suppressed(errors, few), strict=True))


def unit_values(run: OpenedRun, values: Mapping[str, str]) -> list[str]:
    """The value of every unit: of its images, where they agree."""
    from medfm_gui.metrics.subgroups import MISSING
    from medfm_gui.workspace.opened_runs import unit_images
    from medfm_gui.workspace.subgrouping import SEVERAL

    found = []
    for images in unit_images(run).values():
        known = {values.get(image, "") for image in images} - {""}
        found.append(SEVERAL if len(known) > 1 else next(iter(known), MISSING))
    return found

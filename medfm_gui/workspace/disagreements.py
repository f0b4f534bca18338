"""Cases of an opened test where runs differ or all err, the widest apart first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from medfm_gui.domain.dataset import UNKNOWN, Dataset, Sample, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.run import EXTERNAL
from medfm_gui.workspace import data
from medfm_gui.workspace.comparing import OnProgress
from medfm_gui.workspace.opened_runs import OpenedRun, opened_tests, read_opened, unit_images
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.datasets.pixel_sources import Sources
    from medfm_gui.metrics.arrays import Flags, Floats

MOST_CASES = 2000
"""Cases that are told at once; how many there are in all is told too."""


class Kind(StrEnum):
    """Which cases: runs decide differently, all decide wrongly, or either."""

    DIFFER = "differ"
    ALL_ERR = "all-err"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Case:
    """One test unit: its first image, its reference label, and of each run the probability and whether it was right.

    ``probabilities`` are of the positive class (binary), of the finding (multi-label), or of the reference class; None
    where a run could not score the unit. ``decided`` are the classes that the runs chose. ``gap`` is the largest
    distance between two of the probabilities; ``place`` is the image's file, ``frame`` its number in there.
    """

    unit: str
    sample: str
    n_images: int
    reference: str
    probabilities: tuple[float | None, ...]
    decided: tuple[str, ...]
    wrong: tuple[bool, ...]
    gap: float
    place: str = ""
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class Disagreements:
    """Cases of runs, at most ``MOST_CASES``; ``n_found`` counts all of the kind, ``n_units`` the whole test.

    ``probability_of`` says what the probabilities are of; ``findings`` are what a multi-label task offers.
    """

    runs: tuple[str, ...]
    dataset: str
    kind: Kind
    unit: str
    probability_of: str
    cases: tuple[Case, ...]
    n_found: int
    n_differ: int
    n_all_err: int
    n_units: int
    findings: tuple[str, ...] = ()
    finding: str = ""
    mapped: tuple[str, ...] = ()
    """Those of the runs that have a model here, which can score and explain a case again."""


def disagreements(
    workspace: Workspace,
    run_ids: Sequence[str],
    kind: Kind = Kind.ANY,
    *,
    finding: str = "",
    on_progress: OnProgress | None = None,
) -> Disagreements:
    """The cases of opened tests where these runs differ or all err, the largest gap first.

    A binary run decides at its locked threshold, another by its highest score; a finding counts from 0.5 on. Of one
    run the cases that it got wrong are told.

    Args:
        finding: of a multi-label task, one of its classes; empty takes the first.

    Raises:
        SealError: the test of a run was not opened.
        UsageError: another finding, or the runs cannot be compared.
        InputError: they cannot be compared, or a predictions file is damaged.
    """
    found = read_opened(workspace, opened_tests(workspace, run_ids), on_progress)
    dataset = found.dataset
    is_several = dataset.task is Task.MULTILABEL
    finding = (finding or dataset.classes[0]) if is_several else ""
    if is_several and finding not in dataset.classes:
        raise UsageError(f"“{finding}” is no finding of this dataset.", f"Choose one of {', '.join(dataset.classes)}.")
    sheet = _sheet(found.runs, dataset, finding)
    differ, all_err = sheet.differ & sheet.known, sheet.wrong.all(axis=0) & sheet.known
    wanted = {Kind.DIFFER: differ, Kind.ALL_ERR: all_err, Kind.ANY: differ | all_err}[kind]
    places = np.flatnonzero(wanted)
    mean_error = np.nanmean(np.where(sheet.wrong, 1.0, 0.0), axis=0)
    order = places[np.lexsort((places, -mean_error[places], -sheet.gap[places]))]
    by_id = {sample.id: sample for sample in dataset.samples}
    words = _Words(dataset, unit_images(found.runs[0]), by_id, finding, data.files_of(workspace, dataset))
    names = found.runs[0].units.samples
    cases = tuple(words.case(names[place], sheet, int(place)) for place in order[:MOST_CASES])
    about = finding or dataset.positive or "the reference class"
    return Disagreements(
        found.ids, dataset.id, kind, found.runs[0].units.unit, about, cases, len(order), int(differ.sum()),
        int(all_err.sum()), len(names), dataset.classes if is_several else (), finding,
        tuple(run.view.id for run in found.runs if run.view.spec.adapt != EXTERNAL),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """Of k runs and n units: probabilities (k, n; NaN: not scored), decided class codes (k, n), wrong (k, n).

    ``reference`` (n,) are class codes; ``known`` (n,) units whose reference was assessed; ``gap`` (n,) the largest
    distance between two probabilities.
    """

    probabilities: Floats
    decided: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
    wrong: Flags
    reference: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
    known: Flags
    gap: Floats

    @property
    def differ(self) -> Flags:
        return np.asarray((self.decided != self.decided[:1]).any(axis=0))


def _sheet(runs: Sequence[OpenedRun], dataset: Dataset, finding: str) -> _Sheet:
    units = runs[0].units
    at = dataset.classes.index(finding) if finding else -1
    reference = units.targets[:, at] if finding else units.targets
    probabilities, decided = [], []
    for run in runs:
        of_run, chosen = decided_by(run, at)
        probabilities.append(of_run)
        decided.append(chosen)
    told, codes = np.stack(probabilities), np.stack(decided)
    wrong = codes != reference[None, :]
    return _Sheet(told, codes, wrong, np.asarray(reference), reference != UNKNOWN, _gaps(told))


def _gaps(probabilities: Floats) -> Floats:
    scored = np.isfinite(probabilities)
    high = np.where(scored, probabilities, -np.inf).max(axis=0)
    low = np.where(scored, probabilities, np.inf).min(axis=0)
    return np.asarray(np.where(scored.any(axis=0), high - np.where(np.isfinite(low), low, 0.0), 0.0))


def decided_by(run: OpenedRun, at: int) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.intp]]]:
    """Probabilities and class codes that a run chose, -2 where it could not score; ``at`` is a finding, or -1."""
    from medfm_gui.metrics.threshold import decisions

    scored = run.units
    failed = ~np.isfinite(scored.scores).all(axis=1)
    if at >= 0:
        told = scored.scores[:, at]
        chosen = (np.nan_to_num(told) >= 0.5).astype(np.intp)
    elif scored.task is Task.BINARY:
        told = scored.event_scores
        positive = scored.positive_index
        called = decisions(scored, run.point) if run.point is not None else np.nan_to_num(told) >= 0.5
        chosen = np.where(called, positive, 1 - positive).astype(np.intp)
    else:
        told = scored.scores[np.arange(len(scored)), scored.targets]
        chosen = np.argmax(np.nan_to_num(scored.scores), axis=1)
    return np.where(failed, np.nan, told), np.where(failed, -2, chosen)


@dataclass(frozen=True, slots=True)
class _Words:
    """What a place of the sheet is in words."""

    dataset: Dataset
    images: Mapping[str, tuple[str, ...]]
    samples: Mapping[str, Sample]
    finding: str
    files: Sources

    def case(self, unit: str, sheet: _Sheet, place: int) -> Case:
        images = self.images[unit]
        first = self.samples[images[0]]
        column = sheet.probabilities[:, place]
        return Case(
            unit=unit,
            sample=first.id,
            n_images=len(images),
            reference=self._name(int(sheet.reference[place])),
            probabilities=tuple(float(value) if np.isfinite(value) else None for value in column),
            decided=tuple(self._name(int(code)) for code in sheet.decided[:, place]),
            wrong=tuple(bool(flag) for flag in sheet.wrong[:, place]),
            gap=float(sheet.gap[place]),
            place=str(self.files.file(self.dataset, first)) if self.dataset.source else "",
            frame=first.frame,
        )

    def _name(self, code: int) -> str:
        if code == -2:
            return "not scored"
        if self.finding:
            return {0: "absent", 1: "present"}.get(code, "not assessed")
        return self.dataset.classes[code]

"""Runs with an open test, their scores joined with labels and patients: where every look into cases starts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.evaluation import Calibrator, OperatingPoint
from medfm_gui.domain.units import unit_word
from medfm_gui.workspace import data, training
from medfm_gui.workspace.comparing import OnProgress, Tested, obstacle, title
from medfm_gui.workspace.evaluating import EvaluationFile, calibrator, opened, operating_point, test_predictions
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.scores import read_scores, scored
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored


@dataclass(frozen=True, slots=True, eq=False)
class OpenedRun:
    """A run, its opened test, and its scores: ``images`` one row an image, ``units`` at the unit of its recipe.

    ``is_calibrated``: ``units`` and ``point`` are on the scale of the probabilities that a prediction shows.
    """

    view: RunView
    test: EvaluationFile
    name: str
    images: Scored
    units: Scored
    point: OperatingPoint | None
    calibrator: Calibrator | None = None
    is_calibrated: bool = False

    @property
    def calibrated(self) -> OpenedRun:
        """The run with its units and its threshold on the calibrated scale; as it is where it has no calibrator."""
        line = self.calibrator
        if line is None or self.is_calibrated:
            return self
        from medfm_gui.metrics.recalibration import calibrated, calibrated_threshold

        point = self.point
        if point is not None:
            point = replace(point, threshold=calibrated_threshold(point.threshold, line))
        return replace(self, units=calibrated(self.units, line), point=point, is_calibrated=True)

    @property
    def drawn(self) -> tuple[str, str, str, Scored]:
        """Name, family, adaptation and scores, as charts take a run."""
        return self.name, self.view.spec.card.family.value, self.view.spec.adapt, self.units


@dataclass(frozen=True, slots=True, eq=False)
class OpenedRuns:
    """Runs that were tested on the same units of one dataset, in the order asked for."""

    dataset: Dataset
    runs: tuple[OpenedRun, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The runs' ids."""
        return tuple(run.view.id for run in self.runs)


@dataclass(frozen=True, slots=True)
class OpenedTests:
    """Runs and their tests before any score is read; ``key`` changes where labels, scores or thresholds do."""

    views: tuple[RunView, ...]
    tests: tuple[EvaluationFile, ...]
    key: str


def opened_tests(workspace: Workspace, run_ids: Sequence[str]) -> OpenedTests:
    """The opened tests of runs that can stand side by side.

    Raises:
        SealError: the test of a run was not opened.
        UsageError, InputError: none is named, or they cannot be compared.
    """
    run_ids = tuple(dict.fromkeys(run_ids))
    if not run_ids:
        raise UsageError("No run is named.", "Choose one or more runs.")
    views = tuple(training.view(workspace, run_id) for run_id in run_ids)
    tests = tuple(opened(workspace, run_id) for run_id in run_ids)
    first, *others = (
        Tested(view.id, view.spec.task, view.spec.classes, view.spec.dataset_fingerprint, test.sample_set)
        for view, test in zip(views, tests, strict=True)
    )
    for other in others:
        if (found := obstacle(first, other)) is not None:
            raise found
    said = [
        [view.id, view.spec.dataset_fingerprint, test.sample_set, test.predictions.sha256, _point_text(view.folder)]
        for view, test in zip(views, tests, strict=True)
    ]
    return OpenedTests(views, tests, hashlib.sha256(wire.canonical(said)).hexdigest())


def read_opened(workspace: Workspace, tests: OpenedTests, on_progress: OnProgress | None = None) -> OpenedRuns:
    """The scores of these tests, all in the order of the first run's images.

    Raises:
        InputError: a predictions file is damaged, or holds other images.
    """
    views = tests.views
    dataset = data.read(workspace, views[0].spec.dataset_id)
    known: Scored | None = None
    found: list[OpenedRun] = []
    for number, (view, test) in enumerate(zip(views, tests.tests, strict=True)):
        if on_progress is not None:
            on_progress("Reading the predictions", number, len(views))
        samples, scores = read_scores(test_predictions(workspace, view.id))
        if known is not None:
            images = replace(known, scores=_in_order(known.samples, samples, scores).astype(np.float64))
        else:
            images = known = scored(dataset, samples, scores)
        units = images.by_unit(view.spec.recipe.counted)
        point, line = operating_point(view.folder), calibrator(view.folder)
        found.append(OpenedRun(view, test, title(view), images, units, point, line))
    return OpenedRuns(dataset, tuple(found))


def _in_order(
    wanted: tuple[str, ...], samples: tuple[str, ...], scores: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    if samples == wanted:
        return scores
    places = {sample: place for place, sample in enumerate(samples)}
    if len(samples) != len(wanted) or any(sample not in places for sample in wanted):
        raise InputError(
            "The runs were tested on different images.", "Compare runs of one split; let one of them predict again."
        )
    return np.asarray(scores[[places[sample] for sample in wanted]])


def unit_images(run: OpenedRun) -> Mapping[str, tuple[str, ...]]:
    """The images of each unit of a run, by the unit's name."""
    if run.units is run.images:
        return {sample: (sample,) for sample in run.images.samples}
    images: dict[str, list[str]] = {unit: [] for unit in run.units.samples}
    for sample, unit in zip(run.images.samples, run.images.names_of(unit_word(run.units.unit)), strict=True):
        images[unit].append(sample)
    return {unit: tuple(names) for unit, names in images.items()}


def result_path(workspace: Workspace, kind: str, tests: OpenedTests, *settings: str) -> Path:
    """Where a result of these tests is kept, under a name that other labels, scores or settings do not share."""
    name = hashlib.sha256("\n".join((tests.key, *settings)).encode()).hexdigest()[:16]
    return workspace.root / "evaluations" / f"{kind}-{name}.json"


def chart_owner(run_ids: Sequence[str]) -> str:
    """Under which name the database holds the charts of what lies behind a comparison of these runs."""
    return f"cases:{'+'.join(run_ids)}"


def _point_text(folder: Path) -> str:
    point = operating_point(folder)
    return "" if point is None else f"{point.threshold!r} {point.unit}"

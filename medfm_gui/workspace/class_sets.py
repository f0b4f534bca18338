"""Sets of classes instead of one: which runs have them, what is promised of them, and how often they hold on a test.

Off unless asked for. The limits come of the run's calibration images (else of validation, and then said), one unit a
patient, on the scale of the scores; ``metrics.conformal`` has the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.split import Partition
from medfm_gui.metrics.rules import CODE_VERSION
from medfm_gui.workspace import data, training
from medfm_gui.workspace.evaluating import TEST, opened, test_predictions
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.scores import read_scores, scored
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    from medfm_gui.metrics.conformal import Quantiles
    from medfm_gui.metrics.scored import Scored

LEVEL = 0.9
"""The coverage that is promised of each class."""
COVERAGE, SIZE = "set_coverage", "set_size"
_SELECTED_ON = "also used for model selection"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a run's sets, or why it has none; ``promise`` stands beside every set."""

    run: str
    quantiles: Quantiles | None
    why_not: str = ""
    promise: str = ""
    fitted_on: str = ""

    @property
    def note(self) -> str:
        """The promise, where the limits come from; or why there are none."""
        if self.quantiles is None:
            return self.why_not
        least, most = min(self.quantiles.n), max(self.quantiles.n)
        n = f"{least if least == most else f'{least} to {most}'} units a class"
        return f"{100 * self.quantiles.level:g} % of each class: {self.promise}. Limits from {self.fitted_on}, {n}."


@dataclass(frozen=True, slots=True)
class SetsOnTest:
    """How often the sets of a run hold the true class on its opened test, class by class, and how large they are."""

    run: str
    level: float
    note: str
    evaluations: tuple[Evaluation, ...]
    smallest: tuple[float, ...] = ()
    """The limits that the sets were made with, a class each; empty where there are none, and ``note`` says why."""
    fitted_n: tuple[int, ...] = ()
    fitted_on: str = ""

    @property
    def by_class(self) -> tuple[Evaluation, ...]:
        """Coverage of each class."""
        return tuple(row for row in self.evaluations if row.metric == COVERAGE)

    @property
    def size(self) -> float | None:
        """Mean number of classes in a set."""
        return next((row.value for row in self.evaluations if row.metric == SIZE), None)


def limits_of(workspace: Workspace, view: RunView) -> Limits:
    """The limits of a run's sets of classes, from scores that were kept when it was trained.

    Raises:
        InputError: a predictions file is damaged.
    """
    from medfm_gui.metrics.conformal import PROMISE, fewest, fit_quantiles

    spec = view.spec
    if spec.task not in (Task.MULTICLASS, Task.ORDINAL) or len(spec.classes) < 3:
        return Limits(view.id, None, "Sets of classes need three classes or more.")
    found = _held_out(workspace, view)
    if found is None:
        return Limits(view.id, None, "No set: the images that their limits would come from are not kept here.")
    side, units = found
    fitted = fit_quantiles(units, level=LEVEL, fitted_on=side.value, unit=units.unit)
    if min(fitted.n) < fewest(LEVEL):
        least = spec.classes[fitted.n.index(min(fitted.n))]
        return Limits(
            view.id, None, f"No set: {min(fitted.n)} calibration units of “{least}”, and {fewest(LEVEL)} are needed."
        )
    where = "calibration" if side is Partition.CAL else f"validation, {_SELECTED_ON}"
    return Limits(view.id, fitted, "", PROMISE, where)


def _held_out(workspace: Workspace, view: RunView) -> tuple[Partition, Scored] | None:
    """Kept scores of images that the model did not learn from, at the run's unit and one a patient."""
    from medfm_gui.metrics.conformal import one_a_patient

    spec = view.spec
    two_stages = spec.recipe.protocol != "single-stage"  # then the validation scores are another model's
    for side in (Partition.CAL,) if two_stages else (Partition.CAL, Partition.VAL):
        path = view.folder / "predictions" / f"{side.value}.npz"
        if not path.exists() or not spec.dataset_id:
            continue
        dataset = data.read(workspace, spec.dataset_id)
        units = scored(dataset, *read_scores(path)).by_unit(spec.recipe.counted).without_failed()
        if len(units):
            return side, one_a_patient(units) if units.clusters.repeated else units
    return None


def sets_on_test(workspace: Workspace, run_ids: Sequence[str]) -> tuple[SetsOnTest, ...]:
    """Coverage class by class, with intervals, and mean size of the sets of runs whose test is open.

    Raises:
        SealError: a test is not open.
        InputError: a predictions file is damaged.
    """
    return tuple(_on_test(workspace, training.view(workspace, run_id)) for run_id in dict.fromkeys(run_ids))


def _on_test(workspace: Workspace, view: RunView) -> SetsOnTest:
    test = opened(workspace, view.id)
    limits = limits_of(workspace, view)
    if limits.quantiles is None:
        return SetsOnTest(view.id, LEVEL, limits.note, ())
    dataset = data.read(workspace, view.spec.dataset_id)
    units = scored(dataset, *read_scores(test_predictions(workspace, view.id))).by_unit(view.spec.recipe.counted)
    rows = coverage_rows(view.id, units, limits.quantiles, sample_set=test.sample_set)
    fitted = limits.quantiles
    return SetsOnTest(view.id, fitted.level, limits.note, rows, fitted.smallest, fitted.n, fitted.fitted_on)


def coverage_rows(run: str, units: Scored, quantiles: Quantiles, *, sample_set: str) -> tuple[Evaluation, ...]:
    """Coverage of each class, then the mean size of a set, of scored units of a test."""
    from medfm_gui.metrics.conformal import coverage, sets_of

    plain = Evaluation(
        run=run, subset=TEST, metric=SIZE, value=None, low=None, high=None, method="mean", unit=units.unit,
        n=len(units), n_patients=units.n_patients, n_events=None, sample_set=sample_set,
        parameters={"level": repr(quantiles.level), "fitted_on": quantiles.fitted_on},
        note="mean number of classes in a set", code_version=CODE_VERSION,
    )  # fmt: skip
    by_class = tuple(
        replace(
            plain, metric=COVERAGE, value=one.estimate, low=one.low, high=one.high, method=one.method, n=one.n,
            n_events=one.n, confidence=one.confidence, label=name, note=one.note,
        )
        for name, one in coverage(units, quantiles)
    )  # fmt: skip
    return (*by_class, replace(plain, value=float(sets_of(units, quantiles).sum(axis=1).mean())))

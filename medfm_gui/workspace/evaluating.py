"""Opening the sealed test set, and the numbers that come of it.

The test is never scored while training. Opening it is an act with a reason that is written down and
counted; reading the numbers again later is none.
"""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, Interrupted, NotFound, SealError
from medfm_gui.domain.evaluation import Calibrator, Evaluation, OperatingPoint
from medfm_gui.domain.run import FileRef, PredictSpec
from medfm_gui.domain.split import Partition
from medfm_gui.domain.units import unit_word
from medfm_gui.metrics.rules import CODE_VERSION
from medfm_gui.workspace import data, training
from medfm_gui.workspace.errands import OnEvent, check, run_errand
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.outside_looks import external_looks
from medfm_gui.workspace.place import Workspace, now
from medfm_gui.workspace.scores import read_scores, scored
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TEST = "test"
WITHOUT_FLAGGED = "test without flagged images"


@dataclass(frozen=True, slots=True)
class EvaluationFile:
    """``evaluations/<run>-test.json``: one opened test, with the predictions it was computed from."""

    run: str
    subset: str
    opened: str
    reason: str
    sample_set: str
    predictions: FileRef
    evaluations: tuple[Evaluation, ...]
    flagged: tuple[str, ...] = ()
    """Test samples that the leak gate named: leaks that were accepted, and near-duplicates of other sides."""
    without_flagged: tuple[Evaluation, ...] = ()
    """The headline without the units of those samples; its subset is ``WITHOUT_FLAGGED``."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What an opening gave: the numbers of every run, and how often these samples were opened in this workspace."""

    files: tuple[EvaluationFile, ...]
    test_openings: int

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """All rows, run by run."""
        return tuple(row for file in self.files for row in file.evaluations)

    @property
    def without_flagged(self) -> tuple[Evaluation, ...]:
        """The headline of every run again, where its test has flagged images, without them."""
        return tuple(row for file in self.files for row in file.without_flagged)


def evaluate(
    workspace: Workspace,
    run_ids: Sequence[str],
    *,
    reason: str | None,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> Opening:
    """The test numbers of finished runs; opens the test where that was not done before.

    Args:
        stop: set it from another thread to end the work; tests that were opened by then stay open, and the
            look that was stopped is written down as one.

    Raises:
        Interrupted: it was stopped.
        SealError: a run's test is sealed and no ``reason`` to open it is given.
        UsageError: a run is not finished.
    """
    views = [_finished(workspace, run_id) for run_id in run_ids]
    sealed = [view.id for view in views if not evaluation_path(workspace, view.id).exists()]
    if sealed and not (reason and reason.strip()):
        raise SealError(
            f"The test set of {', '.join(sealed)} is sealed.",
            "Open it with --open-test REASON; the reason is kept and printed in the report.",
        )
    for view in views:
        if view.id in sealed:
            check(stop)
            _open(workspace, view, (reason or "").strip(), on_event, stop)
    files = tuple(opened(workspace, run_id) for run_id in run_ids)
    looks = count_openings(workspace, {file.sample_set for file in files})
    return Opening(files, looks + len(external_looks(workspace, _tested_pixels(workspace, views))))


def _tested_pixels(workspace: Workspace, views: Sequence[RunView]) -> set[str]:
    """Hashes of the test images of runs."""
    found: set[str] = set()
    for name in {view.spec.split_id for view in views if view.spec.dataset_id}:
        split = data.splits_of(workspace, name)[0]
        tested = set(split.samples_in(Partition.TEST))
        samples = data.read(workspace, split.dataset).samples
        found |= {sample.pixels_sha256 for sample in samples if sample.id in tested} - {""}
    return found


def _finished(workspace: Workspace, run_id: str) -> RunView:
    return training.check_finished(training.view(workspace, run_id))


def _open(
    workspace: Workspace, view: RunView, reason: str, on_event: OnEvent | None, stop: threading.Event | None
) -> None:
    from medfm_gui.datasets.split import sample_set_hash
    from medfm_gui.metrics.evaluate import evaluate as compute

    if not view.spec.dataset_id:
        raise NotFound(
            f"{view.id} was imported as a finished model, and the data that it was trained on are not here.",
            "Its own test set is where it was trained.",
        )
    if sha256_file(workspace.split(view.spec.split_id)) != view.spec.split.sha256:
        raise InputError(
            f"The split “{view.spec.split_id}” was changed after {view.id} was trained on it; its test stays sealed.",
            "Put its file back from a copy, or train again on another split.",
        )
    dataset = data.read(workspace, view.spec.dataset_id)
    path = test_predictions(workspace, view.id)
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    note(workspace, "test opened", view.id, reason=reason)  # said first: a look that then fails was a look
    (folder / "events.jsonl").unlink(missing_ok=True)
    order = PredictSpec(str(view.folder), TEST, str(folder), view.spec.device)
    try:
        run_errand(order, folder=folder, on_event=on_event, stop=stop)
    except Interrupted:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    samples, scores = read_scores(path)
    sample_set = sample_set_hash(dataset, samples)
    named, without = _without_flagged(workspace, view, dataset, samples, scores)
    rows = compute(
        scored(dataset, samples, scores),
        run=view.id,
        subset=TEST,
        unit=view.spec.recipe.counted,
        point=operating_point(view.folder),
        sample_set=sample_set,
        code_version=CODE_VERSION,
    )
    opened_at = now()
    reference = FileRef(str(path), sha256_file(path))
    file = EvaluationFile(view.id, TEST, opened_at, reason, sample_set, reference, tuple(rows), named, without)
    wire.write(evaluation_path(workspace, view.id), file)
    index(workspace, file, dataset)


def _without_flagged(
    workspace: Workspace, view: RunView, dataset: Dataset, samples: Sequence[str], scores: npt.NDArray[np.float32]
) -> tuple[tuple[str, ...], tuple[Evaluation, ...]]:
    """Which test samples the leak gate named, and the headline without their units."""
    from medfm_gui.datasets.certificate import flagged
    from medfm_gui.datasets.split import sample_set_hash
    from medfm_gui.datasets.targets import samples_of
    from medfm_gui.datasets.units import names_of
    from medfm_gui.metrics.evaluate import evaluate as compute

    split = data.splits_of(workspace, view.spec.split_id)[0]
    tested = set(samples)
    named = tuple(name for name in flagged(split) if name in tested)
    if not named:
        return (), ()
    unit = view.spec.recipe.counted
    units = names_of(dataset, samples_of(dataset, samples), unit_word(unit))
    gone = {one for one, name in zip(units, samples, strict=True) if name in named}
    kept = [number for number, one in enumerate(units) if one not in gone]
    if not kept:
        return named, ()
    left = [samples[number] for number in kept]
    try:
        rows = compute(
            scored(dataset, left, scores[kept]),
            run=view.id,
            subset=WITHOUT_FLAGGED,
            unit=unit,
            point=operating_point(view.folder),
            sample_set=sample_set_hash(dataset, left),
            code_version=CODE_VERSION,
        )
    except InputError:  # what is left cannot be scored: one class alone, or no unit
        return named, ()
    note = {"left out": f"{len(named)} flagged images"}
    whole = [row for row in rows if not row.label]
    return named, tuple(
        replace(row, parameters={**row.parameters, **note}) for row in whole if row.metric == whole[0].metric
    )


def index(workspace: Workspace, file: EvaluationFile, dataset: Dataset) -> None:
    """Bring an opened test into the database: rows, scores, chart and the opening itself.

    Where the file of scores was taken away, rows and opening alone: what was seen stays counted.
    """
    from medfm_gui.metrics.charts import confusion_chart, roc_chart
    from medfm_gui.metrics.probability_charts import calibration_chart, distribution_chart, precision_recall_chart
    from medfm_gui.metrics.recalibration import calibrated

    store, kept = workspace.store, test_predictions(workspace, file.run)
    samples, scores = read_scores(kept) if kept.exists() else ((), None)
    store.put_evaluations(file.evaluations)
    store.put_opening(file.run, file.subset, file.sample_set, file.reason, file.opened)
    if scores is None:
        return
    labels = {sample.id: sample.target for sample in dataset.samples}
    store.put_predictions(file.run, file.subset, samples, scores, [labels[name] for name in samples])
    folder = workspace.run(file.run)
    spec, line = training.spec_of(folder), calibrator(folder)
    joined = scored(dataset, samples, scores).by_unit(spec.recipe.counted)
    named = (file.run, spec.card.family.value, spec.adapt, joined)
    said = named if line is None else (*named[:3], calibrated(joined, line))
    store.put_chart(file.run, roc_chart([named]))
    if joined.task is Task.BINARY:
        store.put_chart(file.run, precision_recall_chart([named]))
        store.put_chart(file.run, calibration_chart([said]))
        store.put_chart(file.run, distribution_chart(said))
    if len(dataset.classes) > 1 and joined.targets.ndim == 1:
        store.put_chart(file.run, confusion_chart(joined, operating_point(folder)))


def test_predictions(workspace: Workspace, run_id: str) -> Path:
    """Where a run's scores of its test partition are, wherever the workspace was moved to."""
    return workspace.root / "predictions" / f"{run_id}-{TEST}" / f"{TEST}.npz"


def evaluation_path(workspace: Workspace, run_id: str) -> Path:
    """Where the opened test of a run is kept."""
    return workspace.root / "evaluations" / f"{run_id}-{TEST}.json"


def opened(workspace: Workspace, run_id: str) -> EvaluationFile:
    """The opened test of a run.

    Raises:
        SealError: it was not opened.
    """
    path = evaluation_path(workspace, run_id)
    if not path.exists():
        workspace.run(run_id)
        raise SealError(
            f"The test set of {run_id} is sealed, so there are no test results to show.",
            f"Open it first: “medfm evaluate {run_id} --open-test REASON”.",
        )
    return wire.read(EvaluationFile, path)


def every_opening(workspace: Workspace) -> list[EvaluationFile]:
    """All opened tests of the workspace, in the order of opening."""
    files = [wire.read(EvaluationFile, path) for path in (workspace.root / "evaluations").glob(f"*-{TEST}.json")]
    return sorted(files, key=lambda file: (file.opened, file.run))


def count_openings(workspace: Workspace, sample_sets: set[str]) -> int:
    """How often one of these sets of test samples was opened, by whichever run, split or re-import."""
    return sum(file.sample_set in sample_sets for file in every_opening(workspace))


def operating_point(folder: Path) -> OperatingPoint | None:
    """The threshold that was fixed when the run ended; None where the task has none."""
    path = folder / "operating_point.json"
    return wire.read(OperatingPoint, path) if path.exists() else None


def calibrator(folder: Path) -> Calibrator | None:
    """How a run's scores become probabilities, fixed when it ended; None where it has none.

    Raises:
        InputError: the file is damaged, or holds no line that keeps the order of scores.
    """
    path = folder / "calibrator.json"
    if not path.exists():
        return None
    found = wire.read(Calibrator, path)
    if not (math.isfinite(found.slope) and found.slope > 0 and math.isfinite(found.intercept)):
        raise InputError(f"The calibrator of {folder.name} is damaged.", "Train the run again, or import it again.")
    return found

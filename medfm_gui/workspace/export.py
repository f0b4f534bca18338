"""Predictions as a table for other programs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.workspace import data, training
from medfm_gui.workspace.errands import OnEvent
from medfm_gui.workspace.evaluating import calibrator, opened, test_predictions
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.outlier_scores import COLUMNS, OutlierCell, outlier_cells
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.report_sections import label_text
from medfm_gui.workspace.scores import read_scores
from medfm_gui.workspace.spreadsheet import guarded


def export_predictions(
    workspace: Workspace,
    run_id: str,
    subset: str,
    out: Path,
    *,
    both_scales: bool = False,
    outlier: bool = False,
    on_event: OnEvent | None = None,
) -> tuple[Path, int]:
    """Write a table of a run's scores and return its path and the number of rows.

    Its columns are ``sample, patient, subset, label, <one column a class>``. With ``both_scales`` the scores stand
    again as ``score_<class>``, and the calibrated probabilities as ``prob_<class>`` where the run has a calibrator. A
    threshold is of the scores. With ``outlier`` a worker compares the images with the run's training images:
    ``outlier_score`` is the distance, ``outlier`` yes or no, empty where there is no verdict.

    Raises:
        SealError: the test of that run was not opened.
        UsageError: the run has no predictions of that partition, or no training images to compare with.
        MedfmError: the worker could not compare.
    """
    text = predictions_table(workspace, run_id, subset, both_scales=both_scales, outlier=outlier, on_event=on_event)
    where = out.expanduser().absolute()
    sha256 = atomic_write(where, text)
    note(workspace, "predictions exported", run_id, subset=subset, sha256=sha256)
    return where, sum(1 for _ in csv.reader(io.StringIO(text))) - 1


def predictions_table(
    workspace: Workspace,
    run_id: str,
    subset: str,
    *,
    both_scales: bool = False,
    outlier: bool = False,
    on_event: OnEvent | None = None,
) -> str:
    """The same table as text.

    Raises:
        as ``export_predictions``.
    """
    view = training.view(workspace, run_id)
    if subset not in {side.value for side in Partition}:
        raise UsageError(f"There is no partition “{subset}”.", "Use test, val or cal.")
    if subset == Partition.TEST:
        opened(workspace, run_id)
        path = test_predictions(workspace, run_id)
    else:
        path = view.folder / "predictions" / f"{subset}.npz"
    if not path.exists():
        raise UsageError(
            f"{run_id} has no predictions of the partition “{subset}”.", "Use --subset val or --subset test."
        )
    dataset = data.read(workspace, view.spec.dataset_id)
    by_id = {sample.id: sample for sample in dataset.samples}
    samples, scores = read_scores(path)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    more = _named(view.folder, dataset, scores) if both_scales else []
    cells = outlier_cells(view, subset, on_event=on_event) if outlier else None
    head = [*(column for column, _ in more), *(COLUMNS if cells is not None else ())]
    writer.writerow(["sample", "patient", "subset", "label", *map(guarded, dataset.classes), *map(guarded, head)])
    for place, (name, row) in enumerate(zip(samples, scores, strict=True)):
        sample = by_id[name]
        label = guarded(label_text(dataset, sample.target))
        values = (*row, *(column[place] for _, column in more))
        said = cells.get(name, OutlierCell(None, None)).texts if cells is not None else ()
        numbers = (f"{value:.9g}" for value in values)
        writer.writerow([name, guarded(sample.patient or ""), subset, label, *numbers, *said])
    return text.getvalue()


def _named(
    folder: Path, dataset: Dataset, scores: npt.NDArray[np.float32]
) -> list[tuple[str, npt.NDArray[np.floating]]]:
    """Columns that say what they hold: scores, and calibrated probabilities where the run has a calibrator."""
    columns = [(f"score_{name}", scores[:, place]) for place, name in enumerate(dataset.classes)]
    line = calibrator(folder)
    if line is None:
        return columns
    from medfm_gui.metrics.recalibration import calibrated_scores

    found = calibrated_scores(scores.astype(np.float64), line, dataset.positive_index)
    return [*columns, *((f"prob_{name}", found[:, place]) for place, name in enumerate(dataset.classes))]

"""Predictions as a table for other programs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.workspace import data, training
from medfm_gui.workspace.evaluating import opened, test_predictions
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.report_sections import label_text
from medfm_gui.workspace.scores import read_scores
from medfm_gui.workspace.spreadsheet import guarded


def export_predictions(workspace: Workspace, run_id: str, subset: str, out: Path) -> tuple[Path, int]:
    """Write ``sample, patient, subset, label, <one column a class>`` and return the path and the number of rows.

    Raises:
        SealError: the test of that run was not opened.
        UsageError: the run has no predictions of that partition.
    """
    text = predictions_table(workspace, run_id, subset)
    where = out.expanduser().absolute()
    sha256 = atomic_write(where, text)
    note(workspace, "predictions exported", run_id, subset=subset, sha256=sha256)
    return where, sum(1 for _ in csv.reader(io.StringIO(text))) - 1


def predictions_table(workspace: Workspace, run_id: str, subset: str) -> str:
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
    writer.writerow(["sample", "patient", "subset", "label", *map(guarded, dataset.classes)])
    for name, row in zip(samples, scores, strict=True):
        sample = by_id[name]
        label = guarded(label_text(dataset, sample.target))
        writer.writerow([name, guarded(sample.patient or ""), subset, label, *(f"{value:.9g}" for value in row)])
    return text.getvalue()

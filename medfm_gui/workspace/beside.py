"""What can stand beside a comparison: reads of human readers, cheap models and readers in its ROC.

The numbers are those of ``readers`` and ``shortcuts``; here they are found, and laid into one chart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.datasets.units import names_of
from medfm_gui.domain.cards import Family
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.workspace import data
from medfm_gui.workspace.comparing import OnProgress
from medfm_gui.workspace.disagreements import Case
from medfm_gui.workspace.evaluating import TEST
from medfm_gui.workspace.opened_runs import chart_owner, opened_tests, read_opened
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.readers import DATASET, Disagreement, ReaderTable, ReadsFile, reader_table
from medfm_gui.workspace.scores import read_scores, scored
from medfm_gui.workspace.shortcuts import Baseline, shortcuts

if TYPE_CHECKING:
    from medfm_gui.datasets.pixel_sources import Sources
    from medfm_gui.metrics.charts import Named

BASELINE_STYLE = "baseline"
"""Style of a cheap model's line in a chart."""
MOST_CASES = 2000


@dataclass(frozen=True, slots=True)
class ReaderBoard:
    """Readers beside runs, and the cases that they see differently; ``n_found`` counts all of them.

    ``readers`` are all who read, ``n_units`` what they read; a case has no probabilities: ``decided`` and ``wrong``
    are of the readers in their order (an empty word: not read).
    """

    table: ReaderTable
    readers: tuple[str, ...]
    unit: str
    n_units: int
    cases: tuple[Case, ...]
    n_found: int


def reads_beside(workspace: Workspace, run_ids: Sequence[str]) -> tuple[ReadsFile, ...]:
    """Reads of the data that these opened runs were tested on, the newest first; damaged files are left out.

    Raises:
        SealError: the test of a run was not opened.
        UsageError, InputError: they cannot stand side by side.
    """
    wanted = opened_tests(workspace, run_ids).views[0].spec.dataset_fingerprint
    found = []
    for path in sorted((workspace.root / "readers").glob("reads-*.json")):
        try:
            file = wire.read(ReadsFile, path)
        except InputError:
            continue
        if file.dataset_fingerprint == wanted:
            found.append(file)
    return tuple(sorted(found, key=lambda file: (file.imported, file.id), reverse=True))


def reader_board(
    workspace: Workspace, file: ReadsFile, run_ids: Sequence[str], *, reference: str = DATASET, keep: bool = True
) -> ReaderBoard:
    """The table of these readers with the cases that they, or they and the reference, see differently.

    Its chart is kept unless ``keep`` is off.

    Raises:
        as ``readers.reader_table``.
    """
    table = reader_table(workspace, file.id, run_ids, reference=reference)
    if keep and run_ids:
        workspace.store.put_chart(chart_owner(run_ids), table.chart)
    dataset = data.read(workspace, file.dataset)
    by_id = {sample.id: sample for sample in dataset.samples}
    images = _images(dataset, by_id, file)
    files = data.files_of(workspace, dataset)
    rows = [
        _case(one, dataset, files, [by_id[name] for name in images.get(one.unit, ())], file.readers)
        for one in table.disagreements[:MOST_CASES]
    ]
    return ReaderBoard(table, file.readers, file.unit, len(images), tuple(rows), len(table.disagreements))


def _images(dataset: Dataset, by_id: Mapping[str, Sample], file: ReadsFile) -> dict[str, tuple[str, ...]]:
    """Images that were read, by the unit that they are of."""
    samples = tuple(dict.fromkeys(read.sample for read in file.reads))
    found: dict[str, list[str]] = {}
    for sample, unit in zip(samples, names_of(dataset, [by_id[name] for name in samples], file.unit), strict=True):
        found.setdefault(unit, []).append(sample)
    return {unit: tuple(names) for unit, names in found.items()}


def _case(
    one: Disagreement, dataset: Dataset, files: Sources, images: Sequence[Sample], readers: Sequence[str]
) -> Case:
    first = images[0] if images else None
    negative = next(name for name in dataset.classes if name != dataset.positive)
    said = {**dict.fromkeys(one.positive, dataset.positive or ""), **dict.fromkeys(one.negative, negative)}
    decided = tuple(said.get(name, "") for name in readers)
    return Case(
        unit=one.unit, sample=first.id if first else "", n_images=len(images), reference=one.reference,
        probabilities=(None,) * len(readers), decided=decided,
        wrong=tuple(bool(word and one.reference and word != one.reference) for word in decided),
        gap=abs(len(one.positive) - len(one.negative)) / max(1, len(one.positive) + len(one.negative)),
        place=str(files.file(dataset, first)) if first and dataset.source else "",
        frame=first.frame if first else None,
    )  # fmt: skip


def roc_beside(
    workspace: Workspace,
    run_ids: Sequence[str],
    *,
    baselines: bool = False,
    reads: str = "",
    reference: str = DATASET,
    on_progress: OnProgress | None = None,
    keep: bool = True,
) -> ChartSpec:
    """ROC of opened runs with the cheap models as lines and readers as points; kept unless ``keep`` is off.

    Args:
        reads: id of reads of the same data; empty for none.
        reference: against what the readers are judged.

    Raises:
        SealError, UsageError, InputError, NotFound: as ``opened_tests``, ``shortcuts`` and ``reader_table``.
    """
    from medfm_gui.metrics.charts import roc_chart

    found = read_opened(workspace, opened_tests(workspace, run_ids), on_progress)
    named: list[Named] = [
        (run.name, run.view.spec.card.family.value, run.view.spec.adapt, run.units) for run in found.runs
    ]
    notes: list[str] = []
    if baselines:
        for one in shortcuts(workspace, run_ids, on_progress=on_progress, keep=keep).baselines:
            line = _line(workspace, found.dataset, one, found.runs[0].view.spec.recipe.counted)
            if line is not None:
                named.append(line)
        notes.append("Dashed grey: models on covariates alone and on 32-pixel thumbnails.")
    chart = roc_chart(named)
    series: tuple[Series, ...] = chart.series
    if reads and found.dataset.task is Task.BINARY:
        table = reader_table(workspace, reads, run_ids, reference=reference)
        points = tuple(one for one in table.chart.series if not one.joined)
        series += points
        numbers = sorted({row.n for row in table.evaluations if row.metric == "sensitivity"})
        notes += [f"Readers are points, on what they read; the curves are of all test images.{_of(numbers)}"]
    parts = (*(("baselines",) if baselines else ()), *((reads, reference) if reads else ()))
    chart = replace(
        chart, id="-".join(("roc", *parts)), series=series, note=" ".join(part for part in (chart.note, *notes) if part)
    )
    if keep and parts:
        workspace.store.put_chart(chart_owner(found.ids), chart)
    return chart


def _of(numbers: Sequence[int]) -> str:
    return f" n = {numbers[0]:,} to {numbers[-1]:,} with the event." if len(numbers) > 1 else ""


def _line(workspace: Workspace, dataset: Dataset, one: Baseline, unit: str) -> Named | None:
    """A cheap model as charts take a run; None where its scores were not kept."""
    if one.predictions is None:
        return None
    path = workspace.root / "predictions" / Path(one.predictions.path).parent.name / f"{TEST}.npz"
    if not path.exists():
        return None
    samples, scores = read_scores(path)
    return one.title, Family.BASELINE.value, BASELINE_STYLE, scored(dataset, samples, scores).by_unit(unit)

"""The whole main job on the embedded data: phantom → dataset → split → runs → test → comparison → study → PDF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import NotFound, WorkerFailed
from medfm_gui.domain.report import ReportFile
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.domain.split import Partition
from medfm_gui.workspace import data, evaluating, prediction, training
from medfm_gui.workspace.comparing import ComparisonOutcome, compare
from medfm_gui.workspace.models import model
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.prediction import PredictionFile, PredictRequest
from medfm_gui.workspace.reporting import write_report
from medfm_gui.workspace.training import RunView, TrainRequest

DATASET = "thorax-phantom"
BUNDLED = ("efficientnet-lite0", "efficientnet-lite1")
WHEN_PRESENT = ("dinov2-s",)
PATIENTS = 120
REASON = "demonstration on simulated patients"
_ALIKE = "The simulated patients have one anatomy in common, so that their images are alike by nature."

OnStep = Callable[[str, int, int], None]
OnEvents = Callable[[str, Sequence[ev.Event], RunState], None]


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """What the demonstration left behind."""

    runs: tuple[RunView, ...]
    comparison: ComparisonOutcome
    prediction: PredictionFile
    report: ReportFile


def default_folder() -> Path:
    """The demonstration's own workspace, apart from everybody's work."""
    import platformdirs

    return Path(platformdirs.user_data_dir("MedFM Studio", appauthor=False)) / "demo"


def run_demo(workspace: Workspace, *, on_step: OnStep, on_events: OnEvents | None = None) -> DemoOutcome:
    """Run the main job from start to end; a second call uses the phantom and the features of the first."""
    dataset_id = _dataset(workspace, on_step)
    if data.newest_split(workspace, dataset_id) is None:
        from medfm_gui.datasets.split import SplitRequest

        data.make_split(workspace, dataset_id, SplitRequest(ratios="60/15/25"), look=False, why_not=_ALIKE)
    names = (*BUNDLED, *(name for name in WHEN_PRESENT if _has_weights(workspace, name)))
    request = TrainRequest(dataset=dataset_id, models=names, adapts=("linear",))
    views = training.create_runs(workspace, request)
    on_step(f"Training {len(views)} models", 0, 0)
    views = training.run_to_end(workspace, [view.id for view in views], on_state=on_events)
    failed = [view for view in views if view.state.phase is not Phase.FINISHED]
    if failed:
        raise WorkerFailed(f"{failed[0].id} did not finish: {failed[0].state.message}", failed[0].state.hint)
    ids = [view.id for view in views]
    on_step("Opening the sealed test set", 0, 0)
    evaluating.evaluate(workspace, ids, reason=REASON)
    comparison = compare(workspace, ids)
    on_step("Reading one study with a heat map", 0, 0)
    request_one = PredictRequest(_unseen_study(workspace, dataset_id, views[0]), tuple(ids), "gradcam", dicom=("sc",))
    predicted = prediction.predict(workspace, request_one)
    on_step("Writing the report", 0, 0)
    return DemoOutcome(tuple(views), comparison, predicted, write_report(workspace, ids))


def _has_weights(workspace: Workspace, name: str) -> bool:
    try:
        return model(workspace.settings, name).weights.is_here
    except NotFound:
        return False


def _dataset(workspace: Workspace, on_step: OnStep) -> str:
    """The phantom as a dataset, made on first use."""
    if (workspace.root / "datasets" / DATASET / "manifest.json").exists():
        return DATASET
    from medfm_gui.datasets.ingest import ImportOptions
    from medfm_gui.imaging.phantom.write import write_phantom

    source = workspace.root / "demo-data"
    write_phantom(
        source, patients=PATIENTS, seed=0, on_progress=lambda done, total: on_step("Simulating patients", done, total)
    )
    options = ImportOptions(table=source / "labels.csv", labels=("nodule",), positive="nodule")
    dataset = data.import_dataset(
        workspace,
        "dicom",
        source / "radiographs",
        options,
        name="Thorax phantom",
        on_progress=lambda done, total: on_step("Importing radiographs", done, total),
    )
    return dataset.id


def _unseen_study(workspace: Workspace, dataset_id: str, view: RunView) -> Path:
    """A radiograph of the test partition with a nodule: no run has learnt from it."""
    dataset = data.read(workspace, dataset_id)
    (split,) = data.splits_of(workspace, view.spec.split_id)
    unseen = set(split.samples_in(Partition.TEST))
    sample = next(item for item in dataset.samples if item.id in unseen and item.target[0] == dataset.positive_index)
    return Path(dataset.source) / sample.path

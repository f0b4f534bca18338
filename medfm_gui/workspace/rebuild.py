"""The database again, from the workspace's files alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings, load_settings
from medfm_gui.domain.errors import WorkspaceBusy
from medfm_gui.domain.report import Report, ReportFile
from medfm_gui.domain.run import Phase
from medfm_gui.workspace import comparing, data, evaluating, journal, prediction, studies, training
from medfm_gui.workspace.comparing import ComparisonFile
from medfm_gui.workspace.place import Workspace, check_format, open_workspace

_PARTS = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How much was indexed again, and where the old database went."""

    datasets: int
    splits: int
    runs: int
    evaluations: int
    studies: int
    predictions: int
    reports: int
    previous: str


def rebuild(root: Path, *, settings: Settings | None = None) -> Rebuilt:
    """Set the database aside and make it again from the files.

    Raises:
        WorkspaceBusy: a run is at work and writes to the database.
        InputError: a file of the workspace is damaged; it is named, and the former database is in place again.
        NewerWorkspace: the files were written by a newer version; nothing is touched.
    """
    check_format(root)
    _refuse_while_runs_write(root)
    previous = _set_aside(root)
    try:
        return replace(_index_all(root, settings or load_settings()), previous=previous)
    except BaseException:
        _put_back(root, previous)
        raise


def _index_all(root: Path, settings: Settings) -> Rebuilt:
    with open_workspace(root, settings=settings) as workspace:
        rebuilt = Rebuilt(
            datasets=_datasets(workspace),
            splits=_splits(workspace),
            runs=_runs(workspace),
            evaluations=_evaluations(workspace),
            studies=_studies(workspace),
            predictions=_predictions(workspace),
            reports=_reports(workspace),
            previous="",
        )
        for entry in journal.entries(workspace.root):
            workspace.store.journal(entry.at, entry.what, entry.subject, dict(entry.details))
        workspace.store.flush()
    return rebuilt


def _refuse_while_runs_write(root: Path) -> None:
    from medfm_gui.jobs.owner import alive, read_owner

    for spec in sorted((root / "runs").glob("*/spec.json")):
        owner = read_owner(spec.parent)
        if owner is not None and alive(owner):
            raise WorkspaceBusy(
                f"The run {spec.parent.name} is at work and writes to the database.",
                "Wait for it, or stop it with “medfm pause” or “medfm cancel”, and rebuild then.",
            )


def _set_aside(root: Path) -> str:
    database = root / "medfm.sqlite"
    if not database.exists():
        return ""
    number = 1
    while (aside := root / f"medfm.sqlite.old{number}").exists():
        number += 1
    _rename(database, aside)
    return str(aside)


def _put_back(root: Path, previous: str) -> None:
    """An index that is only half made would pass for a whole one: what was there before is better."""
    database = root / "medfm.sqlite"
    for suffix in _PARTS:
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    if previous:
        _rename(Path(previous), database)


def _rename(database: Path, name: Path) -> None:
    for suffix in _PARTS:
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.rename(name.with_name(name.name + suffix))


def _datasets(workspace: Workspace) -> int:
    found = data.every_dataset(workspace)
    for dataset in found:
        workspace.store.put_dataset(dataset, str(workspace.dataset(dataset.id)))
    return len(found)


def _splits(workspace: Workspace) -> int:
    from medfm_gui.datasets.files import read_split

    paths = sorted((workspace.root / "splits").glob("*.json"))
    for path in paths:
        workspace.store.put_split(read_split(path), str(path))
    return len(paths)


def _runs(workspace: Workspace) -> int:
    from medfm_gui.jobs.follow import read_all

    views = training.every_run(workspace)
    for view in views:
        workspace.store.put_run(view.spec, str(view.folder))
        workspace.store.record_events(view.id, read_all(view.folder), view.state)
        if view.state.phase is Phase.FINISHED:
            training.index_predictions(workspace, view, "val")
    return len(views)


def _evaluations(workspace: Workspace) -> int:
    files = evaluating.every_opening(workspace)
    for file in files:
        spec = training.spec_of(workspace.run(file.run))
        evaluating.index(workspace, file, data.read(workspace, spec.dataset_id))
    for path in sorted((workspace.root / "evaluations").glob("compare-*.json")):
        comparing.index_again(workspace, wire.read(ComparisonFile, path))
    return len(files)


def _studies(workspace: Workspace) -> int:
    found = studies.every_study(workspace)
    for study in found:
        workspace.store.put_study(study, str(studies.study_folder(workspace, study.uid)))
    return len(found)


def _predictions(workspace: Workspace) -> int:
    files = prediction.every_prediction(workspace)
    for file in files:
        prediction.index(workspace, file)
    return len(files)


def _reports(workspace: Workspace) -> int:
    folders = sorted((workspace.root / "reports").glob("report*/file.json"))
    for path in folders:
        report = wire.read(Report, path.parent / "report.json")
        file = wire.read(ReportFile, path)
        runs = [item.strip() for item in report_runs(report)]
        workspace.store.put_report(path.parent.name, report.title, report.created, file, runs)
    return len(folders)


def report_runs(report: Report) -> list[str]:
    """The run ids that a report speaks of, in its order."""
    prefix, suffix = "predictions-", ".csv"
    names = [item.name for item in report.attachments]
    return [name[len(prefix) : -len(suffix)] for name in names if name.startswith(prefix) and name.endswith(suffix)]

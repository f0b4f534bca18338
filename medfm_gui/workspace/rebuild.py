"""The database again, from the workspace's files alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings, load_settings
from medfm_gui.domain.errors import InputError, WorkspaceBusy
from medfm_gui.domain.report import Report, ReportFile
from medfm_gui.domain.run import Phase
from medfm_gui.workspace import comparing, data, evaluating, journal, prediction, studies, training
from medfm_gui.workspace.comparing import ComparisonFile
from medfm_gui.workspace.crossvalidation import CrossValidation
from medfm_gui.workspace.elsewhere import ExternalTest
from medfm_gui.workspace.fold_store import index_folds
from medfm_gui.workspace.place import DATABASE, Workspace, check_format, open_workspace

T = TypeVar("T")
Tell = Callable[[str, int, int], None]

_PARTS = ("", "-wal", "-shm")
_FRESH = f"{DATABASE}.new"
_TAKE_AWAY = (
    "Nothing was changed. Take that file from a backup, or move it out of the workspace (the run's numbers and the "
    "opening of its test stay), and rebuild again."
)


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


def _tell_nobody(doing: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def rebuild(root: Path, *, settings: Settings | None = None, on_progress: Tell = _tell_nobody) -> Rebuilt:
    """Make the database again from the files beside the present one, then set that aside and take its place.

    Args:
        on_progress: told what is read, how many of them are done, and of how many; may raise to give up.

    Raises:
        WorkspaceBusy: a run is at work and writes to the database.
        InputError: a file of the workspace is damaged; it is named, and the present database stays.
        NewerWorkspace: the files were written by a newer version; nothing is touched.
    """
    check_format(root)
    _refuse_while_runs_write(root)
    fresh = root / _FRESH
    _remove(fresh)  # of one that was killed
    try:
        made = _index_all(root, settings or load_settings(), on_progress)
        _refuse_while_runs_write(root)  # one that began meanwhile wrote into the other
    except BaseException:
        _remove(fresh)  # an index that is only half made would pass for a whole one
        raise
    previous = _set_aside(root)
    fresh.rename(root / DATABASE)
    return replace(made, previous=previous)


def _index_all(root: Path, settings: Settings, tell: Tell) -> Rebuilt:
    with open_workspace(root, settings=settings, database=_FRESH) as workspace:
        rebuilt = Rebuilt(
            datasets=_datasets(workspace, tell),
            splits=_splits(workspace, tell),
            runs=_runs(workspace, tell),
            evaluations=_evaluations(workspace, tell),
            studies=_studies(workspace, tell),
            predictions=_predictions(workspace, tell),
            reports=_reports(workspace, tell),
            previous="",
        )
        _journal(workspace, tell)
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
    database = root / DATABASE
    if not database.exists():
        return ""
    number = 1
    while (aside := root / f"{DATABASE}.old{number}").exists():
        number += 1
    for suffix in _PARTS:
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return str(aside)


def _remove(database: Path) -> None:
    for suffix in _PARTS:
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _datasets(workspace: Workspace, tell: Tell) -> int:
    found = data.every_dataset(workspace)
    for dataset in _told(found, "Reading datasets", tell):
        workspace.store.put_dataset(dataset, str(workspace.dataset(dataset.id)))
    return len(found)


def _splits(workspace: Workspace, tell: Tell) -> int:
    from medfm_gui.datasets.files import read_split

    paths = sorted((workspace.root / "splits").glob("*.json"))
    for path in _told(paths, "Reading splits", tell):
        workspace.store.put_split(read_split(path), str(path))
    return len(paths)


def _runs(workspace: Workspace, tell: Tell) -> int:
    from medfm_gui.jobs.follow import read_all

    views = training.every_run(workspace)
    for view in _told(views, "Reading runs", tell):
        workspace.store.put_run(view.spec, str(view.folder))
        workspace.store.record_events(view.id, read_all(view.folder), view.state)
        if view.state.phase is Phase.FINISHED:
            training.index_predictions(workspace, view, "val")
    return len(views)


def _evaluations(workspace: Workspace, tell: Tell) -> int:
    files = evaluating.every_opening(workspace)
    for file in _told(files, "Reading evaluations", tell):
        spec = training.spec_of(workspace.run(file.run))
        try:
            evaluating.index(workspace, file, data.read(workspace, spec.dataset_id))
        except InputError as error:
            raise InputError(error.message, _TAKE_AWAY) from error
    for path in _told(sorted((workspace.root / "evaluations").glob("compare-*.json")), "Comparing runs", tell):
        compared = wire.read(ComparisonFile, path)
        if all(evaluating.test_predictions(workspace, run).exists() for run in compared.runs):
            comparing.index_again(workspace, compared)
    for path in _told(sorted((workspace.root / "evaluations").glob("folds-*.json")), "Reading folds", tell):
        index_folds(workspace, wire.read(CrossValidation, path))
    for path in sorted((workspace.root / "evaluations").glob("*-on-*.json")):
        workspace.store.put_evaluations(wire.read(ExternalTest, path).evaluations)
    return len(files)


def _studies(workspace: Workspace, tell: Tell) -> int:
    found = studies.every_study(workspace)
    for study in _told(found, "Reading studies", tell):
        workspace.store.put_study(study, str(studies.study_folder(workspace, study.uid)))
    return len(found)


def _predictions(workspace: Workspace, tell: Tell) -> int:
    files = prediction.every_prediction(workspace)
    for file in _told(files, "Reading predictions", tell):
        prediction.index(workspace, file)
    return len(files)


def _reports(workspace: Workspace, tell: Tell) -> int:
    folders = sorted((workspace.root / "reports").glob("report*/file.json"))
    for path in _told(folders, "Reading reports", tell):
        report = wire.read(Report, path.parent / "report.json")
        file = wire.read(ReportFile, path)
        runs = file.runs or _attached_runs(workspace, report)
        workspace.store.put_report(path.parent.name, report.title, report.created, file, runs)
    return len(folders)


def _journal(workspace: Workspace, tell: Tell) -> None:
    for entry in _told(journal.entries(workspace.root), "Reading the journal", tell):
        workspace.store.journal(entry.at, entry.what, entry.subject, dict(entry.details))


def _told(items: Sequence[T], words: str, tell: Tell) -> Iterator[T]:
    """The items, with a word of each before it is worked on."""
    for number, item in enumerate(items):
        tell(words, number, len(items))
        yield item


def _attached_runs(workspace: Workspace, report: Report) -> list[str]:
    """The runs whose predictions travel in a report that does not name its runs otherwise."""
    prefix, suffix = "predictions-", ".csv"
    names = [item.name for item in report.attachments if item.name.startswith(prefix) and item.name.endswith(suffix)]
    known = {path.name for path in (workspace.root / "runs").iterdir()}
    return [run for name in names if (run := name[len(prefix) : -len(suffix)]) in known]

"""Home: this workspace at a glance, recent workspaces, this computer, the demonstration."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medfm_gui.base import wire
from medfm_gui.base.settings import load_settings, network_allowed, weights_folder
from medfm_gui.desk.asks.home import (
    DemoMade,
    Examination,
    Examine,
    FindPlaces,
    LastExamination,
    LookAround,
    Overview,
    Place,
    PlaceList,
    RunDemo,
)
from medfm_gui.desk.asks.runs import ListRuns, RunItem
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.cards import WeightsState
from medfm_gui.domain.errors import InputError, Interrupted, MedfmError, NotFound, UsageError
from medfm_gui.domain.run import Phase, RunState

if TYPE_CHECKING:
    from medfm_gui.domain.events import Event
    from medfm_gui.store.rows import DatasetRow

_SAID_APART_S = 0.06


def look_around(room: Room, ask: LookAround, told: Told) -> Overview:
    """Counts and the newest things, from the database; runs as their folders tell."""
    from medfm_gui.desk.answers.runs import list_runs
    from medfm_gui.store import queries
    from medfm_gui.workspace.demo import default_folder

    with room.workspace.store.reading() as reader:
        datasets = queries.datasets(reader)
        splits = queries.splits(reader)
        studies = queries.studies(reader)
        predictions = queries.study_predictions(reader)
        reports = queries.reports(reader)
        journal = queries.journal(reader, limit=ask.lines)
    runs = list_runs(room, ListRuns(), told).runs
    phases = Counter(item.row.state.phase for item in runs)
    split_datasets = {row.dataset for row in splits}
    trained = {item.row.dataset for item in runs}
    demo = default_folder()
    return Overview(
        root=str(room.workspace.root),
        is_demo=room.workspace.root == demo,
        demo_folder=str(demo),
        datasets=len(datasets),
        images=sum(row.n_samples for row in datasets),
        patients=_patients(datasets),
        splits=len({row.family or row.id for row in splits}),
        unsplit=tuple(row.id for row in datasets if row.id not in split_datasets),
        untrained=tuple(row.id for row in datasets if row.id not in trained),
        runs_running=phases[Phase.RUNNING],
        runs_queued=phases[Phase.QUEUED] + phases[Phase.PAUSED],
        runs_finished=phases[Phase.FINISHED],
        runs_failed=phases[Phase.FAILED],
        runs_cancelled=phases[Phase.CANCELLED],
        unopened=sum(item.row.state.phase is Phase.FINISHED and not item.is_opened for item in runs),
        newest_runs=_newest_together(runs),
        studies=len(studies),
        predictions=len({row.prediction for row in predictions}),
        study=next((row.study for row in reversed(predictions) if row.study), ""),
        reports=len(reports),
        journal=tuple(reversed(journal)),
    )


def _patients(datasets: Sequence[DatasetRow]) -> int:
    return sum(row.n_patients or 0 for row in datasets)


def _newest_together(runs: Sequence[RunItem]) -> tuple[str, ...]:
    """The newest finished runs of one dataset, one a model and adaptation: what one would compare next."""
    finished = [item.row for item in runs if item.row.state.phase is Phase.FINISHED]
    if not finished:
        return ()
    newest: dict[tuple[str, str, int | None], str] = {}
    for row in reversed(finished):
        if row.dataset == finished[-1].dataset:
            newest.setdefault((row.model, row.adapt, row.fold), row.id)
    return tuple(reversed(newest.values()))


def find_places(room: Room, ask: FindPlaces, told: Told) -> PlaceList:
    """Look at each folder; one that may not be looked at counts as gone."""
    return PlaceList(tuple(Place(path, _state(Path(path))) for path in ask.paths))


def _state(folder: Path) -> str:
    from medfm_gui.workspace.place import check_format

    try:
        if (folder / "workspace.json").is_file():
            check_format(folder)
            return "workspace"
        if not folder.is_dir():
            return "gone"
        return "other" if any(folder.iterdir()) else "empty"
    except MedfmError:
        return "other"
    except (OSError, ValueError):
        return "gone"


def last_examination(room: Room, ask: LastExamination, told: Told) -> Examination:
    """What was kept."""
    return examination(room)


def examination(room: Room) -> Examination:
    """The kept examination, when it is of this computer; network and weights as they are now."""
    try:
        kept = wire.read(Examination, _examination_file(room))
    except (NotFound, InputError, OSError):
        kept = Examination()
    if kept.computer != platform.node():  # the workspace is on a disk that several computers share
        kept = Examination()
    return _with_weights(kept)


def examine(room: Room, ask: Examine, told: Told) -> Examination:
    """Ask the tensor side through a worker, and keep what it said for the next start."""
    from medfm_gui.workspace import doctor
    from medfm_gui.workspace.place import now

    told.progress("Looking for devices")
    seen = Examination(now(), platform.node(), doctor.examine(load_settings(), room.workspace.root))
    if not room.is_read_only:
        with contextlib.suppress(MedfmError, OSError):  # it is shown all the same
            _examination_file(room).parent.mkdir(exist_ok=True)
            wire.write(_examination_file(room), seen)
    return _with_weights(seen)


def _examination_file(room: Room) -> Path:
    return room.workspace.root / "logs" / "computer.json"


def _with_weights(seen: Examination) -> Examination:
    from medfm_gui.workspace.models import every_model

    settings = load_settings()
    models, _ = every_model(settings)
    present = sum(one.weights.state is not WeightsState.ABSENT for one in models)
    diagnosis = seen.diagnosis
    if diagnosis is not None:
        network = "on" if network_allowed(settings) else "off"
        diagnosis = replace(diagnosis, network=network, weights_dir=str(weights_folder(settings)))
    return replace(seen, diagnosis=diagnosis, weights_present=present, weights_total=len(models))


def run_demo(room: Room, ask: RunDemo, told: Told) -> DemoMade:
    """Run it, telling each step; a cancel stops at the next step and ends the runs that are under way.

    Raises:
        UsageError: this is not the demonstration's own workspace.
        Interrupted: it was cancelled; a second call goes on with the data that are there.
    """
    from medfm_gui.workspace import demo

    if room.workspace.root != demo.default_folder():
        raise UsageError(
            "The demonstration runs in a workspace of its own, so that your data stay apart.",
            "Open the demonstration from Home.",
        )
    watch = _DemoWatch(room, told)
    try:
        made = demo.run_demo(room.workspace, on_step=watch.step, on_events=watch.events)
    except MedfmError as error:
        if told.stopped.is_set():
            raise Interrupted(
                "The demonstration was cancelled.", "Start it again: it goes on with the data that are there."
            ) from error
        raise
    return DemoMade(
        runs=tuple(view.id for view in made.runs),
        study=next((item.study for item in made.prediction.predictions if item.study), ""),
        report_pages=made.report.pages,
        sentence=made.comparison.file.sentence,
    )


class _DemoWatch:
    """What the demonstration tells of itself, on its way to the window."""

    def __init__(self, room: Room, told: Told) -> None:
        self._room = room
        self._told = told
        self._step = ""

    def step(self, name: str, done: int, total: int) -> None:
        if name != self._step:
            self._step = name
            time.sleep(_SAID_APART_S)  # progress is thinned out in time; the name of a step must not be lost
        self._told.progress(name, done, total)

    def events(self, run: str, events: Sequence[Event], state: RunState) -> None:
        """News of a run. Nothing is raised here: a supervisor would take it for a failure of its own."""
        if self._told.stopped.is_set():
            self._cancel_runs()
            return
        with contextlib.suppress(Interrupted):
            self._told.progress(f"{self._step}: {run}", state.done, state.total, state.seconds_left)

    def _cancel_runs(self) -> None:
        from medfm_gui.jobs.owner import read_owner
        from medfm_gui.workspace import training

        for folder in sorted((self._room.workspace.root / "runs").iterdir()):
            owner = read_owner(folder)
            if owner is not None and owner.pid == os.getpid():
                with contextlib.suppress(MedfmError):  # it ended at this moment
                    training.cancel(self._room.workspace, folder.name)


_EVERYTHING = (
    Topic.DATASETS,
    Topic.SPLITS,
    Topic.RUNS,
    Topic.STUDIES,
    Topic.PREDICTIONS,
    Topic.RESULTS,
    Topic.REPORTS,
)

ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    LookAround: Entry(look_around),
    FindPlaces: Entry(find_places, Lane.INDEX),
    LastExamination: Entry(last_examination),
    Examine: Entry(examine, Lane.WORK),
    RunDemo: Entry(run_demo, Lane.WORK, changes=_EVERYTHING, writes=True),
}

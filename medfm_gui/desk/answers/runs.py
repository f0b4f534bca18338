"""Runs: the list, one run's facts, and what can be asked of runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medfm_gui.base.plugins import read_plugins
from medfm_gui.desk.answers.scoring import scoring
from medfm_gui.desk.asks.runs import (
    CancelRuns,
    CheckResumable,
    Exported,
    ExportPredictions,
    ListRuns,
    LogText,
    LookAtSeal,
    MeasureRun,
    OpenTest,
    PauseRuns,
    Refused,
    RetryRuns,
    RunDetails,
    RunFacts,
    RunItem,
    RunList,
    RunLog,
    RunsAsked,
    RunUse,
    SealFacts,
    TestFacts,
    TestOpened,
)
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.portable import imported_from
from medfm_gui.domain.run import EXTERNAL, Phase, run_name
from medfm_gui.domain.threshold import RuleOrigin
from medfm_gui.store.rows import RunRow

_ENDED = (Phase.FINISHED, Phase.CANCELLED, Phase.PAUSED, Phase.FAILED)
_TEST = "test"


def list_runs(room: Room, ask: ListRuns, told: Told) -> RunList:
    """Rows of the database; a run that is not over is looked up in its folder, for its supervisor may have died."""
    return RunList(_items(room, ask.runs, ask.dataset))


def _items(room: Room, only: Sequence[str] = (), dataset: str = "") -> tuple[RunItem, ...]:
    from medfm_gui.store import queries
    from medfm_gui.workspace.evaluating import evaluation_path

    with room.workspace.store.reading() as reader:
        rows = queries.runs(reader, dataset_id=dataset or None)
        names = {one.id: one.name for one in queries.datasets(reader)}
    titles = titles_of(rows)
    items = []
    for row in rows:
        if only and row.id not in only:
            continue
        now, supervised = _as_it_stands(row)
        opened = now.state.phase is Phase.FINISHED and evaluation_path(room.workspace, row.id).exists()
        title, model = run_title(row, titles), titles.get(row.model, row.model)
        file = imported_from(now.state.facts)
        dataset_name = names.get(row.dataset, row.dataset) or (f"imported ({file})" if file else "")
        items.append(RunItem(now, title, opened, supervised, model, dataset_name))
    return tuple(items)


def _as_it_stands(row: RunRow) -> tuple[RunRow, bool]:
    if row.state.phase in (Phase.FINISHED, Phase.CANCELLED):
        return row, False
    from medfm_gui.jobs.follow import state_of
    from medfm_gui.jobs.owner import alive, read_owner

    folder = Path(row.folder)
    owner = read_owner(folder)
    if owner is None and row.state.phase in _ENDED:
        return row, False  # its supervisor wrote the last word into the row before it left
    state = replace(state_of(folder), curve=())
    return replace(row, state=state), owner is not None and alive(owner)


def model_titles() -> dict[str, str]:
    """What people call each model, by its registry name."""
    return {card.name: card.title for card in read_plugins().cards}


def titles_of(rows: Iterable[RunRow]) -> dict[str, str]:
    """What people call the models of these runs; other systems by the name that they were imported with."""
    from medfm_gui.workspace.training import spec_of

    found = model_titles()
    for row in rows:
        if row.adapt == EXTERNAL and row.model not in found:
            with contextlib.suppress(MedfmError):  # its order cannot be read: then its id has to do
                found[row.model] = spec_of(Path(row.folder)).card.title
    return found


def run_title(row: RunRow, titles: Mapping[str, str]) -> str:
    """Model, adaptation, and whatever else sets the run apart; without its id. ``titles``: of models by name."""
    model = titles.get(row.model, row.model)
    return run_name(model, row.adapt, from_scratch=row.from_scratch, fold=row.fold, seed=row.seed, shots=row.shots)


def run_details(room: Room, ask: RunDetails, told: Told) -> RunFacts:
    """Rows of the database, the head of the events and the small files beside them."""
    from medfm_gui.store import queries
    from medfm_gui.workspace.evaluating import operating_point
    from medfm_gui.workspace.monitoring import first_start

    folder = room.workspace.run(ask.run)
    item = next(iter(_items(room, (ask.run,))), None)
    with room.workspace.store.reading() as reader:
        if item is None:
            queries.run(reader, ask.run)  # says by name that it is not there
            raise Interrupted(f"The run {ask.run} went away.", "Look again.")
        curve = queries.curve(reader, ask.run)
        split = next((one for one in queries.splits(reader, item.row.dataset) if one.id == item.row.split), None)
    start = first_start(folder)
    return RunFacts(
        item=item,
        curve=curve,
        started=start.at if start else None,
        versions=start.versions if start else {},
        sizes=split.sizes if split else {},
        split_rule=split.rule if split else "",
        n_leaks=split.n_leaks if split else 0,
        point=operating_point(folder),
        test=_test_facts(room, ask.run) if item.is_opened else None,
        predictions=_exportable(folder, is_opened=item.is_opened),
        threshold_from=_threshold_from(folder),
    )


def _threshold_from(folder: Path) -> RuleOrigin:
    from medfm_gui.workspace.training import spec_of

    try:
        return spec_of(folder).threshold_from
    except MedfmError:  # its order cannot be read; what the database knows is shown
        return RuleOrigin.UNKNOWN


def _test_facts(room: Room, run: str) -> TestFacts | None:
    from medfm_gui.store import queries

    with room.workspace.store.reading() as reader:
        rows = queries.evaluations(reader, [run], _TEST)
        looks = queries.openings(reader, run_id=run)
        sets = {row.sample_set for row in rows}
        count = sum(len(queries.openings(reader, sample_set=name)) for name in sets)
    if not looks:
        return None
    return TestFacts(rows, looks[0].at, looks[0].reason, count)


def _exportable(folder: Path, *, is_opened: bool) -> tuple[str, ...]:
    sides = [side for side in ("val", "cal") if (folder / "predictions" / f"{side}.npz").exists()]
    return (*((_TEST,) if is_opened else ()), *sides)


def run_log(room: Room, ask: RunLog, told: Told) -> LogText:
    """The end of ``log.txt``."""
    from medfm_gui.workspace.monitoring import end_of_log

    return LogText(ask.run, *end_of_log(room.workspace.run(ask.run), ask.tail))


def measure_run(room: Room, ask: MeasureRun, told: Told) -> RunUse:
    """What the system says of its worker."""
    from medfm_gui.workspace.monitoring import use_of

    use = use_of(room.workspace.run(ask.run))
    if use is None:
        return RunUse(ask.run)
    return RunUse(ask.run, use.memory_bytes, use.peak_bytes, use.cores, use.gpu_bytes, use.gpu_percent)


def pause_runs(room: Room, ask: PauseRuns, told: Told) -> RunsAsked:
    """A request in each run's folder."""
    from medfm_gui.workspace.training import pause

    return _each(room, ask.runs, lambda run: pause(room.workspace, run).id)


def cancel_runs(room: Room, ask: CancelRuns, told: Told) -> RunsAsked:
    """A request in each run's folder; of one that nobody looks after it is written down at once."""
    from medfm_gui.workspace.training import cancel

    return _each(room, ask.runs, lambda run: cancel(room.workspace, run).id)


def check_resumable(room: Room, ask: CheckResumable, told: Told) -> RunsAsked:
    """By their files alone."""
    from medfm_gui.workspace.training import check_resumable as check

    return _each(room, ask.runs, lambda run: check(room.workspace, run).id)


def retry_runs(room: Room, ask: RetryRuns, told: Told) -> RunsAsked:
    """New folders and rows."""
    from medfm_gui.workspace.monitoring import repeat_run

    return _each(room, ask.runs, lambda run: repeat_run(room.workspace, run).id)


def _each(room: Room, runs: Sequence[str], do: Callable[[str], str]) -> RunsAsked:
    """Do something for each run; one that refuses does not keep it from the others."""
    done: list[str] = []
    refused: list[Refused] = []
    for run in runs:
        try:
            done.append(do(run))
        except MedfmError as error:
            refused.append(Refused(run, error.message, error.hint))
    return RunsAsked(_items(room, (*runs, *done)), tuple(done), tuple(refused))


def look_at_seal(room: Room, ask: LookAtSeal, told: Told) -> SealFacts:
    """The split's test images, and who opened the same ones before."""
    from medfm_gui.workspace.monitoring import seal

    found = seal(room.workspace, ask.runs)
    return SealFacts(found.sealed, found.images, found.earlier)


def open_test(room: Room, ask: OpenTest, told: Told) -> TestOpened:
    """One run after another; a run that fails is named and the others are opened."""
    from medfm_gui.workspace.evaluating import evaluate

    opened: list[str] = []
    refused: list[Refused] = []
    openings = 0
    for number, run in enumerate(ask.runs, start=1):
        told.progress(f"{run} ({number} of {len(ask.runs)}): the worker is starting")
        try:
            outcome = evaluate(
                room.workspace,
                [run],
                reason=ask.reason,
                on_event=scoring(told, f"{run} ({number} of {len(ask.runs)}): scoring test images"),
                stop=told.stopped,
            )
        except MedfmError as error:
            told.check()
            refused.append(Refused(run, error.message, error.hint))
            continue
        opened.append(run)
        openings = max(openings, outcome.test_openings)
    return TestOpened(tuple(opened), tuple(refused), openings)


def export_predictions(room: Room, ask: ExportPredictions, told: Told) -> Exported:
    """A CSV file where the person wants it."""
    from medfm_gui.workspace.export import export_predictions as export

    path, rows = export(room.workspace, ask.run, ask.subset, Path(ask.path), both_scales=True)
    return Exported(str(path), rows)


_CHANGED = (Topic.RUNS,)

ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ListRuns: Entry(list_runs),
    RunDetails: Entry(run_details),
    RunLog: Entry(run_log),
    MeasureRun: Entry(measure_run, Lane.INDEX),
    PauseRuns: Entry(pause_runs, changes=_CHANGED, writes=True),
    CancelRuns: Entry(cancel_runs, changes=_CHANGED, writes=True),
    CheckResumable: Entry(check_resumable),
    RetryRuns: Entry(retry_runs, Lane.INDEX, changes=_CHANGED, writes=True),
    LookAtSeal: Entry(look_at_seal, Lane.INDEX),
    OpenTest: Entry(open_test, Lane.WORK, changes=(Topic.RUNS, Topic.RESULTS), writes=True),
    ExportPredictions: Entry(export_predictions, Lane.WORK),
}

"""Questions about runs: what the list says of each state, what can be asked, and that a refusal spares the others."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.desk.answers.runs import ENTRIES
from medfm_gui.desk.asks import runs as asks
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import Interrupted, NotFound, SealError
from medfm_gui.domain.run import Phase, fold
from medfm_gui.domain.threshold import RuleOrigin
from medfm_gui.jobs import owner
from medfm_gui.workspace import data, evaluating, monitoring, training
from medfm_gui.workspace.place import Workspace, open_workspace

MODEL = "efficientnet-lite0"  # its weights come with a package


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("runs")
    noise = np.random.default_rng(3)
    for side in ("benign", "malignant"):
        (folder / "images" / side).mkdir(parents=True)
        for number in range(12):
            pixels = noise.integers(0, 255, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / side / f"{number}.png")
    with open_workspace(folder / "ws", settings=Settings()) as workspace:
        data.import_dataset(workspace, "folder", folder / "images", ImportOptions(), name="Noise <b>")
        data.make_split(workspace, "noise-b", SplitRequest())
        yield workspace


@pytest.fixture
def room(workspace: Workspace) -> Iterator[Room]:
    with Room(workspace) as room:
        yield room


@pytest.fixture
def make(workspace: Workspace) -> Callable[..., str]:
    """Makes a run and lets it have said these events."""

    def make(*events: ev.Event, adapt: str = "linear") -> str:
        request = training.TrainRequest("noise-b", (MODEL,), (adapt,), settings={"epochs": "3"})
        view = training.create_runs(workspace, request)[0]
        if events:
            (view.folder / "events.jsonl").write_bytes(b"".join(map(wire.encode_event, events)))
            workspace.store.record_events(view.id, events, fold(view.state, events))
        return view.id

    return make


def answered(room: Room, ask: Ask[Any], say: Callable[[str, Any], None] = lambda kind, value: None) -> Any:
    return ENTRIES[type(ask)].answer(room, ask, Told(say))


def point(epoch: int) -> ev.EpochFinished:
    return ev.EpochFinished(float(epoch), epoch, 3, {"auc": 0.5 + epoch / 10, "val_loss": 0.6}, 1.0, best=True)


def finished() -> tuple[ev.Event, ...]:
    started = ev.RunStarted(5.0, "cpu", {"torch": "2.14.1"}, 1.5, 1)
    return (ev.Beat(4.0), started, point(1), point(2), ev.RunFinished(9.0, {"auc": 0.7}, 3.0, 12.0, 77))


def test_the_list_names_model_and_dataset_and_tells_each_state(room: Room, make: Callable[..., str]) -> None:
    done, waiting = make(*finished()), make()
    failed = make(ev.RunStarted(1.0, "cpu"), ev.RunFailed(2.0, "out_of_memory", "No memory.", "Use less.", False))
    died = make(ev.RunStarted(1.0, "cpu"), point(1))
    items = {item.row.id: item for item in answered(room, asks.ListRuns(runs=(done, waiting, failed, died))).runs}
    assert list(items) == [done, waiting, failed, died]
    assert items[done].dataset == "Noise <b>" and items[done].model == "EfficientNet-Lite0"
    assert items[done].row.state.phase is Phase.FINISHED and not items[done].is_opened
    assert items[waiting].row.state.phase is Phase.QUEUED and not items[waiting].is_supervised
    assert items[failed].row.state.error_kind == "out_of_memory" and not items[failed].row.state.resumable
    assert items[died].row.state.error_kind == "interrupted", "nobody looks after it, so it is not running"
    assert not items[died].row.state.curve


def test_a_run_in_somebodys_hands_is_supervised(room: Room, make: Callable[..., str], workspace: Workspace) -> None:
    run = make(ev.RunStarted(1.0, "cpu"), point(1))
    owner.claim(workspace.run(run))
    item = answered(room, asks.ListRuns(runs=(run,))).runs[0]
    assert item.is_supervised and item.row.state.phase is Phase.QUEUED, "its worker is not up yet"
    owner.disown(workspace.run(run))


def test_details_hold_curve_split_and_what_can_be_exported(
    room: Room, make: Callable[..., str], workspace: Workspace
) -> None:
    run = make(*finished())
    (workspace.run(run) / "predictions").mkdir()
    (workspace.run(run) / "predictions" / "val.npz").touch()
    facts = answered(room, asks.RunDetails(run))
    assert [one.epoch for one in facts.curve] == [1, 2] and facts.started == 5.0
    assert facts.versions == {"torch": "2.14.1"} and facts.sizes["test"] == 4
    assert facts.test is None and facts.predictions == ("val",)
    assert facts.threshold_from is RuleOrigin.DEFAULT
    with pytest.raises(NotFound):
        answered(room, asks.RunDetails("r9999"))


def test_the_end_of_a_log_is_bounded(room: Room, make: Callable[..., str], workspace: Workspace) -> None:
    run = make()
    assert answered(room, asks.RunLog(run)) == asks.LogText(run, "", is_cut=False)
    lines = [f"line {number}" for number in range(40_000)]
    (workspace.run(run) / "log.txt").write_text("\n".join([*lines, "\xff" + "x" * 9000]), encoding="latin-1")
    log = answered(room, asks.RunLog(run, tail=3))
    assert log.is_cut and log.text.splitlines()[:2] == ["line 39998", "line 39999"]
    assert len(log.text.splitlines()[2]) <= 2001


def test_a_worker_is_measured_while_it_lives(room: Room, make: Callable[..., str], workspace: Workspace) -> None:
    run = make()
    assert answered(room, asks.MeasureRun(run)) == asks.RunUse(run)
    mine = owner.claim(workspace.run(run))
    owner.note(workspace.run(run), mine, waits_for="", worker=owner.myself())
    use = answered(room, asks.MeasureRun(run))
    owner.disown(workspace.run(run))
    assert use.memory_bytes is None or 1_000_000 < use.memory_bytes <= use.peak_bytes


def test_gpu_figures_are_those_of_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\ncase $1 in *compute*) echo '7, 100, GPU-a'; echo '42, 2048, GPU-b';;"
        " *) echo 'GPU-a, 3'; echo 'GPU-b, 91';; esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert monitoring._of_gpu(42) == (2048 * 1024 * 1024, 91.0)
    assert monitoring._of_gpu(43) == (None, None)
    program.write_text("#!/bin/sh\nexit 9\n")
    assert monitoring._of_gpu(42) == (None, None)


def test_one_refusal_does_not_keep_the_others(room: Room, make: Callable[..., str]) -> None:
    waiting, done = make(), make(*finished())
    answer = answered(room, asks.CancelRuns((done, waiting, "r9999")))
    assert answer.done == (waiting,)
    assert [one.run for one in answer.refused] == [done, "r9999"] and all(one.message for one in answer.refused)
    assert {item.row.id: item.row.state.phase for item in answer.runs}[waiting] is Phase.CANCELLED


def test_only_what_can_go_on_is_resumable(room: Room, make: Callable[..., str]) -> None:
    paused = make(ev.RunStarted(1.0, "cpu"), ev.RunPaused(2.0, 0))
    done = make(*finished())
    answer = answered(room, asks.CheckResumable((paused, done)))
    assert answer.done == (paused,) and "finished" in answer.refused[0].message
    refused = answered(room, asks.PauseRuns((done,))).refused
    assert "cannot be paused" in refused[0].message


def test_a_retry_is_the_same_order_under_a_new_id(room: Room, make: Callable[..., str], workspace: Workspace) -> None:
    first = make(*finished())
    answer = answered(room, asks.RetryRuns((first,)))
    again = training.spec_of(workspace.run(answer.done[0]))
    old = training.spec_of(workspace.run(first))
    assert answer.done[0] != first and again.recipe == old.recipe and again.split == old.split
    assert (again.weights, again.seed, again.device, again.adapt) == (old.weights, old.seed, old.device, old.adapt)
    assert answer.done[0] in {item.row.id for item in answer.runs}, "the page can show it at once"


def test_a_retry_on_changed_data_is_refused(room: Room, make: Callable[..., str], workspace: Workspace) -> None:
    run = make()
    path = workspace.run(run) / "spec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dataset_fingerprint": "0" * 64}))
    assert "not what" in answered(room, asks.RetryRuns((run,))).refused[0].message


def score(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of a worker: even scores for every test image."""

    def errand(spec: Any, *, folder: Path, on_event: Callable[[ev.Event], None], stop: Event) -> list[ev.Event]:
        if stop.is_set():
            raise Interrupted("The work was stopped before it was done.")
        on_event(ev.Progressed(time.time(), "predict", 2, 4))
        order = json.loads((Path(spec.run_folder) / "spec.json").read_text())
        split = json.loads(Path(order["split"]["path"]).read_text())
        ids = [one["sample"] for one in split["assignments"] if one["partition"] == "test"]
        scores = np.column_stack((np.linspace(0.2, 0.8, len(ids)), np.linspace(0.8, 0.2, len(ids))))
        np.savez(folder / "test.npz", sample=np.array(ids), scores=scores.astype(np.float32))
        return []

    monkeypatch.setattr(evaluating, "run_errand", errand)


def test_opening_counts_and_keeps_the_reason(
    room: Room, make: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    score(monkeypatch)
    first, second, unfinished = make(*finished()), make(*finished()), make()
    before = answered(room, asks.LookAtSeal((first, second)))
    assert before.sealed == (first, second) and before.images == 4
    said: list[Any] = []
    ask = asks.OpenTest((first, unfinished), "protocol 1.2")
    opened = answered(room, ask, lambda kind, value: said.append(value))
    assert opened.runs == (first,) and opened.refused[0].run == unfinished
    assert any("scoring" in one.text or "starting" in one.text for one in said)
    facts = answered(room, asks.RunDetails(first)).test
    assert facts.reason == "protocol 1.2" and {row.metric for row in facts.evaluations} >= {"auc", "brier"}
    after = answered(room, asks.LookAtSeal((first, second)))
    assert after.sealed == (second,) and after.earlier[-1].reason == "protocol 1.2"
    assert len(after.earlier) == len(before.earlier) + 1


def test_an_opening_that_is_given_up_opens_nothing(
    room: Room, make: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    score(monkeypatch)
    first, second = make(*finished()), make(*finished())
    told: Told

    def say(kind: str, value: Any) -> None:
        if "scoring" in value.text:
            told.stopped.set()  # Cancel is pressed while the first is scored

    told = Told(say)
    monkeypatch.setattr("medfm_gui.desk.room._PROGRESS_S", 0.0)
    with pytest.raises(Interrupted):
        ENTRIES[asks.OpenTest].answer(room, asks.OpenTest((first, second), "why"), told)
    opened = {item.row.id: item.is_opened for item in answered(room, asks.ListRuns(runs=(first, second))).runs}
    assert not opened[second]


def test_test_predictions_leave_only_an_opened_run(room: Room, make: Callable[..., str], tmp_path: Path) -> None:
    run = make(*finished())
    with pytest.raises(SealError):
        answered(room, asks.ExportPredictions(run, "test", str(tmp_path / "out.csv")))
    assert not (tmp_path / "out.csv").exists()


def test_every_question_crosses_the_wire(room: Room, make: Callable[..., str]) -> None:
    from medfm_gui.desk.protocol import answer_type, decode_answer, decode_ask, encode_value

    run = make(*finished())
    questions: tuple[Ask[Any], ...] = (
        asks.ListRuns(),
        asks.RunDetails(run),
        asks.RunLog(run),
        asks.LookAtSeal((run,)),
        asks.MeasureRun(run),
    )
    for ask in questions:
        kind: type[Ask[Any]] = type(ask)
        assert decode_ask(kind, wire.encode(ask)) == ask
        answer = answered(room, ask)
        assert decode_answer(answer_type(type(ask)), *encode_value(answer)) == answer

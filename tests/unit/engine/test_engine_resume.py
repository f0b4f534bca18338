"""A run that was stopped and gone on with ends in the same bytes as one that was not."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
import torch

from medfm_gui.base import wire
from medfm_gui.base.children import clean_environment, compute_environment, python
from medfm_gui.domain import events as ev
from medfm_gui.domain.run import Phase, RunState, TrainSpec, fold
from medfm_gui.engine.session import PauseRequested
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]


def _results(events: list[ev.Event]) -> dict[str, str]:
    return {event.name: event.sha256 for event in events if isinstance(event, ev.FileWritten)}


def _until(events: Iterator[ev.Event], count: int) -> list[ev.Event]:
    return list(itertools.islice(events, count))


@pytest.mark.parametrize("adapt", ["knn", "linear", "full"])
@pytest.mark.parametrize("how", ["closed", "crashed", "paused"])
def test_a_stopped_run_ends_in_the_same_bytes(order: Order, adapt: str, how: str) -> None:
    whole = _results(list(run_training(*order(adapt, recipe={"input_size": 24}))))
    spec, folder = order(adapt, recipe={"input_size": 24}, features=str(order()[1] / "bank"))
    said: list[ev.Event] = []
    for count in (3, 5, 9, 14):
        events = run_training(spec, folder)
        said += _until(events, count)
        _stop(events, how)
    rest = list(run_training(spec, folder))
    assert _results(rest) == whole
    assert isinstance(rest[-1], ev.RunFinished)


def _stop(events: Generator[ev.Event, None, None], how: str) -> None:
    if how == "closed":
        events.close()
        return
    error = PauseRequested() if how == "paused" else RuntimeError("power cut")
    with pytest.raises(type(error)):
        events.throw(error)


def test_a_pause_in_the_middle_of_an_epoch_goes_on_at_that_step(order: Order) -> None:
    spec, folder = order("full")
    events = run_training(spec, folder)
    steps = (event for event in events if isinstance(event, ev.Progressed) and event.stage == "train")
    _until(steps, 4)  # one epoch of three steps, and one step
    pause = PauseRequested()
    with pytest.raises(PauseRequested):
        events.throw(pause)
    assert (pause.epoch, pause.step) == (1, 1)
    rest = list(run_training(spec, folder))
    (resumed,) = (event for event in rest if isinstance(event, ev.RunResumed))
    assert (resumed.epoch, resumed.step) == (1, 1)
    assert [event.epoch for event in rest if isinstance(event, ev.EpochFinished)] == [2, 3]


def test_a_resumed_run_tells_the_same_curve(order: Order) -> None:
    whole = fold(RunState(), run_training(*order("full")))
    spec, folder = order("full")
    events = run_training(spec, folder)
    said = _until(events, 14)
    events.close()
    pieced = fold(RunState(), [*said, *run_training(spec, folder)])
    assert pieced.phase is Phase.FINISHED
    assert [dict(point.metrics) for point in pieced.curve] == [dict(point.metrics) for point in whole.curve]


def test_a_checkpoint_stands_before_its_epoch_is_told(order: Order) -> None:
    spec, folder = order("full")
    for event in run_training(spec, folder):
        if isinstance(event, ev.EpochFinished):
            names = sorted(path.name for path in (folder / "checkpoint").iterdir())
            assert "last.safetensors" in names
            assert len(names) == 2, "last and best"


def test_a_worker_that_was_killed_goes_on_in_the_same_bytes(order: Order) -> None:
    _, folder = order("full", recipe={"epochs": 40})
    with _started(folder) as worker:
        _wait_for_epoch(worker, folder, 4)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(timeout=10)
    with _started(folder) as worker:
        assert worker.wait(timeout=120) == 0
    events = _events(folder)
    state = fold(RunState(), events)
    assert state.phase is Phase.FINISHED
    assert len(state.curve) == 40
    (resumed,) = (event for event in events if isinstance(event, ev.RunResumed))
    assert resumed.epoch >= 4
    assert _results(events) == _uninterrupted(order)


def _uninterrupted(order: Order) -> dict[str, str]:
    """The same run in this process, with as many threads as a worker has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(int(compute_environment()["OMP_NUM_THREADS"]))
    try:
        return _results(list(run_training(*order("full", recipe={"epochs": 40}))))
    finally:
        torch.set_num_threads(threads)


def _started(folder: Path) -> subprocess.Popen[bytes]:
    environment = {**clean_environment(), **compute_environment()}
    command = python("medfm_gui.engine.worker", str(folder))
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, cwd=Path(__file__).parents[3])


def _events(folder: Path) -> list[ev.Event]:
    lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    found = []
    for line in lines:
        try:
            found.append(wire.decode_event(line))
        except ValueError:
            assert not line.endswith(b"}\n")  # the line that the kill cut off
    return found


def _wait_for_epoch(worker: subprocess.Popen[bytes], folder: Path, epoch: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and worker.poll() is None:
        log = folder / "events.jsonl"
        if log.exists() and any(isinstance(one, ev.EpochFinished) and one.epoch >= epoch for one in _events(folder)):
            return
        time.sleep(0.02)
    raise AssertionError("the epoch was not reached")

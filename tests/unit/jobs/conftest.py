from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.base import wire
from medfm_gui.domain.events import Event, RunStarted
from medfm_gui.domain.run import Phase, PredictSpec, RunState
from medfm_gui.jobs import follow
from medfm_gui.jobs.attempt import Patience
from medfm_gui.jobs.process import supervise

HERE = Path(__file__).parent
QUICK = Patience(cancel_s=0.3, pause_s=0.3, stop_s=0.2, term_s=0.2, watcher_s=0.3)


@dataclass
class Watched:
    """A watcher that remembers."""

    batches: list[tuple[tuple[Event, ...], RunState]] = field(default_factory=list)

    def __call__(self, events: Sequence[Event], state: RunState) -> None:
        self.batches.append((tuple(events), state))

    @property
    def events(self) -> list[Event]:
        return [event for events, _ in self.batches for event in events]

    @property
    def messages(self) -> list[str]:
        return [state.message for events, state in self.batches if not events]


@dataclass
class Lab:
    """A small workspace of runs whose worker is a fake."""

    root: Path
    watched: Watched = field(default_factory=Watched)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    quick: Patience = QUICK

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    def run(self, name: str = "r1", *, device: str = "cpu", **plan: Any) -> Path:
        folder = self.root / "runs" / name
        folder.mkdir(parents=True)
        (folder / "spec.json").write_bytes(wire.encode_spec(PredictSpec("", "val", "", device=device)))
        self.plan(folder, **plan)
        return folder

    def plan(self, folder: Path, **plan: Any) -> None:
        (folder / "plan.json").write_text(json.dumps(plan))

    def command(self, folder: Path) -> list[str]:
        return [sys.executable, "-P", str(HERE / "fake_worker.py"), str(folder)]

    def supervise(self, folder: Path, **options: Any) -> RunState:
        options = {"on_events": self.watched, "command": self.command, "patience": QUICK, **options}
        return supervise(folder, locks=self.locks, **options)

    def aside(self, folder: Path, **options: Any) -> tuple[threading.Thread, list[RunState]]:
        """Supervise on a thread, so that the test can meddle."""
        states: list[RunState] = []
        thread = threading.Thread(target=lambda: states.append(self.supervise(folder, **options)))
        thread.start()
        return thread, states

    def supervisor(self, *folders: Path) -> subprocess.Popen[bytes]:
        """A supervisor in a process of its own."""
        self.locks.mkdir(exist_ok=True)
        command = [sys.executable, "-P", str(HERE / "fake_supervisor.py"), str(self.locks), *map(str, folders)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.started.append(process)
        return process

    @staticmethod
    def until(true: Callable[[], object], timeout_s: float = 20.0) -> None:
        """Wait for something that another process or thread will do."""
        deadline = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01)

    @staticmethod
    def gone(pid: int) -> bool:
        """Whether a process has ended; a zombie has."""
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True
        return status.rpartition(")")[2].split()[0] in "ZX"

    def worker(self, folder: Path) -> int:
        """The number of the run's newest worker, once it is up and its supervisor knows."""
        self.until(lambda: follow.state_of(folder).phase is Phase.RUNNING)
        return [event.pid for event in follow.read_all(folder) if isinstance(event, RunStarted)][-1]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    before = set(threading.enumerate())
    made = Lab(tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.wait()
    made.until(lambda: not [t for t in threading.enumerate() if t not in before and t.name != "children"])

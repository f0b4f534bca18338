"""``switch``: from a key to the painted page, in a workspace of 50 runs and 25,000 samples.

Each page is gone to three times in turn; what counts is the time in which the window's thread does nothing else:
the slot, the layout and the paint, for the first visit (the page exists, it has shown nothing yet) and for later
ones, and the longest stall of a 5-ms heartbeat while the answers come in. The goal is 100 ms for each of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from medfm_gui.datasets.files import read_dataset, read_split
from medfm_gui.domain.events import EpochFinished, Event, RunFinished, RunStarted
from medfm_gui.domain.run import RunState, fold
from medfm_gui.jobs.follow import append_events
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.training import TrainRequest, create_runs
from tests.bench.measure import rounded
from tests.bench.prepared import prepare

GOAL_MS = 100.0
_SMALL_SIDE = 32
_CODE = """
import json, sys, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer, Qt
from medfm_gui.ui import life
from medfm_gui.ui.pages import PAGES

def drive(window):
    first, later, stalls = {}, {}, {}
    keys = [page.key for page in PAGES] * 3
    last = [time.perf_counter(), ""]
    def beat():
        now = time.perf_counter()
        if last[1]:
            stalls[last[1]] = max(stalls.get(last[1], 0.0), (now - last[0]) * 1000)
        last[0] = now
    timer = QTimer(window)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beat)
    def step():
        if not keys:
            print(json.dumps({"first": first, "later": later, "stalls": stalls}), flush=True)
            window.close()
            return
        key = keys.pop(0)
        begun = time.perf_counter()
        window.go(key)
        QCoreApplication.processEvents()
        spent = (time.perf_counter() - begun) * 1000
        if key not in first:
            first[key] = spent
        else:
            later[key] = max(later.get(key, 0.0), spent)
        last[:] = [time.perf_counter(), key]
        QTimer.singleShot(1500, leave)
    def leave():
        last[1] = ""
        QTimer.singleShot(0, step)
    def begin():
        timer.start(5)
        QTimer.singleShot(4000, step)
    window.workspace_opened.connect(begin)
life.live(Path(sys.argv[1]), on_window=drive, is_remembered=False)
"""


def main(tiny: bool) -> dict[str, Any]:
    """A large workspace, and a walk through its pages."""
    with tempfile.TemporaryDirectory(prefix="medfm-bench-") as made:
        root = Path(made) / "workspace"
        _fill(root, images=200 if tiny else 25_000, runs=3 if tiny else 50)
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MEDFM_CONFIG": str(Path(made) / "config")}
        command = [sys.executable, "-P", "-c", _CODE, str(root)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=240)
        said = json.loads(done.stdout.splitlines()[-1])
    worst = max(*said["first"].values(), *said["later"].values(), *said["stalls"].values())
    by_page = {name: {key: rounded(ms) for key, ms in said[name].items()} for name in ("first", "later", "stalls")}
    return {
        "ours": rounded(worst),
        "peer": GOAL_MS,
        "ratio": rounded(worst / GOAL_MS),
        "goal": "<= 1",
        "pass": worst <= GOAL_MS,
        **by_page,
    }


def _fill(root: Path, images: int, runs: int) -> None:
    with open_workspace(root) as workspace:
        prepared = prepare(root, images, _SMALL_SIDE)
        split = root / "splits" / "bench.json"
        workspace.store.put_dataset(read_dataset(prepared.folder), str(prepared.folder))
        workspace.store.put_split(read_split(split), str(split))
        models = ("efficientnet-lite0", "efficientnet-lite1")
        seeds = tuple(range((runs + 1) // 2))
        request = TrainRequest("bench", models, ("full",), split="bench", seeds=seeds, device="cpu")
        for view in create_runs(workspace, request)[:runs]:
            _finish(workspace, view.id, view.folder)


def _finish(workspace: Workspace, run: str, folder: Path) -> None:
    """A run as it stands in the files and the database after forty epochs."""
    at = time.time()
    events: list[Event] = [RunStarted(at, "cpu")]
    for epoch in range(1, 41):
        metrics = {"train_loss": 1 / epoch, "val_loss": 1.2 / epoch, "auc": 0.9 - 0.2 / epoch, "lr": 1e-4}
        events.append(EpochFinished(at, epoch, 40, metrics))
    events.append(RunFinished(at, {"auc": 0.895}, 12.0, 100.0, 4_000_000))
    append_events(folder, events)
    workspace.store.record_events(run, events, fold(RunState(), events))

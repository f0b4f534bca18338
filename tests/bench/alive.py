"""``alive``: lateness of a 10-ms heartbeat in the window while all cores compute, charts are live, a series scrolls.

The window is the real one with its desk, open on the runs page, and it counts from when all pages are built; a run
folder is written to ten times a second, and a CT of 300 slices is scrolled with its heat map in a viewer beside it. The
load is one process of matrix products a core, at the niceness of a worker. The peer is the same heartbeat in an empty
window under the same load; where that one is later than 5 ms by itself, the machine was too busy for this to mean
anything, and it is measured again.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.workspace.data import import_dataset
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.training import TrainRequest, create_runs
from tests.bench.measure import rounded
from tests.fixtures.hostile import class_folders

GOAL_P99_MS = 16.7
GOAL_LONGEST_MS = 50.0
QUIET_MS = 5.0
_TRIES = 4
_LOAD = """
import os
os.nice(5)
import numpy as np
a = np.random.default_rng(0).standard_normal((512, 512)).astype("f4")
while os.getppid() == %d:
    a = a @ a
    a /= np.abs(a).max() + 1
"""
_BEAT = """
import json, os, sys, time
from pathlib import Path
from PySide6.QtCore import QObject, Qt, QTimer

class Beat(QObject):
    def __init__(self, parent, seconds):
        super().__init__(parent)
        self.late, self.seconds = [], seconds
        self.timer = QTimer(self)
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self.beat)
    def begin(self):
        self.began = self.last = time.perf_counter()
        self.timer.start(10)
    def beat(self):
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self.last) * 1000 - 10))
        self.last = now
        if now - self.began > self.seconds:
            self.timer.stop()
            late = sorted(self.late)
            print(json.dumps({"p50": late[len(late) // 2], "p99": late[int(len(late) * 0.99)], "max": late[-1],
                              "beats": len(late)}), flush=True)
            os._exit(0)
seconds = float(sys.argv[2])
"""
_EMPTY = (
    _BEAT
    + """
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication([])
window = QMainWindow()
window.resize(1280, 800)
window.show()
beat = Beat(window, seconds)
QTimer.singleShot(1000, beat.begin)
app.exec()
"""
)
_OURS = (
    _BEAT
    + """
import numpy as np
from medfm_gui.domain.events import EpochFinished, Progressed, RunStarted
from medfm_gui.jobs import owner
from medfm_gui.jobs.follow import append_events
from medfm_gui.ui import life
from medfm_gui.ui.viewer.image import HeatMap, SeriesImage
from medfm_gui.ui.viewer.viewer import Viewer

root = Path(sys.argv[1])
folder = root / "runs" / "r0001"

def drive(window):
    def opened():
        owner.claim(folder)
        append_events(folder, [RunStarted(time.time(), "cpu")])
        window.go("runs", run="r0001")
        ct = np.random.default_rng(0).integers(-1000, 2000, (300, 512, 512), dtype=np.int16)
        viewer = Viewer()
        viewer.resize(1200, 900)
        viewer.set_series(SeriesImage(ct, 300, unit="HU", window=(40.0, 400.0)))
        viewer.set_heat_map(HeatMap(
            np.random.default_rng(1).random((300, 14, 14), dtype=np.float32), 0, "nodule",
            np.linspace(0, 255, 768).reshape(256, 3).astype(np.uint8)))
        viewer.set_overlay(0.5, follow_value=True, shown=True)
        viewer.show()
        window.viewer = viewer
        state = {"epoch": 0, "step": 1}
        def news():
            state["epoch"] += 1
            at, n = time.time(), state["epoch"]
            window.chores_do(lambda: append_events(folder, [
                Progressed(at, "train", n %% 100, 100, 30.0, 12.0),
                EpochFinished(at, n, 10_000, {"train_loss": 1 / n, "val_loss": 1.1 / n, "auc": 0.9, "lr": 1e-4}),
            ]))
        def scroll():
            viewer.step(state["step"])
            state["count"] = state.get("count", 0) + 1
            if state["count"] %% 299 == 0:
                state["step"] = -state["step"]
        from medfm_gui.ui.bridge import Chores
        window.chores = Chores(window)
        window.chores_do = window.chores.do
        for call, ms in ((news, 100), (scroll, 50)):
            timer = QTimer(window)
            timer.timeout.connect(call)
            timer.start(ms)
        beat = Beat(window, seconds)
        window.pages.complete.connect(lambda: QTimer.singleShot(1500, beat.begin))
    window.workspace_opened.connect(opened)
life.live(root, on_window=drive, is_remembered=False)
""".replace("%%", "%")
)


def main(tiny: bool) -> dict[str, Any]:
    """Both windows under the same load; ours is judged by its own lateness."""
    seconds = 2.0 if tiny else 20.0
    with tempfile.TemporaryDirectory(prefix="medfm-bench-") as made:
        (Path(made) / "config").mkdir()
        empty: dict[str, float] = {}
        ours: dict[str, float] = {}
        for attempt in range(1 if tiny else _TRIES):
            with _load():
                empty = _beats(_EMPTY, Path(made), seconds)
                ours = _beats(_OURS, Path(made) / f"w{attempt}", seconds)
            if empty["max"] <= QUIET_MS:
                break
    return {
        "ours": rounded(ours["p99"]),
        "peer": rounded(empty["p99"]),
        "ratio": rounded(ours["p99"] / max(empty["p99"], 0.01)),
        "goal": f"p99 <= {GOAL_P99_MS} ms, longest <= {GOAL_LONGEST_MS} ms",
        "pass": ours["p99"] <= GOAL_P99_MS and ours["max"] <= GOAL_LONGEST_MS,
        "longest_ms": rounded(ours["max"]),
        "median_ms": rounded(ours["p50"]),
        "empty_longest_ms": rounded(empty["max"]),
        "quiet": empty["max"] <= QUIET_MS,
        "beats": ours["beats"],
    }


def _beats(code: str, root: Path, seconds: float) -> dict[str, float]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MEDFM_CONFIG": str(root.parent / "config")}
    if code is _OURS:
        _workspace(root)
    command = [sys.executable, "-c", code, str(root), str(seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 90, check=True)
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return said


@contextlib.contextmanager
def _load() -> Iterator[None]:
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen([sys.executable, "-c", _LOAD % os.getpid()], env={**os.environ, **one_thread})
        for _ in range(os.cpu_count() or 2)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _workspace(root: Path) -> None:
    """A workspace with one run that nobody works on."""
    with open_workspace(root) as workspace:
        source = class_folders(root.with_name(f"{root.name}-images"), {"without": 12, "with": 12})
        dataset = import_dataset(workspace, "folder", source, ImportOptions(positive="with"))
        create_runs(workspace, TrainRequest(dataset.id, ("efficientnet-lite0",), ("full",), device="cpu"))

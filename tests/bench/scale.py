"""``scale``: 250,000 radiographs with 14 findings against 25,000: import, split, leak check, page, scrolling.

The images are empty files that a stand-in for the decode pool answers at once: what is measured of an import is
listing, labelling, fingerprint and writing, not decoding. The leak check is what a person meets: a file that parts
patients, read, searched and refused; the search in memory alone stands beside it. Split and leak check run in turns
with those of the tenth, each in a process of its own that has loaded what it needs, as a command does: in one process
the second would find the memory that the first has left. Their growth is the median of the turns. The page is the real
window with its desk: opened until the first samples are there, then scrolled to forty places. Front memory is the
highest of the window's process.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from medfm_gui.datasets.files import write_dataset
from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.leaks import find_leaks
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import LeakError
from medfm_gui.domain.split import Leak, Partition
from medfm_gui.imaging.examined import VolumeJob, VolumeResult
from medfm_gui.imaging.pool import HeaderResult, PictureJob, PictureResult, RecordResult
from medfm_gui.workspace import data
from medfm_gui.workspace.place import Workspace, open_workspace
from tests.bench.measure import rounded

GROWTH = 12.0
OPENED_S = 0.3
MEMORY_MB = 500.0
_FINDINGS = (
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema",
    "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture",
    "Support Devices",
)  # fmt: skip
_IMAGES_A_PATIENT = 4
_IMAGES_A_FOLDER = 1000
_REPEATS = 3
_WARM = 100
_CODE = """
import json, sys, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer
from medfm_gui.ui import life
from medfm_gui.ui.widgets.deferred import unmade

def drive(window):
    name, places = sys.argv[2], int(sys.argv[3])
    said = {"steps": []}
    state = {}
    def look():
        images = state["page"].details.images
        source, grid = images.source, images.grid
        first, last = grid.visible_rows()
        rows = range(first, min(last, source.total - 1) + 1)
        if not source.total or any(source.sample(row) is None for row in rows):
            return
        grid.viewport().repaint()
        now = time.perf_counter()
        if "opened" not in said:
            said["opened"] = now - state["begun"]
        else:
            said["steps"].append(now - state["begun"])
        if len(said["steps"]) >= places:
            timer.stop()
            # not ru_maxrss, which begins with what the parent had at the fork
            lines = Path("/proc/self/status").read_text().splitlines()
            said["memory_mb"] = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
            print(json.dumps(said), flush=True)
            window.close()
            return
        bar = grid.verticalScrollBar()
        state["begun"] = time.perf_counter()
        bar.setValue(int(bar.maximum() * ((len(said["steps"]) * 0.381966) % 1)))
    timer = QTimer(window)
    timer.timeout.connect(look)
    def step():
        state["begun"] = time.perf_counter()
        window.go("datasets", dataset=name)
        state["page"] = window.pages.page("datasets")
        timer.start(1)
    def when_built():  # pages are made ahead, one at a time, while nobody does anything
        QTimer.singleShot(500, when_built) if unmade(window) else step()
    window.workspace_opened.connect(lambda *_: QTimer.singleShot(4000, when_built))
life.live(Path(sys.argv[1]), on_window=drive, is_remembered=False)
"""


def main(tiny: bool = False) -> dict[str, Any]:
    """A tenth, then the whole; 200 and 2,000 images if ``tiny``."""
    small, large = (200, 2_000) if tiny else (25_000, 250_000)
    with tempfile.TemporaryDirectory(prefix="medfm-bench-") as made:
        roots = {number: Path(made) / str(number) for number in (_WARM, small, large)}
        imported = {number: _imported(root, number) for number, root in roots.items()}
        turns = _in_turns(roots[small], roots[large], roots[_WARM], repeats=1 if tiny else _REPEATS)
        shown = {number: _shown(roots[number], places=5 if tiny else 40) for number in (small, large)}
    before, after = ({"import_s": imported[number], **shown[number]} for number in (small, large))
    growth = {name: rounded(after[name] / max(before[name], 1e-3)) for name in before if name.endswith("_s")}
    for name, (some, all_) in turns.items():
        before[name], after[name] = statistics.median(some), statistics.median(all_)
        if name.endswith("_s"):
            growth[name] = rounded(statistics.median(b / max(a, 1e-3) for a, b in zip(some, all_, strict=True)))
    worst = max(growth.values())
    good = worst <= GROWTH and after["page_s"] <= OPENED_S and after["memory_mb"] <= MEMORY_MB
    return {
        "ours": {name: rounded(value) for name, value in after.items()},
        "peer": {name: rounded(value) for name, value in before.items()},
        "ratio": worst,
        "growth": growth,
        "goal": f"growth <= {GROWTH:g}, page <= {OPENED_S:g} s, front memory <= {MEMORY_MB:g} MB",
        "pass": good,
        "images": large,
        "decoding": "answered at once by a stand-in",
    }


def _imported(root: Path, number: int) -> float:
    """Seconds of the import; a file that divides it by image lies beside the workspace afterwards."""
    source = root / "source"
    _write_source(source, number)
    with open_workspace(root / "workspace") as workspace:
        begun = time.perf_counter()
        _import(workspace, source)
        taken = time.perf_counter() - begun
        _write_torn(root / "torn.csv", data.read(workspace, "scale"))
    return taken


def _in_turns(small: Path, large: Path, warm: Path, repeats: int) -> dict[str, tuple[list[float], list[float]]]:
    """Of each step the seconds of the tenth and of the whole, turn by turn."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for turn in range(repeats):
        for side, root in list(enumerate((small, large)))[:: 1 if turn % 2 == 0 else -1]:
            with get_context("spawn").Pool(1) as process:
                said = process.apply(_divided, (root, warm))
            for name, seconds in said.items():
                found.setdefault(name, ([], []))[side].append(seconds)
    return found


def _divided(root: Path, warm: Path) -> dict[str, float]:
    """Seconds of a split, of a refused one and of the search in it, after both were done once on few images."""
    _seconds(warm)
    return _seconds(root)


def _seconds(root: Path) -> dict[str, float]:
    found: dict[str, float] = {}
    with open_workspace(root / "workspace") as workspace:
        begun = time.perf_counter()
        leaks = _refused(workspace, root / "torn.csv")
        found["leak_check_s"] = time.perf_counter() - begun
        begun = time.perf_counter()
        split = data.make_split(workspace, "scale", SplitRequest("70/15/15"), look=False).splits[0]
        found["split_s"] = time.perf_counter() - begun
        dataset = data.read(workspace, "scale")
        begun = time.perf_counter()
        clean = find_leaks(dataset, {item.sample: item.partition for item in split.assignments})
        found["search_alone"] = time.perf_counter() - begun
        assert not clean and len(leaks) > len(dataset.samples) // 2
    return found


def _shown(root: Path, places: int) -> dict[str, float]:
    """What the window takes to show the first samples and others, and its memory."""
    said = _window(root, places)
    scroll = float(np.percentile(said["steps"], 95))
    return {"page_s": said["opened"], "scroll_p95_s": scroll, "memory_mb": said["memory_mb"]}


class AtOnce:
    """A decode pool that decodes nothing: every image is 320 × 390, and different."""

    def pictures(self, jobs: Iterable[PictureJob]) -> Iterator[PictureResult]:
        """An answer a job."""
        for job in jobs:
            sha256 = hashlib.sha256(job.key.encode()).hexdigest()
            yield PictureResult(job.key, True, rows=320, columns=390, stored_sha256=sha256)

    def headers(self, paths: Iterable[Path]) -> Iterator[HeaderResult]:
        """None: these are no DICOM files."""
        return iter(())

    def volumes(self, jobs: Iterable[VolumeJob]) -> Iterator[VolumeResult]:
        """None: these are pictures."""
        return iter(())

    def to_npys(self, files: Iterable[tuple[str | Path, Path]]) -> Iterator[PictureResult]:
        """None: nothing is decoded at full size."""
        return iter(())

    def telling(self, files: Iterable[tuple[str, Sequence[str]]]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """None: these are no DICOM files."""
        return iter(())

    def records(self, paths: Iterable[Path]) -> Iterator[RecordResult]:
        """None: these are no MATLAB files."""
        return iter(())


def _write_source(folder: Path, number: int) -> None:
    """A table in the shape of CheXpert's, and empty files where it says that images are."""
    random = np.random.default_rng(0)
    values = random.choice(["", "1.0", "0.0", "-1.0"], p=[0.6, 0.2, 0.15, 0.05], size=(number, len(_FINDINGS)))
    folder.mkdir(parents=True)
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(("Path", "patient", "Sex", "Age", "View", *_FINDINGS))
        for place in range(number):
            patient, view = divmod(place, _IMAGES_A_PATIENT)
            # a thousand to a folder: a folder a study would be made and removed for minutes
            path = f"train/batch{place // _IMAGES_A_FOLDER:03d}/patient{patient:05d}_view{view + 1}.jpg"
            if place % _IMAGES_A_FOLDER == 0:
                (folder / path).parent.mkdir(parents=True)
            (folder / path).touch()
            row = ("FM"[patient % 2], 18 + patient % 70, "PA" if view % 2 else "AP")
            writer.writerow((path, f"patient{patient:05d}", *row, *values[place]))


def _import(workspace: Workspace, source: Path) -> None:
    options = ImportOptions(labels=_FINDINGS, path="Path", patient="patient")
    folder = workspace.root / "datasets" / "scale"
    made = read_source(
        "csv", source, options, dataset_id="scale", name="scale", pixels=None, pool=AtOnce(), key=b"0" * 32
    )
    folder.mkdir()
    write_dataset(folder, made)
    workspace.store.put_dataset(made, str(folder))


def _write_torn(path: Path, dataset: Dataset) -> None:
    """A division by image, which parts nearly every patient, as a file that somebody brings."""
    sides = (Partition.TRAIN, Partition.VAL, Partition.TEST)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(("sample", "partition"))
        writer.writerows((sample.id, sides[place % 3].value) for place, sample in enumerate(dataset.samples))


def _refused(workspace: Workspace, torn: Path) -> Sequence[Leak]:
    """What the leak gate finds in a division that it does not let pass."""
    try:
        data.make_split(workspace, "scale", SplitRequest(file=torn), look=False)
    except LeakError as refused:
        return refused.leaks
    raise AssertionError("the gate let a division pass that parts patients")


def _window(root: Path, places: int) -> dict[str, Any]:
    """The page in a window of its own."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MEDFM_CONFIG": str(root / "config")}
    command = [sys.executable, "-P", "-c", _CODE, str(root / "workspace"), "scale", str(places)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=240)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said

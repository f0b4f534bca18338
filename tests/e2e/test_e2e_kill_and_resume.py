"""Whatever dies, no finished epoch and no row is lost, nothing is left running, and the result is the same."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.command import Medfm, medfm_in

SETTINGS = ("--set", "epochs=8", "--set", "batch_size=4", "--set", "input_size=96")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory, phantom: Path) -> tuple[Medfm, dict[str, str]]:
    """A workspace with one uninterrupted fine-tuning, and the hashes of what it wrote."""
    medfm = medfm_in(tmp_path_factory.mktemp("resume"))
    table = ("--table", phantom / "labels.csv", "--label", "nodule", "--name", "thorax")
    medfm.json("import", "dicom", phantom / "radiographs", *table)
    medfm.json("split", "thorax")
    (row,) = medfm.json("train", *_order())["runs"]
    return medfm, _results(Path(row["folder"]))


def _order() -> tuple[str, ...]:
    return ("--dataset", "thorax", "--model", "efficientnet-lite0", "--adapt", "full", *SETTINGS)


def _results(folder: Path) -> dict[str, str]:
    files = [*sorted(folder.glob("weights/*.safetensors")), *sorted(folder.glob("predictions/*.npz"))]
    assert files
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _processes(folder: Path) -> set[int]:
    """Processes whose command line names this run and which are not zombies."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        # other workspaces have runs of that name too, and commands of other tests name them at the same time
        is_named = f" {folder.name} " in f"{command} " and str(folder.parents[1]) in command
        if state != "Z" and "medfm_gui" in command and (str(folder) in command or is_named):
            found.add(int(place.name))
    return found


def _wait(until: Callable[[], bool], what: str, seconds: float = 120) -> None:
    limit = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < limit, f"waited in vain for {what}"
        time.sleep(0.05)


def _epochs(folder: Path) -> int:
    path = folder / "events.jsonl"
    return path.read_bytes().count(b'"event":"EpochFinished"') if path.exists() else 0


def _state(medfm: Medfm, run: str) -> dict[str, Any]:
    return next(row for row in medfm.json("runs")["runs"] if row["run"] == run)


@pytest.mark.parametrize("victims", ["worker", "supervisor", "both"])
def test_a_killed_run_goes_on_to_the_same_result(ready: tuple[Medfm, dict[str, str]], victims: str) -> None:
    medfm, expected = ready
    (row,) = medfm.json("train", *_order(), "--no-wait")["runs"]
    run, folder = row["run"], Path(row["folder"])
    _wait(lambda: _epochs(folder) >= 2, "two epochs")
    owner = int(json.loads((folder / "owner.json").read_text())["pid"])
    workers = _processes(folder) - {owner}
    assert workers
    for pid in {"worker": workers, "supervisor": {owner}, "both": {owner, *workers}}[victims]:
        os.kill(pid, signal.SIGKILL)
    _wait(lambda: not _processes(folder), "every process of the run to end", 20)
    done = _epochs(folder)
    stopped = _state(medfm, run)
    assert (stopped["state"], stopped["reason"], stopped["resumable"]) == ("failed", "interrupted", True)
    (row,) = medfm.json("resume", run)["runs"]
    assert row["state"] == "finished"
    assert _results(folder) == expected
    seen = [json.loads(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]
    resumed = [event for event in seen if event["event"] == "RunResumed"]
    assert resumed and resumed[0]["epoch"] >= min(done, 2)
    assert medfm.refused("resume", run)["kind"] == "usage_error"


def test_pause_and_resume(ready: tuple[Medfm, dict[str, str]]) -> None:
    medfm, expected = ready
    (row,) = medfm.json("train", *_order(), "--no-wait")["runs"]
    run, folder = row["run"], Path(row["folder"])
    _wait(lambda: _epochs(folder) >= 1, "one epoch")
    medfm.json("pause", run)
    _wait(lambda: _state(medfm, run)["state"] == "paused", "the pause")
    _wait(lambda: not _processes(folder), "the worker to end", 20)
    (row,) = medfm.json("resume", run)["runs"]
    assert row["state"] == "finished" and _results(folder) == expected


def test_cancel_and_queue(ready: tuple[Medfm, dict[str, str]]) -> None:
    medfm, _ = ready
    rows = medfm.json("train", *_order(), "--seed", "1", "--seed", "2", "--no-wait")["runs"]
    first, second = (Path(row["folder"]) for row in rows)
    _wait(lambda: _epochs(first) >= 1, "the first of the queue")
    assert _state(medfm, rows[1]["run"])["state"] == "queued"
    for row in rows[::-1]:
        medfm.json("cancel", row["run"])
    _wait(lambda: not _processes(first) and not _processes(second), "both to end", 30)
    assert {_state(medfm, row["run"])["state"] for row in rows} == {"cancelled"}
    assert medfm.refused("evaluate", rows[0]["run"], "--open-test", "why not")["kind"] == "usage_error"

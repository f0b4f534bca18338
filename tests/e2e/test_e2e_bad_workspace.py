"""A workspace that is full, held, newer, damaged or shared: nothing is lost, nothing half-written counts as whole."""

from __future__ import annotations

import contextlib
import csv
import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdf
import pytest
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

from medfm_gui.store.store import Store
from tests.fixtures.command import Medfm, medfm_in
from tests.fixtures.hostile import Inside, class_folders, image

LITE0 = ("--model", "efficientnet-lite0")
CLASSES = (
    "=cmd|'/C calc'!A0",
    "<img src=/etc/passwd>",
    "../../x",
    "n" * 300,
    "evil\u202egnp.exe",
    "two\nlines",
)
IMAGES_A_CLASS = 4


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Medfm:
    """A finished, opened knn run whose classes, patients and dataset are named by somebody who means harm."""
    medfm = medfm_in(tmp_path_factory.mktemp("hostile"))
    folder = medfm.workspace.parent / "images"
    folder.mkdir()
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["file", "label", "patient"])
        for number in range(IMAGES_A_CLASS * len(CLASSES)):
            image(number).save(folder / f"{number}.png")
            writer.writerow([f"{number}.png", CLASSES[number % len(CLASSES)], f"@SUM({number})"])
    medfm.json("import", "csv", folder / "labels.csv", "--task", "multiclass", "--name", "../<b>\u202e =1+1")
    (dataset,) = medfm.json("datasets")["datasets"]
    medfm.json("split", dataset["dataset"], "--ratios", "50/25/25")
    (run,) = medfm.json("train", "--dataset", dataset["dataset"], *LITE0, "--adapt", "knn", "--set", "k=1")["runs"]
    assert run["state"] == "finished"
    medfm.json("evaluate", "r0001", "--open-test", "=HYPERLINK(\u202e)")
    return medfm


@pytest.fixture
def copy(hostile: Medfm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inside:
    """A copy of that workspace to break, reached without a process of its own."""
    for key, value in hostile.environment.items():
        if key.startswith("MEDFM_"):
            monkeypatch.setenv(key, value)
    shutil.copytree(hostile.workspace, tmp_path / "workspace")
    return Inside(tmp_path / "workspace")


def _hashes(folder: Path, pattern: str = "*") -> dict[str, str]:
    paths = [path for path in folder.rglob(pattern) if path.is_file() and "locks" not in path.parts]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _wait(until: Callable[[], bool], what: str, seconds: float = 90) -> None:
    limit = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < limit, f"waited in vain for {what}"
        time.sleep(0.05)


# -- hostile names


def test_hostile_names_stay_text_in_tables_and_on_paper(hostile: Medfm, tmp_path: Path) -> None:
    hostile.json("predictions", "r0001", "--out", tmp_path / "p.csv")
    text = (tmp_path / "p.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    assert len(rows) == 1 + 6 and len(rows[0]) == 4 + len(CLASSES)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+", "\t"))]
    assert "\u202e" not in text
    hostile.json("report", "r0001", "--out", tmp_path / "r.pdf")
    reader = pypdf.PdfReader(tmp_path / "r.pdf")
    paper = " ".join(page.extract_text() for page in reader.pages)
    assert "<img src=/etc/passwd>" in paper.replace("\n", " ") and "root:" not in paper and "\u202e" not in paper
    for name, (contents,) in reader.attachments.items():
        assert Path(name).name == name
        if name.endswith(".csv"):
            cells = [cell for row in csv.reader(contents.decode().splitlines()) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "@"))], name
    assert not list(hostile.workspace.parent.glob("x*"))


def test_a_study_whose_file_name_is_no_text(hostile: Medfm, tmp_path: Path) -> None:
    image(1).save(tmp_path / "odd.png")
    (tmp_path / "odd.png").rename(tmp_path / os.fsdecode(b"odd\xff.png"))
    (said,) = hostile.json("predict", tmp_path / os.fsdecode(b"odd\xff.png"), "--run", "r0001")["predictions"]
    assert said["decision"] and set(said["classes"]) == set(hostile.json("datasets")["datasets"][0]["classes"])


# -- newer, damaged, not ours


def test_a_newer_workspace_is_left_as_it_is(copy: Inside) -> None:
    (copy.workspace / "workspace.json").write_text('{"format": 99, "made_by": "9.0", "more": [1]}')
    before = _hashes(copy.workspace)
    for command in (("runs",), ("datasets",), ("rebuild",), ("train", "--dataset", "b-1-1", *LITE0, "--adapt", "knn")):
        assert copy.refused(*command)["kind"] == "newer_workspace"
    assert _hashes(copy.workspace) == before


def test_a_newer_database_is_left_as_it_is(copy: Inside) -> None:
    with contextlib.closing(sqlite3.connect(copy.workspace / "medfm.sqlite")) as database:
        database.execute("PRAGMA user_version = 999")
    before = _hashes(copy.workspace, "medfm.sqlite")
    assert copy.refused("runs")["kind"] == "newer_workspace"
    assert _hashes(copy.workspace, "medfm.sqlite") == before


def test_a_damaged_database_is_made_again_and_kept(copy: Inside) -> None:
    database = copy.workspace / "medfm.sqlite"
    raw = bytearray(database.read_bytes())
    raw[4096:4596] = bytes(range(250)) * 2
    database.write_bytes(raw)
    error = copy.refused("runs")
    assert error["kind"] == "database_damaged" and "medfm rebuild" in error["hint"]
    rebuilt = copy.json("rebuild")
    assert (rebuilt["datasets"], rebuilt["runs"], rebuilt["evaluations"]) == (1, 1, 1)
    assert Path(rebuilt["previous"]).read_bytes() == bytes(raw)
    assert copy.json("runs")["runs"][0]["state"] == "finished"
    assert copy.json("evaluate", "r0001")["test_openings"] == 1


@pytest.mark.parametrize(
    ("pattern", "commands"),
    [
        ("workspace.json", (("runs",), ("rebuild",))),
        ("datasets/*/manifest.json", (("datasets",), ("rebuild",))),
        ("datasets/*/samples.jsonl", (("datasets",), ("rebuild",))),
        ("splits/*.json", (("rebuild",), ("report", "r0001", "--out", "r.pdf"))),
        ("runs/r0001/spec.json", (("runs",), ("rebuild",))),
        ("evaluations/r0001-test.json", (("evaluate", "r0001"), ("rebuild",))),
        ("predictions/r0001-test/test.npz", (("predictions", "r0001", "--out", "p.csv"), ("rebuild",))),
        ("journal.jsonl", (("rebuild",),)),
    ],
)
def test_a_damaged_file_is_named_and_nothing_else_changes(
    copy: Inside, pattern: str, commands: Sequence[tuple[str, ...]]
) -> None:
    (path,) = copy.workspace.glob(pattern)
    whole = path.read_bytes()
    for damage in (b"", b"{\n", whole[: len(whole) // 2] + b"\n", b"\xff\xfe\0" + whole[3:]):
        path.write_bytes(damage)
        before = _hashes(copy.workspace / "runs") | _hashes(copy.workspace / "datasets")
        for command in commands:
            if pattern == "journal.jsonl" and not damage:
                continue  # no line is no damage
            error = copy.refused(*command)
            assert path.name in error["message"] or "cannot be read" in error["message"], error
        assert _hashes(copy.workspace / "runs") | _hashes(copy.workspace / "datasets") == before
    path.write_bytes(whole)
    assert copy.json("rebuild")["runs"] == 1


def test_a_rebuild_goes_on_once_a_damaged_file_of_scores_was_taken_away(copy: Inside) -> None:
    (copy.workspace / "medfm.sqlite").write_bytes(b"no database")
    scores = copy.workspace / "predictions" / "r0001-test" / "test.npz"
    scores.write_bytes(b"no scores")
    said = copy.refused("rebuild")
    assert str(scores) in said["message"] and "move it out of the workspace" in said["hint"]
    scores.unlink()
    assert copy.json("rebuild")["evaluations"] == 1
    assert copy.json("evaluate", "r0001")["test_openings"] == 1, "the opening is not forgotten"


def test_places_that_are_no_workspace(inside_env: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.docx").write_text("x")
    (tmp_path / "dangling").symlink_to("nowhere")
    places = ["file", "file/below", "foreign", "dangling", "n" * 300, os.fsdecode(b"no\xfftext")]
    for place in [*(tmp_path / name for name in places), Path("/dev/null"), Path("/proc/medfm")]:
        assert Inside(place).refused("runs")["kind"] == "input_error", place
        assert Inside(place).refused("rebuild")["kind"] == "input_error", place
    assert [path.name for path in (tmp_path / "foreign").iterdir()] == ["thesis.docx"]


@pytest.fixture
def inside_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("MEDFM_OFFLINE", "1")


# -- held by others, shared with others

HOLDER = """
import sys
from sqlite_utils.utils import sqlite3
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def _held(database: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-P", "-c", HOLDER, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        yield holder


def test_a_held_database_is_waited_for_and_then_named(
    copy: Inside, hostile: Medfm, monkeypatch: pytest.MonkeyPatch
) -> None:
    (dataset,) = (row["dataset"] for row in copy.json("datasets")["datasets"])
    with monkeypatch.context() as impatient, _held(copy.workspace / "medfm.sqlite"):
        impatient.setattr(Store, "open", functools.partial(Store.open, busy_limit_s=0.3))
        error = copy.refused("split", dataset)
        assert error["kind"] == "database_busy" and "Close the program" in error["hint"]
        assert copy.json("runs")["runs"][0]["state"] == "finished"  # reading waits for nobody
    waiting = Medfm(copy.workspace, hostile.environment)
    with _held(copy.workspace / "medfm.sqlite") as holder:
        begun = time.monotonic()
        process = waiting.start("split", dataset)
        time.sleep(2.5)
        assert process.poll() is None
        assert holder.stdin
        holder.stdin.close()
        assert process.wait(30) == 0 and time.monotonic() - begun >= 2.5


@pytest.fixture
def tuning(hostile: Medfm, tmp_path: Path) -> tuple[Medfm, tuple[str, ...]]:
    """A fresh workspace, and an order for a fine-tuning of some seconds in it."""
    medfm = Medfm(tmp_path / "workspace", hostile.environment)
    medfm.json("import", "folder", class_folders(tmp_path / "two", {"a": 16, "b": 16}), "--name", "two")
    medfm.json("split", "two")
    settings = ("--set", "epochs=60", "--set", "batch_size=4", "--set", "input_size=32", "--set", "patience=60")
    return medfm, ("train", "--dataset", "two", *LITE0, "--adapt", "full", "--from-scratch", *settings)


def _epochs(folder: Path) -> int:
    events = folder / "events.jsonl"
    return events.read_bytes().count(b'"event":"EpochFinished"') if events.exists() else 0


def _descendants(pid: int) -> list[int]:
    found = [int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in path.read_text().split()]
    return found + [below for child in found for below in _descendants(child)]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_stopped_by_signal_or_shared_a_training_goes_on(tuning: tuple[Medfm, tuple[str, ...]], tmp_path: Path) -> None:
    medfm, order = tuning
    run = medfm.workspace / "runs" / "r0001"
    command: tuple[str, ...] = order
    for number, stop in enumerate((signal.SIGINT, signal.SIGTERM), 1):
        done = _epochs(run)
        process = subprocess.Popen(
            medfm.command(*command, "--json"), env=medfm.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with process:
            _wait(lambda done=done: _epochs(run) > done + 1, "an epoch")  # type: ignore[misc]
            family = _descendants(process.pid)
            assert family
            if number == 1:  # two commands at once in one workspace
                other = class_folders(tmp_path / "other", {"c": 2, "d": 2})
                assert medfm.json("import", "folder", other)["n_samples"] == 4
                assert process.poll() is None
            process.send_signal(stop)
            said, remarks = process.communicate(timeout=30)
        assert process.returncode == 1 and b"Traceback" not in remarks, remarks
        (row,) = json.loads(said)["runs"]
        assert (row["state"], row["resumable"], row["from_scratch"], row["weights"]) == ("paused", True, True, "random")
        _wait(lambda family=family: not any(map(_alive, family)), "the family to end", 10)  # type: ignore[misc]
        command = ("resume", "r0001")
    assert {row["dataset"] for row in medfm.json("datasets")["datasets"]} == {"two", "other"}
    medfm.json("cancel", "r0001")


# -- a full disk


@dataclass(frozen=True)
class SmallDisk(Medfm):
    """Commands in a mount namespace with a disk of a few megabytes."""

    namespace: int = 0

    def command(self, *arguments: str | Path) -> list[str]:
        return ["nsenter", "-t", str(self.namespace), "-m", *super().command(*arguments)]

    @property
    def seen(self) -> Path:
        """The disk as this process can reach it."""
        return Path(f"/proc/{self.namespace}/root{self.workspace.parent}")

    def fill(self, leaving: int) -> None:
        free = shutil.disk_usage(self.seen).free - leaving
        (self.seen / "filling").write_bytes(b"\0" * max(free, 0))

    def free(self) -> None:
        (self.seen / "filling").unlink()


def _may_mount() -> bool:
    if sys.platform != "linux" or os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "mount"))):
        return False
    command = ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    if not _may_mount():
        pytest.skip("a small disk can be mounted by root on Linux only")
    place = tmp_path / "disk"
    place.mkdir()
    mount = f"mount -t tmpfs -o size=12m none '{place}' && echo mounted && exec cat"
    command = ["unshare", "-m", "sh", "-c", mount]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline() == b"mounted\n"
        outside = medfm_in(tmp_path)
        yield SmallDisk(place / "workspace", outside.environment, holder.pid)
        assert holder.stdin
        holder.stdin.close()


def test_a_full_disk_is_named_and_the_same_command_works_afterwards(small_disk: SmallDisk, tmp_path: Path) -> None:
    medfm, root = small_disk, small_disk.seen / "workspace"
    source = class_folders(tmp_path / "two", {"a": 8, "b": 8})
    train = ("train", "--dataset", "two", *LITE0, "--adapt", "knn", "--set", "k=1")
    steps: tuple[tuple[tuple[str | Path, ...], str], ...] = (
        (("runs",), "workspace.json"),
        (("import", "folder", source, "--name", "two"), "datasets/*"),
        (train, "runs/*"),
        (("evaluate", "r0001", "--open-test", "a full disk"), "evaluations/*"),
        (("report", "r0001", "--out", medfm.workspace.parent / "report.pdf"), "../report.pdf"),
    )
    for command, made in steps:
        medfm.fill(leaving=100_000)
        error = medfm.refused(*command)
        assert error["kind"] == "disk_full" and error["hint"], (command, error)
        assert not list(root.glob(made)), command
        medfm.free()
        assert not list(root.rglob("*.tmp")), command
        medfm.json(*command)
    assert [row["dataset"] for row in medfm.json("datasets")["datasets"]] == ["two"]
    assert [row["state"] for row in medfm.json("runs")["runs"]] == ["finished"]
    assert len(pypdf.PdfReader(small_disk.seen / "report.pdf").pages) >= 2
    medfm.fill(leaving=1_300_000)  # enough for the order, not for what comes of it
    done = medfm.run("train", "--dataset", "two", *LITE0, "--adapt", "full", "--set", "epochs=1", "--json")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    (row,) = json.loads(done.stdout)["runs"]
    assert (row["state"], row["reason"], row["resumable"]) == ("failed", "disk_full", True), row
    assert not list((root / "runs" / row["run"]).rglob("*.safetensors"))

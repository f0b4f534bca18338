from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from medfm_gui.base import children
from medfm_gui.jobs.attempt import cause, engine_worker
from medfm_gui.jobs.log import BoundedLog

if TYPE_CHECKING:
    from tests.unit.jobs.conftest import Lab

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process states are read from /proc")


def run_python(code: str, folder: Path, **options: int) -> subprocess.Popen[bytes]:
    environment = children.clean_environment()
    return children.spawn([sys.executable, "-c", code], environment=environment, folder=folder, **options)


def test_nothing_that_loads_code_reaches_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "LD_PRELOAD", "QT_PLUGIN_PATH", "ITK_AUTOLOAD_PATH", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "/evil")
    monkeypatch.setenv("MEDFM_OFFLINE", "1")
    environment = children.clean_environment({"EXTRA": "yes"})
    assert "/evil" not in environment.values()
    assert environment["MEDFM_OFFLINE"] == "1"
    assert environment["EXTRA"] == "yes"


def test_the_network_is_off_unless_asked_for() -> None:
    assert children.compute_environment()["HF_HUB_OFFLINE"] == "1"
    assert children.compute_environment(network=True)["HF_HUB_OFFLINE"] == "0"


def test_a_program_that_is_not_there_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        children.spawn(["/nonexistent"], environment={}, folder=tmp_path)


def test_a_child_ends_with_its_pipe(tmp_path: Path, lab: Lab) -> None:
    process = run_python(
        "from medfm_gui.base import children; import time; children.die_with_pipe(); time.sleep(60)", tmp_path
    )
    assert process.stdin is not None
    process.stdin.write(b"still there")
    process.stdin.close()
    assert process.wait(10) == 125


def test_a_child_without_a_pipe_ends(tmp_path: Path) -> None:
    code = "import os, time; os.close(0)\nfrom medfm_gui.base import children; children.die_with_pipe(); time.sleep(60)"
    process = run_python(code, tmp_path, stdin=subprocess.DEVNULL)
    assert process.wait(10) == 125


def test_a_child_whose_parent_is_gone_ends_at_once(tmp_path: Path) -> None:
    process = children.spawn(
        [sys.executable, "-c", "from medfm_gui.base import children; children.die_with_parent()"],
        environment={**children.clean_environment(), "MEDFM_PARENT_PID": "1"},
        folder=tmp_path,
        stdin=subprocess.DEVNULL,
    )
    assert process.wait(10) == 125


def test_a_family_ends_together(tmp_path: Path, lab: Lab) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    process = run_python(code, tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    children.end_family(process)
    process.wait()
    process.stdout.close()
    lab.until(lambda: lab.gone(child))
    children.end_family(process)  # again: nobody is left, nothing happens


def test_lowering_twice_is_lowering_once(tmp_path: Path) -> None:
    process = run_python("import time; time.sleep(60)", tmp_path, stdin=subprocess.DEVNULL)
    try:
        for _ in range(2):
            children.lower_priority(pid=process.pid)
            assert os.getpriority(os.PRIO_PROCESS, process.pid) == max(5, os.getpriority(os.PRIO_PROCESS, 0))
    finally:
        process.kill()
        process.wait()


def test_a_log_keeps_its_newest_part_and_its_bound(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"an earlier attempt\n")
    reading, writing = os.pipe()
    bounded = BoundedLog(os.fdopen(reading, "rb"), log, limit_bytes=10_000)
    with os.fdopen(writing, "wb") as out:
        for number in range(5_000):
            out.write(b"line %d\n" % number)
    bounded.close()
    said = log.read_bytes()
    assert len(said) <= 10_000
    assert said.startswith(b"[earlier lines were cut]\nline ")
    assert said.endswith(b"line 4999\n")


def test_a_log_that_cannot_be_written_does_not_stop_the_worker(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    bounded = BoundedLog(os.fdopen(reading, "rb"), tmp_path, limit_bytes=10_000)  # a folder
    with os.fdopen(writing, "wb") as out:
        out.write(b"x" * 200_000)
    bounded.close()
    assert list(tmp_path.iterdir()) == []


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert "signal 99" in cause("The run", -99, "", "log.txt").message


def test_the_engine_works_by_default(tmp_path: Path) -> None:
    assert engine_worker(tmp_path)[1:] == ["-P", "-m", "medfm_gui.engine.worker", str(tmp_path)]

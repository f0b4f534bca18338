"""Several processes on one database, and a process that is killed while it writes."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from medfm_gui.store import queries
from medfm_gui.store.store import Store

WRITE = """
import sys
from pathlib import Path
from medfm_gui.domain.run import RunState
from medfm_gui.store.store import Store
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Store.open(path) as store:
    print("ready", flush=True)
    for number in range(count):
        store.journal("now", "done", name, {"number": str(number)})
        print(number, flush=True)
"""


def start(child: list[str], path: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([*child, WRITE, str(path), name, str(count)], stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == b"ready\n"
    return process


def numbers(store: Store, name: str) -> list[int]:
    with store.reading() as reader:
        rows = queries.journal(reader, subject=name, limit=100_000)
    return [int(row.details["number"]) for row in rows]


def test_two_processes_write_at_once_and_nothing_is_lost(path: Path, child: list[str]) -> None:
    with Store.open(path) as store:
        process = start(child, path, "child", 300)
        for number in range(300):
            store.journal("now", "done", "parent", {"number": str(number)})
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0 and out.split()[-1] == b"299"
        assert numbers(store, "child") == numbers(store, "parent") == list(range(300))


def test_processes_that_come_and_go_never_find_it_locked(path: Path, child: list[str]) -> None:
    program = """
import sys
from pathlib import Path
from medfm_gui.store.store import Store
for number in range(15):
    with Store.open(Path(sys.argv[1])) as store:
        store.journal("now", "done", sys.argv[2], {"number": str(number)})
    with Store.open(Path(sys.argv[1]), read_only=True) as store, store.reading() as reader:
        reader.db.conn.execute("SELECT count(*) FROM journal").fetchone()
"""
    children = [subprocess.Popen([*child, program, str(path), str(name)], stderr=subprocess.PIPE) for name in range(3)]
    assert [one.communicate(timeout=60)[1] for one in children] == [b""] * 3
    with Store.open(path) as store:
        assert all(numbers(store, str(name)) == list(range(15)) for name in range(3))


def test_a_kill_while_writing_loses_nothing_that_was_acknowledged(path: Path, child: list[str]) -> None:
    process = start(child, path, "child", 1_000_000)
    time.sleep(0.3)
    process.kill()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    acknowledged = [int(number) for number in out.rpartition(b"\n")[0].split()]
    assert len(acknowledged) > 5
    with Store.open(path) as store:
        found = numbers(store, "child")
    assert found[: len(acknowledged)] == acknowledged
    assert len(found) <= len(acknowledged) + 1


def test_a_kill_of_one_leaves_the_other_working(path: Path, child: list[str]) -> None:
    with Store.open(path) as store:
        process = start(child, path, "child", 1_000_000)
        for number in range(50):
            store.journal("now", "done", "parent", {"number": str(number)})
        process.kill()
        process.communicate(timeout=60)
        for number in range(50, 100):
            store.journal("now", "done", "parent", {"number": str(number)})
        assert numbers(store, "parent") == list(range(100))

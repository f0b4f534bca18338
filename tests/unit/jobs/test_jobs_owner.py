from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from medfm_gui.base import wire
from medfm_gui.domain.errors import DiskFull, NotFound, WorkspaceBusy
from medfm_gui.jobs import owner, request
from medfm_gui.jobs.request import Request

if TYPE_CHECKING:
    from tests.unit.jobs.conftest import Lab

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process states are read from /proc")


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def dead_identity() -> owner.ProcessIdentity:
    me = owner.myself()
    return owner.ProcessIdentity(me.pid, me.boot_id, "1")


def as_owner(process: owner.ProcessIdentity, **more: object) -> owner.Owner:
    return owner.Owner(process.pid, process.boot_id, process.started, **more)  # type: ignore[arg-type]


def test_a_process_is_itself_until_it_ends() -> None:
    process = sleeper()
    try:
        found = owner.identity(process.pid)
        assert found is not None
        assert owner.alive(found)
        assert not owner.alive(owner.ProcessIdentity(found.pid, found.boot_id, found.started + "0"))
        assert not owner.alive(owner.ProcessIdentity(found.pid, "another boot", found.started))
    finally:
        process.kill()
        process.wait()
    assert not owner.alive(found)


def test_a_zombie_is_not_alive(lab: Lab) -> None:
    process = sleeper()
    found = owner.identity(process.pid)
    assert found is not None
    process.kill()
    try:
        lab.until(lambda: lab.gone(process.pid))
        os.kill(process.pid, 0)  # a zombie still answers: that is the trap
        assert Path(f"/proc/{process.pid}").exists()
        assert not owner.alive(found)
    finally:
        process.wait()


@pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps")
def test_ps_knows_processes_where_there_is_no_proc(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    process = sleeper()
    found = owner._from_ps(process.pid)
    assert found is not None
    assert owner._from_ps(process.pid) == found
    process.kill()
    lab.until(lambda: owner._from_ps(process.pid) is None)  # a zombie
    process.wait()
    assert owner._from_ps(process.pid) is None
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert owner._from_ps(os.getpid()) is None


def test_one_run_has_one_living_owner(tmp_path: Path) -> None:
    owner.claim(tmp_path)
    with pytest.raises(WorkspaceBusy, match=f"process {os.getpid()}"):
        owner.claim(tmp_path)
    with owner.guarded(tmp_path):
        owner.disown(tmp_path)
    assert owner.read_owner(tmp_path) is None
    owner.claim(tmp_path)


def test_of_many_that_claim_at_once_one_gets_it(tmp_path: Path) -> None:
    results: list[str] = []
    start = threading.Barrier(8)

    def compete() -> None:
        start.wait()
        try:
            owner.claim(tmp_path)
            results.append("got it")
        except WorkspaceBusy:
            results.append("refused")

    threads = [threading.Thread(target=compete) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["got it"] + ["refused"] * 7


def test_a_dead_owners_run_is_taken_and_its_request_forgotten(tmp_path: Path) -> None:
    wire.write(tmp_path / "owner.json", as_owner(dead_identity()))
    request.ask(tmp_path, Request.PAUSE)
    assert owner.claim(tmp_path).process == owner.myself()
    assert request.asked(tmp_path) is Request.NOTHING


def test_a_run_kept_in_the_own_queue_is_taken_over_with_its_request(tmp_path: Path) -> None:
    owner.claim(tmp_path, supervising=False)
    request.ask(tmp_path, Request.CANCEL)
    assert owner.claim(tmp_path).supervising
    assert request.asked(tmp_path) is Request.CANCEL


def test_claiming_for_a_child_that_was_quicker_changes_nothing(tmp_path: Path) -> None:
    child = sleeper()
    try:
        found = owner.identity(child.pid)
        assert found is not None
        own = as_owner(found, waits_for="Its worker is starting.")
        wire.write(tmp_path / "owner.json", own)
        assert owner.claim(tmp_path, found, supervising=False) == own == owner.read_owner(tmp_path)
    finally:
        child.kill()
        child.wait()


def test_an_orphan_worker_is_ended_before_another_may_write(lab: Lab, tmp_path: Path) -> None:
    process = sleeper()
    try:
        wire.write(tmp_path / "owner.json", as_owner(dead_identity(), worker=owner.identity(process.pid)))
        owner.claim(tmp_path)
        assert lab.gone(process.pid)
    finally:
        process.kill()
        process.wait()


def test_an_orphan_that_does_not_end_keeps_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = sleeper()
    try:
        wire.write(tmp_path / "owner.json", as_owner(dead_identity(), worker=owner.identity(process.pid)))
        with monkeypatch.context() as patch, pytest.raises(WorkspaceBusy, match="does not end"):
            patch.setattr(owner, "_ORPHAN_TIMEOUT_S", 0.05)
            patch.setattr(os, "kill", lambda pid, number: None)
            owner.claim(tmp_path)
    finally:
        process.kill()
        process.wait()


def test_a_damaged_owner_file_owns_nothing(tmp_path: Path) -> None:
    (tmp_path / "owner.json").write_text("{")
    assert owner.read_owner(tmp_path) is None
    owner.claim(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no run folder"):
        owner.claim(tmp_path / "absent")


def test_a_guard_that_is_held_too_long_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "_GUARD_TIMEOUT_S", 0.05)
    refused: list[Exception] = []

    def enter() -> None:
        try:
            with owner.guarded(tmp_path):
                pass
        except WorkspaceBusy as error:
            refused.append(error)

    with owner.guarded(tmp_path):
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_a_cancel_is_not_softened_and_strange_words_ask_nothing(tmp_path: Path) -> None:
    request.ask(tmp_path, Request.CANCEL)
    request.ask(tmp_path, Request.PAUSE)
    assert request.asked(tmp_path) is Request.CANCEL
    (tmp_path / "request").write_bytes(b"\xff\xfe dance")
    assert request.asked(tmp_path) is Request.NOTHING


def test_a_request_that_finds_no_room_at_all_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: str) -> str:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(request, "atomic_write", full)
    request.ask(tmp_path, Request.PAUSE)
    assert request.asked(tmp_path) is Request.PAUSE
    with pytest.raises(DiskFull):
        request.ask(tmp_path / "absent", Request.PAUSE)

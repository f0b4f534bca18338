"""Whose run it is: ``owner.json`` names the one process that supervises a run and writes what its worker cannot.

A process is known by its number, the boot it belongs to and its start time, because numbers are
used again. A zombie has ended: only its parent has not looked yet.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from medfm_gui.base import wire
from medfm_gui.domain.errors import DiskFull, InputError, NotFound, WorkspaceBusy
from medfm_gui.jobs import request

_FILE = "owner.json"
_GUARD = ".owner.lock"
_GUARD_TIMEOUT_S = 10.0
_ORPHAN_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, never mistaken for a later one of the same number. ``started`` is in the system's own unit."""

    pid: int
    boot_id: str
    started: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The supervisor of a run.

    ``supervising`` is False while the run only stands in its queue; ``waits_for`` says what it waits
    for, empty once its worker is up; ``worker`` is the process that computes.
    """

    pid: int
    boot_id: str
    started: str
    supervising: bool = True
    waits_for: str = ""
    worker: ProcessIdentity | None = None

    @property
    def process(self) -> ProcessIdentity:
        """The owner as a process."""
        return ProcessIdentity(self.pid, self.boot_id, self.started)


def identity(pid: int) -> ProcessIdentity | None:
    """The living process of that number; None when there is none, or only its zombie."""
    if sys.platform == "linux":
        return _from_proc(pid)
    elif sys.platform == "win32":  # noqa: RET505  # pragma: no cover - CI on Windows only
        return _from_windows(pid)
    else:  # pragma: no cover - the same function is tested by itself
        return _from_ps(pid)


def myself() -> ProcessIdentity:
    """This process."""
    found = identity(os.getpid())
    return found or ProcessIdentity(os.getpid(), "", "")


def alive(owner: Owner | ProcessIdentity) -> bool:
    """Whether that very process still runs."""
    process = owner.process if isinstance(owner, Owner) else owner
    return identity(process.pid) == process


def _from_proc(pid: int) -> ProcessIdentity | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    fields = status.rpartition(")")[2].split()  # the program's name may hold spaces and brackets
    if len(fields) < 20 or fields[0] in ("Z", "X", "x"):
        return None
    return ProcessIdentity(pid, boot_id, fields[19])


def _from_ps(pid: int) -> ProcessIdentity | None:
    program = shutil.which("ps")
    if program is None:
        return None
    said = subprocess.run(
        [program, "-o", "stat=,lstart=", "-p", str(pid)],
        env={"LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    ).stdout.split(maxsplit=1)
    if len(said) < 2 or said[0].startswith("Z"):
        return None
    return ProcessIdentity(pid, "", said[1].strip())  # a full date needs no boot


if sys.platform == "win32":  # pragma: no cover - CI on Windows only
    import ctypes
    from ctypes import wintypes

    _QUERY_LIMITED_INFORMATION = 0x1000

    def _from_windows(pid: int) -> ProcessIdentity | None:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        handle = kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
        if not handle:
            return None
        try:
            made, ended, in_kernel, in_user = (wintypes.FILETIME() for _ in range(4))
            parts = [ctypes.byref(part) for part in (made, ended, in_kernel, in_user)]
            known = kernel.GetProcessTimes(wintypes.HANDLE(handle), *parts)
            if not known or ended.dwLowDateTime or ended.dwHighDateTime:
                return None
            return ProcessIdentity(pid, "", str((made.dwHighDateTime << 32) | made.dwLowDateTime))
        finally:
            kernel.CloseHandle(wintypes.HANDLE(handle))


def read_owner(folder: Path) -> Owner | None:
    """Who owns the run, alive or not; None when nobody does."""
    try:
        return wire.read(Owner, folder / _FILE)
    except (NotFound, InputError):  # a file that names nobody owns nothing
        return None


@contextlib.contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Alone with ``owner.json`` and ``request`` of that run, for a moment.

    Raises:
        NotFound: there is no such folder.
        WorkspaceBusy: another program holds them for longer than any of ours does.
    """
    if not folder.is_dir():
        raise NotFound(f"There is no run folder “{folder}”.", "“medfm runs” lists what there is.")
    lock = FileLock(folder / _GUARD)
    try:
        lock.acquire(timeout=_GUARD_TIMEOUT_S, poll_interval=0.01)
    except Timeout:
        raise WorkspaceBusy(
            f"The run “{folder.name}” is held by another program.", "Wait a moment and do it again."
        ) from None
    try:
        yield
    finally:
        lock.release()


def claim(folder: Path, process: ProcessIdentity | None = None, *, supervising: bool = True) -> Owner:
    """Make a process (default: this one) the owner of a run.

    A run that this process keeps in its queue is taken over; a request that waits for it stays. Of a
    dead owner, the worker is ended if it still runs, and its requests are forgotten.

    Raises:
        WorkspaceBusy: the run has an owner that lives.
        NotFound: there is no such folder.
    """
    me = myself()
    process = process or me
    with guarded(folder):
        former = read_owner(folder)
        if former is not None and alive(former):
            if former.process != process or (former.supervising and process == me):
                raise busy(folder, former)
            if former.supervising:
                return former  # the detached supervisor was quicker than the program that started it
        else:
            if former is not None and former.worker is not None:
                _end_orphan(folder, former.worker)
            request.forget(folder)
        owner = Owner(process.pid, process.boot_id, process.started, supervising, "It is about to start.")
        _write(folder, owner)
        return owner


def busy(folder: Path, owner: Owner) -> WorkspaceBusy:
    """The refusal of a run that somebody supervises."""
    return WorkspaceBusy(
        f"The run “{folder.name}” is already in the hands of process {owner.pid}.",
        f"Wait until it ends, or stop it with “medfm cancel {folder.name}”.",
    )


def _end_orphan(folder: Path, worker: ProcessIdentity) -> None:
    """Where the kernel does not tie a worker to its parent, it may outlive it for a moment; two may not write."""
    deadline = time.monotonic() + _ORPHAN_TIMEOUT_S
    while alive(worker):
        with contextlib.suppress(OSError):
            os.kill(worker.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        if time.monotonic() > deadline:
            raise WorkspaceBusy(
                f"A worker of the run “{folder.name}” (process {worker.pid}) does not end.",
                "End it with the system's task list, then resume the run.",
            )
        time.sleep(0.02)


def note(folder: Path, owner: Owner, *, waits_for: str, worker: ProcessIdentity | None = None) -> Owner:
    """Say in ``owner.json`` what the run waits for and which worker it has; a full disk keeps the old words."""
    changed = replace(owner, waits_for=waits_for, worker=worker)
    if changed != owner:
        with contextlib.suppress(DiskFull):  # the run itself must find out, and can say it better
            _write(folder, changed)
    return changed


def _write(folder: Path, owner: Owner) -> None:
    wire.write(folder / _FILE, owner)


def disown(folder: Path) -> None:
    """Nobody supervises the run any more. Call it ``guarded``."""
    request.forget(folder)
    (folder / _FILE).unlink(missing_ok=True)

"""Child processes that see a clean environment and never outlive their parent.

Linux ties a child's life to the *thread* that started it, so one thread that lives as long as the
process starts them all. The child calls ``die_with_parent`` first thing; on every system it also
ends when the pipe from its parent closes (``die_with_pipe``).
"""

from __future__ import annotations

import ctypes
import functools
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Any

_Child = subprocess.Popen[bytes]
_Order = tuple[Callable[[], _Child], "Future[_Child]"]

# fmt: off
_KEPT = {
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR",
    "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "USERPROFILE", "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "HF_HOME",
    "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "PYTHONHASHSEED",
}
# fmt: on
_KEPT_PREFIXES = ("LC_", "XDG_", "MEDFM_", "NVIDIA_", "OPENBLAS_")
_PARENT = "MEDFM_PARENT_PID"
_PR_SET_PDEATHSIG = 1
_APART = 0
if sys.platform == "win32":  # pragma: no cover - CI on Windows only
    _APART = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables a child may see: nothing that loads code (PYTHONPATH, LD_PRELOAD, ITK_AUTOLOAD_PATH …) passes."""
    kept = {key: value for key, value in os.environ.items() if key in _KEPT or key.startswith(_KEPT_PREFIXES)}
    kept.update(
        {
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "DO_NOT_TRACK": "1",
            "PYTHONUTF8": "1",
            "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
            _PARENT: str(os.getpid()),
        }
    )
    kept.update(extra or {})
    return kept


def compute_environment(*, network: bool = False) -> dict[str, str]:
    """What a process that computes with tensors needs to be set before it starts.

    Spinning OpenMP threads collapse beside one busy core, hence PASSIVE; glibc returning memory to
    the system at each step doubles the time of small networks, hence the thresholds.
    """
    threads = str(max(1, (os.cpu_count() or 2) - 1))
    return {
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "MALLOC_MMAP_THRESHOLD_": "4294967296",
        "MALLOC_TRIM_THRESHOLD_": "4294967296",
        "HF_HUB_OFFLINE": "0" if network else "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def python(module: str, *arguments: str) -> list[str]:
    """The command line that runs one of our modules: ``-P`` keeps the current folder off the path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    stdin: int | None = subprocess.PIPE,
    stdout: int | IO[Any] | None = subprocess.DEVNULL,
    stderr: int | IO[Any] | None = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a child that dies with this process, in a process group of its own.

    The group keeps a Ctrl-C of the terminal from the child: what it means is its parent's business.
    With ``end_family`` the group also takes the child's own children along.

    Args:
        folder: its working directory; never a folder of data.

    Raises:
        OSError: the program cannot be started.
    """

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            list(command),
            env=dict(environment),
            cwd=folder,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            close_fds=True,
            creationflags=_APART,
            process_group=0 if os.name == "posix" else None,
        )

    answer: Future[_Child] = Future()
    _starter().put((start, answer))
    return answer.result()


def end_family(process: subprocess.Popen[bytes]) -> None:
    """Kill a child of ``spawn`` at once, and on POSIX what it started and did not put into another group."""
    if sys.platform == "win32":  # pragma: no cover - CI on Windows only
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody is left (macOS says EPERM of a group of zombies)
        process.kill()


@functools.cache
def _starter() -> queue.SimpleQueue[_Order]:
    orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()

    def serve() -> None:
        while True:
            start, answer = orders.get()
            try:
                answer.set_result(start())
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, whatever it is
                answer.set_exception(error)

    threading.Thread(target=serve, name="children", daemon=True).start()
    return orders


def die_with_parent() -> None:
    """Called first in a child: the kernel kills it when its parent's starting thread ends (Linux)."""
    end_with_starter()
    parent = os.environ.get(_PARENT)
    if os.name == "posix" and parent and os.getppid() != int(parent):
        os._exit(125)  # it was gone before we asked


def end_with_starter() -> None:
    """Ask the kernel to kill this process when the thread that started it ends (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def die_with_pipe(descriptor: int = 0) -> None:
    """End this process when the pipe from its parent closes; on every system."""

    def watch() -> None:
        try:
            while os.read(descriptor, 4096):
                pass
        finally:  # closed, or never open: either way nobody holds the other end
            os._exit(125)

    threading.Thread(target=watch, name="pipe", daemon=True).start()


def lower_priority(steps: int = 5, *, pid: int = 0) -> None:
    """Leave the processor to the window first: niceness ``steps`` at least, for this process or a child.

    Doing it twice is doing it once. On Windows priorities are set at start and nothing is done here.
    """
    if sys.platform != "win32":
        current = os.getpriority(os.PRIO_PROCESS, pid)
        os.setpriority(os.PRIO_PROCESS, pid, max(current, steps))

"""From a fresh checkout to a running program: ``python3 installer/bootstrap.py demo`` or ``… test``.

The order: is this Python new enough, does Qt find its system libraries (only a warning), is ``.venv``
whole and made from today's ``pyproject.toml`` (else make it, else install into it), then run what was
asked for with the interpreter of ``.venv``. A second start skips the middle and takes a moment.

Only the standard library is used, and nothing that Python 3.8 could not parse: an old Python must be able
to say that it is too old. Everything said here goes to stderr; stdout belongs to the program.
"""

from __future__ import annotations

import collections
import ctypes.util
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterable, NamedTuple, Sequence  # noqa: UP035 Python 3.8 must get as far as the version check

WINDOWS = os.name == "nt"
ROOT = Path(__file__).resolve().parent.parent
MINIMUM = (3, 11)
GB = 10**9
NEEDED_NEW = 8 * GB
"""Free bytes for a new environment: PyTorch and its libraries unpack to about 6 GB."""
NEEDED_AGAIN = GB
MOST_WORKERS = 8
"""Processes that run tests at the same time: each loads PyTorch and takes 1 to 2 GB."""
EXTRAS = {"demo": frozenset(), "test": frozenset({"test"})}

USAGE = """\
usage: bootstrap.py demo [--headless] [--workspace DIR] [--json]
       bootstrap.py test [options of pytest]

demo   the whole main job on simulated patients
test   style, architecture, types and all tests, on every core (-n 0: one test after another in one process);
       needs no network once installed
"""


class Trouble(Exception):
    """Why this cannot go on, and what to do: a sentence each."""


class Library(NamedTuple):
    """A system library that Qt opens, and the Debian package that has it."""

    file: str
    package: str


QT_LIBRARIES = (
    Library("libEGL.so.1", "libegl1"),
    Library("libGL.so.1", "libgl1"),
    Library("libglib-2.0.so.0", "libglib2.0-0"),
    Library("libdbus-1.so.3", "libdbus-1-3"),
    Library("libfontconfig.so.1", "libfontconfig1"),
    Library("libxkbcommon.so.0", "libxkbcommon0"),
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    Library("libX11-xcb.so.1", "libx11-xcb1"),
    Library("libxcb-cursor.so.0", "libxcb-cursor0"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4"),
    Library("libxcb-image.so.0", "libxcb-image0"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1"),
    Library("libxcb-randr.so.0", "libxcb-randr0"),
    Library("libxcb-render-util.so.0", "libxcb-render-util0"),
    Library("libxcb-shape.so.0", "libxcb-shape0"),
    Library("libxcb-xkb.so.1", "libxcb-xkb1"),
)


class Stamp(NamedTuple):
    """What an environment was made from."""

    pyproject: str
    python: str
    place: str
    extras: frozenset[str]

    def serves(self, wanted: Stamp) -> bool:
        """Whether an environment with this stamp can run what needs ``wanted``."""
        return self[:3] == wanted[:3] and self.extras >= wanted.extras


def main(arguments: Sequence[str]) -> int:
    """Prepare the environment and run the command; returns the exit status."""
    if not arguments or arguments[0] not in EXTRAS:
        say(USAGE)
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    command, rest = arguments[0], list(arguments[1:])
    try:
        check_python(sys.version_info[:3], platform.python_implementation(), sys.maxsize)
        warn_of_missing_libraries(sys.platform)
        python = prepare(ROOT, EXTRAS[command])
    except Trouble as trouble:
        say(str(trouble))
        return 1
    except KeyboardInterrupt:
        say("Stopped. Start again to go on.")
        return 130
    return run_demo(python, rest) if command == "demo" else run_checks(python, rest)


def say(words: str) -> None:
    """A line for the person at the terminal."""
    print(words, file=sys.stderr, flush=True)


# ---- this Python and this system --------------------------------------------------------------------


def check_python(version: tuple[int, ...], implementation: str, largest: int) -> None:
    """Refuse an interpreter that the dependencies do not support.

    Raises:
        Trouble: too old, not CPython, or 32 bits.
    """
    wanted = ".".join(map(str, MINIMUM))
    if version[:2] < MINIMUM:
        have = ".".join(map(str, version))
        newer = newer_python()
        hint = f"Run it with {newer}." if newer else "Install it from python.org or your system's packages."
        raise Trouble(f"MedFM Studio needs Python {wanted} or newer; this is Python {have}. {hint}")
    if implementation != "CPython":
        raise Trouble(f"MedFM Studio needs CPython; this is {implementation}. Run it with python.org's Python.")
    if largest <= 2**32:
        raise Trouble("MedFM Studio needs a 64-bit Python, because PyTorch does; this one has 32 bits.")


def newer_python() -> str | None:
    """The newest Python on the search path that is new enough and runs."""
    for minor in range(14, MINIMUM[1] - 1, -1):
        name = f"python3.{minor}"
        if shutil.which(name) and answers([name, "-c", ""]):
            return name
    return None


def warn_of_missing_libraries(system: str) -> None:
    """Say which system packages the window needs and Linux lacks; nothing else depends on them."""
    if not system.startswith("linux"):
        return
    missing = missing_libraries(known_libraries())
    if missing:
        files = ", ".join(library.file for library in missing)
        packages = " ".join(library.package for library in missing)
        say(f"warning: the window's toolkit Qt will not find {files}.")
        say(f"  On Debian or Ubuntu: sudo apt-get install -y {packages}")


def known_libraries() -> frozenset[str]:
    """File names in the linker's cache; empty where it cannot be asked."""
    tool = shutil.which("ldconfig") or shutil.which("ldconfig", path="/sbin:/usr/sbin")
    if tool is None:
        return frozenset()
    answer = subprocess.run([tool, "-p"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    lines = answer.stdout.decode(errors="replace").splitlines()
    return frozenset(line.split()[0] for line in lines if "=>" in line)


def missing_libraries(known: frozenset[str]) -> tuple[Library, ...]:
    """Those of ``QT_LIBRARIES`` that neither the cache nor the C library's own search has."""

    def found(library: Library) -> bool:
        name = library.file[len("lib") : library.file.index(".so")]
        return library.file in known or ctypes.util.find_library(name) is not None

    return tuple(library for library in QT_LIBRARIES if not found(library))


# ---- the environment --------------------------------------------------------------------------------


def prepare(root: Path, extras: frozenset[str]) -> Path:
    """The interpreter of a whole and current ``.venv``, made or mended if need be.

    Raises:
        Trouble: it cannot be made.
    """
    folder = root / ".venv"
    python = folder / ("Scripts/python.exe" if WINDOWS else "bin/python")
    version, old = version_of(python), read_stamp(folder)
    if old is not None and old.serves(wanted_stamp(root, version, extras)):
        return python
    check_disk(root, NEEDED_AGAIN if version and holds_torch(folder) else NEEDED_NEW)
    stamp_file(folder).unlink(missing_ok=True)  # from here until the end the environment is half-made
    if not (version and answers([str(python), "-m", "pip", "--version"])):
        make_environment(folder)
        version, old = version_of(python), None
    wanted = wanted_stamp(root, version, extras)
    if old is not None and old[:3] == wanted[:3]:
        wanted = wanted._replace(extras=wanted.extras | old.extras)
    install(root, python, wanted.extras)
    write_stamp(folder, wanted)
    return python


def wanted_stamp(root: Path, version: str, extras: frozenset[str]) -> Stamp:
    """The stamp of an environment of that Python, made now from this checkout."""
    digest = hashlib.sha256((root / "pyproject.toml").read_bytes()).hexdigest()
    return Stamp(digest, version, str(root), extras)


def stamp_file(folder: Path) -> Path:
    """Where an environment keeps its stamp; it is there only while the environment is whole."""
    return folder / "medfm-stamp.json"


def read_stamp(folder: Path) -> Stamp | None:
    """The stamp of an environment; None where there is none that can be read."""
    try:
        written: Any = json.loads(stamp_file(folder).read_text(encoding="utf-8"))
        return Stamp(written["pyproject"], written["python"], written["place"], frozenset(written["extras"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_stamp(folder: Path, stamp: Stamp) -> None:
    """Mark the environment as whole."""
    text = json.dumps({**stamp._asdict(), "extras": sorted(stamp.extras)}, indent=1)
    temporary = stamp_file(folder).with_suffix(".tmp")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(stamp_file(folder))


def version_of(python: Path) -> str:
    """Version and machine of an environment's interpreter; empty where it does not start or is too old."""
    script = f"import platform, sys; sys.version_info >= {MINIMUM} and print(sys.version, platform.machine())"
    try:
        answer = subprocess.run(
            [str(python), "-I", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.decode(errors="replace").strip()


def answers(command: Sequence[str]) -> bool:
    """Whether a short command ends well."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def holds_torch(folder: Path) -> bool:
    """Whether the largest dependency is installed already."""
    return any(folder.glob("lib/python*/site-packages/torch")) or (folder / "Lib/site-packages/torch").is_dir()


def check_disk(root: Path, needed: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        Trouble: there is too little space.
    """
    free = shutil.disk_usage(root).free
    if free < needed:
        raise Trouble(
            f"The disk that holds {root} has {free / GB:.1f} GB free; the installation needs {needed / GB:.0f} GB. "
            "Free some space, or move the checkout to a larger disk, and start again."
        )


def make_environment(folder: Path) -> None:
    """Make ``.venv`` new, in place of a broken or half-made one.

    Raises:
        Trouble: this Python has no venv, or it fails.
    """
    if any(importlib.util.find_spec(module) is None for module in ("venv", "ensurepip")):
        minor = ".".join(map(str, sys.version_info[:2]))
        raise Trouble(
            "This Python has no “venv” with “ensurepip”, so no environment can be made. "
            f"On Debian or Ubuntu: sudo apt-get install -y python{minor}-venv"
        )
    if folder.is_symlink():
        raise Trouble(f"{folder} is a link to an environment that does not work. Remove the link and start again.")
    say(f"Making {folder} …")
    base = getattr(sys, "_base_executable", "") or sys.executable
    status, last = told([base, "-m", "venv", "--clear", str(folder)], folder.parent, show=False)
    if status:
        raise Trouble(lines(f"The environment {folder} could not be made (exit status {status}):", last))


def install(root: Path, python: Path, extras: frozenset[str]) -> None:
    """Install the checkout, editable, with what it needs.

    Raises:
        Trouble: pip fails; its last lines are told.
    """
    what = ".[{}]".format(",".join(sorted(extras))) if extras else "."
    say(f"Installing {what} into {root / '.venv'} (PyTorch is large: some minutes) …")
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    unpacked = root / ".venv" / "tmp"  # the system's temporary folder is often too small for PyTorch
    unpacked.mkdir(exist_ok=True)
    try:
        status, last = told([*command, "--progress-bar", "off", "-e", what], root, show=True, temporary=unpacked)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    if not status:
        return
    if shutil.disk_usage(root).free < GB // 2:
        raise Trouble(f"The disk that holds {root} became full while pip installed. Free 8 GB and start again.")
    advice = (
        "Without a network: fetch the wheels on another computer by “pip download”, copy the folder here, set "
        "PIP_NO_INDEX=1 and PIP_FIND_LINKS=FOLDER, and start again. Behind a proxy: set HTTPS_PROXY."
    )
    raise Trouble(lines(f"pip could not install {what} (exit status {status}). Its last lines:", last, advice))


_PROGRESS = ("Collecting ", "Downloading ", "Building ", "Installing ", "Successfully ")


def told(
    command: Sequence[str], folder: Path, *, show: bool, temporary: Path | None = None
) -> tuple[int, collections.deque[str]]:
    """Run a tool, say (or keep quiet) how far it is; its exit status and its last lines."""
    environment = dict(os.environ)
    environment.pop("PYTHONPATH", None)
    if temporary is not None:
        environment.update(TMPDIR=str(temporary), TEMP=str(temporary), TMP=str(temporary))
    last: collections.deque[str] = collections.deque(maxlen=12)
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for raw in process.stdout or ():
            line = raw.decode(errors="replace").strip()
            last.append(line)
            if show and line.startswith(_PROGRESS):
                say(f"  {line}")
        return process.wait(), last


def lines(head: str, last: Iterable[str], tail: str = "") -> str:
    """A message with the indented words of a tool in its middle."""
    return "\n".join([head, *(f"  {line}" for line in last), *([tail] if tail else [])])


# ---- what was asked for -----------------------------------------------------------------------------


def run_demo(python: Path, rest: Sequence[str]) -> int:
    """The demonstration in the caller's folder; its stdout and exit status are the program's own."""
    command = [str(python), "-P", "-m", "medfm_gui", "demo", *rest]
    if not WINDOWS:
        os.execv(command[0], command)  # noqa: S606 this process becomes the program: signals reach it directly
    return status_of(command)


def run_checks(python: Path, rest: Sequence[str]) -> int:
    """Every check in order, pytest last so that its summary closes; not zero if any failed."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the tests start Python often: compile each module once
    failed = []
    for check in checks(python):
        say(f"── {' '.join([Path(check[0]).stem, *check[1:]])}")
        if status_of(check, ROOT, stdout=sys.stderr.fileno()):
            failed.append(Path(check[0]).stem + (f" {check[1]}" if check[1:] else ""))
    if failed:
        say(f"FAILED before the tests: {', '.join(failed)}")
    options = [*side_by_side(rest, usable_cores()), *rest]
    say(f"── {' '.join(['pytest', *options])}")
    tests = status_of([tool(python, "pytest"), *options], ROOT)
    return tests or (1 if failed else 0)


def side_by_side(options: Sequence[str], cores: int) -> list[str]:
    """Options by which pytest uses every core; none where the caller says how it is to run, or wants to look on."""
    decided = ("-n", "--numprocesses", "--dist", "-s", "--capture", "--pdb", "--trace", "--collect-only", "--co")
    words = [option.split("=")[0] for option in options]
    if cores < 2 or any(word in decided or re.fullmatch(r"-n\d+|-p ?no:xdist|no:xdist", word) for word in words):
        return []
    return ["-n", str(min(cores, MOST_WORKERS)), "--dist", "loadscope"]


def usable_cores() -> int:
    """Cores that this process may use; a container is often given fewer than the computer has."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def checks(python: Path) -> list[list[str]]:
    """The checks that come before the tests: style, layout, architecture, types."""
    return [
        [tool(python, "ruff"), "check", "."],
        [tool(python, "ruff"), "format", "--check", "."],
        [tool(python, "lint-imports")],
        [tool(python, "mypy")],
    ]


def tool(python: Path, name: str) -> str:
    """The path of a tool that is installed beside the environment's interpreter."""
    return str(python.with_name(name + (".exe" if WINDOWS else "")))


def status_of(command: Sequence[str], folder: Path | None = None, stdout: int | None = None) -> int:
    """The exit status of a program that keeps the terminal; 128 + n where signal n ended it."""
    try:
        process = subprocess.Popen(command, cwd=folder, stdout=stdout)
    except FileNotFoundError:
        say(f"{command[0]} is not there. Remove .venv and start again.")
        return 1
    while True:
        try:
            status = process.wait()
            return status if status >= 0 else 128 - status
        except KeyboardInterrupt:
            continue  # the terminal told the program too; it ends in its own way


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Diagnostics: what a developer needs to help, and nothing of a patient, of data or of whose computer it is.

Logs hold what libraries print, and that may be anything. So a line is kept only where its whole form is known to be
harmless (a stack frame, the name of an error, a mark of ours); the others are counted. Free text is never kept.
"""

from __future__ import annotations

import io
import platform
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from medfm_gui import __version__
from medfm_gui.base.atomic import atomic_file
from medfm_gui.base.settings import settings_file
from medfm_gui.desk.answers.packages import packages
from medfm_gui.desk.asks.settings import DiagnosticFile, DiagnosticFiles, SavedDiagnostics
from medfm_gui.desk.room import Room
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.run import Phase

_LINES = 200
_MOST_BYTES = 256_000
_MOST_LOGS = 5

_FRAME = re.compile(r"\s*(?:~~)?File \"(?:.*[\\/])?([\w.<>\- ]{1,80})\", line (\d{1,7})(?:,? in ([\w.<>]{1,80}))?")
_OUR_FRAME = re.compile(r"\s*(?:[\w.\-]{1,60}\.pyx?|<frozen [\w.]{1,60}>):\d{1,7} [\w.<>]{1,80}")
_ERROR = re.compile(r"((?:[A-Za-z_]\w{0,60}\.){0,6}[A-Za-z_]\w{0,60}(?:Error|Exception|Warning|Interrupt))(?::.*)?")
_MARKS = re.compile(
    r"--- worker started [\d\-]{10}T[\d:]{8}Z"
    r"|\[earlier lines were cut\]"
    r"|Traceback \(most recent call last\):"
    r"|(?:Current thread|Thread) 0x[0-9a-f]{1,16} .{0,30}\(most recent call first\):"
    r"|[\d\-]{10}T[\d:]{8} (?:\w{1,60}|Qt Qt\w{1,20}Msg)"
    r"|Killed|Aborted|Segmentation fault"
)
_FATAL = re.compile(
    r"(Fatal Python error: (?:Segmentation fault|Aborted|Bus error|Illegal instruction|Floating-point.*))"
)
_PHRASES = (
    "CUDA out of memory",
    "out of memory",
    "No space left on device",
    "CUDA error",
    "No CUDA GPUs are available",
)
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|'[^']*'")
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\\/]|~)[^\s,;:()]*")


def collect(room: Room) -> DiagnosticFiles:
    """Every file of the diagnostics as it would be written now."""
    return DiagnosticFiles(
        (
            DiagnosticFile("versions.txt", "The program, the system and every package, by version", _versions()),
            DiagnosticFile("computer.txt", "What this computer can do, as it was last examined", _computer(room)),
            DiagnosticFile("workspace.txt", "How many datasets, runs, studies and reports; no names", _counts(room)),
            *_logs(room),
        )
    )


def save(room: Room, path: Path) -> SavedDiagnostics:
    """Write them as one zip file.

    Raises:
        InputError: the folder is not there or cannot be written.
        DiskFull: there is no space.
    """
    path = path.expanduser().absolute()
    if not path.parent.is_dir():
        raise InputError(f"There is no folder “{path.parent.name}”.", "Choose another folder.")
    files = collect(room).files
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file.name, (1980, 1, 1, 0, 0, 0)), file.text)
    data = whole.getvalue()
    with atomic_file(path, expected_bytes=len(data)) as handle:
        handle.write(data)
    return SavedDiagnostics(str(path), len(data), len(files))


def _versions() -> str:
    from medfm_gui.store.schema import sqlite_version

    lines = [
        f"MedFM Studio {__version__}",
        f"Python {platform.python_version()} ({platform.python_implementation()})",
        f"{platform.system()} {platform.release()} on {platform.machine()}",
        f"SQLite {'.'.join(map(str, sqlite_version()))}",
        "",
        *(f"{item.name} {item.version}" for item in packages()),
    ]
    return "\n".join(lines) + "\n"


def _computer(room: Room) -> str:
    from medfm_gui.desk.answers.home import examination

    seen = examination(room)
    if seen.diagnosis is None:
        return "This computer has not been examined yet.\n"
    facts = seen.diagnosis
    lines = [f"Examined {seen.at}"]
    for device in facts.devices:
        memory = f", {device.memory_gb:g} GB" if device.memory_gb else ""
        lines.append(f"Device {device.id}: {device.name}{memory}")
    lines += [
        f"torch {facts.torch or 'could not be loaded'}",
        f"Free disk space {facts.disk_free_gb:g} GB",
        f"Network {facts.network}",
        f"Weights present {seen.weights_present} of {seen.weights_total}",
        *(f"Problem: {without_names(item.message)}" for item in facts.problems),
    ]
    return "\n".join(lines) + "\n"


def _counts(room: Room) -> str:
    from medfm_gui.store import queries

    with room.workspace.store.reading() as reader:
        datasets, runs = queries.datasets(reader), queries.runs(reader)
        studies, reports = queries.studies(reader), queries.reports(reader)
    phases = Counter(row.state.phase.value for row in runs)
    failures = Counter(row.state.error_kind or "unnamed" for row in runs if row.state.phase is Phase.FAILED)
    lines = [
        f"Datasets {len(datasets)} (samples: {', '.join(str(row.n_samples) for row in datasets) or 'none'})",
        f"Runs {len(runs)} ({_counted(phases) or 'none'})",
        f"Failed because of: {_counted(failures) or 'no run failed'}",
        f"Studies {len(studies)}",
        f"Reports {len(reports)}",
    ]
    return "\n".join(lines) + "\n"


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items()))


def _logs(room: Room) -> Iterator[DiagnosticFile]:
    for folder, about in (
        (room.workspace.root / "logs", "Last lines of a log of this workspace"),
        (settings_file().parent / "logs", "Last lines of a log of the window"),
    ):
        for path in _newest([*folder.glob("*.log"), *folder.glob("crash-*.txt")]):
            yield DiagnosticFile(f"logs/{path.name}", about, scrubbed(_tail(path), is_ours=path.name == "desk.log"))
    failed = [path for path in (room.workspace.root / "runs").glob("*/log.txt") if _has_failed(path.parent)]
    for path in _newest(failed):
        yield DiagnosticFile(
            f"logs/{path.parent.name}.txt",
            "Last lines of what the worker of a failed run printed",
            scrubbed(_tail(path)),
        )


def _has_failed(folder: Path) -> bool:
    from medfm_gui.jobs.follow import state_of

    return state_of(folder).phase is Phase.FAILED


def _newest(paths: Sequence[Path]) -> list[Path]:
    def when(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:  # gone at this moment
            return 0.0

    found = [path for path in paths if path.is_file() and not path.is_symlink()]
    return sorted(found, key=when, reverse=True)[:_MOST_LOGS]


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            size = handle.seek(0, io.SEEK_END)
            handle.seek(max(0, size - _MOST_BYTES))
            return "\n".join(handle.read().decode("utf-8", "replace").splitlines()[-_LINES:])
    except OSError:
        return ""


def scrubbed(text: str, *, is_ours: bool = False) -> str:
    """The lines whose form is harmless; runs of others as a count. ``is_ours``: a log that only the desk writes."""
    kept: list[str] = []
    left_out = 0
    for line in text.splitlines():
        harmless = _harmless(line, is_ours=is_ours)
        if not harmless:
            left_out += bool(line.strip())
            continue
        if left_out:
            kept.append(_left_out(left_out))
            left_out = 0
        kept.append(harmless)
    if left_out:
        kept.append(_left_out(left_out))
    return "\n".join(kept) + "\n" if kept else "(empty)\n"


def _left_out(count: int) -> str:
    return f"[{count} {'line' if count == 1 else 'lines'} left out]"


def _harmless(line: str, *, is_ours: bool) -> str:
    if frame := _FRAME.fullmatch(line.rstrip()):
        return f"  {frame[1]}:{frame[2]} {frame[3] or ''}".rstrip()
    if _OUR_FRAME.fullmatch(line) or _MARKS.fullmatch(line):
        return line
    if fatal := _FATAL.match(line):
        return fatal[1][:80]
    if is_ours and re.fullmatch(r"\w{1,60}: \w{1,60}", line):
        return line
    phrase = next((phrase for phrase in _PHRASES if phrase in line), "")
    if error := _ERROR.fullmatch(line):
        return f"{error[1]}: {phrase}" if phrase else error[1]
    return phrase


def without_names(text: str) -> str:
    """A sentence of ours without what it quotes and without paths."""
    return _PATH.sub("[…]", _QUOTED.sub("“…”", text))

"""How a command answers: one document on stdout, everything else on stderr, a failure as one sentence and exit 1."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import DiskFull, InputError, InternalError, Interrupted, MedfmError
from medfm_gui.domain.run import RunState

_REFUSED = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EIO, errno.ENAMETOOLONG}
)
_WIDE = 10_000
_MOST_SKIPPED = 20

Place = Annotated[Path | None, typer.Option("--workspace", help="Folder of the workspace.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress and no remarks.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]
ClassSets = Annotated[
    bool | None,
    typer.Option(
        "--class-sets/--no-class-sets",
        help="Sets of classes (conformal, three classes or more); default: what the settings say, which is off.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a command's words go."""

    as_json: bool
    quiet: bool
    errors: Console = field(default_factory=lambda: Console(stderr=True, highlight=False, soft_wrap=True))

    def remark(self, text: str) -> None:
        """Something worth saying beside the answer, on stderr. Never read as markup."""
        if not self.quiet:
            self.errors.print(Text(text))

    def give(self, document: Mapping[str, Any], lines: Sequence[str] = (), table: RenderableType | None = None) -> None:
        """The answer: the document with ``--json``, else the lines and the table."""
        try:
            self._write(document, lines, table)
        except BrokenPipeError as error:
            raise _ReaderGone from error

    def _write(self, document: Mapping[str, Any], lines: Sequence[str], table: RenderableType | None) -> None:
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n")
            sys.stdout.flush()
            return
        console = Console(highlight=False, soft_wrap=True)
        if not console.is_terminal:
            console.width = _WIDE  # a file or a pipe has no edge: cells are kept whole
        for line in lines:
            console.print(Text(line))
        if table is not None:
            console.print(table)
        sys.stdout.flush()

    @contextlib.contextmanager
    def progress(self) -> Iterator[Bars]:
        """Progress bars on a terminal; on anything else nothing."""
        with Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}", markup=False),
            TimeRemainingColumn(),
            console=self.errors,
            disable=self.quiet or not self.errors.is_terminal,
        ) as shown:
            yield Bars(shown)


@dataclass(frozen=True, slots=True)
class Bars:
    """Progress bars by name."""

    shown: Progress
    tasks: dict[str, TaskID] = field(default_factory=dict)

    def at(self, name: str, done: int, total: int, speed: str = "") -> None:
        """Show how far ``name`` has come; ``total`` 0 = unknown."""
        if name not in self.tasks:
            self.tasks[name] = self.shown.add_task(name, total=total or None, speed="")
        self.shown.update(self.tasks[name], completed=done, total=total or None, speed=speed)

    def counting(self, name: str) -> Callable[[int, int], None]:
        """A callback (done, total) for one bar."""
        return lambda done, total: self.at(name, done, total)

    def run(self, run_id: str, events: Sequence[ev.Event], state: RunState) -> None:
        """Show how far a run has come."""
        speed = f"{state.samples_per_second:.1f}/s" if state.samples_per_second else ""
        self.at(f"{run_id} {state.stage or state.phase.value}", state.done, state.total, speed)

    def event(self, event: ev.Event) -> None:
        """Show a single progress event."""
        if isinstance(event, ev.Progressed):
            self.at(event.stage, event.done, event.total, f"{event.samples_per_second:.1f}/s")


class _ReaderGone(Exception):
    """Whoever read stdout has ended, as ``| head`` does."""


@contextlib.contextmanager
def answering(as_json: bool, quiet: bool, debug: bool) -> Iterator[Answer]:
    """Run a command's body; a named failure becomes a sentence, exit status 1, and with ``--json`` a document."""
    answer = Answer(as_json, quiet)
    try:
        yield answer
    except typer.Exit:
        raise
    except MedfmError as error:
        _fail(answer, error, debug)
    except KeyboardInterrupt:
        stopped = Interrupted("The command was stopped.", "Start it again; what was complete before is still there.")
        if answer.as_json:
            answer.give({"error": {"kind": stopped.kind, "message": stopped.message, "hint": stopped.hint}})
        answer.errors.print(Text(f"medfm: {stopped}"))
        raise typer.Exit(130) from None
    except _ReaderGone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would be written at the very end
        raise typer.Exit(1) from None
    except Exception as error:  # noqa: BLE001  the border: a defect must not greet anybody with a traceback
        _fail(answer, _named(error), debug)


def _named(error: Exception) -> MedfmError:
    """What the disk refused, in words; anything else is a defect."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" (“{error.filename}”)" if error.filename else ""
        return DiskFull(
            f"The disk is full, so something could not be written{where}.",
            "Free some space and do it again; what was complete before is still there.",
        )
    if isinstance(error, OSError) and error.errno in _REFUSED and error.filename:
        return InputError(
            f"“{os.fsdecode(error.filename)}” cannot be used ({error.strerror}).",
            "Check the path, and that you may read and write there.",
        )
    message = f"Something went wrong inside the program ({type(error).__name__}: {error})."
    return InternalError(message, "Do it again with --debug and report what it prints.")


def _fail(answer: Answer, error: MedfmError, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    if answer.as_json:
        answer.give({"error": {"kind": error.kind, "message": error.message, "hint": error.hint}})
    answer.errors.print(Text(f"medfm: {error}"))
    raise typer.Exit(1) from error


def table(*columns: str, rows: Sequence[Sequence[object]]) -> Table:
    """A plain table; nothing in it is read as markup."""
    made = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*(Text("" if value is None else str(value)) for value in row))
    return made


def skipped_lines(skipped: Sequence[Skipped]) -> list[str]:
    """What was left out and why, for people."""
    if not skipped:
        return []
    lines = ["1 file was skipped:" if len(skipped) == 1 else f"{len(skipped)} files were skipped:"]
    lines += [f"  {item.path}: {item.message or item.reason}" for item in skipped[:_MOST_SKIPPED]]
    if len(skipped) > _MOST_SKIPPED:
        lines.append(f"  and {len(skipped) - _MOST_SKIPPED} more (--json lists all)")
    return lines

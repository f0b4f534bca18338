"""The engine's only door: ``python -P -m medfm_gui.engine.worker FOLDER`` or ``… worker --serve``.

In this order: tie this process's life to its parent's, step behind the window in priority, open the event
log (its beats are heard from now on), and only then import torch and carry out ``FOLDER/spec.json``.
Events go to ``FOLDER/events.jsonl``; whatever libraries print goes to the log of the supervisor.

With ``--serve`` the process stays: job folders come on stdin, one a line; each is answered by event lines
on what was stdout, which libraries do not see any more. Models of the last jobs stay in memory.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from medfm_gui.base.children import die_with_parent, die_with_pipe, lower_priority

_BEGUN = time.monotonic()
_USAGE = "usage: python -P -m medfm_gui.engine.worker FOLDER | --serve\n"


def main(arguments: Sequence[str]) -> int:
    """Carry out one order, or serve until stdin ends; 0 done (also paused or cancelled), 1 failed, 2 wrong usage."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us too; the supervisor answers it
    if len(arguments) != 1:
        sys.stderr.write(_USAGE)
        return 2
    lower_priority()
    if arguments[0] == "--serve":
        return _serve()
    die_with_pipe(0)
    return _work(Path(arguments[0]))


def _work(folder: Path) -> int:
    from medfm_gui.engine.eventlog import EventLog  # pydantic: the process must be tied to its parent first

    if not folder.is_dir():
        sys.stderr.write(f"There is no folder “{folder}”.\n")
        return 2
    with EventLog.in_folder(folder) as log:
        from medfm_gui.engine.job import carry_out  # torch, timm, scikit-learn: seconds, during which the log beats

        done = carry_out(folder, log, startup_seconds=_age())
    return 0 if done else 1


def _serve() -> int:
    answers = os.dup(1)
    os.dup2(2, 1)
    from medfm_gui.engine.eventlog import EventLog  # as above
    from medfm_gui.engine.job import carry_out
    from medfm_gui.engine.predict import OpenModels

    models = OpenModels()
    for line in sys.stdin:
        folder = line.rstrip("\r\n")
        if folder:
            with EventLog(answers, owned=False, durable=False) as log:
                carry_out(Path(folder), log, models=models)
    return 0


def _age() -> float:
    """Seconds since this process was made; where the system does not tell, since this module was imported."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        ticks = int(fields[19])  # field 22 of proc(5): start time after boot
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return time.monotonic() - _BEGUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

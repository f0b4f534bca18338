"""``medfm-gui``: the window, from the first line to the last.

arguments       --workspace DIR, --page NAME; nothing else is needed
display         without one: one line that names the command line, exit status 2
crash care      before anything can fail
paint           theme, window, the first frame on the screen; no workspace yet, no heavy library
open            the desk starts as a process of its own and opens the workspace
listen          SIGTERM and Ctrl-C pause what runs and close; the event loop runs
leave           what the window remembers is written, children end
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from medfm_gui.base.display import has_display

NO_DISPLAY = (
    "medfm-gui: there is no display, so no window can be opened. "
    "“medfm --help” lists what works without one; “medfm demo --headless” runs the demonstration."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window and stay until it is closed; returns the exit status."""
    wanted = _parsed(sys.argv[1:] if arguments is None else arguments)
    if not has_display():
        sys.stderr.write(NO_DISPLAY + "\n")
        return 2
    from medfm_gui.ui.life import live

    return live(wanted.workspace, wanted.page, dict(pair.partition("=")[::2] for pair in wanted.show))


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="medfm-gui", description="MedFM Studio, the window.")
    parser.add_argument("--workspace", type=Path, help="folder of the workspace (default: the last one)")
    parser.add_argument("--page", default="", help="page to open, e.g. runs")
    parser.add_argument(
        "--show", action="append", default=[], metavar="WHAT=ID", help="what to show there, e.g. run=r0001"
    )
    return parser.parse_args(list(arguments))


def quiet_end_signals() -> tuple[int, ...]:
    """The signals that ask the program to end in good order."""
    return tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))


if __name__ == "__main__":
    sys.exit(main())

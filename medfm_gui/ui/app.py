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
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

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

    return live(wanted.workspace, wanted.page)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="medfm-gui", description="MedFM Studio, the window.")
    parser.add_argument("--workspace", type=Path, help="folder of the workspace (default: the last one)")
    parser.add_argument("--page", default="", help="page to open, e.g. runs")
    return parser.parse_args(list(arguments))


def has_display() -> bool:
    """Whether Qt would find a screen; it aborts the process where it finds none."""
    if os.environ.get("QT_QPA_PLATFORM", "") in ("offscreen", "minimal", "vnc"):
        return True
    if not sys.platform.startswith("linux"):
        return True
    if os.environ.get("WAYLAND_DISPLAY"):
        return True
    return _answers(os.environ.get("DISPLAY", ""))


def _answers(display: str) -> bool:
    """Whether an X server listens at ``host:number.screen``."""
    host, _, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if not number.isdigit():
        return False
    if host and host != "unix":
        return True  # a forwarded display: asking it would be a network connection
    place = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - where every X server listens
    for address in (place, "\0" + place):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(address) == 0:
                return True
    return False


def quiet_end_signals() -> tuple[int, ...]:
    """The signals that ask the program to end in good order."""
    return tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))


if __name__ == "__main__":
    sys.exit(main())

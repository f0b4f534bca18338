"""Whether a window could be opened here: Qt ends the process where it finds no screen, so it is looked at before."""

from __future__ import annotations

import os
import socket
import sys


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

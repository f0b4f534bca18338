"""The window as a child of a command: pictures of its pages, or the window itself on a result."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from medfm_gui.base import children
from medfm_gui.domain.errors import WorkerFailed

_LONGEST_S = 600.0


def pictures(root: Path, folder: Path, wishes: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Every page of the window on a workspace, in both themes, as PNG files; drawn without a display.

    Args:
        wishes: page → what to show there.

    Raises:
        WorkerFailed: the window could not be drawn.
    """
    hint = "“medfm doctor” shows what is missing; the results are complete without the pictures."
    command = children.python("medfm_gui.ui.screens", str(root), str(folder), "--wishes", json.dumps(wishes))
    child = children.spawn(
        command,
        environment=children.clean_environment({"QT_QPA_PLATFORM": "offscreen"}),
        folder=Path(tempfile.gettempdir()),
        stdout=subprocess.PIPE,
    )
    with child:
        try:
            said, _ = child.communicate(timeout=_LONGEST_S)
        except subprocess.TimeoutExpired:
            children.end_family(child)
            raise WorkerFailed(f"The pages were not drawn within {_LONGEST_S:.0f} seconds.", hint) from None
    if child.returncode != 0:
        raise WorkerFailed(f"The window could not be drawn (status {child.returncode}).", hint)
    found: list[str] = json.loads(said.splitlines()[-1])
    return found


def open_window(root: Path, page: str, **show: str) -> None:
    """Open the window on a workspace and wait until it is closed."""
    shown = [part for what, name in show.items() for part in ("--show", f"{what}={name}")]
    command = children.python("medfm_gui.ui", "--workspace", str(root), "--page", page, *shown)
    subprocess.run(command, env=dict(os.environ), check=False)

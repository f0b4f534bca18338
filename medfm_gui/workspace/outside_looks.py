"""Who looked at images as an external test, found by the images' own hashes: a look counts whatever it was called."""

from __future__ import annotations

from collections.abc import Set
from contextlib import suppress

from medfm_gui.domain.errors import MedfmError
from medfm_gui.workspace import data
from medfm_gui.workspace.journal import Entry, entries
from medfm_gui.workspace.place import Workspace

EXTERNAL_TEST = "external test opened"


def external_looks(workspace: Workspace, pixels: Set[str]) -> tuple[Entry, ...]:
    """The journalled external tests that showed one of these images (SHA-256 of their pixels), in their order."""
    said = [entry for entry in entries(workspace.root) if entry.what == EXTERNAL_TEST]
    seen: dict[str, bool] = {}
    for name in {entry.details.get("dataset", "") for entry in said}:
        seen[name] = False
        with suppress(MedfmError):  # a dataset that is gone: its line in the journal stays
            shown = (sample.pixels_sha256 for sample in data.read(workspace, name).samples)
            seen[name] = any(one in pixels for one in shown if one)
    return tuple(entry for entry in said if seen[entry.details.get("dataset", "")])

"""``journal.jsonl``: what was done in a workspace, each line chained to the one before by its hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from medfm_gui.base import wire
from medfm_gui.workspace.place import Workspace, now


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when, what was done, to what, with which details; ``previous`` is the SHA-256 of the line before."""

    at: str
    what: str
    subject: str
    previous: str
    details: Mapping[str, str] = field(default_factory=dict)


def note(workspace: Workspace, what: str, subject: str, **details: str) -> Entry:
    """Add a line, durably, and index it."""
    path = workspace.root / "journal.jsonl"
    with FileLock(workspace.root / "locks" / "journal.lock"):
        entry = Entry(now(), what, subject, _last_hash(path), details)
        with path.open("ab") as handle:
            handle.write(wire.encode(entry) + b"\n")
            handle.flush()
            os.fsync(handle.fileno())
    workspace.store.journal(entry.at, what, subject, dict(details))
    return entry


def entries(root: Path) -> list[Entry]:
    """Every line of the journal; a torn last line is left out."""
    path = root / "journal.jsonl"
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [wire.decode(Entry, line, what="journal.jsonl") for line in whole.splitlines()]


def _last_hash(path: Path) -> str:
    if not path.exists() or not path.stat().st_size:
        return ""
    last = path.read_bytes().rstrip(b"\n").rpartition(b"\n")[2]
    return hashlib.sha256(last).hexdigest()

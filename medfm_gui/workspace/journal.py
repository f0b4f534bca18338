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
        whole, last = _whole_lines(path)
        entry = Entry(now(), what, subject, last, details)
        with path.open("ab") as handle:
            handle.truncate(whole)  # a line that a power cut left torn
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


def _whole_lines(path: Path) -> tuple[int, str]:
    """How many bytes are whole lines, and the hash of the last of them."""
    if not path.exists():
        return 0, ""
    whole, newline, _ = path.read_bytes().rpartition(b"\n")
    last = hashlib.sha256(whole.rpartition(b"\n")[2]).hexdigest() if newline else ""
    return len(whole) + len(newline), last

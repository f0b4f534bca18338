"""What tells a file apart from what it was before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file as it was when it was read: bytes, time of its last change, SHA-256 of its contents."""

    size: int
    mtime_ns: int
    sha256: str

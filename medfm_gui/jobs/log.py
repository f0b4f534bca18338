"""What a worker and its libraries print: one file of bounded size that always holds the newest part."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import IO

LIMIT_BYTES = 5_000_000
_CUT = b"[earlier lines were cut]\n"
_JOIN_S = 2.0


class BoundedLog:
    """Copies a child's output into a file on a thread of its own, so that a flood never blocks the child.

    Past ``limit_bytes`` the older half of the file is cut. A disk that is full loses the log, never the run.
    """

    def __init__(self, source: IO[bytes], path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._source = source
        self._path = path
        self._limit_bytes = limit_bytes
        self._thread = threading.Thread(target=self._copy, name="worker-log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait for the end of the output (the child has ended) and close the pipe."""
        self._thread.join(_JOIN_S)
        if not self._thread.is_alive():  # else a stranger's child still holds the pipe: the thread ends with it
            self._source.close()

    def _copy(self) -> None:
        size = self._path.stat().st_size if self._path.exists() else 0
        while block := self._read():
            with contextlib.suppress(OSError):
                if size + len(block) > self._limit_bytes:
                    size = self._cut()
                with self._path.open("ab") as log:
                    log.write(block)
                size += len(block)

    def _read(self) -> bytes:
        try:
            return os.read(self._source.fileno(), min(1 << 16, self._limit_bytes // 4))
        except (OSError, ValueError):  # closed under our feet
            return b""

    def _cut(self) -> int:
        kept = self._path.read_bytes()[-self._limit_bytes // 2 :]
        kept = _CUT + kept[kept.find(b"\n") + 1 :]
        self._path.write_bytes(kept)
        return len(kept)

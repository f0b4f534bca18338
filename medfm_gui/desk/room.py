"""What the desk keeps up between questions: the workspace, decode pools, the warm worker, a scratch folder."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.imaging.pool import DecodePool
    from medfm_gui.jobs.warm import WarmWorker
    from medfm_gui.store.store import Store

_PROGRESS_S = 0.05
_SURE_AFTER_S = 2.0
_SCRATCH = "medfm-desk-"


class Told:
    """One question's line to the window: progress, parts of the answer, and whether it is still wanted."""

    def __init__(self, say: Callable[[str, Any], None]) -> None:
        self._say = say
        self._last = 0.0
        self._doing = ""
        self.stopped = threading.Event()

    def check(self) -> None:
        """Give up here if the answer is wanted no more.

        Raises:
            Interrupted: the person pressed Cancel, or the page is gone.
        """
        if self.stopped.is_set():
            raise Interrupted("It was cancelled.", "Start it again when you like.")

    def progress(self, text: str, done: int = 0, total: int = 0, seconds_left: float | None = None) -> None:
        """Tell how far it is; gives up if it is wanted no more.

        Counts are told twenty times a second at most; new words and the last step always.

        Raises:
            Interrupted: see ``check``.
        """
        self.check()
        now = time.monotonic()
        if text != self._doing or now - self._last >= _PROGRESS_S or (total and done >= total):
            self._last, self._doing = now, text
            self._say("progress", Progress(text, done, total, seconds_left))

    def counting(self, text: str) -> Callable[[int, int], None]:
        """A function to tell of ``done`` and ``total``, with the seconds left once there is enough to judge by.

        Counting may begin anew, as where files are opened first and decoded then: the time before is not counted in.
        """
        start, last = time.monotonic(), 0

        def tell(done: int, total: int) -> None:
            nonlocal start, last
            if done < last:
                start = time.monotonic()
            last = done
            spent = time.monotonic() - start
            left = spent / done * (total - done) if done and spent >= _SURE_AFTER_S else None
            self.progress(text, done, total, left)

        return tell

    def part(self, answer: object) -> None:
        """Send an answer that is not the last: it has the type of the final one.

        Raises:
            Interrupted: see ``check``.
        """
        self.check()
        self._say("part", answer)


class Room:
    """An open workspace with what is costly to start. A context; everything ends with it.

    Each lane is one thread with a decode pool of its own, for a pool serves one thread at a time.
    """

    def __init__(self, workspace: Workspace, *, is_read_only: bool = False) -> None:
        self.workspace = workspace
        self.is_read_only = is_read_only
        _sweep(Path(tempfile.gettempdir()))
        self._scratch = tempfile.TemporaryDirectory(prefix=f"{_SCRATCH}{os.getpid()}-")
        self._pools: dict[int, DecodePool] = {}
        self._guard = threading.Lock()
        self._warm: WarmWorker | None = None
        self._reopened: Store | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.ExitStack() as ends:  # each is ended, also where the one before it would not
            if self._reopened is not None:
                ends.callback(self._reopened.close)
            ends.callback(self._scratch.cleanup)
            for pool in self._pools.values():
                ends.callback(pool.close)
            if self._warm is not None:
                ends.callback(self._warm.close)

    @contextlib.contextmanager
    def without_database(self) -> Iterator[None]:
        """Let go of the database while the block lasts; only for a question that is answered alone."""
        from medfm_gui.store.store import Store

        store = self.workspace.store
        with contextlib.suppress(MedfmError):  # progress that could not be indexed: the runs' own files have it
            store.close()
        try:
            yield
        finally:
            self._reopened = Store.open(store.path)  # who opened the first closes that, the room closes this
            self.workspace = replace(self.workspace, store=self._reopened)

    @property
    def scratch(self) -> Path:
        """A private folder that is gone when the desk ends: files that the window maps."""
        return Path(self._scratch.name)

    def pool(self, *, is_patient: bool = False) -> DecodePool:
        """The decode pool of this thread: full-size pixels, none kept.

        Args:
            is_patient: of a thread that works while people look at something else; as it was first asked for.
        """
        from medfm_gui.imaging.pool import DecodePool

        me = threading.get_ident()
        with self._guard:
            found = self._pools.get(me)
            if found is None:
                found = self._pools[me] = DecodePool(is_patient=is_patient)
            return found

    def warm(self) -> WarmWorker:
        """The worker that stays up for predictions."""
        from medfm_gui.jobs.warm import WarmWorker

        with self._guard:
            if self._warm is None:
                self._warm = WarmWorker(self.workspace.root / "logs" / "prediction.log")
            return self._warm


def _sweep(place: Path) -> None:
    """Remove the scratch folders of desks that were killed: their names tell the process, and it is no more."""
    from medfm_gui.jobs.owner import identity

    for folder in place.glob(f"{_SCRATCH}*"):
        named = re.fullmatch(rf"{_SCRATCH}(\d+)-\w+", folder.name)
        if named is not None and not folder.is_symlink() and identity(int(named[1])) is None:
            shutil.rmtree(folder, ignore_errors=True)  # of another user: it stays

"""Handing a run's events to whoever watches: in order, in small batches, each at least once.

A watcher that raises (a database that another program holds) is asked again with the same batch;
the run goes on meanwhile, for its events are safe in their file. A new supervisor of an old run
delivers from the first event, because it cannot know what its forerunner's watcher took in; so a
watcher must take the same event twice without harm. A watcher that still refuses when the run has
ended gets some seconds more; then its own error is raised.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from medfm_gui.domain.events import Event
from medfm_gui.domain.run import RunState, fold
from medfm_gui.jobs.follow import BATCH, BREATH_S, INTERVAL_S, Tail

Watcher = Callable[[Sequence[Event], RunState], None]
"""Takes a batch of events and the state after them; an empty batch tells a state that no event holds, e.g. waiting."""


class Delivery:
    """The events of one run on their way to one watcher.

    ``state`` is the state after the last batch that was taken.
    """

    def __init__(self, folder: Path, watcher: Watcher) -> None:
        self._tail = Tail(folder)
        self._watcher = watcher
        self._held: Sequence[Event] = ()
        self._trouble: Exception | None = None
        self.state = RunState()
        self.pause_s = INTERVAL_S
        """How long to wait before the next ``step``."""

    def step(self) -> bool:
        """Hand over the next batch; False when there is none, or the watcher did not take it."""
        self.pause_s = INTERVAL_S
        batch = self._held or self._tail.read()
        if not batch:
            return False
        state = fold(self.state, batch)
        try:
            self._watcher(batch, state)
        except Exception as error:  # noqa: BLE001 - a border: the watcher is not ours, and its failure is not the run's
            self._held, self._trouble = batch, error
            return False
        self._held, self._trouble, self.state = (), None, state
        if len(batch) == BATCH:
            self.pause_s = BREATH_S
        return True

    def tell(self, state: RunState) -> None:
        """Tell a state that no event holds. It is news, no fact: a watcher that fails on it misses it."""
        with contextlib.suppress(Exception):
            self._watcher((), state)

    def catch_up(self) -> None:
        """Hand over all there is, as long as it is taken."""
        while self.step():
            time.sleep(self.pause_s if self.pause_s == BREATH_S else 0)

    def finish(self, patience_s: float) -> None:
        """Hand over all there is; a watcher that fails is asked again for ``patience_s`` seconds.

        Raises:
            Exception: what the watcher raised last.
        """
        deadline = time.monotonic() + patience_s
        self.catch_up()
        while self._trouble is not None:
            if time.monotonic() >= deadline:
                raise self._trouble
            time.sleep(self.pause_s)
            self.catch_up()

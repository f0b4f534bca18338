"""How fast a stage goes, told without looking at the wall clock (which may jump)."""

from __future__ import annotations

import time

from medfm_gui.domain import events as ev


class Pace:
    """Counts what is done of a stage.

    Args:
        stage: its name on the wire.
        total: samples to do.
        done: samples that an earlier attempt did.
    """

    def __init__(self, stage: str, total: int, done: int = 0) -> None:
        self._stage = stage
        self._total = total
        self._done = done
        self._counted = 0
        self._begun = time.perf_counter()

    def advanced(self, samples: int) -> ev.Progressed:
        """Some more are done."""
        self._done += samples
        self._counted += samples
        rate = self.samples_per_second
        left = (self._total - self._done) / rate if rate else None
        return ev.Progressed(time.time(), self._stage, self._done, self._total, rate, left)

    @property
    def seconds(self) -> float:
        """Seconds since the stage began."""
        return time.perf_counter() - self._begun

    @property
    def samples_per_second(self) -> float:
        """Mean rate since the stage began; 0 before anything is done."""
        return self._counted / self.seconds if self._counted else 0.0

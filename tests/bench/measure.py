"""Two pieces of work measured alternately, and the line that is printed of them.

Other programs make every time uncertain, and more so for minutes at a time. So both sides run in turns, now
one first and now the other, and the ratio is the median of the ratios turn by turn.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Work = Callable[[], float]
"""Does something once and returns the seconds that count of it."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Seconds of both sides, turn by turn."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]

    def line(self, *, at_most: float | None = None, at_least: float | None = None, **more: Any) -> dict[str, Any]:
        """The facts of an entry.

        Args:
            at_most: the goal for ours / peer, seconds against seconds.
            at_least: the goal for peer / ours, which is how many times as fast ours is.
            more: whatever else is worth knowing.
        """
        ratios = [ours / peer for ours, peer in zip(self.ours, self.peer, strict=True)]
        if at_least is not None:
            ratios = [1 / ratio for ratio in ratios]
        ratio = statistics.median(ratios)
        good = ratio <= at_most if at_most is not None else ratio >= (at_least or 0.0)
        return {
            "ours": rounded(statistics.median(self.ours)),
            "peer": rounded(statistics.median(self.peer)),
            "ratio": rounded(ratio),
            "goal": f"<= {at_most:g}" if at_most is not None else f">= {at_least:g}",
            "pass": good,
            "repeats": len(ratios),
            "ratios": [rounded(one) for one in ratios],
            **more,
        }


def alternately(ours: Work, peer: Work, repeats: int, *, warm_up: bool = True) -> Turns:
    """Measure both ``repeats`` times, in turns; after one turn that does not count, if ``warm_up``."""
    return Turns(*in_turns((ours, peer), repeats, warm_up=warm_up))


def in_turns(sides: Sequence[Work], repeats: int, *, warm_up: bool = True) -> list[tuple[float, ...]]:
    """The seconds of each side; the order is reversed from turn to turn."""
    taken: list[list[float]] = [[] for _ in sides]
    for turn in range(-warm_up, repeats):
        for seconds, side in list(zip(taken, sides, strict=True))[:: 1 if turn % 2 == 0 else -1]:
            spent = side()
            if turn >= 0:
                seconds.append(spent)
    return [tuple(seconds) for seconds in taken]


def timed(work: Callable[[], object]) -> Work:
    """The same work, telling its seconds by the clock."""

    def measured() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return measured


def fastest(candidates: Sequence[tuple[Any, Work]]) -> Any:
    """The candidate whose work takes the least time in the second of two goes: a peer gets its best setting."""
    seconds = [(max(work(), 0.0), work(), key)[1:] for key, work in candidates]
    return min(seconds, key=lambda one: one[0])[1]


def rounded(value: float) -> float:
    """Three digits that say something."""
    return float(f"{value:.3g}")

"""Batches prepared ahead of time by threads, in order.

Decoding is long done (the pixel cache); what is left is resizing, which releases the interpreter lock, so
threads suffice and nothing is copied between processes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

_DEPTH = 2


def ahead(make: Callable[[K], V], keys: Sequence[K], workers: int) -> Generator[V, None, None]:
    """``make(key)`` for every key, in order, prepared by ``workers`` threads (0: when asked for).

    At most ``workers + 2`` values are held. Close the iterator (``contextlib.closing``) to end its threads early.
    """
    if workers < 1:
        yield from map(make, keys)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="prefetch") as pool:
        waiting: deque[Future[V]] = deque()
        try:
            for key in keys:
                waiting.append(pool.submit(make, key))
                if len(waiting) >= workers + _DEPTH:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def batches_of(items: Sequence[K], size: int) -> list[Sequence[K]]:
    """Consecutive parts of at most ``size`` items whose lengths differ by one at most.

    Even parts spare batch norm the tiny last batch that a plain cut would leave.
    """
    count = -(-len(items) // size)
    short, longer = divmod(len(items), count) if count else (0, 0)
    parts = []
    start = 0
    for number in range(count):
        end = start + short + (number < longer)
        parts.append(items[start:end])
        start = end
    return parts

"""Benchmarks: what fast means here, each figure a ratio of two things measured alternately in one run.

May import everything; nothing imports it. Front door: ``python -m tests.bench [ID …] [--tiny]``.
One script an entry, with ``main(tiny) -> dict``; a new one is a file here and a line in ``ENTRIES``.
A benchmark is no timed test: the test suite runs them at tiny size, only to see that they run.
"""

from __future__ import annotations

ENTRIES = (
    "ladder",
    "ladder-naive",
    "bank-hit",
    "memory",
    "full",
    "predict-warm",
    "gradcam",
    "compare",
    "delong",
    "bootstrap",
    "report",
    "events",
    "start",
    "alive",
    "switch",
    "scroll",
    "index",
    "open",
    "decode",
    "decode-first",
    "scan",
    "scale",
)
"""Every entry's id; its module has underscores for hyphens."""

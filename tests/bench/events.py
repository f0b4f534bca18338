"""``events``: a worker writes 20,000 events, 2,000 a second; how late does each reach the watcher?

The engine's own worker writes progress ten times a second, so this is two hundred of them at once. The
worker here is a bare process that stamps each line with the time of its writing; the supervisor is the
real one. Nothing may be lost, no batch may be larger than its bound, and 99 of 100 events must arrive
within 100 ms of being written. ``flood_events_per_second`` is what gets through when all are written at once.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medfm_gui.base import wire
from medfm_gui.domain.events import Event, Progressed
from medfm_gui.domain.run import ProbeSpec, RunState
from medfm_gui.jobs.follow import BATCH
from medfm_gui.jobs.process import supervise

GOAL_MS = 100.0
RATE_HZ = 2_000
_TICK_S = 0.01
_WORKER = """
import sys, time
count, rate, tick = int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
with open(sys.argv[1] + "/events.jsonl", "ab", buffering=0) as out:
    out.write(b'{"event": "RunStarted", "at": %f, "device": "cpu"}\\n' % time.time())
    began = time.monotonic()
    for number in range(count):
        while rate and number > (time.monotonic() - began) * rate:
            time.sleep(tick)
        out.write(b'{"event": "Progressed", "at": %f, "stage": "train", "done": %d, "total": %d}\\n'
                  % (time.time(), number, count))
    out.write(b'{"event": "RunFinished", "at": %f, "metrics": {}, "seconds": 1}\\n' % time.time())
"""


def main(tiny: bool = False) -> dict[str, Any]:
    """A steady stream and a flood; two hundred events each if ``tiny``."""
    count = 200 if tiny else 20_000
    steady, flood = _deliver(count, RATE_HZ), _deliver(count, 0)
    lags = sorted(steady.lags_ms)
    p99 = lags[int(0.99 * (len(lags) - 1))]
    lost = 2 * count - len(steady.lags_ms) - len(flood.lags_ms)
    largest = max(steady.batches + flood.batches)
    return {
        "id": "events",
        "ours": {"median_ms": round(statistics.median(lags), 1), "p99_ms": round(p99, 1), "max_ms": round(lags[-1], 1)},
        "peer": None,
        "ratio": round(p99 / GOAL_MS, 3),
        "goal": f"none lost, at most {BATCH} a batch, p99 <= {GOAL_MS:.0f} ms",
        "pass": lost == 0 and largest <= BATCH and p99 <= GOAL_MS,
        "events": count,
        "lost": lost,
        "largest_batch": largest,
        "batches_per_second": round(len(steady.batches) * RATE_HZ / count, 1),
        "flood_events_per_second": round(1_000 * count / max(flood.lags_ms)),
    }


@dataclass
class _Delivered:
    lags_ms: list[float] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)


def _deliver(count: int, rate_hz: float) -> _Delivered:
    delivered = _Delivered()

    def watch(events: Sequence[Event], state: RunState) -> None:
        now = time.time()
        delivered.batches.append(len(events))
        delivered.lags_ms.extend(1_000 * (now - event.at) for event in events if isinstance(event, Progressed))

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "spec.json").write_bytes(wire.encode_spec(ProbeSpec()))
        supervise(
            folder,
            on_events=watch,
            command=lambda run: [sys.executable, "-c", _WORKER, *map(str, (run, count, rate_hz, _TICK_S))],
            locks=folder / "locks",
        )
    return delivered

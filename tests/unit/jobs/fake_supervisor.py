"""A supervisor in a process of its own: ``fake_supervisor.py LOCKS FOLDER …`` with the fake worker."""

from __future__ import annotations

import sys
from pathlib import Path

from medfm_gui.jobs.process import run_queue


def main() -> int:
    fake_worker = str(Path(__file__).with_name("fake_worker.py"))
    states = run_queue(
        [Path(name) for name in sys.argv[2:]],
        on_events=lambda folder, events, state: None,
        command=lambda folder: [sys.executable, "-P", fake_worker, str(folder)],
        locks=Path(sys.argv[1]),
    )
    (Path(sys.argv[1]) / "ended").write_text(" ".join(state.phase for state in states))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A worker with the manners of the engine's and none of its weight: standard library only.

``fake_worker.py FOLDER`` does what ``FOLDER/plan.json`` says; ``fake_worker.py --serve`` answers folders.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from medfm_gui.base import children

Line = dict[str, Any]


def event(kind: str, **values: Any) -> Line:
    return {"event": kind, "at": time.time(), **values}


def work(folder: Path, plan: Line) -> Iterator[Line]:
    """Epochs with a checkpoint each; polls the request between steps."""
    checkpoint = folder / "checkpoint" / "epoch.txt"
    done = int(checkpoint.read_text()) if checkpoint.exists() else 0
    if "beats_s" in plan:  # as while torch is imported
        yield event("Beat")
        time.sleep(plan["beats_s"])
    yield event("RunStarted", device="cpu", pid=os.getpid())
    if done:
        yield event("RunResumed", epoch=done)
    if plan.get("once_failed") and not (folder / "failed_once").exists():
        (folder / "failed_once").touch()
        yield event("RunFailed", error="non_finite_loss", message="The loss became NaN.", hint="Lower lr.")
        return
    for epoch in range(done + 1, plan.get("epochs", 2) + 1):
        end = time.monotonic() + plan.get("epoch_s", 0.01)
        while True:
            asked = (folder / "request").read_text() if (folder / "request").exists() else ""
            if asked and not plan.get("deaf"):
                yield (
                    event("RunPaused", epoch=epoch - 1) if asked == "pause" else event("RunCancelled", message="Done.")
                )
                return
            if time.monotonic() >= end:
                break
            time.sleep(0.005)
        if not plan.get("no_checkpoint"):
            checkpoint.parent.mkdir(exist_ok=True)
            checkpoint.write_text(str(epoch))
        yield event("EpochFinished", epoch=epoch, epochs=plan.get("epochs", 2), metrics={"auc": 0.5})
        if plan.get("die_after") == epoch:
            misbehave(folder, plan)
    for number in range(plan.get("flood", 0)):
        yield event("Progressed", stage="train", done=number, total=plan["flood"])
    yield event("RunFinished", metrics={"auc": 0.5}, seconds=1.0)


def misbehave(folder: Path, plan: Line) -> None:
    if plan.get("torn"):
        with (folder / "events.jsonl").open("a") as handle:
            handle.write('{"event": "EpochFini')
    if "signal" in plan:
        os.kill(os.getpid(), getattr(signal, plan["signal"]))
    os._exit(plan.get("exit", 0))


def run(folder: Path) -> int:
    children.die_with_parent()
    children.die_with_pipe()
    plan: Line = json.loads((folder / "plan.json").read_text())
    if plan.get("deaf"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if plan.get("child"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        (folder / "child").write_text(str(child.pid))
    sys.stdout.write("x" * 99 + "\n" if "log_lines" not in plan else ("x" * 99 + "\n") * plan["log_lines"])
    sys.stdout.flush()
    said = ""
    with (folder / "events.jsonl").open("a", buffering=1) as events:
        for line in work(folder, plan):
            events.write(json.dumps(line) + "\n")
            said = line["event"]
    time.sleep(plan.get("linger_s", 0))
    return 1 if said == "RunFailed" else 0


def serve() -> None:
    children.die_with_parent()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    print("a library prints", flush=True)  # noqa: T201 - it must not mix with the answers
    for number, order in enumerate(sys.stdin):
        folder = Path(order.rstrip("\n"))
        plan = json.loads((folder / "plan.json").read_text())
        answers.write(json.dumps(event("Answered", facts={"pid": str(os.getpid()), "number": str(number)})) + "\n")
        for line in work(folder, plan):
            answers.write(json.dumps(line) + "\n")
        answers.write("not an event\n" if plan.get("noise") else "")


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve()
    else:
        sys.exit(run(Path(sys.argv[1])))

"""What Home says: the next step, the journal in sentences, this computer in facts, the recent workspaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from medfm_gui.desk.asks.home import Examination, Overview
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import JournalRow


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is most useful to do now, the page on which it is done, and what that page is handed."""

    title: str
    text: str
    button: str
    page: str
    wish: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recent:
    """A workspace that was open before: its folder and when (ISO 8601, local time; empty if unknown)."""

    path: str
    at: str

    @property
    def name(self) -> str:
        """The folder's own name."""
        return Path(self.path).name or self.path


def next_step(seen: Overview) -> NextStep:
    """The step that the state of the workspace asks for."""
    step = _before_results(seen)
    return step if step is not None else _with_results(seen)


def _before_results(seen: Overview) -> NextStep | None:
    if not seen.datasets:
        return NextStep(
            "Import your images",
            "A folder of classes, a table, a public dataset, DICOM. A dry run shows what is found before it is kept.",
            "Import a dataset",
            "datasets",
        )
    if seen.runs_running or seen.runs_queued:
        count = seen.runs_running + seen.runs_queued
        return NextStep(
            f"{counted(count, 'run is', 'runs are')} not over yet",
            "Follow the curves live, pause, or go on with what waits.",
            "Watch the runs",
            "runs",
        )
    if seen.unsplit and not seen.runs:
        name = seen.unsplit[0]
        return NextStep(
            f"Divide “{name}” by patient",
            "Training, validation and a sealed internal test, so that no patient is on two sides.",
            "Make a split",
            "datasets",
            {"dataset": name},
        )
    if not seen.runs:
        return NextStep(
            "Train the first models",
            "Choose models and ways of adapting them; the wizard says beforehand what it will cost.",
            "Open the wizard",
            "train",
            {"dataset": seen.untrained[0]} if seen.untrained else {},
        )
    if not seen.runs_finished:
        return NextStep("No run has finished yet", "See why, and what to do about it.", "Look at the runs", "runs")
    return None


def _with_results(seen: Overview) -> NextStep:
    together = {"runs": seen.newest_runs}
    if seen.unopened:
        return NextStep(
            "Compare on the sealed test",
            f"{counted(seen.unopened, 'finished run has', 'finished runs have')} not been tested yet. "
            "Opening the test is written down, with your reason.",
            "Compare runs",
            "compare",
            together,
        )
    if not seen.reports:
        return NextStep(
            "Write the report",
            "A PDF that can be traced back to the data, the split, the weights and the code.",
            "Write a report",
            "reports",
            together,
        )
    if not seen.predictions:
        return NextStep(
            "Read a study with your models",
            "A DICOM study or an image, with the models' probabilities and where they looked.",
            "Open a study",
            "studies",
        )
    return NextStep(
        "Try another model or adaptation",
        "Add a rung to the ladder on the same split, then see whether the difference is real.",
        "Open the wizard",
        "train",
    )


_SAID = {
    "dataset imported": "Dataset “{subject}” imported",
    "split made": "Split “{subject}” made",
    "test opened": "Sealed test opened for {subject}",
    "runs compared": "{subjects} compared",
    "study indexed": "A study added",
    "prediction made": "A study read with {runs}",
    "report written": "Report on {runs} written",
}


def sentence(row: JournalRow) -> str:
    """A line of the journal in words."""
    runs = _listed(row.details.get("runs", ""))
    if row.what == "run created":
        order = " · ".join(row.details[key] for key in ("model", "adapt") if key in row.details)
        return f"Run {row.subject} ordered: {order}" if order else f"Run {row.subject} ordered"
    if row.what.startswith("run "):
        return f"Run {row.subject} {row.what.removeprefix('run ')}"
    said = _SAID.get(row.what)
    if said is None or ("{runs}" in said and not runs):
        return f"{row.what[:1].upper()}{row.what[1:]}: {row.subject}"
    return said.format(subject=row.subject, subjects=_listed(row.subject), runs=runs)


def _listed(words: str) -> str:
    names = words.split()
    if len(names) > 3:
        return f"{names[0]}, {names[1]} and {len(names) - 2} more runs"
    return " and ".join(", ".join(names).rsplit(", ", 1))


def when(at: str, now: datetime) -> str:
    """A moment as a person says it: “today 14:05”, “yesterday 09:12”, “12 Nov 2026”. ``now`` has a time zone."""
    try:
        moment = datetime.fromisoformat(at).astimezone(now.tzinfo)
    except ValueError:
        return ""
    days = (now.date() - moment.date()).days
    if days == 0:
        return f"today {moment:%H:%M}"
    if days == 1:
        return f"yesterday {moment:%H:%M}"
    return f"{moment.day} {moment:%b %Y}"


def is_old(at: str, now: datetime, days: int = 30) -> bool:
    """Whether a moment is so long ago, or unreadable, that one should look again."""
    try:
        return now - datetime.fromisoformat(at).astimezone(now.tzinfo) > timedelta(days=days)
    except ValueError:
        return True


def recent(remembered: object) -> tuple[Recent, ...]:
    """The recent workspaces out of what the window remembers; whatever else stands there is left out."""
    found: dict[str, Recent] = {}
    for row in remembered if isinstance(remembered, list) else []:
        if isinstance(row, dict) and row.get("path"):
            path = str(row["path"])
            found.setdefault(path, Recent(path, str(row.get("at", ""))))
    return tuple(found.values())


def facts(seen: Examination, now: datetime) -> tuple[tuple[str, str], ...]:
    """This computer as names and values."""
    diagnosis = seen.diagnosis
    if diagnosis is None:
        return ()
    rows: list[tuple[str, str]] = []
    for device in diagnosis.devices:
        is_processor = device.id == "cpu"
        rows.append(("Processor" if is_processor else f"GPU {device.id}", device.name or device.id))
        if device.memory_gb:
            rows.append(("Memory" if is_processor else "GPU memory", f"{device.memory_gb:g} GB"))
    if all(device.id == "cpu" for device in diagnosis.devices) and diagnosis.devices:
        rows.insert(0, ("GPU", "none found"))
    rows += [
        (
            "Free disk",
            f"{diagnosis.disk_free_gb:,.0f} GB" if diagnosis.disk_free_gb >= 10 else f"{diagnosis.disk_free_gb:g} GB",
        ),
        ("Weights", f"{seen.weights_present} of {seen.weights_total} models ready"),
        ("Network", "allowed when you ask for a download" if diagnosis.network == "on" else "off"),
        ("Tensor library", f"torch {diagnosis.torch}" if diagnosis.torch else "could not be loaded"),
        ("Examined", when(seen.at, now)),
    ]
    return tuple(rows)


DEMO_STEPS: tuple[tuple[str, str], ...] = (
    ("Simulating patients", "Simulate 120 patients with chest radiographs"),
    ("Importing radiographs", "Import, and divide by patient"),
    ("Training", "Train two models"),
    ("Opening the sealed test set", "Open the sealed test and compare"),
    ("Reading one study", "Read one study with a heat map"),
    ("Writing the report", "Write the report"),
)
"""How the demonstration's steps begin in the desk's words, and what they are called on the page."""


def demo_step(text: str) -> int:
    """The place of a step of the demonstration by what the desk says of it; -1 for words that name none."""
    return next((at for at, (start, _) in enumerate(DEMO_STEPS) if text.startswith(start)), -1)

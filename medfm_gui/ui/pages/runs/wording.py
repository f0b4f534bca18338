"""How a run reads: stages, times, numbers. Pure functions of what the desk and the worker said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from medfm_gui.desk.asks.runs import RunItem
from medfm_gui.domain.cards import adaptation
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.domain.units import counted
from medfm_gui.metrics.names import headline, metric_title

_STAGES: Mapping[str, str] = {
    "weights": "Loading weights",
    "features": "Computing features",
    "pixels": "Decoding images",
    "train": "Training",
    "validate": "Validating",
    "predict": "Scoring validation images",
    "download": "Downloading",
}

PHASES: Mapping[Phase, str] = {phase: phase.value.capitalize() for phase in Phase} | {Phase.QUEUED: "Waiting"}
NONE = "–"

_RECENT = 5


def stage(name: str) -> str:
    """What people read for a stage; an unknown one is its own name."""
    return _STAGES.get(name, name.capitalize())


def duration(seconds: float | None) -> str:
    """A length of time: ``0.4 s``, ``42 s``, ``3 min 20 s``, ``1 h 12 min``."""
    if seconds is None or not 0 <= seconds < 1e9:
        return NONE
    if 0 < seconds < 0.05:
        return "< 0.1 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def when(iso: str) -> str:
    """A stored time on this computer's clock: ``22 Nov, 06:35``; with the year where it is another one."""
    moment = _moment(iso)
    if moment is None:
        return iso or NONE
    year = "" if moment.year == datetime.now(UTC).astimezone().year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year}, {moment:%H:%M}"


def day(iso: str) -> str:
    """The same where there is little room: the time of a moment today, the day of an earlier one."""
    moment = _moment(iso)
    if moment is None:
        return iso or NONE
    now = datetime.now(UTC).astimezone()
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    return f"{moment.day} {moment:%b}" if moment.year == now.year else f"{moment:%b %Y}"


def _moment(iso: str) -> datetime | None:
    try:
        return datetime.strptime(iso, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).astimezone()
    except ValueError:
        return None


def size(amount: int | None) -> str:
    """Bytes as people read memory: ``1.3 GB``."""
    if amount is None:
        return NONE
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{amount / 1e6:.0f} MB"


def labels(state: RunState) -> str:
    """How many labelled images decided the model; a dash where that is not known."""
    return f"{state.labels_used:,}" if state.labels_used else NONE


def shots(number: int) -> str:
    """How few labels a run was shown."""
    return f"{counted(number, 'patient')} a class were shown"


def metric(item: RunItem) -> tuple[str, float] | None:
    """Title and value of the validation number that stands first for the run's task; None before there is one."""
    row = item.row
    values = row.state.metrics
    name = headline(row.task)
    if name not in values:
        name = next(iter(values), "")
    if not name or not math.isfinite(values[name]):
        return None
    return metric_title(name), values[name]


def best_so_far(item: RunItem) -> tuple[str, float] | None:
    """The same of the best epoch of a run that is not finished, where its epochs are known."""
    name = headline(item.row.task)
    best = next((point for point in reversed(item.row.state.curve) if point.best), None)
    value = best.metrics.get(name) if best else None
    return (metric_title(name), value) if value is not None and math.isfinite(value) else None


def short(title: str) -> str:
    """A metric's title where there is little room."""
    return title.partition(",")[0].replace("macro ", "").replace("mean ", "")


def estimate(row: Evaluation) -> str:
    """``0.873 (0.841–0.899)``, or that it cannot be estimated."""
    if row.value is None:
        return "not estimable"
    if row.low is None or row.high is None:
        return _number(row.value)
    joint = " to " if row.low < 0 or row.high < 0 else "–"
    return f"{_number(row.value)} ({_number(row.low)}{joint}{_number(row.high)})"


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def epochs(item: RunItem) -> int:
    """How many epochs the run is to have; 0 where it counts none."""
    state = item.row.state
    if state.epochs:
        return state.epochs
    card = adaptation(item.row.adapt)
    ordered = item.row.recipe.get("epochs")
    return ordered if card and card.trains_backbone and isinstance(ordered, int) else 0


def share(item: RunItem) -> float | None:
    """How much of what it is at is done, 0…1; None where nobody knows. A training counts in epochs."""
    state = item.row.state
    if state.phase is Phase.FINISHED:
        return 1.0
    within = min(max(state.done / state.total, 0.0), 1.0) if state.total > 0 else 0.0
    planned = epochs(item)
    if state.stage in ("train", "validate") and planned > 1:
        begun = within if state.stage == "train" and _counts_samples(item) else float(state.stage == "validate")
        return min((state.epoch + begun) / planned, 1.0)
    return within if state.total > 0 else None


def _counts_samples(item: RunItem) -> bool:
    card = adaptation(item.row.adapt)
    return card is not None and card.trains_backbone


def progress(item: RunItem) -> str:
    """What the run is at, in a line."""
    state = item.row.state
    match state.phase:
        case Phase.QUEUED:
            return state.message or "Waiting"
        case Phase.RUNNING:
            return _at_work(item)
        case Phase.PAUSED:
            return f"Paused {_place(item)}"
        case Phase.FINISHED:
            return _amount(item, state.epoch) if state.epochs > 1 else "Done"
        case Phase.FAILED:
            return state.message or "Failed"
        case _:
            return f"Cancelled {_place(item)}"


def _place(item: RunItem) -> str:
    done = item.row.state.epoch
    return f"after {_unit(item)} {done} of {epochs(item)}" if done and epochs(item) > 1 else "before the first epoch"


def _unit(item: RunItem) -> str:
    return "epoch" if _counts_samples(item) else "penalty"


def _amount(item: RunItem, done: int) -> str:
    return f"{done} {'epochs' if _counts_samples(item) else 'penalties'}"


def _at_work(item: RunItem) -> str:
    state = item.row.state
    planned = epochs(item)
    amount = f" · {state.done:,} / {state.total:,}" if state.total > 0 and state.done > 0 else ""
    if state.stage in ("train", "validate") and planned > 1:
        number = min(state.epoch + 1, planned)
        doing = " · validating" if state.stage == "validate" else amount if _counts_samples(item) else ""
        return f"{_unit(item).capitalize()} {number} of {planned}{doing}"
    return f"{stage(state.stage) if state.stage else 'Starting'}{amount}"


def seconds_left(item: RunItem) -> float | None:
    """Seconds to the end of the run: what is left of the stage, and the epochs that follow it.

    Later epochs are reckoned like the latest five, or like the rate of the first while there are none. None
    while nobody knows; a training that stops early ends sooner.
    """
    state = item.row.state
    if state.phase is not Phase.RUNNING:
        return None
    planned = epochs(item)
    if state.stage not in ("train", "validate") or planned <= 1:
        return state.seconds_left
    recent = [point.seconds for point in state.curve[-_RECENT:] if point.seconds > 0]
    if not _counts_samples(item):
        return sum(recent) / len(recent) * (planned - state.epoch) if recent else None
    if state.seconds_left is None:
        return None
    following = max(planned - state.epoch - 1, 0)
    if recent:
        return state.seconds_left + following * sum(recent) / len(recent)
    if state.stage == "train" and state.samples_per_second > 0:
        return state.seconds_left + following * state.total / state.samples_per_second
    return None


def time(item: RunItem) -> str:
    """Time left of a run at work, duration of one that is done."""
    state = item.row.state
    if state.phase is Phase.RUNNING:
        left = seconds_left(item)
        return f"{_rough(left)} left" if left is not None else NONE
    if state.phase is not Phase.FINISHED:
        return NONE
    return duration(state.seconds) if state.seconds < 600 else _rough(state.seconds)


def _rough(seconds: float) -> str:
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def seed(item: RunItem) -> str:
    """Seed and fold."""
    row = item.row
    return f"{row.seed}" if row.fold is None else f"{row.seed} · fold {row.fold}"


def rate(state: RunState) -> str:
    """Samples a second with sensible digits."""
    value = state.samples_per_second
    if not value or not math.isfinite(value):
        return NONE
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"

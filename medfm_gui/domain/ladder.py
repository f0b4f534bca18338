"""The adaptation ladder: what each run cost, and how good it became."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from medfm_gui.domain.run import EXTERNAL


class Cost(StrEnum):
    """What a run needs, each an axis of the ladder."""

    PARAMETERS = "parameters"
    MINUTES = "minutes"
    LABELS = "labels"

    @property
    def words(self) -> str:
        """What people read for it."""
        return _TITLES[self]


_TITLES: Final = {
    Cost.PARAMETERS: "trained parameters",
    Cost.MINUTES: "minutes of training",
    Cost.LABELS: "labelled images used",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One finished run with its number: a metric, its interval, and what the run cost.

    ``subset`` is ``test``, or ``val`` where the number is the validation's, which has no interval: it was selected on.
    ``settings`` is a digest of the recipe: runs of other settings are no repetition. A cost of 0 is unknown, but that
    of ``parameters``, where k nearest neighbours train nothing; of another system no cost is known.
    """

    run: str
    name: str
    model: str
    model_title: str
    family: str
    adapt: str
    shots: int | None
    seed: int
    fold: int | None
    from_scratch: bool
    settings: str
    parameters: int
    minutes: float
    labels: int
    memory_bytes: int
    subset: str
    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str = "image"
    method: str = ""
    confidence: float = 0.95
    note: str = ""

    def cost(self, of: Cost) -> float | None:
        """That cost; None where it is not known."""
        match of:
            case Cost.PARAMETERS:
                return None if self.adapt == EXTERNAL else float(self.parameters)
            case Cost.MINUTES:
                return self.minutes or None
            case Cost.LABELS:
                return float(self.labels) or None


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs that can stand in one chart: one dataset, one set of images, one metric, one subset.

    ``note`` says which number it is and why; ``left_out`` are runs that were asked for and are of other images.
    """

    rungs: tuple[Rung, ...]
    metric: str
    subset: str
    note: str = ""
    left_out: tuple[str, ...] = ()

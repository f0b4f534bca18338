"""What stands in front of a model that leaves its workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medfm_gui.domain.dataset import Task

FORMAT = 1
"""Version of the ``.medfm`` layout."""
CARD, ORDER = "card.json", "spec.json"
SUFFIX = ".medfm"
IMPORTED = "imported from"
"""The fact of a run that names the file it came from."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A portable model in facts; neither paths nor patients.

    ``metrics`` are those of validation, under stored ids. ``threshold`` is the operating point that was fixed when the
    run ended. ``files`` maps each member to its SHA-256. ``holds_features``: the head of a vote of neighbours is the
    features of its training images, which travel with it.
    """

    title: str
    run: str
    model: str
    family: str
    adapt: str
    pretraining: str
    pretraining_data: str
    licence: str
    non_commercial: bool
    task: Task
    classes: tuple[str, ...]
    positive: str | None
    dataset: str
    dataset_fingerprint: str
    split_fingerprint: str
    input_size: int
    seed: int
    created: str
    code_version: str
    trained_parameters: int
    labels_used: int
    holds_features: bool = False
    threshold: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT
    intended_use: str = "Research use only - not for clinical use."


def imported_from(facts: Mapping[str, str]) -> str:
    """The name of the file that a run came from, by its facts; empty for one that was trained here."""
    return facts.get(IMPORTED, "")

"""Whether a model fits this computer, and what it may have seen before: both for its line in the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from medfm_gui.domain import cards
from medfm_gui.domain.cards import BackboneCard, Overlap
from medfm_gui.store.rows import DatasetRow
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.pages.train.words import size
from medfm_gui.workspace.planning import Device

_FROZEN_BYTES: Final = 4
"""A parameter of a frozen backbone: the number itself, in 32 bits."""
_TRAINED_BYTES: Final = 16
"""A parameter that is trained: the number, its gradient, and two moments of the optimiser."""
_FOR_WEIGHTS: Final = 0.8
"""Of the device's memory; the rest is for the images of a batch and what they become on their way."""
_GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Fit:
    """In a word for the line, in a sentence for whoever wants to know."""

    word: str
    sentence: str
    role: str = ""


def device_of(wanted: str, devices: Sequence[Device]) -> Device | None:
    """The device that a plan would run on, as far as the devices are known."""
    if wanted == "auto":
        return devices[0] if devices else None
    return next((device for device in devices if device.id == wanted), None)


def fit(card: BackboneCard, state: PlanState) -> Fit:
    """Whether the model fits, measured where it was, else estimated; nothing where the device's memory is unknown."""
    device = device_of(state.plan.device, state.devices)
    if device is None or not device.memory_gb:
        return Fit("", "")
    room = device.memory_gb * _GIB
    parameters = card.parameters_m * 1e6
    frozen, full = parameters * _FROZEN_BYTES, parameters * _TRAINED_BYTES
    measured = [
        (way, held)
        for (place, (name, way)), held in state.memory.items()
        if name == card.name and place == state.plan.device
    ]
    if measured:
        most = max(held for _, held in measured)
        said = "; ".join(f"{way.title}: {size(held)}" for way, held in measured)
        if most < room:
            return Fit("fits, measured", f"Measured: {said}; {_of(device)}.")
        return Fit("too large", f"Measured: {said}; {_of(device)}.", "bad")
    said = (
        f"Estimate from its parameters: {size(frozen)} frozen, {size(full)} with every weight trained, images of a "
        f"batch not counted; {_of(device)}. Review measures it."
    )
    if full <= room * _FOR_WEIGHTS:
        return Fit("fits", said)
    if frozen <= room * _FOR_WEIGHTS:
        return Fit("fits frozen", said, "warning")
    return Fit("too large", said, "bad")


def _of(device: Device) -> str:
    return f"{device.name} has {device.memory_gb:.0f} GiB"


def known_dataset(row: DatasetRow | None) -> str:
    """Which of the known datasets this is, by its importer, else by its name; empty if none."""
    return "" if row is None else cards.known_dataset(row.layout, row.id, row.name)


def overlap_words(overlap: Overlap) -> tuple[str, str]:
    """A chip's text and role; no text where there is nothing to be told."""
    match overlap:
        case "yes":
            return "has seen these images", "bad"
        case "possible":
            return "may have seen these images", "warning"
        case "no":
            return "", ""
        case _:
            return "overlap unknown", "muted"

"""Where a model's weights are on this computer, told without loading them.

An imported file is ``<name>.safetensors`` in the weights folder with a record beside it; a file without a
record, or of another length than its record says, counts as absent: it is half of something.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.cards import BackboneCard, WeightsState, WeightsStatus
from medfm_gui.domain.errors import InputError


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    """What is known of an imported file: ``size`` in bytes, ``original_sha256`` of the file it was made from."""

    name: str
    sha256: str
    size: int
    source: str
    licence: str
    tensors: int
    parameters: int
    original_sha256: str


def weights_file(card: BackboneCard, folder: Path) -> Path:
    """Where the imported weights of a model are, or would be."""
    return folder / f"{card.name}.safetensors"


def record_file(weights: Path) -> Path:
    """The record beside a weights file."""
    return weights.with_name(f"{weights.name}.json")


def bundled_file(card: BackboneCard) -> Path | None:
    """The file inside an installed package, or None. The package is not imported."""
    if not card.weights.package:
        return None
    try:
        spec = importlib.util.find_spec(card.weights.package)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / card.weights.package_file
        if path.is_file():
            return path
    return None


def status(card: BackboneCard, folder: Path) -> WeightsStatus:
    """Whether the weights are here, from where, and which file a run would take.

    Args:
        folder: the weights folder (``settings.weights_folder``); an imported file precedes a bundled one.
    """
    path = weights_file(card, folder)
    record = _record(path)
    if record is not None:
        return WeightsStatus(WeightsState.PRESENT, record.source, record.sha256, str(path))
    bundled = bundled_file(card)
    if bundled is not None:
        sha256 = card.weights.sha256 or sha256_file(bundled)
        return WeightsStatus(WeightsState.BUNDLED, card.weights.label, sha256, str(bundled))
    return WeightsStatus(WeightsState.ABSENT, card.weights.label, card.weights.sha256)


def _record(path: Path) -> WeightsRecord | None:
    try:
        record = wire.decode(WeightsRecord, record_file(path).read_bytes())
        return record if path.stat().st_size == record.size else None
    except (OSError, InputError):
        return None

"""Where a model's weights are on this computer, told without loading them.

An imported file is ``<name>.safetensors`` in the weights folder with a record beside it; a file without a
record, or of another length than its record says, counts as absent: it is half of something.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.cards import BackboneCard, WeightsState, WeightsStatus
from medfm_gui.domain.errors import InputError, WorkspaceBusy


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
    return folder / f"{card.name.replace(':', '-')}.safetensors"


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


@contextlib.contextmanager
def importing(card: BackboneCard, folder: Path) -> Iterator[None]:
    """While the block lasts, the weights of a model count as being brought in.

    Raises:
        WorkspaceBusy: somebody else is bringing them in.
    """
    place = _lock_file(card, folder)
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place, timeout=1, thread_local=False)  # a look at it takes the lock too, for microseconds
    try:
        lock.acquire()
    except Timeout:
        raise WorkspaceBusy(
            f"The weights of {card.title} are being brought in already.", "Wait until that is done, or stop it."
        ) from None
    try:
        yield
    finally:
        lock.release()
        with contextlib.suppress(OSError):  # Windows, where another looks at it just now
            place.unlink(missing_ok=True)


def status(card: BackboneCard, folder: Path) -> WeightsStatus:
    """Whether the weights are here, from where, and which file a run would take.

    Args:
        folder: the weights folder (``settings.weights_folder``); an imported file precedes a bundled one.
    """
    path = weights_file(card, folder)
    record = read_record(path)
    if record is not None:
        return WeightsStatus(WeightsState.PRESENT, record.source, record.sha256, str(path), record.size)
    bundled = bundled_file(card)
    if bundled is not None:
        sha256 = card.weights.sha256 or sha256_file(bundled)
        return WeightsStatus(WeightsState.BUNDLED, card.weights.label, sha256, str(bundled), bundled.stat().st_size)
    state = WeightsState.IMPORTING if _is_importing(card, folder) else WeightsState.ABSENT
    return WeightsStatus(state, card.weights.label, card.weights.sha256)


def read_record(weights: Path) -> WeightsRecord | None:
    """What is known of an imported file; None where it is not whole."""
    try:
        record = wire.decode(WeightsRecord, record_file(weights).read_bytes())
        return record if weights.stat().st_size == record.size else None
    except (OSError, InputError):
        return None


def _lock_file(card: BackboneCard, folder: Path) -> Path:
    return folder / f".{weights_file(card, folder).stem}.importing"


def _is_importing(card: BackboneCard, folder: Path) -> bool:
    """Whether the lock is held: one that a dead process left is free."""
    place = _lock_file(card, folder)
    if not place.exists():
        return False
    try:
        with FileLock(place, timeout=0, thread_local=False):
            return False
    except Timeout:
        return True

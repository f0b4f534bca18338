"""What is asked of a decoding child about a volume (or picture) with its masks, and its answer. No decoder here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SECONDS_A_VOLUME = 180.0
"""The limit for one volume with its masks: all their voxels are read, inflated and hashed."""


@dataclass(frozen=True, slots=True)
class VolumeJob:
    """One image with the label images that belong to it; ``key`` comes back with the result.

    ``root`` is the folder that links may not leave. With ``apart`` each mask is a class of its own, whatever values it
    marks it with: the first is 1, the second 2.
    """

    key: str
    path: str
    masks: tuple[str, ...] = ()
    root: str | None = None
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """Where a small picture of the image is: raw values in a shard of the pool's folder, as ``pool.CachedPixels``."""

    shard: str
    offset: int
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class VolumeResult:
    """What a volume is, or a ``reason`` of ``Reason`` with a sentence.

    ``slices`` is 0 for a picture. ``spacing_mm`` is (slices, rows, columns), empty where unknown; ``view`` says across
    what the slices lie (axial, coronal, sagittal). ``labels`` counts the voxels of each value of all masks together,
    background included. ``stored_sha256`` and ``masks_sha256`` are over voxels, not files. ``low`` and ``high`` are the
    ends of the values in the file's own units.
    """

    key: str
    ok: bool
    reason: str = ""
    message: str = ""
    slices: int = 0
    rows: int = 0
    columns: int = 0
    spacing_mm: tuple[float, ...] = ()
    view: str = ""
    dtype: str = ""
    low: float = 0.0
    high: float = 0.0
    stored_sha256: str = ""
    masks_sha256: str = ""
    labels: Mapping[int, int] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    cached: Preview | None = None


def volume_order(job: VolumeJob) -> tuple[str, dict[str, Any]]:
    """The words of an order; paths are absolute already."""
    words = {"work": "volume", "path": job.path, "masks": list(job.masks), "root": job.root}
    return job.key, {**words, "apart": job.apart, "seconds": SECONDS_A_VOLUME}


def volume_result(key: str, words: dict[str, Any], shard: str) -> VolumeResult:
    """A child's answer as a result."""
    if not words["ok"]:
        return VolumeResult(key, False, str(words["reason"]), str(words["message"]))
    cached = words.get("cached")
    return VolumeResult(
        key=key,
        ok=True,
        slices=int(words["slices"]),
        rows=int(words["rows"]),
        columns=int(words["columns"]),
        spacing_mm=tuple(words["spacing_mm"]),
        view=str(words["view"]),
        dtype=str(words["dtype"]),
        low=float(words["low"]),
        high=float(words["high"]),
        stored_sha256=str(words["stored_sha256"]),
        masks_sha256=str(words["masks_sha256"]),
        labels={int(value): int(count) for value, count in words["labels"]},
        header=words.get("header") or {},
        notes=tuple(words["notes"]),
        cached=Preview(shard, cached["offset"], tuple(cached["shape"]), cached["dtype"]) if cached else None,
    )

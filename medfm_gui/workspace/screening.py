"""Pictures worth a second look: blank, saturated, tiny, oddly shaped, inverted, of another kind, identical.

Measured on the pixel cache, once for a fingerprint, and kept in ``datasets/<id>/screening.json``. A finding is a
reason to look, no verdict: nothing is left out by itself.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.errors import InputError, MedfmError, NotFound
from medfm_gui.workspace import data, pixels
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.datasets.pixels import PixelCache

Progress = Callable[[int, int], None]

FILE = "screening.json"
_RULES = 2
"""Raised when a rule changes, so that what was kept is measured anew."""
_SIDE = 64
_BLANK_SPREAD = 0.02
_SATURATED_SHARE = 0.5
_SATURATED_MORE = 0.25
_TOP = 0.98
_TINY_PX = 64
_ODD_ASPECT = 2.0
_LEAST_PEERS = 20
_INVERTED_BELOW = -0.3
_RARE_SHARE = 0.02
_MEMORY_EVERY = 2000


class Oddity(StrEnum):
    """What is odd about a picture."""

    BLANK = "blank"
    SATURATED = "saturated"
    TINY = "tiny"
    ASPECT = "odd aspect ratio"
    INVERTED = "inverted"
    KIND = "odd modality"
    IDENTICAL = "identical"
    LOST = "no pixels"


MEANINGS: Mapping[Oddity, str] = {
    Oddity.BLANK: "Hardly any contrast: 98 % of the pixels lie within 2 % of the range.",
    Oddity.SATURATED: "The brightest values are cut off: more than half of the pixels stand there, or a quarter "
    "more of them than usual for this dataset.",
    Oddity.TINY: f"A side below {_TINY_PX} pixels, where most images are larger.",
    Oddity.ASPECT: f"One side is at least {_ODD_ASPECT:g} times as long as usual for this dataset.",
    Oddity.INVERTED: "Bright where the other images are dark: the grey scale may be inverted (MONOCHROME1).",
    Oddity.KIND: "A modality, body part or number of colours that hardly any other image has.",
    Oddity.IDENTICAL: "The very same pixels as another image.",
    Oddity.LOST: "The pixel cache has no picture of it.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """An oddity of a sample with what was measured, e.g. ``31 × 28 px``."""

    sample: str
    oddity: Oddity
    measured: str = ""


@dataclass(frozen=True, slots=True)
class Screening:
    """All findings of a dataset; ``fingerprint`` and ``rules`` say for what they hold."""

    dataset: str
    fingerprint: str
    n_images: int
    findings: tuple[Finding, ...]
    rules: int = _RULES
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def flagged(self) -> tuple[str, ...]:
        """Samples with at least one finding, each once."""
        return tuple(dict.fromkeys(finding.sample for finding in self.findings))


def kept_screening(workspace: Workspace, dataset_id: str) -> Screening | None:
    """What was measured before; None where nothing was, or the dataset or the rules are others now.

    Raises:
        NotFound: there is no such dataset.
    """
    from medfm_gui.datasets.files import read_manifest

    folder = workspace.dataset(dataset_id)
    if not (folder / FILE).exists():
        return None
    try:
        found = wire.read(Screening, folder / FILE)
    except InputError:
        return None
    is_current = found.rules == _RULES and found.fingerprint == read_manifest(folder).fingerprint
    return found if is_current else None


def screen(
    workspace: Workspace, dataset_id: str, *, on_progress: Progress | None = None, keep: bool = True
) -> Screening:
    """Look at every picture of a dataset, or read what was found before.

    Args:
        on_progress: told (done, all); what it raises ends the work, and nothing is kept.
        keep: write what was found beside the dataset.

    Raises:
        NotFound: there is no such dataset, or it has no pixel cache.
    """
    from medfm_gui.datasets.pixels import PixelCache

    kept = kept_screening(workspace, dataset_id)
    if kept is not None:
        return kept
    dataset = data.read(workspace, dataset_id)
    cache = PixelCache(workspace.dataset(dataset_id) / "pixels")
    try:
        cache.check()
    except (InputError, NotFound):  # removed to save space: decoded again
        pixels.make_again(workspace, dataset_id, on_progress=on_progress or _silent)
        cache = PixelCache(workspace.dataset(dataset_id) / "pixels")
    measured = _measure(dataset, cache, on_progress)
    findings = tuple(sorted(_findings(dataset.samples, measured), key=_order))
    made = Screening(
        dataset_id,
        dataset.fingerprint,
        len(dataset.samples),
        findings,
        counts=Counter(finding.oddity.value for finding in findings),
    )
    if keep:
        with contextlib.suppress(MedfmError):  # where it cannot be kept it is measured again
            wire.write(workspace.dataset(dataset_id) / FILE, made)
    return made


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


def _order(finding: Finding) -> tuple[int, str]:
    return (list(Oddity).index(finding.oddity), finding.sample)


# -- measuring


@dataclass(frozen=True, slots=True)
class Measured:
    """One number a sample and measure; NaN where there are no pixels. ``small`` is n × 8 × 8, mean 0, for polarity."""

    spread: NDArray[np.float32]
    saturated: NDArray[np.float32]
    channels: NDArray[np.int8]
    small: NDArray[np.float32]


def _measure(dataset: Dataset, cache: PixelCache, on_progress: Progress | None) -> Measured:
    n = len(dataset.samples)
    spread, saturated = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    channels, small = np.zeros(n, np.int8), np.zeros((n, 8, 8), np.float32)
    for number, sample in enumerate(dataset.samples):
        try:
            pixels = cache.image(sample.id)
        except (NotFound, InputError):
            pixels = None
        if pixels is not None and pixels.size:
            spread[number], saturated[number], small[number] = measure_one(pixels)
            channels[number] = pixels.shape[2] if pixels.ndim == 3 else 1
        if number % _MEMORY_EVERY == _MEMORY_EVERY - 1:
            cache.close()  # pages of mapped files count as memory of this process
        if on_progress and (number % 64 == 63 or number == n - 1):
            on_progress(number + 1, n)
    return Measured(spread, saturated, channels, small)


def measure_one(pixels: NDArray[Any]) -> tuple[float, float, NDArray[np.float32]]:
    """Spread (1st to 99th percentile over the range), share of pixels cut off at the top, and 8 × 8 means less mean.

    Every few pixels are enough: at most 64 × 64 are looked at. Values of 16 bits count from 0 to their own highest, for
    a detector of 12 bits cuts off at 4,095; with 8 bits the uppermost 2 % count, for JPEG blurs what was cut off.
    """
    rows, columns = pixels.shape[:2]
    steps = max(1, rows // _SIDE), max(1, columns // _SIDE)
    grey = np.asarray(pixels[:: steps[0], :: steps[1]], dtype=np.float32)
    grey = grey.mean(axis=2) if grey.ndim == 3 else grey
    top = 255.0 if pixels.dtype == np.uint8 else max(float(grey.max()), 1.0)
    low, high = np.percentile(grey, (1, 99))
    saturated = float((grey >= (_TOP * top if pixels.dtype == np.uint8 else top)).mean())
    lines = [part.mean(axis=0) for part in np.array_split(grey, 8, axis=0) if len(part)]
    cells = [part.mean(axis=1) for part in np.array_split(np.asarray(lines), 8, axis=1) if part.shape[1]]
    small = np.zeros((8, 8), np.float32)
    made = np.asarray(cells, dtype=np.float32).T
    small[: made.shape[0], : made.shape[1]] = made
    return float(high - low) / top, saturated, (small - small.mean()).astype(np.float32)


# -- judging


def _findings(samples: Sequence[Sample], measured: Measured) -> Iterator[Finding]:
    yield from _by_contents(samples, measured)
    yield from _by_size(samples)
    yield from _inverted(samples, measured)
    yield from _rare_kinds(samples, measured)
    yield from _identical(samples)


def _by_contents(samples: Sequence[Sample], measured: Measured) -> Iterator[Finding]:
    usual = float(np.nanmedian(measured.saturated)) if not np.isnan(measured.saturated).all() else 0.0
    limit = min(_SATURATED_SHARE, usual + _SATURATED_MORE)
    for number, sample in enumerate(samples):
        spread, saturated = float(measured.spread[number]), float(measured.saturated[number])
        if np.isnan(spread):
            yield Finding(sample.id, Oddity.LOST)
        elif spread < _BLANK_SPREAD:
            yield Finding(sample.id, Oddity.BLANK, f"contrast {100 * spread:.1f} % of the range")
        elif saturated > limit:
            yield Finding(sample.id, Oddity.SATURATED, f"{100 * saturated:.0f} % of the pixels at the top")


def _by_size(samples: Sequence[Sample]) -> Iterator[Finding]:
    sized = [sample for sample in samples if sample.rows and sample.columns]
    if not sized:
        return
    usual_side = float(np.median([min(sample.rows, sample.columns) for sample in sized]))
    usual = float(np.median([np.log(sample.columns / sample.rows) for sample in sized]))
    for sample in sized:
        measured = f"{sample.columns} × {sample.rows} px"
        if min(sample.rows, sample.columns) < _TINY_PX <= usual_side:
            yield Finding(sample.id, Oddity.TINY, measured)
        if abs(np.log(sample.columns / sample.rows) - usual) >= np.log(_ODD_ASPECT) - 1e-9:
            yield Finding(sample.id, Oddity.ASPECT, measured)


def _inverted(samples: Sequence[Sample], measured: Measured) -> Iterator[Finding]:
    """Grey images that are the negative of the mean image of their kind.

    The mean is over one view (or all, where none is told), not over a class: a label must not be told by a finding.
    """
    kinds: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, sample in enumerate(samples):
        if measured.channels[number] == 1 and measured.spread[number] >= _BLANK_SPREAD:
            names = ("modality", "body_part", "view", "view_position")
            kinds[tuple(sample.covariates.get(name, "") for name in names)].append(number)
    for places in kinds.values():
        if len(places) < _LEAST_PEERS:
            continue
        flat = measured.small[places].reshape(len(places), -1)
        flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
        usual = np.median(flat, axis=0)
        norm = float(np.linalg.norm(usual))
        agreement = flat @ (usual / max(norm, 1e-6))
        if float(np.median(agreement)) < -2 * _INVERTED_BELOW:  # images of no common look tell nothing
            continue
        for place in np.flatnonzero(agreement < _INVERTED_BELOW):
            yield Finding(samples[places[place]].id, Oddity.INVERTED, f"agreement {agreement[place]:+.2f}")


def _rare_kinds(samples: Sequence[Sample], measured: Measured) -> Iterator[Finding]:
    colours = {1: "grey", 3: "coloured"}
    for name in ("modality", "body_part", ""):
        values = [
            sample.covariates.get(name, "") if name else colours.get(int(measured.channels[number]), "")
            for number, sample in enumerate(samples)
        ]
        counted = Counter(value for value in values if value)
        if len(counted) < 2:
            continue
        rare = {value for value, number in counted.items() if number < _RARE_SHARE * counted.total()}
        for sample, value in zip(samples, values, strict=True):
            if value in rare:
                yield Finding(sample.id, Oddity.KIND, f"{value}, as {counted[value]} of {counted.total()}")


def _identical(samples: Sequence[Sample]) -> Iterator[Finding]:
    by_pixels: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.pixels_sha256:
            by_pixels[sample.pixels_sha256].append(sample)
    for sharing in by_pixels.values():
        for sample in sharing if len(sharing) > 1 else ():
            other = next(one for one in sharing if one is not sample)
            yield Finding(sample.id, Oddity.IDENTICAL, f"as {other.id}")

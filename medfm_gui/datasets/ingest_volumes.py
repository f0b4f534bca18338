"""The way of a segmentation from its listing to samples: every volume and every mask is opened and looked at.

In the decoding children (``imaging.examine``): the mask has its image's size and lies in its place, its values are
whole numbers, the image's are numbers at all. Here: the values are those that were declared; what the volumes have
in common and where they differ is said. A volume is never resampled and never copied.

**The pixel cache holds one picture a volume: its middle slice**, shrunk like any other, between the 1st and 99th
percentile of the whole volume. It is there so that the images can be looked at in a grid; nothing learns from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from medfm_gui.datasets.labels import Labelling
from medfm_gui.datasets.layout import Decoder
from medfm_gui.datasets.listing import Entry, Listing
from medfm_gui.datasets.pixels import Cached
from medfm_gui.datasets.text import examples, shown
from medfm_gui.datasets.volumes import SLICES
from medfm_gui.domain.dataset import Sample, Skipped, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted

if TYPE_CHECKING:
    from medfm_gui.imaging.examined import VolumeResult

_FAR_LARGER = 20
_FAR_BRIGHTER = 4.0
_UNEQUAL_SIDES = 1.5


@dataclass(frozen=True, slots=True)
class VolumesRead:
    """What became of the volumes of a listing; ``listing`` holds the entries that are samples, ``notes`` those of each.

    ``labelling`` has the classes in the order of their label values, background left out, and no targets.
    """

    listing: Listing
    labelling: Labelling
    samples: tuple[Sample, ...]
    cached: Mapping[str, Cached]
    skipped: tuple[Skipped, ...]
    notes: tuple[tuple[str, ...], ...]


def read_volumes(
    listing: Listing, *, pixels: Path | None, pool: Decoder, on_progress: Callable[[int, int], None]
) -> VolumesRead:
    """Open every volume with its masks.

    Args:
        listing: sorted; its ``classes`` are the names of the values 1, 2, …; none = the values that are found. Where
            each image has as many masks as there are classes, each mask is the class of its place.
        pixels: the folder of the pixel cache, to which the pool writes; None keeps no preview.

    Raises:
        InputError: no volume fits its mask, or no mask marks anything.
    """
    found, skipped = _looked_at(listing, pool, on_progress)
    if not found:
        reasons = ", ".join(f"{number} {reason}" for reason, number in Counter(item.reason for item in skipped).items())
        raise InputError(
            f"No image fits its mask: {counted(len(skipped), 'file')} left out ({reasons}).",
            "See what is said of each; “--dry-run” lists them.",
        )
    kept = [(listing.entries[number], found[number]) for number in sorted(found)]
    values = sorted({value for _, result in kept for value in result.labels if value})
    if not values:
        raise InputError("All masks are empty: there is nothing to learn.", "Check the masks.")
    classes = listing.classes or tuple(f"label {value}" for value in values)
    codes = [*range(1, len(classes) + 1)] if listing.classes else values
    samples, cached = _samples(listing.root, kept, pixels)
    results = [result for _, result in kept]
    labelling = Labelling(
        task=Task.SEGMENTATION,
        classes=classes,
        targets=(),
        taken={"labels": ", ".join(f"{code} {name}" for code, name in zip(codes, classes, strict=True))},
        warnings=tuple(_remarks(results, dict(zip(codes, classes, strict=True)))),
    )
    whole = replace(
        listing,
        entries=tuple(entry for entry, _ in kept),
        counts=tuple(
            replace(count, found=sum(result.slices for result in results)) if count.what == SLICES else count
            for count in listing.counts
        ),
        statement=replace(
            listing.statement,
            codes=listing.statement.codes or {name: f"local {code}" for code, name in zip(codes, classes, strict=True)},
        ),
    )
    return VolumesRead(whole, labelling, samples, cached, tuple(skipped), tuple(result.notes for result in results))


def _looked_at(
    listing: Listing, pool: Decoder, on_progress: Callable[[int, int], None]
) -> tuple[dict[int, VolumeResult], list[Skipped]]:
    """By position in the listing what was found, and what cannot be used."""
    from medfm_gui.imaging.examined import VolumeJob

    root = str(listing.root)
    apart = len(listing.classes) > 1 and {len(entry.masks) for entry in listing.entries} == {len(listing.classes)}
    jobs = (
        VolumeJob(str(number), entry.file, entry.masks, root, apart) for number, entry in enumerate(listing.entries)
    )
    declared = set(range(len(listing.classes) + 1)) if listing.classes else None
    found: dict[int, VolumeResult] = {}
    failed: dict[int, Skipped] = {}
    for done, result in enumerate(pool.volumes(jobs), 1):
        number = int(result.key)
        path = listing.entries[number].path
        odd = sorted(value for value in result.labels if declared is not None and value not in declared)
        if not result.ok:
            failed[number] = Skipped(path, result.reason, result.message)
        elif odd:
            said = examples(map(str, odd), most=5)
            failed[number] = Skipped(path, "mask_labels", f"Its mask holds values that no label has: {said}.")
        else:
            found[number] = result
        on_progress(done, len(listing.entries))
    return found, [failed[number] for number in sorted(failed)]


def _samples(
    root: Path, kept: Sequence[tuple[Entry, VolumeResult]], pixels: Path | None
) -> tuple[tuple[Sample, ...], dict[str, Cached]]:
    samples: list[Sample] = []
    cached: dict[str, Cached] = {}
    for number, (entry, result) in enumerate(kept, 1):
        sample_id = f"s{number:06d}"
        samples.append(
            Sample(
                id=sample_id,
                path=entry.path,
                target=(),
                patient=entry.patient,
                group=entry.group,
                fold=entry.fold,
                rows=result.rows,
                columns=result.columns,
                pixels_sha256=result.stored_sha256,
                covariates={**result.header, **_geometry(result), **entry.covariates},
                masks=tuple(_relative(root, mask) for mask in entry.masks),
                slices=result.slices,
                masks_sha256=result.masks_sha256,
            )
        )
        if result.cached and pixels:
            cached[sample_id] = result.cached
    return tuple(samples), cached


def _relative(root: Path, file: str) -> str:
    path = Path(file)
    return shown(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name)


def _geometry(result: VolumeResult) -> dict[str, str]:
    """What divides volumes beside their labels: how they lie, how far apart their voxels are, how they are stored."""
    if not result.slices:
        return {}
    facts = {"voxel_type": result.dtype}
    if result.view:
        facts["view"] = result.view
    if len(result.spacing_mm) == 3:
        apart, down, right = (f"{side:.4g}" for side in result.spacing_mm)
        facts |= {"slice_spacing_mm": apart, "pixel_spacing_mm": down if down == right else f"{down} × {right}"}
    return facts


def _remarks(results: Sequence[VolumeResult], classes: Mapping[int, str]) -> list[str]:
    """What a person should know of the volumes together."""
    said = []
    never = [name for code, name in classes.items() if not any(result.labels.get(code) for result in results)]
    if never:
        said.append(f"No mask marks {examples(never)}.")
    for code, name in classes.items():
        without = sum(not result.labels.get(code) for result in results)
        if without and name not in never and 4 * without <= len(results):
            said.append(f"{counted(without, 'mask')} of {len(results)} without “{name}”.")
    return said + _scales(results) + _sizes(results)


def _scales(results: Sequence[VolumeResult]) -> list[str]:
    kinds = Counter(result.dtype for result in results)
    if len(kinds) < 2:
        return []
    said = []
    for dtype, number in kinds.most_common(4):
        highest = median(result.high for result in results if result.dtype == dtype)
        said.append(f"{number} {dtype} (up to {highest:.4g})")
    tops = [median(result.high for result in results if result.dtype == dtype) for dtype in kinds]
    unlike = max(tops) > _FAR_BRIGHTER * max(min(tops), 1e-9)
    tail = ", on unlike scales: normalise each volume by itself" if unlike else ""
    return [f"The volumes are stored as {', '.join(said)}{tail}."]


def _sizes(results: Sequence[VolumeResult]) -> list[str]:
    volumes = [result for result in results if result.slices]
    if len(volumes) < 3:
        return []
    said = []
    usual = median(result.slices * result.rows * result.columns for result in volumes)
    large = [one for one in volumes if one.slices * one.rows * one.columns > _FAR_LARGER * usual]
    if large:
        shape = f"{large[0].columns} × {large[0].rows} × {large[0].slices}"
        said.append(f"{counted(len(large), 'volume')} far larger than the others ({shape}): is it of this dataset?")
    apart = [one.spacing_mm[0] for one in volumes if one.spacing_mm and one.spacing_mm[0] > 0]
    if apart and max(apart) > _UNEQUAL_SIDES * min(apart):
        said.append(f"The slices lie {min(apart):.3g} to {max(apart):.3g} mm apart.")
    return said

"""A volume or picture and its masks looked at whole, in a decoding child: do they fit, and what is in them?

A mask fits if it has the size of its image and lies in the same place: after both were turned as ``voxels`` says,
no corner may be further away than a tenth of the smallest side of a voxel. A mask without a place of its own is
compared by its size alone, and that is said.
"""

from __future__ import annotations

import collections
import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.gate import VOLUMES, FileKind, admit
from medfm_gui.imaging.picture import Pixels, stored_sha256
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.voxels import Place, Slices

MOST_LABELS = 1024
EMPTY_MASK = "The mask is empty: nothing but background."
PLACELESS_MASK = "Only one of image and mask says where it lies; they were compared by size alone."
OVERLAPPING = "Masks of two classes overlap: the pixels there belong to both."
_APART = 0.1
_VIEW_NAMES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True, slots=True)
class _Whole:
    """An image in full: its slices (a picture has one), what was found, and the picture that stands for it."""

    stored: npt.NDArray[Any]
    place: Place | None
    facts: dict[str, Any]
    preview: Pixels


def examine(path: Path, masks: list[str], root: Path | None, *, apart: bool = False) -> tuple[dict[str, Any], Pixels]:
    """What ``examined.VolumeResult`` says, and a preview: the middle slice as a viewer would show it.

    Args:
        apart: each mask is a class of its own, as ``examined.VolumeJob`` says.

    Raises:
        UnreadableFile: image or mask cannot be read, or they do not fit.
    """
    whole = _whole(path, root)
    facts, notes = whole.facts, list(whole.facts["notes"])
    voxels: collections.Counter[int] = collections.Counter()
    covered: npt.NDArray[np.bool_] | None = None
    digests = []
    for code, name in enumerate(masks, 1):
        try:
            mask, place = _mask(Path(name), root)
        except UnreadableFile as error:
            raise refusal(Reason.BAD_MASK, f"The mask cannot be used. {error.message}") from error
        notes += _fit(whole, mask, place)
        found = _counted(mask)
        if not any(found):  # 0 is the background, and no other value is there
            notes.append(EMPTY_MASK)
        voxels.update(_as_class(found, code) if apart else found)
        if apart:
            marked = mask != 0
            if covered is not None and (covered & marked).any():
                notes.append(OVERLAPPING)
            covered = marked if covered is None else covered | marked
        digests.append(_sha256(mask))
    facts["labels"] = sorted(voxels.items())
    facts["masks_sha256"] = digests[0] if len(digests) == 1 else _joined(digests)
    facts["notes"] = list(dict.fromkeys(notes))
    return facts, whole.preview


def _whole(path: Path, root: Path | None) -> _Whole:
    with admit(path, root=root) as admitted:
        if admitted.kind in VOLUMES:
            from medfm_gui.imaging.volume_file import VolumeFile  # brings nibabel or SimpleITK

            volume = VolumeFile(admitted)
            return _of_volume(volume.slices, volume.extent, volume.picture(volume.frames // 2).pixels)
        if admitted.kind is FileKind.DICOM:
            from medfm_gui.imaging.dicom import read_dicom  # brings pydicom

            picture = read_dicom(admitted)
        else:
            from medfm_gui.imaging.raster import read_raster  # brings Pillow

            picture = read_raster(admitted)
    pixels = picture.pixels
    facts: dict[str, Any] = {
        "slices": 0,
        "rows": picture.rows,
        "columns": picture.columns,
        "spacing_mm": [],
        "view": "",
        "dtype": pixels.dtype.name,
        "low": float(pixels.min()),
        "high": float(pixels.max()),
        "stored_sha256": picture.stored_sha256,
        "header": dict(picture.header),
        "notes": list(picture.notes),
    }
    return _Whole(pixels[None], None, facts, pixels)


def _of_volume(slices: Slices, extent: tuple[float, float], preview: Pixels) -> _Whole:
    place = slices.place
    spacing: list[float] = []
    view = ""
    if place is not None:
        apart = abs(place.positions[1] - place.positions[0]) if len(place.positions) > 1 else 0.0
        spacing = [round(apart, 4), *(round(side, 4) for side in place.spacing)]
        normal = np.cross(place.orientation[:3], place.orientation[3:])
        view = _VIEW_NAMES[int(np.argmax(np.abs(normal)))]
    facts: dict[str, Any] = {
        "slices": int(slices.stored.shape[0]),
        "rows": int(slices.stored.shape[1]),
        "columns": int(slices.stored.shape[2]),
        "spacing_mm": spacing,
        "view": view,
        "dtype": slices.stored.dtype.name,
        "low": extent[0],
        "high": extent[1],
        "stored_sha256": _sha256(slices.stored),
        "header": {},
        "notes": list(slices.notes),
    }
    return _Whole(slices.stored, place, facts, preview)


def _mask(path: Path, root: Path | None) -> tuple[npt.NDArray[Any], Place | None]:
    """Whole numbers, slices × rows × columns, and their place.

    Raises:
        UnreadableFile: it cannot be read, or holds what is no label.
    """
    with admit(path, root=root) as admitted:
        if admitted.kind in VOLUMES:
            from medfm_gui.imaging.volume_file import read_voxels
            from medfm_gui.imaging.voxels import frames_of

            slices = frames_of(read_voxels(admitted))
            if slices.is_colour:
                raise refusal(Reason.BAD_MASK, "It is coloured.")
            return _whole_numbers(slices), slices.place
        if admitted.kind is FileKind.DICOM:
            raise refusal(Reason.BAD_MASK, "It is a DICOM object, not a plain label image.")
        from medfm_gui.imaging.raster import read_stored

        pixels, _ = read_stored(admitted)
    if pixels.ndim != 2:
        raise refusal(Reason.BAD_MASK, "It is coloured.")
    if pixels.dtype.kind == "f":
        raise refusal(Reason.BAD_MASK, "It holds fractions, not labels.")
    if pixels.dtype == np.uint8 and not np.isin(pixels, (0, 255), invert=True).any():
        pixels = pixels // np.uint8(255)  # black and white
    return pixels[None], None


def _whole_numbers(slices: Slices) -> npt.NDArray[Any]:
    if slices.stored.dtype.kind in "ui" and (slices.slope, slices.intercept) == (1.0, 0.0):
        return slices.stored
    found = np.empty(slices.stored.shape, np.int32)
    for number in range(len(found)):
        values = slices.values(number)
        if not np.isfinite(values).all() or np.abs(values - np.rint(values)).max() > 1e-3:
            raise refusal(Reason.BAD_MASK, "It holds values that are no whole numbers, so they are no labels.")
        found[number] = np.rint(values)
    return found


def _fit(whole: _Whole, mask: npt.NDArray[Any], place: Place | None) -> list[str]:
    """What is to be said of image and mask.

    Raises:
        UnreadableFile: they have other sizes or lie in other places.
    """
    wanted, given = whole.stored.shape[:3], mask.shape[:3]
    if wanted != given:
        said, expected = (" × ".join(str(side) for side in reversed(shape)) for shape in (given, wanted))
        raise refusal(Reason.MASK_GEOMETRY, f"The mask has {said} voxels and its image {expected}.")
    if (place is None) != (whole.place is None):
        return [PLACELESS_MASK]
    if place is None or whole.place is None:
        return []
    apart = max(
        float(np.linalg.norm(np.subtract(one, other)))
        for one, other in zip(_corners(whole.place, wanted), _corners(place, wanted), strict=True)
    )
    if apart > _APART * min(whole.place.spacing):
        raise refusal(Reason.MASK_GEOMETRY, f"The mask lies up to {apart:.3g} mm away from its image.")
    return []


def _corners(place: Place, shape: tuple[int, ...]) -> list[npt.NDArray[np.float64]]:
    row, column = np.asarray(place.orientation[:3]), np.asarray(place.orientation[3:])
    normal = np.cross(row, column)
    deepest = place.positions[-1] - place.positions[0]
    ends = (
        (0.0, deepest),
        (0.0, (shape[1] - 1) * place.spacing[0]),
        (0.0, (shape[2] - 1) * place.spacing[1]),
    )
    origin = np.asarray(place.origin)
    return [origin + normal * deep + column * down + row * right for deep, down, right in itertools.product(*ends)]


def _counted(mask: npt.NDArray[Any]) -> dict[int, int]:
    """Voxels of each value.

    Raises:
        UnreadableFile: there are so many values that it is an image, not a mask; or negative ones.
    """
    found: collections.Counter[int] = collections.Counter()
    for one in mask:
        values, counts = np.unique(one, return_counts=True)
        found.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        if len(found) > MOST_LABELS:
            raise refusal(Reason.BAD_MASK, f"The mask holds {len(found)} values and more: it is an image, not labels.")
    if min(found) < 0:
        raise refusal(Reason.BAD_MASK, f"The mask holds the negative value {min(found)}, which is no label.")
    return {int(value): int(count) for value, count in found.items()}


def _as_class(found: dict[int, int], code: int) -> dict[int, int]:
    """All that a mask marks as one class."""
    return {0: found.get(0, 0), code: sum(count for value, count in found.items() if value)}


def _sha256(stored: npt.NDArray[Any]) -> str:
    """SHA-256 over type, shape and the numbers slice by slice, so that no copy of the whole is made."""
    if stored.shape[0] == 1:
        return stored_sha256(stored[0])
    digest = hashlib.sha256(f"{stored.dtype.kind}{stored.dtype.itemsize}|{stored.shape}|".encode())
    for one in stored:
        little = np.ascontiguousarray(one, dtype=one.dtype.newbyteorder("<"))
        digest.update(little.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _joined(digests: list[str]) -> str:
    return hashlib.sha256("\n".join(digests).encode()).hexdigest() if digests else ""

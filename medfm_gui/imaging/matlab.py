"""MATLAB files: the image, the label and the outline of the brain tumour release, and its list of folds.

Version 7.3 is HDF5 behind 512 bytes of text and stores every array with its axes in reverse order; version 5 is
MATLAB's own. Of both only plain arrays of numbers are read, by name, out of the record ``cjdata`` or the list
``cvind``: links, external storage, object references and filters beyond deflate and shuffle are refused before a
value is touched. For the decoding children: whatever h5py does with a damaged file ends there.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from medfm_gui.imaging.gate import Admitted, FileKind, admit
from medfm_gui.imaging.picture import MAX_PIXELS, Picture, stored_sha256
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.record import Record
from medfm_gui.imaging.window import percentile_window, to_uint16, windowed

Array = npt.NDArray[Any]
STRETCHED = "The values have no declared window: shown between their 1st and 99th percentile."
RECORD = "cjdata"
FOLDS = "cvind"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_FILTERS = frozenset({1, 2, 3})  # H5Z_FILTER_DEFLATE, _SHUFFLE, _FLETCHER32
_MOST_NUMBERS = 1_000_000
_LONGEST_NAME = 64
_DAMAGED = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RuntimeError,
    NotImplementedError,
    struct.error,
)
"""What h5py and SciPy raise on damaged files."""


def read_matlab(admitted: Admitted) -> Picture:
    """The image of a record, between its 1st and 99th percentile as uint16.

    Raises:
        UnreadableFile: truncated, damaged, without such an image, too large, or with values that are not numbers.
    """
    image = read_values(admitted)
    pixels = to_uint16(windowed(image.astype(np.float32), percentile_window(image)))
    return Picture(pixels, stored_sha256(image), {}, (STRETCHED,))


def read_values(admitted: Admitted) -> Array:
    """The image of a record, H × W, with the values it holds.

    Raises:
        UnreadableFile: as ``read_matlab``.
    """
    image = _image(_arrays(admitted, RECORD, ("image",)))
    if not np.isfinite(image).all():
        raise refusal(Reason.NONFINITE, "The image holds values that are not numbers (NaN or infinite).")
    return image


def read_record(path: Path, *, root: Path | None = None) -> Record:
    """Label, patient and lesion of a file, or the list of folds.

    Args:
        root: the folder that links may not lead out of.

    Raises:
        UnreadableFile: as ``read_matlab``.
    """
    with admit(path, root=root) as admitted:
        if admitted.kind is not FileKind.MATLAB:
            raise refusal(Reason.UNSUPPORTED_FORMAT, "It is no MATLAB file.")
        found = _arrays(admitted, RECORD, ("label", "PID", "image", "tumorBorder", "tumorMask"))
        if found:
            return _of_tumour(found)
        folds = _arrays(admitted, FOLDS, ()).get(FOLDS)
        if folds is None or folds.dtype.kind not in "uif" or not 0 < folds.size <= _MOST_NUMBERS:
            raise refusal(Reason.UNSUPPORTED_FORMAT, f"It holds neither “{RECORD}” nor “{FOLDS}”.")
        return Record(folds=tuple(_whole(number) for number in folds.reshape(-1, order="F")))


def _of_tumour(found: Mapping[str, Array]) -> Record:
    image = _image(found)
    rows, columns = image.shape
    label = found.get("label")
    number = _whole(label.reshape(-1)[0]) if label is not None and label.dtype.kind in "uif" and label.size else 0
    return Record(number, _text(found.get("PID")), rows, columns, _box(found, rows, columns))


def _whole(number: Any) -> int:
    return int(number) if np.isfinite(number) else 0


def _image(found: Mapping[str, Array]) -> Array:
    image = found.get("image")
    if image is None:
        raise refusal(Reason.NO_PIXELS, f"It holds no image in “{RECORD}”.")
    if image.ndim != 2 or min(image.shape) < 2 or image.dtype.kind not in "uif" or image.dtype.itemsize > 8:
        shape = "×".join(map(str, image.shape))
        raise refusal(Reason.UNSUPPORTED_FORMAT, f"Its image is {shape} of {image.dtype.name}, not one grey image.")
    return image


def _text(codes: Array | None) -> str:
    """The characters that MATLAB keeps as numbers of 16 bits, as one printable word."""
    if codes is None or codes.size > _LONGEST_NAME:
        return ""
    if codes.dtype.kind == "U":
        letters = "".join(str(part) for part in codes.reshape(-1))
    elif codes.dtype.kind == "u":
        letters = "".join(chr(int(code)) for code in codes.reshape(-1, order="F"))
    else:
        return ""
    return "".join(letter for letter in letters if letter.isprintable()).strip()[:_LONGEST_NAME]


def _box(found: Mapping[str, Array], rows: int, columns: int) -> tuple[float, ...]:
    """Around the mask; around the outline (x1, y1, x2, y2 …, counted from 1) where there is no mask."""
    mask = found.get("tumorMask")
    if mask is not None and mask.shape == (rows, columns) and mask.any():
        down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        corners = (across[0], down[0], across[-1] + 1, down[-1] + 1)
    else:
        border = found.get("tumorBorder")
        if border is None or border.size < 6 or border.size % 2 or not np.isfinite(border).all():
            return ()
        points = border.reshape(-1).astype(np.float64).reshape(-1, 2) - 1
        corners = (*points.min(axis=0), *(points.max(axis=0) + 1))
    sides = (columns, rows, columns, rows)
    shares = [float(min(max(corner / side, 0.0), 1.0)) for corner, side in zip(corners, sides, strict=True)]
    return tuple(shares) if shares[0] < shares[2] and shares[1] < shares[3] else ()


# -- arrays by name


def _arrays(admitted: Admitted, name: str, fields: tuple[str, ...]) -> dict[str, Array]:
    """The arrays of a record, in MATLAB's order of axes; without ``fields`` the array ``name`` itself."""
    handle = admitted.handle
    handle.seek(0)
    head = handle.read(1024)
    handle.seek(0)
    start = next((offset for offset in (0, 512) if head[offset : offset + 8] == _HDF5), None)
    try:
        return _of_version_5(handle, name, fields) if start is None else _of_hdf5(handle, name, fields)
    except MemoryError as error:
        raise refusal(Reason.TOO_LARGE, "The image needs more memory than one file may take.") from error
    except _DAMAGED as error:
        if start is not None and _ends_early(head[start:], admitted.size):
            raise refusal(Reason.TRUNCATED, "The file ends before the image does.") from error
        raise refusal(Reason.UNDECODABLE, "The MATLAB data are damaged.") from error


def _of_hdf5(handle: BinaryIO, name: str, fields: tuple[str, ...]) -> dict[str, Array]:
    import h5py  # 0.1 s that a folder of PNGs need not pay

    found: dict[str, Array] = {}
    with h5py.File(handle, "r") as file:
        if not fields:
            item = _own(file, name)
            return {name: _values(item)} if isinstance(item, h5py.Dataset) else {}
        group = _own(file, name)
        if not isinstance(group, h5py.Group):
            return {}
        for field in fields:
            item = _own(group, field)
            if isinstance(item, h5py.Dataset):
                found[field] = _values(item)
    return found


def _own(group: Any, name: str) -> Any:
    """A member that lies in this very file, or None: soft and external links are not followed.

    Raises:
        UnreadableFile: it is a link.
    """
    import h5py

    link = group.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise refusal(Reason.OUTSIDE, f"“{name}” is a link to another place, and such are not followed.")
    return group[name]


def _values(item: Any) -> Array:
    """A plain array of numbers with its axes the way MATLAB shows them.

    Raises:
        UnreadableFile: its values lie in another file, are no numbers, are too many, or are packed in another way.
    """
    if item.external or item.is_virtual:
        raise refusal(Reason.OUTSIDE, "Its values lie in another file, and such are not followed.")
    if item.dtype.kind not in "uifb" or item.dtype.hasobject:
        raise refusal(Reason.UNSUPPORTED_FORMAT, "It holds references or records where numbers belong.")
    if prod(item.shape) > MAX_PIXELS:
        raise refusal(Reason.TOO_LARGE, f"The limit is {MAX_PIXELS // 10**6} million pixels.")
    packing = item.id.get_create_plist()
    if any(packing.get_filter(number)[0] not in _FILTERS for number in range(packing.get_nfilters())):
        raise refusal(Reason.UNSUPPORTED_FORMAT, "Its values are packed in a way that MATLAB does not use.")
    values: Array = np.ascontiguousarray(np.asarray(item[()]).T)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _of_version_5(handle: BinaryIO, name: str, fields: tuple[str, ...]) -> dict[str, Array]:
    from scipy.io import loadmat  # 0.2 s, for files before version 7.3

    held = loadmat(handle, variable_names=[name], chars_as_strings=True).get(name)
    if held is None:
        return {}
    found: dict[str, Any] = {}
    if not fields:
        found[name] = held
    elif held.dtype.names and held.size == 1:
        record = held.reshape(-1)[0]
        found = {field: record[field] for field in fields if field in held.dtype.names}
    arrays = {
        key: value for key, value in found.items() if isinstance(value, np.ndarray) and value.dtype.kind in "uifU"
    }
    if any(value.size > MAX_PIXELS for value in arrays.values()):
        raise refusal(Reason.TOO_LARGE, f"The limit is {MAX_PIXELS // 10**6} million pixels.")
    return arrays


def _ends_early(superblock: bytes, size: int) -> bool:
    """Whether the file is shorter than its superblock says (HDF5 specification III.A, versions 0 to 3)."""
    if len(superblock) < 60:
        return True
    version = superblock[8]
    if version > 3:
        return False
    wide = superblock[13] if version < 2 else superblock[9]
    if wide != 8:
        return False
    place = {0: 40, 1: 44}.get(version, 28)
    (end,) = struct.unpack_from("<Q", superblock, place)
    return bool(end > size)

"""NIfTI-1 and -2 in one file, plain or gzipped. nibabel reads the header; the voxels are counted before they are read.

SimpleITK takes half a file for a whole one, so it is not asked. The place in the patient is the sform, else the
qform; a file with neither says nothing of the patient, and its matrix of scales is not taken for one.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import logging
import math
import warnings
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from medfm_gui.imaging.gate import Admitted
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.voxels import FIRST_VOLUME, Voxels, check_budget, checked_matrix

_GZIP = b"\x1f\x8b"
_SECOND = b"n+2\0"
_MOST_OF_DEFLATE = 1032
"""No deflated byte becomes more than so many."""
_REST_READ = 1 << 20
TWO_PLACES = "The file gives the patient two places that differ (sform and qform); that of the sform was taken."
_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MILLIMETRES = {"meter": 1000.0, "micron": 0.001}
_DAMAGED = (
    HeaderDataError,
    WrapStructError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    AttributeError,
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
)


def read_nifti(admitted: Admitted) -> Voxels:
    """The voxels of a NIfTI file; of several volumes the first.

    Raises:
        UnreadableFile: truncated, too large, with an impossible header, or of a type that is not read.
    """
    with _quiet():
        try:
            stream, size = _opened(admitted)
            return _read(stream, size)
        except EOFError as error:
            raise refusal(Reason.TRUNCATED, "The file ends before its voxels do.") from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise refusal(Reason.UNDECODABLE, "The gzip data are damaged.") from error
        except _DAMAGED as error:
            raise refusal(Reason.BAD_HEADER, "The NIfTI header is damaged.") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """nibabel speaks of odd headers in its log; what matters of them is said by a note or a refusal."""
    log = logging.getLogger("nibabel.global")
    was_disabled, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = was_disabled


def _opened(admitted: Admitted) -> tuple[BinaryIO, int]:
    """The plain stream, and how many bytes it can hold at most."""
    compressed = admitted.handle.read(2) == _GZIP
    admitted.handle.seek(0)
    if not compressed:
        return admitted.handle, admitted.size
    return gzip.GzipFile(fileobj=admitted.handle, mode="rb"), admitted.size * _MOST_OF_DEFLATE  # type: ignore[return-value]


def _read(stream: BinaryIO, most: int) -> Voxels:
    head = stream.read(8)
    is_second = head[4:] == _SECOND
    length = 540 if is_second else 348
    head += stream.read(length - len(head))
    if len(head) < length:
        raise refusal(Reason.TRUNCATED, "The file ends within its header.")
    reader: Any = Nifti2Header if is_second else Nifti1Header
    header = reader(head, check=False)  # not its extensions: they may hold anything
    dtype, colours = _type_of(header)
    shape = tuple(int(side) for side in header.get_data_shape())
    space, count = _space(shape)
    check_budget((*space, colours), dtype.itemsize)
    start = _offset_of(header)
    wanted = math.prod(space) * dtype.itemsize * colours
    if start + wanted * count > most:
        raise refusal(Reason.TRUNCATED, "The file is shorter than its header says.")
    stream.seek(start)
    raw = stream.read(wanted)
    if len(raw) < wanted:
        raise refusal(Reason.TRUNCATED, "The file ends before its voxels do.")
    if count == 1:
        stream.read(_REST_READ)  # to the end of a gzip file, where its checksum is compared
    stored = np.frombuffer(raw, dtype=dtype)
    stored = stored.astype(dtype.newbyteorder("="), copy=False)
    if colours == 3:
        stored = np.moveaxis(stored.reshape((3, *space), order="F"), 0, 3)
    else:
        stored = stored.reshape(space, order="F")
    slope, intercept = _scale(header)
    matrix, notes = _place(header)
    return Voxels(stored, matrix, slope, intercept, (*((FIRST_VOLUME,) if count > 1 else ()), *notes))


def _type_of(header: Any) -> tuple[np.dtype[Any], int]:
    """The type of a number, and how many of them a voxel has.

    Raises:
        UnreadableFile: it is complex, or an unknown code.
    """
    try:
        dtype = header.get_data_dtype()
    except HeaderDataError:
        raise refusal(Reason.BAD_HEADER, "The header names a type of voxel that does not exist.") from None
    if dtype.names is not None and len(dtype.names) == 3:
        return np.dtype(np.uint8), 3
    if dtype.kind not in "uif" or dtype.itemsize > 8:
        raise refusal(Reason.UNSUPPORTED_FORMAT, f"Voxels of the type {dtype.name} are not read here.")
    return dtype, 1


def _space(shape: tuple[int, ...]) -> tuple[tuple[int, int, int], int]:
    """The three sides of a volume, and how many volumes there are.

    Raises:
        UnreadableFile: fewer than two sides, or vectors in each voxel.
    """
    if len(shape) < 2 or any(side < 1 for side in shape):
        raise refusal(Reason.BAD_HEADER, "The header gives the volume a side without voxels.")
    if len(shape) > 4 and math.prod(shape[4:]) > 1:
        raise refusal(Reason.UNSUPPORTED_FORMAT, "Voxels that hold vectors or matrices are not read here.")
    first, second, *more = shape
    return (first, second, more[0] if more else 1), more[1] if len(more) > 1 else 1


def _offset_of(header: Any) -> int:
    offset = float(header["vox_offset"])
    least = int(header["sizeof_hdr"])
    if not math.isfinite(offset) or offset < least or offset != int(offset):
        raise refusal(Reason.BAD_HEADER, "The header says that its voxels begin where they cannot (vox_offset).")
    return int(offset)


def _scale(header: Any) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where the header has none."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if not math.isfinite(slope) or slope == 0:
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def _place(header: Any) -> tuple[npt.NDArray[np.float64] | None, tuple[str, ...]]:
    """Voxel index to LPS in mm, and what is to be said of it; None where the file says nothing of the patient.

    Raises:
        UnreadableFile: what it says is impossible.
    """
    turned = _of_qform(header) if int(header["qform_code"]) > 0 else None
    if int(header["sform_code"]) > 0:
        matrix = np.asarray(header.get_sform(), dtype=np.float64)
    elif turned is not None:
        matrix = turned
    else:
        return None, ()
    checked_matrix(matrix)
    differ = turned is not None and _differ(matrix, turned, header)
    ras = matrix.copy()
    ras[:3] *= _millimetres(header)
    return np.asarray(_TO_LPS @ ras), (TWO_PLACES,) if differ else ()


def _of_qform(header: Any) -> npt.NDArray[np.float64] | None:
    """The matrix of the quaternion; None where it is impossible and the sform says where the patient is.

    The sign before the third axis (``pixdim[0]``) is −1 or else 1, as the format has it: many writers leave 0 there.
    Voxels of negative size have none of their own, and are taken by their amount.

    Raises:
        UnreadableFile: it is impossible, and there is no other.
    """
    sizes = header["pixdim"]
    sizes[0] = -1.0 if sizes[0] < 0 else 1.0
    sizes[1:4] = np.abs(sizes[1:4])
    try:
        return np.asarray(header.get_qform(), dtype=np.float64)
    except (ValueError, HeaderDataError):
        if int(header["sform_code"]) > 0:
            return None
        raise refusal(Reason.BAD_HEADER, "The header's turn in the patient (quaternion) is impossible.") from None


def _differ(matrix: npt.NDArray[np.float64], other: npt.NDArray[np.float64], header: Any) -> bool:
    """Whether two places put a corner of the volume more than half of the smallest side of a voxel apart."""
    if not np.isfinite(other).all():
        return False
    last = [max(0, int(side) - 1) for side in (*header.get_data_shape(), 1, 1)[:3]]
    corners = np.array([(*corner, 1.0) for corner in itertools.product(*((0, end) for end in last))])
    apart = np.linalg.norm((corners @ (matrix - other).T)[:, :3], axis=1).max()
    return bool(apart > np.linalg.norm(matrix[:3, :3], axis=0).min() / 2)


def _millimetres(header: Any) -> float:
    try:
        unit = header.get_xyzt_units()[0]
    except (KeyError, ValueError):
        unit = "unknown"
    return _MILLIMETRES.get(unit, 1.0)

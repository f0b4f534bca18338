"""NRRD and MetaImage, read by SimpleITK after their headers were looked at.

Both formats may name *another* file for their voxels, any file of the computer, and SimpleITK would read it: only
files that hold their own voxels pass. It also takes a truncated file for a whole one, so the voxels are counted, and
those that are compressed are inflated once to count them.
"""

from __future__ import annotations

import bz2
import math
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - as the field writes it

from medfm_gui.imaging.gate import Admitted, FileKind
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.voxels import Voxels, check_budget

_LONGEST_HEADER = 1 << 20
_META_BYTES = {
    "CHAR": 1,
    "UCHAR": 1,
    "SHORT": 2,
    "USHORT": 2,
    "INT": 4,
    "UINT": 4,
    "LONG": 4,
    "ULONG": 4,
    "LONG_LONG": 8,
    "ULONG_LONG": 8,
    "FLOAT": 4,
    "DOUBLE": 8,
}
_NRRD_BYTES = {"int8": 1, "char": 1, "short": 2, "int16": 2, "int64": 8, "int": 4, "int32": 4, "float": 4, "double": 8}
_PIECE = 1 << 20
ELSEWHERE = "Its voxels lie in another file, which is never opened by name."


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a header says: sides, bytes a number, numbers a voxel, packing, where the voxels begin; whether placed."""

    shape: tuple[int, ...]
    item_bytes: int
    components: int
    packing: str
    start: int
    is_placed: bool


def read_itk(admitted: Admitted) -> Voxels:
    """The voxels of an NRRD or MetaImage file.

    Raises:
        UnreadableFile: its voxels lie elsewhere, are truncated, too many, or of a kind that is not read.
    """
    head = admitted.handle.read(min(admitted.size, _LONGEST_HEADER))
    is_nrrd = admitted.kind is FileKind.NRRD
    claim = _nrrd(head) if is_nrrd else _meta(head, admitted.size)
    if len(claim.shape) not in (2, 3) or claim.components not in (1, 3):
        raise refusal(
            Reason.UNSUPPORTED_FORMAT,
            f"{len(claim.shape)} axes with {claim.components} numbers a voxel are neither a picture nor a volume.",
        )
    check_budget((*claim.shape, claim.components), claim.item_bytes)
    wanted = math.prod(claim.shape) * claim.components * claim.item_bytes
    admitted.handle.seek(claim.start)
    if _counted(admitted, claim.packing, wanted) < wanted:
        raise refusal(Reason.TRUNCATED, "The file ends before its voxels do.")
    image = _image(admitted.path, "NrrdImageIO" if is_nrrd else "MetaImageIO")
    if image.GetSize() != claim.shape or image.GetNumberOfComponentsPerPixel() != claim.components:
        raise refusal(Reason.BAD_HEADER, "The header can be read in two ways.")
    values = sitk.GetArrayFromImage(image)
    if values.dtype.kind not in "uif":
        raise refusal(Reason.UNSUPPORTED_FORMAT, f"Voxels of the type {values.dtype.name} are not read here.")
    if len(claim.shape) == 2:
        values = values[None]
    if claim.components == 3 and values.dtype != np.uint8:
        raise refusal(Reason.UNSUPPORTED_FORMAT, "Colour of more than 8 bits is not read here.")
    return Voxels(np.moveaxis(values, (0, 1, 2), (2, 1, 0)), _matrix(image) if claim.is_placed else None)


def _image(path: str, reader_name: str) -> Any:
    itk: Any = sitk  # its functions have no types
    reader = itk.ImageFileReader()
    reader.SetImageIO(reader_name)
    reader.SetFileName(path)
    itk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        return reader.Execute()
    except RuntimeError as error:
        raise refusal(Reason.UNDECODABLE, "The volume cannot be decoded.") from error


def _matrix(image: Any) -> Any:
    """ITK's frame is DICOM's: origin, directions and spacing become one matrix."""
    count = image.GetDimension()
    matrix = np.eye(4)
    direction = np.asarray(image.GetDirection(), dtype=np.float64).reshape(count, count)
    matrix[:count, :count] = direction * np.asarray(image.GetSpacing(), dtype=np.float64)
    matrix[:count, 3] = image.GetOrigin()
    return matrix


# -- headers


def _nrrd(head: bytes) -> _Claim:
    """The header of an NRRD file, up to its empty line (http://teem.sourceforge.net/nrrd/format.html)."""
    end = re.search(rb"\r?\n\r?\n", head)
    fields = _fields(head[: end.start()] if end else head, ":")
    if "datafile" in fields or end is None:
        if "datafile" in fields:
            raise refusal(Reason.UNSUPPORTED_FORMAT, f"It is a detached NRRD header. {ELSEWHERE}")
        raise refusal(Reason.TRUNCATED, "The file ends within its header.")
    if fields.get("lineskip", "0") != "0" or fields.get("byteskip", "0") != "0":
        raise refusal(Reason.UNSUPPORTED_FORMAT, "An NRRD file that skips a part of itself is not read here.")
    sizes = _numbers(fields.get("sizes", ""), int)
    item_bytes = _NRRD_BYTES.get(_nrrd_type(fields.get("type", "")))
    if item_bytes is None or not sizes or len(sizes) > 8:
        raise refusal(Reason.BAD_HEADER, "The NRRD header has no usable type or sizes.")
    kinds = fields.get("kinds", "").lower().split()
    components = 1
    if kinds and kinds[0] in ("vector", "rgb-color", "rgba-color", "list", "3-color", "4-color", "rgb"):
        components, sizes = sizes[0], sizes[1:]
    if fields.get("dimension", "") != str(len(sizes) + (components > 1)):
        raise refusal(Reason.BAD_HEADER, "The NRRD header contradicts itself in its number of axes.")
    encoding = fields.get("encoding", "").lower()
    packing = {"raw": "raw", "gz": "gzip", "gzip": "gzip", "bz2": "bzip2", "bzip2": "bzip2"}.get(encoding)
    if packing is None:
        raise refusal(Reason.UNSUPPORTED_FORMAT, "An NRRD file written as text is not read here.")
    is_placed = "space" in fields and "spacedirections" in fields
    return _Claim(tuple(sizes), item_bytes, components, packing, end.end(), is_placed)


def _nrrd_type(said: str) -> str:
    plain = said.lower().removesuffix("_t").strip()
    for name in ("unsigned ", "signed "):
        plain = plain.removeprefix(name)
    words = {
        "uchar": "char",
        "ushort": "short",
        "uint": "int",
        "short int": "short",
        "longlong": "int64",
        "long long": "int64",
        "long long int": "int64",
    }
    plain = words.get(plain, plain)
    return plain.removeprefix("u") if plain.startswith("uint") else plain


def _meta(head: bytes, size: int) -> _Claim:
    """The header of a MetaImage file, up to its line of the data file."""
    last = re.search(rb"^ElementDataFile[ \t]*=[ \t]*([^\r\n]*)\r?\n?", head, re.MULTILINE)
    if last is None:
        raise refusal(Reason.TRUNCATED, "The file ends within its header.")
    if last[1].strip().decode("latin-1") != "LOCAL":
        raise refusal(Reason.UNSUPPORTED_FORMAT, f"It is a MetaImage header without voxels. {ELSEWHERE}")
    fields = _fields(head[: last.start()], "=")
    if fields.get("objecttype", "image").lower() != "image":
        raise refusal(Reason.NOT_AN_IMAGE, "It is a MetaIO object that is no image.")
    sizes = _numbers(fields.get("dimsize", ""), int)
    item_bytes = _META_BYTES.get(fields.get("elementtype", "").removeprefix("MET_").removesuffix("_ARRAY"))
    components = _numbers(fields.get("elementnumberofchannels", "1"), int)
    if item_bytes is None or not sizes or len(sizes) > 8 or len(components) != 1:
        raise refusal(Reason.BAD_HEADER, "The MetaImage header has no usable type or sizes.")
    if fields.get("ndims") != str(len(sizes)):
        raise refusal(Reason.BAD_HEADER, "The MetaImage header contradicts itself in its number of axes.")
    if fields.get("binarydata", "true").lower() != "true":
        raise refusal(Reason.UNSUPPORTED_FORMAT, "A MetaImage file written as text is not read here.")
    start = last.end()
    skip = _numbers(fields.get("headersize", "0"), int)
    if skip and skip[0] not in (0, start):
        raise refusal(Reason.UNSUPPORTED_FORMAT, "A MetaImage file that skips a part of itself is not read here.")
    packing = "zlib" if fields.get("compresseddata", "false").lower() == "true" else "raw"
    is_placed = any(name in fields for name in ("transformmatrix", "orientation", "rotation", "anatomicalorientation"))
    return _Claim(tuple(sizes), item_bytes, components[0], packing, start, is_placed)


def _fields(head: bytes, mark: str) -> Mapping[str, str]:
    """Names (in lower case, without blanks) and values of a header's lines."""
    pairs = (line.partition(mark) for line in head.decode("latin-1").splitlines() if not line.startswith("#"))
    return {name.lower().replace(" ", "").strip(): value.lstrip("=").strip() for name, _, value in pairs}


def _numbers(text: str, kind: Callable[[str], int]) -> list[int]:
    try:
        return [kind(part) for part in text.split()]
    except ValueError:
        return []


# -- how much there really is


def _counted(admitted: Admitted, packing: str, wanted: int) -> int:
    """How many bytes of voxels the rest of the file holds, looked at up to ``wanted``.

    Raises:
        UnreadableFile: the compressed data are damaged.
    """
    if packing == "raw":
        return admitted.size - admitted.handle.tell()
    inflater: Any
    if packing == "bzip2":
        inflater = bz2.BZ2Decompressor()
    else:
        inflater = zlib.decompressobj(zlib.MAX_WBITS | (32 if packing == "zlib" else 16))
    found = 0
    try:
        while found < wanted and not inflater.eof:
            piece = admitted.handle.read(_PIECE)
            if not piece:
                break
            found += _inflated(inflater, piece, wanted - found)
    except (zlib.error, OSError, EOFError) as error:
        raise refusal(Reason.UNDECODABLE, "The compressed voxels are damaged.") from error
    return found


def _inflated(inflater: Any, piece: bytes, most: int) -> int:
    """Bytes that a piece becomes, never more than ``_PIECE`` of them in memory at once."""
    found, rest = 0, piece
    while found < most and not inflater.eof:
        plain = len(inflater.decompress(rest, _PIECE))
        found += plain
        rest = getattr(inflater, "unconsumed_tail", b"")
        if not plain and not rest:
            break
    return found

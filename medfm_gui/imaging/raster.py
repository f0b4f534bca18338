"""PNG, JPEG, TIFF, BMP and WebP become a ``Picture``.

Pillow decodes, from a list of allowed formats (it would start Ghostscript for an EPS). Values stay
as deep as they were stored: 16-bit grey is windowed by its percentiles into uint16, never clipped to 8
bits. Transparent parts are laid on black, the background of medical images. Nothing of EXIF or
other metadata is kept; the orientation alone is obeyed.
"""

from __future__ import annotations

import contextlib
import struct
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from medfm_gui.imaging.gate import Admitted, FileKind
from medfm_gui.imaging.picture import MAX_PIXELS, Picture, Pixels, stored_sha256
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.window import percentile_window, to_uint16, windowed

_FORMATS = {
    FileKind.PNG: "PNG",
    FileKind.JPEG: "JPEG",
    FileKind.TIFF: "TIFF",
    FileKind.BMP: "BMP",
    FileKind.WEBP: "WEBP",
}
_ORIENTATION = 0x0112
MOST_PAGES = 10_000
_STRIPS = ((273, 279), (324, 325))

_DAMAGED = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    OverflowError,
    RuntimeError,
    struct.error,
)
"""What Pillow was seen to raise on damaged files (fuzzed with mutations of every format)."""

STRETCHED = "The values have no declared window: shown between their 1st and 99th percentile."
FIRST_FRAME = "The file holds several images; the first was taken."
ON_BLACK = "Transparent parts were laid on black."
CMYK = "A print colour space (CMYK) was turned into RGB."
REDUCED = "16-bit colour was reduced to 8 bits."


def read_raster(admitted: Admitted, *, frame: int | None = None) -> Picture:
    """Decode a raster image; ``frame`` counts from 0, None takes the first.

    Raises:
        UnreadableFile: truncated, too large, not decodable, or with values that are not numbers.
    """
    with _opened(admitted) as image:
        values, mode, orientation, notes = _loaded(image, frame)
        pixels, remarks = _ready(values, mode)
        return Picture(_upright(pixels, orientation), stored_sha256(values), {}, (*notes, *remarks))


def read_scaled(admitted: Admitted, short_side: int) -> tuple[Picture, int, int] | None:
    """A JPEG at a half, a quarter or an eighth of its size, so that its shorter side is still ``short_side`` or more.

    Returns:
        The picture (without ``stored_sha256``, which is of all pixels) and rows and columns of the whole image; None
        where no such scale is small enough.

    Raises:
        UnreadableFile: as ``read_raster``.
    """
    with _opened(admitted) as image:
        _check_size(image)
        columns, rows = image.size
        if min(rows, columns) < 2 * short_side or image.draft(None, (short_side, short_side)) is None:
            return None
        if image.size == (columns, rows):
            return None
        values, mode, orientation, notes = _loaded(image, None)
        pixels, remarks = _ready(values, mode)
        if orientation in (5, 6, 7, 8):
            rows, columns = columns, rows
        return Picture(_upright(pixels, orientation), "", {}, (*notes, *remarks)), rows, columns


def read_stored(admitted: Admitted, *, frame: int = 0) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """One page upright with the values it holds: deep grey is not windowed, everything else as ``read_raster``.

    Raises:
        UnreadableFile: as ``read_raster``.
    """
    with _opened(admitted) as image:
        values, mode, orientation, notes = _loaded(image, frame)
        if _is_deep(mode):
            _check_finite(values)
            return _upright(values.astype(values.dtype.newbyteorder("=")), orientation), tuple(notes)
        pixels, remarks = _ready(values, mode)
        return _upright(pixels, orientation), (*notes, *remarks)


def count_pages(admitted: Admitted) -> int:
    """How many images a TIFF holds; 1 for the other kinds, whose further images are previews.

    Raises:
        UnreadableFile: as ``read_raster``.
    """
    if admitted.kind is not FileKind.TIFF:
        return 1
    with _opened(admitted) as image:
        return max(1, min(int(getattr(image, "n_frames", 1)), MOST_PAGES))


@contextlib.contextmanager
def _opened(admitted: Admitted) -> Iterator[Image.Image]:
    """The image before its pixels are read; what Pillow raises on the way becomes a named refusal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(admitted.handle, formats=(_FORMATS[admitted.kind],)) as image:
                yield image
        except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
            raise refusal(Reason.TOO_LARGE, f"The limit is {MAX_PIXELS // 10**6} million pixels.") from error
        except (UnidentifiedImageError, *_DAMAGED) as error:
            raise _damage(admitted) from error


def _loaded(image: Image.Image, frame: int | None) -> tuple[npt.NDArray[Any], str, int, list[str]]:
    """Values, mode, EXIF orientation and remarks."""
    notes = []
    _check_size(image)
    if frame:
        _seek(image, frame)
        _check_size(image)
    elif frame is None and getattr(image, "is_animated", False):
        notes.append(FIRST_FRAME)
    if _sixteen_bit_colour(image):
        notes.append(REDUCED)
    image.load()
    orientation = _orientation(image)
    if image.mode == "CMYK":
        notes.append(CMYK)
    if image.mode in ("CMYK", "YCbCr"):
        image = image.convert("RGB")
    if image.mode in ("P", "PA"):
        image = _expanded(image)
    return np.asarray(image), image.mode, orientation, notes


def _check_size(image: Image.Image) -> None:
    columns, rows = image.size
    if rows * columns > MAX_PIXELS:
        raise refusal(
            Reason.TOO_LARGE,
            f"The image says {rows} × {columns} pixels; the limit is {MAX_PIXELS // 10**6} million.",
        )
    if not rows or not columns:
        raise refusal(Reason.BAD_HEADER, "The image has no rows or no columns.")


def _seek(image: Image.Image, frame: int) -> None:
    try:
        image.seek(frame)
    except EOFError:
        raise refusal(Reason.NO_SUCH_FRAME, f"The file has no image number {frame}.") from None


def _sixteen_bit_colour(image: Image.Image) -> bool:
    """Pillow decodes RGB of 16 bits to 8, so it has to be said."""
    if image.mode not in ("RGB", "RGBA", "LA"):
        return False
    return any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def _expanded(image: Image.Image) -> Image.Image:
    """A palette image as what its colours are: grey where they all are grey."""
    clear = "transparency" in image.info or image.mode == "PA"
    if clear:
        return image.convert("RGBA")
    coloured = image.convert("RGB")
    red, green, blue = (np.asarray(band) for band in coloured.split())
    return image.convert("L") if np.array_equal(red, green) and np.array_equal(green, blue) else coloured


def _ready(values: npt.NDArray[Any], mode: str) -> tuple[Pixels, list[str]]:
    if mode == "1":
        return np.where(values, np.uint8(255), np.uint8(0)), []
    if mode in ("L", "RGB"):
        return values, []
    if mode in ("RGBX",):
        return values[..., :3], []
    if mode in ("LA", "RGBA", "La", "RGBa"):
        return _on_black(values, premultiplied=mode in ("La", "RGBa"))
    if _is_deep(mode):
        _check_finite(values)
        return to_uint16(windowed(values.astype(np.float32), percentile_window(values))), [STRETCHED]
    raise refusal(Reason.UNSUPPORTED_FORMAT, f"Pixels of the kind “{mode}” are not read here.")


def _is_deep(mode: str) -> bool:
    return mode.startswith("I;16") or mode in ("I", "F")


def _check_finite(values: npt.NDArray[Any]) -> None:
    if not np.isfinite(values).all():
        raise refusal(Reason.NONFINITE, "The image holds values that are not numbers (NaN or infinite).")


def _on_black(values: npt.NDArray[np.uint8], *, premultiplied: bool) -> tuple[Pixels, list[str]]:
    alpha = values[..., -1:]
    colour = values[..., :-1] if values.shape[-1] > 2 else values[..., 0]
    if alpha.min() == 255:
        return np.ascontiguousarray(colour), []
    if not premultiplied:
        weight = alpha if colour.ndim == 3 else alpha[..., 0]
        colour = ((colour.astype(np.uint16) * weight + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(colour), [ON_BLACK]


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1…8; 1 where there is none or the block is broken. Pillow itself turns TIFF while loading."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except _DAMAGED:
        return 1
    return value if value in range(1, 9) else 1


def _upright(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    turned = pixels
    if orientation in (5, 6, 7, 8):
        turned = np.swapaxes(turned, 0, 1)
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    upright: npt.NDArray[Any] = np.ascontiguousarray(turned)
    return upright


def _damage(admitted: Admitted) -> Exception:
    try:
        early = _ends_early(admitted.kind, admitted.handle, admitted.size)
    except _DAMAGED:
        early = False
    if early:
        return refusal(Reason.TRUNCATED, "The file ends before the image does.")
    return refusal(Reason.UNDECODABLE, f"The {_FORMATS[admitted.kind]} data are damaged.")


def _ends_early(kind: FileKind, handle: BinaryIO, size: int) -> bool:
    """Whether the end that the format demands is missing. Asked only of a file that would not decode."""
    handle.seek(0)
    head = handle.read(64)
    handle.seek(max(0, size - 4096))
    tail = handle.read()
    match kind:
        case FileKind.PNG:
            return b"IEND" not in tail
        case FileKind.JPEG:
            return not tail.rstrip(b"\0\r\n ").endswith(b"\xff\xd9")
        case FileKind.WEBP:
            return int.from_bytes(head[4:8], "little") + 8 > size
        case FileKind.BMP:
            return len(head) < 54 or int.from_bytes(head[2:6], "little") > size
        case _:
            return _tiff_ends_early(handle, head, size)


def _tiff_ends_early(handle: BinaryIO, head: bytes, size: int) -> bool:
    order: Any = "little" if head[:2] == b"II" else "big"
    classic = 42 in (head[2], head[3])
    start = int.from_bytes(head[4:8] if classic else head[8:16], order)
    if len(head) < 8 or start + 2 > size:
        return True
    handle.seek(start)
    entries = int.from_bytes(handle.read(2), order)
    if start + 2 + entries * 12 > size:
        return True
    handle.seek(0)
    with Image.open(handle, formats=("TIFF",)) as image:
        tags = image.tag_v2  # type: ignore[attr-defined]
        for offsets, counts in _STRIPS:
            for offset, count in zip(tags.get(offsets, ()), tags.get(counts, ()), strict=False):
                if offset + count > size:
                    return True
    return False

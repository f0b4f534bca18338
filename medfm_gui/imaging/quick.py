"""The header of an ordinary DICOM image out of its first bytes, ten times as fast as a general parser.

pydicom takes 0.6 ms a header, which is what a folder of 100,000 images waits for. Here only the elements that
``DicomHeader`` needs are looked at. Whatever is not plainly ordinary (big endian, deflated, functional groups,
other character sets, a number that is none, an image whose size does not fit) is answered with None: then
pydicom reads the file and says what is wrong with it. Elements and encodings: PS3.5, sections 7.1 to 7.5.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from medfm_gui.imaging.header import DicomHeader, clean_text, clean_uid
from medfm_gui.imaging.picture import MAX_PIXELS

IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
_COMPRESSED: Final = ("1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5")
_MOST_FRAMES: Final = 100_000
_DEEPEST: Final = 12
_UNDEFINED: Final = 0xFFFFFFFF
_PIXELS: Final = 0x7FE00010
_FIRST_PIXELS: Final = 0x7FE00000
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

_TAG: Final = struct.Struct("<HH").unpack_from
_SHORT: Final = struct.Struct("<HH2sH").unpack_from
_LONG: Final = struct.Struct("<L").unpack_from
_LONG_FORM: Final = frozenset(
    (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"UC", b"UR", b"UT", b"SQ", b"SV", b"UV")
)
_SHORT_FORM: Final = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN")  # noqa: RUF005
    + (b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US")
)
_WANTED: Final[Mapping[int, bytes]] = {
    0x00020002: b"UI",
    0x00020003: b"UI",
    0x00020010: b"UI",
    0x00080005: b"CS",
    0x00080008: b"CS",
    0x00080016: b"UI",
    0x00080018: b"UI",
    0x00080020: b"DA",
    0x00080060: b"CS",
    0x00080068: b"CS",
    0x00080070: b"LO",
    0x00081030: b"LO",
    0x0008103E: b"LO",
    0x00082144: b"IS",
    0x00100020: b"LO",
    0x00100040: b"CS",
    0x00101010: b"AS",
    0x00180015: b"CS",
    0x00180040: b"IS",
    0x00180050: b"DS",
    0x00181063: b"DS",
    0x00181164: b"DS",
    0x00185100: b"CS",
    0x00185101: b"CS",
    0x0020000D: b"UI",
    0x0020000E: b"UI",
    0x00200011: b"IS",
    0x00200012: b"IS",
    0x00200013: b"IS",
    0x00200020: b"CS",
    0x00200032: b"DS",
    0x00200037: b"DS",
    0x00200052: b"UI",
    0x00200060: b"CS",
    0x00200062: b"CS",
    0x00280002: b"US",
    0x00280004: b"CS",
    0x00280008: b"IS",
    0x00280010: b"US",
    0x00280011: b"US",
    0x00280030: b"DS",
    0x00280100: b"US",
    0x00280101: b"US",
    0x00280102: b"US",
    0x00280103: b"US",
    0x00280301: b"CS",
    0x00281050: b"DS",
    0x00281051: b"DS",
    0x00281052: b"DS",
    0x00281053: b"DS",
    0x00282110: b"CS",
}
"""Element → its value representation (PS3.6)."""
_FUNCTIONAL_GROUPS: Final = frozenset((0x52009229, 0x52009230))
_MODALITY_TABLE: Final = 0x00283000
_REQUIRED: Final = (0x00280002, 0x00280004, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280103)

_INTEGER: Final = re.compile(rb" *[+-]?\d{1,12} *").fullmatch
_DECIMAL: Final = re.compile(rb" *[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})? *").fullmatch
_LATIN: Final = {b"ISO_IR 100": "latin-1", b"ISO_IR 192": "utf-8"}
_OTHER_ASCII: Final = b"13"
"""In the name of the one character set (JIS X 0201) whose lower half is not ASCII."""


class _OddError(Exception):
    """The file is not ordinary."""


@dataclass(frozen=True, slots=True)
class QuickImage:
    """An ordinary image: its header, and where its uncompressed values stand in the file (None where compressed).

    ``has_table`` says that a modality LUT changes the values; ``is_signed`` how they are to be read; ``packed`` where
    the items of compressed pixels begin (None where they are not compressed).
    """

    header: DicomHeader
    bits: int
    is_signed: bool
    has_table: bool
    start: int | None
    packed: int | None = None


class _Scanned(NamedTuple):
    values: dict[int, bytes]
    syntax: str
    length: int
    start: int


def quick_header(data: bytes, size: int) -> DicomHeader | None:
    """The header, as ``dicom.read_header`` gives it; None where that one has to be asked.

    Args:
        data: the first bytes of the file, its pixel element's head among them.
        size: bytes of the whole file.
    """
    found = quick_image(data, size)
    return None if found is None else found.header


def quick_image(data: bytes, size: int) -> QuickImage | None:
    """As ``quick_header``, with what is needed to take the values out of the file."""
    try:
        found = _scan(data)
        if found.length != _UNDEFINED and found.start + found.length > size:
            return None
        values = _Values(found.values, _codec(found.values))
        return QuickImage(
            header=values.header(found),
            bits=values.short(0x00280100),
            is_signed=values.short(0x00280103) == 1,
            has_table=_MODALITY_TABLE in found.values,
            start=None if found.length == _UNDEFINED else found.start,
            packed=found.start if found.length == _UNDEFINED else None,
        )
    except (_OddError, struct.error, ValueError, IndexError):
        return None


def _scan(data: bytes) -> _Scanned:
    """The values of wanted elements before the pixels, and where those begin.

    Raises:
        _OddError, struct.error: not ordinary, or the pixels lie further on.
    """
    if data[128:132] != b"DICM":
        raise _OddError
    values: dict[int, bytes] = {}
    position = _walk(data, 132, values, explicit=True, until=0x00030000)
    syntax = clean_uid(values.get(0x00020010, b"").decode("ascii"))
    if syntax == IMPLICIT:
        if data[position + 4 : position + 6] in _SHORT_FORM:
            raise _OddError
        position = _walk(data, position, values, explicit=False, until=_FIRST_PIXELS)
    elif syntax == EXPLICIT or syntax.startswith(_COMPRESSED):
        position = _walk(data, position, values, explicit=True, until=_FIRST_PIXELS)
    else:
        raise _OddError
    group, number, vr, short = _SHORT(data, position)
    if group << 16 | number != _PIXELS:
        raise _OddError
    if syntax == IMPLICIT:
        return _Scanned(values, syntax, _LONG(data, position + 4)[0], position + 8)
    if vr not in (b"OB", b"OW") or short:
        raise _OddError
    return _Scanned(values, syntax, _LONG(data, position + 8)[0], position + 12)


def _walk(data: bytes, position: int, values: dict[int, bytes], *, explicit: bool, until: int) -> int:
    """Collect wanted elements; returns where the first element from ``until`` on stands."""
    wanted = _WANTED
    while True:
        group, number, vr, length = _SHORT(data, position)
        tag = group << 16 | number
        if tag >= until:
            return position
        start = position + 8
        if not explicit:
            length = _LONG(data, position + 4)[0]
        elif vr in _LONG_FORM:
            length = _LONG(data, start)[0]
            start += 4
        elif vr not in _SHORT_FORM:
            raise _OddError
        if length == _UNDEFINED:
            if explicit and vr not in (b"SQ", b"UN"):
                raise _OddError
            if tag in _FUNCTIONAL_GROUPS:
                raise _OddError
            position = _after_items(data, start, explicit=explicit and vr == b"SQ", depth=0)
            if tag == _MODALITY_TABLE:
                values[tag] = b""
            continue
        position = start + length
        if tag in wanted:
            if (explicit and vr != wanted[tag]) or position > len(data):
                raise _OddError
            values[tag] = data[start:position]
        elif tag in _FUNCTIONAL_GROUPS:
            raise _OddError
        elif tag == _MODALITY_TABLE:
            values[tag] = b""


def _after_items(data: bytes, position: int, *, explicit: bool, depth: int) -> int:
    """The end of a sequence of undefined length."""
    if depth > _DEEPEST:
        raise _OddError
    while True:
        group, number = _TAG(data, position)
        length = _LONG(data, position + 4)[0]
        position += 8
        tag = group << 16 | number
        if tag == _SEQUENCE_END:
            return position
        if tag != _ITEM:
            raise _OddError
        position = _after_item(data, position, explicit, depth) if length == _UNDEFINED else position + length


def _after_item(data: bytes, position: int, explicit: bool, depth: int) -> int:
    """The end of an item of undefined length."""
    while True:
        group, number, vr, length = _SHORT(data, position)
        start = position + 8
        if group << 16 | number == _ITEM_END:
            return start
        if not explicit:
            length = _LONG(data, position + 4)[0]
        elif vr in _LONG_FORM:
            length = _LONG(data, start)[0]
            start += 4
        elif vr not in _SHORT_FORM:
            raise _OddError
        inner = explicit and vr == b"SQ"
        position = (
            _after_items(data, start, explicit=inner, depth=depth + 1) if length == _UNDEFINED else start + length
        )


def _codec(values: Mapping[int, bytes]) -> str:
    """How texts are written; of a character set that is not known here only ASCII is taken."""
    named = values.get(0x00080005, b"").strip(b" \0")
    if _OTHER_ASCII in named:
        raise _OddError
    return _LATIN.get(named, "ascii")


@dataclass(frozen=True, slots=True)
class _Values:
    """Values by element, read as what they claim to be; anything else raises ``_OddError`` or ``ValueError``."""

    raw: Mapping[int, bytes]
    codec: str

    def text(self, tag: int) -> str:
        found = self.raw.get(tag)
        if not found:
            return ""
        text = found.rstrip(b"\0 ").decode(self.codec)
        if not text.isprintable() or ("\\" in text and any(part != part.strip() for part in text.split("\\"))):
            raise _OddError
        return clean_text(text)

    def uid(self, tag: int) -> str:
        return clean_uid(self.raw.get(tag, b"").decode("ascii"))

    def short(self, tag: int) -> int:
        found = self.raw.get(tag, b"")
        if len(found) != 2:
            raise _OddError
        return found[0] | found[1] << 8

    def integer(self, tag: int) -> int | None:
        found = self.raw.get(tag)
        if not found:
            return None
        if not _INTEGER(found):
            raise _OddError
        return int(found)

    def reals(self, tag: int) -> tuple[float, ...]:
        found = self.raw.get(tag)
        if not found:
            return ()
        parts = found.rstrip(b"\0").split(b"\\")
        if not all(map(_DECIMAL, parts)):
            raise _OddError
        numbers = tuple(map(float, parts))
        if not all(map(math.isfinite, numbers)):
            raise _OddError
        return numbers

    def real(self, tag: int) -> float | None:
        found = self.reals(tag)
        return found[0] if found else None

    def several(self, tag: int, count: int) -> tuple[float, ...] | None:
        found = self.reals(tag)
        return found if len(found) == count else None

    def spacing(self, tag: int) -> tuple[float, float] | None:
        found = self.several(tag, 2)
        return (found[0], found[1]) if found is not None and min(found) > 0 else None

    def frame_time_ms(self) -> float | None:
        time, rates = self.real(0x00181063), (self.integer(0x00082144), self.integer(0x00180040))
        if time and time > 0:
            return time
        return next((1000.0 / rate for rate in rates if rate and rate > 0), None)

    def check_image(self, found: _Scanned, frames: int) -> None:
        """Only what is an image beyond doubt."""
        if any(tag not in self.raw for tag in _REQUIRED) or not 1 <= frames <= _MOST_FRAMES:
            raise _OddError
        rows, columns, samples, bits, stored = map(
            self.short, (0x00280010, 0x00280011, 0x00280002, 0x00280100, 0x00280101)
        )
        if (
            not 1 <= rows * columns <= MAX_PIXELS
            or samples not in (1, 3)
            or bits not in (8, 16)
            or not 1 <= stored <= bits
        ):
            raise _OddError
        if 0x00280102 in self.raw and self.short(0x00280102) != stored - 1:
            raise _OddError
        is_native = found.syntax in (IMPLICIT, EXPLICIT)
        if is_native == (found.length == _UNDEFINED):
            raise _OddError
        if is_native and (
            found.length < rows * columns * samples * frames * (bits // 8) or self.text(0x00280004) == "YBR_FULL_422"
        ):
            raise _OddError

    def header(self, found: _Scanned) -> DicomHeader:
        """All of it.

        Raises:
            _OddError, ValueError: not ordinary.
        """
        text, uid, integer, real = self.text, self.uid, self.integer, self.real
        frames = integer(0x00280008)
        self.check_image(found, 1 if frames is None else frames)
        for tag in (0x00281050, 0x00281051):
            self.reals(tag)  # a window that is no number is counted elsewhere
        thickness = real(0x00180050)
        return DicomHeader(
            sop_class_uid=uid(0x00080016) or uid(0x00020002),
            sop_instance_uid=uid(0x00080018) or uid(0x00020003),
            study_uid=uid(0x0020000D),
            series_uid=uid(0x0020000E),
            frame_of_reference_uid=uid(0x00200052),
            transfer_syntax=found.syntax,
            patient_id=text(0x00100020),
            patient_sex=text(0x00100040),
            patient_age=text(0x00101010),
            patient_position=text(0x00185100),
            study_date=text(0x00080020),
            study_description=text(0x00081030),
            series_description=text(0x0008103E),
            series_number=integer(0x00200011),
            instance_number=integer(0x00200013),
            acquisition_number=integer(0x00200012),
            modality=text(0x00080060),
            body_part=text(0x00180015),
            view_position=text(0x00185101),
            laterality=text(0x00200062) or text(0x00200060),
            manufacturer=text(0x00080070),
            image_type=text(0x00080008),
            presentation_intent=text(0x00080068),
            burned_in_annotation=text(0x00280301),
            photometric=text(0x00280004),
            lossy=text(0x00282110) == "01",
            rows=self.short(0x00280010),
            columns=self.short(0x00280011),
            frames=frames or 1,
            samples_per_pixel=self.short(0x00280002),
            bits_stored=self.short(0x00280101),
            pixel_spacing=self.spacing(0x00280030),
            imager_pixel_spacing=self.spacing(0x00181164),
            slice_thickness=thickness if thickness and thickness > 0 else None,
            position=self.several(0x00200032, 3),  # type: ignore[arg-type]
            orientation=self.several(0x00200037, 6),  # type: ignore[arg-type]
            rescale_slope=real(0x00281053),
            rescale_intercept=real(0x00281052),
            patient_orientation=text(0x00200020),
            frame_time_ms=self.frame_time_ms(),
        )

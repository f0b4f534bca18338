"""Compressed pixel data, fragment by fragment: copied as they are, but for texts that a compressor or a camera left.

A JPEG may carry comments and application segments (EXIF, names of programs, thumbnails), a JPEG 2000 stream
comments, and bytes may follow its end. They are overwritten in place by zeros, so that no offset changes and every
pixel decodes as before.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ITEM = b"\xfe\xff\x00\xe0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"
_IN_SCAN = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
"""The next marker behind entropy-coded data: 0xFF is followed by a byte below 0x80 within them, or by a restart."""
_BARE = frozenset({0x01, *range(0xD0, 0xDA)})
_COMMENT = 0xFE
_DECODERS_NEED = {0xE0: (b"JFIF\0", 14), 0xE8: (b"mrfx", 5), 0xEE: (b"Adobe", 12)}
"""Application segments that decoders use: how they begin, and how many bytes of them are facts of the pixels."""
_BEGINNINGS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")
_RLE_SEGMENTS = 15
_COMPRESSORS = re.compile(
    rb"(Created by (GDCM/)?OpenJPEG version |Kakadu-v?s?|Creator: JasPer Version |LEAD Technologies Inc\. V)"
    rb"\d{1,3}(\.\d{1,3}){0,2}\0?"
    rb"|Kdu-Layer-Info: log_2\{Delta-D\(squared-error\)/Delta-L\(bytes\)\}, L\(bytes\)\n"
    rb"( *-?\d{1,3}\.\d, +\d\.\de\+\d\d\n){0,64}"
)
"""What programs that compress write of themselves and of the stream: it says nothing of a patient and stays."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Pixel data to be written; how many texts were overwritten; whether the offset table was there and is right."""

    value: bytes
    texts: int = 0
    has_offsets: bool = False


def fragments(value: bytes) -> list[tuple[int, int]] | None:
    """Start and length of each item of encapsulated pixel data, the offset table first; None where it is damaged."""
    found = []
    place = 0
    while place + 8 <= len(value):
        tag, length = value[place : place + 4], struct.unpack("<L", value[place + 4 : place + 8])[0]
        if tag == _SEQUENCE_END:
            break
        if tag != _ITEM or place + 8 + length > len(value):
            return None
        found.append((place + 8, length))
        place += 8 + length
    return found or None


def cleaned(value: bytes, frames: int, kind: str) -> Cleaned | None:
    """Encapsulated pixel data without texts; None where the fragments are damaged.

    Args:
        frames: how many frames there are.
        kind: ``jpeg`` (JPEG-LS among them), ``jpeg2000`` or ``rle``.
    """
    items = fragments(value)
    if items is None or len(items) < 2:
        return None
    (table_at, table_length), parts = items[0], items[1:]
    first = parts[0][0] - 8
    starts = {start - 8 - first for start, _ in parts}
    offsets = _offsets(value[table_at : table_at + table_length], frames, starts)
    whole = bytearray(value[: parts[-1][0] + parts[-1][1]])
    texts = 0
    for group in _frames(value, parts, frames, offsets, first):
        stream = bytearray().join(whole[start : start + length] for start, length in group)
        changed = _CLEANERS[kind](stream)
        if changed:
            texts += changed
            _put_back(whole, group, stream)
    if table_length and offsets is None:  # bytes that are no offsets: the table is optional, so there is none
        return Cleaned(_ITEM + bytes(4) + bytes(whole[first:]), texts + 1)
    return Cleaned(bytes(whole), texts, bool(offsets))


def are_offsets(table: bytes, frames: int, value: bytes) -> bool:
    """Whether an extended offset table holds nothing but places of fragments."""
    items = fragments(value)
    if items is None or len(items) < 2 or len(table) != 8 * frames:
        return False
    first = items[1][0] - 8
    return set(struct.unpack(f"<{frames}Q", table)) <= {start - 8 - first for start, _ in items[1:]}


def are_lengths(table: bytes, frames: int, value: bytes) -> bool:
    """Whether a table of frame lengths holds nothing but lengths that fragments can have."""
    if len(table) != 8 * frames:
        return False
    return all(length <= len(value) for length in struct.unpack(f"<{frames}Q", table))


def _offsets(table: bytes, frames: int, starts: set[int]) -> list[int] | None:
    if len(table) != 4 * frames:
        return None
    found = list(struct.unpack(f"<{frames}L", table))
    return found if set(found) <= starts and found == sorted(found) else None


def _frames(
    whole: bytes, parts: Sequence[tuple[int, int]], frames: int, offsets: Sequence[int] | None, first: int
) -> Iterator[list[tuple[int, int]]]:
    """Fragments by frame; where nothing tells, each fragment that begins a stream begins a frame."""
    if frames == 1:
        yield list(parts)
    elif len(parts) == frames:
        yield from ([part] for part in parts)
    elif offsets is None:
        group: list[tuple[int, int]] = []
        for start, length in parts:
            if group and whole.startswith(_BEGINNINGS, start):
                yield group
                group = []
            group.append((start, length))
        yield group
    else:
        bounds = [*offsets, parts[-1][0] + parts[-1][1]]
        for start, end in itertools.pairwise(bounds):
            yield [part for part in parts if start <= part[0] - 8 - first < end]


def _put_back(whole: bytearray, group: Sequence[tuple[int, int]], stream: bytearray) -> None:
    place = 0
    for start, length in group:
        whole[start : start + length] = stream[place : place + length]
        place += length


def _blank(stream: bytearray, start: int, end: int) -> int:
    """Overwrite with zeros; 1 where there was anything to overwrite."""
    if not any(stream[start:end]) or _COMPRESSORS.fullmatch(stream, start, end):
        return 0
    stream[start:end] = bytes(end - start)
    return 1


def _clean_jpeg(stream: bytearray) -> int:
    if stream[:2] != b"\xff\xd8":
        return 0
    texts, place = 0, 2
    while place + 2 <= len(stream) and stream[place] == 0xFF:
        marker = stream[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        if marker == 0xD9:
            return texts + _blank(stream, place + 2, len(stream))
        if marker in _BARE:
            place += 2
            continue
        if place + 4 > len(stream):
            break
        end = place + 2 + int.from_bytes(stream[place + 2 : place + 4])
        texts += _clean_segment(stream, marker, place + 4, min(end, len(stream)))
        place = end
        if marker == 0xDA:
            found = _IN_SCAN.search(stream, end)
            if found is None:
                break
            place = found.start()
    return texts


def _clean_segment(stream: bytearray, marker: int, start: int, end: int) -> int:
    if marker == _COMMENT:
        return _blank(stream, start, end)
    if 0xE0 <= marker <= 0xEF:
        magic, facts = _DECODERS_NEED.get(marker, (b"", 0))
        return _blank(stream, min(start + facts, end) if stream.startswith(magic, start, end) else start, end)
    return 0


def _clean_jpeg2000(stream: bytearray) -> int:
    if stream[:4] != b"\xff\x4f\xff\x51":
        return 0
    texts, place, part_end = 0, 2, 0
    while place + 4 <= len(stream) and stream[place] == 0xFF:
        marker, length = stream[place + 1], int.from_bytes(stream[place + 2 : place + 4])
        if marker == 0xD9:
            break
        if marker == 0x93:  # start of data: on to the next tile part
            if part_end <= place:
                return texts  # the last part runs to the end of the stream
            place = part_end
            continue
        if marker == 0x90 and place + 10 <= len(stream):
            size = int.from_bytes(stream[place + 6 : place + 10])
            part_end = place + size if size else 0
        if marker == 0x64:  # a comment: its kind of text (2 bytes) stays
            texts += _blank(stream, place + 6, min(place + 2 + length, len(stream)))
        place += 2 + length
    if stream[place : place + 2] == b"\xff\xd9":
        texts += _blank(stream, place + 2, len(stream))
    return texts


def _clean_rle(stream: bytearray) -> int:
    count = int.from_bytes(stream[:4], "little")
    return _blank(stream, 4 + 4 * count, 64) if 1 <= count <= _RLE_SEGMENTS and len(stream) >= 64 else 0


_CLEANERS = {"jpeg": _clean_jpeg, "jpeg2000": _clean_jpeg2000, "rle": _clean_rle}

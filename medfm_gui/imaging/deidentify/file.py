"""One file, in a decode child: looked at for risks, or written anew without identity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.pixels.utils import get_expected_length

from medfm_gui.base.atomic import atomic_file
from medfm_gui.domain.deidentification import Dates, Deidentification, Flag
from medfm_gui.imaging import elements as el
from medfm_gui.imaging.deidentify import codestream, risk, tally
from medfm_gui.imaging.deidentify.kinds import rules_of
from medfm_gui.imaging.deidentify.rewrite import PIXEL_TAGS, Said, rewritten
from medfm_gui.imaging.deidentify.secrets import Secrets
from medfm_gui.imaging.deidentify.tally import Tally
from medfm_gui.imaging.deidentify.unused_bits import has_room, without_unused_bits
from medfm_gui.imaging.deidentify.values import Making, Patient
from medfm_gui.imaging.deidentify.words import name_parts
from medfm_gui.imaging.dicom import Parsed, contained, header_of, parsing
from medfm_gui.imaging.gate import admit
from medfm_gui.imaging.header import clean_uid
from medfm_gui.imaging.reasons import Reason, refusal

_IMPLICIT, _BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_NATIVE = frozenset({_IMPLICIT, "1.2.840.10008.1.2.1", _BIG_ENDIAN})
_JPEG_FAMILY = "1.2.840.10008.1.2.4."
_STREAMS = {
    **{_JPEG_FAMILY + str(end): "jpeg" for end in (*range(50, 71), 80, 81)},
    **{_JPEG_FAMILY + str(end): "jpeg2000" for end in (90, 91, 92, 93, 201, 202, 203)},
    "1.2.840.10008.1.2.5": "rle",
}
_PIXEL_DATA, _FLOAT_PIXELS, _DOUBLE_PIXELS = 0x7FE00010, 0x7FE00008, 0x7FE00009
_OFFSETS, _LENGTHS = 0x7FE00001, 0x7FE00002
_TEXTS = "Texts inside the compressed pixel data were overwritten; every pixel is as before."
_UNUSED = "An overlay in unused bits of the pixels was cleared; every value is as before."
_EXCESS = "Bytes behind the last pixel were left out."


def answer_look(order: dict[str, Any]) -> dict[str, Any]:
    """What the header of a file says of risks, and whether such an object is written at all.

    Raises:
        UnreadableFile: it is no image that is written.
    """
    with admit(Path(order["path"])) as admitted, parsing(admitted, pixels=False) as parsed:
        data = parsed.data
        with contained():
            _rules(data)
            header = header_of(parsed)
            return {
                "modality": header.modality.upper(),
                "flags": [flag.value for flag in risk.flags_of(data) if not _is_cleared(flag, parsed)],
                "about": risk.about(data),
                "frames": header.frames,
                "field_mm": risk.field_mm(data),
                "bytes": admitted.size,
            }


def _is_cleared(flag: Flag, parsed: Parsed) -> bool:
    """Whether what the flag is about does not come along: an overlay in bits that are cleared."""
    return flag is Flag.OVERLAY_BITS and parsed.transfer_syntax in (*_NATIVE, _DEFLATED) and has_room(parsed.data)


def answer_write(order: dict[str, Any]) -> dict[str, Any]:
    """Write a file anew, into a folder that is there.

    Args:
        order: ``path``, ``out``, ``options``, ``secrets`` (hex), ``patient`` (the id that the index has),
            ``pseudonym``, ``study``, ``series``, ``number`` (for what a file leaves unnamed),
            ``looked_at``, ``has_face``.

    Raises:
        UnreadableFile: it is no image that is written, or another patient's than the index says.
        DiskFull: there is no room.
    """
    with admit(Path(order["path"])) as admitted, parsing(admitted, pixels=True) as parsed:
        count = Tally()
        with contained():
            new, notes = _new_file(parsed, order, count)
        out = Path(order["out"])
        if not out.parent.is_dir():  # it is gone, because nobody waits for the copies any more
            raise refusal(Reason.UNREADABLE, "The folder for the copy is not there.")
        with atomic_file(out, expected_bytes=admitted.size, sync=False) as handle:
            new.save_as(handle, enforce_file_format=True)
        return {"tally": count.plain(), "notes": notes}


def _rules(data: FileDataset) -> Any:
    kind = clean_uid(str(el.first(data, "SOPClassUID") or data.file_meta.get("MediaStorageSOPClassUID") or ""))
    found = rules_of(kind)
    if found is None:
        modality = el.text(data, "Modality")
        raise refusal(
            Reason.UNSUPPORTED_FORMAT,
            f"Objects of this kind are not de-identified here{f' ({modality})' if len(modality) <= 2 else ''}.",
        )
    return found


def _new_file(parsed: Parsed, order: dict[str, Any], count: Tally) -> tuple[FileDataset, list[str]]:
    source = parsed.data
    rules = _rules(source)
    if el.text(source, "PatientID") != order["patient"]:
        raise refusal(Reason.BAD_HEADER, "The file is not what it was when its folder was read. Open the folder again.")
    making = _making(source, order)
    _name_unnamed(source, order)
    made = rewritten(source, rules, making, Said(order["looked_at"], order["has_face"]), count)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    meta.TransferSyntaxUID = source.file_meta.TransferSyntaxUID
    notes = _put_pixels(source, made, str(meta.TransferSyntaxUID))
    for tag in source.file_meta.keys():  # noqa: SIM118 - a data set iterates over its values
        if tag.element not in (0x0000, 0x0001, 0x0002, 0x0003, 0x0010, 0x0012, 0x0013):
            count.add(tag, tally.REMOVED)
    is_implicit, is_little = meta.TransferSyntaxUID == _IMPLICIT, meta.TransferSyntaxUID != _BIG_ENDIAN
    new = FileDataset("", made, bytes(128), meta, is_implicit_VR=is_implicit, is_little_endian=is_little)
    return new, notes


def _making(source: Dataset, order: dict[str, Any]) -> Making:
    options = order["options"]
    known = order["patient"] or f"study {order['study']}"
    return Making(
        Deidentification(**{**options, "dates": Dates(options["dates"])}),
        Secrets(*(bytes.fromhex(part) for part in order["secrets"])),
        Patient(known, order["pseudonym"], name_parts(el.text(source, "PatientName"))),
    )


def _name_unnamed(source: FileDataset, order: dict[str, Any]) -> None:
    """Give what a file leaves unnamed the names that the index gave it."""
    if not el.text(source, "SOPClassUID"):
        source.SOPClassUID = source.file_meta.MediaStorageSOPClassUID
    instance = clean_uid(str(source.file_meta.get("MediaStorageSOPInstanceUID") or ""))
    named = {
        "StudyInstanceUID": order["study"],
        "SeriesInstanceUID": order["series"],
        "SOPInstanceUID": instance or f"{order['series']} {order['number']}",
    }
    for keyword, name in named.items():
        if not clean_uid(el.text(source, keyword)):
            source.add_new(keyword, "UI", name)


def _put_pixels(source: Dataset, made: Dataset, syntax: str) -> list[str]:
    """Pixels, byte for byte, but for what is no pixel."""
    for tag, representation in ((_FLOAT_PIXELS, "OF"), (_DOUBLE_PIXELS, "OD")):
        if tag in source:
            made.add(DataElement(tag, representation, _bytes(source, tag)))
            return []
    value = _bytes(source, _PIXEL_DATA)
    if syntax in _NATIVE:
        native, notes = _native(source, value)
        wide = (el.integer(source, "BitsAllocated") or 8) > 8 or syntax == _IMPLICIT
        made.add(DataElement(_PIXEL_DATA, "OW" if wide else _native_representation(source), native))
        return notes
    kind = _STREAMS.get(syntax)
    if kind is None:
        raise refusal(
            Reason.UNSUPPORTED_FORMAT, "Films and pixel data of this transfer syntax are not de-identified here."
        )
    frames = el.integer(source, "NumberOfFrames") or 1
    found = codestream.cleaned(value, frames, kind)
    if found is None:
        raise refusal(Reason.UNDECODABLE, "The compressed pixel data are damaged.")
    element = DataElement(_PIXEL_DATA, "OB", found.value)
    element.is_undefined_length = True
    made.add(element)
    _put_tables(source, made, found, frames)
    return [_TEXTS] if found.texts else []


def _put_tables(source: Dataset, made: Dataset, found: codestream.Cleaned, frames: int) -> None:
    """Offsets and lengths of many frames, where they are nothing else."""
    if found.has_offsets or _OFFSETS not in source or _LENGTHS not in source:
        return
    offsets, lengths = _bytes(source, _OFFSETS), _bytes(source, _LENGTHS)
    if codestream.are_offsets(offsets, frames, found.value) and codestream.are_lengths(lengths, frames, found.value):
        made.add(DataElement(_OFFSETS, "OV", offsets))
        made.add(DataElement(_LENGTHS, "OV", lengths))


def _native(source: Dataset, value: bytes) -> tuple[bytes, list[str]]:
    """Uncompressed pixels, as many as the header says; a longer tail than that belongs to no pixel."""
    length = int(get_expected_length(source, unit="bytes"))
    if el.text(source, "PhotometricInterpretation") == "YBR_FULL_422" and len(value) >= length // 2 * 3:
        length = length // 2 * 3  # as many writers have it: not subsampled after all
    end = (
        length + length % 2
    )  # of an odd number of bytes, one more: words of the big-endian form have it before the last
    kept = value[:end]
    clean = without_unused_bits(source, kept) if risk.has_overlay_bits(source) else kept
    notes = [_UNUSED] if clean is not kept else []
    return clean, [*notes, _EXCESS] if any(value[end:]) else notes


def _native_representation(source: Dataset) -> str:
    read = source.get_item(_PIXEL_DATA)
    return "OW" if read is not None and read.VR == "OW" else "OB"


def _bytes(source: Dataset, tag: int) -> bytes:
    value = source[tag].value
    if not isinstance(value, bytes) or tag not in PIXEL_TAGS:
        raise refusal(Reason.BAD_HEADER, "The pixel data are not what they claim to be.")
    return value

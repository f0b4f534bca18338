"""One door for every image file: the gate, then the reader of its kind."""

from __future__ import annotations

from pathlib import Path

from medfm_gui.imaging.gate import FileKind, admit
from medfm_gui.imaging.picture import Picture


def read_picture(path: Path, *, frame: int | None = None, root: Path | None = None) -> Picture:
    """Decode an image in this process. Foreign files belong in the ``DecodePool``: decoders end processes.

    Args:
        frame: index of a frame, from 0.
        root: the folder that links may not lead out of.

    Raises:
        UnreadableFile: with a ``reason`` of ``reasons.Reason``.
    """
    with admit(path, root=root) as admitted:
        if admitted.kind is FileKind.DICOM:
            from medfm_gui.imaging.dicom import read_dicom  # pydicom costs 0.2 s, which a folder of PNGs need not pay

            return read_dicom(admitted, frame=frame)
        from medfm_gui.imaging.raster import read_raster  # and Pillow 0.1 s

        return read_raster(admitted, frame=frame)

"""One door for every image file: the gate, then the reader of its kind."""

from __future__ import annotations

from pathlib import Path

from medfm_gui.imaging.gate import VOLUMES, Admitted, FileKind, admit
from medfm_gui.imaging.picture import Picture
from medfm_gui.imaging.stored import FrameFile, open_admitted


def read_picture(
    path: Path, *, frame: int | None = None, root: Path | None = None, held: dict[str, FrameFile] | None = None
) -> Picture:
    """Decode an image in this process. Foreign files belong in the ``DecodePool``: decoders end processes.

    A volume (NIfTI, NRRD, MHA, NPY) has its slices for frames, as ``voxels.frames_of`` orders them.

    Args:
        frame: index of a frame, from 0; None takes the only one (of a TIFF with pages the first).
        root: the folder that links may not lead out of.
        held: at most one file with many frames, kept open between calls: parsing it anew for each is dear.

    Raises:
        UnreadableFile: with a ``reason`` of ``reasons.Reason``.
    """
    with admit(path, root=root) as admitted:
        if frame is not None and held is not None and _has_frames(admitted):
            return _held(path, admitted, held).picture(frame)
        if admitted.kind in VOLUMES:
            return open_admitted(path, admitted).picture(frame)
        if admitted.kind is FileKind.DICOM:
            from medfm_gui.imaging.dicom import read_dicom  # pydicom costs 0.2 s, which a folder of PNGs need not pay

            return read_dicom(admitted, frame=frame)
        if admitted.kind is FileKind.MATLAB:
            from medfm_gui.imaging.matlab import read_matlab  # h5py, for one release alone

            return read_matlab(admitted)
        from medfm_gui.imaging.raster import read_raster  # and Pillow 0.1 s

        return read_raster(admitted, frame=frame)


def _has_frames(admitted: Admitted) -> bool:
    return admitted.kind in VOLUMES or admitted.kind is FileKind.DICOM


def _held(path: Path, admitted: Admitted, held: dict[str, FrameFile]) -> FrameFile:
    """The file, parsed; a DICOM object with one frame is not kept, for the next order is mostly another file."""
    name = f"{path}\0{admitted.size}\0{admitted.changed_ns}"
    if name not in held:
        held.clear()
        opened = open_admitted(path, admitted)
        if opened.frames == 1:
            return opened
        held[name] = opened
    return held[name]

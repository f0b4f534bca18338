from __future__ import annotations

from pathlib import Path

import nibabel.nifti1
import numpy as np

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.dicom import read_header, read_values
from medfm_gui.imaging.read import read_picture


def test_lossless_syntaxes_give_identical_pixels(shared: Path) -> None:
    prints, reasons = {}, {}
    for path in sorted((shared / "syntaxes").glob("CTImage.dcm*")):
        try:
            prints[path.name] = read_picture(path).stored_sha256
        except UnreadableFile as error:
            reasons[path.name] = error.reason
    lossless = [value for value in prints.values() if value == prints["CTImage.dcm"]]
    assert len(lossless) == 10
    assert len(prints) == 14
    assert len(reasons) == 2 and set(reasons.values()) == {"undecodable"}


def test_the_liver_of_a_real_ct_has_its_density(shared: Path) -> None:
    labels = np.asarray(
        nibabel.nifti1.Nifti1Image.from_filename(shared / "ct-abdomen" / "example_seg_dicom.nii.gz").dataobj
    )
    files = list((shared / "ct-abdomen" / "series").iterdir())
    files.sort(key=lambda path: (read_header(path).position or ())[2:])
    liver = []
    for index in (3, 10, 17):
        mask = labels[:, ::-1, index].T  # NIfTI: columns first, rows from below
        liver.append(read_values(files[index])[mask == 5])
    density = np.concatenate(liver)
    assert 84 < density.mean() < 94 and 17 < density.std() < 27


def test_a_radiograph_is_ready_as_stored(shared: Path) -> None:
    picture = read_picture(shared / "cxr-dicom" / "test1.dcm")
    assert picture.pixels.dtype == np.uint8 and picture.pixels.shape == (1024, 1024)
    assert picture.stored_sha256 == read_picture(shared / "cxr-dicom" / "test5.dcm").stored_sha256

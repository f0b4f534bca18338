"""Where a NIfTI file puts the patient: two matrices that may differ, a sign that may be absent, sizes below zero."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.gate import admit
from medfm_gui.imaging.nifti import TWO_PLACES
from medfm_gui.imaging.volume_file import read_voxels
from medfm_gui.imaging.voxels import Voxels

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
PIXDIM = 76
TURNED = np.array([[-0.7, 0.0, 0.0, 10.0], [0.0, -0.8, 0.0, 20.0], [0.0, 0.0, 2.0, -30.0], [0.0, 0.0, 0.0, 1.0]])
STRAIGHT = np.array([[0.7, 0.0, 0.0, 1.0], [0.0, 0.8, 0.0, 2.0], [0.0, 0.0, 2.0, 3.0], [0.0, 0.0, 0.0, 1.0]])


def written(path: Path, sform: Any, qform: Any, codes: tuple[int, int] = (1, 1)) -> Path:
    values = np.arange(7 * 6 * 5, dtype=np.int16).reshape(7, 6, 5)
    image: Any = nibabel.Nifti1Image(values, None)  # type: ignore[no-untyped-call]
    image.set_sform(sform, codes[0])
    image.set_qform(qform, codes[1])
    image.to_filename(path)
    return path


def sized(path: Path, *sizes: float) -> Path:
    """Another sign and other sizes of a voxel in the header."""
    raw = bytearray(path.read_bytes())
    raw[PIXDIM : PIXDIM + 4 * len(sizes)] = struct.pack(f"<{len(sizes)}f", *sizes)
    path.write_bytes(raw)
    return path


def read(path: Path) -> Voxels:
    with admit(path) as admitted:
        return read_voxels(admitted)


def test_of_two_places_that_differ_the_sform_is_taken_and_said(tmp_path: Path) -> None:
    found = read(written(tmp_path / "v.nii", TURNED, STRAIGHT))
    assert found.to_lps == pytest.approx(TO_LPS @ TURNED, abs=1e-5)
    assert found.notes == (TWO_PLACES,)
    image: Any = sitk.ReadImage(str(tmp_path / "v.nii"))
    assert image.GetOrigin() == pytest.approx(found.to_lps[:3, 3], abs=1e-4)


def test_places_that_agree_but_for_rounding_are_not_said(tmp_path: Path) -> None:
    nearly = STRAIGHT.copy()
    nearly[:3, 3] += 0.1
    assert read(written(tmp_path / "v.nii", nearly, STRAIGHT)).notes == ()
    nearly[:3, 3] += 0.5
    assert read(written(tmp_path / "w.nii", nearly, STRAIGHT)).notes == (TWO_PLACES,)


@pytest.mark.parametrize(("sign", "taken"), [(1.0, 1.0), (0.0, 1.0), (-1.0, -1.0), (0.5, 1.0), (-7.0, -1.0)])
def test_the_sign_of_the_third_axis_may_be_absent(tmp_path: Path, sign: float, taken: float) -> None:
    path = sized(written(tmp_path / "v.nii", None, STRAIGHT, (0, 1)), sign)
    wanted = TO_LPS @ STRAIGHT @ np.diag([1, 1, taken, 1])
    assert read(path).to_lps == pytest.approx(wanted, abs=1e-5)


def test_sizes_below_zero_are_taken_by_their_amount(tmp_path: Path) -> None:
    path = sized(written(tmp_path / "v.nii", None, STRAIGHT, (0, 1)), 1.0, -0.7, 0.8, -2.0)
    assert read(path).to_lps == pytest.approx(TO_LPS @ STRAIGHT, abs=1e-5)
    image: Any = nibabel.nifti1.Nifti1Image.from_filename(path)
    assert image.affine == pytest.approx(STRAIGHT, abs=1e-5)


def test_an_impossible_turn_is_named_and_does_not_harm_a_good_matrix(tmp_path: Path) -> None:
    """Three parts of a quaternion whose squares are more than one."""
    for name, code in (("alone.nii", 0), ("both.nii", 1)):
        path = written(tmp_path / name, TURNED, STRAIGHT, (code, 1))
        raw = bytearray(path.read_bytes())
        raw[256:268] = struct.pack("<3f", 0.9, 0.9, 0.9)
        path.write_bytes(raw)
    with pytest.raises(UnreadableFile, match="quaternion"):
        read(tmp_path / "alone.nii")
    found = read(tmp_path / "both.nii")
    assert found.to_lps == pytest.approx(TO_LPS @ TURNED, abs=1e-5) and found.notes == ()

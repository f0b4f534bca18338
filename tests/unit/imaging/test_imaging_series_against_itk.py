"""The real series against SimpleITK: every value, the order, the spacing and the orientation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from medfm_gui.domain.study import Series
from medfm_gui.imaging.dicom import read_header, read_values
from medfm_gui.imaging.gate import admit
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.series import scan
from medfm_gui.imaging.volume_file import read_voxels
from medfm_gui.imaging.voxels import frames_of

SERIES = (
    "ct-abdomen/series",
    "mr-brain-study/11-T1post-18670",
    "mr-brain-study/11_HCropVolume",
    "mr-brain-study/26401-T1prereg-52906",
    "mr-brain-study/36468-FLAIRreg-58706",
    "mr-brain-study/37830-T2reg-78532",
)


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool() as pool:
        yield pool


def of_itk(folder: Path) -> Any:
    """The volume as GDCM sorts and scales it."""
    itk: Any = sitk  # its functions have no types
    reader = itk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    itk.ProcessObject.SetGlobalWarningDisplay(False)
    return reader.Execute()


def only_series(folder: Path, decoders: DecodePool) -> Series:
    (study,) = scan(folder, decoders).studies
    (series,) = study.series
    return series


@pytest.mark.parametrize("name", SERIES)
def test_values_order_spacing_and_orientation(shared: Path, decoders: DecodePool, name: str) -> None:
    series, image = only_series(shared / name, decoders), of_itk(shared / name)
    values = np.stack([read_values(Path(item.path)) for item in series.instances])
    assert np.array_equal(values, sitk.GetArrayFromImage(image).astype(np.float32))
    assert series.spacing_mm is not None and series.slice_spacing_mm is not None
    assert (*series.spacing_mm[::-1], series.slice_spacing_mm) == pytest.approx(image.GetSpacing(), abs=2e-4)
    direction = np.asarray(image.GetDirection()).reshape(3, 3)
    assert series.orientation == pytest.approx(direction[:, :2].T.reshape(-1), abs=2e-3)
    header = read_header(Path(series.instances[0].path))
    assert header.position == pytest.approx(image.GetOrigin(), abs=1e-3)


@pytest.mark.parametrize("name", SERIES)
def test_names_say_nothing_of_the_order(shared: Path, decoders: DecodePool, tmp_path: Path, name: str) -> None:
    files = sorted((shared / name).iterdir())
    for number, file in enumerate(reversed(files)):
        (tmp_path / f"{number * 7 % len(files):03d}-{number}").write_bytes(file.read_bytes())
    series = only_series(tmp_path, decoders)
    places = [item.position_mm for item in series.instances]
    assert all(one is not None and other is not None and one < other for one, other in itertools.pairwise(places))
    wanted = [read_values(Path(item.path)) for item in only_series(shared / name, decoders).instances]
    found = [read_values(Path(item.path)) for item in series.instances]
    assert all(np.array_equal(one, other) for one, other in zip(wanted, found, strict=True))


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".mha", ".nrrd"])
@pytest.mark.parametrize("name", ["ct-abdomen/series", "mr-brain-study/11-T1post-18670"])
def test_a_series_written_as_a_volume_opens_the_same(
    shared: Path, decoders: DecodePool, tmp_path: Path, name: str, ending: str
) -> None:
    series, path = only_series(shared / name, decoders), tmp_path / f"volume{ending}"
    sitk.WriteImage(of_itk(shared / name), str(path))
    with admit(path) as admitted:
        slices = frames_of(read_voxels(admitted))
    assert slices.place is not None and len(slices.place.positions) == len(series.instances)
    for index, item in enumerate(series.instances):
        assert np.array_equal(slices.values(index), read_values(Path(item.path)))
    places = [item.position_mm for item in series.instances]
    assert list(slices.place.positions) == pytest.approx(places, abs=2e-3)
    assert slices.place.orientation == pytest.approx(series.orientation, abs=2e-3)
    assert slices.place.spacing == pytest.approx(series.spacing_mm, abs=1e-4)


def test_labels_in_nifti_lie_on_the_organs_of_the_dicom_series(shared: Path, decoders: DecodePool) -> None:
    path = shared / "ct-abdomen" / "example_seg_dicom.nii.gz"
    with admit(path) as admitted:
        labels = frames_of(read_voxels(admitted))
    series = only_series(shared / "ct-abdomen" / "series", decoders)
    first = read_header(Path(series.instances[0].path))
    assert labels.place is not None and labels.place.origin == pytest.approx(first.position, abs=1e-4)
    assert labels.place.orientation == pytest.approx(first.orientation, abs=1e-4)
    values = np.stack([read_values(Path(item.path)) for item in series.instances])
    liver = values[labels.stored == 5]
    assert (round(float(liver.mean())), round(float(liver.std()))) == (89, 22) and liver.size == 366_708
    stored: Any = nibabel.nifti1.Nifti1Image.from_filename(path).dataobj
    assert np.array_equal(labels.stored[7], np.asarray(stored)[:, ::-1, 7].T), "rows run the other way in the file"

"""The simulated thorax: the same for the same seed, right in space and in Hounsfield units, and readable as DICOM."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from medfm_gui.imaging.phantom import radiograph, volume
from medfm_gui.imaging.phantom.anatomy import LARGEST_NODULE_MM, draw_patient
from medfm_gui.imaging.phantom.shapes import Ellipsoid, overlap
from medfm_gui.imaging.phantom.write import write_patient, write_phantom


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom")
    write_phantom(folder, patients=3, seed=0)
    return folder


def test_an_ellipsoid_has_the_chord_of_a_sphere() -> None:
    ball = Ellipsoid(10, -5, 3, 20, 20, 20)
    x = np.array([[10.0, 22.0, 40.0]], np.float32)
    z = np.array([[3.0, 3.0, 3.0]], np.float32)
    low, high = ball.interval(x, z)
    assert np.allclose(high - low, [[40.0, 32.0, 0.0]], atol=1e-3)
    assert np.allclose((low + high) / 2, -5)


def test_overlap_of_intervals() -> None:
    one = (np.array([[0.0]], np.float32), np.array([[10.0]], np.float32))
    two = (np.array([[6.0]], np.float32), np.array([[20.0]], np.float32))
    three = (np.array([[11.0]], np.float32), np.array([[20.0]], np.float32))
    assert overlap(one, two)[0, 0] == 4.0
    assert overlap(one, three)[0, 0] == 0.0


def test_a_patient_is_the_same_with_and_without_nodule() -> None:
    with_it, without = draw_patient(0, 7, nodule=True), draw_patient(0, 7, nodule=False)
    assert with_it.nodules and not without.nodules
    assert (with_it.heart, with_it.lungs, with_it.age_years) == (without.heart, without.lungs, without.age_years)
    assert np.array_equal(with_it.ribs.points, without.ribs.points)
    assert all(max(item.a, item.b, item.c) <= LARGEST_NODULE_MM * 1.15 for item in with_it.nodules)


def test_a_nodule_makes_its_place_brighter_and_nothing_else() -> None:
    pose = radiograph.Pose("PA", 0, 0, 0, 1, 1, 1e6)  # so many photons that noise does not count
    films = [
        radiograph.expose(draw_patient(0, 3, nodule=nodule), pose, np.random.default_rng(0)) for nodule in (True, False)
    ]
    where = films[0].nodules == 1
    difference = films[0].pixels.astype(float) - films[1].pixels.astype(float)
    assert where.any() and not films[1].nodules.any()
    assert difference[where].mean() > 10 * abs(np.median(difference[~where]))
    assert set(np.unique(films[0].organs)) == {0, 1, 2, 3}


def test_the_ct_has_the_hounsfield_units_of_its_organs() -> None:
    scanned = volume.scan(draw_patient(0, 0, nodule=True), np.random.default_rng(0))
    assert len(scanned.hu) >= 40
    named = dict(zip(volume.LABELS, range(len(volume.LABELS)), strict=True))
    expected = {"right lung": (-900, -780), "left lung": (-900, -780), "heart": (30, 55), "liver": (50, 75)}
    for organ, (low, high) in expected.items():
        assert low < np.median(scanned.hu[scanned.labels == named[organ]]) < high, organ
    assert (scanned.labels == named["nodule"]).any()
    right, left = (np.argwhere(scanned.labels == named[side])[:, 2].mean() for side in ("right lung", "left lung"))
    assert right < left  # columns run to the patient's left


def test_radiographs_are_proper_dicom(written: Path) -> None:
    files = sorted((written / "radiographs").rglob("*.dcm"))
    assert 3 <= len(files) <= 9
    makers = set()
    for path in files:
        header = pydicom.dcmread(path)
        makers.add(header.PhotometricInterpretation)
        assert header.Modality == "DX" and header.pixel_array.shape == (512, 512)
        assert header.PatientID == f"PHANTOM-{int(path.parent.name) + 1:04d}"
        assert list(header.PatientOrientation) == ["L", "F"] and header.BitsStored == 14
        assert float(header.ImagerPixelSpacing[0]) == radiograph.SPACING_MM
        assert path.read_bytes()[:128] == bytes(128)
    uids = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in files}
    assert len(uids) == len(files)


def test_ct_slices_and_labels_share_a_space(written: Path) -> None:
    slices = [pydicom.dcmread(path) for path in sorted((written / "ct" / "0000").glob("*.dcm"))]
    assert len(slices) >= 40
    heights = [float(item.ImagePositionPatient[2]) for item in slices]
    assert np.allclose(np.diff(heights), volume.SLICE_MM)
    labels = nibabel.Nifti1Image.from_filename(written / "masks" / "ct" / "0000.nii.gz")
    first = labels.affine @ [0, 0, 0, 1]
    assert np.allclose(first[:3] * [-1, -1, 1], slices[0].ImagePositionPatient)
    lung = np.asarray(labels.dataobj)[:, :, 30].T == 1
    hu = slices[30].pixel_array * float(slices[30].RescaleSlope) + float(slices[30].RescaleIntercept)
    assert np.median(hu[lung]) < -750


def test_the_label_table_knows_every_patient(written: Path) -> None:
    with (written / "labels.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert [row["PatientID"] for row in rows] == ["PHANTOM-0001", "PHANTOM-0002", "PHANTOM-0003"]
    assert all((row["nodule"] == "nodule") == (int(row["nodules"]) > 0) for row in rows)


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    hashes = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        write_patient(folder, 5, 1)
        files = sorted(folder.rglob("*.dcm"))
        hashes.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert hashes[0] and hashes[0] == hashes[1]

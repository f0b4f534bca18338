"""NIfTI, NRRD, MetaImage and NumPy files: every voxel in its place, and hostile ones refused by name."""

from __future__ import annotations

import gzip
import itertools
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk  # noqa: N813

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging import voxels
from medfm_gui.imaging.gate import FileKind, admit, inspect
from medfm_gui.imaging.picture import stored_sha256
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.volume_file import VolumeFile, read_voxels
from medfm_gui.imaging.voxels import FIRST_VOLUME, NO_PLACE, SHEARED, Slices, frames_of

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def nifti(path: Path, values: npt.NDArray[Any], affine: npt.NDArray[Any] | None = None, **header: Any) -> Path:
    image: Any = nibabel.Nifti1Image(values, np.eye(4) if affine is None else affine)  # type: ignore[no-untyped-call]
    for name, value in header.items():
        image.header[name] = value
    image.to_filename(path)
    return path


def slices_of(path: Path) -> Slices:
    with admit(path) as admitted:
        return frames_of(read_voxels(admitted))


def reason_of(path: Path) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_picture(path, frame=0)
    assert caught.value.message.endswith(".") and str(path.parent) not in caught.value.message
    return caught.value.reason


def centres(slices: Slices) -> npt.NDArray[np.float64]:
    """The place in LPS of every voxel, from the place that the slices claim."""
    place = slices.place
    assert place is not None
    row, column = np.asarray(place.orientation[:3]), np.asarray(place.orientation[3:])
    normal = np.cross(row, column)
    depth, rows, columns = np.indices(slices.stored.shape[:3])
    deep = np.asarray(place.positions) - place.positions[0]
    found: npt.NDArray[np.float64] = (
        np.asarray(place.origin)
        + deep[depth][..., None] * normal
        + np.multiply(rows, place.spacing[0])[..., None] * column
        + np.multiply(columns, place.spacing[1])[..., None] * row
    )
    return found


AXES = list(itertools.permutations(range(3)))
SIGNS = list(itertools.product((1, -1), repeat=3))


@pytest.mark.parametrize(("axes", "signs"), list(itertools.product(AXES, SIGNS)))
def test_every_voxel_lies_where_the_file_says(tmp_path: Path, axes: tuple[int, ...], signs: tuple[int, ...]) -> None:
    affine = np.zeros((4, 4))
    for axis, (to, sign) in enumerate(zip(axes, signs, strict=True)):
        affine[to, axis] = sign * (1.5, 2.0, 3.0)[axis]
    affine[:, 3] = (10.0, -20.0, 5.0, 1.0)
    values = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    slices = slices_of(nifti(tmp_path / "v.nii", values, affine))
    lps = RAS_TO_LPS @ affine
    places = {int(values[i, j, k]): (lps @ (i, j, k, 1))[:3] for i, j, k in np.ndindex(values.shape)}
    found = centres(slices)
    assert slices.stored.shape[0] == 6, "slices lie along the third axis of the file"
    for index in np.ndindex(slices.stored.shape):
        assert np.allclose(found[index], places[int(slices.stored[index])], atol=1e-4)


@pytest.mark.parametrize(
    ("across", "row", "column"),
    [(2, (1, 0, 0), (0, 1, 0)), (1, (1, 0, 0), (0, 0, -1)), (0, (0, 1, 0), (0, 0, -1))],
    ids=["axial", "coronal", "sagittal"],
)
def test_slices_are_shown_as_a_radiologist_expects(
    tmp_path: Path, across: int, row: tuple[int, ...], column: tuple[int, ...]
) -> None:
    others = [axis for axis in range(3) if axis != across]
    for turned in (others, others[::-1]):
        affine = np.zeros((4, 4))
        for axis, to in enumerate((*turned, across)):
            affine[to, axis] = -1.0 if axis == 1 else 1.0
        affine[3, 3] = 1.0
        slices = slices_of(nifti(tmp_path / "v.nii", np.zeros((3, 4, 5), np.uint8), affine))
        assert slices.place is not None
        assert slices.place.orientation == (*row, *column)
        assert list(slices.place.positions) == sorted(slices.place.positions)


def test_an_oblique_volume_keeps_its_angle_and_agrees_with_itk(tmp_path: Path) -> None:
    turn = np.radians(20)
    affine = np.eye(4)
    affine[:3, :3] = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]] @ np.diag((1, 2, 4))
    path = nifti(tmp_path / "v.nii.gz", np.random.default_rng(0).integers(0, 99, (5, 6, 7), np.int16), affine)
    image: Any = sitk.ReadImage(str(path))
    slices = slices_of(path)
    for index, place in zip(np.ndindex(slices.stored.shape), centres(slices).reshape(-1, 3), strict=True):
        back = image.TransformPhysicalPointToIndex(place.tolist())
        assert image.GetPixel(back) == slices.stored[index]
    assert SHEARED not in slices.notes


def test_a_gantry_tilt_is_said(tmp_path: Path) -> None:
    affine = np.diag((1.0, 1.0, 2.0, 1.0))
    affine[1, 2] = 0.5
    slices = slices_of(nifti(tmp_path / "v.nii", np.zeros((3, 4, 5), np.uint8), affine))
    assert SHEARED in slices.notes


def test_units_other_than_millimetres(tmp_path: Path) -> None:
    path = nifti(tmp_path / "v.nii", np.zeros((3, 4, 5), np.uint8), np.diag((0.001, 0.001, 0.002, 1.0)), xyzt_units=1)
    place = slices_of(path).place
    assert place is not None and place.spacing == (1.0, 1.0) and place.positions[1] == pytest.approx(2.0)


def test_a_file_without_a_place_is_shown_as_stored(tmp_path: Path) -> None:
    values = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    path = nifti(tmp_path / "v.nii", values)
    raw = bytearray(path.read_bytes())
    raw[252:256] = bytes(4)  # the codes of qform and sform
    path.write_bytes(raw)
    slices = slices_of(path)
    assert slices.place is None and NO_PLACE in slices.notes
    assert np.array_equal(slices.stored[2], values[:, :, 2].T)


@pytest.mark.parametrize("dtype", [*"bBhHiIqfd"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_type_of_number_in_both_orders(tmp_path: Path, dtype: str, order: str) -> None:
    kind = np.dtype(order + dtype)
    values = (np.arange(60).reshape(3, 4, 5) - (0 if dtype in "BHI" else 20)).astype(kind)
    image: Any = nibabel.Nifti1Image(values, np.eye(4), dtype=kind)  # type: ignore[no-untyped-call]
    image = nibabel.Nifti1Image(values, np.eye(4), image.header.as_byteswapped(order))  # type: ignore[no-untyped-call]
    image.to_filename(tmp_path / "v.nii")
    slices = slices_of(tmp_path / "v.nii")
    assert np.array_equal(slices.values(4), values[::-1, ::-1, 4].T.astype(np.float32))


def test_slope_and_intercept_give_the_values(tmp_path: Path) -> None:
    path = nifti(tmp_path / "v.nii", np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    raw = bytearray(path.read_bytes())
    raw[112:120] = struct.pack("<2f", 2.0, -1024.0)
    path.write_bytes(raw)
    slices = slices_of(path)
    assert slices.values(0).min() == -1024 and slices.values(4).max() == 59 * 2 - 1024
    with admit(path) as admitted:
        stored = VolumeFile(admitted).stored(4)
    assert np.array_equal(stored.values, slices.values(4))


def test_nifti_two_and_extensions(tmp_path: Path) -> None:
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    second: Any = nibabel.Nifti2Image(values, np.eye(4))  # type: ignore[no-untyped-call]
    extended: Any = nibabel.Nifti1Image(values, np.eye(4))  # type: ignore[no-untyped-call]
    note: Any = nibabel.nifti1.Nifti1Extension("comment", b"x" * 5000)
    extended.header.extensions.append(note)
    for name, image in (("two.nii.gz", second), ("note.nii.gz", extended)):
        image.to_filename(tmp_path / name)
        assert inspect(tmp_path / name) is FileKind.NIFTI
        assert np.array_equal(slices_of(tmp_path / name).stored[0], values[::-1, ::-1, 0].T)


def test_of_several_volumes_the_first_and_colour(tmp_path: Path) -> None:
    several = np.random.default_rng(1).integers(0, 99, (3, 4, 5, 2), np.int16)
    slices = slices_of(nifti(tmp_path / "four.nii.gz", several))
    assert FIRST_VOLUME in slices.notes and np.array_equal(slices.stored[1], several[::-1, ::-1, 1, 0].T)
    colour = np.zeros((3, 4, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    colour["G"] = np.arange(60).reshape(3, 4, 5)
    picture = read_picture(nifti(tmp_path / "rgb.nii", colour), frame=0)
    assert picture.pixels.shape == (4, 3, 3) and np.array_equal(picture.pixels[..., 1], colour["G"][::-1, ::-1, 0].T)


# -- what a viewer and a prediction get


def test_wide_numbers_are_kept_exactly_where_sixteen_bits_can(tmp_path: Path) -> None:
    whole = (np.arange(60).reshape(3, 4, 5) * 1000 - 30_000).astype(np.float32)
    fine = np.linspace(-1, 1, 60).reshape(3, 4, 5)
    for values, error in ((whole, 0.0), (fine, 2 / 65535 / 2 * 1.001)):
        with admit(nifti(tmp_path / "v.nii", values)) as admitted:
            volume = VolumeFile(admitted)
        found = np.stack([volume.stored(frame).values for frame in range(5)])
        wanted = np.stack([volume.slices.values(frame) for frame in range(5)])
        grids = {volume.stored(frame).own_grid() for frame in range(5)}
        assert len(grids) == 1 and None not in grids, "one scale for all slices"
        assert np.abs(found - wanted).max() <= error


def test_slices_of_one_volume_have_one_window(tmp_path: Path) -> None:
    values = np.zeros((8, 8, 3), np.int16)
    values[..., 1], values[..., 2] = 100, 200
    path = nifti(tmp_path / "v.nii", values)
    greys = [int(read_picture(path, frame=frame).pixels.mean()) for frame in range(3)]
    assert greys == [0, 32768, 65535]
    assert read_picture(path, frame=1).stored_sha256 == stored_sha256(values[::-1, ::-1, 1].T)
    with pytest.raises(UnreadableFile, match="3 slices") as caught:
        read_picture(path)
    assert caught.value.reason == "multi_frame"
    with pytest.raises(UnreadableFile) as caught:
        read_picture(path, frame=3)
    assert caught.value.reason == "no_such_frame"


# -- NRRD and MetaImage


def itk_image() -> Any:
    image: Any = sitk.GetImageFromArray(np.arange(120, dtype=np.int16).reshape(4, 5, 6))
    image.SetSpacing((0.5, 0.75, 3.0))
    image.SetOrigin((-100.0, 20.0, 7.0))
    image.SetDirection((0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0))
    return image


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ["v.nrrd", "v.mha"])
def test_nrrd_and_mha_agree_with_itk_at_every_voxel(tmp_path: Path, name: str, compressed: bool) -> None:
    image, path = itk_image(), tmp_path / name
    sitk.WriteImage(image, str(path), useCompression=compressed)
    slices = slices_of(path)
    for index, place in zip(np.ndindex(slices.stored.shape), centres(slices).reshape(-1, 3), strict=True):
        assert image.GetPixel(image.TransformPhysicalPointToIndex(place.tolist())) == slices.stored[index]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ["v.nrrd", "v.mha"])
def test_an_nrrd_or_mha_cut_anywhere_is_named(tmp_path: Path, name: str, compressed: bool) -> None:
    path = tmp_path / name
    noise: Any = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 2**16, (6, 20, 20), np.uint16))
    sitk.WriteImage(noise, str(path), useCompression=compressed)
    whole = path.read_bytes()
    read_picture(path, frame=0)
    for length in (len(whole) * share // 100 for share in (10, 30, 50, 70, 90, 97)):
        path.write_bytes(whole[:length])
        assert reason_of(path) in ("truncated", "undecodable")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "v.mhd",
            "ObjectType = Image\nNDims = 1\nDimSize = 4\nElementType = MET_CHAR\nElementDataFile = /etc/x\n",
        ),
        ("v.mha", "NDims = 2\nDimSize = 4 4\nElementType = MET_UCHAR\nElementDataFile = LIST\n/etc/passwd\n"),
        ("v.nhdr", "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 4 4\nencoding: raw\ndata file: /etc/passwd\n\n"),
        ("v.nrrd", "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 4 4\nencoding: raw\ndatafile: /etc/passwd\n\n"),
        ("w.nrrd", "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 4 4\nencoding: raw\nDATA FILE: LIST\n/etc/passwd\n\n"),
    ],
)
def test_voxels_in_another_file_are_never_read(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text + "x" * 16)
    with pytest.raises(UnreadableFile, match="another file") as caught:
        read_picture(path, frame=0)
    assert caught.value.reason == "unsupported_format"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NRRD0004\ntype: uchar\ndimension: 2\nsizes: 99999 99999\nencoding: raw\n\n", "too_large"),
        ("NRRD0004\ntype: uchar\ndimension: 2\nsizes: 4 4\nencoding: ascii\n\n1 2 3", "unsupported_format"),
        ("NRRD0004\ntype: uchar\ndimension: 2\nsizes: 4 4\nencoding: raw\nbyte skip: -1\n\n", "unsupported_format"),
        ("NRRD0004\ntype: block\ndimension: 2\nsizes: 4 4\nencoding: raw\n\n", "bad_header"),
        ("NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 4\nencoding: raw\n\n" + "x" * 64, "bad_header"),
        ("NRRD0004\ntype: uchar\ndimension: 2\nsizes: 4 -4\nencoding: raw\n\n" + "x" * 64, "bad_header"),
        ("NRRD0004\ntype: uchar\ndimension: 4\nsizes: 2 2 2 2\nencoding: raw\n\n" + "x" * 64, "unsupported_format"),
        ("ObjectType = Tube\nNDims = 2\nElementDataFile = LOCAL\n", "not_an_image"),
        ("NDims = 2\nDimSize = 4 4\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n", "truncated"),
        ("ObjectType = Image\nNDims = 2\nDimSize = 4 4\nElementDataFile = LOCAL\n", "bad_header"),
        ("ObjectType = Image\nNDims = 2\n", "truncated"),
    ],
)
def test_headers_that_cannot_be(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "v.bin"
    path.write_text(text)
    assert reason_of(path) == reason


def test_a_volume_of_nan_and_a_coloured_nrrd(tmp_path: Path) -> None:
    assert reason_of(nifti(tmp_path / "nan.nii", np.full((3, 4, 5), np.nan, np.float32))) == "nonfinite"
    colours = np.random.default_rng(0).integers(0, 255, (5, 6, 3), np.uint8)
    picture: Any = sitk.GetImageFromArray(colours, isVector=True)
    sitk.WriteImage(picture, str(tmp_path / "c.mha"))
    assert np.array_equal(np.sort(read_picture(tmp_path / "c.mha").pixels, axis=None), np.sort(colours, axis=None))


# -- hostile NIfTI


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
def test_a_nifti_cut_anywhere_is_named(tmp_path: Path, name: str) -> None:
    path = nifti(tmp_path / name, np.random.default_rng(0).integers(0, 2**15, (12, 12, 12), np.int16))
    whole = path.read_bytes()
    for length in [*(len(whole) * share // 100 for share in (15, 30, 50, 70, 90, 99)), len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert reason_of(path) in ("truncated", "not_an_image")


Change = Callable[[bytearray], None]


def put(form: str, offset: int, *values: float) -> Change:
    def change(raw: bytearray) -> None:
        raw[offset : offset + struct.calcsize(form)] = struct.pack(form, *values)

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("<f", 108, 1e9), "truncated"),
        (put("<f", 108, float("nan")), "bad_header"),
        (put("<f", 108, -352.0), "bad_header"),
        (put("<f", 108, 0.0), "bad_header"),
        (put("<f", 284, float("nan")), "bad_header"),
        (put("<4f", 280, 0.0, 0.0, 0.0, 0.0), "bad_header"),
        (put("<h", 42, 0), "bad_header"),
        (put("<h", 42, -5), "bad_header"),
        (put("<h", 42, 30_000), "truncated"),
        (put("<3h", 42, 30_000, 30_000, 30_000), "too_large"),
        (put("<h", 40, 0), "bad_header"),
        (put("<h", 70, 32), "unsupported_format"),
        (put("<h", 70, 999), "bad_header"),
    ],
)
def test_impossible_nifti_headers(tmp_path: Path, change: Change, reason: str) -> None:
    path = nifti(tmp_path / "v.nii", np.zeros((6, 6, 6), np.int16))
    raw = bytearray(path.read_bytes())
    change(raw)
    path.write_bytes(raw)
    assert reason_of(path) == reason


def test_a_gzip_bomb_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image: Any = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4))  # type: ignore[no-untyped-call]
    header = image.header
    header["dim"][1:4] = (3000, 3000, 3000)
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(header.binaryblock + bytes(4) + bytes(1 << 20)))
    assert reason_of(tmp_path / "bomb.nii.gz") == "too_large"
    monkeypatch.setattr(voxels, "MAX_VOLUME_BYTES", 100)
    assert reason_of(nifti(tmp_path / "v.nii", np.zeros((4, 4, 4), np.int16))) == "too_large"


def test_a_damaged_gzip_and_a_flipped_bit(tmp_path: Path) -> None:
    path = nifti(tmp_path / "v.nii.gz", np.random.default_rng(0).integers(0, 2**15, (12, 12, 12), np.int16))
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)
    assert reason_of(path) in ("undecodable", "truncated"), "the checksum of the gzip file tells"


def test_a_header_with_its_voxels_elsewhere(tmp_path: Path) -> None:
    image: Any = nibabel.Nifti1Pair(np.zeros((4, 4, 4), np.int16), np.eye(4))  # type: ignore[no-untyped-call]
    image.to_filename(tmp_path / "v.img")
    with pytest.raises(UnreadableFile, match=r"\.img"):
        inspect(tmp_path / "v.hdr")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["a.nii", "b.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.npy"])
def test_mutations_are_pictures_or_refusals(tmp_path: Path, name: str) -> None:
    values, path = np.random.default_rng(0).integers(0, 999, (6, 5, 4), np.int16), tmp_path / name
    if ".nii" in name:
        kind: Any = nibabel.Nifti2Image if name.startswith("b") else nibabel.Nifti1Image
        kind(values, np.eye(4)).to_filename(path)
    elif name.endswith(".npy"):
        np.save(path, values)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(values), str(path))
    whole, chance = path.read_bytes(), random.Random(name)  # noqa: S311 - no secret
    for _ in range(80):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 5)):
            place = chance.randrange(min(len(raw), chance.choice((60, 400, len(raw)))))
            change = chance.random()
            if change < 0.7:
                raw[place] = chance.randrange(256)
            elif change < 0.9:
                raw[place : place + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 9))
            else:
                raw = raw[: place + 1]
        path.write_bytes(raw or b"x")
        try:
            assert read_picture(path, frame=0).pixels.size
        except UnreadableFile as error:
            assert error.reason and error.message


# -- NumPy arrays


def test_arrays_of_pictures(tmp_path: Path) -> None:
    grey = np.arange(20, dtype=np.uint8).reshape(4, 5)
    stack = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    colour = np.random.default_rng(0).integers(0, 255, (8, 9, 3), np.uint8)
    for name, values in (("grey", grey), ("stack", stack), ("colour", colour), ("fortran", np.asfortranarray(stack))):
        np.save(tmp_path / f"{name}.npy", values)
    assert np.array_equal(read_picture(tmp_path / "grey.npy").pixels, grey)
    assert np.array_equal(read_picture(tmp_path / "colour.npy").pixels, colour)
    for name in ("stack", "fortran"):
        with admit(tmp_path / f"{name}.npy") as admitted:
            assert np.array_equal(VolumeFile(admitted).stored(2).pixels, stack[2])


def test_arrays_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "v.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert reason_of(path) == "unsupported_format"
    np.save(path, np.zeros((2, 2, 2, 2)))
    assert reason_of(path) == "unsupported_format"
    np.save(path, np.zeros((4, 4), np.complex64))
    assert reason_of(path) == "unsupported_format"
    np.save(path, np.zeros((40, 40)))
    path.write_bytes(path.read_bytes()[:-1])
    assert reason_of(path) == "truncated"
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999, 9999, 9), }\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head)
    assert reason_of(path) == "too_large"
    path.write_bytes(b"\x93NUMPY\x01\x00\x10\x00{'descr': __impo")
    assert reason_of(path) == "bad_header"

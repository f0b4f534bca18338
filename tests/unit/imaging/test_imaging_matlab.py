"""MATLAB records: the right way round, and nothing followed out of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.gate import FileKind, inspect
from medfm_gui.imaging.matlab import STRETCHED, read_record
from medfm_gui.imaging.picture import stored_sha256
from medfm_gui.imaging.pool import DecodePool, PictureJob
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.record import Record, record_from_plain, record_to_plain
from medfm_gui.imaging.stored import open_file
from tests.fixtures.matlab_files import folds, record, sealed

IMAGE = (np.arange(12 * 8, dtype=np.int16).reshape(12, 8) - 10) * 7
MASK = np.zeros((12, 8), np.uint8)
MASK[3:6, 1:5] = 1


def refused(path: Path, *, of: str = "picture") -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_record(path) if of == "record" else read_picture(path)
    assert caught.value.message
    return caught.value.reason


def test_the_image_is_the_way_round_that_matlab_shows(tmp_path: Path) -> None:
    path = record(tmp_path / "1.mat", IMAGE)
    assert inspect(path) is FileKind.MATLAB
    picture = read_picture(path)
    assert picture.pixels.dtype == np.uint16
    assert (picture.rows, picture.columns) == (12, 8)
    assert picture.notes == (STRETCHED,)
    assert picture.stored_sha256 == stored_sha256(IMAGE)
    assert np.all(np.diff(picture.pixels[1:-1].astype(int), axis=1) > 0)
    assert np.all(np.diff(picture.pixels.astype(int), axis=0)[1:-1] > 0)


def test_what_a_record_says(tmp_path: Path) -> None:
    found = read_record(record(tmp_path / "1.mat", IMAGE, label=3, patient="MR017260F", mask=MASK))
    assert found == Record(3, "MR017260F", 12, 8, (1 / 8, 3 / 12, 5 / 8, 6 / 12), ())
    assert record_from_plain(record_to_plain(found)) == found
    border = np.array([2, 4, 5, 4, 5, 6, 2, 6])
    assert read_record(record(tmp_path / "2.mat", IMAGE, border=border)).box == (1 / 8, 3 / 12, 5 / 8, 6 / 12)
    bare = read_record(record(tmp_path / "3.mat", IMAGE, label=float("nan"), PID=np.array([1.5])))
    assert (bare.label, bare.patient, bare.box) == (0, "", ())
    assert read_record(folds(tmp_path / "cvind.mat", [5, 1, 3])).folds == (5, 1, 3)


def test_a_file_of_version_5(tmp_path: Path) -> None:
    path = tmp_path / "5.mat"
    scipy.io.savemat(path, {"cjdata": {"image": IMAGE, "label": 2.0, "PID": "77", "tumorMask": MASK}})
    assert read_record(path) == Record(2, "77", 12, 8, (1 / 8, 3 / 12, 5 / 8, 6 / 12), ())
    assert read_picture(path).stored_sha256 == stored_sha256(IMAGE)
    scipy.io.savemat(tmp_path / "cvind.mat", {"cvind": np.array([[2], [4]])})
    assert read_record(tmp_path / "cvind.mat").folds == (2, 4)
    assert refused(tmp_path / "cvind.mat") == "no_pixels"


def test_links_out_of_the_file_are_not_followed(tmp_path: Path) -> None:
    secret = record(tmp_path / "secret.mat", IMAGE)
    linked = sealed(
        tmp_path / "a.mat", lambda file: file.__setitem__("cjdata", h5py.ExternalLink(secret.name, "cjdata"))
    )
    assert refused(linked) == "outside"
    for name, link in {"b": h5py.ExternalLink(secret.name, "cjdata/image"), "c": h5py.SoftLink("/other")}.items():

        def inner(file: h5py.File, to: object = link) -> None:
            file.create_group("cjdata")["image"] = to

        assert refused(sealed(tmp_path / f"{name}.mat", inner)) == "outside"


def test_values_that_lie_in_another_file_are_not_read(tmp_path: Path) -> None:
    raw = tmp_path / "secret.bin"
    raw.write_bytes(bytes(192))

    def outside(file: h5py.File) -> None:
        group = file.create_group("cjdata")
        group.create_dataset("image", (12, 8), np.int16, external=[(str(raw), 0, 192)])

    assert refused(sealed(tmp_path / "a.mat", outside)) == "outside"

    def mapped(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((8, 12), np.int16)
        layout[:] = h5py.VirtualSource(str(record(tmp_path / "s.mat", IMAGE)), "cjdata/image", (8, 12))
        file.create_group("cjdata").create_virtual_dataset("image", layout)

    assert refused(sealed(tmp_path / "b.mat", mapped)) == "outside"


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((3, 4, 5), np.int16), "unsupported_format"),
        (np.zeros((4, 4), np.complex64), "unsupported_format"),
        (np.array([[1.0, float("nan")], [2.0, 3.0]]), "nonfinite"),
        (np.zeros((1, 5), np.int16), "unsupported_format"),
    ],
)
def test_what_is_no_grey_image(tmp_path: Path, image: Any, reason: str) -> None:
    assert refused(record(tmp_path / "1.mat", image)) == reason


def test_other_files_that_are_hdf5(tmp_path: Path) -> None:
    nothing = sealed(tmp_path / "1.mat", lambda file: file.__setitem__("other", np.zeros(3)))
    assert refused(nothing) == "no_pixels"
    assert refused(nothing, of="record") == "unsupported_format"
    references = sealed(
        tmp_path / "2.mat",
        lambda file: file.create_group("cjdata").create_dataset("image", (2, 2), h5py.ref_dtype) and None,
    )
    assert refused(references) == "unsupported_format"
    (tmp_path / "3.mat").write_bytes(b"no MATLAB file at all")
    assert refused(tmp_path / "3.mat", of="record") == "not_an_image"
    picture = tmp_path / "4.mat"
    picture.write_bytes(b"BM" + bytes(12) + (40).to_bytes(4, "little") + bytes(60))
    assert refused(picture, of="record") == "unsupported_format"


def test_a_size_that_cannot_be(tmp_path: Path) -> None:
    def vast(file: h5py.File) -> None:
        group = file.create_group("cjdata")
        group.create_dataset("image", (1 << 17, 1 << 17), np.int16, chunks=(64, 64), compression="gzip")

    assert refused(sealed(tmp_path / "1.mat", vast)) == "too_large"


def test_files_that_end_early_or_are_spoilt(tmp_path: Path) -> None:
    whole = record(tmp_path / "1.mat", IMAGE, mask=MASK).read_bytes()
    cut = tmp_path / "cut.mat"
    for length in (540, 700, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:length])
        assert refused(cut) == "truncated"
    generator = np.random.default_rng(0)
    reasons = set()
    for _ in range(40):
        spoilt = bytearray(whole)
        for place in generator.integers(512, len(whole), 60):
            spoilt[place] = int(generator.integers(0, 256))
        cut.write_bytes(spoilt)
        try:
            read_picture(cut)
        except UnreadableFile as error:
            reasons.add(error.reason)
    assert reasons


def test_a_version_5_file_that_is_spoilt(tmp_path: Path) -> None:
    path = tmp_path / "5.mat"
    scipy.io.savemat(path, {"cjdata": {"image": IMAGE}})
    path.write_bytes(path.read_bytes()[:200])
    assert refused(path) == "undecodable"


def test_in_the_children(tmp_path: Path) -> None:
    path = record(tmp_path / "1.mat", IMAGE, mask=MASK)
    other = tmp_path / "2.mat"
    other.write_bytes(path.read_bytes()[:600])
    with DecodePool(tmp_path / "shards", processes=1) as pool:
        records = {Path(result.path).name: result for result in pool.records([path, other])}
        (picture,) = pool.pictures([PictureJob("a", str(path))])
    assert records["1.mat"].record == read_record(path)
    assert (records["2.mat"].ok, records["2.mat"].reason) == (False, "truncated")
    assert (picture.ok, picture.rows, picture.cached and picture.cached.dtype) == (True, 12, "uint16")


def test_a_viewer_gets_the_numbers_themselves(tmp_path: Path) -> None:
    held = open_file(record(tmp_path / "1.mat", IMAGE))
    assert held.frames == 1
    assert np.array_equal(held.stored(0).pixels, IMAGE)
    assert held.facts(0, held.stored(0))["window_function"] == "LINEAR_EXACT"
    assert held.picture(None).pixels.dtype == np.uint16
    for ask in (held.stored, held.picture):
        with pytest.raises(UnreadableFile, match="no image number 1"):
            ask(1)

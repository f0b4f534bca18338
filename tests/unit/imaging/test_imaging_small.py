"""What the pixel cache keeps of a file: draft scaling, identity, bounds of a CT."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, MRImageStorage

from medfm_gui.imaging.picture import Picture
from medfm_gui.imaging.pool import DecodePool, PictureJob
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.small import Digests, Small, Wish, read_small


def jpeg(path: Path, rows: int, columns: int, *, orientation: int = 1, mode: str = "RGB") -> Path:
    small = np.random.default_rng(rows).integers(0, 255, (rows // 25, columns // 25, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((columns, rows), Image.Resampling.BICUBIC).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, quality=92, exif=exif)
    return path


def kept(path: Path, wish: Wish) -> Small:
    return read_small(path, wish, lambda: read_picture(path))


def test_a_large_jpeg_is_decoded_small_and_known_by_all_its_pixels(tmp_path: Path) -> None:
    path = jpeg(tmp_path / "a.jpg", 1100, 1500)
    found = kept(path, Wish(256))
    assert (found.rows, found.columns) == (1100, 1500)
    assert found.picture.pixels.shape == (275, 375, 3)  # a quarter, and left as it is
    whole = read_picture(path)
    assert found.picture.stored_sha256 == whole.stored_sha256
    at_once = np.asarray(Image.fromarray(whole.pixels).resize((375, 275), Image.Resampling.BOX))
    assert np.abs(found.picture.pixels.astype(int) - at_once).mean() < 3


def test_what_is_much_too_large_is_resized_once_more(tmp_path: Path) -> None:
    found = kept(jpeg(tmp_path / "a.jpg", 1100, 1500), Wish(150))
    assert found.picture.pixels.shape == (150, 205, 3)  # of a quarter: 275 × 375


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_scaled_or_not_the_image_stands_upright(tmp_path: Path, orientation: int, mode: str) -> None:
    path = jpeg(tmp_path / "a.jpg", 400, 600, orientation=orientation, mode=mode)
    found, whole = kept(path, Wish(100)), read_picture(path)
    assert (found.rows, found.columns) == (whole.rows, whole.columns)
    size = found.picture.columns, found.picture.rows
    same = np.asarray(Image.fromarray(whole.pixels).resize(size, Image.Resampling.BOX))
    assert np.abs(found.picture.pixels.astype(int) - same).mean() < 4


def test_known_bytes_vouch_for_the_pixels(tmp_path: Path) -> None:
    path = jpeg(tmp_path / "a.jpg", 400, 600)

    def read() -> Picture:
        raise AssertionError("decoded whole, for nothing")

    known = hashlib.sha256(path.read_bytes()).hexdigest()
    found = read_small(path, Wish(100, known_sha256=known), read)
    assert found.picture.stored_sha256 == ""
    assert found.file.sha256 == known
    assert (found.file.size, found.file.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)


def test_small_images_and_other_formats_are_decoded_whole(tmp_path: Path) -> None:
    path = jpeg(tmp_path / "a.jpg", 400, 600)
    assert kept(path, Wish(250)).picture.pixels.shape == (250, 375, 3)
    assert kept(path, Wish(None)).picture.pixels.shape == (400, 600, 3)
    other = tmp_path / "b.png"
    Image.open(path).save(other)
    assert kept(other, Wish(100)).picture.stored_sha256 == kept(path, Wish(100)).picture.stored_sha256  # not of bytes


def test_a_file_of_many_frames_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = jpeg(tmp_path / "a.jpg", 100, 100)
    asked: list[str] = []
    digest = hashlib.file_digest

    def counted(file: Any, name: str) -> Any:
        asked.append(name)
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    digests = Digests()
    for _ in range(3):
        read_small(path, Wish(50), lambda: read_picture(path), digests=digests)
    assert asked == ["sha256"]


def ct(path: Path, *, modality: str = "CT") -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage if modality == "CT" else MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, "1.2.3"
    made.Modality, made.PhotometricInterpretation = modality, "MONOCHROME2"
    made.Rows, made.Columns, made.SamplesPerPixel = 4, 5, 1
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 1
    made.RescaleSlope, made.RescaleIntercept, made.RescaleType = 1, -1000, "HU"
    made.WindowCenter, made.WindowWidth = 40, 80
    made.PixelData = np.arange(-1000, 3000, 200, dtype=np.int16).tobytes()  # -2000 to 1800 HU
    made.save_as(path, enforce_file_format=True)
    return path


def test_a_ct_is_bounded_in_hounsfield_units(tmp_path: Path) -> None:
    path = ct(tmp_path / "a.dcm")
    pixels = kept(path, Wish(512, clamp=(-1024, 600))).picture.pixels
    hounsfield = np.arange(-2000, 2000, 200).reshape(4, 5).clip(-1024, 600)
    assert pixels.dtype == np.uint16
    assert np.abs(pixels / 65535 * 1624 - 1024 - hounsfield).max() < 0.02
    assert kept(path, Wish(512)).picture.stored_sha256 == kept(path, Wish(512, clamp=(-1, 9))).picture.stored_sha256


def test_bounds_of_a_ct_mean_nothing_to_other_images(tmp_path: Path) -> None:
    for path in (ct(tmp_path / "a.dcm", modality="MR"), jpeg(tmp_path / "a.jpg", 100, 120)):
        plain, bounded = kept(path, Wish(512)), kept(path, Wish(512, clamp=(-1024, 600)))
        assert np.array_equal(plain.picture.pixels, bounded.picture.pixels)


def test_the_pool_passes_wishes_on(tmp_path: Path) -> None:
    path = ct(tmp_path / "a.dcm")
    with DecodePool(tmp_path / "shards", processes=1) as pool:
        (plain,) = pool.pictures([PictureJob("a", str(path))])
        (bounded,) = pool.pictures([PictureJob("a", str(path), clamp=(-1024.0, 600.0))])
        (array,) = pool.to_npys([(PictureJob("a", str(path), clamp=(-1024.0, 600.0)), tmp_path / "a.npy")])
    assert plain.file is not None
    assert plain.file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert bounded.cached is not None
    assert bounded.stored_sha256 == plain.stored_sha256 == array.stored_sha256
    shard = np.fromfile(tmp_path / "shards" / bounded.cached.shard, np.uint16)[-20:].reshape(4, 5)
    assert np.array_equal(shard, np.load(tmp_path / "a.npy"))


def test_a_slice_of_a_volume_is_bounded_too(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    values = np.linspace(-1500, 1500, 4 * 5 * 3).reshape(4, 5, 3).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)  # type: ignore[no-untyped-call]
    with DecodePool(tmp_path / "shards", processes=1) as pool:
        jobs = [PictureJob(str(number), str(path), None, number, (-1024.0, 600.0)) for number in range(3)]
        results = sorted(pool.pictures(jobs), key=lambda one: one.key)
        plain = sorted(pool.pictures([PictureJob("0", str(path), None, 0)]), key=lambda one: one.key)
    shard = np.fromfile(next((tmp_path / "shards").iterdir()), np.uint16)[: 3 * 20]
    seen = np.sort(shard / 65535 * 1624 - 1024)
    assert np.abs(seen - np.sort(values.clip(-1024, 600).reshape(-1))).max() < 0.02
    assert results[0].stored_sha256 == plain[0].stored_sha256

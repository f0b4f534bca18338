"""A DICOMDIR and an archive: what they name is read, what leads elsewhere is not."""

from __future__ import annotations

import os
import stat
import struct
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from medfm_gui.domain.errors import Interrupted, UnreadableFile
from medfm_gui.domain.study import Scan
from medfm_gui.imaging import archive
from medfm_gui.imaging.dicomdir import read_file_set
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.series import Watch
from medfm_gui.imaging.sources import Means, scan_source

MakeDicom = Callable[..., Path]
PACKAGED = Path(str(pydicom.__file__)).parent / "data" / "test_files" / "dicomdirtests"


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


def images(found: Scan) -> list[str]:
    return [item.path for study in found.studies for series in study.series for item in series.instances]


def reasons(found: Scan) -> list[str]:
    return [item.reason for item in found.skipped]


def read(path: Path, pool: DecodePool, unpack_into: Path | None = None, **watch: Any) -> Scan:
    return scan_source(path, Means(pool, Watch(**watch), unpack_into=unpack_into))


def write_index(folder: Path, *named: list[str]) -> Path:
    """A DICOMDIR with a record for each file, whatever it is called."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = dcmread(PACKAGED / "DICOMDIR")
        records = []
        for parts in named:
            record = Dataset()
            record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
            record.RecordInUseFlag, record.DirectoryRecordType = 0xFFFF, "IMAGE"
            record.ReferencedFileID = parts
            records.append(record)
        whole = Dataset()
        whole.FileSetID = "TEST"
        whole.DirectoryRecordSequence = Sequence(records)
        whole.file_meta = FileMetaDataset()
        whole.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
        whole.file_meta.MediaStorageSOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID
        whole.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        whole.preamble = bytes(128)
        pydicom.dcmwrite(folder / "DICOMDIR", whole, enforce_file_format=False)
    return folder / "DICOMDIR"


# -- a file-set


@pytest.mark.parametrize(
    "name", ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-nooffset", "DICOMDIR-reordered"]
)
def test_pydicoms_file_sets(name: str) -> None:
    found = read_file_set(PACKAGED / name)
    assert len(found.files) == 31 and found.outside == found.missing == ()
    assert all((PACKAGED / file).is_file() for file in found.files)


def test_a_dicomdir_stands_for_its_files(decoders: DecodePool) -> None:
    found = read(PACKAGED / "DICOMDIR", decoders)
    assert len(images(found)) == 31
    assert {study.patient for study in found.studies} == {"77654033", "98890234"}


def test_records_that_lead_elsewhere_or_nowhere_are_named(
    make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool
) -> None:
    make_dicom("secret.dcm")
    folder = make_dicom("set/IMAGES/ONE.DCM").parents[1]
    (folder / "LINK").symlink_to(tmp_path / "secret.dcm")
    index = write_index(
        folder, ["images", "one.dcm"], ["..", "secret.dcm"], ["/etc", "hostname"], ["C:", "x"], ["LINK"], ["GONE"]
    )
    found = read(index, decoders)
    assert images(found) == [str(folder / "IMAGES" / "ONE.DCM")], "found whatever the case of its letters"
    assert sorted(reasons(found)) == ["missing", *["outside"] * 4]
    said = " ".join(item.message for item in found.skipped)
    assert "“..\\secret.dcm”, which leads out of its folder; not opened" in said and "“GONE”" in said


def test_images_that_are_not_listed_are_counted(make_dicom: MakeDicom, decoders: DecodePool) -> None:
    folder = make_dicom("set/A").parent
    make_dicom("set/B", SOPInstanceUID="1.9", InstanceNumber=2)
    (folder / "README.TXT").write_text("viewer")
    index = write_index(folder, ["A"])
    found = read(index, decoders)
    assert images(found) == [str(folder / "A")]
    assert reasons(found) == ["not_listed"] and found.skipped[0].message.startswith("1 image in its folder is not")
    whole = read(folder, decoders)
    assert len(images(whole)) == 2, "a folder is read whole, whatever its index says"
    assert "not_listed" in reasons(whole) and "they were read, too" in whole.skipped[-1].message


def test_a_folder_with_a_damaged_index_is_read_all_the_same(make_dicom: MakeDicom, decoders: DecodePool) -> None:
    folder = make_dicom("set/A").parent
    (folder / "DICOMDIR").write_bytes((PACKAGED / "DICOMDIR").read_bytes()[:900])
    found = read(folder, decoders)
    assert len(images(found)) == 1 and found.skipped


# -- an archive


@pytest.fixture
def packed(make_dicom: MakeDicom, tmp_path: Path) -> Path:
    """Three slices, and what has no place in an archive of slices."""
    path = tmp_path / "studies.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for number in range(3):
            slice_ = make_dicom(f"s/{number}.dcm", InstanceNumber=number, ImagePositionPatient=[0, 0, number])
            made.write(slice_, f"CD/IMAGES/{number}")
        made.writestr("../../evil.dcm", slice_.read_bytes())
        made.writestr("/etc/evil.dcm", slice_.read_bytes())
        made.writestr("readme.txt", "hello")
        made.writestr("inner.zip", b"PK\3\4" + bytes(50))
        made.writestr("CD/disguised", b"PK\3\4" + bytes(50))
        made.writestr("bomb.dcm", bytes(128) + b"DICM" + bytes(8 << 20))
        made.writestr("__MACOSX/._0", b"junk")
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
    return path


def test_an_archive_is_unpacked_under_names_of_ours(packed: Path, tmp_path: Path, decoders: DecodePool) -> None:
    told: list[tuple[int, int]] = []
    place = tmp_path / "unpacked"
    means = Means(decoders, Watch(), unpack_into=place, on_unpacked=lambda done, total: told.append((done, total)))
    found = scan_source(packed, means)
    (folder,) = place.iterdir()
    assert sorted(one.name for one in folder.iterdir()) == ["000000.dcm", "000001.dcm", "000002.dcm"]
    assert len(images(found)) == 3 and all(Path(path).parent == folder for path in images(found))
    said = {Path(item.path).name: item.reason for item in found.skipped}
    assert said == {
        "evil.dcm": "outside",
        "readme.txt": "not_dicom",
        "inner.zip": "unsupported_format",
        "disguised": "unsupported_format",
        "bomb.dcm": "bomb",
        "link": "outside",
    }
    assert told[-1][0] == told[-1][1] == 5
    assert not (tmp_path.parent / "evil.dcm").exists() and not (tmp_path / "evil.dcm").exists()


def test_an_archive_goes_on_where_it_was_and_the_old_one_goes(
    packed: Path, tmp_path: Path, decoders: DecodePool
) -> None:
    place = tmp_path / "unpacked"
    with pytest.raises(Interrupted):
        read(packed, decoders, place, should_stop=lambda: True)
    (folder,) = place.iterdir()
    first = folder / "000000.dcm"
    assert first.exists()
    before = first.stat().st_mtime_ns
    read(packed, decoders, place)
    assert first.stat().st_mtime_ns == before
    with zipfile.ZipFile(packed, "a") as made:
        made.writestr("more.txt", "x")
    read(packed, decoders, place)
    (newer,) = place.iterdir()
    assert newer != folder


def test_encrypted_and_lying_members_are_refused_by_name(
    make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool
) -> None:
    slice_ = make_dicom().read_bytes()
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("fine", slice_)
        made.writestr("locked", slice_)
        made.writestr("liar", slice_)
    raw = bytearray(path.read_bytes())
    for name, change in ((b"locked", "encrypt"), (b"liar", "shorten")):
        for magic, flags, size, at in ((b"PK\3\4", 6, 22, 30), (b"PK\1\2", 8, 24, 46)):
            start = next(
                place
                for place in range(len(raw))
                if raw[place : place + 4] == magic and raw[place + at :].startswith(name)
            )
            if change == "encrypt":
                raw[start + flags] |= 1
            else:
                raw[start + size : start + size + 4] = struct.pack("<L", 500)
    path.write_bytes(raw)
    found = read(path, decoders, tmp_path / "unpacked")
    assert len(images(found)) == 1
    said = {Path(item.path).name: item.reason for item in found.skipped}
    assert said["locked"] == "encrypted" and said["liar"] in ("bomb", "truncated")


def test_an_archive_beyond_the_limits_is_refused_as_a_whole(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
    with pytest.raises(UnreadableFile, match="members"):
        archive.read_contents(packed)
    monkeypatch.setattr(archive, "MOST_MEMBERS", 100)
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    with pytest.raises(UnreadableFile, match="limit"):
        archive.read_contents(packed)


def test_a_damaged_archive_is_named(packed: Path, tmp_path: Path, decoders: DecodePool) -> None:
    packed.write_bytes(packed.read_bytes()[:200])
    with pytest.raises(UnreadableFile, match="damaged or incomplete"):
        read(packed, decoders, tmp_path / "unpacked")


def test_without_a_place_to_unpack_an_archive_is_no_image(packed: Path, decoders: DecodePool) -> None:
    assert reasons(read(packed, decoders)) == ["not_an_image"]


def test_unpacked_archives_together_keep_within_a_limit(
    make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool
) -> None:
    paths = []
    for number in range(3):
        slice_ = make_dicom(f"s{number}.dcm", SOPInstanceUID=f"1.2.3.{number}", SeriesInstanceUID=f"1.2.{number}")
        paths.append(tmp_path / f"{number}.zip")
        with zipfile.ZipFile(paths[-1], "w") as made:
            made.write(slice_, "a.dcm")
    unpack_into, size = tmp_path / "unpacked", (tmp_path / "s0.dcm").stat().st_size

    def opened(number: int, limit: int) -> list[str]:
        means = Means(decoders, Watch(), unpack_into=unpack_into, unpacked_bytes=limit)
        return images(scan_source(paths[number], means))

    first, second = (Path(opened(number, 10 * size)[0]) for number in (0, 1))
    for age, path in ((200, first), (100, second)):  # seconds ago, so that which is older does not hang on the clock
        for item in (path, path.parent):
            os.utime(item, (time.time() - age, time.time() - age))
    third = Path(opened(2, 2 * size + 10)[0])
    assert not first.exists() and second.exists() and third.exists(), "the longest unused went"
    again = Path(opened(0, 10 * size)[0])
    assert again == first and again.exists()
    alone = Path(opened(2, 1)[0])
    assert alone.exists() and not first.exists() and not second.exists(), "one that is larger than all room stays"


def test_members_of_one_name_or_of_a_name_that_no_disk_takes(
    make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool
) -> None:
    path = tmp_path / "names.zip"
    names = ["a.dcm", "a.dcm", "CON", "dots. . .", "A.DCM", "x" * 400, "nul\x01.dcm"]
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as made:
        warnings.simplefilter("ignore")  # of the doubled name
        for number, name in enumerate(names):
            made.writestr(name, make_dicom(f"{number}.dcm", SOPInstanceUID=f"1.2.9.{number}").read_bytes())
    found = read(path, decoders, tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()
    assert len(images(found)) == len(names), "no member takes the place of another"
    assert sorted(one.name for one in folder.iterdir()) == [f"{number:06d}.dcm" for number in range(len(names))]

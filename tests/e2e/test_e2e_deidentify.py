"""``study anonymise`` as a person types it: marks everywhere in, none out; refusals; a kill in the middle."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pydicom
import pydicom.data
import pytest
from pydicom.uid import CTImageStorage, UltrasoundImageStorage

from tests.fixtures.canaries import Canaries, canary_image, save
from tests.fixtures.command import Medfm, medfm_in

_NUMBERS = ("SliceThickness", "KVP", "RescaleSlope")


@pytest.fixture
def medfm(tmp_path: Path) -> Medfm:
    return medfm_in(tmp_path)


def marked(path: Path, sop_class: str, modality: str) -> Canaries:
    data, canaries = canary_image(sop_class, modality)
    del data.ConversionType, data.ImageType
    save(data, path)
    return canaries


def test_marks_go_in_and_none_come_out(medfm: Medfm, tmp_path: Path) -> None:
    canaries = marked(tmp_path / "in" / "a.dcm", CTImageStorage, "CT")
    uid = medfm.json("study", "import", tmp_path / "in")["studies"][0]["uid"]
    done = medfm.json("study", "anonymise", uid, "--out", tmp_path / "out")
    assert done["written"] == 1 and done["skipped"] == [] and done["codes"] == ["113100"]
    (study,) = done["studies"]
    assert study["patient"] == done["patients"][0] and study["uid"].startswith("2.25.")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in files) == [".csv", ".dcm", ".json"]
    for path in files:
        found = canaries.found_in(path.read_bytes() + str(path).encode())
        assert not [mark for mark in found.values() if b"CANARY" in mark or b"1.2.826.77777" in mark]
    (image,) = (tmp_path / "out").rglob("*.dcm")
    found = canaries.found_in(image.read_bytes())
    assert set(_NUMBERS) <= set(found), "numbers of the examination stay"
    for place in ("journal.jsonl", "keys"):
        where = medfm.workspace / place
        for path in (where,) if where.is_file() else where.rglob("*"):
            assert b"CANARY" not in path.read_bytes()
    assert pydicom.dcmread(image).LongitudinalTemporalInformationModified == "REMOVED"


def test_ultrasound_waits_for_a_person(medfm: Medfm, tmp_path: Path) -> None:
    marked(tmp_path / "in" / "a.dcm", UltrasoundImageStorage, "US")
    error = medfm.refused("study", "anonymise", tmp_path / "in", "--out", tmp_path / "out")
    assert "nobody has looked" in error["message"] and "--burned-in-checked" in error["hint"]
    assert not (tmp_path / "out").exists()
    done = medfm.json("study", "anonymise", tmp_path / "in", "--out", tmp_path / "out", "--burned-in-checked")
    (image,) = (tmp_path / "out").rglob("*.dcm")
    assert done["written"] == 1 and pydicom.dcmread(image).BurnedInAnnotation == "NO"
    assert medfm.refused("study", "anonymise", tmp_path / "in", "--out", tmp_path / "out")["kind"] == "input_error"
    assert medfm.refused("study", "anonymise", "1.2.3.4", "--out", tmp_path / "more")["kind"] == "not_found"


def test_a_kill_in_the_middle_leaves_no_folder_and_the_next_try_is_whole(medfm: Medfm, tmp_path: Path) -> None:
    data = pydicom.dcmread(str(pydicom.data.get_testdata_file("CT_small.dcm")))
    name = str(data.PatientID).encode()
    for number in range(400):
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID(f"1.2.3.4.{number}")
        data.InstanceNumber = number
        save(data, tmp_path / "in" / f"{number}.dcm")
    uid = medfm.json("study", "import", tmp_path / "in")["studies"][0]["uid"]
    process = medfm.start("study", "anonymise", uid, "--out", tmp_path / "out")
    part = tmp_path / ".out.medfm-part"
    until = time.monotonic() + 60
    while not list(part.rglob("*.dcm")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()
    assert part.is_dir() and not (tmp_path / "out").exists()
    left = b"".join(path.read_bytes() for path in part.rglob("*") if path.is_file())
    assert name not in left
    done = medfm.json("study", "anonymise", uid, "--out", tmp_path / "out")
    assert done["written"] == 400 and not part.exists()


def test_a_study_is_named_as_the_list_names_it(medfm: Medfm, tmp_path: Path) -> None:
    data = pydicom.dcmread(str(pydicom.data.get_testdata_file("CT_small.dcm")))
    save(data, tmp_path / "in" / "a.dcm")
    medfm.json("study", "import", tmp_path / "in")
    listed = medfm.run("study", "list").stdout.splitlines()
    assert listed[0].split()[0] == "study" and len(listed) == 2
    done = medfm.json("study", "anonymise", listed[1].split()[0], "--out", tmp_path / "out")
    assert done["written"] == 1

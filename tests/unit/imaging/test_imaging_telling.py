"""Which parts of a path tell who the patient of a DICOM file is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medfm_gui.imaging.pool import DecodePool

MakeDicom = Callable[..., Path]


@pytest.mark.parametrize(
    ("who", "tells", "tells_not"),
    [
        (
            {"PatientName": "Müller^Jürgen", "PatientID": "0012345", "PatientBirthDate": "19560101"},
            ["MULLER_J", "müller", "2024 jürgen", "x-12345", "IM_0012345.dcm", "DOB1956 19560101", "JuergenMüller.dcm"],
            ["IM0012.dcm", "1956", "112345", "CT", "series-001", "12346"],
        ),
        (
            {"PatientName": "Li^Ann", "PatientID": "AB-12 3", "PatientBirthDate": ""},
            ["ann", "Scan Ann 2", "ab123", "x_AB-123_y"],
            ["LIDC", "planning", "li", "AB12", "anna"],
        ),
        ({"PatientName": "", "PatientID": "7", "PatientBirthDate": ""}, ["1.2.3", "1.2.3.dcm"], ["7", "IM7", "0007"]),
    ],
)
def test_names_numbers_and_uids_in_paths(
    make_dicom: MakeDicom, who: dict[str, str], tells: list[str], tells_not: list[str]
) -> None:
    path = str(make_dicom("a.dcm", **who))
    with DecodePool(processes=1) as pool:
        ((asked, found),) = pool.telling([(path, [*tells, *tells_not])])
    assert asked == path
    assert list(found) == tells


def test_what_is_no_dicom_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_text("Doe")
    with DecodePool(processes=1) as pool:
        assert list(pool.telling([(str(tmp_path / "x.dcm"), ["Doe"])])) == [(str(tmp_path / "x.dcm"), ())]

"""Reading a part of a study never makes it smaller; what was read wins, image by image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medfm_gui.domain.study import Study
from medfm_gui.imaging.joining import joined
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.series import scan

MakeDicom = Callable[..., Path]
UIDS = {"StudyInstanceUID": "1.2.3", "PatientID": "P1"}


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


def _slices(make_dicom: MakeDicom, folder: str, positions: list[float], series: str, **changes: object) -> None:
    for position in positions:
        make_dicom(
            f"{folder}/{series}-{position}.dcm",
            **{
                **UIDS,
                "SOPInstanceUID": f"{series}.{int(position * 10) + 1}",
                "SeriesInstanceUID": series,
                "ImagePositionPatient": [0, 0, position],
                **changes,
            },
        )


def _study(path: Path, pool: DecodePool) -> Study:
    (study,) = scan(path, pool).studies
    return study


def test_any_part_of_it_leaves_a_study_as_it_was(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    _slices(make_dicom, "in", [0.0, 2.0, 4.0, 8.0], "1.2.3.1")
    _slices(make_dicom, "in", [0.0, 5.0], "1.2.3.2", Modality="MR")
    whole = _study(tmp_path / "in", decoders)
    assert "1 slice is missing (spacing 2.00 mm)." in whole.series[0].warnings
    for file in sorted((tmp_path / "in").iterdir()):
        assert joined(whole, _study(file, decoders)) == whole, file.name
    assert joined(whole, whole) == whole


def test_parts_become_the_whole_in_any_order(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    _slices(make_dicom, "in/a", [0.0, 4.0, 8.0], "1.2.3.1")
    _slices(make_dicom, "in/b", [2.0, 6.0], "1.2.3.1")
    _slices(make_dicom, "in/b", [0.0], "1.2.3.2", Modality="MR")
    whole = _study(tmp_path / "in", decoders)
    first, second = (_study(tmp_path / "in" / name, decoders) for name in "ab")
    assert first.series[0].slice_spacing_mm == 4
    for one, other in ((first, second), (second, first)):
        both = joined(one, other)
        assert both.modality == "CT\\MR"
        assert {(item.uid, item.instances, item.slice_spacing_mm) for item in both.series} == {
            (item.uid, item.instances, item.slice_spacing_mm) for item in whole.series
        }


def test_a_gap_that_is_filled_is_spoken_of_no_more(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    _slices(make_dicom, "in/a", [0.0, 2.0, 4.0, 8.0], "1.2.3.1")
    _slices(make_dicom, "in/b", [6.0], "1.2.3.1")
    known = _study(tmp_path / "in" / "a", decoders)
    assert known.series[0].warnings == ("1 slice is missing (spacing 2.00 mm).",)
    both = joined(known, _study(tmp_path / "in" / "b", decoders))
    assert both.series[0].warnings == ()
    assert [item.position_mm for item in both.series[0].instances] == [0, 2, 4, 6, 8]


def test_files_that_moved_are_found_where_they_are(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    _slices(make_dicom, "in", [0.0, 2.0], "1.2.3.1")
    known = _study(tmp_path / "in", decoders)
    (tmp_path / "in").rename(tmp_path / "there")
    moved = _study(tmp_path / "there", decoders)
    assert joined(known, moved) == moved
    _slices(make_dicom, "there", [0.0], "1.2.3.1", SOPInstanceUID="1.2.3.1.99")
    changed = joined(moved, _study(tmp_path / "there" / "1.2.3.1-0.0.dcm", decoders))
    assert sorted(item.uid for item in changed.series[0].instances) == ["1.2.3.1.21", "1.2.3.1.99"]


def test_planes_of_one_uid_stay_apart(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    _slices(make_dicom, "in/a", [0.0, 2.0], "1.2.3.1")
    make_dicom(
        "in/b/side.dcm",
        SOPInstanceUID="1.2.3.1.77",
        SeriesInstanceUID="1.2.3.1",
        ImageOrientationPatient=[0, 1, 0, 0, 0, -1],
        **UIDS,
    )
    both = joined(_study(tmp_path / "in" / "a", decoders), _study(tmp_path / "in" / "b", decoders))
    assert [len(one.instances) for one in both.series] == [2, 1]


def test_patients_are_never_joined(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    _slices(make_dicom, "in", [0.0, 2.0], "1.2.3.1")
    known = _study(tmp_path / "in", decoders)
    other = replace(known, patient="P2", series=known.series[:1])
    assert joined(known, other) is other

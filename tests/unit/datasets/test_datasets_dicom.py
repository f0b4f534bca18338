"""A tree of DICOM files joined with a table; nobody's name or UID stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from medfm_gui.datasets.layouts import choose
from medfm_gui.datasets.pseudonym import pseudonym
from medfm_gui.datasets.units import known_units
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, TableError

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]
Dicom = Callable[..., bytes]


@pytest.fixture
def ward(dicom_file: Dicom) -> dict[str, str | bytes]:
    return {
        f"tree/{number}.dcm": dicom_file(
            sop_instance_uid=f"1.2.{number}",
            series_uid=f"1.3.{number}",
            study_uid=f"1.4.{number // 2}",
            patient_id=f"Doe{number // 2} ",
            patient_age="050Y",
        )
        for number in range(4)
    }


@pytest.mark.parametrize(
    ("header", "keys"),
    [
        ("SOPInstanceUID", ["1.2.0", "1.2.1", "1.2.2", "1.2.3"]),
        ("StudyInstanceUID", ["1.4.0", "1.4.1"]),
        ("SeriesInstanceUID", ["1.3.0", "1.3.1", "1.3.2", "1.3.3"]),
        ("PatientID", ["Doe0", "Doe1"]),
        ("path", ["tree/0.dcm", "1.dcm", "2", "tree/3.dcm"]),
    ],
)
def test_each_way_to_join(tree: Tree, read: Read, ward: dict[str, str | bytes], header: str, keys: list[str]) -> None:
    rows = "".join(f"{key},{'well' if number * 2 < len(keys) else 'ill'},7\n" for number, key in enumerate(keys))
    dataset = read(tree({**ward, "labels.csv": f"{header},label,score\n{rows}"}))
    assert dataset.layout == "dicom"
    assert [sample.target for sample in dataset.samples] == [(1,), (1,), (0,), (0,)]
    assert dataset.n_patients == 2
    assert dataset.samples[0].patient == pseudonym(b"k" * 32, "Doe0")
    assert dict(dataset.samples[0].covariates) == {"modality": "DX", "age": "50", "score": "7"}
    assert dataset.samples[0].group == dataset.samples[1].group == pseudonym(b"k" * 32, "1.4.0")
    assert known_units(dataset) == ("image", "study", "patient")
    said = repr(dataset)
    assert "Doe" not in said
    assert "1.2.0" not in said and "1.4.0" not in said
    assert dataset.taken["join"].startswith(f"{header} as {header}")


def test_a_table_and_a_join_column_by_option(
    tree: Tree, read: Read, ward: dict[str, str | bytes], tmp_path: Path
) -> None:
    source = tree(ward)
    table = tmp_path / "t.csv"
    table.write_text("uid,who,nodule\n" + "".join(f"1.2.{n},p{n},{n % 2}\n" for n in range(4)))
    dataset = read(source / "tree", "dicom", table=table, join="uid", labels=("nodule",), patient="who")
    assert dataset.n_patients == 4
    assert not any(sample.patient == "p0" for sample in dataset.samples)
    assert dataset.source == str(source / "tree")
    assert (Path(dataset.source) / dataset.samples[0].path).is_file()
    above = tree({"labels.csv": table.read_text().replace("uid", "SOPInstanceUID")})
    assert read(above / "tree", "dicom", labels=("nodule",)).classes == ("0", "1")
    assert read(table, "dicom", images=source, join="uid", labels=("nodule",)).n_patients == 2


def test_what_is_left_out_and_why(tree: Tree, read: Read, ward: dict[str, str | bytes], dicom_file: Dicom) -> None:
    files = {
        **ward,
        "tree/film.dcm": dicom_file(frames=30, sop_instance_uid="9"),
        "tree/report.dcm": dicom_file(rows=0, sop_instance_uid="8"),
        "tree/text.dcm": "no dicom",
        "tree/unlisted.dcm": dicom_file(sop_instance_uid="7"),
        "tree/torn.dcm": dicom_file(sop_instance_uid="6"),
    }
    table = "SOPInstanceUID,label\n1.2.0,a\n1.2.1,a\n1.2.2,b\n1.2.3,b\n6,a\n6,b\n"
    dataset = read(tree({**files, "labels.csv": table}))
    assert {item.path.removeprefix("tree/"): item.reason for item in dataset.skipped} == {
        "film.dcm": "multi_frame",
        "report.dcm": "no_pixels",
        "text.dcm": "not_dicom",
        "torn.dcm": "conflicting_labels",
        "unlisted.dcm": "no_label",
    }


def test_what_cannot_be_joined(tree: Tree, read: Read, ward: dict[str, str | bytes]) -> None:
    source = tree({**ward, "labels.csv": "StudyInstanceUID,label\n5.5,a\n6.6,b\n"})
    with pytest.raises(TableError, match="No row") as caught:
        read(source, "dicom")
    assert "--join" in caught.value.hint
    (source / "labels.csv").write_text("a,label\n1,2\n3,4\n")
    with pytest.raises(TableError, match="none is called so"):
        read(source, "dicom")
    (source / "labels.csv").unlink()
    with pytest.raises(TableError, match="0 tables"):
        read(source, "dicom")


def test_a_tree_of_films_says_why_none_is_taken(tree: Tree, read: Read, dicom_file: Dicom) -> None:
    films: dict[str, str | bytes] = {
        f"tree/{number}.dcm": dicom_file(frames=30, sop_instance_uid=f"1.{number}") for number in range(3)
    }
    with pytest.raises(InputError, match="4 files could not be used; 3 × This object holds 30 frames"):
        read(tree({**films, "tree/report.dcm": "no dicom"} | {"labels.csv": "path,label\n0.dcm,x\n"}), "dicom")


def test_a_tree_without_dicom(tree: Tree, read: Read) -> None:
    with pytest.raises(InputError, match="no DICOM image"):
        read(tree({"a.png": "1", "labels.csv": "path,label\na.png,x\n"}), "dicom")


def test_a_tree_whose_table_lies_above_is_no_class_folders(
    tree: Tree, read: Read, ward: dict[str, str | bytes]
) -> None:
    numbered = {f"films/000{number}/1.dcm": contents for number, contents in enumerate(ward.values())}
    source = tree({**numbered, "labels.csv": "PatientID,nodule\nDoe0,no\nDoe1,yes\n"})
    layout, reason = choose("auto", source / "films")
    assert layout.name == "dicom"
    assert "PatientID" in reason
    dataset = read(source / "films")
    assert (dataset.layout, dataset.classes, dataset.n_patients) == ("dicom", ("no", "yes"), 2)


@pytest.mark.parametrize("table", ["day,rain\n1,2\n3,4\n", "PatientID\n"], ids=["unrelated", "broken"])
def test_another_table_above_leaves_class_folders_of_dicom_alone(
    tree: Tree, read: Read, dicom_file: Dicom, table: str
) -> None:
    files = {f"films/{name}/{n}.dcm": dicom_file(f"{name}{n}") for name in ("ill", "well") for n in range(2)}
    source = tree({**files, "rain.csv": table})
    assert read(source / "films").layout == "folder"


def test_pictures_below_a_table_of_patients_stay_class_folders(tree: Tree, read: Read) -> None:
    files = {f"films/{name}/{n}.png": f"{name}{n}" for name in ("ill", "well") for n in range(2)}
    assert read(tree({**files, "t.csv": "PatientID,x\n1,2\n3,4\n"}) / "films").layout == "folder"


def test_folders_of_dicom_know_their_patients(tree: Tree, read: Read, dicom_file: Dicom) -> None:
    files = {f"{name}/{n}.dcm": dicom_file(f"{name}{n}", patient_id="Doe") for name in ("a", "b") for n in range(2)}
    dataset = read(tree({**files, "a/x.png": "png"}), "folder")
    assert dataset.n_patients == 1
    assert dataset.samples[0].patient == pseudonym(b"k" * 32, "Doe")
    assert any("1 image without a patient" in warning for warning in dataset.warnings)
    anonymous = {f"{name}/{n}.dcm": dicom_file(f"{name}{n}", patient_id=" ") for name in ("a", "b") for n in range(2)}
    assert read(tree(anonymous), "folder").n_patients is None


def test_pseudonyms_depend_on_the_key_alone() -> None:
    assert pseudonym(b"k", " Doe ") == pseudonym(b"k", "Doe")
    assert pseudonym(b"k", "Doe") != pseudonym(b"other", "Doe")
    assert len(pseudonym(b"k", "Doe\udcff")) == 12


def test_paths_that_name_patients_are_kept_as_pseudonyms(tree: Tree, read: Read, dicom_file: Dicom) -> None:
    films = {
        f"{kind}/Mustermann{number}/IM{film}.dcm": dicom_file(f"{number}{film}", patient_id=f"Mustermann{number}")
        for kind, number in (("ill", 1), ("well", 2))
        for film in range(2)
    }
    source = tree({**films, "ill/Mustermann1/note.png": "broken"})
    dataset = read(source, "folder")
    assert "Mustermann" not in repr(dataset)
    alias = [pseudonym(b"k" * 32, f"Mustermann{number}") for number in (1, 2)]
    assert [sample.path for sample in dataset.samples] == [
        f"{kind}/{alias[number]}/IM{film}.dcm" for number, kind in enumerate(("ill", "well")) for film in range(2)
    ]
    assert dataset.taken["paths"].startswith("of 5 images")
    assert [item.path for item in dataset.skipped] == [f"ill/{alias[0]}/note.png"]


def test_the_class_folder_keeps_its_name(tree: Tree, read: Read, dicom_file: Dicom) -> None:
    dataset = read(tree({f"{kind}/1.dcm": dicom_file(kind, patient_id="Lesion") for kind in ("Lesion", "none")}))
    assert [sample.path for sample in dataset.samples] == ["Lesion/1.dcm", "none/1.dcm"]


def test_a_table_of_dicom_files_keeps_no_number_of_the_hospital(tree: Tree, read: Read, dicom_file: Dicom) -> None:
    films = {f"films/{number}.dcm": dicom_file(str(number), patient_id=f"MRN{number}") for number in range(2)}
    rows = "".join(f"films/{number}.dcm,MRN{number},ACC{number},{'xy'[number]}\n" for number in range(2))
    table = tree({**films, "labels.csv": f"path,patient_id,AccessionNumber,label\n{rows}"}) / "labels.csv"
    for layout in ("csv", "dicom"):
        source = table if layout == "csv" else table.parent
        dataset = read(source, layout, group="AccessionNumber", labels=("label",))
        assert {sample.patient for sample in dataset.samples} == {pseudonym(b"k" * 32, f"MRN{n}") for n in range(2)}
        assert {sample.group for sample in dataset.samples} == {pseudonym(b"k" * 32, f"ACC{n}") for n in range(2)}
        assert "MRN" not in repr(dataset.samples)
        assert "pseudonyms" in dataset.taken["patient"]
    pictures = tree({"films/0.dcm": "png", "films/1.dcm": "png too"})
    assert {sample.patient for sample in read(pictures / "labels.csv").samples} == {"MRN0", "MRN1"}

"""SARS-CoV-2 CT: the release with patients, and the one without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from medfm_gui.datasets.importers import sars_cov2_ct
from medfm_gui.datasets.layouts import choose
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]


def with_patients(prefix: str = "New_Data_CoV2/") -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {}
    for kind, patients in {"Covid": 2, "Healthy": 1, "Others": 2}.items():
        for patient in range(1, patients + 1):
            for number in (1, 2, 10):
                files[f"{prefix}{kind}/Patient ({patient})/{number}.png"] = f"{kind} {patient} {number}"
    files[f"{prefix}Covid/Patient (1)/Thumbs.db"] = b"junk"
    return files


@pytest.mark.parametrize("prefix", ["New_Data_CoV2/", "", "archive/New_Data_CoV2/"])
def test_slices_in_the_order_of_their_numbers(tree: Tree, read: Read, prefix: str) -> None:
    source = tree(with_patients(prefix))
    assert choose("auto", source)[0].name == "sars-cov2-ct"
    dataset = read(source)
    assert (dataset.task, dataset.classes) == (Task.MULTICLASS, ("Healthy", "Others", "Covid"))
    assert dataset.n_patients == 5
    first = {
        sample.path.rpartition("/")[2]: sample.covariates["slice"]
        for sample in dataset.samples
        if sample.patient == "Covid/Patient (1)"
    }
    assert first == {"1.png": "1", "2.png": "2", "10.png": "3"}
    counts = {count.what: (count.known, count.found) for count in dataset.counts}
    assert counts["slices (Kaggle holds 4,171)"] == (4_173, 15)
    assert counts["patients of Healthy"] == (50, 1)
    assert counts["slices of Covid"] == (2_168, 6)


def test_study_b_tells_covid_from_everything_else(tree: Tree, read: Read) -> None:
    files = with_patients()
    files["New_Data_CoV2/Covid/stray.png"] = "stray"
    dataset = read(tree(files), preset="study-b")
    assert (dataset.task, dataset.classes, dataset.positive) == (Task.BINARY, ("no Covid", "Covid"), "Covid")
    assert {sample.covariates["class"] for sample in dataset.samples} == {"Covid", "Healthy", "Others"}
    assert [(item.path, item.reason) for item in dataset.skipped] == [("New_Data_CoV2/Covid/stray.png", "no_patient")]


def test_the_release_without_patients_says_what_that_means(tree: Tree, read: Read) -> None:
    files = {f"COVID/Covid ({number}).png": f"c{number}" for number in range(1, 4)}
    files |= {f"non-COVID/Non-Covid ({number}).png": f"n{number}" for number in range(1, 3)}
    source = tree(files)
    assert choose("auto", source)[1] == "there are the folders COVID and non-COVID"
    dataset = read(source)
    assert (dataset.classes, dataset.positive, dataset.n_patients) == (("no Covid", "Covid"), "Covid", None)
    assert any("have no patient ids" in warning for warning in dataset.warnings)
    assert [(count.known, count.found) for count in dataset.counts] == [(2_482, 5)]


def test_what_is_neither(tree: Tree, read: Read) -> None:
    source = tree({"Covid/a.png": "a", "Healthy/b.png": "b", "Others/c.png": "c"})
    assert sars_cov2_ct.recognises(source) is None  # no folders of patients: any three folders may be called so
    with pytest.raises(InputError, match="neither the folders"):
        read(source, "sars-cov2-ct")
    assert read(source).layout == "folder"

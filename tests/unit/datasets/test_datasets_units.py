"""What images of a dataset belong to: lesions, eyes, breasts and studies, by covariates and groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from medfm_gui.datasets.judged import judged
from medfm_gui.datasets.units import check_unit, is_case_name, known_units, names_of, unit_names
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import InputError, NotFound


def dataset(*rows: tuple[str | None, Mapping[str, str], str | None], taken: Mapping[str, str] | None = None) -> Dataset:
    """Samples s0, s1 … of (patient, covariates, group)."""
    samples = tuple(
        Sample(f"s{place}", f"{place}.png", (place % 2,), patient=patient, group=group, covariates=dict(facts))
        for place, (patient, facts, group) in enumerate(rows)
    )
    return Dataset(
        "d", "d", "csv", Task.BINARY, ("no", "yes"), "", samples, "f", positive="yes", taken=dict(taken or {})
    )


def test_a_side_is_one_of_its_patient() -> None:
    found = dataset(
        ("a", {"Laterality": "L"}, None), ("a", {"Laterality": "left"}, None), ("a", {"Laterality": "R"}, None),
        ("b", {"Laterality": "L"}, None), ("b", {}, None), (None, {"Laterality": "L"}, None),
    )  # fmt: skip
    assert known_units(found) == ("image", "eye", "breast", "patient")
    names = unit_names(found, found.samples)
    assert names["eye"] == names["breast"] == ("a · left", "a · left", "a · right", "b · left", "", "")
    assert names_of(found, found.samples, "eye")[4:] == ("s4", "s5"), "an unknown side makes an image its own unit"


def test_without_patients_a_side_tells_nothing() -> None:
    found = dataset((None, {"side": "L"}, None), (None, {"side": "R"}, None))
    assert known_units(found) == ("image",)


@pytest.mark.parametrize("column", ["lesion_id", "LesionID", "Lesion", "abnormality id"])
def test_a_column_names_lesions(column: str) -> None:
    found = dataset((None, {column: "7"}, None), (None, {column: " 7 "}, None), (None, {column: "8"}, None))
    assert known_units(found) == ("image", "lesion")
    assert unit_names(found, found.samples)["lesion"] == ("7", "7", "8")


def test_a_group_counts_as_what_it_was_taken_for() -> None:
    rows: Any = [("a", {}, "a/study1"), ("a", {}, "a/study2"), ("b", {}, None)]
    study = dataset(*rows, taken={"group": "the study"})
    assert known_units(study) == ("image", "study", "patient")
    assert unit_names(study, study.samples)["study"] == ("a · a/study1", "a · a/study2", "")
    assert known_units(dataset(*rows, taken={"group": "lesion_id (by its name)"})) == ("image", "lesion", "patient")
    assert known_units(dataset(*rows, taken={"group": "site"})) == ("image", "patient")


def test_scores_are_joined_with_units() -> None:
    found = dataset(("a", {"study": "1"}, None), ("a", {"study": "1"}, None), ("b", {"study": "1"}, None))
    scored = judged(found, ["s2", "s0", "s1"], np.array([[0.4, 0.6], [0.9, 0.1], [0.5, 0.5]], np.float32))
    assert scored.groups["study"] == ("b · 1", "a · 1", "a · 1")
    studies = scored.by_unit("study")
    assert studies.samples == ("b · 1", "a · 1") and studies.patients == ("b", "a")
    assert studies.event_scores == pytest.approx([0.6, 0.3], abs=1e-6)
    with pytest.raises(NotFound):
        judged(found, ["s9"], np.array([[0.5, 0.5]]))


def test_a_unit_that_the_data_do_not_tell_is_refused_by_name() -> None:
    found = dataset(("a", {}, None), ("b", {}, None))
    check_unit(found, "patient:max")
    with pytest.raises(InputError, match="of one lesion") as refused:
        check_unit(found, "lesion")
    assert "image, patient" in refused.value.hint and "lesions" in refused.value.hint


def test_numbers_of_cases_are_no_facts_about_them() -> None:
    assert is_case_name("Study ID") and is_case_name("lesion_id")
    assert not any(map(is_case_name, ("laterality", "age", "eye", "patient", "site")))

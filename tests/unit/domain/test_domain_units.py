"""Units of analysis: their texts, and counted things in words."""

from __future__ import annotations

import pytest

from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.recipe import recipe_from
from medfm_gui.domain.units import (
    RULES,
    UNITS,
    counted,
    plural,
    unit_choices,
    unit_parts,
    unit_text,
    unit_title,
    unit_word,
)


def test_a_unit_and_its_rule_are_one_text_and_come_back() -> None:
    for unit in UNITS:
        for rule in RULES:
            text = unit_text(unit, rule)
            assert unit_parts(text) == (unit, "mean" if unit == "image" else rule)
            assert unit_word(text) == unit
    assert unit_text("eye", "max") == "eye:max" and unit_text("patient") == "patient"
    assert unit_title("eye:max") == "eye (highest image)" and unit_title("lesion") == "lesion"


@pytest.mark.parametrize("text", ["", "images", "image:max", "patient:median", "Patient", "patient:max:mean"])
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no unit of analysis"):
        unit_parts(text)


def test_things_are_counted_in_words() -> None:
    assert counted(1, "study") == "1 study" and counted(12, "study") == "12 studies"
    assert counted(3662, "image") == "3,662 images" and counted(0, "eye:max") == "0 eyes"
    assert counted(2, "class", "classes") == "2 classes" and plural("breast:max") == "breasts"


def test_choices_tell_how_images_become_a_score() -> None:
    found = unit_choices(("image", "study"), ordered=True)
    assert found == (
        ("Images", "image"),
        ("Studies, mean of their images", "study"),
        ("Studies, their highest image", "study:max"),
    )
    assert [unit for _, unit in unit_choices(("image", "study"), ordered=False)] == ["image", "study"]


def test_a_recipe_says_what_it_counts() -> None:
    assert recipe_from("knn", {}).counted == "image"
    assert recipe_from("knn", {"unit": "lesion"}).counted == "lesion"
    assert recipe_from("knn", {"unit": "breast", "unit_score": "max"}).counted == "breast:max"
    with pytest.raises(UsageError, match="each image is counted"):
        recipe_from("knn", {"unit_score": "max"})
    with pytest.raises(UsageError, match="unit=organ"):
        recipe_from("knn", {"unit": "organ"})

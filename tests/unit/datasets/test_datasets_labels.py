"""Raw cells become the task, the classes and the targets that a clinician would expect."""

from __future__ import annotations

import pytest

from medfm_gui.datasets.labels import label
from medfm_gui.datasets.positive import likely_positive
from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import TableError, UsageError


def column(*values: str) -> list[tuple[str, ...]]:
    return [(value,) for value in values]


def test_two_classes_are_binary_and_sorted_naturally() -> None:
    made = label(["grade"], column("grade 10", "grade 2", "grade 10"))
    assert made.task is Task.BINARY
    assert made.classes == ("grade 2", "grade 10")
    assert made.targets == ((1,), (0,), (1,))


def test_three_classes_are_multiclass_without_a_positive_one() -> None:
    made = label(["x"], column("b", "a", "c"))
    assert (made.task, made.classes, made.positive) == (Task.MULTICLASS, ("a", "b", "c"), None)


def test_an_empty_cell_is_no_label() -> None:
    assert label(["x"], column("a", "", "b")).targets == ((0,), None, (1,))


def test_whole_numbers_written_as_decimals_are_whole_numbers() -> None:
    assert label(["x"], column("1.0", "0.0", "")).classes == ("0", "1")
    assert label(["x"], column("1.0", "0.5")).classes == ("0.5", "1.0")


@pytest.mark.parametrize(
    ("classes", "positive"),
    [
        (("benign", "malignant"), "malignant"),
        (("No_findings", "Pneumonia"), "Pneumonia"),
        (("malignant", "normal, benign"), "malignant"),
        (("COVID", "non-COVID"), "COVID"),
        (("Covid", "NonCovid"), "Covid"),
        (("nodule", "no nodule"), "nodule"),
        (("abnormal", "normal"), "abnormal"),
        (("benign tumour", "malignant tumour"), "malignant tumour"),
        (("negative", "positive"), "positive"),
        (("Drusen", "normal"), "Drusen"),
        (("TB", "control"), "TB"),
        (("0", "1"), "1"),
        (("left", "right"), "right"),
    ],
)
def test_the_positive_class_is_the_disease(classes: tuple[str, ...], positive: str) -> None:
    assert likely_positive(classes)[0] == positive


def test_the_positive_class_can_be_named_whatever_its_case() -> None:
    made = label(["x"], column("Left", "Right"), positive="left")
    assert made.positive == "Left"
    assert "as asked" in made.taken["positive class"]


def test_a_positive_class_that_is_none_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="malignant") as caught:
        label(["x"], column("benign", "malignant"), positive="malignent")
    assert "Did you mean “malignant”" in caught.value.hint


def test_ordinal_needs_whole_numbers_and_keeps_their_order() -> None:
    made = label(["grade"], column("10", "2", "0"), task=Task.ORDINAL)
    assert (made.task, made.classes) == (Task.ORDINAL, ("0", "2", "10"))
    with pytest.raises(TableError, match="mild"):
        label(["grade"], column("mild", "severe"), task=Task.ORDINAL)


def test_binary_with_three_classes_is_refused() -> None:
    with pytest.raises(TableError, match="3 classes"):
        label(["x"], column("a", "b", "c"), task=Task.BINARY)


def test_multiclass_may_be_asked_for_two_classes() -> None:
    assert label(["x"], column("a", "b"), task=Task.MULTICLASS).task is Task.MULTICLASS


def test_labels_that_hardly_repeat_are_taken_for_identifiers() -> None:
    with pytest.raises(TableError, match="identifiers"):
        label(["x"], column(*(f"id{number}" for number in range(60))))


def test_classes_that_differ_only_in_case_are_noticed() -> None:
    (warning,) = label(["x"], column("Benign", "benign ", "malignant")).warnings
    assert "“Benign”" in warning


# -- several findings


def test_a_bar_joins_findings_and_no_finding_is_none() -> None:
    made = label(["Finding Labels"], column("Edema|Effusion", "No Finding", "Effusion", ""))
    assert made.task is Task.MULTILABEL
    assert made.classes == ("Edema", "Effusion")
    assert made.targets == ((1, 1), (0, 0), (0, 1), None)
    assert made.taken["no finding"] == "No Finding"


def test_no_finding_beside_a_finding_stays_a_class() -> None:
    made = label(["x"], column("Normal|Device", "Normal", "Device|Mass"))
    assert "Normal" in made.classes
    assert any("Normal" in warning for warning in made.warnings)


@pytest.mark.parametrize("mark", [";", ","])
def test_other_marks_join_findings_only_when_it_is_plain(mark: str) -> None:
    plain = label(["x"], column(f"a{mark} b", f"b{mark}c", "a", "c"))
    assert (plain.task, plain.classes) == (Task.MULTILABEL, ("a", "b", "c"))
    one_name = label(["x"], column(f"nevus{mark} atypical", "melanoma", "melanoma"))
    assert (one_name.task, one_name.classes) == (Task.BINARY, ("melanoma", f"nevus{mark} atypical"))


def test_multilabel_may_be_asked_for_single_findings() -> None:
    made = label(["x"], column("a", "b"), task=Task.MULTILABEL)
    assert (made.task, made.targets) == (Task.MULTILABEL, ((1, 0), (0, 1)))
    assert label(["x"], column("a,b", "b"), task=Task.MULTILABEL).classes == ("a", "b")


def test_known_classes_are_never_parted_at_a_comma() -> None:
    made = label(["x"], column("a, b", "b, c", "a", "c"), classes=("a", "a, b", "b, c", "c"))
    assert made.task is Task.MULTICLASS


def test_several_columns_are_findings_with_blank_and_minus_one_unknown() -> None:
    made = label(["A", "B"], [("1", "0"), ("", "-1.0"), ("0.0", ""), ("yes", "No")])
    assert made.task is Task.MULTILABEL
    assert made.classes == ("A", "B")
    assert made.targets == ((1, 0), None, (0, UNKNOWN), (1, 0))
    assert any("unknown" in warning for warning in made.warnings)


def test_several_columns_with_other_values_are_refused() -> None:
    with pytest.raises(TableError, match="“B” holds “3”"):
        label(["A", "B"], [("1", "3")])


def test_several_columns_of_one_class_each() -> None:
    made = label(["NV", "MEL"], [("1.0", "0.0"), ("0", "1"), ("0", "0"), ("1", "1")], task=Task.MULTICLASS)
    assert made.classes == ("NV", "MEL")
    assert made.targets == ((0,), (1,), None, None)

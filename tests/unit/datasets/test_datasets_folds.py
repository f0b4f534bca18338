"""Nested folds, one site left out, time, whole groups moved, and what a request may not ask at once."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from medfm_gui.datasets.split import SplitRequest, make_split
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import LeakError, SplitError, UsageError
from medfm_gui.domain.split import LeakKind, Partition, Split

Make = Callable[..., Dataset]


def rows(count: int, **fixed: Any) -> list[dict[str, Any]]:
    return [{"target": (n % 4 == 0,), "patient": f"p{n // 2}", **fixed} for n in range(count)]


def sides(split: Split) -> dict[str, Partition]:
    return {item.sample: item.partition for item in split.assignments}


def dated(count: int) -> list[dict[str, Any]]:
    return [
        {
            **row,
            "covariates": {"study_date": f"2020-{1 + n // 28 % 12:02d}-{1 + n % 28:02d}", "site": "abc"[n // 2 % 3]},
        }
        for n, row in enumerate(rows(count))
    ]


def test_inner_folds_keep_the_outer_test_and_stand_in_a_family_of_their_own(make: Make) -> None:
    made = make_split(make(rows(120)), SplitRequest(folds=3, nested=True), split_id="d-s1")
    outer = [split for split in made if split.family == "d-s1"]
    assert [split.id for split in outer] == ["d-s1-f1", "d-s1-f2", "d-s1-f3"]
    for split in outer:
        inner = [item for item in made if item.family == f"{split.id}-inner"]
        assert [item.id for item in inner] == [f"{split.id}-inner-f{number}" for number in (1, 2, 3)]
        tested = set(split.samples_in(Partition.TEST))
        validated = Counter(name for item in inner for name in item.samples_in(Partition.VAL))
        assert all(set(item.samples_in(Partition.TEST)) == tested for item in inner)
        assert set(validated) == set(sides(split)) - tested
        assert set(validated.values()) == {1}
        assert all(not item.leaks for item in inner)


def test_each_site_is_the_test_once_and_patients_of_two_sites_are_not_torn(make: Make) -> None:
    given = dated(60)
    given[0]["covariates"] = {**given[0]["covariates"], "site": "b"}  # patient p0 has images of a and b
    dataset = make(given)
    site = {sample.id: sample.covariates["site"] for sample in dataset.samples}
    made = make_split(dataset, SplitRequest(leave_out="site"))
    assert len(made) == 3
    for split, value in zip(made, "abc", strict=True):
        assert {site[name] for name in split.samples_in(Partition.TEST)} == {value}
        assert value not in {site[name] for name in split.samples_in(Partition.TRAIN)}
        assert f"“{value}” left out" in split.rule
        assert not split.leaks
    assert len(made[0].assignments) == 59
    assert any("1 image left out" in text for text in made[0].warnings)


def test_a_column_with_one_value_cannot_be_left_out(make: Make) -> None:
    dataset = make([{**row, "covariates": {"site": "a"}} for row in rows(20)])
    with pytest.raises(UsageError, match="1 value"):
        make_split(dataset, SplitRequest(leave_out="site"))
    with pytest.raises(UsageError, match="no column “scanner”"):
        make_split(dataset, SplitRequest(leave_out="scanner"))


@pytest.mark.parametrize("ratios", ["", "60/15/10/15"])
def test_earlier_images_train_and_the_latest_are_the_test(make: Make, ratios: str) -> None:
    dataset = make(dated(200))
    when = {sample.id: sample.covariates["study_date"] for sample in dataset.samples}
    (split,) = make_split(dataset, SplitRequest(in_time="study_date", ratios=ratios))
    order = [side for side in (Partition.TRAIN, Partition.VAL, Partition.CAL, Partition.TEST) if split.samples_in(side)]
    spans = [[when[name] for name in split.samples_in(side)] for side in order]
    assert all(max(first) <= min(second) for first, second in itertools.pairwise(spans))
    assert split.sizes["train"] == (120 if ratios else 140)
    assert not split.leaks
    assert "earliest first" in split.rule


def test_time_may_be_a_number_and_what_has_none_stands_nowhere(make: Make) -> None:
    dataset = make([{**row, "covariates": {"year": str(2000 + n)} if n else {}} for n, row in enumerate(rows(40))])
    (split,) = make_split(dataset, SplitRequest(in_time="year"))
    assert len(split.assignments) == 40  # the other image of the patient has a year
    lonely = make(
        [
            {**row, "patient": f"p{n}"} | ({"covariates": {"year": str(n)}} if n else {})
            for n, row in enumerate(rows(40))
        ]
    )
    (split,) = make_split(lonely, SplitRequest(in_time="year"))
    assert len(split.assignments) == 39
    assert any("1 image without a readable “year”" in text for text in split.warnings)


@pytest.mark.parametrize("value", ["left", "", "nan"])
def test_words_are_no_time(make: Make, value: str) -> None:
    dataset = make([{**row, "covariates": {"view": value}} for row in rows(20)])
    with pytest.raises(UsageError, match="dates or numbers"):
        make_split(dataset, SplitRequest(in_time="view"))


def test_too_few_moments_for_the_sides(make: Make) -> None:
    dataset = make(
        [{"target": (n % 2,), "covariates": {"year": str(n // 4)}, "patient": f"p{n // 4}"} for n in range(8)]
    )
    with pytest.raises(SplitError, match="No image would be left"):
        make_split(dataset, SplitRequest(in_time="year"))


def test_a_group_on_two_sides_is_a_leak_told_once_where_the_patient_is_too(make: Make) -> None:
    given = [
        {"target": (n % 2,), "group": f"lesion{n // 2}", "fold": ("train", "test")[n % 2] if n < 4 else "train"}
        for n in range(12)
    ]
    with pytest.raises(LeakError, match="a lesion or group of test") as caught:
        make_split(make(given), SplitRequest())
    assert [leak.kind for leak in caught.value.leaks] == [LeakKind.GROUP] * 2
    assert {leak.partitions for leak in caught.value.leaks} == {("train", "test")}
    patients = [{**row, "patient": row["group"]} for row in given]
    with pytest.raises(LeakError) as caught:
        make_split(make(patients), SplitRequest())
    assert {leak.kind for leak in caught.value.leaks} == {LeakKind.PATIENT}


def test_moving_takes_whole_groups_to_the_more_guarded_side(make: Make) -> None:
    given = [
        {"target": (n % 2,), "patient": f"p{n // 4}", "fold": "test" if n in (0, 4, 38) else "train"} for n in range(40)
    ]
    dataset = make(given)
    (dropped,) = make_split(dataset, SplitRequest(drop=True))
    (split,) = make_split(dataset, SplitRequest(move=True))
    assert not split.leaks
    assert {f"s{n:06d}" for n in (1, 2, 3, 4)} <= set(split.samples_in(Partition.TEST))
    assert split.sizes["test"] == 12
    assert len(split.assignments) == 40
    assert split.fingerprint != dropped.fingerprint
    assert any("moved with the whole group" in text for text in split.warnings)
    assert split.settings["move leaks"] == "yes"


def test_moving_may_leave_no_training(make: Make) -> None:
    given = [{"target": (n % 2,), "patient": "p", "fold": ("train", "test")[n % 2]} for n in range(8)]
    with pytest.raises(SplitError, match="Moving whole groups"):
        make_split(make(given), SplitRequest(move=True))


@pytest.mark.parametrize(
    "request_of",
    [
        lambda: SplitRequest(folds=3, leave_out="site"),
        lambda: SplitRequest(preset="study-a", official=True),
        lambda: SplitRequest(nested=True),
        lambda: SplitRequest(drop=True, move=True),
        lambda: SplitRequest(accept="why", move=True),
    ],
)
def test_requests_that_ask_for_two_things(request_of: Callable[[], SplitRequest]) -> None:
    with pytest.raises(UsageError):
        request_of()


def test_volumes_with_masks_are_divided_without_classes(make: Make) -> None:
    given = [{"target": (), "masks": ("m.nii",), "patient": f"p{n}"} for n in range(20)]
    dataset = make(given, task=Task.SEGMENTATION, classes=("liver",))
    (split,) = make_split(dataset, SplitRequest())
    assert split.sizes == {"train": 14, "val": 3, "cal": 0, "test": 3}
    assert len(make_split(dataset, SplitRequest(folds=4))) == 4

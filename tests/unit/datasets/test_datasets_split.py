"""Splits that are made: whole patients, every class, the shares that were asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from medfm_gui.datasets.split import SplitRequest, make_split, sample_set_hash
from medfm_gui.datasets.targets import patients, targets
from medfm_gui.domain.dataset import UNKNOWN, Dataset, Task
from medfm_gui.domain.errors import LeakError, NotFound, SplitError, UsageError
from medfm_gui.domain.split import Partition, Split

Make = Callable[..., Dataset]


def rows(count: int, **fixed: Any) -> list[dict[str, Any]]:
    return [{"target": (n % 4 == 0,), "patient": f"p{n // 2}", **fixed} for n in range(count)]


def shares(dataset: Dataset, split: Split) -> dict[str, Counter[tuple[int, ...]]]:
    target = {sample.id: sample.target for sample in dataset.samples}
    found: dict[str, Counter[tuple[int, ...]]] = {}
    for item in split.assignments:
        found.setdefault(item.partition.value, Counter())[target[item.sample]] += 1
    return found


def test_seventy_fifteen_fifteen_by_patient(make: Make) -> None:
    dataset = make(rows(200))
    (split,) = make_split(dataset, SplitRequest(), split_id="d-s1", created="now")
    assert split.sizes == {"train": 140, "val": 30, "cal": 0, "test": 30}
    assert shares(dataset, split)["test"] in (Counter({(0,): 22, (1,): 8}), Counter({(0,): 23, (1,): 7}))
    assert split.rule == "70/15/15 by patient, seed 0"
    assert (split.id, split.dataset, split.created, split.family, split.fold) == ("d-s1", "d", "now", None, None)
    assert not split.leaks
    assert [item.sample for item in split.assignments] == [sample.id for sample in dataset.samples]


def test_calibration_is_the_third_of_four(make: Make) -> None:
    (split,) = make_split(make(rows(200)), SplitRequest(ratios="0.6/0.1/0.15/0.15"))
    assert split.sizes == {"train": 120, "val": 20, "cal": 30, "test": 30}


@pytest.mark.parametrize("text", ["70/30", "a/b/c", "70/15/20", "100/0/0", "50/20/20/5/5", ""])
def test_shares_that_make_no_sense(make: Make, text: str) -> None:
    if not text:
        assert make_split(make(rows(40)), SplitRequest(ratios=text))
        return
    with pytest.raises(UsageError, match=text):
        make_split(make(rows(40)), SplitRequest(ratios=text))


def test_another_seed_is_another_split(make: Make) -> None:
    dataset = make(rows(100))
    (first,) = make_split(dataset, SplitRequest(seed=1))
    (again,) = make_split(dataset, SplitRequest(seed=1))
    (other,) = make_split(dataset, SplitRequest(seed=2))
    assert first == again
    assert first.fingerprint != other.fingerprint
    assert other.settings == {"by": "patient", "seed": "2"}


def test_a_split_is_the_same_for_ever(make: Make) -> None:
    (split,) = make_split(make(rows(20)), SplitRequest())
    assert split.samples_in(Partition.TEST) == ("s000007", "s000008", "s000009", "s000010")


def test_without_patients_it_is_by_image_and_said(make: Make) -> None:
    (split,) = make_split(make([{"target": (n % 2,)} for n in range(20)]), SplitRequest())
    assert any("No patients are known" in warning for warning in split.warnings)
    assert "by image" in split.rule


def test_identical_pixels_stay_together(make: Make) -> None:
    same = [{"target": (n % 2,), "pixels_sha256": f"{n // 10:064d}"} for n in range(100)]
    (split,) = make_split(make(same), SplitRequest())
    sides = {item.sample: item.partition for item in split.assignments}
    for start in range(0, 100, 10):
        assert len({sides[f"s{n + 1:06d}"] for n in range(start, start + 10)}) == 1


def test_by_image_leaks_patients_and_is_refused(make: Make) -> None:
    dataset = make(rows(60))
    with pytest.raises(LeakError, match="a patient of") as caught:
        make_split(dataset, SplitRequest(by="image"))
    assert caught.value.leaks
    (split,) = make_split(dataset, SplitRequest(by="image", accept=" technical replicate "))
    assert split.acceptance == "technical replicate"
    assert set(split.leaks) == set(caught.value.leaks)
    (dropped,) = make_split(dataset, SplitRequest(by="image", drop=True))
    assert dropped.acceptance is None
    assert set(dropped.dropped) == {leak.a for leak in split.leaks}
    assert dropped.sizes["test"] == split.sizes["test"]


def test_groups_and_columns_stay_together(make: Make) -> None:
    data = [{"target": (n % 2,), "group": f"g{n // 4}", "covariates": {"site": f"c{n // 8}"}} for n in range(80)]
    dataset = make(data)
    for by, width in (("group", 4), ("site", 8), ("patient", 4)):
        (split,) = make_split(dataset, SplitRequest(by=by))
        sides = {item.sample: item.partition for item in split.assignments}
        for start in range(0, 80, width):
            assert len({sides[f"s{n + 1:06d}"] for n in range(start, start + width)}) == 1
    with pytest.raises(UsageError, match="“scanner”") as caught:
        make_split(dataset, SplitRequest(by="scanner"))
    assert "site" in caught.value.hint
    with pytest.raises(UsageError, match="“group”"):
        make_split(make(rows(20)), SplitRequest(by="group"))


def test_a_rare_class_stands_on_every_side(make: Make) -> None:
    data = [{"target": (0,)} for _ in range(50)] + [{"target": (1,)} for _ in range(3)]
    found = shares(dataset := make(data), make_split(dataset, SplitRequest())[0])
    assert {side: count[(1,)] for side, count in found.items()} == {"train": 1, "val": 1, "test": 1}


def test_a_class_of_two_does_without_validation_and_that_is_said(make: Make) -> None:
    data = [{"target": (0,)} for _ in range(50)] + [{"target": (1,)} for _ in range(2)]
    (split,) = make_split(make(data), SplitRequest())
    assert any("No image of yes stands in validation" in warning for warning in split.warnings)


def test_a_class_of_one_patient_cannot_be_learnt_and_tested(make: Make) -> None:
    data = [{"target": (0,), "patient": f"p{n}"} for n in range(50)]
    data += [{"target": (1,), "patient": "single"} for _ in range(5)]
    with pytest.raises(SplitError, match="“yes” has only 1 patient"):
        make_split(make(data), SplitRequest())
    with pytest.raises(SplitError, match="“yes” has only 1 patient, too few for 5 folds"):
        make_split(make(data), SplitRequest(folds=5))


def test_too_few_for_the_partitions_or_folds(make: Make) -> None:
    with pytest.raises(SplitError, match="2 patients for 3 partitions"):
        make_split(make(rows(4)), SplitRequest())
    with pytest.raises(SplitError, match="2 patients for 3 folds"):
        make_split(make(rows(4)), SplitRequest(folds=3))
    one_side = make([{"target": (n % 2,)} for n in range(4)])
    with pytest.raises(SplitError, match=r"No image (would be left|of)"):
        make_split(one_side, SplitRequest(ratios="98/1/1"))


@pytest.mark.parametrize("folds", [1, 101, -1])
def test_numbers_of_folds_that_make_no_sense(folds: int) -> None:
    with pytest.raises(UsageError, match="folds"):
        SplitRequest(folds=folds)


def test_requests_that_contradict_themselves() -> None:
    from pathlib import Path

    for request in ({"accept": "x", "drop": True}, {"accept": "  "}, {"official": True, "file": Path("x")}):
        with pytest.raises(UsageError):
            SplitRequest(**request)


def test_each_sample_is_tested_in_one_fold(make: Make) -> None:
    dataset = make(rows(100))
    splits = make_split(dataset, SplitRequest(folds=5, seed=3), split_id="d-s4")
    assert [split.id for split in splits] == [f"d-s4-f{n}" for n in range(1, 6)]
    assert {split.family for split in splits} == {"d-s4"}
    assert [split.fold for split in splits] == [1, 2, 3, 4, 5]
    tested = Counter(sample for split in splits for sample in split.samples_in(Partition.TEST))
    assert tested == Counter({sample.id: 1 for sample in dataset.samples})
    for split in splits:
        assert split.sizes["val"] == pytest.approx(12, abs=2)
        assert split.sizes["test"] == pytest.approx(20, abs=2)
        assert "fold" in split.rule


def test_findings_are_shared_out_too(make: Make) -> None:
    rng = np.random.default_rng(0)
    data = [
        {"target": tuple(int(mark) for mark in rng.random(3) < (0.5, 0.2, 0.05)), "patient": f"p{n // 3}"}
        for n in range(600)
    ]
    dataset = make(data, Task.MULTILABEL, ("a", "b", "c"))
    (split,) = make_split(dataset, SplitRequest())
    whole = targets(dataset, [sample.id for sample in dataset.samples]).sum(axis=0)
    tested = targets(dataset, split.samples_in(Partition.TEST)).sum(axis=0)
    assert np.allclose(tested, whole * 0.15, atol=3)


def test_a_finding_without_positives_warns_only(make: Make) -> None:
    data = [{"target": (n % 2, UNKNOWN if n else 1)} for n in range(40)]
    dataset = make(data, Task.MULTILABEL, ("a", "rare"))
    (split,) = make_split(dataset, SplitRequest())
    assert any("rare stands in the test" in warning for warning in split.warnings)
    assert len(make_split(dataset, SplitRequest(folds=4))) == 4


def test_official_folds_that_are_not_followed_are_said(make: Make) -> None:
    dataset = make(rows(40, fold="train"))
    (split,) = make_split(dataset, SplitRequest(ratios="70/15/15"))
    assert any("official folds" in warning for warning in split.warnings)


# -- arrays and hashes for others


def test_targets_and_patients_as_arrays(make: Make) -> None:
    dataset = make([{"target": (1,), "patient": "p"}, {"target": (0,)}])
    assert targets(dataset, ["s000002", "s000001"]).tolist() == [0, 1]
    assert targets(dataset, []).shape == (0,)
    assert targets(dataset, ["s000001"]).dtype == np.int64
    assert patients(dataset, ["s000002", "s000001"]) == ["image s000002", "p"]
    assert patients(make([{"target": (1,)}]), ["s000001"]) is None
    several = make([{"target": (1, UNKNOWN)}], Task.MULTILABEL)
    assert targets(several, ["s000001"]).tolist() == [[1, -1]]
    assert targets(several, []).shape == (0, 2)
    assert targets(several, ["s000001"]).dtype == np.int8
    with pytest.raises(NotFound, match="s9"):
        targets(dataset, ["s9"])


def test_the_seal_follows_pixels_and_nothing_else(make: Make) -> None:
    data = [{"target": (n % 2,), "pixels_sha256": str(n)} for n in range(4)]
    first = make(data)
    relabelled = make([{**row, "target": (1,), "id": f"x{n}", "patient": "p"} for n, row in enumerate(reversed(data))])
    assert sample_set_hash(first, ["s000001", "s000002"]) == sample_set_hash(relabelled, ["x2", "x3"])
    assert sample_set_hash(first, ["s000001"]) != sample_set_hash(first, ["s000001", "s000002"])
    with pytest.raises(NotFound, match="s9"):
        sample_set_hash(first, ["s9"])

"""The published divisions: counts that the studies' own code gives, leaks repeated and marked, corrected variants."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.datasets.published_rules import REASON, RULES, presets_of
from medfm_gui.datasets.split import SplitRequest, make_split
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import SplitError, UsageError
from medfm_gui.domain.split import LeakKind, Partition, Split

Make = Callable[..., Dataset]
GRADES = ("0", "1", "2", "3", "4")


def of_layout(dataset: Dataset, layout: str, source: Path | str = "/nowhere") -> Dataset:
    return replace(dataset, layout=layout, source=str(source))


def one(dataset: Dataset, preset: str) -> Split:
    (split,) = make_split(dataset, SplitRequest(preset=preset))
    return split


def sizes(split: Split) -> tuple[int, int, int]:
    return split.sizes["train"], split.sizes["val"], split.sizes["test"]


@pytest.mark.parametrize(("rows", "counts"), [(2930, (2051, 439, 440)), (3662, (2564, 549, 549))])
def test_aptos_has_the_published_counts(make: Make, rows: int, counts: tuple[int, int, int]) -> None:
    given = [{"target": (n % 5,), "path": f"train_images/{n:05d}.png"} for n in range(rows)]
    split = one(of_layout(make(given, Task.ORDINAL, GRADES), "aptos2019"), "study-a-as-published")
    assert sizes(split) == counts
    assert split.as_published
    assert not split.leaks
    assert split.acceptance is None


def test_aptos_follows_the_order_of_its_table(make: Make, tmp_path: Path) -> None:
    names = [f"{n:03d}" for n in range(100)]
    order = names[:]
    random.Random(7).shuffle(order)  # noqa: S311 - an order for the test
    with (tmp_path / "train_1.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("id_code", "diagnosis"), *((name, 0) for name in order)])
    given = [{"target": (int(name) % 5,), "path": f"train_images/{name}.png"} for name in names]
    split = one(of_layout(make(given, Task.ORDINAL, GRADES), "aptos2019", tmp_path), "study-a-as-published")
    places = list(range(100))
    random.Random(42).shuffle(places)  # noqa: S311 - the published rule
    expected = {order[place] for place in places[15:30]}
    path = {f"s{n + 1:06d}": name for n, name in enumerate(names)}
    assert {path[name] for name in split.samples_in(Partition.TEST)} == expected
    assert not any("not at the source" in text for text in split.warnings)


def test_isic_repeats_its_leaks_and_corrects_them(make: Make) -> None:
    given = [
        {"target": (n % 8,), "group": f"lesion{n // 3}", "path": f"ISIC_{n:07d}.jpg", "fold": "train"}
        for n in range(600)
    ]
    dataset = of_layout(make(given, Task.MULTICLASS, tuple("abcdefgh")), "isic2019")
    published = one(dataset, "study-a-as-published")
    assert sizes(published) == (480, 60, 60)
    assert {leak.kind for leak in published.leaks} == {LeakKind.GROUP}
    assert published.acceptance == REASON
    assert published.certificate is not None
    assert published.certificate.accepted == REASON
    corrected = one(dataset, "study-a")
    assert not corrected.leaks
    assert not corrected.as_published
    assert sizes(corrected) == pytest.approx((480, 60, 60), abs=6)
    assert corrected.rule.startswith("study-a: 80/10/10 by group")


def test_the_real_number_of_isic_images_gives_the_published_sizes(make: Make) -> None:
    given = [{"target": (n % 8,), "path": f"ISIC_{n:07d}.jpg"} for n in range(25331)]
    split = one(of_layout(make(given, Task.MULTICLASS, tuple("abcdefgh")), "isic2019"), "study-a-as-published")
    assert sizes(split) == (20265, 2533, 2533)


def test_chexpert_is_cut_by_labels_after_sorting(make: Make, tmp_path: Path) -> None:
    paths = [f"train/patient{p:05d}/study{s}/view1_frontal.jpg" for p in range(1, 101) for s in range(1, 12)]
    with (tmp_path / "train.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("Path",), *((f"CheXpert-v1.0-small/{path}",) for path in paths)])
    given = [
        {"target": (n % 2, 1), "path": path, "patient": path.split("/")[1], "fold": "train"}
        for n, path in enumerate(sorted(paths))
    ]
    given.append(
        {"target": (1, 1), "path": "valid/patient64541/study1/view1_frontal.jpg", "patient": "v", "fold": "val"}
    )
    dataset = of_layout(make(given, Task.MULTILABEL, ("a", "b")), "chexpert", tmp_path)
    split = one(dataset, "study-a-as-published")
    order = sorted(paths)
    last = int(0.2 * len(paths)) + 15
    middle, end = order.index(paths[last // 2]), order.index(paths[last])
    assert sizes(split) == (len(paths) - end - 1, middle, end - middle + 1)
    assert 0 < len({leak.b for leak in split.leaks if leak.kind is LeakKind.PATIENT}) <= 2
    corrected = one(dataset, "study-a")
    assert not corrected.leaks
    assert len(corrected.assignments) == len(paths)


@pytest.mark.parametrize(
    ("layout", "count", "expected"), [("montgomery", 138, (69, 23, 46)), ("shenzhen", 566, (361, 91, 114))]
)
def test_every_nth_image(make: Make, layout: str, count: int, expected: tuple[int, int, int]) -> None:
    dataset = of_layout(make([{"target": (n % 2,), "path": f"{n:04d}.png"} for n in range(count)]), layout)
    assert sizes(one(dataset, "study-b-as-published")) == expected


def patients_of(split: Split, dataset: Dataset) -> tuple[int, ...]:
    who = {sample.id: sample.patient for sample in dataset.samples}
    return tuple(
        len({who[name] for name in split.samples_in(side)}) for side in (Partition.TRAIN, Partition.VAL, Partition.TEST)
    )


def test_sars_and_brain_tumours_have_the_published_numbers_of_patients(make: Make) -> None:
    given = [
        {"target": (kind != "Covid",), "patient": f"{kind}/{n}", "path": f"{kind}/{n}/{slice_}.png"}
        for kind, count in (("Covid", 80), ("Healthy", 50), ("Others", 80))
        for n in range(count)
        for slice_ in range(2)
    ]
    sars = of_layout(make(given), "sars-cov2-ct")
    assert patients_of(one(sars, "study-b-as-published"), sars) == (90, 50, 70)
    slices = [{"target": (n % 3,), "patient": f"p{n // 3}", "path": f"{n + 1}.mat"} for n in range(699)]
    tumours = of_layout(make(slices, Task.MULTICLASS, ("a", "b", "c")), "brain-tumor")
    assert patients_of(one(tumours, "study-b"), tumours) == (113, 50, 70)


@pytest.mark.parametrize(
    ("task", "count", "expected"), [("Hippocampus", 260, (120, 60, 80)), ("Spleen", 41, (16, 10, 15))]
)
def test_volumes_of_the_decathlon(make: Make, task: str, count: int, expected: tuple[int, int, int]) -> None:
    given = [{"target": (), "masks": ("m",), "path": f"imagesTr/{task}_{n:03d}.nii.gz"} for n in range(count)]
    dataset = of_layout(make(given, Task.SEGMENTATION, ("a",)), "msd", f"/data/Task_{task}")
    assert sizes(one(dataset, "study-b-as-published")) == expected


def test_of_heart_nothing_is_published(make: Make) -> None:
    given = [{"target": (), "masks": ("m",), "path": f"imagesTr/la_{n:03d}.nii.gz"} for n in range(20)]
    dataset = of_layout(make(given, Task.SEGMENTATION, ("a",)), "msd", "/data/Task02_Heart")
    assert presets_of(dataset) == ()
    with pytest.raises(UsageError, match="not published"):
        one(dataset, "study-b")


def test_amos_takes_computed_tomography_alone(make: Make) -> None:
    given = [
        {
            "target": (),
            "masks": ("m",),
            "path": f"a{n:04d}.nii.gz",
            "covariates": {"modality": "CT" if n < 300 else "MR"},
        }
        for n in range(360)
    ]
    split = one(of_layout(make(given, Task.SEGMENTATION, ("a",)), "amos22"), "study-b-as-published")
    assert sizes(split) == (80, 20, 50)
    assert {item.sample for item in split.assignments} <= {f"s{n:06d}" for n in range(1, 301)}


def folds(counts: Sequence[tuple[str, int]], patients: int) -> list[dict[str, Any]]:
    names = [name for name, count in counts for _ in range(count)]
    return [{"target": (n % 2, 1), "fold": name, "patient": f"p{n // patients}"} for n, name in enumerate(names)]


@pytest.mark.parametrize("layout", ["nih-cxr14", "chexpert"])
def test_official_lists_are_taken_as_they_are_and_corrected_by_moving(make: Make, layout: str) -> None:
    given = folds((("train", 31), ("val", 10), ("test", 19)), 4)
    dataset = of_layout(make(given, Task.MULTILABEL, ("a", "b")), layout)
    published = one(dataset, "study-b-as-published")
    assert sizes(published) == (31, 10, 19)
    assert published.leaks
    corrected = one(dataset, "study-b")
    assert not corrected.leaks
    assert corrected.sizes["test"] >= 19
    assert len(corrected.assignments) == 60


def test_lists_that_are_not_there_are_missed(make: Make) -> None:
    with pytest.raises(SplitError, match="lacks test"):
        one(of_layout(make([{"target": (n % 2,), "fold": "train"} for n in range(8)]), "ddsm"), "study-a")
    with pytest.raises(SplitError, match="not released"):
        given = [{"target": (), "masks": ("m",), "fold": "train"} for _ in range(30)]
        one(of_layout(make(given, Task.SEGMENTATION, ("a",)), "btcv"), "study-b")
    with pytest.raises(SplitError, match="too small"):
        one(
            of_layout(make([{"target": (1, 1)} for _ in range(12)], Task.MULTILABEL, ("a", "b")), "chexpert"), "study-a"
        )


def test_btcv_alternates(make: Make) -> None:
    given = [{"target": (), "masks": ("m",), "fold": "train" if n < 30 else "test"} for n in range(50)]
    assert sizes(one(of_layout(make(given, Task.SEGMENTATION, ("a",)), "btcv"), "study-b")) == (15, 15, 20)


def test_a_layout_without_a_rule_says_what_there_is(make: Make) -> None:
    dataset = make([{"target": (n % 2,)} for n in range(20)])
    assert presets_of(dataset) == ()
    with pytest.raises(UsageError, match="no rule"):
        one(dataset, "study-a")
    ddsm = of_layout(dataset, "ddsm")
    with pytest.raises(UsageError) as caught:
        one(ddsm, "study-c")
    assert "study-a, study-a-as-published" in caught.value.hint


def test_every_rule_belongs_to_a_layout_that_there_is() -> None:
    from medfm_gui.datasets.layouts import LAYOUTS

    assert {rule.layout for rule in RULES} <= {layout.name for layout in LAYOUTS}
    assert all(rule.title and rule.study in ("study-a", "study-b") for rule in RULES)

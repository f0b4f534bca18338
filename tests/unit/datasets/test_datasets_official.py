"""Divisions that others made meet the leak gate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.datasets.leaks import find_leaks
from medfm_gui.datasets.split import SplitRequest, make_split
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import LeakError, SplitError, TableError
from medfm_gui.domain.split import Leak, LeakKind, Partition

Make = Callable[..., Dataset]


def published(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Forty images: train 20, val 10, test 10; ``s7={…}`` changes the seventh."""
    folds = ["Train"] * 20 + ["valid"] * 10 + ["test"] * 10
    return [{"target": (n % 2,), "fold": fold, **changes.get(f"s{n}", {})} for n, fold in enumerate(folds, 1)]


def test_official_partitions_are_taken_as_they_are(make: Make) -> None:
    (split,) = make_split(make(published()), SplitRequest())
    assert split.sizes == {"train": 20, "val": 10, "cal": 0, "test": 10}
    assert split.rule == "official train/val/test"
    (asked,) = make_split(make(published()), SplitRequest(official=True, ratios="70/15/15"))
    assert asked.assignments == split.assignments


def test_a_leak_is_refused_accepted_or_dropped(make: Make) -> None:
    dataset = make(published(s3={"pixels_sha256": "same"}, s35={"pixels_sha256": "same"}))
    with pytest.raises(LeakError, match="identical pixels of test") as caught:
        make_split(dataset, SplitRequest())
    expected = (Leak(LeakKind.PIXELS, "s000003", "s000035", ("train", "test")),)
    assert caught.value.leaks == expected
    assert "--accept-leaks" in caught.value.hint
    (kept,) = make_split(dataset, SplitRequest(accept="as published"))
    assert (kept.leaks, kept.acceptance, kept.dropped) == (expected, "as published", ())
    (dropped,) = make_split(dataset, SplitRequest(drop=True))
    assert (dropped.leaks, dropped.acceptance, dropped.dropped) == ((), None, ("s000003",))
    assert dropped.sizes == {"train": 19, "val": 10, "cal": 0, "test": 10}


def test_identical_images_with_different_labels_are_said(make: Make) -> None:
    dataset = make(published(s3={"pixels_sha256": "x", "frame": 3}, s36={"pixels_sha256": "x"}))
    (split,) = make_split(dataset, SplitRequest(accept="as published"))
    assert any("different labels" in warning and "images/0003.png 3" in warning for warning in split.warnings)


def test_test_is_guarded_before_validation_before_training(make: Make) -> None:
    dataset = make(
        published(
            s1={"patient": "p"}, s25={"patient": "p"}, s40={"patient": "p"}, s2={"patient": "q"}, s26={"patient": "q"}
        )
    )
    named = {"Train": Partition.TRAIN, "valid": Partition.VAL, "test": Partition.TEST}
    sides = {sample.id: named[sample.fold] for sample in dataset.samples if sample.fold}
    leaks = find_leaks(dataset, sides)
    assert [(leak.a, leak.b) for leak in leaks] == [
        ("s000001", "s000040"),
        ("s000002", "s000026"),
        ("s000025", "s000040"),
    ]
    (split,) = make_split(dataset, SplitRequest(drop=True))
    assert split.dropped == ("s000001", "s000002", "s000025")


def test_validation_is_drawn_from_training_by_patient(make: Make) -> None:
    data = [{"target": (n % 2,), "fold": "train", "patient": f"p{n // 4}"} for n in range(200)]
    data += [{"target": (n % 2,), "fold": "test", "patient": f"t{n}"} for n in range(20)]
    (split,) = make_split(make(data), SplitRequest())
    assert split.sizes["val"] == pytest.approx(30, abs=4)
    assert "validation 15% of the training side by patient" in split.rule


def test_accepted_leaks_are_counted_again_after_validation_is_drawn(make: Make) -> None:
    data = [{"target": (n % 2,), "fold": "train", "patient": f"p{n // 4}"} for n in range(200)]
    data += [{"target": (n % 2,), "fold": "test", "patient": f"p{n}"} for n in range(20)]
    dataset = make(data)
    (split,) = make_split(dataset, SplitRequest(accept="as published"))
    assert split.leaks == find_leaks(dataset, {item.sample: item.partition for item in split.assignments})
    assert {leak.partitions for leak in split.leaks} == {("train", "test"), ("val", "test")}


def test_numbered_folds_are_tested_in_turn(make: Make) -> None:
    data = [{"target": (n // 5 % 2,), "fold": str(n % 5 + 1), "patient": f"p{n}"} for n in range(100)]
    splits = make_split(make(data), SplitRequest(), split_id="d-s1")
    assert [split.id for split in splits] == [f"d-s1-f{n}" for n in range(1, 6)]
    assert all(split.sizes["test"] == 20 and split.sizes["val"] == 12 for split in splits)
    assert splits[1].rule.startswith("official fold 2 (2 of 5) as test, validation 15%")


def test_without_patients_a_whole_fold_validates(make: Make) -> None:
    data = [{"target": (n // 5 % 2,), "fold": str(n % 5 + 1)} for n in range(100)]
    splits = make_split(make(data), SplitRequest())
    assert all(split.sizes == {"train": 60, "val": 20, "cal": 0, "test": 20} for split in splits)
    assert splits[4].rule == "official fold 5 (5 of 5) as test, fold 1 as validation"
    assert any("cannot be checked" in warning for warning in splits[0].warnings)
    two = make_split(make([{**row, "fold": str(n % 2)} for n, row in enumerate(data)]), SplitRequest())
    assert all(split.sizes["val"] > 0 for split in two)


def test_leaks_of_all_folds_come_at_once_and_each_once(make: Make) -> None:
    data = [{"target": (n // 4 % 2,), "fold": str(n % 4), "patient": f"p{n}"} for n in range(80)]
    data[0]["patient"] = data[1]["patient"] = "p"
    with pytest.raises(LeakError) as caught:
        make_split(make(data), SplitRequest())
    assert [{leak.a, leak.b} for leak in caught.value.leaks] == [{"s000001", "s000002"}]
    splits = make_split(make(data), SplitRequest(drop=True))
    assert [split.dropped for split in splits] == [("s000002",), ("s000001",), (), ()]


def test_samples_without_a_fold_stand_nowhere(make: Make) -> None:
    (split,) = make_split(make(published(s4={"fold": None})), SplitRequest())
    assert split.sizes["train"] == 19
    assert any("1 image stand on no side" in warning for warning in split.warnings)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["train"] * 40, "0 test images"),
        (["a"] * 40, "neither train"),
        (["train"] * 20 + ["7"] * 20, "neither train"),
        ([None] * 40, "no official folds"),
    ],
)
def test_folds_that_are_no_division(make: Make, names: list[str | None], said: str) -> None:
    data = [{"target": (n % 2,), "fold": name} for n, name in enumerate(names)]
    with pytest.raises(SplitError, match=said):
        make_split(make(data), SplitRequest(official=True))


def test_a_class_that_is_not_in_training_is_refused(make: Make) -> None:
    data = [{"target": (0,), "fold": "train"}] * 20 + [{"target": (1,), "fold": "test"}] * 20
    with pytest.raises(SplitError, match="No image of yes would stand in training"):
        make_split(make(data), SplitRequest())


# -- lists


def listed(folder: Path, rows: list[tuple[str, str]], header: str = "path,partition") -> Path:
    path = folder / "list.csv"
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]))
    return path


def test_a_list_by_path_name_or_id(tmp_path: Path, make: Make) -> None:
    dataset = make([{"target": (n % 2,)} for n in range(30)])
    names = [
        f"images/{n + 1:04d}.png" if n % 3 == 0 else f"{n + 1:04d}" if n % 3 == 1 else f"s{n + 1:06d}"
        for n in range(30)
    ]
    sides = ["train"] * 15 + ["val"] * 5 + ["Testing"] * 10
    path = listed(tmp_path, [*zip(names, sides, strict=True), ("unknown.png", "test")])
    (split,) = make_split(dataset, SplitRequest(file=path))
    assert split.sizes == {"train": 15, "val": 5, "cal": 0, "test": 10}
    assert split.rule == "list list.csv"
    assert split.settings["file"] == "list.csv"
    assert any("unknown.png" in warning for warning in split.warnings)


def test_a_name_that_several_images_bear_names_none_of_them(tmp_path: Path, make: Make) -> None:
    paths = [f"{folder}/{name}.png" for folder in "ab" for name in ("same", *"cdefg")]
    dataset = make([{"target": (n % 2,), "path": path} for n, path in enumerate(paths)])
    named = ["a/c", "a/d.png", ".\\a\\e.png", "./a/f.png", "somewhere/else/s000006", "b/same", "same", "same.png", "c"]
    rows = [(name, "train" if n < 4 else "test") for n, name in enumerate(named)]
    (split,) = make_split(dataset, SplitRequest(file=listed(tmp_path, rows), by="image"))
    placed = {item.sample for item in split.assignments}
    assert placed == {"s000002", "s000003", "s000004", "s000005", "s000006", "s000007"}
    (said,) = (text for text in split.warnings if "left out" in text)
    assert said.startswith("3 rows of the list left out: “same” is the name of several images (s000001, s000007)")
    assert "same.png, c" in said and said.endswith("Write the sample ids, or the paths with their folders.")
    assert not any("without a sample" in text for text in split.warnings)


def test_a_list_of_names_that_all_mean_several_images_says_so(tmp_path: Path, make: Make) -> None:
    dataset = make([{"target": (n % 2,), "path": f"{folder}/1.png"} for n, folder in enumerate("abcd")])
    with pytest.raises(TableError, match=r"“1\.png” is the name of several images") as caught:
        make_split(dataset, SplitRequest(file=listed(tmp_path, [("1.png", "train")])))
    assert "with their folders" in caught.value.hint


def test_a_whole_path_and_an_id_are_not_ambiguous(tmp_path: Path, make: Make) -> None:
    paths = ["s000002.png", *(f"a/{n}.png" for n in range(10)), "0.png"]
    dataset = make([{"target": (n % 2,), "path": path} for n, path in enumerate(paths)])
    sides = ["train"] * 8 + ["test"] * 4
    by_path = listed(tmp_path, list(zip(paths, sides, strict=True)))
    (split,) = make_split(dataset, SplitRequest(file=by_path, by="image"))
    assert split.sizes["test"] == 4 and len(split.assignments) == 12
    ids = [sample.id for sample in dataset.samples]
    by_id = listed(tmp_path, list(zip(ids, sides, strict=True)), "sample,partition")
    (again,) = make_split(dataset, SplitRequest(file=by_id, by="image"))
    assert [item.sample for item in again.assignments] == ids


def test_paths_count_where_the_ids_of_a_list_are_those_of_another_dataset(tmp_path: Path, make: Make) -> None:
    whole = make([{"target": (n % 2,), "path": f"images/{n}.png", "pixels_sha256": str(n)} for n in range(20)])
    fewer = make(
        [{"target": (n % 2,), "path": f"images/{n}.png", "pixels_sha256": str(n)} for n in range(20) if n != 4]
    )
    sides = {f"images/{n}.png": "train" if n < 10 else "val" if n < 14 else "test" for n in range(20)}
    rows = [(sample.id, sample.path, sides[sample.path]) for sample in whole.samples]
    table = tmp_path / "list.csv"
    table.write_text("\n".join(["sample,path,partition", *(",".join(row) for row in rows)]))
    (split,) = make_split(fewer, SplitRequest(file=table, by="image"))
    place = {sample.id: sample.path for sample in fewer.samples}
    assert {place[item.sample]: item.partition.value for item in split.assignments} == {
        path: side for path, side in sides.items() if path != "images/4.png"
    }
    assert any("s000005 (images/4.png)" in text for text in split.warnings)
    assert any("14 rows would be another image" in text and "paths were followed" in text for text in split.warnings)


@pytest.mark.parametrize(("side", "said"), [("", "“s000002” no partition"), ("trian", "“trian” in the column")])
def test_a_cell_that_names_no_side_is_found_by_its_line(tmp_path: Path, make: Make, side: str, said: str) -> None:
    path = listed(tmp_path, [("s000001", "train"), ("s000002", side), ("s000003", "test")], "sample,partition")
    with pytest.raises(SplitError, match=rf"{said}.*\(line 3\)"):
        make_split(make(published()), SplitRequest(file=path))


def test_a_list_names_frames_of_an_archive(tmp_path: Path, make: Make) -> None:
    dataset = make(
        [{"target": (n % 2,), "path": "a.npz#train", "frame": n, "pixels_sha256": str(n)} for n in range(10)]
    )
    rows = [(f"a.npz#train#{n}", "train" if n < 6 else "val" if n < 8 else "test") for n in range(10)]
    (split,) = make_split(dataset, SplitRequest(file=listed(tmp_path, rows)))
    assert split.sizes == {"train": 6, "val": 2, "cal": 0, "test": 2}


@pytest.mark.parametrize(
    ("rows", "header", "error", "said"),
    [
        ([("s000001", "train"), ("s000001", "test")], "sample,partition", SplitError, "into train and into test"),
        ([("s000001", "left")], "sample,partition", SplitError, "“left”"),
        ([("x", "train")], "sample,partition", TableError, "names no sample"),
        ([("s000001", "train")], "sample,what", TableError, "needs a column"),
    ],
)
def test_lists_that_do_not_fit(
    tmp_path: Path, make: Make, rows: list[tuple[str, str]], header: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        make_split(make(published()), SplitRequest(file=listed(tmp_path, rows, header)))


def test_a_list_that_leaks_is_refused(tmp_path: Path, make: Make) -> None:
    dataset = make([{"target": (n % 2,), "patient": f"p{n // 2}"} for n in range(20)])
    rows = [(f"s{n + 1:06d}", "train" if n < 13 else "test") for n in range(20)]
    with pytest.raises(LeakError) as caught:
        make_split(dataset, SplitRequest(file=listed(tmp_path, rows)))
    assert [(leak.a, leak.b) for leak in caught.value.leaks] == [("s000013", "s000014")]


@pytest.mark.parametrize(
    ("request_of", "words"),
    [
        ({"accept": "to see"}, "on two sides: "),
        ({"drop": True}, "were parted by dropping one"),
        ({"move": True}, "went to one side"),
    ],
)
def test_what_was_done_about_contradicting_labels_is_said(
    make: Callable[..., Dataset], request_of: dict[str, Any], words: str
) -> None:
    rows = [{"target": (n % 2,), "fold": "test" if n >= 15 else "train"} for n in range(20)]
    rows[0] |= {"pixels_sha256": "same", "target": (0,)}
    rows[19] |= {"pixels_sha256": "same", "target": (1,)}
    (split,) = make_split(make(rows), SplitRequest(official=True, **request_of))
    (said,) = (text for text in split.warnings if "different labels" in text)
    assert words in said

"""What the importers of published releases share: names found whatever the nesting, counts, and the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from medfm_gui.datasets import published
from medfm_gui.datasets.files import read_dataset, write_dataset
from medfm_gui.datasets.layout import Layout
from medfm_gui.datasets.layouts import LAYOUTS
from medfm_gui.datasets.listing import ImportOptions
from medfm_gui.datasets.published import Gathering, find_file, find_folder, images_below, records
from medfm_gui.datasets.table import read_table
from medfm_gui.domain.dataset import Count, Dataset, Statement, Task
from medfm_gui.domain.errors import InputError, TableError
from tests.fixtures import releases
from tests.fixtures.hostile import Inside


def touch(root: Path, *names: str) -> Path:
    return releases.plant(root, dict.fromkeys(names, b"x"))


def test_files_are_found_up_to_two_levels_down_the_nearest_first(tmp_path: Path) -> None:
    root = touch(tmp_path, "a/b/Train.csv", "a/b/c/deep.csv", "z/train.csv", "__MACOSX/train.csv", ".x/train.csv")
    assert find_file(root, "TRAIN.CSV") == root / "z/train.csv"
    assert find_file(root / "a", "train.csv") == root / "a/b/Train.csv"
    assert find_file(root, "deep.csv") is None
    assert find_file(root, "deep.csv", depth=3) == root / "a/b/c/deep.csv"
    assert find_file(root, "none.csv", "train.csv") == root / "z/train.csv"
    assert find_file(root / "z/train.csv", "Train.csv") == root / "z/train.csv"
    assert find_file(root / "nowhere", "train.csv") is None


def test_a_folder_of_many_patients_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "_MOST_FOLDERS", 2)
    root = touch(tmp_path, "p1/t.csv", "p2/t.csv", "p3/t.csv")
    assert find_file(root, "t.csv") is None


def test_folders_are_found_and_the_source_itself(tmp_path: Path) -> None:
    root = touch(tmp_path, "x/Images/1.png")
    assert find_folder(root, "images") == root / "x/Images"
    assert find_folder(root / "x/Images", "images") == root / "x/Images"
    assert find_folder(root / "x/Images/1.png", "images") is None
    with pytest.raises(InputError, match="holds no folder “labels”"):
        published.needed(find_folder(root, "labels"), "folder “labels”", root)


def test_images_by_name_path_and_case(tmp_path: Path) -> None:
    root = touch(tmp_path, "a/1.PNG", "a/2.png", "b/2.png", "b/.3.png", "b/readme.txt")
    images = images_below(root)
    assert images.files == ("a/1.PNG", "a/2.png", "b/2.png")
    assert images.named("1") == images.named("x/y/1.jpg") == "a/1.PNG"
    assert images.named("2") is None and images.named("b\\2.png") == "b/2.png"
    assert images.junk == ("b/.3.png",)
    only = images_below(root, root / "b")
    assert only.files == ("b/2.png",) and only.named("1") is None
    once = images_below(root, unique=True)
    assert (once.files, once.copies, once.named("2")) == (("a/1.PNG", "a/2.png"), ("b/2.png",), "a/2.png")


def test_gathering_notes_what_is_missing_repeated_and_unlisted(tmp_path: Path) -> None:
    root = touch(tmp_path, "1.png", "2.png", "3.png", "Thumbs.db")
    found = Gathering(images_below(root))
    assert found.take("1", ("a",), patient="p", covariates={"sex": "", "age": "5"})
    assert not found.take("9.png", ("a",))
    assert not found.take("1.png", ("b",))
    found.leave("2.png", "policy", "Left out.")
    assert [(entry.path, entry.labels, dict(entry.covariates)) for entry in found.entries] == [
        ("1.png", ("a",), {"age": "5"})
    ]
    assert [(item.path, item.reason) for item in found.skipped] == [
        ("9.png", "missing_image"),
        ("1.png", "repeated"),
        ("2.png", "policy"),
    ]
    assert found.remarks() == (
        "Not taken, because no row names them: 1 image (3.png).",
        "1 file of file managers left out: Thumbs.db.",
    )


def test_records_and_what_a_table_lacks(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('Left or Right,image\nLEFT,"a\n"\n')
    table = read_table(tmp_path / "t.csv")
    assert list(records(table)) == [{"leftorright": "LEFT", "image": "a"}]
    published.lacking(table, "left_or_right", "IMAGE")
    with pytest.raises(TableError, match=r"“t\.csv” lacks “patient”"):
        published.lacking(table, "patient", "image")
    assert published.header(tmp_path / "t.csv") == {"leftorright", "image"}
    assert published.header(None) == published.header(tmp_path / "none.csv") == frozenset()


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (Count("images", 25330, 25331), "25,331 images known, 25,330 found: 1 missing"),
        (Count("images", 25333, 25331), "25,331 images known, 25,333 found: 2 more"),
        (Count("images", 25331, 25331), "25,331 images known, 25,331 found: as published"),
        (Count("lesions", 7), "7 lesions found; no number was published"),
    ],
)
def test_counts_in_words(count: Count, sentence: str) -> None:
    assert published.difference(count) == sentence


def test_a_dataset_keeps_counts_policies_statement_and_parent(tmp_path: Path) -> None:
    made = Dataset(
        "d", "d", "x", Task.MULTICLASS, ("a", "b"), "/nowhere", (), "f" * 64,
        counts=(Count("images", 1, 2, "data"),), policies={"views": "frontal"},
        statement=Statement(unit="image", codes={"a": "SCT 1"}, redistribution=True), parent="c",
    )  # fmt: skip
    write_dataset(tmp_path / "d", made)
    assert read_dataset(tmp_path / "d") == made


# -- every layout


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_policies_and_presets_of_every_layout(layout: Layout, tmp_path: Path) -> None:
    for preset in layout.presets:
        chosen = layout.chosen(ImportOptions(preset=preset))
        assert {**chosen, **layout.presets[preset]} == chosen
    for policy in layout.policies:
        values = [choice.value for choice in policy.choices]
        assert len(set(values)) == len(values) > 1 and policy.standard in values
        assert policy.title and all(choice.title for choice in policy.choices)
        assert not {letter for value in (policy.name, *values) for letter in value} & set(" =;,|")
    assert len({policy.name for policy in layout.policies}) == len(layout.policies)
    assert layout.recognises(touch(tmp_path / "other", "readme.txt")) is None
    assert layout.recognises(tmp_path / "other/readme.txt") is None


def test_layouts_have_names_of_their_own() -> None:
    names = [layout.name for layout in LAYOUTS]
    assert len(set(names)) == len(names)
    assert names[-1] == "folder", "what any folder may be comes after every release"


# -- the command line


def test_layouts_lists_policies_and_presets(tmp_path: Path) -> None:
    rows = {row["name"]: row for row in Inside(tmp_path).json("layouts")["layouts"]}
    policies = {item["name"]: item for item in rows["cbis-ddsm"]["policies"]}
    assert policies["image"]["default"] == "full"
    assert [choice["value"] for choice in policies["image"]["choices"]] == ["full", "crop"]
    assert rows["ddsm"]["presets"]["study-a"]["pathology"] == "normal-vs-lesion"
    assert rows["folder"]["policies"] == [] and rows["folder"]["presets"] == {}


def test_a_dry_run_compares_with_the_known_numbers(tmp_path: Path) -> None:
    source = releases.plant(tmp_path / "isic", releases.isic2019())
    medfm = Inside(tmp_path / "ws")
    told = medfm.json("import", "auto", source, "--dry-run")
    counts = {item["what"]: item for item in told["counts"]}
    assert counts["training images"] == {
        "what": "training images", "found": 16, "known": 25331, "source": "data", "agrees": False
    }  # fmt: skip
    assert told["policies"] == {"official-test": "left-out"}
    assert told["statement"]["unit"] == "dermoscopic photograph of a lesion"
    assert told["dry_run"] is True


def test_policies_and_presets_by_command(tmp_path: Path) -> None:
    source = releases.plant(tmp_path / "aptos", releases.aptos_rehost())
    medfm = Inside(tmp_path / "ws")
    told = medfm.json("import", "aptos2019", source, "--dry-run", "--preset", "study-a")
    assert (told["n_samples"], told["policies"]) == (6, {"partitions": "train-only"})
    told = medfm.json("import", "aptos2019", source, "--preset", "study-a", "--policy", "partitions=joined")
    assert (told["n_samples"], told["policies"]) == (10, {"partitions": "joined"})
    for wrong in ("partitions", "partitions=", "colour=red", "partitions=none"):
        error = medfm.refused("import", "aptos2019", source, "--policy", wrong)
        assert error["kind"] == "usage_error"
    twice = ("--policy", "partitions=joined", "--policy", "partitions=as-given")
    assert "two values" in medfm.refused("import", "aptos2019", source, *twice)["message"]
    assert "no policy" in medfm.refused("import", "folder", source, "--policy", "partitions=joined")["message"]

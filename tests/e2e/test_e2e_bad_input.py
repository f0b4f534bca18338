"""Whatever is handed in, the answer is a sentence that says what to do, or a row that says why a file was left out."""

from __future__ import annotations

import inspect
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from medfm_gui.base import children
from medfm_gui.base.settings import load_settings
from medfm_gui.cli.app import app
from medfm_gui.datasets.walk import walk
from medfm_gui.workspace.models import every_model
from tests.fixtures.command import Medfm
from tests.fixtures.hostile import Inside, class_folders, image, images_with

TABLE = "file,dx,patient\n" + "".join(f"{number}.png,{'xy'[number % 2]},p{number}\n" for number in range(6))
DYING = Path(__file__).parents[1] / "unit" / "imaging" / "hostile_child.py"
LITE0 = ("--model", "efficientnet-lite0")


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inside:
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("MEDFM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("MEDFM_OFFLINE", "1")
    return Inside(tmp_path / "workspace")


# -- files


def test_every_bad_file_is_a_row_with_a_reason_and_the_rest_is_imported(inside: Inside, tmp_path: Path) -> None:
    source = class_folders(tmp_path / "source", {"a": 3, "b": 3})
    folder = source / "a"
    good = (folder / "0.png").read_bytes()
    (folder / "cut.png").write_bytes(good[: len(good) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("this is no picture")
    (folder / "letter.pdf").write_bytes(b"%PDF-1.7")
    image(100).save(folder / "really-a-jpeg.jpg")
    (folder / "really-a-jpeg.jpg").rename(folder / "really-a-jpeg.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "loop.png").symlink_to("loop.png")
    image(101).save(tmp_path / "elsewhere.png")
    (folder / "elsewhere.png").symlink_to(tmp_path / "elsewhere.png")
    (folder / "up").symlink_to(source)
    missing = np.ones((16, 16), np.float32)
    missing[3, 3] = np.nan
    Image.fromarray(missing).save(folder / "nan.tif")
    found = inside.json("import", "folder", source)
    assert {row["path"]: row["reason"] for row in found["skipped"]} == {
        "a/cut.png": "truncated",
        "a/empty.png": "empty",
        "a/text.png": "not_an_image",
        "a/letter.pdf": "not_an_image",
        "a/pipe.png": "not_regular",
        "a/zero.png": "outside",
        "a/loop.png": "unreadable",
        "a/elsewhere.png": "outside",
        "a/up": "link",
        "a/nan.tif": "nonfinite",
    }
    assert all(row["message"] for row in found["skipped"])
    assert found["n_samples"] == 7  # six, and the JPEG that is called PNG


def test_every_kind_of_pixels_is_accepted(inside: Inside, tmp_path: Path) -> None:
    source = class_folders(tmp_path / "source", {"a": 1, "b": 1})
    noise = np.random.default_rng(7)
    colours = Image.fromarray(noise.integers(0, 255, (16, 16, 3), dtype=np.uint8))
    Image.fromarray(noise.integers(0, 60000, (16, 16), dtype=np.uint16)).save(source / "a" / "deep.png")
    Image.fromarray(noise.integers(0, 255, (16, 16, 4), dtype=np.uint8)).save(source / "a" / "clear.png")
    colours.quantize(8).save(source / "a" / "palette.png")
    colours.convert("CMYK").save(source / "b" / "print.jpg")
    Image.fromarray(noise.random((16, 16), dtype=np.float32)).save(source / "b" / "float.tif")
    found = inside.json("import", "folder", source)
    assert found["skipped"] == [] and found["n_samples"] == 7
    assert any("CMYK" in text for text in found["warnings"])


def test_a_name_that_is_no_text_is_kept_and_shown_spelt_out(inside: Inside, tmp_path: Path) -> None:
    source = class_folders(tmp_path / os.fsdecode(b"s\xff"), {"a": 2, "b": 2})
    image(50).save(source / "a" / "odd.png")
    (source / "a" / "odd.png").rename(source / "a" / os.fsdecode(b"odd\xff\xfe.png"))
    found = inside.json("import", "folder", source, "--name", "odd")
    assert found["n_samples"] == 5 and found["skipped"] == []
    assert inside.json("datasets")["datasets"][0]["n_samples"] == 5
    inside.json("split", "odd")
    samples = (inside.workspace / "datasets" / "odd" / "samples.jsonl").read_text()
    assert "odd\\\\xdcff\\\\xdcfe.png" in samples


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody")
def test_folders_that_may_not_be_read_or_written(inside: Inside, tmp_path: Path) -> None:
    source = class_folders(tmp_path / "source", {"a": 2, "b": 2})
    warm = Inside(tmp_path / "warm")  # nobody may be unable to read the interpreter's own files: import them before
    warm.json("import", "folder", source, "--dry-run")
    (source / "secret").mkdir(mode=0o700)
    closed = class_folders(tmp_path / "closed", {"a": 2, "b": 2})
    closed.chmod(0o700)
    theirs = Inside(tmp_path / "theirs" / "workspace")
    theirs.workspace.parent.mkdir()
    os.chown(theirs.workspace.parent, 65534, 65534)
    for folder in (tmp_path, *tmp_path.parents):
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(0o755)
    os.seteuid(65534)
    try:
        assert inside.refused("runs")["kind"] == "input_error"  # a workspace where they may not make one
        assert "cannot be read" in theirs.refused("import", "folder", closed)["message"]
        assert [(row.path, row.reason) for row in walk(source).skipped] == [("secret/", "unreadable")]
        assert theirs.refused("settings", "--network", "off", "--weights-dir", tmp_path)["kind"] == "input_error"
    finally:
        os.seteuid(0)


def test_a_decoder_that_dies_costs_one_file(inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = class_folders(tmp_path / "source", {"a": 3, "b": 3})
    (source / "a" / "1.png").rename(source / "a" / "abort.png")
    (source / "b" / "1.png").rename(source / "b" / "panic.png")
    monkeypatch.setattr(children, "python", lambda module, *more: [sys.executable, "-P", str(DYING), *more])
    found = inside.json("import", "folder", source)
    assert found["n_samples"] == 4 and [row["path"] for row in found["skipped"]] == ["a/abort.png", "b/panic.png"]
    assert all(row["reason"] and row["message"] for row in found["skipped"])


@pytest.mark.parametrize(
    ("layout", "source", "said"),
    [
        ("folder", "nowhere", "does not exist"),
        ("auto", "void", "known layouts"),
        ("folder", "void", "No image"),
        ("folder", "pipe", "not a folder"),
        ("csv", "pipe", "not a file"),
        ("auto", "pipe", "known layouts"),
        ("csv", "/dev/zero", "not a file"),
        ("dicom", "void", "table"),
        ("medmnist", "void", "npz"),
        ("banana", "void", "no layout"),
        ("folder", "all-bad", "No image could be read"),
        ("folder", "one", "only one class"),
    ],
)
def test_sources_that_are_none(inside: Inside, tmp_path: Path, layout: str, source: str, said: str) -> None:
    (tmp_path / "void").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in "ab":
        (tmp_path / "all-bad" / name).mkdir(parents=True)
        (tmp_path / "all-bad" / name / "1.png").write_text("x")
    class_folders(tmp_path / "one", {"only": 2})
    assert said in inside.refused("import", layout, tmp_path / source)["message"]
    assert not list((inside.workspace / "datasets").iterdir())


# -- tables


def test_tables_that_can_be_read(inside: Inside, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    for name, table in (("bom.csv", "\ufeff" + TABLE), ("wide.csv", TABLE.encode("utf-16"))):
        assert inside.json("import", "csv", images_with(folder, name, table), "--dry-run")["n_samples"] == 6
    twice = inside.json("import", "csv", images_with(folder, "twice.csv", TABLE + "0.png,x,p0\n"), "--dry-run")
    assert twice["n_samples"] == 6 and any("repeated" in text for text in twice["warnings"])
    torn = inside.json("import", "csv", images_with(folder, "torn.csv", TABLE + "0.png,y,p0\n"), "--dry-run")
    assert torn["n_samples"] == 5 and {row["reason"] for row in torn["skipped"]} == {"conflicting_labels"}


def test_paths_that_leave_the_folder_are_never_followed(inside: Inside, tmp_path: Path) -> None:
    image(99).save(tmp_path / "secret.png")
    outside = ["../secret.png", str(tmp_path / "secret.png"), f"file://{tmp_path}/secret.png", "a/../../secret.png"]
    outside += ["\\\\server\\share\\secret.png", "C:\\secret.png", "~/secret.png"]
    rows = TABLE + "".join(f"{path},x,p9\n" for path in outside) + "8.png,x,p9\n,x,p9\n"
    found = inside.json("import", "csv", images_with(tmp_path / "images", "labels.csv", rows))
    reasons = [row["reason"] for row in found["skipped"]]
    assert found["n_samples"] == 6 and sorted(reasons) == sorted(["outside"] * 7 + ["not_found", "no_path"])


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        (TABLE, ("--label", "grade"), "file, dx, patient"),
        (TABLE, ("--patient", "person"), "file, dx, patient"),
        (TABLE, ("--images", "nowhere"), "Check"),
        (TABLE, ("--positive", "z"), "--positive"),
        (TABLE, ("--task", "guess"), "multilabel"),
        ("", (), "Check the file"),
        ("file,dx\n", (), "Check the file"),
        (bytes(range(256)) * 4, (), "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", (), "UTF-8"),
        ('file,dx\n"0.png,x\n1.png,y\n', (), "Save it again"),
        ("file,dx\n0.png," + "x" * 200_000 + "\n1.png,y\n", (), "Save it again"),
        (TABLE.replace("y", "x"), ("--label", "dx"), "another class"),
        ("file,a,b,c\n0.png,1,0,1\n1.png,0,1,0\n", ("--label", "a", "--label", "b", "--label", "c"), "Add images"),
    ],
)
def test_tables_that_are_none(
    inside: Inside, tmp_path: Path, table: str | bytes, options: Sequence[str], said: str
) -> None:
    path = images_with(tmp_path / "images", "labels.csv", table)
    assert said in inside.refused("import", "csv", path, *options)["hint"]
    assert inside.json("datasets")["datasets"] == []


# -- splits, runs, settings: what is not there, what cannot be


@pytest.fixture
def six(inside: Inside, tmp_path: Path) -> Inside:
    """Six patients, one image each."""
    inside.json("import", "csv", images_with(tmp_path / "images", "labels.csv", TABLE), "--name", "six")
    return inside


def test_splits_that_cannot_be(six: Inside, tmp_path: Path) -> None:
    for options, kind in (
        (("--folds", "5"), "split_error"),  # three patients a class
        (("--folds", "50"), "split_error"),
        (("--folds", "1"), "usage_error"),
        (("--ratios", "1/2"), "usage_error"),
        (("--ratios", "a/b/c"), "usage_error"),
        (("--by", "moon"), "usage_error"),
        (("--official",), "split_error"),
        (("--file", str(tmp_path / "nowhere.csv")), "table_error"),
    ):
        assert six.refused("split", "six", *options)["kind"] == kind, options
    assert six.refused("split", "../six")["kind"] == "not_found"
    assert not list((six.workspace / "splits").iterdir())


def test_what_is_unknown_is_named_before_anything_starts(six: Inside, tmp_path: Path) -> None:
    train = ("train", "--dataset", "six", *LITE0, "--adapt", "knn")
    for arguments, kind in (
        (("train", "--dataset", "zz", *LITE0, "--adapt", "knn"), "not_found"),
        (("train", "--dataset", "six", "--model", "zz", "--adapt", "knn"), "not_found"),
        (("train", "--dataset", "six", *LITE0, "--adapt", "zz"), "usage_error"),
        ((*train, "--split", "zz"), "not_found"),
        ((*train, "--set", "zz=1"), "usage_error"),
        ((*train, "--set", "k"), "usage_error"),
        ((*train, "--set", "k=0"), "usage_error"),
        ((*train, "--set", "lr=nan"), "usage_error"),
        ((*train, "--preset", "zz"), "usage_error"),
        ((*train, "--device", "toaster"), "usage_error"),
        ((*train, "--seed", str(10**30)), "usage_error"),
        (("pause", "r0001"), "not_found"),
        (("resume", "../runs"), "not_found"),
        (("predict", tmp_path / "images" / "0.png", "--run", "r0001"), "not_found"),
        (("report", "r0001", "--out", tmp_path / "r.pdf"), "not_found"),
        (("settings", "--network", "perhaps"), "usage_error"),
    ):
        assert six.refused(*arguments)["kind"] == kind, arguments
    assert six.json("runs")["runs"] == [] and not list((six.workspace / "runs").iterdir())


def test_wrong_usage_is_status_2_and_no_answer() -> None:
    for arguments in (["zz"], ["train"], ["train", "--zz"], ["import", "folder"], ["split", "d", "--folds", "x"]):
        done = CliRunner().invoke(app, arguments)
        assert (done.exit_code, done.stdout) == (2, ""), arguments
        assert "Usage: medfm" in done.stderr and "Error: " in done.stderr


# -- weights


class _Attack:
    """Pickled, it would make a file when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def test_weights_that_are_absent(six: Inside) -> None:
    train = ("train", "--dataset", "six", "--adapt")
    assert six.refused(*train, "linear", "--model", "resnet50")["kind"] == "weights_absent"
    assert "--from-scratch" in six.refused(*train, "full", "--model", "resnet50")["hint"]
    for adapt in ("knn", "linear"):
        assert six.refused(*train, adapt, *LITE0, "--from-scratch")["kind"] == "weights_absent"
    assert six.refused("weights", "pull", "resnet50")["kind"] == "offline"


def test_weights_files_that_are_refused(inside: Inside, medfm: Medfm, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    assert (
        inside.refused("weights", "import", tmp_path / "pipe.pt", "--model", "resnet50")["kind"] == "weights_rejected"
    )
    assert inside.refused("weights", "import", tmp_path / "no.pt", "--model", "resnet50")["kind"] == "weights_absent"
    (tmp_path / "attack.pt").write_bytes(pickle.dumps(_Attack(tmp_path / "owned")))
    lite0 = next(one for one in every_model(load_settings())[0] if one.card.name == "efficientnet-lite0")
    (tmp_path / "cut.pth").write_bytes(Path(lite0.weights.path).read_bytes()[:4_000_000])
    orders = [
        (tmp_path / "attack.pt", "resnet50"),  # of one model, one file at a time is brought in
        (tmp_path / "cut.pth", "efficientnet-lite0"),
        (Path(lite0.weights.path), "efficientnet-lite1"),
    ]
    with ThreadPoolExecutor(3) as pool:
        errors = list(pool.map(lambda order: medfm.refused("weights", "import", order[0], "--model", order[1]), orders))
    assert [error["kind"] for error in errors] == ["weights_rejected"] * 3
    assert "would run code" in errors[0]["message"] and "weights_only" not in errors[0]["message"]
    assert not (tmp_path / "owned").exists() and not list((tmp_path / "weights").glob("*.safetensors*"))


# -- one document, whatever happens


def _commands() -> list[tuple[str, ...]]:
    group = typer.main.get_command(app)
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [(name, part) for part in inner] if inner else [(name,)]
    return found


NEEDED = {
    "import": ("csv", "nowhere.csv"),
    "split": ("nothing",),
    "train": ("--dataset", "nothing", *LITE0, "--adapt", "knn"),
    "evaluate": ("r9",),
    "predictions": ("r9", "--out", "p.csv"),
    "report": ("r9", "--out", "r.pdf"),
    "predict": ("nowhere.png", "--run", "r9"),
    "weights import": ("nowhere.pt", "--model", "resnet50"),
    "weights pull": ("resnet50",),
    "weights accept": ("resnet50",),
    "study import": ("nowhere",),
    "study anonymise": ("nothing", "--out", "o"),
    "model export": ("r9", "--out", "m.medfm"),
    "model import": ("nowhere.medfm",),
    "protocol lock": ("nowhere.toml",),
    "import-predictions": ("nowhere.csv", "--name", "other", "--dataset", "nothing"),
    "import-reads": ("nowhere.csv", "--dataset", "nothing"),
    **dict.fromkeys(("verify", "rerun"), ("r9",)),
    "datasets correct": ("nothing", "s1", "--label", "a", "--reason", "wrong"),
    "datasets exclude": ("nothing", "s1", "--reason", "blurred"),
    **{f"datasets {name}": ("nothing",) for name in ("show", "flow", "quality", "state", "draft", "save", "delete")},
    **dict.fromkeys(("pause", "resume", "cancel", "supervise", "compare", "maps", "similar"), ("r9",)),
}
SLOW = {("demo",), ("doctor",)}


@pytest.mark.parametrize("command", [name for name in _commands() if name not in SLOW], ids=" ".join)
def test_json_is_one_document_in_success_and_in_failure(inside: Inside, command: tuple[str, ...]) -> None:
    status, document = inside.document(*command, *NEEDED.get(" ".join(command), ()))
    assert isinstance(document, dict)
    assert ("error" in document) == (status == 1)
    broken = Inside(inside.workspace.parent / "no-folder")
    broken.workspace.write_text("a file where the workspace should be")
    status, document = broken.document(*command, *NEEDED.get(" ".join(command), ()))
    assert isinstance(document, dict) and ("error" in document) == (status == 1)


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_every_command_takes_the_common_options(command: tuple[str, ...]) -> None:
    group: Any = typer.main.get_command(app)
    for part in command:
        group = group.commands[part]
    assert {"workspace", "json", "quiet", "debug"} <= {parameter.name for parameter in group.params}
    assert inspect.getdoc(group.callback)


def test_a_reader_that_goes_away_early(medfm: Medfm) -> None:
    medfm.json("runs")
    for options in (["--json"], []):
        command = medfm.command("models", *options)
        with subprocess.Popen(
            command, env=medfm.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout and process.stderr
            process.stdout.close()
            said = process.stderr.read()
        assert process.returncode in (0, 1) and b"Traceback" not in said and b"Exception" not in said, said

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from medfm_gui.cli.app import app

Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Command:
    """Commands in a workspace with sixteen patients, two images each, divided by patient."""

    def done(*arguments: str) -> tuple[int, Any]:
        result = CliRunner().invoke(app, [*arguments, "--workspace", str(tmp_path / "w"), "--json"])
        return result.exit_code, json.loads(result.stdout)

    source = tmp_path / "chest"
    (source / "images").mkdir(parents=True)
    rows = ["file,patient_id,finding"]
    for patient, view in itertools.product(range(16), range(2)):
        name = f"p{patient:02d}_{view}.png"
        grey = np.random.default_rng(patient * 2 + view).integers(0, 255, (72, 72), dtype=np.uint8)
        Image.fromarray(grey).save(source / "images" / name)
        rows.append(f"images/{name},P{patient:02d},{'nodule' if patient % 2 else 'clear'}")
    (source / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert done("import", "csv", str(source), "--name", "chest")[0] == 0
    assert done("split", "chest", "--ratios", "50/25/25")[0] == 0
    return done


def test_datasets_alone_lists_and_with_a_command_shows_one(run: Command) -> None:
    status, listed = run("datasets")
    assert status == 0 and [row["dataset"] for row in listed["datasets"]] == ["chest"]
    status, shown = run("datasets", "show", "chest", "--split", "chest-s1")
    assert status == 0 and shown["columns"] == ["all", "train", "val", "test"]
    place = shown["columns"].index("test")
    assert shown["n_hidden"] == shown["images"][place] > 0
    assert all(line["counts"][place] is None for line in shown["sections"][0]["lines"])
    assert run("datasets", "show", "ghost")[0] == 1


def test_a_statement_is_made_and_read(run: Command) -> None:
    status, stated = run(
        "datasets", "state", "chest", "--unit", "image", "--code", "nodule=SCT 427359005", "--redistribution", "no"
    )
    assert status == 0 and stated["codes"] == {"nodule": "SCT 427359005"} and stated["redistribution"] is False
    assert run("datasets", "state", "chest")[1] == stated
    assert run("datasets", "state", "chest", "--sampling", "odd")[0] == 1
    assert run("datasets", "state", "chest", "--redistribution", "perhaps")[0] == 1
    assert run("datasets", "state", "chest", "--code", "nodule")[0] == 1


def test_a_correction_is_drafted_undone_and_saved(run: Command, tmp_path: Path) -> None:
    split = json.loads((tmp_path / "w" / "splits" / "chest-s1.json").read_text(encoding="utf-8"))
    sides = {item["sample"]: item["partition"] for item in split["assignments"]}
    sealed = next(name for name, side in sides.items() if side == "test")
    clear = [f"s{place + 1:06d}" for place in range(32) if place // 2 % 2 == 0]
    corrected, excluded = [name for name in clear if sides[name] == "train"][:2]
    change = ("--label", "nodule", "--reason", "second reader")
    assert run("datasets", "correct", "chest", sealed, *change)[0] == 1
    assert run("datasets", "correct", "chest", corrected, *change)[0] == 0
    status, draft = run("datasets", "draft", "chest")
    assert [one["sample"] for one in draft["corrections"]] == [corrected]
    assert run("datasets", "draft", "chest", "undo")[1]["corrections"] == []
    assert run("datasets", "draft", "chest", "redo")[1]["corrections"] == draft["corrections"]
    assert run("datasets", "draft", "chest", "sideways")[0] == 1
    assert run("datasets", "correct", "chest", corrected, "--label", "ghost", "--reason", "x")[0] == 1
    assert run("datasets", "exclude", "chest", excluded, "--reason", "blank")[0] == 0
    status, saved = run("datasets", "save", "chest", "--split", "chest-s1")
    assert status == 0
    assert (saved["dataset"], saved["parent"], saved["splits"]) == ("chest-v2", "chest", ["chest-v2-s1"])
    status, found = run("datasets", "flow", "chest-v2", "--split", "chest-v2-s1")
    assert sum(step["number"] for step in found["partitions"]) == 31


def test_quality_and_flow_are_told(run: Command, tmp_path: Path) -> None:
    status, found = run("datasets", "quality", "chest")
    assert status == 0 and found["n_images"] == 32
    out = tmp_path / "flow.csv"
    assert run("datasets", "flow", "chest", "--out", str(out))[0] == 0
    assert out.read_text(encoding="utf-8").startswith("step,left out,number,patients")

"""A cross-validation and a test on another dataset by the command line alone: compared, reported, verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from medfm_gui.imaging.phantom.write import write_phantom
from tests.fixtures.command import medfm_in


def test_two_ways_over_folds_and_elsewhere(tmp_path_factory: pytest.TempPathFactory, phantom: Path) -> None:
    medfm = medfm_in(tmp_path_factory.mktemp("folds"))
    here = medfm.workspace.parent
    write_phantom(here / "second", patients=24, seed=5)
    for folder, name in ((phantom, "home"), (here / "second", "second")):
        table = ("--table", folder / "labels.csv", "--label", "nodule", "--positive", "nodule")
        medfm.json("import", "dicom", folder / "radiographs", *table, "--name", name)
    medfm.json("split", "home", "--folds", "2")
    for k in ("3", "7"):
        medfm.json("train", "--dataset", "home", "--model", "efficientnet-lite0", "--adapt", "knn", "--set", f"k={k}")
    runs = ("r0001", "r0002", "r0003", "r0004")
    medfm.json("evaluate", *runs, "--open-test", "the folds are complete")
    medfm.json("evaluate", *runs[:2], "--on", "second", "--open-test", "a second hospital")
    found = medfm.json("compare", *runs)
    crossed = found["cross_validation"]
    assert [way["runs"] for way in crossed["ways"]] == [["r0001", "r0002"], ["r0003", "r0004"]]
    values = [row["value"] for row in crossed["ways"][0]["rows"]]
    assert crossed["ways"][0]["mean"]["value"] == pytest.approx(sum(values) / 2)
    assert crossed["ways"][0]["lowest"] == min(values) and found["pairs"][0]["test"] in (
        "bootstrap-within-folds", "not-estimable",
    )  # fmt: skip
    assert medfm.refused("compare", "r0001", "r0004")["kind"] == "input_error"
    out = here / "folds.pdf"
    medfm.json("report", *runs, "--out", out)
    held = medfm.json("verify", out)
    assert held["ok"], held["differences"]
    assert medfm.json("verify", "journal")["ok"]

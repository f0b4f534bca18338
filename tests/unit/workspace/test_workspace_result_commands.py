"""``runs`` and ``compare`` as a person reads them: what parts two rows is shown, and nothing is shown half."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from medfm_gui.base.settings import Settings
from medfm_gui.cli.app import app
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.dataset import Task
from medfm_gui.workspace import comparing
from medfm_gui.workspace.place import open_workspace
from tests.fixtures.opened import drawn_dataset, opened_run


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two opened runs of a task with three classes."""
    folder = tmp_path_factory.mktemp("commands") / "ws"
    with open_workspace(folder, settings=Settings()) as workspace:
        kinds = drawn_dataset(
            workspace, 600, name="Kinds", task=Task.MULTICLASS, classes=("cyst", "mass", "stone"), per_patient=1,
            covariates={"sex": ("F", "M")}, request=SplitRequest(),
        )  # fmt: skip
        for seed in (0, 1):
            opened_run(workspace, kinds, seed=seed)
    return folder


def medfm(room: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--workspace", str(room)])


def test_runs_that_differ_in_their_seed_can_be_told_apart(room: Path) -> None:
    head, *rows = medfm(room, "runs").stdout.splitlines()
    assert {"shots", "seed"} <= set(head.split())
    place = head.index("seed")
    assert [row[place:].split()[0] for row in rows] == ["0", "1"]
    assert all("all" in row.split() for row in rows)


def test_one_event_of_several_classes_is_named_on_the_command_line(room: Path) -> None:
    asked = ("compare", "r0001", "r0002", "--subgroup", "sex", "--net-benefit", "0.1", "0.4", "--prevalence", "0.2")
    refused = medfm(room, *asked)
    assert refused.exit_code == 1 and "--event CLASS" in refused.stderr
    useful = medfm(room, "compare", "r0001", "--net-benefit", "0.1", "0.4", "r0002")
    assert useful.exit_code == 1 and "--event CLASS" in useful.stderr
    found = json.loads(medfm(room, *asked, "--event", "mass", "--json").stdout)
    assert found["event"] == "mass" and found["subgroups"]["evaluations"] and found["usefulness"]["charts"]
    assert all(row["n_events"] > 0 for row in found["subgroups"]["evaluations"])
    unknown = medfm(room, *asked, "--event", "tree")
    assert unknown.exit_code == 1 and "Name one of: cyst, mass, stone." in unknown.stderr
    alone = medfm(room, "compare", "r0001", "r0002", "--event", "mass")
    assert alone.exit_code == 1 and "Add --subgroup or --net-benefit" in alone.stderr


def test_a_difference_without_an_interval_has_an_empty_cell(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = comparing.compare

    def without(*arguments: object) -> comparing.ComparisonOutcome:
        found = real(*arguments)  # type: ignore[arg-type]
        bare = tuple(replace(pair, low=None, high=None) for pair in found.file.pairs)
        return replace(found, file=replace(found.file, pairs=bare))

    monkeypatch.setattr(comparing, "compare", without)
    shown = medfm(room, "compare", "r0001", "r0002").stdout
    row = next(line for line in shown.splitlines() if line.startswith("r0002") and "r0001" in line)
    assert " to " not in row


def test_the_place_of_the_work_is_this_computer(room: Path) -> None:
    train = ("train", "--dataset", "none", "--model", "efficientnet-lite0", "--adapt", "knn")
    assert medfm(room, *train, "--backend", "local").exit_code == 1  # no such dataset: the option itself is taken
    assert medfm(room, *train, "--backend", "moon").exit_code == 2

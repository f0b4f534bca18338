"""Other systems, readers, other sites and other workspaces, by the command line alone; and what is no data for them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medfm_gui.base.settings import Settings
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.split import Partition
from medfm_gui.imaging.phantom.write import write_phantom
from medfm_gui.workspace import data
from medfm_gui.workspace.journal import entries
from medfm_gui.workspace.place import Workspace, open_workspace
from tests.fixtures.command import Medfm, medfm_in
from tests.fixtures.hostile import Inside
from tests.fixtures.opened import drawn_dataset, opened_run

STRANGE = ("<script>alert(1)</script>", "الأشعة", "🩻🫁", "=1+1", "x" * 10_000)


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inside:
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("MEDFM_OFFLINE", "1")
    return Inside(tmp_path / "workspace")


@pytest.fixture
def place(inside: Inside, tmp_path: Path) -> SimpleNamespace:
    with open_workspace(inside.workspace, settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 500, covariates={"sex": ("F", "M")})
        run = opened_run(workspace, dataset)
        test, truth = _tested(workspace, dataset.id)
    random = np.random.default_rng(2)
    scores = np.clip(0.3 + 0.3 * truth + random.normal(scale=0.2, size=len(test)), 0, 1)
    return SimpleNamespace(
        inside=inside, dataset=dataset, run=run, test=test, truth=truth, scores=scores, folder=tmp_path
    )


def _tested(workspace: Workspace, dataset: str) -> tuple[tuple[str, ...], np.ndarray[Any, Any]]:
    (split,) = data.splits_of(workspace, data.newest_split(workspace, dataset) or "")
    target = {sample.id: sample.target[0] for sample in data.read(workspace, dataset).samples}
    test = split.samples_in(Partition.TEST)
    return test, np.array([target[name] for name in test])


def _write(path: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([head, *rows])
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def _scores(place: SimpleNamespace, scores: Sequence[Any] | np.ndarray[Any, Any]) -> Path:
    return _write(place.folder / "t.csv", ("sample", "score"), list(zip(place.test, scores, strict=True)))


def test_another_system_and_readers_join_the_comparison(place: SimpleNamespace) -> None:
    file = _scores(place, place.scores)
    made = place.inside.json("import-predictions", file, "--name", "Vendor", "--dataset", "drawn", "--threshold", "0.5")
    (theirs,) = made["runs"]
    value = {row["metric"]: row["value"] for row in theirs["evaluations"] if not row["label"]}
    assert value["auc"] == pytest.approx(roc_auc_score(place.truth, place.scores), abs=1e-6)
    assert value["sensitivity"] == pytest.approx((place.scores >= 0.5)[place.truth == 1].mean())
    compared = place.inside.json("compare", place.run, theirs["run"], "--subgroup", "sex")
    pair = next(pair for pair in compared["pairs"] if pair["metric"] == "auc")
    ours = next(row["value"] for row in compared["runs"][0]["evaluations"] if row["metric"] == "auc")
    assert pair["difference"] == pytest.approx(value["auc"] - ours, abs=1e-9) and "Vendor" in compared["sentence"]
    assert compared["subgroups"]["interactions"] == [], "no protocol declared it"
    reads = [
        (who, name, int(call)) for who, shift in (("Dr A", 0.0), ("Dr B", 0.1))
        for name, call in zip(place.test, place.scores + shift > 0.5, strict=True)
    ]  # fmt: skip
    table = _write(place.folder / "r.csv", ("reader", "sample", "decision"), reads)
    found = place.inside.json("import-reads", table, "--dataset", "drawn", "--run", place.run, "--run", theirs["run"])
    assert found["readers"] == ["Dr A", "Dr B"] and {pair["b"] for pair in found["pairs"]} >= {"reader:Dr A"}
    calls = (place.scores > 0.5).astype(int)
    told = next(row for row in found["evaluations"] if row["run"] == "reader:Dr A" and row["metric"] == "sensitivity")
    assert told["value"] == pytest.approx(calls[place.truth == 1].mean()) and told["low"] < told["value"] < told["high"]
    assert {row["metric"] for row in found["agreement"]} >= {"kappa_cohen"}
    for row in (*found["evaluations"], *found["agreement"]):
        assert row["sample_set"] and row["code_version"]


def test_the_interaction_test_of_a_declared_covariate(place: SimpleNamespace, tmp_path: Path) -> None:
    protocol = "\n".join(
        [f'{key} = "{value}"' for key, value in (
            ("question", "?"), ("population", "all"), ("unit", "image"), ("reference_standard", "drawn"),
            ("primary_metric", "auc"), ("threshold_rule", "youden"), ("dataset", "later"),
        )] + ['subgroups = ["sex"]', "n = 450"]
    )  # fmt: skip
    (tmp_path / "p.toml").write_text(protocol, encoding="utf-8")
    with open_workspace(place.inside.workspace, settings=Settings()) as workspace:
        drawn_dataset(workspace, 3000, name="Later", covariates={"sex": ("F", "M")}, per_patient=1)
    assert place.inside.json("protocol", "lock", tmp_path / "p.toml")["opening"] == "before"
    with open_workspace(place.inside.workspace, settings=Settings()) as workspace:
        dataset = data.read(workspace, "later")
        runs = [opened_run(workspace, dataset, seed=seed) for seed in (0, 1)]
    found = place.inside.json("compare", *runs, "--subgroup", "sex")["subgroups"]
    assert [one["run"] for one in found["interactions"]] == runs
    for one in found["interactions"]:
        assert one["values"] == ["F", "M"] and 0 < one["p"] < 1 and one["df"] == 1 and one["method"].startswith("wald")
    assert found["note"].startswith("Declared in the protocol")


@pytest.mark.parametrize(
    ("cells", "words"),
    [("inf", "no probabilities"), ("-0.1", "no probabilities"), ("1,5", "no probabilities"), ("<b>", "no probabil")],
)
def test_a_table_that_is_none_leaves_nothing_behind(place: SimpleNamespace, cells: str, words: str) -> None:
    before = len(place.inside.json("runs")["runs"])
    file = _scores(place, [cells, *place.scores[1:]])
    refused = place.inside.refused("import-predictions", file, "--name", "V", "--dataset", "drawn")
    assert words in refused["message"] and "line 2" in refused["message"]
    assert len(place.inside.json("runs")["runs"]) == before
    assert place.inside.json("verify", "journal")["ok"]


def test_ties_everywhere_and_failures_everywhere(place: SimpleNamespace) -> None:
    name = ("--name", "V", "--dataset", "drawn", "--threshold", "0.5")
    (flat,) = place.inside.json("import-predictions", _scores(place, [0.5] * len(place.test)), *name)["runs"]
    area = next(row for row in flat["evaluations"] if row["metric"] == "auc")
    assert area["value"] == 0.5 and area["low"] < 0.5 < area["high"]
    compared = place.inside.json("compare", place.run, flat["run"])
    assert "favour" in compared["sentence"] or "not shown" in compared["sentence"]
    refused = place.inside.refused("import-predictions", _scores(place, ["nan"] * len(place.test)), *name)
    assert "no score" in refused["message"]
    half = [value if place_ % 2 else "" for place_, value in enumerate(place.scores)]
    (part,) = place.inside.json("import-predictions", _scores(place, half), *name)["runs"]
    assert {row["parameters"].get("failures", "") for row in part["evaluations"]} == {"", "as errors"}
    pairs = place.inside.json("compare", place.run, part["run"])["pairs"]
    assert any(pair["parameters"].get("failures") == "as errors" for pair in pairs)


@pytest.mark.parametrize("name", STRANGE, ids=["markup", "right-to-left", "emoji", "formula", "long"])
def test_names_are_text_wherever_they_go(place: SimpleNamespace, name: str) -> None:
    made = place.inside.json(
        "import-predictions", _scores(place, place.scores), "--name", name, "--dataset", "drawn"
    )["runs"][0]  # fmt: skip
    compared = place.inside.json("compare", place.run, made["run"])
    assert len(compared["sentence"]) < 4000
    reads = [(name, sample, 1 if value > 0.5 else 0) for sample, value in zip(place.test, place.scores, strict=True)]
    table = _write(place.folder / "r.csv", ("reader", "sample", "decision"), reads)
    status, found = place.inside.document("import-reads", table, "--dataset", "drawn", "--run", place.run)
    assert (status, len(found.get("readers", [1]))) == (0, 1) or "error" in found
    assert place.inside.json("verify", "journal")["ok"]


def test_one_class_one_patient_and_other_images(place: SimpleNamespace) -> None:
    inside = place.inside
    with open_workspace(inside.workspace, settings=Settings()) as workspace:
        other = drawn_dataset(workspace, 200, name="Other")
        away = opened_run(workspace, other)
        three = drawn_dataset(workspace, 90, name="Three", task=Task.MULTICLASS, classes=("a", "b", "c"))
        graded = opened_run(workspace, three)
    assert "the same test units" in inside.refused("compare", place.run, away)["hint"]
    assert inside.refused("compare", place.run, graded)["message"]
    assert inside.refused("compare", place.run, place.run)["kind"] == "usage_error"
    events = [(name, 0.9) for name, target in zip(place.test, place.truth, strict=True) if target == 1]
    one = _write(place.folder / "one.csv", ("sample", "score"), events)
    made = inside.json("import-predictions", one, "--name", "one class", "--dataset", "drawn", "--threshold", "0.5")
    rows = {row["metric"]: row for row in made["runs"][0]["evaluations"] if not row["parameters"].get("failures")}
    assert rows["auc"]["value"] is None and "one class" in rows["auc"]["note"]
    assert rows["specificity"]["value"] is None and rows["sensitivity"]["value"] == 1
    single = _write(place.folder / "p.csv", ("sample", "score"), [(place.test[0], 0.4)])
    alone = inside.json("import-predictions", single, "--name", "one patient", "--dataset", "drawn")["runs"][0]
    assert alone["evaluations"][0]["n"] == 1


def test_a_table_of_predictions_that_was_tampered_with(place: SimpleNamespace) -> None:
    out = place.folder / "p.csv"
    place.inside.json("predictions", place.run, "--out", out)
    assert place.inside.json("verify", out)["ok"]
    lines = out.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace(".", ".9", 1)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    status, found = place.inside.document("verify", out)
    assert status == 1 and found["differences"][0]["line"] == 4


# -- with a model


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, phantom: Path) -> Iterator[SimpleNamespace]:
    """A run trained on one simulated hospital, exported; a second workspace holds another hospital and imports it."""
    medfm = medfm_in(tmp_path_factory.mktemp("sites"))
    here = medfm.workspace.parent
    table = ("--table", phantom / "labels.csv", "--label", "nodule", "--positive", "nodule")
    medfm.json("import", "dicom", phantom / "radiographs", *table, "--name", "home")
    medfm.json("split", "home", "--ratios", "50/20/30")
    medfm.json("train", "--dataset", "home", "--model", "efficientnet-lite0", "--adapt", "knn", "--set", "k=5")
    medfm.json("model", "export", "r0001", "--out", here / "m.medfm")
    write_phantom(here / "second", patients=24, seed=5)
    away = Medfm(here / "away", medfm.environment)
    theirs = ("--table", here / "second" / "labels.csv", "--label", "nodule", "--positive", "nodule")
    away.json("import", "dicom", here / "second" / "radiographs", *theirs, "--name", "second")
    away.json("model", "import", here / "m.medfm")
    yield SimpleNamespace(home=medfm, away=away)


def test_a_model_that_travelled_is_tested_where_it_came_to(sites: SimpleNamespace) -> None:
    away: Medfm = sites.away
    assert away.refused("evaluate", "r0001", "--on", "second")["kind"] == "seal_error"
    found = away.json("evaluate", "r0001", "--on", "second", "--open-test", "a second hospital")
    (file,) = found["external"]
    assert file["labels"] and file["left_out"] == 0 and found["test_openings"] == 1
    frozen = [row for row in found["evaluations"] if row["parameters"]["calibration"] == "frozen"]
    assert frozen[0]["metric"] == "auc" and frozen[0]["n"] == 48 and frozen[0]["subset"] == "external:second"
    assert file["withheld"] or any(row["parameters"]["calibration"] == "recalibrated" for row in found["evaluations"])
    assert any(row["metric"] == "sensitivity" for row in frozen), "the threshold travelled too"
    again = away.json("evaluate", "r0001", "--on", "second")
    assert again["test_openings"] == 1 and again["evaluations"] == found["evaluations"], "no second look"
    assert away.refused("evaluate", "r0001", "--on", "second", "--map", "ill=nodule")["kind"] == "usage_error"
    assert away.json("verify", "journal")["ok"]
    said = [entry for entry in entries(away.workspace) if entry.what == "external test opened"]
    assert [entry.details["reason"] for entry in said] == ["a second hospital"]


def test_images_that_were_an_external_test_count_as_opened(sites: SimpleNamespace) -> None:
    away: Medfm = sites.away
    away.json("evaluate", "r0001", "--on", "second", "--open-test", "a second hospital")
    away.json("split", "second", "--ratios", "50/20/30")
    away.json("train", "--dataset", "second", "--model", "efficientnet-lite0", "--adapt", "knn", "--set", "k=5")
    found = away.json("evaluate", "r0002", "--open-test", "its own test")
    assert found["test_openings"] == 2, "the external test showed these images too"
    late = away.workspace.parent / "late.toml"
    late.write_text(
        'question = "?"\npopulation = "all"\nunit = "image"\nreference_standard = "simulated"\nprimary_metric = "auc"\n'
        'threshold_rule = "youden"\nn = 7\ndataset = "second"\n',
        encoding="utf-8",
    )
    locked = away.json("protocol", "lock", late)
    assert locked["opening"] == "after" and set(locked["opened_by"]) == {"r0001", "r0002"}

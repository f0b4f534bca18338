"""The threshold rule of a run: who chose it, what a locked protocol supplies, and what is said where nobody did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.cli.app import app
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.presets import PRESETS, Preset
from medfm_gui.domain.run import TrainSpec
from medfm_gui.domain.threshold import RuleOrigin, has_threshold, is_rule, rule_in_words
from medfm_gui.workspace import monitoring, report_limits, threshold, training
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.protocol import lock_protocol
from medfm_gui.workspace.training import RunView, TrainRequest
from tests.fixtures.opened import drawn_dataset

MODEL = "efficientnet-lite0"
PAGE = {
    "question": "Which?",
    "population": "adults",
    "unit": "image",
    "reference_standard": "biopsy",
    "primary_metric": "auc",
    "threshold_rule": "specificity:0.8",
    "n": 4,
    "dataset": "d",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "w", settings=Settings()) as room:
        drawn_dataset(room, 80, name="d", per_patient=1)
        drawn_dataset(room, 80, name="three", per_patient=1, task=Task.MULTICLASS, classes=("a", "b", "c"))
        yield room


def lock(workspace: Workspace, **changes: object) -> str:
    path = workspace.root.parent / "p.json"
    path.write_text(json.dumps({**PAGE, **changes}))
    return lock_protocol(workspace, path).locked.id


def ordered(workspace: Workspace, rule: str = "", dataset: str = "d", **more: Any) -> RunView:
    settings = {"threshold_rule": rule} if rule else {}
    return training.create_runs(workspace, TrainRequest(dataset, (MODEL,), ("knn",), settings=settings, **more))[0]


def who(view: RunView) -> tuple[str, RuleOrigin]:
    return view.spec.recipe.threshold_rule, view.spec.threshold_from


@pytest.fixture
def said(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``medfm train`` on a workspace, without any work; its messages."""

    def left(room: Workspace, run_ids: list[str]) -> list[RunView]:
        return [training.view(room, one) for one in run_ids]

    monkeypatch.setattr(training, "start_in_background", left)

    def train(*more: str, dataset: str = "d") -> Result:
        order = ("train", "--dataset", dataset, "--model", MODEL, "--adapt", "knn", "--no-wait", "--json", *more)
        done = CliRunner().invoke(app, [*order, "--workspace", str(workspace.root)])
        assert done.exit_code == 0, done.stderr
        return done

    return train


def test_the_rule_is_as_told_else_promised_else_the_presets_else_nobodys() -> None:
    told, preset = {"threshold_rule": "cost:5"}, {"threshold_rule": "sensitivity:0.9"}
    found = threshold.rule_for
    assert found(Task.BINARY, told, preset, "specificity:0.8") == ("cost:5", RuleOrigin.PERSON)
    assert found(Task.BINARY, told, preset, "cost:5") == ("cost:5", RuleOrigin.PROTOCOL)
    assert found(Task.BINARY, {}, preset, "specificity:0.8") == ("specificity:0.8", RuleOrigin.PROTOCOL)
    assert found(Task.BINARY, {}, preset) == ("sensitivity:0.9", RuleOrigin.PRESET)
    assert found(Task.BINARY, {}, {}) == ("youden", RuleOrigin.DEFAULT)
    assert found(Task.MULTICLASS, told, preset) == ("cost:5", RuleOrigin.UNKNOWN)
    assert [task for task in Task if has_threshold(task)] == [Task.BINARY]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("youden", "Youden's index"),
        ("sensitivity:0.95", "95 % sensitivity"),
        ("specificity:0.975", "97.5 % specificity"),
        ("cost:1", "a miss costs 1 false alarm"),
        ("cost:2.5", "a miss costs 2.5 false alarms"),
    ],
)
def test_rules_in_words(rule: str, words: str) -> None:
    assert is_rule(rule) and rule_in_words(rule) == words
    assert not is_rule(f"{rule}:x") and rule_in_words("as given") == "as given"


def test_a_run_keeps_who_chose_its_rule(workspace: Workspace) -> None:
    assert who(ordered(workspace)) == ("youden", RuleOrigin.DEFAULT)
    assert who(ordered(workspace, "youden")) == ("youden", RuleOrigin.PERSON)
    assert who(ordered(workspace, dataset="three")) == ("youden", RuleOrigin.UNKNOWN)
    kept = training.view(workspace, "r0001").spec
    assert kept.threshold_from is RuleOrigin.DEFAULT
    earlier = {key: value for key, value in json.loads(wire.encode_spec(kept)).items() if key != "threshold_from"}
    old = wire.decode_spec(json.dumps(earlier))
    assert isinstance(old, TrainSpec) and old.threshold_from is RuleOrigin.UNKNOWN
    assert replace(old, threshold_from=RuleOrigin.DEFAULT) == kept
    with pytest.raises(UsageError, match="not known"):
        ordered(workspace, "luck")


def test_a_locked_protocol_supplies_its_rule(workspace: Workspace) -> None:
    locked = lock(workspace)
    assert threshold.promised_rule(workspace, "d", "d-s1") == ("specificity:0.8", locked)
    assert who(ordered(workspace)) == ("specificity:0.8", RuleOrigin.PROTOCOL)
    assert who(ordered(workspace, "cost:5")) == ("cost:5", RuleOrigin.PERSON)
    assert threshold.promised_rule(workspace, "three", "three-s1") == ("", "")


def test_a_protocol_that_says_it_in_other_words_supplies_none(workspace: Workspace) -> None:
    lock(workspace, threshold_rule="as the board decides")
    assert threshold.promised_rule(workspace, "d", "d-s1") == ("", "")
    assert who(ordered(workspace)) == ("youden", RuleOrigin.DEFAULT)


def test_a_preset_that_fixes_a_rule_is_who_chose(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = {**PRESETS, "fixed": Preset("A fixed rule.", {"threshold_rule": "sensitivity:0.9"})}
    monkeypatch.setattr("medfm_gui.domain.presets.PRESETS", fixed)
    monkeypatch.setattr(training, "PRESETS", fixed)
    assert who(ordered(workspace, preset="fixed")) == ("sensitivity:0.9", RuleOrigin.PRESET)


def test_what_a_person_chose_last_is_remembered(workspace: Workspace) -> None:
    assert threshold.known_rules(workspace, "d", "d-s1") == threshold.KnownRules("d", "d-s1")
    ordered(workspace, "cost:5")
    last = ordered(workspace, "sensitivity:0.9")
    ordered(workspace)  # nobody chose
    found = threshold.known_rules(workspace, "d", "d-s1")
    assert (found.last, found.run) == ("sensitivity:0.9", last.id)
    (last.folder / "spec.json").unlink()
    assert threshold.known_rules(workspace, "d", "d-s1").run == "r0001"
    lock(workspace)
    assert threshold.known_rules(workspace, "d", "d-s1").promised == "specificity:0.8"


def test_a_run_started_again_was_chosen_by_whom_the_first_was(workspace: Workspace) -> None:
    first = ordered(workspace)
    assert who(monitoring.repeat_run(workspace, first.id)) == ("youden", RuleOrigin.DEFAULT)


def test_training_without_a_rule_is_remarked_once(said: Any) -> None:
    done = said("--seeds", "2")
    assert done.stderr.count("No threshold rule was chosen") == 1
    assert "counts a miss and a false alarm alike" in done.stderr and "threshold_rule=sensitivity:0.9" in done.stderr
    rows = json.loads(done.stdout)["runs"]
    assert [(row["threshold_rule"], row["threshold_rule_from"]) for row in rows] == [("youden", "default")] * 2


@pytest.mark.parametrize(
    ("more", "dataset"),
    [(("--quiet",), "d"), (("--set", "threshold_rule=youden"), "d"), ((), "three")],
    ids=["quiet", "chosen", "no-threshold"],
)
def test_training_says_nothing_of_a_rule(said: Any, more: tuple[str, ...], dataset: str) -> None:
    assert "hreshold" not in said(*more, dataset=dataset).stderr


def test_training_says_that_the_protocol_names_the_rule(workspace: Workspace, said: Any) -> None:
    lock(workspace)
    done = said()
    assert done.stderr.strip() == "Threshold rule: 80 % specificity, as the locked protocol names it."
    (row,) = json.loads(done.stdout)["runs"]
    assert (row["threshold_rule"], row["threshold_rule_from"]) == ("specificity:0.8", "protocol")


def test_a_report_says_which_rules_nobody_chose(workspace: Workspace) -> None:
    views = [ordered(workspace), ordered(workspace, "youden"), ordered(workspace)]
    ((title, sentence),) = report_limits._thresholds(views)
    assert title == "Threshold rule" and "of r0001, r0003: Youden's index is the default" in sentence
    assert report_limits._thresholds(views[1:2]) == []

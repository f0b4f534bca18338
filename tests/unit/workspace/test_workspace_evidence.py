"""What is attached to a report gives back the very scores, references and patients, and nothing of the computer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import Settings
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import FileRef, Phase, RunState, TrainSpec
from medfm_gui.domain.split import Assignment, Partition, Split
from medfm_gui.workspace.evaluating import EvaluationFile
from medfm_gui.workspace.evidence import PREDICTIONS, attachments, read_evidence, scored_of
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.scores import scored
from medfm_gui.workspace.training import RunView
from medfm_gui.workspace.verifying_runs import is_close, pairs_differ, rows_differ

CARD = read_plugins().card("efficientnet-lite0")
HOSTILE = ('=cmd("x")', '<img src="/etc/passwd">', "עברית, “;\n🩻")


def _dataset(task: Task, classes: tuple[str, ...], targets: list[tuple[int, ...]]) -> Dataset:
    samples = tuple(
        Sample(f"s{place}", f"{place}.png", target, patient=f"P-secret{place // 2}", pixels_sha256=f"{place:064d}")
        for place, target in enumerate(targets)
    )
    positive = classes[1] if task is Task.BINARY else None
    return Dataset("d", "d", "folder", task, classes, "/home/x", samples, "f", positive=positive)


@pytest.mark.parametrize(
    ("task", "classes", "targets"),
    [
        (Task.BINARY, HOSTILE[:2], [(0,), (1,), (0,), (1,), (1,)]),
        (Task.MULTICLASS, HOSTILE, [(0,), (1,), (2,), (2,), (1,)]),
        (Task.MULTILABEL, HOSTILE, [(0, 1, -1), (1, 1, 0), (0, 0, 0), (-1, 0, 1), (1, 1, 1)]),
    ],
)
def test_the_same_scores_come_back(
    tmp_path: Path, task: Task, classes: tuple[str, ...], targets: list[tuple[int, ...]]
) -> None:
    dataset = _dataset(task, classes, targets)
    values = np.random.default_rng(0).dirichlet(np.ones(len(classes)), len(targets)).astype(np.float32)
    values[3] = np.nan
    names = tuple(sample.id for sample in dataset.samples)
    folder = tmp_path / "w" / "predictions" / "r1-test"
    folder.mkdir(parents=True)
    (tmp_path / "w" / "workspace.json").write_text('{"format": 1, "made_by": ""}')
    np.savez(folder / "test.npz", sample=np.array(names), scores=values)
    spec = TrainSpec(
        "r1", FileRef("/home/x/manifest.json", "a"), FileRef("/home/x/s.json", "b"), "/home/x", "/home/x", CARD,
        "linear", Recipe(), 0, "cpu", FileRef("/home/x/w", "c"), task=task, classes=classes, positive=dataset.positive,
    )  # fmt: skip
    row = Evaluation("r1", "test", "auc", None, None, None, "none", "image", 5, None, None, "set")
    test = EvaluationFile("r1", "test", "2026", "why", "set", FileRef("/home/x/p", "d"), (row,))
    sides = (*(Assignment(name, Partition.TEST, name) for name in names), Assignment("t", Partition.TRAIN, "t"))
    split = Split("s", "d", "f", "rule", 0, sides, "g")
    with open_workspace(tmp_path / "w", settings=Settings()) as workspace:
        view = RunView("r1", spec, RunState(Phase.FINISHED, metrics={"auc": 0.5}), tmp_path)
        made = attachments(workspace, dataset, split, [view], [test])
    assert not any("/home/x" in one.text or "secret" in one.text for one in made)
    held = read_evidence({one.name: one.text.encode() for one in made})
    again = scored_of(held.predictions["r1"], held.specs[0], knows_patients=held.outcomes[0].knows_patients)
    first = scored(dataset, names, values)
    assert np.array_equal(again.scores, first.scores, equal_nan=True) and np.array_equal(again.targets, first.targets)
    assert np.array_equal(again.clusters.codes, first.clusters.codes) and again.failed == again.samples[3:4]
    assert not set(again.samples) & set(names), "samples bear other names in every report"
    assert (
        held.rows == (row,)
        and held.specs[0].weights == FileRef("", "c")
        and held.pixels[again.samples[1]] == f"{1:064d}"
    )


def test_what_is_missing_or_torn_is_named() -> None:
    with pytest.raises(InputError, match=r"does not carry runs\.json"):
        read_evidence({})
    spec = TrainSpec(
        "r1", FileRef("", ""), FileRef("", ""), "", "", CARD, "linear", Recipe(), 0, "cpu", None,
        task=Task.BINARY, classes=("a", "b"), positive="b",
    )  # fmt: skip
    head = "sample,patient,label,target,a,b\n"
    for text in ("", "x", head + "s1,P1,a,0,0.5", head + "s1,P1,a,zero,0.5,0.5", head + "s1,P1,a,0,2,3", head):
        with pytest.raises(InputError):
            scored_of(text, spec, knows_patients=True).without_failed().taken(np.array([True]))
    assert PREDICTIONS.format(run="r1") == "predictions-r1.csv"


def test_rows_and_pairs_are_compared_field_by_field() -> None:
    row = Evaluation("r1", "test", "auc", 0.8, 0.7, 0.9, "delong", "image", 9, None, 4, "set")
    assert rows_differ([row], [replace(row, value=0.8 + 1e-12)]) == []
    (found,) = rows_differ([row], [replace(row, low=0.71)])
    assert found.where == "r1 auc low" and (found.expected, found.found) == ("0.7", "0.71")
    missing, strange = rows_differ([row], [replace(row, metric="brier")])
    assert (missing.kind, strange.kind) == ("missing", "inserted")
    pair = Comparison("a", "b", "auc", 0.1, 0.0, 0.2, "delong", 0.04, 0.04, 9)
    assert pairs_differ([pair], [pair]) == []
    assert pairs_differ([pair], [])[0].kind == "inserted"
    assert pairs_differ([pair], [replace(pair, p=0.05)])[0].where == "a − b auc p"
    together = replace(pair, low_simultaneous=-0.02, high_simultaneous=0.22, simultaneous_method="max-t-bootstrap")
    (wrong,) = pairs_differ([together], [replace(together, high_simultaneous=0.25)])
    assert wrong.where == "a − b auc high_simultaneous"
    assert pairs_differ([pair], [together]) == [], "an earlier version kept no simultaneous interval"
    assert pairs_differ([together], [pair]), "and a kept one that does not come of the predictions is named"
    assert not is_close(1.0, None) and is_close({"a": "1"}, {"a": "1"})

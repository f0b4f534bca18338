"""Predictions of another system, read from a table, beside runs of one's own."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medfm_gui.base.settings import Settings
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, MedfmError, UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.domain.threshold import RuleOrigin
from medfm_gui.workspace import data
from medfm_gui.workspace.comparing import compare
from medfm_gui.workspace.evaluating import count_openings
from medfm_gui.workspace.export import export_predictions
from medfm_gui.workspace.external import import_predictions
from medfm_gui.workspace.journal import entries
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.report_facts import Draft
from medfm_gui.workspace.reporting import build_report
from medfm_gui.workspace.sidebyside import stored
from tests.fixtures.opened import drawn_dataset, opened_run


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SimpleNamespace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 400)
        run = opened_run(workspace, dataset, seed=1)
        (split,) = data.splits_of(workspace, data.newest_split(workspace, dataset.id) or "")
        test, val = split.samples_in(Partition.TEST), split.samples_in(Partition.VAL)
        labels = {sample.id: sample for sample in dataset.samples}
        random = np.random.default_rng(3)
        score = {
            name: float(np.clip(0.3 + 0.3 * labels[name].target[0] + random.normal(scale=0.15), 0, 1))
            for name in (*test, *val)
        }
        yield SimpleNamespace(
            workspace=workspace, dataset=dataset, run=run, test=test, val=val, score=score, labels=labels,
            file=tmp_path / "theirs.csv", split=split,
        )  # fmt: skip


def _write(path: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(head)
        writer.writerows(rows)
    return path


def _import(place: SimpleNamespace, head: Sequence[str], rows: Sequence[Sequence[Any]], **more: Any) -> Any:
    return import_predictions(
        place.workspace, _write(place.file, head, rows), name="Vendor X", dataset_id=place.dataset.id, **more
    )


def test_a_table_of_scores_joins_the_comparison(place: SimpleNamespace, tmp_path: Path) -> None:
    made = _import(place, ("sample", "score"), [(name, place.score[name]) for name in (*place.test, *place.val)])
    labels = [place.labels[name].target[0] for name in place.test]
    area = roc_auc_score(labels, [place.score[name] for name in place.test])
    assert made.test.evaluations[0].value == pytest.approx(area, abs=1e-6) and not made.remarks
    assert any(row.metric == "sensitivity" for row in made.test.evaluations), "a threshold from the validation rows"
    assert made.view.spec.threshold_from is RuleOrigin.DEFAULT, "nobody chose the rule"
    assert count_openings(place.workspace, {made.test.sample_set}) == 2
    assert entries(place.workspace.root)[-2].what == "test opened"
    found = compare(place.workspace, (place.run, made.view.id))
    assert found.file.pairs[0].a == made.view.id and found.file.pairs[0].difference is not None
    assert "Vendor X" in found.file.sentence
    assert len(stored(place.workspace, (place.run, made.view.id)).runs) == 2
    report = build_report(place.workspace, (made.view.id,), draft=Draft(tmp_path / "scratch", is_read_only=True))
    assert "Vendor X" in report.summary


def test_what_was_exported_can_be_read_again(place: SimpleNamespace) -> None:
    out, _ = export_predictions(place.workspace, place.run, "test", place.file)
    made = import_predictions(place.workspace, out, name="same", dataset_id=place.dataset.id)
    pair = compare(place.workspace, (place.run, made.view.id)).file.pairs[0]
    assert pair.difference == pytest.approx(0, abs=1e-9)


def test_rows_by_path_and_by_patient(place: SimpleNamespace) -> None:
    by_path = [(f"somewhere/{place.labels[name].path}", place.score[name]) for name in place.test]
    with pytest.raises(InputError, match="no path"):
        _import(place, ("path", "score"), by_path)
    made = _import(place, ("Path", "with"), [(place.labels[name].path, place.score[name]) for name in place.test])
    assert made.test.evaluations[0].n == len(place.test)
    patients = dict.fromkeys(place.labels[name].patient for name in place.test)
    rows = [(patient, 0.2, 0.8) for patient in patients]
    pooled = _import(place, ("patient", "without", "with"), rows, unit="patient", threshold=0.5)
    assert pooled.view.spec.threshold_from is RuleOrigin.UNKNOWN
    assert pooled.test.evaluations[0].n == len(patients) and pooled.test.evaluations[0].value == 0.5


def test_missing_rows_are_failed_units(place: SimpleNamespace) -> None:
    rows = [(name, "" if number == 0 else place.score[name]) for number, name in enumerate(place.test[:-2])]
    made = _import(place, ("sample", "score"), rows)
    assert made.test.evaluations[0].n == len(place.test) - 3
    assert made.remarks[0].startswith("1 row without") and made.remarks[1].startswith("2 of")
    assert any(row.parameters.get("failures") == "as errors" for row in made.test.evaluations)


def test_a_column_that_could_be_a_class_and_is_none_is_named(place: SimpleNamespace) -> None:
    rows = [(name, place.score[name], 0.5, "a word", 40) for name in place.test]
    made = _import(place, ("sample", "with", "Cancer", "site", "age"), rows)
    assert made.remarks == ("not read: “Cancer”",)


@pytest.mark.parametrize(
    ("head", "change", "words"),
    (
        (("sample", "score"), [("stranger", 0.5)], "no sample of"),
        (("sample", "score"), [("FIRST", 0.5)], "twice"),
        (("sample", "score"), [("VAL", 1.5)], "no probabilities: line"),
        (("sample", "score"), [("VAL", "<b>high</b>")], "no probabilities: line"),
        (("sample", "score"), [("VAL", "inf")], "no probabilities: line"),
        (("name", "score"), [], "no column that names samples"),
        (("sample", "likelihood"), [], "no column for"),
    ),
)
def test_what_does_not_fit_is_named(
    place: SimpleNamespace, head: Sequence[str], change: list[tuple[str, Any]], words: str
) -> None:
    names = {"FIRST": place.test[0], "VAL": place.val[0]}
    rows = [(name, place.score[name]) for name in place.test]
    before = len(list((place.workspace.root / "runs").iterdir()))
    with pytest.raises(MedfmError, match=words):
        _import(place, head, [*rows, *((names.get(name, name), value) for name, value in change)])
    assert len(list((place.workspace.root / "runs").iterdir())) == before


def test_shares_that_do_not_add_up_are_refused(place: SimpleNamespace) -> None:
    with pytest.raises(InputError, match="no probabilities"):
        _import(place, ("sample", "without", "with"), [(name, 0.7, 0.7) for name in place.test])
    with pytest.raises(InputError, match="test image"):
        _import(place, ("sample", "score"), [(name, 0.5) for name in place.val])
    with pytest.raises(UsageError, match="no name"):
        import_predictions(place.workspace, place.file, name=" ", dataset_id=place.dataset.id)


def test_findings_that_occur_together(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 300, task=Task.MULTILABEL, classes=("edema", "mass"))
        (split,) = data.splits_of(workspace, data.newest_split(workspace, dataset.id) or "")
        rows = [(name, 0.9, number / 300) for number, name in enumerate(split.samples_in(Partition.TEST))]
        file = _write(tmp_path / "t.csv", ("sample", "prob_edema", "prob_mass"), rows)
        made = import_predictions(workspace, file, name="CAD", dataset_id=dataset.id)
        assert made.test.evaluations[0].metric == "auc_mean_labels"

"""Cheap models, readers, tables and other data beside a comparison: every question travels and is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.base.settings import Settings
from medfm_gui.desk.answers.compare import ENTRIES as PLAIN
from medfm_gui.desk.answers.compare_cases import ENTRIES as CASES
from medfm_gui.desk.answers.compare_outside import ENTRIES
from medfm_gui.desk.asks import compare as plain
from medfm_gui.desk.asks import compare_cases as cases
from medfm_gui.desk.asks import compare_outside as asks
from medfm_gui.desk.protocol import Ask, answer_type, decode_answer, decode_ask, encode_value
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import Interrupted, SealError, UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.workspace import data, training
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.shortcuts import COVARIATES, THUMBNAILS
from tests.fixtures.opened import drawn_dataset, opened_run

Placed = tuple[Workspace, tuple[str, ...]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placed]:
    with open_workspace(tmp_path_factory.mktemp("outside") / "ws", settings=Settings()) as workspace:
        covariates = {"view": ("CC", "MLO", "CC"), "age": ("41", "67", "58", "70", "35", "62", "49")}
        dataset = drawn_dataset(workspace, 1200, per_patient=1, name="DDSM", covariates=covariates)
        yield workspace, tuple(opened_run(workspace, dataset, seed=seed) for seed in (0, 1))


def answered(room: Room, ask: Ask[Any]) -> Any:
    """The answer as it arrives on the other side."""
    there = decode_ask(type(ask), *encode_value(ask))
    assert there == ask
    entry = {**PLAIN, **CASES, **ENTRIES}[type(ask)]
    answer = entry.answer(room, there, Told(lambda kind, value: None))
    arrived = decode_answer(answer_type(type(ask)), *encode_value(answer))
    assert arrived == answer
    return arrived


def images_of(workspace: Workspace, run: str) -> tuple[str, ...]:
    """The test images of a run."""
    (split,) = data.splits_of(workspace, training.view(workspace, run).spec.split_id)
    return split.samples_in(Partition.TEST)


def reads_table(workspace: Workspace, run: str, path: Path) -> Path:
    """Two readers of all test images: one errs on every seventh, the other calls every third positive."""
    spec = training.view(workspace, run).spec
    truth = {sample.id: sample.target[0] for sample in data.read(workspace, spec.dataset_id).samples}
    rows = ["reader,sample,decision"]
    for number, name in enumerate(images_of(workspace, run)):
        rows.append(f"Kim,{name},{truth[name] ^ (number % 7 == 0)}")
        rows.append(f"Rossi,{name},{int(number % 3 == 0)}")
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_cheap_models_stand_beside_the_runs(place: Placed) -> None:
    workspace, runs = place
    with Room(workspace) as room:
        found = answered(room, asks.ReadBaselines(runs))
        covariates, thumbnails = found.file.baselines
        assert (covariates.name, thumbnails.name) == (COVARIATES, THUMBNAILS)
        assert covariates.evaluations[0].metric == "auc" and "age" in covariates.note
        assert not thumbnails.evaluations and "could not be made" in thumbnails.note, "there are no pixels here"
        assert found.unbeaten == (), "the runs are far better than the covariates"
        drawing = answered(room, asks.ReadRocBeside(runs, baselines=True))
        assert [one.style for one in drawing.chart.series] == ["linear", "linear", "baseline"]
        assert drawing.chart.series[0].name.startswith(f"{runs[0]} ")
        assert "roc-baselines" in {one.id for one in workspace.store.charts(f"cases:{'+'.join(runs)}")}


def test_readers_come_in_and_stand_beside_the_runs(place: Placed, tmp_path: Path) -> None:
    workspace, runs = place
    with Room(workspace) as room:
        usual = answered(room, asks.ListImportTargets(runs[0]))
        assert usual.dataset == "ddsm" and usual.looks == {usual.split: 2}
        assert usual.targets[0].splits == (usual.split,)
        table = reads_table(workspace, runs[0], tmp_path / "reads.csv")
        made = answered(room, asks.ImportReaders(str(table), usual.dataset, usual.split))
        (row,) = answered(room, asks.ListReads(runs)).reads
        assert (
            row.id == made.id and row.readers == ("Kim", "Rossi") and row.images == len(images_of(workspace, runs[0]))
        )
        board = answered(room, asks.ReadReaders(made.id, runs))
        assert {one.run for one in board.table.evaluations} == {"reader:Kim", "reader:Rossi"}
        assert {one.a for one in board.table.pairs} == set(runs) and board.table.agreement
        assert board.n_found == len(board.cases) > 0
        case = board.cases[0]
        assert case.place == f"/nowhere/{int(case.sample[1:])}.png" and len(case.decided) == 2
        for one in board.cases:
            assert one.wrong == tuple(word != one.reference for word in one.decided)
        assert "roc-readers" in {one.id for one in workspace.store.charts(f"cases:{'+'.join(runs)}")}
        drawing = answered(room, asks.ReadRocBeside(runs, reads=made.id))
        assert [one.name for one in drawing.chart.series[2:]] == ["reader Kim", "reader Rossi"]
        assert not any(one.joined for one in drawing.chart.series[2:])
        against = answered(room, asks.ReadReaders(made.id, runs, "Kim"))
        assert {one.run for one in against.table.evaluations} == {"reader:Rossi"}


def imported(room: Room, run: str, path: Path) -> str:
    """The run of another system that guesses; its predictions are of the test images of a run."""
    names = images_of(room.workspace, run)
    lines = ["sample,score", *(f"{name},{(number * 37 % 100) / 100}" for number, name in enumerate(names))]
    path.write_text("\n".join(lines), encoding="utf-8")
    usual = answered(room, asks.ListImportTargets(run))
    ask = asks.ImportPredictions(str(path), "Vendor A", usual.dataset, usual.split, usual.unit, 0.5, "a second look")
    made = answered(room, ask)
    assert isinstance(made.id, str)
    return made.id


def test_another_system_joins_as_a_run(place: Placed, tmp_path: Path) -> None:
    workspace, runs = place
    with Room(workspace) as room:
        made = imported(room, runs[0], tmp_path / "vendor.csv")
        listed = {one.run: one for one in answered(room, plain.ListCandidates(runs[0])).runs}
        assert listed[made].is_opened and not listed[made].obstacle
        assert listed[made].title == "Vendor A · external", "by the name that it was given"
        unbeaten = answered(room, asks.ReadBaselines((runs[0], made))).unbeaten
        assert unbeaten == ((made, COVARIATES),)


def test_a_dataset_as_an_external_test(place: Placed, tmp_path: Path) -> None:
    workspace, runs = place
    other = drawn_dataset(workspace, 60, name="Coast", covariates={"hospital": ("North", "South")})
    with Room(workspace) as room:
        facts = answered(room, asks.LookAtSite(runs, other.id))
        assert facts.images == 60 and facts.suggested == (("without", "without"), ("with", "with"))
        assert facts.sites == ("hospital",) and facts.journalled == 0
        own = answered(room, asks.LookAtSite(runs, "ddsm"))
        assert {run for run, _ in own.obstacles} == set(runs), "they were trained on it"
        assert answered(room, asks.ListExternalTests(runs)).files == ()
        with pytest.raises(UsageError, match="names a class that is not there"):
            answered(room, asks.TestOnSite(runs, other.id, "elsewhere", (("with", "nothing"),)))
        vendor = imported(room, runs[0], tmp_path / "vendor.csv")
        ((barred, why),) = answered(room, asks.LookAtSite((vendor,), other.id)).obstacles
        assert barred == vendor and "no model here" in why
        said = answered(room, asks.TestOnSite((vendor,), other.id, "elsewhere", (("with", "with"),)))
        assert said.runs == () and "no model here" in said.refused[0][1]


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.MULTILABEL, Task.ORDINAL])
def test_one_event_of_several_classes(tmp_path: Path, task: Task) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(
            workspace, 900, per_patient=1, name="Grades", task=task, classes=("none", "mild", "severe"),
            covariates={"sex": ("F", "M")},
        )  # fmt: skip
        runs = (opened_run(workspace, dataset),)
        with Room(workspace) as room:
            found = answered(room, plain.ReadSideBySide(runs))
            titles = dict(found.events)
            assert titles["mild"] == ("mild or higher" if task is Task.ORDINAL else "mild")
            assert ("none" in titles) == (task is not Task.ORDINAL)
            parts = answered(room, cases.ReadSubgroups(runs, "sex", "mild"))
            assert parts.event == "mild" and {row.metric for row in parts.rows} == {"auc"}, "no threshold was locked"
            assert all(row.value is not None and row.value > 0.5 for row in parts.rows)
            assert "no threshold was locked" in parts.note and titles["mild"] in parts.chart.title
            useful = answered(room, cases.ReadUsefulness(runs, 0.1, 0.4, 0.3, "mild"))
            assert useful.event == "mild" and useful.charts and titles["mild"] in useful.charts[0].title
            assert answered(room, cases.ReadSampling(runs, "mild")).prevalence is None
            covariates, thumbnails = answered(room, asks.ReadBaselines(runs)).file.baselines
            assert covariates.evaluations and not thumbnails.evaluations
            drawing = answered(room, asks.ReadRocBeside(runs, baselines=True))
            assert [one.style for one in drawing.chart.series] == ["linear", "baseline"]
            for ask in (
                cases.ReadSubgroups(runs, "sex"), cases.ReadSubgroups(runs, "sex", "other"),
                cases.ReadUsefulness(runs, 0.1, 0.4, 0.3), cases.ReadUsefulness(runs, 0.1, 0.4, 0.3, "other"),
            ):  # fmt: skip
                with pytest.raises(UsageError):
                    answered(room, ask)


def test_studies_definitions_beside_what_they_published(place: Placed) -> None:
    from sklearn.metrics import roc_auc_score

    from medfm_gui.workspace.evaluating import test_predictions as scores_of
    from medfm_gui.workspace.scores import read_scores

    workspace, runs = place
    with Room(workspace) as room:
        found = answered(room, cases.ReadReferences(runs))
    own = {(one.run, one.name): one.value for one in found.own}
    samples, scores = read_scores(scores_of(workspace, runs[0]))
    truth = {sample.id: sample.target[0] for sample in data.read(workspace, "ddsm").samples}
    area = roc_auc_score([truth[name] for name in samples], scores[:, 1])
    assert own[runs[0], "study_a_roc_auc"] == round(area, 3)


def test_what_the_leak_gate_named_is_left_out_of_a_number_of_its_own(place: Placed) -> None:
    from medfm_gui.base import wire
    from medfm_gui.workspace.evaluating import WITHOUT_FLAGGED, evaluation_path, opened

    workspace, runs = place
    path = evaluation_path(workspace, runs[0])
    before, file = path.read_bytes(), opened(workspace, runs[0])
    without = tuple(replace(row, subset=WITHOUT_FLAGGED) for row in file.evaluations[:1])
    wire.write(path, replace(file, flagged=("s1", "s2"), without_flagged=without))
    with Room(workspace) as room:
        found = answered(room, plain.ReadSideBySide(runs))
        assert found.flagged == 2 and found.without_flagged == without
        path.write_bytes(before)
        assert answered(room, plain.ReadSideBySide(runs)).flagged == 0


def test_a_cancel_ends_the_cheap_models_and_keeps_nothing(place: Placed) -> None:
    workspace, runs = place
    told = Told(lambda kind, value: None)
    told.stopped.set()
    before = sorted((workspace.root / "evaluations").iterdir())
    with Room(workspace) as room, pytest.raises(Interrupted):
        ENTRIES[asks.ReadBaselines].answer(room, asks.ReadBaselines(runs[:1]), told)
    assert sorted((workspace.root / "evaluations").iterdir()) == before


def test_a_sealed_test_stays_sealed(place: Placed) -> None:
    workspace, _ = place
    request = training.TrainRequest("ddsm", models=("efficientnet-lite0",), adapts=("linear",), seeds=(8,))
    (sealed,) = training.create_runs(workspace, request)
    with Room(workspace) as room:
        for ask in (asks.ReadBaselines((sealed.id,)), asks.ReadRocBeside((sealed.id,)), asks.ListReads((sealed.id,))):
            with pytest.raises(SealError):
                answered(room, ask)


def test_a_workspace_that_is_only_read_stays_as_it_is(place: Placed) -> None:
    workspace, runs = place
    before = sorted(path for path in workspace.root.rglob("*.json"))
    with Room(workspace, is_read_only=True) as room:
        answered(room, asks.ReadBaselines(runs[1:]))
        answered(room, asks.ReadRocBeside(runs[1:], baselines=True))
    assert sorted(path for path in workspace.root.rglob("*.json")) == before
    assert all(ENTRIES[kind].writes for kind in (asks.ImportPredictions, asks.ImportReaders, asks.TestOnSite))

"""Questions about what lies behind a comparison: they travel, are answered, and leave a read-only workspace alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.base.settings import Settings
from medfm_gui.desk.answers.compare_cases import ENTRIES
from medfm_gui.desk.asks import compare_cases as asks
from medfm_gui.desk.protocol import Ask, Progress, answer_type, decode_answer, decode_ask, encode_value
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.errors import Interrupted, SealError
from medfm_gui.workspace.disagreements import Kind
from medfm_gui.workspace.place import Workspace, open_workspace
from tests.fixtures.opened import drawn_dataset, opened_run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, tuple[str, ...]]]:
    with open_workspace(tmp_path_factory.mktemp("cases") / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 1200, per_patient=1, name="DDSM", covariates={"view": ("CC", "MLO")})
        yield workspace, tuple(opened_run(workspace, dataset, seed=seed) for seed in (0, 1))


def answered(room: Room, ask: Ask[Any], said: list[Any] | None = None) -> Any:
    """The answer as it arrives on the other side."""
    there = decode_ask(type(ask), *encode_value(ask))
    assert there == ask
    told = Told(lambda kind, value: None if said is None else said.append(value))
    answer = ENTRIES[type(ask)].answer(room, there, told)
    arrived = decode_answer(answer_type(type(ask)), *encode_value(answer))
    assert arrived == answer
    return arrived


def test_every_question_is_answered(place: tuple[Workspace, tuple[str, ...]], tmp_path: Path) -> None:
    workspace, runs = place
    with Room(workspace) as room:
        offered = answered(room, asks.ListTestCovariates(runs))
        assert [one.name for one in offered.covariates] == ["view"]
        parts = answered(room, asks.ReadSubgroups(runs, "view"))
        assert set(parts.values) == {"CC", "MLO"}
        assert answered(room, asks.ReadSampling(runs)).prevalence is None
        useful = answered(room, asks.ReadUsefulness(runs, 0.1, 0.4, 0.2))
        assert useful.charts
        assert answered(room, asks.ReadSeeds(runs)).groups[0].runs == runs
        assert answered(room, asks.ReadClassSets(runs)) == asks.ClassSets(is_on=False), "off by default"
        assert answered(room, asks.ReadDisagreements(runs, Kind.DIFFER)).kind is Kind.DIFFER
        published = answered(room, asks.ReadReferences(runs))
        assert published.dataset == "DDSM" and published.charts[0].series[0].name.startswith(f"{runs[0]} ")
        out = tmp_path / "benefit.csv"
        answered(room, asks.WriteChart(useful.charts[0], "csv", str(out)))
        assert "treat all" in out.read_text(encoding="utf-8")


def test_a_cancel_ends_the_work(place: tuple[Workspace, tuple[str, ...]]) -> None:
    workspace, runs = place
    told = Told(lambda kind, value: None)
    told.stopped.set()
    with Room(workspace) as room:
        for ask in (asks.ReadDisagreements(runs), asks.ReadUsefulness(runs, 0.2, 0.3, 0.2)):
            with pytest.raises(Interrupted):
                ENTRIES[type(ask)].answer(room, ask, told)


def test_a_sealed_test_stays_sealed(place: tuple[Workspace, tuple[str, ...]]) -> None:
    from medfm_gui.workspace import data, training

    workspace, runs = place
    dataset = data.read(workspace, training.view(workspace, runs[0]).spec.dataset_id)
    request = training.TrainRequest(dataset.id, models=("efficientnet-lite0",), adapts=("linear",), seeds=(8,))
    (sealed,) = training.create_runs(workspace, request)
    with Room(workspace) as room:
        for ask in (
            asks.ListTestCovariates((sealed.id,)), asks.ReadSubgroups((*runs, sealed.id), "view"),
            asks.ReadDisagreements((sealed.id,)), asks.ReadSeeds((sealed.id,)),
        ):  # fmt: skip
            with pytest.raises(SealError):
                answered(room, ask)


def test_a_workspace_that_is_only_read_stays_as_it_is(place: tuple[Workspace, tuple[str, ...]]) -> None:
    workspace, runs = place
    before = sorted((workspace.root / "evaluations").iterdir())
    with Room(workspace, is_read_only=True) as room:
        said: list[Any] = []
        answered(room, asks.ReadSubgroups(runs[:1], "view"), said)
        answered(room, asks.ReadUsefulness(runs[:1], 0.11, 0.4, 0.2))
        answered(room, asks.ReadSeeds(runs[:1]))
        assert any(isinstance(one, Progress) for one in said)
    assert sorted((workspace.root / "evaluations").iterdir()) == before

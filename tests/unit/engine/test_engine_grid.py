"""The grid of linear heads: each as if it were alone, the best kept, from features of several blocks."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import NonFiniteLoss, UsageError
from medfm_gui.domain.recipe import recipe_from
from medfm_gui.domain.run import PredictSpec, RunState, TrainSpec, fold
from medfm_gui.engine.adaptations.grid_heads import GridHeads, Part, falling
from medfm_gui.engine.loss import Objective
from medfm_gui.engine.predict import predict_subset
from medfm_gui.engine.reading import POOLED, Reading
from medfm_gui.engine.saved import open_model
from medfm_gui.engine.session import PauseRequested
from medfm_gui.engine.train import run_training
from tests.fixtures.tiny_transformer import tiny_transformer

Order = Callable[..., tuple[TrainSpec, Path]]
GRID = {"epochs": 3, "batch_size": 7, "grid_blocks": "1,2", "grid_lrs": "0.01,0.1"}


def _results(events: Sequence[ev.Event]) -> dict[str, str]:
    return {event.name: event.sha256 for event in events if isinstance(event, ev.FileWritten)}


@pytest.fixture
def vit(bench: Any, order: Order) -> Order:
    card, weights = tiny_transformer(bench.root, bench.card)

    def make(adapt: str = "linear-grid", **changes: Any) -> tuple[TrainSpec, Path]:
        return order(adapt, card=card, weights=weights, **changes)

    return make


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.MULTILABEL])
def test_every_head_is_as_if_it_were_alone(task: Task) -> None:
    torch.manual_seed(0)
    rows = torch.randn(60, 10)
    targets = torch.randint(0, 3, (60,)) if task is Task.MULTICLASS else torch.randint(-1, 2, (60, 3))
    parts = [Part(POOLED, 0, 6), Part(POOLED, 4, 10)]
    lrs = (0.003, 0.05, 0.4)
    heads, objective = GridHeads(parts, lrs, 3, seed=5), Objective(task)
    first = [heads.head(number) for number in range(6)]
    for step in range(12):
        some = slice(5 * step, 5 * step + 5)
        heads.step(rows[some], targets[some], objective, falling(step, 12))
    for number, (part, lr) in enumerate(itertools.product(parts, lrs)):
        alone = torch.nn.Linear(6, 3)
        with torch.no_grad():
            alone.weight.copy_(first[number][0])
            alone.bias.copy_(first[number][1])
        optimiser = torch.optim.SGD(alone.parameters(), lr=lr, momentum=0.9)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 12)
        for step in range(12):
            some = slice(5 * step, 5 * step + 5)
            loss = objective.total(alone(rows[some, part.start : part.stop]), targets[some])
            optimiser.zero_grad()
            (loss / objective.mass(targets[some])).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        weight, bias = heads.head(number)
        assert torch.allclose(weight, alone.weight, atol=1e-5)
        assert torch.allclose(bias, alone.bias, atol=1e-5)
        logits = heads.logits(rows)[number]
        assert torch.allclose(logits, alone(rows[:, part.start : part.stop]), atol=1e-4)


def test_heads_begin_small_and_without_bias() -> None:
    heads = GridHeads([Part(POOLED, 0, 4000)], (0.1, 0.2), 5, seed=1)
    weight, bias = heads.head(0)
    assert float(weight.std()) == pytest.approx(0.01, rel=0.05)
    assert not bias.any()
    assert not torch.equal(weight, heads.head(1)[0])
    assert torch.equal(weight, GridHeads([Part(POOLED, 0, 4000)], (0.1, 0.2), 5, seed=1).head(0)[0])


def test_the_grid_of_a_transformer_has_every_combination(vit: Order) -> None:
    spec, folder = vit(recipe={**GRID, "grid_blocks": "1,2,4"})  # two blocks are all there is
    *events, last = run_training(spec, folder)
    assert isinstance(last, ev.RunFinished)
    said = json.loads((folder / "grid.json").read_text())
    found = {(head["reading"]["blocks"], head["reading"]["patches"], round(head["lr"], 4)) for head in said["heads"]}
    assert found == set(itertools.product((1, 2), (False, True), (0.01, 0.1)))
    assert len(said["curve"]) == 3
    assert all(len(points) == 8 for points in said["curve"])
    best = said["curve"][-1][said["kept"]]
    assert best["score"] == max(point["score"] for point in said["curve"][-1])
    assert "one of 8" in last.facts["head"]
    assert last.labels_used == 20 + 11 + 9  # learned from, selected on, and the threshold
    assert [event.best for event in events if isinstance(event, ev.EpochFinished)] == [False, False, True]


def test_the_kept_head_scores_images_as_it_scored_features(vit: Order, tmp_path: Path) -> None:
    spec, folder = vit(recipe={**GRID, "grid_blocks": "2", "grid_patches": "with"})
    list(run_training(spec, folder))
    model = open_model(folder, torch.device("cpu"))
    assert model.head.facts.reads == Reading("depths", 2, patches=True)
    assert model.head.facts.feature_dim == 24
    list(predict_subset(PredictSpec(str(folder), "val", str(tmp_path)), tmp_path))
    stored, again = np.load(folder / "predictions" / "val.npz"), np.load(tmp_path / "val.npz")
    assert stored["scores"].tobytes() == again["scores"].tobytes()


def test_a_network_of_maps_has_one_head_a_learning_rate(order: Order) -> None:
    spec, folder = order("linear-grid", recipe=GRID)
    *_, last = run_training(spec, folder)
    assert isinstance(last, ev.RunFinished)
    assert "one of 2" in last.facts["head"]
    assert last.metrics["auc"] > 0.5


@pytest.mark.parametrize("how", ["closed", "paused"])
@pytest.mark.parametrize("count", [2, 7, 12])
def test_a_stopped_grid_ends_in_the_same_bytes(vit: Order, how: str, count: int) -> None:
    *whole, _ = run_training(*vit(recipe=GRID))
    spec, folder = vit(recipe=GRID)
    said: list[ev.Event] = []
    work = run_training(spec, folder)
    said += itertools.islice(work, count)
    if how == "closed":
        work.close()
    else:
        with pytest.raises(PauseRequested):
            work.throw(PauseRequested())
    rest = list(run_training(spec, folder))
    assert _results(rest) == _results(whole)
    curve = fold(RunState(), [*said, *rest]).curve
    assert [dict(point.metrics) for point in curve] == [dict(point.metrics) for point in fold(RunState(), whole).curve]


def test_a_head_that_runs_away_harms_no_other() -> None:
    torch.manual_seed(0)
    rows, targets = torch.randn(40, 6), torch.randint(0, 2, (40,))
    wild, calm = (GridHeads([Part(POOLED, 0, 6)], lrs, 2, seed=3) for lrs in ((0.01, float("inf")), (0.01, 0.02)))
    for _ in range(40):
        for heads in (wild, calm):
            heads.step(rows, targets, Objective(Task.BINARY), 1.0)
    assert not wild.head(1)[0].isfinite().all()
    assert torch.allclose(wild.head(0)[0], calm.head(0)[0], atol=1e-6)


def test_when_all_run_away_it_is_said(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GridHeads, "step", lambda self, *_: torch.full((len(self.candidates),), torch.nan))
    with pytest.raises(NonFiniteLoss, match="every head"):
        list(run_training(*order("linear-grid", recipe=GRID)))


def test_rows_come_from_the_bank_where_memory_would_not_hold_them(vit: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    *held, _ = run_training(*vit(recipe=GRID))
    monkeypatch.setattr("medfm_gui.engine.adaptations.grid_table._HELD_BYTES", 0)
    *read, _ = run_training(*vit(recipe=GRID))
    assert _results(read) == _results(held)


@pytest.mark.parametrize(
    "setting", [{"grid_lrs": ""}, {"grid_lrs": "0.1,x"}, {"grid_blocks": "1.5"}, {"grid_blocks": "0"}]
)
def test_a_grid_that_is_none_is_refused(setting: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="grid_"):
        recipe_from("linear-grid", setting)


def test_a_grid_is_not_selected_by_a_number_that_the_task_does_not_have(order: Order) -> None:
    spec, folder = order("linear-grid", recipe={**GRID, "selection": "kappa_quadratic"})
    with pytest.raises(UsageError, match="does not have") as refused:
        list(run_training(spec, folder))
    assert "selection=auto" in refused.value.hint

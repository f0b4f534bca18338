"""The tensors of a descent: what is trained, what keeps still, and that parts of a batch are the batch."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import NonFiniteLoss, OutOfMemory, UsageError, WeightsAbsent
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import FileRef, TrainSpec
from medfm_gui.engine.adaptations import SCOPES
from medfm_gui.engine.adaptations.order import Order, balanced
from medfm_gui.engine.adaptations.scope import Scope, depths, whole
from medfm_gui.engine.adaptations.tuning import Tuning, _kept_from_decay, half_precision
from medfm_gui.engine.backbones import Backbone, load_backbone
from medfm_gui.engine.head import HeadFacts, LinearHead
from medfm_gui.engine.loss import Objective, class_weights
from medfm_gui.engine.material import Material
from medfm_gui.engine.saved import open_model
from medfm_gui.engine.schedule import Schedule, schedule_of
from medfm_gui.engine.tensor_files import read_tensors, write_tensors
from medfm_gui.engine.train import prepared, run_training

Order_ = Callable[..., tuple[TrainSpec, Path]]
CPU = torch.device("cpu")


def _ended(events: Generator[ev.Event, None, Material]) -> Material:
    while True:
        try:
            next(events)
        except StopIteration as end:
            material: Material = end.value
            return material


def _material(order: Order_, adapt: str, **changes: Any) -> Material:
    spec, folder = order(adapt, **changes)
    return _ended(prepared(spec, folder, CPU))


def _backbone(order: Order_) -> Backbone:
    return load_backbone(order()[0].card, image_size=32, weights=None)


def _tuning(backbone: Backbone, recipe: Recipe, scope: Scope | None = None, task: Task = Task.BINARY) -> Tuning:
    torch.manual_seed(0)
    head = LinearHead(HeadFacts("linear", task, ("a", "b"), 12))
    return Tuning(backbone, scope or Scope(head, *whole(backbone)), recipe, CPU, Objective(task))


class _Plain:
    """A backbone without batch statistics and dropout: numbers of a patch, mixed."""

    def __init__(self, card: Any) -> None:
        self.card = card
        self.image_size = 32
        self.feature_dim = self.token_dim = 12
        self.module = torch.nn.Sequential(torch.nn.Conv2d(3, 12, 8, stride=8), torch.nn.GELU())

    def features(self, images: Tensor) -> Tensor:
        seen: Tensor = self.module(images).mean(dim=(2, 3))
        return seen

    def blocks(self) -> list[torch.nn.Module]:
        return [self.module[0]]


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTILABEL, Task.ORDINAL])
@pytest.mark.parametrize("parts", [2, 3, 8])
def test_a_batch_in_parts_is_the_batch(order: Order_, task: Task, parts: int) -> None:
    images = torch.rand(8, 3, 32, 32)
    one = torch.arange(8) % 2
    targets = torch.stack([one, torch.tensor([1, -1, -1, -1, 0, 1, -1, 0])], 1) if task is Task.MULTILABEL else one
    kept = []
    for count in (1, parts):
        torch.manual_seed(5)
        plain: Any = _Plain(order()[0].card)
        tuning = _tuning(plain, Recipe(clip=0), task=task)
        losses = [float(tuning.step(images, targets, lr=1e-2, seed=7, parts=count)) for _ in range(3)]
        kept.append((losses, tuning.weights()))
    (first, weights), (second, others) = kept
    assert first == pytest.approx(second, rel=1e-5)
    assert all(torch.allclose(weights[name], others[name], atol=1e-5) for name in weights)


def test_accumulated_batches_are_one_step_of_the_optimiser(order: Order_) -> None:
    spec, folder = order("full", recipe={"batch_size": 4, "accumulate": 5, "epochs": 1})
    said = [event for event in run_training(spec, folder) if isinstance(event, ev.Progressed)]
    assert [event.done for event in said if event.stage == "train"] == [20]


def _short_of_memory(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Looking at more than ``most`` images at once fails as on a full GPU; gives the sizes that were tried."""
    tried: list[int] = []
    seen = torch.nn.Conv2d.forward

    def forward(self: torch.nn.Conv2d, images: Tensor) -> Tensor:
        if torch.is_grad_enabled() and images.shape[1] == 3:
            tried.append(len(images))
            if len(images) > most:
                raise torch.OutOfMemoryError("CUDA out of memory.")
        return seen(self, images)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", forward)
    return tried


def test_too_little_memory_halves_the_parts_and_keeps_the_batch(order: Order_, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = _short_of_memory(monkeypatch, 3)
    spec, folder = order("full", recipe={"batch_size": 10, "epochs": 1})
    events = list(run_training(spec, folder))
    assert isinstance(events[-1], ev.RunFinished)
    said = [event.message for event in events if isinstance(event, ev.Warned)]
    assert len(said) == 2
    assert "adds up 2 parts of 5" in said[0]
    assert "adds up 4 parts of 3" in said[1]
    assert "The batch stays 10" in said[1]
    assert tried == [10, 5, 3, 3, 2, 2, 3, 3, 2, 2]  # two steps, of which the first was tried three times


def test_memory_for_not_even_one_image_is_named(order: Order_, monkeypatch: pytest.MonkeyPatch) -> None:
    _short_of_memory(monkeypatch, 0)
    spec, folder = order("partial", recipe={"blocks": 2})
    with pytest.raises(OutOfMemory, match="not enough memory"):
        list(run_training(spec, folder))


def test_other_errors_of_the_model_are_not_taken_for_memory(order: Order_, monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(self: torch.nn.Conv2d, images: Tensor) -> Tensor:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(torch.nn.Conv2d, "forward", forward)
    spec, folder = order("full")
    with pytest.raises(RuntimeError, match="shapes"):
        list(run_training(spec, folder))


def test_a_loss_that_is_not_finite_has_its_likely_cause(order: Order_) -> None:
    spec, folder = order("full", recipe={"lr": 1e6, "epochs": 50, "warmup_epochs": 0})
    with pytest.raises(NonFiniteLoss, match="learning rate is too high") as high:
        list(run_training(spec, folder))
    assert "lr=1e+05" in high.value.hint


def test_weights_that_are_not_finite_are_named_as_the_cause(order: Order_, tmp_path: Path) -> None:
    spec, _ = order()
    assert spec.weights is not None
    tensors = read_tensors(Path(spec.weights.path))
    tensors["0.weight"][0, 0, 0, 0] = torch.nan
    path = tmp_path / "bad.safetensors"
    spec, folder = order("full", weights=FileRef(str(path), write_tensors(path, tensors)))
    with pytest.raises(NonFiniteLoss, match="pretrained weights"):
        list(run_training(spec, folder))


@pytest.mark.parametrize(
    ("adapt", "recipe", "trained"),
    [
        ("full", {}, 3 * 8 * 9 + 8 + 16 + 8 * 12 * 9 + 12 + 24),
        ("bitfit", {}, 8 + 8 + 12 + 12),
        ("partial", {"blocks": 1}, 12 * 8 * 9 + 12 + 24),
        ("partial", {"blocks": 0}, 0),
        ("lora", {"rank": 2}, 2 * 8 * 9 + 2 * 12),
        ("lora", {"rank": 2, "lora_bias": True}, 2 * 8 * 9 + 2 * 12 + 12),
        ("lora", {"rank": 2, "lora_targets": "qkv"}, 2 * 3 * 9 + 2 * 8),
        ("lora", {"rank": 2, "lora_targets": "qkv+mlp"}, 2 * 3 * 9 + 2 * 8),
    ],
)
def test_each_adaptation_trains_what_it_says(order: Order_, adapt: str, recipe: dict[str, Any], trained: int) -> None:
    material = _material(order, adapt, recipe=recipe)
    scope = SCOPES[adapt](material)
    tuning = Tuning(material.backbone, scope, material.spec.recipe, CPU, Objective(Task.BINARY))
    assert tuning.parameters == trained + 13 * 2
    before = {name: tensor.clone() for name, tensor in material.backbone.module.state_dict().items()}
    for seed in range(2):
        tuning.step(torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 0, 1]), lr=1e-2, seed=seed)
    after = material.backbone.module.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    kept = {name.removeprefix("backbone.") for name in tuning.kept if name.startswith("backbone.")}
    assert changed <= kept, "what is not kept must keep still, batch statistics included"
    assert scope.trained <= changed
    gradients = {name for name, part in material.backbone.module.named_parameters() if part.grad is not None}
    assert gradients == scope.trained


def test_a_saved_model_scores_as_the_trained_one(order: Order_) -> None:
    for adapt, recipe in (("lora", {"lora_bias": True}), ("bitfit", {}), ("partial", {"blocks": 1}), ("full", {})):
        spec, folder = order(adapt, recipe={"epochs": 1, **recipe, "normalisation": "dataset"})
        list(run_training(spec, folder))
        model = open_model(folder, CPU)
        assert (model.change is None) == (adapt == "full")
        assert not model.frozen
        material = _material(order, adapt, recipe=recipe)
        ids = [f"s{number:06d}" for number in range(20, 31)]
        pixels = [model.preprocess.input(material.images.pixels.image(one)) for one in ids]
        with torch.no_grad():
            scores = model.head.scores(model.backbone.features(torch.stack(pixels))).probabilities.numpy()
        with np.load(folder / "predictions" / "val.npz", allow_pickle=False) as arrays:
            assert np.allclose(arrays["scores"], scores, atol=1e-5), adapt


def test_only_what_was_trained_is_kept(order: Order_) -> None:
    spec, folder = order("bitfit")
    list(run_training(spec, folder))
    assert set(read_tensors(folder / "weights" / "backbone.safetensors")) == {"0.bias", "1.bias", "3.bias", "4.bias"}
    spec, folder = order("partial", recipe={"blocks": 1})
    list(run_training(spec, folder))
    kept = set(read_tensors(folder / "weights" / "backbone.safetensors"))
    assert kept == {f"3.{one}" for one in ("weight", "bias")} | {
        f"4.{one}" for one in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }


def test_kept_weights_of_another_model_are_refused(order: Order_, tmp_path: Path) -> None:
    from medfm_gui.domain.errors import WeightsRejected

    spec, folder = order("bitfit", recipe={"epochs": 1})
    list(run_training(spec, folder))
    write_tensors(folder / "weights" / "backbone.safetensors", {"7.bias": torch.zeros(3)})
    with pytest.raises(WeightsRejected, match="do not belong"):
        open_model(folder, CPU)


def test_adaptations_of_pretrained_weights_refuse_random_ones(order: Order_) -> None:
    for adapt in ("lora", "bitfit", "partial"):
        spec, folder = order(adapt, weights=None, from_scratch=True)
        with pytest.raises(WeightsAbsent, match="pretrained"):
            list(run_training(spec, folder))


def test_a_model_without_biases_trains_its_norms_and_says_so(order: Order_, monkeypatch: pytest.MonkeyPatch) -> None:
    from medfm_gui.engine.adaptations import bitfit

    monkeypatch.setattr(bitfit, "_LEAST_SHARE", 0.9)
    scope = bitfit.scope_of(_material(order, "bitfit"))
    assert scope.trained == {"0.bias", "3.bias", *(f"{norm}.{one}" for norm in (1, 4) for one in ("weight", "bias"))}
    assert scope.change is not None
    assert scope.change.said == "norms and biases"
    assert "hardly any biases" in scope.warnings[0]


def test_a_model_with_neither_biases_nor_norms_does_not_claim_to_train_norms(
    order: Order_, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medfm_gui.engine.adaptations import bitfit

    monkeypatch.setattr(bitfit, "_LEAST_SHARE", 0.9)
    monkeypatch.setattr(bitfit, "norms", lambda _: frozenset())
    scope = bitfit.scope_of(_material(order, "bitfit"))
    assert scope.change is not None
    assert scope.change.said == "biases"
    assert "no norms" in scope.warnings[0]


def test_more_blocks_than_there_are_train_all_and_say_so(order: Order_) -> None:
    material = _material(order, "partial", recipe={"blocks": 9})
    scope = SCOPES["partial"](material)
    assert scope.trained == {name for name, _ in material.backbone.module.named_parameters()}
    assert "2 blocks" in scope.warnings[0]


def test_depth_counts_from_the_stem_to_the_last_norm(order: Order_) -> None:
    found = depths(_backbone(order))
    assert {name: depth for name, depth in found.items() if name.endswith("weight")} == {
        "0.weight": 1, "1.weight": 1, "3.weight": 2, "4.weight": 3,
    }  # fmt: skip


def test_the_learning_rate_falls_towards_the_stem_and_the_head_has_its_own(order: Order_) -> None:
    tuning = _tuning(_backbone(order), Recipe(lr=1e-3, head_lr=1e-2, layer_decay=0.5, weight_decay=0.1))
    scales = sorted({float(group["scale"]) for group in tuning._optimiser.param_groups})
    assert scales == pytest.approx([0.25, 0.5, 1.0, 10.0])
    tuning.step(torch.rand(2, 3, 32, 32), torch.tensor([0, 1]), lr=2e-3, seed=0)
    rates = sorted({float(group["lr"]) for group in tuning._optimiser.param_groups})
    assert rates == pytest.approx([5e-4, 1e-3, 2e-3, 2e-2])


def test_a_model_inside_a_model_is_asked_too_what_shall_not_decay() -> None:
    tower = torch.nn.Sequential(timm.create_model("vit_tiny_patch16_224", num_classes=0, img_size=32, depth=1))
    assert set(_kept_from_decay(tower)) >= {"backbone.0.pos_embed", "backbone.0.cls_token"}


def test_sgd_and_decay_of_everything(order: Order_) -> None:
    tuning = _tuning(_backbone(order), Recipe(optimizer="sgd", momentum=0.7, no_decay=False, weight_decay=0.1))
    (group,) = tuning._optimiser.param_groups
    assert isinstance(tuning._optimiser, torch.optim.SGD)
    assert (group["momentum"], group["weight_decay"]) == (0.7, 0.1)


def test_the_mean_of_the_weights_is_judged_and_the_live_ones_go_on(order: Order_) -> None:
    tuning = _tuning(_backbone(order), Recipe(ema=0.5))
    start = tuning.weights()["head.linear.weight"].clone()
    tuning.step(torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 0, 1]), lr=1e-1, seed=0)
    live = tuning.weights()["head.linear.weight"].clone()
    with tuning.judged():
        assert torch.allclose(tuning.weights()["head.linear.weight"], (start + live) / 2, atol=1e-6)
    assert torch.equal(tuning.weights()["head.linear.weight"], live)


def test_weights_of_another_training_are_not_taken(order: Order_) -> None:
    tuning = _tuning(_backbone(order), Recipe())
    with pytest.raises(KeyError, match="other tensors"):
        tuning.load_weights({"head.linear.weight": torch.zeros(2, 12)})


def test_features_without_gradient_leave_adapters_as_they_began(order: Order_) -> None:
    spec, folder = order("lora", recipe={"backbone_gradient": False, "epochs": 2})
    events = list(run_training(spec, folder))
    kept = read_tensors(folder / "weights" / "backbone.safetensors")
    assert all(not tensor.any() for name, tensor in kept.items() if "lora_B" in name)
    assert any(isinstance(event, ev.Warned) and "without gradient" in event.message for event in events)


def test_half_precision_follows_recipe_and_device() -> None:
    assert half_precision(Recipe(), CPU) is None
    assert half_precision(Recipe(precision="bf16"), CPU) is torch.bfloat16
    assert half_precision(Recipe(precision="fp16"), CPU) is None
    assert half_precision(Recipe(precision="fp16", amp=False), torch.device("cuda")) is torch.float16
    assert half_precision(Recipe(precision="fp32"), torch.device("cuda")) is None
    assert half_precision(Recipe(amp=False), torch.device("cuda")) is None


def test_bfloat16_trains_on_a_cpu_and_float16_says_that_it_does_not(order: Order_) -> None:
    spec, folder = order("full", recipe={"precision": "bf16", "epochs": 1})
    assert isinstance(list(run_training(spec, folder))[-1], ev.RunFinished)
    spec, folder = order("full", recipe={"precision": "fp16", "epochs": 1})
    said = [event.message for event in run_training(spec, folder) if isinstance(event, ev.Warned)]
    assert any("float16" in message for message in said)


def test_schedules_warm_up_fall_or_stay() -> None:
    constant = Schedule(1.0, warmup_steps=10, total_steps=100, falls=False, start=1e-8)
    assert constant.rate(0) == 1e-8
    assert constant.rate(5) == pytest.approx(0.5)
    assert {constant.rate(step) for step in range(10, 100)} == {1.0}
    assert schedule_of(Recipe(warmup_iterations=7, warmup_epochs=3, epochs=5), 11) == Schedule(1e-4, 7, 55)
    assert schedule_of(Recipe(warmup_epochs=3, epochs=5), 11).warmup_steps == 33


def test_the_ordinal_loss_is_the_likelihood_of_every_threshold() -> None:
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([0, 1, 2, 3, 0, 3])
    p = logits.softmax(1)
    expected = 0.0
    for row, target in enumerate(targets.tolist()):
        for k in range(3):
            above = float(p[row, k + 1 :].sum())
            expected -= np.log(above if target > k else 1 - above)
    objective = Objective(Task.ORDINAL, "ordinal")
    assert float(objective.total(logits, targets)) == pytest.approx(expected, rel=1e-5)
    near, far = torch.tensor([[0.0, 9.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 0.0, 9.0]])
    wrong = torch.tensor([0])
    assert float(objective.total(near, wrong)) < float(objective.total(far, wrong))


def test_study_b_sums_multi_label_losses_over_the_batch() -> None:
    logits, targets = torch.randn(8, 3), torch.randint(0, 2, (8, 3))
    mean, summed = Objective(Task.MULTILABEL), Objective(Task.MULTILABEL, "study-b")
    first = float(mean.total(logits, targets) / mean.mass(targets))
    assert float(summed.total(logits, targets) / summed.mass(targets)) == pytest.approx(8 * first, rel=1e-5)


def test_class_weights_level_the_classes() -> None:
    targets = np.array([0, 0, 0, 1])
    weights = class_weights(targets, 3, Task.MULTICLASS)
    assert weights.tolist() == pytest.approx([4 / 9, 4 / 3, 1.0])
    objective = Objective(Task.MULTICLASS, "ce", weights)
    even = torch.zeros(4, 3)
    assert float(objective.total(even, torch.from_numpy(targets)) / objective.mass(torch.from_numpy(targets))) == (
        pytest.approx(np.log(3))
    )
    labels = np.array([[1, 0], [0, 0], [0, -1], [0, 0]])
    assert class_weights(labels, 2, Task.MULTILABEL).tolist() == [3.0, 1.0]


def test_balanced_sampling_draws_classes_equally_often() -> None:
    targets = np.array([0] * 18 + [1] * 2)
    chances = balanced(targets, 2, Task.BINARY)
    assert chances[targets == 1].sum() == pytest.approx(0.5)
    drawn = [place for batch in Order(20, 5, seed=3, chances=chances).batches(1) for place in batch]
    assert len(drawn) == 20
    assert Order(20, 5, seed=3, chances=chances).batches(1) == Order(20, 5, seed=3, chances=chances).batches(1)
    labels = np.array([[1, 1], [1, 0], [1, 0], [0, 0], [-1, 0]])
    assert balanced(labels, 2, Task.MULTILABEL) == pytest.approx([1 / 3, 1 / 6, 1 / 6, 1 / 6, 1 / 6])


def test_an_epoch_drops_its_last_batch_if_asked_and_never_its_only_one() -> None:
    whole_batches = Order(20, 8, seed=1, drop_last=True)
    assert [len(batch) for batch in whole_batches.batches(2)] == [8, 8]
    assert whole_batches.steps == 2
    assert [len(batch) for batch in Order(20, 8, seed=1).batches(2)] == [7, 7, 6]
    assert [len(batch) for batch in Order(5, 8, seed=1, drop_last=True).batches(1)] == [5]


def test_the_best_epoch_is_chosen_by_the_number_that_the_recipe_names(order: Order_) -> None:
    spec, folder = order("full", data="multiclass", recipe={"selection": "balanced_accuracy", "epochs": 4})
    told = [event for event in run_training(spec, folder) if isinstance(event, ev.EpochFinished)]
    best = [event.metrics["balanced_accuracy"] for event in told if event.best]
    assert best == sorted(best)  # type: ignore[type-var]
    spec, folder = order("full", recipe={"selection": "kappa_quadratic"})
    with pytest.raises(UsageError, match="does not have"):
        list(run_training(spec, folder))

"""VMamba: names and shapes of the published weights, the official model's numbers, any size, the whole of the maths."""

from __future__ import annotations

import ast
import copy
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from plugins.vmamba import model
from plugins.vmamba.backbone import SHAPES
from plugins.vmamba.model import SS2D, VMamba
from tests.fixtures.naive_scan import naive_scan

_TINY: dict[str, Any] = {"dims": 8, "depths": (1, 1, 2, 1), "ssm_ratio": 2.0, "num_classes": 3}
_KEYS = {
    "tiny": "vssm1_tiny_0230s",
    "tiny_s2l5": "vssm_tiny_0230",
    "small": "vssm_small_0229",
    "small_s1l20": "vssm1_small_0229s",
    "base": "vssm_base_0229",
    "base_s1l20": "vssm1_base_0229s",
}


@pytest.fixture
def tiny() -> VMamba:
    torch.manual_seed(0)
    return VMamba(**_TINY).eval()


@pytest.mark.parametrize("keys", _KEYS)
def test_names_and_shapes_are_those_of_the_published_weights(keys: str, official_vmamba: Path) -> None:
    expected = json.loads((official_vmamba / f"keys_{keys}.json").read_text(encoding="utf-8"))
    with torch.device("meta"):
        built = VMamba(**SHAPES[_KEYS[keys]])
    assert {name: list(tensor.shape) for name, tensor in built.state_dict().items()} == expected


@pytest.mark.parametrize("case", ["rect", "odd"])
def test_stages_logits_and_gradients_are_those_of_the_official_model(case: str, official_vmamba: Path) -> None:
    file = official_vmamba / "mini_s2_n2.safetensors"
    held = load_file(file)
    with safe_open(file, "pt") as opened:
        built = VMamba(**json.loads(opened.metadata()["config"]))
    built.load_state_dict({name[2:]: tensor for name, tensor in held.items() if name.startswith("w.")}, strict=True)
    images = held[f"{case}.input"].requires_grad_()
    maps = built.forward_stages(images)
    for stage, found in enumerate(maps):
        torch.testing.assert_close(found, held[f"{case}.stage{stage}"], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(built.pool(maps[-1]), held[f"{case}.pooled"], rtol=1e-5, atol=1e-5)
    logits = built(images)
    torch.testing.assert_close(logits, held[f"{case}.logits"], rtol=1e-5, atol=1e-5)
    torch.autograd.backward(logits.square().sum())
    assert images.grad is not None
    _assert_near(images.grad, held[f"{case}.grad_input"], "grad_input")
    for name, parameter in built.named_parameters():
        if f"{case}.grad.{name}" in held:
            assert parameter.grad is not None
            _assert_near(parameter.grad, held[f"{case}.grad.{name}"], name)


def _assert_near(found: Tensor, expected: Tensor, what: str) -> None:
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max(), what


def test_the_two_dimensional_scan_is_what_its_formula_says() -> None:
    torch.manual_seed(0)
    built = SS2D(16, 1.5, 2).double()
    for parameter in built.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    x = torch.randn(2, 3, 5, 16).double()
    inner = built.conv2d(built.in_proj(x).permute(0, 3, 1, 2))
    u = functional.silu(inner)
    total = torch.zeros_like(u)
    places = [(row, column) for row in range(3) for column in range(5)]
    columns = sorted(places, key=lambda place: place[1])
    a, d = -built.A_logs.exp().view(4, 24, 2), built.Ds.view(4, 24)
    for direction, order in enumerate((places, columns, places[::-1], columns[::-1])):
        rows, cols = (list(index) for index in zip(*order, strict=True))
        sequence = u[:, :, rows, cols]
        read = built.x_proj_weight[direction] @ sequence
        y = naive_scan(
            sequence, built.dt_projs_weight[direction] @ read[:, :1], a[direction],
            read[:, None, 1:3], read[:, None, 3:5], d[direction], built.dt_projs_bias[direction],
        )  # fmt: skip
        total[:, :, rows, cols] += y
    expected = built.out_proj(built.out_norm(total.permute(0, 2, 3, 1)))
    torch.testing.assert_close(built(x), expected)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (40, 56), (37, 50), (33, 1), (1, 1), (224, 31)])
def test_any_size_is_taken_and_every_stage_halves_it_rounding_up(tiny: VMamba, height: int, width: int) -> None:
    with torch.no_grad():
        maps = tiny.forward_stages(torch.randn(1, 3, height, width))
    for found, stride, channels in zip(maps, (4, 8, 16, 32), (8, 16, 32, 64), strict=True):
        assert found.shape == (1, channels, -(-height // stride), -(-width // stride))
        assert bool(torch.isfinite(found).all())


def test_images_of_a_batch_do_not_see_each_other(tiny: VMamba) -> None:
    images = torch.randn(3, 3, 40, 56)
    torch.testing.assert_close(tiny(images)[1:2], tiny(images[1:2]))


def test_without_a_classifier_it_gives_its_features() -> None:
    built = VMamba(**{**_TINY, "num_classes": 0}).eval()
    images = torch.randn(2, 3, 40, 40)
    last = built.forward_features(images)
    assert torch.equal(built(images), built.pool(last))
    assert built(images).shape == (2, built.num_features) == (2, 64)
    assert not [name for name in built.state_dict() if "head" in name]
    rows = torch.unflatten(built.tokens(last), 1, (2, 2))
    torch.testing.assert_close(rows[:, 0, 1], built.classifier["norm"](last[:, :, 0, 1]))


def test_a_copy_and_a_reloaded_model_give_the_same(tiny: VMamba) -> None:
    images = torch.randn(1, 3, 40, 40)
    torch.manual_seed(1)
    other = VMamba(**_TINY).eval()
    assert not torch.equal(other(images), tiny(images))
    other.load_state_dict(tiny.state_dict(), strict=True)
    assert torch.equal(other(images), tiny(images))
    assert torch.equal(copy.deepcopy(tiny)(images), tiny(images))


def test_the_start_is_the_published_one(tiny: VMamba) -> None:
    op = next(module for module in tiny.modules() if isinstance(module, SS2D))
    assert not op.A_logs.any()  # A = -1
    assert bool((op.Ds == 1).all())
    steps = functional.softplus(op.dt_projs_bias.detach())
    assert 1e-3 * 0.99 < float(steps.min()) < float(steps.max()) < 0.1 * 1.01
    assert float(op.dt_projs_weight.detach().abs().max()) <= op.dt_rank**-0.5
    assert 0.015 < float(tiny.layers[3].blocks[0].mlp.fc1.weight.detach().std()) < 0.025  # type: ignore[union-attr, index]


def test_equal_seeds_give_equal_weights() -> None:
    built = []
    for _ in range(2):
        torch.manual_seed(7)
        built.append(VMamba(**_TINY).state_dict())
    assert all(torch.equal(built[0][name], built[1][name]) for name in built[0])


def test_training_learns() -> None:
    torch.manual_seed(0)
    built = VMamba(**_TINY, drop_path=0.1).train()
    images, labels = torch.randn(3, 3, 40, 40), torch.arange(3)
    optimiser = torch.optim.AdamW(built.parameters(), 3e-3)
    losses = []
    for _ in range(8):
        optimiser.zero_grad()
        loss = functional.cross_entropy(built(images), labels)
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    assert all(parameter.grad is not None and bool(parameter.grad.any()) for parameter in built.parameters())


def test_stochastic_depth_leaves_out_branches_in_training_alone() -> None:
    torch.manual_seed(0)
    built = VMamba(**_TINY, drop_path=0.9)
    images = torch.randn(2, 3, 40, 40)
    assert [block.drop_path for block in built.modules() if isinstance(block, model.VSSBlock)] == pytest.approx(
        [0, 0.225, 0.45, 0.675, 0.9]
    )
    built.eval()
    assert torch.equal(built(images), built(images))
    built.train()
    assert not torch.equal(built(images), built(images))


def test_half_precision_by_autocast_stays_near(tiny: VMamba) -> None:
    images = torch.randn(1, 3, 64, 64)
    plain = tiny(images)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(tiny(images).float(), plain, rtol=0.05, atol=0.02)
    halved = copy.deepcopy(tiny).bfloat16()(images.bfloat16())
    torch.testing.assert_close(halved.float(), plain, rtol=0.1, atol=0.05)


def test_dims_are_one_number_or_one_for_each_stage() -> None:
    one = VMamba(**{**_TINY, "dims": 8}).state_dict()
    four = VMamba(**{**_TINY, "dims": (8, 16, 32, 64)}).state_dict()
    assert {name: tensor.shape for name, tensor in one.items()} == {name: tensor.shape for name, tensor in four.items()}


@pytest.mark.parametrize(("dims", "depths"), [((8, 16), (1, 1, 1, 1)), ((), ()), (1, (1, 1)), (8, (1, 0))])
def test_numbers_that_describe_no_network_are_refused(dims: Any, depths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="channels and blocks"):
        VMamba(dims=dims, depths=depths)


def test_the_file_works_alone_and_needs_nothing_but_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(str(model.__file__))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom)) and not getattr(node, "level", 0)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported - sys.stdlib_module_names == {"torch"}
    spec = importlib.util.spec_from_file_location("vmamba_alone", path)
    assert spec is not None and spec.loader is not None
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    logits = alone.VMamba(**_TINY)(torch.randn(1, 3, 33, 40))
    torch.autograd.backward(logits.sum())
    assert logits.shape == (1, 3)
    assert alone._triton_recurrence() is None

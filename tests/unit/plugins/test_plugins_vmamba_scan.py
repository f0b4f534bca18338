"""The selective scan against its formula, and against numbers that the official VMamba produced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from plugins.vmamba import model
from plugins.vmamba.model import cross_merge, cross_scan
from tests.fixtures.naive_scan import naive_scan, scan_inputs

selective_scan: Callable[..., Tensor] = model.selective_scan


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def _gradients(scan: Callable[..., Tensor], given: dict[str, Tensor]) -> dict[str, Tensor]:
    y = scan(**given)
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
    return dict(zip(given, torch.autograd.grad((y * weights).sum(), list(given.values())), strict=True))


@pytest.mark.parametrize("length", [1, 2, 3, 5, 7, 8, 37, 49, 50, 201])
@pytest.mark.parametrize(("groups", "d_state"), [(4, 1), (2, 3)])
def test_values_and_all_gradients_are_those_of_the_formula(length: int, groups: int, d_state: int) -> None:
    given = scan_inputs(2, groups, 3, d_state, length)
    torch.testing.assert_close(selective_scan(**given), naive_scan(**given), rtol=1e-10, atol=1e-12)
    ours, peers = _gradients(selective_scan, given), _gradients(naive_scan, given)
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, peers[name], rtol=1e-9, atol=1e-11)


def test_the_gradient_is_that_of_finite_differences() -> None:
    given = scan_inputs(2, 2, 2, 2, 6)
    assert torch.autograd.gradcheck(selective_scan, tuple(given.values()))


def test_a_long_sequence_in_single_precision_stays_within_1e_4_of_double() -> None:
    given = scan_inputs(1, 1, 4, 1, 3136)
    single = {name: tensor.detach().float().requires_grad_() for name, tensor in given.items()}
    torch.testing.assert_close(selective_scan(**single).double(), naive_scan(**given), rtol=1e-4, atol=1e-4)
    ours, peers = _gradients(selective_scan, single), _gradients(selective_scan, given)
    for name, gradient in ours.items():
        error = (gradient.double() - peers[name]).abs().max() / peers[name].abs().max()
        assert error < 1e-4, name


def test_without_bias_and_what_passes_by_both_count_as_zero() -> None:
    given = scan_inputs(1, 2, 3, 2, 9)
    bare = {name: given[name] for name in ("u", "delta", "A", "B", "C")}
    nothing = {name: torch.zeros_like(given[name]) for name in ("D", "delta_bias")}
    torch.testing.assert_close(selective_scan(**bare), naive_scan(**bare, **nothing))


def test_step_sizes_may_be_given_as_they_are() -> None:
    given = scan_inputs(1, 2, 3, 2, 9)
    ready = torch.nn.functional.softplus(given["delta"] + given["delta_bias"][:, None])
    taken: dict[str, Any] = {**given, "delta": ready, "delta_bias": None, "delta_softplus": False}
    torch.testing.assert_close(selective_scan(**taken), naive_scan(**given))
    (gradient,) = torch.autograd.grad(selective_scan(**taken).sum(), ready)
    (peers,) = torch.autograd.grad(naive_scan(**given).sum(), given["delta"])
    torch.testing.assert_close(gradient * torch.sigmoid(given["delta"] + given["delta_bias"][:, None]), peers)


def test_one_group_may_go_without_its_dimension() -> None:
    given = scan_inputs(2, 1, 3, 2, 9)
    flat: dict[str, Any] = {**given, "B": given["B"].squeeze(1), "C": given["C"].squeeze(1)}
    torch.testing.assert_close(selective_scan(**flat), selective_scan(**given))


def test_inputs_that_are_not_contiguous_give_the_same() -> None:
    given = scan_inputs(2, 2, 3, 2, 21)
    odd = {name: torch.stack((tensor, tensor), -1)[..., 0] for name, tensor in given.items()}
    odd["u"] = given["u"].transpose(0, 2).contiguous().transpose(0, 2)
    assert not any(tensor.is_contiguous() for tensor in odd.values())
    assert torch.equal(selective_scan(**odd), selective_scan(**given))
    (gradient,) = torch.autograd.grad(selective_scan(**given).sum(), given["u"])  # of an expanded tensor
    torch.testing.assert_close(gradient, torch.autograd.grad(naive_scan(**given).sum(), given["u"])[0])


def test_half_precision_is_computed_in_single_and_rounded_once() -> None:
    given = {name: tensor.detach().bfloat16() for name, tensor in scan_inputs(1, 2, 3, 1, 60).items()}
    single = selective_scan(**{name: tensor.float() for name, tensor in given.items()})
    y = selective_scan(**given)
    assert y.dtype == torch.bfloat16
    assert torch.equal(y, single.bfloat16())


def test_autocast_does_not_reach_inside() -> None:
    given = scan_inputs(1, 2, 3, 2, 60, torch.float32)
    plain = _gradients(selective_scan, given)
    with torch.autocast("cpu", torch.bfloat16):
        y = selective_scan(**given)
        cast = _gradients(selective_scan, given)
    assert torch.equal(y, selective_scan(**given))
    assert all(torch.equal(plain[name], cast[name]) for name in given)


@pytest.mark.parametrize("raw", [-30.0, -20.0, 20.0, 100.0])
def test_extreme_step_sizes_stay_finite_and_right(raw: float) -> None:
    given = scan_inputs(1, 1, 3, 1, 40, torch.float32)
    given["delta"] = torch.full_like(given["delta"], raw).requires_grad_()
    exact = {name: tensor.detach().double().requires_grad_() for name, tensor in given.items()}
    torch.testing.assert_close(selective_scan(**given).double(), naive_scan(**exact), rtol=1e-5, atol=1e-5)
    ours, peers = _gradients(selective_scan, given), _gradients(naive_scan, exact)
    for name, gradient in ours.items():
        torch.testing.assert_close(
            gradient.double(), peers[name], rtol=1e-4, atol=1e-4 * float(peers[name].abs().max())
        )


def test_a_second_derivative_is_refused() -> None:
    given = scan_inputs(1, 1, 2, 1, 5)
    (first,) = torch.autograd.grad(selective_scan(**given).square().sum(), given["u"], create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        torch.autograd.backward(first.sum())


def test_only_what_was_given_is_kept_for_the_way_back() -> None:
    given = scan_inputs(1, 1, 8, 16, 100, torch.float32)
    kept: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        selective_scan(**given)
    states = 16 * given["u"].numel()
    assert 0 < sum(tensor.numel() for tensor in kept) < states / 2


def test_the_same_inputs_give_the_same_bits() -> None:
    given = scan_inputs(3, 4, 8, 1, 196, torch.float32)
    one, two = _gradients(selective_scan, given), _gradients(selective_scan, given)
    assert all(torch.equal(one[name], two[name]) for name in given)


def test_all_images_at_once_give_what_one_after_the_other_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    given = scan_inputs(3, 2, 4, 2, 50)
    y, one_by_one = selective_scan(**given), _gradients(selective_scan, given)

    def at_once(of: model._Given) -> Iterator[tuple[slice, model._Given]]:
        yield slice(None), of

    monkeypatch.setattr(model._Given, "parts", at_once)
    torch.testing.assert_close(selective_scan(**given), y)
    together = _gradients(selective_scan, given)
    for name, gradient in together.items():
        torch.testing.assert_close(gradient, one_by_one[name])


def test_a_graphics_card_takes_as_many_images_at_once_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_AT_ONCE", 2 * (2 * 50 * 4) * 3 + 1)  # the states of two images, and a bit
    sequences, read = torch.empty(5, 2, 50, 4, device="meta"), torch.empty(5, 2, 50, 3, device="meta")
    given = model._Given(sequences, sequences, torch.empty(2, 3, 4), read, read, torch.empty(2, 4))
    parts = list(given.parts())
    assert [part for part, _ in parts] == [slice(0, 2), slice(2, 4), slice(4, 6)]
    assert [len(of.u) for _, of in parts] == [len(of.c) for _, of in parts] == [2, 2, 1]


def test_no_images_give_no_outputs() -> None:
    given = scan_inputs(0, 2, 4, 1, 50)
    y = selective_scan(**given)
    assert y.shape == (0, 8, 50)
    (gradient,) = torch.autograd.grad(y.sum(), given["A"])
    assert not gradient.any()


@pytest.mark.parametrize(
    ("name", "shape"), [("delta", (2, 6, 8)), ("A", (5, 2)), ("B", (2, 4, 2, 9)), ("C", (2, 2, 3, 9)), ("u", (2, 6))]
)
def test_shapes_that_do_not_belong_together_are_refused(name: str, shape: tuple[int, ...]) -> None:
    given = scan_inputs(2, 2, 3, 2, 9)
    with pytest.raises(ValueError, match=r"must be|do not belong together"):
        selective_scan(**{**given, name: torch.zeros(shape)})


def test_a_map_is_read_by_rows_and_columns_and_backwards() -> None:
    by_rows = [1, 2, 3, 4, 5, 6]
    by_columns = [1, 4, 2, 5, 3, 6]
    sequences = cross_scan(torch.tensor(by_rows).view(1, 2, 3, 1))
    assert sequences.squeeze().tolist() == [by_rows, by_columns, by_rows[::-1], by_columns[::-1]]


def test_merging_puts_every_sequence_back() -> None:
    images = torch.randn(2, 3, 5, 4)
    assert torch.equal(cross_merge(cross_scan(images), 3, 5), 4 * images)


def test_the_scan_gives_the_official_numbers(official_vmamba: Path) -> None:
    held = load_file(official_vmamba / "scan.safetensors")
    given = {name: held[name].requires_grad_() for name in ("u", "delta", "A", "B", "C", "D", "delta_bias")}
    y = selective_scan(**given)
    torch.testing.assert_close(y, held["y"], rtol=1e-5, atol=1e-5)
    for name, gradient in zip(given, torch.autograd.grad(y.square().sum(), list(given.values())), strict=True):
        error = (gradient - held[f"grad.{name}"]).abs().max() / held[f"grad.{name}"].abs().max()
        assert error < 1e-5, name


def test_the_order_of_the_sequences_is_the_official_one(official_vmamba: Path) -> None:
    held = load_file(official_vmamba / "cross.safetensors")
    assert torch.equal(cross_scan(held["x"].permute(0, 2, 3, 1)).mT, held["scan"])
    merged = cross_merge(held["ys"].flatten(3).mT, 3, 4)
    torch.testing.assert_close(merged.permute(0, 3, 1, 2).flatten(2), held["merge"], rtol=0, atol=1e-6)

"""VMamba (Liu et al. 2024, arXiv 2401.10166) in plain PyTorch, of the family ``v05_noz``.

Images pass a stem of stride 4 and four stages of blocks; between two stages a convolution halves the map, rounding
up, so that any input size will do. A block is a 2-D selective scan and a perceptron, each on a normalised input and
added to it. The scan reads the map as four sequences (by rows, by columns, and both backwards) and lets a linear
recurrence run along each, whose step sizes, inputs and outputs depend on what it reads.

Maps are channels-last (B × H × W × C) inside, so that every projection is a plain ``nn.Linear``. Names and shapes of
all parameters are those of the weights that the authors publish. This file needs nothing but torch.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

_DIRECTIONS = 4
"""Rows, columns, rows backwards, columns backwards."""
_NORM_EPS = 1e-5
_AT_ONCE = 1 << 26
"""States that a graphics card works on at once: 256 MB, of which a few copies are needed."""
_STEP_MIN, _STEP_MAX = 1e-3, 0.1
"""Between these lie the step sizes at initialisation, evenly on a logarithmic scale."""


class VMamba(nn.Module):
    """VMamba as a classifier, or as a backbone where ``num_classes`` is 0.

    Args:
        dims: C, the channels of the four stages; one number is doubled from stage to stage.
        depths: blocks in each stage.
        ssm_ratio: channels inside the scan for each channel outside.
        ssm_d_state: N, the length of a channel's state.
        mlp_ratio: hidden width of the perceptrons for each channel.
        num_classes: 0 = no classifier: ``forward`` gives pooled features.
        drop_path: chance that training leaves out a block's branch; grows from 0 to this with depth.

    Raises:
        ValueError: the numbers describe no network.
    """

    def __init__(
        self,
        *,
        dims: int | Sequence[int] = 96,
        depths: Sequence[int] = (2, 2, 8, 2),
        ssm_ratio: float = 1.0,
        ssm_d_state: int = 1,
        mlp_ratio: float = 4.0,
        num_classes: int = 1000,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [dims * 2**stage for stage in range(len(depths))] if isinstance(dims, int) else list(dims)
        if not widths or len(widths) != len(depths) or min(widths) < 2 or min(depths) < 1:
            raise ValueError(f"dims {dims} and depths {tuple(depths)} must give every stage channels and blocks.")
        self.num_features = widths[-1]
        self.num_classes = num_classes
        chances = iter(torch.linspace(0, drop_path, sum(depths), device="cpu").tolist())
        self.patch_embed = _stem(widths[0])
        self.layers = nn.ModuleList()
        for depth, width, following in zip(depths, widths, [*widths[1:], None], strict=True):
            blocks = [VSSBlock(width, ssm_ratio, ssm_d_state, mlp_ratio, next(chances)) for _ in range(depth)]
            self.layers.append(Stage(blocks, None if following is None else _downsample(width, following)))
        self.classifier = nn.ModuleDict({"norm": nn.LayerNorm(widths[-1], eps=_NORM_EPS)})
        if num_classes:
            self.classifier["head"] = nn.Linear(widths[-1], num_classes)
        self.apply(_start_linear)

    def forward(self, images: Tensor) -> Tensor:
        """Logits B × num_classes of images B × 3 × H × W; the pooled features where there is no classifier."""
        pooled = self.pool(self.forward_features(images))
        logits: Tensor = self.classifier["head"](pooled) if "head" in self.classifier else pooled
        return logits

    def forward_features(self, images: Tensor) -> Tensor:
        """The last map, not yet normalised: B × C × H/32 × W/32, each size rounded up from stage to stage."""
        return self.forward_stages(images)[-1]

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """What each stage gives before it is halved: four maps B × C × h × w of strides 4, 8, 16 and 32."""
        maps = []
        x = self.patch_embed(images)
        for stage in self.layers:
            seen, x = stage(x)
            maps.append(seen.permute(0, 3, 1, 2))
        return maps

    def tokens(self, last_map: Tensor) -> Tensor:
        """The positions of the last map (B × C × h × w), normalised, row by row: B × hw × C."""
        normalised: Tensor = self.classifier["norm"](last_map.permute(0, 2, 3, 1))
        return normalised.flatten(1, 2)

    def pool(self, last_map: Tensor) -> Tensor:
        """Features B × C of the last map: every position normalised, then their mean."""
        return self.tokens(last_map).mean(1)


class Stage(nn.Module):
    """Blocks at one resolution, and what halves their map for the next stage (nothing after the last)."""

    def __init__(self, blocks: Sequence[nn.Module], downsample: nn.Module | None) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.downsample = nn.Identity() if downsample is None else downsample

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The map of the last block, B × H × W × C, and the one that the next stage takes."""
        seen = self.blocks(x)
        return seen, self.downsample(seen)


class VSSBlock(nn.Module):
    """A selective scan, then a perceptron, each on a normalised map and added to it: B × H × W × C."""

    def __init__(self, dim: int, ssm_ratio: float, d_state: int, mlp_ratio: float, drop_path: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim, eps=_NORM_EPS)
        self.op = SS2D(dim, ssm_ratio, d_state)
        self.norm2 = nn.LayerNorm(dim, eps=_NORM_EPS)
        hidden = int(dim * mlp_ratio)
        self.mlp = nn.Sequential(
            OrderedDict(fc1=nn.Linear(dim, hidden), act=nn.GELU(), fc2=nn.Linear(hidden, dim)),
        )
        self.drop_path = drop_path

    def forward(self, x: Tensor) -> Tensor:
        """The map with both branches added."""
        x = x + self._dropped(self.op(self.norm(x)))
        return x + self._dropped(self.mlp(self.norm2(x)))

    def _dropped(self, branch: Tensor) -> Tensor:
        """Stochastic depth (Huang et al. 2016): the branch of some images is left out, the others' scaled up."""
        if not self.training or not self.drop_path:
            return branch
        kept = 1 - self.drop_path
        return branch * branch.new_empty(len(branch), 1, 1, 1).bernoulli_(kept) / kept


class SS2D(nn.Module):
    """The 2-D selective scan: B × H × W × C in and out.

    With e = ssm_ratio · C channels inside, N numbers of state for each and step sizes of rank r = ⌈C / 16⌉, each
    direction k has its own ``x_proj_weight[k]`` ((r + 2N) × e), ``dt_projs_weight[k]`` (e × r), ``dt_projs_bias[k]``
    (e), and its e rows of ``A_logs`` (4e × N) and ``Ds`` (4e).
    """

    def __init__(self, dim: int, ssm_ratio: float, d_state: int) -> None:
        super().__init__()
        inner, self.dt_rank, self.d_state = int(dim * ssm_ratio), math.ceil(dim / 16), d_state
        self.x_proj_weight = nn.Parameter(torch.empty(_DIRECTIONS, self.dt_rank + 2 * d_state, inner))
        self.A_logs = nn.Parameter(torch.empty(_DIRECTIONS * inner, d_state))
        self.Ds = nn.Parameter(torch.empty(_DIRECTIONS * inner))
        self.dt_projs_weight = nn.Parameter(torch.empty(_DIRECTIONS, inner, self.dt_rank))
        self.dt_projs_bias = nn.Parameter(torch.empty(_DIRECTIONS, inner))
        self.out_norm = nn.LayerNorm(inner, eps=_NORM_EPS)
        self.in_proj = nn.Linear(dim, inner, bias=False)
        self.conv2d = nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=False)
        self.out_proj = nn.Linear(inner, dim, bias=False)
        self._start()

    @torch.no_grad()
    def _start(self) -> None:
        """Scans begin with A = -1 … -N, D = 1 and small steps."""
        for weight, fan_in in ((self.x_proj_weight, len(self.in_proj.weight)), (self.dt_projs_weight, self.dt_rank)):
            nn.init.uniform_(weight, -(fan_in**-0.5), fan_in**-0.5)
        step = self.dt_projs_bias.uniform_(math.log(_STEP_MIN), math.log(_STEP_MAX)).exp_()
        step += torch.log(-torch.expm1(-step))  # the inverse of softplus
        self.A_logs.copy_(torch.arange(1, self.d_state + 1).log().expand_as(self.A_logs))
        nn.init.ones_(self.Ds)

    def forward(self, x: Tensor) -> Tensor:
        """The map after one look along its rows and columns in both senses, the sum of the four."""
        inner = self.conv2d(self.in_proj(x).permute(0, 3, 1, 2))
        inner = functional.silu(inner).permute(0, 2, 3, 1)
        height, width, channels = inner.shape[1:]
        u = cross_scan(inner)
        read = u @ self.x_proj_weight.mT
        raw_step, b, c = torch.split(read, [self.dt_rank, self.d_state, self.d_state], dim=-1)
        a = -self.A_logs.exp().view(_DIRECTIONS, channels, self.d_state).mT
        d = self.Ds.view(_DIRECTIONS, channels)
        y = _scan(u, raw_step @ self.dt_projs_weight.mT, a, b, c, d, self.dt_projs_bias, softplus=True)
        merged = cross_merge(y, height, width).to(inner.dtype)
        projected: Tensor = self.out_proj(self.out_norm(merged))
        return projected


def cross_scan(x: Tensor) -> Tensor:
    """A map B × H × W × C as four sequences B × 4 × HW × C: by rows, by columns, and each of them backwards."""
    both = torch.stack((x.flatten(1, 2), x.transpose(1, 2).flatten(1, 2)), dim=1)
    return torch.cat((both, both.flip(2)), dim=1)


def cross_merge(y: Tensor, height: int, width: int) -> Tensor:
    """Four sequences B × 4 × HW × C put back to their places and summed: B × H × W × C."""
    rows, columns = (y[:, :2] + y[:, 2:].flip(2)).unbind(1)
    return torch.unflatten(rows, 1, (height, width)) + torch.unflatten(columns, 1, (width, height)).transpose(1, 2)


def selective_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,  # noqa: N803 - the names of the literature (Gu and Dao 2023)
    B: Tensor,  # noqa: N803
    C: Tensor,  # noqa: N803
    D: Tensor | None = None,  # noqa: N803
    delta_bias: Tensor | None = None,
    delta_softplus: bool = True,
) -> Tensor:
    """The selective scan of Mamba (Gu and Dao 2023, arXiv 2312.00752), a linear recurrence along L.

    With Δ = softplus(delta + delta_bias) and h₀ = 0, every channel with its N numbers of state follows
    hₜ = exp(Δₜ A) hₜ₋₁ + Δₜ Bₜ uₜ and gives yₜ = Σ_N Cₜ hₜ + D uₜ. It is computed in single precision, under autocast
    too (in double if ``u`` is double), and can be differentiated once in everything that is given.

    Args:
        u: inputs, b × (K·E) × L: K groups of E channels.
        delta: step sizes before bias and softplus, of the same shape.
        A: (K·E) × N, negative.
        B: b × K × N × L, or b × N × L if there is one group.
        C: of the same shape as B.
        D: K·E, what passes by the recurrence; None = nothing.
        delta_bias: K·E; None = 0.
        delta_softplus: False takes the step sizes as they are.

    Returns:
        y of the shape and type of ``u``.

    Raises:
        ValueError: the shapes do not belong together.
    """
    groups = B.shape[1] if B.ndim == 4 else 1
    _check_shapes(u, delta, A, B, C, groups)

    def grouped(x: Tensor) -> Tensor:
        """B × (K·E) × L as B × K × L × E."""
        return torch.unflatten(x, 1, (groups, -1)).transpose(2, 3)

    def of_channels(x: Tensor | None) -> Tensor:
        return torch.unflatten(u.new_zeros(u.shape[1]) if x is None else x, 0, (groups, -1))

    b, c = ((x.unsqueeze(1) if x.ndim == 3 else x).transpose(2, 3) for x in (B, C))
    a = torch.unflatten(A, 0, (groups, -1)).transpose(1, 2)
    y = _scan(grouped(u), grouped(delta), a, b, c, of_channels(D), of_channels(delta_bias), softplus=delta_softplus)
    return y.transpose(2, 3).flatten(1, 2).to(u.dtype)


def _check_shapes(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, groups: int) -> None:
    if u.ndim != 3 or u.shape != delta.shape or a.ndim != 2 or len(a) != u.shape[1] or u.shape[1] % groups:
        raise ValueError(f"u {(*u.shape,)}, delta {(*delta.shape,)} and A {(*a.shape,)} do not belong together.")
    expected = (len(u), *([groups] if b.ndim == 4 else []), a.shape[1], u.shape[2])
    if b.shape != expected or c.shape != expected:
        raise ValueError(f"B {(*b.shape,)} and C {(*c.shape,)} must be {expected}.")


class _Given(NamedTuple):
    """What the recurrence reads, channels last: b images, K groups, L steps, N numbers of state, E channels."""

    u: Tensor  # b × K × L × E
    step: Tensor  # Δ, b × K × L × E
    a: Tensor  # K × N × E
    b: Tensor  # b × K × L × N
    c: Tensor  # b × K × L × N
    d: Tensor  # K × E

    def parts(self) -> Iterator[tuple[slice, _Given]]:
        """What is worked on at once: on a CPU one image, whose states then stay near the core; else as many as fit."""
        numbers = math.prod(self.u.shape[1:]) * self.a.shape[1]
        size = 1 if self.u.device.type == "cpu" else max(1, _AT_ONCE // numbers)
        for start in range(0, max(len(self.u), 1), size):
            part = slice(start, start + size)
            yield part, self._replace(u=self.u[part], step=self.step[part], b=self.b[part], c=self.c[part])

    def states(self) -> tuple[Tensor, Tensor]:
        """The factors by which the states decay, with one more row of ones, and the states: b × K × T × N × E.

        T is L rounded up to whole chunks; beyond L nothing flows in or decays.
        """
        images, groups, length, channels = self.u.shape
        rows = math.prod(_chunks(length))
        decay = self.u.new_empty(images, groups, rows + 1, self.a.shape[1], channels)
        torch.mul(self.step.unsqueeze(3), self.a.unsqueeze(1), out=decay[:, :, :length]).exp_()
        decay[:, :, length:] = 1
        states = self.inflow(self.step * self.u, self.b)
        _run(decay[:, :, :-1], states, _chunks(length)[1], backwards=False)
        return decay, states

    def inflow(self, channels: Tensor, states: Tensor) -> Tensor:
        """The product of b × K × L × E and b × K × L × N: b × K × T × N × E, 0 beyond L."""
        images, groups, length, width = channels.shape
        inflow = channels.new_empty(images, groups, math.prod(_chunks(length)), states.shape[3], width)
        torch.mul(channels.unsqueeze(3), states.unsqueeze(4), out=inflow[:, :, :length])
        inflow[:, :, length:] = 0
        return inflow


def _scan(
    u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor, bias: Tensor, *, softplus: bool
) -> Tensor:
    """``selective_scan`` on the layout of ``_Given``: y as b × K × L × E, in single precision at least."""
    exact = torch.float64 if u.dtype == torch.float64 else torch.float32
    given = (x.to(exact).contiguous() for x in (u, delta, a, b, c, d, bias))
    y: Tensor = _SelectiveScan.apply(softplus, *given)
    return y


class _SelectiveScan(torch.autograd.Function):
    """The scan with its gradient written out.

    Left to autograd, every step would keep its tensors and add a gradient of full length. Here only what was given
    is kept: the states, N times as large, are worked out again on the way back.
    """

    @staticmethod
    def forward(
        ctx: Any, softplus: bool, u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor, bias: Tensor
    ) -> Tensor:
        """y, b × K × L × E."""
        step = delta + bias.unsqueeze(1)
        given = _Given(u, _softplus(step) if softplus else step, a, b, c, d)
        ctx.softplus = softplus
        ctx.save_for_backward(*given)
        y = torch.empty_like(u, memory_format=torch.contiguous_format)
        for part, of in given.parts():
            _, states = of.states()
            outputs = states[:, :, : u.shape[2]].mul_(of.c.unsqueeze(4))
            torch.sum(outputs, 3, out=y[part]).addcmul_(of.u, d.unsqueeze(1))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of u, delta, a, b, c, d and the bias."""
        given = _Given(*ctx.saved_tensors)
        found = [_gradients(of, grad_y[part]) for part, of in given.parts()]
        u, step, b, c = (torch.cat([getattr(one, name) for one in found]) for name in ("u", "step", "b", "c"))
        a, d = (torch.stack([getattr(one, name) for one in found]).sum(0) for name in ("a", "d"))
        if ctx.softplus:  # its slope is 1 - exp(-Δ), here by a tangent that is exact for small Δ too, and fast
            tangent = torch.tanh(given.step / 2)
            step *= tangent.mul_(2).div_(tangent / 2 + 1)
        return None, u, step, a, b, c, d, step.sum((0, 2))


def _gradients(of: _Given, grad_y: Tensor) -> _Given:
    """The gradients of a part. The states' own, λ, obey the same recurrence backwards: λₜ = Cₜ gₜ + aₜ₊₁ λₜ₊₁."""
    length = of.u.shape[2]
    decay, states = of.states()
    adjoint = of.inflow(grad_y, of.c)
    _run(decay[:, :, 1:], adjoint, _chunks(length)[1], backwards=True)
    adjoint, states, decay = adjoint[:, :, :length], states[:, :, :length], decay[:, :, :length]

    carried = decay.mul_(adjoint)  # λₜ aₜ hₜ₋₁, the gradient of Δₜ A
    carried[:, :, 1:].mul_(states[:, :, :-1])
    carried[:, :, 0] = 0
    grad_c = states.mul_(grad_y.unsqueeze(3)).sum(4)
    grad_step = (carried * of.a.unsqueeze(1)).sum(3)
    grad_a = carried.mul_(of.step.unsqueeze(3)).sum((0, 2))
    grad_drive = torch.mul(adjoint, of.b.unsqueeze(4), out=carried).sum(3)  # of Δ u
    grad_b = adjoint.mul_((of.step * of.u).unsqueeze(3)).sum(4)
    return _Given(
        u=(grad_drive * of.step).addcmul_(grad_y, of.d.unsqueeze(1)),
        step=grad_step.addcmul_(grad_drive, of.u),
        a=grad_a,
        b=grad_b,
        c=grad_c,
        d=(grad_y * of.u).sum((0, 2)),
    )


def _softplus(x: Tensor) -> Tensor:
    """log(1 + eˣ), on a CPU by way of the area tangent, which takes half the time of ``log1p`` there."""
    if x.device.type != "cpu":
        return functional.softplus(x)
    small = x.abs().neg_().exp_()
    return small.div_(small + 2).atanh_().mul_(2).add_(x.clamp(min=0))


def _chunks(length: int) -> tuple[int, int]:
    """Number and steps of chunks that hold a sequence, so that it takes some 2 √(2 L) operations in all."""
    steps = max(1, math.isqrt(length // 2))
    return -(-length // steps), steps


def _run(decay: Tensor, states: Tensor, chunk: int, *, backwards: bool) -> None:
    """Run hₜ = decayₜ · hₜ₋₁ + inflowₜ (or hₜ₊₁, backwards) by the fastest means there is.

    Args:
        decay: b × K × T × N × E.
        states: of the same shape; the inflow, which h replaces.
        chunk: steps in a chunk; T holds whole chunks.
    """
    kernel = _triton_recurrence() if states.is_cuda else None
    if kernel is not None:
        kernel(decay, states, backwards=backwards)
    else:
        recurrence(decay, states, chunk, backwards=backwards)


def recurrence(decay: Tensor, states: Tensor, chunk: int, *, backwards: bool) -> None:
    """The recurrence of ``_run`` in chunks, all of them at once.

    First each chunk runs from zero and only its end is kept; then the ends are handed on from chunk to chunk; then
    each chunk runs again from what it was handed. An operation so works on a row of every chunk, and the first run
    writes nothing that does not stay in the cache.
    """
    factors = list(torch.unflatten(decay, 2, (-1, chunk)).unbind(3))
    rows = list(torch.unflatten(states, 2, (-1, chunk)).unbind(3))
    if backwards:
        factors, rows = factors[::-1], rows[::-1]
    ends, through = rows[0].clone(), factors[0].clone()
    for factor, row in zip(factors[1:], rows[1:], strict=True):
        torch.addcmul(row, factor, ends, out=ends)
        through *= factor
    along = range(ends.shape[2])[:: -1 if backwards else 1]
    for before, here in itertools.pairwise(along):
        ends[:, :, here].addcmul_(through[:, :, here], ends[:, :, before])
    entered, handed = (slice(-1), slice(1, None)) if backwards else (slice(1, None), slice(-1))
    rows[0][:, :, entered].addcmul_(factors[0][:, :, entered], ends[:, :, handed])
    for before_row, factor, row in zip(rows, factors[1:], rows[1:], strict=False):
        row.addcmul_(factor, before_row)


@functools.cache
def _triton_recurrence() -> Callable[..., None] | None:
    """The kernel for CUDA; None where this file stands alone, or where triton is absent or does not compile."""
    try:
        from .triton_scan import recurrence as kernel

        kernel(torch.ones(1, 1, 1, 1, 1, device="cuda"), torch.ones(1, 1, 1, 1, 1, device="cuda"), backwards=False)
    except Exception:  # noqa: BLE001 - border: a compiler that is missing fails in many ways, and is not needed
        return None
    return kernel


def _stem(width: int) -> nn.Sequential:
    """Images B × 3 × H × W to a map B × H/4 × W/4 × C."""
    return nn.Sequential(
        nn.Conv2d(3, width // 2, 3, stride=2, padding=1),
        _Permute(0, 2, 3, 1),
        nn.LayerNorm(width // 2, eps=_NORM_EPS),
        _Permute(0, 3, 1, 2),
        nn.GELU(),
        nn.Conv2d(width // 2, width, 3, stride=2, padding=1),
        _Permute(0, 2, 3, 1),
        nn.LayerNorm(width, eps=_NORM_EPS),
    )


def _downsample(width: int, following: int) -> nn.Sequential:
    """A map B × H × W × C to half its size, rounded up, and the next stage's channels."""
    return nn.Sequential(
        _Permute(0, 3, 1, 2),
        nn.Conv2d(width, following, 3, stride=2, padding=1),
        _Permute(0, 2, 3, 1),
        nn.LayerNorm(following, eps=_NORM_EPS),
    )


class _Permute(nn.Module):
    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.order)


def _start_linear(module: nn.Module) -> None:
    """Linear layers begin with a narrow normal distribution."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

"""The tensors of a descent: a scope with its optimiser, one step at a time."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from medfm_gui.domain.recipe import Recipe
from medfm_gui.engine.adaptations.scope import Scope, depths
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.failure import is_out_of_memory
from medfm_gui.engine.loss import Objective
from medfm_gui.engine.reading import read

_MOMENTS = ("step", "exp_avg", "exp_avg_sq", "momentum_buffer")
_BF16_CAPABILITY = (8, 0)


class PartTooLarge(Exception):
    """A part of a batch did not fit into memory; no weight was changed."""


class Tuning:
    """A model in training on one device.

    What the scope does not train keeps still: without gradient, in eval mode, and absent from ``weights``.
    """

    def __init__(
        self, backbone: Backbone, scope: Scope, recipe: Recipe, device: torch.device, objective: Objective
    ) -> None:
        self._device = device
        self._objective = objective
        self._live = scope.live
        self._look = _look_of(backbone, scope, recipe)
        self._head: nn.Module = scope.head
        self._modules = nn.ModuleDict({"backbone": backbone.module, "head": scope.head})
        self._modules.requires_grad_(False).to(device)
        if device.type == "cuda" and backbone.card.convolutional:
            self._modules.to(memory_format=torch.channels_last)
        trained = {f"backbone.{name}" for name in scope.trained}
        self._named = {
            name: parameter
            for name, parameter in self._modules.named_parameters()
            if name in trained or name.startswith("head.")
        }
        for parameter in self._named.values():
            parameter.requires_grad_(True)
        self.kept = frozenset(self._named) | self._moving_buffers()
        """Names of the tensors that the training changes, those of the backbone after ``backbone.``."""
        self._optimiser = _optimiser_of(self._named, backbone, recipe)
        self._clip = recipe.clip or math.inf
        self.half = half_precision(recipe, device)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.half is torch.float16)
        self._decay = recipe.ema
        self._mean = {name: parameter.detach().clone() for name, parameter in self._named.items()} if recipe.ema else {}

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(parameter.numel() for parameter in self._named.values())

    def step(self, inputs: Tensor, targets: Tensor, *, lr: float, seed: int, parts: int = 1) -> Tensor:
        """One step of the optimiser; returns the loss before it, on the device.

        The batch goes through the model in ``parts``; its loss is the whole batch's all the same. ``seed`` decides
        dropout and drop-path. On a CPU a step that is not finite changes no weight and returns NaN; on a GPU asking
        would stall it, so there the caller looks at the losses now and then.

        Raises:
            PartTooLarge: there is not enough memory for one of the parts.
        """
        torch.manual_seed(seed)
        self._modules.eval()
        for module in (*self._live, self._head):
            module.train()
        self._optimiser.zero_grad(set_to_none=True)
        loss = self._gradients(inputs, targets.to(self._device, non_blocking=True), parts)
        self._scaler.unscale_(self._optimiser)
        norm = clip_grad_norm_(self._named.values(), self._clip)
        if self._device.type == "cpu" and not (loss + norm).isfinite():
            return torch.full_like(loss, torch.nan)
        for group in self._optimiser.param_groups:
            group["lr"] = lr * group["scale"]
        self._scaler.step(self._optimiser)
        self._scaler.update()
        if self._mean:
            torch._foreach_lerp_(list(self._mean.values()), self._live_values(), 1.0 - self._decay)
        return loss

    def is_finite(self) -> bool:
        """Whether every weight that is trained, and every running statistic, is a finite number."""
        return all(bool(tensor.isfinite().all()) for tensor in self._held().values())

    @contextlib.contextmanager
    def judged(self) -> Iterator[None]:
        """While it lasts the model has the weights that are judged and kept: where the recipe asks for it, the mean."""
        live = [value.clone() for value in self._live_values()] if self._mean else []
        try:
            if live:
                torch._foreach_copy_(self._live_values(), list(self._mean.values()))
            yield
        finally:
            if live:
                torch._foreach_copy_(self._live_values(), live)

    def weights(self) -> dict[str, Tensor]:
        """Every tensor that the training changes, on the CPU."""
        return {name: tensor.detach().cpu() for name, tensor in self._held().items()}

    def load_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back what ``weights`` gave.

        Raises:
            KeyError: it was given by another training.
        """
        if tensors.keys() != self.kept:
            raise KeyError(f"other tensors than this training's: {sorted(tensors.keys() ^ self.kept)[:3]}")
        self._modules.load_state_dict(dict(tensors), strict=False)

    def tensors(self) -> dict[str, Tensor]:
        """All that the next step needs."""
        held = {f"weights.{name}": tensor for name, tensor in self.weights().items()}
        held |= {f"mean.{name}": tensor.cpu() for name, tensor in self._mean.items()}
        for name, parameter in self._named.items():
            moments = self._optimiser.state.get(parameter, {})
            held |= {f"{key}.{name}": moments[key].cpu() for key in _MOMENTS if moments.get(key) is not None}
        return held

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back what ``tensors`` gave."""
        self.load_weights(
            {name.removeprefix("weights."): held for name, held in tensors.items() if name.startswith("weights.")}
        )
        for name, mean in self._mean.items():
            mean.copy_(tensors[f"mean.{name}"])
        for name, parameter in self._named.items():
            moments = {key: tensors[f"{key}.{name}"] for key in _MOMENTS if f"{key}.{name}" in tensors}
            if moments:
                self._optimiser.state[parameter] = {key: _laid_out_as(parameter, held) for key, held in moments.items()}

    def make_room(self) -> None:
        """Give back what an attempt that failed for memory left behind."""
        self._optimiser.zero_grad(set_to_none=True)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def scaler_state(self) -> dict[str, float]:
        """The scale of the loss in float16 training; empty otherwise."""
        return {name: float(value) for name, value in self._scaler.state_dict().items()}

    def load_scaler_state(self, state: Mapping[str, float]) -> None:
        """Take back what ``scaler_state`` gave."""
        if state:
            whole = ("growth_interval", "_growth_tracker")
            self._scaler.load_state_dict(
                {name: int(value) if name in whole else value for name, value in state.items()}
            )

    def _gradients(self, inputs: Tensor, targets: Tensor, parts: int) -> Tensor:
        """Let every parameter have the gradient of the batch's loss; returns the loss."""
        mass = self._objective.mass(targets)
        loss = torch.zeros((), device=self._device)
        try:
            for seen, wanted in zip(inputs.tensor_split(parts), targets.tensor_split(parts), strict=True):
                loss += self._part(seen, wanted, mass)
            return loss
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        raise PartTooLarge  # only now: an exception in flight keeps all that fills the memory

    def _part(self, inputs: Tensor, targets: Tensor, mass: Tensor) -> Tensor:
        """Add the gradients of a part; returns its share of the loss."""
        with self._autocast():
            logits = self._head(self._look(inputs.to(self._device, non_blocking=True)))
        share = self._objective.total(logits.float(), targets) / mass
        torch.autograd.backward(self._scaler.scale(share))
        return share.detach()

    def _autocast(self) -> contextlib.AbstractContextManager[None]:
        if self.half is None:
            return contextlib.nullcontext()
        return torch.autocast(self._device.type, dtype=self.half)

    def _live_values(self) -> list[Tensor]:
        return [parameter.detach() for parameter in self._named.values()]

    def _held(self) -> dict[str, Tensor]:
        return {name: tensor for name, tensor in self._modules.state_dict().items() if name in self.kept}

    def _moving_buffers(self) -> frozenset[str]:
        """Running statistics and the like of modules that are in training mode."""
        moving = {id(module) for root in (*self._live, self._head) for module in root.modules()}
        parameters = {name for name, _ in self._modules.named_parameters()}
        return frozenset(
            name
            for name in self._modules.state_dict().keys() - parameters
            if id(self._modules.get_submodule(name.rpartition(".")[0])) in moving
        )


def half_precision(recipe: Recipe, device: torch.device) -> torch.dtype | None:
    """What the forward pass of a training runs in; None: float32. On a CPU float16 is not to be had."""
    gpu = device.type == "cuda"
    match recipe.precision:
        case "bf16":
            return torch.bfloat16
        case "fp16":
            return torch.float16 if gpu else None
        case "fp32":
            return None
    if not (recipe.amp and gpu):
        return None
    return torch.bfloat16 if torch.cuda.get_device_capability(device) >= _BF16_CAPABILITY else torch.float16


def _look_of(backbone: Backbone, scope: Scope, recipe: Recipe) -> Callable[[Tensor], Tensor]:
    look = scope.look or functools.partial(read, backbone, scope.head.facts.reads)
    if recipe.backbone_gradient:
        return look

    def unseen(inputs: Tensor) -> Tensor:
        with torch.no_grad():
            return look(inputs)

    return unseen


def _optimiser_of(
    named: Mapping[str, nn.Parameter], backbone: Backbone, recipe: Recipe
) -> torch.optim.AdamW | torch.optim.SGD:
    groups = _groups(named, backbone, recipe)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum)
    return torch.optim.AdamW(groups, lr=recipe.lr, fused=True)


def _groups(named: Mapping[str, nn.Parameter], backbone: Backbone, recipe: Recipe) -> Sequence[dict[str, object]]:
    """Parameters by weight decay and by their factor of the learning rate.

    No decay for biases, norms and what the model itself excludes, if the recipe says so. The head has its own rate;
    a block has ``layer_decay`` times that of the block behind it.
    """
    excluded = set(_kept_from_decay(backbone.module))
    deep = {f"backbone.{name}": depth for name, depth in depths(backbone).items()} if recipe.layer_decay < 1 else {}
    deepest = len(backbone.blocks()) + 1 if deep else 0
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named.items():
        bare = recipe.no_decay and (parameter.ndim <= 1 or name in excluded)
        if name.startswith("head."):
            scale = recipe.head_lr / recipe.lr if recipe.head_lr else 1.0
        else:
            scale = recipe.layer_decay ** (deepest - deep.get(name, deepest))
        groups.setdefault((0.0 if bare else recipe.weight_decay, scale), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": decay, "scale": scale} for (decay, scale), parameters in groups.items()
    ]


def _kept_from_decay(module: nn.Module) -> Iterator[str]:
    """Names of what a model, or a model inside it (CoCa's tower), wants no decay of: positions, class tokens."""
    for prefix, part in module.named_modules(prefix="backbone"):
        own = getattr(part, "no_weight_decay", None)
        yield from (f"{prefix}.{name}" for name in own()) if callable(own) else ()


def _laid_out_as(parameter: Tensor, held: Tensor) -> Tensor:
    """A moment in the memory layout of its parameter: the fused optimiser walks both as they lie in memory."""
    if held.shape != parameter.shape:
        return held.to(parameter.device)  # the step count
    return torch.empty_like(parameter, dtype=held.dtype).copy_(held)

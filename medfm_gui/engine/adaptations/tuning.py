"""The tensors of fine-tuning: a backbone with a linear head and its optimiser, one step at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from medfm_gui.domain.recipe import Recipe
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.head import HeadFacts, LinearHead
from medfm_gui.engine.loss import training_loss

_LARGEST_GRADIENT = 1.0
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
_BF16_CAPABILITY = (8, 0)


class Tuning:
    """A model in training on one device.

    AdamW without decay for biases and norms; gradients are cut at norm 1. On a CUDA device with ``recipe.amp`` the
    forward pass runs in bfloat16, or in float16 with a scaled loss where the device has no bfloat16.
    """

    def __init__(self, backbone: Backbone, facts: HeadFacts, recipe: Recipe, device: torch.device) -> None:
        self.backbone = backbone
        self.head = LinearHead(facts)
        self._device = device
        self._modules = nn.ModuleDict({"backbone": backbone.module, "head": self.head})
        self._modules.requires_grad_(True).to(device)
        if device.type == "cuda" and backbone.card.convolutional:
            self._modules.to(memory_format=torch.channels_last)
        self._named = dict(self._modules.named_parameters())
        self._optimiser = torch.optim.AdamW(_groups(self._named, backbone, recipe.weight_decay), fused=True)
        half = recipe.amp and device.type == "cuda"
        brain = half and torch.cuda.get_device_capability(device) >= _BF16_CAPABILITY
        self._half = torch.bfloat16 if brain else torch.float16 if half else None
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._half is torch.float16)

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(parameter.numel() for parameter in self._named.values())

    def step(self, inputs: Tensor, targets: Tensor, *, lr: float, seed: int) -> Tensor:
        """One step of the optimiser; returns the loss before it, on the device.

        ``seed`` decides dropout and drop-path. On a CPU a step that is not finite changes no weight and returns NaN;
        on a GPU asking would stall it, so there the caller looks at the losses now and then.
        """
        torch.manual_seed(seed)
        self._modules.train()
        inputs, targets = (part.to(self._device, non_blocking=True) for part in (inputs, targets))
        with self._autocast():
            logits = self.head(self.backbone.features(inputs))
        loss = training_loss(logits.float(), targets, self.head.facts.task)
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(self._scaler.scale(loss))
        self._scaler.unscale_(self._optimiser)
        norm = clip_grad_norm_(self._named.values(), _LARGEST_GRADIENT)
        if self._device.type == "cpu" and not (loss + norm).isfinite():
            return torch.full_like(loss, torch.nan).detach()
        for group in self._optimiser.param_groups:
            group["lr"] = lr
        self._scaler.step(self._optimiser)
        self._scaler.update()
        return loss.detach()

    def is_finite(self) -> bool:
        """Whether every weight, and every running statistic, is a finite number."""
        return all(bool(tensor.isfinite().all()) for tensor in self._modules.state_dict().values())

    def weights(self) -> dict[str, Tensor]:
        """Every tensor of backbone and head, on the CPU."""
        return {name: tensor.detach().cpu() for name, tensor in self._modules.state_dict().items()}

    def load_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back what ``weights`` gave."""
        self._modules.load_state_dict(dict(tensors), strict=True)

    def tensors(self) -> dict[str, Tensor]:
        """All that the next step needs."""
        held = {f"weights.{name}": tensor for name, tensor in self.weights().items()}
        for name, parameter in self._named.items():
            moments = self._optimiser.state.get(parameter, {})
            held |= {f"{key}.{name}": moments[key].cpu() for key in _MOMENTS if key in moments}
        return held

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back what ``tensors`` gave."""
        self.load_weights(
            {name.removeprefix("weights."): held for name, held in tensors.items() if name.startswith("weights.")}
        )
        for name, parameter in self._named.items():
            moments = {key: tensors[f"{key}.{name}"] for key in _MOMENTS if f"{key}.{name}" in tensors}
            if moments:
                self._optimiser.state[parameter] = {key: _laid_out_as(parameter, held) for key, held in moments.items()}

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

    def _autocast(self) -> contextlib.AbstractContextManager[None]:
        if self._half is None:
            return contextlib.nullcontext()
        return torch.autocast(self._device.type, dtype=self._half)


def _laid_out_as(parameter: Tensor, held: Tensor) -> Tensor:
    """A moment in the memory layout of its parameter: the fused optimiser walks both as they lie in memory."""
    if held.shape != parameter.shape:
        return held.to(parameter.device)  # the step count
    return torch.empty_like(parameter, dtype=held.dtype).copy_(held)


def _groups(named: Mapping[str, nn.Parameter], backbone: Backbone, decay: float) -> list[dict[str, object]]:
    """Parameters with and without weight decay; biases, norms and what the model itself excludes have none."""
    excluded = {f"backbone.{name}" for name in getattr(backbone.module, "no_weight_decay", set)()}
    bare = {name for name, parameter in named.items() if parameter.ndim <= 1 or name in excluded}
    return [
        {"params": [parameter for name, parameter in named.items() if name not in bare], "weight_decay": decay},
        {"params": [named[name] for name in named if name in bare], "weight_decay": 0.0},
    ]

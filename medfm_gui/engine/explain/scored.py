"""A backbone and a head as one model that is looked at and left exactly as it was.

Whatever an explanation changes (mode, gradients, flags of layers, hooks) is put back, so that the model of a running
training may be explained between two steps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from medfm_gui.domain.errors import InternalError, UsageError
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.reading import POOLED, read

Head = Callable[[Tensor], Tensor]
"""A head of ``engine.head`` that has logits, or any function of pooled features B × D to logits B × K."""

_DISTURBING = ("inplace", "grad_checkpointing", "gradient_checkpointing")
"""An in-place activation overwrites a stored output; a checkpointed block runs its hooks twice."""


class Scored(nn.Module):
    """Images B × 3 × H × W to logits B × K."""

    def __init__(self, backbone: Backbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.module = backbone.module
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Logits of normalised images."""
        facts = getattr(self.head, "facts", None)
        taken = read(self.backbone, POOLED if facts is None else facts.reads, images)
        if facts is None:  # any function of pooled features
            return self.head(taken)
        logits: Tensor = self.head.scores(taken).logits  # type: ignore[attr-defined]  # every head of ours has scores
        return logits


@contextlib.contextmanager
def looked_at(
    backbone: Backbone, head: Head, images: Tensor, targets: Sequence[int]
) -> Iterator[tuple[Scored, Tensor]]:
    """The whole model, frozen, in eval mode and full precision, and a copy of the images that may have a gradient.

    Raises:
        UsageError: there is not one target an image.
        InternalError: the model was made in inference mode, where nothing can be followed backward.
    """
    check_targets(images, targets)
    if any(parameter.is_inference() for parameter in backbone.module.parameters()):
        raise InternalError(
            "The model was loaded in inference mode and cannot be explained.", "Load it outside inference mode."
        )
    scored = Scored(backbone, head)
    parameter = next(backbone.module.parameters())
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast(parameter.device.type, enabled=False):
        copy = images.detach().clone().to(parameter.device, parameter.dtype)  # also out of inference mode
        with as_it_was(scored):
            scored.eval()
            yield scored, copy


def check_targets(images: Tensor, targets: Sequence[int]) -> None:
    """See that every image has its target.

    Raises:
        UsageError: there is not one target an image.
    """
    if len(targets) != len(images):
        raise UsageError(f"{len(images)} images need as many targets, not {len(targets)}.", "Name one class an image.")


def score_of(target: int) -> Callable[[Tensor], Tensor]:
    """Picks an image's score for a class from its logits (K,); with one logit, class 0 is its negative."""

    def score(logits: Tensor) -> Tensor:
        classes = max(len(logits), 2)
        if not 0 <= target < classes:
            raise UsageError(f"There is no class {target}.", f"Classes count from 0 to {classes - 1}.")
        if len(logits) == 1:
            return logits[0] if target else -logits[0]
        return logits[target]

    return score


@contextlib.contextmanager
def as_it_was(scored: nn.Module) -> Iterator[None]:
    """Freeze all parameters and switch off what disturbs hooks; put everything back afterwards."""
    modes = [(module, module.training) for module in scored.modules()]
    parameters = [(one, one.requires_grad, one.grad) for one in scored.parameters()]
    switches = [(module, name) for module, _ in modes for name in _DISTURBING if _is_on(module, name)]
    try:
        for one, _, _ in parameters:
            one.requires_grad_(False)
            one.grad = None
        for module, name in switches:
            setattr(module, name, False)
        yield
    finally:
        for module, name in switches:
            setattr(module, name, True)
        for one, wanted, gradient in parameters:
            one.requires_grad_(wanted)
            one.grad = gradient
        for module, training in modes:
            module.training = training


def _is_on(module: nn.Module, name: str) -> bool:
    return getattr(module, name, None) is True

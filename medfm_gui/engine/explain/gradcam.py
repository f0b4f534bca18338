"""Grad-CAM (Selvaraju et al. 2017) of a backbone with a head, by pytorch-grad-cam.

The graph is cut at the explained layer: below it nothing needs a gradient, so that a map costs a forward pass
and the backward pass of the last layers only, frozen or not. Whatever the library changes in the model (mode,
gradients, hooks) is put back, so that the model of a running training may be explained between two steps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medfm_gui.domain.errors import InternalError, PluginError, UsageError
from medfm_gui.engine.backbones import Backbone

NO_POSITIVE_EVIDENCE = "no positive evidence"
NO_DEPENDENCE = "the score does not depend on the image"
UNIFORM = "no place stands out"

Head = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One image's map: float32, H × W of the model's input, scaled to 0…1 by its own range.

    Strength therefore cannot be compared between images or classes. ``note`` says why a map is empty
    (all 0), and is empty otherwise.
    """

    map: NDArray[np.float32]
    note: str = ""


def heat_map(backbone: Backbone, head: Head, images: Tensor, targets: Sequence[int]) -> list[HeatMap]:
    """What speaks for one class in each image.

    Args:
        head: features B × D to logits B × K; with K = 1 the logit of class 1. If it has parameters, it must be
            a module, so that their gradients can be kept.
        images: B × 3 × H × W, normalised.
        targets: the explained class of each image; with K = 1, class 0 is the negated logit.

    Raises:
        UsageError: a target is not a class, or there is not one target an image.
        PluginError: the card's layer does not lead to the score, so that its map would be constant.
    """
    if len(targets) != len(images):
        raise UsageError(f"{len(images)} images need as many targets, not {len(targets)}.", "Name one class an image.")
    if any(parameter.is_inference() for parameter in backbone.module.parameters()):
        raise InternalError(
            "The model was loaded in inference mode and cannot be explained.", "Load it outside inference mode."
        )
    scored = _Scored(backbone, head)
    parameter = next(backbone.module.parameters())
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast(parameter.device.type, enabled=False):
        copy = images.detach().clone().to(parameter.device, parameter.dtype)  # also out of inference mode
        with _as_it_was(scored), _cut_at(backbone.cam_layer()) as cuts:
            scaled, summed, gradients = _grad_cam(scored, copy, targets)
            blind = _blind(backbone, cuts[0], gradients)
    return [HeatMap(*one) for one in zip(scaled, map(_note, scaled, summed, blind), strict=True)]


class _Scored(nn.Module):
    """Backbone and head as the one module that the library wants."""

    def __init__(self, backbone: Backbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.module = backbone.module
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.backbone.features(images))


def _grad_cam(
    scored: _Scored, images: Tensor, targets: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Scaled maps B × H × W, the sums B × h × w that they were made of, and gradients B × C × h × w."""
    from pytorch_grad_cam import GradCAM  # brings OpenCV, matplotlib and scikit-learn: seconds of start-up

    backbone = scored.backbone

    def maps(activation: Tensor) -> Tensor:
        return backbone.cam_maps(activation).float()  # NumPy has no bfloat16

    cam = GradCAM(scored, [backbone.cam_layer()], reshape_transform=maps)
    try:
        scaled: NDArray[np.float32] = cam(input_tensor=images, targets=[_score_of(target) for target in targets])
        seen = cam.activations_and_grads
        if len(seen.activations) != 1 or len(seen.gradients) != 1:
            raise PluginError(
                f"Grad-CAM layer “{backbone.card.cam}” of {backbone.card.title} runs {len(seen.activations)} times "
                f"and passes {len(seen.gradients)} gradients on; it must be one of each.",
                "Correct “cam” in the plugin’s plugin.toml.",
            )
        activations, gradients = seen.activations[0].numpy(), seen.gradients[0].numpy()
    finally:
        cam.activations_and_grads.release()  # its own context manager would swallow an IndexError
    summed = (gradients.mean(axis=(2, 3), keepdims=True) * activations).sum(axis=1)
    return scaled, summed, gradients


def _score_of(target: int) -> Callable[[Tensor], Tensor]:
    def score(logits: Tensor) -> Tensor:
        classes = max(len(logits), 2)
        if not 0 <= target < classes:
            raise UsageError(f"There is no class {target}.", f"Classes count from 0 to {classes - 1}.")
        if len(logits) == 1:
            return logits[0] if target else -logits[0]
        return logits[target]

    return score


def _blind(backbone: Backbone, cut: Tensor, gradients: NDArray[np.float32]) -> list[bool]:
    """Whether each image's score depends on nothing in the layer.

    A layer whose gradient is all in the class token makes a constant map of any image: that is an error of the
    card, not of the image.
    """
    whole = torch.zeros_like(cut) if cut.grad is None else cut.grad
    reached = whole.flatten(1).abs().amax(dim=1).gt(0).tolist()
    on_maps = np.abs(gradients).max(axis=(1, 2, 3)) > 0
    if any(somewhere and not there for somewhere, there in zip(reached, on_maps, strict=True)):
        raise PluginError(
            f"The Grad-CAM layer “{backbone.card.cam}” of {backbone.card.title} leads to the score by its class token "
            "alone, so that every map would be constant.",
            "Correct “cam” in the plugin’s plugin.toml; blocks[-1].norm1 suits every vision transformer.",
        )
    return [not somewhere for somewhere in reached]


def _note(scaled: NDArray[np.float32], summed: NDArray[np.float32], blind: bool) -> str:
    if blind:
        return NO_DEPENDENCE
    if scaled.any():
        return ""
    return UNIFORM if summed.max() > 0 else NO_POSITIVE_EVIDENCE


@contextlib.contextmanager
def _cut_at(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Let the graph begin at this layer's output; gives the outputs, whose ``grad`` is whole afterwards."""
    cuts: list[Tensor] = []

    def cut(_layer: nn.Module, _inputs: Any, output: Any) -> Tensor:
        if not isinstance(output, Tensor):
            raise PluginError(
                f"The Grad-CAM layer gives a {type(output).__name__}, not a tensor.", "Correct “cam” in plugin.toml."
            )
        cuts.append(output.detach().requires_grad_(True))
        return cuts[-1]

    handle = layer.register_forward_hook(cut)
    try:
        yield cuts
    finally:
        handle.remove()


@contextlib.contextmanager
def _as_it_was(scored: nn.Module) -> Iterator[None]:
    """Freeze all parameters and switch off what disturbs hooks; put everything back afterwards."""
    modes = [(module, module.training) for module in scored.modules()]
    parameters = [(one, one.requires_grad, one.grad) for one in scored.parameters()]
    # an in-place activation would overwrite the stored output; a checkpointed block runs its hooks twice
    switches = [
        (module, name) for module, _ in modes for name in ("inplace", "grad_checkpointing") if _is_on(module, name)
    ]
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

"""What the class activation maps have in common, by pytorch-grad-cam: one layer, its output and its gradient.

The graph is cut at the explained layer: below it nothing needs a gradient, so that a map costs a forward pass
and the backward pass of the last layers only, frozen or not, with adapters or without.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medfm_gui.domain.errors import PluginError
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain.maps import (
    NO_DEPENDENCE,
    NO_POSITIVE_EVIDENCE,
    UNIFORM,
    HeatMap,
    Map,
    enlarged,
    scaled_by_range,
)
from medfm_gui.engine.explain.scored import Head, Scored, looked_at, score_of

_CORRECT = "Correct “cam” in the plugin’s plugin.toml."


def activation_maps(kind: Any, backbone: Backbone, head: Head, images: Tensor, targets: Sequence[int]) -> list[HeatMap]:
    """One map an image.

    Args:
        kind: a class of pytorch-grad-cam.
        head: see ``scored.Head``; with one logit that of class 1. If it has parameters, it must be a module, so
            that their gradients can be kept.
        images: B × 3 × H × W, normalised.
        targets: the explained class of each image; with K = 1, class 0 is the negated logit.

    Raises:
        UsageError: a target is not a class, or there is not one target an image.
        PluginError: the card's layer does not lead to the score, so that its map would be constant.
    """
    with (
        looked_at(backbone, head, images, targets) as (scored, copy),
        _cut_at(backbone.cam_layer()) as cuts,
        contextlib.closing(_Seen(kind, scored, copy, targets)) as seen,
    ):
        blind = [False] * len(images)
        if seen.cam.uses_gradients:
            blind = _blind(backbone, cuts[0], seen.gradients)
    return [HeatMap(*one) for one in zip(seen.scaled, map(_note, seen.scaled, seen.small, blind), strict=True)]


class _Seen:
    """What the library makes of a batch: ``small`` B × h × w, ``gradients``, and ``scaled``, a map H × W each."""

    def __init__(self, kind: Any, scored: Scored, images: Tensor, targets: Sequence[int]) -> None:
        backbone = scored.backbone

        def maps(activation: Tensor) -> Tensor:
            return backbone.cam_maps(activation).float()  # NumPy has no bfloat16

        self.cam = kind(scored, [backbone.cam_layer()], reshape_transform=maps)
        self.small: NDArray[np.float32]
        whole = self.cam.get_cam_image

        def kept(*arguments: Any) -> NDArray[np.float32]:
            self.small = whole(*arguments)
            return self.small

        self.cam.get_cam_image = kept
        try:
            self.cam(input_tensor=images, targets=[score_of(target) for target in targets])
            self._check(backbone)
        except BaseException:
            self.close()
            raise
        # the library's own scaling adds 1e-7 to the range, which swallows maps of small gradients
        positive = torch.from_numpy(np.maximum(self.small, 0.0))
        self.scaled = scaled_by_range(enlarged(positive, (images.shape[-2], images.shape[-1])))
        found = self.cam.activations_and_grads.gradients
        self.gradients: NDArray[np.float32] = found[0].numpy() if found else np.zeros((0,), np.float32)

    def _check(self, backbone: Backbone) -> None:
        seen = self.cam.activations_and_grads
        wanted = 1 if self.cam.uses_gradients else len(seen.gradients)
        if len(seen.activations) != 1 or len(seen.gradients) != wanted:
            raise PluginError(
                f"Grad-CAM layer “{backbone.card.cam}” of {backbone.card.title} runs {len(seen.activations)} times "
                f"and passes {len(seen.gradients)} gradients on; it must be one of each.",
                _CORRECT,
            )

    def close(self) -> None:
        """Take the hooks away; the library's own context manager would swallow an IndexError."""
        del self.cam.get_cam_image  # it holds this object, which would keep the model until a collection
        self.cam.activations_and_grads.release()


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


def _note(scaled: Map, small: NDArray[np.float32], blind: bool) -> str:
    if blind:
        return NO_DEPENDENCE
    if scaled.any():
        return ""
    return UNIFORM if small.max() > 0 else NO_POSITIVE_EVIDENCE


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

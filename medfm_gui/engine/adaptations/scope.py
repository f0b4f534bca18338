"""What of a model a descent trains: the seam between the one training loop and the adaptations that use it.

``descent.descend(material, scope)`` is the loop. An adaptation trained by gradient is a ``Scope`` and no more:

- ``head`` becomes the model's head: any module with ``facts`` and ``scores``, called with what ``look`` returns;
  all of it is trained. It must be in memory before the descent, its first weights drawn under the run's seed.
- ``trained`` names the parameters of the backbone's module that are trained too; the others keep still, and
  outside ``live`` every module stays in eval mode, so that neither dropout nor batch statistics move there.
- ``look`` makes what the head reads from a batch of inputs: by default what its ``facts.reads`` names. Numbers
  that come from a bank (inputs passed on as they are) are another function.
- ``inputs`` prepares a batch of training inputs in whatever thread, from an epoch (counted from 1) and places in
  the training partition; by default images, augmented as the recipe says. ``validation`` scores the validation
  partition; by default a ``Scorer`` over its images. Both are for heads whose inputs are no images.
- ``change`` says how the trained backbone differs from the pretrained one on disk; None: nothing of it is trained, or
  all of it is and is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from medfm_gui.domain import events as ev
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.change import ChangeFacts
from medfm_gui.engine.head import Head, HeadFacts, LinearHead
from medfm_gui.engine.material import Material
from medfm_gui.engine.scoring import SampleScores

Prepare = Callable[[Sequence[int]], Tensor]
"""Places in the training partition → inputs, on the CPU."""


@dataclass(frozen=True, slots=True)
class Scope:
    """See the head of this file."""

    head: Head
    trained: frozenset[str] = frozenset()
    live: tuple[nn.Module, ...] = ()
    look: Callable[[Tensor], Tensor] | None = None
    inputs: Callable[[int], Prepare] | None = None
    validation: Callable[[], Generator[ev.Event, None, SampleScores]] | None = None
    change: ChangeFacts | None = None
    warnings: tuple[str, ...] = ()
    """Said once, before the first epoch."""

    @property
    def said(self) -> str:
        """What is trained of the backbone, for people."""
        if not self.trained:
            return "nothing"
        return "all of it" if self.change is None else self.change.said


def linear_head(material: Material) -> LinearHead:
    """A new linear layer on the pooled features, its weights drawn under the run's seed."""
    torch.manual_seed(material.spec.seed)
    dataset = material.dataset
    return LinearHead(HeadFacts("linear", dataset.task, dataset.classes, material.backbone.feature_dim))


def whole(backbone: Backbone) -> tuple[frozenset[str], tuple[nn.Module, ...]]:
    """``trained`` and ``live`` of a backbone that is trained in all its parts."""
    return frozenset(name for name, _ in backbone.module.named_parameters()), (backbone.module,)


def depths(backbone: Backbone) -> Mapping[str, int]:
    """How deep each parameter lies: 0 before the first block, 1 to n in the blocks, n + 1 behind the last.

    What lies between two blocks (a change of resolution) counts as the one before it.
    """
    blocks = backbone.blocks()
    block_of = {id(part): number for number, block in enumerate(blocks, 1) for part in block.parameters()}
    found: dict[str, int] = {}
    reached = 0
    for name, parameter in backbone.module.named_parameters():
        number = block_of.get(id(parameter))
        if number is not None:
            reached = max(reached, number)
        behind = len(blocks) + 1 if reached == len(blocks) else reached
        found[name] = behind if number is None else number
    return found


def owners(module: nn.Module, names: frozenset[str]) -> tuple[nn.Module, ...]:
    """The modules that these parameters lie in."""
    paths = sorted({name.rpartition(".")[0] for name in names})
    return tuple(module.get_submodule(path) for path in paths)


def part_facts(material: Material, said: str) -> ChangeFacts:
    """What is kept of a backbone of which ``said`` is trained."""
    return ChangeFacts("part", said, base_of(material))


def base_of(material: Material) -> str:
    """SHA-256 of the pretrained weights; empty for a start from scratch."""
    return material.spec.weights.sha256 if material.spec.weights is not None else ""

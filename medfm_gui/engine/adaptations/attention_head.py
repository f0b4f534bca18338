"""Study A's attention head: a whole DeiT-B reads the backbone's tokens; the backbone stays frozen, or is trained too.

A linear layer and a layer norm take the tokens to DeiT's width; its class token, its positions (resized to the grid of
the tokens) and its blocks follow, and a linear layer on the class token decides. All of that is always trained. With
a frozen backbone and without augmentation, tokens are computed once and come from the bank. As in the study, DINOv2's
tokens are those before its last norm. Different are SAM 2's, which come from the last map and not from the neck
behind it, CoCa's, which do not have the pooled embedding before them, and the rate, which falls unless the recipe
says otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import WeightsAbsent
from medfm_gui.domain.split import Partition
from medfm_gui.engine.adaptations.descent import descend
from medfm_gui.engine.adaptations.scope import Prepare, Scope, whole
from medfm_gui.engine.features import StoredFeatures
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.head import HeadFacts, TokenHead
from medfm_gui.engine.material import Material, checked
from medfm_gui.engine.reading import TOKENS, Reading, read
from medfm_gui.engine.scoring import SampleScores, scores_of_rows
from medfm_gui.engine.token_trunk import blank_trunk, pretrained_trunk


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Train to the end, or from where an earlier attempt stopped; as ``descend``.

    Raises:
        WeightsAbsent: DeiT-B's weights are not named in the order.
    """
    recipe = material.spec.recipe
    if recipe.unfreeze or recipe.augment:
        fitted = yield from descend(material, scope_of(material))
    else:
        fitted = yield from _from_the_bank(material)
    begun = "DeiT-B, pretrained" if recipe.attention_init == "deit" else "drawn by lot"
    return replace(fitted, facts={**fitted.facts, "attention blocks began as": begun})


def scope_of(material: Material) -> Scope:
    """What is trained on images, its first weights drawn."""
    backbone = material.backbone
    head = _head(material, _count_of_tokens(material))
    trained, live = whole(backbone) if material.spec.recipe.unfreeze else (frozenset[str](), ())
    return Scope(head, trained, live)


def _from_the_bank(material: Material) -> Generator[ev.Event, None, Fitted]:
    features = yield from material.frozen().look(material.every_id, _reading(material))
    head = _head(material, features.bank.shape[0])
    val = material.cases(Partition.VAL)

    def validated() -> Generator[ev.Event, None, SampleScores]:
        yield from ()
        return scores_of_rows(features, head, val, val.firsts)

    tokens = _Tokens(features, material.cases(Partition.TRAIN).firsts)
    scope = Scope(head, look=_as_it_is, inputs=functools.partial(_of_every_epoch, tokens), validation=validated)
    return (yield from descend(material, scope))


def _head(material: Material, tokens: int) -> TokenHead:
    """A new head whose random parts are drawn under the run's seed.

    Raises:
        WeightsAbsent: it is to begin as DeiT-B, whose weights are not named in the order.
    """
    recipe, dataset, order = material.spec.recipe, material.dataset, material.spec.head_weights
    facts = HeadFacts(
        "attention",
        dataset.task,
        dataset.classes,
        material.backbone.token_dim,
        reads=_reading(material),
        width=recipe.attention_width,
        depth=recipe.attention_depth,
        tokens=tokens,
    )
    torch.manual_seed(material.spec.seed)
    if recipe.attention_init == "random":
        return TokenHead(facts, blank_trunk(facts))
    if order is None:
        raise WeightsAbsent(
            "The attention head begins as DeiT-B, whose weights are not on this computer.",
            "Get them with “medfm weights pull deit-b”, or use --set attention_init=random.",
        )
    return TokenHead(facts, pretrained_trunk(facts, checked(order, "The file of DeiT-B’s weights")))


def _reading(material: Material) -> Reading:
    """The tokens that the card has for an attention head."""
    return replace(TOKENS, raw=material.backbone.card.attention_tokens == "raw")


def _count_of_tokens(material: Material) -> int:
    """How many tokens an image has: one empty image is looked at."""
    backbone, device = material.backbone, material.device
    backbone.module.eval()
    with torch.no_grad():
        blank = torch.zeros(1, 3, backbone.image_size, backbone.image_size, device=device)
        seen = read(backbone, _reading(material), blank)
    return int(seen.shape[1])


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Reads training images' tokens, B × T × C."""

    features: StoredFeatures
    ids: Sequence[str]

    def __call__(self, places: Sequence[int]) -> Tensor:
        return torch.from_numpy(self.features.of([self.ids[place] for place in places]))


def _of_every_epoch(tokens: Prepare, epoch: int) -> Prepare:
    return tokens


def _as_it_is(tokens: Tensor) -> Tensor:
    return tokens

"""Partial fine-tuning: the last blocks with the final norm, and a linear head; 0 blocks = the head alone.

The blocks in front keep still, batch statistics included.
"""

from __future__ import annotations

from collections.abc import Generator

from medfm_gui.domain import events as ev
from medfm_gui.engine.adaptations.descent import descend
from medfm_gui.engine.adaptations.scope import Scope, depths, linear_head, owners, part_facts
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.material import Material


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Train to the end, or from where an earlier attempt stopped; as ``descend``."""
    return (yield from descend(material, scope_of(material)))


def scope_of(material: Material) -> Scope:
    """What is trained, its first weights drawn."""
    head = linear_head(material)
    backbone, asked = material.backbone, material.spec.recipe.blocks
    blocks = backbone.blocks()
    count = min(asked, len(blocks))
    if not count:
        return Scope(head)
    trained = frozenset(name for name, depth in depths(backbone).items() if depth > len(blocks) - count)
    behind = frozenset(name for name, depth in depths(backbone).items() if depth > len(blocks))
    said = f"the last {count} of {len(blocks)} blocks" if count > 1 else f"the last of {len(blocks)} blocks"
    return Scope(
        head,
        trained,
        live=(*blocks[-count:], *owners(backbone.module, behind)),
        change=part_facts(material, said),
        warnings=(f"The model has {len(blocks)} blocks, so all of them are trained, not {asked}.",)
        if asked > len(blocks)
        else (),
    )

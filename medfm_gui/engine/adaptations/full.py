"""Full fine-tuning: every weight of the backbone and a linear head."""

from __future__ import annotations

from collections.abc import Generator

from medfm_gui.domain import events as ev
from medfm_gui.engine.adaptations.descent import descend
from medfm_gui.engine.adaptations.scope import Scope, linear_head, whole
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.material import Material


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Train to the end, or from where an earlier attempt stopped; as ``descend``."""
    return (yield from descend(material, scope_of(material)))


def scope_of(material: Material) -> Scope:
    """What is trained, its first weights drawn."""
    trained, live = whole(material.backbone)
    return Scope(linear_head(material), trained, live)

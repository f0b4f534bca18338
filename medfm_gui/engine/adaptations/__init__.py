"""The ways to adapt a backbone, one file each, and the one list of them.

May import: the engine below (features, head, checkpoint …), ``metrics``, ``domain``; neither train nor worker.
Front door: ``ADAPTATIONS``. An adaptation takes ``Material``, yields events and returns a ``Fitted``; what trains by
gradient is a ``scope.Scope`` for ``descent.descend``.
To add one: a file with ``adapt``, a line here, and a card in ``domain/cards.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from medfm_gui.engine.adaptations import attention_head, bitfit, full, knn, linear, linear_grid, lora, partial
from medfm_gui.engine.adaptations.scope import Scope
from medfm_gui.engine.fitted import Adapt
from medfm_gui.engine.material import Material

ADAPTATIONS: Mapping[str, Adapt] = {
    "knn": knn.adapt,
    "linear": linear.adapt,
    "linear-grid": linear_grid.adapt,
    "attention-head": attention_head.adapt,
    "lora": lora.adapt,
    "bitfit": bitfit.adapt,
    "partial": partial.adapt,
    "full": full.adapt,
}
"""What trains, by the name of its card."""

SCOPES: Mapping[str, Callable[[Material], Scope]] = {
    "attention-head": attention_head.scope_of,
    "lora": lora.scope_of,
    "bitfit": bitfit.scope_of,
    "partial": partial.scope_of,
    "full": full.scope_of,
}
"""Those that are trained by gradient on images: what each trains, so that a few steps of it can be measured."""

"""The ways to adapt a backbone, one file each, and the one list of them.

May import: the engine below (features, head, checkpoint …), ``metrics``, ``domain``; neither train nor worker.
Front door: ``ADAPTATIONS``. An adaptation takes ``Material``, yields events and returns a ``Fitted``.
To add one: a file with ``adapt``, a line here, and a card in ``domain/cards.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

from medfm_gui.engine.adaptations import full, knn, linear
from medfm_gui.engine.fitted import Adapt

ADAPTATIONS: Mapping[str, Adapt] = {
    "knn": knn.adapt,
    "linear": linear.adapt,
    "full": full.adapt,
}

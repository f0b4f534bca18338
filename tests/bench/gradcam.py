"""``gradcam``: one Grad-CAM of one image, against one forward and one backward pass of the same model.

Of two models, a transformer and a convolutional one, the line shows the one that does worse. ``times_forward``
tells the same map in forward passes alone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from medfm_gui.domain.dataset import Task
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain.gradcam import heat_map
from medfm_gui.engine.head import HeadFacts, LinearHead
from tests.bench.ladder import MODEL
from tests.bench.measure import Turns, in_turns, rounded, timed
from tests.bench.plain import inputs_of, pretrained
from tests.bench.prepared import CLASSES, card_of, prepare

_TRANSFORMER = "dinov2-b"
_GOAL = 1.25


def main(tiny: bool = False) -> dict[str, Any]:
    """Eleven maps of each model; one of the small model if ``tiny``."""
    with tempfile.TemporaryDirectory() as made:
        prepared = prepare(Path(made), 4)
        lines = []
        for name in (MODEL,) if tiny else (_TRANSFORMER, MODEL):
            card = card_of(name)
            image = inputs_of(prepared, card, prepared.seen[:1])
            lines.append(_measured(pretrained(card), image, 1 if tiny else 11))
    worst = max(lines, key=lambda line: float(line["ratio"]))
    return {**worst, "by_model": {str(line["model"]): line["ratio"] for line in lines}}


def _measured(backbone: Backbone, image: Tensor, repeats: int) -> dict[str, Any]:
    facts = HeadFacts("linear", Task.BINARY, CLASSES, backbone.feature_dim)
    head = LinearHead(facts).eval()

    def explain() -> None:
        heat_map(backbone, head, image, [1])

    def there_and_back() -> None:
        head(backbone.features(image))[0, 1].backward()
        for module in (backbone.module, head):
            module.zero_grad(set_to_none=True)

    def there() -> None:
        with torch.no_grad():
            head(backbone.features(image))

    maps, both, forward = in_turns([timed(work) for work in (explain, there_and_back, there)], repeats)
    line = Turns(maps, both).line(at_most=_GOAL, model=backbone.card.name)
    return {**line, "times_forward": rounded(float(Turns(maps, forward).line(at_most=1)["ratio"]))}

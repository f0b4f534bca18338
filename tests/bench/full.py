"""``full``: full fine-tuning in samples a second, against a bare hand-written timm loop on tensors in memory.

Ours reads cached pixels, draws augmented views in a thread and trains by the product's recipe; its rate is the
one that the run says of itself. The peer does nothing but steps: forward, backward, AdamW; its batch size is its
fastest of 8 and 32, and it keeps the model as timm makes it. Of two models, a convolutional one and a transformer,
the line shows the one that does worse. ``peer_channels_last`` is the loop of the convolutional model with its
numbers laid out as ours are, which few hand-written loops do on a CPU.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
import torch.nn.functional as functional
from torch import Tensor

from medfm_gui.domain.cards import BackboneCard
from tests.bench.ladder import MODEL
from tests.bench.measure import Turns, Work, fastest, in_turns, rounded
from tests.bench.plain import inputs_of
from tests.bench.prepared import CLASSES, Prepared, card_of, prepare, trained

_BATCH = 32
_PEER_BATCHES = (8, 32)
_TRIED = 64
_LR = 1e-4
_GOAL = 0.97


@dataclass(frozen=True, slots=True)
class _Size:
    """Images in all (a fifth of them for validation), their side in pixels, epochs a turn, turns."""

    images: int
    side: int
    epochs: int
    turns: int


_SIZES = {MODEL: _Size(160, 512, 1, 3), "dinov2-s": _Size(40, 512, 1, 3)}
_TINY = {MODEL: _Size(20, 64, 1, 1)}


def main(tiny: bool = False) -> dict[str, Any]:
    """128 and 32 training images, an epoch a turn; 16 small ones, one epoch and one model if ``tiny``."""
    lines = [_measured(card_of(name), size, tiny) for name, size in (_TINY if tiny else _SIZES).items()]
    worst = min(lines, key=lambda line: float(line["ratio"]))
    return {**worst, "by_model": {str(line["model"]): line["ratio"] for line in lines}} | {
        key: value for line in lines for key, value in line.items() if key.endswith("channels_last")
    }


def _measured(card: BackboneCard, size: _Size, tiny: bool) -> dict[str, Any]:
    layouts = [torch.contiguous_format, torch.channels_last] if card.convolutional else [torch.contiguous_format]
    with tempfile.TemporaryDirectory() as made:
        prepared = prepare(Path(made), size.images, size.side)
        images = inputs_of(prepared, card, prepared.seen[: 8 if tiny else len(prepared.seen) * 4 // 5])
        ours = _by_the_product(prepared, card, size.epochs)
        peers = [_best_loop(card, images, layout) for layout in layouts]
        sides = in_turns((ours, *peers), size.turns, warm_up=not tiny)
    line = Turns(sides[0], sides[1]).line(at_least=_GOAL, model=card.name, unit="seconds a sample")
    for seconds in sides[2:]:
        laid_out = Turns(sides[0], seconds).line(at_least=_GOAL)
        line |= {"peer_channels_last": laid_out["peer"], "ratio_channels_last": laid_out["ratio"]}
    return {**line, "samples_per_second": rounded(1 / line["ours"])}


def _by_the_product(prepared: Prepared, card: BackboneCard, epochs: int) -> Work:
    """A run of its own each time; seconds a sample while training."""
    numbers = itertools.count()

    def train() -> float:
        folder = prepared.order(f"full-{next(numbers)}", card, "full", epochs=epochs, batch_size=_BATCH)
        return 1 / trained(folder).samples_per_second

    return train


def _best_loop(card: BackboneCard, images: Tensor, layout: torch.memory_format) -> Work:
    """The loop with its fastest batch size; seconds a sample."""
    tried = [(batch, _bare_loop(card, images[:_TRIED], batch, layout)) for batch in _PEER_BATCHES]
    return _bare_loop(card, images, fastest(tried), layout)


def _bare_loop(card: BackboneCard, images: Tensor, batch: int, layout: torch.memory_format) -> Work:
    size: dict[str, Any] = {} if card.convolutional else {"img_size": card.input_size}
    model = timm.create_model(card.arch, pretrained=False, num_classes=len(CLASSES), **size)
    model.to(memory_format=layout).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=_LR)
    targets = torch.arange(len(images)) % len(CLASSES)
    laid_out = images.contiguous(memory_format=layout)
    parts = list(zip(torch.split(laid_out, batch), torch.split(targets, batch), strict=True))

    def train() -> float:
        torch.use_deterministic_algorithms(False)  # ours switches them on, each run anew; a bare loop does not
        begun = time.perf_counter()
        for inputs, labels in parts:
            loss = functional.cross_entropy(model(inputs), labels)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return (time.perf_counter() - begun) / len(images)

    return train

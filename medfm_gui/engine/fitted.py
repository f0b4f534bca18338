"""What an adaptation hands back, and the numbers it says of each epoch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset
from medfm_gui.engine.head import Head
from medfm_gui.engine.loss import log_loss
from medfm_gui.engine.material import Material, Targets
from medfm_gui.metrics.evaluate import validation_metrics


@dataclass(frozen=True, slots=True)
class Fitted:
    """An adapted model: the head, and the backbone in ``Material`` as it now is.

    ``backbone_trained`` tells whether that differs from the pretrained one; ``samples_per_second`` is the
    rate of the stage that took longest; ``seconds_before`` what earlier attempts of a resumed run took.
    """

    head: Head
    trained_parameters: int
    samples_per_second: float
    backbone_trained: bool = False
    seconds_before: float = 0.0


Adapt = Callable[[Material], Generator[ev.Event, None, Fitted]]


def validation_of(
    dataset: Dataset, targets: Targets, probabilities: npt.NDArray[np.float32]
) -> tuple[float, Mapping[str, float]]:
    """Log loss and metrics under their stored ids, image by image."""
    scores = probabilities.astype(np.float64)
    loss = log_loss(scores, targets, dataset.task)
    return loss, validation_metrics(dataset.task, targets, scores, dataset.positive_index)

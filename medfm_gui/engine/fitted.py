"""What an adaptation hands back, and the numbers it says of each epoch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset
from medfm_gui.engine.cases import Targets
from medfm_gui.engine.change import ChangeFacts
from medfm_gui.engine.head import Head
from medfm_gui.engine.loss import log_loss
from medfm_gui.engine.material import Material
from medfm_gui.engine.scoring import SampleScores
from medfm_gui.metrics.evaluate import validation_metrics


@dataclass(frozen=True, slots=True)
class Fitted:
    """An adapted model: the head, and the backbone in ``Material`` as it now is.

    ``backbone_trained`` tells whether that differs from the pretrained one; ``samples_per_second`` is the
    rate of the stage that took longest; ``seconds_before`` what earlier attempts of a resumed run took. ``change``
    says what ``changed``, the names of the backbone's tensors that differ, are; None: they are all of it.

    ``chosen`` is what validation (or cross-validation) decided, as ``Material.chosen`` takes it: empty where there was
    nothing to decide. ``selected`` tells that labels of validation images decided something. ``facts`` say in words
    what was decided. ``out_of_fold`` are scores of training cases by models that had not seen them.
    """

    head: Head
    trained_parameters: int
    samples_per_second: float
    backbone_trained: bool = False
    seconds_before: float = 0.0
    change: ChangeFacts | None = None
    changed: frozenset[str] = frozenset()
    chosen: Mapping[str, float] = field(default_factory=dict)
    selected: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)
    out_of_fold: SampleScores | None = None


Adapt = Callable[[Material], Generator[ev.Event, None, Fitted]]


def validation_of(
    dataset: Dataset, targets: Targets, probabilities: npt.NDArray[np.float32]
) -> tuple[float, Mapping[str, float]]:
    """Log loss and metrics under their stored ids, image by image."""
    scores = probabilities.astype(np.float64)
    loss = log_loss(scores, targets, dataset.task)
    return loss, validation_metrics(dataset.task, targets, scores, dataset.positive_index)

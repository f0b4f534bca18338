"""Probabilities of a model joined with what a dataset knows of the samples: labels, patients, units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medfm_gui.datasets.targets import patients, samples_of, targets
from medfm_gui.datasets.units import unit_names
from medfm_gui.domain.dataset import Dataset
from medfm_gui.metrics.scored import Scored


def judged(dataset: Dataset, ids: Sequence[str], probabilities: NDArray[np.floating[Any]]) -> Scored:
    """Scores joined with the reference standard, the patients and the units of a dataset.

    Args:
        probabilities: (n, classes) in the order of ``ids``.

    Raises:
        NotFound: an id is not in the dataset.
        InputError: scores that are no probabilities.
    """
    who = patients(dataset, ids)
    return Scored(
        samples=tuple(ids),
        targets=targets(dataset, ids).astype(np.intp),
        scores=probabilities.astype(np.float64),
        patients=None if who is None else tuple(who),
        task=dataset.task,
        classes=dataset.classes,
        positive=dataset.positive,
        groups=unit_names(dataset, samples_of(dataset, ids)),
    )

"""A dataset's labels and patients as the arrays that training and evaluation take."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import NotFound


def targets(dataset: Dataset, ids: Iterable[str]) -> NDArray[np.int64] | NDArray[np.int8]:
    """The targets of these samples, in this order.

    Returns:
        Class indices, shape (n,), int64; for multi-label 0, 1 or ``UNKNOWN`` (-1), shape (n, classes), int8.

    Raises:
        NotFound: an id is not in the dataset.
    """
    found = [sample.target for sample in samples_of(dataset, ids)]
    if dataset.task is Task.MULTILABEL:
        return np.asarray(found, dtype=np.int8).reshape(len(found), len(dataset.classes))
    return np.asarray(found, dtype=np.int64).reshape(len(found))


def patients(dataset: Dataset, ids: Iterable[str]) -> list[str] | None:
    """The patient of each of these samples; None where the dataset knows no patients.

    A sample without a patient among others that have one counts as a patient of its own.

    Raises:
        NotFound: an id is not in the dataset.
    """
    samples = samples_of(dataset, ids)
    if dataset.n_patients is None:
        return None
    return [sample.patient if sample.patient is not None else f"image {sample.id}" for sample in samples]


def samples_of(dataset: Dataset, ids: Iterable[str]) -> list[Sample]:
    """The samples of these ids, in this order.

    Raises:
        NotFound: an id is not in the dataset.
    """
    by_id = {sample.id: sample for sample in dataset.samples}
    try:
        return [by_id[sample_id] for sample_id in ids]
    except KeyError as error:
        raise NotFound(f"The dataset has no sample “{error.args[0]}”.", "Take a split of this dataset.") from None

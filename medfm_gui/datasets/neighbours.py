"""Images that a model finds alike: pairs that are in each other's nearest few, from a feature bank.

Proposals only. They see what small descriptors of the pixels do not (a strong crop, a turn and a crop at once), and are
wrong mostly: registration decides. The time grows with the square of the number of images, memory linearly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from medfm_gui.datasets.bank_rows import BankRows
from medfm_gui.domain.dataset import Dataset

NEAREST = 3
_AXES = 96
"""Principal components that are compared; further ones hold noise of the model."""
_ROWS = 1024
_LEAST = 3


def neighbours(rows: BankRows, dataset: Dataset) -> tuple[tuple[str, str], ...]:
    """Pairs of sample ids, the first before the second in the dataset, each among the ``NEAREST`` of the other."""
    there = np.flatnonzero(rows.places >= 0)
    if len(there) < _LEAST:
        return ()
    with threadpool_limits(1, "blas"):
        nearest = _nearest(_points(rows, there), min(NEAREST, len(there) - 1))
    known = {(first, second) for first, row in enumerate(nearest.tolist()) for second in row}
    mutual = sorted((first, second) for first, second in known if first < second and (second, first) in known)
    ids = [dataset.samples[number].id for number in there.tolist()]
    return tuple((ids[first], ids[second]) for first, second in mutual)


def _points(rows: BankRows, there: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
    """n × at most ``_AXES`` numbers of length 1: principal components of the features, in two passes over the bank."""
    there = np.asarray(there, dtype=np.int64)
    total, products = np.zeros(rows.width), np.zeros((rows.width, rows.width))
    for _, block in rows.blocks(there):
        values = np.nan_to_num(block)
        total += values.sum(axis=0, dtype=np.float64)
        products += values.T @ values
    mean = total / len(there)
    _, vectors = np.linalg.eigh(products / len(there) - np.outer(mean, mean))
    axes = np.asarray(vectors[:, ::-1][:, :_AXES], dtype=np.float32)
    points = np.empty((len(there), axes.shape[1]), dtype=np.float32)
    for place, block in rows.blocks(there):
        points[place] = (np.nan_to_num(block) - mean.astype(np.float32)) @ axes
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
    return points


def _nearest(points: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """For each point the ``count`` others with the smallest angle to it."""
    found = np.empty((len(points), count), dtype=np.intp)
    for start in range(0, len(points), _ROWS):
        block = points[start : start + _ROWS]
        alike = block @ points.T
        alike[np.arange(len(block)), start + np.arange(len(block))] = -np.inf
        found[start : start + len(block)] = np.argpartition(-alike, count - 1, axis=1)[:, :count]
    return found

"""Which samples must never be parted: those of one patient, those with identical pixels, and what follows from both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from medfm_gui.datasets.ordering import ordered
from medfm_gui.domain.dataset import Sample

Key = Callable[[Sample], str | None]


def patient_of(sample: Sample) -> str | None:
    """The patient, where one is known."""
    return sample.patient


def pixels_of(sample: Sample) -> str | None:
    """The hash of the pixels, where one is known."""
    return sample.pixels_sha256 or None


def group_of(sample: Sample) -> str | None:
    """The group that the table named."""
    return sample.group


def covariate(name: str) -> Key:
    """A key that is the value of a covariate."""
    return lambda sample: sample.covariates.get(name) or None


def order_key(sample: Sample) -> tuple[str, str, int, str]:
    """What a sample is sorted by wherever order must not depend on the order of reading: its contents first."""
    return (sample.pixels_sha256, sample.path, sample.frame or 0, sample.id)


def grouped(samples: Sequence[Sample], keys: Iterable[Key]) -> list[list[Sample]]:
    """The samples parted into the smallest groups in which no key's value stands in two.

    Groups, and samples within them, come in an order that depends on the samples alone.
    """
    order = ordered([sample.pixels_sha256 for sample in samples], lambda number: order_key(samples[number]))
    size = len(samples)
    place = np.empty(size, np.intp)
    place[order] = np.arange(size)
    rows: list[int] = []
    columns: list[int] = []
    for key in keys:  # in the order in which the samples lie in memory
        first: dict[str, int] = {}
        for number, sample in enumerate(samples):
            value = key(sample)
            if value is not None:
                rows.append(number)
                columns.append(first.setdefault(value, number))
    links = coo_matrix((np.ones(len(rows), dtype=np.int8), (place[rows], place[columns])), shape=(size, size))
    _, labels = connected_components(links, directed=False)
    members: defaultdict[int, list[Sample]] = defaultdict(list)
    for number, label in zip(order, labels.tolist(), strict=True):
        members[label].append(samples[number])
    return list(members.values())


def group_names(groups: Sequence[Sequence[Sample]]) -> dict[str, str]:
    """Sample id → name of its group, ``g00001`` and so on; says nothing of who the patient is."""
    names = (f"g{number:05d}" for number in range(1, len(groups) + 1))
    return {sample.id: name for name, group in zip(names, groups, strict=True) for sample in group}

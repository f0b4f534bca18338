"""Near-duplicates on two sides of a division, resolved as leaks are: dropped, or moved with whole groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from medfm_gui.datasets.certificate import suspects
from medfm_gui.datasets.divide import SAFE, Division, Unit, class_warnings, moved
from medfm_gui.datasets.groups import Key, grouped
from medfm_gui.datasets.leaks import find_leaks
from medfm_gui.datasets.near_duplicates import NearDuplicates
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.split import Leak
from medfm_gui.domain.units import counted

DROP, MOVE = "drop", "move"
WAYS = ("", DROP, MOVE)
"""What can be done about near-duplicates on two sides; empty: they are flagged and stay."""


def near_resolved(dataset: Dataset, division: Division, unit: Unit, near: NearDuplicates, way: str) -> Division:
    """The division without near-duplicates on two sides; itself where it has none.

    Args:
        way: ``drop`` takes the image on the less guarded side out; ``move`` takes it to the more guarded side, with
            all of its patient, of its group, and what is alike to any of these.

    Raises:
        SplitError: training or test would be empty, or training would lack a class.
    """
    found = suspects(dataset, division.partition_of, near)
    if not found:
        return division
    done = _dropped(dataset, division, found) if way == DROP else _moved(dataset, division, found, near)
    again = class_warnings(dataset, done.partition_of, unit, strict=False)
    leaks = find_leaks(dataset, done.partition_of) if division.leaks else ()
    return replace(done, leaks=leaks, warnings=tuple(dict.fromkeys((*done.warnings, *again))))


def with_alike(dataset: Dataset, unit: Unit, near: NearDuplicates) -> Unit:
    """The unit whose groups hold near-duplicates too, so that a division made of them never parts these."""
    said = "Near-duplicates were kept together, with their whole groups."
    return Unit(unit.name, (*unit.keys, _alike(dataset, near)), unit.samples, (*unit.warnings, said))


def _dropped(dataset: Dataset, division: Division, found: Sequence[Leak]) -> Division:
    gone = {leak.a for leak in found}
    kept = {one: side for one, side in division.partition_of.items() if one not in gone}
    out = gone.union(division.dropped)
    said = f"{counted(len(gone), 'image')} taken out of the split, for a near-duplicate stands on a more guarded side."
    return replace(
        division,
        partition_of=kept,
        dropped=tuple(sample.id for sample in dataset.samples if sample.id in out),
        warnings=(*division.warnings, said),
    )


def _moved(dataset: Dataset, division: Division, found: Sequence[Leak], near: NearDuplicates) -> Division:
    """Only groups that hold a near-duplicate on two sides move, so that accepted leaks stay as they were accepted."""
    torn = {name for leak in found for name in (leak.a, leak.b)}
    groups = grouped(dataset.samples, (*SAFE, _alike(dataset, near)))
    concerned = [group for group in groups if any(item.id in torn for item in group)]
    sides, count = moved(division.partition_of, concerned)
    said = f"{counted(count, 'image')} moved to a more guarded side, with the whole group of a near-duplicate."
    return replace(division, partition_of=sides, warnings=(*division.warnings, said))


def _alike(dataset: Dataset, near: NearDuplicates) -> Key:
    """A key that near-duplicates share, and the near-duplicates of these."""
    place = {sample.id: number for number, sample in enumerate(dataset.samples)}
    pairs = [(place[pair.a], place[pair.b]) for pair in near.pairs if pair.a in place and pair.b in place]
    ends = np.asarray(pairs, dtype=np.intp).reshape(-1, 2)
    links = coo_matrix((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(len(place), len(place)))
    _, labels = connected_components(links, directed=False)
    paired = set(ends.ravel().tolist())

    def key(sample: Sample) -> str | None:
        number = place[sample.id]
        return str(labels[number]) if number in paired else None

    return key

"""What two sides of a split share: a patient, a lesion or another group, or the very same pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medfm_gui.base.collecting import uncollected
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.split import Leak, LeakKind, Partition
from medfm_gui.domain.units import counted

GUARDED = (Partition.TEST, Partition.CAL, Partition.VAL, Partition.TRAIN)
"""The side that keeps its image when two share one, first of all."""

_KEYS: Mapping[LeakKind, Callable[[Sample], str | None]] = {
    LeakKind.PIXELS: lambda sample: sample.pixels_sha256 or None,
    LeakKind.GROUP: lambda sample: sample.group,
    LeakKind.PATIENT: lambda sample: sample.patient,
}
"""In the order in which the leaks of one sample are told."""
_WORDS: Mapping[str, str] = {
    LeakKind.PATIENT.value: "a patient",
    LeakKind.PIXELS.value: "identical pixels",
    LeakKind.GROUP.value: "a lesion or group",
}
_NOWHERE = len(GUARDED)
_MOST_PAIRS = 3


@dataclass(frozen=True, slots=True)
class _Torn:
    """Leaks of one kind as numbers of samples: ``a`` ascending, and the guarded ``b`` of each."""

    kind: LeakKind
    a: NDArray[np.intp]
    b: NDArray[np.intp]


def find_leaks(dataset: Dataset, partition_of: Mapping[str, Partition]) -> tuple[Leak, ...]:
    """All samples that stand on a less guarded side (``a``) than one they share something with (``b``).

    Test is guarded before calibration, validation and training, so dropping every ``a`` leaves no leak and a whole
    test set. One leak a sample and kind, in the order of the dataset; time and size grow linearly. A group that is
    shared because its patient is, is told once, as the patient.

    Args:
        partition_of: sample id → side; samples that are not in it stand nowhere.
    """
    samples = dataset.samples
    stands = map(partition_of.get, (sample.id for sample in samples))
    # by comparing, for hashing a member of an enumeration takes several times as long
    ranks = (_NOWHERE if side is None else GUARDED.index(side) for side in stands)
    sides = np.fromiter(ranks, np.int8, len(samples))
    torn = {kind: _torn(kind, [key_of(sample) for sample in samples], sides) for kind, key_of in _KEYS.items()}
    torn[LeakKind.GROUP] = _without(torn[LeakKind.GROUP], torn[LeakKind.PATIENT], sides)
    return _told(samples, sides, list(torn.values()))


def _torn(kind: LeakKind, keys: Sequence[str | None], sides: NDArray[np.int8]) -> _Torn:
    """Who shares a key with a more guarded side.

    Keys are told apart by their hash codes, which sort fast; where two keys happen to have one code, by themselves.
    """
    stands = (sides < _NOWHERE).tolist()
    named = [number for number, key in enumerate(keys) if key is not None and stands[number]]
    placed = np.asarray(named, np.intp)
    known = [keys[number] for number in named]
    codes = np.fromiter(map(hash, known), np.int64, len(known))
    a, b = _away(codes, sides[placed])
    if any(known[first] != known[second] for first, second in zip(a.tolist(), b.tolist(), strict=True)):
        number_of: dict[str | None, int] = {}
        exact = [number_of.setdefault(key, len(number_of)) for key in known]
        a, b = _away(np.asarray(exact, np.int64), sides[placed])
    return _Torn(kind, placed[a], placed[b])


def _away(codes: NDArray[np.int64], sides: NDArray[np.int8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places, ascending, that are on another side than the most guarded of their code; and that one's place."""
    if not codes.size:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    size = len(codes)
    order = np.argsort(codes)
    begins = np.flatnonzero(np.append(True, np.diff(codes[order])))
    # the lowest number of each code is that of its most guarded side, and there the first of the dataset
    numbers = sides.astype(np.int64) * size + np.arange(size)
    first = np.minimum.reduceat(numbers[order], begins) % size
    guard = np.empty_like(order)
    guard[order] = np.repeat(first, np.diff(np.append(begins, size)))
    away = np.flatnonzero(sides != sides[guard])
    return away, guard[away]


def _without(groups: _Torn, patients: _Torn, sides: NDArray[np.int8]) -> _Torn:
    """The groups that are not torn between the same two sides as their patient already is."""
    guarded_by = np.full(len(sides), _NOWHERE, np.int8)
    guarded_by[patients.a] = sides[patients.b]
    kept = guarded_by[groups.a] != sides[groups.b]
    return _Torn(groups.kind, groups.a[kept], groups.b[kept])


def _told(samples: Sequence[Sample], sides: NDArray[np.int8], torn: Sequence[_Torn]) -> tuple[Leak, ...]:
    """All of them in the order of the samples; those of one sample in the order given."""
    a = np.concatenate([one.a for one in torn])
    b = np.concatenate([one.b for one in torn])
    kinds = np.repeat(np.arange(len(torn)), [len(one.a) for one in torn])
    order = np.lexsort((kinds, a))
    leaks = [one.kind for one in torn]
    names = [[(first.value, second.value) for second in GUARDED] for first in GUARDED]
    rows = zip(kinds[order].tolist(), a[order].tolist(), b[order].tolist(), strict=True)
    side = sides.tolist()
    with uncollected():
        return tuple(
            [
                Leak(leaks[kind], samples[first].id, samples[second].id, names[side[first]][side[second]])
                for kind, first, second in rows
            ]
        )


def describe(dataset: Dataset, leaks: Sequence[Leak]) -> str:
    """One sentence: how many leaks of which kind between which sides, and the first few."""
    kinds = Counter((leak.kind, leak.partitions) for leak in leaks)
    parts = [
        f"{counted(number, 'image')} in {a} with {_WORDS.get(kind, kind)} of {b}"
        for (kind, (a, b)), number in sorted(kinds.items())
    ]
    return f"The split leaks: {', '.join(parts)} ({_pairs(dataset, leaks)})."


def contradictions(dataset: Dataset, leaks: Sequence[Leak], resolved: str = "") -> tuple[str, ...]:
    """A warning where identical pixels stand on two sides with different labels: one of the labels is wrong.

    Args:
        resolved: what was done about them, so that they stand there no longer.
    """
    by_id = {sample.id: sample for sample in dataset.samples}
    torn = [leak for leak in leaks if leak.kind is LeakKind.PIXELS and by_id[leak.a].target != by_id[leak.b].target]
    if not torn:
        return ()
    pairs = _pairs(dataset, torn)
    what = f"{counted(len(torn), 'pair')} of identical images with different labels"
    if resolved:
        return (f"{what} stood on two sides and {resolved}; one label of each pair is wrong: {pairs}.",)
    return (f"{what} on two sides: {pairs}.",)


def _pairs(dataset: Dataset, leaks: Sequence[Leak]) -> str:
    """The first few by sample id, with the place in the archive of those that have one.

    No paths, which may tell who a patient is.
    """
    wanted = {name for leak in leaks[:_MOST_PAIRS] for name in (leak.a, leak.b)}
    names = {
        sample.id: sample.id if sample.frame is None else f"{sample.id} ({sample.path} {sample.frame})"
        for sample in dataset.samples
        if sample.id in wanted
    }
    told = [f"{names[leak.a]} and {names[leak.b]}" for leak in leaks[:_MOST_PAIRS]]
    rest = len(leaks) - len(told)
    return ", ".join(told) + (f" and {rest} more" if rest else "")

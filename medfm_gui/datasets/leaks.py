"""What two sides of a split share: a patient, a lesion or another group, or the very same pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from medfm_gui.datasets.text import counted, examples
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.split import Leak, LeakKind, Partition

GUARDED = (Partition.TEST, Partition.CAL, Partition.VAL, Partition.TRAIN)
"""The side that keeps its image when two share one, first of all."""

_KEYS: Mapping[LeakKind, Callable[[Sample], str | None]] = {
    LeakKind.PATIENT: lambda sample: sample.patient,
    LeakKind.PIXELS: lambda sample: sample.pixels_sha256 or None,
    LeakKind.GROUP: lambda sample: sample.group,
}
_WORDS: Mapping[str, str] = {
    LeakKind.PATIENT.value: "a patient",
    LeakKind.PIXELS.value: "identical pixels",
    LeakKind.GROUP.value: "a lesion or group",
}


def find_leaks(dataset: Dataset, partition_of: Mapping[str, Partition]) -> tuple[Leak, ...]:
    """All samples that stand on a less guarded side (``a``) than one they share something with (``b``).

    Test is guarded before calibration, validation and training, so dropping every ``a`` leaves no leak and a whole
    test set. One leak a sample and kind, in the order of the dataset; time and size grow linearly. A group that is
    shared because its patient is, is told once, as the patient.

    Args:
        partition_of: sample id → side; samples that are not in it stand nowhere.
    """
    found: list[Leak] = []
    for kind, key_of in _KEYS.items():
        side_of: dict[str, Partition] = {}
        torn: dict[str, list[Sample]] = {}
        for sample in dataset.samples:
            key, side = key_of(sample), partition_of.get(sample.id)
            if key is not None and side is not None and side_of.setdefault(key, side) is not side:
                torn[key] = []
        for sample in dataset.samples if torn else ():
            key = key_of(sample)
            if key in torn and sample.id in partition_of:
                torn[key].append(sample)
        for sharing in torn.values():
            found += _pairs(kind, sharing, partition_of)
    if not found:
        return ()
    place = {sample.id: number for number, sample in enumerate(dataset.samples)}
    torn_patients = {(leak.a, leak.partitions) for leak in found if leak.kind is LeakKind.PATIENT}
    kept = [leak for leak in found if leak.kind is not LeakKind.GROUP or (leak.a, leak.partitions) not in torn_patients]
    return tuple(sorted(kept, key=lambda leak: (place[leak.a], leak.kind)))


def _pairs(kind: LeakKind, sharing: Sequence[Sample], partition_of: Mapping[str, Partition]) -> Iterable[Leak]:
    kept = min(sharing, key=lambda sample: GUARDED.index(partition_of[sample.id]))
    side = partition_of[kept.id]
    for sample in sharing:
        if partition_of[sample.id] is not side:
            yield Leak(kind, sample.id, kept.id, (partition_of[sample.id].value, side.value))


def describe(dataset: Dataset, leaks: Sequence[Leak]) -> str:
    """One sentence: how many leaks of which kind between which sides, and the first few."""
    names = _names(dataset)
    kinds = Counter((leak.kind.value, *leak.partitions) for leak in leaks)
    parts = [
        f"{counted(number, 'image')} in {a} with {_WORDS.get(kind, kind)} of {b}"
        for (kind, a, b), number in sorted(kinds.items())
    ]
    pairs = examples(f"{names[leak.a]} and {names[leak.b]}" for leak in leaks)
    return f"The split leaks: {', '.join(parts)} ({pairs})."


def contradictions(dataset: Dataset, leaks: Sequence[Leak]) -> tuple[str, ...]:
    """A warning where identical pixels stand on two sides with different labels: one of the labels is wrong."""
    by_id = {sample.id: sample for sample in dataset.samples}
    torn = [leak for leak in leaks if leak.kind is LeakKind.PIXELS and by_id[leak.a].target != by_id[leak.b].target]
    if not torn:
        return ()
    names = _names(dataset)
    pairs = examples(f"{names[leak.a]} and {names[leak.b]}" for leak in torn)
    return (f"{counted(len(torn), 'pair')} of identical images with different labels on two sides: {pairs}.",)


def _names(dataset: Dataset) -> dict[str, str]:
    """Sample ids, with the place in the archive of those that have one; no paths, which may tell who a patient is."""
    return {
        sample.id: sample.id if sample.frame is None else f"{sample.id} ({sample.path} {sample.frame})"
        for sample in dataset.samples
    }

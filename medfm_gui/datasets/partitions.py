"""The words by which published datasets call the sides of a split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from medfm_gui.domain.split import Partition

PARTITION_WORDS: Mapping[str, Partition] = {
    "train": Partition.TRAIN,
    "training": Partition.TRAIN,
    "tr": Partition.TRAIN,
    "val": Partition.VAL,
    "valid": Partition.VAL,
    "validation": Partition.VAL,
    "validate": Partition.VAL,
    "dev": Partition.VAL,
    "tuning": Partition.VAL,
    "cal": Partition.CAL,
    "calib": Partition.CAL,
    "calibration": Partition.CAL,
    "test": Partition.TEST,
    "testing": Partition.TEST,
    "ts": Partition.TEST,
    "holdout": Partition.TEST,
}


def partition_named(word: str) -> Partition | None:
    """The partition that a word names, or None."""
    return PARTITION_WORDS.get(word.strip().casefold())


def all_are_partitions(words: Iterable[str]) -> bool:
    """Whether every one of these words names a partition (and there is one)."""
    found = set(words)
    return bool(found) and all(partition_named(word) for word in found)

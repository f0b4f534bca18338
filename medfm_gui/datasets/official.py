"""Divisions that others made: a dataset's own folds or partitions, or a list in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from medfm_gui.datasets.partitions import all_are_partitions, partition_named
from medfm_gui.datasets.table import Table, read_table
from medfm_gui.datasets.text import examples, natural, shown, words
from medfm_gui.datasets.walk import without_image_suffix
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import SplitError, TableError
from medfm_gui.domain.split import Partition
from medfm_gui.domain.units import counted

_MOST_FOLDS = 50
_SAMPLE_NAMES = words(
    "sample sampleid path filepath imagepath file filename image imagename imageid imageindex id name"
)
_SIDE_NAMES = words("partition split subset set fold usage side")

Base = tuple[str, Mapping[str, Partition]]
"""What a published division is called, and sample id → side."""


def official_divisions(dataset: Dataset, *, whole_folds: bool) -> list[Base]:
    """One division where the folds are called train, val, test; else one a fold, each in turn being the test.

    Samples without a fold stand nowhere.

    Args:
        whole_folds: take the next fold for validation, of three or more in turn. Where no patients are known, folds
            are all there is to keep them apart, and validation drawn from the others would share them.

    Raises:
        SplitError: there are no folds, one only, or names that mix both kinds.
    """
    names = sorted({sample.fold for sample in dataset.samples if sample.fold}, key=natural)
    if not names:
        raise SplitError(
            "The dataset brings no official folds.", "Import it with --fold COLUMN, or make a split with --ratios."
        )
    fold_of = {sample.id: sample.fold for sample in dataset.samples if sample.fold}
    if all_are_partitions(names):
        sides = {name: partition_named(name) or Partition.TRAIN for name in names}
        division = {sample: sides[fold] for sample, fold in fold_of.items()}
        return [(f"official {'/'.join(side.value for side in Partition if side in division.values())}", division)]
    if any(partition_named(name) for name in names) or not 1 < len(names) <= _MOST_FOLDS:
        raise SplitError(
            f"The folds are called {examples(names, most=6)}: neither train, val and test nor a few folds in turn.",
            "Import again with another --fold column, or make a split with --ratios.",
        )
    return [_in_turn(fold_of, names, number, whole_folds=whole_folds) for number in range(len(names))]


def _in_turn(fold_of: Mapping[str, str], names: list[str], number: int, *, whole_folds: bool) -> Base:
    test = names[number]
    said = f"official fold {test} ({number + 1} of {len(names)}) as test"
    sides = {test: Partition.TEST}
    if whole_folds and len(names) > 2:
        validation = names[(number + 1) % len(names)]
        sides[validation] = Partition.VAL
        said += f", fold {validation} as validation"
    return said, {sample: sides.get(fold, Partition.TRAIN) for sample, fold in fold_of.items()}


def division_of_file(dataset: Dataset, path: Path) -> tuple[Base, tuple[str, ...]]:
    """The division that a table of samples (ids or paths) and partitions gives, and what is to be said of it.

    Raises:
        TableError: its columns are not recognised, or it names no sample of this dataset.
        SplitError: it gives a sample two sides, or a side no word stands for.
    """
    table = read_table(path)
    sample_column, side_column = _columns(table)
    names = [said.replace("\\", "/").removeprefix("./") for said in table.column(sample_column)]
    ids = _ids_by_name(dataset, names)
    sides = _sides(table, side_column)
    found: dict[str, Partition] = {}
    unknown: list[str] = []
    for said, name, side in zip(table.column(sample_column), names, sides, strict=True):
        sample = ids[name] or (ids[name.rpartition("/")[2]] if "/" in name else "")
        if not sample:
            unknown.append(said)
        elif found.setdefault(sample, side) is not side:
            raise SplitError(
                f"The list puts “{said}” into {found[sample].value} and into {side.value}.", "Correct the list."
            )
    if not found:
        raise TableError(
            f"“{shown(path.name)}” names no sample of this dataset (first: {examples(unknown)}).",
            "Give sample ids (s000001 …) or paths as they stand in the dataset.",
        )
    warnings = list(table.warnings)
    if unknown:
        warnings.append(
            f"{counted(len(unknown), 'row')} of the list without a sample of the dataset: {examples(unknown)}."
        )
    return (f"list {shown(path.name)}", found), tuple(warnings)


def _columns(table: Table) -> tuple[str, str]:
    samples = table.recognised(_SAMPLE_NAMES)
    sides = [name for name in table.recognised(_SIDE_NAMES) if all_are_partitions(filter(None, table.column(name)))]
    sides = sides or [name for name in table.recognised(_SIDE_NAMES) if name not in samples]
    if not samples or not sides:
        raise TableError(
            f"“{shown(table.path.name)}” needs a column “sample” or “path” and a column “partition”.",
            f"Its columns are: {', '.join(table.columns)}.",
        )
    return samples[0], sides[0]


def _sides(table: Table, column: str) -> list[Partition]:
    """The partition of each row."""
    words_said = table.column(column)
    named = {word: partition_named(word) for word in words_said}
    unclear = next((word for word in words_said if named[word] is None), None)
    if unclear is not None:
        raise SplitError(f"“{unclear}” in the column “{column}” names no partition.", "Use train, val, cal and test.")
    return [side for word in words_said if (side := named[word])]


def _ids_by_name(dataset: Dataset, asked: Sequence[str]) -> dict[str, str]:
    """Sample ids by the names asked for and their last parts: id, path (with ``#frame``), file name, without ending.

    Empty are those that name several samples or none.
    """
    folders = [name for name in asked if "/" in name]
    ids = {**dict.fromkeys(asked, ""), **dict.fromkeys((name.rpartition("/")[2] for name in folders), "")}
    lengths = set(map(len, ids))  # looked at first: a large table that lacks a name costs more to ask
    ambiguous: set[str] = set()
    for sample in dataset.samples:
        own = sample.id
        full = sample.path if sample.frame is None else f"{sample.path}#{sample.frame}"
        base = full.rpartition("/")[2]
        bare = without_image_suffix(base)
        longer = (full, full[: len(full) - len(base)] + bare) if folders else ()
        for name in (own, base, bare, *longer):
            if len(name) in lengths and name in ids:
                if ids[name] not in ("", own):
                    ambiguous.add(name)
                ids[name] = own
    return {**ids, **dict.fromkeys(ambiguous, "")} if ambiguous else ids

"""Divisions that others made: a dataset's own folds or partitions, or a list in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.datasets.partitions import all_are_partitions, partition_named
from medfm_gui.datasets.table import Table, read_table
from medfm_gui.datasets.text import examples, natural, plain_name, shown, words
from medfm_gui.datasets.walk import without_image_suffix
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.errors import SplitError, TableError
from medfm_gui.domain.split import Partition
from medfm_gui.domain.units import counted

_MOST_FOLDS = 50
_SAMPLE_NAMES = words(
    "sample sampleid path filepath imagepath file filename image imagename imageid imageindex id name"
)
_ID_NAMES = words("sample sampleid")
_PATH_NAMES = words("path filepath imagepath file filename image imagename")
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

    Where it has sample ids and paths, as an exported one, the paths count: ids are those of one dataset alone.

    Raises:
        TableError: its columns are not recognised, or it names no sample of this dataset.
        SplitError: it gives a sample two sides, or a side no word stands for.
    """
    table = read_table(path)
    sample_column, side_column = _columns(table)
    cells = table.column(sample_column)
    has_ids = plain_name(sample_column) in _ID_NAMES
    sides = _sides(table, side_column, cells)
    read = _samples_named(dataset, [_name(said) for said in cells], ids_first=has_ids)
    warnings = list(table.warnings)
    if has_ids and (path_column := next(iter(_path_columns(table, side_column)), None)):
        read, cells, warning = _as_paths_say(dataset, read, cells, table.column(path_column))
        warnings += warning
    found: dict[str, Partition] = {}
    unknown: list[str] = []
    for said, sample, side, line in zip(cells, read.samples, sides, table.lines, strict=True):
        if not sample:
            unknown.append(said)
        elif found.setdefault(sample, side) is not side:
            raise SplitError(
                f"The list puts “{said}” into {found[sample].value} and into {side.value} (line {line}).",
                "Take one of its lines out.",
            )
    several = [said for said in unknown if _is_one_of(said, read.ambiguous)]
    unknown = [said for said in unknown if not _is_one_of(said, read.ambiguous)]
    if not found:
        raise TableError(
            f"“{shown(path.name)}” names no sample of this dataset"
            + (f" (first: {examples(unknown)})." if unknown else f": {_named_several(dataset, several)}."),
            "Give sample ids (s000001 …) or paths as they stand in the dataset, with their folders.",
        )
    if unknown:
        warnings.append(
            f"{counted(len(unknown), 'row')} of the list without a sample of the dataset: {examples(unknown)}."
        )
    if several:
        warnings.append(
            f"{counted(len(several), 'row')} of the list left out: {_named_several(dataset, several)}. "
            "Write the sample ids, or the paths with their folders."
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


def _path_columns(table: Table, side_column: str) -> list[str]:
    return [name for name in table.recognised(_PATH_NAMES) if name != side_column]


def _sides(table: Table, column: str, cells: Sequence[str]) -> list[Partition]:
    """The partition of each row."""
    words_said = table.column(column)
    named = {word: partition_named(word) for word in words_said}
    unclear = next((number for number, word in enumerate(words_said) if named[word] is None), None)
    if unclear is not None:
        word, line = words_said[unclear], table.lines[unclear]
        if not word:
            raise SplitError(
                f"The list gives “{cells[unclear]}” no partition (line {line}).",
                "Write train, val, cal or test, or take the line out; then the image stands on no side.",
            )
        raise SplitError(
            f"“{word}” in the column “{column}” names no partition (line {line}).", "Use train, val, cal and test."
        )
    return [side for word in words_said if (side := named[word])]


# -- which samples the rows of a list mean


@dataclass(frozen=True, slots=True)
class _Named:
    """The sample that each row means, empty where there is none; and the names that several samples bear."""

    samples: list[str]
    ambiguous: frozenset[str]


def _name(said: str) -> str:
    return said.replace("\\", "/").removeprefix("./")


def _is_one_of(said: str, names: frozenset[str]) -> bool:
    name = _name(said)
    return bool(names) and (name in names or name.rpartition("/")[2] in names)


def _samples_named(dataset: Dataset, names: Sequence[str], *, ids_first: bool) -> _Named:
    ids, ambiguous = _ids_by_name(dataset, names, ids_first=ids_first)
    found = [ids[name] or (ids[name.rpartition("/")[2]] if "/" in name else "") for name in names]
    return _Named(found, ambiguous)


def _as_paths_say(
    dataset: Dataset, read: _Named, cells: list[str], paths: Sequence[str]
) -> tuple[_Named, list[str], list[str]]:
    """The samples that the paths of a list mean where its ids mean others, or none; what rows say; a warning or none.

    Ids are counted anew at each import, so those of a dataset with one image more are other images. An image that is
    not here is no sample, whatever its id.
    """
    place_of = {sample.id: _place(sample) for sample in dataset.samples}
    rows = zip(read.samples, paths, strict=True)
    apart = [number for number, (sample, path) in enumerate(rows) if path and place_of.get(sample) != path]
    if not apart:
        return read, cells, []
    names = [_name(paths[number].removeprefix("'")) for number in apart]  # exported before what a sheet would reckon
    meant = _samples_named(dataset, names, ids_first=False)
    samples = list(read.samples)
    words_said, followed = list(cells), []
    for number, name, sample in zip(apart, names, meant.samples, strict=True):
        own = samples[number]
        is_id = bool(own) and own == cells[number]
        if sample and sample != own:
            samples[number] = sample
            followed += [cells[number]] if is_id else []
        elif is_id and not sample and place_of[own].rpartition("/")[2] != name.rpartition("/")[2]:
            samples[number] = ""
            words_said[number] = f"{cells[number]} ({paths[number]})"
    warning = (
        f"The sample ids of the list are those of another dataset: by them {counted(len(followed), 'row')} would be "
        f"another image than the path says ({examples(followed)}). The paths were followed."
    )
    return _Named(samples, read.ambiguous), words_said, [warning] if followed else []


def _place(sample: Sample) -> str:
    return sample.path if sample.frame is None else f"{sample.path}#{sample.frame}"


def _named_several(dataset: Dataset, several: Sequence[str]) -> str:
    """“same” is s000001 and s000007; for the first of these names."""
    first = _name(several[0])
    bearing: list[str] = []
    for sample in dataset.samples:
        base = _place(sample).rpartition("/")[2]
        if first.rpartition("/")[2] in (sample.id, base, without_image_suffix(base)):
            bearing.append(sample.id)
    rest = f", and so are others ({examples(several[1:])})" if len(several) > 1 else ""
    return f"“{several[0]}” is the name of several images ({examples(bearing)}){rest}"


def _ids_by_name(
    dataset: Dataset, asked: Sequence[str], *, ids_first: bool = False
) -> tuple[dict[str, str], frozenset[str]]:
    """Sample ids by the names asked for and their last parts: id, path (with ``#frame``), file name, without ending.

    Empty are those that name several samples or none; those of several are named besides. A name that is a sample's
    whole path is that one's in a list with folders, and one that is its id where the list holds ids.
    """
    folders = [name for name in asked if "/" in name]
    ids = {**dict.fromkeys(asked, ""), **dict.fromkeys((name.rpartition("/")[2] for name in folders), "")}
    lengths = set(map(len, ids))  # looked at first: a large table that lacks a name costs more to ask
    ambiguous: set[str] = set()
    for sample in dataset.samples:
        own = sample.id
        full = _place(sample)
        base = full.rpartition("/")[2]
        bare = without_image_suffix(base)
        longer = (full, full[: len(full) - len(base)] + bare) if folders else ()
        for name in (own, base, bare, *longer):
            if len(name) in lengths and name in ids:
                if ids[name] not in ("", own):
                    ambiguous.add(name)
                ids[name] = own
    if not ambiguous:
        return ids, frozenset()
    exact = {_place(sample): sample.id for sample in dataset.samples} if folders else {}
    if ids_first:
        exact |= {sample.id: sample.id for sample in dataset.samples}
    ids |= {name: exact.get(name, "") for name in ambiguous}
    return ids, frozenset(name for name in ambiguous if not ids[name])

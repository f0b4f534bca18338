"""What every way to divide a dataset needs: the unit that stays whole, shares, and a look where each class stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from medfm_gui.datasets.groups import Key, covariate, group_of, grouped, patient_of, pixels_of
from medfm_gui.datasets.leaks import GUARDED
from medfm_gui.datasets.stratify import classes_of, deal
from medfm_gui.datasets.text import examples
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import SplitError, UsageError
from medfm_gui.domain.split import Leak, Partition
from medfm_gui.domain.units import counted

DEFAULT_RATIOS = "70/15/15"
VALIDATION_SHARE = 0.15
"""Of the training side, where validation is drawn from it."""
_SERVED = (Partition.TRAIN, Partition.TEST, Partition.VAL, Partition.CAL)
"""Who gets a group first where a class has few: without training or test there is nothing to say of it."""


SAFE: tuple[Key, ...] = (patient_of, pixels_of, group_of)
"""What must never stand on two sides."""


_NOUNS = ("patient", "image", "group")


@dataclass(frozen=True)
class Unit:
    """What stays whole: its name in sentences, the keys that tie samples together, and all groups these make."""

    name: str
    keys: tuple[Key, ...]
    samples: Sequence[Sample]
    warnings: tuple[str, ...] = ()

    @cached_property
    def groups(self) -> list[list[Sample]]:
        """Of all samples; made when first asked for, so that a division the gate refuses costs no grouping."""
        return grouped(self.samples, self.keys)

    def counted(self, number: int) -> str:
        """``3 patients``; of a column ``3 values of “site”``."""
        return counted(number, self.name) if self.name in _NOUNS else f"{counted(number, 'value')} of “{self.name}”"

    @property
    def is_safe(self) -> bool:
        """Whether the groups are exactly what must not be parted: patients, groups and identical pixels."""
        return self.keys == SAFE


_SIDES = {
    Partition.TRAIN: "training",
    Partition.VAL: "validation",
    Partition.CAL: "calibration",
    Partition.TEST: "the test",
}


@dataclass(frozen=True, slots=True)
class Division:
    """A split in the making: sample id → side, and what is to be said of it."""

    partition_of: Mapping[str, Partition]
    rule: str
    fold: int | None = None
    warnings: tuple[str, ...] = ()
    leaks: tuple[Leak, ...] = ()
    dropped: tuple[str, ...] = ()
    reason: str = ""
    """Why leaks may stay, where the rule itself says so."""
    inner: tuple[Division, ...] = ()
    """Folds within the training side."""


def unit_of(dataset: Dataset, by: str) -> Unit:
    """The unit that ``by`` names: patient, image, group, or a covariate's name.

    Raises:
        UsageError: the dataset knows no such thing.
    """
    name, keys, warnings = _keys_of(dataset, by)
    return Unit(name, keys, dataset.samples, warnings)


def _keys_of(dataset: Dataset, by: str) -> tuple[str, tuple[Key, ...], tuple[str, ...]]:
    has_group = any(sample.group for sample in dataset.samples)
    if by == "patient":
        if dataset.n_patients is None and not has_group:
            warning = (
                "No patients are known, so the division is by image: images of one patient may stand on both sides."
            )
            return "image", SAFE, (warning,)
        return "patient" if dataset.n_patients else "group", SAFE, ()
    if by == "image":
        return "image", (pixels_of,), ()
    if by == "group" and has_group:
        return "group", SAFE, ()
    known = sorted({name for sample in dataset.samples for name in sample.covariates})
    if by in known:
        return by, (*SAFE, covariate(by)), ()
    raise UsageError(
        f"The dataset has no group “{by}” to divide by.",
        f"Use --by patient or --by image{', --by group' if has_group else ''}"
        + (f", or a column: {examples(known, most=12)}." if known else "."),
    )


def ratios(text: str) -> dict[Partition, float]:
    """The shares of “70/15/15” (train, validation, test) or “60/10/15/15” (with calibration before test).

    Raises:
        UsageError: it is neither, a share is zero, or they do not add up to 100 (or 1).
    """
    hint = "Write train/validation/test, as 70/15/15, or with calibration 60/10/15/15."
    try:
        shares = [float(part) for part in text.split("/")]
    except ValueError:
        raise UsageError(f"“{text}” is not a list of shares.", hint) from None
    whole = sum(shares)
    if len(shares) not in (3, 4) or not all(0 < share < 100 for share in shares):
        raise UsageError(f"“{text}” does not give three or four shares above zero.", hint)
    if abs(whole - 1) > 0.005 and abs(whole - 100) > 0.5:
        raise UsageError(f"The shares of “{text}” add up to {whole:g}, not to 100.", hint)
    sides = [Partition.TRAIN, Partition.VAL, Partition.TEST]
    if len(shares) == 4:
        sides.insert(2, Partition.CAL)
    return {side: share / whole for side, share in zip(sides, shares, strict=True)}


def dealt(
    dataset: Dataset, groups: Sequence[Sequence[Sample]], unit: Unit, shares: Mapping[Partition, float], seed: str
) -> dict[str, Partition]:
    """Deal groups out to partitions by class; sample id → side.

    Raises:
        SplitError: there are fewer units than sides.
    """
    if len(groups) < len(shares):
        raise SplitError(
            f"There are {unit.counted(len(groups))} for {len(shares)} partitions, and none may be parted.",
            "Add images, or use fewer partitions.",
        )
    named = {side.value: shares[side] for side in _SERVED if side in shares}
    sides = deal(groups, named, seed, multilabel=dataset.task is Task.MULTILABEL)
    empty = [name for name, found in sides.items() if not found]
    if empty:
        raise SplitError(f"No image would be left for {examples(empty)}.", "Give it a larger share, or add images.")
    return {sample.id: Partition(name) for name, found in sides.items() for group in found for sample in group}


def with_validation(
    dataset: Dataset, partition_of: Mapping[str, Partition], unit: Unit, seed: str
) -> dict[str, Partition]:
    """The same sides, with validation drawn from training in whole units."""
    in_training = ([item for item in group if partition_of.get(item.id) is Partition.TRAIN] for group in unit.groups)
    learnt = [group for group in in_training if group]
    shares = {Partition.TRAIN: 1 - VALIDATION_SHARE, Partition.VAL: VALIDATION_SHARE}
    return {**partition_of, **dealt(dataset, learnt, unit, shares, seed)}


def moved(
    partition_of: Mapping[str, Partition], groups: Sequence[Sequence[Sample]]
) -> tuple[dict[str, Partition], int]:
    """The same sides, but every group that stands on several goes whole to the most guarded one; how many images moved.

    Raises:
        SplitError: training or test would be empty.
    """
    sides = dict(partition_of)
    count = 0
    for group in groups:
        standing = {sides[item.id] for item in group if item.id in sides}
        if len(standing) > 1:
            kept = min(standing, key=GUARDED.index)
            away = [item.id for item in group if item.id in sides and sides[item.id] is not kept]
            sides.update(dict.fromkeys(away, kept))
            count += len(away)
    if {Partition.TRAIN, Partition.TEST} - set(sides.values()):
        raise SplitError("Moving whole groups would leave training or test without images.", "Drop the leaks instead.")
    return sides, count


def class_warnings(
    dataset: Dataset, partition_of: Mapping[str, Partition], unit: Unit, *, strict: bool = True
) -> tuple[str, ...]:
    """Look whether each class stands on each side; what is said where a side does without one.

    Args:
        strict: a made split must have every class in training and test. A published one must in training only.

    Raises:
        SplitError: a class is missing where it must not; multi-label findings only warn, as they may be rare.
    """
    if dataset.task is Task.SEGMENTATION:  # its classes are those of voxels
        return ()
    multilabel = dataset.task is Task.MULTILABEL
    must = {Partition.TRAIN, Partition.TEST} if strict else {Partition.TRAIN}
    warnings = []
    for side, lacking in _lacking(dataset, partition_of, multilabel=multilabel).items():
        names = examples(dataset.classes[number] for number in lacking)
        if side in must and not multilabel:
            have = _units_with_class(unit, lacking[0], multilabel=multilabel)
            raise SplitError(
                f"No image of {names} would stand in {_SIDES[side]}: “{dataset.classes[lacking[0]]}” has only "
                f"{unit.counted(have)}, and each stays on one side.",
                "Add images of this class, leave it out of the dataset, or use fewer folds or partitions.",
            )
        warnings.append(f"No image of {names} stands in {_SIDES[side]}, so results there say nothing of it.")
    return tuple(warnings)


def _lacking(
    dataset: Dataset, partition_of: Mapping[str, Partition], *, multilabel: bool
) -> dict[Partition, list[int]]:
    """The classes without an image, of each side that lacks some; who lacks none is found out after a few images."""
    standing = set(partition_of.values())
    lacks = {side: set(range(len(dataset.classes))) for side in Partition if side in standing}
    open_sides = {side for side, classes in lacks.items() if classes}
    for sample in dataset.samples:
        if not open_sides:
            break
        side = partition_of.get(sample.id)
        if side in open_sides:
            lacks[side].difference_update(classes_of(sample, multilabel=multilabel))
            if not lacks[side]:
                open_sides.remove(side)
    return {side: sorted(classes) for side, classes in lacks.items() if classes}


def _units_with_class(unit: Unit, number: int, *, multilabel: bool) -> int:
    return sum(any(number in classes_of(sample, multilabel=multilabel) for sample in group) for group in unit.groups)


def check_classes_fill_folds(dataset: Dataset, folds: int, unit: Unit) -> None:
    """Whether each class can stand in the test of every fold.

    Raises:
        SplitError: a class has fewer units than there are folds (not asked of several findings an image).
    """
    if dataset.task in (Task.MULTILABEL, Task.SEGMENTATION):
        return
    having: Counter[int] = Counter()
    for group in unit.groups:
        having.update({sample.target[0] for sample in group})
    poor = [number for number in range(len(dataset.classes)) if having[number] < folds]
    if poor:
        raise SplitError(
            f"“{dataset.classes[poor[0]]}” has only {unit.counted(having[poor[0]])}, too few for {folds} folds "
            "with each of them in one.",
            "Use fewer folds, or add images of this class.",
        )

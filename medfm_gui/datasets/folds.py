"""Divisions in turns and in time: cross-validation, folds within folds, one site left out, earlier before later."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from medfm_gui.datasets.divide import (
    DEFAULT_RATIOS,
    VALIDATION_SHARE,
    Division,
    Unit,
    check_classes_fill_folds,
    ratios,
    with_validation,
)
from medfm_gui.datasets.stratify import deal
from medfm_gui.datasets.text import examples, natural
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import SplitError, UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.domain.units import counted

_MOST_LEFT_OUT = 50
_DATE = re.compile(r"^(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?:[T ].*)?$")


def in_folds(dataset: Dataset, unit: Unit, folds: int, seed: int) -> list[Division]:
    """Each fold in turn is the test; validation is drawn from the others.

    Raises:
        SplitError: there are fewer units, in all or of one class, than folds.
    """
    _enough(unit, len(unit.groups), folds)
    check_classes_fill_folds(dataset, folds, unit)
    fold_of = _dealt(dataset, unit, unit.groups, folds, str(seed))
    divisions = []
    for number in range(1, folds + 1):
        sides = {one: Partition.TEST if fold == number else Partition.TRAIN for one, fold in fold_of.items()}
        sides = with_validation(dataset, sides, unit, f"{seed} fold {number}")
        rule = f"fold {number} of {folds} by {unit.name}, seed {seed}, {validation_rule()}"
        divisions.append(Division(sides, rule, fold=number))
    return divisions


def within(dataset: Dataset, unit: Unit, division: Division, folds: int, seed: int) -> list[Division]:
    """What stands in a division's training and validation, in folds of which each is the validation in turn.

    The test (and calibration) stays where it is, so that nothing that is chosen within has seen it.

    Raises:
        SplitError: there are fewer units than folds.
    """
    sides = division.partition_of
    learnt = (Partition.TRAIN, Partition.VAL)
    groups = [[item for item in group if sides.get(item.id) in learnt] for group in unit.groups]
    fold_of = _dealt(dataset, unit, [group for group in groups if group], folds, f"{seed} within {division.fold}")
    found = []
    for number in range(1, folds + 1):
        inner = {one: Partition.VAL if fold == number else Partition.TRAIN for one, fold in fold_of.items()}
        rule = f"inner fold {number} of {folds} as validation, within {division.rule.partition(', validation')[0]}"
        found.append(Division({**sides, **inner}, rule, fold=number))
    return found


def left_out(dataset: Dataset, unit: Unit, name: str, seed: int) -> list[Division]:
    """Each value of a covariate (a site, a scanner) in turn is the test; the others train.

    A patient with images of the value that is tested and of another one has only the former in that fold.

    Raises:
        UsageError: no sample has this covariate, or it has one value or more than fifty.
    """
    value_of = {sample.id: sample.covariates.get(name, "") for sample in dataset.samples}
    values = sorted({value for value in value_of.values() if value}, key=natural)
    known = sorted({key for sample in dataset.samples for key in sample.covariates})
    if name not in known:
        raise UsageError(
            f"The dataset has no column “{name}” to leave out value by value.",
            f"There are: {examples(known, most=12)}." if known else "It was imported without any column.",
        )
    if not 2 <= len(values) <= _MOST_LEFT_OUT:
        raise UsageError(
            f"“{name}” has {counted(len(values), 'value')}, so it cannot be left out value by value.",
            f"Use a column with 2 to {_MOST_LEFT_OUT} values; there are: {examples(known, most=12) or 'none'}.",
        )
    unknown = sum(not value for value in value_of.values())
    said = (f"{counted(unknown, 'image')} without “{name}” stand on no side.",) if unknown else ()
    divisions = []
    for number, value in enumerate(values, 1):
        sides: dict[str, Partition] = {}
        torn = 0
        for group in unit.groups:
            tested = any(value_of[item.id] == value for item in group)
            for item in group:
                if value_of[item.id] == value:
                    sides[item.id] = Partition.TEST
                elif value_of[item.id] and not tested:
                    sides[item.id] = Partition.TRAIN
                else:
                    torn += bool(value_of[item.id])
        sides = with_validation(dataset, sides, unit, f"{seed} without {value}")
        rule = (
            f"{name} “{value}” left out ({number} of {len(values)}), by {unit.name}, seed {seed}, {validation_rule()}"
        )
        kept_out = (f"{counted(torn, 'image')} left out of fold {number}: their {unit.name} is in its test.",)
        divisions.append(Division(sides, rule, number, (*said, *(kept_out if torn else ()))))
    return divisions


def in_time(dataset: Dataset, unit: Unit, name: str, shares: str) -> Division:
    """Earliest images train, the latest are the test; ``name`` is a covariate that holds dates or numbers.

    A unit stands where its latest image belongs, so training never holds anything of a patient who came back later.

    Raises:
        UsageError: the covariate is no date and no number.
        SplitError: a side would be empty.
    """
    time_of = _times(dataset.samples, name)
    dated = [
        (max(time_of[item.id] for item in group if item.id in time_of), group)
        for group in unit.groups
        if any(item.id in time_of for item in group)
    ]
    dated.sort(key=lambda pair: pair[0])
    text = shares or DEFAULT_RATIOS
    wanted = ratios(text)
    total = sum(len(group) for _, group in dated)
    sides: dict[str, Partition] = {}
    order = [side for side in (Partition.TRAIN, Partition.VAL, Partition.CAL, Partition.TEST) if side in wanted]
    ends = [sum(wanted[side] for side in order[: number + 1]) * total for number in range(len(order))]
    placed = 0
    for _, group in dated:
        middle = placed + len(group) / 2
        side = next((side for side, end in zip(order, ends, strict=True) if middle <= end), order[-1])
        sides.update((item.id, side) for item in group)
        placed += len(group)
    empty = [side.value for side in order if side not in sides.values()]
    if empty:
        raise SplitError(f"No image would be left for {examples(empty)}.", "Give it a larger share, or add images.")
    return Division(
        sides, f"{text} by “{name}”, earliest first, by {unit.name}", warnings=_of_time(dataset, name, sides)
    )


def _of_time(dataset: Dataset, name: str, sides: Mapping[str, Partition]) -> tuple[str, ...]:
    missing = len(dataset.samples) - len(sides)
    tested = {sample.covariates.get(name, "") for sample in dataset.samples if sides.get(sample.id) is Partition.TEST}
    same = sum(
        sides.get(sample.id) in (Partition.TRAIN, Partition.VAL) and sample.covariates.get(name, "") in tested
        for sample in dataset.samples
    )
    said = []
    if missing:
        said.append(f"{counted(missing, 'image')} without a readable “{name}” stand on no side.")
    if same:
        said.append(f"{counted(same, 'image')} in training or validation have a “{name}” that test has too.")
    return tuple(said)


def _times(samples: Sequence[Sample], name: str) -> dict[str, float]:
    """Days or numbers by sample; those that are neither are left out."""
    values = {sample.id: sample.covariates[name].strip() for sample in samples if sample.covariates.get(name)}
    days = {one: _day(value) for one, value in values.items()}
    dates = {one: day for one, day in days.items() if day is not None}
    found = dates if len(dates) * 2 > len(values) else _numbers(values)
    if len(set(found.values())) < 2 or len(found) * 2 < len(values):
        known = sorted({key for sample in samples for key in sample.covariates})
        raise UsageError(
            f"“{name}” does not hold dates or numbers to divide by.",
            f"Use a column of dates (2026-11-22, 20261122) or numbers: {examples(known, most=12) or 'there are none'}.",
        )
    return found


def _day(text: str) -> float | None:
    match = _DATE.match(text)
    try:
        return float(date(int(match[1]), int(match[2]), int(match[3])).toordinal()) if match else None
    except ValueError:
        return None


def _numbers(values: Mapping[str, str]) -> dict[str, float]:
    found = {}
    for one, value in values.items():
        try:
            number = float(value)
        except ValueError:
            continue
        if abs(number) < float("inf"):
            found[one] = number
    return found


def validation_rule() -> str:
    """How validation came to be, for a rule's words."""
    return f"validation {VALIDATION_SHARE:.0%} of the training side"


def _enough(unit: Unit, number: int, folds: int) -> None:
    if number < folds:
        raise SplitError(f"There are {unit.counted(number)} for {folds} folds.", "Use fewer folds.")


def _dealt(dataset: Dataset, unit: Unit, groups: Sequence[Sequence[Sample]], folds: int, seed: str) -> dict[str, int]:
    """Sample id → fold, from 1."""
    _enough(unit, len(groups), folds)
    names = [str(number) for number in range(1, folds + 1)]
    found = deal(groups, dict.fromkeys(names, 1.0), seed, multilabel=dataset.task is Task.MULTILABEL)
    sizes = Counter({name: len(some) for name, some in found.items()})
    if min(sizes.values()) == 0:
        raise SplitError(f"A fold of {folds} would be empty.", "Use fewer folds.")
    return {sample.id: int(name) for name, some in found.items() for group in some for sample in group}

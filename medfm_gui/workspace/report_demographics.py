"""Who is in each partition, and how the classes lie in them, with small cells suppressed.

Counted are patients where all are known, else images. No date and no free text is told: only covariates of known
names, ages by twenty years with one open group at the top.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.report import Block, Paragraph, Table
from medfm_gui.domain.split import Partition, Split
from medfm_gui.workspace.subgrouping import SEVERAL, grouping

SMALLEST = 5
"""Counts from 1 up to below this are not told, nor what would give them away."""
FEW = f"< {SMALLEST}"
WITHHELD = "not shown"
NOT_RECORDED = "not recorded"
BALANCE = "Images of each class by partition"
CHARACTERISTICS = "Characteristics by partition"
NOTE = f"Counts of 1 to {SMALLEST - 1} are told as “{FEW}”, and counts that would give them away are {WITHHELD}."
_NAMES = {
    "sex": "Sex", "gender": "Gender", "patientsex": "Sex",
    "age": "Age (years)", "patientage": "Age (years)", "ageapprox": "Age (years)", "ageatstudy": "Age (years)",
    "ageyears": "Age (years)",
    "ethnicity": "Ethnicity", "race": "Race", "skintype": "Skin type", "fitzpatrick": "Skin type",
    "laterality": "Laterality", "view": "View", "viewposition": "View", "modality": "Modality", "density": "Density",
    "manufacturer": "Manufacturer", "scanner": "Scanner", "site": "Site", "hospital": "Hospital",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Characteristic:
    """A covariate: what the unit of each divided image counts as, the values as they are listed, units of each."""

    values: Mapping[str, str]
    order: tuple[str, ...]
    counted: Mapping[Partition, Counter[str]]


def demographics(dataset: Dataset, split: Split) -> list[Block]:
    """Characteristics by partition; empty where no covariate of a known name is recorded."""
    sides = {item.sample: item.partition for item in split.assignments}
    samples = [sample for sample in dataset.samples if sample.id in sides]
    noun = "patients" if _by_patient(samples) else "images"
    counted = characteristics(dataset, split)
    if not counted:
        return []
    used = [side for side in Partition if any(where is side for where in sides.values())]
    totals = [next(iter(counted.values())).counted[side].total() for side in used]
    rows = [(f"All {noun}", "", *suppressed(totals))]
    for name, one in counted.items():
        columns = [suppressed([one.counted[side][value] for value in one.order]) for side in used]
        rows += [
            (characteristic_title(name) if place == 0 else "", value, *(column[place] for column in columns))
            for place, value in enumerate(one.order)
        ]
    header = ("Characteristic", "Value", *(side.value for side in used))
    numeric = tuple(range(2, 2 + len(used)))
    return [Table(f"{CHARACTERISTICS}, {noun}.", header, tuple(rows), numeric), Paragraph(NOTE, "small")]


def characteristics(dataset: Dataset, split: Split, *, is_grouped: bool = False) -> dict[str, Characteristic]:
    """Units of every value of the known covariates by partition: patients where all are known, else images.

    Args:
        is_grouped: the samples' values are what their units count as already.
    """
    sides = {item.sample: item.partition for item in split.assignments}
    samples = [sample for sample in dataset.samples if sample.id in sides]
    by_patient = _by_patient(samples)
    units: defaultdict[tuple[str, Partition], list[Sample]] = defaultdict(list)
    for sample in samples:
        units[(sample.patient or "") if by_patient else sample.id, sides[sample.id]].append(sample)
    return {
        name: _characteristic(name, units, _as_recorded(name) if is_grouped else grouping(name, samples))
        for name in recorded(samples)
    }


def _as_recorded(name: str) -> Callable[[Sample], str]:
    return lambda sample: sample.covariates.get(name, "")


def _by_patient(samples: Sequence[Sample]) -> bool:
    return bool(samples) and all(sample.patient is not None for sample in samples)


def characteristic_title(name: str) -> str:
    """What people read for a covariate of a known name."""
    return _NAMES[_plain(name)]


def _characteristic(
    name: str, units: Mapping[tuple[str, Partition], Sequence[Sample]], told: Callable[[Sample], str]
) -> Characteristic:
    counted: dict[Partition, Counter[str]] = {side: Counter() for side in Partition}
    values: dict[str, str] = {}
    for (_, side), images in units.items():
        known = {told(sample) for sample in images} - {""}
        value = SEVERAL if len(known) > 1 else next(iter(known), NOT_RECORDED)
        counted[side][value] += 1
        values |= {sample.id: value for sample in images}
    everything = sum(counted.values(), Counter[str]())
    last = (SEVERAL, NOT_RECORDED)
    by_name = characteristic_title(name).startswith("Age")
    order = sorted(
        everything, key=lambda value: (value in last, _first_number(value) if by_name else -everything[value], value)
    )
    return Characteristic(values, tuple(order), counted)


def recorded(samples: Sequence[Sample]) -> list[str]:
    """The covariates of known names that these samples have, as they are listed."""
    names = sorted({name for sample in samples for name in sample.covariates if _plain(name) in _NAMES})
    return sorted(names, key=lambda name: list(_NAMES).index(_plain(name)))


def suppressed(counts: Sequence[int], also: Collection[int] = ()) -> list[str]:
    """The counts of one column as they may be told, where their sum is known.

    Counts of 1 … 4 are hidden, and those at the places ``also``. Where the hidden ones could be had from the sum (a
    single one, or several that together are below 5), the smallest other counts are hidden as well; zeros are told.
    """
    small = {place for place, number in enumerate(counts) if 0 < number < SMALLEST}
    hidden = small | set(also)
    while hidden and (len(hidden) == 1 or sum(counts[place] for place in hidden) < SMALLEST):
        others = [place for place, number in enumerate(counts) if number and place not in hidden]
        if not others:
            break
        hidden.add(min(others, key=lambda place: counts[place]))
    return [
        FEW if place in small else WITHHELD if place in hidden else f"{number:,}" for place, number in enumerate(counts)
    ]


def count_told(number: int, of: int | None = None) -> str:
    """One count as it may be told; with ``of``, also hidden where what it leaves of that is 1 … 4."""
    if 0 < number < SMALLEST:
        return FEW
    return WITHHELD if of is not None and 0 < of - number < SMALLEST else f"{number:,}"


def balance(dataset: Dataset, split: Split) -> list[Block]:
    """Images of each class by partition. A class with a hidden cell does not tell its sum either."""
    sides = {item.sample: item.partition for item in split.assignments}
    sizes = split.sizes
    used = [side for side in Partition if sizes[side.value]]
    counted = Counter(
        (number, sides[sample.id])
        for sample in dataset.samples
        if sample.id in sides
        for number in classes_of(sample, dataset)
    )
    columns = [suppressed([counted[number, side] for number in range(len(dataset.classes))]) for side in used]
    rows = []
    for number, name in enumerate(dataset.classes):
        cells = [column[number] for column in columns]
        total = sum(counted[number, side] for side in used)
        rows.append((name, *cells, WITHHELD if {FEW, WITHHELD} & set(cells) else f"{total:,}"))
    totals = suppressed([sizes[side.value] for side in used])
    rows.append(("all images", *totals, f"{len(split.assignments):,}"))
    header = ("Class", *(side.value for side in used), "total")
    table = Table(f"{BALANCE}.", header, tuple(rows), tuple(range(1, len(header))))
    is_hidden = any(cell in (FEW, WITHHELD) for row in rows for cell in row[1:])
    return [table, *([Paragraph(NOTE, "small")] if is_hidden else [])]


def classes_of(sample: Sample, dataset: Dataset) -> list[int]:
    """Indices of the classes that an image is counted in: of findings all that it has."""
    if dataset.task is Task.MULTILABEL:
        return [number for number, value in enumerate(sample.target) if value == 1]
    return list(sample.target[:1])


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _first_number(value: str) -> int:
    found = re.match(r"\d+", value)
    return int(found[0]) if found else 999

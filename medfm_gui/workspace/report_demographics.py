"""Who is in each partition, and how the classes lie in them, with small cells suppressed.

Counted are patients where all are known, else images. No date and no free text is told: only covariates of known
names, ages by twenty years with one open group at the top.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence

from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.report import Block, Paragraph, Table
from medfm_gui.domain.split import Partition, Split
from medfm_gui.workspace.subgrouping import SEVERAL, grouping

SMALLEST = 5
"""Counts from 1 up to below this are not told, nor what would give them away."""
FEW = f"< {SMALLEST}"
WITHHELD = "not shown"
NOT_RECORDED = "not recorded"
_NOTE = f"Counts of 1 to {SMALLEST - 1} are told as “{FEW}”, and counts that would give them away are {WITHHELD}."
_NAMES = {
    "sex": "Sex", "gender": "Gender", "patientsex": "Sex",
    "age": "Age (years)", "patientage": "Age (years)", "ageapprox": "Age (years)", "ageatstudy": "Age (years)",
    "ageyears": "Age (years)",
    "ethnicity": "Ethnicity", "race": "Race", "skintype": "Skin type", "fitzpatrick": "Skin type",
    "laterality": "Laterality", "view": "View", "viewposition": "View", "modality": "Modality", "density": "Density",
    "manufacturer": "Manufacturer", "scanner": "Scanner", "site": "Site", "hospital": "Hospital",
}  # fmt: skip


def demographics(dataset: Dataset, split: Split) -> list[Block]:
    """Characteristics by partition; empty where no covariate of a known name is recorded."""
    sides = {item.sample: item.partition for item in split.assignments}
    samples = [sample for sample in dataset.samples if sample.id in sides]
    by_patient = bool(samples) and all(sample.patient is not None for sample in samples)
    units: defaultdict[tuple[str, Partition], list[Sample]] = defaultdict(list)
    for sample in samples:
        units[(sample.patient or "") if by_patient else sample.id, sides[sample.id]].append(sample)
    used = [side for side in Partition if any(where is side for _, where in units)]
    names = recorded(samples)
    if not names:
        return []
    noun = "patients" if by_patient else "images"
    totals = [sum(where is side for _, where in units) for side in used]
    rows = [(f"All {noun}", "", *suppressed(totals))]
    for name in names:
        rows += _section(name, units, used, grouping(name, samples))
    columns = tuple(range(2, 2 + len(used)))
    header = ("Characteristic", "Value", *(side.value for side in used))
    table = Table(f"Characteristics by partition, {noun}.", header, tuple(rows), columns)
    return [table, Paragraph(_NOTE, "small")]


def recorded(samples: Sequence[Sample]) -> list[str]:
    """The covariates of known names that these samples have, as they are listed."""
    names = sorted({name for sample in samples for name in sample.covariates if _plain(name) in _NAMES})
    return sorted(names, key=lambda name: list(_NAMES).index(_plain(name)))


def _section(
    name: str,
    units: dict[tuple[str, Partition], list[Sample]],
    used: Sequence[Partition],
    told: Callable[[Sample], str],
) -> list[tuple[str, ...]]:
    counted: dict[Partition, Counter[str]] = {side: Counter() for side in used}
    for (_, side), images in units.items():
        values = {told(sample) for sample in images} - {""}
        counted[side][SEVERAL if len(values) > 1 else next(iter(values), NOT_RECORDED)] += 1
    everything = sum(counted.values(), Counter[str]())
    last = (SEVERAL, NOT_RECORDED)
    title = _NAMES[_plain(name)]
    by_name = title.startswith("Age")
    order = sorted(
        everything, key=lambda value: (value in last, _first_number(value) if by_name else -everything[value], value)
    )
    cells = [suppressed([counted[side][value] for value in order]) for side in used]
    return [
        (title if place == 0 else "", value, *(column[place] for column in cells)) for place, value in enumerate(order)
    ]


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
        for number in _classes_of(sample, dataset)
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
    table = Table("Images of each class by partition.", header, tuple(rows), tuple(range(1, len(header))))
    is_hidden = any(cell in (FEW, WITHHELD) for row in rows for cell in row[1:])
    return [table, *([Paragraph(_NOTE, "small")] if is_hidden else [])]


def _classes_of(sample: Sample, dataset: Dataset) -> list[int]:
    if dataset.task is Task.MULTILABEL:
        return [number for number, value in enumerate(sample.target) if value == 1]
    return list(sample.target[:1])


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _first_number(value: str) -> int:
    found = re.match(r"\d+", value)
    return int(found[0]) if found else 999

"""``split.csv`` of a report: every image by its new name, with what the counts of the sections are made of.

Beside its partition an image has the number of its patient, its target, which others have the same pixels, and what
its unit counts as in the characteristics. What a table of the report does not tell, because few have it, is not told
here either. Targets of tested images stand with their predictions.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from medfm_gui.domain.dataset import UNKNOWN, Dataset, Sample, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.split import Partition, Split
from medfm_gui.workspace.report_demographics import FEW, WITHHELD, characteristics, suppressed
from medfm_gui.workspace.report_names import ReportNames, patient_numbers
from medfm_gui.workspace.spreadsheet import guarded

SPLIT = "split.csv"
_FIRST = ["sample", "partition", "pixels_sha256"]
_COUNTS = [*_FIRST, "patient", "target", "same_pixels"]
_SIDES = frozenset({"", *(side.value for side in Partition)})
_UNTOLD = "?"


@dataclass(frozen=True, slots=True)
class SplitRow:
    """An image; empty ``partition``: it is in none. An empty ``target`` is not told, or is that of a tested image."""

    sample: str
    partition: str
    pixels: str
    patient: str = ""
    target: tuple[int, ...] = ()
    same: str = ""
    covariates: Mapping[str, str] = field(default_factory=dict)


def split_text(dataset: Dataset, split: Split, names: ReportNames, tested: Sequence[str]) -> str:
    """The rows in the order of the new names, which says nothing of the order of the images.

    The hash of its pixels stands beside a tested image alone: it is what the hash of the test images is made of, and
    would let others find an image again.

    Args:
        tested: the test images in the order of the predictions, by which patients are numbered.
    """
    sides = {item.sample: item.partition for item in split.assignments}
    order = sorted(dataset.samples, key=lambda sample: names.sample(sample.id))
    by_id = {sample.id: sample for sample in dataset.samples}
    numbers = _patients([by_id[name] for name in tested], order)
    same = _same_pixels(order, sides)
    targets = _targets(dataset, sides)
    columns = _covariates(dataset, split)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COUNTS, *map(guarded, columns)])
    for sample in order:
        side = sides.get(sample.id)
        writer.writerow(
            [
                names.sample(sample.id),
                side.value if side is not None else "",
                sample.pixels_sha256 if side is Partition.TEST else "",
                numbers[sample.patient] if sample.patient is not None else "",
                targets.get(sample.id, ""),
                same.get(sample.id, ""),
                *(guarded(values.get(sample.id, "")) for values in columns.values()),
            ]
        )
    return text.getvalue()


def _patients(tested: Sequence[Sample], others: Sequence[Sample]) -> dict[str, str]:
    """Numbers as the predictions have them, then those of the others in the order of the new names."""
    first = [sample.patient if sample.patient is not None else f"image {sample.id}" for sample in tested]
    return patient_numbers([*first, *(sample.patient for sample in others if sample.patient is not None)])


def _same_pixels(order: Sequence[Sample], sides: Mapping[str, Partition]) -> dict[str, str]:
    """A number for every set of two or more divided images with the same pixels."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for sample in order:
        if sample.pixels_sha256 and sample.id in sides:
            alike[sample.pixels_sha256].append(sample.id)
    sets = (found for found in alike.values() if len(found) > 1)
    return {name: f"S{number}" for number, found in enumerate(sets, 1) for name in found}


def _targets(dataset: Dataset, sides: Mapping[str, Partition]) -> dict[str, str]:
    """Targets of divided images that are not tested; those of classes that few have on a side are not told."""
    several = dataset.task is Task.MULTILABEL
    counted: Counter[tuple[int, Partition]] = Counter()
    for sample in dataset.samples:
        if sample.id in sides:
            marked = [at for at, value in enumerate(sample.target) if value == 1] if several else sample.target[:1]
            counted.update((number, sides[sample.id]) for number in marked)
    hidden = set()
    for side in Partition:
        cells = suppressed([counted[number, side] for number in range(len(dataset.classes))])
        hidden |= {(number, side) for number, cell in enumerate(cells) if cell in (FEW, WITHHELD)}
    found = {}
    for sample in dataset.samples:
        side = sides.get(sample.id, Partition.TEST)
        if side is Partition.TEST:
            continue
        places = range(len(sample.target)) if several else sample.target[:1]
        told = (
            _UNTOLD if (at, side) in hidden else str(value) for at, value in zip(places, sample.target, strict=True)
        )
        found[sample.id] = "|".join(told)
    return found


def _covariates(dataset: Dataset, split: Split) -> dict[str, dict[str, str]]:
    """Of every characteristic what the unit of each divided image counts as; cells that are not told are not."""
    sides = {item.sample: item.partition for item in split.assignments}
    found: dict[str, dict[str, str]] = {}
    for name, one in characteristics(dataset, split).items():
        hidden = set()
        for side, counted in one.counted.items():
            cells = suppressed([counted[value] for value in one.order])
            hidden |= {(side, value) for value, cell in zip(one.order, cells, strict=True) if cell in (FEW, WITHHELD)}
        found[name] = {
            sample: WITHHELD if (sides[sample], value) in hidden else value for sample, value in one.values.items()
        }
    return found


def split_rows(text: str) -> tuple[SplitRow, ...]:
    """The rows read back; those of earlier versions have the first three columns alone.

    Raises:
        InputError: it is no such table.
    """
    rows = list(csv.reader(io.StringIO(text)))
    fits = bool(rows) and (rows[0] == _FIRST or rows[0][: len(_COUNTS)] == _COUNTS)
    if not fits or any(len(row) != len(rows[0]) or row[1] not in _SIDES for row in rows[1:]):
        raise InputError(f"The attached {SPLIT} is not a split.", "It was changed; ask for the file again.")
    if rows[0] == _FIRST:
        return tuple(SplitRow(row[0], row[1], row[2]) for row in rows[1:])
    names = rows[0][len(_COUNTS) :]
    return tuple(
        SplitRow(
            sample=row[0],
            partition=row[1],
            pixels=row[2],
            patient=row[3],
            target=_target(row[4]),
            same=row[5],
            covariates={name: value for name, value in zip(names, row[len(_COUNTS) :], strict=True) if value},
        )
        for row in rows[1:]
    )


def _target(text: str) -> tuple[int, ...]:
    """A finding that is not told counts as not assessed, a class that is not told as none."""
    if not text or text == _UNTOLD:
        return ()
    try:
        return tuple(UNKNOWN if part == _UNTOLD else int(part) for part in text.split("|"))
    except ValueError as error:
        raise InputError(
            f"The attached {SPLIT} holds a target that is none ({text[:40]}).",
            "It was changed; ask for the file again.",
        ) from error


def holds_counts(text: str) -> bool:
    """Whether the rows carry what the counts of the sections are made of; those of earlier versions do not."""
    return text.startswith(",".join(_COUNTS))

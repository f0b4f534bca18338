"""Boxes around findings: from a dataset's own columns, or from a table.

Own columns, as shares of the image or in pixels: ``box_xc, box_yc, box_w, box_h`` (centre and size, as YOLO writes
them) or ``x0, y0, x1, y1`` (also ``xmin …``, ``box_x0 …``); ``boxes`` holds several of one image, in pixels:
``x0 y0 x1 y1; x0 y0 x1 y1``. A table has ``sample`` (a sample's id, path or file name)
and ``x0, y0, x1, y1`` in pixels of the image as it lay on disk, one row a box.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from medfm_gui.datasets.table import read_table
from medfm_gui.datasets.text import examples, plain_name, shown, words
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.errors import TableError
from medfm_gui.domain.explain import Box
from medfm_gui.domain.units import counted

_CORNERS = (
    words("x0 y0 x1 y1"),
    words("xmin ymin xmax ymax"),
    words("boxx0 boxy0 boxx1 boxy1"),
    words("boxxmin boxymin boxxmax boxymax"),
)
_CENTRES = (words("boxxc boxyc boxw boxh"), words("xc yc w h"), words("xcenter ycenter width height"))
_SAMPLE_NAMES = words("sample sampleid id path file filename image imagename name")
_SEVERAL = "boxes"
_WHOLE = 1.0


def own_boxes(dataset: Dataset) -> tuple[Box, ...]:
    """The boxes that a dataset's own columns give; none where it has no such columns.

    Numbers that are all at most 1 are shares of the image, others pixels.
    """
    for names, centred in [*((names, True) for names in _CENTRES), *((names, False) for names in _CORNERS)]:
        found = {sample.id: numbers for sample in dataset.samples if (numbers := _numbers(sample.covariates, names))}
        if not found:
            continue
        are_shares = all(number <= _WHOLE for numbers in found.values() for number in numbers)
        samples = {sample.id: sample for sample in dataset.samples}
        made = [_box(samples[one], numbers, centred, are_shares) for one, numbers in found.items()]
        return tuple(box for box in made if box is not None)
    return tuple(box for sample in dataset.samples for box in _listed(sample))


def _listed(sample: Sample) -> list[Box]:
    """The boxes of a cell “x0 y0 x1 y1; x0 y0 x1 y1”; what is no box in it is left out."""
    boxes: list[Box] = []
    for part in sample.covariates.get(_SEVERAL, "").split(";"):
        numbers = [number for word in part.split() if (number := _number(word)) is not None]
        box = _box(sample, numbers, False, False) if len(numbers) == 4 else None
        if box is not None:
            boxes.append(box)
    return boxes


def read_boxes(path: Path, dataset: Dataset) -> tuple[Box, ...]:
    """The boxes of a table.

    Raises:
        TableError: it cannot be read, lacks a column, or a row names no sample or is no box.
    """
    table = read_table(path)
    said = table.recognised(_SAMPLE_NAMES)
    corners = next((found for names in _CORNERS if len(found := table.recognised(names)) == len(names)), [])
    if not said or not corners:
        raise TableError(
            f"“{shown(path.name)}” is no table of boxes: it needs the columns sample, x0, y0, x1 and y1.",
            f"Rename its columns; it has {', '.join(table.columns)}.",
        )
    by_name = _by_name(dataset)
    columns = [table.column(name) for name in (said[0], *corners)]
    boxes: list[Box] = []
    wrong: list[str] = []
    for line, (name, *cells) in zip(table.lines, zip(*columns, strict=True), strict=True):
        numbers = [number for cell in cells if (number := _number(cell)) is not None]
        sample = by_name.get(name)
        box = _box(sample, numbers, False, False) if sample and len(numbers) == len(cells) else None
        if box is None:
            wrong.append(f"line {line}")
        else:
            boxes.append(box)
    if wrong:
        raise TableError(
            f"“{shown(path.name)}”: {counted(len(wrong), 'row')} name no sample of “{dataset.id}” or hold no box "
            f"inside its image ({examples(wrong)}).",
            "Name samples by id, path or file name, and corners in pixels of the image, x0 < x1 and y0 < y1.",
        )
    return tuple(boxes)


def _by_name(dataset: Dataset) -> dict[str, Sample]:
    """Samples by id, by path, and by file name where only one has it."""
    named: dict[str, Sample] = {}
    twice: set[str] = set()
    for sample in dataset.samples:
        name = sample.path.rpartition("/")[2]
        if name in named:
            twice.add(name)
        named[name] = sample
    kept = {name: sample for name, sample in named.items() if name not in twice}
    return (
        kept | {sample.path: sample for sample in dataset.samples} | {sample.id: sample for sample in dataset.samples}
    )


def _numbers(covariates: Mapping[str, str], names: Sequence[str]) -> list[float] | None:
    cells = {plain_name(name): cell for name, cell in covariates.items()}
    numbers = [number for name in names if (number := _number(cells.get(plain_name(name), ""))) is not None]
    return numbers if len(numbers) == len(names) else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _box(sample: Sample, numbers: Sequence[float], centred: bool, are_shares: bool) -> Box | None:
    """The part of a box that lies in the image; None if there is no such part."""
    x0, y0, x1, y1 = numbers
    if centred:
        x0, y0, x1, y1 = x0 - x1 / 2, y0 - y1 / 2, x0 + x1 / 2, y0 + y1 / 2
    if not are_shares:
        if sample.rows < 1 or sample.columns < 1:
            return None
        x0, x1, y0, y1 = x0 / sample.columns, x1 / sample.columns, y0 / sample.rows, y1 / sample.rows
    x0, y0, x1, y1 = (min(max(number, 0.0), _WHOLE) for number in (x0, y0, x1, y1))
    return Box(sample.id, x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None

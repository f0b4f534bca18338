"""A split as a table that other programs read, and back: sample, path, partition, group."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.split import Split

COLUMNS = ("sample", "path", "partition", "group")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝")


def split_table(dataset: Dataset, split: Split) -> str:
    """The table as text, a row a sample of the split in the dataset's order.

    Read back with ``split --file`` it gives a split of the same fingerprint. Groups are numbers without meaning
    elsewhere; no patient is named, but a path is as it lies on disk.
    """
    place = {
        sample.id: sample.path if sample.frame is None else f"{sample.path}#{sample.frame}"
        for sample in dataset.samples
    }
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item in split.assignments:
        writer.writerow((item.sample, _plain(place.get(item.sample, "")), item.partition.value, item.group))
    return out.getvalue()


def _plain(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_split_table(path: Path, dataset: Dataset, split: Split) -> str:
    """Write the table; returns its SHA-256.

    Raises:
        DiskFull, InputError: the folder cannot take it.
    """
    return atomic_write(path, split_table(dataset, split))

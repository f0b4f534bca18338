"""What an importer hands on: which pictures there are, what is said of each, and what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from medfm_gui.domain.dataset import Count, Skipped, Statement, Task
from medfm_gui.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a person may say about a source; everything left empty is recognised and then told in ``taken``.

    ``labels`` names one column of classes, or several columns of 0 and 1; ``path``, ``patient``, ``group`` and
    ``fold`` name columns; ``images`` is the folder the table's paths start from. ``table`` is the label table of
    a DICOM tree and ``join`` its column that names the object. ``task`` is a ``Task`` by name, ``positive`` a class.
    ``policies`` chooses among a layout's label policies by name, ``preset`` takes those of a study (``study-a``).
    """

    labels: tuple[str, ...] = ()
    path: str = ""
    patient: str = ""
    group: str = ""
    fold: str = ""
    images: Path | None = None
    table: Path | None = None
    join: str = ""
    task: str = ""
    positive: str = ""
    policies: Mapping[str, str] = field(default_factory=dict)
    preset: str = ""

    def __post_init__(self) -> None:
        if self.task and self.task not in set(Task):
            raise UsageError(f"There is no task “{self.task}”.", f"Use {', '.join(Task)}.")


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture before it is decoded.

    ``path`` is what is shown and kept: relative to ``Listing.root``, with ``/``, printable. ``file`` is what is
    opened (empty for a picture inside an archive). ``labels`` are the raw cells, one for each of
    ``Listing.label_names``.
    """

    path: str
    file: str
    labels: tuple[str, ...]
    frame: int | None = None
    patient: str | None = None
    group: str | None = None
    fold: str | None = None
    covariates: Mapping[str, str] = field(default_factory=dict)
    masks: tuple[str, ...] = ()
    """Files of the label images of a segmentation, as ``file``."""


Picture = tuple[str, int, NDArray[Any]]
"""Path and frame of an entry, and its pixels: H×W or H×W×3, uint8 or uint16."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All pictures of a source.

    ``classes`` fixes names and order of the classes where the layout knows them; ``task`` likewise.
    ``pictures`` streams the pixels of a layout whose entries are no files; None = the decode pool reads them.
    ``counts`` compares with the published numbers, ``statement`` says what is known of the dataset, and ``policies``
    which label policies were applied: None = all that were chosen, fewer where some mean nothing for this source.
    """

    layout: str
    root: Path
    entries: tuple[Entry, ...]
    label_names: tuple[str, ...] = ("label",)
    classes: tuple[str, ...] = ()
    task: Task | None = None
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)
    pictures: Callable[[], Iterator[Picture]] | None = None
    counts: tuple[Count, ...] = ()
    policies: Mapping[str, str] | None = None
    statement: Statement = field(default_factory=Statement)

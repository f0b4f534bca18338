"""CheXpert: full, small, in batches, and the test set that CheXlocalize brings.

A cell “Path” begins with the release's name (``CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg``), and
the folders on disk are called otherwise (``CheXpert-v1.0 batch 2 (train 1)/patient00001/…``). The last three parts name
an image in every one of them, for patient numbers are not used twice; so images are found by these.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from medfm_gui.datasets.importers.chexpert_labels import FIVE, LABELS, POLICIES, PRESETS, Marks, column_of
from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.published import Gathering, Images, find_file, header, home, images_below
from medfm_gui.datasets.table import Table, read_table
from medfm_gui.datasets.text import plain_name, shown
from medfm_gui.datasets.walk import without_image_suffix
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted

TABLES: Mapping[str, str] = {
    "train.csv": "train",
    "valid.csv": "val",
    "val.csv": "val",
    "val_labels.csv": "val",
    "test.csv": "test",
    "test_labels.csv": "test",
    "groundtruth.csv": "test",
}
"""The tables of the releases and the side that each describes; an image that two describe goes by the first."""
_PLACE = re.compile(r"(patient\d+)/(study\d+)(?:/(view\d+_(frontal|lateral)))?$", re.IGNORECASE)
_FIVE = tuple(map(LABELS.index, FIVE))
_ENOUGH = 10
STATEMENT = Statement(
    unit="image; a patient has several studies, a study several views",
    sampling="unknown",
    reference_standard="train: findings drawn from the report by a rule-based labeller; valid and test: consensus of "
    "radiologists who looked at the images",
    codes={
        "Cardiomegaly": "SCT 8186001",
        "Edema": "SCT 19242006",
        "Pneumonia": "SCT 233604007",
        "Atelectasis": "SCT 46621007",
        "Pneumothorax": "SCT 36118008",
        "Pleural Effusion": "SCT 60046008",
    },
    licence="Stanford University Dataset Research Use Agreement",
    redistribution=False,
    source="https://stanfordmlgroup.github.io/competitions/chexpert/",
)


def recognises(source: Path) -> str | None:
    """A table with CheXpert's findings, at most two folders down."""
    found = next(_tables(source), None)
    return f"“{shown(found.name)}” has the findings of CheXpert" if found else None


def _tables(source: Path) -> Iterator[Path]:
    """The tables that there are, in the order in which they count."""
    if find_file(source, *TABLES) is None:  # one look instead of seven for whatever is no CheXpert
        return
    for name in TABLES:
        path = find_file(source, name)
        if path is not None and _has_findings(path):
            yield path


def _has_findings(path: Path) -> bool:
    """Whether the first line names a path or a study and most of the findings."""
    names = header(path)
    return bool(names & {"path", "study"}) and sum(plain_name(label) in names for label in LABELS) >= _ENOUGH


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the images of all tables that there are, with the labels that the policies make of the cells.

    Raises:
        InputError: there is no such table, or a folder cannot be read.
        TableError: a table is broken.
    """
    tables = list(_tables(source))
    if not tables:
        raise InputError(
            f"“{shown(source.name)}” holds no table of CheXpert ({', '.join(TABLES)}).",
            "Name the folder into which the release was unpacked; of a release in batches, the folder above them.",
        )
    images = images_below(home(source))
    release = _Release(images, Gathering(images), Marks.of(options.policies), options.policies["views"])
    warnings: list[str] = []
    for path in tables:
        table = read_table(path)
        warnings += table.warnings
        release.add(table, TABLES[path.name.casefold()])
    return Listing(
        "chexpert",
        images.root,
        tuple(release.gathering.entries),
        label_names=release.marks.names,
        task=Task.MULTILABEL,
        skipped=(*release.gathering.skipped, *images.skipped),
        warnings=(*warnings, *release.remarks()),
        taken={
            "tables": ", ".join(shown(path.name) for path in tables),
            "patient": "the folder patient#####",
            "group": "the study",
            "fold": "train, valid (as val) and test, as the tables are called",
            "views": {"all": "frontal and lateral"}.get(release.views, f"{release.views} only"),
        },
        counts=tuple(release.counts()),
        policies=options.policies,
        statement=STATEMENT,
    )


def _place(said: str) -> re.Match[str] | None:
    """Patient, study and, if it is said, the image at the end of a path."""
    return _PLACE.search(without_image_suffix(said.replace("\\", "/")))


@dataclass(slots=True)
class _Tally:
    """What was counted of one side, before any policy."""

    rows: int = 0
    found: int = 0
    frontal: int = 0
    patients: set[str] = field(default_factory=set)
    unsure_of_five: int = 0
    without_positive: int = 0


@dataclass(slots=True)
class _Release:
    """The images of a release, and what its tables say of them."""

    images: Images
    gathering: Gathering
    marks: Marks
    views: str
    tallies: dict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    torn: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    doubled: int = 0
    _by_place: dict[str, str] = field(default_factory=dict)
    _by_study: dict[str, list[str]] = field(default_factory=dict)
    _labels: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.images.files:
            match = _place(name)
            if match and match[3]:
                self._by_place[match[0].casefold()] = name
                self._by_study.setdefault(f"{match[1]}/{match[2]}".casefold(), []).append(name)

    def add(self, table: Table, side: str) -> None:
        """Take the images of one table."""
        names = [plain_name(name) for name in table.columns]
        where = names.index("path" if "path" in names else "study")
        columns = [column_of(names, label) for label in LABELS]
        facts = [(key, names.index(name)) for key, name in _FACTS.items() if name in names]
        tally = self.tallies[side]
        for row in table.rows:
            cells = tuple(row[column] if column >= 0 else "" for column in columns)
            known = {key: row[column] for key, column in facts}
            for said, name, place in self._meant(row[where]):
                self._take(said, name, place, cells, known, side, tally)

    def _meant(self, said: str) -> Iterator[tuple[str, str | None, re.Match[str]]]:
        """What a cell names, the file that it is, and where it says that it lies: one image, or all of a study."""
        place = _place(said)
        if place is None:
            self.strange.append(said)
        elif place[3]:
            yield said, self._by_place.get(place[0].casefold()), place
        else:
            names = self._by_study.get(place[0].casefold(), [])
            yield from ((name, name, found) for name in names if (found := _place(name)))
            if not names:
                yield said, None, place

    def _take(
        self,
        said: str,
        name: str | None,
        place: re.Match[str],
        cells: tuple[str, ...],
        known: dict[str, str],
        side: str,
        tally: _Tally,
    ) -> None:
        if name is not None and name in self.gathering.named:
            self.doubled += 1
            if self._labels.get(name) not in (None, cells):
                self.torn.append(name)
            return
        patient = place[1].lower()
        view = (place[4] or "").lower()
        tally.rows += 1
        tally.patients.add(patient)
        tally.frontal += view == "frontal"
        tally.unsure_of_five += view == "frontal" and any(cells[position].startswith("-1") for position in _FIVE)
        tally.without_positive += not any(cell.startswith("1") for cell in cells)
        if name is None:
            self.gathering.skip(said, "missing_image", "The release names this image, and it is not in the folder.")
            return
        tally.found += 1
        if side != "train":
            self._labels[name] = cells  # the labels that a second table may contradict
        if self.views not in ("all", view):
            self.gathering.leave(name, "policy", f"Only {self.views} images are taken (policy views).")
            return
        group = f"{patient}/{place[2].lower()}"
        facts = {**known, "view": view}
        self.gathering.take(name, self.marks.made(cells), patient=patient, group=group, fold=side, covariates=facts)

    def remarks(self) -> list[str]:
        """Warnings on what did not fit."""
        said = list(self.gathering.remarks())
        if self.doubled:
            said.append(f"{counted(self.doubled, 'image')} stand in two tables; the first counts.")
        if self.torn:
            said.append(f"{counted(len(self.torn), 'image')} have other labels in a second table; the first counts.")
        if self.strange:
            said.append(f"{counted(len(self.strange), 'row')} name no patient, study and view, and were left out.")
        if self.gathering.skipped and not self.gathering.entries:
            said.append("Of a release in batches, name the folder above the batches.")
        return said

    def counts(self) -> Iterator[Count]:
        """The numbers that are known of the sides that are there."""
        if "train" in self.tallies:
            train = self.tallies["train"]
            yield Count("rows in train.csv", train.rows, 223_414, "data")
            yield Count("training images", train.found, 223_414, "data")
            yield Count("training patients", len(train.patients), 64_540, "data")
            yield Count("frontal training rows", train.frontal, 191_027, "data")
            yield Count("frontal training rows uncertain in one of five findings", train.unsure_of_five, 55_533, "data")
            yield Count("training rows without a positive finding", train.without_positive, 11_141, "data")
        if "val" in self.tallies:
            yield Count("validation images", self.tallies["val"].found, 234, "data")
            yield Count("frontal validation rows", self.tallies["val"].frontal, 202, "data")
        if "test" in self.tallies:
            yield Count("test images", self.tallies["test"].found, 668, "data")
            yield Count("frontal test rows", self.tallies["test"].frontal, 518, "data")


_FACTS = {"sex": "sex", "age": "age", "projection": "appa"}

LAYOUT = Layout(
    "chexpert",
    "CheXpert (full, small, batches, official test)",
    "multilabel",
    recognises,
    read,
    POLICIES,
    PRESETS,
)

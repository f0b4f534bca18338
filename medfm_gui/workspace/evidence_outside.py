"""The files of a report that carry its tests on other datasets: their facts, and the predictions sample by sample.

Samples bear new names and patients numbers; the value of a site stands beside an image where enough images have it.
The hash of its pixels stands there too: it is what the hash of the tested images is made of.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.report import Attachment
from medfm_gui.domain.run import FileRef
from medfm_gui.workspace import data
from medfm_gui.workspace.elsewhere import joined_scores, mapped_dataset, sites_of
from medfm_gui.workspace.evidence_units import unit_columns, units_of_columns
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.report_demographics import WITHHELD
from medfm_gui.workspace.report_names import ReportNames, patient_numbers
from medfm_gui.workspace.report_outside import OutsideTest
from medfm_gui.workspace.scores import read_scores
from medfm_gui.workspace.spreadsheet import guarded
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored

OUTSIDE = "external-tests.json"
_FIRST = ["sample", "patient", "site", "target", "pixels_sha256"]


@dataclass(frozen=True, slots=True, eq=False)
class OutsideScores:
    """Attached predictions on another dataset, the site of each sample (where its run was parted), pixel hashes."""

    joined: Scored
    sites: Mapping[str, str]
    pixels: Sequence[str]


def outside_files(
    workspace: Workspace, tests: Sequence[OutsideTest], views: Mapping[str, RunView], names: ReportNames
) -> list[Attachment]:
    """The facts of all tests, and a table for each whose predictions travel."""
    if not tests:
        return []
    told = [replace(one, file=replace(one.file, predictions=_bare(one.file.predictions))) for one in tests]
    text = json.dumps([wire.plain(one) for one in told], indent=1)
    made = [Attachment(OUTSIDE, text, "Tests on other datasets: label map, sites, every number")]
    for one in tests:
        if one.table:
            text = _table(workspace, one, views[one.file.run], names)
            what = f"Predictions of {one.file.run} on {one.file.dataset}"
            made.append(Attachment(one.table, text, what, "text/csv"))
    return made


def _bare(file: FileRef) -> FileRef:
    return FileRef("", file.sha256)


def _table(workspace: Workspace, one: OutsideTest, view: RunView, names: ReportNames) -> str:
    theirs = data.read(workspace, one.file.dataset)
    mapped, _, _ = mapped_dataset(theirs, view, one.file.labels)
    joined = joined_scores(mapped, *read_scores(Path(one.file.predictions.path)))
    sites = _told(sites_of(mapped, one.file.by), one) if one.file.by else {}
    pixels = {sample.id: sample.pixels_sha256 for sample in mapped.samples}
    knows = joined.patients is not None
    who = [name or f"image {sample}" for name, sample in zip(joined.patients or joined.samples, joined.samples,
                                                             strict=True)]  # fmt: skip
    numbers = patient_numbers(who) if knows else dict.fromkeys(who, "")
    targets = joined.targets if joined.targets.ndim > 1 else joined.targets[:, None]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    groups = unit_columns(joined.groups, (one.unit,))
    writer.writerow([*_FIRST, *map(guarded, one.classes), *groups])
    for place, sample in enumerate(joined.samples):
        row = (
            names.sample(f"{one.file.dataset}/{sample}"), numbers[who[place]], guarded(sites.get(sample, "")),
            "|".join(str(int(value)) for value in targets[place]), pixels[sample],
        )  # fmt: skip
        writer.writerow(
            [*row, *(f"{value:.9g}" for value in joined.scores[place].tolist()), *(of[place] for of in groups.values())]
        )
    return text.getvalue()


def _told(sites: Mapping[str, str], one: OutsideTest) -> dict[str, str]:
    """The site of each sample, of the sites that have numbers of their own; the small ones are one."""
    large = {row.parameters.get("site", "") for row in one.file.evaluations}
    return {name: site if site in large else WITHHELD for name, site in sites.items()}


def read_outside(files: Mapping[str, bytes]) -> tuple[OutsideTest, ...]:
    """The attached facts of tests on other datasets; none of reports of earlier versions.

    Raises:
        InputError: the file is not what its name says, or a table that it names is missing.
    """
    if OUTSIDE not in files:
        return ()
    found = wire.decode(tuple[OutsideTest, ...], files[OUTSIDE], what=f"The attached {OUTSIDE}")
    lost = [one.table for one in found if one.table and one.table not in files]
    if lost:
        raise InputError(f"The report does not carry {', '.join(lost)}.", "Ask for the whole file.")
    return found


def outside_scores(one: OutsideTest, text: str) -> OutsideScores:
    """The attached predictions of a test.

    Raises:
        InputError: the table is not what was written.
    """
    from medfm_gui.metrics.scored import Scored

    rows = list(csv.reader(io.StringIO(text)))
    head = [*_FIRST, *map(guarded, one.classes)]
    units = units_of_columns(rows[0][len(head) :]) if rows else ()
    if units is None or not rows or rows[0][: len(head)] != head or any(len(row) != len(rows[0]) for row in rows):
        raise InputError(
            f"The attached {one.table} is no table of predictions.", "It was changed; ask for the file again."
        )
    try:
        targets = np.array([[int(part) for part in row[3].split("|")] for row in rows[1:]], np.int64)
        scores = np.array([[float(value) for value in row[5 : len(head)]] for row in rows[1:]], np.float32)
        joined = Scored(
            samples=tuple(row[0] for row in rows[1:]),
            targets=targets if one.task is Task.MULTILABEL else targets[:, 0],
            scores=scores.astype(np.float64),
            patients=None if one.n_patients is None else tuple(row[1] for row in rows[1:]),
            task=one.task,
            classes=one.classes,
            positive=one.positive,
            groups={unit: tuple(row[len(head) + at] for row in rows[1:]) for at, unit in enumerate(units)},
        )
    except (ValueError, IndexError) as error:
        raise InputError(
            f"The attached {one.table} holds what is no number ({error}).", "It was changed; ask for the file again."
        ) from error
    return OutsideScores(joined, {row[0]: row[2] for row in rows[1:]}, [row[4] for row in rows[1:]])

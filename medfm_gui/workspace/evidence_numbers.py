"""The files of a report that carry what stands beside its results, so that this can be computed again as well.

Calibration and net benefit, results without flagged images, subgroups with the value of every tested image (values of
small groups are not told), and every sentence and table as it was printed.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Attachment, Charts, Facts, Paragraph, Pictures, Section, Table
from medfm_gui.workspace.report_demographics import FEW, WITHHELD, suppressed
from medfm_gui.workspace.report_facts import ReportFacts
from medfm_gui.workspace.report_numbers import ReportNumbers, Values
from medfm_gui.workspace.report_subgroups import subgroup_rows
from medfm_gui.workspace.spreadsheet import guarded
from medfm_gui.workspace.subgrouping import Interaction, SubgroupFile
from medfm_gui.workspace.usefulness import sampling_in

USEFULNESS, WITHOUT, SUBGROUPS, VALUES = "usefulness.json", "without-flagged.json", "subgroups.json", "covariates.csv"
CONTENTS, CLASS_SETS = "contents.json", "class-sets.json"


@dataclass(frozen=True, slots=True)
class Usefulness:
    """Calibration rows, whether the data's own share of events counted, and net benefit between two thresholds."""

    own_share: bool
    rows: tuple[Evaluation, ...]
    low: float | None = None
    high: float | None = None
    prevalence: float | None = None
    charts: tuple[ChartSpec, ...] = ()
    withheld: str = ""
    distorted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Without:
    """The results of a run without the images that the leak gate flagged, by the names of this report."""

    run: str
    flagged: tuple[str, ...]
    rows: tuple[Evaluation, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Numbers of runs by the values of a covariate, of those values whose counts are told."""

    covariate: str
    runs: tuple[str, ...]
    rows: tuple[Evaluation, ...]
    interactions: tuple[Interaction, ...] = ()


@dataclass(frozen=True, slots=True)
class Printed:
    """A section as it was printed: its heading, its sentences, its names with values, its tables."""

    title: str
    sentences: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """All that was printed but pictures and charts."""

    title: str
    summary: str
    sections: tuple[Printed, ...]
    notice: str = ""


def number_files(facts: ReportFacts, numbers: ReportNumbers) -> list[Attachment]:
    """What the numbers of a report came from, and they themselves."""
    made = []
    if numbers.calibration:
        made.append(_file(USEFULNESS, _usefulness(facts, numbers), "Calibration and net benefit"))
    if any(one.by_class for one in numbers.sets):
        made.append(_file(CLASS_SETS, list(numbers.sets), "Coverage of sets of classes, with their limits"))
    without = [
        Without(test.run, tuple(map(facts.names.sample, test.flagged)), test.without_flagged)
        for test in facts.tests
        if test.without_flagged
    ]
    if without:
        made.append(_file(WITHOUT, without, "Results without flagged images"))
    if numbers.parts.files:
        made.append(_file(SUBGROUPS, [_told(file) for file in numbers.parts.files], "Numbers by covariate"))
    if numbers.values:
        text = _values(facts, numbers.values)
        made.append(Attachment(VALUES, text, "Covariates of the tested images; small groups not told", "text/csv"))
    return made


def _file(name: str, value: object, description: str) -> Attachment:
    plain = [wire.plain(one) for one in value] if isinstance(value, list) else wire.plain(value)
    return Attachment(name, json.dumps(plain, indent=1), description)


def _usefulness(facts: ReportFacts, numbers: ReportNumbers) -> Usefulness:
    stated = sampling_in(facts.statement)
    told = numbers.useful
    if told is None:
        share = None if stated.is_consecutive else stated.prevalence
        return Usefulness(stated.is_consecutive, numbers.calibration, prevalence=share)
    own_share = told.sampling.is_consecutive and told.prevalence is None
    return Usefulness(
        own_share, told.rows, told.low, told.high, told.prevalence, told.charts, told.withheld, told.distorted
    )


def _told(file: SubgroupFile) -> Told:
    hidden = {(row[0], row[1]) for row in subgroup_rows(file) if {FEW, WITHHELD} & set(row[2:4])}
    rows = tuple(row for row in file.rows if (row.label, row.run) not in hidden)
    return Told(file.covariate, file.runs, rows, file.interactions)


def _values(facts: ReportFacts, values: Values) -> str:
    """One row an image in the order of its new name; what few images have is not told."""
    columns = {name: _grouped(told) for name, told in values.items()}
    names = sorted((facts.names.sample(name), name) for name in facts.found.runs[0].images.samples)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sample", *map(guarded, columns)])
    for alias, name in names:
        writer.writerow([alias, *(guarded(told.get(name, "")) for told in columns.values())])
    return text.getvalue()


def _grouped(told: Mapping[str, str]) -> dict[str, str]:
    counted = Counter(told.values())
    order = list(counted)
    hidden = {
        value
        for value, cell in zip(order, suppressed([counted[value] for value in order]), strict=True)
        if cell in (FEW, WITHHELD)
    }
    return {name: WITHHELD if value in hidden else value for name, value in told.items()}


def contents_file(title: str, summary: str, sections: Sequence[Section], notice: str = "") -> Attachment:
    """What is printed, as a file."""
    contents = Contents(title, summary, tuple(_printed(section) for section in sections), notice)
    return _file(CONTENTS, contents, "Every sentence and table as printed")


def _printed(section: Section) -> Printed:
    blocks = section.blocks
    captions = [f"{chart.title}" for block in blocks if isinstance(block, Charts) for chart in block.charts]
    captions += [one.caption for block in blocks if isinstance(block, Pictures) for one in block.pictures]
    return Printed(
        section.title,
        (*(block.text for block in blocks if isinstance(block, Paragraph)), *captions),
        tuple(row for block in blocks if isinstance(block, Facts) for row in block.rows),
        tuple(block for block in blocks if isinstance(block, Table)),
    )


def values_of(text: str) -> Values:
    """The attached covariates: of each the value of every image.

    Raises:
        InputError: it is no such table.
    """
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or rows[0][:1] != ["sample"] or any(len(row) != len(rows[0]) for row in rows):
        raise InputError(f"The attached {VALUES} is no table of covariates.", "It was changed; ask for the file again.")
    return {name: {row[0]: row[place] for row in rows[1:]} for place, name in enumerate(rows[0][1:], 1)}

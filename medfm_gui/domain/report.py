"""What a report says, before it becomes a PDF. Every text is plain: nothing in it is ever markup."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from medfm_gui.domain.chart import ChartSpec


class Part(StrEnum):
    """A section that a report may have, in the order in which they stand."""

    DATA = "data"
    SPLIT = "split"
    MODELS = "models"
    RESULTS = "results"
    CALIBRATION = "calibration"
    COMPARISON = "comparison"
    FOLDS = "folds"
    EXTERNAL = "external"
    SUBGROUPS = "subgroups"
    LADDER = "ladder"
    CURVES = "curves"
    EXAMPLES = "examples"
    FAILURES = "failures"
    LIMITATIONS = "limitations"
    CARD = "card"
    CHECKLISTS = "checklists"
    PROVENANCE = "provenance"

    @property
    def heading(self) -> str:
        """Its heading."""
        return _TITLES[self]


_TITLES: Final = {
    Part.DATA: "Data",
    Part.SPLIT: "Split and leak gate",
    Part.MODELS: "Models and settings",
    Part.RESULTS: "Results on the sealed test set",
    Part.CALIBRATION: "Calibration and usefulness",
    Part.COMPARISON: "Paired comparison",
    Part.FOLDS: "Cross-validation",
    Part.EXTERNAL: "External tests",
    Part.SUBGROUPS: "Subgroups",
    Part.LADDER: "Adaptation ladder",
    Part.CURVES: "Training",
    Part.EXAMPLES: "Example heat maps (Grad-CAM)",
    Part.FAILURES: "Failure analysis",
    Part.LIMITATIONS: "Limitations",
    Part.CARD: "Model card",
    Part.CHECKLISTS: "Guideline checklists",
    Part.PROVENANCE: "Provenance",
}


OF_SEVERAL: Final = frozenset({Part.COMPARISON, Part.LADDER})
"""Sections that a report of a single run has not."""
ON_OCCASION: Final = frozenset({Part.FOLDS, Part.EXTERNAL})
"""Sections that a report has where there is something to tell: runs of several folds, tests on other datasets."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a report is to hold. An empty title stands for the usual one; without ``attachments`` no files travel in it.

    ``attachments`` None leaves that to what the dataset states: they carry predictions sample by sample, so they are
    left out where it forbids that these are passed on. Pictures of cases are shown where it says so, or where
    a person takes it on themselves (``images_consent``).

    ``purpose`` is the authors' own words, in front of everything. Net benefit is told between the two threshold
    probabilities ``net_benefit``, at ``prevalence`` where one is named. ``subgroups`` are covariates to tell the
    numbers by, beside those that a locked protocol declares. ``class_sets`` tells how often sets of classes held the
    true class, beside calibration; None leaves that to the settings.

    What is left out is named at the end of the report, and the openings of the test set are told in any case.
    """

    title: str = ""
    parts: tuple[Part, ...] = tuple(Part)
    attachments: bool | None = None
    purpose: str = ""
    net_benefit: tuple[float, float] | None = None
    prevalence: float | None = None
    subgroups: tuple[str, ...] = ()
    images_consent: bool = False
    class_sets: bool | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; ``tone`` is ``normal``, ``warning`` or ``small``."""

    text: str
    tone: Literal["normal", "warning", "small"] = "normal"
    block: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, two columns."""

    rows: tuple[tuple[str, str], ...]
    block: Literal["facts"] = "facts"


FlowPlace = Literal["step", "lost", "side"]
"""A box of the trunk, what was left out after the box above it, or one of the boxes side by side at the end. Such a row
has a name, a number of images, and a number of patients or nothing."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header row; ``numeric`` columns are aligned right."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    block: Literal["table"] = "table"
    pages: tuple[str, ...] = ()
    """For every row the title of a section of the same report, or nothing: its page stands in a last column."""
    widths: tuple[float, ...] = ()
    """Shares of the width, one a column; empty: as the words need it."""
    flow: tuple[FlowPlace, ...] = ()
    """For every row its place in a diagram that stands above the table; empty: no diagram. See ``FlowPlace``."""


@dataclass(frozen=True, slots=True)
class Charts:
    """Charts side by side (two a row), each with an alternative text for readers who do not see it."""

    charts: tuple[ChartSpec, ...]
    alternatives: tuple[str, ...]
    block: Literal["charts"] = "charts"


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG file (absolute path) with its caption and alternative text."""

    path: str
    caption: str
    alternative: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures side by side, ``columns`` a row."""

    pictures: tuple[Picture, ...]
    columns: int = 3
    block: Literal["pictures"] = "pictures"


Block = Paragraph | Facts | Table | Charts | Pictures


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the report."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels inside the PDF: its name there, its bytes as text, what it is."""

    name: str
    text: str
    description: str
    mime: str = "application/json"


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. ``notice`` stands on every page."""

    title: str
    subtitle: str
    created: str
    summary: str
    sections: tuple[Section, ...]
    attachments: tuple[Attachment, ...] = ()
    notice: str = "Research use only – not for clinical use"
    version: str = ""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A written PDF, and the runs that it tells of in their order; without them where an earlier version wrote it."""

    path: str
    pages: int
    sha256: str
    runs: tuple[str, ...] = ()

"""Questions about reports: those that were written, one as a PDF, one that is being composed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.report import Outline
from medfm_gui.store.rows import ReportRow


@dataclass(frozen=True, slots=True)
class ReportItem:
    """A written report in a list; ``is_missing`` when its file is not where it was written."""

    row: ReportRow
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class ReportList:
    """Reports, oldest first."""

    reports: tuple[ReportItem, ...]


@dataclass(frozen=True, slots=True)
class ListReports(Ask[ReportList]):
    """All reports of the workspace."""


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """A written report's PDF (``payload``); ``is_changed`` when it is not the file that was written."""

    row: ReportRow
    is_changed: bool = False
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class ReadReport(Ask[ReportDocument]):
    """The PDF of a written report."""

    report: str


@dataclass(frozen=True, slots=True)
class ReportPreview:
    """A report as it would be written now: its PDF (``payload``), pages, and the title it bears.

    ``is_whole`` is False for a first part: the heat maps are not made yet. ``withheld`` says why the dataset allows
    no pictures by itself, empty where it does, and ``holds_files`` whether it forbids attached files too;
    ``covariates`` are those to tell subgroups by.
    """

    title: str
    pages: int
    is_whole: bool = True
    payload: bytes = b""
    withheld: str = ""
    covariates: tuple[str, ...] = ()
    holds_files: bool = False


@dataclass(frozen=True, slots=True)
class PreviewReport(Ask[ReportPreview]):
    """Set a report of these runs and write nothing; the first run is the reference of every comparison."""

    runs: tuple[str, ...]
    outline: Outline = field(default_factory=Outline)


@dataclass(frozen=True, slots=True)
class ReportWritten:
    """A report that was written to ``path``; the workspace keeps the same bytes under ``id``.

    ``beside`` are the files that were written in the same folder.
    """

    id: str
    path: str
    pages: int
    sha256: str
    size_bytes: int
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteReport(Ask[ReportWritten]):
    """Write a report of these runs into the workspace and to ``path``.

    Beside it, under its name, go the results table (``table`` is ``csv`` or ``tex``) and the model card as JSON
    (``card``) where they are wanted; a file that is there already is not replaced.
    """

    runs: tuple[str, ...]
    path: str
    outline: Outline = field(default_factory=Outline)
    table: Literal["", "csv", "tex"] = ""
    card: bool = False


@dataclass(frozen=True, slots=True)
class CopyReport(Ask[ReportWritten]):
    """Write the PDF of a report that exists to ``path`` as well."""

    report: str
    path: str

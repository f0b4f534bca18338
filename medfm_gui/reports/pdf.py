"""A ``Report`` becomes one PDF: tagged for readers who do not see it (PDF/UA-1), kept for the archive (PDF/A-3b).

The order: the report is laid out as plain files in memory (``sheet``), typst sets them by the template in
``resources/report/``, the finished bytes are written at once (``atomic_write``). The template reads data,
never markup, and knows no folder to read from. The same report gives the same bytes.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import typst

from medfm_gui.base.atomic import atomic_write
from medfm_gui.base.resources import resources_folder
from medfm_gui.domain.errors import InternalError, UsageError
from medfm_gui.domain.report import Report, ReportFile
from medfm_gui.reports.lettering import font_folder
from medfm_gui.reports.sheet import created_at, lay_out

_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # the archive's standard demands a date; this one says “unknown”


def write_pdf(report: Report, out: Path) -> ReportFile:
    """Set a report and write it to ``out``; a file that was there is replaced only by a complete one.

    Raises:
        UsageError: ``out`` is a folder.
        DiskFull: there is not enough space; a file that was there is as it was.
        InputError: the folder cannot be written.
        InternalError: the report could not be set.
    """
    if out.is_dir():
        raise UsageError(f"“{out}” is a folder.", "Name a file, e.g. report.pdf.")
    data, pages = typeset(report)
    return ReportFile(path=str(out), pages=pages, sha256=atomic_write(out, data))


def typeset(report: Report) -> tuple[bytes, int]:
    """The PDF's bytes and its number of pages.

    Raises:
        InternalError: typst refused it, which no report should make it do.
    """
    # typst takes a whole project in memory as names and bytes, which its type hints do not say
    files = cast("Any", {"main.typ": _template(), **lay_out(report)})
    try:
        data = typst.compile(
            files,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=["ua-1", "a-3b"],
            timestamp=created_at(report.created) or _NO_TIME,
        )
        pages = int(
            typst.query(files, "<pages>", field="value", one=True, font_paths=_fonts(), ignore_system_fonts=True)
        )
    except typst.TypstError as error:
        raise InternalError(
            f"The report could not be set as a PDF ({error}).",
            "Please report this, with the report's settings.",
        ) from error
    if not isinstance(data, bytes) or not data.startswith(b"%PDF"):
        raise InternalError("The typesetter gave no PDF.", "Please report this, with the report's settings.")
    return data, pages


def _template() -> bytes:
    return (resources_folder() / "report" / "report.typ").read_bytes()


@functools.cache
def _fonts() -> typst.Fonts:
    """Typst's own fonts and matplotlib's: no font of the system, so that every computer makes the same report."""
    return typst.Fonts(include_system_fonts=False, font_paths=[font_folder()])

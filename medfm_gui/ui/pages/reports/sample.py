"""Answers for the page alone: reports of the sample runs, painted here, since typesetting is the desk's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPageLayout, QPageSize, QPainter, QPdfWriter

from medfm_gui.desk.asks.reports import (
    CopyReport,
    ListReports,
    PreviewReport,
    ReadReport,
    ReportDocument,
    ReportItem,
    ReportList,
    ReportPreview,
    ReportWritten,
    WriteReport,
)
from medfm_gui.desk.asks.runs import ListRuns, RunItem, RunList
from medfm_gui.domain.errors import NotFound, SealError
from medfm_gui.domain.report import Part
from medfm_gui.store.rows import ReportRow
from medfm_gui.ui.pages.runs.sample import RUNS
from medfm_gui.ui.sample import Answers
from medfm_gui.ui.theme import HEADINGS_PX

_DPI = 72
_NOTICE = "Research use only – not for clinical use"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_TITLES = ("Evaluation of an adapted foundation model", "Comparison of adapted foundation models")
_WORDS = (
    "The chest phantoms were divided by patient, 70/15/15, seed 0. No patient and no identical image stands in two "
    "partitions. Every threshold was fixed on the validation images before the test was opened; intervals are 95 % "
    "by DeLong, differences are paired on the same patients and adjusted by Holm. "
)


def pages(title: str, parts: Sequence[str]) -> bytes:
    """A PDF with a page for each two parts."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(_DPI)
    writer.setTitle(title)
    writer.setPageLayout(
        QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, QMarginsF(60, 50, 60, 50))
    )
    painter = QPainter(writer)
    body, heading = QFont(), QFont()
    body.setPixelSize(HEADINGS_PX[0] * 2 // 3)
    heading.setPixelSize(HEADINGS_PX[1])
    heading.setWeight(QFont.Weight.DemiBold)
    room = QRectF(painter.viewport())
    wrap = int(Qt.TextFlag.TextWordWrap)
    pairs = [parts[place : place + 2] for place in range(0, len(parts), 2)] or [()]
    for number, pair in enumerate(pairs, 1):
        if number > 1:
            writer.newPage()
        top = 0.0
        for place, name in enumerate(pair if number > 1 else (title, *pair)):
            painter.setPen(QColor(Qt.GlobalColor.black))
            painter.setFont(heading)
            box = painter.boundingRect(QRectF(0, top, room.width(), 200), wrap, name)
            painter.drawText(box, wrap, name)
            painter.setFont(body)
            top = box.bottom() + 10
            text = _WORDS * (1 if number == 1 and place == 0 else 4)
            box = painter.boundingRect(QRectF(0, top, room.width(), 600), wrap, text)
            painter.drawText(box, wrap, text)
            top = box.bottom() + 24
        painter.setPen(QColor(Qt.GlobalColor.darkGray))
        painter.drawText(QRectF(0, room.height() - 14, room.width(), 14), f"{_NOTICE}   {number} of {len(pairs)}")
    painter.end()
    return bytes(buffer.data().data())


def report(
    number: int, title: str, runs: tuple[str, ...], created: str, count: int, *, gone: bool = False
) -> ReportItem:
    """A written report of the sample workspace."""
    name = f"report{number:04d}"
    path = f"/workspace/reports/{name}/report.pdf"
    return ReportItem(ReportRow(name, title, created, path, count, _SHA256, runs), gone)


REPORTS: tuple[ReportItem, ...] = (
    report(1, "Pilot: nearest neighbours against a linear probe", ("r0001", "r0002"), "2026-11-20T10:24:00Z", 4),
    report(2, _TITLES[0], ("r0003",), "2026-11-21T16:52:00Z", 4, gone=True),
    report(3, "Chest phantoms: four backbones, one frozen split", ("r0002", "r0003", "r0005", "r0001"),
           "2026-11-22T06:12:00Z", 4),
)  # fmt: skip


COVARIATES: tuple[str, ...] = ("Age", "Manufacturer", "Sex", "View position")


def sample_answers(
    reports: Sequence[ReportItem] = REPORTS,
    runs: Sequence[RunItem] = RUNS,
    withheld: str = "",
    *,
    holds_files: bool = False,
) -> Answers:
    """Answers about these reports and runs; what is written is listed from then on."""
    kept = list(reports)

    def read(ask: ReadReport) -> ReportDocument:
        item = next((item for item in kept if item.row.id == ask.report), None)
        if item is None or item.is_missing:
            raise NotFound(
                "The file of this report is not where it was written any more.",
                "Bring it back there, or write the report of these runs again.",
            )
        return ReportDocument(item.row, payload=pages(item.row.title, [part.heading for part in Part]))

    def preview(ask: PreviewReport) -> ReportPreview:
        sealed = [item for item in runs if item.row.id in ask.runs and not item.is_opened]
        if sealed:
            raise SealError(
                f"The test set of {sealed[0].row.id} is sealed, so there are no test results to show.",
                f"Open it first: “medfm evaluate {sealed[0].row.id} --open-test REASON”.",
            )
        title = ask.outline.title or _TITLES[len(ask.runs) > 1]
        data = pages(title, [part.heading for part in ask.outline.parts])
        count = max((len(ask.outline.parts) + 1) // 2, 1)
        return ReportPreview(
            title, count, payload=data, withheld=withheld, covariates=COVARIATES, holds_files=holds_files
        )

    def write(ask: WriteReport) -> ReportWritten:
        shown = preview(PreviewReport(ask.runs, ask.outline))
        made = report(len(kept) + 1, shown.title, ask.runs, "2026-11-22T07:30:00Z", shown.pages)
        kept.append(made)
        stem = ask.path.removesuffix(".pdf")
        beside = [f"{stem}-table.{ask.table}"] if ask.table else []
        beside += [f"{stem}-model-card.json"] if ask.card else []
        return ReportWritten(made.row.id, ask.path, shown.pages, _SHA256, len(shown.payload), tuple(beside))

    def copy(ask: CopyReport) -> ReportWritten:
        row = read(ReadReport(ask.report)).row
        return ReportWritten(row.id, ask.path, row.pages, row.sha256, 533_350)

    return {
        ListReports: lambda ask: ReportList(tuple(kept)),
        ListRuns: lambda ask: RunList(tuple(runs)),
        ReadReport: read,
        PreviewReport: preview,
        WriteReport: write,
        CopyReport: copy,
    }


ANSWERS: Answers = sample_answers()
"""Three written reports, one of them lost, and the runs of the sample workspace."""

HOSTILE_ANSWERS: Answers = sample_answers(
    [
        replace(REPORTS[0], row=replace(REPORTS[0].row, title="<img src='/etc/passwd'> & <b>bold</b> " + "x" * 10_000)),
        replace(REPORTS[2], row=replace(REPORTS[2].row, title="\u202egnp.txt\n\tsecond line")),
    ],
    [replace(item, title=f"<b>{item.title}</b> & co", dataset="<u>" + "y" * 10_000) for item in RUNS],
)
"""Names that would be markup, turn the reading direction, or never end."""

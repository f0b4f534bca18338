"""What an import would give: numbers, classes, what was taken for what, warnings, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.domain.dataset import Count, Task
from medfm_gui.ui.pages.datasets.counts import CountRow, CountsTable
from medfm_gui.ui.pages.datasets.notes import Notes
from medfm_gui.ui.pages.datasets.skipped import SkippedTree
from medfm_gui.ui.pages.datasets.wording import TASKS, brief
from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.rows import Column, Rows
from medfm_gui.ui.widgets.table import ROW_PX, DataTable
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.sources import ImportReport

_LINES = 8


class Figure(QWidget):
    """A number with its name below."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = Label("", "heading2", wrap=False)
        self.number.setFont(figures_font())
        self.name = Label(name, "caption", wrap=False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.number)
        column.addWidget(self.name)

    def tell(self, number: str, name: str = "") -> None:
        """Show another number."""
        self.number.setText(number)
        if name:
            self.name.setText(name)


class KnownTable(DataTable):
    """Numbers that were found beside those that the dataset was published with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Found and published numbers", parent)
        self.rows: Rows[Count] = Rows(
            (
                Column("Number of", lambda row: row.what),
                Column("Found", lambda row: f"{row.found:,}", is_number=True),
                Column("Published", lambda row: f"{row.known:,}" if row.known is not None else "–", is_number=True),
                Column("", _agreement),
            ),
            self,
        )
        self.setModel(self.rows)
        header = self.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, SPACE[-1] * 3)

    def fill(self, counts: Sequence[Count]) -> None:
        """Show these; those that differ come first."""
        self.rows.set_rows(sorted(counts, key=lambda count: count.agrees))
        lines = min(len(counts), _LINES)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + lines * ROW_PX + SPACE[0])


def _agreement(row: Count) -> str:
    if row.known is None:
        return "not published"
    return "as published" if row.agrees else f"differs by {row.found - row.known:+,}".replace("-", "−")


class ReportView(QScrollArea):
    """The report of a dry run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("What the import would give")
        self.figures = {name: Figure(name) for name in ("Images", "Patients", "Classes", "Task", "Left out")}
        self.classes = CountsTable("Images of each class")
        self.warnings = Notes()
        self.taken = Facts()
        self.skipped = SkippedTree()
        self.known = KnownTable()
        self._known_title = Label("Beside the published numbers", "heading3")
        self._taken_title = Label("Taken for what", "heading3")
        self._skipped_title = Label("Left out", "heading3")
        self._warned_title = Label("Warnings", "heading3")
        inside = QWidget()
        inside.setProperty("role", "page")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACE[2], SPACE[2])
        column.setSpacing(SPACE[2])
        row = QHBoxLayout()
        row.setSpacing(SPACE[5])
        for figure in self.figures.values():
            row.addWidget(figure)
        row.addStretch(1)
        column.addLayout(row)
        column.addSpacing(SPACE[0])
        column.addWidget(self.classes)
        for title, widget in (
            (self._known_title, self.known),
            (self._warned_title, self.warnings),
            (self._skipped_title, self.skipped),
            (self._taken_title, self.taken),
        ):
            column.addSpacing(SPACE[1])
            column.addWidget(title)
            column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(inside)

    def show_report(self, report: ImportReport) -> None:
        """Show another report."""
        findings = report.task is Task.MULTILABEL
        self.figures["Images"].tell(f"{report.n_samples:,}", f"Images, {_sides(report)}")
        self.figures["Patients"].tell(f"{report.n_patients:,}" if report.n_patients else "not known")
        self.figures["Classes"].tell(f"{len(report.classes):,}", "Findings" if findings else "Classes")
        self.figures["Task"].tell(TASKS[report.task])
        self.figures["Left out"].tell(f"{report.n_skipped:,}")
        whole = (report.n_samples,)
        rows = [
            CountRow(f"{name}  (positive)" if name == report.positive else name, (number,), whole)
            for name, number in zip(report.classes, report.counts, strict=False)
        ]
        self.classes.setVisible(report.task is not Task.SEGMENTATION)
        self.classes.fill("Finding" if findings else "Class", ["Images"], rows)
        self.classes.setFixedHeight(self.classes.natural_height(_LINES))
        self.known.fill(report.known)
        for shown in (self._known_title, self.known):
            shown.setVisible(bool(report.known))
        self.warnings.set_notes(report.warnings)
        self._warned_title.setVisible(bool(report.warnings))
        self.skipped.fill(report.skipped)
        for widget in (self._skipped_title, self.skipped):
            widget.setVisible(bool(report.skipped))
        chosen = [(f"Policy {name}", value) for name, value in report.policies.items()]
        facts = [*report.taken.items(), *chosen]
        if report.task is Task.SEGMENTATION:
            facts += [("labels of the masks", ", ".join(report.classes)), ("with masks", f"{report.n_masked:,}")]
        self.taken.set_facts((name[:1].upper() + name[1:], brief(value)) for name, value in facts)
        self.verticalScrollBar().setValue(0)


def _sides(report: ImportReport) -> str:
    """“448 × 290 px”, or from the smallest to the largest."""
    low, high = (f"{columns} × {rows}" for rows, columns in (report.smallest, report.largest))
    return f"{low} px" if low == high else f"{low} to {high} px"

"""Disagreements: cases where the runs differ or all err, with their pictures; a double click opens one with maps."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from medfm_gui.desk.asks.compare import Side, SideBySide
from medfm_gui.desk.asks.compare_cases import ReadDisagreements
from medfm_gui.domain.units import plural
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout
from medfm_gui.ui.pages.compare.case_model import FIXED, PICTURE_PX, CaseTable, PictureDelegate
from medfm_gui.ui.pages.compare.look import Look
from medfm_gui.ui.pages.compare.pictures import Pictures
from medfm_gui.ui.pages.compare.run_cell import RunDelegate
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, choice
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label, one_line
from medfm_gui.workspace.disagreements import Case, Disagreements, Kind

_KINDS = (
    ("Runs differ, or all err", Kind.ANY), ("Runs differ", Kind.DIFFER), ("All runs err", Kind.ALL_ERR),
)  # fmt: skip
_WIDTHS = (PICTURE_PX + SPACE[3], SPACE[-1] * 6, SPACE[-1] * 4, SPACE[3] * 5)
_RUN_PX = SPACE[-1] * 7
_AHEAD = 4


class DisagreementsTab(QWidget):
    """A virtual table of cases.

    Signals:
        opened(Case, tuple of run ids): a case is to be shown with the heat maps of these runs.
    """

    opened = Signal(object, object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[Side, ...] = ()
        self._mapped: tuple[str, ...] = ()
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(60)
        self._turn.timeout.connect(self._want_pictures)
        self.kind = choice(_KINDS)
        self.kind.setAccessibleName("Which cases")
        self.kind.setMinimumContentsLength(22)
        self.kind.currentIndexChanged.connect(lambda _: self._ask())
        self.finding = choice(())
        self.finding.setAccessibleName("Finding")
        self.finding.setMinimumContentsLength(18)
        self.finding.currentIndexChanged.connect(lambda _: self._ask())
        self.count = Label("", "muted", wrap=False)
        self.open_button = action("Open with heat maps", "studies")
        self.open_button.clicked.connect(self._open)
        self.pictures = Pictures(context.desk, PICTURE_PX * 2, self)
        self.model = CaseTable(self.pictures, self)
        self.table = DataTable("Cases of disagreement")
        self.table.setModel(self.model)
        self.table.verticalHeader().setDefaultSectionSize(PICTURE_PX + SPACE[1])
        self.table.setItemDelegate(RunDelegate(self.table))
        self.table.setItemDelegateForColumn(0, PictureDelegate(self.table))
        self.table.activated.connect(lambda _: self._open())
        self.table.verticalScrollBar().valueChanged.connect(lambda _: self._turn.start())
        inner = QWidget()
        self.inner = case_layout.stack(inner, (self.table, 1), inside=True)
        self.pane = case_layout.stack(self, (self._head(), 0), (inner, 1))
        self._look = Look(context.desk, self, self.inner, "Reading the predictions", self._show)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        self._finding_name = Label("Finding", "muted", wrap=False)
        for name, field in ((Label("Cases", "muted", wrap=False), self.kind), (self._finding_name, self.finding)):
            name.setBuddy(field)
            row.addWidget(name)
            row.addWidget(field)
            row.addSpacing(SPACE[2])
        row.addWidget(self.count, 1)
        row.addWidget(self.open_button)
        for widget in (self._finding_name, self.finding):
            widget.hide()
        return row

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison."""
        if self._sides != found.sides:
            self.finding.blockSignals(True)
            self.finding.clear()
            self.finding.blockSignals(False)
        self._sides = found.sides
        self._ask()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask what was not asked while nobody looked."""
        super().showEvent(event)
        self._look.seen()
        self._turn.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More rows may be in sight."""
        super().resizeEvent(event)
        self._turn.start()

    def current(self) -> Case | None:
        """The case of the current row."""
        return self.model.case(self.table.currentIndex().row())

    def _ask(self) -> None:
        if self._sides:
            finding = self.finding.currentData()
            runs = tuple(side.run for side in self._sides)
            self._look.want(
                ReadDisagreements(runs, Kind(self.kind.currentData()), finding if isinstance(finding, str) else "")
            )

    def _show(self, found: Disagreements) -> None:
        self._offer(found)
        self._mapped = found.mapped
        self.pictures.start(found.dataset)
        self.model.fill(found, self._sides)
        for column in range(self.model.columnCount()):
            self.table.setColumnWidth(column, _WIDTHS[column] if column < len(FIXED) else _RUN_PX)
        shown = f", the widest {len(found.cases):,} shown" if found.n_found > len(found.cases) else ""
        self.count.setText(
            f"{found.n_found:,} of {found.n_units:,} test {plural(found.unit)}{shown} · probabilities of "
            f"{one_line(found.probability_of, 60)}"
        )
        self.open_button.setEnabled(bool(found.cases))
        if not found.cases:
            self.inner.show_empty(
                "No such case",
                f"The runs agree on all {found.n_units:,} {plural(found.unit)} of this kind.",
                icon="check",
            )
            return
        self.table.selectRow(0)
        self._turn.start()

    def _offer(self, found: Disagreements) -> None:
        for widget in (self._finding_name, self.finding):
            widget.setVisible(bool(found.findings))
        if self.finding.count() == len(found.findings):
            return
        self.finding.blockSignals(True)
        self.finding.clear()
        for name in found.findings:
            self.finding.addItem(one_line(name, 160), name)
        self.finding.setCurrentIndex(self.finding.findData(found.finding))
        self.finding.blockSignals(False)

    def _open(self) -> None:
        case = self.current()
        if case is not None:
            self.opened.emit(case, self._mapped)

    def _want_pictures(self) -> None:
        if not self.isVisible() or not self.model.rowCount():
            return
        first = max(0, self.table.rowAt(0))
        last = self.table.rowAt(self.table.viewport().height() - 1)
        last = (self.model.rowCount() - 1 if last < 0 else last) + _AHEAD
        seen = (self.model.case(row) for row in range(first, min(last, first + 60) + 1))
        self.pictures.want([case.sample for case in seen if case is not None])

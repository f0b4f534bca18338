"""At the left: the reports that were written, and what is known of the chosen one."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.reports import ReportItem
from medfm_gui.ui.pages.reports.lines import ReportLines
from medfm_gui.ui.pages.reports.model import ReportsModel, named, when
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label

_SHOWN_OF_HASH: Final = 16


class Archive(QWidget):
    """Written reports.

    Signals:
        chosen(str): the report of that id shall be shown.
        wanted(): a new report shall be composed.
        copied(ReportItem): a copy of its PDF is wanted.
        folder(ReportItem): its folder shall be shown.
        again(ReportItem): a new report of its runs shall be composed.
    """

    chosen = Signal(str)
    wanted = Signal()
    copied = Signal(object)
    folder = Signal(object)
    again = Signal(object)

    def __init__(self, model: ReportsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.new = action("New report", "plus", "primary")
        self.new.clicked.connect(self.wanted)
        self.list = ReportLines(model)
        self.list.selectionModel().currentRowChanged.connect(lambda now, _: self._tell(now.row()))
        self.facts = Facts()
        self.copy = action("Save a copy …", "download")
        self.open_folder = action("Open folder", "folder")
        self.compose = action("New from these runs", "clone")
        for button, signal in ((self.copy, self.copied), (self.open_folder, self.folder), (self.compose, self.again)):
            button.clicked.connect(lambda _=False, signal=signal: self._emit(signal))
        self._build()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(Label("Reports", "heading1"), 1)
        head.addWidget(self.new)
        self.details = Panel("This report")
        self.details.add(self.facts)
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(self.copy)
        row.addWidget(self.open_folder)
        row.addStretch(1)
        self.details.body.addLayout(row)
        last = QHBoxLayout()
        last.addWidget(self.compose)
        last.addStretch(1)
        self.details.body.addLayout(last)
        self.details.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[2], SPACE[3])
        column.setSpacing(SPACE[2])
        column.addLayout(head)
        column.addWidget(self.list, 1)
        column.addWidget(self.details)

    @property
    def current(self) -> ReportItem | None:
        """The chosen report."""
        return self._model.item(self.list.currentIndex().row())

    def fill(self, items: tuple[ReportItem, ...]) -> None:
        """Show these reports; the chosen one stays chosen."""
        before = self.current
        self.list.selectionModel().blockSignals(True)
        self._model.fill(items)
        self.list.selectionModel().blockSignals(False)
        self.details.hide()
        if before is not None and self._model.row_of(before.row.id) >= 0:
            self.choose(before.row.id)

    def choose(self, report: str = "") -> bool:
        """Choose a report, or the newest; False where it is not there."""
        row = self._model.row_of(report) if report else 0
        index = self._model.index(row)
        if row < 0 or not index.isValid():
            return False
        if row == self.list.currentIndex().row():
            self._tell(row)
        self.list.setCurrentIndex(index)
        return True

    def allow_new(self, reason: str) -> None:
        """Whether a new report can be composed, or why not."""
        disable(self.new, reason)
        disable(self.compose, reason)

    def _tell(self, row: int) -> None:
        item = self._model.item(row)
        self.details.setVisible(item is not None)
        if item is None:
            return
        self.facts.set_facts(
            (
                ("Written", when(item.row.created)),
                ("Runs", named(item.row.runs)),
                ("Pages", str(item.row.pages)),
                ("SHA-256", f"{item.row.sha256[:_SHOWN_OF_HASH]}…"),
            )
        )
        disable(self.copy, "Its file is not there any more." if item.is_missing else "")
        self.chosen.emit(item.row.id)

    def _emit(self, signal: SignalInstance) -> None:
        item = self.current
        if item is not None:
            signal.emit(item)

"""The Reports page: written reports or the making of a new one at the left, its real pages at the right."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget

from medfm_gui.desk.asks.reports import ListReports, ReportItem, ReportList
from medfm_gui.desk.asks.runs import ListRuns, RunItem, RunList
from medfm_gui.desk.entry import Topic
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.actions import Action
from medfm_gui.ui.context import Context
from medfm_gui.ui.memory import Memory
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages.reports import where
from medfm_gui.ui.pages.reports.archive import Archive
from medfm_gui.ui.pages.reports.composer import Composer
from medfm_gui.ui.pages.reports.drafting import Drafting
from medfm_gui.ui.pages.reports.exporting import Exporting
from medfm_gui.ui.pages.reports.model import ReportsModel, RunsModel
from medfm_gui.ui.pages.reports.reader import Reader
from medfm_gui.ui.pages.reports.reading import Reading
from medfm_gui.ui.pages.reports.sheets import Sheets
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.states import StatePane

_SPLIT = "reports.split"
_ZOOM = "reports.zoom"
_LEFT_PX = SPACE[-1] * 12
_NONE_OPENED = "A report needs a run whose test was opened."


class ReportsPage(Page):
    """Read written reports, compose new ones."""

    key: ClassVar[str] = "reports"
    title: ClassVar[str] = "Reports"
    icon: ClassVar[str] = "reports"
    topics: ClassVar[tuple[Topic, ...]] = (Topic.REPORTS, Topic.RUNS, Topic.RESULTS, Topic.SETTINGS)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.reports = ReportsModel(self)
        self.runs = RunsModel(self)
        self.archive = Archive(self.reports)
        self.composer = Composer(self.runs)
        self.sheets = Sheets()
        self.reading = Reading(context.desk, self.archive, self.sheets, self)
        self.drafting = Drafting(context, self.runs, self.composer, self.sheets, self)
        self.exporting = Exporting(context, self.runs, self.composer, self.sheets, self)
        self._listed: tuple[ReportItem, ...] | None = None
        self._known: tuple[RunItem, ...] | None = None
        self._wish: dict[str, Any] = {}
        self._build()
        _remember(context.memory, self.split, self.sheets.reader)
        self._connect()
        self._add_actions()
        self.states.show_busy("Reading the reports")

    def _build(self) -> None:
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.states = StatePane(self.split)
        whole = QHBoxLayout(self)  # outermost first: each new parent costs a styling of all that lies in it
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.states)
        self.left = QStackedWidget()
        self.left.setMinimumWidth(_LEFT_PX - SPACE[-1])
        self.split.addWidget(self.left)
        self.left.addWidget(self.archive)
        self.left.addWidget(self.composer)
        self.split.addWidget(self.sheets)
        self.split.setChildrenCollapsible(False)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([_LEFT_PX, _LEFT_PX * 2])

    def _connect(self) -> None:
        self.archive.chosen.connect(self.reading.read)
        self.archive.wanted.connect(lambda: self.compose(self.runs.chosen))
        self.archive.copied.connect(self.exporting.copy)
        self.archive.folder.connect(lambda item: where.show_folder(item.row.path))
        self.archive.again.connect(lambda item: self.compose(item.row.runs))
        self.composer.left.connect(lambda: self.look_back())
        self.composer.export.connect(self.export)
        self.drafting.sealed.connect(self._go_to_runs)
        self.exporting.sealed.connect(self._go_to_runs)
        self.exporting.show_wanted.connect(self._look_up)

    def _add_actions(self) -> None:
        reader, group = self.sheets.reader, self.title
        self.context.actions.add(
            self,
            Action("reports.new", "New report", self.archive.wanted.emit, "Ctrl+N", group, self.archive.new.isEnabled),
            Action("reports.export", "Export the report …", self.export, "Ctrl+E", group),
            Action("reports.larger", "Zoom in", lambda: reader.zoom(1), "Ctrl++", group),
            Action("reports.smaller", "Zoom out", lambda: reader.zoom(-1), "Ctrl+-", group),
            Action("reports.fit", "Fit the width of the page", reader.fit_width, "Ctrl+0", group),
            Action("reports.next", "Next page", lambda: reader.turn(1), "Ctrl+PgDown", group),
            Action("reports.previous", "Previous page", lambda: reader.turn(-1), "Ctrl+PgUp", group),
        )

    @property
    def is_composing(self) -> bool:
        """Whether a new report is being made."""
        return self.left.currentWidget() is self.composer

    def refresh(self) -> None:
        """Ask for the written reports and for the runs."""
        self.context.desk.ask(ListReports(), owner=self, then=self._take_reports, failed=self._failed)
        self.context.desk.ask(ListRuns(), owner=self, then=self._take_runs, failed=self._failed)

    def visit(self, **wish: Any) -> None:
        """``runs=(ID, …)`` composes a report of them, the first is the reference; ``report=ID`` shows a written one."""
        self._wish = wish
        if self._listed is not None and self._known is not None:
            self._grant()

    def compose(self, runs: tuple[str, ...]) -> None:
        """Make a new report of these runs."""
        self.left.setCurrentWidget(self.composer)
        self.sheets.notice.hide()
        self.runs.choose(tuple(str(run) for run in runs))
        self.runs.fill(self._known or ())
        self.composer.runs.show_chosen()
        self.composer.back.setVisible(bool(self._listed))
        self.states.show_content()
        self.reading.stop()
        self.drafting.start()
        self.composer.runs.setFocus()

    def look_back(self, report: str = "") -> None:
        """Show the written reports, one of them in its pages."""
        self.drafting.stop()
        self.left.setCurrentWidget(self.archive)
        self.states.show_content()
        current = self.archive.current
        if self.archive.choose(report or (current.row.id if current else "")):
            self.archive.list.setFocus()
        elif self._listed:  # written a moment ago, or taken away
            self.archive.choose()

    def export(self) -> None:
        """Write the report that is composed, or a copy of the one that is read."""
        if not self.is_composing:
            self.archive.copy.click()
        elif self.composer.export_button.isEnabled():
            self.exporting.write(self.composer.outline.title or self.drafting.title)

    def _failed(self, error: MedfmError) -> None:
        if isinstance(error, Interrupted):
            return
        if self.states.state == "content":  # what is there stays readable
            self.sheets.notice.tell(error.message, error.hint, role="bad", deeds=(("Try again", self._ask_again),))
        else:
            self.states.show_error(error, "Try again", self.refresh)

    def _ask_again(self) -> None:
        self.sheets.notice.hide()
        self.refresh()

    def _take_reports(self, answer: ReportList) -> None:
        self._listed = answer.reports
        self.archive.fill(answer.reports)
        self._settle()

    def _take_runs(self, answer: RunList) -> None:
        self._known = answer.runs
        opened = any(item.is_opened for item in answer.runs)
        self.archive.allow_new("" if opened else _NONE_OPENED)
        self.runs.fill(answer.runs)
        self._settle()

    def _settle(self) -> None:
        """Both lists are there: what is shown first, and what was wished."""
        if self._listed is None or self._known is None:
            return
        self.composer.back.setVisible(bool(self._listed))
        if self._wish:
            self._grant()
        elif self.states.state == "content":
            return
        elif self._listed:
            self.look_back()
        elif any(item.is_opened for item in self._known):
            self.compose(())
        else:
            self._show_empty()

    def _grant(self) -> None:
        wish, self._wish = self._wish, {}
        if wish.get("runs"):
            self.compose(tuple(wish["runs"]))
        else:
            self.look_back(str(wish.get("report") or ""))

    def _look_up(self, report: str) -> None:
        """Show a report that was written a moment ago and may not be listed yet."""
        self._wish = {"report": report}
        self.refresh()

    def _show_empty(self) -> None:
        text = "A report puts the data, the split, the results with their intervals and where every number comes from "
        text += "into one PDF. It is made of finished runs whose sealed test was opened"
        if self._known:
            self.states.show_empty(
                "No report yet", f"{text}: open a test on the page Runs.", "Go to Runs", self._go_to_runs, "reports"
            )
        else:
            self.states.show_empty(
                "No report yet", f"{text}.", "New training", lambda: self.context.go("train"), "reports"
            )

    def _go_to_runs(self) -> None:
        sealed = tuple(run for run in self.runs.chosen if not self._is_opened(run))
        if sealed:
            self.context.go("runs", runs=sealed)
        else:
            self.context.go("runs")

    def _is_opened(self, run: str) -> bool:
        return any(item.row.id == run and item.is_opened for item in self._known or ())


def _remember(memory: Memory, split: QSplitter, reader: Reader) -> None:
    """The splitter and the zoom as they were left, now and at the next start."""
    kept, zoom = memory.get(_SPLIT), memory.get(_ZOOM)
    if isinstance(kept, str):
        split.restoreState(QByteArray.fromHex(kept.encode("ascii", "ignore")))
    if isinstance(zoom, float) and zoom > 0:
        reader.paper.set_zoom(zoom)
    split.splitterMoved.connect(lambda *_: memory.put(_SPLIT, bytes(split.saveState().data()).hex()))
    reader.zoom_changed.connect(lambda zoom: memory.put(_ZOOM, zoom))

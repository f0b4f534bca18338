"""One run below the table: why it stopped, curves, facts, log, and its numbers."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.desk.asks.runs import LogText, MeasureRun, RunDetails, RunFacts, RunItem, RunLog, RunUse
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.events import EpochFinished
from medfm_gui.domain.run import Phase
from medfm_gui.ui.charts.live import LiveCurves
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.runs import setup, wording
from medfm_gui.ui.pages.runs.cause import CausePanel
from medfm_gui.ui.pages.runs.log_view import LogView
from medfm_gui.ui.pages.runs.map_checks import MapChecksPane
from medfm_gui.ui.pages.runs.results import Results
from medfm_gui.ui.theme import SPACE, motion_allowed
from medfm_gui.ui.widgets.badge import Badge
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label

_BEAT_MS = 2000
_STEPS = 1000
_FACTS_PX = SPACE[-1] * 12


class AtWork(QWidget):
    """What a run is at, and how far: a line of words over a bar, which runs on where nobody knows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = Label()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        column.addWidget(self.words)
        column.addWidget(self.bar)

    def tell(self, text: str, share: float | None) -> None:
        """Show how far it is; ``share`` is 0…1 or None."""
        self.words.setText(text)
        self.bar.setAccessibleName(text)
        self.bar.setRange(0, 0 if share is None and motion_allowed() else _STEPS)
        self.bar.setValue(round((share or 0.0) * _STEPS))


class RunPane(QWidget):
    """Shows one run and keeps it up to date.

    Signals:
        wanted(str): a verb of ``deeds`` that a button here stands for.
    """

    wanted = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._item: RunItem | None = None
        self._facts: RunFacts | None = None
        self._use: RunUse | None = None
        self._is_measuring = False
        self._is_reading = False
        self._curve: tuple[EpochFinished, ...] | None = ()
        """What is drawn; None where it is of another run."""
        self._title = Label("", "heading3", elide=Qt.TextElideMode.ElideMiddle)
        self._badge = Badge()
        self.cause = CausePanel(is_read_only=context.is_read_only)
        self.cause.wanted.connect(self.wanted)
        self._curves = Deferred(LiveCurves)
        self.setup = Facts()
        self._log = Deferred(LogView)
        self.maps = Deferred(lambda parent: MapChecksPane(context, parent))
        self.tabs = QTabWidget()
        self.progress = AtWork()
        self.live = Facts()
        self.results = Results(is_read_only=context.is_read_only)
        self.results.wanted.connect(self.wanted)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self._build()
        self._beat = QTimer(self)
        self._beat.setInterval(_BEAT_MS)
        self._beat.timeout.connect(self._look)
        self.tabs.currentChanged.connect(self._look)

    def _build(self) -> None:
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Curves, setup, log and map checks of the run")
        self._frame()
        self.plots = StatePane(self._curves)
        self.plots.setContentsMargins(0, SPACE[2], 0, 0)
        self.tabs.addTab(self.plots, "Curves")
        self.tabs.addTab(_scrolled(_column(self.setup)), "Setup")
        self.tabs.addTab(self._log, "Log")
        self._maps_tab = _scrolled(_column(self.maps))
        self.tabs.addTab(self._maps_tab, "Maps")
        beside = _scrolled(_column(self.progress, self.live, self.results, left=SPACE[3]))
        beside.setMinimumWidth(_FACTS_PX)
        self.split.addWidget(beside)
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 2)
        self.split.setChildrenCollapsible(False)
        self.split.setSizes([2 * _FACTS_PX, _FACTS_PX])

    def _frame(self) -> None:
        """What holds the rest; first, for each new parent costs a styling of all that lies in it."""
        body = QWidget()
        self.state = StatePane(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.state)
        head = QHBoxLayout()
        head.setSpacing(SPACE[3])
        head.addWidget(self._title, 1)
        head.addWidget(self._badge)
        inner = QVBoxLayout(body)
        inner.setContentsMargins(0, SPACE[2], 0, 0)
        inner.setSpacing(SPACE[1])
        inner.addLayout(head)
        inner.addWidget(self.cause)
        inner.addWidget(self.split, 1)
        holder = QWidget()
        self.split.addWidget(holder)
        left = QVBoxLayout(holder)
        left.setContentsMargins(0, 0, SPACE[3], 0)
        left.addWidget(self.tabs)

    @property
    def curves(self) -> LiveCurves:
        """The plots."""
        return self._curves.part

    @property
    def log(self) -> LogView:
        """The run's own words."""
        return self._log.part

    @property
    def run(self) -> str:
        """The id of the run that is shown; empty where none is."""
        return self._item.row.id if self._item else ""

    def show_run(self, item: RunItem | None) -> None:
        """Show another run, or none."""
        if item is None:
            self._item = self._facts = None
            self._pace()
            self.state.show_empty(
                "No run chosen", "Choose a run above to see its curves, numbers and log.", icon="chart"
            )
            return
        if item.row.id != self.run:
            self._facts, self._use, self._curve = None, None, None
            self.curves.set_look(item.row.family)
            if self._log.made is not None:
                self._log.made.clear()
            self.results.tell(None)
            self.setup.set_facts(())
        self._item = item
        self.state.show_content()
        self._draw()
        self._ask()
        self._look()
        self._pace()

    def update_run(self, item: RunItem) -> None:
        """Take newer facts about the run that is shown; asks the desk again when its phase or its seal changed."""
        old = self._item
        if old is None or item.row.id != self.run:
            return
        self._item = item
        self._draw()
        if (old.row.state.phase, old.is_opened) != (item.row.state.phase, item.is_opened):
            self._ask()
            self._look()
            self._pace()

    def showEvent(self, event: QShowEvent) -> None:
        """Measure again."""
        super().showEvent(event)
        self._pace()

    def hideEvent(self, event: QHideEvent) -> None:
        """Measure nothing that nobody sees."""
        super().hideEvent(event)
        self._beat.stop()

    def _ask(self) -> None:
        run = self.run
        self._context.desk.ask(
            RunDetails(run), owner=self, then=self._take_facts, failed=lambda error: self._failed(run, error)
        )

    def _failed(self, run: str, error: MedfmError) -> None:
        if run == self.run and self._facts is None:
            self.state.show_error(error, "Try again", lambda: self.show_run(self._item))

    def _take_facts(self, facts: RunFacts) -> None:
        if facts.item.row.id != self.run or self._item is None:
            return
        self._facts = facts
        if facts.item.is_opened != self._item.is_opened:
            self._item = facts.item
        self.setup.set_facts(setup.setup_facts(facts))
        self.results.tell(facts)
        self._draw()

    def _draw(self) -> None:
        item = self._item
        if item is None:
            return
        state = item.row.state
        self._title.setText(f"{item.row.id}  {item.title}")
        self._badge.set_phase(state.phase)
        self.cause.tell(item)
        self._draw_curve(state.curve or (self._facts.curve if self._facts else ()))
        working = state.phase in (Phase.RUNNING, Phase.QUEUED) and item.is_supervised
        self.progress.setVisible(working)
        if working:
            self.progress.tell(wording.progress(item), wording.share(item) if state.phase is Phase.RUNNING else None)
        started = self._facts.started if self._facts else None
        self.live.set_facts(setup.live_facts(item, self._use, started, time.time()))

    def _draw_curve(self, curve: tuple[EpochFinished, ...]) -> None:
        known = len(self._curve or ())
        if known and curve[:known] == self._curve:
            if len(curve) > known:
                self.curves.extend(curve[known:])
        elif curve != self._curve:
            self.curves.set_curve(curve)
        self._curve = curve
        if curve:
            self.plots.show_content()
        else:
            self.plots.show_empty("No curve yet", "It begins when the first epoch is finished.", icon="chart")

    def _pace(self) -> None:
        """Measure while a run that somebody sees is at work."""
        item = self._item
        if item is not None and item.is_supervised and self.isVisible():
            self._beat.start()
        else:
            self._beat.stop()

    def _look(self) -> None:
        item = self._item
        if item is None:
            return
        if self.tabs.currentWidget() is self._maps_tab:
            self.maps.part.show_run(item)
        if self.tabs.currentWidget() is self._log and not self._is_reading:
            self._is_reading = True
            self._context.desk.ask(RunLog(self.run), owner=self, then=self._take_log, failed=self._no_log)
        if item.row.state.phase is Phase.RUNNING and not self._is_measuring:
            self._is_measuring = True
            self._context.desk.ask(
                MeasureRun(self.run), owner=self, then=self._take_use, failed=lambda _: self._take_use(None)
            )

    def _take_log(self, log: LogText) -> None:
        self._is_reading = False
        if log.run == self.run:
            self.log.tell(log)

    def _no_log(self, error: MedfmError) -> None:
        self._is_reading = False
        self.log.tell(LogText(self.run, f"{error.message} {error.hint}"))

    def _take_use(self, use: RunUse | None) -> None:
        """None: a figure that cannot be had is left out."""
        self._is_measuring = False
        if use is not None and use.run == self.run:
            self._use = use
            self._draw()


def _scrolled(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setAccessibleName("Details of the run")
    area.setWidget(widget)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def _column(*widgets: QWidget, left: int = 0, gap: int = SPACE[3]) -> QWidget:
    """Widgets below one another at their own heights."""
    whole = QWidget()
    whole.setProperty("role", "page")
    column = QVBoxLayout(whole)
    column.setContentsMargins(left, SPACE[2], SPACE[2], SPACE[2])
    column.setSpacing(gap)
    for widget in widgets:
        column.addWidget(widget)
    column.addStretch(1)
    return whole

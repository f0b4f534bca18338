"""The page's content: a head, the chosen runs, and the tabs."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from medfm_gui.desk.asks.compare import Drawing, DrawingList, SideBySide
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.pages.compare.chart_tab import ChartTab
from medfm_gui.ui.pages.compare.charts import LargeCharts
from medfm_gui.ui.pages.compare.classes import ClassesTab
from medfm_gui.ui.pages.compare.disagreements import DisagreementsTab
from medfm_gui.ui.pages.compare.folds import FoldsTab
from medfm_gui.ui.pages.compare.kept import remember_widths, remembered_widths
from medfm_gui.ui.pages.compare.ladder import LadderTab
from medfm_gui.ui.pages.compare.published import PublishedTab
from medfm_gui.ui.pages.compare.readers import ReadersTab
from medfm_gui.ui.pages.compare.run_bar import BarArea, RunBar
from medfm_gui.ui.pages.compare.seeds import SeedsTab
from medfm_gui.ui.pages.compare.sites import SitesTab
from medfm_gui.ui.pages.compare.subgroups import SubgroupsTab
from medfm_gui.ui.pages.compare.tabs import OverviewTab, TestsTab
from medfm_gui.ui.pages.compare.usefulness import UsefulnessTab
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.text import Label, tip

_TAB = "compare.tab"
_Made = TypeVar("_Made", bound=ChartTab)
_Drawn = TypeVar("_Drawn", LadderTab, LargeCharts)
_Filled = TypeVar("_Filled", ChartTab, LadderTab, LargeCharts, ClassesTab, DisagreementsTab)


class Board(QWidget):
    """Shows a comparison; asks nothing.

    Signals:
        export_wanted(str, ChartView, str, str): a chart's key, its view, the format, a suggested name.
        drawn_wanted(ChartView, str, str): the chart of a view is wanted as it is drawn: the format, a suggested name.
        case_wanted(Case, tuple of run ids): a case is to be shown with the heat maps of these runs.
        beside_wanted(bool, bool): cheap models, and readers, are to be seen in the ROC, or not.
        reads_known(str, str): which reads, judged against what, are looked at.
        import_wanted(bool): a table is to be brought in: reads, else predictions.
    """

    export_wanted = Signal(str, object, str, str)
    drawn_wanted = Signal(object, str, str)
    case_wanted = Signal(object, object)
    beside_wanted = Signal(bool, bool)
    reads_known = Signal(str, str)
    import_wanted = Signal(bool)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._memory = context.memory
        self._found: SideBySide | None = None
        self._is_fitting = False
        self.bar = RunBar()
        self.bar_area = BarArea(self.bar)
        self.about = Label("", "caption")
        self.choose = action("Choose runs …", "plus")
        self.bring_in = action("Import …", "import")
        self.bring_in.setAccessibleName("Import predictions of another system")
        tip(self.bring_in, "Predictions of another system, to stand beside these runs")
        self.bring_in.clicked.connect(lambda: self.import_wanted.emit(False))
        self.csv = action("Export numbers", "export")
        self.report = action("Report …", "reports", "primary")
        self.notice = Notice()
        self._drawings: tuple[Drawing, ...] = ()
        self.overview = OverviewTab()
        self.overview.export_wanted.connect(self.export_wanted)
        self.overview.drawn_wanted.connect(self.drawn_wanted)
        self.overview.beside_wanted.connect(self.beside_wanted)
        self._tests = Deferred(lambda place: TestsTab(context, place))
        self._classes = Deferred(lambda place: self._filled(ClassesTab(context, place)))
        self._subgroups = Deferred(lambda place: self._made(SubgroupsTab(context, place)))
        self._usefulness = Deferred(lambda place: self._made(UsefulnessTab(context, place)))
        self._seeds = Deferred(lambda place: self._made(SeedsTab(context, place)))
        self._folds = Deferred(lambda place: self._made(FoldsTab(context, place)))
        self._ladder = Deferred(lambda place: self._drawn(LadderTab(place)))
        self._disagreements = Deferred(lambda place: self._filled(DisagreementsTab(context, place)))
        self._readers = Deferred(lambda place: self._made(ReadersTab(context, place)))
        self._sites = Deferred(lambda place: self._made(SitesTab(context, place)))
        self._published = Deferred(lambda place: self._made(PublishedTab(context, place)))
        self._large = Deferred(lambda place: self._drawn(LargeCharts(place)))
        self.tabs = QTabWidget()
        self._build()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(SPACE[1])
        head.addWidget(Label("Compare", "heading1", wrap=False))
        head.addStretch(1)
        head.addWidget(self.choose)
        head.addWidget(self.bring_in)
        head.addWidget(self.csv)
        head.addWidget(self.report)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[2])
        column.setSpacing(SPACE[2])
        column.addLayout(head)
        column.addWidget(self.bar_area)
        column.addWidget(self.about)
        column.addWidget(self.notice)
        column.addWidget(self.tabs, 1)
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("The comparison")
        for tab, name in (
            (self.overview, "Overview"),
            (self._tests, "Tests"),
            (self._classes, "Per class"),
            (self._subgroups, "Subgroups"),
            (self._usefulness, "Usefulness"),
            (self._seeds, "Seeds"),
            (self._folds, "Folds"),
            (self._ladder, "Ladder"),
            (self._disagreements, "Disagreements"),
            (self._readers, "Readers"),
            (self._sites, "Other data"),
            (self._published, "References"),
            (self._large, "Charts"),
        ):
            self.tabs.addTab(tab, name)
        kept = self._memory.get(_TAB)
        self.tabs.setCurrentIndex(kept if isinstance(kept, int) and 0 <= kept < self.tabs.count() else 0)
        self.tabs.currentChanged.connect(lambda at: self._memory.put(_TAB, at))
        self.overview.table.horizontalHeader().sectionResized.connect(self._keep_widths)

    @property
    def tests(self) -> TestsTab:
        """Paired tests."""
        return self._tests.part

    @property
    def classes(self) -> ClassesTab:
        """Numbers by class."""
        return self._classes.part

    @property
    def ladder(self) -> LadderTab:
        """The metric against what the runs cost."""
        return self._ladder.part

    @property
    def large(self) -> LargeCharts:
        """All charts, one of them large."""
        return self._large.part

    @property
    def subgroups(self) -> SubgroupsTab:
        """Numbers by a covariate."""
        return self._subgroups.part

    @property
    def usefulness(self) -> UsefulnessTab:
        """Calibration and net benefit."""
        return self._usefulness.part

    @property
    def seeds(self) -> SeedsTab:
        """Runs that differ in nothing but their seed."""
        return self._seeds.part

    @property
    def folds(self) -> FoldsTab:
        """The cross-validations that the runs are folds of."""
        return self._folds.part

    @property
    def disagreements(self) -> DisagreementsTab:
        """Cases where the runs differ or all err."""
        return self._disagreements.part

    @property
    def readers(self) -> ReadersTab:
        """Human readers beside the runs."""
        return self._readers.part

    @property
    def sites(self) -> SitesTab:
        """The runs on other datasets."""
        return self._sites.part

    @property
    def published(self) -> PublishedTab:
        """Published results of the same dataset."""
        return self._published.part

    def _made(self, tab: _Made) -> _Made:
        """A tab with a chart of its own."""
        tab.export_wanted.connect(self.drawn_wanted)
        self._filled(tab)
        return tab

    def _drawn(self, tab: _Drawn) -> _Drawn:
        """A tab with stored charts."""
        tab.export_wanted.connect(self.export_wanted)
        self._filled(tab)
        if self._found is not None:
            tab.draw(self._drawings)
        return tab

    def _filled(self, tab: _Filled) -> _Filled:
        if isinstance(tab, DisagreementsTab | ReadersTab):
            tab.opened.connect(self.case_wanted)
        if isinstance(tab, ReadersTab):
            tab.reads_known.connect(self.reads_known)
            tab.import_wanted.connect(lambda: self.import_wanted.emit(True))
        if self._found is not None:
            tab.show_runs(self._found)
        return tab

    def show_runs(self, found: SideBySide) -> None:
        """Show stored numbers; the charts of other runs go."""
        same = self._found is not None and self._found.sides == found.sides
        self._found = found
        if not same:
            self.bar.set_runs(found.sides)
            self._drawings = ()
        self.about.setText(f"{wording.test_line(found)} · {wording.openings_line(found.openings)}")
        self.overview.show_runs(found)
        for part in (
            self._classes, self._subgroups, self._usefulness, self._seeds, self._folds, self._disagreements,
            self._readers, self._sites, self._published,
        ):  # fmt: skip
            if part.made is not None:
                part.made.show_runs(found)
        for tab in (self._ladder.made, self._large.made):
            if tab is not None:
                tab.show_runs(found)
                tab.draw(self._drawings)
        self._is_fitting = True
        self.overview.fit_columns()
        self.overview.table.set_widths(remembered_widths(self._memory))
        self._is_fitting = False

    def draw(self, answer: DrawingList) -> None:
        """Show charts."""
        self._drawings = answer.drawings
        self.overview.grid.draw(answer.drawings)
        for tab in (self._ladder.made, self._large.made):
            if tab is not None:
                tab.draw(answer.drawings)

    def _keep_widths(self) -> None:
        if not self._is_fitting and self.overview.model.rowCount():
            remember_widths(self._memory, self.overview.table.widths())

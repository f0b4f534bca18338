"""The dialog before runs are tested on another dataset: which, whose classes are ours, by what site, and why."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QFrame,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.desk.asks.compare import Side
from medfm_gui.desk.asks.compare_outside import LookAtSite, SiteTested, TestOnSite
from medfm_gui.desk.asks.data import DatasetList, ListDatasets
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.advice import window_words
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.dialog import end_row
from medfm_gui.ui.widgets.forms import Form, action, choice, disable
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.text import Label, one_line
from medfm_gui.workspace.sites import SiteFacts

_WIDTH_PX, _HEIGHT_PX = SPACE[-1] * 20, SPACE[-1] * 20
_LEFT_OUT = "left out"
_EXPLAINED = (
    "Every image of the dataset is scored by the finished models. Threshold and calibration stay as they are first; "
    "recalibrated numbers come second, learned on other patients of the same set. The look is counted and written "
    "down with your reason."
)


class SiteDialog(QDialog):
    """Asks for a dataset, the label map and a reason, then has the runs tested there.

    Signals:
        tested(SiteTested): at least one run was.
    """

    tested = Signal(object)

    def __init__(self, context: Context, sides: Sequence[Side], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = context.desk
        self._runs = tuple(side.run for side in sides)
        self._facts: SiteFacts | None = None
        self._ticket: Ticket | None = None
        self._looking = Newest(context.desk, self)
        self._fields: dict[str, QComboBox] = {}
        self.setModal(True)
        self.setWindowTitle("Test on another dataset")
        self.setAccessibleName("Test on another dataset")
        self.setMinimumWidth(_WIDTH_PX)
        self.dataset, self.by = choice(()), choice((("no, all together", ""),))
        self.reason = QLineEdit()
        self.reason.setMaxLength(2000)
        self.reason.setPlaceholderText("Kept in the journal and printed")
        self.about = Label("", "caption")
        self.map = QScrollArea()
        self.map.setWidgetResizable(True)
        self.map.setFrameShape(QFrame.Shape.NoFrame)
        self.map.setAccessibleName("Label map")
        self.notice, self.work = Notice(), ProgressRow()
        self.cancel, self.act = action("Cancel"), action("Open and test", "external", "primary")
        self._build()
        self.dataset.currentIndexChanged.connect(lambda _: self._look())
        self.reason.textChanged.connect(lambda _: self._judge())
        self.cancel.clicked.connect(self.reject)
        self.act.clicked.connect(self.start)
        self._judge()
        self._desk.ask(ListDatasets(), owner=self, then=self._list, failed=self._fail)

    def _build(self) -> None:
        form, below = Form(), Form()
        form.add("Dataset", self.dataset)
        below.add("Numbers by site too", self.by)
        below.add("Why it is opened", self.reason)
        for part in (self.work, self.about, self.map):  # until there is something to show
            part.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        runs = wording.listed(self._runs)
        column.addWidget(Label("Test on another dataset", "heading2"))
        column.addWidget(Label(f"{runs}. {_EXPLAINED}", "muted"))
        column.addWidget(form)
        column.addWidget(self.about)
        self._map_name = Label("Label map: which of our classes each of theirs is", "muted")
        column.addWidget(self._map_name)
        column.addWidget(self.map, 1)
        column.addWidget(below)
        column.addWidget(self.notice)
        column.addWidget(self.work)
        column.addLayout(end_row(self.cancel, self.act))

    def _list(self, answer: DatasetList) -> None:
        self.dataset.blockSignals(True)
        for one in answer.datasets:
            text = f"{one.name} ({one.id}), {one.n_samples:,} images"
            self.dataset.addItem(one_line(text, 160), one.id)
        self.dataset.setCurrentIndex(-1)
        self.dataset.setPlaceholderText("Choose a dataset" if answer.datasets else "No dataset")
        self.dataset.blockSignals(False)
        self._judge()

    def _look(self) -> None:
        """Another dataset was chosen."""
        self._facts = None
        self.notice.hide()
        name = self.dataset.currentData()
        if isinstance(name, str):
            self._looking.ask(LookAtSite(self._runs, name), self._show, self._fail)
        self._judge()

    def _show(self, facts: SiteFacts) -> None:
        self._facts = facts
        body = QWidget()
        self.map.setWidget(body)
        rows = QFormLayout(body)
        rows.setContentsMargins(0, 0, SPACE[2], 0)
        rows.setVerticalSpacing(SPACE[1])
        suggested = dict(facts.suggested)
        self._fields = {}
        for name in facts.theirs:
            options = [(target, target) for target in facts.ours]
            if name not in suggested:  # a class of our own name is that class
                options.insert(0, (_LEFT_OUT, ""))
            field = choice(options, suggested.get(name, ""))
            field.setAccessibleName(f"Our class for {one_line(name, 100)}")
            field.currentIndexChanged.connect(lambda _: self._judge())
            self._fields[name] = field
            rows.addRow(Label(one_line(name, 60), wrap=False), field)
        self.by.clear()
        self.by.addItem("no, all together", "")
        for name in facts.sites:
            self.by.addItem(one_line(f"by {name}", 120), name)
        looks = {0: "never", 1: "once"}.get(facts.journalled, f"{facts.journalled:,} times")
        self.about.setText(f"{facts.images:,} images, opened as an external test {looks} so far.")
        self.about.show()
        if not self.map.isVisibleTo(self):
            self.map.show()
            self.resize(self.width(), max(self.height(), _HEIGHT_PX))
        if facts.obstacles:
            self.notice.tell(" ".join(reason for _, reason in facts.obstacles[:3]), "These runs are left out.")
        self._judge()

    def _possible(self) -> tuple[str, ...]:
        barred = {run for run, _ in self._facts.obstacles} if self._facts is not None else set()
        return tuple(run for run in self._runs if run not in barred)

    def labels(self) -> tuple[tuple[str, str], ...]:
        """The label map as it stands in the fields."""
        return tuple((name, str(field.currentData())) for name, field in self._fields.items() if field.currentData())

    def _judge(self) -> None:
        missing = ""
        if self._ticket is not None:
            missing = "The runs are being tested."
        elif self.dataset.currentData() is None:
            missing = "Choose a dataset first."
        elif self._facts is None:
            missing = "The dataset is being looked at."
        elif not self._possible():
            missing = "None of these runs can be tested on it."
        elif len({target for _, target in self.labels()}) < 2 <= len(self._facts.ours):
            missing = "Say of two of our classes which of theirs they are."
        elif not self.reason.text().strip():
            missing = "Write down why it is opened."
        self._map_name.setVisible(bool(self._fields))
        disable(self.act, missing)

    def start(self) -> None:
        """Open the dataset and test the runs on it."""
        name, reason = str(self.dataset.currentData()), " ".join(self.reason.text().split())
        ask = TestOnSite(self._possible(), name, reason, self.labels(), str(self.by.currentData() or ""))
        self.notice.hide()
        self.work.tell("The worker is starting")
        self.work.show()
        self._ticket = self._desk.ask(ask, owner=self, then=self._done, failed=self._fail, progress=self._progress)
        self.work.on_cancel(self._ticket.cancel)
        self._judge()

    def _progress(self, news: Progress) -> None:
        self.work.tell(news.text, news.total, news.done, news.seconds_left)

    def _done(self, answer: SiteTested) -> None:
        self._ticket = None
        self.work.hide()
        if answer.runs:
            self.tested.emit(answer)
        if answer.refused:
            said = "\n".join(f"{run}: {window_words(reason)}" for run, reason in answer.refused[:3])
            self.notice.tell(said, role="bad")
            self._judge()
        else:
            self.accept()

    def _fail(self, error: MedfmError) -> None:
        self._ticket = None
        self.work.hide()
        self.notice.tell_failure(error, "The test was stopped.", "The look stays written down in the journal.")
        self._judge()

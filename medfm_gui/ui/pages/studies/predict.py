"""The right column: choose finished runs, let them score what is open, read their answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QComboBox, QPushButton, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.asks.runs import RunList as RunsThere
from medfm_gui.desk.asks.settings import SettingsView
from medfm_gui.desk.asks.studies import EarlierPrediction, EarlierPredictions, PredictionView, RunSaid, SeriesKey
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.explain import EXPLANATIONS
from medfm_gui.ui import icons
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.studies import wording
from medfm_gui.ui.pages.studies.explaining import ExplanationChoice
from medfm_gui.ui.pages.studies.neighbours import NeighbourPanel, has_nearest
from medfm_gui.ui.pages.studies.overlay import HeatPanel
from medfm_gui.ui.pages.studies.results import Answers
from medfm_gui.ui.pages.studies.runs import RunChoices, RunList
from medfm_gui.ui.pages.studies.work import Work
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.viewer.viewer import Viewer
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.table import ROW_PX
from medfm_gui.ui.widgets.text import Label, tip, tip_text
from medfm_gui.ui.widgets.tree import DataList

_RUNS = "studies.runs"
_EXPLAIN = "studies.explanation"
_SETS = "studies.class_sets"
_MOST_ROWS = 4
_ROOT = QModelIndex()


class PredictPanel(QScrollArea):
    """Runs, the button, progress, answers, heat map, earlier predictions.

    Signals:
        wanted(): predict what is open.
        cancelled(): the prediction under way is wanted no more.
        earlier_wanted(str): show an earlier prediction.
        heat_made(HeatPanel): the controls of the overlay are there now.
        similar_kept(str, str): a run has training images to compare with now; the prediction from which that was asked.
    """

    wanted = Signal()
    cancelled = Signal()
    earlier_wanted = Signal(str)
    heat_made = Signal(object)
    similar_kept = Signal(str, str)

    def __init__(self, context: Context, viewer: Viewer) -> None:
        super().__init__()
        self._context = context
        self._n_series = 1
        self._key: SeriesKey | None = None
        self._is_busy = False
        self._has_runs = False
        self._offers_sets = False
        self.choices = RunChoices(self)
        self.runs = RunList(self.choices)
        self.no_runs = Label("No run is finished yet. A finished run is what answers here.", "muted")
        self.train = QPushButton("New training")
        self.scope = QComboBox()
        self.explain = ExplanationChoice()
        self.sets = Switch("Sets of classes")
        self.button = QPushButton("Predict")
        self.reason = Label("", "caption")
        self.work = Work(self.cancelled.emit)
        self.notice = Notice()
        self.answers = Answers()
        self._heat = Deferred(partial(self._make_heat, viewer))
        self._neighbours = Deferred(partial(NeighbourPanel, context, self.similar_kept.emit))
        self.earlier = EarlierPanel()
        self._build()
        self._connect()
        self.tell()

    def _build(self) -> None:
        memory = self._context.memory
        self.scope.addItems(["This series", "Whole study"])
        self.scope.setAccessibleName("What is scored")
        self.explain.choose(str(memory.get(_EXPLAIN, EXPLANATIONS[0].name)))
        self.sets.setChecked(memory.get(_SETS, True) is True)
        tip(self.sets, "Beside the highest class those that cannot be left out; at most one in ten of each class is.")
        self.button.setProperty("role", "primary")
        self.button.setAccessibleName("Predict")
        icons.put(self.train, "train")
        ask = Panel("Predict")
        for widget in (
            self.runs, self.no_runs, self.train, self.scope, self.explain, self.sets, self.button, self.reason,
            self.work,
        ):  # fmt: skip
            ask.add(widget)
        inside = QWidget()
        inside.setProperty("role", "page")
        self.setWidget(inside)  # before it is filled: it is measured and styled at once
        self.setWidgetResizable(True)
        column = QVBoxLayout(inside)
        column.setContentsMargins(SPACE[3], SPACE[4], SPACE[4], SPACE[4])
        column.setSpacing(SPACE[2])
        for part in (ask, self.notice, self.answers, self._heat, self._neighbours, self.earlier):
            column.addWidget(part)
        column.addStretch(1)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Predict")
        self.scope.hide()
        self._heat.hide()
        self._neighbours.hide()
        self.earlier.hide()

    def _make_heat(self, viewer: Viewer, place: QWidget) -> HeatPanel:
        panel = HeatPanel(viewer, place)
        self.heat_made.emit(panel)
        return panel

    def _connect(self) -> None:
        self.choices.changed.connect(self._ticked)
        self.explain.changed.connect(lambda name: self._context.memory.put(_EXPLAIN, name))
        self.sets.toggled.connect(lambda on: self._context.memory.put(_SETS, on))
        self.button.clicked.connect(self.wanted)
        self.train.clicked.connect(lambda: self._context.go("train"))
        self.earlier.chosen.connect(self.earlier_wanted)

    def fill_runs(self, answer: RunsThere) -> None:
        """Offer these runs; the ticks of the last time stay, at first the newest run has one."""
        fresh = not self._has_runs
        self.choices.fill(answer.runs)
        self._has_runs = self.choices.rowCount() > 0
        if fresh and self._has_runs:
            kept = self._context.memory.get(_RUNS, [])
            self.choices.tick(map(str, kept) if isinstance(kept, list) else ())
            if not self.choices.ticked:
                self.choices.tick([str(self.choices.index(0).data(RunChoices.ID))])
        self.tell()

    def set_open(self, key: SeriesKey | None, n_series: int = 1) -> None:
        """What is on screen: the study of it is what can be scored."""
        if key is None or self._key is None or (key.study, key.path) != (self._key.study, self._key.path):
            self.answers.show_prediction(None)
            self.show_explanations(())
            self.earlier.fill(())
            self.notice.hide()
        self._key = key
        self._n_series = n_series
        self.tell()

    @property
    def key(self) -> SeriesKey | None:
        """What is on screen."""
        return self._key

    @property
    def target(self) -> SeriesKey | None:
        """What would be scored: the file, the series, or all of the study."""
        if self._key is None or self._key.path:
            return self._key
        whole = not self.scope.isHidden() and self.scope.currentIndex() == 1
        return SeriesKey(self._key.study, "" if whole else self._key.series)

    @property
    def obstacle(self) -> str:
        """Why nothing can be predicted now; empty if it can."""
        if self._context.is_read_only:
            return "This workspace is open read-only: predictions cannot be kept in it."
        if not self._has_runs:
            return "No run is finished yet."
        if self._key is None:
            return "Open a series or a picture first."
        if not self.choices.ticked:
            return "Tick at least one run."
        return "A prediction is under way." if self._is_busy else ""

    def tell(self) -> None:
        """Offer what can be done, and say why not."""
        for widget in (self.runs, self.explain, self.button):
            widget.setVisible(self._has_runs)
        self.scope.setVisible(self._has_runs and self._n_series > 1)
        self.sets.setVisible(self._offers_sets and self._has_runs and self.choices.tells_classes_apart)
        self.no_runs.setVisible(not self._has_runs)
        self.train.setVisible(not self._has_runs)
        obstacle = self.obstacle
        self.button.setEnabled(not obstacle)
        tip(self.button, obstacle or "Let the ticked runs score it (P)")
        self.reason.setText(obstacle)
        self.reason.setVisible(bool(obstacle) and self._has_runs and not self._is_busy)

    def take_settings(self, seen: SettingsView) -> None:
        """Sets of classes are offered where the settings say so."""
        self._offers_sets = seen.class_sets
        self.tell()

    @property
    def wants_sets(self) -> bool:
        """Whether sets of classes are asked for, where they are offered at all."""
        return not self.sets.isHidden() and self.sets.isChecked()

    def show_progress(self, progress: Progress | None) -> None:
        """How far a prediction is; None when none is under way."""
        self._is_busy = progress is not None
        self.work.tell(progress)
        self.tell()

    def show_prediction(self, view: PredictionView) -> None:
        """Its answers."""
        self.notice.hide()
        self.answers.show_prediction(view, f"Answers · {wording.when(view.created)}")
        self.earlier.mark(view.id)

    def show_explanations(self, said: Sequence[RunSaid]) -> None:
        """What explains the answers about one image: maps, and the nearest training images."""
        has_map = any(one.has_map for one in said)
        if has_map or self._heat.made is not None:
            self.heat.set_answers(said)
        self._heat.setVisible(has_map)
        has_near = any(has_nearest(one, self._context) for one in said)
        if has_near or self._neighbours.made is not None:
            self.neighbours.set_answers(said)
        self._neighbours.setVisible(has_near)

    @property
    def heat(self) -> HeatPanel:
        """The controls of the overlay."""
        return self._heat.part

    @property
    def neighbours(self) -> NeighbourPanel:
        """The training images that voted, or are nearest."""
        return self._neighbours.part

    def take_earlier(self, answer: EarlierPredictions) -> None:
        """Earlier predictions of what is on screen."""
        self.earlier.fill(answer.predictions)
        if self.answers.view is not None:
            self.earlier.mark(self.answers.view.id)

    def show_error(self, error: MedfmError, button: str, act: Any) -> None:
        """What went wrong, and what helps."""
        self.notice.tell(error.message, error.hint, role="bad", deeds=[(button, act)] if button and act else [])

    def _ticked(self) -> None:
        if self._has_runs and self.choices.rowCount():
            self._context.memory.put(_RUNS, list(self.choices.ticked))
        self.tell()


class EarlierPanel(Panel):
    """Earlier predictions of what is open, newest first; choosing one shows it again.

    Signals:
        chosen(str): the id of a prediction.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__("Earlier predictions")
        self.model = EarlierList(self)
        self.list = DataList("Earlier predictions")
        self.list.setModel(self.model)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.add(self.list)
        self.list.clicked.connect(self._choose)
        self.list.activated.connect(self._choose)

    def fill(self, predictions: tuple[EarlierPrediction, ...]) -> None:
        """Show these; without one the panel is not there."""
        self.model.fill(predictions)
        self.list.setFixedHeight(min(max(len(predictions), 1), _MOST_ROWS) * ROW_PX + 4)
        self.setVisible(bool(predictions))

    def mark(self, prediction: str) -> None:
        """Stand on the one that is shown."""
        for row in range(self.model.rowCount()):
            if self.model.id_at(row) == prediction:
                self.list.setCurrentIndex(self.model.index(row))
                return

    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(self.model.id_at(index.row()))


class EarlierList(QAbstractListModel):
    """When, by how many runs, of how many images."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._predictions: tuple[EarlierPrediction, ...] = ()

    def fill(self, predictions: tuple[EarlierPrediction, ...]) -> None:
        """Show these."""
        if predictions != self._predictions:
            self.beginResetModel()
            self._predictions = predictions
            self.endResetModel()

    def id_at(self, row: int) -> str:
        """The prediction of a row."""
        return self._predictions[row].id

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        """Predictions."""
        return 0 if parent.isValid() else len(self._predictions)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A line; the runs as tip."""
        if not index.isValid() or index.row() >= len(self._predictions):
            return None
        one = self._predictions[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return "  ·  ".join(wording.earlier(one))
        return tip_text("\n".join(one.runs[:20])) if role == Qt.ItemDataRole.ToolTipRole else None

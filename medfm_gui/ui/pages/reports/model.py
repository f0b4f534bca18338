"""Reports and runs as rows of lists, and the words of this page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from medfm_gui.desk.asks.reports import ReportItem
from medfm_gui.desk.asks.runs import RunItem
from medfm_gui.domain.report import Part
from medfm_gui.domain.units import counted
from medfm_gui.ui.widgets.text import one_line, shown, tip_text

Index = QModelIndex | QPersistentModelIndex
LINE: Final = int(Qt.ItemDataRole.UserRole)
MORE: Final = LINE + 1
FAMILY: Final = LINE + 2
PLACE: Final = LINE + 3
_LONGEST: Final = 200
_NAMED: Final = 4

HOLDS: Final[Mapping[Part, str]] = {
    Part.DATA: "Dataset, classes, images and patients",
    Part.SPLIT: "How it was divided; what the leak gate found",
    Part.MODELS: "Backbones, weights, licences and every setting",
    Part.RESULTS: "Numbers with intervals, ROC, confusion",
    Part.CALIBRATION: "Intercept and slope of the probabilities",
    Part.COMPARISON: "Differences to the reference, paired tests",
    Part.FOLDS: "Mean over folds, each fold, spread; of runs of folds",
    Part.EXTERNAL: "Runs on other datasets, as they are and recalibrated",
    Part.SUBGROUPS: "By declared covariates, or those you choose",
    Part.LADDER: "Numbers against parameters, minutes, memory and labels",
    Part.CURVES: "Loss over the epochs of every run",
    Part.EXAMPLES: "Four test images chosen by rule, with Grad-CAM",
    Part.FAILURES: "Errors by class and covariate, surest mistakes",
    Part.LIMITATIONS: "What the stored facts show to be limited",
    Part.CARD: "Each model in short: use, data, numbers",
    Part.CHECKLISTS: "CLAIM, TRIPOD+AI, STARD-AI: what the run fills",
    Part.PROVENANCE: "Hashes, devices, every opening of the test",
}
"""What each section holds, in a line."""
CONSENT: Final = "Pictures of cases may be shown"
ATTACHED: Final = "Attached files"
ATTACHED_HOLD: Final = "Orders, results, split, each prediction, charts; no patients"


def when(iso: str) -> str:
    """A stored time on this computer's clock: ``22 Nov 2026, 06:35``."""
    try:
        moment = datetime.strptime(iso, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).astimezone()
    except ValueError:
        return one_line(iso, 40)
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def size(amount: int) -> str:
    """Bytes of a file: ``0.5 MB``."""
    return f"{amount / 1e6:.1f} MB" if amount >= 1e5 else f"{max(round(amount / 1e3), 1)} kB"


def named(runs: Sequence[str]) -> str:
    """The first runs by id, and how many more."""
    more = len(runs) - _NAMED
    return ", ".join(runs[:_NAMED]) + (f" and {more} more" if more > 0 else "")


class ReportsModel(QAbstractListModel):
    """Written reports, newest first: title, and two lines of what they are."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: tuple[ReportItem, ...] = ()

    def fill(self, items: Sequence[ReportItem]) -> None:
        """Show other reports; ``items`` come oldest first."""
        self.beginResetModel()
        self._items = tuple(reversed(items))
        self.endResetModel()

    def item(self, row: int) -> ReportItem | None:
        """The report of a row."""
        return self._items[row] if 0 <= row < len(self._items) else None

    def row_of(self, report: str) -> int:
        """Where a report stands; -1 if it does not."""
        return next((place for place, item in enumerate(self._items) if item.row.id == report), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many there are."""
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Title, lines, tooltip, and all of it in words for a screen reader."""
        item = self._items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(item.row.title, _LONGEST)
        if role == LINE:
            return f"{when(item.row.created)} · {counted(item.row.pages, 'page')}"
        if role == MORE:
            return "File not found" if item.is_missing else one_line(named(item.row.runs), _LONGEST)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(f"{item.row.title}\n{item.row.path}")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            told = f"{item.row.title}, {when(item.row.created)}, {named(item.row.runs)}"
            return shown(told + (", file not found" if item.is_missing else ""), _LONGEST)
        return None


class RunsModel(QAbstractListModel):
    """Runs that a report can be made of, newest first, with a tick each. The order of ticking counts: the first
    is the reference.

    Signals:
        chosen_changed(): other runs are ticked, or in another order.
    """

    chosen_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: tuple[RunItem, ...] = ()
        self._chosen: list[str] = []

    @property
    def chosen(self) -> tuple[str, ...]:
        """The ticked runs, the reference first."""
        return tuple(self._chosen)

    def item(self, row: int) -> RunItem | None:
        """The run of a row."""
        return self._items[row] if 0 <= row < len(self._items) else None

    def row_of(self, run: str) -> int:
        """Where a run stands; -1 if it does not."""
        return next((place for place, item in enumerate(self._items) if item.row.id == run), -1)

    def fill(self, items: Sequence[RunItem]) -> bool:
        """Show these runs; ``items`` come oldest first. True where ticked ones went away or changed."""
        listed = tuple(item for item in reversed(items) if item.is_opened or item.row.id in self._chosen)
        there = {item.row.id: item.is_opened for item in listed}
        before = {item.row.id: item.is_opened for item in self._items}
        ticked, self._chosen = self._chosen, [run for run in self._chosen if run in there]
        if listed != self._items:
            self.beginResetModel()
            self._items = listed
            self.endResetModel()
        changed = ticked != self._chosen or any(before.get(run, opened) != opened for run, opened in there.items())
        if changed:
            self.chosen_changed.emit()
        return changed

    def choose(self, runs: Sequence[str]) -> None:
        """Tick exactly these, in this order, also ones whose test is still sealed once they are filled in."""
        wanted = list(dict.fromkeys(runs))
        if wanted != self._chosen:
            self._chosen = wanted
            self._tell()

    def make_reference(self, run: str) -> None:
        """Put a run first; ticks it where it is not."""
        self.choose((run, *(one for one in self._chosen if one != run)))

    def obstacle(self, item: RunItem) -> str:
        """Why a run cannot stand in the report beside the reference; empty if it can."""
        if not item.is_opened:
            return "Its test is sealed"
        first = next((one for one in self._items if self._chosen and one.row.id == self._chosen[0]), None)
        if first is None or first.row.id == item.row.id:
            return ""
        other = first.row.dataset_fingerprint != item.row.dataset_fingerprint or first.row.task != item.row.task
        return "Another dataset than the reference" if other else ""

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many there are."""
        return 0 if parent.isValid() else len(self._items)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """A run that cannot be added is shown and cannot be ticked; a ticked one can always be taken out."""
        item = self._items[index.row()]
        able = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        if item.row.id in self._chosen or not self.obstacle(item):
            return able | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable
        return able

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Title, line, tick, marker and place."""
        item = self._items[index.row()]
        run = item.row.id
        ticked = run in self._chosen
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(f"{run}  {item.title}", _LONGEST)
        if role == LINE:
            return one_line(self.obstacle(item) or item.dataset or item.row.dataset, _LONGEST)
        if role == FAMILY:
            return item.row.family
        if role == PLACE:
            return self._chosen.index(run) if ticked else -1
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(f"{run} {item.title}\n{item.dataset}\n{self.obstacle(item)}".strip())
        if role == Qt.ItemDataRole.AccessibleTextRole:
            place = "reference, " if self._chosen[:1] == [run] else ""
            return shown(f"{place}{run} {item.title}, {self.obstacle(item) or item.dataset}", _LONGEST)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick or take out."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        run = self._items[index.row()].row.id
        if Qt.CheckState(value) is Qt.CheckState.Checked:
            self.choose((*self._chosen, run))
        else:
            self.choose([one for one in self._chosen if one != run])
        return True

    def _tell(self) -> None:
        if self._items:
            self.dataChanged.emit(self.index(0), self.index(len(self._items) - 1))
        self.chosen_changed.emit()

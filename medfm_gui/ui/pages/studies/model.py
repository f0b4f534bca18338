"""The tree of patients, studies and series, and of pictures that belong to none. It grows while a folder is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from medfm_gui.desk.asks.studies import SeriesKey
from medfm_gui.store.rows import StudyRow
from medfm_gui.ui.pages.studies import wording
from medfm_gui.ui.pages.studies.nodes import Forest, Node, renumber
from medfm_gui.ui.widgets.text import tip_text

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()

CAPTION = Qt.ItemDataRole.UserRole + 1
"""The second line of a row."""


class StudyTree(QAbstractItemModel):
    """Patient → study → series, one column. Patients have names only while identity is shown."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.forest = Forest()
        self._identity_shown = False

    @property
    def count(self) -> int:
        """Studies and pictures, whatever the filter hides."""
        return len(self.forest.studies) + len(self.forest.pictures)

    def fill(self, studies: Iterable[StudyRow]) -> None:
        """Show these studies instead; the pictures stay. Where all rows would say the same, nothing moves."""
        before = {uid: _shown(study) for uid, study in self.forest.studies.items()}
        self.forest.keep(studies)
        if before != {uid: _shown(study) for uid, study in self.forest.studies.items()}:
            self._rebuild()

    def put(self, study: StudyRow) -> None:
        """A study that is new or has grown."""
        forest = self.forest
        known, node = forest.studies.get(study.uid), forest.study_node(study.uid)
        if known is not None and _shown(known) == _shown(study):
            return
        forest.put_first(study)
        if node is None:
            if forest.passes(study):
                self._insert(study)
        elif known is not None and [one.uid for one in known.series] == [
            one.uid for one in study.series[: len(known.series)]
        ]:
            self._grow(node, study)
        else:
            self._rebuild()  # rare: series came to stand in another order

    def set_pictures(self, paths: Sequence[str]) -> None:
        """Show these pictures, before the studies; none takes them out."""
        self.forest.pictures = tuple(dict.fromkeys(paths))
        self._rebuild()

    def set_filter(self, text: str) -> None:
        """Show only what holds these letters."""
        wanted = text.strip().casefold()
        if wanted != self.forest.filter:
            self.forest.filter = wanted
            self._rebuild()

    def set_identity_shown(self, shown: bool) -> None:
        """Name patients, or not; a hidden name is not found by the filter either."""
        if shown == self._identity_shown:
            return
        self._identity_shown = self.forest.names_count = shown
        if self.forest.filter:
            self._rebuild()
        elif self.forest.top:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.forest.top) - 1, 0))

    def node(self, index: Index) -> Node | None:
        """The row behind an index."""
        return self.forest.node(int(index.internalId())) if index.isValid() else None

    def index_of(self, key: SeriesKey) -> QModelIndex:
        """Where a series, a study (no ``series``) or a picture stands; invalid where it is not, or is filtered."""
        return self.index_of_node(self.forest.find(key))

    def index(self, row: int, column: int, parent: Index = _ROOT) -> QModelIndex:
        """A row below another."""
        forest = self.forest  # asked for every row of a long list when it is laid out
        rows = forest.children(forest.node(parent.internalId())) if parent.isValid() else forest.top
        if column == 0 and 0 <= row < len(rows):
            return self.createIndex(row, 0, rows[row].number)
        return QModelIndex()

    def parent(self, index: Index = _ROOT) -> Any:
        """The row above."""
        node = self.node(index)
        return self.index_of_node(node.parent if node is not None else None)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Rows below a row."""
        return len(self.forest.children(self.node(parent)))

    def columnCount(self, parent: Index = _ROOT) -> int:
        """One."""
        return 1

    def hasChildren(self, parent: Index = _ROOT) -> bool:
        """Known without making them."""
        if not parent.isValid():
            return bool(self.forest.top)
        node = self.forest.node(parent.internalId())
        return node is not None and node.has_children

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words of a row; names of patients only where they may be shown."""
        node = self.node(index)
        if node is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return wording.title(node, identity_shown=self._identity_shown)
        if role == CAPTION:
            return wording.caption(node, identity_shown=self._identity_shown)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            words = [
                wording.title(node, identity_shown=self._identity_shown),
                wording.caption(node, identity_shown=self._identity_shown),
                *(wording.line(warning) for warning in node.warnings[:8]),
            ]
            return tip_text("\n".join(words)) if role == Qt.ItemDataRole.ToolTipRole else ", ".join(words)
        return None

    def index_of_node(self, node: Node | None) -> QModelIndex:
        """Where a row stands; the root for none."""
        return self.createIndex(node.row, 0, node.number) if node is not None else QModelIndex()

    def _rebuild(self) -> None:
        self.beginResetModel()
        self.forest.build()
        self.endResetModel()

    def _insert(self, study: StudyRow) -> None:
        """First of its patient, who is the first of all where new."""
        forest = self.forest
        patient = forest.patient_node(study.patient)
        if patient is None:
            at = sum(node.kind == "pictures" for node in forest.top)
            patient = forest.new_patient(study.patient)
            patient.studies.append(study)
            self.beginInsertRows(QModelIndex(), at, at)
            forest.top.insert(at, patient)
            renumber(forest.top)
        else:
            forest.children(patient)
            self.beginInsertRows(self.index_of_node(patient), 0, 0)
            forest.insert(patient, study)
        self.endInsertRows()

    def _grow(self, node: Node, study: StudyRow) -> None:
        """More series, or more images in those that are there."""
        index, there, wanted = self.index_of_node(node), len(node.children), len(study.series)
        if there and wanted > there:
            self.beginInsertRows(index, there, wanted - 1)
            self.forest.grow(node, study)
            self.forest.add_series(node)
            self.endInsertRows()
        else:
            self.forest.grow(node, study)
            if there:
                self.forest.add_series(node)
        self.dataChanged.emit(index, index)
        if there:
            self.dataChanged.emit(self.index(0, 0, index), self.index(len(node.children) - 1, 0, index))


def _shown(study: StudyRow) -> tuple[object, ...]:
    """What rows say of a study; its folder is not among it."""
    return study.patient, study.date, study.modality, study.description, study.sex, study.age, study.series

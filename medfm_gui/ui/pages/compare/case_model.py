"""Cases of disagreement as a virtual table: picture, unit, reference, gap, then a column a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from medfm_gui.desk.asks.compare import Side
from medfm_gui.ui import theme
from medfm_gui.ui.pages.compare.model import RUN_ROLE, RunMark, name_of
from medfm_gui.ui.pages.compare.pictures import Pictures
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.table import PlainDelegate
from medfm_gui.ui.widgets.text import one_line, tip_text
from medfm_gui.workspace.disagreements import Case, Disagreements

PICTURE_PX = SPACE[-1] + SPACE[2]
PICTURE_ROLE = int(Qt.ItemDataRole.UserRole) + 60
FIXED = ("Image", "Case", "Reference", "Gap")
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_LONGEST = 160
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class CaseTable(QAbstractTableModel):
    """A row a case."""

    def __init__(self, pictures: Pictures, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._cases: tuple[Case, ...] = ()
        self._sides: tuple[Side, ...] = ()
        pictures.arrived.connect(self._seen)

    def fill(self, found: Disagreements, sides: Sequence[Side]) -> None:
        """Show these cases."""
        self.beginResetModel()
        self._cases = found.cases
        self._sides = tuple(side for run in found.runs for side in sides if side.run == run)
        self.endResetModel()

    def case(self, row: int) -> Case | None:
        """The case of a row."""
        return self._cases[row] if 0 <= row < len(self._cases) else None

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Cases."""
        return 0 if parent.isValid() else len(self._cases)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Picture, case, reference, gap, and one a run."""
        return 0 if parent.isValid() else len(FIXED) + len(self._sides)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Names of the columns; runs by their ids."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < self.columnCount():
            return None
        if section < len(FIXED):
            if role == Qt.ItemDataRole.TextAlignmentRole and section == len(FIXED) - 1:
                return _RIGHT
            return FIXED[section] if role == Qt.ItemDataRole.DisplayRole else None
        side = self._sides[section - len(FIXED)]
        if role == Qt.ItemDataRole.DisplayRole:
            return name_of(side)
        return tip_text(f"{side.run} {side.title}") if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, marker, picture or tip of a cell."""
        case = self.case(index.row())
        if case is None:
            return None
        column = index.column()
        if role == PICTURE_ROLE:
            return self._pictures.picture(case.sample) if column == 0 else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column == len(FIXED) - 1 else _LEFT
        if role == RUN_ROLE and column >= len(FIXED):
            return RunMark(self._sides[column - len(FIXED)].family, column - len(FIXED))
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(self._tip(case, column))
        if role == Qt.ItemDataRole.AccessibleTextRole and column == 0:
            return f"Image of {one_line(case.unit, _LONGEST)}"
        return one_line(self._text(case, column), _LONGEST) if role == Qt.ItemDataRole.DisplayRole else None

    def _text(self, case: Case, column: int) -> str:
        if column < len(FIXED):
            images = f", {case.n_images} images" if case.n_images > 1 else ""
            return ("", f"{case.unit}{images}", case.reference, f"{case.gap:.3f}")[column]
        at = column - len(FIXED)
        value = case.probabilities[at]
        told = "not scored" if value is None else f"{value:.3f}"
        return f"{told}  {'✕' if case.wrong[at] else '✓'} {case.decided[at]}"

    def _tip(self, case: Case, column: int) -> str:
        if column < len(FIXED):
            return f"{case.unit}\n{case.place or 'its file is not known'}\nDouble click opens it with heat maps"
        at = column - len(FIXED)
        side = self._sides[at]
        right = "wrong" if case.wrong[at] else "right"
        return f"{side.run} {side.title}\ndecided {case.decided[at]}, which is {right}"

    def _seen(self) -> None:
        if self._cases:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._cases) - 1, 0), [PICTURE_ROLE])


class PictureDelegate(PlainDelegate):
    """Draws the picture of a case on the ground of images."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw one cell."""
        super().paint(painter, option, index)
        shown: Any = option  # its stub names none of the fields
        whole: QRect = shown.rect
        side = min(PICTURE_PX, whole.height() - SPACE[0])
        place = QRect(0, 0, side, side)
        place.moveCenter(whole.center())
        painter.save()
        painter.fillRect(place, QColor(theme.current().image))
        picture = index.data(PICTURE_ROLE)
        if isinstance(picture, QImage) and not picture.isNull():
            target = QRect(place.topLeft(), picture.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio))
            target.moveCenter(place.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(target, picture)
        painter.restore()

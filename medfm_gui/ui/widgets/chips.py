"""Chips: a run of a comparison by marker, colour and name, with a cross that takes it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui import theme as themes
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets import marks
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.text import Label, one_line, tip

_WIDEST_PX = SPACE[-1] * 9
_SMALL_ICON_PX = SPACE[2]


@dataclass(frozen=True, slots=True)
class Chip:
    """What a chip shows: ``key`` comes back in the signal, ``colour`` is the place in the theme's series."""

    key: str
    text: str
    family: str
    colour: int


class Marker(QWidget):
    """The marker of a model family in the colour of a run."""

    def __init__(self, family: str, colour: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._family = family
        self._colour = colour
        self.setFixedSize(SPACE[3], SPACE[3])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the marker in the present theme."""
        series = themes.current().series
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(series[self._colour % len(series)]))
        middle = QPointF(self.width() / 2, self.height() / 2)
        pierced = self._colour >= len(series)  # its colour was there before
        painter.drawPath(marks.path(self._family, middle, self.width() * 0.32, pierced=pierced))


class RunChip(QFrame):
    """One run as a chip.

    Signals:
        removed(str): the cross was pressed on the chip of that key.
    """

    removed = Signal(str)

    def __init__(self, chip: Chip, removable: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chip = chip
        self.setProperty("role", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setMaximumWidth(_WIDEST_PX)
        self.setAccessibleName(one_line(chip.text, 200))
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[1], 0, 0 if removable else SPACE[1], 0)
        row.setSpacing(SPACE[0])
        row.addWidget(Marker(chip.family, chip.colour))
        row.addWidget(Label(chip.text, elide=Qt.TextElideMode.ElideMiddle), 1)
        if not removable:
            return
        cross = QToolButton()
        cross.setProperty("role", "small")
        cross.setIcon(icons.icon("close", "muted"))
        cross.setIconSize(QSize(_SMALL_ICON_PX, _SMALL_ICON_PX))
        cross.setAccessibleName(f"Remove {one_line(chip.text, 200)}")
        tip(cross, "Remove")
        cross.clicked.connect(lambda: self.removed.emit(chip.key))
        row.addWidget(cross)


class ChipRow(QWidget):
    """Chips side by side, wrapping.

    Signals:
        removed(str): the chip of that key shall go; the owner sets the rest.
    """

    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flow = FlowLayout(self)

    def set_chips(self, chips: Sequence[Chip], removable: bool = True) -> None:
        """Show these chips instead."""
        self._flow.clear()
        for chip in chips:
            shown = RunChip(chip, removable)
            shown.removed.connect(self.removed)
            self._flow.addWidget(shown)
        self.updateGeometry()

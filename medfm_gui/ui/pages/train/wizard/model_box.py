"""A check box for one model that draws its facts in columns at its right: one widget a line, however many models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QStyle, QStyleOptionButton, QWidget

from medfm_gui.domain.cards import WeightsState
from medfm_gui.ui import theme as themes
from medfm_gui.ui.pages.train.fit import Fit
from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.text import escape_mnemonic, tip
from medfm_gui.workspace.models import Model

STATES: Final = {
    WeightsState.PRESENT: ("ready", "good"),
    WeightsState.BUNDLED: ("built in", "good"),
    WeightsState.ABSENT: ("no weights", "warning"),
    WeightsState.IMPORTING: ("being brought in", "warning"),
}
_LINE_PX: Final = SPACE[4] + SPACE[0]
_COLUMNS_PX: Final = (SPACE[-1] * 2 - SPACE[0], SPACE[-1] * 2 - SPACE[0], SPACE[-1] * 3 - SPACE[0], SPACE[-1] * 3)
"""Of parameters, input size, fit and weights, from left to right."""
_TITLE_PX: Final = SPACE[-1] * 5
"""A title has at least so much; what then has no room is left out, the input size first, then fit and parameters."""
_LEFT_OUT: Final = (1, 1, 0)


class ModelBox(QCheckBox):
    """``DINOv2 B/14 … 86.6 M  224 px  fits  ready``. The whole line listens."""

    def __init__(self, model: Model, toggle: Callable[[str, bool], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._title = escape_mnemonic(model.card.title)
        self.setText(self._title)
        self._model = model
        self._fit = Fit("", "")
        self.setFixedHeight(_LINE_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda chosen: toggle(model.card.name, chosen))
        self._describe()

    def show_fit(self, fit: Fit) -> None:
        """Whether it fits this computer."""
        if fit != self._fit:
            self._fit = fit
            self._describe()
            self.update()

    def sizeHint(self) -> QSize:
        """Room for the title and all columns."""
        return QSize(_TITLE_PX + sum(_COLUMNS_PX), _LINE_PX)

    def minimumSizeHint(self) -> QSize:
        """Room for the title and the state of the weights."""
        return QSize(_TITLE_PX + _COLUMNS_PX[-1], _LINE_PX)

    def hitButton(self, pos: QPoint) -> bool:
        """The whole line is one button."""
        return self.rect().contains(pos)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the title to what the columns leave."""
        super().resizeEvent(event)
        self._shorten()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The check box, then its columns."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setFont(figures_font())
        theme, right = themes.current(), self.width()
        colours = {"good": theme.good, "warning": theme.warn, "bad": theme.bad}
        aligned = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for text, role, width in reversed(self._columns()):
            place = QRect(right - width, 0, width, self.height())
            painter.setPen(QColor(colours.get(role, theme.muted)))
            painter.drawText(place, int(aligned), painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight,
                                                                                   width - SPACE[0]))  # fmt: skip
            right -= width

    def _columns(self) -> list[tuple[str, str, int]]:
        """Those that there is room for, from left to right."""
        card, (state, role) = self._model.card, STATES[self._model.weights.state]
        millions = f"{card.parameters_m:,.1f} M" if card.parameters_m < 100 else f"{card.parameters_m:,.0f} M"
        texts = (
            (millions, ""),
            (f"{card.input_size} px", ""),
            (self._fit.word, self._fit.role),
            (state, role),
        )
        columns = [(*said, width) for said, width in zip(texts, _COLUMNS_PX, strict=True)]
        for place in _LEFT_OUT:
            if _TITLE_PX + sum(width for *_, width in columns) > self.width():
                columns.pop(place)
        return columns

    def _shorten(self) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxContents, option, self).left()
        room = self.width() - sum(width for *_, width in self._columns()) - box - SPACE[1]
        text = self.fontMetrics().elidedText(self._title, Qt.TextElideMode.ElideRight, room)
        if text != self.text():
            self.setText(text)

    def _describe(self) -> None:
        card, state = self._model.card, STATES[self._model.weights.state][0]
        self.setAccessibleName(f"{card.title}, {card.parameters_m:,.1f} million parameters, {state}")
        tip(
            self,
            f"{card.title} ({card.name}): features of length {card.feature_dim}, input a "
            f"{'multiple of ' + str(card.multiple) if card.size_rule == 'multiple' else card.size_rule} size, "
            f"weights: {self._model.weights.source}. {self._fit.sentence}".strip(),
        )

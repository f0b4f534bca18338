"""The ways to explain a score as a field, and what is to be known of the chosen one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from medfm_gui.domain.explain import EXPLANATIONS, ExplanationCard, explanation
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import choice
from medfm_gui.ui.widgets.text import Label, tip_text

NONE = "No heat map"
_SLOW = "Takes"


def title(card: ExplanationCard) -> str:
    """Its name; “not class-specific” stands beside it where that is so."""
    return card.title if card.class_specific else f"{card.title} (not class-specific)"


def title_of(method: str) -> str:
    """The same of a name."""
    card = explanation(method)
    return title(card) if card is not None else method


def method_field(*, with_none: bool) -> QComboBox:
    """A field for one of them; its data are their names, empty for none."""
    options: list[tuple[str, object]] = [(title(card), card.name) for card in EXPLANATIONS]
    field = choice([*options, (NONE, "")] if with_none else options)
    for at, card in enumerate(EXPLANATIONS):
        field.setItemData(at, tip_text(about(card)), 3)  # Qt.ItemDataRole.ToolTipRole
    return field


def about(card: ExplanationCard) -> str:
    """What it shows, and what it costs an image."""
    return f"{card.note} {_SLOW} {card.passes} an image."


class ExplanationChoice(QWidget):
    """A field and a caption.

    Signals:
        changed(str): another way is chosen; empty for none.
    """

    changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.field = method_field(with_none=True)
        self.field.setAccessibleName("Heat maps")
        self.caption = Label("", "caption")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addWidget(Label("Heat maps", "muted"))
        column.addWidget(self.field)
        column.addWidget(self.caption)
        self.field.currentIndexChanged.connect(self._tell)
        self._tell()

    @property
    def name(self) -> str:
        """The chosen way; empty for none."""
        return str(self.field.currentData())

    def choose(self, name: str) -> None:
        """Choose a way by its name; one that is not known changes nothing."""
        at = self.field.findData(name)
        if at >= 0:
            self.field.setCurrentIndex(at)

    def _tell(self) -> None:
        card = explanation(self.name)
        self.caption.setText(about(card) if card is not None else "")
        self.caption.setVisible(card is not None)
        self.changed.emit(self.name)

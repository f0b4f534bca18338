"""Sentences one below the other, each with a mark: warnings of an import, of a split."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label

_MOST = 40
_MARK_PX = SPACE[3]


class _Note(QWidget):
    """A mark and a sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.mark = Label("", wrap=False)
        self.mark.setFixedWidth(_MARK_PX)
        self.words = Label("", selectable=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[1])
        row.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)


class Notes(QWidget):
    """A list of sentences; beyond forty it says how many more there are."""

    def __init__(self, mark: str = "warning", role: str = "warn", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark, self._role = mark, role
        self._notes: list[_Note] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE[1])

    def set_notes(self, texts: Sequence[str]) -> None:
        """Show these sentences instead."""
        listed = list(texts[:_MOST])
        if len(texts) > _MOST:
            listed.append(f"{len(texts) - _MOST:,} more.")
        while len(self._notes) < len(listed):
            self._notes.append(_Note())
            self._column.addWidget(self._notes[-1])
        ratio = self.devicePixelRatioF()
        picture = icons.pixmap(self._mark, self._role, _MARK_PX, ratio) if listed else QPixmap()
        for note, text in zip(self._notes, listed, strict=False):
            note.words.setText(text)
            note.mark.setPixmap(picture)
        for place, note in enumerate(self._notes):
            note.setVisible(place < len(listed))
        self.setVisible(bool(listed))

    def changeEvent(self, event: QEvent) -> None:
        """Draw the marks in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._notes:
            self.set_notes(self.notes())

    def notes(self) -> list[str]:
        """The sentences that are shown."""
        return [note.words.text() for note in self._notes if not note.isHidden()]

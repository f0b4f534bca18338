"""Buttons that say more than one line: a count of the workspace, a recent workspace."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.text import Label, tip

_ELIDE = Qt.TextElideMode.ElideMiddle


class _Block(QPushButton):
    """A button with words in a layout; as high as they are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "option")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """As its layout wants it."""
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """As its layout needs it."""
        layout = self.layout()
        return layout.minimumSize() if layout is not None else super().minimumSizeHint()


class CountTile(_Block):
    """How many there are of something, and in small what is to be known of them; a click goes there."""

    def __init__(self, title: str, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._count = _through(Label("0", "heading1", wrap=False))
        self._count.setFont(figures_font(self._count.font()))
        self._notes = [_through(Label("", "caption", elide=Qt.TextElideMode.ElideRight)) for _ in range(2)]
        picture = _through(Label())
        picture.setPixmap(icons.pixmap(icon, "muted", ratio=picture.devicePixelRatioF()))
        self._picture, self._icon = picture, icon
        head = QHBoxLayout()
        head.setSpacing(SPACE[1])
        head.addWidget(picture)
        head.addWidget(_through(Label(title, "muted", wrap=False)), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[2], SPACE[2], SPACE[2], SPACE[2])
        column.setSpacing(SPACE[0])
        column.addLayout(head)
        column.addWidget(self._count)
        for note in self._notes:
            column.addWidget(note)

    def tell(self, count: int, first: str, second: str = "") -> None:
        """Show another count and two short lines about it."""
        self._count.setText(f"{count:,}")
        for label, text in zip(self._notes, (first, second), strict=True):
            label.setText(text)
        self.setAccessibleName(f"{self._title}: {count:,}. {first}{f', {second}' if second else ''}")

    def redraw(self) -> None:
        """Draw the icon in the present theme."""
        self._picture.setPixmap(icons.pixmap(self._icon, "muted", ratio=self.devicePixelRatioF()))


class PlaceRow(_Block):
    """A recent workspace: its name and folder, when it was open, and whether it is still there."""

    def __init__(self, name: str, path: str, note: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self._name, self._note_text = name, note
        self._note = _through(Label(note, "caption", wrap=False))
        head = QHBoxLayout()
        head.setSpacing(SPACE[2])
        head.addWidget(_through(Label(name, elide=_ELIDE)), 1)
        head.addWidget(self._note)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[2], SPACE[1], SPACE[2], SPACE[1])
        column.setSpacing(SPACE[0] // 2)
        column.addLayout(head)
        column.addWidget(_through(Label(path, "caption", elide=_ELIDE)))
        tip(self, path)
        self.setAccessibleName(f"Open the workspace {name}")

    def set_state(self, state: str) -> None:
        """Say what is in the folder now; only a workspace can be opened."""
        words = {
            "workspace": self._note_text,
            "gone": "not there now",
            "empty": "empty now",
            "other": "no workspace now",
        }
        self._note.setText(words.get(state, self._note_text))
        self._note.set_role("caption" if state == "workspace" else "warning")
        self.setEnabled(state == "workspace")


def _through(label: Label) -> Label:
    """Words on a button do not take its clicks."""
    label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    return label

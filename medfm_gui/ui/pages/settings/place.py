"""Where weights are kept, how much room there is, and another folder for them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from medfm_gui.desk.asks.settings import MoveWeightsFolder, ReadSettings, SettingsView
from medfm_gui.ui.context import Context
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.text import Label


class WeightsPlace(QWidget):
    """One line and a button.

    Signals:
        moved(): weights are looked for in another folder now.
        failed(MedfmError): they are not, and why.
    """

    moved = Signal()
    failed = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self._words = Label("", "caption", elide=Qt.TextElideMode.ElideMiddle)
        self.button = action("Keep weights elsewhere …", role="quiet")
        self.button.clicked.connect(self._pick)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[1])
        row.addWidget(self._words, 1)
        row.addWidget(self.button)

    def refresh(self) -> None:
        """Ask where it is."""
        self.context.desk.ask(ReadSettings(), owner=self, then=self._take, failed=self.failed.emit)

    def move_to(self, folder: str) -> None:
        """Have weights looked for in another folder; empty for the default."""
        self.context.desk.ask(MoveWeightsFolder(folder), owner=self, then=self._moved, failed=self.failed.emit)

    def _pick(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Folder in which weights are kept")
        if found:
            self.move_to(found)

    def _take(self, seen: SettingsView) -> None:
        free = f" · {seen.weights_free_gb:,.0f} GB free" if seen.weights_free_gb is not None else ""
        self._words.setText(f"Kept in {seen.weights_dir}{free}")
        disable(self.button, "MEDFM_WEIGHTS names this folder." if seen.is_weights_dir_locked else "")

    def _moved(self, seen: SettingsView) -> None:
        self._take(seen)
        self.moved.emit()

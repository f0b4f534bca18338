"""The end of a worker's log: plain text of bounded length that follows what is printed."""

from __future__ import annotations

from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from medfm_gui.desk.asks.runs import LogText
from medfm_gui.ui.theme import SPACE, code_font
from medfm_gui.ui.widgets.text import Label, shown

_LONGEST = 300_000


class LogView(QWidget):
    """Shows lines and stays at the end while a reader has not scrolled up."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption = Label("", "caption")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setUndoRedoEnabled(False)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(code_font())
        self.text.setAccessibleName("Log of the worker")
        self.text.setTabChangesFocus(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE[1], 0, 0)
        column.setSpacing(SPACE[0])
        column.addWidget(self.text, 1)
        column.addWidget(self._caption)
        self._said = ""

    def tell(self, log: LogText) -> None:
        """Show the end of a log."""
        said = shown(log.text, _LONGEST)
        if said != self._said:
            self._said = said
            bar = self.text.verticalScrollBar()
            at_end = bar.value() >= bar.maximum() - 2
            self.text.setPlainText(said)
            if at_end:
                bar.setValue(bar.maximum())
        if not said:
            self._caption.setText("The worker has printed nothing.")
        else:
            lines = said.count("\n") + 1
            self._caption.setText(f"The last {lines:,} lines of log.txt" if log.is_cut else "The whole of log.txt")

    def clear(self) -> None:
        """Show nothing, for another run."""
        self._said = ""
        self.text.clear()
        self._caption.setText("")

"""Tables that are brought in: opens the dialog and passes on what came of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare.bring_in import BringIn


class Imports(QObject):
    """Brings in predictions of other systems, and reads.

    Signals:
        brought_in(TableImported, bool): a table is in the workspace; whether it holds reads.
    """

    brought_in = Signal(object, bool)

    def __init__(self, context: Context, window: QWidget, run: Callable[[], str]) -> None:
        super().__init__(window)
        self._context, self._window, self._run = context, window, run

    def predictions(self) -> None:
        """Ask for predictions of another system."""
        self.ask(reads=False)

    def reads(self) -> None:
        """Ask for reads of human readers."""
        self.ask(reads=True)

    def ask(self, *, reads: bool) -> None:
        """Open the dialog."""
        dialog = BringIn(self._context, self._run(), reads=reads, parent=self._window)
        dialog.brought_in.connect(lambda answer: self.brought_in.emit(answer, reads))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

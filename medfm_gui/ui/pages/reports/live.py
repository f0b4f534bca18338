"""The preview that follows what a person changes: one question at a time, a moment after the last change."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, Signal

from medfm_gui.desk.asks.reports import PreviewReport, ReportPreview
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.report import Outline
from medfm_gui.ui.bridge import Asks, Ticket
from medfm_gui.ui.later import Later

_WAIT_MS: Final = 400


class Live(QObject):
    """Asks for the report as it would be now; a newer question takes the older one back.

    Signals:
        told(Progress): how far the desk is.
        shown(ReportPreview): pages, first perhaps without heat maps, at last whole.
        failed(MedfmError): why there are none.
    """

    told = Signal(object)
    shown = Signal(object)
    failed = Signal(object)

    def __init__(self, desk: Asks, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._ticket: Ticket | None = None
        self._number = 0
        self._order: PreviewReport | None = None
        self._later = Later(self._ask, _WAIT_MS, self)
        self.is_drawing = False
        """The pages are shown, and heat maps for them are being drawn."""

    @property
    def is_waiting(self) -> bool:
        """Whether a preview is under way or about to be."""
        return self._ticket is not None or self._later.isActive()

    def again(self, runs: tuple[str, ...], outline: Outline, *, now: bool = False) -> None:
        """Preview this, a moment after the last change or ``now``."""
        self._order = PreviewReport(runs, outline)
        if now:
            self._ask()
        else:
            self._later.again()

    def cancel(self) -> None:
        """No preview is wanted."""
        self._number += 1
        self._later.stop()
        self.is_drawing = False
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def _ask(self) -> None:
        if self._order is None:
            return
        self.cancel()
        number = self._number

        def whole(preview: ReportPreview) -> None:
            if number == self._number:
                self._ticket, self.is_drawing = None, False
                self.shown.emit(preview)

        def part(preview: ReportPreview) -> None:
            if number == self._number:
                self.is_drawing = True
                self.shown.emit(preview)

        def told(news: Progress) -> None:
            if number == self._number:
                self.told.emit(news)

        def refused(error: MedfmError) -> None:
            if number == self._number:
                self._ticket = None
                if not isinstance(error, Interrupted):
                    self.failed.emit(error)
                self.is_drawing = False

        self._ticket = self._desk.ask(self._order, owner=self, then=whole, failed=refused, progress=told, part=part)

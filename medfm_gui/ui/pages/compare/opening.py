"""Opens a case in the viewer, and has the runs explain it there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from medfm_gui.desk.asks.studies import PredictionView, PredictSource, SeriesKey
from medfm_gui.domain.errors import MedfmError, NotFound
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.workspace.disagreements import Case

_MOST_RUNS = 4


class CaseOpener(QObject):
    """Shows the file of a case at once; its heat maps come when they are made.

    Signals:
        failed(MedfmError): it cannot be shown, or not explained.
    """

    failed = Signal(object)

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._predicting = Newest(context.desk, self)

    def open(self, case: Case, runs: Sequence[str]) -> None:
        """Show a case; the first few of the runs explain it."""
        if not case.place:
            self.failed.emit(
                NotFound("Where the images of this dataset lie is not known.", "Import it again from its folder.")
            )
            return
        self._context.go("studies", path=case.place, map=True)
        if self._context.is_read_only or not runs:
            return
        self._context.say("The heat maps of this case are being made.", "info")
        ask = PredictSource(SeriesKey(path=case.place), tuple(runs[:_MOST_RUNS]), "gradcam")
        self._predicting.ask(ask, self._predicted, self._refused)

    def _predicted(self, view: PredictionView) -> None:
        self._context.go("studies", prediction=view.id, map=True)

    def _refused(self, error: MedfmError) -> None:
        self._context.say(f"No heat maps of this case: {error.message}", "warning")
        self.failed.emit(error)

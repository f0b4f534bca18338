"""The switch that narrows images to those that data quality flagged; it looks at them first where nobody did yet."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.curation import ScreenDataset
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.bridge import Asks
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import tip
from medfm_gui.workspace.screening import Screening


class FlaggedSwitch(Switch):
    """On: only flagged images.

    Signals:
        ready(): what is flagged is known, or the switch is off again.
        told(Progress): the images are being looked at.
        failed(MedfmError): they cannot be.
    """

    ready = Signal()
    told = Signal(object)
    failed = Signal(object)

    def __init__(self, desk: Asks, parent: QWidget | None = None) -> None:
        super().__init__("Flagged", parent)
        self._newest = Newest(desk, self)
        self._dataset = ""
        self._samples: tuple[str, ...] | None = None
        self.setAccessibleName("Only images that data quality flagged")
        tip(self, "Only images on the list of “Data quality”: blank, saturated, tiny, inverted, identical …")
        self.setMinimumWidth(self.sizeHint().width())
        self.toggled.connect(self._turned)

    @property
    def samples(self) -> tuple[str, ...] | None:
        """The flagged samples; None where the switch is off and nothing is narrowed."""
        return self._samples if self.isChecked() else None

    def show_dataset(self, dataset: str) -> None:
        """Another dataset, of which nothing is known."""
        self._dataset, self._samples = dataset, None
        self.turn_off()

    def turn_off(self) -> None:
        """Off, without telling anybody."""
        self._newest.cancel()
        self.blockSignals(True)
        self.setChecked(False)
        self.blockSignals(False)

    def _turned(self, on: bool) -> None:
        self._newest.cancel()
        if not on or self._samples is not None:
            self.ready.emit()
            return
        self.told.emit(Progress("Looking at the images"))
        self._newest.ask(ScreenDataset(self._dataset), self._screened, self._refused, self.told.emit)

    def _screened(self, found: Screening) -> None:
        self._samples = found.flagged
        self.ready.emit()

    def _refused(self, error: MedfmError) -> None:
        self.turn_off()
        self.failed.emit(error)

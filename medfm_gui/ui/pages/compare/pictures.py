"""Small pictures of the rows in sight: asked for when seen, cancelled when not, a bounded number kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from medfm_gui.desk.asks.data import Thumbnails, TileSheet
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.bridge import Asks, Ticket
from medfm_gui.ui.pages.datasets.samples import picture_of

_KEPT: Final = 800


class Pictures(QObject):
    """Pictures of samples of one dataset.

    Signals:
        arrived(): some came.
    """

    arrived = Signal()

    def __init__(self, desk: Asks, side: int, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._side = desk, side
        self._dataset = ""
        self._found: OrderedDict[str, QImage] = OrderedDict()
        self._asked: tuple[str, ...] = ()
        self._ticket: Ticket | None = None

    def start(self, dataset: str) -> None:
        """Pictures of another dataset."""
        self._stop()
        if dataset != self._dataset:
            self._found.clear()
        self._dataset = dataset

    def picture(self, sample: str) -> QImage | None:
        """The picture of a sample if it is here; a null image where it cannot be had."""
        return self._found.get(sample)

    def want(self, samples: Sequence[str]) -> None:
        """These are in sight."""
        missing = tuple(one for one in dict.fromkeys(samples) if one not in self._found)
        if not missing or not self._dataset or set(missing) <= set(self._asked):
            return
        self._stop()
        self._asked = missing
        ask = Thumbnails(self._dataset, missing, self._side)
        self._ticket = self._desk.ask(ask, owner=self, then=self._take, failed=self._fail)

    def _take(self, sheet: TileSheet) -> None:
        self._ticket, self._asked = None, ()
        for tile in sheet.tiles:
            self._found[tile.sample] = picture_of(sheet, tile)
        while len(self._found) > _KEPT:
            self._found.popitem(last=False)
        self.arrived.emit()

    def _fail(self, error: MedfmError) -> None:
        if not isinstance(error, Interrupted):
            self._found.update((one, QImage()) for one in self._asked)  # they are not asked for again and again
        self._ticket, self._asked = None, ()

    def _stop(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
        self._ticket, self._asked = None, ()

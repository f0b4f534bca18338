"""Small pictures of series and files: asked for when seen, given up when scrolled away, kept in bounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from medfm_gui.desk.asks.data import Tile, TileSheet
from medfm_gui.desk.asks.studies import FileThumbnails, SeriesThumbnails
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.bridge import Asks, Ticket

_KEPT: Final = 600
_BATCH: Final = 8

Want = tuple[str, str]
"""A study and a place in it (as text), or an empty text and a path."""


@dataclass(slots=True)
class _Batch:
    wants: frozenset[Want]
    ticket: Ticket


class Thumbs(QObject):
    """Pictures by what they show.

    Signals:
        arrived(): pictures came.
    """

    arrived = Signal()

    def __init__(self, desk: Asks, parent: QObject, *, kept: int = _KEPT) -> None:
        super().__init__(parent)
        self._desk = desk
        self._most = kept
        self._kept: OrderedDict[Want, QImage] = OrderedDict()
        self._batches: list[_Batch] = []
        self.side = 80

    def picture(self, want: Want) -> QImage | None:
        """The picture; null where there are no pixels; None where it was not asked for or did not come yet."""
        found = self._kept.get(want)
        if found is not None:
            self._kept.move_to_end(want)
        return found

    def forget(self, study: str) -> None:
        """Pictures of a study that has changed."""
        for want in [one for one in self._kept if one[0] == study]:
            del self._kept[want]

    def want(self, wants: Iterable[Want]) -> None:
        """What is seen now: the rest is given up, and what is missing is asked for."""
        seen = list(dict.fromkeys(wants))
        for batch in [one for one in self._batches if not one.wants & set(seen)]:
            batch.ticket.cancel()
            self._batches.remove(batch)
        asked = {want for batch in self._batches for want in batch.wants}
        missing = [want for want in seen if want not in self._kept and want not in asked]
        for study in dict.fromkeys(want[0] for want in missing):
            of_study = [want for want in missing if want[0] == study]
            for start in range(0, len(of_study), _BATCH):
                self._ask(study, of_study[start : start + _BATCH])

    def _ask(self, study: str, wants: list[Want]) -> None:
        names = tuple(name for _, name in wants)
        ask = SeriesThumbnails(study, tuple(map(int, names)), self.side) if study else FileThumbnails(names, self.side)
        batch = _Batch(frozenset(wants), Ticket(lambda: None))
        self._batches.append(batch)
        batch.ticket = self._desk.ask(
            ask,
            owner=self,
            then=lambda sheet: self._take(batch, study, sheet),
            failed=lambda error: self._fail(batch, error),
        )

    def _take(self, batch: _Batch, study: str, sheet: TileSheet) -> None:
        self._forget_batch(batch)
        for tile in sheet.tiles:
            self._kept[study, tile.sample] = image_of(sheet, tile)
        for want in batch.wants - set(self._kept):
            self._kept[want] = QImage()  # the study has no such series any more
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        self.arrived.emit()

    def _fail(self, batch: _Batch, error: MedfmError) -> None:
        """A row without a picture says enough: opening it tells why."""
        if batch in self._batches:
            self._batches.remove(batch)
            self._kept.update(dict.fromkeys(batch.wants, QImage()))
            self.arrived.emit()

    def _forget_batch(self, batch: _Batch) -> None:
        if batch in self._batches:
            self._batches.remove(batch)


def image_of(sheet: TileSheet, tile: Tile) -> QImage:
    """One picture of a sheet, with bytes of its own; null where there are none."""
    if not tile.rows or not tile.columns:
        return QImage()
    width = tile.columns * tile.channels
    pixels = sheet.payload[tile.offset : tile.offset + tile.rows * width]
    if len(pixels) < tile.rows * width:
        return QImage()
    form = QImage.Format.Format_RGB888 if tile.channels == 3 else QImage.Format.Format_Grayscale8
    return QImage(pixels, tile.columns, tile.rows, width, form).copy()

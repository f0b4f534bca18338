"""The samples of a dataset as rows by number: pages and small pictures come from the desk when they are seen.

However many samples there are, only what is visible is asked for, what was scrolled away is cancelled, and what is
kept is bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from medfm_gui.desk.asks.data import ListSamples, Thumbnails, Tile, TileSheet
from medfm_gui.domain.dataset import Sample
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.store.rows import SampleFilter, SamplePage
from medfm_gui.ui.bridge import Asks, Ticket

PAGE: Final = 200
_PAGES_KEPT = 60
_PICTURES_KEPT = 1500
_BATCH = 16


@dataclass(slots=True)
class _Batch:
    ids: frozenset[str]
    ticket: Ticket


class SampleSource(QObject):
    """Samples of one dataset that pass a filter.

    Signals:
        restarted(): another dataset or filter; nothing is known yet.
        counted(int): how many samples there are.
        arrived(): samples or pictures came.
        failed(MedfmError): a page cannot be had.
        lost(str): pictures were asked for and none of them has pixels; why, in words.
    """

    restarted = Signal()
    counted = Signal(int)
    arrived = Signal()
    failed = Signal(object)
    lost = Signal(str)

    def __init__(self, desk: Asks, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._dataset = ""
        self._only = SampleFilter()
        self._side = 96
        self._total = 0
        self._omits_sealed = False
        self._turn = 0
        self._pages: OrderedDict[int, SamplePage] = OrderedDict()
        self._asked_pages: dict[int, Ticket] = {}
        self._pictures: OrderedDict[str, QImage] = OrderedDict()
        self._batches: list[_Batch] = []

    @property
    def dataset(self) -> str:
        """The id of the dataset; empty before the first."""
        return self._dataset

    @property
    def only(self) -> SampleFilter:
        """The filter in force."""
        return self._only

    @property
    def total(self) -> int:
        """How many samples pass the filter, as far as is known."""
        return self._total

    @property
    def omits_sealed(self) -> bool:
        """Whether images of a sealed test are left out, as the filter would tell their labels."""
        return self._omits_sealed

    @property
    def kept_pictures(self) -> int:
        """How many pictures are held."""
        return len(self._pictures)

    def start(self, dataset: str, only: SampleFilter) -> None:
        """Begin with another dataset or another filter."""
        self.stop()
        if dataset != self._dataset:
            self._pictures.clear()
        self._dataset, self._only, self._total = dataset, only, 0
        self._pages.clear()
        self.restarted.emit()
        if dataset:
            self._ask_page(0)

    def stop(self) -> None:
        """Await nothing more."""
        self._turn += 1
        for ticket in (*self._asked_pages.values(), *(batch.ticket for batch in self._batches)):
            ticket.cancel()
        self._asked_pages.clear()
        self._batches.clear()

    def set_side(self, side: int) -> None:
        """The longer side of the pictures in device pixels."""
        if side != self._side:
            self._side = side
            self._pictures.clear()

    def forget_pictures(self) -> None:
        """Ask again for what is seen: there may be pixels where there were none."""
        self._pictures.clear()
        self.arrived.emit()

    def sample(self, row: int) -> Sample | None:
        """The sample of that number, if it is here."""
        page = self._pages.get(row // PAGE)
        if page is None or row % PAGE >= len(page.samples):
            return None
        return page.samples[row % PAGE]

    def is_hidden(self, row: int) -> bool:
        """Whether the sample of that number is in a sealed test, so that it came without its label."""
        page, sample = self._pages.get(row // PAGE), self.sample(row)
        return page is not None and sample is not None and sample.id in page.hidden

    def picture(self, sample: str) -> QImage | None:
        """The small picture of a sample, if it is here; a null image where it cannot be had."""
        found = self._pictures.get(sample)
        if found is not None:
            self._pictures.move_to_end(sample)
        return found

    def want(self, first: int, last: int) -> None:
        """Rows ``first`` to ``last`` are seen: ask what of them is missing, cancel what is not seen any more."""
        last = min(last, self._total - 1)
        wanted = range(first // PAGE, last // PAGE + 1) if last >= first else range(0)
        for page, ticket in list(self._asked_pages.items()):
            if page not in wanted and self._total:
                ticket.cancel()
                del self._asked_pages[page]
        for page in wanted:
            if page in self._pages:
                self._pages.move_to_end(page)
            elif page not in self._asked_pages:
                self._ask_page(page)
        seen = [found.id for row in range(first, last + 1) if (found := self.sample(row)) is not None]
        self._ask_pictures(seen)

    def _ask_page(self, page: int) -> None:
        turn = self._turn

        def came(value: SamplePage) -> None:
            if turn == self._turn:
                self._asked_pages.pop(page, None)
                self._take_page(page, value)

        def refused(error: MedfmError) -> None:
            if turn == self._turn:
                self._asked_pages.pop(page, None)
                if not isinstance(error, Interrupted):
                    self.failed.emit(error)

        ask = ListSamples(self._dataset, page * PAGE, PAGE, self._only)
        self._asked_pages[page] = self._desk.ask(ask, owner=self, then=came, failed=refused)

    def _take_page(self, page: int, value: SamplePage) -> None:
        self._pages[page] = value
        while len(self._pages) > _PAGES_KEPT:
            self._pages.popitem(last=False)
        self._omits_sealed = value.omits_sealed
        if value.total != self._total or page == 0:
            self._total = value.total
            self.counted.emit(value.total)
        self.arrived.emit()

    def _ask_pictures(self, seen: Sequence[str]) -> None:
        visible = frozenset(seen)
        under_way: set[str] = set()
        for batch in list(self._batches):
            if batch.ids & visible:
                under_way |= batch.ids
            else:
                batch.ticket.cancel()
                self._batches.remove(batch)
        missing = [name for name in seen if name not in self._pictures and name not in under_way]
        parts = [tuple(missing[start : start + _BATCH]) for start in range(0, len(missing), _BATCH)]
        for part in reversed(parts):  # the desk takes the newest question first
            self._ask_batch(part)

    def _ask_batch(self, ids: tuple[str, ...]) -> None:
        side = self._side

        def came(sheet: TileSheet) -> None:
            if self._forget(batch) and side == self._side:
                for tile in sheet.tiles:
                    self._pictures[tile.sample] = picture_of(sheet, tile)
                while len(self._pictures) > _PICTURES_KEPT:
                    self._pictures.popitem(last=False)
                if sheet.tiles and not any(tile.rows for tile in sheet.tiles):
                    self.lost.emit(sheet.tiles[0].message)
                self.arrived.emit()

        def refused(error: MedfmError) -> None:
            if self._forget(batch) and not isinstance(error, Interrupted):
                for name in ids:  # they are not asked for again and again
                    self._pictures[name] = QImage()
                self.lost.emit(error.message)
                self.arrived.emit()

        ask = Thumbnails(self._dataset, ids, side)
        batch = _Batch(frozenset(ids), self._desk.ask(ask, owner=self, then=came, failed=refused))
        self._batches.append(batch)

    def _forget(self, batch: _Batch) -> bool:
        """Whether it was still awaited."""
        if batch not in self._batches:
            return False
        self._batches.remove(batch)
        return True


def picture_of(sheet: TileSheet, tile: Tile) -> QImage:
    """A tile as an image of its own; a null image where it has no pixels."""
    size = tile.rows * tile.columns * tile.channels
    data = sheet.payload[tile.offset : tile.offset + size]
    if not size or len(data) != size or tile.channels not in (1, 3):
        return QImage()
    form = QImage.Format.Format_Grayscale8 if tile.channels == 1 else QImage.Format.Format_RGB888
    return QImage(data, tile.columns, tile.rows, tile.columns * tile.channels, form).copy()

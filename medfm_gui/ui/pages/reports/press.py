"""Keeps pages drawn: those in sight first, old ones until newer ones are ready, none far away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, QSize, QSizeF, Signal
from PySide6.QtGui import QImage

from medfm_gui.ui.pages.reports.volume import Volume

_KEPT_AROUND: Final = 2


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A page as it was drawn last, of which document and how wide."""

    image: QImage
    document: int
    width: int


class Press(QObject):
    """Draws the pages of one document after another.

    Args:
        pixels: how large a page, from 0, shall be drawn now.

    Signals:
        loaded(bool): another document is there; whether the place that was read shall be kept.
        drawn(): a page is ready, or better than before.
    """

    loaded = Signal(bool)
    drawn = Signal()

    def __init__(self, pixels: Callable[[int], QSize], parent: QObject) -> None:
        super().__init__(parent)
        self._pixels = pixels
        self._volume = Volume(self)
        self._volume.drawn.connect(self._take)
        self._next: tuple[bytes, bool] | None = None
        self._drawn: dict[int, _Drawn] = {}
        self._seen: Sequence[int] = ()
        self.document = 0
        """Counts the documents."""

    @property
    def sizes(self) -> tuple[QSizeF, ...]:
        """Width and height of each page in points."""
        return self._volume.sizes

    @property
    def is_settled(self) -> bool:
        """Every page that is wanted is drawn as it should be."""
        return self._next is None and self._wanted() is None

    def print_pages(self, data: bytes, *, keep_place: bool) -> None:
        """Take another PDF, as soon as no page is being drawn."""
        self._next = (data, keep_place)
        if self._volume.is_idle:
            self._replace()

    def image(self, page: int) -> QImage | None:
        """The page as it was drawn last."""
        drawn = self._drawn.get(page)
        return drawn.image if drawn is not None else None

    def want(self, pages: Sequence[int]) -> None:
        """These are in sight: draw what is missing of them, then their neighbours."""
        self._seen = pages
        page = self._wanted()
        if page is not None and self._volume.is_idle:
            self._volume.draw(page, self._pixels(page))

    def _wanted(self) -> int | None:
        if not self._seen:
            return None
        beside = (self._seen[-1] + 1, self._seen[0] - 1)
        for page in (*self._seen, *(page for page in beside if 0 <= page < len(self.sizes))):
            drawn = self._drawn.get(page)
            if drawn is None or (drawn.document, drawn.width) != (self.document, self._pixels(page).width()):
                return page
        return None

    def _replace(self) -> None:
        if self._next is None:
            return
        (data, keep_place), self._next = self._next, None
        self._seen = ()
        self._volume.put(data)
        self.document += 1
        if not keep_place:
            self._drawn.clear()
        self.loaded.emit(keep_place)

    def _take(self, page: int, image: QImage) -> None:
        if self._next is not None:  # waited for this page to be drawn
            self._replace()
            return
        self._drawn[page] = _Drawn(image, self.document, image.width())
        if self._seen:
            low, high = self._seen[0] - _KEPT_AROUND, self._seen[-1] + _KEPT_AROUND
            self._drawn = {place: drawn for place, drawn in self._drawn.items() if low <= place <= high}
        self.drawn.emit()
        self.want(self._seen)

"""Where the pages of a document lie below one another at some zoom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRect, QSize, QSizeF

from medfm_gui.ui.theme import SPACE

GAP_PX: Final = SPACE[3]
_PIXELS_A_POINT: Final = 96 / 72

Anchor = tuple[int, float]
"""A page, and how much of it lies above the view."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Pages in pixels of the whole, which is ``width`` by ``height``; at ``zoom`` 1.0 they are as large as on paper."""

    rects: tuple[QRect, ...] = ()
    width: int = 0
    height: int = 0
    zoom: float = 1.0

    def in_sight(self, top: int, height: int) -> list[int]:
        """The pages of which a part is seen, from 0."""
        bottom = top + height
        return [place for place, rect in enumerate(self.rects) if rect.bottom() >= top and rect.top() <= bottom]

    def page_at(self, line: int) -> int:
        """The page at that height, from 1; 0 where there is none."""
        found = (place for place, rect in enumerate(self.rects, 1) if line <= rect.bottom() + GAP_PX)
        return next(found, len(self.rects))

    def anchor(self, top: int) -> Anchor:
        """What lies at the top of a view."""
        for place, rect in enumerate(self.rects):
            if top < rect.bottom():
                return place, (top - rect.top()) / rect.height()
        return 0, -1.0

    def top_of(self, anchor: Anchor) -> int:
        """The top of a view that shows the same."""
        place, share = anchor
        if place >= len(self.rects) or share <= -1:
            return 0
        rect = self.rects[place]
        return rect.top() + (-GAP_PX if share < 0 else round(share * rect.height()))


def stacked(sizes: Sequence[QSizeF], view: QSize, zoom: float | None) -> Stack:
    """Pages of these sizes in points; without a zoom as wide as the view."""
    widest = max((size.width() for size in sizes), default=1.0) or 1.0
    if zoom is None:
        zoom = max(view.width() - 2 * GAP_PX, 1) / (widest * _PIXELS_A_POINT)
    scale = zoom * _PIXELS_A_POINT
    room = max(view.width(), round(widest * scale) + 2 * GAP_PX)
    top, rects = GAP_PX, []
    for size in sizes:
        width, height = max(round(size.width() * scale), 1), max(round(size.height() * scale), 1)
        rects.append(QRect((room - width) // 2, top, width, height))
        top += height + GAP_PX
    return Stack(tuple(rects), room, top, zoom)

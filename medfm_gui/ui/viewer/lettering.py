"""Words and signs painted over a picture: corners, orientation letters, scale bar, legend. Plain text only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from medfm_gui.ui import theme
from medfm_gui.ui.viewer.facts import Corners, ScaleBar
from medfm_gui.ui.viewer.image import MAP_PROOF, MAP_SCALE, HeatMap
from medfm_gui.ui.viewer.ink import Ink
from medfm_gui.ui.viewer.orientation import Letters

_HALF, _PAD, _GAP = theme.SPACE[0] / 2, theme.SPACE[0], theme.SPACE[1]
_PLAIN = Qt.TextFlag.TextDontClip | Qt.TextFlag.TextSingleLine


def paint_corners(painter: QPainter, pane: QRectF, corners: Corners, bar: ScaleBar | None, ink: Ink) -> list[QRectF]:
    """The four corners; the boxes that the lower two take."""
    inner = pane.adjusted(_GAP, _GAP, -_GAP, -_GAP)
    painter.setFont(ink.small)
    _paint_block(painter, inner, corners.top_left, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, ink)
    _paint_marks(painter, inner, corners.marks, ink)
    left_bottom = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
    right_bottom = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
    left = _paint_block(painter, inner, corners.bottom_left, left_bottom, ink)
    right = _paint_block(painter, inner, corners.bottom_right, right_bottom, ink)
    if bar is not None:
        right = right.united(_paint_scale_bar(painter, inner, right.top(), bar, ink))
    return [left, right]


def paint_letters(painter: QPainter, pane: QRectF, letters: Letters, ink: Ink) -> None:
    """One at the middle of each edge that has one."""
    painter.setFont(ink.letter)
    metrics = QFontMetricsF(ink.letter)
    tall = metrics.height()
    inner = pane.adjusted(_GAP, _GAP, -_GAP, -_GAP)
    for text, across, down in (
        (letters.left, 0.0, 0.5),
        (letters.right, 1.0, 0.5),
        (letters.top, 0.5, 0.0),
        (letters.bottom, 0.5, 1.0),
    ):
        if text:
            wide = metrics.horizontalAdvance(text) + 2 * _PAD
            x = inner.left() + across * (inner.width() - wide)
            y = inner.top() + down * (inner.height() - tall)
            box = QRectF(x, y, wide, tall)
            painter.fillRect(box, ink.plate)
            painter.setPen(ink.text)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter | _PLAIN), text)


def paint_message(painter: QPainter, pane: QRectF, text: str, ink: Ink) -> None:
    """A sentence in the middle, where there is no picture."""
    painter.setFont(theme.body_font())
    painter.setPen(ink.text)
    painter.drawText(
        pane.adjusted(*(2 * _GAP, 2 * _GAP, -2 * _GAP, -2 * _GAP)),
        int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap),
        text,
    )


def paint_legend(painter: QPainter, pane: QRectF, heat: HeatMap, label: str, lower: Sequence[QRectF], ink: Ink) -> None:
    """What the colours mean, and what they do not: between the lower corners if it fits, else above them."""
    painter.setFont(ink.small)
    metrics = QFontMetricsF(ink.small)
    sentences = [text for text in (heat.threshold_note, MAP_SCALE[0].upper() + MAP_SCALE[1:] + ".", MAP_PROOF) if text]
    longest = max(metrics.horizontalAdvance(text) for text in sentences)
    words = min(longest + 2, pane.width() - 4 * _GAP)
    wrapped = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft)
    heights = [metrics.boundingRect(QRectF(0, 0, words, 1e4), wrapped, text).height() for text in sentences]
    line = metrics.height()
    wide, tall = words + 2 * _GAP, 2 * line + sum(heights) + 4 * _PAD
    card = QRectF(pane.center().x() - wide / 2, 0, wide, tall)
    card.moveBottom(pane.bottom() - QFontMetricsF(ink.letter).height() - 2 * _GAP)
    blocked = [box for box in lower if box.adjusted(-_GAP, 0, _GAP, 0).intersects(card)]
    if blocked:
        card.moveBottom(min(box.top() for box in blocked) - _GAP)
    card.moveTop(max(card.top(), pane.top()))  # in a small pane rather over other words than left out
    painter.fillRect(card, ink.plate)
    painter.setPen(ink.text)
    x, y = card.left() + _GAP, card.top() + _PAD
    painter.drawText(QRectF(x, y, words, line), int(_PLAIN), _elided(metrics, label, words))
    y += line + _PAD
    _paint_colour_bar(painter, QRectF(x, y, words, line), heat, metrics, ink)
    y += line + _PAD
    for text, height in zip(sentences, heights, strict=True):
        painter.drawText(QRectF(x, y, words, height + 1), wrapped, text)
        y += height


def paint_cross(painter: QPainter, lines: Sequence[tuple[QPointF, QPointF]], ink: Ink) -> None:
    """Where other planes cut this one."""
    pen = QPen(ink.accent, 1, Qt.PenStyle.DashLine)
    painter.setPen(pen)
    for start, end in lines:
        painter.drawLine(start, end)


def paint_frame(painter: QPainter, pane: QRectF, ink: Ink) -> None:
    """The ring that says where the keyboard goes."""
    wide, tall, thick = pane.width(), pane.height(), float(theme.FOCUS)
    for side in (
        QRectF(0, 0, wide, thick),
        QRectF(0, tall - thick, wide, thick),
        QRectF(0, 0, thick, tall),
        QRectF(wide - thick, 0, thick, tall),
    ):
        painter.fillRect(side, ink.accent)


def paint_progress(painter: QPainter, pane: QRectF, part: float, ink: Ink) -> None:
    """How much of the series is there, as a line along the bottom."""
    painter.fillRect(QRectF(pane.left(), pane.bottom() - _HALF, pane.width() * part, _HALF), ink.accent)


def _paint_block(painter: QPainter, inner: QRectF, lines: Sequence[str], where: Qt.AlignmentFlag, ink: Ink) -> QRectF:
    """Lines in a corner, each at most half as wide as the pane; the box they take."""
    metrics = QFontMetricsF(ink.small)
    most = inner.width() / 2 - theme.SPACE[4]
    shown = [_elided(metrics, line, most) for line in lines]
    wide = max((metrics.horizontalAdvance(line) for line in shown), default=0.0) + 2 * _PAD
    tall = metrics.height() * len(shown)
    x = inner.right() - wide if where & Qt.AlignmentFlag.AlignRight else inner.left()
    y = inner.bottom() - tall if where & Qt.AlignmentFlag.AlignBottom else inner.top()
    box = QRectF(x, y, wide, tall)
    if not shown:
        return box
    painter.fillRect(box, ink.plate)
    painter.setPen(ink.text)
    side = where & Qt.AlignmentFlag.AlignHorizontal_Mask
    for row, line in enumerate(shown):
        place = QRectF(x + _PAD, y + row * metrics.height(), wide - 2 * _PAD, metrics.height())
        painter.drawText(place, int(side | _PLAIN), line)
    return box


def _paint_marks(painter: QPainter, inner: QRectF, marks: Sequence[str], ink: Ink) -> None:
    """At the upper right, each on a ground of its own."""
    metrics = QFontMetricsF(ink.small)
    y = inner.top()
    for mark in marks:
        text = _elided(metrics, mark, inner.width() / 2 - theme.SPACE[4])
        wide = metrics.horizontalAdvance(text) + 2 * _PAD
        box = QRectF(inner.right() - wide, y, wide, metrics.height() + _HALF)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink.mark)
        painter.drawRoundedRect(box, _HALF, _HALF)
        painter.setPen(ink.on_mark)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter | _PLAIN), text)
        y += box.height() + _HALF


def _paint_scale_bar(painter: QPainter, inner: QRectF, bottom: float, bar: ScaleBar, ink: Ink) -> QRectF:
    """Above the lower right corner; the box it takes."""
    metrics = QFontMetricsF(ink.small)
    wide = max(bar.pane_pixels, metrics.horizontalAdvance(bar.text)) + 2 * _PAD
    box = QRectF(inner.right() - wide, bottom - metrics.height() - _GAP, wide, metrics.height() + _GAP)
    painter.fillRect(box, ink.plate)
    painter.setPen(QPen(ink.text, 1))
    right, y = box.right() - _PAD, box.bottom() - _PAD
    left = right - bar.pane_pixels
    painter.drawLine(QPointF(left, y), QPointF(right, y))
    for x in (left, right):
        painter.drawLine(QPointF(x, y - _HALF), QPointF(x, y + _HALF))
    words = QRectF(box.left() + _PAD, box.top(), wide - 2 * _PAD, metrics.height())
    painter.drawText(words, int(Qt.AlignmentFlag.AlignRight | _PLAIN), bar.text)
    return box


def _paint_colour_bar(painter: QPainter, row: QRectF, heat: HeatMap, metrics: QFontMetricsF, ink: Ink) -> None:
    """From 0 to the maximum, with both named."""
    low, high = "0", "maximum"
    before, after = metrics.horizontalAdvance(low) + _GAP, metrics.horizontalAdvance(high) + _GAP
    painter.drawText(row, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | _PLAIN), low)
    painter.drawText(row, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | _PLAIN), high)
    bar = row.adjusted(before, _PAD, -after, -_PAD)
    edge = QColor(ink.text)
    edge.setAlphaF(0.4)
    painter.fillRect(bar.adjusted(-1, -1, 1, 1), edge)  # an outline by a pen takes 3 ms
    colours = np.ascontiguousarray(heat.colours, dtype=np.uint8)
    painter.drawImage(bar, QImage(colours.data, 256, 1, 768, QImage.Format.Format_RGB888))


def _elided(metrics: QFontMetricsF, text: str, wide: float) -> str:
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(wide, 0.0))

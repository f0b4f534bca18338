"""The flow of images as a drawing: boxes of a trunk, beside each step what was left out there, partitions at the end.

One function sets it out, one draws it: on screen, into a picture, into vectors; colours and font are given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QBuffer, QIODevice, QLineF, QMarginsF, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QImageWriter,
    QPageSize,
    QPaintDevice,
    QPainter,
    QPdfWriter,
    QPen,
    QPolygonF,
)
from PySide6.QtSvg import QSvgGenerator

from medfm_gui.domain.units import counted
from medfm_gui.ui import theme as themes
from medfm_gui.ui.pages.datasets.wording import reason
from medfm_gui.ui.theme import CAPTION_PX, RADIUS, SPACE, Theme
from medfm_gui.ui.widgets.text import one_line
from medfm_gui.workspace.flow import Flow, Step

_TRUNK_PX: Final = 300
_SIDE_PX: Final = 340
_GAP_PX: Final = SPACE[4]
_BETWEEN_PX: Final = SPACE[5]
_PAD_PX: Final = SPACE[2]
_PART_PX: Final = 160
_ARROW_PX: Final = 4
_LONGEST: Final = 120
_PICTURE_RATIO: Final = 2.0
_DOTS_AN_INCH: Final = 96


@dataclass(frozen=True, slots=True)
class _Box:
    """A box: where it lies, its lines (the first is bold), and whether it is of what was left out."""

    area: QRectF
    lines: tuple[str, ...]
    is_loss: bool = False


@dataclass(frozen=True, slots=True)
class FlowDrawing:
    """Boxes and lines with arrow heads at their ends, and the size of it all in pixels."""

    boxes: tuple[_Box, ...]
    lines: tuple[QLineF, ...]
    arrows: tuple[QLineF, ...]
    size: QSizeF


def set_out(flow: Flow, font: QFont) -> FlowDrawing:
    """Where everything lies; widths are fixed, heights follow the text."""
    metrics = QFontMetricsF(font)
    boxes: list[_Box] = []
    lines: list[QLineF] = []
    arrows: list[QLineF] = []
    many = len(flow.partitions)
    width = max(_TRUNK_PX + _GAP_PX * 2 + _SIDE_PX, many * _PART_PX + max(0, many - 1) * _GAP_PX) + 2.0
    top = 1.0
    trunk_x = 1.0
    middle = trunk_x + _TRUNK_PX / 2
    for place, step in enumerate(flow.steps):
        box = _box(trunk_x, top, _TRUNK_PX, _words(step), metrics)
        boxes.append(box)
        bottom = box.area.bottom()
        after = bottom + _BETWEEN_PX
        if step.lost:
            beside = _box(trunk_x + _TRUNK_PX + 2 * _GAP_PX, bottom + SPACE[2], _SIDE_PX, _lost(step), metrics, True)
            boxes.append(beside)
            level = beside.area.center().y()
            arrows.append(QLineF(middle, level, beside.area.left(), level))
            after = beside.area.bottom() + SPACE[2]
        is_last = place == len(flow.steps) - 1
        if not is_last:
            arrows.append(QLineF(middle, bottom, middle, after))
        top = after if not is_last else bottom
    if many:
        top = _partitions(flow.partitions, middle, top, metrics, boxes, lines, arrows)
    bottom = max(box.area.bottom() for box in boxes) if boxes else top
    return FlowDrawing(tuple(boxes), tuple(lines), tuple(arrows), QSizeF(width, bottom + 1))


def _partitions(
    steps: Sequence[Step],
    middle: float,
    top: float,
    metrics: QFontMetricsF,
    boxes: list[_Box],
    lines: list[QLineF],
    arrows: list[QLineF],
) -> float:
    """The last row, joined to the trunk by one bar."""
    bar = top + SPACE[3]
    below = bar + SPACE[3]
    centres = [1.0 + place * (_PART_PX + _GAP_PX) + _PART_PX / 2 for place in range(len(steps))]
    lines.append(QLineF(middle, top, middle, bar))
    lines.append(QLineF(min(*centres, middle), bar, max(*centres, middle), bar))
    for centre, step in zip(centres, steps, strict=True):
        box = _box(centre - _PART_PX / 2, below, _PART_PX, _words(step), metrics)
        arrows.append(QLineF(centre, bar, centre, below))
        boxes.append(box)
    return max(box.area.bottom() for box in boxes)


def _words(step: Step) -> tuple[str, ...]:
    patients = [counted(step.patients, "patient")] if step.patients else []
    return (one_line(step.name, _LONGEST), f"n = {step.number:,}", *patients)


def _lost(step: Step) -> tuple[str, ...]:
    named = (f"{reason(loss.reason.replace(' ', '_'))}: {loss.number:,}" for loss in step.lost)
    return (f"Left out: n = {step.n_lost:,}", *(one_line(text, _LONGEST) for text in named))


def _box(
    left: float, top: float, width: float, lines: tuple[str, ...], metrics: QFontMetricsF, is_loss: bool = False
) -> _Box:
    height = len(lines) * metrics.lineSpacing() + 2 * _PAD_PX
    return _Box(QRectF(left, top, width, height), lines, is_loss)


def draw(painter: QPainter, drawing: FlowDrawing, theme: Theme, font: QFont) -> None:
    """Draw it in a theme's colours, from the painter's origin."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ink = QPen(QColor(theme.muted), 1.2)
    painter.setPen(ink)
    for line in (*drawing.lines, *drawing.arrows):
        painter.drawLine(line)
    painter.setBrush(QColor(theme.muted))
    for line in drawing.arrows:
        painter.drawPolygon(_head(line))
    for box in drawing.boxes:
        _draw_box(painter, box, theme, font)
    painter.restore()


def _head(line: QLineF) -> QPolygonF:
    end = line.p2()
    if line.dx():
        return QPolygonF([end, end + QPointF(-2 * _ARROW_PX, -_ARROW_PX), end + QPointF(-2 * _ARROW_PX, _ARROW_PX)])
    return QPolygonF([end, end + QPointF(-_ARROW_PX, -2 * _ARROW_PX), end + QPointF(_ARROW_PX, -2 * _ARROW_PX)])


def _draw_box(painter: QPainter, box: _Box, theme: Theme, font: QFont) -> None:
    painter.setPen(QPen(QColor(theme.line if box.is_loss else theme.accent), 1.2))
    painter.setBrush(QColor(theme.panel if box.is_loss else theme.raised))
    painter.drawRoundedRect(box.area, RADIUS, RADIUS)
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    inside = box.area.adjusted(_PAD_PX, _PAD_PX, -_PAD_PX, -_PAD_PX)
    height = QFontMetricsF(font).lineSpacing()
    for place, text in enumerate(box.lines):
        now = bold if place == 0 else font
        painter.setFont(now)
        painter.setPen(QColor(theme.text if (place < 2 and not box.is_loss) or place == 0 else theme.muted))
        line = QRectF(inside.left(), inside.top() + place * height, inside.width(), height)
        cut = QFontMetricsF(now).elidedText(text, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)


# -- files


def as_bytes(flow: Flow, kind: str) -> bytes:
    """The drawing as a file's bytes: ``png`` in the theme's colours, ``svg`` and ``pdf`` as vectors on white paper."""
    font = drawing_font()
    drawing = set_out(flow, font)
    margin = SPACE[4]
    size = QSizeF(drawing.size.width() + 2 * margin, drawing.size.height() + 2 * margin)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if kind == "png":
        picture = _picture(drawing, font, size, margin)
        writer = QImageWriter(buffer, b"PNG")
        writer.write(picture)
    else:
        _vectors(kind, buffer, size, flow.title, lambda painter: _on(painter, drawing, font, margin))
    return bytes(buffer.data().data())


def drawing_font() -> QFont:
    """The window's font with tabular figures, at the size of captions and a bit."""
    font = themes.figures_font()
    font.setPixelSize(CAPTION_PX + 1)
    return font


def _picture(drawing: FlowDrawing, font: QFont, size: QSizeF, margin: int) -> QImage:
    picture = QImage((size * _PICTURE_RATIO).toSize(), QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(_PICTURE_RATIO)
    theme = themes.current()
    picture.fill(QColor(theme.panel))
    painter = QPainter(picture)
    painter.translate(margin, margin)
    draw(painter, drawing, theme, font)
    painter.end()
    return picture


def _on(painter: QPainter, drawing: FlowDrawing, font: QFont, margin: int) -> None:
    painter.translate(margin, margin)
    draw(painter, drawing, themes.load("light"), font)


def _vectors(kind: str, buffer: QBuffer, size: QSizeF, title: str, paint: Callable[[QPainter], None]) -> None:
    device: QPaintDevice
    if kind == "svg":
        svg = QSvgGenerator()
        svg.setOutputDevice(buffer)
        svg.setSize(QSize(round(size.width()), round(size.height())))
        svg.setViewBox(QRectF(0, 0, size.width(), size.height()))
        svg.setTitle(title)
        device = svg
    else:
        pdf = QPdfWriter(buffer)
        pdf.setTitle(title)
        points = size * (72 / _DOTS_AN_INCH)
        pdf.setPageSize(QPageSize(points, QPageSize.Unit.Point))
        pdf.setPageMargins(QMarginsF(0, 0, 0, 0))
        pdf.setResolution(_DOTS_AN_INCH)
        device = pdf
    painter = QPainter(device)
    paint(painter)
    painter.end()

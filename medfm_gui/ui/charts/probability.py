"""Probabilities of one image's classes, run by run: bar, spread over seeds, threshold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from medfm_gui.ui import theme
from medfm_gui.ui.charts.axis_name import body_font, small_font
from medfm_gui.ui.charts.marks import draw_marker, is_repeated, series_colour
from medfm_gui.ui.charts.wording import line
from medfm_gui.ui.widgets.text import tip_text

_HEAD_PX, _ROW_PX, _THRESHOLD_PX, _BAR_PX = 28, 38, 18, 8
_SINGLE = Qt.TextFlag.TextSingleLine | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class ClassProbability:
    """Probability of a class, 0…1; ``low``–``high`` its spread over ``seeds`` trainings where there are several.

    ``threshold`` is where the decision changes, ``threshold_text`` where it came from.
    """

    name: str
    probability: float | None
    low: float | None = None
    high: float | None = None
    seeds: int = 0
    threshold: float | None = None
    threshold_text: str = ""

    @property
    def text(self) -> str:
        """``0.81 (5 seeds: 0.72–0.88)``."""
        if self.probability is None:
            return "not scored"
        spread = ""
        if self.seeds > 1 and self.low is not None and self.high is not None:
            spread = f" ({self.seeds} seeds: {self.low:.2f}–{self.high:.2f})"
        return f"{self.probability:.2f}{spread}"

    @property
    def threshold_words(self) -> str:
        """``threshold 0.46, Youden on calibration``."""
        if self.threshold is None:
            return ""
        origin = f", {line(self.threshold_text, 80)}" if self.threshold_text else ""
        return f"threshold {self.threshold:.2f}{origin}"

    @property
    def sentence(self) -> str:
        """All of it, in words."""
        return ", ".join(part for part in (f"{line(self.name, 80)} {self.text}", self.threshold_words) if part)


@dataclass(frozen=True, slots=True)
class RunProbabilities:
    """What one run says of the image; ``slot`` is its place among the theme's series colours."""

    name: str
    rows: tuple[ClassProbability, ...]
    family: str = ""
    slot: int = 0


@dataclass(frozen=True, slots=True)
class _Line:
    top: int
    height: int
    run: RunProbabilities
    row: ClassProbability | None


class ProbabilityBars(QWidget):
    """Rows of bars under each run's name; put it into a scroll area where there may be many classes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[RunProbabilities, ...] = ()
        self._lines: tuple[_Line, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Probabilities")
        self.setMinimumWidth(180)

    @property
    def runs(self) -> tuple[RunProbabilities, ...]:
        """What is shown."""
        return self._runs

    def set_runs(self, runs: Sequence[RunProbabilities]) -> None:
        """Show the answers of these runs, in this order."""
        self._runs = tuple(runs)
        self._lines = tuple(_laid_out(self._runs))
        spoken = (f"{line(run.name, 80)}: {'; '.join(row.sentence for row in run.rows[:50])}" for run in self._runs)
        self.setAccessibleDescription(". ".join(spoken) or "No prediction")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as all rows."""
        height = self._lines[-1].top + self._lines[-1].height if self._lines else 0
        return QSize(320, height)

    def minimumSizeHint(self) -> QSize:
        """Rows are never squeezed."""
        return QSize(180, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows in sight."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        seen = event.rect()
        for item in self._lines:
            if item.top + item.height < seen.top() or item.top > seen.bottom():
                continue
            area = QRectF(0, item.top, self.width(), item.height)
            if item.row is None:
                _paint_head(painter, area, item.run)
            else:
                _paint_row(painter, area, item.row, series_colour(theme.current(), item.run.slot))

    def event(self, event: QEvent) -> bool:
        """Tell the whole row in a tooltip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = [item for item in self._lines if item.top <= event.pos().y() < item.top + item.height]
            words = (found[0].row.sentence if found[0].row else line(found[0].run.name, 400)) if found else ""
            QToolTip.showText(event.globalPos(), tip_text(words), self)
            return True
        return super().event(event)


def _laid_out(runs: tuple[RunProbabilities, ...]) -> Iterator[_Line]:
    top = 0
    for place, run in enumerate(runs):
        if run.name:
            top += theme.SPACE[1] if place else 0
            yield _Line(top, _HEAD_PX, run, None)
            top += _HEAD_PX
        for row in run.rows:
            height = _ROW_PX + (_THRESHOLD_PX if row.threshold is not None else 0)
            yield _Line(top, height, run, row)
            top += height


def _paint_head(painter: QPainter, area: QRectF, run: RunProbabilities) -> None:
    now = theme.current()
    font = small_font(painter.font())
    painter.setFont(font)
    centre = QPointF(area.left() + 7, area.center().y())
    pierced = is_repeated(now, run.slot)
    draw_marker(painter, run.family, centre, series_colour(now, run.slot), QColor(now.panel), 9.0, pierced=pierced)
    painter.setPen(QColor(now.muted))
    words = area.adjusted(20, 0, 0, 0)
    shown = QFontMetricsF(font).elidedText(line(run.name), Qt.TextElideMode.ElideMiddle, words.width())
    painter.drawText(words, _SINGLE, shown)


def _paint_row(painter: QPainter, area: QRectF, row: ClassProbability, colour: QColor) -> None:
    now = theme.current()
    font = body_font(painter.font())
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    words = QRectF(area.left(), area.top() + 2, area.width(), metrics.height())
    number = metrics.horizontalAdvance(row.text) + 1
    painter.setPen(QColor(now.text if row.probability is not None else now.muted))
    painter.drawText(words, _SINGLE | Qt.AlignmentFlag.AlignRight, row.text)
    painter.setPen(QColor(now.text))
    room = words.width() - number - theme.SPACE[1]
    painter.drawText(words, _SINGLE, metrics.elidedText(line(row.name), Qt.TextElideMode.ElideMiddle, max(0.0, room)))
    track = QRectF(area.left(), words.bottom() + 4, area.width(), _BAR_PX)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(now.line))
    painter.drawRoundedRect(track, _BAR_PX / 2, _BAR_PX / 2)
    if row.probability is not None:
        _paint_bar(painter, track, row, colour)
    if row.threshold is not None:
        _paint_threshold(painter, track, row, row.threshold)


def _paint_bar(painter: QPainter, track: QRectF, row: ClassProbability, colour: QColor) -> None:
    share = min(1.0, max(0.0, row.probability or 0.0))
    painter.setBrush(colour)
    painter.drawRoundedRect(QRectF(track.left(), track.top(), track.width() * share, _BAR_PX), _BAR_PX / 2, _BAR_PX / 2)
    if row.seeds > 1 and row.low is not None and row.high is not None:
        left, right = (track.left() + track.width() * min(1.0, max(0.0, end)) for end in (row.low, row.high))
        middle, cap = track.center().y(), _BAR_PX / 2 + 2
        painter.setPen(QPen(QColor(theme.current().text), 1.2))
        painter.drawLine(QPointF(left, middle), QPointF(right, middle))
        for end in (left, right):
            painter.drawLine(QPointF(end, middle - cap), QPointF(end, middle + cap))
        painter.setPen(Qt.PenStyle.NoPen)


def _paint_threshold(painter: QPainter, track: QRectF, row: ClassProbability, threshold: float) -> None:
    now = theme.current()
    x = track.left() + track.width() * min(1.0, max(0.0, threshold))
    for colour, width in ((now.panel, 5.0), (now.text, 2.0)):
        pen = QPen(QColor(colour), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(x, track.top() - 3), QPointF(x, track.bottom() + 4))
    font = small_font(painter.font())
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    painter.setPen(QColor(now.muted))
    shown = metrics.elidedText(row.threshold_words, Qt.TextElideMode.ElideRight, track.width())
    wide = metrics.horizontalAdvance(shown) + 1
    left = min(max(x - wide / 2, track.left()), track.right() - wide)
    painter.drawText(QRectF(left, track.bottom() + 4, wide, metrics.height()), _SINGLE, shown)

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication, QStyleOptionViewItem, QTableView, QToolTip
from pytestqt.qtbot import QtBot

from medfm_gui.domain.cards import ADAPTATIONS, Family
from medfm_gui.reports import palette
from medfm_gui.ui import theme
from medfm_gui.ui.charts import marks, sample
from medfm_gui.ui.charts.interval_cell import INTERVAL_ROLE, IntervalCell, IntervalDelegate
from medfm_gui.ui.charts.probability import ClassProbability, ProbabilityBars, RunProbabilities
from medfm_gui.ui.charts.ticks import tick_text, ticks
from medfm_gui.ui.charts.tones import contrast, ink_on
from medfm_gui.ui.charts.trace import thinned
from medfm_gui.ui.charts.wording import difference, estimate, file_stem, number
from medfm_gui.ui.widgets import marks as shapes

PAPER_SHAPES = {"o": "circle", "s": "square", "^": "up", "D": "diamond", "v": "down", "*": "star", "h": "hexagon"}
HOSTILE = ('<img src="/etc/passwd">', "\u202efdp", "x" * 10_000, "🫁", "a\nb")


def table_of(qtbot: QtBot, cell: IntervalCell | None) -> QTableView:
    model = QStandardItemModel(1, 1)
    item = QStandardItem("plain" if cell is None else cell.text)
    item.setData(cell, INTERVAL_ROLE)
    model.setItem(0, 0, item)
    table = QTableView()
    qtbot.addWidget(table)
    model.setParent(table)
    table.setModel(model)
    table.setItemDelegate(IntervalDelegate(table))
    return table


def painted(table: QTableView, width: int, height: int = 36) -> QImage:
    picture = QImage(width, height, QImage.Format.Format_RGB32)
    picture.fill(QColor(theme.current().panel))
    option = QStyleOptionViewItem()
    option.initFrom(table)
    option.rect = QRect(0, 0, width, height)
    painter = QPainter(picture)
    table.itemDelegate().paint(painter, option, table.model().index(0, 0))
    painter.end()
    return picture


def columns_of(picture: QImage, colour: str) -> list[int]:
    wanted = QColor(colour).rgb()
    return [x for x in range(picture.width()) if any(picture.pixel(x, y) == wanted for y in range(picture.height()))]


@pytest.mark.parametrize("name", theme.NAMES)
def test_bar_lies_on_the_columns_scale(qtbot: QtBot, qapp: QApplication, name: str) -> None:
    theme.apply(qapp, theme.load(name))
    ends = []
    for low, high in ((0.0, 0.5), (0.5, 1.0)):
        table = table_of(qtbot, IntervalCell((low + high) / 2, low, high, 0.0, 1.0, 0))
        ends.append(columns_of(painted(table, 420), theme.current().series[0]))
    left, right = ends
    assert left
    assert max(left) - 3 <= min(right) <= max(left) + 3
    assert max(right) - min(right) == pytest.approx(max(left) - min(left), abs=3)


def test_cell_text_and_what_is_not_known(qtbot: QtBot) -> None:
    assert IntervalCell(0.873, 0.841, 0.899).text == "0.873 (0.841–0.899)"
    assert IntervalCell(0.873, None, 0.899).text == "0.873"
    assert IntervalCell(None, None, None).text == "not estimable"
    assert IntervalCell(-0.02, -0.1, 0.06).text == "−0.020 (−0.100 to 0.060)"
    for cell in (IntervalCell(None, None, None), IntervalCell(0.5, 0.4, 0.6, 1.0, 0.0), None):
        assert not columns_of(painted(table_of(qtbot, cell), 420), theme.current().series[0])
    assert columns_of(painted(table_of(qtbot, IntervalCell(0.5, 0.4, 0.6)), 160), theme.current().series[0])


def test_a_table_of_cells_is_drawn(qtbot: QtBot) -> None:
    table = table_of(qtbot, IntervalCell(0.8, 0.7, 0.9, 0.5, 1.0, 2, Family.COCA))
    table.resize(500, 200)
    with qtbot.waitExposed(table):
        table.show()
    table.resizeColumnsToContents()
    assert table.columnWidth(0) > 200
    assert not table.grab().isNull()


def test_probabilities_are_told_in_words(qtbot: QtBot) -> None:
    bars = ProbabilityBars()
    qtbot.addWidget(bars)
    bars.set_runs(sample.answers())
    spoken = bars.accessibleDescription()
    assert "Pneumonia 0.81 (5 seeds: 0.72–0.88), threshold 0.46, Youden on calibration" in spoken
    assert "MAE-B · linear · run 7: Pneumonia 0.38, threshold 0.51" in spoken
    bars.set_runs(())
    assert bars.accessibleDescription() == "No prediction"
    assert bars.sizeHint().height() == 0


def test_probability_bar_is_as_long_as_the_probability(qtbot: QtBot) -> None:
    bars = ProbabilityBars()
    qtbot.addWidget(bars)
    bars.resize(400, 100)
    for share in (0.25, 1.0, 7.0):
        bars.set_runs((RunProbabilities("", (ClassProbability("a", share),)),))
        columns = columns_of(bars.grab().toImage(), theme.current().series[0])
        assert len(columns) == pytest.approx(400 * min(share, 1.0), abs=3)
    bars.set_runs((RunProbabilities("", (ClassProbability("a", None),)),))
    assert not columns_of(bars.grab().toImage(), theme.current().series[0])


def test_probability_names_are_plain(qtbot: QtBot) -> None:
    bars = ProbabilityBars()
    qtbot.addWidget(bars)
    rows = tuple(ClassProbability(name, 0.5, threshold=0.4, threshold_text=name) for name in HOSTILE)
    bars.set_runs(tuple(RunProbabilities(name, rows, name, 99) for name in HOSTILE))
    bars.resize(320, bars.sizeHint().height())
    with qtbot.waitExposed(bars):
        bars.show()
    assert not bars.grab().isNull()
    place = QPoint(20, 60)
    QApplication.sendEvent(bars, QHelpEvent(QEvent.Type.ToolTip, place, bars.mapToGlobal(place)))
    assert "<img" not in QToolTip.text()
    assert "&lt;img" in QToolTip.text()
    QToolTip.hideText()


def test_a_thousand_classes_paint_only_what_is_seen(qtbot: QtBot) -> None:
    bars = ProbabilityBars()
    qtbot.addWidget(bars)
    bars.set_runs((RunProbabilities("run", tuple(ClassProbability(f"class {k}", k / 1000) for k in range(1000))),))
    assert bars.sizeHint().height() > 30_000
    assert len(bars.accessibleDescription()) < 5000


@pytest.mark.parametrize("family", Family)
def test_screen_and_paper_have_the_same_marker(family: Family) -> None:
    assert shapes.shape(family) == PAPER_SHAPES.get(palette.marker(family), "cross")
    bounds = marks.marker_path(family).boundingRect()
    assert 0.7 < bounds.width() < 1.5


@pytest.mark.parametrize("style", [*ADAPTATIONS, "train", "val", "unknown"])
def test_screen_and_paper_have_the_same_dashes(style: str) -> None:
    pen = marks.line_pen(QColor(Qt.GlobalColor.red), style)
    dashes = palette.dashes(style)
    if isinstance(dashes, str):
        assert pen.style() == Qt.PenStyle.SolidLine
    else:
        assert tuple(pen.dashPattern()) == pytest.approx(dashes[1])


@pytest.mark.parametrize("name", theme.NAMES)
def test_ink_reads_on_every_shade_of_a_matrix(name: str) -> None:
    now = theme.load(name)
    for share in range(101):
        shade = QColor(theme.mix(now.panel, now.accent, 0.05 + 0.9 * share / 100))
        assert contrast(ink_on(shade), shade) >= 4.5


@pytest.mark.parametrize("name", theme.NAMES)
def test_series_stand_out(name: str) -> None:
    now = theme.load(name)
    for colour in now.series:
        assert contrast(QColor(colour), QColor(now.panel)) >= 3


def test_round_ticks() -> None:
    assert ticks(0.0, 1.0, 6) == pytest.approx((0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    assert ticks(-3.0, 12.0, 4) == pytest.approx((0.0, 5.0, 10.0))
    assert [tick_text(value, 0.05) for value in (0.0, -0.05, 0.1)] == ["0.00", "−0.05", "0.10"]
    assert tick_text(5e-5, 5e-5) == "5e−5"
    assert tick_text(2000.0, 500.0) == "2,000"


def test_numbers_have_sensible_digits() -> None:
    assert number(0.87349, 1.0) == "0.873"
    assert number(12.3456, 10.0) == "12.35"
    assert number(float("nan")) == "–"
    assert estimate(0.5, float("nan"), 0.6) == "0.500"
    assert file_stem("../..") == "chart"


def test_thinning_leaves_short_curves_alone() -> None:
    x = np.arange(50.0)
    assert thinned(x, x, 600)[0] is x


def test_a_difference_says_which_way() -> None:
    assert IntervalCell(0.0237, -0.013, 0.0614, -0.1, 0.1, signed=True).text == "+0.024 (−0.013 to +0.061)"
    assert IntervalCell(0.5, 0.2, 0.7, -1, 1, signed=True).text == "+0.500 (+0.200 to +0.700)"
    assert difference(-0.02) == "−0.020" and difference(float("nan")) == "not estimable"
    assert IntervalCell(0.5, 0.2, 0.7).text == "0.500 (0.200–0.700)"

from __future__ import annotations

import csv
import io
import math
import time
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.ui import theme
from medfm_gui.ui.charts import sample
from medfm_gui.ui.charts.intervals import IntervalsCanvas
from medfm_gui.ui.charts.lines import LinesCanvas
from medfm_gui.ui.charts.matrix import MatrixCanvas
from medfm_gui.ui.charts.view import CANVASES, FORMATS, ChartView

CHARTS = (sample.roc, sample.efficiency, sample.decision, sample.confusion, sample.estimates)
NAMES = (
    '<img src="/etc/passwd">',
    "<b>bold</b> & <script>",
    "\u202eexe.fdp \u0627\u0644\u0631\u0626\u0629",
    "🫁 lungs",
    "x" * 10_000,
    "two\nlines\x00\x07",
    "=HYPERLINK(0)",
    "",
)


def view_of(qtbot: QtBot, chart: ChartSpec | None, width: int = 560, height: int = 420) -> ChartView:
    view = ChartView()
    qtbot.addWidget(view)
    view.resize(width, height)
    view.set_chart(chart)
    with qtbot.waitExposed(view):
        view.show()
    return view


def lines_of(view: ChartView) -> LinesCanvas:
    assert isinstance(view.canvas, LinesCanvas)
    return view.canvas


def colours_of(picture: QImage) -> set[str]:
    return {picture.pixelColor(x, y).name() for x in range(0, picture.width(), 2) for y in range(picture.height())}


def hostile(kind: str) -> ChartSpec:
    series = tuple(
        Series(name, (float(place), place + 1.0), (0.5, 0.7), (0.4, 0.6), (0.6, 0.8), name, name, place % 2 == 0)
        for place, name in enumerate(NAMES)
    )
    matrix = tuple(tuple(float(row * column) for column in range(len(NAMES))) for row in range(len(NAMES)))
    long = NAMES[4]
    return ChartSpec("id", kind, long, NAMES[0], NAMES[2], series, NAMES, NAMES, matrix, note=NAMES[1] + long)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", CHARTS)
@pytest.mark.parametrize("size", [(320, 240), (560, 420), (1400, 900)])
def test_every_chart_draws(qtbot: QtBot, make: object, size: tuple[int, int]) -> None:
    chart = make()  # type: ignore[operator]
    view = view_of(qtbot, chart, *size)
    assert type(view.canvas) is CANVASES[chart.kind]
    assert len(colours_of(view.grab().toImage())) > 20
    assert chart.title in view.accessibleDescription()


@pytest.mark.parametrize("kind", CANVASES)
def test_names_from_data_are_drawn_plain_and_bounded(qtbot: QtBot, kind: str) -> None:
    view = view_of(qtbot, hostile(kind))
    assert not view.grab().isNull()
    assert view.minimumSizeHint().width() < 700
    for switch in view.legend.switches:
        assert switch.sizeHint().width() < 400
        assert "<img" not in switch.toolTip()
    view.set_chart(sample.roc())
    view.set_chart(hostile(kind))
    assert not view.grab().isNull()


@pytest.mark.parametrize("kind", CANVASES)
def test_numbers_that_cannot_be_drawn_are_gaps(qtbot: QtBot, kind: str) -> None:
    nan, inf = math.nan, math.inf
    series = (
        Series("a", (0.0, nan, 2.0, 1e300), (1.0, 2.0, inf, -inf), (nan, 0.0, 1.0, 1.0), (1.0, inf, 2.0, 1.0)),
        Series("one", (0.3,), (0.4,)),
        Series("short", (1.0, 2.0), (1.0,)),
        Series("none", (), ()),
        Series("not", (nan,), (nan,), markers=True),
    )
    chart = ChartSpec("x", kind, "t", series=series, matrix=((nan, 1.0), (inf,), ()), x_range=(nan, 1), y_range=(2, 2))  # type: ignore[arg-type]
    view = view_of(qtbot, chart)
    assert not view.grab().isNull()
    if isinstance(view.canvas, LinesCanvas):
        view.canvas.point_at(0.3, 0.4)
        assert not view.grab().isNull()


@pytest.mark.parametrize("chart", [None, ChartSpec("x", "lines", "Empty"), ChartSpec("x", "matrix", "Empty")])
def test_nothing_to_draw_is_said(qtbot: QtBot, chart: ChartSpec | None) -> None:
    view = view_of(qtbot, chart)
    assert view.accessibleDescription() == "No data"
    tools = view.findChildren(QToolButton)
    assert len(tools) == 3
    assert not any(tool.isEnabled() for tool in tools)


def test_legend_hides_and_shows_a_series_by_mouse_and_keys(qtbot: QtBot) -> None:
    view = view_of(qtbot, sample.efficiency())
    canvas, first = lines_of(view), view.legend.switches[0]
    assert canvas.is_shown(0)
    before = colours_of(canvas.grab().toImage())
    QTest.mouseClick(first, Qt.MouseButton.LeftButton)
    assert not canvas.is_shown(0)
    assert theme.current().series[0].lower() in before - colours_of(canvas.grab().toImage())
    assert [row.name for row in canvas.reading_at(100, 0.8).rows] == [name for name, *_ in sample.RUNS[1:4]]
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Space)
    assert canvas.is_shown(0)


def test_readout_tells_the_values_under_the_cursor(qtbot: QtBot) -> None:
    series = (
        Series("rising", (1.0, 2.0, 3.0), (0.1, 0.5, 0.9), (0.0, 0.4, 0.8), (0.2, 0.6, 1.0)),
        Series("stairs", (1.0, 2.0, 3.0), (0.3, 0.2, 0.1), step=True),
    )
    chart = ChartSpec("x", "lines", "t", "epoch", "AUC", series, x_range=(0, 4), y_range=(0, 1))
    canvas = lines_of(view_of(qtbot, chart))
    rows = canvas.reading_at(2.6, 0.0).rows
    assert [row.value for row in rows] == ["0.900 (0.800–1.000) at 3.00", "0.200 at 2.00"]
    assert canvas.reading_at(2.1, 0.0).heading == "epoch 2.00"


def test_readout_of_a_roc_curve_is_read_at_the_same_specificity(qtbot: QtBot) -> None:
    chart = ChartSpec("roc", "lines", "ROC", "1 − specificity", "sensitivity", diagonal=True)
    chart = replace(chart, series=(Series("run", (0.0, 0.0, 0.0, 0.5, 1.0), (0.0, 0.4, 0.8, 0.9, 1.0)),))
    canvas = lines_of(view_of(qtbot, chart))
    assert [row.value for row in canvas.reading_at(0.05, 0.42).rows] == ["0.400"]
    assert [row.value for row in canvas.reading_at(0.05, 0.75).rows] == ["0.800"]
    assert [row.value for row in canvas.reading_at(0.45, 0.0).rows] == ["0.900"]


def test_readout_of_a_curve_that_turns_back_is_the_nearest_on_screen(qtbot: QtBot) -> None:
    loop = Series("loop", (0.0, 1.0, 0.0), (0.0, 0.5, 1.0))
    canvas = lines_of(view_of(qtbot, ChartSpec("x", "lines", "t", series=(loop,))))
    assert [row.value for row in canvas.reading_at(0.1, 0.9).rows] == ["1.000"]
    assert [row.value for row in canvas.reading_at(0.8, 0.6).rows] == ["0.500"]


def test_charts_ask_for_room(qtbot: QtBot) -> None:
    for make in CHARTS:
        view = view_of(qtbot, make())
        assert view.sizeHint().height() >= 300
        assert view.minimumSizeHint().height() >= 160


def test_mouse_over_the_plot_shows_the_readout(qtbot: QtBot) -> None:
    view = view_of(qtbot, sample.roc())
    canvas = lines_of(view)
    place = canvas.pane.mapTo(view, canvas.pane.place_of(0.5, 0.5).toPoint())
    canvas.pane.hovered.emit(0.5, 0.5)
    assert canvas.readout.isVisible()
    assert len(canvas.readout.reading.rows) == len(sample.RUNS)
    assert canvas.rect().contains(canvas.readout.geometry())
    assert view.rect().contains(place)
    canvas.pane.left.emit()
    assert not canvas.readout.isVisible()


def test_a_chance_chart_is_square(qtbot: QtBot) -> None:
    for width, height in ((800, 400), (420, 700)):
        canvas = lines_of(view_of(qtbot, sample.roc(), width, height))
        across = canvas.pane.place_of(1, 0) - canvas.pane.place_of(0, 0)
        up = canvas.pane.place_of(0, 0) - canvas.pane.place_of(0, 1)
        assert across.x() == pytest.approx(up.y(), abs=14)


def test_keys_read_zoom_and_reset(qtbot: QtBot) -> None:
    view = view_of(qtbot, sample.efficiency())
    pane = lines_of(view).pane
    home = pane.shown()
    QTest.keyClick(pane, Qt.Key.Key_Plus)
    assert pane.shown() != home
    reset = view.findChildren(QToolButton)[0]
    assert reset.isEnabled()
    QTest.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert [*pane.shown()[0], *pane.shown()[1]] == pytest.approx([*home[0], *home[1]])
    assert not reset.isEnabled()
    QTest.keyClick(pane, Qt.Key.Key_Right)
    QTest.keyClick(pane, Qt.Key.Key_Right)
    assert lines_of(view).readout.reading.heading == "labelled patients 25"
    assert "labelled patients 25: DINOv2-B" in pane.accessibleDescription()


def test_a_series_keeps_the_colour_of_its_run(qtbot: QtBot) -> None:
    view = view_of(qtbot, None)
    chart = sample.efficiency()
    view.set_chart(chart, {chart.series[0].name: 6})
    picture = colours_of(view.grab().toImage())
    assert theme.current().series[6].lower() in picture
    assert theme.current().series[0].lower() not in picture


@pytest.mark.parametrize("make", CHARTS)
def test_theme_switch_recolours(qtbot: QtBot, qapp: QApplication, make: object) -> None:
    view = view_of(qtbot, make())  # type: ignore[operator]
    assert QColor(theme.current().panel) == view.image().pixelColor(2, 2)
    theme.apply(qapp, theme.load("light"))
    picture = view.image()
    light = theme.load("light")
    assert QColor(light.panel) == picture.pixelColor(2, 2)
    canvas = view.canvas
    assert canvas is not None
    seen = colours_of(canvas.grab().toImage())
    assert theme.load("dark").line.lower() not in seen
    if not isinstance(canvas, MatrixCanvas):
        assert light.series[0].lower() in seen


def test_picture_has_no_tools_and_twice_the_pixels(qtbot: QtBot) -> None:
    view = view_of(qtbot, sample.roc())
    picture = QImage.fromData(view.as_png_bytes())
    assert (picture.width(), picture.height()) == (1120, 840)
    tool = view.findChildren(QToolButton)[1]
    corner = tool.mapTo(view, QPoint(0, 0)) * 2
    under = picture.copy(corner.x(), corner.y(), tool.width() * 2, tool.height() * 2)
    assert colours_of(under) == {theme.current().panel.lower()}
    view.copy_image()
    assert QGuiApplication.clipboard().image().size() == picture.size()


def test_export_says_format_and_a_safe_name(qtbot: QtBot) -> None:
    view = view_of(qtbot, replace(sample.roc(), title="ROC: ../../etc & <b>Größe</b>"))
    asked: list[tuple[str, str]] = []
    view.export_wanted.connect(lambda kind, name: asked.append((kind, name)))
    menu = view.findChildren(QToolButton)[2].menu()
    for action in menu.actions():
        action.trigger()
    assert asked == [(kind, f"roc-etc-b-grosse-b.{kind}") for kind in FORMATS]


def test_csv_holds_every_number_and_no_formula(qtbot: QtBot) -> None:
    chart = replace(sample.efficiency(), x_label="=cmd()")
    rows = list(csv.reader(io.StringIO(view_of(qtbot, chart).as_csv())))
    assert rows[0] == ["series", "'=cmd()", "AUC", "low", "high"]
    wanted = [
        (series.name, x, y, low, high)
        for series in chart.series
        for x, y, low, high in zip(series.x, series.y, series.low, series.high, strict=True)
    ]
    assert [(row[0], *map(float, row[1:])) for row in rows[1:]] == wanted


def test_csv_of_matrix_and_intervals(qtbot: QtBot) -> None:
    chart = sample.confusion()
    rows = list(csv.reader(io.StringIO(view_of(qtbot, chart).as_csv())))
    assert rows[0] == ["reference \\ decision", *chart.columns]
    assert tuple(tuple(map(float, row[1:])) for row in rows[1:]) == chart.matrix
    rows = list(csv.reader(io.StringIO(view_of(qtbot, sample.estimates()).as_csv())))
    assert rows[0] == ["name", "ROC-AUC", "low", "high"]
    assert len(rows) == 10
    assert rows[-1] == ["too few events", "", "", ""]


def test_matrix_reads_a_cell_by_keys_and_mouse(qtbot: QtBot) -> None:
    view = view_of(qtbot, sample.confusion())
    canvas = view.canvas
    assert isinstance(canvas, MatrixCanvas)
    cells = canvas.cells
    QTest.keyClick(cells, Qt.Key.Key_Right)
    QTest.keyClick(cells, Qt.Key.Key_Right)
    assert cells.cell == (0, 1)
    assert "no retinopathy → mild" in cells.accessibleDescription()
    assert "2.2 % of the row" in cells.accessibleDescription()
    QTest.mouseMove(cells, cells.grid().cell(2, 4).center().toPoint())
    assert cells.cell == (2, 4)


def test_intervals_zoom_scroll_and_read(qtbot: QtBot) -> None:
    many = tuple(Series(f"run {place}", (0.5 + place / 200,), (0.0,), (0.4,), (0.9,)) for place in range(60))
    view = view_of(qtbot, ChartSpec("i", "intervals", "AUC", series=many))
    canvas = view.canvas
    assert isinstance(canvas, IntervalsCanvas)
    home = canvas.scale
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.scale.span == pytest.approx(home.span / 1.25)
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.scale == home
    for _ in range(40):
        QTest.keyClick(canvas, Qt.Key.Key_Down)
    assert canvas.accessibleDescription() == "run 39 0.695 (0.400–0.900)"


def test_a_large_chart_is_drawn_at_once(qtbot: QtBot) -> None:
    x = tuple(place / 25_000 for place in range(25_001))
    series = tuple(Series(f"run {k}", x, tuple(value ** (0.2 + k / 10) for value in x)) for k in range(8))
    chart = ChartSpec("roc", "lines", "ROC", "x", "y", series, diagonal=True)
    view = view_of(qtbot, None, 800, 600)
    view.set_chart(chart)
    view.grab()
    canvas = lines_of(view)
    begun = time.perf_counter()
    for step in range(20):
        canvas.point_at(step / 20, 0.5)
    assert (time.perf_counter() - begun) / 20 < 0.016 * 4  # four times the frame: this computer is shared


def ladder_of(count: int) -> ChartSpec:
    """``count`` runs of one point each; the first trained nothing."""
    series = tuple(
        Series(
            f"r{place:04d} Tiny · lora",
            (float(place and 10 ** (3 + place % 5)),),
            (0.7 + 0.002 * place,),
            (0.65 + 0.002 * place,),
            (0.74 + 0.002 * place,),
            "MAE",
            "lora",
            markers=True,
        )
        for place in range(count)
    )
    link = Series("Tiny", tuple(one.x[0] for one in series[:3]), tuple(one.y[0] for one in series[:3]))
    return ChartSpec("ladder", "lines", "Ladder", "trained parameters", "AUC", series, x_log=True, links=(link,))


def test_a_ladder_reads_the_run_under_the_cursor(qtbot: QtBot) -> None:
    view = view_of(qtbot, ladder_of(6))
    canvas = lines_of(view)
    lowest, second = canvas._traces[0], canvas._traces[1]
    reading = canvas.reading_at(float(lowest.x[0]), float(lowest.y[0]))
    assert reading.heading == "trained parameters 0" and [row.name[:5] for row in reading.rows] == ["r0000"]
    assert reading.rows[0].value == "0.700 (0.650–0.740)"
    reading = canvas.reading_at(float(second.x[0]), float(second.y[0]))
    assert reading.heading == "trained parameters 10,000"
    assert "6 points of AUC against trained parameters" in view.accessibleDescription()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right):
        QTest.keyClick(canvas.pane, key)
    assert canvas.readout.isVisible() and canvas.readout.reading.rows[0].name.startswith("r0005"), "from left to right"
    view.legend.switches[0].click()
    assert not canvas.is_shown(0) and canvas.is_shown(1)
    assert "r0000" not in canvas.reading_at(float(lowest.x[0]), float(lowest.y[0])).text


def test_decades_are_marked_and_linear_axes_come_back(qtbot: QtBot) -> None:
    view = view_of(qtbot, ladder_of(6))
    canvas = lines_of(view)
    marked = [text for _, text in canvas.pane._sides["bottom"]._tickLevels[0]]
    assert marked[0] == "0" and "10,000" in marked and "10 M" in marked
    view.set_chart(sample.efficiency())
    assert canvas.pane._sides["bottom"]._tickLevels is None
    assert "labelled patients 100" in canvas.reading_at(100.0, 0.8).text


def test_draws_are_read_apart_from_the_interval(qtbot: QtBot) -> None:
    series = Series(
        "knn", (2.0, 8.0), (0.6, 0.7), (0.5, 0.6), (0.7, 0.8), "MAE", "knn", True, False, (0.55, 0.7), (0.66, 0.7)
    )
    chart = ChartSpec(
        "l", "lines", "L", "labels", "AUC", (series,), x_log=True, x_ticks=((2.0, "2 (1)"), (8.0, "8 (4)"))
    )
    canvas = lines_of(view := view_of(qtbot, chart))
    assert canvas.reading_at(0.3, 0.6).rows[0].value == "0.600 (0.500–0.700), draws 0.550–0.660"
    assert "draws" not in canvas.reading_at(0.9, 0.7).rows[0].value, "one draw has no spread"
    rows = list(csv.reader(io.StringIO(view.as_csv())))
    assert rows[0][-2:] == ["lowest draw", "highest draw"] and rows[1][-2:] == ["0.55", "0.66"]


def test_a_crowd_has_no_legend_and_thirty_runs_are_drawn_in_a_turn(qtbot: QtBot) -> None:
    view = view_of(qtbot, ladder_of(30))
    assert len(view.legend.switches) == 30 and view.legend.switches[0].isVisible()
    other = replace(ladder_of(30), title="Other")
    begun = time.perf_counter()
    view.set_chart(other)
    assert time.perf_counter() - begun < 0.25, "50 ms at rest"
    view.set_chart(ladder_of(60))
    assert not view.legend.switches
    blank = view_of(qtbot, replace(ladder_of(30), series=(), links=()))
    assert len(colours_of(view.image())) > len(colours_of(blank.image()))


@pytest.mark.parametrize("xs", [(0.0,), (0.0, 0.0), (math.nan, -1.0), (1e300, 1e-300), (5.0,)])
def test_no_ladder_is_too_odd_to_draw(qtbot: QtBot, xs: tuple[float, ...]) -> None:
    series = tuple(Series(f"r{at}", (x,), (0.5,), markers=True) for at, x in enumerate(xs))
    chart = ChartSpec("l", "lines", "L", "cost", "AUC", series, x_log=True)
    canvas = lines_of(view_of(qtbot, chart))
    canvas.pane.zoom(50.0)
    assert not view_of(qtbot, chart).image().isNull() and canvas.pane.shown()[0][0] < canvas.pane.shown()[0][1]

"""``python -m medfm_gui.ui.charts [dark|light]`` shows every kind of chart with invented runs."""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from medfm_gui.domain.cards import Family
from medfm_gui.ui import theme
from medfm_gui.ui.charts import sample
from medfm_gui.ui.charts.live import LiveCurves
from medfm_gui.ui.charts.probability import ProbabilityBars
from medfm_gui.ui.charts.view import ChartView


def gallery() -> QWidget:
    """All charts in one window."""
    window = QWidget()
    window.setProperty("role", "page")
    grid = QGridLayout(window)
    for place, make in enumerate((sample.roc, sample.efficiency, sample.decision, sample.confusion, sample.estimates)):
        view = ChartView()
        view.set_chart(make())
        grid.addWidget(view, place // 3, place % 3)
    curves = LiveCurves()
    curves.set_look(Family.DINOV2)
    curves.set_curve(sample.training())
    grid.addWidget(curves, 1, 2)
    bars = ProbabilityBars()
    bars.set_runs(sample.answers())
    grid.addWidget(bars, 2, 0)
    return window


def main() -> int:
    """Show them until the window is closed."""
    app = QApplication(sys.argv)
    theme.apply(app, theme.load(sys.argv[1] if len(sys.argv) > 1 else theme.system_prefers()))
    window = gallery()
    window.resize(1600, 1000)
    window.show()
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())

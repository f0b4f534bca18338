"""Beyond the last colour a run has the colour of another one and a marker with a hole: both can be told apart."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from medfm_gui.domain.cards import Family
from medfm_gui.reports.palette import COLOURS
from medfm_gui.ui import theme
from medfm_gui.ui.charts.marks import draw_marker, is_repeated, marker_path, series_colour

THEMES = [theme.load(name) for name in theme.NAMES]


@pytest.mark.parametrize("now", THEMES, ids=theme.NAMES)
def test_runs_beyond_the_last_colour_have_other_markers(now: theme.Theme) -> None:
    looks = [(series_colour(now, slot).name(), is_repeated(now, slot)) for slot in range(2 * len(now.series))]
    assert len(set(looks)) == len(looks) == 2 * len(COLOURS)
    assert not is_repeated(now, -1), "what is no run is grey and whole"


@pytest.mark.parametrize("family", list(Family))
def test_a_pierced_marker_has_a_hole_and_the_same_outline(themed: QApplication, family: Family) -> None:
    whole, pierced = marker_path(family), marker_path(family, pierced=True)
    assert whole.boundingRect() == pierced.boundingRect()
    assert whole.contains(QPointF(0, 0)) and not pierced.contains(QPointF(0, 0))
    seen = []
    for hole in (False, True):
        image = QImage(41, 41, QImage.Format.Format_RGB32)
        image.fill(QColor("white"))
        painter = QPainter(image)
        draw_marker(painter, family, QPointF(20.5, 20.5), QColor("black"), QColor("white"), 30, pierced=hole)
        painter.end()
        seen.append(image.pixelColor(20, 20).name())
    assert seen == ["#000000", "#ffffff"]

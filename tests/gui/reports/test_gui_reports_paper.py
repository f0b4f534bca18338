from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from medfm_gui.ui.pages.reports.paper import ZOOMS, Paper
from medfm_gui.ui.pages.reports.reader import Reader
from medfm_gui.ui.pages.reports.sample import pages

SECTIONS = [f"Section {number}" for number in range(12)]


@pytest.fixture
def paper(qtbot: QtBot) -> Paper:
    paper = Paper()
    qtbot.addWidget(paper)
    paper.resize(600, 500)
    paper.show()
    paper.show_pdf(pages("Title", SECTIONS))
    qtbot.waitUntil(lambda: paper.is_settled)
    return paper


def ink(image: QImage) -> int:
    """How many pixels of a picture are dark."""
    dark = 0
    for y in range(0, image.height(), 2):
        for x in range(0, image.width(), 2):
            dark += image.pixelColor(x, y).lightness() < 100
    return dark


def test_pages_are_drawn_on_white_paper_and_fit_the_width(paper: Paper) -> None:
    shown = paper.viewport().grab().toImage()
    middle = shown.pixelColor(40, 40)
    assert middle == QColor(Qt.GlobalColor.white)
    assert ink(shown) > 200
    assert paper.pages == 6
    assert paper.horizontalScrollBar().maximum() == 0
    paper.resize(900, 500)
    assert paper.zoom == pytest.approx((paper.viewport().width() - 32) / (595 * 96 / 72), rel=0.01)


def test_another_version_stays_at_the_place_that_was_read(paper: Paper, qtbot: QtBot) -> None:
    paper.go_to(3)
    paper.verticalScrollBar().setValue(paper.verticalScrollBar().value() + 100)
    before = paper.verticalScrollBar().value()
    paper.show_pdf(pages("Another title", SECTIONS), keep_place=True)
    qtbot.waitUntil(lambda: paper.is_settled)
    assert abs(paper.verticalScrollBar().value() - before) <= 1
    assert paper.page == 3
    paper.show_pdf(pages("Another report", SECTIONS))
    qtbot.waitUntil(lambda: paper.is_settled)
    assert paper.page == 1


def test_a_version_that_comes_while_pages_are_drawn_replaces_them_afterwards(paper: Paper, qtbot: QtBot) -> None:
    for number in range(8):
        paper.show_pdf(pages(f"Version {number}", SECTIONS[: number + 1]), keep_place=True)
        paper.set_zoom(1.0 + number / 10)
        qtbot.wait(5)
    qtbot.waitUntil(lambda: paper.is_settled)
    assert paper.pages == 4


def test_zoom_goes_in_steps_and_keeps_the_page(paper: Paper, qtbot: QtBot) -> None:
    paper.go_to(4)
    paper.set_zoom(1.0)
    for wanted in (1.1, 1.25, 1.1, 1.0, 0.9):
        paper.zoom_by(1 if wanted > paper.zoom else -1)
        assert paper.zoom == pytest.approx(wanted)
    assert paper.page == 4
    fits = paper.fits_width
    assert not fits
    for _ in range(30):
        paper.zoom_by(1)
    assert paper.zoom == ZOOMS[-1]
    assert paper.horizontalScrollBar().maximum() > 0
    paper.fit_width()
    assert paper.fits_width
    qtbot.waitUntil(lambda: paper.is_settled)


def test_keys_move_through_the_pages(paper: Paper) -> None:
    bar = paper.verticalScrollBar()
    went = [bar.value()]
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Home):
        QTest.keyClick(paper, key)
        went.append(bar.value())
    assert went[0] < went[1] < went[2] == bar.maximum()
    assert went[4] == 0 < went[3] < went[2]


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"no pdf at all" * 1000, None])
def test_what_is_no_pdf_has_no_pages(qtbot: QtBot, data: bytes | None) -> None:
    data = pages("x", ["a"])[:800] if data is None else data  # cut short
    paper = Paper()
    qtbot.addWidget(paper)
    paper.show()
    paper.show_pdf(data)
    assert paper.pages == 0
    assert paper.page == 0
    paper.zoom_by(1)
    paper.go_to(1)
    assert paper.is_settled or paper.pages == 0


def test_the_bar_says_where_one_is(qtbot: QtBot) -> None:
    reader = Reader()
    qtbot.addWidget(reader)
    reader.resize(700, 500)
    reader.show()
    reader.show_pdf("A title", pages("A title", SECTIONS))
    assert reader.place.text() == "Page 1 of 6"
    assert not reader.back.isEnabled()
    QTest.mouseClick(reader.forth, Qt.MouseButton.LeftButton)
    assert reader.place.text() == "Page 2 of 6"
    QTest.mouseClick(reader.larger, Qt.MouseButton.LeftButton)
    assert not reader.fit.isChecked()
    QTest.mouseClick(reader.fit, Qt.MouseButton.LeftButton)
    assert reader.fit.isChecked()
    qtbot.waitUntil(lambda: reader.paper.is_settled)

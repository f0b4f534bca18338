"""A screen of Full HD at 200 %: the wizard keeps what one chooses from, and leaves the plan to the list of steps."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractItemView, QCheckBox
from pytestqt.qtbot import QtBot

from medfm_gui.ui.pages.train.page import TrainPage
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.sample import ANSWERS
from medfm_gui.ui.pages.train.wizard.summary import Summary
from medfm_gui.ui.sample import sample_context


def test_the_plan_gives_way_and_no_way_of_adapting_is_squeezed(qtbot: QtBot) -> None:
    page = TrainPage(sample_context(ANSWERS))
    qtbot.addWidget(page)
    page.resize(1080, 772)
    page.show()
    page.visit(dataset="thorax-phantom")
    summary = page.wizard.findChild(Summary)
    assert summary is not None
    qtbot.waitUntil(summary.isVisible)
    page.resize(784, 500)
    qtbot.waitUntil(lambda: not summary.isVisible())
    page.wizard._pages.setStartId(int(At.ADAPTATION))
    page.wizard._pages.restart()
    step = page.wizard.step
    qtbot.waitUntil(step.isVisible)
    boxes = [box for box in step.findChildren(QCheckBox) if box.isVisible()]
    table = next(one for one in step.findChildren(QAbstractItemView) if one.isVisible())
    assert boxes and table.minimumHeight() > 0
    qtbot.waitUntil(lambda: all(box.height() >= box.fontMetrics().height() for box in boxes))
    qtbot.waitUntil(lambda: table.height() >= table.minimumHeight())
    page.resize(1080, 772)
    qtbot.waitUntil(summary.isVisible)

"""A dialog that is as high as its words need, also when they grow while it is open."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout
from pytestqt.qtbot import QtBot

from medfm_gui.ui.widgets.dialog import WordsDialog, end_row
from medfm_gui.ui.widgets.text import Label


def test_it_grows_and_shrinks_with_its_words(themed: QApplication, qtbot: QtBot) -> None:
    dialog = WordsDialog()
    qtbot.addWidget(dialog)
    dialog.setFixedWidth(320)
    words = Label("Short.")
    column = QVBoxLayout(dialog)
    column.addWidget(words)
    column.addLayout(end_row(QPushButton("Cancel"), QPushButton("Do it")))
    dialog.show()
    before = dialog.height()
    words.setText("A sentence that goes on for several lines of a narrow dialog. " * 8)
    qtbot.waitUntil(lambda: dialog.height() > before + 80)
    assert words.height() >= words.heightForWidth(words.width())
    words.setText("Short.")
    qtbot.waitUntil(lambda: dialog.height() == before)

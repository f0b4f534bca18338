"""A disk that is full, a workspace with a name that means harm, and hostile names from the folder to the wizard."""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from medfm_gui.ui.pages.datasets.page import DatasetsPage
from medfm_gui.ui.pages.train.page import TrainPage
from tests.fixtures.hand import Hand
from tests.fixtures.hostile import class_folders, image
from tests.fixtures.window import closed, opened_window, settle

CLASSES = ("<img src=x onerror=a>", "<b>x<b>", "evil\u202egnp.exe", "\U0001f9e0\U0001f525", "two\nlines", "n" * 240)


def _judged(hand: Hand) -> None:
    """No label is markup and nothing pushed the window wider."""
    for label in hand.window.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText, label.text()
    assert hand.window.width() <= 1280 and hand.window.minimumSizeHint().width() <= 1280


def test_hostile_names_from_the_folder_to_the_wizard(tmp_path: Path, qtbot: QtBot) -> None:
    source = tmp_path / "<i>so&urce</i>\u202e"
    for number, name in enumerate(CLASSES):
        (source / name).mkdir(parents=True)
        for file in range(4):
            image(10 * number + file).save(source / name / f"{'<u>' * 20}{file}\n.png")
    window = opened_window(tmp_path / "<b>wörk&space</b>\U0001f9e0", qtbot.waitUntil)
    hand = Hand(window, qtbot.waitUntil)
    try:
        window.go("datasets")
        page = window.pages.currentWidget()
        assert isinstance(page, DatasetsPage)
        page.open_import()
        assert page.dialog is not None
        page.dialog.choose(str(source))
        hand.until(lambda: page.dialog is not None and page.dialog.view.go.isEnabled(), 60)
        _judged(hand)
        page.dialog.view.name.setText("../<b>\u202e =1+1")
        hand.click("Import", 60)
        hand.until(lambda: page.dialog is None, 60)
        settle(window, qtbot.waitUntil)
        for tab in ("Images", "Characteristics", "Splits", "Data quality"):
            hand.tab(tab)
            settle(window, qtbot.waitUntil)
            _judged(hand)
        hand.tab("Splits")
        hand.click("New split")
        hand.click("Make split", 60)
        hand.until(lambda: hand.sees("Leak gate"), 60)
        assert hand.sees("<b>")
        window.go("train", dataset=page._dataset.id)  # type: ignore[union-attr]
        settle(window, qtbot.waitUntil)
        assert isinstance(window.pages.currentWidget(), TrainPage)
        _judged(hand)
        window.go("home")
        settle(window, qtbot.waitUntil)
        _judged(hand)
        assert window.grab().width() <= 1280 * window.devicePixelRatio()
    finally:
        closed(window)


def test_a_disk_that_is_full_is_said_in_the_dialog_and_importing_works_afterwards(
    small_disk: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    source = class_folders(tmp_path / "two", {"a": 12, "b": 12})
    window = opened_window(small_disk / "workspace", qtbot.waitUntil)
    hand = Hand(window, qtbot.waitUntil)
    try:
        window.go("datasets")
        page = window.pages.currentWidget()
        assert isinstance(page, DatasetsPage)
        page.open_import()
        assert page.dialog is not None
        page.dialog.choose(str(source))
        hand.until(lambda: page.dialog is not None and page.dialog.view.go.isEnabled(), 60)
        filling = small_disk / "filling"
        filling.write_bytes(b"\0" * max(0, shutil.disk_usage(small_disk).free - 8_192))
        page.dialog.view.go.click()
        hand.until(lambda: page.dialog is not None and page.dialog.pane.state == "error", 60)
        assert hand.sees("full")
        assert not list((small_disk / "workspace" / "datasets").iterdir())
        filling.unlink()
        hand.click("Back to the check")
        hand.click("Import", 60)
        hand.until(lambda: page.dialog is None and hand.sees("24 images"), 60)
    finally:
        closed(window)

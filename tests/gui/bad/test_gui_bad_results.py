"""A disk that fills while a report is written, files that are damaged when they are to be predicted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.reports import ListReports
from medfm_gui.desk.asks.runs import OpenTest
from medfm_gui.desk.asks.studies import ListEarlier, SeriesKey
from medfm_gui.imaging.phantom.write import write_patient
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.pages.reports import where
from medfm_gui.ui.pages.reports.page import ReportsPage
from medfm_gui.ui.pages.studies.page import StudiesPage
from tests.fixtures.asked import asked, finished_run
from tests.fixtures.hand import Hand
from tests.fixtures.hostile import class_folders, image
from tests.fixtures.window import closed, opened_window, settle, visible

FILMS = 3


def test_a_disk_that_fills_while_a_report_is_written(
    small_disk: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened_window(small_disk / "workspace", qtbot.waitUntil)
    hand = Hand(window, qtbot.waitUntil)
    mine, elsewhere = small_disk / "mine.pdf", tmp_path / "elsewhere"
    try:
        run = finished_run(hand, str(class_folders(tmp_path / "two", {"a": 8, "b": 8})), "two")
        asked(hand, OpenTest((run,), "protocol 1.2"), 90)
        window.go("reports", runs=(run,))
        hand.until(lambda: hand.sees("Page 1 of"), 120)
        settle(window, qtbot.waitUntil)
        page = window.pages.currentWidget()
        assert isinstance(page, ReportsPage)
        monkeypatch.setattr(where, "ask_where", lambda *_: str(mine))
        hand.click("Export PDF", 60)
        hand.until(lambda: hand.sees("was written to") and mine.exists(), 60)
        before = _everything(small_disk)
        filling = small_disk / "filling"
        filling.write_bytes(b"\0" * max(0, shutil.disk_usage(small_disk).free - 8_192))
        for target in (mine, elsewhere / "second.pdf"):
            monkeypatch.setattr(where, "ask_where", lambda *_, target=target: str(target))
            hand.click("Export PDF", 60)
            hand.until(lambda: hand.sees("is full"), 60)
            settle(window, qtbot.waitUntil)
            assert _offered(page) == ["Export again …"]
            assert hand.sees("Free some space")
            assert _everything(small_disk) == before, "the former report is as it was, and no part of another"
            assert not elsewhere.exists() or not list(elsewhere.iterdir())
            assert not window.toasts.toasts, "said where it happened"
            assert hand.sees("Page 1 of"), "the pages stay"
        assert len(asked(hand, ListReports()).reports) == 1
        filling.unlink()
        hand.click("Export again", 60)
        hand.until(lambda: hand.sees("was written to") and (elsewhere / "second.pdf").exists(), 60)
        settle(window, qtbot.waitUntil)
        assert len(asked(hand, ListReports()).reports) == 2
        assert mine.read_bytes() == before[mine]
    finally:
        closed(window)


def _offered(page: ReportsPage) -> list[str]:
    return [button.text() for button in page.sheets.notice.buttons if button.isVisible()]


def _everything(disk: Path) -> dict[Path, bytes]:
    """Reports and their copies, with whatever a write left behind."""
    found = [path for path in (disk / "workspace" / "reports").rglob("*") if path.is_file()]
    found += [path for path in disk.iterdir() if path.is_file() and path.name != "filling"]
    return {path: path.read_bytes() for path in found}


@pytest.fixture
def reading(tmp_path: Path, qtbot: QtBot) -> Iterator[tuple[Hand, StudiesPage]]:
    """The studies' page of a workspace with one finished run."""
    window: MainWindow = opened_window(tmp_path / "workspace", qtbot.waitUntil)
    hand = Hand(window, qtbot.waitUntil)
    finished_run(hand, str(class_folders(tmp_path / "two", {"a": 8, "b": 8})), "two")
    window.go("studies")
    settle(window, qtbot.waitUntil)
    page = window.pages.currentWidget()
    assert isinstance(page, StudiesPage)
    yield hand, page
    closed(window)


def _three_films(root: Path) -> list[Path]:
    """A study of one series with three radiographs."""
    number = next(number for number in range(40) if write_patient(root, 0, number).radiographs == FILMS)
    return sorted((root / "radiographs" / f"{number:04d}").iterdir())


def test_damaged_files_are_named_and_the_others_are_predicted(
    reading: tuple[Hand, StudiesPage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand, page = reading
    films = _three_films(tmp_path / "phantom")
    page.browser.open_source(str(films[0].parent))
    hand.until(lambda: page.reader.viewer.state.series is not None, 60)
    films[1].write_bytes(films[1].read_bytes()[: films[1].stat().st_size // 2])  # after it was listed
    hand.click("Predict", 30)
    hand.until(lambda: page.panel.answers.view is not None, 120)
    view = page.panel.answers.view
    assert view is not None
    assert [Path(one.source) for one in view.images] == [films[0], films[2]]
    assert page.panel.answers.skipped.isVisible()
    assert page.panel.answers.skipped.text().startswith(f"Not scored: {films[1].name}: ")
    assert page.panel.notice.isHidden()

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    image(3).save(pictures / "good.png")
    (pictures / "cut.png").write_bytes((pictures / "good.png").read_bytes()[:150])
    page.browser.open_source(str(pictures))
    hand.until(lambda: page.panel.key == SeriesKey(path=str(pictures / "cut.png")), 60)
    hand.until(lambda: page.reader.state.state == "error", 30)
    hand.click("Predict", 30)
    hand.until(lambda: not page.panel.notice.isHidden(), 120)
    assert "cut.png" in page.panel.notice.message.text()
    assert page.panel.notice.hint.text() and not hand.window.toasts.toasts
    buttons = [one.text() for one in visible(page.panel.notice) if isinstance(one, QPushButton)]
    assert buttons == ["Open another file …"]
    assert page.panel.answers.view is None

    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(pictures / "good.png"), ""))
    page.panel.notice.buttons[0].click()
    hand.until(lambda: page.panel.key == SeriesKey(path=str(pictures / "good.png")), 60)
    hand.until(lambda: page.reader.state.state == "content", 30)
    hand.click("Predict", 30)
    hand.until(lambda: page.panel.answers.view is not None, 120)
    assert page.panel.notice.isHidden()

    settle(hand.window, hand.wait)
    kept = asked(hand, ListEarlier(SeriesKey(view.images[0].study))).predictions
    assert [(one.id, one.n_images) for one in kept] == [(view.id, 2)]
    assert len(list((tmp_path / "workspace" / "predictions").iterdir())) == 2, "of what could not be read nothing stays"


def test_a_file_that_went_away_is_said_and_what_was_said_before_stays(
    reading: tuple[Hand, StudiesPage], tmp_path: Path
) -> None:
    hand, page = reading
    picture = tmp_path / "skin.png"
    image(4).save(picture)
    page.browser.open_source(str(picture))
    hand.until(lambda: page.reader.state.state == "content" and page.panel.key == SeriesKey(path=str(picture)), 60)
    hand.click("Predict", 30)
    hand.until(lambda: page.panel.answers.view is not None, 120)
    before = page.panel.answers.view
    picture.unlink()
    hand.click("Predict", 30)
    hand.until(lambda: not page.panel.notice.isHidden(), 60)
    assert "does not exist" in page.panel.notice.message.text()
    assert page.panel.answers.view is before
    assert page.panel.button.isEnabled()
    settle(hand.window, hand.wait)

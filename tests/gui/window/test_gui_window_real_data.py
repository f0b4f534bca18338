"""The main job by clicks on real images: dermoscopy with a table of labels, and a DICOM study to read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from medfm_gui.ui.bridge import Batch
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.pages.reports import where
from tests.fixtures import steps
from tests.fixtures.hand import Hand
from tests.fixtures.window import closed, opened_window, settle


def _real(name: str) -> Path:
    shared = Path(os.environ.get("MEDFM_SHARED") or Path(__file__).resolve().parents[4] / "shared")
    source = shared / "data" / name
    if not source.is_dir():
        pytest.skip(f"the real images “{name}” are not here: MEDFM_SHARED names their folder")
    return source


@pytest.fixture
def dermoscopy() -> Path:
    return _real("isic-uda1")


@pytest.fixture
def radiographs() -> Path:
    return _real("cxr-dicom")


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[MainWindow]:
    one = opened_window(tmp_path / "workspace", qtbot.waitUntil)
    yield one
    closed(one)


@pytest.mark.slow
def test_dermoscopy_from_a_table_to_a_report(
    window: MainWindow,
    dermoscopy: Path,
    radiographs: Path,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand = Hand(window, qtbot.waitUntil)
    news: dict[str, Batch] = {}
    assert window.session is not None
    window.session.runs.batch.connect(lambda batch: news.__setitem__(batch.run, batch))
    steps.import_folder(hand, dermoscopy, "A table with one row an image", "557 images")
    steps.divide(hand)
    steps.train(hand)
    hand.until(lambda: len(news) == 2 and all(one.state.phase == "finished" for one in news.values()), 240)
    assert all(one.state.metrics["auc"] > 0.7 for one in news.values()), "better than chance on validation"
    settle(window, qtbot.waitUntil)
    steps.open_test(hand)
    steps.read_study(hand, monkeypatch, radiographs)
    steps.compare(hand)
    pdf = tmp_path / "report.pdf"
    monkeypatch.setattr(where, "ask_where", lambda *_: str(pdf))
    steps.report(hand)
    hand.until(pdf.exists, 60)
    settle(window, qtbot.waitUntil)

"""The whole main job by clicks and keys, in the real window with its desk, its supervisor and the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from medfm_gui.imaging.phantom.write import write_phantom
from medfm_gui.ui.bridge import Batch
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.pages.reports import where
from tests.fixtures import steps
from tests.fixtures.hand import Hand
from tests.fixtures.window import closed, opened_window, settle

PER_CLASS = 40


def _images(root: Path) -> Path:
    """Two classes of small radiograph-like pictures that differ by a bright disc."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[0:96, 0:96] / 96
    for label, name in enumerate(("clear", "nodule")):
        (root / name).mkdir(parents=True)
        for number in range(PER_CLASS):
            image = 90 + 40 * np.sin(5 * rows + random.uniform(0, 6)) + random.normal(0, 10, rows.shape)
            centre = random.uniform(0.3, 0.7, 2)
            image += 70 * label * (((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) < 0.012)
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(root / name / f"{number:03d}.png")
    return root


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[MainWindow]:
    one = opened_window(tmp_path / "workspace", qtbot.waitUntil)
    yield one
    closed(one)


@pytest.mark.slow
def test_from_a_folder_to_a_report(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand(window, qtbot.waitUntil)
    source = _images(tmp_path / "chest")
    news: list[Batch] = []
    assert window.session is not None
    window.session.runs.batch.connect(news.append)

    steps.import_folder(hand, source, "One folder", "80 images")
    steps.divide(hand)
    steps.train(hand)
    hand.until(lambda: {batch.run for batch in news if batch.state.phase == "finished"} == {"r0001", "r0002"}, 420)
    assert any(batch.state.curve for batch in news), "the curves came live"
    settle(window, qtbot.waitUntil)
    steps.open_test(hand)
    study = tmp_path / "study"
    write_phantom(study, patients=1)
    steps.read_study(hand, monkeypatch, study / "radiographs")
    steps.compare(hand)
    pdf = tmp_path / "report.pdf"
    monkeypatch.setattr(where, "ask_where", lambda *_: str(pdf))
    steps.report(hand)
    hand.until(pdf.exists, 60)
    assert pdf.read_bytes().startswith(b"%PDF")
    settle(window, qtbot.waitUntil)

"""The main job by clicks on simulated patients: a DICOM tree whose table of labels lies in the folder above."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import ListDatasets, ListSamples, ListSplits
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.split import Partition
from medfm_gui.imaging.phantom.write import write_phantom
from medfm_gui.store.rows import SampleFilter
from medfm_gui.ui.bridge import Batch
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.pages.reports import where
from tests.fixtures import steps
from tests.fixtures.asked import asked
from tests.fixtures.hand import Hand
from tests.fixtures.window import closed, opened_window, settle

PATIENTS = 29
"""As many as are written without a process of their own."""


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[MainWindow]:
    one = opened_window(tmp_path / "workspace", qtbot.waitUntil)
    yield one
    closed(one)


@pytest.mark.slow
def test_a_dicom_tree_with_a_table_from_the_folder_to_a_report(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand(window, qtbot.waitUntil)
    tree = tmp_path / "phantom" / "radiographs"
    films = sum(one.radiographs for one in write_phantom(tree.parent, patients=PATIENTS))
    news: list[Batch] = []
    assert window.session is not None
    window.session.runs.batch.connect(news.append)

    steps.import_folder(hand, tree, "A tree of DICOM files with a table of labels", f"{films} images", label="nodule")
    (dataset,) = asked(hand, ListDatasets()).datasets
    assert (dataset.layout, dataset.task, dataset.n_patients) == ("dicom", Task.BINARY, PATIENTS)
    steps.divide(hand)
    steps.train(hand)
    hand.until(lambda: {batch.run for batch in news if batch.state.phase == "finished"} == {"r0001", "r0002"}, 420)
    assert any(batch.state.curve for batch in news), "the curves came live"
    settle(window, qtbot.waitUntil)
    steps.open_test(hand)
    steps.read_study(hand, monkeypatch, _unseen(hand, dataset.id, tree))
    steps.compare(hand)
    pdf = tmp_path / "report.pdf"
    monkeypatch.setattr(where, "ask_where", lambda *_: str(pdf))
    steps.report(hand)
    hand.until(pdf.exists, 60)
    assert pdf.read_bytes().startswith(b"%PDF")
    settle(window, qtbot.waitUntil)
    _names_nobody(window, tmp_path / "workspace", pdf)


def _names_nobody(window: MainWindow, workspace: Path, pdf: Path) -> None:
    """No id and no name of a patient in what outlives the look at a study, or can be read over a shoulder."""
    reader = pypdf.PdfReader(pdf)
    inside = [contents.decode() for held in reader.attachments.values() for contents in held]
    kept = [
        window.windowTitle(),
        QApplication.clipboard().text(),
        json.dumps(window.memory._values),
        str(reader.metadata),
        *inside,
        *(page.extract_text() for page in reader.pages),
        *(str(path.relative_to(workspace)) for path in workspace.rglob("*")),
    ]
    for folder in ("logs", "runs", "reports", "evaluations", "splits"):
        files = [path for path in (workspace / folder).rglob("*") if path.suffix in {".json", ".jsonl", ".log", ".txt"}]
        kept += [path.read_text(encoding="utf-8", errors="replace") for path in files]
    kept.append((workspace / "journal.jsonl").read_text(encoding="utf-8"))
    told = [text[:200] for text in kept if any(who in text.upper() for who in ("PHANTOM-0", "PHANTOM^"))]
    assert not told


def _unseen(hand: Hand, dataset: str, tree: Path) -> Path:
    """The folder of a patient whose images no run has learnt from."""
    (split,) = asked(hand, ListSplits(dataset)).splits
    tested = SampleFilter(split=split.id, partition=Partition.TEST)
    return tree / Path(asked(hand, ListSamples(dataset, only=tested)).samples[0].path).parent

"""The compare page in the real window with its desk and a real worker: cheap models, cases, readers, other data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import ListSamples
from medfm_gui.desk.asks.runs import OpenTest
from medfm_gui.domain.split import Partition
from medfm_gui.store.rows import SampleFilter
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.pages.compare.bring_in import BringIn
from medfm_gui.ui.pages.compare.page import ComparePage
from medfm_gui.ui.pages.compare.site_dialog import SiteDialog
from medfm_gui.ui.viewer.viewer import Viewer
from tests.fixtures.asked import asked, dataset_and_split, finished_run
from tests.fixtures.hand import Hand
from tests.fixtures.window import closed, opened_window, settle


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("MEDFM_WEIGHTS", str(tmp_path / "weights"))
    one = opened_window(tmp_path / "workspace", qtbot.waitUntil)
    yield one
    closed(one)


def _images(root: Path, seed: int, per_class: int = 40) -> Path:
    """Two classes of small pictures that differ by a bright disc, which every third of the second class lacks."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:96, 0:96] / 96
    for label, name in enumerate(("clear", "nodule")):
        (root / name).mkdir(parents=True)
        for number in range(per_class):
            image = 90 + 40 * np.sin(5 * rows + random.uniform(0, 6)) + random.normal(0, 10, rows.shape)
            centre = random.uniform(0.3, 0.7, 2)
            image += 40 * (label and number % 3 > 0) * (((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) < 0.012)
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(root / name / f"{number:03d}.png")
    return root


def _look_at(page: ComparePage, name: str) -> None:
    tabs = page.board.tabs
    tabs.setCurrentIndex(next(at for at in range(tabs.count()) if tabs.tabText(at) == name))


def _tables(hand: Hand, dataset: str, split: str, folder: Path) -> tuple[Path, Path]:
    """Reads of two readers, and the predictions of another system, of the test images."""
    only = SampleFilter(split=split, partition=Partition.TEST)
    samples = asked(hand, ListSamples(dataset, 0, 500, only)).samples
    reads, scores = ["reader,sample,decision"], ["sample,score"]
    for number, one in enumerate(samples):
        truth = int("nodule" in one.path)
        reads += [f"Kim,{one.id},{truth ^ (number % 5 == 0)}", f"Rossi,{one.id},{int(number % 2 == 0)}"]
        scores.append(f"{one.id},{(number * 37 % 100) / 100}")
    paths = folder / "reads.csv", folder / "vendor.csv"
    for path, rows in zip(paths, (reads, scores), strict=True):
        path.write_text("\n".join(rows), encoding="utf-8")
    return paths


@pytest.mark.slow
def test_what_stands_beside_a_run(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    hand = Hand(window, qtbot.waitUntil)
    run = finished_run(hand, str(_images(tmp_path / "chest", 0)), "chest")
    assert asked(hand, OpenTest((run,), "final evaluation")).runs == (run,)
    window.go("compare", runs=(run,))
    page = window.findChild(ComparePage)
    assert page is not None
    overview = page.board.overview
    hand.until(lambda: overview.model.rowCount() == 2, 60)
    assert overview.model.index(1, 0).data() == "Cheap model: 32-pixel thumbnails"
    assert "no covariate" in overview.cheap.about.text(), "what could not be made is named with the reason"
    overview.grid.baselines.click()
    hand.until(lambda: "roc-beside" in overview.grid._keys.values())
    chart = overview.grid._drawings["roc-beside"].chart
    assert [one.style for one in chart.series] == ["linear", "baseline"]

    _look_at(page, "Disagreements")
    cases = page.board.disagreements
    cases.kind.setCurrentIndex(0)
    hand.until(lambda: cases.model.rowCount() > 0)
    case = cases.model.case(0)
    assert case is not None and case.wrong == (True,), "of one run the cases that it got wrong"
    cases.open_button.click()
    hand.until(lambda: window.pages.currentWidget() is not page)
    viewer = window.findChild(Viewer)
    assert viewer is not None
    hand.until(lambda: viewer.overlay.shown and viewer.heat_map is not None, 120)
    settle(window, qtbot.waitUntil)
    window.go("compare")

    split = next(iter((tmp_path / "workspace" / "splits").glob("*.json"))).stem
    reads, scores = _tables(hand, "chest", split, tmp_path)
    _look_at(page, "Readers")
    tab = page.board.readers
    hand.until(lambda: tab.pane.state == "empty")
    tab.import_wanted.emit()
    dialog = page.findChild(BringIn)
    assert dialog is not None
    hand.until(lambda: dialog.split.currentData() == split)
    dialog.file.set_path(str(tmp_path / "nothing.csv"))
    dialog.act.click()
    hand.until(lambda: "There is no file" in dialog.notice.message.text())
    dialog.file.set_path(str(reads))
    dialog.act.click()
    hand.until(lambda: tab.model.rowCount() == 2, 60)
    assert tab.pair_model.rowCount() == 2 and tab.case_model.rowCount() > 0
    hand.until(lambda: overview.grid.readers.isVisibleTo(overview.grid))

    coast, _ = dataset_and_split(hand, str(_images(tmp_path / "coast", 1, 30)), "coast")
    _look_at(page, "Other data")
    sites = page.board.sites
    hand.until(lambda: sites.pane.state == "empty")
    sites.ask_where()
    asking = page.findChild(SiteDialog)
    assert asking is not None
    hand.until(lambda: asking.dataset.count() == 2)
    asking.dataset.setCurrentIndex(asking.dataset.findData(coast))
    hand.until(lambda: len(asking.labels()) == 2)
    assert not asking.act.isEnabled(), "a reason is wanted"
    asking.reason.setText("external validation")
    asking.act.click()
    hand.until(lambda: sites.model.rowCount() == 2, 120)
    assert [sites.model.index(row, 2).data() for row in (0, 1)] == ["as they are", "recalibrated"]
    assert "opened once" in sites.note.text() and sites.view.chart is not None

    page.imports.predictions()
    bring = next(one for one in page.findChildren(BringIn) if one.isVisible())
    hand.until(lambda: bring.split.currentData() == split)
    bring.file.set_path(str(scores))
    bring.name.setText("Vendor A")
    bring.reason.setText("comparison with the vendor")
    bring.act.click()
    hand.until(lambda: page.board.bar.runs == (run, "r0002"), 60)
    hand.until(lambda: page.board.tests.model.rowCount() > 0, 60)
    settle(window, qtbot.waitUntil)
    window.toasts.clear()

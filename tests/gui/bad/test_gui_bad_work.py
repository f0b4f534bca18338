"""What cannot be divided, trained, tested, fetched: refused on its page, in the window's words, with a way on."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QPushButton, QWidget

from medfm_gui.desk.asks.data import ListDatasets, ListSplits
from medfm_gui.desk.asks.train import ListModels
from medfm_gui.domain.cards import WeightsState
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.pages.datasets.page import DatasetsPage
from medfm_gui.ui.pages.runs.page import RunsPage
from medfm_gui.ui.pages.settings.page import SettingsPage
from medfm_gui.ui.pages.settings.weights import WeightsSection
from medfm_gui.ui.pages.train.page import TrainPage
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.workspace.training import TrainRequest
from tests.fixtures.asked import asked, dataset_and_split, ordered
from tests.fixtures.hand import Hand
from tests.fixtures.hostile import images_with
from tests.fixtures.window import settle, visible

TABLE = "file,dx,patient\n" + "".join(f"{number}.png,{'xy'[number % 2]},p{number}\n" for number in range(6))


@pytest.fixture
def six(hand: Hand, tmp_path: Path) -> tuple[str, str]:
    """Six patients, one image each, divided; the same dataset for all tests of the module."""
    known = [row.id for row in asked(hand, ListDatasets()).datasets]
    if known:
        return known[0], asked(hand, ListSplits(known[0])).splits[0].id
    return dataset_and_split(hand, str(images_with(tmp_path / "images", "labels.csv", TABLE)), "six", "34/33/33")


def errors(root: QWidget) -> list[StatePane]:
    return [one for one in root.findChildren(StatePane) if one.isVisible() and one.state == "error"]


def in_the_windows_words(hand: Hand) -> bool:
    texts = [
        text
        for one in visible(hand.place())
        if not one.accessibleName().startswith("Equal")
        for text in hand._texts(one)
    ]
    return not [text for text in texts if "“medfm " in text or " --" in text]


def test_a_division_that_cannot_be_is_said_beside_the_form(hand: Hand, six: tuple[str, str], tmp_path: Path) -> None:
    hand.window.go("datasets", dataset=six[0])
    settle(hand.window, hand.wait)
    page = hand.window.pages.currentWidget()
    assert isinstance(page, DatasetsPage)
    hand.tab("Splits")
    page.details.new_split()
    settle(hand.window, hand.wait)
    editor = page.details.splits.editor
    editor.form.method.setCurrentIndex(editor.form.method.findData("folds"))
    editor.form.folds.setValue(20)
    hand.until(lambda: errors(page))
    assert in_the_windows_words(hand)
    assert not editor.make.isEnabled() and editor.make.toolTip()
    editor.form.method.setCurrentIndex(editor.form.method.findData("file"))
    assert not editor.make.isEnabled() and editor.make.toolTip()
    editor.form.file.set_path(str(tmp_path / "nowhere.csv"))
    editor.form.changed.emit()
    hand.until(lambda: errors(page) and hand.sees("nowhere.csv"))
    editor.form.method.setCurrentIndex(editor.form.method.findData("shares"))
    hand.until(lambda: (not errors(page) and hand.sees("Leak gate")) or editor.make.isEnabled())
    hand.click("Back to the splits")


def test_models_without_weights_and_wrong_settings_stop_the_wizard_with_a_reason(
    hand: Hand, six: tuple[str, str]
) -> None:
    models = {one.card.name: one for one in asked(hand, ListModels()).models}
    absent = next(name for name, one in models.items() if one.weights.state is WeightsState.ABSENT)
    hand.window.go("train", dataset=six[0], split=six[1])
    settle(hand.window, hand.wait)
    page = hand.window.pages.currentWidget()
    assert isinstance(page, TrainPage)
    page.state.put(models=(absent,))
    page.wizard.go_to(3)
    settle(hand.window, hand.wait)
    button = hand.find(QAbstractButton, "Next: Recipe")
    assert button is not None and not button.isEnabled()
    assert hand.sees("get them in Settings")
    page.begin()


@pytest.mark.parametrize(
    ("request_", "words", "button"),
    [
        ({"models": ("resnet50",), "adapts": ("linear",)}, "weights", "Get weights …"),
        ({"adapts": ("knn",), "from_scratch": True}, "weights", "Get weights …"),
        ({"settings": {"k": "0"}}, "k", "Back to Recipe"),
        ({"device": "toaster"}, "toaster", "Back to Recipe"),
        ({"dataset": "nowhere"}, "nowhere", "Back to Data"),
        ({"split": "nowhere"}, "nowhere", "Back to Data"),
    ],
    ids=["weights", "from-scratch", "setting", "device", "dataset", "split"],
)
def test_a_start_that_is_refused_is_said_in_the_review(
    request_: dict[str, object], words: str, button: str, hand: Hand, six: tuple[str, str]
) -> None:
    hand.window.go("train", dataset=six[0], split=six[1])
    settle(hand.window, hand.wait)
    page = hand.window.pages.currentWidget()
    assert isinstance(page, TrainPage)
    plain = {"dataset": six[0], "split": six[1], "models": ("efficientnet-lite0",), "adapts": ("knn",)}
    order = TrainRequest(**{**plain, **request_})  # type: ignore[arg-type]
    page.state.put(models=("efficientnet-lite0",), rule="youden")
    page.wizard.go_to(5)
    settle(hand.window, hand.wait, longest_s=90)
    page.state.requests = lambda: (order,)  # type: ignore[method-assign]
    try:
        page.wizard.start()
        hand.until(lambda: not page.wizard.review.error.isHidden())
        assert words in page.wizard.review.error.error.message
        assert page.wizard.review.error.button.text() == button
        assert "--" not in page.wizard.review.error.error.hint and "medfm" not in page.wizard.review.error.error.hint
    finally:
        del page.state.requests
    page.wizard.review.error.button.click()
    settle(hand.window, hand.wait)
    assert page.wizard.at != 5 or hand.window.pages.currentWidget() is not page
    page.begin()


@pytest.mark.parametrize("content", [b"", b"noise" * 4000], ids=["empty", "noise"])
def test_a_wrong_weights_file_is_refused_beside_the_model(content: bytes, hand: Hand, tmp_path: Path) -> None:
    hand.window.go("settings", tab="weights", model="resnet50")
    settle(hand.window, hand.wait)
    page = hand.window.pages.currentWidget()
    assert isinstance(page, SettingsPage)
    section = page.section
    assert isinstance(section, WeightsSection)
    model = section.chosen()
    assert model is not None and model.card.name == "resnet50"
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    section.import_file(model, str(path))
    hand.until(lambda: section.job.message, 60)
    assert section.job.way_on.isVisible() and section.job.way_on.text() == "Choose another file …"
    section.pull(model)
    hand.until(lambda: section.job.message and section.job.way_on.text() == "Import a file instead …", 60)
    assert in_the_windows_words(hand)
    section.job.clear()


def test_a_run_that_is_not_finished_offers_no_test_and_says_why(hand: Hand, six: tuple[str, str]) -> None:
    request = TrainRequest(six[0], ("efficientnet-lite0",), ("knn",), six[1], settings={"k": "1"})
    (run,) = ordered(hand, request)
    hand.window.go("runs", run=run)
    settle(hand.window, hand.wait)
    page = hand.window.pages.currentWidget()
    assert isinstance(page, RunsPage)
    for words, why in (("Open test", "Only a finished run"), ("Report", "Open the sealed test"), ("Compare", "two or")):
        button = next(one for one in visible(page.board) if isinstance(one, QAbstractButton) and one.text() == words)
        assert not button.isEnabled()
        assert why in button.toolTip()
    asked_for = hand.window.pages.page("reports")
    hand.window.go("reports", runs=(run,))
    settle(hand.window, hand.wait)
    assert in_the_windows_words(hand)
    assert [one for one in visible(asked_for) if isinstance(one, QPushButton) and one.isEnabled()]


def test_an_error_while_content_is_shown_is_a_notice_with_a_button(hand: Hand, lasting: MainWindow) -> None:
    from medfm_gui.domain.errors import DatabaseBusy

    page = lasting.pages.page("runs")
    assert isinstance(page, RunsPage)
    lasting.go("runs")
    settle(lasting, hand.wait)
    page._failed(DatabaseBusy("Another program writes.", "Close the program."))
    assert page.state.state == "content"
    assert hand.sees("Another program writes.")
    hand.click("Try again")
    settle(lasting, hand.wait)
    assert not hand.sees("Another program writes.")
    assert page.board.table.isVisible()
    assert Qt.FocusPolicy.NoFocus is not page.board.table.focusPolicy()

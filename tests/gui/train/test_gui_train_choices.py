"""Models, ways and recipe in the wizard: searched, ticked, refused with words."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
    QTableView,
    QToolButton,
)
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import DatasetList, ListDatasets
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.presets import PRESETS
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.sample import DATASETS
from medfm_gui.ui.pages.train.ways import WAYS, Way
from medfm_gui.ui.pages.train.wizard.fields import FoldedSettings
from medfm_gui.ui.pages.train.wizard.model_box import ModelBox
from tests.fixtures.gui_train import (
    Open,
    all_cards,
    asked,
    at_models,
    button,
    fails,
    said,
    shown_boxes,
    words,
)

KNN, LINEAR, FULL, SCRATCH = Way("knn"), Way("linear"), Way("full"), Way("full", from_scratch=True)


def test_models_are_searched_and_ticked(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    all_cards(one, qtbot)
    step = one.wizard.step
    search = next(item for item in step.findChildren(QLineEdit) if item.accessibleName() == "Search models")
    QTest.keyClicks(search, "masked autoencoder mae b/16")
    qtbot.waitUntil(lambda: shown_boxes(one) == ["MAE B/16"])
    box = next(box for box in step.findChildren(ModelBox) if box.isVisible())
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert one.state.plan.models == ("mae-b",)
    search.setText("nothing of the kind")
    qtbot.waitUntil(lambda: "No model matches." in words(one))


def test_what_can_be_trained_comes_first_and_the_rest_is_folded(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    cards = all_cards(one, qtbot)
    ready = [card.title for card in cards if card.has_weights]
    assert ready == ["Baselines", "DINOv2", "MAE"]
    assert [card.title for card in cards[:3]] == ready
    assert shown_boxes(one) == [
        "ResNet-50", "EfficientNet-Lite0", "EfficientNet-Lite1", "DINOv2 S/14", "DINOv2 B/14", "MAE B/16",
    ]  # fmt: skip
    fold = next(item for item in cards[1].findChildren(QToolButton) if item.isVisible())
    assert fold.text() == "6 sizes without weights here"
    QTest.keyClick(fold, Qt.Key.Key_Space)
    assert "DINOv2 g/14" in shown_boxes(one)
    box = next(item for item in cards[1].findChildren(ModelBox) if item.text() == "DINOv2 g/14")
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=box.rect().center())  # the whole line listens
    assert one.state.plan.models == ("dinov2-g",)
    assert fold.text() == "6 sizes without weights here, 1 chosen"


def test_a_card_tells_licence_and_overlap(page: Open, qtbot: QtBot) -> None:
    from dataclasses import replace

    known = replace(DATASETS[0], layout="chexpert")
    one = page({ListDatasets: lambda ask: DatasetList((known,))})
    at_models(one, qtbot)
    cards = {card.title: card for card in all_cards(one, qtbot)}
    assert "non-commercial" in words(cards["MAE"])
    assert "has seen these images" in words(cards["RAD-DINO"])
    assert "CheXpert" in words(one)
    qtbot.waitUntil(lambda: "“Fits” is an estimate for NVIDIA RTX A5000" in words(one))


def test_a_model_of_timm_is_added_by_its_name(page: Open, qtbot: QtBot) -> None:
    from medfm_gui.desk.asks.train import AddModel

    one = page()
    at_models(one, qtbot)
    all_cards(one, qtbot)
    name = next(item for item in one.findChildren(QLineEdit) if item.accessibleName() == "Name of a timm model")
    QTest.keyClicks(name, " resnet50.a1_in1k ")
    QTest.keyClick(name, Qt.Key.Key_Return)
    assert [ask.name for ask in asked(one, AddModel)] == ["resnet50.a1_in1k"]
    qtbot.waitUntil(lambda: one.state.plan.models == ("resnet50",))
    assert name.text() == ""


def test_a_name_that_timm_does_not_know_is_told_beside_it(page: Open, qtbot: QtBot) -> None:
    from medfm_gui.desk.asks.train import AddModel

    one = page({AddModel: fails(UsageError("timm has no model “x”.", "Look at its list."))})
    at_models(one, qtbot)
    name = next(item for item in one.findChildren(QLineEdit) if item.accessibleName() == "Name of a timm model")
    QTest.keyClicks(name, "x")
    QTest.keyClick(name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "timm has no model “x”. Look at its list." in words(one))
    assert one.state.plan.models == ()
    QTest.keyClicks(name, "y")
    assert "timm has no model" not in words(one)


def test_absent_weights_leave_only_a_start_from_scratch(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.state.toggle_model("dinov2-l", True)
    one.wizard.forward()
    assert one.wizard.at == At.ADAPTATION
    assert "weights are not on this computer: dinov2 l/14" in words(one).lower()
    assert not button(one, "Next: Recipe").isEnabled()
    boxes = [box for box in one.wizard.step.findChildren(QCheckBox) if box.isEnabled()]
    assert [box.accessibleName() for box in boxes] == ["Full fine-tuning, from scratch"]
    QTest.mouseClick(button(one, "Get weights …"), Qt.MouseButton.LeftButton)
    assert said(one, "go") == [(("settings",), {"tab": "weights"})]
    QTest.keyClick(boxes[0], Qt.Key.Key_Space)
    assert one.state.cells() == (("dinov2-l", SCRATCH),)
    assert one.state.requests()[0].from_scratch


def test_pairs_are_ticked_in_the_grid_by_key(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    for name in ("dinov2-s", "mae-b", "dinov2-l"):
        one.state.toggle_model(name, True)
    one.wizard.forward()
    table = next(view for view in one.findChildren(QTableView) if view.accessibleName() == "Models by ways")
    grid = table.model()
    rows = {grid.index(row, 0).data(): row for row in range(grid.rowCount())}
    lora = 1 + WAYS.index(Way("lora"))
    assert grid.index(rows["DINOv2 L/14"], lora).data() == "–"
    assert "weights are not on this computer" in grid.index(rows["DINOv2 L/14"], lora).data(Qt.ItemDataRole.ToolTipRole)
    table.setCurrentIndex(grid.index(rows["MAE B/16"], lora))
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert ("mae-b", Way("lora")) in one.state.cells()
    assert ("dinov2-s", Way("lora")) not in one.state.cells()
    box = next(box for box in one.wizard.step.findChildren(QCheckBox) if box.accessibleName() == "LoRA")
    assert box.checkState() == Qt.CheckState.PartiallyChecked
    QTest.keyClick(box, Qt.Key.Key_Space)  # first all of them, then none
    assert ("dinov2-s", Way("lora")) in one.state.cells()
    assert box.checkState() == Qt.CheckState.Checked
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert Way("lora") not in one.state.plan.ways
    assert box.checkState() == Qt.CheckState.Unchecked


def test_shots_and_draws_are_chosen_beside_the_ways(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.state.toggle_model("dinov2-s", True)
    one.wizard.forward()
    named = {item.accessibleName(): item for item in one.wizard.step.findChildren(QPushButton)}
    QTest.mouseClick(named["Shots: 4"], Qt.MouseButton.LeftButton)
    QTest.mouseClick(named["Shots: 1"], Qt.MouseButton.LeftButton)
    assert one.state.plan.shots == "1, 4, all"
    assert "5 draws or more" in words(one)
    QTest.mouseClick(named["Seeds for 5 draws"], Qt.MouseButton.LeftButton)
    assert one.state.plan.seeds == "0-4"
    assert "1 model × 1 way × 3 shots × 5 seeds = 15 runs" in words(one)
    QTest.mouseClick(named["Shots: all"], Qt.MouseButton.LeftButton)
    assert one.state.requests()[0].shots == (1, 4)
    fields = {item.accessibleName(): item for item in one.wizard.step.findChildren(QLineEdit)}
    assert fields["Shots"].text() == "1, 4"
    fields["Seeds"].selectAll()
    QTest.keyClicks(fields["Seeds"], "0-2, 7")
    assert one.state.requests()[0].seeds == (0, 1, 2, 7)
    QTest.keyClicks(fields["Seeds"], " x")
    assert "Seeds are whole numbers" in words(one)
    assert not button(one, "Next: Recipe").isEnabled()
    for name in ("Shots: 1", "Shots: 4"):
        QTest.mouseClick(named[name], Qt.MouseButton.LeftButton)
    assert one.state.plan.shots == "4"  # one is always left


def test_wrong_values_are_told_at_their_field_and_beside_next(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.state.toggle_model("dinov2-s", True)
    one.wizard.forward()
    one.wizard.forward()
    QTest.mouseClick(button(one, "Youden’s index"), Qt.MouseButton.LeftButton)
    fields = {item.accessibleName(): item for item in one.wizard.step.findChildren(QLineEdit) if item.isVisible()}
    QTest.keyClicks(fields["Input size (pixels)"], "5")
    assert words(one).count("Input size: a number from 16 to 4,096.") == 2
    assert not button(one, "Next: Review").isEnabled()
    fields["Input size (pixels)"].selectAll()
    QTest.keyClicks(fields["Input size (pixels)"], "225")
    assert "DINOv2 S/14 will see 224 pixels" in words(one)
    assert button(one, "Next: Review").isEnabled()
    assert one.state.requests()[0].settings == {"input_size": "225", "threshold_rule": "youden"}


def test_defects_of_a_preset_stand_there_before_it_is_chosen(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.state.toggle_model("dinov2-s", True)
    one.wizard.forward()
    one.wizard.forward()
    for preset in PRESETS.values():
        assert all(defect in words(one) for defect in preset.defects)
    assert "Not repeated" not in words(one)
    QTest.mouseClick(button(one, "Study B, as published"), Qt.MouseButton.LeftButton)
    assert one.state.plan.preset == "study-b-as-published"
    assert all(sentence in words(one) for sentence in PRESETS["study-b-as-published"].omitted)
    assert one.state.requests()[0].preset == "study-b-as-published"


def test_groups_of_settings_are_those_of_the_chosen_ways(page: Open, qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.state.toggle_model("dinov2-s", True)
    one.wizard.forward()
    one.wizard.forward()

    def groups() -> list[str]:
        step = one.wizard.step
        return [item.accessibleName() for item in step.findChildren(FoldedSettings) if item.isVisible()]

    frozen = ["Precision and loading", "Input", "Protocol and results"]
    qtbot.waitUntil(lambda: groups() == frozen)
    one.state.toggle_way(Way("lora"), True)
    one.state.put(shots="1, all")
    trained = ["Optimiser", "Schedule", "Loss and sampling"]
    qtbot.waitUntil(lambda: set(groups()) == {*frozen, *trained, "Few shots"})
    head = button(one, "Optimiser")
    QTest.mouseClick(head, Qt.MouseButton.LeftButton)
    combo = next(item for item in one.wizard.step.findChildren(QComboBox) if item.accessibleName() == "Optimiser")
    assert combo.currentData() == "adamw"
    combo.setCurrentIndex(combo.findData("sgd"))
    combo.activated.emit(combo.currentIndex())
    linear, lora = (dict(request.settings) for request in one.state.requests())
    assert (linear, lora) == ({}, {"optimizer": "sgd"})
    QTest.mouseClick(head, Qt.MouseButton.LeftButton)
    assert "Optimiser: SGD" in words(one)

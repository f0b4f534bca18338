"""The train wizard: its steps, what it asks, what it refuses and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import CheckQuality, DatasetList, ListDatasets, ListSplits, MakeSplit, SplitList
from medfm_gui.desk.asks.train import CreateRuns, ListModels, Preflight
from medfm_gui.domain.errors import DatabaseBusy, MedfmError, UsageError, WeightsAbsent
from medfm_gui.domain.presets import PRESETS
from medfm_gui.ui.pages.train.page import TrainPage
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.sample import ANSWERS, DATASETS, SPLITS
from medfm_gui.ui.pages.train.ways import WAYS, Way
from medfm_gui.ui.pages.train.wizard.family import FamilyCard
from medfm_gui.ui.pages.train.wizard.fields import FoldedSettings
from medfm_gui.ui.pages.train.wizard.model_box import ModelBox
from medfm_gui.ui.sample import WAITS, sample_context
from medfm_gui.workspace.cohort import Quality

HOSTILE = '<img src="/etc/passwd"><b>x</b> & ' + "\u202e" + "w" * 10_000
KNN, LINEAR, FULL, SCRATCH = Way("knn"), Way("linear"), Way("full"), Way("full", from_scratch=True)


@pytest.fixture
def page(qtbot: QtBot) -> Callable[..., TrainPage]:
    def make(answers: Any = None, **context: Any) -> TrainPage:
        page = TrainPage(sample_context({**ANSWERS, **(answers or {})}, **context))
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        return page

    return make


def fails(error: MedfmError) -> Callable[[Any], Any]:
    def answer(ask: Any) -> Any:
        raise error

    return answer


def asked(page: TrainPage, kind: type[Any]) -> list[Any]:
    return [ask for ask in page.context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def said(page: TrainPage, what: str) -> list[Any]:
    return [values for name, values in page.context.desk.said if name == what]  # type: ignore[attr-defined]


def button(page: QWidget, text: str) -> QAbstractButton:
    found = [one for one in page.findChildren(QAbstractButton) if one.text() == text and one.isVisible()]
    assert found, f"no button “{text}” among {[one.text() for one in page.findChildren(QAbstractButton)]}"
    return found[0]


def words(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def at_models(page: TrainPage, qtbot: QtBot) -> None:
    page.visit(dataset="thorax-phantom", split="thorax-phantom-s1")
    qtbot.waitUntil(lambda: page.state.plan.split is not None and page.wizard.at == At.SPLIT)
    page.wizard.forward()
    qtbot.waitUntil(lambda: bool(page.state.models))


def at_review(page: TrainPage, qtbot: QtBot, *models: str) -> None:
    at_models(page, qtbot)
    for name in models or ("dinov2-s", "mae-b"):
        page.state.toggle_model(name, True)
    page.wizard.forward()
    page.wizard.forward()
    QTest.mouseClick(button(page, "Youden’s index"), Qt.MouseButton.LeftButton)
    page.wizard.forward()
    assert page.wizard.at == At.REVIEW


def test_the_introduction_leads_to_the_first_step(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    QTest.mouseClick(button(one, "New training"), Qt.MouseButton.LeftButton)
    assert one.is_planning
    assert one.wizard.at == At.DATA
    assert not button(one, "Next: Split").isEnabled()
    assert "Choose a dataset." in words(one)


def test_a_dataset_is_chosen_by_key(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    one.begin()
    table = one.wizard.data.findChild(QTableView)
    assert table is not None
    qtbot.waitUntil(lambda: table.model().rowCount() == len(DATASETS))
    QTest.keyClick(table, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: one.state.plan.dataset is not None)
    assert button(one, "Next: Split").isEnabled()
    assert "Images" in words(one)
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert one.wizard.at == At.SPLIT
    qtbot.waitUntil(lambda: one.state.plan.split is not None)


def test_without_data_the_way_to_import_is_shown(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page({ListDatasets: lambda ask: DatasetList(())})
    one.begin()
    qtbot.waitUntil(lambda: one.wizard.data.pane.state == "empty")
    buttons = [item for item in one.wizard.data.pane.findChildren(QAbstractButton) if item.isVisible()]
    QTest.mouseClick(next(item for item in buttons if item.text() == "Import data …"), Qt.MouseButton.LeftButton)
    assert said(one, "go") == [(("datasets",), {})]


def test_what_is_asked_shows_that_it_is_asked_and_what_went_wrong(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    busy = page({ListDatasets: lambda ask: WAITS})
    busy.begin()
    assert busy.wizard.data.pane.state == "busy"
    wrong = page({ListDatasets: fails(DatabaseBusy("Another program holds the database.", "Wait a moment."))})
    wrong.begin()
    qtbot.waitUntil(lambda: wrong.wizard.data.pane.state == "error")
    assert "Another program holds the database." in words(wrong)
    before = len(asked(wrong, ListDatasets))
    QTest.mouseClick(button(wrong, "Try again"), Qt.MouseButton.LeftButton)
    assert len(asked(wrong, ListDatasets)) == before + 1


def test_back_loses_nothing(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_review(one, qtbot)
    one.state.set_setting("linear", "epochs", "7")
    plan = one.state.plan
    while one.wizard.at > At.DATA:
        one.wizard.back()
    qtbot.wait(30)
    assert one.state.plan == plan
    one.wizard.go_to(At.REVIEW)
    assert one.wizard.at == At.REVIEW


def test_a_later_step_waits_for_what_is_missing(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.wizard.go_to(At.REVIEW)
    assert one.wizard.at == At.MODELS
    assert "Choose at least one model." in words(one)
    one.wizard.forward()
    assert one.wizard.at == At.MODELS


def test_leaks_are_listed_with_ways_on(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    one.visit(dataset="thorax-phantom")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    step = one.wizard.split
    QTest.mouseClick(step.new, Qt.MouseButton.LeftButton)
    editor = step.editor
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    editor.form.by.setCurrentIndex(editor.form.by.findData("image"))
    qtbot.waitUntil(lambda: "11 leaks" in editor.gate.banner.title.text())
    assert "11 pairs" in words(one) and not editor.make.isEnabled()
    assert [shown.text() for shown in (editor.gate.drop, editor.gate.together, editor.gate.accept)] == [
        "Drop 11 images",
        "Move whole groups",
        "Accept with a reason …",
    ]
    QTest.mouseClick(editor.gate.together, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "no leak after moving" in editor.gate.banner.title.text())
    QTest.mouseClick(editor.gate.accept, Qt.MouseButton.LeftButton)
    editor.gate.reason.setText("published like this")
    qtbot.waitUntil(lambda: "leaks accepted" in editor.gate.banner.title.text())
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    QTest.mouseClick(editor.make, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "is made and frozen" in words(one))
    (wish,) = (ask.wish for ask in asked(one, MakeSplit))
    assert (wish.by, wish.accept, wish.drop, wish.move) == ("image", "published like this", False, False)
    assert step.pane.isVisible()


def test_the_rules_are_those_of_the_datasets_page(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    def offers(ask: CheckQuality) -> Quality:
        units, presets = ("patient", "image", "site"), (("nih-official", "Official lists"),)
        return Quality(ask.dataset, (), (), 0, (), 0, units, True, ("1", "2"), presets, ("site",), ("date",))

    one = page({CheckQuality: offers})
    one.visit(dataset="thorax-phantom")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    one.wizard.split.begin()
    form = one.wizard.split.editor.form
    qtbot.waitUntil(lambda: form.method.count() == 7)
    methods = [form.method.itemData(row) for row in range(form.method.count())]
    assert methods == ["official", "shares", "folds", "sites", "time", "published", "file"]
    QTest.mouseClick(one.wizard.split.editor.back, Qt.MouseButton.LeftButton)
    assert one.wizard.split.pane.isVisible()


def test_read_only_makes_no_split(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page(is_read_only=True)
    one.wizard.split.begin()
    assert not one.wizard.split.new.isEnabled() and not asked(one, CheckQuality)


def test_a_dataset_without_a_split_gets_one(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    made: list[MakeSplit] = []

    def splits(ask: ListSplits) -> SplitList:
        return SplitList(SPLITS[:1] if made else ())

    def make(ask: MakeSplit) -> Any:
        made.append(ask)
        return ANSWERS[MakeSplit](ask)

    one = page({ListSplits: splits, MakeSplit: make})
    one.visit(dataset="thorax-phantom")
    qtbot.waitUntil(lambda: one.wizard.split.pane.state == "empty")
    assert "Choose a split, or make one." in words(one)
    one.wizard.split.begin()
    make_it = one.wizard.split.editor.make
    qtbot.waitUntil(make_it.isEnabled)
    QTest.mouseClick(make_it, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    assert (made[0].dataset, made[0].wish.ratios, made[0].wish.by) == ("thorax-phantom", "70/15/15", "patient")


def all_cards(page: TrainPage, qtbot: QtBot) -> list[FamilyCard]:
    """The cards of the models' step, once each is made."""
    groups = {model.card.group for model in page.state.models}
    qtbot.waitUntil(lambda: len(page.wizard.step.findChildren(FamilyCard)) == len(groups))
    return list(page.wizard.step.findChildren(FamilyCard))


def shown_boxes(page: TrainPage) -> list[str]:
    return [box.text() for box in page.wizard.step.findChildren(ModelBox) if box.isVisible()]


def test_models_are_searched_and_ticked(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_what_can_be_trained_comes_first_and_the_rest_is_folded(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_a_card_tells_licence_and_overlap(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    from dataclasses import replace

    known = replace(DATASETS[0], layout="chexpert")
    one = page({ListDatasets: lambda ask: DatasetList((known,))})
    at_models(one, qtbot)
    cards = {card.title: card for card in all_cards(one, qtbot)}
    assert "non-commercial" in words(cards["MAE"])
    assert "has seen these images" in words(cards["RAD-DINO"])
    assert "CheXpert" in words(one)
    qtbot.waitUntil(lambda: "“Fits” is an estimate for NVIDIA RTX A5000" in words(one))


def test_a_model_of_timm_is_added_by_its_name(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_a_name_that_timm_does_not_know_is_told_beside_it(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_absent_weights_leave_only_a_start_from_scratch(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_pairs_are_ticked_in_the_grid_by_key(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_shots_and_draws_are_chosen_beside_the_ways(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_wrong_values_are_told_at_their_field_and_beside_next(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_defects_of_a_preset_stand_there_before_it_is_chosen(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_groups_of_settings_are_those_of_the_chosen_ways(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
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


def test_review_measures_and_starts(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_review(one, qtbot)
    qtbot.waitUntil(lambda: one.state.cost is not None)
    assert [ask.requests for ask in asked(one, Preflight)] == [one.state.requests()]
    assert "Measured on this computer just now" in words(one)
    requests = one.state.requests()
    QTest.mouseClick(button(one, "Start 2 runs"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(said(one, "go")))
    assert [ask.requests for ask in asked(one, CreateRuns)] == [requests]
    assert said(one, "start_runs") == [((("r0007", "r0008"),), {})]
    assert said(one, "go") == [(("runs",), {"run": "r0007"})]
    assert not one.is_planning
    assert one.state.plan.dataset is None


def test_start_need_not_wait_for_the_measurement(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page({Preflight: lambda ask: WAITS})
    at_review(one, qtbot)
    assert button(one, "Start 2 runs").isEnabled()
    one.wizard.start()
    qtbot.waitUntil(lambda: bool(said(one, "start_runs")))


def test_the_command_line_is_quoted_and_copied(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    from pathlib import Path

    one = page(root=Path("/data/my work; rm -rf"))
    at_review(one, qtbot)
    one.state.put(rule="sensitivity:0.9")
    QTest.mouseClick(button(one, "Copy"), Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == (
        "medfm train --dataset thorax-phantom --split thorax-phantom-s1 --model dinov2-s --model mae-b --adapt linear "
        "--seed 0 --set threshold_rule=sensitivity:0.9 --workspace '/data/my work; rm -rf'"
    )


@pytest.mark.parametrize(
    ("error", "text", "leads"),
    [
        (WeightsAbsent("The weights are gone.", "Get them."), "Get weights …", "settings"),
        (UsageError("A setting is wrong.", "Change it."), "Back to Recipe", At.RECIPE),
        (DatabaseBusy("Busy.", "Wait."), "Try again", None),
    ],
)
def test_a_refusal_leads_to_where_it_is_mended(
    page: Callable[..., TrainPage], qtbot: QtBot, error: MedfmError, text: str, leads: Any
) -> None:
    one = page({CreateRuns: fails(error)})
    at_review(one, qtbot)
    one.wizard.start()
    qtbot.waitUntil(lambda: error.message in words(one))
    assert error.hint in words(one)
    assert said(one, "start_runs") == []
    QTest.mouseClick(button(one, text), Qt.MouseButton.LeftButton)
    if leads == "settings":
        assert said(one, "go") == [(("settings",), {"tab": "weights"})]
    elif leads is not None:
        assert one.wizard.at == leads
    assert button(one, "Start 2 runs" if one.wizard.at == At.REVIEW else "Next: Review").isEnabled()


def test_a_read_only_workspace_starts_nothing(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page(is_read_only=True)
    at_review(one, qtbot)
    assert not button(one, "Start 2 runs").isEnabled()
    assert "read-only" in words(one)
    one.wizard.start()
    qtbot.wait(20)
    assert asked(one, CreateRuns) == []


def test_a_run_is_cloned(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    one.visit(clone="r0003")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    qtbot.waitUntil(lambda: one.wizard.at == At.SPLIT and bool(one.state.models))
    one.wizard.go_to(At.REVIEW)
    assert one.wizard.at == At.REVIEW
    (request,) = one.state.requests()
    assert (request.models, request.adapts, request.seeds) == (("dinov2-b",), ("full",), (3,))
    assert request.settings == {"epochs": "30", "lr": "5e-05", "unit": "patient", "threshold_rule": "specificity:0.95"}
    assert request.split == "thorax-phantom-s1"


def test_a_run_whose_data_are_gone_says_so(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page({ListDatasets: lambda ask: DatasetList(DATASETS[1:])})
    one.visit(clone="r0003")
    qtbot.waitUntil(lambda: bool(said(one, "say")))
    assert "thorax-phantom" in said(one, "say")[0][0][0]
    assert one.wizard.at == At.DATA


def test_a_change_takes_the_cost_back(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_review(one, qtbot)
    qtbot.waitUntil(lambda: one.state.cost is not None)
    one.wizard.back()
    one.state.put(seeds="0, 1")
    assert one.state.cost is None
    one.wizard.forward()
    qtbot.waitUntil(lambda: one.state.cost is not None)
    assert len(one.state.cost.runs if one.state.cost else ()) == 4
    assert len(asked(one, Preflight)) == 2


def test_measuring_is_left_when_starting_fails(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page({Preflight: lambda ask: WAITS, CreateRuns: fails(DatabaseBusy("Busy.", "Wait."))})
    at_review(one, qtbot)
    assert "Looking at the plan" in words(one)
    one.wizard.start()
    qtbot.waitUntil(lambda: "Busy." in words(one))
    assert "Looking at the plan" not in words(one)
    QTest.mouseClick(button(one, "Measure"), Qt.MouseButton.LeftButton)
    assert len(asked(one, Preflight)) == 2


def test_keys_lead_through_the_wizard(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_models(one, qtbot)
    one.state.toggle_model("mae-b", True)
    one.context.actions.run("train.next")
    assert one.wizard.at == At.ADAPTATION
    one.context.actions.run("train.back")
    assert one.wizard.at == At.MODELS
    QTest.keyClick(one.wizard.step, Qt.Key.Key_Escape)
    assert one.wizard.step.isVisible()


def test_hostile_names_are_shown_as_they_are(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    from dataclasses import replace

    evil = replace(DATASETS[0], name=HOSTILE, classes=("<b>a</b>", HOSTILE), positive=HOSTILE, warnings=(HOSTILE,))
    splits = tuple(replace(one, rule=HOSTILE, warnings=(HOSTILE,), acceptance=HOSTILE) for one in SPLITS[:1])
    one = page({ListDatasets: lambda ask: DatasetList((evil,)), ListSplits: lambda ask: SplitList(splits)})
    one.begin()
    qtbot.waitUntil(lambda: one.state.plan.dataset is not None)
    one.wizard.forward()
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    for label in one.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText, label.text()[:80]
        assert "<img" not in label.toolTip()
    assert one.minimumSizeHint().width() < 1400


def test_every_control_has_a_name(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page()
    at_review(one, qtbot)
    controls = (QAbstractButton, QComboBox, QLineEdit, QTableView)
    for step in At:
        one.wizard.go_to(step)
        for kind in controls:
            for control in one.findChildren(kind):
                if control.isVisible() and control.objectName() != "qt_spinbox_lineedit":
                    assert control.accessibleName() or getattr(control, "text", str)(), control


def test_models_that_cannot_be_listed_say_why(page: Callable[..., TrainPage], qtbot: QtBot) -> None:
    one = page({ListModels: fails(UsageError("The settings file is damaged.", "Restore it."))})
    one.visit(dataset="thorax-phantom")
    qtbot.waitUntil(lambda: one.state.plan.split is not None)
    one.wizard.forward()
    qtbot.waitUntil(lambda: "The settings file is damaged." in words(one))

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QStringListModel, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QLineEdit,
    QPushButton,
    QStyle,
    QStyleOptionComboBox,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from medfm_gui.domain.cards import Family
from medfm_gui.domain.errors import WeightsRejected
from medfm_gui.domain.run import Phase
from medfm_gui.ui import theme
from medfm_gui.ui.widgets import marks
from medfm_gui.ui.widgets.badge import LOOKS, Badge
from medfm_gui.ui.widgets.chips import Chip, ChipRow, RunChip
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import FormRow, PathPicker, action, choice, disable, real_number, whole_number
from medfm_gui.ui.widgets.gallery import Gallery, SampleRows
from medfm_gui.ui.widgets.progress import ProgressRow, time_left
from medfm_gui.ui.widgets.question import Question
from medfm_gui.ui.widgets.skeleton import Skeleton
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.steps import Step, StepList, StepState
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.table import ROW_PX, DataTable
from medfm_gui.ui.widgets.text import Label
from medfm_gui.ui.widgets.toast import MOST, ToastStack
from medfm_gui.ui.widgets.tree import DataList, DataTree


def button(widget: QWidget, text: str) -> QPushButton:
    return next(found for found in widget.findChildren(QPushButton) if found.text() == text)


def state(pane: StatePane) -> str:
    return pane.state


def said(stack: ToastStack) -> list[str]:
    return [toast.spoken for toast in stack.toasts]


def moves(skeleton: Skeleton) -> bool:
    return skeleton.moving


def texts(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(Label) if label.isVisibleTo(widget) and label.text()]


def test_a_pane_is_empty_busy_in_error_or_shows_its_content(qtbot: QtBot) -> None:
    pane = StatePane(Label("content"))
    qtbot.addWidget(pane)
    pane.show()
    clicked: list[str] = []
    assert state(pane) == "content"
    pane.show_empty("No runs yet", "Train a model.", "Train", lambda: clicked.append("train"), "runs")
    assert state(pane) == "empty"
    assert texts(pane) == ["No runs yet", "Train a model."]
    button(pane, "Train").click()
    pane.show_busy("Reading", 200, 50, 61, lambda: clicked.append("cancel"))
    assert state(pane) == "busy"
    assert texts(pane) == ["Reading", "50 of 200 · about 1 min left"]
    button(pane, "Cancel").click()
    assert not button(pane, "Cancelling …").isEnabled()
    error = WeightsRejected("The hash differs.", "Download it again.")
    error.__cause__ = ValueError("4f1c")
    pane.show_error(error, "Download", lambda: clicked.append("download"))
    assert state(pane) == "error"
    assert texts(pane) == ["The hash differs.", "Download it again."]
    button(pane, "Download").click()
    button(pane, "Details").click()
    assert "weights_rejected" in texts(pane)[-1]
    button(pane, "Copy details").click()
    assert "ValueError: 4f1c" in QGuiApplication.clipboard().text()
    assert clicked == ["train", "cancel", "download"]
    pane.show_content()
    assert state(pane) == "content"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "a few seconds left"),
        (12, "about 10 s left"),
        (61, "about 1 min left"),
        (170, "about 3 min left"),
        (3600, "about 1 h left"),
        (5400, "about 1 h 30 min left"),
        (-1, "time left unknown"),
        (float("inf"), "time left unknown"),
        (float("nan"), "time left unknown"),
    ],
)
def test_time_left_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert time_left(seconds) == said


def test_progress_stays_inside_its_bar(qtbot: QtBot) -> None:
    row = ProgressRow()
    qtbot.addWidget(row)
    for total, done in ((0, 0), (10, 3), (10, 30), (10, -3), (3_000_000_000, 2_999_999_999)):
        row.tell("x", total, done)
        row.resize(400, 40)
        row.grab()
    assert "2,999,999,999 of 3,000,000,000" in texts(row)


def test_a_question_names_the_act_and_is_safe_by_default(qtbot: QtBot) -> None:
    question = Question(None, "Delete run-12?", "Its weights are deleted.", "Delete run-12", danger=True)
    qtbot.addWidget(question)
    assert question.cancel.isDefault()
    assert not question.act.isDefault()
    with qtbot.waitSignal(question.accepted):
        question.act.click()
    assert question.result() == QDialog.DialogCode.Accepted
    with qtbot.waitSignal(question.rejected):
        QTest.keyClick(question, Qt.Key.Key_Escape)


def test_chips_say_which_run_shall_go(qtbot: QtBot) -> None:
    row = ChipRow()
    qtbot.addWidget(row)
    row.set_chips([Chip(f"run-{k}", f"{family.value} · run {k}", family, k) for k, family in enumerate(Family)])
    chips = row.findChildren(RunChip)
    assert len(chips) == len(Family)
    with qtbot.waitSignal(row.removed) as gone:
        chips[2].findChildren(QToolButton)[0].click()
    assert gone.args == ["run-2"]
    row.resize(300, 400)
    assert row.heightForWidth(300) > row.heightForWidth(1500)


def test_families_have_the_markers_of_the_house() -> None:
    wanted = {"DINOv2": "circle", "MAE": "square", "VMamba": "up", "CoCa": "diamond", "SAM2": "down", "AIMv2": "star"}
    assert {name: marks.shape(name) for name in wanted} == wanted
    assert (marks.shape("CLIP"), marks.shape("Baseline"), marks.shape("<b>")) == ("hexagon", "cross", "circle")
    for family in Family:
        box = marks.path(family, QPointF(10, 10), 5).boundingRect()
        assert box.contains(QPointF(10, 10))
        assert 7 <= box.width() <= 15


def test_every_state_of_a_run_has_icon_and_word(qtbot: QtBot) -> None:
    badge = Badge()
    qtbot.addWidget(badge)
    names = set()
    for phase in Phase:
        badge.set_phase(phase)
        assert badge.phase is phase
        names.add(badge.accessibleName())
    assert len(names) == len(Phase) == len(LOOKS)
    assert len({icon for icon, _, _ in LOOKS.values()}) == len(Phase)


def test_steps_move_by_keys_and_pass_over_the_blocked(qtbot: QtBot) -> None:
    steps = StepList([Step("Data", StepState.DONE), Step("Split", StepState.BLOCKED, "Import first"), Step("Models")])
    qtbot.addWidget(steps)
    steps.resize(220, 300)
    with qtbot.waitActive(steps):
        steps.show()
        steps.activateWindow()
    rows = steps.findChildren(QAbstractButton)
    rows[0].setFocus()
    QTest.keyClick(rows[0], Qt.Key.Key_Down)
    assert rows[2].hasFocus()
    with qtbot.waitSignal(steps.chosen) as chosen:
        QTest.keyClick(rows[2], Qt.Key.Key_Return)
    assert chosen.args == [2]
    assert rows[1].accessibleName() == "Step 2, Split, not available yet"
    assert rows[1].accessibleDescription() == "Import first"
    steps.set_steps([Step("Only", StepState.CURRENT)])
    steps.grab()
    assert steps.findChildren(QAbstractButton)[0].accessibleName() == "Step 1, Only, current"


def test_toasts_are_three_at_most_and_stay_in_the_corner(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(1000, 700)
    host.show()
    stack = ToastStack(host)
    acted: list[int] = []
    for k in range(5):
        stack.say(f"Run {k} is finished.", "good", "Show", partial(acted.append, k))
    assert said(stack) == [f"Run {k} is finished." for k in (2, 3, 4)]
    assert len(said(stack)) == MOST
    assert host.rect().contains(stack.geometry())
    host.resize(800, 500)
    assert host.rect().contains(stack.geometry())
    button(stack.toasts[-1], "Show").click()
    assert acted == [4]
    stack.toasts[0].findChildren(QToolButton)[0].click()
    assert len(said(stack)) == 1
    stack.clear()
    assert not stack.isVisible()


def test_a_toast_leaves_by_itself(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medfm_gui.ui.widgets.toast.SHORT_MS", 30)
    host = QWidget()
    qtbot.addWidget(host)
    stack = ToastStack(host)
    stack.say("Done")
    qtbot.waitUntil(lambda: not stack.toasts, timeout=2000)


def test_a_switch_works_by_mouse_and_space(qtbot: QtBot) -> None:
    switch = Switch("Hide R&D names")
    qtbot.addWidget(switch)
    switch.show()
    QTest.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert switch.isChecked()
    QTest.keyClick(switch, Qt.Key.Key_Space)
    assert not switch.isChecked()
    assert switch.shortcut().isEmpty()
    assert switch.accessibleName() == "Hide R&D names"


def test_a_table_of_250_000_rows_is_quick_and_copies_plain_text(qtbot: QtBot) -> None:
    table = DataTable("Runs")
    qtbot.addWidget(table)
    table.setModel(SampleRows(table))
    table.resize(900, 400)
    table.show()
    table.scrollToBottom()
    assert table.rowAt(300) > 249_000
    assert table.rowHeight(123_456) == ROW_PX
    table.selectRow(1)
    QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == list(SampleRows.titles)
    assert lines[1].startswith("run-2\t")
    with qtbot.waitSignal(table.activated):
        QTest.keyClick(table, Qt.Key.Key_Return)


def test_a_table_keeps_column_widths_by_title(qtbot: QtBot) -> None:
    table = DataTable("Runs")
    qtbot.addWidget(table)
    assert table.widths() == {}
    assert table.copied() == ""
    table.setModel(SampleRows(table))
    table.set_widths({"Model": 222, "AUC": 1, "Gone": 50})
    kept = table.widths()
    assert kept["Model"] == 222
    assert kept["AUC"] >= 40
    assert "Gone" not in kept


def test_rows_of_trees_and_lists_are_as_high_before_and_after_they_are_seen(qtbot: QtBot) -> None:
    model = QStringListModel(["One", "Two <b>", "Three"])
    for view in (DataTree("Studies"), DataList("Presets")):
        qtbot.addWidget(view)
        view.setModel(model)
        view.setCurrentIndex(model.index(1, 0))
        view.resize(300, 300)
        view.show()
        assert view.visualRect(model.index(1, 0)).height() == ROW_PX
    model.deleteLater()


def test_a_row_says_what_is_wrong_with_its_field(qtbot: QtBot) -> None:
    field = QLineEdit()
    row = FormRow("Name", field, "As in reports")
    qtbot.addWidget(row)
    assert (field.accessibleName(), field.accessibleDescription()) == ("Name", "As in reports")
    row.set_error("This name is taken.")
    assert row.error == "This name is taken."
    assert field.property("role") == "bad"
    assert field.accessibleDescription() == "This name is taken."
    row.set_error("")
    assert field.property("role") == ""
    assert field.accessibleDescription() == "As in reports"


def test_a_path_is_asked_for_and_never_looked_at(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    picker = PathPicker("folder", "Choose the images")
    qtbot.addWidget(picker)
    dialog = "medfm_gui.ui.widgets.forms.QFileDialog.getExistingDirectory"
    monkeypatch.setattr(dialog, lambda *_: "/nowhere/at all")
    with qtbot.waitSignal(picker.changed) as changed:
        button(picker, "Choose …").click()
    assert changed.args == ["/nowhere/at all"]
    monkeypatch.setattr(dialog, lambda *_: "")
    button(picker, "Choose …").click()
    assert picker.path() == "/nowhere/at all"


def test_numbers_carry_their_units_and_ignore_a_passing_wheel(qtbot: QtBot) -> None:
    epochs, rate = whole_number(30, 1, 500, "epochs"), real_number(0.5, 0, 1, "mm", 3)
    unit = choice((("Per image", "image"), ("Per patient", "patient")), "patient")
    assert (epochs.text(), rate.text(), unit.currentData()) == ("30 epochs", "0.500 mm", "patient")
    for field in (epochs, rate, unit):
        qtbot.addWidget(field)
        at = QPointF(5, 5)
        none = Qt.KeyboardModifier.NoModifier
        turn = QWheelEvent(
            at, at, QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton, none, Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(field, turn)
    assert (epochs.value(), rate.value(), unit.currentIndex()) == (30, 0.5, 1)


def test_a_disabled_button_says_why(qtbot: QtBot) -> None:
    start = action("Start", "play", "primary", "Choose a dataset first")
    qtbot.addWidget(start)
    assert not start.isEnabled()
    assert "Choose a dataset first" in start.toolTip()
    disable(start, "")
    assert start.isEnabled()
    assert start.toolTip() == ""


def test_facts_are_shown_again_without_new_widgets(qtbot: QtBot) -> None:
    facts = Facts((("Patients", "12"), ("Images", "40")))
    qtbot.addWidget(facts)
    before = len(facts.findChildren(Label))
    facts.set_facts([("Patients", "13")])
    assert facts.facts() == (("Patients", "13"),)
    assert len(facts.findChildren(Label)) == before


def test_a_flow_wraps_and_clears(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    flow = FlowLayout(host, 8)
    for _ in range(10):
        part = QWidget()
        part.setFixedSize(90, 20)
        flow.addWidget(part)
    assert flow.heightForWidth(2000) == 20
    assert flow.heightForWidth(200) == 5 * 20 + 4 * 8
    flow.clear()
    assert (flow.count(), flow.heightForWidth(200)) == (0, 0)


def test_a_skeleton_moves_only_where_motion_is_allowed(qtbot: QtBot, themed: QApplication) -> None:
    skeleton = Skeleton()
    qtbot.addWidget(skeleton)
    skeleton.resize(300, 200)
    skeleton.show()
    assert not moves(skeleton)
    skeleton.hide()
    theme.set_motion(True)
    skeleton.show()
    assert moves(skeleton)
    QApplication.sendEvent(skeleton, QEvent(QEvent.Type.UpdateRequest))
    skeleton.hide()
    assert not moves(skeleton)
    theme.set_motion(False)


@pytest.mark.parametrize("name", theme.NAMES)
def test_the_gallery_is_named_and_sane_at_twice_the_size(qtbot: QtBot, themed: QApplication, name: str) -> None:
    theme.apply(themed, theme.load(name))
    gallery = Gallery()
    qtbot.addWidget(gallery)
    gallery.resize(1280, 1600)
    gallery.show()
    for control in gallery.findChildren(QWidget):
        takes_keys = control.focusPolicy() & Qt.FocusPolicy.TabFocus.value and not control.objectName().startswith(
            "qt_"
        )
        if takes_keys and isinstance(control, QAbstractButton | QLineEdit | PathPicker | DataTable):
            assert control.accessibleName() or getattr(control, "text", str)(), control
    assert gallery.horizontalScrollBar().maximum() == 0
    image = gallery.grab().toImage()
    tones = {image.pixelColor(x, y).name() for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    assert theme.current().panel.lower() in tones
    assert theme.current().window.lower() in tones
    gallery.toasts.clear()


def test_a_long_choice_ends_in_dots(qtbot: QtBot) -> None:
    field: Any = choice((("Macro ROC-AUC, one against the rest, of everything there is", 1), ("short", 2)))
    qtbot.addWidget(field)
    field.resize(160, field.sizeHint().height())
    assert field.elided(120).endswith("…") and field.fontMetrics().horizontalAdvance(field.elided(120)) <= 120
    field.grab()
    field.setCurrentIndex(1)
    assert field.elided(120) == "short"


def test_a_choice_that_has_the_room_it_asks_for_is_not_cut(qtbot: QtBot) -> None:
    for text in ("Any partition", "Internal test", "Any class"):
        field: Any = choice([(text, 0)])
        field.setSizeAdjustPolicy(field.SizeAdjustPolicy.AdjustToContents)
        field.setMinimumContentsLength(0)
        qtbot.addWidget(field)
        field.ensurePolished()
        field.resize(field.sizeHint())
        option = QStyleOptionComboBox()
        field.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = field.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, field).width()
        assert field.elided(room - 2) == text

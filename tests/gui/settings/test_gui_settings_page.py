from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QFileDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.home import Examine
from medfm_gui.desk.asks.settings import (
    AcceptLicence,
    AllowNetwork,
    DiagnosticFile,
    DiagnosticFiles,
    FoundWeights,
    FoundWeightsList,
    ImportPack,
    ImportWeights,
    LookForWeights,
    MoveWeightsFolder,
    OfferClassSets,
    PackReport,
    PreviewDiagnostics,
    PullWeights,
    ReadProgramFacts,
    ReadSettings,
    SaveDiagnostics,
    SettingsView,
)
from medfm_gui.desk.asks.train import ListModels, ModelList
from medfm_gui.desk.entry import Topic
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.cards import BrokenPlugin, WeightsState, WeightsStatus
from medfm_gui.domain.errors import DiskFull, InputError, Interrupted, MedfmError
from medfm_gui.metrics.conformal import PROMISE
from medfm_gui.ui import theme
from medfm_gui.ui.actions import Action
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.page import SECTIONS, SettingsPage
from medfm_gui.ui.pages.settings.sample import ANSWERS, MODELS, SETTINGS
from medfm_gui.ui.pages.settings.shortcuts import ShortcutsSection
from medfm_gui.ui.pages.settings.weights import WeightsSection
from medfm_gui.ui.sample import WAITS, Answers, sample_context
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.packs import PackFile

KEYS = [entry.key for entry in SECTIONS]
HOSTILE = "<img src='/etc/passwd'>&" + "ü" * 10_000

Show = Callable[..., SettingsPage]


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    def open_page(tab: str, answers: Answers = ANSWERS, **wish: Any) -> SettingsPage:
        context = sample_context(answers)
        page = SettingsPage(context)
        context.desk.setParent(page)  # type: ignore[attr-defined]
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        page.visit(tab=tab, **wish)
        qtbot.wait(20)
        return page

    return open_page


def said(page: SettingsPage) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = page.context.desk.said  # type: ignore[attr-defined]
    return found


def asked(page: SettingsPage, kind: type) -> list[Any]:
    return [ask for ask in page.context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(Label) if label.isVisible())


def click(button: QAbstractButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def weights(page: SettingsPage) -> WeightsSection:
    assert isinstance(page.section, WeightsSection)
    return page.section


def allowed(*licences: str) -> Callable[[Any], SettingsView]:
    return lambda ask: replace(SETTINGS, network=True, licences=licences)


def keys(page: SettingsPage) -> ShortcutsSection:
    assert isinstance(page.section, ShortcutsSection)
    return page.section


@pytest.mark.parametrize("key", KEYS)
def test_every_section_fills_and_fits_a_small_window(qtbot: QtBot, show: Show, key: str) -> None:
    page = show(key)
    pane = page.section.findChild(StatePane)
    if pane is not None:
        qtbot.waitUntil(lambda: pane.state == "content")
    page.resize(900, 600)
    qtbot.wait(10)
    assert (page.width(), page.height()) == (900, 600)
    assert page.list.currentItem().text() == next(entry.title for entry in SECTIONS if entry.key == key)


@pytest.mark.parametrize("key", KEYS)
def test_every_control_has_a_name_and_takes_part_in_the_tab_order(show: Show, key: str) -> None:
    page = show(key)
    for kind in (QAbstractButton, QLineEdit, QAbstractItemView):
        for control in page.findChildren(kind):
            if control.isVisible() and control.objectName() not in ("qt_spinbox_lineedit",):
                words = control.text() if isinstance(control, QAbstractButton) else ""
                parent = control.parentWidget()
                named = control.accessibleName() or words or (parent and parent.accessibleName())
                assert named, control
    assert page.section.accessibleName()


@pytest.mark.parametrize(
    ("key", "question"), [("weights", ListModels), ("plugins", ListModels), ("diagnostics", PreviewDiagnostics),
                          ("about", ReadProgramFacts)],
)  # fmt: skip
def test_a_section_that_cannot_be_filled_says_why_in_place(
    qtbot: QtBot, show: Show, key: str, question: type[Any]
) -> None:
    def fail(ask: object) -> object:
        raise InputError("The settings are damaged.", "Remove the file.")

    page = show(key, {**ANSWERS, question: fail})
    pane = page.section.findChild(StatePane)
    assert pane is not None
    qtbot.waitUntil(lambda: pane.state == "error")
    assert "The settings are damaged." in texts(page.section)


@pytest.mark.parametrize("key", ["weights", "plugins", "diagnostics", "about"])
def test_a_section_is_busy_until_the_answer_comes(show: Show, key: str) -> None:
    waiting = {question: lambda ask: WAITS for question in ANSWERS}
    pane = show(key, waiting).section.findChild(StatePane)
    assert pane is not None
    assert pane.state == "busy"


def test_the_last_section_is_remembered_and_the_list_works_by_keyboard(qtbot: QtBot, show: Show) -> None:
    page = show("devices")
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Down)
    assert isinstance(page.section, WeightsSection)
    assert page.context.memory.get("settings.section") == "weights"
    page.context.actions.run("settings.about")
    assert page.list.currentItem().text() == "About"


def test_a_changed_topic_makes_the_shown_section_ask_again(qtbot: QtBot, show: Show) -> None:
    page = show("weights")
    before = len(asked(page, ListModels))
    page.mark_stale(Topic.MODELS)
    assert len(asked(page, ListModels)) == before + 1


# --- weights


def test_a_model_is_chosen_by_the_wish_and_shown_in_full(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", model="mae-b"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    one = section.chosen()
    assert one is not None
    assert one.card.name == "mae-b"
    assert "CC-BY-NC-4.0 · non-commercial" in texts(section.details)
    assert one.weights.sha256 in texts(section.details)


def test_the_filter_narrows_the_table(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights"))
    qtbot.waitUntil(lambda: len(section.rows.rows) == len(MODELS))
    QTest.keyClicks(section.filter, "non-commercial")
    assert {one.card.name for one in section.rows.rows} == {"mae-b", "mae-l"}


def test_a_chosen_file_is_imported_for_the_chosen_model(
    qtbot: QtBot, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = weights(page := show("weights", model="dinov2-l"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/stick/a.pth", ""))
    click(section.details.import_button)
    qtbot.waitUntil(lambda: "are ready" in section.job.message)
    assert asked(page, ImportWeights) == [ImportWeights("dinov2-l", "/stick/a.pth")]


def test_a_wrong_file_is_refused_in_place_with_its_missing_tensors(
    qtbot: QtBot, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {**ANSWERS, ReadSettings: allowed("mae: CC-BY-NC-4.0")}
    section = weights(page := show("weights", answers, model="mae-l"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    section.import_file(MODELS[7], "/stick/wrong.pth")
    qtbot.waitUntil(lambda: "blocks.23.mlp.fc2.weight" in section.job.message)
    assert section.job.way_on.text() == "Choose another file …"
    assert section.job.isVisible()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/stick/other.pth", ""))
    section.table.choose("dinov2-s")  # the way on still means the model that was refused
    click(section.job.way_on)
    assert asked(page, ImportWeights)[-1] == ImportWeights("mae-l", "/stick/other.pth")


def test_work_shows_how_far_it_is_and_can_be_cancelled(
    qtbot: QtBot, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = weights(
        page := show("weights", {**ANSWERS, PullWeights: lambda ask: WAITS, ReadSettings: allowed()}, model="dinov2-l")
    )
    qtbot.waitUntil(lambda: section.chosen() is not None)
    cancelled: list[bool] = []
    whole = page.context.desk.ask

    def ask(*values: Any, **named: Any) -> Ticket:
        whole(*values, **named)
        return Ticket(lambda: cancelled.append(True))

    monkeypatch.setattr(page.context.desk, "ask", ask)
    click(section.details.pull_button)
    section.job.tell(Progress("Fetching", 412_000_000, 1_217_496_064, 71.0))
    assert "412 of 1,217 · about 1 min left" in texts(section.job)
    assert not section.details.import_button.isEnabled()
    cancel = next(button for button in section.job.findChildren(QAbstractButton) if button.text() == "Cancel")
    click(cancel)
    assert cancelled == [True]


def test_offline_nothing_is_asked_of_the_hub_and_the_network_is_offered(qtbot: QtBot, show: Show) -> None:
    answers = {**ANSWERS, AllowNetwork: allowed(), PullWeights: lambda ask: WAITS}
    section = weights(page := show("weights", answers, model="dinov2-l"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    qtbot.waitUntil(lambda: "The network is switched off" in texts(section.details))
    click(section.details.pull_button)
    assert "were not fetched" in section.job.message
    assert section.job.way_on.text() == "Allow the network and fetch"
    assert asked(page, PullWeights) == []
    click(section.job.way_on)
    qtbot.waitUntil(lambda: len(asked(page, PullWeights)) == 1)
    assert asked(page, AllowNetwork) == [AllowNetwork(True)]


def test_a_network_that_is_locked_is_not_offered(qtbot: QtBot, show: Show) -> None:
    answers = {**ANSWERS, ReadSettings: lambda ask: replace(SETTINGS, is_offline_locked=True)}
    section = weights(show("weights", answers, model="dinov2-l"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    click(section.details.pull_button)
    qtbot.waitUntil(lambda: section.job.way_on.isVisible())
    assert section.job.way_on.text() == "Import a file instead …"


def test_what_cannot_be_done_says_why(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", model="efficientnet-lite0"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    assert not section.details.pull_button.isEnabled()
    assert "part of the program" in section.details.pull_button.toolTip()


def test_a_stick_is_imported_in_one_go_and_says_what_became_of_each_file(qtbot: QtBot, show: Show) -> None:
    section = weights(page := show("weights", {**ANSWERS, ReadSettings: allowed("mae: CC-BY-NC-4.0")}))
    qtbot.waitUntil(lambda: bool(section.rows.rows))
    section.found.look("/media/stick/weights")
    qtbot.waitUntil(lambda: section.found.import_button.isEnabled())
    assert not section.states.isVisible()
    assert section.found.import_button.text() == "Import 4 files"
    click(section.found.import_button)
    qtbot.waitUntil(lambda: section.found.job.message == "1 imported, 1 here already, 2 refused.")
    assert asked(page, ImportPack) == [ImportPack("/media/stick/weights")]
    assert "4 of 294 tensors are missing" in texts(section.found)
    assert "Choose the file of this very model." in texts(section.found)
    click(section.found.close_button)
    assert section.states.isVisible()
    assert page.height() == 772


def test_rows_of_a_stick_tell_as_they_come_what_became_of_them(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", {**ANSWERS, ImportPack: lambda ask: WAITS}))
    qtbot.waitUntil(lambda: bool(section.rows.rows))
    section.found.look("/media/stick/weights")
    qtbot.waitUntil(lambda: section.found.import_button.isEnabled())
    click(section.found.import_button)
    assert not section.found.import_button.isEnabled()
    name = "/media/stick/weights/checkpoint_best.pt"
    section.found._came((PackFile(name, "resnet50", "imported"),))
    row = next(one for one in section.found.rows.rows if one.file.path == name)
    assert (row.title, row.outcome) == ("ResNet-50", "Imported")
    section.found._came((PackFile("/media/stick/weights/new.pt", "", "refused", "It is no file of any model here."),))
    assert section.found.rows.rows[-1].is_bad


def test_a_stick_without_weights_and_one_that_is_gone(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", {**ANSWERS, LookForWeights: lambda ask: FoundWeightsList(())}))
    section.found.look("/media/stick")
    qtbot.waitUntil(lambda: "There is no weights file." in texts(section.found))

    def gone(ask: LookForWeights) -> FoundWeightsList:
        raise InputError("There is no folder “stick”.", "Choose the folder again.")

    other = weights(show("weights", {**ANSWERS, LookForWeights: gone}))
    other.found.look("/media/stick")
    qtbot.waitUntil(lambda: "There is no folder “stick”." in other.found.job.message)


def test_a_cancelled_stick_keeps_what_came_and_can_go_on(qtbot: QtBot, show: Show) -> None:
    def cancelled(ask: ImportPack) -> PackReport:
        raise Interrupted("The import was cancelled.", "Import the files again.")

    section = weights(page := show("weights", {**ANSWERS, ImportPack: cancelled}))
    qtbot.waitUntil(lambda: bool(section.rows.rows))
    section.found.look("/media/stick/weights")
    qtbot.waitUntil(lambda: section.found.import_button.isEnabled())
    click(section.found.import_button)
    qtbot.waitUntil(lambda: "was cancelled" in section.found.job.message)
    assert section.found.job.way_on.text() == "Go on"
    click(section.found.job.way_on)
    qtbot.waitUntil(lambda: len(asked(page, ImportPack)) == 2)


def test_a_licence_is_shown_and_accepted_once_before_weights_are_fetched(qtbot: QtBot, show: Show) -> None:
    accepted: list[str] = []

    def accept(ask: AcceptLicence) -> bool:
        accepted.append("mae: CC-BY-NC-4.0")
        return True

    answers = {
        **ANSWERS,
        ReadSettings: lambda ask: replace(SETTINGS, network=True, licences=tuple(accepted)),
        AcceptLicence: accept,
        PullWeights: lambda ask: WAITS,
    }
    section = weights(page := show("weights", answers, model="mae-l"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    qtbot.waitUntil(lambda: "asked before the weights are fetched" in texts(section.details))
    click(section.details.pull_button)
    assert section.details.asks_for_licence
    assert "CC-BY-NC-4.0" in section.details.terms.text()
    assert "forbids commercial use" in section.details.terms.text()
    assert "https://huggingface.co/timm/mae-l" in section.details.terms.text()
    assert asked(page, PullWeights) == []
    click(section.details.accept_button)
    qtbot.waitUntil(lambda: asked(page, PullWeights) == [PullWeights("mae-l")])
    assert asked(page, AcceptLicence) == [AcceptLicence("mae-l")]
    assert not section.details.asks_for_licence


def test_an_accepted_licence_is_not_asked_again_and_one_that_is_declined_fetches_nothing(
    qtbot: QtBot, show: Show
) -> None:
    answers = {**ANSWERS, PullWeights: lambda ask: WAITS}
    section = weights(page := show("weights", {**answers, ReadSettings: allowed("mae: CC-BY-NC-4.0")}, model="mae-l"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    click(section.details.pull_button)
    assert asked(page, PullWeights) == [PullWeights("mae-l")]
    other = weights(page := show("weights", {**answers, ReadSettings: allowed()}, model="mae-l"))
    qtbot.waitUntil(lambda: other.chosen() is not None)
    click(other.details.pull_button)
    click(other.details.decline_button)
    assert not other.details.asks_for_licence
    assert asked(page, PullWeights) == []


def test_a_file_is_imported_only_after_its_licence_was_accepted(qtbot: QtBot, show: Show) -> None:
    answers = {
        **ANSWERS,
        ReadSettings: allowed(),
        AcceptLicence: lambda ask: True,
        ImportWeights: lambda ask: WAITS,
    }
    section = weights(page := show("weights", answers, model="mae-l"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    chosen = section.chosen()
    assert chosen is not None
    section.import_file(chosen, "/sticks/mae.safetensors")
    assert section.details.asks_for_licence
    assert section.details.accept_button.text() == "Accept and import"
    assert asked(page, ImportWeights) == []
    click(section.details.accept_button)
    qtbot.waitUntil(lambda: asked(page, ImportWeights) == [ImportWeights("mae-l", "/sticks/mae.safetensors")])
    assert asked(page, AcceptLicence) == [AcceptLicence("mae-l")]


def test_a_stick_says_whose_licences_its_import_accepts(qtbot: QtBot, show: Show) -> None:
    found = FoundWeightsList((FoundWeights("/stick/mae.safetensors", 9, "mae-l"),), False)
    answers = {
        **ANSWERS,
        ReadSettings: allowed(),
        AcceptLicence: lambda ask: True,
        LookForWeights: lambda ask: found,
        ImportPack: lambda ask: WAITS,
    }
    section = weights(page := show("weights", answers))
    qtbot.waitUntil(lambda: bool(section.rows.rows))
    section.found.look("/stick")
    qtbot.waitUntil(lambda: section.found.import_button.text() == "Accept the licence and import 1 file")
    assert "CC-BY-NC-4.0" in section.found.terms.text()
    click(section.found.import_button)
    qtbot.waitUntil(lambda: len(asked(page, ImportPack)) == 1)
    assert asked(page, AcceptLicence) == [AcceptLicence("mae-l")]


def test_a_gated_model_says_what_to_do_first(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", {**ANSWERS, ReadSettings: allowed()}, model="dinov3-s"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    assert "keep an access token" in dict(model.about(section.chosen()))["Gated"]  # type: ignore[arg-type]
    click(section.details.pull_button)
    assert "accepted the licence there, signed in" in section.details.terms.text()


def test_a_download_that_was_cancelled_or_broke_off_goes_on(qtbot: QtBot, show: Show) -> None:
    def broken(ask: PullWeights) -> WeightsStatus:
        raise Interrupted("Fetching was cancelled.", "Fetch again: what has come is kept.")

    answers = {**ANSWERS, ReadSettings: allowed(), PullWeights: broken}
    section = weights(page := show("weights", answers, model="dinov2-l"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    click(section.details.pull_button)
    qtbot.waitUntil(lambda: section.job.way_on.text() == "Go on fetching")
    click(section.job.way_on)
    qtbot.waitUntil(lambda: len(asked(page, PullWeights)) == 2)


def test_weights_that_somebody_else_brings_in_wait_and_say_so(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", model="clip-b"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    assert not section.details.pull_button.isEnabled() and not section.details.import_button.isEnabled()
    assert "being brought in already" in texts(section.details)


def test_overlap_with_known_datasets_is_among_the_facts(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", model="dinov2-l"))
    qtbot.waitUntil(lambda: section.chosen() is not None)
    facts = dict(model.about(section.chosen()))  # type: ignore[arg-type]
    assert facts["May have seen"] == "MedMNIST"
    assert "APTOS 2019" in facts["Has not seen"]
    assert facts["Unknown"] == "all others"
    assert facts["Size"] == "≈ 1.2 GB"


def many() -> tuple[Any, ...]:
    return tuple(
        replace(MODELS[at % 4], card=replace(MODELS[at % 4].card, name=f"m{at}", group=f"Family {at % 20:02d}"))
        for at in range(90)
    )


def test_ninety_models_stand_under_their_headings_and_are_found(qtbot: QtBot, show: Show) -> None:
    section = weights(show("weights", {**ANSWERS, ListModels: lambda ask: ModelList(many(), ())}))
    qtbot.waitUntil(lambda: len(section.rows.rows) == 90)
    assert [group.title for group in section.rows.groups] == [f"Family {at:02d}" for at in range(20)]
    section.filter.setText("family 07")
    assert [group.title for group in section.rows.groups] == ["Family 07"]
    assert section.table.isExpanded(section.rows.index(0, 0))
    section.filter.setText("nothing of the kind")
    assert "No model is called so" in texts(section)
    section.filter.clear()
    section.shown.setCurrentIndex(1)
    assert all(one.weights.is_here for one in section.rows.rows) and section.rows.rows


def test_what_is_chosen_and_unfolded_stays_when_weights_come(qtbot: QtBot, show: Show) -> None:
    state: list[tuple[Any, ...]] = [MODELS]
    section = weights(page := show("weights", {**ANSWERS, ListModels: lambda ask: ModelList(state[0], ())}))
    qtbot.waitUntil(lambda: bool(section.rows.rows))
    heading = next(at for at, group in enumerate(section.rows.groups) if group.title == "AIMv2")
    section.table.expand(section.rows.index(heading, 0))
    section.table.choose("aimv2-l")
    state[0] = tuple(
        replace(one, weights=replace(one.weights, state=WeightsState.PRESENT)) if one.card.name == "aimv2-l" else one
        for one in MODELS
    )
    page.mark_stale(Topic.MODELS)
    qtbot.waitUntil(lambda: section.rows.groups[heading].ready == 1)
    assert section.chosen() is state[0][[one.card.name for one in MODELS].index("aimv2-l")]
    assert section.table.isExpanded(section.rows.index(heading, 0))


def test_the_tree_of_models_is_sound(qtbot: QtBot, qtmodeltester: Any, show: Show) -> None:
    section = weights(show("weights"))
    qtbot.waitUntil(lambda: bool(section.rows.rows))
    qtmodeltester.check(section.rows)


def test_weights_are_kept_in_another_folder_or_it_is_said_why_not(qtbot: QtBot, show: Show) -> None:
    answered = [True]

    def move(ask: MoveWeightsFolder) -> SettingsView:
        if answered:
            return replace(SETTINGS, weights_dir=ask.folder)
        raise InputError("“x” is not a folder that may be written.", "Choose another.")

    section = weights(page := show("weights", {**ANSWERS, MoveWeightsFolder: move}))
    section.place.move_to("/big/disk")
    qtbot.waitUntil(lambda: bool(asked(page, MoveWeightsFolder)) and "/home/reader" in texts(section.place))
    answered.clear()
    section.place.move_to("/x")
    qtbot.waitUntil(lambda: "may be written" in section.job.message)


# --- network, privacy, appearance


def test_the_network_is_allowed_by_the_switch(qtbot: QtBot, show: Show) -> None:
    state = [SETTINGS]

    def allow(ask: AllowNetwork) -> SettingsView:
        state[0] = replace(SETTINGS, network=ask.allowed)
        return state[0]

    page = show("network", {**ANSWERS, ReadSettings: lambda ask: state[0], AllowNetwork: allow})
    switch: QAbstractButton = page.section.switch  # type: ignore[attr-defined]
    qtbot.waitUntil(switch.isEnabled)
    assert switch.isChecked()
    switch.setFocus()
    QTest.keyClick(switch, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "Weights may be fetched" in texts(page.section))
    assert asked(page, AllowNetwork) == [AllowNetwork(True)]
    assert not switch.isChecked()


def test_sets_of_classes_are_offered_by_a_switch_that_is_off_at_first(qtbot: QtBot, show: Show) -> None:
    page = show("predictions")
    switch: QAbstractButton = page.section.switch  # type: ignore[attr-defined]
    qtbot.waitUntil(switch.isEnabled)
    assert not switch.isChecked()
    assert PROMISE in texts(page.section)
    switch.setFocus()
    QTest.keyClick(switch, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: asked(page, OfferClassSets) == [OfferClassSets(True)])
    qtbot.waitUntil(switch.isChecked)


def test_a_locked_network_cannot_be_switched_and_says_who_locked_it(qtbot: QtBot, show: Show) -> None:
    answers = {**ANSWERS, ReadSettings: lambda ask: replace(SETTINGS, network=True, is_offline_locked=True)}
    page = show("network", answers)
    switch: QAbstractButton = page.section.switch  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: "MEDFM_OFFLINE" in texts(page.section))
    assert not switch.isEnabled()
    assert switch.isChecked()


def test_identity_is_hidden_unless_somebody_chose_otherwise(show: Show) -> None:
    page = show("privacy")
    switch: QAbstractButton = page.section.switch  # type: ignore[attr-defined]
    assert switch.isChecked()
    click(switch)
    assert page.context.memory.get("identity.shown") is True


def test_a_theme_is_chosen(show: Show) -> None:
    page = show("appearance")
    buttons: dict[str, QAbstractButton] = page.section.buttons  # type: ignore[attr-defined]
    assert buttons["system"].isChecked()
    click(buttons["light"])
    assert said(page) == [("set_appearance", (("light",), {}))]


def test_motion_can_be_reduced_and_is_remembered(show: Show) -> None:
    page = show("appearance")
    still = page.findChild(Switch)
    assert isinstance(still, Switch)
    theme.set_motion(True)
    try:
        click(still)
        assert page.context.memory.get(theme.REDUCED_MOTION) is True and not theme.motion_allowed()
        click(still)
        assert page.context.memory.get(theme.REDUCED_MOTION) is False
    finally:
        theme.set_motion(False)


# --- shortcuts


def test_keys_are_changed_and_a_conflict_is_told(qtbot: QtBot, show: Show) -> None:
    page = show("shortcuts")
    section = keys(page)
    page.context.actions.add(page, Action("window.x", "Do it", lambda: None, keys="Ctrl+J"), is_global=True)
    assert section.rows.rows[0].action.id == "window.x"
    section.table.selectRow(0)
    section.edit.setKeySequence(QKeySequence("Ctrl+Shift+J"))
    click(section.set_button)
    assert page.context.actions.keys("window.x") == "Ctrl+Shift+J"
    assert section.rows.rows[0].is_own
    section.table.selectRow(1)
    section.edit.setKeySequence(QKeySequence("Ctrl+Shift+J"))
    click(section.set_button)
    assert "belongs to “Do it” already" in section.told.text()
    section.table.selectRow(0)
    click(section.default_button)
    assert page.context.actions.keys("window.x") == "Ctrl+J"
    click(section.none_button)
    assert page.context.actions.keys("window.x") == ""


def test_all_keys_are_reset_after_a_question(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    page = show("shortcuts")
    page.context.actions.set_keys("settings.about", "Ctrl+Alt+A")
    answer = [False]
    monkeypatch.setattr("medfm_gui.ui.pages.settings.shortcuts.ask", lambda *_, **__: answer[0])
    click(keys(page).reset_button)
    assert page.context.actions.keys("settings.about") == "Ctrl+Alt+A"
    answer[0] = True
    click(keys(page).reset_button)
    assert page.context.actions.keys("settings.about") == ""


# --- diagnostics, plugins, hostile names


def test_diagnostics_are_read_before_they_are_saved(qtbot: QtBot, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    page = show("diagnostics")
    section: Any = page.section
    qtbot.waitUntil(lambda: "MedFM Studio 0.1.0" in section.text.toPlainText())
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("/home/reader/out", ""))
    click(section.save_button)
    qtbot.waitUntil(lambda: "saved as /home/reader/out.zip" in section.job.message)
    assert asked(page, SaveDiagnostics) == [SaveDiagnostics("/home/reader/out.zip")]


def test_a_full_disk_is_told_where_one_saved(qtbot: QtBot, show: Show) -> None:
    def full(ask: SaveDiagnostics) -> object:
        raise DiskFull("The disk is full.", "Free some space.")

    section: Any = show("diagnostics", {**ANSWERS, SaveDiagnostics: full}).section
    section.save("/full/out.zip")
    qtbot.waitUntil(lambda: section.job.message == "The disk is full.")


def test_a_broken_plugin_says_why(qtbot: QtBot, show: Show) -> None:
    page = show("plugins")
    qtbot.waitUntil(lambda: "Field required" in texts(page.section))


def test_this_computer_can_be_examined_from_here(qtbot: QtBot, show: Show) -> None:
    page = show("devices")
    section: Any = page.section
    click(section.computer.again_button)
    qtbot.waitUntil(lambda: bool(asked(page, Examine)) and not section.computer.is_busy)
    assert "scikit-learn" in texts(section)


@pytest.mark.parametrize("key", ["weights", "plugins", "diagnostics"])
def test_names_from_files_stay_plain_and_do_not_widen_the_page(qtbot: QtBot, show: Show, key: str) -> None:
    one = MODELS[2]
    card = replace(one.card, title=HOSTILE, licence=HOSTILE, plugin=HOSTILE, pretraining=HOSTILE)
    models = ModelList((replace(one, card=card),), (BrokenPlugin(f"/p/{HOSTILE}", HOSTILE),))
    files = DiagnosticFiles((DiagnosticFile(HOSTILE, HOSTILE, HOSTILE),))
    answers = {**ANSWERS, ListModels: lambda ask: models, PreviewDiagnostics: lambda ask: files}
    page = show(key, answers, **({"model": one.card.name} if key == "weights" else {}))
    qtbot.wait(30)
    assert page.width() == 1080
    for label in page.findChildren(Label):
        assert label.textFormat() is Qt.TextFormat.PlainText
    for table in page.section.findChildren(QAbstractItemView):
        found = table.model()
        for at in range(found.columnCount() if found is not None else 0):
            tip = found.index(0, at).data(Qt.ItemDataRole.ToolTipRole)
            assert tip is None or "<img" not in tip


def test_hostile_file_names_on_a_stick(qtbot: QtBot, show: Show) -> None:
    path = f"/s/{HOSTILE}.pt"
    report = PackReport((PackFile(path, "dinov2-l", "refused", f"“{HOSTILE}” holds code.", HOSTILE),))
    found = FoundWeightsList((FoundWeights(path, 1, "dinov2-l"),))
    answers: dict[Any, Any] = {**ANSWERS, LookForWeights: lambda ask: found, ImportPack: lambda ask: report}
    section = weights(page := show("weights", answers))
    qtbot.waitUntil(lambda: bool(section.rows.rows))
    section.found.look("/s")
    qtbot.waitUntil(lambda: section.found.import_button.isEnabled())
    click(section.found.import_button)
    qtbot.waitUntil(lambda: "1 refused" in section.found.job.message)
    assert page.width() == 1080


def test_the_other_theme_is_drawn_without_complaint(show: Show, themed: Any) -> None:
    page = show("weights")
    theme.apply(themed, theme.load("light"))
    assert not page.grab().isNull()


def test_errors_of_every_kind_can_be_told(show: Show) -> None:
    section = weights(show("weights"))
    section.job.end_badly(MedfmError("It failed."))
    assert section.job.message == "It failed."
    click(section.job.close_button)
    assert not section.job.isVisible()

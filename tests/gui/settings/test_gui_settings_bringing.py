"""Weights brought in: a file, a stick, the hub, with their licences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractButton, QFileDialog
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.settings import (
    AcceptLicence,
    AllowNetwork,
    FoundWeights,
    FoundWeightsList,
    ImportPack,
    ImportWeights,
    LookForWeights,
    PackReport,
    PullWeights,
    ReadSettings,
)
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.cards import WeightsStatus
from medfm_gui.domain.errors import InputError, Interrupted
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.sample import ANSWERS, MODELS, SETTINGS
from medfm_gui.ui.sample import WAITS
from medfm_gui.workspace.packs import PackFile
from tests.fixtures.gui_settings import HOSTILE, Show, allowed, asked, click, texts, weights


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

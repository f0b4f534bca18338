"""The workspace's section of Settings: what its database lists, and the button that makes it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.home import LookAround
from medfm_gui.desk.asks.upkeep import JournalVerified, RebuildDatabase, VerifyJournal
from medfm_gui.domain.errors import InputError, Interrupted, MedfmError, WorkspaceBusy
from medfm_gui.ui.pages.settings import workspace
from medfm_gui.ui.pages.settings.sample import ANSWERS
from medfm_gui.ui.pages.settings.workspace import WorkspaceSection
from medfm_gui.ui.sample import Answers, sample_context

Show = Callable[..., WorkspaceSection]


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    def open_section(answers: Answers = ANSWERS, **changes: Any) -> WorkspaceSection:
        section = WorkspaceSection(sample_context(answers, **changes))
        section.context.desk.setParent(section)  # type: ignore[attr-defined]
        qtbot.addWidget(section)
        section.resize(900, 700)
        section.show()
        section.refresh()
        qtbot.wait(20)
        return section

    return open_section


def asked(section: WorkspaceSection, kind: type) -> list[Any]:
    return [ask for ask in section.context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def test_the_database_is_rebuilt_after_a_question(qtbot: QtBot, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    section = show()
    assert section.facts.facts()[1] == ("Listed", "2 datasets, 2 splits, 13 runs, 4 studies, 6 predictions, 1 report")
    questions: list[tuple[Any, ...]] = []
    answer = [False]

    def ask(*words: Any) -> bool:
        questions.append(words)
        return answer[0]

    monkeypatch.setattr(workspace, "ask", ask)
    section.button.click()
    assert not asked(section, RebuildDatabase)
    assert "set aside, not deleted" in questions[0][2]
    answer[0] = True
    section.button.click()
    assert not section.button.isEnabled()
    assert section.job.is_busy
    qtbot.waitUntil(lambda: bool(section.job.message))
    assert section.job.message.endswith("1 report. The former one is kept as medfm.sqlite.old1.")
    assert len(asked(section, RebuildDatabase)) == 1
    assert section.button.isEnabled()
    assert len(asked(section, LookAround)) == 2, "it is listed anew"
    qtbot.wait(20)


@pytest.mark.parametrize(
    ("error", "button"),
    [
        (WorkspaceBusy("The run r0001 is at work and writes to the database.", "Wait for it."), "Show runs"),
        (InputError("“manifest.json” cannot be read.", "Bring it back."), "Try again"),
        (Interrupted("It was cancelled.", "Start it again."), "Try again"),
    ],
    ids=["busy", "damaged", "cancelled"],
)
def test_a_rebuild_that_is_refused_says_why(qtbot: QtBot, show: Show, error: MedfmError, button: str) -> None:
    def refused(ask: RebuildDatabase) -> object:
        raise error

    section = show({**ANSWERS, RebuildDatabase: refused})
    section.rebuild()
    qtbot.waitUntil(lambda: section.job.message == error.message)
    assert section.job.way_on.text() == button
    assert section.button.isEnabled()
    section.job.way_on.click()
    qtbot.waitUntil(lambda: not section.job.is_busy)
    if button == "Show runs":
        assert section.context.desk.said == [("go", (("runs",), {}))]  # type: ignore[attr-defined]
    else:
        assert len(asked(section, RebuildDatabase)) == 2


def test_read_only_the_database_cannot_be_rebuilt_and_it_says_why(show: Show) -> None:
    section = show(is_read_only=True)
    assert not section.button.isEnabled()
    assert "read-only" in section.button.toolTip()
    section.rebuild()
    assert not asked(section, RebuildDatabase)


def test_the_journal_is_verified_in_place(qtbot: QtBot, show: Show) -> None:
    section = show(is_read_only=True)
    assert section.verify_button.isEnabled(), "looking changes nothing"
    section.verify_button.click()
    assert section.verify_job.is_busy
    qtbot.waitUntil(lambda: bool(section.verify_job.message))
    assert section.verify_job.message.startswith("214 lines, each with the hash of the line before it: no change")
    assert "fd388764" in section.verify_job.message
    assert len(asked(section, VerifyJournal)) == 1


def test_a_changed_line_of_the_journal_is_named(qtbot: QtBot, show: Show) -> None:
    found = tuple(f"Line {number} of the journal was changed after it was written." for number in (3, 4, 5, 6))
    section = show({**ANSWERS, VerifyJournal: lambda ask: JournalVerified(9, "a" * 64, found)})
    section.verify()
    qtbot.waitUntil(lambda: bool(section.verify_job.message))
    assert "Line 3 of the journal" in section.verify_job.message
    assert section.verify_job.message.endswith("And 1 more.")
    assert section.verify_job.way_on.text() == "Verify again"
    section.verify_job.way_on.click()
    qtbot.waitUntil(lambda: not section.verify_job.is_busy)
    assert len(asked(section, VerifyJournal)) == 2

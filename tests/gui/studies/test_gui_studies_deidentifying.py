"""De-identify: what the dialog asks, what it refuses to do before a person looked, and that it works by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.deidentify import DeidentifyStudies, ExamineStudies
from medfm_gui.desk.asks.studies import SeriesKey
from medfm_gui.domain.deidentification import Dates, Deidentification, Examined, HeldFile
from medfm_gui.domain.errors import DiskFull, Interrupted, NotFound
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.studies import sample as page_sample
from medfm_gui.ui.pages.studies.deidentifying.dialog import DeidentifyDialog
from medfm_gui.ui.pages.studies.deidentifying.sample import ANSWERS, EXAMINED, FLAGGED
from medfm_gui.ui.pages.studies.page import StudiesPage
from medfm_gui.ui.sample import WAITS, sample_context

Make = Callable[..., DeidentifyDialog]


@pytest.fixture
def make(qtbot: QtBot) -> Make:
    def make(changes: dict[str, Any] | None = None, series: tuple[str, ...] = (), **other: Any) -> DeidentifyDialog:
        kinds = {kind.__name__: kind for kind in ANSWERS}
        answers = {**ANSWERS, **{kinds[name]: answer for name, answer in other.items()}}
        dialog = DeidentifyDialog(sample_context(answers, **(changes or {})), ("1.2.4",), series)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


def ready(dialog: DeidentifyDialog, qtbot: QtBot) -> DeidentifyDialog:
    qtbot.waitUntil(lambda: dialog.view.pane.state == "content")
    if dialog.view.flagged.model.files:
        qtbot.waitUntil(lambda: bool(dialog.view.flagged.model.shown))
    return dialog


def look(dialog: DeidentifyDialog, qtbot: QtBot) -> None:
    """See the chosen image large, then say that there is no name in it."""
    flagged = dialog.view.flagged
    file = flagged.model.files[flagged.tiles.currentIndex().row()]
    qtbot.waitUntil(lambda: file.path in flagged.model.shown)
    flagged.confirm()


def asked(context: Context, kind: type[Any]) -> list[Any]:
    return [ask for ask in context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def raising(error: Exception) -> Callable[[Any], Any]:
    def answer(_: Any) -> Any:
        raise error

    return answer


def test_nothing_is_written_before_folder_and_faces_are_said(make: Make, qtbot: QtBot) -> None:
    dialog = ready(make(), qtbot)
    assert not dialog.view.go.isEnabled() and "folder" in dialog.view.go.toolTip()
    dialog.view.folder.set_path("/copies")
    assert not dialog.view.go.isEnabled() and "faces" in dialog.view.go.toolTip()
    dialog.view.faces_known.setChecked(True)
    assert dialog.view.go.isEnabled()
    assert dialog.view.go.text() == f"Write {EXAMINED.files - len(FLAGGED)} copies"


def test_what_was_chosen_and_looked_at_is_asked_for(make: Make, qtbot: QtBot) -> None:
    dialog = ready(make(), qtbot)
    view = dialog.view
    view.options.dates.setCurrentIndex(1)
    view.options.boxes["keep_patient"].setChecked(True)
    look(dialog, qtbot)
    look(dialog, qtbot)
    assert view.flagged.model.seen == {FLAGGED[0].path, FLAGGED[1].path}
    view.folder.set_path("/copies")
    view.faces_known.setChecked(True)
    view.go.click()
    qtbot.waitUntil(lambda: view.go.text() == "Open the folder")
    (ask,) = asked(dialog._context, DeidentifyStudies)
    assert ask == DeidentifyStudies(
        studies=("1.2.4",),
        out="/copies",
        options=Deidentification(dates=Dates.SHIFT, keep_patient=True),
        looked_at=(FLAGGED[0].path, FLAGGED[1].path),
        faces_known=True,
    )
    facts = dict(view.outcome.facts.facts())
    assert facts["Folder"] == "/copies" and facts["Held back"] == f"{len(FLAGGED) - 2} images that may show a name"
    assert facts["Method codes"] == "113100, 113107, 113108 (DCM)"
    model = view.outcome.model
    actions = [model.index(row, 3).data() for row in range(model.rowCount())]
    assert actions[0] == "removed" and actions[-1] == "kept"


def test_the_folder_is_opened_afterwards(make: Make, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    dialog = ready(make(), qtbot)
    dialog.view.folder.set_path("/copies")
    dialog.view.faces_known.setChecked(True)
    dialog.view.go.click()
    qtbot.waitUntil(lambda: dialog.view.go.text() == "Open the folder")
    dialog.view.go.click()
    assert opened == ["/copies"]


def test_space_says_there_is_no_name_and_goes_on(make: Make, qtbot: QtBot) -> None:
    dialog = ready(make(), qtbot)
    flagged = dialog.view.flagged
    flagged.setFocus()
    QTest.keyClick(flagged, Qt.Key.Key_Space)
    assert flagged.model.seen == {FLAGGED[0].path} and flagged.tiles.currentIndex().row() == 1
    qtbot.waitUntil(lambda: "frames" in flagged.reason.text())
    flagged.not_clean.click()
    flagged.tiles.setCurrentIndex(flagged.model.index(0))
    flagged.not_clean.click()
    assert not flagged.model.seen


def test_nobody_can_have_looked_at_what_is_not_shown(make: Make, qtbot: QtBot) -> None:
    dialog = make(FileThumbnails=raising(NotFound("It is gone.", "")))
    flagged = dialog.view.flagged
    qtbot.waitUntil(lambda: "cannot be shown" in flagged.clean.toolTip())
    flagged.confirm()
    flagged.model.setData(flagged.model.index(0), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    assert not flagged.model.seen and not flagged.clean.isEnabled()


def test_all_looked_at_is_said(make: Make, qtbot: QtBot) -> None:
    dialog = ready(make(), qtbot)
    for _ in FLAGGED:
        look(dialog, qtbot)
    assert dialog.view.flagged_words.text() == "You looked at all flagged images."
    assert dialog.view.go.text() == f"Write {EXAMINED.files} copies"


def test_nothing_flagged_is_no_proof(make: Make, qtbot: QtBot) -> None:
    held = (HeldFile("/x/sr.dcm", "unsupported_format", "Objects of this kind are not de-identified here (SR)."),)
    dialog = ready(make(ExamineStudies=lambda ask: Examined(4, 9_000, 1, held=held)), qtbot)
    assert dialog.view.looking.state == "empty" and not dialog.view.faces.isVisible()
    assert "SR" in dialog.view.flagged_words.text()
    dialog.view.folder.set_path("/copies")
    assert dialog.view.go.isEnabled() and dialog.view.go.text() == "Write 3 copies"


def test_a_failure_keeps_the_choices(make: Make, qtbot: QtBot) -> None:
    dialog = ready(make(DeidentifyStudies=raising(DiskFull("There is no room.", "Free some space."))), qtbot)
    dialog.view.options.boxes["keep_uids"].setChecked(True)
    dialog.view.folder.set_path("/copies")
    dialog.view.faces_known.setChecked(True)
    dialog.view.go.click()
    qtbot.waitUntil(lambda: dialog.view.pane.state == "error")
    dialog.view.show_form()
    assert dialog.view.options.options().keep_uids and dialog.view.go.isEnabled()


@pytest.mark.parametrize("error", [Interrupted("It was cancelled.", "")])
def test_cancelled_writing_goes_back(make: Make, qtbot: QtBot, error: Exception) -> None:
    dialog = ready(make(DeidentifyStudies=raising(error)), qtbot)
    dialog.view.folder.set_path("/copies")
    dialog.view.faces_known.setChecked(True)
    dialog.view.go.click()
    qtbot.waitUntil(lambda: dialog.view.pane.state == "empty")
    assert dialog.isVisible()


def test_headers_that_cannot_be_read_are_said(make: Make, qtbot: QtBot) -> None:
    dialog = make(ExamineStudies=raising(NotFound("There is no such study.", "Open its folder again.")))
    qtbot.waitUntil(lambda: dialog.view.pane.state == "error")
    assert not dialog.view.go.isEnabled()


def test_escape_cancels_what_is_going_on(make: Make, qtbot: QtBot) -> None:
    dialog = make(ExamineStudies=lambda ask: WAITS)
    QTest.qWait(20)
    assert dialog.view.pane.state == "busy" and dialog.view.close_button.text() == "Cancel"
    dialog.reject()
    assert dialog.isVisible()  # the answer to the cancelling closes it


def test_read_only_workspaces_write_nothing(make: Make, qtbot: QtBot) -> None:
    dialog = ready(make({"is_read_only": True}), qtbot)
    dialog.view.folder.set_path("/copies")
    dialog.view.faces_known.setChecked(True)
    assert not dialog.view.go.isEnabled() and "read-only" in dialog.view.go.toolTip()


# -- the page


def test_the_page_opens_it_for_what_is_chosen(qtbot: QtBot) -> None:
    page = StudiesPage(sample_context(page_sample.answers()))
    qtbot.addWidget(page)
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: page.browser.state.state == "content")
    offering = page.offering
    offering.open()
    assert page.browser.notice.isVisible() and not page.findChildren(DeidentifyDialog)
    page.browser.choose(SeriesKey("1.2.2"))
    assert offering.can_open
    page.browser.shield.click()
    (dialog,) = page.findChildren(DeidentifyDialog)
    (ask,) = asked(page.context, ExamineStudies)
    assert (ask.studies, ask.series) == (("1.2.2",), ("1.2.2.1",))
    ready(dialog, qtbot)
    dialog.reject()
    page.reader.close_series()

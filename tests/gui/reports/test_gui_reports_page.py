from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.reports import CopyReport, ListReports, PreviewReport, ReadReport, ReportPreview, WriteReport
from medfm_gui.desk.asks.runs import ListRuns
from medfm_gui.desk.entry import Topic
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import DatabaseBusy, DiskFull, InputError, Interrupted, SealError, WorkerFailed
from medfm_gui.domain.report import Part
from medfm_gui.ui.pages.reports import sample, where
from medfm_gui.ui.pages.reports.page import ReportsPage
from medfm_gui.ui.pages.runs.sample import RUNS
from medfm_gui.ui.sample import WAITS, Answers, sample_context

Made = Callable[..., ReportsPage]


@pytest.fixture
def make(qtbot: QtBot) -> Made:
    """A shown page with these answers; ``wish`` is handed to ``visit``."""

    def made(answers: Answers | None = None, *, wish: dict[str, Any] | None = None, **changes: Any) -> ReportsPage:
        page = ReportsPage(sample_context(answers or sample.sample_answers(), None, **changes))
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        if wish:
            page.visit(**wish)
        qtbot.waitUntil(lambda: page.states.state != "busy")
        return page

    return made


def asked(page: ReportsPage, kind: type) -> list[Any]:
    return [ask for ask in page.context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def state(page: ReportsPage) -> str:
    return page.sheets.states.state


def said(page: ReportsPage) -> list[Any]:
    return page.context.desk.said  # type: ignore[attr-defined, no-any-return]


def changed(answers: Answers, **kinds: Any) -> Answers:
    names = {
        kind.__name__: kind for kind in (ListReports, ListRuns, PreviewReport, ReadReport, WriteReport, CopyReport)
    }
    return {**answers, **{names[name]: answer for name, answer in kinds.items()}}


def raises(error: Exception) -> Callable[[Any], Any]:
    def answer(ask: Any) -> Any:
        raise error

    return answer


def press(qtbot: QtBot, widget: QWidget, text: str) -> None:
    """Click the one visible button of that text."""
    found = [one for one in widget.findChildren(QAbstractButton) if one.text() == text and one.isVisibleTo(widget)]
    assert len(found) == 1, text
    QTest.mouseClick(found[0], Qt.MouseButton.LeftButton)


def settled(qtbot: QtBot, page: ReportsPage, key: str = "preview") -> None:
    qtbot.waitUntil(lambda: page.sheets.has(key) and page.sheets.reader.paper.is_settled)


def test_the_newest_report_is_read_first(make: Made, qtbot: QtBot) -> None:
    page = make()
    settled(qtbot, page, "report0003")
    assert page.reports.rowCount() == 3
    assert asked(page, ReadReport) == [ReadReport("report0003")]
    assert page.sheets.reader.place.text() == f"Page 1 of {(len(Part) + 1) // 2}"
    assert dict(page.archive.facts.facts())["Runs"] == "r0002, r0003, r0005, r0001"


def test_a_report_whose_file_is_gone_says_so_and_offers_to_make_it_again(make: Made, qtbot: QtBot) -> None:
    page = make(wish={"report": "report0002"})
    qtbot.waitUntil(lambda: page.sheets.states.state == "error")
    assert not page.archive.copy.isEnabled()
    press(qtbot, page.sheets, "New from these runs")
    settled(qtbot, page)
    assert asked(page, PreviewReport)[-1].runs == ("r0003",)


def test_a_file_that_was_changed_is_named(make: Made, qtbot: QtBot) -> None:
    answers = sample.sample_answers()
    page = make(changed(answers, ReadReport=lambda ask: replace(answers[ReadReport](ask), is_changed=True)))
    settled(qtbot, page, "report0003")
    assert "SHA-256" in page.sheets.notice.message.text()
    assert page.sheets.notice.isVisible()


@pytest.mark.parametrize(("runs", "button", "went"), [((), "New training", "train"), (RUNS[3:4], "Go to Runs", "runs")])
def test_without_reports_and_opened_runs_it_says_what_to_do(
    make: Made, qtbot: QtBot, runs: Any, button: str, went: str
) -> None:
    page = make(sample.sample_answers((), runs))
    assert page.states.state == "empty"
    press(qtbot, page, button)
    assert said(page) == [("go", ((went,), {}))]


def test_a_list_that_fails_is_told_in_place_and_can_be_asked_again(make: Made, qtbot: QtBot) -> None:
    page = make(changed(sample.sample_answers(), ListReports=raises(DatabaseBusy("Busy.", "Wait."))))
    assert page.states.state == "error"
    page.context.desk.answers[ListReports] = sample.sample_answers()[ListReports]  # type: ignore[attr-defined]
    press(qtbot, page.states, "Try again")
    settled(qtbot, page, "report0003")


def test_a_report_follows_the_title_the_runs_and_the_switches(make: Made, qtbot: QtBot) -> None:
    page = make(wish={"runs": ("r0003", "r0002")})
    settled(qtbot, page)
    first = asked(page, PreviewReport)[-1]
    assert (first.runs, first.outline.parts, first.outline.attachments) == (("r0003", "r0002"), tuple(Part), None)
    assert page.composer.title.placeholderText() == "Comparison of adapted foundation models"
    QTest.keyClicks(page.composer.title, "Chest & <b>phantoms</b>")
    page.composer.parts[Part.DATA].click()
    assert page.composer.leaving.files.isChecked(), "the dataset allows it"
    page.composer.leaving.files.click()
    assert len(asked(page, PreviewReport)) == 1  # not at every key
    qtbot.waitUntil(lambda: len(asked(page, PreviewReport)) == 2)
    outline = asked(page, PreviewReport)[-1].outline
    assert outline.title == "Chest & <b>phantoms</b>"
    assert Part.DATA not in outline.parts
    assert outline.attachments is False
    settled(qtbot, page)


def test_switches_are_remembered_and_the_title_is_not(make: Made, qtbot: QtBot) -> None:
    page = make(wish={"runs": ("r0003",)})
    page.composer.parts[Part.CURVES].click()
    settled(qtbot, page)
    assert page.context.memory.get("reports.without") == ["curves"]


@pytest.mark.parametrize(
    ("kept", "off"),
    [
        ({"reports.without": ["subgroups", "files"]}, {Part.SUBGROUPS}),
        ({"reports.parts": ["data", "split", "models", "results", "comparison", "examples", "provenance", "files"]},
         {Part.CURVES}),
        ({"reports.parts": "damaged"}, set()),
    ],
)  # fmt: skip
def test_what_was_off_stays_off_and_sections_that_are_new_are_on(
    make: Made, qtbot: QtBot, kept: dict[str, Any], off: set[Part]
) -> None:
    context = sample_context(sample.sample_answers(), None)
    for name, value in kept.items():
        context.memory.put(name, value)
    page = ReportsPage(context)
    qtbot.addWidget(page)
    assert {part for part, switch in page.composer.parts.items() if not switch.isChecked()} == off
    assert page.composer.outline.attachments is (False if "files" in kept.get("reports.without", ()) else None)


def test_files_stay_where_the_dataset_says_nothing(make: Made, qtbot: QtBot) -> None:
    page = make(sample.sample_answers(withheld="the dataset states nothing"), wish={"runs": ("r0003",)})
    settled(qtbot, page)
    leaving = page.composer.leaving
    assert not leaving.consent.isChecked() and leaving.files.isChecked()
    assert "The dataset states nothing." in leaving.why_pictures.text()
    assert "states nothing" not in leaving.why_files.text()


def test_pictures_and_files_are_off_where_the_dataset_does_not_allow_them(make: Made, qtbot: QtBot) -> None:
    page = make(
        sample.sample_answers(withheld="the dataset states that it may not be shown", holds_files=True),
        wish={"runs": ("r0003",)},
    )
    settled(qtbot, page)
    leaving = page.composer.leaving
    assert leaving.consent.isEnabled() and not leaving.consent.isChecked() and not leaving.files.isChecked()
    assert "The dataset states that it may not be shown." in leaving.why_pictures.text()
    assert "The dataset states that it may not be shown." in leaving.why_files.text()
    outline = page.composer.outline
    assert (outline.attachments, outline.images_consent) == (None, False)
    leaving.consent.click()
    leaving.files.click()
    qtbot.waitUntil(lambda: asked(page, PreviewReport)[-1].outline.images_consent)
    settled(qtbot, page)
    outline = page.composer.outline
    assert (outline.attachments, outline.images_consent) == (True, True)
    assert leaving.consent.isChecked() and leaving.files.isChecked(), "the next preview leaves them as they are"
    assert page.context.memory.get("reports.without") == [], "neither is remembered for other data"


def test_a_dataset_that_allows_pictures_needs_no_consent(make: Made, qtbot: QtBot) -> None:
    page = make(wish={"runs": ("r0003",)})
    settled(qtbot, page)
    leaving = page.composer.leaving
    assert leaving.consent.isChecked() and not leaving.consent.isEnabled() and leaving.files.isChecked()
    assert not page.composer.outline.images_consent, "it is the dataset's word, not the person's"


def test_covariates_thresholds_and_files_beside_are_asked_for(
    make: Made, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, "ask_where", lambda *_: "/out/a.pdf")
    page = make(wish={"runs": ("r0003",)})
    settled(qtbot, page)
    composer = page.composer
    boxes = {box.text(): box for box in composer.subgroups.findChildren(QCheckBox)}
    assert list(boxes) == list(sample.COVARIATES)
    boxes["Sex"].click()
    assert not composer.benefit.low.isEnabled()
    composer.benefit.on.click()
    composer.benefit.low.setValue(0.6)
    assert composer.benefit.fault.isVisibleTo(composer) and composer.outline.net_benefit is None
    composer.benefit.low.setValue(0.1)
    composer.benefit.prevalence.setValue(0.02)
    composer.beside.table.click()
    composer.beside.kind.setCurrentIndex(1)
    composer.beside.card.click()
    outline = composer.outline
    assert (outline.subgroups, outline.net_benefit, outline.prevalence) == (("Sex",), (0.1, 0.4), 0.02)
    qtbot.waitUntil(lambda: asked(page, PreviewReport)[-1].outline == outline)
    settled(qtbot, page)
    assert composer.subgroups.chosen == ("Sex",)
    page.export()
    qtbot.waitUntil(lambda: page.sheets.notice.isVisible())
    (ask,) = asked(page, WriteReport)
    assert (ask.table, ask.card, ask.outline) == ("tex", True, outline)
    assert "a-table.tex, a-model-card.json" in page.sheets.notice.hint.text()


def test_the_first_run_ticked_is_the_reference_until_another_is_made_it(make: Made, qtbot: QtBot) -> None:
    page = make(sample.sample_answers(()))
    view, runs = page.composer.runs, page.runs
    assert state(page) == "empty"
    assert not page.composer.export_button.isEnabled()
    for run in ("r0002", "r0003"):
        view.setCurrentIndex(runs.index(runs.row_of(run)))
        QTest.keyClick(view, Qt.Key.Key_Space)
    assert list(runs.chosen) == ["r0002", "r0003"]
    press(qtbot, page.composer, "Make reference")
    assert list(runs.chosen) == ["r0003", "r0002"]
    assert not page.composer.reference.isEnabled()
    settled(qtbot, page)
    assert asked(page, PreviewReport)[-1].runs == ("r0003", "r0002")
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert list(runs.chosen) == ["r0002"]
    assert not page.composer.parts[Part.COMPARISON].isEnabled()


def test_a_run_of_another_dataset_cannot_be_added(make: Made, qtbot: QtBot) -> None:
    other = RUNS[2]
    strange = replace(other, row=replace(other.row, id="r0099", dataset_fingerprint="00" * 32))
    page = make(sample.sample_answers(runs=(*RUNS, strange)), wish={"runs": ("r0002",)})
    index = page.runs.index(page.runs.row_of("r0099"))
    assert not page.runs.flags(index) & Qt.ItemFlag.ItemIsEnabled
    assert "Another dataset" in page.runs.obstacle(strange)
    page.composer.runs.setCurrentIndex(index)
    assert page.composer.runs.currentIndex() != index
    assert page.runs.chosen == ("r0002",)
    settled(qtbot, page)


def test_a_sealed_test_leads_to_the_runs(make: Made, qtbot: QtBot) -> None:
    page = make(wish={"runs": ("r0004",)})
    qtbot.waitUntil(lambda: page.sheets.states.state == "error")
    press(qtbot, page.sheets, "Open the test in Runs")
    assert said(page)[-1] == ("go", (("runs",), {"runs": ("r0004",)}))


def test_runs_that_do_not_belong_together_leave_the_reference(make: Made, qtbot: QtBot) -> None:
    answers = sample.sample_answers()

    def only_one(ask: PreviewReport) -> Any:
        if len(ask.runs) > 1:
            raise InputError("The runs were tested on different sets of images.", "Train them on one split.")
        return answers[PreviewReport](ask)

    page = make(changed(answers, PreviewReport=only_one), wish={"runs": ("r0003", "r0002")})
    qtbot.waitUntil(lambda: page.sheets.states.state == "error")
    press(qtbot, page.sheets, "Keep the reference alone")
    settled(qtbot, page)
    assert page.runs.chosen == ("r0003",)


def test_pages_stay_while_heat_maps_are_drawn_and_cancel_leaves_them_out(make: Made, qtbot: QtBot) -> None:
    page = make(changed(sample.sample_answers(), PreviewReport=lambda ask: WAITS), wish={"runs": ("r0003",)})
    assert state(page) == "busy"
    page.drafting.live.is_drawing = True
    page.drafting.live.shown.emit(ReportPreview("T", 4, False, sample.pages("T", ["a", "b", "c"])))
    page.drafting.live.told.emit(Progress("Drawing heat maps", 1, 8, 4.0))
    assert state(page) == "content"
    qtbot.waitUntil(lambda: page.sheets.setting.isVisible())
    press(qtbot, page.sheets.setting, "Cancel")
    assert not page.composer.parts[Part.EXAMPLES].isChecked()
    assert not page.sheets.setting.isVisible()
    assert "left out" in page.sheets.notice.message.text()
    qtbot.waitUntil(lambda: Part.EXAMPLES not in asked(page, PreviewReport)[-1].outline.parts)
    settled(qtbot, page)


def test_heat_maps_that_fail_leave_the_pages_and_say_why(make: Made, qtbot: QtBot) -> None:
    page = make(wish={"runs": ("r0003",)})
    settled(qtbot, page)
    page.drafting.live.is_drawing = True
    page.drafting.live.failed.emit(WorkerFailed("The worker ended.", "Do it again."))
    assert state(page) == "content"
    assert page.sheets.notice.message.text() == "The worker ended."
    press(qtbot, page.sheets.notice, "Leave the heat maps out")
    assert not page.composer.parts[Part.EXAMPLES].isChecked()
    qtbot.waitUntil(lambda: len(asked(page, PreviewReport)) == 2)
    settled(qtbot, page)


def test_a_preview_can_be_stopped_before_there_are_pages(make: Made, qtbot: QtBot) -> None:
    page = make(changed(sample.sample_answers(), PreviewReport=lambda ask: WAITS), wish={"runs": ("r0003",)})
    press(qtbot, page.sheets, "Cancel")
    assert state(page) == "empty"
    press(qtbot, page.sheets, "Show the preview")
    assert state(page) == "busy"
    assert page.composer.parts[Part.EXAMPLES].isChecked()


def test_export_writes_what_is_previewed_and_shows_what_came_of_it(
    make: Made, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []

    def ask_where(parent: QWidget, title: str, name: str) -> str:
        names.append(name)
        return "/out/a.pdf"

    monkeypatch.setattr(where, "ask_where", ask_where)
    folders: list[str] = []
    monkeypatch.setattr(where, "show_folder", folders.append)
    page = make(wish={"runs": ("r0003", "r0002")})
    settled(qtbot, page)
    page.context.actions.run("reports.export")
    assert not page.composer.export_button.isEnabled()
    assert page.sheets.writing.isVisible()
    qtbot.waitUntil(lambda: page.sheets.notice.isVisible())
    (ask,) = asked(page, WriteReport)
    assert (ask.runs, ask.path, ask.outline) == (("r0003", "r0002"), "/out/a.pdf", page.composer.outline)
    assert names == ["comparison-of-adapted-foundation-models.pdf"]
    assert "/out/a.pdf" in page.sheets.notice.message.text()
    assert "SHA-256 9f86d081" in page.sheets.notice.hint.text()
    press(qtbot, page.sheets.notice, "Open folder")
    assert folders == ["/out/a.pdf"]
    press(qtbot, page.sheets.notice, "Show")
    settled(qtbot, page, "report0004")
    assert not page.is_composing


@pytest.mark.parametrize(
    ("error", "button"),
    [
        (DiskFull("The disk is full.", "Free some space."), "Export again …"),
        (InputError("“/out” cannot be written.", "Choose a folder that you may write to."), "Choose another place …"),
        (SealError("Sealed.", "Open it."), "Open the test in Runs"),
        (Interrupted("Stopped.", ""), None),
    ],
)
def test_an_export_that_fails_is_told_in_place(
    make: Made, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, error: Exception, button: str | None
) -> None:
    monkeypatch.setattr(where, "ask_where", lambda *_: "/out/a.pdf")
    page = make(changed(sample.sample_answers(), WriteReport=raises(error)), wish={"runs": ("r0003",)})
    settled(qtbot, page)
    page.export()
    qtbot.waitUntil(lambda: page.sheets.notice.isVisible())
    assert [one.text() for one in page.sheets.notice.buttons] == ([button] if button else [])
    assert page.composer.export_button.isEnabled()
    assert state(page) == "content"


def test_a_dialog_that_is_closed_writes_nothing(make: Made, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, "ask_where", lambda *_: "")
    page = make(wish={"runs": ("r0003",)})
    settled(qtbot, page)
    page.export()
    assert not asked(page, WriteReport)


def test_a_written_report_is_copied(make: Made, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, "ask_where", lambda *_: "/out/copy.pdf")
    page = make()
    settled(qtbot, page, "report0003")
    page.export()
    qtbot.waitUntil(lambda: page.sheets.notice.isVisible())
    assert asked(page, CopyReport) == [CopyReport("report0003", "/out/copy.pdf")]
    assert "/out/copy.pdf" in page.sheets.notice.message.text()


def test_read_only_shows_everything_and_writes_nothing(make: Made, qtbot: QtBot) -> None:
    page = make(wish={"runs": ("r0003",)}, is_read_only=True)
    settled(qtbot, page)
    assert not page.composer.export_button.isEnabled()
    assert "read-only" in page.composer.export_button.toolTip()
    page.export()
    assert not asked(page, WriteReport)


def test_a_change_elsewhere_is_asked_for_and_the_choice_stays(make: Made, qtbot: QtBot) -> None:
    page = make(wish={"runs": ("r0003", "r0002")})
    settled(qtbot, page)
    before = len(asked(page, PreviewReport))
    page.mark_stale(Topic.REPORTS)
    qtbot.waitUntil(lambda: len(asked(page, ListReports)) == 2)
    qtbot.wait(20)
    assert page.runs.chosen == ("r0003", "r0002")
    assert len(asked(page, PreviewReport)) == before
    assert page.is_composing


def test_names_are_never_markup(make: Made, qtbot: QtBot) -> None:
    page = make(sample.HOSTILE_ANSWERS)
    settled(qtbot, page, "report0003")
    page.look_back("report0001")
    settled(qtbot, page, "report0001")
    page.compose(("r0003",))
    settled(qtbot, page)
    for label in page.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText
    for model in (page.reports, page.runs):
        for row in range(model.rowCount()):
            index = model.index(row)
            assert "<b>" not in model.data(index, Qt.ItemDataRole.ToolTipRole)
            assert len(model.data(index)) < 300
            assert "\n" not in model.data(index)


def test_every_control_has_a_name_and_can_be_reached(make: Made, qtbot: QtBot) -> None:
    page = make(wish={"runs": ("r0003",)})
    settled(qtbot, page)
    controls = [*page.findChildren(QAbstractButton), page.composer.title, page.composer.runs, page.archive.list]
    assert all(one.accessibleName() or one.property("text") for one in controls)
    assert all(switch.accessibleDescription() for switch in page.composer.parts.values())
    ids = {action.id for action in page.context.actions.all()}
    assert {"reports.new", "reports.export", "reports.larger", "reports.smaller", "reports.fit"} <= ids
    assert page.context.actions.keys("reports.export") == "Ctrl+E"


@pytest.mark.parametrize("title", ["", "../../etc/passwd", "a/b\\c:d*e?", "Ü " * 200, "\u202e.exe"])
def test_the_name_of_a_file_is_a_name(title: str) -> None:
    name = where.file_name(title)
    assert name.endswith(".pdf")
    assert len(name) < 80
    assert not set(name[:-4]) & set("/\\:*?. \u202e")


def test_the_reference_is_seen_among_many_runs(make: Made, qtbot: QtBot) -> None:
    page = make(sample.sample_answers(()))
    first = page.runs.item(page.runs.rowCount() - 1)
    assert first is not None
    page.compose((first.row.id,))
    assert page.composer.runs.currentIndex().row() == page.runs.rowCount() - 1

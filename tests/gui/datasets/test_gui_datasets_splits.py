"""Splits in the window: every rule makes its wish, leaks are moved, near-duplicates stand side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import ExportSplit, MakeSplit, PlanSplit, ShowSplit, SplitTable, Thumbnails
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.split import Certificate, LeakCheck, LeakKind
from medfm_gui.ui.pages.datasets.certificate import Certificate as Shown
from medfm_gui.ui.pages.datasets.certificate import facts_of, near_words
from medfm_gui.ui.pages.datasets.gate import Gate
from medfm_gui.ui.pages.datasets.page import DatasetsPage
from medfm_gui.ui.pages.datasets.sample import ANSWERS, CHEST, SPLITS
from medfm_gui.ui.pages.datasets.split_editor import SplitEditor
from medfm_gui.ui.sample import sample_context
from medfm_gui.workspace.cohort import SplitFacts, SplitPlan, SplitWish


@pytest.fixture
def page(qtbot: QtBot, qapp: QApplication) -> DatasetsPage:
    made = DatasetsPage(sample_context(ANSWERS, qapp))
    qtbot.addWidget(made)
    made.resize(1080, 772)
    made.show()
    made.visit(dataset=CHEST.id)
    qtbot.waitUntil(lambda: made.details.images.source.total == CHEST.n_samples)
    return made


@pytest.fixture
def editor(page: DatasetsPage, qtbot: QtBot) -> SplitEditor:
    page.details.new_split()
    found = page.details.splits.editor
    qtbot.waitUntil(lambda: found.make.isEnabled())
    return found


def asked(page: DatasetsPage, kind: type[Any]) -> list[Any]:
    return [ask for ask in page.context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def choose(editor: SplitEditor, method: str) -> None:
    editor.form.method.setCurrentIndex(editor.form.method.findData(method))


@pytest.mark.parametrize(
    ("method", "wish"),
    [
        ("folds", SplitWish(folds=5)),
        ("sites", SplitWish(leave_out="manufacturer")),
        ("time", SplitWish(ratios="70/15/15", in_time="study_date")),
        ("published", SplitWish(preset="study-b")),
    ],
)
def test_every_rule_makes_its_wish(
    page: DatasetsPage, editor: SplitEditor, qtbot: QtBot, method: str, wish: SplitWish
) -> None:
    choose(editor, method)
    qtbot.waitUntil(lambda: asked(page, PlanSplit)[-1].wish == wish)
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    rows = {
        "folds": editor.form.nested,
        "sites": editor.form.site,
        "time": editor.form.time,
        "published": editor.form.preset,
    }
    assert {name for name, widget in rows.items() if widget.isVisible()} == {method}
    assert editor.form.shares_are_shown == (method == "time")


def test_folds_can_be_nested_and_a_rule_can_be_as_published(
    page: DatasetsPage, editor: SplitEditor, qtbot: QtBot
) -> None:
    choose(editor, "folds")
    editor.form.nested.setChecked(True)
    qtbot.waitUntil(lambda: asked(page, PlanSplit)[-1].wish == SplitWish(folds=5, nested=True))
    choose(editor, "published")
    editor.form.preset.setCurrentIndex(1)
    qtbot.waitUntil(lambda: asked(page, PlanSplit)[-1].wish == SplitWish(preset="study-b-as-published"))
    qtbot.waitUntil(lambda: editor.make.isEnabled())


def test_whole_groups_are_moved_with_one_click(page: DatasetsPage, editor: SplitEditor, qtbot: QtBot) -> None:
    editor.form.by.setCurrentIndex(1)
    qtbot.waitUntil(lambda: editor.gate.banner.title.text() == "Leak gate: 214 leaks")
    editor.gate.together.click()
    qtbot.waitUntil(lambda: editor.gate.banner.title.text() == "Leak gate: no leak after moving")
    editor.make.click()
    assert asked(page, MakeSplit)[-1].wish == SplitWish(ratios="70/15/15", by="image", move=True)
    editor.gate.drop.click()
    assert not editor.gate.moves


def test_what_becomes_of_near_duplicates_is_chosen_with_the_division(
    page: DatasetsPage, editor: SplitEditor, qtbot: QtBot
) -> None:
    shares = SplitWish(ratios="70/15/15")
    for number, way in enumerate(("", "drop", "move")):
        editor.form.alike.setCurrentIndex(number)
        qtbot.waitUntil(lambda way=way: asked(page, PlanSplit)[-1].wish == replace(shares, alike=way))  # type: ignore[misc]
    assert editor.form.alike.isVisible() and editor.form.alike.accessibleName() == "Near-duplicates"
    qtbot.waitUntil(lambda: editor.make.isEnabled())
    editor.make.click()
    assert asked(page, MakeSplit)[-1].wish.alike == "move"
    choose(editor, "published")
    qtbot.waitUntil(lambda: asked(page, PlanSplit)[-1].wish == SplitWish(preset="study-b"))
    assert not editor.form.alike.isVisible()


def test_a_look_for_near_duplicates_tells_how_far_it_is_and_can_be_stopped(editor: SplitEditor) -> None:
    editor._told(Progress("Looking for near-duplicates", 10, 40, 30.0))
    before = editor.pane.state
    assert before == "busy"
    assert any("near-duplicates" in label.text() for label in editor.pane.findChildren(QLabel))
    editor._stop()
    assert editor.pane.state == "content"
    assert editor.make.isEnabled()


def test_near_duplicates_stand_side_by_side_with_what_was_looked_at(page: DatasetsPage, qtbot: QtBot) -> None:
    page.visit(dataset=CHEST.id, split=SPLITS[-1].id)
    shown = page.details.splits.certificate
    qtbot.waitUntil(lambda: shown.split_id == SPLITS[-1].id)
    assert shown.near.title.text() == "1 near-duplicate pair on two sides"
    qtbot.waitUntil(lambda: all(not side.picture.pixmap().isNull() for side in shown.near.sides))
    assert asked(page, Thumbnails)[-1].samples == ("s000120", "s000877")
    assert [side.title.text() for side in shown.near.sides] == ["Training", "Internal test"]
    looks = dict(shown.looks.facts())
    assert looks["Near-duplicate"].startswith("1 found among 1,284 images")
    assert looks["Lesion or group"] == "not compared: The dataset has none."
    assert ("Certificate", "5f0c" * 16) in shown.facts.facts()
    assert "One patient under two identifiers." in shown.unseen.notes()


def test_a_pair_whose_pictures_are_gone_says_so(page: DatasetsPage, qtbot: QtBot) -> None:
    def fail(ask: Thumbnails) -> Any:
        raise InputError("The cache is gone.", "Import again.")

    page.context.desk.answers[Thumbnails] = fail  # type: ignore[attr-defined]
    page.visit(dataset=CHEST.id, split=SPLITS[-1].id)
    near = page.details.splits.certificate.near
    qtbot.waitUntil(lambda: near.sides[0].picture.text() == "The cache is gone.")


@pytest.mark.parametrize("kind", LeakKind)
def test_every_kind_of_leak_has_a_word(page: DatasetsPage, qtbot: QtBot, kind: LeakKind) -> None:
    from medfm_gui.domain.split import Leak
    from medfm_gui.ui.pages.datasets.split_rows import LeaksModel
    from medfm_gui.workspace.cohort import LeakLine

    model = LeaksModel()
    model.fill([LeakLine(Leak(kind, "a", "b", ("train", "test")), "x", "y")])
    assert str(model.data(model.index(0, 0)))[0].isupper()


def test_a_split_of_an_older_version_has_no_certificate(page: DatasetsPage, qtbot: QtBot) -> None:
    from dataclasses import replace

    old: Callable[[ShowSplit], Any] = ANSWERS[ShowSplit]
    page.context.desk.answers[ShowSplit] = lambda ask: replace(  # type: ignore[attr-defined]
        old(ask), certificate=None, suspects=()
    )
    page.visit(dataset=CHEST.id, split=SPLITS[0].id)
    shown = page.details.splits.certificate
    qtbot.waitUntil(lambda: shown.split_id == SPLITS[0].id)
    assert not shown.looks.isVisible()
    assert not shown.near.isVisible()
    assert shown.unseen.notes() == []


def test_a_split_is_saved_as_a_table(page: DatasetsPage, qtbot: QtBot) -> None:
    page.context.desk.answers[ExportSplit] = lambda ask: SplitTable(ask.path)  # type: ignore[attr-defined]
    page.visit(dataset=CHEST.id, split=SPLITS[0].id)
    shown = page.details.splits.certificate
    qtbot.waitUntil(lambda: shown.split_id == SPLITS[0].id)
    shown.write("split.csv")
    qtbot.waitUntil(lambda: any("was written" in str(one) for one in page.context.desk.said))  # type: ignore[attr-defined]
    assert asked(page, ExportSplit) == [ExportSplit(SPLITS[0].id, "split.csv")]


def test_the_gate_and_the_certificate_say_alike_what_near_duplicates_they_saw(qtbot: QtBot) -> None:
    gate = Gate()
    qtbot.addWidget(gate)
    gate.show_plan(SplitPlan(near_unseen="All images are too small, blank or volumes."), has_patients=True)
    assert "not compared. All images are too small" in gate.banner.words.text()
    gate.show_plan(SplitPlan(), has_patients=True)
    assert "No near-duplicates" in gate.banner.words.text()
    look = LeakCheck(LeakKind.NEAR, "hash", 0, 0, "All images are too small, blank or volumes.")
    unseen = Certificate((look,))
    assert near_words(unseen) == " Near-duplicates were not compared."
    seen = Certificate((replace(look, compared=10, reason=""),))
    assert near_words(seen) == " No near-duplicates on two sides." and near_words(None) == ""


def test_classes_that_do_not_add_up_are_explained(qtbot: QtBot) -> None:
    row = SPLITS[0]
    columns = tuple(name for name, number in row.sizes.items() if number)
    whole = tuple(row.sizes[name] for name in columns)
    shown = Shown(sample_context(ANSWERS), on_train=lambda split: None)
    qtbot.addWidget(shown)
    for hidden, said in ((0, ""), (1, "1 image is in a test"), (3, "3 images are in a test that is still sealed")):
        wholes = (*whole[:-1], whole[-1] - hidden)
        shown.show_split(row, SplitFacts(row.id, columns, (), wholes=wholes), has_patients=True)
        told = " ".join(label.text() for label in shown.notes.findChildren(QLabel))
        assert said in told and ("sealed" in told) is bool(hidden)


def test_without_patients_no_split_says_that_it_keeps_them_together() -> None:
    row = SPLITS[0]
    facts = SplitFacts(row.id, (), (), settings={"by": "patient"})
    assert dict(facts_of(row, facts, has_patients=True))["Kept together"] == "Patient"
    assert dict(facts_of(row, facts, has_patients=False))["Kept together"] == "Image, as no patients are known"

"""The tree of studies: what rows say, what identity hides, and that it grows without moving."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt
from PySide6.QtTest import QAbstractItemModelTester

from medfm_gui.desk.asks.studies import SeriesKey
from medfm_gui.store.rows import StudyRow
from medfm_gui.ui.pages.studies.model import CAPTION, StudyTree
from medfm_gui.ui.pages.studies.nodes import Forest
from medfm_gui.ui.pages.studies.sample import STUDIES, series

HOSTILE = "<img src='file:///etc/passwd'>\u202eEvil" + "x" * 10_000


@pytest.fixture
def tree(qapp: object) -> Iterator[StudyTree]:
    owner = QObject()
    made = StudyTree(owner)
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    yield made
    tester.deleteLater()
    owner.deleteLater()


def rows(model: QAbstractItemModel, parent: QModelIndex | None = None) -> list[str]:
    """All titles, indented by level."""
    found = []
    for row in range(model.rowCount(parent or QModelIndex())):
        index = model.index(row, 0, parent or QModelIndex())
        found.append(str(index.data()))
        found += [f"  {text}" for text in rows(model, index)]
    return found


def test_patients_studies_and_series_in_their_order(tree: StudyTree) -> None:
    tree.fill(STUDIES)
    shown = rows(tree)
    assert shown[1:4] == ["  CT thorax, phantom", "    Thorax 2.0 soft", "    Thorax 2.0 lung"]
    assert len([text for text in shown if not text.startswith(" ")]) == 3
    ct = tree.index_of(SeriesKey("1.2.1", "1.2.1.1"))
    assert ct.data(CAPTION) == "CT · 24 images · 256 × 256"
    assert "Slices overlap" in ct.data(Qt.ItemDataRole.AccessibleTextRole)


def test_identity_is_hidden_until_it_is_wanted(tree: StudyTree) -> None:
    tree.fill(STUDIES)
    patient = tree.index(0, 0)
    for role in (Qt.ItemDataRole.DisplayRole, CAPTION, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
        assert "PHANTOM" not in str(patient.data(role))
        assert "64 y" not in str(patient.data(role))
    tree.set_identity_shown(True)
    assert patient.data() == "PHANTOM-0007"
    assert patient.data(CAPTION) == "F · 64 y · 2 studies"


def test_a_hidden_name_is_not_found_by_searching(tree: StudyTree) -> None:
    tree.fill(STUDIES)
    tree.set_filter("phantom-0012")
    assert tree.rowCount() == 0
    tree.set_identity_shown(True)
    assert tree.rowCount() == 1
    tree.set_filter("flair")
    assert [text.strip() for text in rows(tree)][1] == "MR brain, phantom"


def test_it_grows_where_it_is(tree: StudyTree) -> None:
    tree.fill(STUDIES)
    study = STUDIES[0]
    kept = tree.index_of(SeriesKey(study.uid, "1.2.1.2"))
    grown = replace(study, series=(*study.series, series("1.2.1.3", "CT", "Thorax 5.0", 3)))
    assert tree.rowCount(tree.index_of(SeriesKey(study.uid))) == 2
    tree.put(grown)
    assert tree.index_of(SeriesKey(study.uid, "1.2.1.2")) == kept
    assert tree.index_of(SeriesKey(study.uid, "1.2.1.3")).data() == "Thorax 5.0"
    tree.put(StudyRow("7", STUDIES[2].patient, "20200101", "CT", "Another", "", "", "", ()))
    tree.put(StudyRow("8", "new", "20200101", "CT", "Of a new patient", "", "", "", study.series[:1]))
    assert rows(tree)[1] == "  Of a new patient"
    assert tree.index_of(SeriesKey("7")).parent() == tree.index_of(SeriesKey(STUDIES[2].uid)).parent()


def test_series_of_one_uid_are_told_apart(tree: StudyTree) -> None:
    twice = (series("1", "CT", "axial", 5), series("1", "CT", "scout", 1))
    tree.fill([StudyRow("9", "p", "", "CT", "", "", "", "", twice)])
    assert tree.index_of(SeriesKey("9", "1", 1)).data() == "scout"
    assert tree.index_of(SeriesKey("9", "1", 0)).data() == "axial"


def test_pictures_stand_first_and_stay(tree: StudyTree) -> None:
    tree.set_pictures(["/a/b/skin.png", "/a/b/skin.png"])
    tree.fill(STUDIES)
    assert rows(tree)[:2] == ["Pictures", "  skin.png"]
    assert tree.index_of(SeriesKey(path="/a/b/skin.png")).isValid()


def test_hostile_words_stay_words(tree: StudyTree) -> None:
    bad = StudyRow("6", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, "", (series("1", "CT", HOSTILE, 1),))
    tree.fill([bad])
    tree.set_identity_shown(True)
    for text in rows(tree):
        assert len(text) < 200
        assert "\u202e" not in text
    assert "<img" not in str(tree.index(0, 0).data(Qt.ItemDataRole.ToolTipRole))


def test_nothing_moves_where_rows_would_say_the_same(tree: StudyTree) -> None:
    tree.fill(STUDIES)
    resets: list[int] = []
    tree.modelReset.connect(lambda: resets.append(1))
    tree.fill([replace(study, folder="/elsewhere") for study in STUDIES])
    assert resets == []


def test_rows_are_made_when_they_are_looked_for() -> None:
    forest = Forest()
    forest.keep(STUDIES)
    forest.build()
    assert all(not node.children and node.has_children for node in forest.top)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ct thorax", 1),
        ("THORAX ct", 1),
        ("2026-11", 1),
        ("202611", 1),
        ("warning", 1),
        ("mr lung", 0),
        ("phantom-0007", 0),
        ("patient", 3),
    ],
)
def test_every_word_must_be_found(tree: StudyTree, text: str, found: int) -> None:
    tree.fill(STUDIES)
    tree.set_filter(text)
    assert tree.rowCount() == found


def test_a_patient_is_found_by_what_it_is_called_here_and_by_id_on_request(tree: StudyTree) -> None:
    tree.fill(STUDIES)
    called = str(tree.index(0, 0).data())
    tree.set_filter(called)
    assert tree.rowCount() == 1 and tree.index(0, 0).data() == called
    tree.set_filter("PHANTOM-0007")
    assert tree.rowCount() == 0
    tree.set_identity_shown(True)
    assert tree.rowCount() == 1


def test_the_search_is_made_ready_in_small_steps() -> None:
    forest = Forest()
    forest.keep(replace(STUDIES[0], uid=f"1.9.{number}") for number in range(300))
    steps = 1
    while forest.prepare(0.0):
        steps += 1
    assert steps == 301, "one at a time, and one to see that nothing is left"
    forest.put_first(replace(STUDIES[0], uid="1.8", description="Another"))
    forest.filter = "another"
    assert forest.passes(forest.studies["1.8"]) and not forest.passes(forest.studies["1.9.7"])

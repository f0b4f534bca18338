"""Every source and table that the command line refuses is refused in the import dialog, in place, with a way on."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.pages.datasets.importing.dialog import ImportDialog
from medfm_gui.ui.pages.datasets.page import DatasetsPage
from medfm_gui.ui.widgets.states import StatePane
from tests.fixtures.hand import Hand
from tests.fixtures.hostile import class_folders, images_with
from tests.fixtures.window import visible

TABLE = "file,dx,patient\n" + "".join(f"{number}.png,{'xy'[number % 2]},p{number}\n" for number in range(6))


@pytest.fixture
def dialog(lasting: MainWindow, hand: Hand) -> Iterator[ImportDialog]:
    """The import dialog, open."""
    lasting.go("datasets")
    page = lasting.pages.currentWidget()
    assert isinstance(page, DatasetsPage)
    page.open_import()
    assert page.dialog is not None
    yield page.dialog
    if page.dialog is not None:
        page.dialog.reject()
    hand.until(lambda: lasting.session is not None and not lasting.session.desk.open_questions)


def choose(hand: Hand, dialog: ImportDialog, path: Path) -> None:
    """Name a source and wait for what the dialog says of it."""
    dialog.choose(str(path))
    hand.until(lambda: dialog.pane.state != "busy" and not _is_asked(hand))


def _is_asked(hand: Hand) -> bool:
    session = hand.window.session
    return session is None or bool(session.desk.open_questions)


def said_in_place(hand: Hand, pane: StatePane) -> str:
    """What an error in its place says: a message, advice, and exactly one way on that can be taken."""
    assert pane.state == "error"
    words = [text for label in visible(pane) for text in hand._texts(label)]
    buttons = [item for item in visible(pane) if isinstance(item, QPushButton) and item.property("role") == "primary"]
    assert len(buttons) == 1 and buttons[0].isEnabled(), words
    assert len([label for label in visible(pane) if isinstance(label, QLabel) and label.text()]) >= 2, words
    assert not hand.window.toasts.toasts, "said where it happened, not elsewhere"
    return " ".join(words)


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Sources that are none."""
    (tmp_path / "void").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in "ab":
        (tmp_path / "all-bad" / name).mkdir(parents=True)
        (tmp_path / "all-bad" / name / "1.png").write_text("x")
    class_folders(tmp_path / "one", {"only": 2})
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 and nothing")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train_images.npy", b"\0" * 60_000_000)
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    return tmp_path


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere", "does not exist"),
        ("void", "known layouts"),
        ("pipe", "known layouts"),
        ("/dev/zero", "known layouts"),
        ("all-bad", "No image could be read"),
        ("one", "two folders with images"),
        ("letter.pdf", "known layouts"),
        ("cut.npz", "cut.npz"),
        ("bomb.npz", "bomb.npz"),
        ("other.npz", "no MedMNIST archive"),
        ("n" * 300, ""),
        ("a\0b", ""),
    ],
)
def test_a_source_that_is_none(source: str, said: str, hand: Hand, dialog: ImportDialog, places: Path) -> None:
    before = sorted((hand.window.session.root / "datasets").iterdir())  # type: ignore[union-attr]
    choose(hand, dialog, places / source)
    words = said_in_place(hand, dialog.pane)
    assert said in words
    assert "--" not in words and "medfm " not in words, "the window's own words"
    assert not dialog.view.go.isEnabled()
    assert sorted((hand.window.session.root / "datasets").iterdir()) == before  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "Check the file"),
        ("file,dx\n", "Check the file"),
        (bytes(range(256)) * 4, "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "UTF-8"),
        ('file,dx\n"0.png,x\n1.png,y\n', "Save it again"),
        ("file,dx\n0.png," + "x" * 200_000 + "\n1.png,y\n", "Save it again"),
        (TABLE.replace("y", "x"), "Name it with “Label”"),
    ],
    ids=["empty", "headings", "noise", "picture", "quote", "field", "one-class"],
)
def test_a_table_that_is_none(table: str | bytes, said: str, hand: Hand, dialog: ImportDialog, tmp_path: Path) -> None:
    choose(hand, dialog, images_with(tmp_path / "images", "labels.csv", table))
    words = said_in_place(hand, dialog.pane)
    assert said in words
    assert "--" not in words and "medfm " not in words


@pytest.mark.parametrize("column", ["file", "patient"])
def test_a_column_that_cannot_be_the_label_can_be_put_right_in_the_form(
    column: str, hand: Hand, dialog: ImportDialog, tmp_path: Path
) -> None:
    rows = "file,dx,patient\n" + "".join(f"{number}.png,{'xy'[number % 2]},p\n" for number in range(6))
    choose(hand, dialog, images_with(tmp_path / "images", "labels.csv", rows))
    dialog.view.mapping.labels.tick(column)
    hand.until(lambda: dialog.pane.state == "busy")
    hand.until(lambda: dialog.pane.state != "busy")
    if dialog.pane.state == "error":
        said_in_place(hand, dialog.pane)
    dialog.view.mapping.labels.fill(dialog._facts.columns)  # type: ignore[union-attr]
    dialog.view.mapping.labels.tick("dx")
    hand.until(lambda: dialog.pane.state == "busy")
    hand.until(lambda: dialog.pane.state == "content" and dialog.view.go.isEnabled())


def test_a_source_that_goes_away_before_it_is_imported_is_said_in_the_dialog(
    hand: Hand, dialog: ImportDialog, tmp_path: Path
) -> None:
    source = class_folders(tmp_path / "gone", {"a": 2, "b": 2})
    choose(hand, dialog, source)
    assert dialog.pane.state == "content"
    source.rename(tmp_path / "elsewhere")
    dialog.view.go.click()
    hand.until(lambda: dialog.pane.state == "error")
    said_in_place(hand, dialog.pane)
    (tmp_path / "elsewhere").rename(source)
    hand.click("Back to the check")
    assert dialog.pane.state == "content"
    assert dialog.view.go.isEnabled()


def test_the_button_of_a_failure_does_what_it_says(hand: Hand, dialog: ImportDialog, tmp_path: Path) -> None:
    table = images_with(tmp_path / "images", "labels.csv", "file,dx\n")
    choose(hand, dialog, table)
    assert dialog.pane.state == "error"
    table.write_text(TABLE, encoding="utf-8")
    button = next(
        item for item in visible(dialog.pane) if isinstance(item, QPushButton) and item.property("role") == "primary"
    )
    button.click()
    hand.until(lambda: dialog.pane.state == "content" and dialog.view.go.isEnabled())


def test_skipped_files_are_listed_with_a_reason_each_and_the_rest_is_imported(
    hand: Hand, dialog: ImportDialog, tmp_path: Path
) -> None:
    source = class_folders(tmp_path / "mixed", {"a": 3, "b": 3})
    folder = source / "a"
    (folder / "cut.png").write_bytes((folder / "0.png").read_bytes()[:200])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("this is no picture")
    os.mkfifo(folder / "pipe.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    choose(hand, dialog, source)
    assert dialog.pane.state == "content"
    assert dialog._report is not None
    assert sum(group.count for group in dialog._report.skipped) == 5
    assert all(item.message for group in dialog._report.skipped for item in group.items)
    hand.click("Import", 60)
    page = hand.window.pages.currentWidget()
    assert isinstance(page, DatasetsPage)
    hand.until(lambda: page.dialog is None and hand.sees("6 images"))

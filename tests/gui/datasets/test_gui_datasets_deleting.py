from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.data import (
    DeleteDataset,
    DeleteSplit,
    ListDatasets,
    MakePreviews,
    Thumbnails,
    Tile,
    TileSheet,
)
from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.ui.pages.datasets.page import DatasetsPage
from medfm_gui.ui.pages.datasets.previews import AGAIN
from medfm_gui.ui.pages.datasets.sample import ANSWERS, CHEST, SPLITS
from medfm_gui.ui.sample import WAITS, sample_context
from medfm_gui.ui.widgets import question

Build = Callable[..., DatasetsPage]


@pytest.fixture
def build(qtbot: QtBot, qapp: QApplication) -> Build:
    def made(answers: Mapping[type[Ask[Any]], Callable[[Any], Any]] | None = None, **changes: Any) -> DatasetsPage:
        page = DatasetsPage(sample_context({**ANSWERS, **(answers or {})}, qapp, **changes))
        qtbot.addWidget(page)
        page.resize(1080, 772)
        page.show()
        page.visit(dataset=CHEST.id)
        qtbot.waitUntil(lambda: page.details.images.source.total == CHEST.n_samples)
        return page

    return made


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    """What was asked; every question is answered with yes."""
    found: list[tuple[str, str, bool]] = []

    def ask(parent: object, title: str, text: str, action: str, danger: bool = False) -> bool:
        found.append((title, text, danger))
        return True

    monkeypatch.setattr(question, "ask", ask)
    return found


def asked(page: DatasetsPage, kind: type[Any]) -> list[Any]:
    return [ask for ask in page.context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def said(page: DatasetsPage) -> list[str]:
    return [str(words[1]) for words in page.context.desk.said]  # type: ignore[attr-defined]


def test_a_dataset_is_deleted_after_a_question(
    build: Build, qtbot: QtBot, questions: list[tuple[str, str, bool]]
) -> None:
    page = build()
    lists = len(asked(page, ListDatasets))
    page.details.delete.click()
    qtbot.waitUntil(lambda: len(asked(page, ListDatasets)) > lists)
    ((title, text, is_danger),) = questions
    assert CHEST.name in title and "1,284 images" in text and "deleted" in text and is_danger
    assert [ask.dataset for ask in asked(page, DeleteDataset)] == [CHEST.id]
    assert any("moved to" in words for words in said(page))


def test_nothing_is_deleted_where_the_question_is_answered_with_no(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = build()
    monkeypatch.setattr(question, "ask", lambda *_, **__: False)
    page.details.delete.click()
    page.details.choose_split(SPLITS[0].id)
    page.details.splits.delete()
    assert not asked(page, DeleteDataset) and not asked(page, DeleteSplit)


def test_the_menu_of_the_list_deletes_what_it_was_opened_on(
    build: Build, qtbot: QtBot, questions: list[tuple[str, str, bool]]
) -> None:
    page = build()
    place = page.list.visualRect(page.model.index(0)).center()
    menu = page.menu.menu_at(place)
    assert menu is not None
    (entry,) = menu.actions()
    assert entry.text() == "Delete …"
    entry.trigger()
    menu.deleteLater()
    qtbot.waitUntil(lambda: bool(asked(page, DeleteDataset)))
    first = page.model.dataset(0)
    assert first is not None and first.id != CHEST.id
    assert asked(page, DeleteDataset)[0].dataset == first.id
    assert page.menu.menu_at(QPoint(5, page.list.viewport().height() - 1)) is None


def test_why_a_dataset_stays_is_said(build: Build, qtbot: QtBot, questions: list[tuple[str, str, bool]]) -> None:
    def refuse(ask: DeleteDataset) -> Any:
        raise UsageError("The dataset “x” is used by 1 record and stays: r0001.", "Runs need their data.")

    page = build({DeleteDataset: refuse})
    page.details.delete.click()
    qtbot.waitUntil(lambda: any("r0001" in words for words in said(page)))


def test_a_split_is_deleted_with_all_of_its_folds(
    build: Build, qtbot: QtBot, questions: list[tuple[str, str, bool]]
) -> None:
    page = build()
    page.details.choose_split(SPLITS[0].id)
    tab = page.details.splits
    qtbot.waitUntil(lambda: tab.certificate.split_id == SPLITS[0].id)
    tab.certificate.delete.click()
    qtbot.waitUntil(lambda: bool(asked(page, DeleteSplit)))
    assert asked(page, DeleteSplit)[0].split == (SPLITS[0].family or SPLITS[0].id)
    assert questions and questions[0][2]


def test_nothing_is_deleted_read_only(build: Build) -> None:
    page = build(is_read_only=True)
    assert not page.details.delete.isEnabled() and not page.details.splits.certificate.delete.isEnabled()
    assert page.menu.menu_at(page.list.visualRect(page.model.index(0)).center()) is None
    page.delete()
    assert not asked(page, DeleteDataset)


# -- previews that were let go


def without_pixels(ask: Thumbnails) -> TileSheet:
    return TileSheet(tuple(Tile(name, 0, 0, 1, 0, "The pixel cache lacks a part.") for name in ask.samples))


def test_previews_that_are_gone_are_made_again(build: Build, qtbot: QtBot) -> None:
    page = build({Thumbnails: without_pixels})
    previews = page.details.images.previews
    qtbot.waitUntil(lambda: not previews.notice.isHidden())
    (button,) = previews.notice.buttons
    assert button.text() == AGAIN and "let go" in previews.notice.hint.text()
    page.context.desk.answers[Thumbnails] = ANSWERS[Thumbnails]  # type: ignore[attr-defined]
    before = len(asked(page, Thumbnails))
    button.click()
    qtbot.waitUntil(lambda: len(asked(page, Thumbnails)) > before and not previews.is_making)
    assert previews.notice.isHidden() and asked(page, MakePreviews)[0].dataset == CHEST.id
    images = page.details.images
    sample = images.source.sample(0)
    assert sample is not None
    qtbot.waitUntil(lambda: (found := images.source.picture(sample.id)) is not None and not found.isNull())


def test_the_making_can_be_stopped_and_begun_again(build: Build, qtbot: QtBot) -> None:
    page = build({Thumbnails: without_pixels, MakePreviews: lambda ask: WAITS})
    previews = page.details.images.previews
    qtbot.waitUntil(lambda: not previews.notice.isHidden())
    previews.make()
    assert previews.is_making and previews.notice.isHidden()
    previews.stop()
    assert previews.progress.isHidden() and not previews.notice.isHidden()


def test_why_they_cannot_be_made_is_said_in_its_place(build: Build, qtbot: QtBot) -> None:
    def fail(ask: MakePreviews) -> Any:
        raise InputError("“a.png” is not where it was.", "Put the files back.")

    page = build({Thumbnails: without_pixels, MakePreviews: fail})
    previews = page.details.images.previews
    qtbot.waitUntil(lambda: not previews.notice.isHidden())
    previews.make()
    qtbot.waitUntil(lambda: "a.png" in previews.notice.message.text())
    assert not previews.is_making


def test_where_pictures_are_nothing_is_offered(build: Build, qtbot: QtBot) -> None:
    page = build()
    qtbot.waitUntil(lambda: page.details.images.source.kept_pictures > 0)
    assert page.details.images.previews.notice.isHidden()

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from medfm_gui.desk.asks.curation import (
    ComputeFeatures,
    CorrectLabel,
    DescribeFlow,
    ExcludeSamples,
    ExportFlow,
    KeepStatement,
    SaveVersion,
    ScreenDataset,
    ShowMap,
)
from medfm_gui.desk.asks.data import ListSamples
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import SealError
from medfm_gui.domain.split import Partition
from medfm_gui.store.rows import SampleFilter, SamplePage
from medfm_gui.ui import theme
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.datasets.correction_dialog import ExcludeDialog, LabelDialog
from medfm_gui.ui.pages.datasets.draft import change_words
from medfm_gui.ui.pages.datasets.flow_drawing import as_bytes, drawing_font, set_out
from medfm_gui.ui.pages.datasets.importing.policies import PolicyChoices
from medfm_gui.ui.pages.datasets.map_canvas import MapCanvas
from medfm_gui.ui.pages.datasets.page import DatasetsPage
from medfm_gui.ui.pages.datasets.quality_tab import TwinsModel
from medfm_gui.ui.pages.datasets.sample import ANSWERS, CHEST, FINDINGS, FUNDUS, SPLITS
from medfm_gui.ui.pages.datasets.sample_curation import STATEMENT, answers
from medfm_gui.ui.sample import WAITS, sample_context
from medfm_gui.workspace.cohort import Twins
from medfm_gui.workspace.screening import Screening
from medfm_gui.workspace.sources import LayoutFacts, PolicyFacts


@pytest.fixture
def build(qtbot: QtBot, qapp: QApplication) -> Callable[..., DatasetsPage]:
    def made(dataset: str = CHEST.id, more: dict[Any, Any] | None = None, **changes: Any) -> DatasetsPage:
        page = DatasetsPage(sample_context({**ANSWERS, **answers(), **(more or {})}, qapp, **changes))
        qtbot.addWidget(page)
        page.resize(1208, 772)
        page.show()
        page.visit(dataset=dataset)
        qtbot.waitUntil(lambda: page.details.images.source.total > 0 and bool(page.details.images.source.sample(0)))
        return page

    return made


@pytest.fixture
def page(build: Callable[..., DatasetsPage]) -> DatasetsPage:
    return build()


def asked(context: Context, kind: type[Any]) -> list[Any]:
    return [ask for ask in context.desk.asked if isinstance(ask, kind)]  # type: ignore[attr-defined]


def tab(page: DatasetsPage, title: str) -> None:
    tabs = page.details.tabs
    tabs.setCurrentIndex([tabs.tabText(at) for at in range(tabs.count())].index(title))


# -- images


def test_a_hidden_label_is_neither_shown_nor_edited(page: DatasetsPage) -> None:
    images = page.details.images
    assert images.source.is_hidden(2) and not images.source.is_hidden(0)
    images.grid.set_current(2)
    assert images.inspector._title.text() == "Label hidden"
    assert not images.inspector.relabel.isEnabled() and "sealed" in images.inspector.relabel.toolTip()
    assert images.inspector.exclude.isEnabled()
    images.grid.set_current(0)
    assert images.inspector.relabel.isEnabled()


def test_images_are_narrowed_by_covariate_and_by_what_was_flagged(page: DatasetsPage, qtbot: QtBot) -> None:
    images = page.details.images
    qtbot.waitUntil(lambda: images.covariates.names.count() == 3)
    images.covariates.names.setCurrentIndex(1)
    images.covariates.values.setCurrentIndex(1)
    assert asked(page.context, ListSamples)[-1].only == SampleFilter(covariate=("sex", "F"))
    images.clear_filters()
    assert asked(page.context, ListSamples)[-1].only == SampleFilter()
    images.flagged.setChecked(True)
    qtbot.waitUntil(lambda: images.source.total == 6)
    assert asked(page.context, ListSamples)[-1].only.ids == images.flagged.samples
    images.flagged.setChecked(False)
    qtbot.waitUntil(lambda: images.source.total == CHEST.n_samples)


def test_a_side_is_asked_for_as_what_it_is(page: DatasetsPage, qtbot: QtBot) -> None:
    images = page.details.images
    images.splits.setCurrentIndex(1)
    images.sides.setCurrentIndex(1)
    qtbot.waitUntil(lambda: asked(page.context, ListSamples)[-1].only.partition is Partition.TRAIN)


def test_a_filter_that_would_tell_labels_says_that_the_test_is_left_out(page: DatasetsPage) -> None:
    images = page.details.images
    images.source._take_page(0, SamplePage(3, (), omits_sealed=True))
    assert images.counted.text().endswith("sealed test left out") and "not counted" in images.counted.toolTip()
    images.source._take_page(0, SamplePage(3, ()))
    assert "sealed" not in images.counted.text() and not images.counted.toolTip()


def test_volumes_with_masks_are_not_filtered_by_class(page: DatasetsPage) -> None:
    images = page.details.images
    images.show_dataset(dataclasses.replace(CHEST, task=Task.SEGMENTATION, fingerprint="0" * 64), ())
    assert images.classes.count() == 1 and not images.classes.isEnabled() and "masks" in images.classes.toolTip()
    images.show_dataset(CHEST, ())
    assert images.classes.count() == 1 + len(CHEST.classes) and images.classes.isEnabled()


def test_a_correction_names_the_findings_that_it_changes() -> None:
    before = (0,) * len(FINDINGS.classes)
    after = (1, -1, *before[2:])
    one, other = FINDINGS.classes[:2]
    assert change_words(FINDINGS, before, after) == f"{one}: absent → present; {other}: absent → not assessed"
    assert change_words(CHEST, (0,), (1,)) == f"{CHEST.classes[0]} → {CHEST.classes[1]}"


def test_agreement_with_a_hidden_label_is_not_told() -> None:
    model = TwinsModel()
    model.fill([Twins(("a", "b"), ("a", "b"), ("hidden", "x"), False, True), Twins(("c",), ("c",), ("x",), False)])
    said = [model.index(row, 2).data() for row in range(2)]
    assert said == ["not compared until the test is opened", "same label"]


def test_a_label_is_corrected_with_a_reason_and_undone(page: DatasetsPage, qtbot: QtBot) -> None:
    images = page.details.images
    qtbot.waitUntil(lambda: page.details.draft.can_undo)
    images.grid.set_current(3)
    images.inspector.relabel.click()
    dialog = images.edits.dialog
    assert isinstance(dialog, LabelDialog) and not dialog.go.isEnabled()
    dialog.classes.setCurrentIndex(1 - dialog.classes.currentIndex())
    assert not dialog.go.isEnabled()
    QTest.keyClicks(dialog.reason, "biopsy")
    dialog.go.click()
    qtbot.waitUntil(lambda: "s000004" in page.details.draft.in_force)
    assert asked(page.context, CorrectLabel)[-1] == CorrectLabel(CHEST.id, "s000004", (0,), "biopsy")
    assert "Drafted: clear" in images.inspector._drafted.text()
    page.details.draft.undo()
    qtbot.waitUntil(lambda: "s000004" not in page.details.draft.in_force)
    page.details.draft.redo()
    qtbot.waitUntil(lambda: "s000004" in page.details.draft.in_force)


def test_findings_are_corrected_one_by_one(build: Callable[..., DatasetsPage], qtbot: QtBot) -> None:
    page = build(FINDINGS.id)
    images = page.details.images
    images.grid.set_current(0)
    images.inspector.relabel.click()
    dialog = images.edits.dialog
    assert isinstance(dialog, LabelDialog) and len(dialog.findings) == len(FINDINGS.classes)
    before = dialog.target
    dialog.findings[2].setCurrentIndex(0)
    dialog.reason.setText("unclear")
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(asked(page.context, CorrectLabel)))
    assert asked(page.context, CorrectLabel)[-1].target == (*before[:2], -1, *before[3:])


def test_a_refused_correction_is_said(build: Callable[..., DatasetsPage], qtbot: QtBot) -> None:
    def refuse(ask: ExcludeSamples) -> Any:
        raise SealError("It is sealed.", "Open it.")

    page = build(more={ExcludeSamples: refuse})
    page.details.images.grid.set_current(0)
    page.details.images.inspector.exclude.click()
    dialog = page.details.images.edits.dialog
    assert dialog is not None
    dialog.reason.setText("blank")
    dialog.go.click()
    said = page.context.desk.said  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: ("say", (("It is sealed.", "warning"), {})) in said)


def test_read_only_nothing_is_corrected(build: Callable[..., DatasetsPage]) -> None:
    page = build(is_read_only=True)
    page.details.images.grid.set_current(0)
    assert not page.details.images.inspector.relabel.isEnabled()
    assert not page.details.images.inspector.exclude.isEnabled()
    tab(page, "Statement")
    assert not page.details.statement.keep.isEnabled()


# -- corrections


def test_a_draft_becomes_a_version_with_its_splits(page: DatasetsPage, qtbot: QtBot) -> None:
    tab(page, "Corrections")
    corrections = page.details.corrections
    qtbot.waitUntil(lambda: len(corrections.rows.rows) == 2)
    assert corrections.pane.state == "content"
    assert [box.isChecked() for _, box in corrections._carried] == [True, False]
    with qtbot.waitSignal(page.details.version_made) as made:
        corrections.save.click()
    assert made.args == [f"{CHEST.id}-v2"]
    assert asked(page.context, SaveVersion) == [SaveVersion(CHEST.id, (SPLITS[-1].id,))]
    qtbot.waitUntil(lambda: corrections.pane.state == "empty")
    assert not corrections.save.isEnabled()


# -- quality


def test_flagged_images_are_listed_by_kind_and_left_out(page: DatasetsPage, qtbot: QtBot) -> None:
    tab(page, "Data quality")
    odd = page.details.quality.oddities
    qtbot.waitUntil(lambda: odd.source.total == 6)
    odd.kinds.setCurrentIndex(odd.kinds.findData("identical"))
    qtbot.waitUntil(lambda: odd.source.total == 2)
    assert odd.listed() == ("s000270", "s000273")
    odd.exclude_all.click()
    assert isinstance(odd.dialog, ExcludeDialog) and odd.dialog.reason.text() == "identical"
    odd.dialog.go.click()
    qtbot.waitUntil(lambda: "s000273" in page.details.draft.in_force)
    odd.grid.set_current(0)
    assert odd.show_button.isEnabled()
    odd.show_button.click()
    assert page.details.tabs.tabText(page.details.tabs.currentIndex()) == "Images"
    assert page.details.images.text.text() == "s000270"
    page.details.images._typed.stop()


def test_a_large_dataset_is_looked_at_when_asked(build: Callable[..., DatasetsPage], qtbot: QtBot) -> None:
    asks: list[ScreenDataset] = []

    def screened(ask: ScreenDataset) -> Any:
        asks.append(ask)
        return WAITS if ask.measure else Screening(ask.dataset, "", 0, ())

    page = build(FINDINGS.id, {ScreenDataset: screened})
    tab(page, "Data quality")
    odd = page.details.quality.oddities
    qtbot.waitUntil(lambda: odd.pane.state == "empty")
    assert [ask.measure for ask in asks] == [False]
    odd._ask(measure=True)
    qtbot.waitUntil(lambda: len(asks) == 2)
    qtbot.waitUntil(lambda: odd.pane.state == "busy")
    odd._told(Progress("Looking at the images", 3, 10))
    odd._stop()
    qtbot.waitUntil(lambda: odd.pane.state == "empty")


# -- flow


def test_the_flow_is_drawn_for_the_newest_split_and_exported(page: DatasetsPage, qtbot: QtBot) -> None:
    tab(page, "Flow")
    flow = page.details.flow
    qtbot.waitUntil(lambda: flow.pane.state == "content")
    assert asked(page.context, DescribeFlow)[-1].split == SPLITS[-1].id
    assert "1,293" in flow.canvas.accessibleDescription()
    for kind, mark in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        flow.write(kind, f"/out/flow.{kind}")
        assert asked(page.context, ExportFlow)[-1].payload.startswith(mark)
    flow.write("csv", "/out/flow.csv")
    assert asked(page.context, ExportFlow)[-1] == ExportFlow(CHEST.id, SPLITS[-1].id, "/out/flow.csv", b"")


def test_no_box_of_the_flow_overlaps_another(page: DatasetsPage) -> None:
    made = set_out(answers()[DescribeFlow](DescribeFlow(CHEST.id, "s")), drawing_font())
    for place, one in enumerate(made.boxes):
        assert one.area.right() <= made.size.width() and one.area.bottom() <= made.size.height()
        assert not any(one.area.intersects(other.area) for other in made.boxes[place + 1 :])


def test_the_picture_of_the_flow_has_the_colours_of_the_theme(page: DatasetsPage, qapp: QApplication) -> None:
    flow = answers()[DescribeFlow](DescribeFlow(CHEST.id, "s"))
    for name in ("dark", "light"):
        theme.apply(qapp, theme.load(name))
        picture = QImage.fromData(as_bytes(flow, "png"))
        assert picture.pixelColor(0, 0).name().lower() == theme.current().panel.lower()


# -- map


def test_a_point_shows_its_image_and_a_click_chooses_it(page: DatasetsPage, qtbot: QtBot) -> None:
    tab(page, "Map")
    tab_map = page.details.map
    qtbot.waitUntil(lambda: tab_map.pane.state == "content" and tab_map.canvas.n_points == CHEST.n_samples)
    place = tab_map.canvas.place_of(77)
    point = tab_map.canvas.point_at(place)
    assert point >= 0
    tab_map.canvas.hovered.emit(point)
    qtbot.waitUntil(lambda: tab_map._words.text().startswith(f"s{point + 1:06d}"))
    place = tab_map.canvas.place_of(77)  # the words below the map may have taken a line since
    QTest.mouseClick(tab_map.canvas, Qt.MouseButton.LeftButton, pos=QPoint(int(place.x()), int(place.y())))
    assert tab_map.canvas.current >= 0
    images = page.details.images
    qtbot.waitUntil(lambda: images.grid.current == tab_map.canvas.current >= 0)
    assert page.details.tabs.tabText(page.details.tabs.currentIndex()) == "Images"


def test_colours_follow_the_choice_and_groups_can_be_hidden(page: DatasetsPage, qtbot: QtBot) -> None:
    tab(page, "Map")
    tab_map = page.details.map
    qtbot.waitUntil(lambda: tab_map.pane.state == "content" and len(tab_map._switches) == 3)
    tab_map.by.setCurrentIndex(tab_map.by.findData("partition"))
    qtbot.waitUntil(lambda: asked(page.context, ShowMap)[-1].by == "partition")
    assert asked(page.context, ShowMap)[-1].split == SPLITS[-1].id
    qtbot.waitUntil(lambda: not tab_map._newest.is_waiting)
    before = tab_map.canvas.grab().toImage()
    tab_map._switches[0].setChecked(False)
    assert tab_map.canvas.grab().toImage() != before


def test_without_features_they_can_be_computed_and_stopped(build: Callable[..., DatasetsPage], qtbot: QtBot) -> None:
    page = build(FUNDUS.id, {ComputeFeatures: lambda ask: WAITS})
    tab(page, "Map")
    tab_map = page.details.map
    qtbot.waitUntil(lambda: tab_map.pane.state == "empty")
    tab_map.compute_features()
    assert tab_map.pane.state == "busy"
    qtbot.waitUntil(lambda: asked(page.context, ComputeFeatures) == [ComputeFeatures(FUNDUS.id, "efficientnet-lite0")])
    tab_map._told(Progress("Computing features", 5, 10))
    tab_map._cancel()


def test_twenty_five_thousand_points_are_drawn_and_found(qtbot: QtBot) -> None:
    canvas = MapCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(800, 600)
    canvas.show()
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 25_000)).astype(np.float32)
    canvas.set_points(x, y, (random.random(25_000) < 0.3).astype(np.uint8), (0, 1))
    lonely = int(x.argmax())
    assert canvas.point_at(canvas.place_of(lonely)) == lonely
    before = canvas.place_of(lonely)
    canvas.zoom(4, before)
    assert (canvas.place_of(lonely) - before).manhattanLength() < 1
    assert canvas.point_at(canvas.place_of(lonely)) == lonely
    assert canvas.point_at(QPointF(-5, -5)) == -1
    QTest.keyClick(canvas, Qt.Key.Key_0)
    heard: list[int] = []
    canvas.chosen.connect(heard.append)
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert heard == [int(x.argmin())]


# -- statement


def test_a_statement_is_filled_changed_and_saved(page: DatasetsPage, qtbot: QtBot) -> None:
    tab(page, "Statement")
    form = page.details.statement
    qtbot.waitUntil(lambda: form.pane.state == "content")
    assert form.statement() == STATEMENT and not form.keep.isEnabled()
    form.fields["reference_timing"].setText("same day")
    form.codes["clear"].setText("local-0")
    form.redistribution.setCurrentIndex(2)
    assert form.keep.isEnabled()
    form.keep.click()
    qtbot.waitUntil(lambda: bool(asked(page.context, KeepStatement)))
    kept = asked(page.context, KeepStatement)[-1].statement
    assert (kept.reference_timing, kept.redistribution, kept.codes["clear"]) == ("same day", False, "local-0")
    qtbot.waitUntil(lambda: not form.keep.isEnabled())
    form.fields["unit"].setText("breast")
    form.back.click()
    assert form.fields["unit"].text() == "image"


# -- policies


def test_policies_show_the_choices_of_a_study(qtbot: QtBot) -> None:
    choices = PolicyChoices()
    qtbot.addWidget(choices)
    views = PolicyFacts("views", "Views", (("all", "all views"), ("frontal", "frontal only")), "all")
    layout = LayoutFacts("chexpert", "CheXpert", (views,), {"study-a": {"views": "frontal"}})
    assert choices.isHidden()
    choices.offer(layout)
    assert not choices.isHidden() and choices.chosen() == {}
    heard: list[int] = []
    choices.changed.connect(lambda: heard.append(1))
    choices.presets.setCurrentIndex(1)
    assert (choices.preset, choices.chosen(), choices.boxes["views"].currentData()) == ("study-a", {}, "frontal")
    choices.boxes["views"].setCurrentIndex(0)
    assert (choices.preset, choices.chosen()) == ("", {})
    choices.boxes["views"].setCurrentIndex(1)
    assert choices.chosen() == {"views": "frontal"} and len(heard) == 3
    choices.offer(None)
    assert choices.chosen() == {}


def test_every_new_control_has_a_name(page: DatasetsPage, qtbot: QtBot) -> None:
    tabs = page.details.tabs
    for at in range(tabs.count()):
        tabs.setCurrentIndex(at)
        qtbot.wait(50)
        for widget in tabs.currentWidget().findChildren(QWidget):
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and not _is_part(widget):
                name = widget.accessibleName() or getattr(widget, "text", lambda: "")()
                assert name, f"{tabs.tabText(at)}: {widget!r}"


def _is_part(widget: QWidget) -> bool:
    """A part of a control, e.g. the field of a spin box or the list of a combo box."""
    return widget.objectName().startswith("qt_") or type(widget).__name__ in ("QHeaderView", "QComboBoxListView")

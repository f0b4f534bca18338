"""Studies: what there is at the left, one series in the middle, what runs say of it at the right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout

from medfm_gui.desk.asks.runs import ListRuns
from medfm_gui.desk.asks.settings import ReadSettings
from medfm_gui.desk.asks.studies import ImageSaid, ListStudies, PredictionView, SeriesKey, SourceIndexed, StudyList
from medfm_gui.desk.entry import Topic
from medfm_gui.domain.errors import MedfmError
from medfm_gui.store.rows import StudyRow
from medfm_gui.ui.actions import Action
from medfm_gui.ui.context import Context
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages.studies.asking import Predictions
from medfm_gui.ui.pages.studies.browser import Browser
from medfm_gui.ui.pages.studies.deidentifying.offering import Offering
from medfm_gui.ui.pages.studies.maps import Maps
from medfm_gui.ui.pages.studies.overlay import HeatPanel
from medfm_gui.ui.pages.studies.predict import PredictPanel
from medfm_gui.ui.pages.studies.reading import Reader
from medfm_gui.ui.theme import SPACE

_SPLIT = "studies.split"
_IDENTITY = "identity.shown"
_LEFT_PX, _RIGHT_PX = SPACE[-1] * 9, SPACE[-1] * 11
_NARROWEST_PX = SPACE[-1] * 7


class StudiesPage(Page):
    """Open, read, predict."""

    key: ClassVar[str] = "studies"
    title: ClassVar[str] = "Studies"
    icon: ClassVar[str] = "studies"
    topics: ClassVar[tuple[Topic, ...]] = (Topic.STUDIES, Topic.PREDICTIONS, Topic.RUNS, Topic.SETTINGS)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.browser = Browser(context)
        self.reader = Reader(context)
        self.panel = PredictPanel(context, self.reader.viewer)
        self.maps = Maps(context, self.reader)
        self.predictions = Predictions(context, self.panel)
        self.offering = Offering(context, self.browser)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self._wish = SeriesKey()
        self._is_filled = False
        self._digest = ""
        self._build()
        self._connect()
        context.actions.add(self, *self._actions())
        self._show_identity(context.memory.get(_IDENTITY, False) is True)
        self.reader.show_empty(None if context.is_read_only else self.browser.ask_folder)
        self.browser.state.show_busy("Reading the list of studies")

    def _build(self) -> None:
        self.setAcceptDrops(not self.context.is_read_only)
        whole = QVBoxLayout(self)  # outermost first: each new parent costs a styling of all that lies in it
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.split)
        for part, least in ((self.browser, _NARROWEST_PX), (self.reader, _LEFT_PX), (self.panel, _LEFT_PX)):
            part.setMinimumWidth(least)
            self.split.addWidget(part)
        self.split.setChildrenCollapsible(False)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([_LEFT_PX + SPACE[3], _LEFT_PX * 3, _RIGHT_PX])
        kept = self.context.memory.get(_SPLIT)
        if isinstance(kept, str):
            self.split.restoreState(QByteArray.fromHex(kept.encode("ascii", "ignore")))
        self.setFocusProxy(self.browser.view)

    def _connect(self) -> None:
        memory = self.context.memory
        self.split.splitterMoved.connect(lambda *_: memory.put(_SPLIT, bytes(self.split.saveState().data()).hex()))
        self.browser.chosen.connect(self.open)
        self.browser.identity_wanted.connect(self._show_identity)
        self.browser.indexed.connect(self._indexed)
        self.reader.enlarge_wanted.connect(self._enlarge)
        self.predictions.came.connect(self._came)
        self.predictions.another_wanted.connect(self.browser.ask_file)
        self.panel.answers.image_chosen.connect(self._image_chosen)
        self.panel.heat_made.connect(self._heat_made)
        self.maps.failed.connect(lambda error: self.panel.show_error(error, "", None))

    def _heat_made(self, heat: HeatPanel) -> None:
        heat.chosen.connect(self.maps.show)
        heat.slice_wanted.connect(self.maps.go_to_image)
        heat.export_wanted.connect(lambda: self.maps.export(identity=self.browser.eye.isChecked()))
        heat.cancelled.connect(self.maps.cancel)
        self.maps.told.connect(heat.tell)
        self.maps.working.connect(heat.show_progress)

    def _actions(self) -> tuple[Action, ...]:
        group = self.title
        can_write = not self.context.is_read_only
        return (
            Action("studies.open", "Open a folder", self.browser.ask_folder, "Ctrl+O", group, lambda: can_write),
            Action("studies.open-file", "Open a file", self.browser.ask_file, "Ctrl+Shift+O", group, lambda: can_write),
            Action("studies.find", "Search studies", self.browser.search.setFocus, "Ctrl+F", group),
            Action("studies.predict", "Predict", self.predictions.predict, "P", group, lambda: not self.panel.obstacle),
            Action(
                "studies.overlay", "Show or hide the heat map", lambda: self.reader.viewer.run("overlay"), "O", group
            ),
            Action("studies.identity", "Show or hide patient identity", self.browser.eye.toggle, "Ctrl+I", group),
            Action("studies.deidentify", "De-identify …", self.offering.open, "Ctrl+Shift+D", group, lambda: can_write),
            Action("studies.tags", "Show or hide header facts", self.reader.bar.tags.toggle, "Ctrl+T", group),
            Action("studies.read", "Go to the viewer", self.reader.viewer.setFocus, "Ctrl+R", group),
        )

    def refresh(self) -> None:
        """Ask for studies and runs."""
        desk = self.context.desk
        rows: list[StudyRow] = []
        ask = ListStudies(self._digest if self.browser.is_as_listed else "")
        desk.ask(
            ask,
            owner=self,
            part=lambda some: rows.extend(some.studies),
            then=lambda last: self._fill(ask, replace(last, studies=(*rows, *last.studies))),
            failed=self._failed,
        )
        desk.ask(
            ListRuns(),
            owner=self,
            then=self.panel.fill_runs,
            failed=lambda error: self.panel.show_error(error, "Try again", self.refresh),
        )
        desk.ask(ReadSettings(), owner=self, then=self.panel.take_settings, failed=lambda _: None)
        self.predictions.list_earlier(self.panel.key)

    def visit(self, **wish: Any) -> None:
        """``study=UID``, ``prediction=ID`` or ``path=PLACE``: show it, now or when listed; ``map``: with its map."""
        if wish.get("map"):
            overlay = self.reader.viewer.overlay
            self.reader.viewer.set_overlay(overlay.opacity, follow_value=overlay.follow_value, shown=True)
        if wish.get("path"):
            self.browser.open_source(str(wish["path"]))
        if wish.get("study"):
            self._wish = SeriesKey(str(wish["study"]))
            self._grant()
        if wish.get("prediction"):
            self.predictions.show(str(wish["prediction"]))

    def open(self, key: SeriesKey) -> None:
        """Show a series or a picture, and what is known of it."""
        study = self.browser.tree.forest.studies.get(key.study)
        self.reader.open(key)
        self.panel.set_open(key, len(study.series) if study is not None else 1)
        self.predictions.list_earlier(self.panel.key)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and folders may be dropped."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.browser.open_source(url.toLocalFile())
        event.acceptProposedAction()

    def _fill(self, asked: ListStudies, answer: StudyList) -> None:
        self._is_filled = True
        if not self.reader.bar.menu.standard:
            self.reader.set_presets(answer.presets)
        if not asked.known or asked.known != answer.digest:  # else all rows are there
            self.browser.fill(answer.studies, answer.phantom)
            self._digest = answer.digest
        self.browser.offer(answer.unfinished)
        self._grant()

    def _failed(self, error: MedfmError) -> None:
        if self._is_filled:
            self.browser.notice.tell(error.message, error.hint, role="bad", deeds=[("Try again", self.refresh)])
        else:
            self.browser.state.show_error(error, "Try again", self.refresh)

    def _grant(self) -> None:
        """Show the study that was wished for, once it is listed."""
        if self._wish != SeriesKey() and self.browser.choose(self._wish):
            self._wish = SeriesKey()

    def _indexed(self, answer: SourceIndexed) -> None:
        """The first of what was just opened is shown."""
        if answer.studies:
            self.browser.choose(SeriesKey(answer.studies[0].uid))
        elif answer.pictures:
            self.browser.choose(SeriesKey(path=answer.pictures[0]))

    def _came(self, view: PredictionView) -> None:
        """Show a prediction with the image it begins with."""
        key = key_of(view.images[0])
        now = self.panel.key
        elsewhere = now is None or (now.study, now.path) != (key.study, key.path)
        if elsewhere and not self.browser.choose(key):
            self.open(key)
        self.panel.show_prediction(view)
        self.predictions.list_earlier(self.panel.key)

    def _image_chosen(self, image: ImageSaid) -> None:
        """Its picture and its maps."""
        key, now = key_of(image), self.reader.key
        if now is None or (now.study, now.series, now.path) != (key.study, key.series, key.path):
            self.reader.open(self._exact(key))
        elif len(image.said) and image.said[0].slices == 1:
            self.reader.show_frame_of(image.source)
        self.panel.show_explanations(image.said)

    def _exact(self, key: SeriesKey) -> SeriesKey:
        node = self.browser.tree.forest.find(key)
        return node.key if node is not None and node.kind in ("series", "picture") else key

    def _show_identity(self, shown: bool) -> None:
        self.context.memory.put(_IDENTITY, shown)
        self.browser.show_identity(shown)
        self.reader.show_identity(shown)

    def _enlarge(self) -> None:
        alone = self.browser.isVisibleTo(self) or self.panel.isVisibleTo(self)
        self.browser.setVisible(not alone)
        self.panel.setVisible(not alone)
        self.reader.viewer.setFocus()


def key_of(image: ImageSaid) -> SeriesKey:
    """Where an image that was scored can be seen."""
    return SeriesKey(image.study, image.series) if image.study and image.series else SeriesKey(path=image.source)

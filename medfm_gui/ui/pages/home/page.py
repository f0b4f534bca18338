"""The page that the window opens with."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.asks.home import (
    DemoMade,
    Examination,
    Examine,
    FindPlaces,
    LastExamination,
    LookAround,
    Overview,
    PlaceList,
    RunDemo,
)
from medfm_gui.desk.entry import Topic
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.actions import Action
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages.home import model
from medfm_gui.ui.pages.home.computer import ComputerPanel
from medfm_gui.ui.pages.home.crashed import CrashBanner
from medfm_gui.ui.pages.home.demo import DemoPanel
from medfm_gui.ui.pages.home.overview import ActivityPanel, NextPanel, OverviewPanel
from medfm_gui.ui.pages.home.places import MOST_SHOWN, PlacesPanel
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import disable
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label

_WIDEST_PX = SPACE[-1] * 44
_DEMO_WISH_S = 300.0
_NOT_OPEN = "No workspace is open yet."
_ABOUT = (
    "Find out, on your own images and this computer, which vision foundation model to adapt, how, "
    "and whether the difference is real."
)


class HomePage(Page):
    """Home."""

    key = "home"
    title = "Home"
    icon = "home"
    topics = (
        Topic.DATASETS,
        Topic.SPLITS,
        Topic.RUNS,
        Topic.STUDIES,
        Topic.PREDICTIONS,
        Topic.RESULTS,
        Topic.REPORTS,
        Topic.MODELS,
        Topic.SETTINGS,
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._seen: Overview | None = None
        self._demo_ticket: Ticket | None = None
        self._has_examined = False
        self.next = NextPanel()
        self.overview = OverviewPanel()
        self.activity = ActivityPanel()
        self.places = PlacesPanel()
        self.computer = ComputerPanel()
        self.demo = DemoPanel()
        self.demo.hide()
        self.crashed = CrashBanner(context.memory.get("crashed") is True)
        self._lay_out()
        self._connect()
        context.actions.add(
            self,
            Action("home.open", "Open a workspace …", self.places.pick, keys="Ctrl+O", group=self.title),
            Action("home.create", "Create a workspace …", self.places.pick_new, keys="Ctrl+N", group=self.title),
            Action("home.demo", "Try the demonstration", self._want_demo, group=self.title),
            Action("home.examine", "Examine this computer", self.examine, group=self.title),
        )
        disable(self.places.demo_button, _NOT_OPEN)
        self.states.show_busy("Opening the workspace")

    def refresh(self) -> None:
        """Ask for the overview, this computer, and the recent workspaces."""
        desk = self.context.desk
        desk.ask(LookAround(), owner=self, then=self._take_overview, failed=self._fail)
        if not self.computer.is_busy:
            desk.ask(LastExamination(), owner=self, then=self._take_examination, failed=self.computer.end)
        self._list_places()

    def examine(self) -> None:
        """Look anew at what this computer can do."""
        if self.computer.is_busy:
            return
        self._has_examined = True
        self.computer.tell_progress(Progress("Waiting for its turn"))
        self.context.desk.ask(
            Examine(),
            owner=self,
            then=self._take_new_examination,
            failed=self.computer.end,
            progress=self.computer.tell_progress,
        )

    def _lay_out(self) -> None:
        inside = QWidget()
        inside.setProperty("role", "page")
        inside.setMaximumWidth(_WIDEST_PX)
        whole = QVBoxLayout(self)  # outermost first: each new parent costs a styling of all that lies in it
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(_scrolling(inside))
        head = QVBoxLayout()
        head.setSpacing(SPACE[0])
        head.addWidget(Label("MedFM Studio", "heading1"))
        head.addWidget(Label(_ABOUT, "muted"))
        self.states = StatePane(_stacked(self.demo, self.next, self.overview, self.activity))
        columns = QHBoxLayout()
        columns.setSpacing(SPACE[3])
        columns.addWidget(self.states, 5)
        columns.addWidget(_stacked(self.places, self.computer), 3)  # also there when this workspace cannot be opened
        down = QVBoxLayout(inside)
        down.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        down.setSpacing(SPACE[3])
        down.addLayout(head)
        down.addWidget(self.crashed)
        down.addLayout(columns, 1)

    def _connect(self) -> None:
        go = self.context.go
        self.next.chosen.connect(lambda step: go(step.page, **step.wish))
        self.overview.chosen.connect(lambda page: go(page))
        self.places.wanted.connect(lambda path: self.context.open_workspace(Path(path)))
        self.places.created.connect(lambda path: self.context.open_workspace(Path(path)))
        self.places.picked.connect(self._check_place)
        self.places.demo.connect(self._want_demo)
        self.computer.again.connect(self.examine)
        self.computer.weights.connect(lambda: go("settings", tab="weights"))
        self.demo.started.connect(self._run_demo)
        self.demo.cancelled.connect(self._cancel_demo)
        self.demo.chosen.connect(self._show_of_demo)
        self.crashed.dismissed.connect(lambda: self.context.memory.put("crashed", False))
        self.crashed.diagnostics.connect(lambda: go("settings", tab="diagnostics"))

    def _fail(self, error: MedfmError) -> None:
        if not isinstance(error, Interrupted):
            self.states.show_error(error, "Try again", self.refresh)

    def _take_overview(self, seen: Overview) -> None:
        self._seen = seen
        now = _now()
        step = model.next_step(seen)
        self.next.tell(step)
        self.next.setVisible(not seen.is_demo or bool(seen.datasets and not self.demo.is_running))
        self.overview.tell(seen)
        self.activity.tell(seen, now)
        self.demo.setVisible(seen.is_demo)
        self.demo.tell(seen, is_read_only=self.context.is_read_only)
        self.places.demo_button.setVisible(not seen.is_demo)
        disable(self.places.demo_button, "")
        self.states.show_content()
        wished = self.context.memory.get("demo.start")
        if seen.is_demo and wished:
            self.context.memory.put("demo.start", None)
            if isinstance(wished, int | float) and time.time() - wished < _DEMO_WISH_S:
                self._run_demo()

    def _take_examination(self, seen: Examination) -> None:
        if self.computer.is_busy:  # asked before it began
            return
        self.computer.tell(seen, _now())
        if not self._has_examined and (seen.diagnosis is None or model.is_old(seen.at, _now())):
            self.examine()

    def _take_new_examination(self, seen: Examination) -> None:
        self.computer.end()
        self.computer.tell(seen, _now())

    def _list_places(self) -> None:
        here = str(self.context.root)
        others = [place for place in model.recent(self.context.memory.get("recent")) if place.path != here]
        self.places.tell(others, _now())
        self.places.set_tab_order()
        paths = tuple(place.path for place in others[:MOST_SHOWN])
        if paths:
            self.context.desk.ask(FindPlaces(paths), owner=self, then=self._take_places, failed=lambda error: None)

    def _take_places(self, found: PlaceList) -> None:
        self.places.set_states({place.path: place.state for place in found.places})

    def _check_place(self, path: str) -> None:
        def take(found: PlaceList) -> None:
            state = found.places[0].state
            name = Path(path).name or path
            if state in ("workspace", "empty"):
                self.context.open_workspace(Path(path))
            elif state == "other":
                self.places.say(f"“{name}” is no workspace: it holds other files. Choose a workspace, or create one.")
            else:
                self.places.say(f"“{name}” is not there, or may not be read.")

        self.context.desk.ask(
            FindPlaces((path,)), owner=self, then=take, failed=lambda error: self.places.say(str(error))
        )

    def _want_demo(self) -> None:
        if self._seen is None:
            return
        if self._seen.is_demo:
            self._run_demo()
            return
        self.context.memory.put("demo.start", time.time())
        self.context.open_workspace(Path(self._seen.demo_folder))

    def _run_demo(self) -> None:
        if self.demo.is_running or self.context.is_read_only:
            return
        self.demo.begin()
        self.next.hide()
        self._demo_ticket = self.context.desk.ask(
            RunDemo(), owner=self, then=self._end_demo, failed=self._fail_demo, progress=self.demo.tell_progress
        )

    def _cancel_demo(self) -> None:
        if self._demo_ticket is not None:
            self._demo_ticket.cancel()

    def _end_demo(self, made: DemoMade) -> None:
        self.demo.end()
        self.context.say("The demonstration is done.", "good")
        self.refresh()

    def _fail_demo(self, error: MedfmError) -> None:
        self.demo.end(error)
        self.refresh()

    def _show_of_demo(self, page: str) -> None:
        seen = self._seen
        if seen is None:
            return
        if page == "studies":
            self.context.go(page, study=seen.study)
        elif page == "runs":
            self.context.go(page, run=seen.newest_runs[-1])
        else:
            self.context.go(page, runs=seen.newest_runs)


def _now() -> datetime:
    return datetime.now().astimezone()


def _stacked(*panels: QWidget) -> QWidget:
    column = QWidget()
    down = QVBoxLayout(column)
    down.setContentsMargins(0, 0, 0, 0)
    down.setSpacing(SPACE[3])
    for panel in panels:
        down.addWidget(panel)
    down.addStretch(1)
    return column


def _scrolling(inside: QWidget) -> QScrollArea:
    around = QWidget()
    around.setProperty("role", "page")
    row = QGridLayout(around)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(inside, 0, 1)
    row.setColumnStretch(1, 1)
    area = QScrollArea()
    area.setAccessibleName("Overview")
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(around)
    return area

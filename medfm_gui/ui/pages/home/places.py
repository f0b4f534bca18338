"""Workspaces: the recent ones, open, create, the demonstration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from medfm_gui.ui.pages.home import model
from medfm_gui.ui.pages.home.tiles import PlaceRow
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label

MOST_SHOWN = 5


class PlacesPanel(Panel):
    """Workspaces to go to.

    Signals:
        wanted(str): open this recent workspace.
        picked(str): a folder was picked to be opened; whether it is a workspace is not known yet.
        created(str): make a workspace in this folder.
        demo(): the demonstration is wanted.
    """

    wanted = Signal(str)
    picked = Signal(str)
    created = Signal(str)
    demo = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Workspaces", "A workspace is one folder with datasets, runs and reports.", parent)
        self.open_button = action("Open …", "folder")
        self.open_button.setAccessibleName("Open a workspace")
        self.open_button.clicked.connect(self.pick)
        self.create_button = action("New …", "plus")
        self.create_button.setAccessibleName("Create a workspace")
        self.create_button.clicked.connect(self.pick_new)
        self.demo_button = action("Try the demonstration", "play")
        self.demo_button.clicked.connect(self.demo)
        self._trouble = Label("", "bad")
        self._trouble.hide()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(SPACE[1])
        buttons = QWidget()
        flow = FlowLayout(buttons)
        for button in (self.open_button, self.create_button, self.demo_button):
            flow.addWidget(button)
        self.body.addLayout(self._rows)
        self.add(self._trouble)
        self.add(buttons)
        self.rows: list[PlaceRow] = []
        self._start = ""

    def tell(self, places: Sequence[model.Recent], now: datetime) -> None:
        """List these recent workspaces."""
        shown = places[:MOST_SHOWN]
        if [row.path for row in self.rows] == [place.path for place in shown]:
            return
        for row in self.rows:
            self._rows.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        for place in shown:
            row = PlaceRow(place.name, place.path, model.when(place.at, now))
            row.clicked.connect(lambda _=False, path=place.path: self.wanted.emit(path))
            self._rows.addWidget(row)
            self.rows.append(row)
        self._start = str(Path(shown[0].path).parent) if shown else ""

    def set_states(self, states: Mapping[str, str]) -> None:
        """Say of each listed folder what is there now."""
        for row in self.rows:
            if row.path in states:
                row.set_state(states[row.path])

    def say(self, text: str) -> None:
        """Say why a folder was not opened; empty takes it back."""
        self._trouble.setText(text)
        self._trouble.setVisible(bool(text))

    def pick(self) -> None:
        """Ask for the folder of a workspace."""
        self.say("")
        found = QFileDialog.getExistingDirectory(self, "Open a workspace", self._start)
        if found:
            self.picked.emit(found)

    def pick_new(self) -> None:
        """Ask for the name and place of a new folder."""
        self.say("")
        start = str(Path(self._start) / "MedFM workspace") if self._start else "MedFM workspace"
        options = QFileDialog.Option.DontConfirmOverwrite
        found, _ = QFileDialog.getSaveFileName(self, "New workspace: name its folder", start, options=options)
        if found:
            self.created.emit(found)

    def set_tab_order(self) -> None:
        """The list came later than its buttons; tab goes from top to bottom all the same."""
        before: QWidget | None = None
        for widget in (*self.rows, self.open_button, self.create_button, self.demo_button):
            if before is not None:
                QWidget.setTabOrder(before, widget)
            widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            before = widget

"""Devices: what can train here, with which versions, and what stands in the way."""

from __future__ import annotations

from datetime import datetime

from medfm_gui.desk.asks.home import Examination, Examine, LastExamination
from medfm_gui.desk.protocol import Progress
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.home.computer import ComputerPanel
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.panel import Panel

_PACKAGES = {"medfm": "MedFM Studio", "python": "Python", "sqlite": "SQLite"}


class DevicesSection(Section):
    """This computer as it was last examined, and the libraries that matter for results."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Devices", "Runs use the first GPU; without one, the processor.", is_long=True)
        self.computer = ComputerPanel()
        self.computer.again.connect(self.examine)
        self.computer.weights.connect(lambda: context.go("settings", tab="weights"))
        self.versions = Facts()
        self._libraries = Panel("Libraries that decide results")
        self._libraries.add(self.versions)
        self._libraries.hide()
        self.body.addWidget(self.computer)
        self.body.addWidget(self._libraries)
        self.body.addStretch(1)

    def refresh(self) -> None:
        """Ask what was seen last."""
        if not self.computer.is_busy:
            self.context.desk.ask(LastExamination(), owner=self, then=self._take, failed=self.computer.end)

    def examine(self) -> None:
        """Look anew."""
        if self.computer.is_busy:
            return
        self.computer.tell_progress(Progress("Waiting for its turn"))
        self.context.desk.ask(
            Examine(),
            owner=self,
            then=self._take_new,
            failed=self.computer.end,
            progress=self.computer.tell_progress,
        )

    def _take_new(self, seen: Examination) -> None:
        self.computer.end()
        self._take(seen)

    def _take(self, seen: Examination) -> None:
        self.computer.tell(seen, datetime.now().astimezone())
        diagnosis = seen.diagnosis
        self._libraries.setVisible(diagnosis is not None)
        if diagnosis is not None:
            self.versions.set_facts(
                (_PACKAGES.get(name, name), version or "not installed") for name, version in diagnosis.versions.items()
            )

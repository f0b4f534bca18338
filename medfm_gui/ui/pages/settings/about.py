"""About: which version runs, on what, what it must not be used for, and whose work it stands on."""

from __future__ import annotations

import PySide6
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from medfm_gui.desk.asks.settings import ProgramFacts, ReadProgramFacts
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.status import NOTICE
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.rows import Rows
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label


class AboutSection(Section):
    """Facts and packages."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "About MedFM Studio", "Which vision foundation model to adapt, and how.")
        self._is_filled = False
        notice = QFrame()
        notice.setProperty("role", "banner")
        column = QVBoxLayout(notice)
        column.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        column.setSpacing(SPACE[0])
        column.addWidget(Label(NOTICE, "heading3"))
        column.addWidget(
            Label("It is no medical device. Probabilities and heat maps are experimental, not findings.", "muted")
        )
        self.facts = Facts()
        self.rows = Rows(model.package_columns(), self)
        self.table = DataTable("Packages and their licences")
        self.table.setModel(self.rows)
        for at, wide in enumerate((9, 5)):
            self.table.setColumnWidth(at, SPACE[5] * wide)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter packages")
        self.filter.setAccessibleName("Filter packages")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.rows.narrow)
        inside = QWidget()
        whole = QVBoxLayout(inside)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(SPACE[2])
        whole.addWidget(self.facts)
        whole.addWidget(Label("It stands on these packages, each under its own licence.", "muted"))
        whole.addWidget(self.filter)
        whole.addWidget(self.table, 1)
        self.states = StatePane(inside)
        self.states.show_busy("Reading the versions")
        self.body.addWidget(notice)
        self.body.addWidget(self.states, 1)

    def refresh(self) -> None:
        """Ask once: versions do not change while the program runs."""
        if not self._is_filled:
            self.context.desk.ask(ReadProgramFacts(), owner=self, then=self._take, failed=self._fail)

    def _take(self, seen: ProgramFacts) -> None:
        self._is_filled = True
        self.facts.set_facts(
            (
                ("MedFM Studio", seen.version),
                ("Python", seen.python),
                ("Qt", PySide6.__version__),
                ("SQLite", seen.sqlite),
                ("System", seen.system),
            )
        )
        self.rows.set_rows(seen.packages)
        self.states.show_content()

    def _fail(self, error: MedfmError) -> None:
        self.states.show_error(error, "Try again", self.refresh)

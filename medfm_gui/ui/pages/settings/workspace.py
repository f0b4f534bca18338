"""This workspace: where it lies, what its database lists, the database made again, the journal verified."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout

from medfm_gui.desk.asks.home import LookAround, Overview
from medfm_gui.desk.asks.upkeep import DatabaseRebuilt, JournalVerified, RebuildDatabase, VerifyJournal
from medfm_gui.domain.errors import InputError, MedfmError, WorkspaceBusy
from medfm_gui.domain.units import counted
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.job import JobRow
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.question import ask
from medfm_gui.ui.widgets.text import Label

_READ_ONLY = "This workspace is open read-only, because another window has it."
_FILES = (
    "Datasets, splits, runs, results, studies and reports are files in this folder. The database only lists them, so "
    "that they are found quickly; it can be made again from the files at any time."
)
_WHEN = (
    "Rebuild it when lists lack what is in the folder: after files were copied in or out by hand, or came back from a "
    "backup. No file is changed."
)
_QUESTION = (
    "Every file of the workspace is read into a new database, and the present one is set aside, not deleted. Nothing "
    "else can be done in this window meanwhile. If a file is damaged or you cancel, the present database stays."
)
_SHOWN = 3
"""How many findings are shown in place."""
_JOURNAL = (
    "Imports, splits, trainings, openings of a test, protocols, reports and exports are written into journal.jsonl, "
    "and each line carries the hash of the line before it."
)
_CHAIN = (
    "Verifying follows this chain and names a line that was changed, removed or inserted. It detects accidental "
    "change; the hash of the last line stands in every report."
)


class WorkspaceSection(Section):
    """Facts, the database with one button, the journal with one button."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Workspace", "One folder holds everything that you do here.", is_long=True)
        self.facts = Facts((("Folder", str(context.root)), ("Listed", "")))
        self.job = JobRow()
        self.button = action("Rebuild the database from the files …", "retry")
        self.button.clicked.connect(self.confirm)
        here = Panel("This workspace")
        here.add(self.facts)
        database = Panel("Database")
        for words, role in ((_FILES, ""), (_WHEN, "muted")):
            database.add(Label(words, role))
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch(1)
        database.body.addLayout(row)
        database.add(self.job)
        self.body.addWidget(here)
        self.verify_job = JobRow()
        self.verify_button = action("Verify journal", "check")
        self.verify_button.clicked.connect(self.verify)
        journal = Panel("Journal")
        for words, role in ((_JOURNAL, ""), (_CHAIN, "muted")):
            journal.add(Label(words, role))
        row = QHBoxLayout()
        row.addWidget(self.verify_button)
        row.addStretch(1)
        journal.body.addLayout(row)
        journal.add(self.verify_job)
        self.body.addWidget(database)
        self.body.addWidget(journal)
        self.body.addStretch(1)
        self._allow()

    def refresh(self) -> None:
        """Ask what the database lists."""
        self.context.desk.ask(LookAround(0), owner=self, then=self._take, failed=self._not_listed)

    def confirm(self) -> None:
        """Ask the person, then do it."""
        if ask(self, f"Rebuild the database of “{self.context.root.name}”?", _QUESTION, "Rebuild"):
            self.rebuild()

    def rebuild(self) -> None:
        """Have the database made again."""
        if self.job.is_busy or self.context.is_read_only:
            return
        ticket = self.context.desk.ask(
            RebuildDatabase(), owner=self, then=self._rebuilt, failed=self._not_rebuilt, progress=self.job.tell
        )
        self.job.begin("Waiting until other work has ended", ticket.cancel)
        self._allow()

    def verify(self) -> None:
        """Have the journal's chain followed; nothing is changed by it."""
        if self.verify_job.is_busy:
            return
        ticket = self.context.desk.ask(
            VerifyJournal(),
            owner=self,
            then=self._verified,
            failed=lambda error: self.verify_job.end_badly(error, "Try again", self.verify),
        )
        self.verify_job.begin("Following the journal's chain of hashes", ticket.cancel)

    def _verified(self, seen: JournalVerified) -> None:
        if seen.found:
            shown = " ".join(seen.found[:_SHOWN])
            more = f" And {len(seen.found) - _SHOWN} more." if len(seen.found) > _SHOWN else ""
            hint = "“medfm verify journal” lists everything. Compare the folder with a backup."
            self.verify_job.end_badly(InputError(shown + more, hint), "Verify again", self.verify)
            return
        said = f"{seen.lines:,} lines, each with the hash of the line before it: no change was found."
        said += f" Last line (SHA-256): {seen.head}." if seen.head else ""
        self.verify_job.end_well(" ".join((said, *seen.remarks)))

    def _rebuilt(self, made: DatabaseRebuilt) -> None:
        listed = _listed(made.datasets, made.splits, made.runs, made.studies, made.predictions, made.reports)
        kept = f" The former one is kept as {made.previous}." if made.previous else ""
        self.job.end_well(f"The database was made again: {listed}.{kept}")
        self._allow()
        self.refresh()

    def _not_rebuilt(self, error: MedfmError) -> None:
        if isinstance(error, WorkspaceBusy):
            self.job.end_badly(error, "Show runs", lambda: self.context.go("runs"))
        else:
            self.job.end_badly(error, "Try again", self.rebuild)
        self._allow()

    def _allow(self) -> None:
        reason = "The database is being made again." if self.job.is_busy else ""
        disable(self.button, _READ_ONLY if self.context.is_read_only else reason)

    def _take(self, seen: Overview) -> None:
        listed = _listed(seen.datasets, seen.splits, seen.runs, seen.studies, seen.predictions, seen.reports)
        self.facts.set_facts((("Folder", seen.root), ("Listed", listed)))

    def _not_listed(self, error: MedfmError) -> None:
        self.facts.set_facts((("Folder", str(self.context.root)), ("Listed", f"not known: {error.message}")))


def _listed(*numbers: int) -> str:
    """``2 datasets, 1 split, …``."""
    nouns = ("dataset", "split", "run", "study", "prediction", "report")
    return ", ".join(counted(number, noun) for number, noun in zip(numbers, nouns, strict=True))

"""The import dialog: choose a source, see what it would give, say what is taken for what, import."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import ImportDataset, Imported, LookAtSource, PreviewImport
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.later import Later
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.advice import in_window
from medfm_gui.ui.pages.datasets.importing.dropping import dropped_path
from medfm_gui.ui.pages.datasets.importing.view import ImportView
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import disable
from medfm_gui.workspace.sources import ImportReport, SourceFacts

_TYPING_MS = 500
_WIDTH, _HEIGHT = SPACE[-1] * 33, SPACE[-1] * 21


class ImportDialog(QDialog):
    """Brings a folder, a table or an archive into the workspace; nothing is kept before “Import”.

    Signals:
        imported(Imported): the dataset is there.
    """

    imported = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._looking = Newest(context.desk, self)
        self._previewing = Newest(context.desk, self)
        self._ticket: Ticket | None = None
        self._report: ImportReport | None = None
        self._facts: SourceFacts | None = None
        self._named = ""
        self.setWindowTitle("Import a dataset")
        self.setModal(True)
        self.setAcceptDrops(True)
        self.resize(_WIDTH, _HEIGHT)
        self.view = ImportView(self.choose, self)
        self.pane = self.view.pane
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self._typed = Later(self._look, _TYPING_MS, self)
        self._connect()
        self._begin()

    def _connect(self) -> None:
        view = self.view
        view.path.textChanged.connect(lambda _: self._typed.again())
        view.changed.connect(self._preview)
        view.table_chosen.connect(self._look)
        view.name.textEdited.connect(lambda _: self._settle())
        view.go.clicked.connect(self._import)
        view.close_button.clicked.connect(self.reject)

    def choose(self, path: str) -> None:
        """Take a folder or a file as the source."""
        self.view.path.setText(path)
        self._typed.stop()
        self._look()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one folder or file."""
        if dropped_path(event.mimeData()) and self._ticket is None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """The dropped folder or file is the source."""
        path = dropped_path(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.choose(path)

    def reject(self) -> None:
        """Cancel a running import; else close."""
        if self._ticket is not None:
            self._ticket.cancel()
            return
        self._looking.cancel()
        self._previewing.cancel()
        super().reject()

    def _begin(self) -> None:
        self._report = None
        self.view.show_form(False)
        self.pane.show_empty(
            "Choose what to import",
            "A folder with one folder a class, a table with one row an image, a MedMNIST archive, or a DICOM tree with "
            "a table of labels. It is looked at first; nothing is kept before you press Import, and the source is "
            "never changed.",
            "Choose a folder",
            self.view.ask_folder,
            "import",
        )
        self._settle()

    # -- looking

    def _look(self) -> None:
        path = self.view.path.text().strip()
        self._previewing.cancel()
        self._report = None
        if not path:
            self._looking.cancel()
            self._begin()
            return
        self.pane.show_busy("Looking at the source")
        self._settle()
        table = self.view.mapping.table.path() if self.view.has_form else ""
        self._looking.ask(LookAtSource(path, table), self._found, self._fail_to_look)

    def _found(self, facts: SourceFacts) -> None:
        self.view.mapping.show_source(facts)
        self.view.show_form(True)
        if not self.view.name.text().strip() or self.view.name.text() == self._named:
            self.view.name.setText(facts.name)
            self._named = facts.name
        self._facts = facts
        self._preview()

    def _fail_to_look(self, error: MedfmError) -> None:
        self.view.show_form(False)
        self.pane.show_error(error, "Choose a folder", self.view.ask_folder)
        self._settle()

    def _preview(self) -> None:
        if self._ticket is not None or self._looking.is_waiting:
            return
        self._report = None
        self._settle()
        if self._facts is not None:
            self.view.say_layout(self._facts)
        self._told(Progress("Checking the source"))
        ask = PreviewImport(self.view.path.text().strip(), self.view.mapping.wish())
        self._previewing.ask(ask, self._previewed, self._not_previewed, self._told)

    def _told(self, news: Progress) -> None:
        stop = self._stop if self._ticket is None else self._ticket.cancel
        self.pane.show_busy(news.text, news.total, news.done, news.seconds_left, stop)

    def _stop(self) -> None:
        self._previewing.cancel()
        self.pane.show_empty(
            "The check was stopped", "The source was not looked at to the end.", "Check it again", self._preview, "stop"
        )
        self._settle()

    def _previewed(self, report: ImportReport) -> None:
        self._report = report
        self.view.mapping.show_report(report)
        self.view.report.show_report(report)
        self.pane.show_content()
        self._settle()

    def _not_previewed(self, error: MedfmError) -> None:
        facts = self._facts
        if facts is not None and facts.table and self.view.mapping.layout_name == "folder":
            # numbered folders beside a table are rarely classes
            self.pane.show_error(
                in_window(error), "Read it as a DICOM tree", lambda: self.view.mapping.choose_layout("dicom")
            )
        else:
            self.pane.show_error(in_window(error), "Check again", self._preview)
        self._settle()

    # -- importing

    def _settle(self) -> None:
        """Say why nothing can be imported yet; while an import runs nothing can be changed."""
        why = ""
        if self._context.is_read_only:
            why = "This workspace is open read-only, because another window has it."
        elif self._ticket is not None:
            why = "The import is under way."
        elif self._report is None:
            why = "Choose a source that can be imported."
        elif not self.view.name.text().strip():
            why = "Give the dataset a name."
        disable(self.view.go, why)
        self.view.lock(self._ticket is not None)

    def _import(self) -> None:
        if self._report is None or self._ticket is not None:
            return
        ask = ImportDataset(self.view.path.text().strip(), self.view.name.text().strip(), self.view.mapping.wish())
        self._ticket = self._context.desk.ask(
            ask, owner=self, then=self._done, failed=self._not_done, progress=self._told
        )
        self._told(Progress("Importing"))
        self._settle()

    def _done(self, made: Imported) -> None:
        self._ticket = None
        self.imported.emit(made)
        self.accept()

    def _not_done(self, error: MedfmError) -> None:
        self._ticket = None
        self._settle()
        if isinstance(error, Interrupted):
            self.pane.show_empty(
                "The import was cancelled", "Nothing of it was kept.", "Back to the check", self._back, "stop"
            )
            return
        self.pane.show_error(in_window(error), "Back to the check", self._back)

    def _back(self) -> None:
        if self._report is not None:
            self.pane.show_content()
        else:
            self._preview()
        self._settle()

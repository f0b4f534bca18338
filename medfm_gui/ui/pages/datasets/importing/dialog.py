"""The import dialog: choose a source, see what it would give, say what is taken for what, import."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import ImportDataset, Imported, LookAtSource, PreviewImport
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.datasets.advice import in_window
from medfm_gui.ui.pages.datasets.importing.dropping import dropped_path
from medfm_gui.ui.pages.datasets.importing.mapping import MappingForm
from medfm_gui.ui.pages.datasets.importing.report import ReportView
from medfm_gui.ui.pages.datasets.newest import Newest
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.sources import ImportReport, SourceFacts

_TYPING_MS = 500
_WIDTH, _HEIGHT = SPACE[-1] * 33, SPACE[-1] * 21
_FORM_PX = SPACE[-1] * 10


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
        self._build()
        self._connect()
        self._begin()

    def _build(self) -> None:
        self.path = QLineEdit()
        self.path.setAccessibleName("Folder or file to import")
        self.path.setPlaceholderText("A folder of images, a CSV table, a MedMNIST .npz, a DICOM tree")
        self.folder = action("Folder …", "folder")
        self.file = action("File …", "file")
        self.mapping = MappingForm()
        scroll = QScrollArea()
        scroll.setWidget(self.mapping)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("What is taken for what")
        scroll.setFixedWidth(_FORM_PX)
        self.mapping.setProperty("role", "page")
        self.mapping.setContentsMargins(0, 0, SPACE[2], 0)
        self._left = scroll
        self.layout_line = Label("", "heading3")
        self.reason_line = Label("", "muted")
        self.report = ReportView()
        self.pane = StatePane(self.report)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the dataset")
        self.name.setMaxLength(120)
        self._name_label = Label("Name", wrap=False)
        self._name_label.setBuddy(self.name)
        self.close_button = action("Close", role="quiet")
        self.close_button.setAutoDefault(False)
        self.go = action("Import", "import", "primary")
        self.go.setDefault(True)
        self._lay_out()

    def _lay_out(self) -> None:
        source = QHBoxLayout()
        source.setSpacing(SPACE[1])
        source.addWidget(self.path, 1)
        source.addWidget(self.folder)
        source.addWidget(self.file)
        right = QVBoxLayout()
        right.setSpacing(SPACE[0])
        right.addWidget(self.layout_line)
        right.addWidget(self.reason_line)
        right.addSpacing(SPACE[1])
        right.addWidget(self.pane, 1)
        middle = QHBoxLayout()
        middle.setSpacing(SPACE[4])
        middle.addWidget(self._left)
        middle.addLayout(right, 1)
        ending = QHBoxLayout()
        ending.setSpacing(SPACE[2])
        ending.addWidget(self._name_label)
        ending.addWidget(self.name, 1)
        ending.addStretch(1)
        ending.addWidget(self.close_button)
        ending.addWidget(self.go)
        down = QVBoxLayout(self)
        down.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        down.setSpacing(SPACE[3])
        down.addLayout(source)
        down.addLayout(middle, 1)
        down.addLayout(ending)

    def _connect(self) -> None:
        self._typed = Later(self._look, _TYPING_MS, self)
        self.path.textChanged.connect(lambda _: self._typed.again())
        self.folder.clicked.connect(self._ask_folder)
        self.file.clicked.connect(self._ask_file)
        self.mapping.changed.connect(self._preview)
        self.mapping.table_chosen.connect(lambda _: self._look())
        self.name.textEdited.connect(lambda _: self._settle())
        self.go.clicked.connect(self._import)
        self.close_button.clicked.connect(self.reject)

    def choose(self, path: str) -> None:
        """Take a folder or a file as the source."""
        self.path.setText(path)
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

    def closeEvent(self, event: QCloseEvent) -> None:
        """The window's own close button does what Close does; a running import is cancelled first."""
        if self._ticket is not None:
            self._ticket.cancel()
            event.ignore()
            return
        super().closeEvent(event)

    def _begin(self) -> None:
        self._report = None
        self._show_form(False)
        self.layout_line.setText("")
        self.reason_line.setText("")
        self.pane.show_empty(
            "Choose what to import",
            "A folder with one folder a class, a table with one row an image, a MedMNIST archive, or a DICOM tree with "
            "a table of labels. It is looked at first; nothing is kept before you press Import, and the source is "
            "never changed.",
            "Choose a folder",
            self._ask_folder,
            "import",
        )
        self._settle()

    def _ask_folder(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Folder to import", self.path.text())
        if found:
            self.choose(found)

    def _ask_file(self) -> None:
        kinds = "Tables and archives (*.csv *.tsv *.tab *.npz);;All files (*)"
        found, _ = QFileDialog.getOpenFileName(self, "File to import", self.path.text(), kinds)
        if found:
            self.choose(found)

    # -- looking

    def _look(self) -> None:
        path = self.path.text().strip()
        self._previewing.cancel()
        self._report = None
        if not path:
            self._looking.cancel()
            self._begin()
            return
        self.pane.show_busy("Looking at the source")
        self._settle()
        table = self.mapping.table.path() if self._left.isVisible() else ""
        self._looking.ask(LookAtSource(path, table), self._found, self._fail_to_look)

    def _found(self, facts: SourceFacts) -> None:
        self.mapping.show_source(facts)
        self._show_form(True)
        if not self.name.text().strip() or self.name.text() == self._named:
            self.name.setText(facts.name)
            self._named = facts.name
        self._facts = facts
        self._preview()

    def _say_layout(self, facts: SourceFacts) -> None:
        titles = {item.name: item.title for item in facts.layouts}
        self.layout_line.setText(titles.get(self.mapping.layout_name, "Layout not recognised"))
        if self.mapping.wish().layout != "auto":
            self.reason_line.setText("As chosen.")
        else:
            self.reason_line.setText(f"Recognised, because {facts.reason}." if facts.layout else facts.problem)

    def _fail_to_look(self, error: MedfmError) -> None:
        self._show_form(False)
        self.layout_line.setText("")
        self.reason_line.setText("")
        self.pane.show_error(error, "Choose a folder", self._ask_folder)
        self._settle()

    def _show_form(self, is_shown: bool) -> None:
        for widget in (self._left, self.layout_line, self.reason_line, self._name_label, self.name):
            widget.setVisible(is_shown)

    def _preview(self) -> None:
        if self._ticket is not None or self._looking.is_waiting:
            return
        self._report = None
        self._settle()
        if self._facts is not None:
            self._say_layout(self._facts)
        self._told(Progress("Checking the source"))
        ask = PreviewImport(self.path.text().strip(), self.mapping.wish())
        self._previewing.ask(ask, self._previewed, self._not_previewed, self._told)

    def _told(self, news: Progress) -> None:
        stop = self._stop if self._ticket is None else self._cancel
        self.pane.show_busy(news.text, news.total, news.done, news.seconds_left, stop)

    def _stop(self) -> None:
        self._previewing.cancel()
        self.pane.show_empty(
            "The check was stopped", "The source was not looked at to the end.", "Check it again", self._preview, "stop"
        )
        self._settle()

    def _previewed(self, report: ImportReport) -> None:
        self._report = report
        self.mapping.show_report(report)
        self.report.show_report(report)
        self.pane.show_content()
        self._settle()

    def _not_previewed(self, error: MedfmError) -> None:
        facts = self._facts
        if facts is not None and facts.table and self.mapping.layout_name == "folder":
            # numbered folders beside a table are rarely classes
            self.pane.show_error(
                in_window(error), "Read it as a DICOM tree", lambda: self.mapping.choose_layout("dicom")
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
        elif not self.name.text().strip():
            why = "Give the dataset a name."
        disable(self.go, why)
        for widget in (self.path, self.folder, self.file, self._left, self.name):
            widget.setEnabled(self._ticket is None)
        self.close_button.setText("Cancel" if self._ticket is not None else "Close")

    def _import(self) -> None:
        if self._report is None or self._ticket is not None:
            return
        ask = ImportDataset(self.path.text().strip(), self.name.text().strip(), self.mapping.wish())
        self._ticket = self._context.desk.ask(
            ask, owner=self, then=self._done, failed=self._not_done, progress=self._told
        )
        self._told(Progress("Importing"))
        self._settle()

    def _cancel(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()

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

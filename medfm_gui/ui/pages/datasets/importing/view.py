"""The widgets of the import dialog: source above, mapping at the left, report at the right, name and buttons below."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.ui.pages.datasets.importing.mapping import MappingForm
from medfm_gui.ui.pages.datasets.importing.report import ReportView
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.sources import SourceFacts

_FORM_PX = SPACE[-1] * 10
_LONGEST_NAME = 120


class ImportView(QWidget):
    """What stands in the dialog. ``on_source`` is called with a folder or file that was chosen by a file dialog.

    Signals:
        changed(): what is taken for what is another wish.
        table_chosen(): another table is to be read.
    """

    changed = Signal()
    table_chosen = Signal()

    def __init__(self, on_source: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._on_source = on_source
        self.path = QLineEdit()
        self.path.setAccessibleName("Folder or file to import")
        self.path.setPlaceholderText("A folder of images, a CSV table, a MedMNIST .npz, a DICOM tree")
        self.folder = action("Folder …", "folder")
        self.folder.clicked.connect(self.ask_folder)
        self.file = action("File …", "file")
        self.file.clicked.connect(self._ask_file)
        self._mapping = Deferred(self._make_mapping)
        self._mapping.setProperty("role", "page")
        self._form = QScrollArea()
        self._form.hide()
        self._form.setWidget(self._mapping)
        self._form.setWidgetResizable(True)
        self._form.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._form.setAccessibleName("What is taken for what")
        self._form.setFixedWidth(_FORM_PX)
        self._layout_line = Label("", "heading3")
        self._reason_line = Label("", "muted")
        self._report = Deferred(ReportView)
        self.pane = StatePane(self._report)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the dataset")
        self.name.setMaxLength(_LONGEST_NAME)
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
        right.addWidget(self._layout_line)
        right.addWidget(self._reason_line)
        right.addSpacing(SPACE[1])
        right.addWidget(self.pane, 1)
        middle = QHBoxLayout()
        middle.setSpacing(SPACE[4])
        middle.addWidget(self._form)
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

    def _make_mapping(self, place: QWidget) -> MappingForm:
        form = MappingForm(place)
        form.setContentsMargins(0, 0, SPACE[2], 0)
        form.changed.connect(self.changed)
        form.table_chosen.connect(lambda _: self.table_chosen.emit())
        return form

    @property
    def mapping(self) -> MappingForm:
        """What is taken for what."""
        return self._mapping.part

    @property
    def report(self) -> ReportView:
        """What the import would give."""
        return self._report.part

    @property
    def has_form(self) -> bool:
        """Whether the mapping is shown."""
        return not self._form.isHidden()

    @property
    def reason(self) -> str:
        """Why this layout."""
        return self._reason_line.text()

    @property
    def layout_title(self) -> str:
        """The layout in force."""
        return self._layout_line.text()

    def show_form(self, is_shown: bool) -> None:
        """Show or hide what is only there once a source was looked at."""
        for widget in (self._form, self._layout_line, self._reason_line, self._name_label, self.name):
            widget.setVisible(is_shown)

    def say_layout(self, facts: SourceFacts) -> None:
        """Name the layout in force, and why it is this one."""
        titles = {item.name: item.title for item in facts.layouts}
        self._layout_line.setText(titles.get(self.mapping.layout_name, "Layout not recognised"))
        if self.mapping.wish().layout != "auto":
            self._reason_line.setText("As chosen.")
        else:
            self._reason_line.setText(f"Recognised, because {facts.reason}." if facts.layout else facts.problem)

    def lock(self, is_locked: bool) -> None:
        """While an import runs nothing can be changed, and Close cancels it."""
        for widget in (self.path, self.folder, self.file, self._form, self.name):
            widget.setEnabled(not is_locked)
        self.close_button.setText("Cancel" if is_locked else "Close")

    def ask_folder(self) -> None:
        """Ask for a folder."""
        found = QFileDialog.getExistingDirectory(self, "Folder to import", self.path.text())
        if found:
            self._on_source(found)

    def _ask_file(self) -> None:
        kinds = "Tables and archives (*.csv *.tsv *.tab *.xlsx *.parquet *.npz);;All files (*)"
        found, _ = QFileDialog.getOpenFileName(self, "File to import", self.path.text(), kinds)
        if found:
            self._on_source(found)

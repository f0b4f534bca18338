"""Every base widget in every state, on one page, for looking at."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QRadioButton,
    QScrollArea,
    QSlider,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.domain.cards import Family
from medfm_gui.domain.errors import WeightsRejected
from medfm_gui.domain.run import Phase
from medfm_gui.ui import icons
from medfm_gui.ui import theme as themes
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.badge import Badge
from medfm_gui.ui.widgets.chips import Chip, ChipRow
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import Form, PathPicker, action, choice, real_number, whole_number
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.steps import Step, StepList, StepState
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label
from medfm_gui.ui.widgets.toast import ToastStack
from medfm_gui.ui.widgets.tree import DataTree

_SIZE_PX = (1280, 1640)
_ROWS = 250_000


class SampleRows(QAbstractTableModel):
    """Invented rows, as many as a large dataset has."""

    titles = ("Run", "Model", "Adaptation", "AUC", "Interval", "Minutes")

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        """250,000."""
        return 0 if parent is not None and parent.isValid() else _ROWS

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        """One a title."""
        return 0 if parent is not None and parent.isValid() else len(self.titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """Titles, aligned as their columns."""
        if role == Qt.ItemDataRole.TextAlignmentRole and section >= 3:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        across = orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return self.titles[section] if across else None

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> object:
        """One cell."""
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() >= 3:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        row = index.row()
        auc = 0.7 + (row * 37 % 291) / 1000
        families = tuple(Family)
        values = (
            f"run-{row + 1}",
            families[row % len(families)].value,
            ("linear", "full", "kNN")[row % 3],
            f"{auc:.3f}",
        )
        return (*values, f"{auc - 0.032:.3f}–{auc + 0.026:.3f}", f"{3 + row % 41}")[index.column()]


class Gallery(QScrollArea):
    """All of them."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Widgets")
        self.setProperty("role", "page")
        self.resize(*_SIZE_PX)
        self.setWidgetResizable(True)
        page = QWidget()
        page.setProperty("role", "page")
        grid = QGridLayout(page)
        grid.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        grid.setSpacing(SPACE[3])
        panels = (
            _words(),
            _buttons(),
            _fields(),
            _chips(),
            _steps(),
            _progress(),
            _states(),
            _views(),
            _table(),
            _icons(),
        )
        for at, panel in enumerate(panels[:8]):
            grid.addWidget(panel, at // 2, at % 2)
        grid.addWidget(panels[8], 4, 0, 1, 2)
        grid.addWidget(panels[9], 5, 0, 1, 2)
        self.setWidget(page)
        self.toasts = ToastStack(self)
        self.toasts.say(
            "“APTOS 2019” is imported: 3,662 images of 2,930 patients.", "good", "Show dataset", lambda: None
        )
        self.toasts.say("The test set of run-12 was opened for the second time.", "warning")


def _words() -> Panel:
    panel = Panel("Words", "Captions say what something is, in the field's own terms")
    for text, role in (
        ("Heading 1, 24 px", "heading1"),
        ("Heading 2, 18 px", "heading2"),
        ("Heading 3, 15 px", "heading3"),
        ("Body: sensitivity 0.912 at the fixed threshold 0.46, internal test, 612 patients.", ""),
        ("Muted: 3 seeds, by patient, sealed.", "muted"),
    ):
        panel.add(Label(text, role))
    row = QHBoxLayout()
    for text, role in (
        ("Good", "good"),
        ("Warning", "warning"),
        ("Bad", "bad"),
        ("Accent", "accent"),
        ("Chip", "chip"),
    ):
        row.addWidget(Label(text, role, wrap=False))
    row.addStretch(1)
    panel.body.addLayout(row)
    panel.add(Label("/srv/imaging/2026/a folder with a very long name/DDSM/calc_training/Mass-Training_P_00001_LEFT_CC/"
                    "07-20-2016-DDSM/full mammogram images", "muted", elide=Qt.TextElideMode.ElideMiddle))  # fmt: skip
    panel.add(
        Facts(
            (
                ("Patients", "2,930"),
                ("Images", "3,662"),
                ("Fingerprint", "sha256:4f1c…9be2"),
                ("Licence", "CC BY-NC 4.0"),
            )
        )
    )
    return panel


def _buttons() -> Panel:
    panel = Panel("Buttons")
    for enabled in (True, False):
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        reason = "" if enabled else "Choose a dataset first"
        for text, icon, role in (
            ("Start 6 runs", "play", "primary"), ("Import", "import", ""), ("Delete run", "trash", "danger"),
            ("Quiet", "", "quiet"),
        ):  # fmt: skip
            row.addWidget(action(text, icon, role, reason))
        tool = QToolButton()
        tool.setIcon(icons.icon("invert"))
        tool.setAccessibleName("Invert")
        tool.setEnabled(enabled)
        row.addWidget(tool)
        row.addStretch(1)
        panel.body.addLayout(row)
    switches = QHBoxLayout()
    for text, on, able in (("Hide identity", True, True), ("Offline", False, True), ("Not to be had", True, False)):
        switch = Switch(text)
        switch.setChecked(on)
        switch.setEnabled(able)
        switches.addWidget(switch)
    panel.body.addLayout(switches)
    checks = QHBoxLayout()
    boxes = (QCheckBox("By patient"), QCheckBox("Stratified"), QRadioButton("As published"), QRadioButton("Corrected"))
    for button in boxes:
        button.setChecked(button in (boxes[0], boxes[3]))
        checks.addWidget(button)
    checks.addStretch(1)
    panel.body.addLayout(checks)
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setAccessibleName("Opacity")
    slider.setValue(45)
    panel.add(slider)
    panel.body.addStretch(1)
    return panel


def _fields() -> Panel:
    panel = Panel("Form")
    form = Form()
    name = QLineEdit("Chest radiographs, 2026")
    form.add("Name", name, "As it will stand in reports")
    form.add("Folder", PathPicker("folder", "Choose the folder of images")).set_error("This folder holds no images.")
    row = QWidget()
    across = QHBoxLayout(row)
    across.setContentsMargins(0, 0, 0, 0)
    across.setSpacing(SPACE[3])
    rate = real_number(0.0005, 0, 1, "", 5, 0.0001)
    rate.setAccessibleName("Learning rate")
    epochs = whole_number(30, 1, 500, "epochs")
    epochs.setAccessibleName("Epochs")
    off = choice((("Youden", "youden"), ("Sensitivity 0.95", "sensitivity:0.95")))
    off.setAccessibleName("Threshold rule")
    off.setEnabled(False)
    for field in (epochs, rate, choice((("Per patient", "patient"), ("Per image", "image")), "patient"), off):
        across.addWidget(field)
    form.add("Recipe", row)
    panel.add(form)
    panel.body.addStretch(1)
    return panel


def _chips() -> Panel:
    panel = Panel("Chips and states")
    chips = ChipRow()
    chips.set_chips([Chip(f.value, f"{f.value} · LoRA · run {k + 1}", f.value, k) for k, f in enumerate(Family)])
    panel.add(chips)
    host = QWidget()
    flow = FlowLayout(host, SPACE[3])
    for phase in Phase:
        flow.addWidget(Badge(phase))
    panel.add(host)
    panel.body.addStretch(1)
    return panel


def _steps() -> Panel:
    panel = Panel("Steps")
    panel.add(StepList((
        Step("Data", StepState.DONE, "APTOS 2019, 3,662 images"),
        Step("Split", StepState.DONE, "70/15/15 by patient, sealed"),
        Step("Models", StepState.CURRENT),
        Step("Adaptation", StepState.AHEAD),
        Step("Review", StepState.BLOCKED, "Choose at least one model first"),
    )))  # fmt: skip
    return panel


def _progress() -> Panel:
    panel = Panel("Progress and tabs")
    row = ProgressRow()
    row.tell("Reading series 3 of 12", 3_662, 1_580, 190)
    row.on_cancel(lambda: None)
    panel.add(row)
    tabs = QTabWidget()
    text = QPlainTextEdit("epoch 12  loss 0.412  AUC 0.873\nepoch 13  loss 0.398  AUC 0.879")
    text.setFont(themes.code_font())
    text.setAccessibleName("Log")
    for title in ("Log", "Curves", "Details"):
        tabs.addTab(text if title == "Log" else QWidget(), title)
    panel.add(tabs)
    return panel


def _states() -> Panel:
    panel = Panel("Empty, busy, error")
    row = QHBoxLayout()
    column = QVBoxLayout()
    empty, busy, error = (StatePane(QWidget()) for _ in range(3))
    empty.show_empty(
        "No studies yet", "Open a DICOM folder or an image and read it here.", "Open a study", lambda: None, "studies"
    )
    busy.show_busy("Looking for leaks", 100, 40, 12)
    error.show_error(
        WeightsRejected("The file is not ViT-B/14 of DINOv2: its hash differs.", "Download it again, or import it."),
        "Import from a folder",
        lambda: None,
    )  # fmt: skip
    column.addWidget(empty, 3)
    column.addWidget(busy, 1)
    row.addLayout(column, 1)
    row.addWidget(error, 1)
    panel.body.addLayout(row)
    panel.setMinimumHeight(SPACE[-1] * 11)
    return panel


def _views() -> Panel:
    panel = Panel("Tree")
    tree = DataTree("Studies")
    model = QStandardItemModel(0, 2, tree)
    model.setHorizontalHeaderLabels(["Study", "Images"])
    two = (("CT thorax", "300"), ("Localiser", "12"))
    for name, images, series in (("Patient 0007", "312", two), ("Patient 0012", "2", ())):
        patient = QStandardItem(name)
        model.appendRow([patient, QStandardItem(images)])
        for title, count in series:
            patient.appendRow([QStandardItem(title), QStandardItem(count)])
    tree.setModel(model)
    tree.setColumnWidth(0, SPACE[-1] * 8)
    tree.expandAll()
    tree.setCurrentIndex(model.index(0, 0))
    panel.add(tree)
    combo = QComboBox()
    combo.setAccessibleName("Window preset")
    combo.addItems(["Lung −600 / 1500 HU", "Bone 300 / 1500 HU"])
    panel.add(combo)
    return panel


def _table() -> Panel:
    panel = Panel("Table", f"{_ROWS:,} rows")
    table = DataTable("Runs")
    table.setModel(SampleRows(table))
    table.setMinimumHeight(SPACE[-1] * 6)
    table.selectRow(1)
    panel.add(table)
    return panel


def _icons() -> Panel:
    panel = Panel("Icons")
    host = QWidget()
    flow = FlowLayout(host, SPACE[1])
    for name in icons.names():
        label = Label()
        label.setPixmap(icons.pixmap(name))
        label.setAccessibleName(name)
        flow.addWidget(label)
    panel.add(host)
    return panel

"""The tab with the flow of images: from the files that were found to the partitions, with every exclusion."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.asks.curation import DescribeFlow, ExportFlow, WrittenFile
from medfm_gui.domain.errors import MedfmError
from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.ui import theme as themes
from medfm_gui.ui.charts.view import FORMATS
from medfm_gui.ui.charts.wording import file_stem
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.combo import fill
from medfm_gui.ui.pages.datasets.flow_drawing import FlowDrawing, as_bytes, draw, drawing_font, set_out
from medfm_gui.ui.pages.datasets.wording import split_title
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, choice
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.flow import Flow


class FlowCanvas(QWidget):
    """Draws a flow at its own size; what it says is its accessible description."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flow: Flow | None = None
        self._drawing: FlowDrawing | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Flow of images")

    @property
    def flow(self) -> Flow | None:
        """What is drawn."""
        return self._flow

    def set_flow(self, flow: Flow) -> None:
        """Draw another flow."""
        self._flow = flow
        self._drawing = set_out(flow, drawing_font())
        self.setFixedSize(self.sizeHint())
        self.setAccessibleDescription(". ".join(said(flow))[:2000])
        self.update()

    def sizeHint(self) -> QSize:
        """As large as the drawing."""
        return self._drawing.size.toSize() + QSize(1, 1) if self._drawing is not None else QSize(0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        if self._drawing is not None:
            painter = QPainter(self)
            draw(painter, self._drawing, themes.current(), drawing_font())

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()


def said(flow: Flow) -> list[str]:
    """The flow in sentences."""
    lines = []
    for step in (*flow.steps, *flow.partitions):
        lost = "".join(f", {loss.number:,} left out: {loss.reason}" for loss in step.lost)
        lines.append(f"{step.name}: {step.number:,}{lost}")
    return lines


class FlowTab(QWidget):
    """Where the images of a dataset went."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._newest = Newest(context.desk, self)
        self._dataset: DatasetRow | None = None
        self.splits = choice([("The whole dataset", "")])
        self.splits.setAccessibleName("Down to the partitions of")
        self.splits.currentIndexChanged.connect(self._ask)
        self.export = action("Export", "export", "quiet")
        menu = QMenu(self)
        for name, caption in FORMATS.items():
            menu.addAction(caption).triggered.connect(partial(self._export, name))
        self.export.setMenu(menu)
        self.canvas = FlowCanvas()
        self._note = Label("", "caption")
        self._lay_out()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(SPACE[2])
        bar.addWidget(Label("Partitions of", "muted", wrap=False))
        bar.addWidget(self.splits, 1)
        bar.addStretch(1)
        bar.addWidget(self.export)
        inside = QWidget()
        inside.setProperty("role", "page")
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Flow of images")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, SPACE[1], 0, SPACE[2])
        column.setSpacing(SPACE[3])
        column.addWidget(self.canvas)
        column.addWidget(self._note)
        column.addStretch(1)
        self.pane = StatePane(scroll)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, SPACE[3], 0, 0)
        down.setSpacing(SPACE[2])
        down.addLayout(bar)
        down.addWidget(self.pane, 1)

    def show_dataset(self, dataset: DatasetRow, splits: Sequence[SplitRow]) -> None:
        """Show a dataset with its newest split."""
        same = self._dataset is not None and self._dataset.id == dataset.id
        known = {self.splits.itemData(place) for place in range(self.splits.count())}
        fresh = [row.id for row in splits if row.id not in known]
        kept = self.splits.currentData() if same and not fresh else splits[-1].id if splits else ""
        self._dataset = dataset
        rows = [(split_title(row), row.id) for row in reversed(splits)]
        fill(self.splits, [("The whole dataset", ""), *rows], kept)
        if not same or fresh or self.pane.state != "content":
            self._ask()

    def _ask(self) -> None:
        if self._dataset is not None:
            self.pane.show_busy("Counting")
            self._newest.ask(
                DescribeFlow(self._dataset.id, str(self.splits.currentData() or "")), self._take, self._refused
            )

    def _take(self, flow: Flow) -> None:
        self.canvas.set_flow(flow)
        self._note.setText(flow.note)
        self.pane.show_content()

    def _refused(self, error: MedfmError) -> None:
        self.pane.show_error(error, "Try again", self._ask)

    def _export(self, kind: str) -> None:
        flow = self.canvas.flow
        if flow is None:
            return
        name = f"{file_stem(flow.title)}.{kind}"
        path, _ = QFileDialog.getSaveFileName(self, "Export the flow", name, f"{FORMATS[kind]} (*.{kind})")
        if path:
            self.write(kind, path)

    def write(self, kind: str, path: str) -> None:
        """Have the desk write what is shown as a file."""
        flow = self.canvas.flow
        if flow is not None:
            drawn = b"" if kind == "csv" else as_bytes(flow, kind)
            self._context.desk.ask(
                ExportFlow(flow.dataset, flow.split, path, drawn), owner=self, then=self._written, failed=self._refused
            )

    def _written(self, answer: WrittenFile) -> None:
        self._context.say(f"“{answer.path}” was written.", "good")

"""How a heat map lies over the picture: whose, shown or not, how strong; what it is; and a copy for the archive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.desk.asks.studies import HeatMapAnswer, RunSaid
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import InternalError
from medfm_gui.domain.explain import explanation
from medfm_gui.ui import icons
from medfm_gui.ui.pages.studies.explaining import method_field, title_of
from medfm_gui.ui.pages.studies.wording import is_below, line
from medfm_gui.ui.pages.studies.work import Work
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.viewer.image import HeatMap
from medfm_gui.ui.viewer.viewer import Viewer
from medfm_gui.ui.widgets.forms import disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import Label, escape_mnemonic

_COLOURS = 256 * 3


class HeatPanel(Panel):
    """Controls of the overlay; off at first.

    Signals:
        chosen(RunSaid, str): another run's map is wanted, or one that is made in another way.
        cancelled(): the map that is being made is wanted no more.
        slice_wanted(): go to the image that was explained.
        export_wanted(): a Secondary Capture is wanted.
    """

    chosen = Signal(object, str)
    cancelled = Signal()
    slice_wanted = Signal()
    export_wanted = Signal()

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__("Heat map", parent=parent)
        self._viewer = viewer
        self._said: tuple[RunSaid, ...] = ()
        self.switch = Switch("Show")
        self.switch.setAccessibleName("Show the heat map over the picture")
        self.runs = QComboBox()
        self.method = method_field(with_none=False)
        self.work = Work(self.cancelled.emit)
        self.blank = Label("", "warning")
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.percent = Label("", "muted", wrap=False)
        self.follow = QCheckBox("Opacity follows the value")
        self.note = Label("", "caption")
        self.worth = Label("", "caption")
        self.go = QPushButton("Go to the explained image")
        self.export = QPushButton("Export Secondary Capture …")
        self._build()
        self._connect()
        self._follow_viewer()

    def _build(self) -> None:
        self.add_to_corner(self.switch)
        self.switch.setMinimumWidth(self.switch.sizeHint().width() + SPACE[0])  # its words are a fraction wider
        self.runs.setAccessibleName("Whose map is shown")
        self.runs.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.runs.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.opacity.setRange(5, 100)
        self.opacity.setPageStep(10)
        self.opacity.setAccessibleName("Opacity of the heat map in percent")
        for button, icon in ((self.go, "image"), (self.export, "export")):
            button.setProperty("role", "quiet")
            icons.put(button, icon)
        row = QWidget()
        across = QHBoxLayout(row)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(SPACE[1])
        across.addWidget(Label("Opacity", "muted", wrap=False))
        across.addWidget(self.opacity, 1)
        across.addWidget(self.percent)
        buttons = QWidget()
        down = QVBoxLayout(buttons)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(SPACE[0])
        for button in (self.go, self.export):
            down.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self.method.setAccessibleName("How the map is made")
        for widget in (self.runs, self.method, self.work, self.blank, row, self.follow, self.note, self.worth, buttons):
            self.add(widget)
        self.blank.hide()

    def _connect(self) -> None:
        self.switch.toggled.connect(lambda _: self._lay_over())
        self.opacity.valueChanged.connect(lambda _: self._lay_over())
        self.follow.toggled.connect(lambda _: self._lay_over())
        self.runs.activated.connect(lambda _: self._choose())
        self.method.activated.connect(lambda _: self._explain())
        self.go.clicked.connect(self.slice_wanted)
        self.export.clicked.connect(self.export_wanted)
        self._viewer.overlay_changed.connect(self._follow_viewer)

    @property
    def said(self) -> RunSaid | None:
        """The answer whose map is chosen."""
        at = self.runs.currentIndex()
        return self._said[at] if 0 <= at < len(self._said) else None

    def set_answers(self, said: Sequence[RunSaid]) -> None:
        """Offer the maps of these answers; without one the panel is not there."""
        was = self.said
        self._said = tuple(one for one in said if one.has_map)
        self.runs.clear()
        for one in self._said:
            target = f" · {line(one.map_target, 40)}" if one.map_target else ""
            self.runs.addItem(escape_mnemonic(f"{line(one.title, 60)}{target}").replace("&&", "&"))
        runs = [one.run for one in self._said]
        if was is not None and was.run in runs:
            self.runs.setCurrentIndex(runs.index(was.run))
        self.setVisible(bool(self._said))
        self.runs.setVisible(len(self._said) > 1)
        if self.said is not None:
            self._choose()
        else:
            self._viewer.set_heat_map(None)

    def tell(self, said: RunSaid, answer: HeatMapAnswer) -> None:
        """What is to be known of the map that is shown."""
        self._show_method(answer.method or said.method)
        reason = f"{answer.reason[:1].upper()}{answer.reason[1:]}".rstrip(".")
        if answer.is_blank and answer.rows:
            about = f" for “{line(answer.target, 60)}”" if answer.target and is_class_specific(answer.method) else ""
            reason = f"{reason or 'The map is empty'}{about}"
        self.blank.setText(f"{reason}." if reason else "")
        self.blank.setVisible(bool(reason))
        self.note.setText(answer.note)
        self.note.setVisible(bool(answer.note))
        is_kept = answer.method == said.method
        disable(self.export, "" if is_kept else "This map is not kept: predict again with it to export it.")
        self.worth.setText(_worth(said) if is_kept else "")
        self.worth.setVisible(bool(self.worth.text()))

    def show_progress(self, progress: Progress | None) -> None:
        """How far a map is; None when none is being made."""
        self.work.tell(progress)
        self.method.setEnabled(progress is None)
        if progress is not None:
            self.blank.hide()

    def _choose(self) -> None:
        if self.said is not None:
            self._show_method(self.said.method)
            self.chosen.emit(self.said, self.said.method)

    def _explain(self) -> None:
        if self.said is not None:
            self.chosen.emit(self.said, str(self.method.currentData()))

    def _show_method(self, method: str) -> None:
        at = self.method.findData(method)
        if at >= 0:
            self.method.setCurrentIndex(at)

    def _lay_over(self) -> None:
        self._viewer.set_overlay(
            self.opacity.value() / 100, follow_value=self.follow.isChecked(), shown=self.switch.isChecked()
        )

    def _follow_viewer(self) -> None:
        """Keys change the overlay too."""
        now = self._viewer.overlay
        for control in (self.switch, self.opacity, self.follow):
            control.blockSignals(True)
        self.switch.setChecked(now.shown)
        self.opacity.setValue(round(now.opacity * 100))
        self.follow.setChecked(now.follow_value)
        for control in (self.switch, self.opacity, self.follow):
            control.blockSignals(False)
        self.percent.setText(f"{round(now.opacity * 100)} %")
        self.switch.update()


def heat_map(answer: HeatMapAnswer, said: RunSaid, frame: int) -> HeatMap:
    """What the viewer lays over a frame.

    Raises:
        InternalError: the answer does not hold what it says.
    """
    pixels = answer.rows * answer.columns
    if not pixels or len(answer.payload) != 4 * pixels + _COLOURS:
        raise InternalError("The heat map cannot be drawn: it came incomplete.", "Predict the study again.")
    values = np.frombuffer(answer.payload, np.float32, pixels).reshape(answer.rows, answer.columns)
    colours = np.frombuffer(answer.payload, np.uint8, _COLOURS, 4 * pixels).reshape(256, 3)
    note = ""
    if is_below(said) and said.threshold is not None:
        note = f"{line(said.map_target, 60)} lies below the threshold {said.threshold:.2f}: shown because you asked."
    if answer.is_blank:
        note = f"{answer.reason[:1].upper()}{answer.reason[1:]}" or "The map is empty"
    target = line(answer.target, 60) if is_class_specific(answer.method) else ""
    label = ", ".join(part for part in (title_of(answer.method), target, line(said.title, 60)) if part)
    return HeatMap(values, frame, label, colours, threshold_note=note)


def is_class_specific(method: str) -> bool:
    """Whether such a map speaks of one class."""
    card = explanation(method)
    return card is None or card.class_specific


def _worth(said: RunSaid) -> str:
    """What is known of this run's maps."""
    if said.checks:
        return "Maps of this run: " + " ".join(line(sentence, 400) for sentence in said.checks.values())
    return "The maps of this run were not checked yet: see “Maps” among the run's details."

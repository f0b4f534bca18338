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
from medfm_gui.domain.errors import InternalError
from medfm_gui.ui import icons
from medfm_gui.ui.pages.studies.wording import is_below, line
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.viewer.image import HeatMap
from medfm_gui.ui.viewer.viewer import Viewer
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import Label, escape_mnemonic

_COLOURS = 256 * 3


class HeatPanel(Panel):
    """Controls of the overlay; off at first.

    Signals:
        chosen(RunSaid): another run's map is wanted.
        slice_wanted(): go to the image that was explained.
        export_wanted(): a Secondary Capture is wanted.
    """

    chosen = Signal(object)
    slice_wanted = Signal()
    export_wanted = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__("Heat map")
        self._viewer = viewer
        self._said: tuple[RunSaid, ...] = ()
        self.switch = Switch("Show")
        self.switch.setAccessibleName("Show the heat map over the picture")
        self.runs = QComboBox()
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.percent = Label("", "muted", wrap=False)
        self.follow = QCheckBox("Opacity follows the value")
        self.note = Label("", "caption")
        self.go = QPushButton("Go to the explained image")
        self.export = QPushButton("Export Secondary Capture …")
        self._build()
        self._connect()
        self._follow_viewer()

    def _build(self) -> None:
        self.add_to_corner(self.switch)
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
        for widget in (self.runs, row, self.follow, self.note, buttons):
            self.add(widget)

    def _connect(self) -> None:
        self.switch.toggled.connect(lambda _: self._lay_over())
        self.opacity.valueChanged.connect(lambda _: self._lay_over())
        self.follow.toggled.connect(lambda _: self._lay_over())
        self.runs.activated.connect(self._choose)
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

    def _choose(self) -> None:
        if self.said is not None:
            self.note.setText(self.said.map_note)
            self.note.setVisible(bool(self.said.map_note))
            self.chosen.emit(self.said)

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
    label = ", ".join(part for part in ("Grad-CAM", line(answer.target, 60), line(said.title, 60)) if part)
    return HeatMap(values, frame, label, colours, threshold_note=note)

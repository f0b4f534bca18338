"""How a heat map is laid over the picture: shown or not, how strongly, and whether the value makes it stronger."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.viewer.viewer import Viewer
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import Label


class HeatControls(QWidget):
    """For one viewer; off, and out of reach, where it has no map."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.shown = Switch("Heat map")
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setPageStep(10)
        self.opacity.setAccessibleName("Opacity of the heat map, per cent")
        self._percent = Label("", "caption", wrap=False)
        self.follow = QCheckBox("Opacity follows the value")
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(self.shown)
        row.addWidget(self.opacity, 1)
        row.addWidget(self._percent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addLayout(row)
        column.addWidget(self.follow)
        self.shown.toggled.connect(self._choose)
        self.opacity.valueChanged.connect(self._choose)
        self.follow.toggled.connect(self._choose)
        viewer.overlay_changed.connect(self._tell)
        self._tell()

    def _choose(self) -> None:
        self._viewer.set_overlay(
            self.opacity.value() / 100, follow_value=self.follow.isChecked(), shown=self.shown.isChecked()
        )

    def _tell(self) -> None:
        """Show what the viewer does."""
        overlay = self._viewer.overlay
        blocked = [QSignalBlocker(one) for one in (self.shown, self.opacity, self.follow)]
        self.shown.setChecked(overlay.shown)
        self.opacity.setValue(round(100 * overlay.opacity))
        self.follow.setChecked(overlay.follow_value)
        for one in blocked:
            one.unblock()
        self._percent.setText(f"{round(100 * overlay.opacity)} %")
        there = self._viewer.heat_map is not None
        self.shown.setEnabled(there)
        self.opacity.setEnabled(there and overlay.shown)
        self.follow.setEnabled(there and overlay.shown)

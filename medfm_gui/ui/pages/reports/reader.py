"""The pages of a report with what moves and sizes them above."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui.pages.reports.paper import Paper
from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.text import Label, tip

_PLACE_PX: Final = SPACE[5] * 4
_ZOOM_PX: Final = SPACE[4] * 2


class Reader(QWidget):
    """Pages, where one is, and how large they are.

    Signals:
        zoom_changed(float): a zoom was chosen; 0 for the width of the view.
    """

    zoom_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.paper = Paper()
        self.title = Label("", "muted", elide=Qt.TextElideMode.ElideRight)
        self.place = Label("", wrap=False)
        self.place.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.place.setFont(figures_font())
        self.place.setMinimumWidth(_PLACE_PX)
        self.size_label = Label("", wrap=False)
        self.size_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.size_label.setFont(figures_font())
        self.size_label.setMinimumWidth(_ZOOM_PX)
        self.back = _tool("chevron-up", "Previous page", lambda: self.turn(-1))
        self.forth = _tool("chevron-down", "Next page", lambda: self.turn(1))
        self.smaller = _tool("minus", "Zoom out", lambda: self.zoom(-1))
        self.larger = _tool("plus", "Zoom in", lambda: self.zoom(1))
        self.fit = _tool("fit", "Fit the width", self.fit_width)
        self.fit.setCheckable(True)
        self.paper.place_changed.connect(self._tell_place)
        self.paper.zoom_changed.connect(self._tell_zoom)
        self._build()

    def _build(self) -> None:
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(SPACE[3], SPACE[1], SPACE[3], SPACE[1])
        row.setSpacing(SPACE[0])
        row.addWidget(self.title, 1)
        for widget in (self.back, self.place, self.forth):
            row.addWidget(widget)
        row.addSpacing(SPACE[3])
        for widget in (self.smaller, self.size_label, self.larger, self.fit):
            row.addWidget(widget)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(bar)
        whole.addWidget(self.paper, 1)

    def show_pdf(self, title: str, data: bytes, *, keep_place: bool = False) -> None:
        """Show pages under a title."""
        self.title.setText(title)
        self.paper.show_pdf(data, keep_place=keep_place)

    def turn(self, pages: int) -> None:
        """Go on or back by pages."""
        self.paper.go_to(min(max(self.paper.page + pages, 1), self.paper.pages))

    def zoom(self, steps: int) -> None:
        """Larger or smaller."""
        self.paper.zoom_by(steps)
        self.zoom_changed.emit(self.paper.zoom)

    def fit_width(self) -> None:
        """As wide as the view."""
        self.paper.fit_width()
        self.fit.setChecked(True)
        self.zoom_changed.emit(0.0)

    def _tell_place(self, page: int, pages: int) -> None:
        self.place.setText(f"Page {page} of {pages}" if pages else "")
        self.back.setEnabled(page > 1)
        self.forth.setEnabled(page < pages)

    def _tell_zoom(self, zoom: float, fits: bool) -> None:
        self.size_label.setText(f"{zoom:.0%}".replace("%", " %"))
        self.fit.setChecked(fits)


def _tool(icon: str, name: str, act: object) -> QToolButton:
    button = QToolButton()
    button.setProperty("role", "quiet")
    button.setIcon(icons.icon(icon))
    button.setAccessibleName(name)
    tip(button, name)
    button.clicked.connect(act)
    return button

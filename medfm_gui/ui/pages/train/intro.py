"""What stands on the page before a plan is begun: what a training is, its six steps, and the ladder of adaptation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.ui.pages.train.rules import TITLES
from medfm_gui.ui.pages.train.ways import RUNGS
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label

_WIDEST_PX: Final = SPACE[-1] * 44
_STEPS: Final = (
    "The images to learn from, with their reference standard.",
    "Patients are kept whole; the leak gate compares the sides; the test is sealed.",
    "One or several foundation models, and baselines beside them.",
    "How far each of them is adapted: the rungs of the ladder.",
    "Seeds, device and settings; sensible values are there already.",
    "Time, memory and disk, measured on this computer before anything starts.",
)


class Introduction(QScrollArea):
    """What a training is, with the button that begins one."""

    def __init__(self, begin: Callable[[], None], resume: Callable[[], None]) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole = QWidget()
        whole.setProperty("role", "page")
        self.setWidget(whole)  # before it is filled: it is measured and styled at once
        new = action("New training", "plus", "primary")
        new.clicked.connect(begin)
        self._resume = action("Go on with the plan", "chevron-right")
        self._resume.clicked.connect(resume)
        self._resume.hide()
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE[2])
        buttons.addWidget(new)
        buttons.addWidget(self._resume)
        buttons.addStretch(1)
        panels = QHBoxLayout()
        panels.setSpacing(SPACE[3])
        panels.addWidget(_listed("Six steps", zip(TITLES, _STEPS, strict=True)), 1)
        panels.addWidget(_listed("The ladder of adaptation", _ladder()), 1)
        middle = QWidget()
        middle.setMaximumWidth(_WIDEST_PX)
        column = QVBoxLayout(middle)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        column.setSpacing(SPACE[3])
        column.addWidget(Label("Train", "heading1"))
        column.addWidget(
            Label(
                "Choose images, a split, foundation models and ways to adapt them. Every combination becomes a run on "
                "the same frozen split, so that differences can be tested. The test side stays sealed until opened.",
                "muted",
            )
        )
        column.addLayout(buttons)
        column.addSpacing(SPACE[1])
        column.addLayout(panels)
        column.addStretch(1)
        across = QHBoxLayout(whole)
        across.setContentsMargins(0, 0, 0, 0)
        across.addWidget(middle)  # in the middle of what is wider than it
        new.setFocus()

    def offer_to_resume(self, possible: bool) -> None:
        """Whether a plan was begun."""
        self._resume.setVisible(possible)


def _ladder() -> Iterable[tuple[str, str]]:
    """The rungs with their ways."""
    for rung in RUNGS:
        for way in rung.ways:
            yield way.title, f"{rung.title}: {way.gist}."


def _listed(title: str, rows: Iterable[tuple[str, str]]) -> Panel:
    """Numbered names, each with its sentence."""
    panel = Panel(title)
    grid = QGridLayout()
    grid.setHorizontalSpacing(SPACE[3])
    grid.setVerticalSpacing(SPACE[0])
    grid.setColumnStretch(1, 1)
    for number, (name, sentence) in enumerate(rows):
        mark = Label(str(number + 1), "chip", wrap=False)
        mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        mark.setFixedWidth(SPACE[4])
        grid.addWidget(mark, 3 * number, 0, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(Label(name), 3 * number, 1)
        grid.addWidget(Label(sentence, "muted"), 3 * number + 1, 1)
        grid.setRowMinimumHeight(3 * number + 2, SPACE[1])
    panel.body.addLayout(grid)
    panel.body.addStretch(1)
    return panel

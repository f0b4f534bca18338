"""What is in this workspace: counts with a way to each page, and what was done last."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from medfm_gui.desk.asks.home import Overview
from medfm_gui.domain.units import counted
from medfm_gui.ui.pages.home import model
from medfm_gui.ui.pages.home.tiles import CountTile
from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label

_PAGES = (("datasets", "Datasets"), ("runs", "Runs"), ("studies", "Studies"), ("reports", "Reports"))


class NextPanel(Panel):
    """The one thing to do next, with its button.

    Signals:
        chosen(NextStep): it is wanted.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setProperty("role", "banner")
        self._step: model.NextStep | None = None
        self._title = Label("", "heading3")
        self._text = Label("", "muted")
        self.button = action("", role="primary")
        self.button.clicked.connect(self._go)
        words = QWidget()
        column = QGridLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setVerticalSpacing(SPACE[0])
        column.addWidget(Label("Next", "caption", wrap=False), 0, 0)
        column.addWidget(self._title, 1, 0)
        column.addWidget(self._text, 2, 0)
        row = QHBoxLayout()
        row.setSpacing(SPACE[4])
        row.addWidget(words, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.body.addLayout(row)

    def tell(self, step: model.NextStep) -> None:
        """Offer another step."""
        self._step = step
        self._title.setText(step.title)
        self._text.setText(step.text)
        self.button.setText(step.button)
        self.setAccessibleName(f"Next: {step.title}")

    def _go(self) -> None:
        if self._step is not None:
            self.chosen.emit(self._step)


class OverviewPanel(Panel):
    """Counts of the workspace.

    Signals:
        chosen(str): the page of that key is wanted.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("This workspace", parent=parent)
        self._place = Label("", "caption", elide=Qt.TextElideMode.ElideMiddle)
        self.add(self._place)
        self.tiles = {key: CountTile(title, key) for key, title in _PAGES}
        grid = QGridLayout()
        grid.setSpacing(SPACE[1])
        for at, (key, tile) in enumerate(self.tiles.items()):
            tile.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            grid.addWidget(tile, 0, at)
            grid.setColumnStretch(at, 1)
        self.body.addLayout(grid)

    def tell(self, seen: Overview) -> None:
        """Show these counts."""
        self._place.setText(seen.root)
        images = counted(seen.images, "image") if seen.datasets else "none yet"
        patients = counted(seen.patients, "patient") if seen.patients else ""
        self.tiles["datasets"].tell(seen.datasets, images, patients)
        self.tiles["runs"].tell(seen.runs, *_of_runs(seen))
        self.tiles["studies"].tell(
            seen.studies, counted(seen.predictions, "prediction") if seen.studies else "none yet"
        )
        self.tiles["reports"].tell(seen.reports, "PDF" if seen.reports else "none yet")

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons again in another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            for tile in getattr(self, "tiles", {}).values():
                tile.redraw()


def _of_runs(seen: Overview) -> tuple[str, str]:
    """What is not over, then what is; one line where the other would be empty."""
    now = _joined((seen.runs_running, "running"), (seen.runs_queued, "waiting"))
    over = _joined((seen.runs_finished, "finished"), (seen.runs_failed, "failed"))
    if not now and seen.runs_cancelled:
        return (over, f"{seen.runs_cancelled} cancelled") if over else (f"{seen.runs_cancelled} cancelled", "")
    return (now, over) if now else (over or "none yet", "")


def _joined(*parts: tuple[int, str]) -> str:
    return ", ".join(f"{count} {word}" for count, word in parts if count)


class ActivityPanel(Panel):
    """The last lines of the journal, newest first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Last activity", parent=parent)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE[3])
        self._grid.setVerticalSpacing(SPACE[1])
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[Label, Label]] = []
        self._nothing = Label("Nothing has been done in this workspace yet.", "muted")
        self.add(self._nothing)
        self.body.addLayout(self._grid)

    @property
    def lines(self) -> tuple[str, ...]:
        """What is shown."""
        return tuple(said.text() for _, said in self._rows if not said.isHidden())

    def tell(self, seen: Overview, now: datetime) -> None:
        """Show these lines."""
        self._nothing.setVisible(not seen.journal)
        while len(self._rows) < len(seen.journal):
            self._add()
        for at, (moment, said) in enumerate(self._rows):
            is_used = at < len(seen.journal)
            moment.setVisible(is_used)
            said.setVisible(is_used)
            if is_used:
                moment.setText(model.when(seen.journal[at].at, now))
                said.setText(model.sentence(seen.journal[at]))

    def _add(self) -> None:
        moment, said = Label("", "muted", wrap=False), Label("", elide=Qt.TextElideMode.ElideRight)
        moment.setFont(figures_font())
        self._grid.addWidget(moment, len(self._rows), 0)
        self._grid.addWidget(said, len(self._rows), 1)
        self._rows.append((moment, said))

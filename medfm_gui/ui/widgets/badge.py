"""The state of a run as an icon and a word, never as a colour alone."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from medfm_gui.domain.run import Phase
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.sign import Sign
from medfm_gui.ui.widgets.text import Label

LOOKS: Final[dict[Phase, tuple[str, str, str]]] = {
    Phase.QUEUED: ("clock", "muted", "Waiting"),
    Phase.RUNNING: ("play", "accent", "Running"),
    Phase.PAUSED: ("pause", "warn", "Paused"),
    Phase.FINISHED: ("check", "good", "Finished"),
    Phase.FAILED: ("error", "bad", "Failed"),
    Phase.CANCELLED: ("stop", "muted", "Cancelled"),
}
"""Icon, colour of the theme, and word of each state; for cells of tables too."""

_ICON_PX: Final = SPACE[3]


class Badge(QWidget):
    """Shows the state of a run."""

    def __init__(self, phase: Phase = Phase.QUEUED, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._phase = phase
        self._icon = Sign(size_px=_ICON_PX)
        self._word = Label("", wrap=False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[0] + 2)
        row.addWidget(self._icon)
        row.addWidget(self._word)
        self.set_phase(phase)

    @property
    def phase(self) -> Phase:
        """The state that is shown."""
        return self._phase

    def set_phase(self, phase: Phase) -> None:
        """Show another state."""
        self._phase = phase
        icon, colour, word = LOOKS[phase]
        self._icon.set_icon(icon, colour)
        self._word.setText(word)
        self._word.set_role({"warn": "warning"}.get(colour, colour))
        self.setAccessibleName(f"State: {word}")

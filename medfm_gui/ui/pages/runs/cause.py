"""Why a run stopped and what to do: the panel over the details of a run that failed, waits or was paused."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from medfm_gui.desk.asks.runs import RunItem
from medfm_gui.domain.run import Phase
from medfm_gui.ui import icons
from medfm_gui.ui.advice import window_words
from medfm_gui.ui.pages.runs.deeds import READ_ONLY, Remedy, can_resume, remedy
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import disable
from medfm_gui.ui.widgets.text import Label, set_role


class CausePanel(QFrame):
    """What happened, what to do, one button.

    Signals:
        wanted(str): a verb of ``deeds``, or ``weights`` for the weights in Settings.
    """

    wanted = Signal(str)

    def __init__(self, *, is_read_only: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bad")
        self.setAccessibleName("Why it stopped and what to do")
        self._is_read_only = is_read_only
        self._remedy = Remedy("", "")
        self.message = Label()
        self.hint = Label("", "muted")
        self.button = QPushButton()
        self.button.clicked.connect(lambda: self.wanted.emit(self._remedy.verb))
        words = QVBoxLayout()
        words.setSpacing(SPACE[0])
        words.addWidget(self.message)
        words.addWidget(self.hint)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[3], SPACE[1], SPACE[2], SPACE[1])
        row.setSpacing(SPACE[3])
        row.addLayout(words, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.hide()

    def tell(self, item: RunItem | None) -> None:
        """Speak of this run, or hide where there is nothing to say."""
        state = item.row.state if item else None
        if item is None or state is None:
            self.hide()
        elif state.phase is Phase.FAILED:
            self._say("bad", state.message or "The run failed.", state.hint, remedy(item))
        elif state.phase is Phase.PAUSED and not item.is_supervised:
            self._say("warning", "The run is paused.", "It goes on to the same result.", Remedy("Resume", "resume"))
        elif state.phase is Phase.QUEUED and can_resume(item):
            self._say("warning", state.message or "Nobody has started it yet.", "", Remedy("Start", "resume"))
        else:
            self.hide()

    def _say(self, role: str, message: str, hint: str, offered: Remedy) -> None:
        self._remedy = offered
        set_role(self, role)
        self.message.setText(message)
        self.hint.setText(window_words(hint))
        self.hint.setVisible(bool(hint))
        self.button.setText(offered.caption)
        icons.put(self.button, _ICONS[offered.verb])
        if self._is_read_only and offered.verb != "weights":
            disable(self.button, READ_ONLY)
        self.show()


_ICONS = {"resume": "play", "retry": "retry", "clone": "clone", "weights": "settings"}

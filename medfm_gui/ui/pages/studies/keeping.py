"""A run that kept no training images to compare with: a button that has them made, how far that is, and Cancel."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medfm_gui.desk.asks.studies import KeepSimilar, RunSaid, SimilarKept
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.studies.work import Work
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.text import Label, tip

_WHY = (
    "This run kept no training images to compare with. They can be had now: its training images are looked at once "
    "more, and the model stays as it is."
)
_WHAT = "Have the training images looked at, then score this image again to show the nearest"


class KeepRow(QWidget):
    """Offers to make what is missing; asks one run at a time.

    Signals:
        kept(str, str): a run has its training images now; the prediction from which that was asked.
    """

    kept = Signal(str, str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._said: RunSaid | None = None
        self._asked: RunSaid | None = None
        self._ticket: Ticket | None = None
        self.words = Label(_WHY, "muted")
        self.button = action("Compute similar cases", "search")
        self.button.clicked.connect(self.compute)
        self.work = Work(self.cancel)
        self.notice = Notice()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        for part in (self.words, self.work, self.notice):
            column.addWidget(part)
        column.insertWidget(1, self.button, 0, Qt.AlignmentFlag.AlignLeft)

    def offer(self, said: RunSaid | None) -> None:
        """What is missing is missing of this answer's run; None: nothing is."""
        if said is None or self._said is None or said.run != self._said.run:
            self.notice.hide()
        self._said = said
        self.setVisible(said is not None)
        self._tell()

    def compute(self) -> None:
        """Have it made."""
        if self._said is None or self._asked is not None:
            return
        self.notice.hide()
        self._asked = self._said
        self._progress(Progress("Waiting for a worker"))
        self._tell()
        self._ticket = self._context.desk.ask(
            KeepSimilar(self._asked.run), owner=self, then=self._came, failed=self._failed, progress=self._progress
        )

    def cancel(self) -> None:
        """Give it up."""
        if self._ticket is not None:
            self._ticket.cancel()

    def _tell(self) -> None:
        """Another run waits until this one has its own."""
        asked, said = self._asked, self._said
        is_own = asked is not None and said is not None and asked.run == said.run
        self.button.setVisible(not is_own)
        self.work.setVisible(is_own)
        disable(self.button, f"The similar cases of {asked.run} are being computed." if asked is not None else "")
        if asked is None:
            tip(self.button, _WHAT)

    def _progress(self, progress: Progress) -> None:
        self.work.tell(progress)
        self._tell()

    def _over(self) -> RunSaid | None:
        asked, self._asked, self._ticket = self._asked, None, None
        self.work.tell(None)
        self._tell()
        return asked

    def _came(self, answer: SimilarKept) -> None:
        asked = self._over()
        if asked is not None:
            self.kept.emit(answer.run, asked.prediction)

    def _failed(self, error: MedfmError) -> None:
        self._over()
        if not isinstance(error, Interrupted):
            self.notice.tell(error.message, error.hint, role="bad")

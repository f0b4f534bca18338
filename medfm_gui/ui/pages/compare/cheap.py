"""What the overview says of the two cheap models: how far they are, and which runs are not shown to beat them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from medfm_gui.desk.asks.compare_outside import Baselines
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.text import Label

_MOST_SENTENCES = 2
_DOING = "Two cheap models are made for comparison: on covariates alone, and on 32-pixel thumbnails"


class CheapLine(QWidget):
    """Progress, then a warning where there is one to give, and what the cheap models looked at."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.work = ProgressRow()
        self.notice = Notice()
        self.about = Label("", "caption")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        for part in (self.work, self.notice, self.about):
            column.addWidget(part)
        self.clear()

    def clear(self) -> None:
        """Nothing is known of these runs yet."""
        for part in (self.work, self.notice, self.about):
            part.hide()
        self.hide()

    def wait(self, stop: Callable[[], object]) -> None:
        """They are being made."""
        self.clear()
        self.work.tell(_DOING)
        self.work.on_cancel(stop)
        self.work.show()
        self.show()

    def progress(self, news: Progress) -> None:
        """How far they are."""
        self.work.tell(news.text, news.total, news.done, news.seconds_left)

    def tell(self, answer: Baselines) -> None:
        """Say what was found."""
        self.clear()
        said = answer.file.sentences
        if said:
            if len(said) > _MOST_SENTENCES:
                self.notice.tell(_summary(answer), "The differences with their intervals stand under “Tests”.")
            else:
                self.notice.tell("\n".join(said))
        made = [one for one in answer.file.baselines if one.evaluations]
        lines = [f"{one.title[:1].upper()}{one.title[1:]}: {one.note}." for one in answer.file.baselines]
        if made and not said:
            lines.insert(0, f"Every run is shown to beat {'both cheap models' if len(made) > 1 else 'it'}.")
        self.about.setText(" ".join(lines))
        self.about.setVisible(bool(lines))
        self.setVisible(bool(lines or said))

    def fail(self, error: MedfmError, again: Callable[[], object]) -> None:
        """Say why they could not be made."""
        self.clear()
        if isinstance(error, Interrupted):
            self.notice.tell("The cheap models were not made.", deeds=[("Make them", again)])
        else:
            self.notice.tell(
                f"The cheap models could not be made: {error.message}", error.hint, deeds=[("Try again", again)]
            )
        self.show()


def _summary(answer: Baselines) -> str:
    """Which runs do not beat which of them, in a line each."""
    titles = {one.name: one.title for one in answer.file.baselines}
    lines = []
    for name, title in titles.items():
        runs = tuple(dict.fromkeys(run for run, other in answer.unbeaten if other == name))
        if runs:
            verb = "is" if len(runs) == 1 else "are"
            lines.append(f"{wording.listed(runs)} {verb} not shown to beat a model on {title}.")
    return "\n".join((*lines, "What they score may come from how, where or of whom the image was taken."))

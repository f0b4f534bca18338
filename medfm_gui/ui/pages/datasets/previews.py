"""The strip over the grid of a dataset whose small pictures were let go to save space: they can be made again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import MakePreviews, PreviewsMade
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.progress import ProgressRow

AGAIN = "Make the previews again"
_GONE = "The pixels of these images are not there, so the grid has no pictures."
_WHY = (
    "They are let go when the images of a workspace take more room than the settings allow, and can be made again from "
    "the files that the dataset was imported from."
)


class Previews(QWidget):
    """Nothing, an offer, or how far the making is.

    Signals:
        made(): the pictures are there again.
    """

    made = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._dataset = ""
        self._newest = Newest(context.desk, self)
        self.notice = Notice()
        self.progress = ProgressRow()
        self.progress.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.notice)
        column.addWidget(self.progress)

    @property
    def is_making(self) -> bool:
        """Whether the desk decodes just now."""
        return not self.progress.isHidden()

    def show_dataset(self, dataset: str) -> None:
        """Another dataset, of which nothing is known to be missing."""
        if dataset != self._dataset:
            self.stop()
            self._dataset = dataset
            self.notice.hide()

    def offer(self, why: str = "") -> None:
        """Say that the pictures are gone; ``why`` in words of the desk."""
        if self.is_making or not self.notice.isHidden():
            return
        deeds: list[tuple[str, Callable[[], object]]] = [] if self._context.is_read_only else [(AGAIN, self.make)]
        self.notice.tell(_GONE, READ_ONLY if self._context.is_read_only else _WHY, deeds=deeds)
        self.notice.setAccessibleDescription(why)

    def make(self) -> None:
        """Have them made."""
        if not self._dataset or self.is_making:
            return
        self.notice.hide()
        self.progress.show()
        self._told(Progress(AGAIN))
        self.progress.on_cancel(self.stop)
        self._newest.ask(MakePreviews(self._dataset), self._there, self._refused, self._told)

    def stop(self) -> None:
        """Give up; what was decoded so far is gone on from another time."""
        was_making = self.is_making
        self._newest.cancel()
        self.progress.hide()
        if was_making:
            self.offer()

    def _told(self, news: Progress) -> None:
        self.progress.tell(news.text, news.total, news.done, news.seconds_left)

    def _there(self, found: PreviewsMade) -> None:
        self.progress.hide()
        self.notice.hide()
        if found.images:
            self._context.say(f"{counted(found.images, 'preview')} made again.", "good")
        self.made.emit()

    def _refused(self, error: MedfmError) -> None:
        self.progress.hide()
        if isinstance(error, Interrupted):
            self.offer()
        else:
            self.notice.tell(error.message, error.hint, role="bad", deeds=[("Try again", self.make)])

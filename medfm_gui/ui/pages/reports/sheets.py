"""At the right: the pages of the report that is composed or read, with notices and progress above."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medfm_gui.desk.protocol import Progress
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.reports.reader import Reader
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.states import StatePane

_PATIENCE_MS: Final = 300


class Sheets(QWidget):
    """Pages or what is there instead of them.

    Signals:
        preview_stopped(): Cancel was pressed while pages were set or heat maps drawn.
        writing_stopped(): Cancel was pressed while a report was written.
    """

    preview_stopped = Signal()
    writing_stopped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = Notice()
        self.reader = Reader()
        self.states = StatePane(self.reader)
        self.setting, self.writing = ProgressRow(), ProgressRow()
        self._shown = ""
        self._news = Progress("")
        self._late = Later(self._show_news, _PATIENCE_MS, self)
        above = QWidget()
        bars = QVBoxLayout(above)
        bars.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[0])
        bars.setSpacing(SPACE[1])
        for widget in (self.notice, self.writing, self.setting):
            bars.addWidget(widget)
            widget.hide()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(above)
        whole.addWidget(self.states, 1)

    def show_pdf(self, key: str, title: str, data: bytes) -> None:
        """Show pages; where those of the same ``key`` were read, at the same place."""
        self.reader.show_pdf(title, data, keep_place=key == self._shown)
        self._shown = key
        self.states.show_content()

    def has(self, key: str) -> bool:
        """Whether pages of that key are shown."""
        return self._shown == key and self.states.state == "content"

    def tell_setting(self, news: Progress) -> None:
        """How far a preview is: in place of the pages, or above the ones that are there where it takes a while."""
        self._news = news
        if self.states.state != "content":
            self.states.show_busy(news.text, news.total, news.done, news.seconds_left, self.preview_stopped.emit)
        elif self.setting.isVisibleTo(self):
            self._show_news()
        elif not self._late.isActive():
            self._late.again()

    def end_setting(self) -> None:
        """The preview is there, or will not be."""
        self._late.stop()
        self.setting.hide()

    def tell_writing(self, news: Progress) -> None:
        """How far the writing of a report is."""
        self.writing.tell(news.text, news.total, news.done, news.seconds_left)
        if not self.writing.isVisibleTo(self):
            self.writing.on_cancel(self.writing_stopped.emit)
            self.writing.show()

    def end_writing(self) -> None:
        """It is written, or will not be."""
        self.writing.hide()

    def _show_news(self) -> None:
        news = self._news
        self.setting.tell(news.text, news.total, news.done, news.seconds_left)
        if not self.setting.isVisibleTo(self):
            self.setting.on_cancel(self.preview_stopped.emit)
            self.setting.show()

"""The dialog: headers are looked at, a person chooses and looks at images, copies are written, the rest is told."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from medfm_gui.desk.asks.deidentify import DeidentifyStudies, ExamineStudies
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.deidentification import Deidentified, Examined
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.studies.deidentifying.view import DeidentifyView
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import disable

_WIDTH, _HEIGHT = SPACE[-1] * 33, SPACE[-1] * 22


class DeidentifyDialog(QDialog):
    """Writes copies of studies, or of some of their series, that name nobody."""

    def __init__(
        self, context: Context, studies: tuple[str, ...], series: tuple[str, ...] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._studies, self._series = studies, series
        self._found: Examined | None = None
        self._done: Deidentified | None = None
        self._ticket: Ticket | None = None
        self.view = DeidentifyView(context.desk)
        self.setWindowTitle("De-identify")
        self.setModal(True)
        self.resize(_WIDTH, _HEIGHT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        what = counted(len(series), "series", "series") if series else counted(len(studies), "study")
        self.view.heading.setText(f"De-identify {what}")
        self.view.changed.connect(self._settle)
        self.view.go.clicked.connect(self._act)
        self.view.close_button.clicked.connect(self.reject)
        self._examine()

    def reject(self) -> None:
        """Cancel what is going on; else close."""
        if self._ticket is not None:
            self._ticket.cancel()
            return
        super().reject()

    # -- looking

    def _examine(self) -> None:
        self._told(Progress("Looking at headers"))
        self._ticket = self._context.desk.ask(
            ExamineStudies(self._studies, self._series),
            owner=self,
            then=self._examined,
            failed=self._not_examined,
            progress=self._told,
        )
        self._settle()

    def _told(self, news: Progress) -> None:
        self.view.pane.show_busy(news.text, news.total, news.done, news.seconds_left, self.reject)

    def _examined(self, found: Examined) -> None:
        self._ticket = None
        self._found = found
        self.view.show_found(found)
        self.view.show_form()
        self._settle()

    def _not_examined(self, error: MedfmError) -> None:
        self._ticket = None
        self._settle()
        if isinstance(error, Interrupted):
            super().reject()
            return
        self.view.pane.show_error(error, "Look again", self._examine)

    # -- writing

    def _settle(self) -> None:
        """Say why nothing can be written yet."""
        found, view = self._found, self.view
        why = ""
        if self._context.is_read_only:
            why = "This workspace is open read-only, because another window has it."
        elif self._ticket is not None:
            why = "It is under way."
        elif found is None:
            why = "The headers were not looked at."
        elif self._done is None and not view.folder.path():
            why = "Choose a folder for the copies."
        elif self._done is None and found.faces and not view.faces_known.isChecked():
            why = "Say that you know of the faces."
        elif self._done is None and not self._ready():
            why = "All of these images wait for your look."
        if found is not None and self._done is None:
            view.say_waiting(found)
            view.go.setText(f"Write {counted(self._ready(), 'copy', 'copies')}" if self._ready() else "Write copies")
        disable(view.go, why)
        view.lock(self._ticket is not None)

    def _ready(self) -> int:
        """How many images will be written."""
        if self._found is None:
            return 0
        waiting = len(self._found.flagged) - len(self.view.flagged.model.seen)
        return self._found.files - waiting - len(self._found.held)

    def _act(self) -> None:
        if self._done is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self._done.out))
            return
        view = self.view
        self._told(Progress("Writing copies"))
        self._ticket = self._context.desk.ask(
            DeidentifyStudies(
                studies=self._studies,
                out=view.folder.path(),
                options=view.options.options(),
                series=self._series,
                looked_at=tuple(sorted(view.flagged.model.seen)),
                faces_known=view.faces_known.isChecked(),
            ),
            owner=self,
            then=self._written,
            failed=self._not_written,
            progress=self._told,
        )
        self._settle()

    def _written(self, done: Deidentified) -> None:
        self._ticket = None
        self._done = done
        self.view.outcome.show_outcome(done)
        self.view.show_outcome()
        self.view.go.setText("Open the folder")
        self._settle()

    def _not_written(self, error: MedfmError) -> None:
        self._ticket = None
        self._settle()
        if isinstance(error, Interrupted):
            self.view.pane.show_empty(
                "It was cancelled", "Nothing was written.", "Back to the options", self.view.show_form, "stop"
            )
            return
        self.view.pane.show_error(error, "Back to the options", self.view.show_form)

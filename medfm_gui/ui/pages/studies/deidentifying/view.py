"""The widgets of the dialog: options at the left, what a person must look at or know at the right, the folder below."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from medfm_gui.domain.deidentification import Examined, FaceSeries
from medfm_gui.domain.units import counted
from medfm_gui.ui.bridge import Asks
from medfm_gui.ui.pages.studies.deidentifying.flagged import FlaggedView
from medfm_gui.ui.pages.studies.deidentifying.options import OptionsForm
from medfm_gui.ui.pages.studies.deidentifying.outcome import OutcomeView
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import PathPicker, action
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label

_OPTIONS_PX = SPACE[-1] * 10
_MOST_FACES = 3
_NOTHING_FLAGGED = (
    "None of these images is of a kind that mostly has text in its pixels (ultrasound, screen copies, photographs), "
    "and none says so of itself. That is no proof: look at them once yourself before you pass them on."
)
_KNOW_FACES = "I know that faces might be rebuilt from the copies"


class DeidentifyView(QWidget):
    """What stands in the dialog.

    Signals:
        changed(): something was chosen, typed or ticked.
    """

    changed = Signal()

    def __init__(self, desk: Asks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = Label("De-identify", "heading2")
        self.about = Label("", "muted")
        self.options = OptionsForm()
        self.flagged = FlaggedView(desk)
        self.flagged_title = Label("", "heading3")
        self.flagged_words = Label("", "muted")
        self.looking = StatePane(self.flagged)
        self.faces = QWidget()
        self.faces_words = Label("", "muted")
        self.faces_known = QCheckBox(_KNOW_FACES)
        self.outcome = OutcomeView()
        self.stack = QStackedWidget()
        self.pane = StatePane(self.stack)
        self.folder = PathPicker("folder", "Choose a new or empty folder for the copies")
        self.folder.setAccessibleName("Folder for the copies")
        self.folder_label = Label("Copies go to", wrap=False)
        self.folder_label.setBuddy(self.folder)
        self.close_button = action("Close", role="quiet")
        self.close_button.setAutoDefault(False)
        self.go = action("Write copies", "shield", "primary")
        self._lay_out()
        for signal in (self.options.changed, self.flagged.model.ticked):
            signal.connect(self.changed)
        self.folder.changed.connect(lambda _: self.changed.emit())
        self.faces_known.toggled.connect(lambda _: self.changed.emit())

    def _lay_out(self) -> None:
        self.stack.addWidget(self._form())
        self.stack.addWidget(self.outcome)
        ending = QHBoxLayout()
        ending.setSpacing(SPACE[2])
        ending.addWidget(self.folder_label)
        ending.addWidget(self.folder, 1)
        ending.addStretch(0)  # takes the room once the folder is hidden
        ending.addWidget(self.close_button)
        ending.addWidget(self.go)
        down = QVBoxLayout(self)
        down.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        down.setSpacing(SPACE[3])
        down.addWidget(self.heading)
        down.addWidget(self.about)
        down.addWidget(self.pane, 1)
        down.addLayout(ending)

    def _form(self) -> QWidget:
        scroll = QScrollArea()
        self.options.setProperty("role", "page")
        self.options.setContentsMargins(0, 0, SPACE[2], 0)
        scroll.setWidget(self.options)
        scroll.setWidgetResizable(True)
        scroll.setFixedWidth(_OPTIONS_PX)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("What may stay")
        faces = QVBoxLayout(self.faces)
        faces.setContentsMargins(0, 0, 0, 0)
        faces.setSpacing(SPACE[0])
        faces.addWidget(Label("Faces", "heading3"))
        faces.addWidget(self.faces_words)
        faces.addWidget(self.faces_known)
        right = QVBoxLayout()
        right.setSpacing(SPACE[1])
        right.addWidget(self.flagged_title)
        right.addWidget(self.flagged_words)
        right.addWidget(self.looking, 1)
        right.addSpacing(SPACE[1])
        right.addWidget(self.faces)
        form = QWidget()
        row = QHBoxLayout(form)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[4])
        row.addWidget(scroll)
        row.addLayout(right, 1)
        return form

    def show_found(self, found: Examined) -> None:
        """Show what was found in the headers."""
        self.about.setText(
            f"{counted(found.files, 'image')} of {counted(found.patients, 'patient')}, {found.bytes / 1e6:,.0f} MB. "
            "Copies are written; the originals stay as they are."
        )
        self.flagged_title.setText("Names in the pixels")
        self.flagged.fill(found.flagged)
        if found.flagged:
            self.looking.show_content()
        else:
            self.looking.show_empty("Nothing is flagged", _NOTHING_FLAGGED, icon="check")
        self.faces.setVisible(bool(found.faces))
        self.faces_words.setText(_faces(found.faces))
        self.say_waiting(found)

    def say_waiting(self, found: Examined) -> None:
        """How many images wait for a look, and which files are not written at all."""
        waiting = len(found.flagged) - len(self.flagged.model.seen)
        lines = []
        if found.flagged:
            lines.append(
                f"{counted(waiting, 'image waits', 'images wait')} for your look; without it they are held back."
                if waiting
                else "You looked at all flagged images."
            )
        if found.held:
            kinds = counted(len(found.held), "file is of a kind that is not written", "files are of kinds not written")
            lines.append(f"{kinds}: {found.held[0].message}")
        self.flagged_words.setText(" ".join(lines))
        self.flagged_words.setVisible(bool(lines))

    def show_form(self) -> None:
        """The options and what to look at."""
        self.stack.setCurrentIndex(0)
        self.pane.show_content()

    def show_outcome(self) -> None:
        """What was done; nothing can be chosen any more."""
        self.stack.setCurrentIndex(1)
        self.pane.show_content()
        for widget in (self.folder, self.folder_label, self.about):
            widget.hide()

    def lock(self, is_locked: bool) -> None:
        """While headers are looked at or copies are written, nothing can be chosen, and Close cancels."""
        self.folder.setEnabled(not is_locked)
        self.close_button.setText("Cancel" if is_locked else "Close")


def _faces(faces: Sequence[FaceSeries]) -> str:
    lines = [f"{face.modality}, {counted(face.images, 'image')}: {face.reason}" for face in faces[:_MOST_FACES]]
    if len(faces) > _MOST_FACES:
        lines.append(f"and {len(faces) - _MOST_FACES} more series")
    whose = counted(len(faces), "series a face", "series faces")
    return f"From {whose} might be rebuilt. No face is removed; the copies say so.\n" + "\n".join(lines)

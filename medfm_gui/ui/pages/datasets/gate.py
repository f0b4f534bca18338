"""The leak gate: a calm line where nothing leaks; else what leaks, and how to go on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from medfm_gui.domain.units import counted
from medfm_gui.ui import icons
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.datasets.split_rows import LeaksTable
from medfm_gui.ui.theme import ICON_PX, SPACE
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.text import Label, set_role
from medfm_gui.workspace.cohort import SplitPlan

_TYPING_MS = 500


class Banner(QFrame):
    """A line with a mark: how the gate decided."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark = Label("", wrap=False)
        self.title = Label("", "heading3")
        self.words = Label("", "muted")
        text = QVBoxLayout()
        text.setSpacing(SPACE[0])
        text.addWidget(self.title)
        text.addWidget(self.words)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        row.setSpacing(SPACE[2])
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(text, 1)

    def tell(self, role: str, icon: str, title: str, words: str) -> None:
        """Show another decision; ``role`` is good, warning or bad."""
        set_role(self, role)
        ratio = self.devicePixelRatioF()
        tone = {"warning": "warn"}.get(role, role)
        self._mark.setPixmap(icons.pixmap(icon, tone, ICON_PX, ratio))
        self.title.setText(title)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.setAccessibleName(f"{title}. {words}")


class Gate(QWidget):
    """What the gate says of a plan, and what a person decides about leaks.

    Signals:
        decided(): ``accepts``, ``drops`` or ``moves`` is another one; the plan must be made again.
        declined(): another division is wanted.
    """

    decided = Signal()
    declined = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.drops = False
        self.moves = False
        self.banner = Banner()
        self.table = LeaksTable()
        self.drop = action("Drop the images", "trash")
        self.together = action("Move whole groups", "split")
        self.accept = action("Accept with a reason …", "check")
        self.other = action("Choose another division", "reset", "quiet")
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Why may these leaks stay? It is stored and printed in every report.")
        self.reason.setAccessibleName("Reason for keeping the leaks")
        self.reason.hide()
        self._typed = Later(self.decided.emit, _TYPING_MS, self)
        self.reason.textChanged.connect(lambda _: self._typed.again())
        self.drop.clicked.connect(self._drop)
        self.together.clicked.connect(self._move)
        self.accept.clicked.connect(self._accept)
        self.other.clicked.connect(self._decline)
        self._buttons = QWidget()
        flow = FlowLayout(self._buttons)
        for button in (self.drop, self.together, self.accept, self.other):
            flow.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        for widget in (self.banner, self.table, self._buttons, self.reason):
            column.addWidget(widget)

    @property
    def accepts(self) -> str:
        """The written reason for keeping leaks; empty if none was given."""
        return "" if self.reason.isHidden() else self.reason.text().strip()

    def forget(self) -> None:
        """Nothing is decided; for another division."""
        self.drops = self.moves = False
        self.reason.hide()
        self.reason.blockSignals(True)
        self.reason.clear()
        self.reason.blockSignals(False)

    def show_plan(self, plan: SplitPlan, has_patients: bool) -> None:
        """Show what the gate says of a plan."""
        leaks = bool(plan.n_leaks)
        self.table.fill(plan.leaks)
        undecided = leaks or bool(self.accepts) or not self.reason.isHidden()
        self._buttons.setVisible(undecided)
        if leaks:
            self.drop.setText(f"Drop {counted(plan.n_drop, 'image')}")
            listed = f" The first {len(plan.leaks)} are listed." if plan.n_leaks > len(plan.leaks) else ""
            self.banner.tell("bad", "warning", f"Leak gate: {counted(plan.n_leaks, 'leak')}", plan.message + listed)
        elif self.accepts:
            self.banner.tell("warning", "warning", "Leak gate: leaks accepted", f"Reason: {self.accepts}")
        elif self.moves:
            words = "Patients and groups that stood on two sides went whole to the more guarded one."
            self.banner.tell("good", "shield", "Leak gate: no leak after moving", words + _near_words(plan))
        elif self.drops:
            words = "Images that a more guarded side shares were taken out; what is left does not leak."
            self.banner.tell("good", "shield", "Leak gate: no leak after dropping", words + _near_words(plan))
        else:
            self.banner.tell("good", "shield", "Leak gate: no leak", clean_words(has_patients) + _near_words(plan))

    def _drop(self) -> None:
        self.forget()
        self.drops = True
        self.decided.emit()

    def _move(self) -> None:
        self.forget()
        self.moves = True
        self.decided.emit()

    def _accept(self) -> None:
        self.drops = self.moves = False
        self.reason.show()
        self.reason.setFocus()

    def _decline(self) -> None:
        self.forget()
        self.declined.emit()


def _near_words(plan: SplitPlan) -> str:
    """What is known of near-duplicates, which warn and do not block."""
    if plan.near:
        return " Near-duplicates are looked for when the split is made."
    if plan.n_suspects:
        return (
            f" {counted(plan.n_suspects, 'pair')} of near-duplicates on two sides: they are named in the certificate."
        )
    if plan.near_unseen:
        return f" Near-duplicates are not compared. {plan.near_unseen}"
    return " No near-duplicates on two sides."


def clean_words(has_patients: bool) -> str:
    """What a clean gate vouches for."""
    if has_patients:
        return "No patient and no identical image stands on two sides."
    return "No identical image stands on two sides. Patients are not known, so they could not be compared."

"""The form that makes a new split, and what the leak gate says to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from medfm_gui.domain.errors import LeakError, MedfmError
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import FormRow, action, choice, disable, whole_number
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label, set_role, tip
from medfm_gui.workspace.cohort import SplitWish

_READ_ONLY = "This workspace is open read-only, because another window has it."
_HIGHEST_SEED = 2_147_483_647
_MOST_FOLDS = 100
_MOST_LEAKS = 6
_NARROWEST_PX = SPACE[-1] * 2 + SPACE[3]
_WIDEST_PX = SPACE[-1] * 4 + SPACE[3]


class DividePanel(Panel):
    """Ratios or folds, by patient or image, with a seed; then a certificate, or what leaks and what to do with it."""

    def __init__(self, make: Callable[[SplitWish], None], is_read_only: bool) -> None:
        super().__init__("New split")
        self._send = make
        self._read_only = is_read_only
        self._ways = choice(
            (("Shares", "shares"), ("Cross-validation", "folds"), ("As published", "official")), "shares"
        )
        self._ratios = QLineEdit("70/15/15")
        self._folds = whole_number(5, 2, _MOST_FOLDS, "folds")
        self._by = choice((("Patient", "patient"), ("Image", "image"), ("Group", "group")), "patient")
        self._seed = whole_number(0, 0, _HIGHEST_SEED)
        self.make = action("Make split", "split", reason=_READ_ONLY if is_read_only else "")
        self.make.clicked.connect(lambda: self._ask())
        self._shares_row = FormRow("Shares, %", self._ratios)
        tip(self._ratios, "Train/validation/test, as 70/15/15, or with calibration 60/10/15/15")
        self._folds_row = FormRow("Folds", self._folds)
        row = QHBoxLayout()
        row.setSpacing(SPACE[2])
        rows = (FormRow("Kind", self._ways), self._shares_row, self._folds_row, FormRow("Keep whole", self._by),
                FormRow("Seed", self._seed))  # fmt: skip
        for part in rows:
            part.field.setMinimumWidth(_WIDEST_PX if part is rows[0] else _NARROWEST_PX)
            wide = isinstance(part.field, QComboBox)
            stretch = 4 if part is rows[0] else 3 if wide else 2
            row.addWidget(part, stretch, Qt.AlignmentFlag.AlignBottom)
        self.add_to_corner(self.make)
        for combo in (self._ways, self._by):
            combo.setMinimumContentsLength(6)
        self.body.addLayout(row)
        self._said = Label("", "muted")
        self.add(self._said)
        self._leaks = _LeakChoices(self._ask)
        self.add(self._leaks)
        self._ways.currentIndexChanged.connect(self._show_kind)
        self._ratios.returnPressed.connect(self._ask)
        self.clear()

    def clear(self) -> None:
        """Forget what was said of an earlier attempt."""
        self._tell("", "muted")
        self._leaks.hide()
        self._show_kind()

    def set_by_patient(self, known: bool) -> None:
        """Whether the dataset knows its patients."""
        self._by.setItemText(0, "Patient" if known else "Patient (none known)")

    def show_busy(self, text: str) -> None:
        """The desk is at it."""
        self._tell(f"{text} …", "muted")
        self._leaks.hide()
        self.make.setEnabled(False)

    def show_done(self, split: str) -> None:
        """The split is frozen."""
        self._tell(f"“{split}” is made and frozen. No patient and no identical image stands on two sides, "
                   "unless you accepted it.", "good")  # fmt: skip
        self._ready()

    def show_error(self, error: MedfmError) -> None:
        """Why there is none; leaks are listed, with what can be done."""
        self._ready()
        self._tell(f"{error.message} {'' if isinstance(error, LeakError) else error.hint}".strip(), "bad")
        self._leaks.setVisible(isinstance(error, LeakError))
        if isinstance(error, LeakError):
            self._leaks.show_leaks(error)

    def wish(self) -> SplitWish:
        """What the form says."""
        kind = self._ways.currentData()
        return SplitWish(
            ratios=self._ratios.text().strip() if kind == "shares" else "",
            by=str(self._by.currentData()),
            seed=self._seed.value(),
            folds=self._folds.value() if kind == "folds" else 0,
            official=kind == "official",
        )

    def _ask(self, *, accept: str = "", drop: bool = False) -> None:
        if not self._read_only and self.make.isEnabled():
            self._send(replace(self.wish(), accept=accept, drop=drop))

    def _ready(self) -> None:
        disable(self.make, _READ_ONLY if self._read_only else "")
        self._leaks.hide()

    def _tell(self, text: str, role: str) -> None:
        self._said.setText(text)
        set_role(self._said, role)
        self._said.setVisible(bool(text))

    def _show_kind(self) -> None:
        kind = self._ways.currentData()
        self._shares_row.setVisible(kind == "shares")
        self._folds_row.setVisible(kind == "folds")


class _LeakChoices(QWidget):
    """What leaks, and three ways on: drop, accept with a written reason, or another split."""

    def __init__(self, ask: Callable[..., None]) -> None:
        super().__init__()
        self._ask = ask
        self._list = Label("", "caption")
        self._drop = action("Drop them from training", "trash")
        self._drop.clicked.connect(lambda: self._ask(drop=True))
        self._reason = QLineEdit()
        self._reason.setPlaceholderText("Why they are acceptable (stored, printed)")
        self._reason.setAccessibleName("Reason for keeping the leaks")
        self._keep = action("Keep them for this reason", "", "danger")
        self._keep.clicked.connect(self._accept)
        self._reason.returnPressed.connect(self._accept)
        self._reason.textChanged.connect(self._show_reason)
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(self._reason, 1)
        row.addWidget(self._keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        column.addWidget(self._list)
        column.addWidget(self._drop, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(row)
        self._show_reason()

    def show_leaks(self, error: LeakError) -> None:
        """List the first of them."""
        lines = [
            f"{leak.kind.value}: {leak.a} ({leak.partitions[0]}) and {leak.b} ({leak.partitions[1]})"
            for leak in error.leaks[:_MOST_LEAKS]
        ]
        more = len(error.leaks) - _MOST_LEAKS
        self._list.setText("\n".join([*lines, *([f"and {more:,} more"] if more > 0 else [])]))

    def _show_reason(self) -> None:
        disable(self._keep, "" if self._reason.text().strip() else "Write the reason first.")

    def _accept(self) -> None:
        if self._reason.text().strip():
            self._ask(accept=self._reason.text().strip())

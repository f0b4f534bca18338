"""Validation and test numbers of one run, side by side; a sealed test says so and offers to open it."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.runs import RunFacts
from medfm_gui.domain.run import Phase
from medfm_gui.domain.units import counted
from medfm_gui.metrics.names import METRICS, headline, metric_title
from medfm_gui.ui.pages.runs import wording
from medfm_gui.ui.pages.runs.deeds import READ_ONLY
from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.text import Label

_TOP = Qt.AlignmentFlag.AlignTop
_RIGHT = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight


class Results(QWidget):
    """A row a metric: its name, validation, test with its 95 % interval.

    Signals:
        wanted(str): ``test``, when the button of a sealed test was pressed.
    """

    wanted = Signal(str)

    def __init__(self, *, is_read_only: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: list[tuple[Label, Label, Label]] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE[3])
        self._grid.setVerticalSpacing(SPACE[0] + 2)
        self._grid.setColumnStretch(0, 1)
        self.note = Label("", "caption")
        self._sealed = _sealed_box()
        self.open = action("Open test …", "seal")
        self.open.clicked.connect(lambda: self.wanted.emit("test"))
        if is_read_only:
            disable(self.open, READ_ONLY)
        row = self._sealed.layout()
        if row is not None:
            row.addWidget(self.open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addWidget(self._sealed)
        column.addLayout(self._grid)
        column.addWidget(self.note)

    def tell(self, facts: RunFacts | None) -> None:
        """Show the numbers of a run."""
        rows = tuple(_rows(facts)) if facts is not None else ()
        head = (("", "Validation", "Test"),) if rows else ()
        self._fill((*head, *rows))
        finished = facts is not None and facts.item.row.state.phase is Phase.FINISHED
        self._sealed.setVisible(finished and facts is not None and facts.test is None)
        self.note.setText(_note(facts))
        self.note.setVisible(bool(self.note.text()))

    def texts(self) -> tuple[tuple[str, str, str], ...]:
        """What is shown, row by row."""
        return tuple((a.text(), b.text(), c.text()) for a, b, c in self._labels if not a.isHidden())

    def _fill(self, rows: tuple[tuple[str, str, str], ...]) -> None:
        while len(self._labels) < len(rows):
            self._add()
        for number, labels in enumerate(self._labels):
            for place, label in enumerate(labels):
                label.setVisible(number < len(rows))
                if number < len(rows):
                    label.setText(rows[number][place])

    def _add(self) -> None:
        at = len(self._labels)
        role = "caption" if at == 0 else ""
        name = Label("", role or "muted")
        values = Label("", role, wrap=False, selectable=at > 0), Label("", role, wrap=False, selectable=at > 0)
        self._grid.addWidget(name, at, 0, _TOP)
        for column, value in enumerate(values, start=1):
            if at:
                value.setFont(figures_font())
                value.setContentsMargins(0, 1, 0, 0)  # see ``Facts``
            self._grid.addWidget(value, at, column, _RIGHT)
        self._labels.append((name, *values))


def _sealed_box() -> QFrame:
    box = QFrame()
    box.setProperty("role", "banner")
    row = QHBoxLayout(box)
    row.setContentsMargins(SPACE[2], SPACE[1], SPACE[1], SPACE[1])
    row.setSpacing(SPACE[2])
    row.addWidget(Label("The test set is sealed."), 1)
    return box


def _rows(facts: RunFacts) -> Iterator[tuple[str, str, str]]:
    """Metrics that somebody may quote, the task's headline first, improper ones last."""
    validation = facts.item.row.state.metrics
    tested = (
        {row.metric: row for row in facts.test.evaluations if _is_whole(row.label, row.parameters)}
        if facts.test
        else {}
    )
    first = headline(facts.item.row.task)
    known = [name for name in METRICS if name in validation or name in tested]
    rest = sorted({*validation, *tested} - set(known))
    for name in sorted(known, key=lambda one: (one != first, METRICS[one].improper)) + rest:
        value = validation.get(name)
        test = wording.estimate(tested[name]) if name in tested else wording.NONE
        yield metric_title(name), f"{value:.3f}" if value is not None else wording.NONE, test


def _is_whole(label: str, parameters: object) -> bool:
    return not label and not (isinstance(parameters, dict) and "failures" in parameters)


def _note(facts: RunFacts | None) -> str:
    if facts is None:
        return ""
    if facts.test is None:
        return ""
    n = next((row for row in facts.test.evaluations), None)
    units = f"{counted(n.n, n.unit)}. " if n else ""
    looks = f"These images were opened {facts.test.openings} times in all." if facts.test.openings > 1 else ""
    reason = f"Opened {wording.when(facts.test.opened)}: “{facts.test.reason}”."
    return f"Test with 95 % intervals, {units}{reason} {looks}".strip()

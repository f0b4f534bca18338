"""A page alone: a desk that answers from sample data, and what ``python -m medfm_gui.ui.pages.<name>`` opens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from medfm_gui.desk.protocol import Ask, Progress
from medfm_gui.domain.errors import InternalError, MedfmError
from medfm_gui.ui import theme
from medfm_gui.ui.actions import Actions
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.memory import Memory
from medfm_gui.ui.page import Page

T = TypeVar("T")

Answers = Mapping[type[Ask[Any]], Callable[[Any], Any]]
"""What a question is answered with; one that raises a ``MedfmError`` fails, one that returns ``WAITS`` says nothing."""

WAITS = object()


class SampleDesk(QObject):
    """Answers questions from functions, in the next turn of the event loop, and remembers what was asked."""

    changed = Signal(str)

    def __init__(self, answers: Answers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.answers = dict(answers)
        self.asked: list[Ask[Any]] = []

    def ask(
        self,
        ask: Ask[T],
        *,
        owner: QObject,
        then: Callable[[T], None],
        failed: Callable[[MedfmError], None] | None = None,
        progress: Callable[[Progress], None] | None = None,
        part: Callable[[T], None] | None = None,
    ) -> Ticket:
        """See ``bridge.Asks``."""
        self.asked.append(ask)
        answer = self.answers.get(type(ask))

        def deliver() -> None:
            if not shiboken6.isValid(owner):
                return
            try:
                if answer is None:
                    raise InternalError(f"The sample has no answer to {type(ask).__name__}.", "Add one to sample.py.")
                value = answer(ask)
            except MedfmError as error:
                if failed is not None:
                    failed(error)
                return
            if value is not WAITS:
                then(value)

        QTimer.singleShot(0, self, deliver)
        return Ticket(lambda: None)


class SampleRuns(QObject):
    """News of runs that a test or a sample page emits itself."""

    batch = Signal(object)
    left = Signal(str)


def sample_context(answers: Answers, parent: QObject | None = None, **changes: Any) -> Context:
    """A context of sample answers; what a page says, opens or starts is remembered on ``desk.said``."""
    desk = SampleDesk(answers, parent)
    memory = Memory({}, None, desk)
    said: list[tuple[str, Any]] = []
    desk.said = said  # type: ignore[attr-defined]

    def note(what: str) -> Callable[..., None]:
        return lambda *values, **named: said.append((what, (values, named)))

    given: dict[str, Any] = {
        "root": Path("/workspace"),
        "desk": desk,
        "runs": SampleRuns(desk),
        "memory": memory,
        "actions": Actions(memory, desk),
        "say": note("say"),
        "go": note("go"),
        "start_runs": note("start_runs"),
        "open_workspace": note("open_workspace"),
        "set_appearance": note("set_appearance"),
        "parent": desk,
    }
    return Context(**{**given, **changes})


def show_alone(page: type[Page], answers: Answers, arguments: Sequence[str] = ()) -> int:
    """Open one page with sample data; ``--light`` for the light theme."""
    app = QApplication([*sys.argv[:1], *arguments])
    theme.apply(app, theme.load("light" if "--light" in arguments else "dark"))
    shown = page(sample_context(answers, app))
    shown.resize(1200, 760)
    shown.show()
    return app.exec()

"""A field for a name of timm's, which brings that model into the list."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLineEdit

from medfm_gui.desk.asks.train import AddModel, ModelAdded
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label

_LONGEST = 120


class AnyTimm(Panel):
    """``added`` is called with the registry name of a model that is in the list from then on."""

    def __init__(self, context: Context, added: Callable[[str], None]) -> None:
        super().__init__("Any other model of timm’s")
        self._context = context
        self._added = added
        self._name = QLineEdit()
        self._name.setMaxLength(_LONGEST)
        self._name.setPlaceholderText("Its name, such as convnext_tiny.fb_in22k")
        self._name.setAccessibleName("Name of a timm model")
        self._name.returnPressed.connect(self._ask)
        self._name.textChanged.connect(lambda: self._say("", ""))
        self._button = action("Add", "plus")
        self._button.setAccessibleName("Add the timm model")
        self._button.clicked.connect(self._ask)
        self._said = Label("", "caption")
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(self._name, 1)
        row.addWidget(self._button)
        self.body.addLayout(row)
        self.add(self._said)
        self._say("", "")

    def _ask(self) -> None:
        name = self._name.text().strip()
        if not name or not self._button.isEnabled():
            return
        self._say("Starting timm", "caption")
        disable(self._button, "timm is being asked.")
        self._context.desk.ask(AddModel(name), owner=self, then=self._done, failed=self._fail, progress=self._tell)

    def _tell(self, progress: Progress) -> None:
        self._say(progress.text, "caption")

    def _done(self, answer: ModelAdded) -> None:
        disable(self._button, "")
        self._name.clear()
        self._added(answer.name)

    def _fail(self, error: MedfmError) -> None:
        disable(self._button, "")
        self._say(f"{error.message} {error.hint}".strip(), "bad")

    def _say(self, text: str, role: str) -> None:
        self._said.setText(text)
        self._said.setVisible(bool(text))
        if role:
            self._said.set_role(role)

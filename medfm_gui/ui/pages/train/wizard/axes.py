"""The axes beside models and ways: shots, and seeds, which for few shots are draws."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from medfm_gui.ui.pages.train.axes import USUAL_DRAWS, USUAL_SHOTS, seeds_of, shot_name, shots_of, shots_text
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.pages.train.rules import SEEDS_ARE, SHOTS_ARE
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label, set_role

_HINT = "“All” is every training image; few are drawn by seed. Several seeds, 0, 1, 2 or 0-4, give several runs."
_FEW_HINT = f"Few-shot results depend on who is drawn: {USUAL_DRAWS} draws or more tell how much."


class AxesPanel(Panel):
    """Two fields; buttons beside them type what is usual."""

    def __init__(self, state: PlanState) -> None:
        super().__init__()
        self._state = state
        self._shots, self._seeds = QLineEdit(), QLineEdit()
        for line, name in ((self._shots, "Shots"), (self._seeds, "Seeds")):
            line.setAccessibleName(name)
            line.setMaxLength(200)
        self._shots.textEdited.connect(lambda text: state.put(shots=text))
        self._seeds.textEdited.connect(lambda text: state.put(seeds=text))
        self._usual: dict[int | None, QPushButton] = {}
        chips = QHBoxLayout()
        chips.setSpacing(SPACE[0])
        for shots in USUAL_SHOTS:
            button = QPushButton("All" if shots is None else str(shots))
            button.setProperty("role", "quiet")
            button.setCheckable(True)
            button.setAccessibleName(f"Shots: {shot_name(shots)}")
            button.clicked.connect(lambda chosen, shots=shots: self._toggle(shots, chosen))
            self._usual[shots] = button
            chips.addWidget(button)
        self._draws = action(f"{USUAL_DRAWS} draws")
        self._draws.setAccessibleName(f"Seeds for {USUAL_DRAWS} draws")
        self._draws.clicked.connect(lambda: state.put(seeds=f"0-{USUAL_DRAWS - 1}"))
        seeds = QHBoxLayout()
        seeds.setSpacing(SPACE[1])
        seeds.addWidget(self._seeds, 1)
        seeds.addWidget(self._draws)
        across = QWidget()
        grid = QGridLayout(across)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[1])
        grid.setVerticalSpacing(SPACE[0])
        grid.addWidget(Label("Shots: training patients a class", wrap=False), 0, 0, 1, 2)
        grid.addLayout(chips, 1, 0)
        grid.addWidget(self._shots, 1, 1)
        grid.setColumnMinimumWidth(2, SPACE[1])
        grid.addWidget(Label("Seeds", wrap=False), 0, 3)
        grid.addLayout(seeds, 1, 3)
        grid.setColumnStretch(1, 2)
        grid.setColumnStretch(3, 3)
        self._said = Label("", "caption")
        self.add(across)
        self.add(self._said)
        self.body.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        self.body.setSpacing(SPACE[0])

    def show_plan(self) -> None:
        """Fill the fields that nobody is typing in, say what is wrong."""
        plan = self._state.plan
        for line, text in ((self._shots, plan.shots), (self._seeds, plan.seeds)):
            if line.text() != text and not (line.hasFocus() and line.isModified()):
                line.setText(text)
        shots, seeds = shots_of(plan.shots), seeds_of(plan.seeds)
        set_role(self._shots, "" if shots else "bad")
        set_role(self._seeds, "" if seeds else "bad")
        for one, button in self._usual.items():
            button.setChecked(one in (shots or ()))
        few = any(one is not None for one in shots or ())
        wants_more = few and seeds is not None and len(seeds) < USUAL_DRAWS
        wrong = [said for said, given in ((SHOTS_ARE, shots), (SEEDS_ARE, seeds)) if not given]
        self._said.set_role("bad" if wrong else "caption")
        self._said.setText(" ".join(wrong) or (_FEW_HINT if wants_more else _HINT))
        self._draws.setVisible(wants_more)

    def _toggle(self, shots: int | None, chosen: bool) -> None:
        had = set(shots_of(self._state.plan.shots) or ())
        wanted = had | {shots} if chosen else had - {shots}
        self._shots.setModified(False)
        self._state.put(shots=shots_text(wanted or had))
        self.show_plan()  # the last one stays, though the plan is the same

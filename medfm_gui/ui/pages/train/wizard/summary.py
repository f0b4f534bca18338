"""The panel at the right of the wizard: the plan so far, growing with each choice."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medfm_gui.domain.threshold import is_rule, rule_in_words
from medfm_gui.domain.units import counted
from medfm_gui.ui.pages.train import operating
from medfm_gui.ui.pages.train.axes import seeds_of, shots_of
from medfm_gui.ui.pages.train.model import PlanState, factors
from medfm_gui.ui.pages.train.words import duration, listed, size
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label

_WIDTH_PX = SPACE[-1] * 8
_LEAST_PX = _WIDTH_PX * 7 // 2
"""Of a wizard that has the plan beside a step."""


class Summary(Panel):
    """Data, split, runs, cost."""

    def __init__(self, state: PlanState) -> None:
        super().__init__("Your plan")
        self._state = state
        self.setFixedWidth(_WIDTH_PX)
        self._hint = Label("It grows here with each choice.", "muted")
        self.add(self._hint)
        self._blocks = {name: _Block(name) for name in ("Data", "Split", "Runs", "Cost")}
        for block in self._blocks.values():
            self.add(block)
        self.body.addStretch(1)
        state.changed.connect(self.show_plan)
        state.cost_changed.connect(self.show_plan)
        self._is_wanted = self._has_room = True
        self.show_plan()

    def stand_beside(self, wizard: QWidget) -> None:
        """Be seen where the wizard is wide enough for the plan and a step; the list of steps tells the rest."""
        wizard.installEventFilter(self)

    def set_wanted(self, wanted: bool) -> None:
        """Whether the open step leaves room for it."""
        self._is_wanted = wanted
        self.setVisible(self._is_wanted and self._has_room)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The wizard became wider or narrower."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self._has_room = watched.width() >= _LEAST_PX
            self.set_wanted(self._is_wanted)
        return super().eventFilter(watched, event)

    def show_plan(self) -> None:
        """Show the plan as it is now."""
        blocks = {"Data": _data(self._state), "Split": _split(self._state), "Runs": _runs(self._state),
                  "Cost": _cost(self._state)}  # fmt: skip
        for name, (headline, facts) in blocks.items():
            self._blocks[name].show_facts(headline, facts)
        self._hint.setVisible(not any(headline for headline, _ in blocks.values()))


class _Block(QWidget):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._headline = Label("")
        self._facts = Facts()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, SPACE[1])
        column.setSpacing(SPACE[0])
        column.addWidget(Label(name, "caption"))
        column.addWidget(self._headline)
        column.addWidget(self._facts)

    def show_facts(self, headline: str, facts: list[tuple[str, str]]) -> None:
        """Show them; nothing at all without a headline."""
        self.setVisible(bool(headline))
        self._headline.setText(headline)
        self._facts.set_facts(facts)
        self._facts.setVisible(bool(facts))


_Said = tuple[str, list[tuple[str, str]]]


def _data(state: PlanState) -> _Said:
    row = state.plan.dataset
    if row is None:
        return "", []
    facts = [("Images", f"{row.n_samples:,}")]
    if row.n_patients is not None:
        facts.append(("Patients", f"{row.n_patients:,}"))
    facts.append(("Task", f"{row.task.value}, {counted(len(row.classes), 'class', 'classes')}"))
    return row.name, facts


def _split(state: PlanState) -> _Said:
    split = state.plan.split
    if split is None:
        return "", []
    sizes = split.rows[0].sizes
    parts = [("Training", "train"), ("Validation", "val"), ("Calibration", "cal"), ("Test, sealed", "test")]
    facts = [(name, f"{sizes[key]:,}") for name, key in parts if sizes.get(key)]
    if split.folds > 1:
        facts.append(("Folds", str(split.folds)))
    facts.append(("Leaks", f"{split.n_leaks:,} accepted" if split.n_leaks else "none"))
    return split.rule, facts


def _runs(state: PlanState) -> _Said:
    models = state.chosen_models
    if not models:
        return "", []
    cells = state.cells()
    used = {name for name, _ in cells}
    ways = [way for way in state.plan.ways if any(other == way for _, other in cells)]
    headline = factors(state)
    facts = [("Models", listed([model.card.title for model in models if model.card.name in used] or ["–"], 4))]
    if ways:
        facts.append(("Ways", listed([way.title for way in ways], 4)))
    if shots_of(state.plan.shots) not in (None, (None,)):
        facts.append(("Shots", state.plan.shots))
    if len(seeds_of(state.plan.seeds) or ()) > 1:
        facts.append(("Seeds", state.plan.seeds))
    rule = operating.ruled(state).rule
    if is_rule(rule):
        said = rule_in_words(rule)
        facts.append(("Operating point", f"{said[:1].upper()}{said[1:]}"))
    idle = [model.card.title for model in models if model.card.name not in used]
    if idle:
        facts.append(("Not trained", listed(idle, 3)))
    return headline, facts


def _cost(state: PlanState) -> _Said:
    cost = state.cost
    if cost is None or not cost.runs:
        return "", []
    seconds, memory = cost.seconds, cost.memory_bytes
    done = len(cost.measurements)
    waiting = f"measuring {min(done + 1, cost.to_measure)} of {cost.to_measure}" if not cost.is_measured else "unknown"
    facts = [("Memory", size(memory) if memory is not None else "–"), ("Disk", f"up to {size(cost.disk_bytes)}")]
    facts.append(("Free disk", size(cost.disk_free_bytes)))
    return (duration(seconds) if seconds is not None else f"Time: {waiting}"), facts

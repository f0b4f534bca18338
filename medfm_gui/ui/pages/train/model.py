"""What the wizard knows: the plan, what is offered, what is still missing, and the requests that follow from it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal

from medfm_gui.desk.asks.train import RunOrder
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.ui.pages.train import operating, recipes
from medfm_gui.ui.pages.train.axes import ALL, seeds_of, shot_name, shots_of
from medfm_gui.ui.pages.train.ways import WAYS, Way
from medfm_gui.workspace.models import Model
from medfm_gui.workspace.planning import Device, Measurement, PlanCost
from medfm_gui.workspace.threshold import KnownRules
from medfm_gui.workspace.training import TrainRequest

Cell = tuple[str, Way]


@dataclass(frozen=True, slots=True)
class SplitChoice:
    """One split, or all folds of a cross-validation, under the name that a request uses."""

    id: str
    rows: tuple[SplitRow, ...]

    @property
    def folds(self) -> int:
        """How many runs it makes of one."""
        return len(self.rows)

    @property
    def rule(self) -> str:
        """How it was divided."""
        return re.sub(r"^fold \d+ of (\d+)", r"\1 folds", self.rows[0].rule)

    @property
    def n_leaks(self) -> int:
        """Leaks that somebody accepted, over all folds."""
        return sum(row.n_leaks for row in self.rows)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Each said once."""
        return tuple(dict.fromkeys(text for row in self.rows for text in row.warnings))


def split_choices(rows: Iterable[SplitRow]) -> tuple[SplitChoice, ...]:
    """Rows as choices, newest first; the folds of one cross-validation together."""
    families: dict[str, list[SplitRow]] = {}
    for row in rows:
        families.setdefault(row.family or row.id, []).append(row)
    return tuple(SplitChoice(name, tuple(members)) for name, members in reversed(families.items()))


@dataclass(frozen=True, slots=True)
class Plan:
    """All choices. ``excluded`` are pairs of model and way that were unticked in the grid of chosen models and ways.

    ``settings`` are deviations from the preset by adaptation (``""``: for all of them), as they were typed; so are
    ``seeds`` and ``shots``. ``rule`` is the threshold rule that was chosen here, ``repeated`` the run that is repeated
    and the rule that was chosen for it; see ``operating`` for which one holds.
    """

    dataset: DatasetRow | None = None
    split: SplitChoice | None = None
    models: tuple[str, ...] = ()
    ways: tuple[Way, ...] = (Way("linear"),)
    excluded: frozenset[Cell] = frozenset()
    preset: str = ""
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seeds: str = "0"
    device: str = "auto"
    shots: str = ALL
    rule: str = ""
    repeated: tuple[str, str] | None = None


class PlanState(QObject):
    """The plan while it is made, and what the desk said of what there is to choose from.

    Signals:
        changed(): a choice or an offer is another one.
        cost_changed(): more is known of the cost.
    """

    changed = Signal()
    cost_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.plan = Plan()
        self.models: tuple[Model, ...] = ()
        self.splits: tuple[SplitChoice, ...] = ()
        self.devices: tuple[Device, ...] = ()
        self.known_rules = KnownRules()
        self.units: tuple[str, tuple[str, ...]] = ("", ())
        self.cost: PlanCost | None = None
        self._cost_of: tuple[TrainRequest, ...] = ()
        self._measured: dict[str, Measurement] = {}
        self._cells: tuple[Cell, ...] | None = None
        self.memory: dict[tuple[str, Cell], int] = {}
        """Bytes that were measured, by device and pair."""

    def put(self, **choices: object) -> None:
        """Choose: fields of ``Plan`` by name. What no longer fits to them is taken back."""
        plan = replace(self.plan, **choices)  # type: ignore[arg-type]
        if plan.dataset != self.plan.dataset:
            other = {"split": None, "rule": "", "repeated": None}
            plan = replace(plan, **{key: value for key, value in other.items() if key not in choices})  # type: ignore[arg-type]
        self._set(plan)

    def offer_models(self, models: Sequence[Model]) -> None:
        """These models there are, with their weights as they are now."""
        self.models = tuple(models)
        known = {model.card.name for model in models}
        self._set(replace(self.plan, models=tuple(name for name in self.plan.models if name in known)), told=True)

    def offer_splits(self, rows: Sequence[SplitRow]) -> None:
        """These splits the chosen dataset has; the newest is taken where none is chosen yet."""
        self.splits = split_choices(rows)
        chosen = self.plan.split.id if self.plan.split else ""
        found = next((one for one in self.splits if one.id == chosen), self.splits[0] if self.splits else None)
        self._set(replace(self.plan, split=found), told=True)

    def offer_devices(self, devices: Sequence[Device]) -> None:
        """These devices this computer has."""
        self.devices = tuple(devices)
        self.changed.emit()

    def learn_rules(self, known: KnownRules) -> None:
        """These threshold rules are known for a dataset and split."""
        if known != self.known_rules:
            self.known_rules = known
            self._set(self.plan, told=True)

    def take_cost(self, cost: PlanCost | None) -> None:
        """The cost as far as it is known; what was measured is remembered for the next plan."""
        self.cost, self._cost_of = cost, self.requests()
        for one in cost.measurements if cost else ():
            if not one.problem:
                self._measured[one.key] = one
        for run in cost.runs if cost else ():
            if run.memory_bytes is not None:
                cell = (run.model, Way(run.adapt, run.from_scratch))
                self.memory[self.plan.device, cell] = run.memory_bytes
        self.cost_changed.emit()

    @property
    def measured(self) -> tuple[Measurement, ...]:
        """Everything that was measured since the wizard was opened."""
        return tuple(self._measured.values())

    @property
    def chosen_models(self) -> tuple[Model, ...]:
        """In the order in which they are listed."""
        return tuple(model for model in self.models if model.card.name in self.plan.models)

    def cells(self) -> tuple[Cell, ...]:
        """Every pair of model and way that will be trained."""
        if self._cells is None:  # asked for many times at each change
            self._cells = tuple(
                (model.card.name, way)
                for way in self.plan.ways
                for model in self.chosen_models
                if (model.card.name, way) not in self.plan.excluded and not obstacle(model, way)
            )
        return self._cells

    def requests(self) -> tuple[TrainRequest, ...]:
        """One request a way; empty while something is missing."""
        plan, cells = self.plan, self.cells()
        seeds, shots = seeds_of(plan.seeds), shots_of(plan.shots)
        if plan.dataset is None or plan.split is None or seeds is None or shots is None:
            return ()
        return tuple(
            TrainRequest(
                dataset=plan.dataset.id,
                models=tuple(name for name, other in cells if other == way),
                adapts=(way.adapt,),
                split=plan.split.id,
                seeds=seeds,
                shots=shots,
                preset=plan.preset,
                settings={**recipes.settings_for(way.adapt, plan.settings), **operating.settings(self)},
                device=plan.device,
                from_scratch=way.from_scratch,
            )
            for way in plan.ways
            if any(other == way for _, other in cells)
        )

    @property
    def where(self) -> tuple[str, ...]:
        """The dataset's layout and task, for which presets may have values of their own."""
        dataset = self.plan.dataset
        return (dataset.layout, dataset.task.value) if dataset is not None else ()

    @property
    def n_runs(self) -> int:
        """How many runs the plan makes."""
        seeds, shots, split = seeds_of(self.plan.seeds) or (), shots_of(self.plan.shots) or (), self.plan.split
        return len(self.cells()) * len(shots) * len(seeds) * (split.folds if split else 1)

    def toggle_model(self, name: str, chosen: bool) -> None:
        """Take a model in or out."""
        others = tuple(one for one in self.plan.models if one != name)
        self.put(models=(*others, name) if chosen else others)

    def toggle_way(self, way: Way, chosen: bool) -> None:
        """Take a way in or out for all models."""
        ways = tuple(one for one in WAYS if (chosen if one == way else one in self.plan.ways))
        self.put(ways=ways, excluded=frozenset(cell for cell in self.plan.excluded if cell[1] != way))

    def toggle_cell(self, cell: Cell, chosen: bool) -> None:
        """Take one pair in or out; a way of which nothing is left is out."""
        name, way = cell
        if way not in self.plan.ways:
            others = {(model.card.name, way) for model in self.chosen_models if model.card.name != name}
            ways = tuple(one for one in WAYS if one == way or one in self.plan.ways)
            self.put(ways=ways, excluded=frozenset(self.plan.excluded | others))
            return
        excluded = self.plan.excluded - {cell} if chosen else self.plan.excluded | {cell}
        left = any((model.card.name, way) not in excluded and not obstacle(model, way) for model in self.chosen_models)
        if left:
            self.put(excluded=frozenset(excluded))
        else:
            self.toggle_way(way, False)

    def set_setting(self, adapt: str, key: str, text: str) -> None:
        """A deviation from the preset; an empty text takes it back."""
        mine = {name: value for name, value in self.plan.settings.get(adapt, {}).items() if name != key}
        if text.strip():
            mine[key] = text.strip()
        self.put(settings={**self.plan.settings, adapt: mine})

    def repeat(self, order: RunOrder, dataset: DatasetRow) -> None:
        """Fill the plan in from an earlier run."""
        mine = {field.key for field in recipes.fields_of(order.adapt)}
        common = {key: text for key, text in order.settings.items() if key not in mine}
        own = {key: text for key, text in order.settings.items() if key in mine}
        self.put(
            dataset=dataset,
            split=None,
            models=(order.model,),
            ways=(Way(order.adapt, order.from_scratch),),
            excluded=frozenset(),
            preset=order.preset,
            settings={"": common, order.adapt: own},
            seeds=str(order.seed),
            device=order.device,
            shots=shot_name(order.shots),
            rule="",
            repeated=(order.run, order.threshold_rule) if order.threshold_rule else None,
        )

    def restart(self) -> None:
        """An empty plan."""
        self.cost = None
        self._measured.clear()
        self.memory.clear()
        self.splits = ()
        self.known_rules = KnownRules()
        self._set(Plan(), told=True)

    def _set(self, plan: Plan, *, told: bool = False) -> None:
        if told or plan != self.plan:
            self.plan, self._cells = plan, None
            if self.cost is not None and self.requests() != self._cost_of:
                self.take_cost(None)
            self.changed.emit()


def obstacle(model: Model, way: Way) -> str:
    """Why this model cannot be adapted in this way; empty if it can."""
    if way.adapt not in model.card.adaptations:
        return "not offered for this model"
    if not model.weights.is_here and not way.from_scratch:
        return "weights are not on this computer"
    return ""


def learn_units(state: PlanState, dataset: str, units: Sequence[str]) -> None:
    """Numbers of this dataset can count these units."""
    if (dataset, tuple(units)) != state.units:
        state.units = (dataset, tuple(units))
        state.changed.emit()


def knows_unit(state: PlanState, unit: str) -> bool:
    """Whether numbers of the chosen dataset can count it; all of a dataset that did not tell yet."""
    dataset, units = state.units
    return state.plan.dataset is None or dataset != state.plan.dataset.id or unit in units


def factors(state: PlanState) -> str:
    """“3 models × 2 ways × 5 seeds = 30 runs”: what the runs of a plan are the product of."""
    cells, split = state.cells(), state.plan.split
    used, ways = {name for name, _ in cells}, {way for _, way in cells}
    seeds, shots = seeds_of(state.plan.seeds) or (), shots_of(state.plan.shots) or ()
    parts = [counted(len(used), "model"), counted(len(ways), "way")]
    if shots != (None,):
        parts.append(f"{len(shots)} shots" if len(shots) != 1 else f"{shot_name(shots[0])} shots")
    if len(seeds) != 1:
        parts.append(counted(len(seeds), "seed"))
    if split and split.folds > 1:
        parts.append(counted(split.folds, "fold"))
    is_full = len(cells) == len(used) * len(ways)
    runs = counted(state.n_runs, "run")
    return f"{' × '.join(parts)} = {runs}" if is_full else f"{' × '.join(parts)}, not all pairs: {runs}"


def command(request: TrainRequest, root: str) -> str:
    """The command line that does the same, for any shell of this family."""
    parts = ["medfm", "train", "--dataset", request.dataset, "--split", request.split or ""]
    for name in request.models:
        parts += ["--model", name]
    for adapt in request.adapts:
        parts += ["--adapt", adapt]
    if request.shots != (None,):
        parts += ["--shots", ",".join(shot_name(shots) for shots in request.shots)]
    for seed in request.seeds:
        parts += ["--seed", str(seed)]
    if request.preset:
        parts += ["--preset", request.preset]
    for key, text in request.settings.items():
        parts += ["--set", f"{key}={text}"]
    if request.from_scratch:
        parts.append("--from-scratch")
    if request.device != "auto":
        parts += ["--device", request.device]
    return shlex.join([*parts, "--workspace", root])

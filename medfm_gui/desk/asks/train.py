"""Questions of the train wizard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.cards import BrokenPlugin
from medfm_gui.workspace.models import Model
from medfm_gui.workspace.planning import Device, Measurement, PlanCost
from medfm_gui.workspace.threshold import KnownRules
from medfm_gui.workspace.training import TrainRequest


@dataclass(frozen=True, slots=True)
class ModelList:
    """Every backbone with the state of its weights here, and the plugins that cannot be read."""

    models: tuple[Model, ...]
    broken: tuple[BrokenPlugin, ...]


@dataclass(frozen=True, slots=True)
class ListModels(Ask[ModelList]):
    """What there is to train."""


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The devices of this computer, the fastest kind first."""

    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class ListDevices(Ask[DeviceList]):
    """Where a training can run; takes the seconds that starting torch takes."""


@dataclass(frozen=True, slots=True)
class Preflight(Ask[PlanCost]):
    """What the runs of these requests cost here; parts come as they are measured. ``known`` is not measured again."""

    requests: tuple[TrainRequest, ...]
    known: tuple[Measurement, ...] = ()


@dataclass(frozen=True, slots=True)
class Looks:
    """Images as a model sees them: row by row, first as it is shown to it, then random views of it.

    ``samples`` names the rows, ``columns`` the pictures of each; ``payload`` holds them one after the other, ``side`` ×
    ``side`` × 3 bytes each. ``size`` is the model's input in pixels; ``note`` says what is different in training.
    """

    samples: tuple[str, ...]
    columns: tuple[str, ...]
    side: int
    size: int
    note: str = ""
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class ShowLooks(Ask[Looks]):
    """A few training images of a plan's dataset as the recipe of the request's first model and way has them seen."""

    request: TrainRequest
    seed: int = 0


@dataclass(frozen=True, slots=True)
class RunsMade:
    """Ids of new runs that wait to be started, in their order."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateRuns(Ask[RunsMade]):
    """Make the runs of these requests, all or none."""

    requests: tuple[TrainRequest, ...]


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What was once ordered, in the words of the wizard; ``settings`` are those that differ from the defaults.

    ``threshold_rule`` is not among them; it is empty where nobody had chosen it, or the preset says it.
    """

    run: str
    dataset: str
    split: str
    model: str
    adapt: str
    from_scratch: bool
    seed: int
    device: str
    preset: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    shots: int | None = None
    threshold_rule: str = ""


@dataclass(frozen=True, slots=True)
class ModelAdded:
    """The registry name of a model that is in the list from now on."""

    name: str


@dataclass(frozen=True, slots=True)
class AddModel(Ask[ModelAdded]):
    """Have one of timm's models in the list, by the name that timm has for it; takes the seconds that timm takes."""

    name: str


@dataclass(frozen=True, slots=True)
class RunSpecOf(Ask[RunOrder]):
    """The order of a run, for another one like it."""

    run: str


@dataclass(frozen=True, slots=True)
class ThresholdRulesOf(Ask[KnownRules]):
    """Which threshold rules are known for a dataset and split before somebody chooses one."""

    dataset: str
    split: str

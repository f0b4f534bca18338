"""Before a training starts: what it would cost on this computer, measured; and many requests made into runs at once.

A plan is several requests (one a way of adapting, each with its models). Its runs are drafted exactly as they would
be made, one worker measures each pair of model and kind of work, and the costs follow from rates and counts.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import adaptation
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.recipe import numbers_of
from medfm_gui.domain.run import Phase, PreflightSpec, TrainSpec
from medfm_gui.domain.split import Partition
from medfm_gui.workspace import data, training
from medfm_gui.workspace.errands import run_errand
from medfm_gui.workspace.pixels import PixelNeed, needs_of, sized
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.training import TrainRequest

_FLOAT_BYTES = 4
_OPTIMISER_COPIES = 3
"""Of every trained number a checkpoint holds the weight and two moments."""
_BEST_COPIES = 2
"""While a better epoch is written the former best is still there."""
_DEPTHS = 4
"""Blocks whose class tokens the feature bank keeps at least."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a worker measured of one model and kind of work; ``key`` names all that decides it.

    ``forward_s`` and ``train_s`` are seconds a sample, ``fit_s`` those of a linear probe's whole path, ``startup_s``
    those of starting and ending a worker. ``was_busy``: another run was at work meanwhile. ``problem`` says why
    there are no numbers.
    """

    key: str
    device: str = ""
    forward_s: float = 0.0
    train_s: float = 0.0
    fit_s: float = 0.0
    startup_s: float = 0.0
    memory_bytes: int = 0
    trained_parameters: int = 0
    images: int = 0
    missing: int = 0
    batches: int = 0
    was_busy: bool = False
    problem: str = ""
    hint: str = ""
    parts: int = 1
    """Into so many parts a batch was cut, because memory did not suffice for the whole; they are accumulated."""
    shown: int = 0
    """Training images that the measured run is shown: ``fit_s`` is in proportion to them."""
    row_bytes: int = 0
    """What the feature bank takes for an image of a run that trains a head on its tokens."""


@dataclass(frozen=True, slots=True)
class RunCost:
    """One run to come. Seconds and memory are None where nothing was measured (see ``problem``).

    ``images_known`` of ``images`` have features in the bank, or will have when the runs before it are done.
    ``disk_bytes`` stay on the disk; ``disk_more_bytes`` are needed besides while it runs.
    """

    model: str
    title: str
    adapt: str
    seed: int
    fold: int | None
    from_scratch: bool
    trained_parameters: int
    disk_bytes: int
    disk_more_bytes: int
    seconds: float | None = None
    memory_bytes: int | None = None
    images: int = 0
    images_known: int = 0
    problem: str = ""
    hint: str = ""
    shots: int | None = None
    parts: int = 1
    is_fit_known: bool = True
    """No: of a grid of heads the features were measured, the training of the heads was not."""


@dataclass(frozen=True, slots=True)
class PlanCost:
    """All runs of a plan in their order, and what was measured for them. ``measured`` of ``to_measure`` is done."""

    runs: tuple[RunCost, ...]
    measurements: tuple[Measurement, ...]
    to_measure: int
    disk_free_bytes: int
    pixels: tuple[PixelNeed, ...] = ()
    """Images that have to be decoded first, because a model needs them larger than they are kept."""

    @property
    def seconds(self) -> float | None:
        """One run after the other; None until each is known."""
        known = [run.seconds for run in self.runs if run.seconds is not None]
        return sum(known) if known and len(known) == len(self.runs) else None

    @property
    def memory_bytes(self) -> int | None:
        """Of the run that needs most; None until each is known."""
        known = [run.memory_bytes for run in self.runs if run.memory_bytes is not None]
        return max(known) if known and len(known) == len(self.runs) else None

    @property
    def disk_bytes(self) -> int:
        """What stays, and the most that any run needs besides."""
        pixels = sum(need.at_most_bytes for need in self.pixels)
        return (
            pixels
            + sum(run.disk_bytes for run in self.runs)
            + max((one.disk_more_bytes for one in self.runs), default=0)
        )

    @property
    def is_measured(self) -> bool:
        """Whether every measurement was made, or failed."""
        return len(self.measurements) >= self.to_measure

    @property
    def was_busy(self) -> bool:
        """Whether another run was at work during some measurement."""
        return any(one.was_busy for one in self.measurements)


@dataclass(frozen=True, slots=True)
class Device:
    """A processor that trains: its name for ``device`` and its memory in GiB (0 if unknown)."""

    id: str
    name: str
    memory_gb: float


def devices() -> tuple[Device, ...]:
    """The devices of this computer, the fastest kind first; a worker that starts torch answers."""
    import json

    from medfm_gui.domain.run import ProbeSpec

    for event in run_errand(ProbeSpec()):
        if isinstance(event, ev.Answered):
            return tuple(Device(**row) for row in json.loads(event.facts.get("devices", "[]")))
    return ()


def create_all(workspace: Workspace, requests: Sequence[TrainRequest]) -> list[str]:
    """Make the runs of several requests; all are checked before the first is made. Their ids in order.

    Raises:
        as ``training.create_runs``.
    """
    drafts = [draft for request in requests for draft in training.drafts_of(workspace, request)]
    return [view.id for view in training.create_drafts(workspace, drafts)]


def preflight(
    workspace: Workspace,
    requests: Sequence[TrainRequest],
    *,
    known: Sequence[Measurement] = (),
    on_progress: Callable[[str, int, int], None],
    on_part: Callable[[PlanCost], None],
    is_stopped: Callable[[], bool],
) -> PlanCost:
    """What the runs of these requests cost.

    Args:
        known: measurements made before; what they cover is not measured again.
        on_progress: what is being measured, measurements done, and how many there are.
        on_part: the costs as far as they are known, at once and after each measurement.
        is_stopped: whether the answer is wanted no more.

    Raises:
        as ``training.create_runs``; Interrupted: it was stopped.
    """
    drafts = sized([draft for request in requests for draft in training.drafts_of(workspace, request)])
    pixels = needs_of(workspace, drafts)
    wanted = _to_measure(drafts)
    found = {one.key: one for one in known if one.key in wanted and not one.problem}
    training_ids = _training_ids(workspace, drafts)

    def costs() -> PlanCost:
        free = shutil.disk_usage(workspace.root).free
        return PlanCost(_run_costs(drafts, found, training_ids), tuple(found.values()), len(wanted), free, pixels)

    on_part(costs())
    open_ = [(key, draft) for key, draft in wanted.items() if key not in found]
    for number, (key, draft) in enumerate(open_):
        on_progress(f"Measuring {draft.card.title}, {_kind(draft)}", number, len(open_))
        shown = len(_shown(draft, training_ids[draft.split_id][Partition.TRAIN]))
        found[key] = replace(_measured(workspace, key, draft, is_stopped), shown=shown)
        on_part(costs())
    return costs()


def _kind(draft: TrainSpec) -> str:
    card = adaptation(draft.adapt)
    return card.title if card is not None and card.by_gradient else "frozen"


def _by_gradient(draft: TrainSpec) -> bool:
    card = adaptation(draft.adapt)
    return card is not None and card.by_gradient


def _to_measure(drafts: Sequence[TrainSpec]) -> dict[str, TrainSpec]:
    """One draft for each kind of work: of frozen ones a linear probe, which has the fit besides the features, and
    one that is shown most images, so that its batches are full."""
    chosen: dict[tuple[object, ...], TrainSpec] = {}
    for draft in drafts:
        group = _group(draft)
        if group not in chosen or _worth(draft) > _worth(chosen[group]):
            chosen[group] = draft
    return {_key(draft): draft for draft in chosen.values()}


def _worth(draft: TrainSpec) -> tuple[bool, float]:
    return draft.adapt == "linear", float("inf") if draft.shots is None else draft.shots


def _group(draft: TrainSpec) -> tuple[object, ...]:
    """What runs share that one measurement serves: seeds, shots, folds, and all ways on the same frozen features."""
    recipe = draft.recipe
    same = (
        draft.card.name,
        draft.from_scratch,
        recipe.input_size,
        recipe.channels,
        recipe.normalisation,
        recipe.geometry,
        (recipe.clip_low, recipe.clip_high),
        recipe.workers,
        draft.device,
        _by_gradient(draft),
    )
    if not _by_gradient(draft):
        return (*same, _row(draft))
    step = (recipe.batch_size, recipe.accumulate, recipe.amp, recipe.precision, recipe.optimizer, recipe.ema > 0)
    views = (recipe.augment, recipe.augmentation)
    trained = (draft.adapt, recipe.blocks, recipe.rank, recipe.lora_targets, recipe.lora_bias, recipe.unfreeze)
    head = (recipe.attention_init, recipe.attention_width, recipe.attention_depth)
    return (*same, *step, *views, *trained, *head)


def _row(draft: TrainSpec) -> tuple[str, int]:
    """What the feature bank keeps of an image, and how many numbers: as ``engine.features`` lays it out."""
    card = draft.card
    is_grid = draft.adapt == "linear-grid"
    if card.convolutional or not (is_grid or card.features in ("cls", "mean", "cls+mean")):
        return "pooled", card.feature_dim
    wanted = [int(number) for number in numbers_of(draft.recipe.grid_blocks)] if is_grid else []
    blocks = max(_DEPTHS, *wanted, 0)
    width = card.feature_dim // 2 if card.features == "cls+mean" else card.feature_dim
    return f"depths{blocks}", (blocks + 1) * width


def _key(draft: TrainSpec) -> str:
    path = (draft.adapt, draft.recipe.epochs) if draft.adapt == "linear" else (_by_gradient(draft),)
    weights = draft.weights.sha256 if draft.weights else ""
    said = (*_group(draft), *path, weights, draft.dataset_fingerprint, draft.split_fingerprint, draft.shots)
    return hashlib.sha256(wire.canonical([str(part) for part in said])).hexdigest()[:24]


def _training_ids(workspace: Workspace, drafts: Sequence[TrainSpec]) -> dict[str, Mapping[Partition, Sequence[str]]]:
    """Sample ids that are looked at in training, by split and partition."""
    sides = (Partition.TRAIN, Partition.VAL, Partition.CAL)
    splits = {
        split.id: split for name in {draft.split_id for draft in drafts} for split in data.splits_of(workspace, name)
    }
    return {name: {side: split.samples_in(side) for side in sides} for name, split in splits.items()}


def _measured(workspace: Workspace, key: str, draft: TrainSpec, is_stopped: Callable[[], bool]) -> Measurement:
    from medfm_gui.jobs import request

    busy = _is_busy(workspace)
    with tempfile.TemporaryDirectory(prefix="medfm-preflight-") as made:
        folder = Path(made)

        def hear(event: ev.Event) -> None:
            if is_stopped():
                request.ask(folder, request.Request.CANCEL)

        begun = time.perf_counter()
        try:
            said = run_errand(PreflightSpec(draft), folder=folder, on_event=hear)
        except Interrupted:
            raise
        except MedfmError as error:
            return Measurement(key, problem=error.message, hint=error.hint)
    facts = {name: text for event in said if isinstance(event, ev.Answered) for name, text in event.facts.items()}
    at_work = sum(event.seconds for event in said if isinstance(event, ev.RunFinished))
    around = time.perf_counter() - begun - at_work  # starting and ending a worker costs each run as much
    return Measurement(
        key,
        device=facts["device"],
        forward_s=float(facts["forward_s"]),
        train_s=float(facts["train_s"]),
        fit_s=float(facts["fit_s"]),
        startup_s=around + float(facts["load_s"]),
        memory_bytes=int(facts["memory_bytes"]),
        trained_parameters=int(facts["trained_parameters"]),
        images=int(facts["images"]),
        missing=int(facts["missing"]),
        batches=int(facts["batches"]),
        parts=max(1, int(facts.get("parts", "1")) // draft.recipe.accumulate),
        row_bytes=int(facts.get("row_bytes", "0")),
        was_busy=busy,
    )


def _is_busy(workspace: Workspace) -> bool:
    """Whether some run of this workspace is at work now."""
    from medfm_gui.jobs.owner import alive, read_owner
    from medfm_gui.store import queries

    with workspace.store.reading() as reader:
        rows = queries.runs(reader, phase=Phase.RUNNING)
    owners = [read_owner(Path(row.folder)) for row in rows]
    return any(owner is not None and alive(owner) for owner in owners)


def _run_costs(
    drafts: Sequence[TrainSpec],
    found: Mapping[str, Measurement],
    ids: Mapping[str, Mapping[Partition, Sequence[str]]],
) -> tuple[RunCost, ...]:
    by_group = {_group(draft): found.get(key) for key, draft in _to_measure(drafts).items()}
    first_split = {_group(draft): draft.split_id for draft in reversed(drafts)}
    seen: dict[tuple[object, ...], set[str]] = {}
    costs = []
    for draft in drafts:
        group, sides = _group(draft), ids[draft.split_id]
        if _by_gradient(draft):
            costs.append(_cost_of_tuning(draft, by_group[group], sides))
            continue
        had = seen.setdefault(group, set())
        wanted = {*_shown(draft, sides[Partition.TRAIN]), *sides[Partition.VAL], *sides[Partition.CAL]}
        new = len(wanted - had)
        one = by_group[group]
        if one is not None and not had and draft.split_id == first_split[group]:
            new = min(new, one.missing)
        had |= wanted
        costs.append(_cost_of_frozen(draft, one, wanted, new, sides))
    return tuple(costs)


def _shown(draft: TrainSpec, train: Sequence[str]) -> Sequence[str]:
    """As many training images as a run is shown at most, drawn by its seed; which ones they are the engine decides."""
    if draft.shots is None:
        return train
    most = draft.shots * max(1, len(draft.classes))
    if most >= len(train):
        return train
    first = draft.seed * most % len(train)
    return [*train, *train][first : first + most]


def _cost_of_tuning(draft: TrainSpec, one: Measurement | None, sides: Mapping[Partition, Sequence[str]]) -> RunCost:
    recipe = draft.recipe
    train = len(_shown(draft, sides[Partition.TRAIN]))
    val, cal = len(sides[Partition.VAL]), len(sides[Partition.CAL])
    parameters = (draft.card.feature_dim + 1) * len(draft.classes)
    if draft.adapt == "full":
        parameters += round(draft.card.parameters_m * 1e6)  # of the others only a measurement tells
    seconds = None
    if one is not None and not one.problem:
        parameters = one.trained_parameters or parameters
        selects = draft.shots is None or recipe.shot_tuning == "validation"
        epoch = train * one.train_s + (val * one.forward_s if selects else 0.0)
        seconds = one.startup_s + recipe.epochs * epoch + (val + cal) * one.forward_s
        if recipe.protocol == "two-stage":
            seconds += recipe.epochs * (train + val) * one.train_s
    kept = parameters * _FLOAT_BYTES
    images = train + val + cal
    in_bank = val + cal if recipe.augment else images  # what is augmented is looked at anew each time
    tokens = one.row_bytes * in_bank if one is not None else 0
    more = kept * (_OPTIMISER_COPIES + _BEST_COPIES)
    return _cost(draft, one, parameters, kept + tokens, more, seconds, images, 0)


def _cost_of_frozen(
    draft: TrainSpec,
    one: Measurement | None,
    wanted: Collection[str],
    new: int,
    sides: Mapping[Partition, Sequence[str]],
) -> RunCost:
    parameters = (draft.card.feature_dim + 1) * len(draft.classes) if draft.adapt != "knn" else 0
    seconds = None
    if one is not None and not one.problem:
        seconds = one.startup_s + new * one.forward_s
        if draft.adapt == "linear":
            train = len(_shown(draft, sides[Partition.TRAIN]))
            stages = 1 + (draft.recipe.protocol == "two-stage")
            seconds += stages * one.fit_s * train / (one.shown or train or 1)
    features = new * _row(draft)[1] * _FLOAT_BYTES
    disk, images = features + parameters * _FLOAT_BYTES, len(wanted)
    return _cost(draft, one, parameters, disk, 0, seconds, images, images - new)


def _cost(
    draft: TrainSpec,
    one: Measurement | None,
    parameters: int,
    disk: int,
    more: int,
    seconds: float | None,
    images: int,
    images_known: int,
) -> RunCost:
    return RunCost(
        model=draft.card.name,
        title=draft.card.title,
        adapt=draft.adapt,
        seed=draft.seed,
        fold=draft.fold,
        from_scratch=draft.from_scratch,
        trained_parameters=parameters,
        disk_bytes=disk,
        disk_more_bytes=more,
        seconds=seconds,
        memory_bytes=one.memory_bytes if one is not None and not one.problem else None,
        images=images,
        images_known=images_known,
        problem=one.problem if one is not None else "",
        hint=one.hint if one is not None else "",
        shots=draft.shots,
        parts=one.parts if one is not None else 1,
        is_fit_known=draft.adapt != "linear-grid",
    )

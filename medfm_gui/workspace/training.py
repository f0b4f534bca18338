"""Runs: plan them, start them, wait for them, stop and resume them.

A run's folder is made first, with its order (``spec.json``); the database row follows. Whoever
supervises a run writes its rows, and nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medfm_gui import __version__
from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write, sha256_file
from medfm_gui.datasets.units import check_unit
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import adaptation
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, NotFound, UsageError, WeightsAbsent
from medfm_gui.domain.presets import FEW_SHOT, PRESETS, preset_settings
from medfm_gui.domain.recipe import Recipe, recipe_from
from medfm_gui.domain.run import EXTERNAL, FileRef, Phase, RunState, TrainSpec
from medfm_gui.domain.split import Split
from medfm_gui.domain.threshold import RULE, RuleOrigin, has_threshold
from medfm_gui.workspace import data
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.models import Model, model
from medfm_gui.workspace.pixels import sized
from medfm_gui.workspace.place import Workspace, new_folder, now
from medfm_gui.workspace.threshold import promised_rule, rule_for

_HIGHEST_SEED = 2**32 - 1
ATTENTION_BLOCKS = "deit-b"
"""The model whose blocks an attention head begins with."""

OnState = Callable[[str, Sequence[ev.Event], RunState], None]


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What to train: one run for each model, adaptation, number of shots, seed and fold.

    ``shots`` are training patients a class; None = every training image. ``threshold_from`` tells who chose the
    threshold rule that stands in ``settings``.
    """

    dataset: str
    models: tuple[str, ...]
    adapts: tuple[str, ...]
    split: str | None = None
    seeds: tuple[int, ...] = (0,)
    preset: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    device: str = "auto"
    from_scratch: bool = False
    shots: tuple[int | None, ...] = (None,)
    threshold_from: RuleOrigin = RuleOrigin.PERSON


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as anybody sees it: its order, its state, its folder."""

    id: str
    spec: TrainSpec
    state: RunState
    folder: Path


def create_runs(workspace: Workspace, request: TrainRequest) -> list[RunView]:
    """Make the folder and the row of every run of a request; nothing starts yet.

    Raises:
        WeightsAbsent: weights are not here and the request does not say ``from_scratch``, or says it
            for an adaptation that means nothing on random weights.
        UsageError, NotFound, SplitError: the request names what is not there.
    """
    return create_drafts(workspace, drafts_of(workspace, request))


def drafts_of(workspace: Workspace, request: TrainRequest) -> list[TrainSpec]:
    """The order of every run of a request, checked, with no id yet; a dataset without a split gets one.

    Raises:
        as ``create_runs``.
    """
    dataset = data.read(workspace, request.dataset)
    check_trainable(dataset)
    models = [model(workspace.settings, name) for name in request.models]
    _check_request(request, models)
    return [
        _draft(workspace, request, dataset, split, one, adapt, shots, seed)
        for split in _splits_for(workspace, request, dataset)
        for one in models
        for adapt in request.adapts
        for shots in request.shots
        for seed in request.seeds
    ]


def check_trainable(dataset: Dataset) -> None:
    """Refuse a dataset that no adaptation here can learn.

    Raises:
        UsageError: its labels are masks.
    """
    if dataset.task is Task.SEGMENTATION:
        raise UsageError(
            f"“{dataset.name}” is a segmentation dataset: its labels are masks, and every adaptation here learns "
            "classes of whole images.",
            "Import it with classes (one folder a class, or a table of labels), or choose another dataset.",
        )


def create_drafts(workspace: Workspace, drafts: Sequence[TrainSpec]) -> list[RunView]:
    """Make the folder and the row of each of these runs."""
    return [_create(workspace, draft) for draft in sized(drafts)]


def _check_request(request: TrainRequest, models: Sequence[Model]) -> None:
    if not request.models or not request.adapts:
        raise UsageError("No model or no adaptation is named.", "Use --model NAME and --adapt NAME.")
    if request.preset and request.preset not in PRESETS:
        raise UsageError(f"There is no preset “{request.preset}”.", f"Presets are: {', '.join(PRESETS)}.")
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", request.device):
        raise UsageError(
            f"There is no device “{request.device}”.", "Use auto, cpu or cuda:0; “medfm doctor” lists them."
        )
    if any(not 0 <= seed <= _HIGHEST_SEED for seed in request.seeds):
        raise UsageError("A seed is out of range.", f"Use whole numbers from 0 to {_HIGHEST_SEED}.")
    if not request.shots or any(shots is not None and shots < 1 for shots in request.shots):
        raise UsageError("There must be at least one shot.", "Use --shots 1,2,4, or “all” for every training image.")
    for name in request.adapts:
        for shots in request.shots:
            few = () if shots is None else (FEW_SHOT,)
            recipe = recipe_from(name, {**preset_settings(request.preset, name, *few), **request.settings})
            _check_shots(shots, recipe)
        card = adaptation(name)
        for one in models:
            if name not in one.card.adaptations:
                raise UsageError(
                    f"{one.card.title} cannot be adapted by “{name}”.",
                    f"It can be by: {', '.join(one.card.adaptations)}.",
                )
            if card and card.needs_weights and request.from_scratch:
                raise WeightsAbsent(
                    f"“{name}” needs pretrained weights: features of random weights say nothing of {one.card.title}.",
                    "Leave out --from-scratch, or use --adapt full.",
                )
            if not one.weights.is_here and not request.from_scratch:
                raise WeightsAbsent(
                    f"The weights of {one.card.title} are not on this computer.",
                    f"Get them with “medfm weights pull {one.card.name}” or “medfm weights import FILE --model "
                    f"{one.card.name}”; full fine-tuning can also start --from-scratch.",
                )


def _check_shots(shots: int | None, recipe: Recipe) -> None:
    if shots is not None and recipe.protocol == "two-stage" and recipe.shot_tuning != "validation":
        raise UsageError(
            "A few-shot run that may not use labels of validation images cannot be trained on them in a second stage.",
            "Use protocol=single-stage, or shot_tuning=validation.",
        )


def _head_weights(workspace: Workspace, adapt: str, recipe: Recipe) -> FileRef | None:
    """The pretrained weights that a head begins with.

    Raises:
        WeightsAbsent: they are not on this computer.
    """
    if adapt != "attention-head" or recipe.attention_init != "deit":
        return None
    found = model(workspace.settings, ATTENTION_BLOCKS).weights
    if not found.is_here:
        raise WeightsAbsent(
            "The attention head begins as DeiT-B, whose weights are not on this computer.",
            f"Get them with “medfm weights pull {ATTENTION_BLOCKS}” or “medfm weights import FILE --model "
            f"{ATTENTION_BLOCKS}”, or begin with random ones: --set attention_init=random.",
        )
    return FileRef(found.path, found.sha256)


def _splits_for(workspace: Workspace, request: TrainRequest, dataset: Dataset) -> list[Split]:
    name = request.split or data.newest_split(workspace, dataset.id)
    if name is None:
        from medfm_gui.datasets.split import SplitRequest

        return list(data.make_split(workspace, dataset.id, SplitRequest()).splits)
    splits = data.splits_of(workspace, name)
    for split in splits:
        if split.dataset_fingerprint != dataset.fingerprint:
            raise InputError(
                f"The split “{split.id}” belongs to other data than “{dataset.id}”.",
                f"Make one with “medfm split {dataset.id}”.",
            )
        _check_whole(dataset, split)
    return splits


def _check_whole(dataset: Dataset, split: Split) -> None:
    """Whether a frozen split is still what its fingerprint and its certificate say.

    Raises:
        InputError: somebody changed its file.
    """
    from medfm_gui.datasets.certificate import is_whole
    from medfm_gui.datasets.fingerprint import split_fingerprint

    sides = {item.sample: item.partition for item in split.assignments}
    is_fitting = split.certificate is None or is_whole(split.certificate, split)
    if not is_fitting or split_fingerprint(dataset, sides) != split.fingerprint:
        raise InputError(
            f"The split “{split.id}” was changed after it was frozen: it no longer fits its own hash.",
            f"Put its file back from a copy, or make another with “medfm split {dataset.id}”.",
        )


def _draft(
    workspace: Workspace,
    request: TrainRequest,
    dataset: Dataset,
    split: Split,
    one: Model,
    adapt: str,
    shots: int | None,
    seed: int,
) -> TrainSpec:
    folder = workspace.dataset(dataset.id)
    split_file = workspace.split(split.id)
    weights = None if request.from_scratch else FileRef(one.weights.path, one.weights.sha256)
    few = () if shots is None else (FEW_SHOT,)
    preset = preset_settings(request.preset, adapt, dataset.layout, dataset.task, one.card.plugin, *few)
    promised = promised_rule(workspace, dataset.id, split.id)[0] if has_threshold(dataset.task) else ""
    rule, rule_from = rule_for(dataset.task, request.settings, preset, promised, request.threshold_from)
    recipe = recipe_from(adapt, {**preset, **request.settings, RULE: rule})
    check_unit(dataset, recipe.counted)
    return TrainSpec(
        run="",
        dataset=FileRef(str(folder / "manifest.json"), sha256_file(folder / "manifest.json")),
        split=FileRef(str(split_file), sha256_file(split_file)),
        pixels=str(folder / "pixels"),
        features=str(workspace.root / "features"),
        card=one.card,
        adapt=adapt,
        recipe=recipe,
        seed=seed,
        device=request.device,
        weights=weights,
        from_scratch=request.from_scratch,
        preset=request.preset,
        shots=shots,
        created=now(),
        code_version=__version__,
        dataset_id=dataset.id,
        dataset_fingerprint=dataset.fingerprint,
        split_id=split.id,
        split_fingerprint=split.fingerprint,
        split_certificate=split.certificate.sha256 if split.certificate else "",
        task=dataset.task,
        classes=dataset.classes,
        positive=dataset.positive,
        fold=split.fold,
        head_weights=_head_weights(workspace, adapt, recipe),
        threshold_from=rule_from,
    )


def _create(workspace: Workspace, draft: TrainSpec) -> RunView:
    import dataclasses
    import shutil

    folder = new_folder(workspace.root / "runs", "r", counted=True)
    spec = dataclasses.replace(draft, run=folder.name)
    try:
        sha256 = atomic_write(folder / "spec.json", wire.encode_spec(spec))
        workspace.store.put_run(spec, str(folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    what = {"model": spec.card.name, "adapt": spec.adapt, "split": spec.split_id, "spec": sha256}
    note(workspace, "run created", spec.run, **what)
    return RunView(spec.run, spec, RunState(), folder)


def run_to_end(workspace: Workspace, run_ids: Sequence[str], *, on_state: OnState | None = None) -> list[RunView]:
    """Supervise runs until each has said its last word: in order on each device, devices at the same time."""
    from medfm_gui.jobs.process import run_queue

    folders = [workspace.run(run_id) for run_id in run_ids]
    for folder in folders:
        spec = spec_of(folder)
        workspace.store.put_run(spec, str(folder))

    def record(folder: Path, events: Sequence[ev.Event], state: RunState) -> None:
        workspace.store.record_events(folder.name, events, state)
        if on_state:
            on_state(folder.name, events, state)

    run_queue(folders, on_events=record, locks=workspace.root / "locks")
    views = [view(workspace, run_id) for run_id in run_ids]
    for one in views:
        if one.state.phase is Phase.FINISHED:
            index_predictions(workspace, one, "val")
        note(workspace, f"run {one.state.phase.value}", one.id)
    return views


def start_in_background(workspace: Workspace, run_ids: Sequence[str]) -> list[RunView]:
    """Start a supervisor that goes on when this program ends."""
    from medfm_gui.jobs.process import start_supervisor

    start_supervisor(run_ids, workspace.root)
    return [view(workspace, run_id) for run_id in run_ids]


def check_finished(one: RunView) -> RunView:
    """The run, when it came to its end, so that it has a model and results.

    Raises:
        UsageError: it is not finished; what to do depends on why.
    """
    run_id, state = one.id, one.state
    if state.phase is Phase.FINISHED:
        return one
    again = "Start the same run again with “medfm train”."
    hints = {
        Phase.QUEUED: f"Wait for its end, or start it: “medfm resume {run_id}”.",
        Phase.RUNNING: "Wait for its end.",
        Phase.PAUSED: f"Go on with it: “medfm resume {run_id}”.",
        Phase.CANCELLED: again,
        Phase.FAILED: f"Go on with it: “medfm resume {run_id}”." if state.resumable else state.hint or again,
    }
    why = f" ({state.message.rstrip('.')})" if state.phase is Phase.FAILED and state.message else ""
    raise UsageError(
        f"The run {run_id} is {state.phase.value}, not finished{why}, so it has no result.", hints[state.phase]
    )


def check_resumable(workspace: Workspace, run_id: str) -> RunView:
    """The run, when it can go on from where it stopped.

    Raises:
        UsageError: it is finished, cancelled, still at work, or failed in a way that would only repeat itself.
    """
    one = view(workspace, run_id)
    if one.state.phase is Phase.QUEUED or (one.state.phase in (Phase.PAUSED, Phase.FAILED) and one.state.resumable):
        return one
    reasons = {
        Phase.FINISHED: ("is finished", "Look at it with “medfm evaluate” or “medfm report”."),
        Phase.CANCELLED: ("was cancelled", "Start the same run again with “medfm train”."),
        Phase.RUNNING: ("is still at work", "Wait for it, or pause it with “medfm pause”."),
        Phase.FAILED: (
            f"failed ({one.state.message.rstrip('.')})",
            one.state.hint or "Start a new run with other settings.",
        ),
        Phase.PAUSED: ("is paused without a checkpoint", "Start a new run."),
    }
    what, hint = reasons[one.state.phase]
    raise UsageError(f"The run {run_id} {what}, so it cannot be resumed.", hint)


def pause(workspace: Workspace, run_id: str) -> RunView:
    """Ask a run to save its place and stop; returns how it stands then."""
    from medfm_gui.jobs.process import request_pause

    request_pause(workspace.run(run_id))
    return view(workspace, run_id)


def cancel(workspace: Workspace, run_id: str) -> RunView:
    """Ask a run to stop for good; returns how it stands then."""
    from medfm_gui.jobs.follow import read_all
    from medfm_gui.jobs.process import request_cancel

    folder = workspace.run(run_id)
    request_cancel(folder)
    one = view(workspace, run_id)
    if one.state.phase is Phase.CANCELLED:
        workspace.store.record_events(run_id, read_all(folder), one.state)
    return one


def spec_of(folder: Path) -> TrainSpec:
    """The order of a run's folder.

    Raises:
        NotFound: the folder is no run.
    """
    path = folder / "spec.json"
    if not path.exists():
        raise NotFound(f"“{folder.name}” holds no run.", "“medfm runs” lists the runs.")
    spec = wire.decode_spec(path.read_bytes())
    if not isinstance(spec, TrainSpec):
        raise NotFound(f"“{folder.name}” is not a training run.", "“medfm runs” lists the runs.")
    return spec


def view(workspace: Workspace, run_id: str) -> RunView:
    """A run with its state as its files tell it now.

    Raises:
        NotFound: there is none of that id.
    """
    from medfm_gui.jobs.follow import state_of

    folder = workspace.run(run_id)
    return RunView(run_id, spec_of(folder), state_of(folder), folder)


def check_has_model(view: RunView) -> None:
    """See that a run has a model that can be asked.

    Raises:
        UsageError: it is another system's predictions, read from a table.
    """
    if view.spec.adapt == EXTERNAL:
        raise UsageError(
            f"{view.id} holds the predictions of “{view.spec.card.title}”, an external system: there is no model here.",
            "Choose a run that was trained here; this one can be compared and reported.",
        )


def every_run(workspace: Workspace) -> list[RunView]:
    """All runs of the workspace, oldest first."""
    return [view(workspace, path.parent.name) for path in sorted((workspace.root / "runs").glob("*/spec.json"))]


def index_predictions(workspace: Workspace, one: RunView, subset: str) -> None:
    """Bring a run's scores of a partition into the database."""
    path = one.folder / "predictions" / f"{subset}.npz"
    if not path.exists():
        return
    from medfm_gui.workspace.scores import read_scores

    dataset = data.read(workspace, one.spec.dataset_id)
    samples, scores = read_scores(path)
    labels = {sample.id: sample.target for sample in dataset.samples}
    workspace.store.put_predictions(one.id, subset, samples, scores, [labels[name] for name in samples])

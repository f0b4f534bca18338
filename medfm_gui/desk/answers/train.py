"""What the train wizard asks: models, devices, what a plan costs, and the runs it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from medfm_gui.base.settings import load_settings
from medfm_gui.desk.asks.train import (
    AddModel,
    CreateRuns,
    DeviceList,
    ListDevices,
    ListModels,
    Looks,
    ModelAdded,
    ModelList,
    Preflight,
    RunOrder,
    RunsMade,
    RunSpecOf,
    ShowLooks,
    ThresholdRulesOf,
)
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.errors import NotFound, UsageError
from medfm_gui.domain.presets import FEW_SHOT, PRESETS, preset_settings
from medfm_gui.domain.recipe import Recipe, recipe_from
from medfm_gui.domain.run import TrainSpec
from medfm_gui.domain.threshold import DEFAULT_RULE, RULE, RuleOrigin
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.planning import PlanCost
from medfm_gui.workspace.threshold import KnownRules


def list_models(room: Room, ask: ListModels, told: Told) -> ModelList:
    """Cards of all plugins with the weights' state."""
    from medfm_gui.workspace.models import every_model

    models, broken = every_model(load_settings())  # they may have changed since the workspace was opened
    return ModelList(tuple(models), tuple(broken))


def list_devices(room: Room, ask: ListDevices, told: Told) -> DeviceList:
    """A worker that starts torch tells them."""
    from medfm_gui.workspace.planning import devices

    return DeviceList(devices())


def add_model(room: Room, ask: AddModel, told: Told) -> ModelAdded:
    """A worker asks timm of it, and its card is kept.

    Raises:
        UsageError: nothing was typed.
        NotFound: timm has no such model.
    """
    from medfm_gui.workspace.models import TIMM, card_of

    name = ask.name.strip().removeprefix(TIMM)
    if not name:
        raise UsageError("No name was typed.", "Type a name of timm’s, such as convnext_tiny.fb_in22k.")
    told.progress(f"Asking timm for “{name}”")
    return ModelAdded(card_of(TIMM + name).name)


def preflight(room: Room, ask: Preflight, told: Told) -> PlanCost:
    """Measured by workers, one after another."""
    from medfm_gui.workspace.planning import preflight as measured

    return measured(
        _current(room),
        ask.requests,
        known=ask.known,
        on_progress=told.progress,
        on_part=told.part,
        is_stopped=told.stopped.is_set,
    )


def show_looks(room: Room, ask: ShowLooks, told: Told) -> Looks:
    """Prepared and drawn by the worker that stays up."""
    from medfm_gui.workspace.looks import looks_of

    told.progress("Preparing the images")
    found = looks_of(_current(room), ask.request, warm=room.warm(), pool=room.pool(), seed=ask.seed, stop=told.stopped)
    return Looks(found.samples, found.columns, found.side, found.size, found.note, found.pixels)


def create_runs(room: Room, ask: CreateRuns, told: Told) -> RunsMade:
    """Folders and rows; the window starts them."""
    from medfm_gui.workspace.planning import create_all

    return RunsMade(tuple(create_all(_current(room), ask.requests)))


def _current(room: Room) -> Workspace:
    """The workspace with the settings as they are now: weights may have been moved since it was opened."""
    import dataclasses

    return dataclasses.replace(room.workspace, settings=load_settings())


def run_spec_of(room: Room, ask: RunSpecOf, told: Told) -> RunOrder:
    """From the run's own folder."""
    from medfm_gui.workspace.training import spec_of

    spec = spec_of(room.workspace.run(ask.run))
    family = spec.split_id.removesuffix(f"-f{spec.fold}") if spec.fold is not None else spec.split_id
    preset = spec.preset if spec.preset in PRESETS else ""
    few = () if spec.shots is None else (FEW_SHOT,)
    where = (spec.adapt, _layout_of(room, spec.dataset_id), spec.task, spec.card.plugin, *few)
    usual = recipe_from(spec.adapt, preset_settings(preset, *where))
    changed = {
        item.name: _as_text(getattr(spec.recipe, item.name))
        for item in fields(Recipe)
        if item.name != RULE and getattr(spec.recipe, item.name) != getattr(usual, item.name)
    }
    return RunOrder(
        run=ask.run,
        dataset=spec.dataset_id,
        split=family,
        model=spec.card.name,
        adapt=spec.adapt,
        from_scratch=spec.from_scratch,
        seed=spec.seed,
        device=spec.device,
        preset=preset,
        settings=changed,
        shots=spec.shots,
        threshold_rule=_chosen_rule(spec, preset),
    )


def _chosen_rule(spec: TrainSpec, preset: str) -> str:
    """The threshold rule that somebody chose; empty where it was the default, or comes with the preset again.

    Of runs of earlier versions that is not known: another rule than the default was chosen.
    """
    rule = spec.recipe.threshold_rule
    match spec.threshold_from:
        case RuleOrigin.DEFAULT:
            return ""
        case RuleOrigin.PRESET:
            return "" if preset else rule
        case RuleOrigin.UNKNOWN:
            return rule if rule != DEFAULT_RULE else ""
        case _:
            return rule


def threshold_rules_of(room: Room, ask: ThresholdRulesOf, told: Told) -> KnownRules:
    """The locked protocol's, and the one that was chosen last."""
    from medfm_gui.workspace.threshold import known_rules

    return known_rules(room.workspace, ask.dataset, ask.split)


def _layout_of(room: Room, dataset: str) -> str:
    """The layout of a dataset; empty where it is gone, and with it what a preset has for that layout alone."""
    from medfm_gui.store import queries

    try:
        with room.workspace.store.reading() as reader:
            return queries.dataset(reader, dataset).layout
    except NotFound:
        return ""


def _as_text(value: bool | int | float | str | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ListModels: Entry(list_models),
    ListDevices: Entry(list_devices, lane=Lane.WORK),
    AddModel: Entry(add_model, lane=Lane.WORK, changes=(Topic.MODELS,)),
    Preflight: Entry(preflight, lane=Lane.WORK),
    ShowLooks: Entry(show_looks, lane=Lane.PREDICT),
    CreateRuns: Entry(create_runs, changes=(Topic.RUNS,), writes=True),
    RunSpecOf: Entry(run_spec_of),
    ThresholdRulesOf: Entry(threshold_rules_of),
}

"""What is still missing at each step of the wizard, in a sentence for the line beside Next."""

from __future__ import annotations

from enum import IntEnum

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.units import counted
from medfm_gui.ui.pages.train import operating, recipes
from medfm_gui.ui.pages.train.axes import MOST_RUNS, seeds_of, shots_of
from medfm_gui.ui.pages.train.model import PlanState, knows_unit
from medfm_gui.ui.pages.train.words import listed
from medfm_gui.ui.widgets.text import one_line
from medfm_gui.workspace.training import ATTENTION_BLOCKS


class At(IntEnum):
    """The steps, in their order."""

    DATA = 0
    SPLIT = 1
    MODELS = 2
    ADAPTATION = 3
    RECIPE = 4
    REVIEW = 5


_LONGEST = 80
SEEDS_ARE = "Seeds are whole numbers, such as 0, 1, 2 or 0-4."
SHOTS_ARE = "Shots are whole numbers from 1, or the word all, such as 1, 2, 4, all."
ATTENTION_NEEDS = (
    "The attention head begins as DeiT-B, whose weights are not on this computer: get them in Settings, or let its "
    "blocks begin random."
)
TITLES = ("Data", "Split", "Models", "Adaptation", "Recipe", "Review")


def lacks_attention_blocks(state: PlanState) -> bool:
    """Whether an attention head is planned whose pretrained blocks are not on this computer."""
    plan, adapt = state.plan, "attention-head"
    if not any(way.adapt == adapt for _, way in state.cells()):
        return False
    told = recipes.settings_for(adapt, plan.settings).get("attention_init", "")
    if (told or recipes.usual(adapt, plan.preset, "attention_init", *state.where)) != "deit":
        return False
    return not any(model.card.name == ATTENTION_BLOCKS and model.weights.is_here for model in state.models)


def missing(state: PlanState, step: int) -> str:
    """Why one cannot go on from this step; empty if one can."""
    match step:
        case At.DATA:
            return _data(state)
        case At.SPLIT:
            return _split(state)
        case At.MODELS:
            return "" if state.chosen_models else "Choose at least one model."
        case At.ADAPTATION:
            return _cells(state)
        case At.RECIPE:
            return _recipe(state)
        case _:
            return ""


def _data(state: PlanState) -> str:
    dataset = state.plan.dataset
    if dataset is None:
        return "Choose a dataset."
    if dataset.task is Task.SEGMENTATION:
        return "Its labels are masks, and every adaptation here learns classes of whole images: choose another dataset."
    return ""


def first_gap(state: PlanState) -> tuple[int, str] | None:
    """The first step at which something is missing, and what."""
    for step in At:
        if said := missing(state, step):
            return int(step), said
    return None


def chosen(state: PlanState, step: int) -> str:
    """What was chosen at a step, in a few words for the list of steps."""
    plan = state.plan
    match step:
        case At.DATA:
            return plan.dataset.name if plan.dataset else ""
        case At.SPLIT:
            return plan.split.rule if plan.split else ""
        case At.MODELS:
            return listed([model.card.title for model in state.chosen_models], 2)
        case At.ADAPTATION:
            used = {way for _, way in state.cells()}
            return listed([way.title for way in plan.ways if way in used], 2)
        case At.RECIPE:
            if operating.gap(state):
                return ""
            changed = sum(len(mine) for mine in plan.settings.values())
            return f"{counted(changed, 'setting')} changed" if changed else plan.preset or "defaults"
        case _:
            return ""


def _split(state: PlanState) -> str:
    dataset, split = state.plan.dataset, state.plan.split
    if split is None:
        return "Choose a split, or make one."
    if dataset is not None and split.rows[0].dataset_fingerprint != dataset.fingerprint:
        return "This split belongs to an earlier import of the data. Make a new one."
    if not all(row.sizes.get("val") for row in split.rows):
        return "This split has no validation images, on which the best model is chosen."
    return ""


def _cells(state: PlanState) -> str:
    if not state.cells():
        absent = [model for model in state.chosen_models if not model.weights.is_here]
        if len(absent) == len(state.chosen_models):
            return "No weights of these models are on this computer: get them in Settings, or train from scratch."
        return "Tick at least one way for at least one model."
    if shots_of(state.plan.shots) is None:
        return SHOTS_ARE
    if seeds_of(state.plan.seeds) is None:
        return SEEDS_ARE
    if state.n_runs > MOST_RUNS:
        return f"These would be {state.n_runs:,} runs; {MOST_RUNS:,} are the most at once."
    return ""


def _recipe(state: PlanState) -> str:
    plan = state.plan
    adapts = list(dict.fromkeys(way.adapt for _, way in state.cells()))
    if said := operating.gap(state):
        return said
    wrong = recipes.mistakes(adapts, plan.settings)
    if wrong:
        return next(iter(wrong.values()))
    few = any(shots is not None for shots in shots_of(plan.shots) or ())
    if lacks_attention_blocks(state):
        return ATTENTION_NEEDS
    unit = plan.settings.get("", {}).get("unit", "")
    if unit and plan.dataset is not None and not knows_unit(state, unit):
        name = one_line(plan.dataset.name, _LONGEST)
        return f"“{name}” does not tell which images are of one {unit}: count something else."
    conflicts = (recipes.conflict(adapt, plan.preset, plan.settings, few, *state.where) for adapt in adapts)
    return next(filter(None, conflicts), "")

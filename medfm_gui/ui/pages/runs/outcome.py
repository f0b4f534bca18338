"""What a run came to beside its numbers: what was trained, what was chosen on the way, how large a step was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from medfm_gui.domain.run import RunState
from medfm_gui.ui.widgets.text import one_line

TITLES: Mapping[str, str] = {
    "trained of the backbone": "Trained of the backbone",
    "head": "Winning head",
    "penalty": "Penalty",
    "augmentation": "Augmentation",
    "attention blocks began as": "Attention blocks",
    "leave_one_out": "Leave one out",
    "protocol": "Protocol",
    "validation numbers": "Validation",
}
"""What the engine's facts are called here; one that is not listed keeps its own name."""

_STEPPED = ("attention-head", "lora", "bitfit", "partial", "full")
"""Adaptations whose recipe says how large a step is."""


def outcome_facts(
    adapt: str, state: RunState, recipe: Mapping[str, bool | int | float | str | None]
) -> Iterator[tuple[str, str]]:
    """Facts of a run that has begun, in the order of the table, then whatever else was decided."""
    known = [name for name in TITLES if name in state.facts]
    for name in (*known, *sorted(set(state.facts) - set(known))):
        title = TITLES.get(name, name.replace("_", " "))
        yield f"{title[:1].upper()}{title[1:]}", one_line(state.facts[name], 400)
    if adapt == "lora" and recipe.get("lora_targets"):
        yield "Adapted layers", f"{recipe['lora_targets']}, scaled by {_scale(recipe)}"
    batch, parts = recipe.get("batch_size"), recipe.get("accumulate") or 1
    if adapt in _STEPPED and isinstance(batch, int) and isinstance(parts, int):
        said = f"{batch * parts:,} images a step"
        yield "Effective batch", said + (f" ({parts} batches of {batch})" if parts > 1 else "")


def _scale(recipe: Mapping[str, bool | int | float | str | None]) -> str:
    """Alpha by rank, as the adapters' product is multiplied."""
    alpha, rank = recipe.get("alpha"), recipe.get("rank")
    if isinstance(alpha, int | float) and isinstance(rank, int | float) and rank:
        return f"{alpha / rank:g} (alpha {alpha:g}, rank {rank:g})"
    return "alpha / rank"

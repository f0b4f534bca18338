"""What was ordered and what it ran on, as facts to read and to copy."""

from __future__ import annotations

from collections.abc import Iterator

from medfm_gui.desk.asks.runs import RunFacts, RunItem, RunUse
from medfm_gui.domain.cards import adaptation
from medfm_gui.domain.run import EXTERNAL, Phase
from medfm_gui.domain.threshold import RULE, fixed_in_words, has_threshold, rule_in_words
from medfm_gui.domain.units import unit_title
from medfm_gui.ui.pages.runs import wording
from medfm_gui.ui.pages.runs.outcome import outcome_facts
from medfm_gui.ui.widgets.text import one_line

_HASH = 16


def live_facts(item: RunItem, use: RunUse | None, started: float | None, now: float) -> Iterator[tuple[str, str]]:
    """What changes while a run works: only what is measured."""
    state = item.row.state
    left = wording.seconds_left(item)
    if state.phase is Phase.RUNNING:
        yield "Time left", wording.duration(left) if left is not None else "not known yet"
        if started:
            yield "Running for", wording.duration(max(now - started, 0.0))
        if state.samples_per_second:
            yield "Samples/s", wording.rate(state)
    elif state.phase is Phase.FINISHED:
        yield "Duration", wording.duration(state.seconds)
        yield "Samples/s", wording.rate(state)
        if state.peak_memory_bytes:
            yield "Peak memory", wording.size(state.peak_memory_bytes)
    if state.device:
        yield "Device", state.device
    if use is not None and state.phase is Phase.RUNNING:
        yield from _use(use)
    if state.startup_seconds:
        yield "Startup", wording.duration(state.startup_seconds)


def _use(use: RunUse) -> Iterator[tuple[str, str]]:
    if use.memory_bytes is not None:
        peak = f" (peak {wording.size(use.peak_bytes)})" if use.peak_bytes else ""
        yield "Memory", f"{wording.size(use.memory_bytes)}{peak}"
    if use.cores is not None:
        yield "Processor", f"{use.cores:.1f} cores on average"
    if use.gpu_bytes is not None:
        yield "GPU memory", wording.size(use.gpu_bytes)
    if use.gpu_percent is not None:
        yield "GPU use", f"{use.gpu_percent:.0f} %"


def setup_facts(facts: RunFacts) -> Iterator[tuple[str, str]]:
    """What decides the result: model, weights, data, split, recipe, seed, versions."""
    row = facts.item.row
    card = adaptation(row.adapt)
    yield "Model", f"{facts.item.model or row.model} ({row.family})"
    yield "Weights", _weights(facts)
    yield "Adaptation", card.title if card else row.adapt
    if row.state.trained_parameters or row.state.phase is Phase.FINISHED:
        yield "Trained parameters", f"{row.state.trained_parameters:,}"
    if row.shots is not None:
        yield "Shots", wording.shots(row.shots)
    if row.state.labels_used:
        yield "Labels used", f"{row.state.labels_used:,} labelled images"
    yield from outcome_facts(row.adapt, row.state, row.recipe)
    yield "Dataset", f"{facts.item.dataset or row.dataset} ({row.dataset})"
    yield "Split", _split(facts)
    yield "Recipe", _recipe(facts)
    yield "Seed", wording.seed(facts.item)
    if has_threshold(row.task) and row.adapt != EXTERNAL:
        yield "Threshold rule", _rule(facts)
    if facts.point:
        yield "Threshold", _threshold(facts)
    yield "Created", wording.when(row.created)
    if facts.started:
        yield "Program", ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    for warning in row.state.warnings:
        yield "Warning", warning
    yield "Folder", row.folder


def _weights(facts: RunFacts) -> str:
    row = facts.item.row
    if row.from_scratch or row.weights_sha256 is None:
        return "random (from scratch)"
    return f"SHA-256 {row.weights_sha256[:_HASH]}…"


def _split(facts: RunFacts) -> str:
    row = facts.item.row
    sizes = ", ".join(f"{side} {count:,}" for side, count in facts.sizes.items() if count)
    leaks = f"; {facts.n_leaks:,} accepted leaks" if facts.n_leaks else ""
    rule = one_line(facts.split_rule) or row.split
    return f"{rule} ({sizes} images{leaks})" if sizes else rule


def _recipe(facts: RunFacts) -> str:
    row = facts.item.row
    card = adaptation(row.adapt)
    recipe = row.recipe
    names = [
        name for name in (*(card.settings if card else recipe), "unit", "patience") if recipe.get(name) is not None
    ]
    said = ", ".join(
        f"{name} {_value(recipe[name])}" for name in names if not (name == "patience" and not recipe[name])
    )
    return f"{row.preset}: {said}" if row.preset else said


def _value(value: bool | int | float | str | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _rule(facts: RunFacts) -> str:
    """The rule, and who chose it where that was kept."""
    rule, who = rule_in_words(str(facts.item.row.recipe.get(RULE) or wording.NONE)), facts.threshold_from.words
    return f"{rule[:1].upper()}{rule[1:]}, {who}" if who else f"{rule[:1].upper()}{rule[1:]}"


def _threshold(facts: RunFacts) -> str:
    point = facts.point
    if point is None:
        return wording.NONE
    how = f"{fixed_in_words(point.rule, point.fitted_on)}, by {unit_title(point.unit)}"
    return f"{point.threshold:.3f} for “{one_line(point.positive, 80)}” ({how})"

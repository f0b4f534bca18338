"""What a recipe's fields hold: their usual values, what of them a run is told, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from medfm_gui.domain.cards import BackboneCard, adaptation
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.presets import preset_settings
from medfm_gui.domain.recipe import Recipe, recipe_from
from medfm_gui.ui.pages.train.fields import FIELDS, GROUPS, Field, field_of

_BY_GRADIENT: Final = frozenset(key for group in GROUPS if group.by_gradient for key in group.keys)
_TUNED_ON_SHOTS: Final = ("linear", "linear-grid")


def fields_of(adapt: str) -> tuple[Field, ...]:
    """The fields that an adaptation lists as its own."""
    card = adaptation(adapt)
    return tuple(field_of(key, adapt) for key in (card.settings if card is not None else ()))


def is_by_gradient(adapt: str) -> bool:
    """Whether it is trained step by step on images."""
    card = adaptation(adapt)
    return card is not None and card.by_gradient


def usual(adapt: str, preset: str, key: str, *where: str) -> str:
    """The value of a setting where nothing is typed, as it would be typed; empty: the model's own.

    Args:
        where: the dataset's layout, its task, the model's plugin, for which a preset may have values of its own.
    """
    if key in _BY_GRADIENT and adapt and not is_by_gradient(adapt):
        return ""
    value = getattr(_recipe(adapt or "full", preset_settings(preset, adapt, *where)), key)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def usuals(adapts: Iterable[str], preset: str, key: str, *where: str) -> tuple[str, ...]:
    """The values that several ways have where nothing is typed, each once."""
    mine = [adapt for adapt in adapts if key not in _BY_GRADIENT or is_by_gradient(adapt)]
    return tuple(dict.fromkeys(usual(adapt, preset, key, *where) for adapt in (mine or [""])))


def _recipe(adapt: str, settings: Mapping[str, str]) -> Recipe:
    try:
        return recipe_from(adapt, settings)
    except UsageError:
        return recipe_from(adapt, {})


def settings_for(adapt: str, settings: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What a request for this adaptation says; what is chosen for all ways reaches those that it means something to."""
    shared = {
        key: text
        for key, text in settings.get("", {}).items()
        if (key not in _BY_GRADIENT or is_by_gradient(adapt))
        and not (key == "shot_tuning" and text == "inner-cv" and adapt not in _TUNED_ON_SHOTS)
    }
    return {**shared, **settings.get(adapt, {})}


def mistake(key: str, text: str, cards: Iterable[BackboneCard] = ()) -> str:
    """What is wrong with a value, and what would be right; empty if nothing is."""
    if not text.strip():
        return ""
    try:
        recipe = recipe_from("linear", {key: text.strip()})  # which has most of what a value may ask for
    except UsageError as error:
        return _plain(key, error)
    return _unfit_size(recipe, cards) if key == "input_size" else ""


def mistakes(
    adapts: Iterable[str], settings: Mapping[str, Mapping[str, str]], cards: Iterable[BackboneCard]
) -> dict[tuple[str, str], str]:
    """All that is wrong, by adaptation and key."""
    chosen = tuple(cards)
    found = {}
    for adapt in ("", *adapts):
        for key, text in settings.get(adapt, {}).items():
            if said := mistake(key, text, chosen):
                found[adapt, key] = said
    return found


def conflict(adapt: str, preset: str, settings: Mapping[str, Mapping[str, str]], few: bool, *where: str) -> str:
    """What does not fit together in the recipe of a way, though each value is right; empty if nothing is.

    Args:
        few: whether some runs are shown a few images only.
    """
    card = adaptation(adapt)
    title = card.title if card is not None else adapt
    try:
        recipe = recipe_from(adapt, {**preset_settings(preset, adapt, *where), **settings_for(adapt, settings)})
    except UsageError as error:
        return f"{title}: {error.message}"
    if few and recipe.protocol == "two-stage" and recipe.shot_tuning != "validation":
        return (
            f"{title}: with a few shots there are no validation labels to train on in a second stage. "
            "Take one stage, or settings from all validation labels."
        )
    return ""


def _plain(key: str, error: UsageError) -> str:
    field = FIELDS.get(key)
    if field is None:
        return error.message
    if field.range:
        return f"{field.title}: a number from {field.range}."
    return f"{field.title}: {error.hint}"


def _unfit_size(recipe: Recipe, cards: Iterable[BackboneCard]) -> str:
    size = recipe.input_size or 0
    for card in cards:
        if card.size_rule == "fixed" and size != card.native_size:
            return f"{card.title} takes {card.native_size} alone."
        if card.size_rule == "multiple" and size % card.multiple:
            below = max(card.multiple, size // card.multiple * card.multiple)
            return f"{card.title} needs a multiple of {card.multiple}, e.g. {below} or {below + card.multiple}."
    return ""

"""What a recipe's fields hold: their usual values, what of them a run is told, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from medfm_gui.domain.cards import BackboneCard, adaptation, suitable_size
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.presets import FEW_SHOT, PRESETS, preset_settings
from medfm_gui.domain.recipe import Recipe, recipe_from
from medfm_gui.ui.pages.train.fields import FIELDS, GROUPS, Field, field_of
from medfm_gui.ui.pages.train.words import listed

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
    value = getattr(_usual_recipe(adapt, preset, where), key)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def usuals(adapts: Iterable[str], preset: str, key: str, *where: str) -> tuple[str, ...]:
    """The values that several ways have where nothing is typed, each once."""
    mine = [adapt for adapt in adapts if key not in _BY_GRADIENT or is_by_gradient(adapt)]
    return tuple(dict.fromkeys(usual(adapt, preset, key, *where) for adapt in (mine or [""])))


def plugins_apart(preset: str, cards: Iterable[BackboneCard]) -> tuple[str, ...]:
    """The plugins of these models that a preset has values of their own for, and “” for all others."""
    named = PRESETS[preset].where if preset in PRESETS else {}
    return tuple(dict.fromkeys(card.plugin if card.plugin in named else "" for card in cards)) or ("",)


@lru_cache(maxsize=1024)
def _usual_recipe(adapt: str, preset: str, where: tuple[str, ...]) -> Recipe:
    settings = preset_settings(preset, adapt, *where)
    try:
        return recipe_from(adapt or "full", settings)
    except UsageError:  # a preset of another task
        return recipe_from(adapt or "full", {})


def settings_for(adapt: str, settings: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What a request for this adaptation says; what is chosen for all ways reaches those that it means something to."""
    shared = {
        key: text
        for key, text in settings.get("", {}).items()
        if (key not in _BY_GRADIENT or is_by_gradient(adapt))
        and not (key == "shot_tuning" and text == "inner-cv" and adapt not in _TUNED_ON_SHOTS)
    }
    return {**shared, **settings.get(adapt, {})}


_BESIDE: Final[Mapping[str, Mapping[str, str]]] = {"unit_score": {"unit": "patient"}}
"""What a value needs beside it to be judged by itself."""


def mistake(key: str, text: str) -> str:
    """What is wrong with a value, and what would be right; empty if nothing is."""
    if not text.strip():
        return ""
    try:
        recipe_from("linear", {**_BESIDE.get(key, {}), key: text.strip()})  # which has most that a value may ask for
    except UsageError as error:
        return _plain(key, error)
    return ""


def remark(key: str, text: str, cards: Iterable[BackboneCard]) -> str:
    """What becomes of a right value: an input size that a model does not take is rounded to one that it takes."""
    if key != "input_size" or not text.strip() or mistake(key, text):
        return ""
    wanted = int(text)
    taken: dict[int, list[str]] = {}
    for card in cards:
        size = suitable_size(card, wanted)
        if size != wanted:
            taken.setdefault(size, []).append(card.title)
    return "; ".join(f"{listed(titles)} will see {size:,} pixels" for size, titles in taken.items())


def mistakes(adapts: Iterable[str], settings: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], str]:
    """All that is wrong, by adaptation and key."""
    found = {}
    for adapt in ("", *adapts):
        for key, text in settings.get(adapt, {}).items():
            if said := mistake(key, text):
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
    if few:
        recipe = recipe_from(
            adapt, {**preset_settings(preset, adapt, *where, FEW_SHOT), **settings_for(adapt, settings)}
        )
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

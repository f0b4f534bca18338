"""The settings of a recipe as fields: names for people, units, ranges, defaults, and what is wrong with a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from medfm_gui.domain.cards import BackboneCard, adaptation
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.presets import preset_settings
from medfm_gui.domain.recipe import RANGES, WORDS, Recipe, recipe_from

COMMON: Final = ("unit", "threshold_rule", "patience", "workers")
"""Settings that every adaptation has, or that decide only how results are read."""

_OPTIONS_YES_NO: Final = (("On", "yes"), ("Off", "no"))


@dataclass(frozen=True, slots=True)
class Field:
    """A setting: its title, its unit, a sentence, and the options where it is no free number."""

    key: str
    title: str
    unit: str = ""
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @property
    def range(self) -> str:
        """“1 to 100,000”, or nothing."""
        limits = RANGES.get(self.key)
        return f"{_number(limits[0])} to {_number(limits[1])}" if limits else ""


FIELDS: Final[Mapping[str, Field]] = {
    field.key: field
    for field in (
        Field("k", "Neighbours", "images", "How many of the most similar training images vote."),
        Field("temperature", "Temperature", "", "Small values let the nearest images decide alone."),
        Field("epochs", "Epochs", "", "Passes over the training images."),
        Field("batch_size", "Batch size", "images", "Images a step; fewer need less memory."),
        Field("lr", "Peak learning rate", "", "Reached after the warm-up, then falls to zero along a cosine."),
        Field("weight_decay", "Weight decay"),
        Field("warmup_epochs", "Warm-up", "epochs"),
        Field("input_size", "Input size", "pixels", "Rows and columns that the model sees."),
        Field("amp", "Mixed precision", "", "Faster on GPUs; has no effect on a CPU.", _OPTIONS_YES_NO),
        Field("augment", "Augmentation", "", "Random crops, mirroring and brightness.", _OPTIONS_YES_NO),
        Field("rank", "Rank", "", "Of the small matrices beside each adapted layer; they count alpha / rank times."),
        Field("alpha", "Alpha"),
        Field(
            "lora_targets",
            "Adapted layers",
            "",
            "",
            (
                ("All of the attention", "attention"),
                ("Attention and MLP", "attention+mlp"),
                ("Query, key, value", "qkv"),
                ("Query, key, value and MLP", "qkv+mlp"),
            ),
        ),
        Field("lora_dropout", "Dropout of adapters"),
        Field("lora_bias", "Train their biases too", "", "", _OPTIONS_YES_NO),
        Field("blocks", "Blocks trained", "blocks", "The last ones, with the final norm; 0 is the head alone."),
        Field(
            "layer_decay",
            "Decay by depth",
            "",
            "Factor of the learning rate from a block to the one before it; 1 is off.",
        ),
        Field("patience", "Stop early", "epochs", "After so many epochs without a better score; 0 is never."),
        Field("workers", "Loading threads"),
        Field(
            "unit",
            "Headline numbers count",
            "",
            "Patients are scored by the mean of their images.",
            (("Images", "image"), ("Patients", "patient")),
        ),
        Field(
            "threshold_rule",
            "Decision threshold",
            "",
            "Fixed before the test: on calibration images where the split has them, else on validation images.",
            (
                ("Youden’s index", "youden"),
                ("90 % sensitivity", "sensitivity:0.9"),
                ("95 % sensitivity", "sensitivity:0.95"),
                ("90 % specificity", "specificity:0.9"),
                ("95 % specificity", "specificity:0.95"),
            ),
        ),
    )
}
_POINTS: Final = Field("epochs", "Penalties tried", "", "From a strong to a weak penalty; validation chooses.")


def fields_of(adapt: str) -> tuple[Field, ...]:
    """The fields of an adaptation; of all of them where ``adapt`` is empty."""
    if not adapt:
        return tuple(FIELDS[key] for key in COMMON)
    card = adaptation(adapt)
    keys = card.settings if card is not None else ()
    return tuple(_POINTS if adapt == "linear" and key == "epochs" else _field(key) for key in keys)


def _field(key: str) -> Field:
    """The field of a setting; one that has no words of its own yet is called as it is typed."""
    known = FIELDS.get(key)
    if known is not None:
        return known
    words = WORDS.get(key, ())
    options = _OPTIONS_YES_NO if isinstance(getattr(Recipe(), key), bool) else tuple((word, word) for word in words)
    return Field(key, key.replace("_", " ").capitalize(), options=options)


def usual(adapt: str, preset: str, key: str) -> str:
    """The value of a setting where nothing is typed, as it would be typed; empty: the model's own."""
    value = getattr(recipe_from(adapt or "full", preset_settings(preset, adapt)), key)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def settings_for(adapt: str, settings: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What a request for this adaptation says."""
    return {**settings.get("", {}), **settings.get(adapt, {})}


def mistake(adapt: str, key: str, text: str, cards: Iterable[BackboneCard] = ()) -> str:
    """What is wrong with a value, and what would be right; empty if nothing is."""
    if not text.strip():
        return ""
    try:
        recipe = recipe_from(adapt or "full", {key: text.strip()})
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
            if said := mistake(adapt, key, text, chosen):
                found[adapt, key] = said
    return found


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
        if size % card.multiple:
            below = max(card.multiple, size // card.multiple * card.multiple)
            return f"{card.title} needs a multiple of {card.multiple}, e.g. {below} or {below + card.multiple}."
    return ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 or value == 0 else f"{value:g}"

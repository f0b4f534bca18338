"""Every setting of a training, its range, its presets, and how words become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from medfm_gui.domain.cards import adaptation
from medfm_gui.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every setting of a training. A run's recipe holds resolved values; None means the backbone's own.

    ``lr`` is the peak learning rate; ``epochs`` of ``linear`` counts the penalties on its path;
    ``input_size`` is in pixels; ``unit`` is what headline numbers count (``image`` or ``patient``,
    patients by the mean of their images); ``threshold_rule`` is ``youden``, ``sensitivity:0.9`` or
    ``specificity:0.9``; ``workers`` are decoding threads.
    """

    epochs: int = 20
    batch_size: int = 32
    lr: float = 1e-4
    weight_decay: float = 0.05
    warmup_epochs: int = 1
    input_size: int | None = None
    amp: bool = True
    augment: bool = True
    workers: int = 1
    k: int = 20
    temperature: float = 0.07
    threshold_rule: str = "youden"
    unit: str = "image"
    patience: int = 0
    """Stop after so many epochs without a better validation score; 0 = never."""


PRESETS: Mapping[str, Mapping[str, str]] = {
    "quick": {"epochs": "10", "warmup_epochs": "1"},
}
"""Named recipes: setting → value, applied before ``--set``."""


RANGES: Mapping[str, tuple[float, float]] = {
    "epochs": (1, 100_000),
    "batch_size": (1, 65_536),
    "lr": (1e-12, 1e6),
    "weight_decay": (0, 1e3),
    "warmup_epochs": (0, 100_000),
    "workers": (0, 64),
    "k": (1, 1_000_000),
    "temperature": (1e-4, 1e3),
    "patience": (0, 100_000),
    "input_size": (16, 4096),
}
"""Lowest and highest value of each setting that is a number."""


def recipe_from(adapt: str, settings: Mapping[str, str]) -> Recipe:
    """The recipe of an adaptation with the user's settings laid over its defaults.

    Raises:
        UsageError: an unknown adaptation, an unknown key, or a value of the wrong kind or range.
    """
    if adaptation(adapt) is None:
        raise UsageError(f"There is no adaptation “{adapt}”.", "Use knn, linear or full.")
    recipe = Recipe()
    kinds: dict[str, type] = {"input_size": int}
    kinds.update({item.name: type(getattr(recipe, item.name)) for item in fields(Recipe) if item.name != "input_size"})
    for key, text in settings.items():
        if key not in kinds:
            raise UsageError(f"There is no setting “{key}”.", f"Settings are: {', '.join(sorted(kinds))}.")
        change: dict[str, Any] = {key: _parsed(key, text, kinds[key])}
        recipe = replace(recipe, **change)
    _check(recipe)
    return recipe


def _parsed(key: str, text: str, kind: type) -> bool | int | float | str:
    if kind is bool:
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if text.lower() not in words:
            raise UsageError(f"“{key}={text}” is neither yes nor no.", f"Write {key}=yes or {key}=no.")
        return words[text.lower()]
    try:
        return kind(text)  # type: ignore[no-any-return]
    except ValueError:
        raise UsageError(f"“{key}={text}” is not a {kind.__name__}.", f"Write {key}=NUMBER.") from None


def _check(recipe: Recipe) -> None:
    for key, (low, high) in RANGES.items():
        value = getattr(recipe, key)
        if value is not None and not low <= value <= high:
            raise UsageError(f"“{key}={value:g}” is out of range.", f"Choose {key} between {low:g} and {high:g}.")
    if recipe.unit not in ("image", "patient"):
        raise UsageError(f"“unit={recipe.unit}” is not known.", "Use unit=image or unit=patient.")
    rule, _, number = recipe.threshold_rule.partition(":")
    try:
        good = (rule == "youden" and not number) or (rule in ("sensitivity", "specificity") and 0 < float(number) < 1)
    except ValueError:
        good = False
    if not good:
        raise UsageError(
            f"“threshold_rule={recipe.threshold_rule}” is not known.",
            "Use youden, sensitivity:0.9 or specificity:0.9.",
        )

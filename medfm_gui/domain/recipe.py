"""Every setting of a training, its range, and how words become one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from medfm_gui.domain.cards import ADAPTATIONS, adaptation
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.units import IMAGE, MEAN, RULES, UNITS, unit_text


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every setting of a training. A run's recipe holds resolved values; None means the backbone's own.

    ``lr`` is the peak learning rate; ``epochs`` of ``linear`` counts the penalties on its path;
    ``input_size`` is in pixels; ``unit`` is what headline numbers count (image, lesion, eye, breast, study or
    patient); ``threshold_rule`` is ``youden``, ``sensitivity:0.9``, ``specificity:0.9`` or ``cost:5`` (a miss
    costs five false alarms); ``workers`` are decoding threads.
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
    optimizer: str = "adamw"
    """``adamw``, or ``sgd`` with ``momentum``."""
    momentum: float = 0.9
    """Of ``sgd`` alone."""
    schedule: str = "cosine"
    """After the warm-up: ``cosine`` down to zero, or ``constant``."""
    warmup_iterations: int = 0
    """Steps of the warm-up; 0 = ``warmup_epochs`` count."""
    warmup_lr: float = 0.0
    """Learning rate of the very first step; 0 = an even share of the way up."""
    clip: float = 1.0
    """Largest norm of the gradient; 0 = it is not cut."""
    accumulate: int = 1
    """Batches a step of the optimiser: the loss is the mean over all their images."""
    precision: str = "auto"
    """``auto`` (half precision on GPUs if ``amp``), ``fp32``, ``bf16`` or ``fp16`` (on GPUs alone)."""
    no_decay: bool = True
    """Spare biases and norms the weight decay."""
    head_lr: float = 0.0
    """Peak learning rate of the head; 0 = ``lr``."""
    layer_decay: float = 1.0
    """Factor of the learning rate from a block to the one before it; 1 = off."""
    blocks: int = 2
    """``partial``: how many of the last blocks are trained, with the final norm; 0 = the head alone."""
    rank: int = 8
    """``lora``: rank of the two small matrices beside each adapted layer."""
    alpha: float = 16.0
    """``lora``: their product counts ``alpha / rank`` times."""
    lora_dropout: float = 0.0
    """``lora``: share of an adapter's inputs that is dropped in training."""
    lora_targets: str = "attention"
    """``lora``: ``attention``, ``attention+mlp``, ``qkv``, or ``qkv+mlp`` (Study B)."""
    lora_bias: bool = False
    """``lora``: train the biases of the adapted layers too."""
    backbone_gradient: bool = True
    """No = features are computed without gradient, so that adapters stay as they began (Study B's published code)."""
    channels: str = "repeat"
    """How one grey plane meets the filters for three colours: ``repeat`` it, give it to the ``red`` ones alone, or
    ``sum`` the three filters (one plane, normalised once)."""
    normalisation: str = "model"
    """Mean and deviation: the ``model``'s, the ``dataset``'s (measured on training images), ``study-a`` (the numbers
    of its four datasets, else measured) or ``min-max`` (each image and plane to 0…1, then ImageNet's)."""
    geometry: str = "stretch"
    """``stretch`` to the square, or ``centre-crop``: stretch to 8/7 of it and take the middle (256 → 224)."""
    augmentation: str = "default"
    """Which random views, where ``augment`` is on: ``default``, ``study-a`` or ``study-b``."""
    drop_last: bool = False
    """Full batches only; what is left over of an epoch's order is not seen in it."""
    validation_drop_last: bool = False
    """Judge each epoch on full batches of a new order (Study A's published code): an epoch's images vary."""
    loss: str = "ce"
    """``ce`` (cross-entropy; a label at a time in a multi-label task), ``ordinal`` (every threshold between ordered
    classes) or ``study-b`` (as ``ce``, but multi-label sums over the batch)."""
    class_weights: bool = False
    """Let rare classes count as much as frequent ones in the loss."""
    balanced_sampling: bool = False
    """Draw as many images of rare classes as of frequent ones, with replacement."""
    ema: float = 0.0
    """Decay of the running mean of the weights that is judged and kept; 0 = off."""
    selection: str = "auto"
    """What the best epoch has most of: the task's headline (``auto``), or a metric's id."""
    knn_rule: str = "vote"
    """``knn``: DINOv2's weighted ``vote``, or ``ml-knn`` (Zhang & Zhou 2007, multi-label tasks)."""
    leave_one_out: bool = False
    """``knn``: also tell how each training image is scored by the others, those of its own patient left out."""
    grid_lrs: str = "0.001,0.005,0.01,0.05"
    """``linear-grid``: learning rates, with commas."""
    grid_blocks: str = "1,4"
    """``linear-grid``: how many of the last blocks' class tokens a head reads, with commas."""
    grid_patches: str = "without,with"
    """``linear-grid``: heads ``without`` the mean patch token, ``with`` it, or both."""
    attention_init: str = "deit"
    """``attention-head``: the blocks begin as pretrained DeiT-B (``deit``) or drawn by lot (``random``)."""
    attention_width: int = 768
    """``attention-head``: numbers a token, 64 a head; other than DeiT-B's only with ``attention_init=random``."""
    attention_depth: int = 12
    """``attention-head``: blocks; other than DeiT-B's only with ``attention_init=random``."""
    unfreeze: bool = False
    """``attention-head``: train the backbone too."""
    shot_rule: str = "patients"
    """Few-shot: N ``patients`` a class by lot, one image each; or Study B's rules ``study-b-nih``, ``study-b-even``."""
    shot_tuning: str = "fixed"
    """Few-shot: settings are ``fixed`` beforehand, chosen by ``inner-cv`` on the shots, or on all of ``validation``."""
    protocol: str = "single-stage"
    """``single-stage``, or ``two-stage``: select on validation, then train again on training and validation images."""
    aggregate: str = "none"
    """How a patient's images become one case of a frozen adaptation: ``none`` (each image for itself), ``mean`` or
    ``max`` of their features, or trained ``attention``."""
    clip_low: float = 0.0
    """Percentile of an image's values below which they are cut off; 0 = none is."""
    clip_high: float = 100.0
    """Percentile of an image's values above which they are cut off; 100 = none is."""
    clip_below: str = "clip"
    """What is below ``clip_low`` becomes that percentile (``clip``) or ``zero`` (Study B's brain tumours)."""
    hu_window: str = ""
    """Bounds of a CT's values in HU, with a comma (``-1024,600``); empty = the window of each file's header."""
    unit_score: str = MEAN
    """The score of a unit with several images: their ``mean``, or that of the highest one (``max``)."""

    @property
    def counted(self) -> str:
        """Unit and rule in one text, as stored numbers bear them: ``image``, ``lesion``, ``patient:max``."""
        return unit_text(self.unit, self.unit_score)


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
    "momentum": (0, 0.9999),
    "warmup_iterations": (0, 100_000_000),
    "warmup_lr": (0, 1e6),
    "clip": (0, 1e9),
    "accumulate": (1, 65_536),
    "head_lr": (0, 1e6),
    "layer_decay": (1e-3, 1),
    "blocks": (0, 1000),
    "rank": (1, 1024),
    "alpha": (1e-3, 1e5),
    "lora_dropout": (0, 0.9),
    "ema": (0, 0.999999),
    "attention_width": (64, 4096),
    "attention_depth": (1, 64),
    "clip_low": (0, 49),
    "clip_high": (51, 100),
}
"""Lowest and highest value of each setting that is a number."""


WORDS: Mapping[str, tuple[str, ...]] = {
    "unit": UNITS,
    "unit_score": RULES,
    "optimizer": ("adamw", "sgd"),
    "schedule": ("cosine", "constant"),
    "precision": ("auto", "fp32", "bf16", "fp16"),
    "lora_targets": ("attention", "attention+mlp", "qkv", "qkv+mlp"),
    "channels": ("repeat", "red", "sum"),
    "normalisation": ("model", "dataset", "study-a", "min-max"),
    "geometry": ("stretch", "centre-crop"),
    "augmentation": ("default", "study-a", "study-b"),
    "loss": ("ce", "ordinal", "study-b"),
    "selection": (
        "auto",
        "auc",
        "auc_macro_ovr",
        "auc_mean_labels",
        "accuracy",
        "balanced_accuracy",
        "kappa_quadratic",
    ),
    "knn_rule": ("vote", "ml-knn"),
    "grid_patches": ("without,with", "without", "with"),
    "attention_init": ("deit", "random"),
    "shot_rule": ("patients", "study-b-nih", "study-b-even"),
    "shot_tuning": ("fixed", "inner-cv", "validation"),
    "protocol": ("single-stage", "two-stage"),
    "aggregate": ("none", "mean", "max", "attention"),
    "clip_below": ("clip", "zero"),
}
"""The words that a setting may hold, the usual one first; ``threshold_rule`` has its own grammar."""


def recipe_from(adapt: str, settings: Mapping[str, str]) -> Recipe:
    """The recipe of an adaptation with the user's settings laid over its defaults.

    Raises:
        UsageError: an unknown adaptation, an unknown key, or a value of the wrong kind or range.
    """
    if adaptation(adapt) is None:
        raise UsageError(f"There is no adaptation “{adapt}”.", f"Use {_either([card.name for card in ADAPTATIONS])}.")
    recipe = Recipe()
    kinds: dict[str, type] = {"input_size": int}
    kinds.update({item.name: type(getattr(recipe, item.name)) for item in fields(Recipe) if item.name != "input_size"})
    for key, text in settings.items():
        if key not in kinds:
            raise UsageError(f"There is no setting “{key}”.", f"Settings are: {', '.join(sorted(kinds))}.")
        change: dict[str, Any] = {key: _parsed(key, text, kinds[key])}
        recipe = replace(recipe, **change)
    if recipe.aggregate != "none" and "unit" not in settings:
        recipe = replace(recipe, unit="patient")  # a case is a patient, and so is what is counted
    _check(recipe)
    _check_frozen(adapt, recipe)
    return recipe


HU_LIMITS = (-32_768.0, 65_535.0)
"""The least and the greatest bound of ``hu_window``."""


def hu_bounds(text: str) -> tuple[float, float] | None:
    """The two bounds of ``hu_window``; None where it is empty.

    Raises:
        UsageError: it is no pair of numbers, the lower one first.
    """
    if not text.strip():
        return None
    try:
        low, high = numbers_of(text)
        if HU_LIMITS[0] <= low <= high - 1 <= HU_LIMITS[1]:
            return low, high
    except ValueError:
        pass
    raise UsageError(
        f"“hu_window={text}” is no pair of Hounsfield values.", "Write the lower one first, as in hu_window=-1024,600."
    )


def numbers_of(text: str) -> tuple[float, ...]:
    """Numbers that stand with commas between them.

    Raises:
        ValueError: something else stands there.
    """
    return tuple(float(part) for part in text.split(",") if part.strip())


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
        number = "whole number" if kind is int else "number"
        raise UsageError(f"“{key}={text}” is not a {number}.", f"Write {key}=NUMBER.") from None


def _check(recipe: Recipe) -> None:
    for key, (low, high) in RANGES.items():
        value = getattr(recipe, key)
        if value is not None and not low <= value <= high:
            raise UsageError(f"“{key}={value:g}” is out of range.", f"Choose {key} between {low:g} and {high:g}.")
    for key, words in WORDS.items():
        if getattr(recipe, key) not in words:
            raise UsageError(f"“{key}={getattr(recipe, key)}” is not known.", f"Use {key}={_either(words)}.")
    if recipe.unit == IMAGE and recipe.unit_score != MEAN:
        raise UsageError(
            f"“unit_score={recipe.unit_score}” says how images become one score, and here each image is counted.",
            "Name what several images belong to, as in unit=patient, or leave unit_score out.",
        )
    hu_bounds(recipe.hu_window)
    try:
        parsed_rule(recipe.threshold_rule)
    except UsageError as error:
        raise UsageError(f"“threshold_rule={recipe.threshold_rule}” is not known.", error.hint) from None


def parsed_rule(rule: str) -> tuple[str, float]:
    """The name of a threshold rule and its number: ``sensitivity:0.9`` → (sensitivity, 0.9); youden has none (0).

    Raises:
        UsageError: an unknown rule, or a number that cannot be.
    """
    name, _, number = rule.partition(":")
    try:
        if name == "youden" and not number:
            return name, 0.0
        low, high = _RULE_RANGES[name]
        value = float(number)
        if low < value < high:
            return name, value
    except (KeyError, ValueError):
        pass
    raise UsageError(
        f"The threshold rule “{rule}” is not known.",
        "Use youden, sensitivity:0.9, specificity:0.9, or cost:5 (a miss costs as much as 5 false alarms).",
    )


_RULE_RANGES: Mapping[str, tuple[float, float]] = {
    "sensitivity": (0.0, 1.0),
    "specificity": (0.0, 1.0),
    "cost": (0.0, 1e6),
}
"""Open bounds of the number that a threshold rule has."""


_AGGREGATES: Mapping[str, tuple[str, ...]] = {
    "knn": ("none", "mean", "max"),
    "linear": ("none", "mean", "max", "attention"),
    "linear-grid": ("none", "mean", "max"),
}
"""What each adaptation can do with the images of a patient; all others take each image for itself."""
_INNER_CV = ("linear", "linear-grid")


def _check_frozen(adapt: str, recipe: Recipe) -> None:
    """Settings of frozen adaptations, few shots and patients that must fit each other."""
    possible = _AGGREGATES.get(adapt, ("none",))
    if recipe.aggregate not in possible:
        raise UsageError(
            f"“{adapt}” cannot make one case of a patient's images by “{recipe.aggregate}”.",
            f"Use aggregate={_either(possible)}, or --adapt linear.",
        )
    if recipe.aggregate != "none" and recipe.unit != "patient":
        raise UsageError(
            f"With aggregate={recipe.aggregate} a case is a patient, and images are not scored.", "Use unit=patient."
        )
    if recipe.shot_tuning == "inner-cv" and adapt not in _INNER_CV:
        raise UsageError(
            f"“{adapt}” is not tuned by cross-validation on its shots.",
            "Use shot_tuning=fixed (settings chosen beforehand) or shot_tuning=validation.",
        )
    if recipe.shot_tuning == "inner-cv" and recipe.aggregate == "attention":
        raise UsageError("Attention over images is not tuned by cross-validation.", "Use shot_tuning=fixed.")
    _check_list("grid_lrs", recipe.grid_lrs, 1e-9, 1e3)
    _check_list("grid_blocks", recipe.grid_blocks, 1, 64)
    if any(number % 1 for number in numbers_of(recipe.grid_blocks)):
        raise UsageError(f"“grid_blocks={recipe.grid_blocks}” holds a part of a block.", "Write grid_blocks=1,4.")
    if recipe.attention_width % 64:
        raise UsageError(
            f"“attention_width={recipe.attention_width}” is not a multiple of 64.", "Use attention_width=768."
        )
    other = (recipe.attention_width, recipe.attention_depth) != (768, 12)
    if adapt == "attention-head" and recipe.attention_init == "deit" and other:
        raise UsageError(
            "Pretrained DeiT-B has 12 blocks of width 768.", "Leave both as they are, or use attention_init=random."
        )


def _check_list(key: str, text: str, low: float, high: float) -> None:
    try:
        numbers = numbers_of(text)
    except ValueError:
        numbers = ()
    if not numbers or not all(low <= number <= high for number in numbers):
        raise UsageError(
            f"“{key}={text}” is not a list of numbers from {low:g} to {high:g}.",
            f"Write numbers with commas, as in {key}={getattr(Recipe(), key)}.",
        )


def _either(words: Sequence[str]) -> str:
    """“a, b or c”."""
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]

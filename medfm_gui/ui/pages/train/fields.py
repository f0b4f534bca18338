"""The settings of a recipe in words: titles, units, options, and the groups in which they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from medfm_gui.domain.recipe import RANGES, WORDS, Recipe
from medfm_gui.domain.units import UNITS, plural

_YES_NO: Final = (("On", "yes"), ("Off", "no"))

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "optimizer": {"adamw": "AdamW", "sgd": "SGD"},
    "schedule": {"cosine": "Cosine to zero", "constant": "Constant"},
    "precision": {
        "auto": "Automatic",
        "fp32": "32 bit",
        "bf16": "bfloat16, on GPUs",
        "fp16": "float16, on GPUs",
    },
    "lora_targets": {
        "attention": "All attention",
        "attention+mlp": "Attention and MLP",
        "qkv": "Q, K, V",
        "qkv+mlp": "Q, K, V and MLP",
    },
    "channels": {"repeat": "Repeat it three times", "red": "Red filters alone", "sum": "Sum of the filters"},
    "normalisation": {
        "model": "The model’s",
        "dataset": "Measured on training images",
        "study-a": "Study A’s numbers",
        "min-max": "Each image to 0…1",
    },
    "clip_below": {"clip": "Becomes the percentile", "zero": "Becomes 0"},
    "geometry": {"stretch": "Stretch to the square", "centre-crop": "Crop the centre"},
    "augmentation": {"default": "Standard", "study-a": "Study A", "study-b": "Study B"},
    "loss": {"ce": "Cross-entropy", "ordinal": "Ordinal thresholds", "study-b": "Study B’s"},
    "selection": {
        "auto": "The task’s headline",
        "auc": "AUC",
        "auc_macro_ovr": "AUC, mean of classes",
        "auc_mean_labels": "AUC, mean of labels",
        "accuracy": "Accuracy",
        "balanced_accuracy": "Balanced accuracy",
        "kappa_quadratic": "Quadratic kappa",
    },
    "knn_rule": {"vote": "Weighted vote", "ml-knn": "ML-kNN, for several labels"},
    "grid_patches": {"without,with": "Both", "without": "Without mean patch", "with": "With mean patch"},
    "attention_init": {"deit": "Pretrained DeiT-B", "random": "Random"},
    "shot_rule": {"patients": "Patients by lot", "study-b-nih": "Study B, NIH", "study-b-even": "Study B, evenly"},
    "shot_tuning": {
        "fixed": "Fixed beforehand",
        "inner-cv": "Cross-validation on the shots",
        "validation": "All validation labels",
    },
    "protocol": {"single-stage": "One stage", "two-stage": "Two stages"},
    "aggregate": {"none": "One by one", "mean": "Mean of features", "max": "Maximum", "attention": "Attention"},
    "unit": {unit: plural(unit).capitalize() for unit in UNITS},
    "unit_score": {"mean": "The mean of its images", "max": "Its highest image"},
}


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


_SAID: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("k", "Neighbours", "images", "How many of the most similar training images vote."),
    ("temperature", "Temperature", "", "Small values let the nearest images decide alone."),
    ("knn_rule", "Rule", "", ""),
    ("leave_one_out", "Score training images too", "", "Each by the others, those of its own patient left out."),
    ("aggregate", "A patient’s images", "", "One by one, or made into one case."),
    ("epochs", "Epochs", "", "Passes over the training images."),
    ("batch_size", "Batch size", "images", "Images a step; fewer need less memory."),
    ("lr", "Peak learning rate", "", "Reached after the warm-up."),
    ("weight_decay", "Weight decay", "", ""),
    ("warmup_epochs", "Warm-up", "epochs", ""),
    ("input_size", "Input size", "pixels", "Rows and columns that the model sees."),
    ("amp", "Mixed precision", "", "Faster on GPUs; has no effect on a CPU."),
    ("augment", "Augmentation", "", "Random crops, mirroring and brightness."),
    ("rank", "Rank", "", "Of the small matrices beside each adapted layer; they count alpha / rank times."),
    ("alpha", "Alpha", "", ""),
    ("lora_targets", "Adapted layers", "", ""),
    ("lora_dropout", "Dropout of adapters", "", ""),
    ("lora_bias", "Train their biases too", "", ""),
    ("blocks", "Blocks trained", "blocks", "The last ones, with the final norm; 0 is the head alone."),
    ("layer_decay", "Decay by depth", "", "Factor of the learning rate from a block to the one before it; 1 is off."),
    ("grid_lrs", "Learning rates", "", "With commas; a head for each."),
    ("grid_blocks", "Class tokens of the last", "blocks", "With commas; a head for each."),
    ("grid_patches", "Mean patch token", "", "With it, without it, or a head for each."),
    ("attention_init", "Blocks begin as", "", ""),
    ("attention_width", "Width", "", "Another than DeiT-B’s 768 only with a random beginning."),
    ("attention_depth", "Depth", "blocks", "Another than DeiT-B’s 12 only with a random beginning."),
    ("unfreeze", "Train the backbone too", "", ""),
    ("optimizer", "Optimiser", "", ""),
    ("momentum", "Momentum", "", "Of SGD alone."),
    ("clip", "Gradient norm at most", "", "0 does not cut it."),
    ("no_decay", "Spare biases and norms", "", "They get no weight decay."),
    ("head_lr", "Learning rate of the head", "", "0 is the peak learning rate."),
    ("accumulate", "Batches a step", "", "The loss is the mean over all their images."),
    ("ema", "Running mean of weights", "", "Its decay, such as 0.999; 0 is off."),
    ("schedule", "After the warm-up", "", ""),
    ("warmup_iterations", "Warm-up", "steps", "0 counts the warm-up in epochs."),
    ("warmup_lr", "First learning rate", "", "Of the very first step; 0 is an even share of the way up."),
    ("patience", "Stop early", "epochs", "After so many epochs without a better score; 0 is never."),
    ("drop_last", "Full batches only", "", "What is left over of an epoch is not seen in it."),
    ("precision", "Numbers", "", "bfloat16 and float16 on GPUs alone."),
    ("workers", "Loading threads", "", ""),
    ("channels", "One grey plane", "", "How it meets filters for three colours."),
    ("normalisation", "Mean and deviation", "", ""),
    ("geometry", "Shape", "", ""),
    ("augmentation", "Random views", "", "Where augmentation is on."),
    ("clip_low", "Cut off below", "percentile", "Of each image’s values; 0 is off."),
    ("clip_high", "Cut off above", "percentile", "Of each image’s values; 100 is off."),
    ("clip_below", "What is below", "", "Becomes that percentile, or 0 as in Study B’s brain tumours."),
    ("hu_window", "HU window", "", "Bounds of a CT with a comma, such as -1024,600; empty: each file’s own window."),
    ("loss", "Loss", "", ""),
    ("class_weights", "Weigh rare classes up", "", "So that they count as much in the loss."),
    ("balanced_sampling", "Draw rare classes more often", "", "With replacement."),
    ("shot_rule", "Who is drawn", "", "One image of each patient."),
    ("shot_tuning", "Settings are", "", "Cross-validation tunes linear heads; other ways stay fixed."),
    ("protocol", "Protocol", "", "Two stages: select on validation, then train on both sides together."),
    ("selection", "Best epoch by", "", ""),
    ("unit", "Headline numbers count", "", "What several images belong to, where the dataset tells it."),
    ("unit_score", "The score of a unit is", "", "Of a lesion, eye, breast, study or patient with several images."),
)


def _options(key: str) -> tuple[tuple[str, str], ...]:
    if key in WORDS:
        return tuple((_WORDS.get(key, {}).get(word, word), word) for word in WORDS[key])
    return _YES_NO if isinstance(getattr(Recipe(), key), bool) else ()


FIELDS: Final[Mapping[str, Field]] = {
    key: Field(key, title, unit, hint, _options(key)) for key, title, unit, hint in _SAID
}
PENALTIES: Final = Field("epochs", "Penalties tried", "", "From a strong to a weak penalty; validation chooses.")


def field_of(key: str, adapt: str = "") -> Field:
    """The field of a setting; one that has no words of its own yet is called as it is typed."""
    if adapt == "linear" and key == "epochs":
        return PENALTIES
    return FIELDS.get(key) or Field(key, key.replace("_", " ").capitalize(), options=_options(key))


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that are chosen once for all ways; ``by_gradient``: they mean something only for those ways."""

    title: str
    keys: tuple[str, ...]
    by_gradient: bool = False
    few_shot: bool = False


GROUPS: Final = (
    Group("Optimiser", ("optimizer", "momentum", "head_lr", "clip", "no_decay", "accumulate", "ema"), by_gradient=True),
    Group("Schedule", ("schedule", "warmup_iterations", "warmup_lr", "patience", "drop_last"), by_gradient=True),
    Group("Loss and sampling", ("loss", "class_weights", "balanced_sampling", "augmentation"), by_gradient=True),
    Group("Precision and loading", ("precision", "workers")),
    Group("Input", ("normalisation", "geometry", "channels", "clip_low", "clip_high", "clip_below", "hu_window")),
    Group("Few shots", ("shot_rule", "shot_tuning"), few_shot=True),
    Group("Protocol and results", ("protocol", "selection", "unit", "unit_score")),
)
"""Everything that an adaptation does not list as its own, but the threshold rule, which has a panel for itself."""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 or value == 0 else f"{value:g}"

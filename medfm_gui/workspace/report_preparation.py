"""How images became input and how each model was chosen: settings that decide a run and stand in no other table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from medfm_gui.base import wire
from medfm_gui.domain.cards import adaptation
from medfm_gui.domain.evaluation import Calibrator
from medfm_gui.domain.report import Section, Table
from medfm_gui.domain.run import EXTERNAL
from medfm_gui.domain.split import Split
from medfm_gui.domain.threshold import SIDES
from medfm_gui.domain.units import counted
from medfm_gui.metrics.names import metric_title
from medfm_gui.workspace.training import RunView

CALIBRATOR = "calibrator.json"
"""Where a run keeps its recalibration (``domain.evaluation.Calibrator``)."""
NO_VALIDATION = "nothing: there are no validation images"
_FIXED = "nothing: all settings are fixed"
_NONE = "none"
_GEOMETRY = {"stretch": "stretched to the input size", "centre-crop": "stretched to 8/7 of it, the middle taken"}
_NORMALISATION = {
    "model": "normalised by the model's mean and deviation",
    "dataset": "normalised by mean and deviation of the training images",
    "study-a": "normalised by the numbers of Study A",
    "min-max": "each brought to 0…1, then ImageNet's mean and deviation",
}
_CHANNELS = {
    "repeat": "grey as three channels",
    "red": "grey as the red channel alone",
    "sum": "grey as one channel, the filters summed",
}


def with_preparation(section: Section, views: Sequence[RunView], split: Split) -> Section:
    """The section of models with a table of how images were prepared and models chosen; runs alike share a row."""
    alike: defaultdict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for view in views:
        if view.spec.adapt != EXTERNAL:
            alike[images_words(view), balance_words(view), chosen_by(view, split), recalibrated_on(view)].append(
                view.id
            )
    if not alike:
        return section
    rows = tuple((", ".join(runs), *words) for words, runs in alike.items())
    header = ("Runs", "Images", "Against imbalance", "Chosen on held-out images", "Recalibration, fixed beforehand")
    table = Table("How images were prepared and models chosen.", header, rows, widths=(14, 50, 22, 36, 24))
    return replace(section, blocks=(*section.blocks, table))


def images_words(view: RunView) -> str:
    """What was done to an image before the model saw it."""
    recipe = view.spec.recipe
    said = [
        _GEOMETRY.get(recipe.geometry, recipe.geometry),
        _NORMALISATION.get(recipe.normalisation, recipe.normalisation),
        _CHANNELS.get(recipe.channels, recipe.channels),
    ]
    if recipe.hu_window.strip():
        said.append(f"window {recipe.hu_window} HU")
    if (recipe.clip_low, recipe.clip_high) != (0.0, 100.0):
        said.append(f"cut at the percentiles {recipe.clip_low:g} and {recipe.clip_high:g}")
    card = adaptation(view.spec.adapt)
    if card is not None and card.by_gradient:
        said.append(f"augmentation “{recipe.augmentation}” in training" if recipe.augment else "no augmentation")
    return "; ".join(said)


def balance_words(view: RunView) -> str:
    """What was done against classes of unlike size."""
    recipe = view.spec.recipe
    said = ["classes weigh alike in the loss"] * recipe.class_weights + ["classes are drawn alike"] * (
        recipe.balanced_sampling
    )
    return "; ".join(said) or _NONE


def chosen_by(view: RunView, split: Split) -> str:
    """What of a run was chosen on images that it did not learn from, and by which number."""
    spec, recipe = view.spec, view.spec.recipe
    if spec.adapt == "knn":
        return _FIXED
    what = {"linear": "the penalty", "linear-grid": "the head"}.get(spec.adapt, "the epoch")
    if spec.shots is not None and recipe.shot_tuning != "validation":
        inner = recipe.shot_tuning == "inner-cv" and spec.adapt in ("linear", "linear-grid")
        return f"{what}, by cross-validation within the shots" if inner else _FIXED
    if not split.sizes["val"]:
        return NO_VALIDATION
    if spec.adapt == "linear":
        by = "log loss"
    else:
        by = "the task's headline" if recipe.selection == "auto" else metric_title(recipe.selection)
    again = ", then trained again with them" if recipe.protocol == "two-stage" else ""
    return f"{what}, by {by} on validation images{again}"


def recalibrated_on(view: RunView) -> str:
    """On which images a recalibration of the probabilities was fixed before the test was opened."""
    path = view.folder / CALIBRATOR
    if not path.exists():
        return _NONE
    found = wire.read(Calibrator, path)
    return f"{found.kind}, on {SIDES.get(found.fitted_on, found.fitted_on)} ({counted(found.n, found.unit)})"

"""Recipes from words, and presets as the two studies have them."""

from __future__ import annotations

from dataclasses import fields

import pytest

from medfm_gui.domain.cards import ADAPTATIONS
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.presets import FEW_SHOT, PRESETS, preset_remarks, preset_settings
from medfm_gui.domain.recipe import RANGES, WORDS, Recipe, hu_bounds, recipe_from

_STUDIES = ("study-a", "study-a-as-published", "study-b", "study-b-as-published")


def _of(preset: str, adapt: str, *where: str) -> Recipe:
    return recipe_from(adapt, preset_settings(preset, adapt, *where))


def test_every_setting_has_a_range_words_or_two_states() -> None:
    free = {"threshold_rule", "grid_lrs", "grid_blocks", "hu_window"}  # a grammar of their own
    for item in fields(Recipe):
        value = getattr(Recipe(), item.name)
        assert item.name in RANGES or item.name in WORDS or isinstance(value, bool) or item.name in free, item.name
    assert all(getattr(Recipe(), key) == words[0] for key, words in WORDS.items())
    assert all(low <= (getattr(Recipe(), key) or low) <= high for key, (low, high) in RANGES.items())


def test_cards_name_settings_that_there_are() -> None:
    known = {item.name for item in fields(Recipe)}
    for card in ADAPTATIONS:
        assert set(card.settings) <= known, card.name


@pytest.mark.parametrize("adapt", [card.name for card in ADAPTATIONS])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_makes_a_recipe_of_every_adaptation(preset: str, adapt: str) -> None:
    for where in ((), ("isic2019", Task.MULTICLASS), ("chexpert", Task.MULTILABEL, "sam"), ("nih-cxr14",)):
        assert _of(preset, adapt, *where) != Recipe()


@pytest.mark.parametrize("preset", ["study-a", "study-a-as-published"])
def test_study_a_has_its_hyperparameters(preset: str) -> None:
    recipe = _of(preset, "full", "ddsm", Task.BINARY)
    assert (recipe.optimizer, recipe.lr, recipe.weight_decay, recipe.no_decay) == ("adamw", 1e-4, 1e-5, True)
    assert (recipe.schedule, recipe.warmup_epochs, recipe.warmup_iterations, recipe.warmup_lr) == (
        "constant",
        5,
        0,
        1e-8,
    )
    assert (recipe.epochs, recipe.batch_size, recipe.drop_last) == (100, 64, True)
    assert (recipe.precision, recipe.clip) == ("fp16", 1.0)
    assert (recipe.input_size, recipe.geometry, recipe.augmentation) == (224, "centre-crop", "study-a")
    assert (recipe.normalisation, recipe.channels) == ("study-a", "red")
    assert (recipe.loss, recipe.class_weights, recipe.balanced_sampling, recipe.patience) == ("ce", False, False, 0)
    assert (recipe.head_lr, recipe.layer_decay, recipe.ema, recipe.accumulate) == (0.0, 1.0, 0.0, 1)
    assert _of(preset, "full", "isic2019").warmup_iterations == 1000
    assert _of(preset, "full", "chexpert").warmup_iterations == 1000
    assert _of(preset, "full", "isic2019").selection == "balanced_accuracy"
    assert _of(preset, "partial").blocks == 0
    assert (_of(preset, "knn").k, _of(preset, "knn").temperature) == (200, 0.1)


@pytest.mark.parametrize("preset", ["study-b", "study-b-as-published"])
def test_study_b_has_its_hyperparameters(preset: str) -> None:
    recipe = _of(preset, "full", Task.MULTILABEL)
    assert (recipe.optimizer, recipe.momentum, recipe.weight_decay) == ("sgd", 0.9, 0.0)
    assert (recipe.schedule, recipe.warmup_epochs, recipe.warmup_iterations) == ("cosine", 0, 0)
    assert (recipe.epochs, recipe.batch_size, recipe.clip, recipe.precision) == (10, 128, 0.0, "fp16")
    assert (recipe.lr, recipe.head_lr) == (1e-5, 1e-3)
    assert (recipe.input_size, recipe.geometry, recipe.augmentation) == (224, "stretch", "study-b")
    assert (recipe.normalisation, recipe.channels, recipe.loss) == ("min-max", "repeat", "study-b")
    assert (recipe.class_weights, recipe.patience) == (False, 0)
    lora = _of(preset, "lora")
    assert (lora.rank, lora.alpha, lora.lora_dropout) == (48, 16.0, 0.1)
    assert (lora.lora_targets, lora.lora_bias) == ("qkv+mlp", True)
    grid = _of(preset, "linear-grid")
    assert (grid.grid_lrs, grid.grid_blocks, grid.grid_patches) == ("0.001,0.005,0.01,0.05", "1,4", "without,with")
    assert (grid.protocol, grid.epochs, grid.batch_size) == ("two-stage", 10, 128)
    knn = _of(preset, "knn", Task.MULTILABEL)
    assert (knn.k, knn.temperature, knn.knn_rule) == (5, 0.07, "ml-knn")
    assert _of(preset, "knn", Task.BINARY).knn_rule == "vote"
    assert _of(preset, "full", "sam").input_size == 1024
    assert _of(preset, "linear-grid", "nih-cxr14").shot_rule == "study-b-nih"
    assert _of(preset, "linear-grid", "chexpert").shot_rule == "study-b-even"


def test_as_published_differs_by_the_defects_that_it_names() -> None:
    assert _of("study-a-as-published", "full").validation_drop_last
    assert not _of("study-a", "full").validation_drop_last
    for adapt in ("lora", "bitfit"):
        assert not _of("study-b-as-published", adapt).backbone_gradient
        assert _of("study-b", adapt).backbone_gradient
    assert _of("study-b-as-published", "full") == _of("study-b", "full")
    for name in _STUDIES:
        published = name.endswith("as-published")
        assert bool(PRESETS[name].defects) == published
        assert bool(PRESETS[name].omitted) == published
    said = preset_remarks("study-b-as-published")
    assert sum(line.startswith("Repeated") for line in said) == 3
    assert any("test set" in line for line in said if line.startswith("Not repeated"))


@pytest.mark.parametrize("preset", ["study-b", "study-b-as-published"])
def test_study_b_averages_slices_and_joins_validation_where_it_did(preset: str) -> None:
    for adapt in ("knn", "linear", "linear-grid"):
        slices = _of(preset, adapt, "sars-cov2-ct", Task.BINARY)
        assert (slices.aggregate, slices.unit) == ("mean", "patient")
    assert _of(preset, "full", "sars-cov2-ct").aggregate == "none"
    assert _of(preset, "knn", Task.MULTILABEL).protocol == "two-stage", "neighbours of training and validation"
    assert _of(preset, "knn", Task.MULTICLASS).protocol == "single-stage"


@pytest.mark.parametrize("adapt", [card.name for card in ADAPTATIONS])
def test_study_b_with_a_few_shots(adapt: str) -> None:
    """Corrected, validation labels are neither learned from nor selected on; as published they are both."""
    for where in ((), (Task.MULTILABEL, "nih-cxr14")):
        right = _of("study-b", adapt, *where, FEW_SHOT)
        tuning = "inner-cv" if adapt in ("linear", "linear-grid") else "fixed"
        assert (right.protocol, right.shot_tuning) == ("single-stage", tuning)
        assert _of("study-b-as-published", adapt, *where, FEW_SHOT).shot_tuning == "validation"
    assert _of("study-b-as-published", "linear-grid", FEW_SHOT).protocol == "two-stage"


def test_an_unknown_preset_has_no_settings() -> None:
    assert preset_settings("nobody") == {}
    assert preset_remarks("nobody") == []
    assert preset_settings("") == {}


def test_words_that_are_wrong_are_named_with_what_is_right() -> None:
    for settings, said in (
        ({"optimizer": "lion"}, "optimizer=adamw or sgd"),
        ({"channels": "blue"}, "repeat, red or sum"),
        ({"rank": "0"}, "between 1 and 1024"),
        ({"rank": "many"}, "rank=NUMBER"),
        ({"lora_bias": "perhaps"}, "lora_bias=yes"),
        ({"nothing": "1"}, "backbone_gradient"),
    ):
        with pytest.raises(UsageError) as wrong:
            recipe_from("lora", settings)
        assert said in wrong.value.hint
    with pytest.raises(UsageError, match="no adaptation") as unknown:
        recipe_from("magic", {})
    assert "bitfit" in unknown.value.hint


@pytest.mark.parametrize("text", ["600", "600,-1024", "a,b", "-1024,600,1", "0,0", "-99999,600"])
def test_bounds_of_a_ct_are_two_numbers_the_lower_first(text: str) -> None:
    with pytest.raises(UsageError, match="hu_window"):
        recipe_from("linear", {"hu_window": text})
    assert hu_bounds(recipe_from("linear", {"hu_window": "-1024, 600"}).hu_window) == (-1024, 600)
    assert hu_bounds("") is None

"""Other ways to prepare images than the usual one: the studies' geometry, numbers and random views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from medfm_gui.base import wire
from medfm_gui.datasets.files import read_dataset
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain import events as ev
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import TrainSpec
from medfm_gui.engine.augment import augmented_input, random_of
from medfm_gui.engine.normalisation import STUDY_A, measured, preprocess_for
from medfm_gui.engine.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess, preprocess_of
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]
PLAIN = Preprocess(32, (0.5, 0.4, 0.3), (0.2, 0.1, 0.3))


def _grey(rows: int = 64, columns: int = 48) -> npt.NDArray[Any]:
    return np.random.default_rng(1).integers(10, 200, (rows, columns)).astype(np.uint8)


def _colour() -> npt.NDArray[Any]:
    return np.random.default_rng(2).integers(0, 255, (40, 50, 3)).astype(np.uint8)


def test_red_filters_alone_meet_a_grey_plane() -> None:
    image = _grey()
    torch.manual_seed(0)
    filters = torch.nn.Conv2d(3, 5, 3, padding=1)
    seen = replace(PLAIN, channels="red").input(image)
    plane = (PLAIN.square(image) - 0.5) / 0.2
    only_red = torch.nn.functional.conv2d(plane[None], filters.weight[:, :1], filters.bias, padding=1)
    assert torch.allclose(filters(seen[None]), only_red, atol=1e-5)


def test_summed_filters_meet_a_grey_plane() -> None:
    image = _grey()
    torch.manual_seed(0)
    filters = torch.nn.Conv2d(3, 5, 3, padding=1)
    seen = replace(PLAIN, channels="sum").input(image)
    plane = (PLAIN.square(image) - 0.4) / 0.2
    summed = torch.nn.functional.conv2d(plane[None], filters.weight.sum(1, keepdim=True), filters.bias, padding=1)
    assert torch.allclose(filters(seen[None]), summed, atol=1e-5)


@pytest.mark.parametrize("channels", ["red", "sum"])
def test_colours_keep_their_planes_and_three_equal_ones_are_grey(channels: Any) -> None:
    own = replace(PLAIN, channels=channels)
    assert torch.equal(own.input(_colour()), PLAIN.input(_colour()))
    grey = _grey()
    assert torch.allclose(own.input(np.repeat(grey[:, :, None], 3, axis=2)), own.input(grey), atol=1e-6)


def test_the_middle_of_a_larger_square_is_seen() -> None:
    image = np.zeros((256, 256), np.uint8)
    image[16:240, 16:240] = 255
    seen = Preprocess(224, (0, 0, 0), (1, 1, 1), geometry="centre-crop").square(image)
    assert seen.shape == (1, 224, 224)
    assert float(seen.min()) == 1.0
    assert float(Preprocess(224, (0, 0, 0), (1, 1, 1)).square(image).min()) == 0.0


def test_a_map_lies_where_the_image_was_seen() -> None:
    own = replace(PLAIN, size=224, geometry="centre-crop")
    laid = own.whole(torch.ones(224, 224))
    assert laid.shape == (256, 256)
    assert float(laid.sum()) == 224 * 224
    assert float(laid[:16].sum() + laid[-16:].sum() + laid[:, :16].sum() + laid[:, -16:].sum()) == 0
    assert own.whole(torch.ones(7, 7)).shape == (8, 8)
    assert torch.equal(PLAIN.whole(torch.ones(7, 7)), torch.ones(7, 7))


def test_each_plane_is_spread_and_a_flat_one_stays_finite() -> None:
    own = replace(PLAIN, mean=(0, 0, 0), std=(1, 1, 1), min_max=True)
    seen = own.input(_colour())
    assert seen.amin(dim=(1, 2)).tolist() == [0, 0, 0]
    assert seen.amax(dim=(1, 2)).tolist() == pytest.approx([1, 1, 1])
    assert not own.input(np.full((20, 20), 77, np.uint8)).any()


def test_the_key_tells_apart_what_is_prepared_differently() -> None:
    others = [
        PLAIN,
        replace(PLAIN, size=48),
        replace(PLAIN, mean=(0.5, 0.4, 0.31)),
        replace(PLAIN, std=(0.2, 0.1, 0.31)),
        replace(PLAIN, geometry="centre-crop"),
        replace(PLAIN, channels="red"),
        replace(PLAIN, min_max=True),
    ]
    assert len({one.key for one in others}) == len(others)
    assert replace(PLAIN).key == PLAIN.key


def test_a_recipe_says_how_images_are_prepared(order: Order) -> None:
    card = order()[0].card
    assert preprocess_of(Recipe(), card, 32) == Preprocess(32, card.mean, card.std)
    b = preprocess_of(Recipe(normalisation="min-max"), card, 32)
    assert (b.mean, b.std, b.min_max) == (IMAGENET_MEAN, IMAGENET_STD, True)
    a = preprocess_of(Recipe(geometry="centre-crop", channels="red"), card, 32)
    assert (a.geometry, a.channels) == ("centre-crop", "red")


def test_mean_and_deviation_are_study_a_s_or_those_of_training_images(order: Order) -> None:
    spec, _ = order()
    dataset, cache = read_dataset(Path(spec.dataset.path).parent), PixelCache(Path(spec.pixels))
    train = [sample.id for sample in dataset.samples[:20]]
    for layout, (mean, std) in STUDY_A.items():
        known = replace(dataset, layout=layout)
        found, said = preprocess_for(Recipe(normalisation="study-a"), spec.card, 32, known, cache, train)
        assert (found.mean, found.std, said) == (mean, std, "")
    found, said = preprocess_for(Recipe(normalisation="study-a"), spec.card, 32, dataset, cache, train)
    assert "layout “folder”" in said
    again, said = preprocess_for(Recipe(normalisation="dataset"), spec.card, 32, dataset, cache, train)
    assert (again, said) == (found, "")
    seen = torch.cat([Preprocess(32, (0, 0, 0), (1, 1, 1)).input(cache.image(one)).flatten(1) for one in train], dim=1)
    assert found.mean == pytest.approx(seen.mean(dim=1).tolist(), abs=1e-3)
    assert found.std == pytest.approx(seen.std(dim=1).tolist(), abs=1e-3)
    assert measured(PLAIN, cache, train[:1])[0] != found.mean


def test_a_run_keeps_how_it_prepared_images(order: Order) -> None:
    spec, folder = order("full", recipe={"normalisation": "study-a", "geometry": "centre-crop", "epochs": 1})
    events = list(run_training(spec, folder))
    assert any(isinstance(event, ev.Warned) and "Study A has no mean" in event.message for event in events)
    kept = wire.read(Preprocess, folder / "weights" / "preprocess.json")
    assert kept.geometry == "centre-crop"
    assert kept.mean != spec.card.mean


@pytest.mark.parametrize("policy", ["default", "study-a", "study-b"])
@pytest.mark.parametrize("image", [_grey(), _colour(), _grey().astype(np.uint16) * 257])
def test_views_are_in_range_vary_and_follow_their_keys(policy: str, image: npt.NDArray[Any]) -> None:
    own = Preprocess(32, (0, 0, 0), (1, 1, 1), geometry="centre-crop" if policy == "study-a" else "stretch")
    views = [augmented_input(image, own, policy, random_of(1, number)) for number in range(12)]
    assert all(view.shape == (3, 32, 32) and view.dtype == torch.float32 for view in views)
    assert all(float(view.min()) >= 0 and float(view.max()) <= 1 for view in views)
    assert not torch.equal(views[0], views[1])
    assert torch.equal(views[3], augmented_input(image, own, policy, random_of(1, 3)))


def test_study_a_flips_both_ways_and_study_b_one_way() -> None:
    ramp = np.add.outer(np.arange(64) * 3, np.zeros(64, np.int64)).astype(np.uint8)
    own = Preprocess(32, (0, 0, 0), (1, 1, 1))

    def upright(policy: str) -> float:
        views = [augmented_input(ramp, own, policy, random_of(9, number)) for number in range(60)]
        return float(np.mean([bool(view[:, -1].mean() > view[:, 0].mean()) for view in views]))

    assert 0.3 < upright("study-a") < 0.7
    assert upright("study-b") == 1.0

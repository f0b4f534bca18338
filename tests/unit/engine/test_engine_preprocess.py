"""Pixels on their way to a model: one path, whatever the kind of image; random views without a random state."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from medfm_gui.base.plugins import read_plugins
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.presets import preset_settings
from medfm_gui.domain.recipe import Recipe, recipe_from
from medfm_gui.engine.augment import augmented_input, random_of
from medfm_gui.engine.loader import ahead, batches_of
from medfm_gui.engine.preprocess import Clip, Preprocess, Three, preprocess_of, unit_square
from medfm_gui.engine.schedule import Schedule

MEAN: Three = (0.5, 0.4, 0.3)
STD: Three = (0.2, 0.2, 0.1)
OWN = Preprocess(32, MEAN, STD)
AS_IT_IS = Preprocess(32, (0, 0, 0), (1, 1, 1))


def _grey(rows: int = 40, columns: int = 60, kind: type = np.uint8) -> npt.NDArray[Any]:
    full = np.iinfo(kind).max
    return np.random.default_rng(0).integers(0, full, (rows, columns)).astype(kind)


def test_grey_and_its_colour_copy_are_the_same_to_a_model() -> None:
    grey = _grey()
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    assert torch.allclose(OWN.input(grey), OWN.input(colour), atol=1e-6)


def test_8_and_16_bits_of_the_same_grey_are_the_same_to_a_model() -> None:
    grey = _grey()
    deep = grey.astype(np.uint16) * 257
    difference = AS_IT_IS.input(grey) - AS_IT_IS.input(deep)
    assert float(difference.abs().max()) <= 1 / 255  # eight bits are rounded to eight bits


def test_an_image_of_the_right_size_is_only_normalised() -> None:
    grey = _grey(32, 32)
    seen = OWN.input(grey)
    for plane in range(3):
        assert np.allclose(seen[plane].numpy(), (grey / 255.0 - MEAN[plane]) / STD[plane], atol=1e-5)


def test_small_and_large_images_fill_the_square_within_range() -> None:
    for shape in ((1, 1), (7, 300), (700, 90)):
        seen = AS_IT_IS.input(_grey(*shape, kind=np.uint16))
        assert seen.shape == (3, 32, 32)
        assert seen.dtype == torch.float32
        assert float(seen.min()) >= 0
        assert float(seen.max()) <= 1


def test_fine_structure_does_not_alias() -> None:
    stripes = np.zeros((256, 256), np.uint8)
    stripes[:, ::2] = 255
    seen = AS_IT_IS.input(stripes)
    assert float((seen - 0.5).abs().max()) < 0.1


@pytest.mark.parametrize("shape", [(4, 4, 4), (4,), (0, 4), (2, 3, 4, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        unit_square(np.zeros(shape, np.uint8), 8)
    with pytest.raises(InputError):
        unit_square(np.zeros((4, 4), np.float32), 8)


def test_resizing_agrees_with_pillow() -> None:
    colour = np.random.default_rng(1).integers(0, 255, (70, 90, 3)).astype(np.uint8)
    peer = np.asarray(Image.fromarray(colour).resize((32, 32), Image.Resampling.BICUBIC)) / 255.0
    seen = unit_square(colour, 32).permute(1, 2, 0).numpy()
    assert np.abs(seen - peer).max() <= 2.1 / 255


def test_sixteen_bits_keep_their_depth() -> None:
    deep = (np.arange(64 * 64).reshape(64, 64) + 30_000).astype(np.uint16)
    assert len(np.unique(unit_square(deep, 32).numpy())) > 300


def test_read_only_pixels_are_left_as_they_are() -> None:
    grey = _grey()
    grey.setflags(write=False)
    before = grey.copy()
    augmented_input(grey, OWN, "default", random_of(1))
    OWN.input(grey)
    assert (grey == before).all()


def test_a_view_is_a_function_of_its_keys() -> None:
    grey = _grey()
    first, again, other = (
        augmented_input(grey, OWN, "default", random_of(*key)) for key in ((1, 2, 3), (1, 2, 3), (1, 2, 4))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, OWN.input(grey))


def test_views_keep_most_of_the_image_and_mirror_half_of_the_time() -> None:
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
    views = [augmented_input(ramp, AS_IT_IS, "default", random_of(7, number)) for number in range(200)]
    rising = [float(view[0, :, -1].mean() - view[0, :, 0].mean()) for view in views]
    assert 70 < sum(rise > 0 for rise in rising) < 130
    assert min(abs(rise) for rise in rising) > 0.5
    assert all(float(view.min()) >= 0 and float(view.max()) <= 1 for view in views)


def test_batches_are_even() -> None:
    for count in (1, 7, 8, 9, 16, 17, 33):
        parts = batches_of(range(count), 8)
        assert [item for part in parts for item in part] == list(range(count))
        lengths = {len(part) for part in parts}
        assert max(lengths) <= 8
        assert max(lengths) - min(lengths) <= 1
    assert batches_of([], 8) == []


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_prepared_batches_come_in_order(workers: int) -> None:
    assert list(ahead(lambda key: key * key, range(50), workers)) == [key * key for key in range(50)]


def test_an_error_while_preparing_reaches_the_reader_and_no_thread_stays() -> None:
    def make(key: int) -> int:
        if key == 3:
            raise InputError("no pixels")
        return key

    with pytest.raises(InputError):
        list(ahead(make, range(10), 2))
    early = ahead(make, range(3), 2)
    assert next(early) == 0
    early.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_only_a_few_batches_are_held() -> None:
    made: list[int] = []
    for taken, _ in enumerate(ahead(lambda key: made.append(key), range(40), 2)):
        assert len(made) <= taken + 2 + 2 + 1


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    rates = [Schedule(1.0, warmup_steps=10, total_steps=100).rate(step) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert max(rates) == rates[10] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.001
    assert rates[0] > 0
    assert Schedule(2.0, warmup_steps=5, total_steps=1).rate(0) == 2.0


def test_extreme_values_are_cut_off_before_anything_else() -> None:
    image = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    cut = Clip(5, 95).applied(image)
    assert (cut.dtype, cut.min(), cut.max()) == (np.dtype(np.uint16), 500, 9499)
    assert np.array_equal(cut[20:80], image[20:80])
    low_is_black = Clip(5, 95, to_zero=True).applied(image)
    assert (low_is_black.min(), int((low_is_black == 0).sum()), low_is_black.max()) == (0, 501, 9499)
    seen = replace(AS_IT_IS, clip=Clip(5, 95), size=100)
    assert torch.equal(seen.input(image), replace(AS_IT_IS, size=100).input(cut))


@pytest.mark.parametrize("policy", ["default", "study-a", "study-b"])
def test_views_are_of_the_image_that_was_cut_once(policy: str) -> None:
    image, clip = _grey(kind=np.uint16), Clip(10, 80, to_zero=True)
    of_cut = augmented_input(clip.applied(image), OWN, policy, random_of(1))
    assert torch.equal(augmented_input(image, replace(OWN, clip=clip), policy, random_of(1)), of_cut)


def test_keys_of_features_differ_where_values_are_cut_and_are_the_former_ones_else() -> None:
    assert OWN.key != replace(OWN, clip=Clip(5, 95)).key != replace(OWN, clip=Clip(5, 95, to_zero=True)).key
    assert Preprocess(224, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)).key == "2-91f314957ddca540"


def test_a_recipe_orders_what_is_cut_off() -> None:
    card = read_plugins().card("dinov2-s")
    assert preprocess_of(Recipe(), card, 224).clip is None
    study_b = recipe_from("linear-grid", preset_settings("study-b", "linear-grid", "brain-tumor"))
    assert preprocess_of(study_b, card, 224).clip == Clip(5, 95, to_zero=True)
    assert recipe_from("linear", preset_settings("study-b", "linear", "amos22")).hu_window == "-1024,600"

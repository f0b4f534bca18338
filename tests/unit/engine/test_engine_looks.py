"""What the wizard shows of a recipe: images as the model sees them, before mean and deviation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from medfm_gui.base.plugins import read_plugins
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.recipe import recipe_from
from medfm_gui.domain.run import LooksSpec
from medfm_gui.engine.looks import LOOKS, show_looks

CARD = read_plugins().card("dinov2-s")


def looks(folder: Path, image: npt.NDArray[np.generic], views: int = 2, **settings: str) -> npt.NDArray[np.uint8]:
    np.save(folder / "a.npy", image)
    recipe = recipe_from("full", {"input_size": "56", **settings})
    said = list(show_looks(LooksSpec(CARD, recipe, (str(folder / "a.npy"),), str(folder), views, side=28)))
    assert isinstance(said[-1], ev.RunFinished)
    assert [event.facts for event in said if isinstance(event, ev.Answered)] == [{"size": "56"}]
    shown: npt.NDArray[np.uint8] = np.load(folder / LOOKS, allow_pickle=False)
    return shown


def test_a_row_begins_with_the_prepared_image(tmp_path: Path) -> None:
    image = np.zeros((40, 80), np.uint8)
    image[:, 40:] = 200
    shown = looks(tmp_path, image)
    assert (shown.shape, shown.dtype) == ((1, 3, 28, 28, 3), np.dtype(np.uint8))
    assert shown[0, 0, 14, 4].tolist() == [0, 0, 0]
    assert shown[0, 0, 14, 24].tolist() == [200, 200, 200]
    assert not np.array_equal(shown[0, 1], shown[0, 2])
    assert np.array_equal(shown, looks(tmp_path, image))  # the same seed draws the same views


def test_what_the_recipe_does_to_values_is_seen(tmp_path: Path) -> None:
    image = np.full((40, 40), 30_000, np.uint16)
    image[:20] = 20_000
    image[0, 0] = 65_535
    spread = looks(tmp_path, image, 0, normalisation="min-max", clip_high="99")
    assert spread[0, 0, 4, 14, 0] < 40  # the edge between the halves swings over a little
    assert spread[0, 0, 24, 14, 0] > 215


def test_an_image_that_is_gone_is_named(tmp_path: Path) -> None:
    spec = LooksSpec(CARD, recipe_from("full", {}), (str(tmp_path / "gone.npy"),), str(tmp_path))
    with pytest.raises(InputError, match=r"gone\.npy"):
        list(show_looks(spec))

"""Stored values to greys: PS3.3 C.11.2.1.2.1, .3.1 and .3.2, written down once more, value by value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfm_gui.domain.errors import InternalError
from medfm_gui.imaging.window import Window
from medfm_gui.ui.viewer.grey import bounded, first_window, grey_table, looked_up, value_range
from medfm_gui.ui.viewer.image import SeriesImage, VoiTable


def series(dtype: str = "int16", **more: object) -> SeriesImage:
    return SeriesImage(np.zeros((1, 2, 2), dtype), 1, **more)  # type: ignore[arg-type]


def direct(value: float, window: Window) -> float:
    centre, width = window.centre, window.width
    if window.function == "SIGMOID":
        return 1 / (1 + math.exp(max(-700.0, min(700.0, -4 * (value - centre) / width))))
    if window.function == "LINEAR_EXACT":
        low, high = centre - width / 2, centre + width / 2
        return 0.0 if value <= low else 1.0 if value > high else (value - centre) / width + 0.5
    low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    return 0.0 if value <= low else 1.0 if value > high else (value - (centre - 0.5)) / (width - 1) + 0.5


@given(
    st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
    st.floats(-2000, 3000),
    st.floats(1, 5000),
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=40),
    st.sampled_from([(1.0, 0.0), (1.0, -1024.0), (0.25, 3.0), (-1.0, 100.0)]),
)
def test_greys_are_those_of_the_standard(
    function: str, centre: float, width: float, stored: list[int], rescale: tuple[float, float]
) -> None:
    window = Window(centre, width, function)  # type: ignore[arg-type]
    slope, intercept = rescale
    table = grey_table(series(slope=slope, intercept=intercept), window, inverted=False)
    greys = looked_up(np.array(stored, np.int16), table)
    for value, grey in zip(stored, greys, strict=True):
        wanted = 255 * direct(value * slope + intercept, window)
        beside = [255 * direct(value * slope + intercept + by, window) for by in (-0.01, 0.01)]
        assert min(*beside, wanted) - 0.51 <= grey <= max(*beside, wanted) + 0.51  # float32 at a threshold


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_inverse_comes_last(dtype: str) -> None:
    one = series(dtype, window=(100.0, 50.0))
    plain, inverse = (grey_table(one, first_window(one), inverted=flag).astype(int) for flag in (False, True))
    assert plain.size == 2 ** (8 * np.dtype(dtype).itemsize)
    assert abs(plain + inverse - 255).max() <= 1


def test_eight_bits_without_a_window_stay_as_they_are() -> None:
    one = series("uint8", unit="")
    assert (grey_table(one, first_window(one), inverted=False) == np.arange(256)).all()


def test_a_voi_lut_is_looked_up_by_value_with_its_ends_held() -> None:
    voi = VoiTable(100.0, np.array([10, 20, 200], np.uint8))
    one = series(voi_table=voi, slope=1.0, intercept=-1000.0)
    table = grey_table(one, None, inverted=False)
    stored = np.array([0, 1100, 1101, 1102, 5000], np.int16)
    assert looked_up(stored, table).tolist() == [10, 10, 20, 200, 200]
    assert looked_up(stored, grey_table(one, None, inverted=True)).tolist() == [245, 245, 235, 55, 55]
    assert first_window(one) == Window(101.0, 2.0, "LINEAR_EXACT")


def test_windows_are_kept_where_values_can_be() -> None:
    one = series("uint8", window=(100.0, 50.0))
    assert value_range(one) == (0, 255)
    assert bounded(Window(9000, 1e9), one) == Window(255, 510)
    assert bounded(Window(-9000, 0), one) == Window(0, 1)
    assert bounded(Window(10, 0, "LINEAR_EXACT"), series("uint8", slope=0.01)).width == 0.01


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": np.zeros((2, 2), np.uint8)},
        {"frames": np.zeros((1, 2, 2), np.float32)},
        {"frames": np.zeros((1, 2, 2, 3), np.uint16)},
        {"frames": np.zeros((0, 2, 2), np.uint8)},
        {"window": (1.0, 0.0)},
        {"window": (float("nan"), 10.0)},
        {"slope": 0.0},
    ],
)
def test_what_cannot_be_shown_cannot_be_made(wrong: dict[str, object]) -> None:
    facts: dict[str, object] = {"frames": np.zeros((1, 2, 2), np.uint8), "loaded": 1}
    with pytest.raises(InternalError):
        SeriesImage(**{**facts, **wrong})  # type: ignore[arg-type]

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing

from medfm_gui.imaging.window import Window, percentile_window, to_uint8, to_uint16, windowed


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [(40, 400), (40.5, 81), (2048, 4096), (300, 2)])
def test_the_three_functions_agree_with_pydicom(function: str, centre: float, width: float) -> None:
    data = Dataset()
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsStored, data.PixelRepresentation = 12, 0
    data.WindowCenter, data.WindowWidth, data.VOILUTFunction = centre, width, function
    values = np.arange(4096, dtype=np.uint16)
    theirs = apply_windowing(values, data) / 4095
    ours = windowed(values, Window(centre, width, function))  # type: ignore[arg-type]
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_a_width_of_one_is_a_threshold() -> None:
    values = np.array([38, 39, 39.4, 39.6, 40, 41])
    np.testing.assert_array_equal(windowed(values, Window(40, 1)), [0, 0, 0, 1, 1, 1])


def test_impossible_windows() -> None:
    assert not Window(40, 0.5).is_valid
    assert Window(40, 0.5, "LINEAR_EXACT").is_valid
    assert not Window(40, 0, "SIGMOID").is_valid
    assert not Window(float("nan"), 100).is_valid
    assert not Window(40, float("inf")).is_valid


def test_percentiles_shrug_off_outliers_and_padding() -> None:
    values = np.linspace(0, 100, 10_000)
    values[:20] = 1e6
    window = percentile_window(values)
    assert 0 < window.centre < 100 and window.width < 110
    padded = np.concatenate([np.full(30_000, -2000.0), values])
    kept = percentile_window(padded, padding=padded == -2000)
    assert abs(kept.centre - window.centre) < 1e-6
    assert percentile_window(padded, padding=np.ones(padded.shape, bool)).width > 0


def test_a_few_bright_pixels_on_black_stay_visible() -> None:
    values = np.zeros(10_000)
    values[:10] = 50
    unit = windowed(values, percentile_window(values))
    assert unit.max() == 1 and unit.min() == 0


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=60))
def test_every_window_keeps_order_and_range(values: list[float]) -> None:
    array = np.sort(np.array(values, dtype=np.float32))
    unit = windowed(array, percentile_window(array))
    assert unit.min() >= 0 and unit.max() <= 1
    assert np.all(np.diff(unit) >= 0)


def test_depths() -> None:
    unit = np.array([0, 0.5, 1], dtype=np.float32)
    np.testing.assert_array_equal(to_uint8(unit), [0, 128, 255])
    np.testing.assert_array_equal(to_uint16(unit), [0, 32768, 65535])

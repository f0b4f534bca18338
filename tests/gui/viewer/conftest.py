"""A small series whose every pixel has another value, and a viewer that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from medfm_gui.ui.viewer.image import HeatMap, SeriesImage
from medfm_gui.ui.viewer.presets import Preset
from medfm_gui.ui.viewer.viewer import Viewer

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
Make = Callable[..., SeriesImage]


@pytest.fixture
def make() -> Make:
    def series(**changes: Any) -> SeriesImage:
        frames = (np.arange(6 * 40 * 60).reshape(6, 40, 60) - 7000).astype(np.int16)
        facts: dict[str, Any] = {
            "frames": frames,
            "loaded": 6,
            "unit": "HU",
            "window": (40.0, 400.0),
            "orientation": AXIAL,
            "positions_mm": tuple(-10.0 + 2.5 * index for index in range(6)),
            "spacing_mm": (0.5, 0.5),
            "spacing_note": "mm",
        }
        return SeriesImage(**{**facts, **changes})

    return series


@pytest.fixture
def viewer(qtbot: QtBot, make: Make) -> Viewer:
    shown = Viewer()
    qtbot.addWidget(shown)
    shown.resize(600, 400)
    shown.state.set_presets([Preset("Soft tissue", 40, 400), Preset("Lung", -600, 1500)])
    shown.set_series(make())
    with qtbot.waitExposed(shown):
        shown.show()
    return shown


@pytest.fixture
def heat() -> HeatMap:
    values = np.zeros((4, 6), np.float32)
    values[0, 0] = 1
    colours = np.stack([np.arange(256)] * 3, axis=1).astype(np.uint8)
    colours[255] = (255, 200, 0)
    return HeatMap(values, 2, "Grad-CAM, nodule", colours)


def is_shown(viewer: Viewer) -> bool:
    """Asked anew each time: a type checker takes a property for constant."""
    return viewer.state.is_shown


def is_playing(viewer: Viewer) -> bool:
    """The same of the film."""
    return viewer.cine.is_playing


def is_inverted(viewer: Viewer) -> bool:
    """The same of the polarity."""
    return viewer.state.is_inverted

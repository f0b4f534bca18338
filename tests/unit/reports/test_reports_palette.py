from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.markers import MarkerStyle

from medfm_gui.domain.cards import ADAPTATIONS, Family
from medfm_gui.reports.palette import (
    COLOURS,
    DASHES,
    INK,
    MARKERS,
    MUTED,
    colour,
    dashes,
    marker,
    marker_fill,
    marker_size,
    relative_luminance,
)

# Machado, Oliveira, Fernandes 2009 (doi 10.1109/TVCG.2009.113), severity 1, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])


def contrast_on_white(tone: str) -> float:
    return 1.05 / (relative_luminance(to_rgb(tone)) + 0.05)


def lab(tone: str, sight: str) -> np.ndarray:
    rgb = np.array(to_rgb(tone))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = XYZ @ np.clip(np.array(SIGHTS[sight]) @ linear, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_black_on_white_is_21_to_1() -> None:
    assert contrast_on_white("#000000") == pytest.approx(21)


@pytest.mark.parametrize("tone", COLOURS)
def test_series_stand_out_on_paper(tone: str) -> None:
    assert contrast_on_white(tone) >= 3


@pytest.mark.parametrize("tone", [INK, MUTED])
def test_words_stand_out_on_paper(tone: str) -> None:
    assert contrast_on_white(tone) >= 4.5


@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_differ_for_every_kind_of_sight(sight: str) -> None:
    least = min(float(np.linalg.norm(lab(a, sight) - lab(b, sight))) for a, b in combinations(COLOURS, 2))
    assert least >= 16.9


def test_every_family_has_a_marker() -> None:
    assert set(MARKERS) == set(Family)
    assert all(MarkerStyle(shape).is_filled() for shape in MARKERS.values())
    assert (marker("DINOv2"), marker("MAE"), marker("VMamba"), marker("CoCa")) == ("o", "s", "^", "D")
    assert (marker("SAM2"), marker("AIMv2"), marker("CLIP"), marker("Baseline")) == ("v", "*", "h", "X")
    assert marker("someone's own") == "o"
    assert marker_size("AIMv2", 4) > marker_size("DINOv2", 4) == 4


def test_every_adaptation_has_its_own_line() -> None:
    lines = [dashes(card.name) for card in ADAPTATIONS]
    assert len(set(lines)) == len(lines)
    assert {card.name for card in ADAPTATIONS} <= set(DASHES)
    assert dashes("unknown") == "solid"


def test_colours_begin_again_after_the_last() -> None:
    assert [colour(k) for k in range(len(COLOURS) + 1)] == [*COLOURS, COLOURS[0]]


def test_a_colour_that_comes_again_has_another_marker() -> None:
    looks = [(colour(k), marker_fill(k)) for k in range(2 * len(COLOURS))]
    assert len(set(looks)) == len(looks) == 24

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QPushButton

from medfm_gui.domain.errors import InternalError
from medfm_gui.ui import stylesheet, theme

THEMES = [theme.load(name) for name in theme.NAMES]
GROUNDS = ("window", "panel", "raised")
WORDS = ("text", "muted", "accent", "good", "warn", "bad")

# Machado, Oliveira, Fernandes 2009 (doi 10.1109/TVCG.2009.113), severity 1, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])


def linear(tone: str) -> npt.NDArray[np.float64]:
    rgb = np.array([int(tone[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    low, high = sorted(float(linear(tone) @ [0.2126, 0.7152, 0.0722]) for tone in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(tone: str, sight: str) -> npt.NDArray[np.float64]:
    xyz = XYZ @ np.clip(np.array(SIGHTS[sight]) @ linear(tone), 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_black_on_white_is_21_to_1() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("tokens", THEMES, ids=theme.NAMES)
@pytest.mark.parametrize("ground", GROUNDS)
def test_words_reach_aa_on_every_ground(tokens: theme.Theme, ground: str) -> None:
    ratios = {word: contrast(getattr(tokens, word), getattr(tokens, ground)) for word in WORDS}
    assert {word: ratio for word, ratio in ratios.items() if ratio < 4.5} == {}
    assert contrast(tokens.disabled, getattr(tokens, ground)) >= 2.3


@pytest.mark.parametrize("tokens", THEMES, ids=theme.NAMES)
def test_words_reach_aa_on_accent_and_selection(tokens: theme.Theme, themed: QApplication) -> None:
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    theme.apply(themed, tokens)
    selected = themed.palette().color(QPalette.ColorRole.Highlight).name()
    assert contrast(tokens.text, selected) >= 4.5


@pytest.mark.parametrize("tokens", THEMES, ids=theme.NAMES)
@pytest.mark.parametrize("ground", ["window", "panel"])
def test_series_reach_3_to_1(tokens: theme.Theme, ground: str) -> None:
    assert len(set(tokens.series)) == len(tokens.series) >= 8
    low = {tone: contrast(tone, getattr(tokens, ground)) for tone in tokens.series}
    assert {tone: ratio for tone, ratio in low.items() if ratio < 3} == {}


@pytest.mark.parametrize("tokens", THEMES, ids=theme.NAMES)
@pytest.mark.parametrize("sight", SIGHTS)
def test_series_differ_for_every_kind_of_sight(tokens: theme.Theme, sight: str) -> None:
    least = min(float(np.linalg.norm(lab(a, sight) - lab(b, sight))) for a, b in combinations(tokens.series, 2))
    assert least >= 16


def test_image_area_is_black_in_both() -> None:
    assert {tokens.image for tokens in THEMES} == {"#000000"}
    assert [tokens.dark for tokens in THEMES] == [True, False]


def test_sizes_are_on_the_grid() -> None:
    assert theme.SPACE == (4, 8, 12, 16, 24, 32)
    assert (theme.RADIUS, theme.BODY_PX, theme.CAPTION_PX, theme.HEADINGS_PX) == (6, 13, 11, (15, 18, 24))
    assert theme.CONTROL_PX % 4 == 0
    assert theme.MOTION_MS <= 120


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(InternalError, match="no theme"):
        theme.load("../dark")


@pytest.mark.parametrize("tokens", THEMES, ids=theme.NAMES)
def test_stylesheet_knows_every_role_and_only_colours_of_the_theme(tokens: theme.Theme) -> None:
    sheet = stylesheet.build(tokens, ":/medfm/x")
    assert sheet.count("{") == sheet.count("}")
    styled = set(re.findall(r'\[role="([a-z0-9-]+)"\]', sheet))
    assert styled - set(stylesheet.ROLES) == set()
    assert {tone.upper() for tone in re.findall(r"#[0-9A-Fa-f]{6}", sheet)} >= {tokens.accent, tokens.text, tokens.line}
    other = THEMES[1 - theme.NAMES.index(tokens.name)]
    assert other.accent.lower() not in sheet.lower()


def test_the_theme_switches_open_windows(themed: QApplication, qtbot: object) -> None:
    button = QPushButton("Start")
    seen = []
    for tokens in THEMES:
        theme.apply(themed, tokens)
        assert theme.current() == tokens
        image = button.grab().toImage()
        seen.append(image.pixelColor(image.width() // 2, 4).name())
        assert themed.palette().color(QPalette.ColorRole.Window) == QColor(tokens.window)
    assert seen[0] != seen[1]
    button.deleteLater()


def test_mix_goes_from_ground_to_ink() -> None:
    assert theme.mix("#000000", "#ffffff", 0) == "#000000"
    assert theme.mix("#000000", "#ffffff", 1) == "#ffffff"
    assert theme.mix("#000000", "#ffffff", 0.5) == "#808080"


def test_motion_follows_the_choice(themed: QApplication) -> None:
    theme.set_motion(True)
    assert theme.motion_allowed()
    theme.set_motion(False)
    assert not theme.motion_allowed()


def test_system_preference_is_one_of_ours() -> None:
    assert theme.system_prefers() in theme.NAMES
    assert theme.figures_font().pixelSize() == theme.BODY_PX

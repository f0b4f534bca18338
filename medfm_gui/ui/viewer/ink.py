"""Colours and type on the picture's black ground, taken from the theme's tokens by contrast.

The picture's ground is black in both themes, so words on it cannot simply take the theme's text colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont

from medfm_gui.ui import theme

_PLATE = 0.62


@dataclass(frozen=True, slots=True)
class Ink:
    """What everything around a picture is painted with."""

    ground: QColor
    text: QColor
    plate: QColor
    """Behind words, so that they can be read on bright tissue; unseen on the black ground."""
    mark: QColor
    on_mark: QColor
    accent: QColor
    small: QFont
    letter: QFont


def ink() -> Ink:
    """For the theme on the application."""
    tokens = theme.current()
    plate = QColor(tokens.image)
    plate.setAlphaF(_PLATE)
    mark = QColor(tokens.warn)
    small = theme.figures_font()
    small.setPixelSize(theme.CAPTION_PX + 1)
    letter = theme.body_font()
    letter.setPixelSize(theme.HEADINGS_PX[0])
    letter.setWeight(QFont.Weight.DemiBold)
    candidates = [QColor(name) for name in (tokens.text, tokens.panel, tokens.window, tokens.image)]
    return Ink(
        ground=QColor(tokens.image),
        text=max(candidates, key=_luminance),
        plate=plate,
        mark=mark,
        on_mark=max(candidates, key=lambda colour: contrast(colour, mark)),
        accent=QColor(tokens.accent),
        small=small,
        letter=letter,
    )


def contrast(one: QColor, other: QColor) -> float:
    """As WCAG 2 has it, 1…21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: QColor) -> float:
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

"""Colours worked out from the theme's: paler ones, and ink that can be read on a shade."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from medfm_gui.reports.palette import relative_luminance


def faint(colour: QColor, opacity: float) -> QColor:
    """The colour at an opacity of 0…1."""
    veil = QColor(colour)
    veil.setAlphaF(opacity)
    return veil


def contrast(one: QColor, other: QColor) -> float:
    """Contrast of two colours, 1 to 21 (WCAG 2.2)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def ink_on(ground: QColor) -> QColor:
    """Black or white, whichever reads better on ``ground``: always at least 4.5 to 1."""
    black, white = QColor(Qt.GlobalColor.black), QColor(Qt.GlobalColor.white)
    return white if contrast(white, ground) > contrast(black, ground) else black


def _luminance(colour: QColor) -> float:
    return relative_luminance((colour.redF(), colour.greenF(), colour.blueF()))

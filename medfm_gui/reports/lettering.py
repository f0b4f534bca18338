"""How wide words are on paper, and words cut to a width, in the charts' DejaVu Sans."""

from __future__ import annotations

import functools
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font, LoadFlags

from medfm_gui.reports.plain import one_line, shortened

MM_PER_INCH = 25.4
_MM_PER_POINT = MM_PER_INCH / 72
_LONGEST = 200


def font_folder() -> Path:
    """Matplotlib's fonts: DejaVu Sans, and a last-resort font with a sign for every script."""
    return Path(mpl.get_data_path()) / "fonts" / "ttf"


def width_mm(text: str, points: float) -> float:
    """Width of one line of text set at that size."""
    return sum(_advance(character) for character in text) * points * _MM_PER_POINT


def figure_width_mm(figure: Figure) -> float:
    """Outer width of a figure."""
    return float(figure.get_figwidth()) * MM_PER_INCH


def fitted(text: str, room_mm: float, points: float) -> str:
    """One line no wider than ``room_mm``; what does not fit leaves its middle, marked ``…``."""
    line = shortened(text, _LONGEST)
    limit = len(line)
    while limit > 1 and width_mm(line, points) > room_mm:
        limit -= 1
        line = shortened(one_line(text), limit)
    return line


@functools.cache
def _advance(character: str) -> float:
    """Advance in em; one em for a character that only the last-resort font draws."""
    font = _font()
    if font.get_char_index(ord(character)) == 0:
        return 1.0
    return float(font.load_char(ord(character), flags=LoadFlags.NO_SCALE).horiAdvance) / font.units_per_EM


@functools.cache
def _font() -> FT2Font:
    return FT2Font(str(font_folder() / "DejaVuSans.ttf"))

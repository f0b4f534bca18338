"""How a series looks on paper: colour tells the series, the marker its model family, the line its adaptation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from medfm_gui.domain.cards import Family

COLOURS: Final = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#7A28E0", "#663311", "#5B6470",
    "#EE0044", "#441166", "#111199", "#FF11DD",
)  # fmt: skip
"""Okabe and Ito's colours (doi 10.1038/nmeth.1618) that reach 3:1 on white, then seven more.

Any two differ by at least 17 (CIELAB ΔE 1976) for normal sight and for the three dichromacies.
"""

FillStyle = Literal["full", "top"]
"""Of matplotlib; the half that is not filled is white."""

INK: Final = "#14181D"
MUTED: Final = "#55606B"
LINE: Final = "#D9DEE4"

MARKERS: Final[dict[str, str]] = {
    Family.DINOV2: "o",
    Family.DINOV3: "o",
    Family.MAE: "s",
    Family.VMAMBA: "^",
    Family.COCA: "D",
    Family.SAM2: "v",
    Family.AIMV2: "*",
    Family.CLIP: "h",
    Family.OPENCLIP: "h",
    Family.SIGLIP2: "h",
    Family.BASELINE: "X",
}
"""Marker of matplotlib for a model family, the same on screen and on paper."""

_EQUAL_WEIGHT: Final = {"*": 1.55, "X": 1.25, "^": 1.15, "v": 1.15, "h": 1.15, "D": 0.9, "s": 0.95}

DASHES: Final[dict[str, str | tuple[float, tuple[float, ...]]]] = {
    "full": "solid",
    "linear": (0, (5, 1.6)),
    "knn": (0, (1.2, 1.4)),
    "linear-grid": (0, (3.2, 1.2, 1.2, 1.2, 1.2, 1.2)),
    "attention-head": (0, (5, 1.4, 1.2, 1.4)),
    "lora": (0, (8, 1.6, 1.2, 1.6, 1.2, 1.6)),
    "bitfit": (0, (8, 2)),
    "partial": (0, (11, 1.6, 3, 1.6)),
    "segmentation": "solid",
    "baseline": (0, (4, 3)),
    "train": (0, (1.2, 1.4)),
    "val": "solid",
}
"""Line of matplotlib for ``Series.style``; an unknown style is solid."""


def colour(index: int) -> str:
    """Colour of the ``index``-th series of a chart; beyond the last they begin again, with other markers."""
    return COLOURS[index % len(COLOURS)]


def marker_fill(index: int) -> FillStyle:
    """How the marker of the ``index``-th series is filled: half where its colour was there before."""
    return "full" if index < len(COLOURS) else "top"


def marker(family: str) -> str:
    """Marker of a family by its name; a filled circle where the family is not known."""
    return MARKERS.get(family, "o")


def marker_size(family: str, points: float) -> float:
    """Size in points at which the family's marker looks as large as a circle of ``points``."""
    return points * _EQUAL_WEIGHT.get(marker(family), 1.0)


def dashes(style: str) -> str | tuple[float, tuple[float, ...]]:
    """Line of a style by its name."""
    return DASHES.get(style, "solid")


def relative_luminance(rgb: Sequence[float]) -> float:
    """Relative luminance (WCAG 2.2) of red, green and blue in 0…1."""
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

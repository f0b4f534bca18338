"""Which way the patient lies: letters for any direction on the screen, and how a series is hung at first.

Directions are of DICOM's patient system: +x left (L), +y posterior (P), +z head (H).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from medfm_gui.ui.viewer.image import SeriesImage

_AXES = (("L", "R"), ("P", "A"), ("H", "F"))
_OPPOSITE = {"L": "R", "R": "L", "P": "A", "A": "P", "H": "F", "F": "H"}
_COUNTS = 0.1
"""A direction within 6° of a plane has no letter for leaving it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How a picture is turned on the screen: screen = (xx·x + xy·y, yx·x + yy·y), quarter turns and mirrors only."""

    xx: int = 1
    xy: int = 0
    yx: int = 0
    yy: int = 1

    def rotated(self) -> Turn:
        """A quarter turn clockwise more, as seen."""
        return Turn(-self.yx, -self.yy, self.xx, self.xy)

    def flipped(self, *, across: bool) -> Turn:
        """Mirrored as seen: left and right change places if ``across``, else top and bottom."""
        if across:
            return Turn(-self.xx, -self.xy, self.yx, self.yy)
        return Turn(self.xx, self.xy, -self.yx, -self.yy)

    @property
    def is_sideways(self) -> bool:
        """Whether rows run up and down."""
        return self.xx == 0

    def back(self, x: float, y: float) -> tuple[float, float]:
        """A direction on the screen as a direction in the picture: the inverse, which is the transpose."""
        return self.xx * x + self.yx * y, self.xy * x + self.yy * y

    def of(self, picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The picture (rows, columns, …) turned: a view, not a copy."""
        turned = picture.swapaxes(0, 1) if self.is_sideways else picture
        turned = turned[:, ::-1] if self.xx + self.xy < 0 else turned
        return turned[::-1] if self.yx + self.yy < 0 else turned


@dataclass(frozen=True, slots=True)
class Letters:
    """What stands at the four edges; empty where it is not known."""

    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""


def letters(series: SeriesImage, turn: Turn) -> Letters:
    """The letters for a series turned like this."""
    return Letters(
        left=_towards(series, *turn.back(-1, 0)),
        right=_towards(series, *turn.back(1, 0)),
        top=_towards(series, *turn.back(0, -1)),
        bottom=_towards(series, *turn.back(0, 1)),
    )


def _towards(series: SeriesImage, x: float, y: float) -> str:
    """The letters of a direction in the picture, along one of its axes."""
    if series.orientation is not None:
        row, column = series.orientation[:3], series.orientation[3:]
        return direction_letters(*(x * r + y * c for r, c in zip(row, column, strict=True)))
    if series.patient_orientation is not None:
        named = series.patient_orientation[0 if x else 1]
        known = "".join(letter for letter in named.upper() if letter in _OPPOSITE)[:3]
        return known if x + y > 0 else "".join(_OPPOSITE[letter] for letter in known)
    return ""


def direction_letters(x: float, y: float, z: float) -> str:
    """The letters of a direction of the patient, the greatest part first: “A”, “PL”."""
    parts = sorted(zip((x, y, z), _AXES, strict=True), key=lambda part: -abs(part[0]))
    return "".join(names[0 if size > 0 else 1] for size, names in parts if abs(size) >= _COUNTS)


def hung(series: SeriesImage) -> Turn:
    """How a series is shown at first.

    Axial: the patient's left at the right, the front on top. Sagittal: the front at the left, the head on top.
    Coronal: the patient's left at the right, the head on top. Mammograms: the chest wall inwards, so that the
    right breast hangs on the left. Others as stored.
    """
    if series.orientation is not None:
        return _hung_plane(series)
    if series.laterality and series.patient_orientation is not None:
        return _hung_breast(series)
    return Turn()


def _hung_plane(series: SeriesImage) -> Turn:
    for turn in _all_turns():
        seen = letters(series, turn)
        if (seen.right[:1], seen.top[:1]) in (("L", "A"), ("P", "H"), ("L", "H")):
            return turn
    return Turn()


def _hung_breast(series: SeriesImage) -> Turn:
    stored = letters(series, Turn())
    outwards = stored.left if series.laterality == "R" else stored.right
    return Turn().flipped(across=True) if "P" in outwards else Turn()


def _all_turns() -> list[Turn]:
    turns = [Turn()]
    for _ in range(3):
        turns.append(turns[-1].rotated())
    return turns + [turn.flipped(across=True) for turn in turns]

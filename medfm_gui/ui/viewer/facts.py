"""The words around a picture: what stands in the four corners, and what a screen reader is told."""

from __future__ import annotations

import math
from dataclasses import dataclass

from medfm_gui.imaging.header import clean_text
from medfm_gui.ui.viewer.image import SeriesImage
from medfm_gui.ui.viewer.placement import Placement
from medfm_gui.ui.viewer.state import ViewerState

_LONGEST = 120
_MOST_MARKS = 6
_NICE = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Probe:
    """What lies under the cursor."""

    column: int
    row: int
    values: tuple[float, ...]
    """One, or three of colour."""
    unit: str

    @property
    def text(self) -> str:
        """The place and the value, with its unit."""
        said = " ".join(number(value) for value in self.values)
        return f"x {self.column}  y {self.row}  {said}{f' {self.unit}' if self.unit == 'HU' else ''}"


@dataclass(frozen=True, slots=True)
class Corners:
    """Lines of text, the uppermost first."""

    top_left: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    bottom_left: tuple[str, ...] = ()
    bottom_right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A length that can be read off, in pixels of the pane, and its words."""

    pane_pixels: float
    text: str


def number(value: float) -> str:
    """A value in sensible digits, with a true minus sign."""
    text = f"{value:.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"
    return text.replace("-", "−") if text != "-0" else "0"


def probe_at(state: ViewerState, column: int, row: int) -> Probe | None:
    """The value of a pixel of the current slice; none where that is not shown."""
    series = state.series
    if series is None or not state.is_shown:
        return None
    if series.is_colour:
        parts = tuple(float(part) for part in series.frames[state.index, row, column])
        return Probe(column, row, parts, series.unit)
    return Probe(column, row, (series.value(state.index, row, column),), series.unit)


def corners(state: ViewerState, placement: Placement, probe: Probe | None, *, identity_shown: bool) -> Corners:
    """What stands in the corners; who it is only if that may be shown."""
    series = state.series
    if series is None:
        return Corners()
    who = series.identity if identity_shown else ""
    banner = tuple(clean_text(text, _LONGEST) for text in (who, series.study) if text)
    marks = [clean_text(mark, _LONGEST) for mark in series.marks[:_MOST_MARKS]]
    if len(series.marks) > _MOST_MARKS:
        marks.append(f"and {len(series.marks) - _MOST_MARKS} more")
    left = [_slice_text(state)]
    if state.index < len(series.positions_mm):
        left.append(f"Position {_millimetres(series.positions_mm[state.index])}")
    if probe is not None:
        left.append(probe.text)
    right = [*window_lines(state), f"Zoom {100 * placement.scale:.0f} %"]
    return Corners(banner, tuple(marks), tuple(left), tuple(right))


def window_lines(state: ViewerState) -> tuple[str, ...]:
    """The preset if it is one, then width and centre; nothing for colour."""
    series = state.series
    if series is None or series.is_colour:
        return ()
    polarity = ("inverted",) if state.is_inverted else ()
    if state.window is None:
        return (*polarity, "W/L from the header's table")
    unit = f" {series.unit}" if series.unit == "HU" else ""
    named = (state.preset_name,) if state.preset_name else ()
    return (*polarity, *named, f"W {number(state.window.width)}  L {number(state.window.centre)}{unit}")


def scale_bar(series: SeriesImage, placement: Placement) -> ScaleBar | None:
    """A round length of at most a quarter of the pane; in pixels of the picture where millimetres are not known."""
    in_mm = series.spacing_note != "px" and series.spacing_mm is not None and min(series.spacing_mm) > 0
    pane_pixels_a_unit = placement.scale / (series.spacing_mm[1] if in_mm and series.spacing_mm is not None else 1.0)
    longest = placement.width / 4 / pane_pixels_a_unit
    if not math.isfinite(longest) or longest <= 0:
        return None
    power = 10.0 ** math.floor(math.log10(longest))
    length = max(nice * power for nice in _NICE if nice * power <= longest * 1.0000001)
    unit = series.spacing_note if in_mm else "px"
    if unit == "px" and length < 1:
        return None
    return ScaleBar(length * pane_pixels_a_unit, f"{length:g} {unit}")


def description(state: ViewerState) -> str:
    """What a screen reader says of the pane; names nobody."""
    series = state.series
    if series is None:
        return "No image"
    parts = [clean_text(series.study, _LONGEST), _slice_text(state)]
    if state.index < len(series.positions_mm):
        parts.append(f"position {_millimetres(series.positions_mm[state.index])}")
    parts += [*window_lines(state), *(clean_text(mark, _LONGEST) for mark in series.marks[:_MOST_MARKS])]
    return ", ".join(part for part in parts if part)


def why_nothing(state: ViewerState) -> str:
    """The sentence in place of a frame that is not shown."""
    if state.note:
        return clean_text(state.note, 4 * _LONGEST)
    return f"Reading {_slice_text(state).lower().replace('/', ' of ')} …"


def _slice_text(state: ViewerState) -> str:
    volume = state.series is not None and bool(state.series.positions_mm)
    kind = "Slice" if volume else "Frame" if state.count > 1 else "Image"
    return f"{kind} {state.index + 1}/{state.count}"


def _millimetres(value: float) -> str:
    return f"{value:.1f} mm".replace("-", "−")

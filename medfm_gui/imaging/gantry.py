"""Slices that are shifted against one another, as those of a tilted gantry are: noticed, never straightened."""

from __future__ import annotations

import math
from collections.abc import Sequence

from medfm_gui.imaging.header import DicomHeader

SMALLEST_DEGREES = 0.5


def shear_remark(headers: Sequence[DicomHeader]) -> tuple[str, ...]:
    """What is to be said of slices of one plane whose centres do not lie on their normal; nothing where they do.

    The angle is that between the normal of the planes and the line from the first slice to the furthest one.
    """
    placed = [(one.position, one.orientation) for one in headers if one.position and one.orientation]
    if len(placed) < 2 or placed[0][1] is None:
        return ()
    a, b, c, d, e, f = placed[0][1]
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    length = math.hypot(*normal)
    start = placed[0][0]
    if start is None or not 0.9 < length < 1.1:
        return ()
    lines = [[there - here for here, there in zip(start, position, strict=True)] for position, _ in placed if position]
    line = max(lines, key=lambda one: math.hypot(*one))
    reach = math.hypot(*line)
    along = abs(sum(part * other for part, other in zip(line, normal, strict=True))) / length
    if reach == 0 or along <= 0:
        return ()
    degrees = math.degrees(math.acos(min(1.0, along / reach)))
    if degrees < SMALLEST_DEGREES:
        return ()
    return (f"The slices are shifted against one another by {degrees:.1f}° (gantry tilt); they are shown as they are.",)

"""The flow of images as the boxes of a diagram, from the rows of its table: what the template needs to draw it."""

from __future__ import annotations

from medfm_gui.domain.report import Table
from medfm_gui.reports.plain import breakable, shortened

_LEADING = " –−"
"""What stands in the table before a reason and its number; in the diagram the place says it."""
_LONGEST, _LONGEST_WORDS = 160, 2_000


def flow_boxes(table: Table) -> dict[str, object] | None:
    """Steps of the trunk with what was left out after each, the boxes side by side at the end, and all of it in words.

    None where the table has no diagram.
    """
    if not table.flow or len(table.flow) != len(table.rows) or table.flow[0] != "step":
        return None
    steps: list[dict[str, object]] = []
    lost: list[list[str]] = []
    sides: list[dict[str, object]] = []
    said: list[str] = []
    for place, row in zip(table.flow, table.rows, strict=True):
        name, number, patients = (*row, "", "", "")[:3]
        if place == "lost":
            reason = f"{name.strip(_LEADING)}: n = {number.strip(_LEADING)}"
            lost[-1].append(_shown(reason))
            said.append(f"left out, {reason}")
            continue
        count = f"n = {number}" + (f", {patients} {'patient' if patients == '1' else 'patients'}" if patients else "")
        said.append(f"{name}: {count}")
        box: dict[str, object] = {"name": _shown(name), "count": _shown(count)}
        lost.append([])
        if place == "step":
            steps.append({**box, "lost": lost[-1]})
        else:
            sides.append(box)
    words = shortened(f"Flow of images. {'; '.join(said)}.", _LONGEST_WORDS)
    return {"steps": steps, "sides": sides, "alternative": words}


def _shown(text: str) -> str:
    return breakable(shortened(text, _LONGEST), longest=16, chunk=6)

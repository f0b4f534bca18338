"""What the page remembers between starts: the chosen runs of each workspace, widths of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from medfm_gui.ui.memory import Memory

_RUNS = "compare.runs"
_WIDTHS = "compare.widths"
_MOST_PLACES = 20


def remembered_runs(memory: Memory, root: Path) -> tuple[str, ...]:
    """The runs that were compared last in this workspace."""
    kept = memory.get(_RUNS)
    runs = kept.get(str(root)) if isinstance(kept, dict) else None
    return tuple(run for run in runs if isinstance(run, str)) if isinstance(runs, list) else ()


def remember_runs(memory: Memory, root: Path, runs: Sequence[str]) -> None:
    """Keep the chosen runs of this workspace."""
    before = memory.get(_RUNS)
    others = {key: value for key, value in before.items() if key != str(root)} if isinstance(before, dict) else {}
    newest = dict(list(others.items())[-_MOST_PLACES:])
    memory.put(_RUNS, {**newest, str(root): list(runs)})


def remembered_widths(memory: Memory) -> dict[str, int]:
    """Widths of columns by their headings."""
    kept = memory.get(_WIDTHS)
    found = kept.items() if isinstance(kept, dict) else ()
    return {str(name): width for name, width in found if isinstance(width, int)}


def remember_widths(memory: Memory, widths: Mapping[str, int]) -> None:
    """Keep widths of columns; those of metrics that are not shown now stay kept."""
    memory.put(_WIDTHS, {**remembered_widths(memory), **widths})

"""Takes the places of this computer out of a report: what an error or a warning named is not for its readers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.report import Block, Facts, Paragraph, Section, Table
from medfm_gui.workspace.place import Workspace

_QUOTED = re.compile(r"“(?:[A-Za-z]:)?[\\/][^”]*”")
INSTEAD = "a folder of this computer"
"""What stands for a place."""


def without_places(sections: tuple[Section, ...], workspace: Workspace, dataset: Dataset) -> tuple[Section, ...]:
    """The sections without the path of the workspace, of the dataset, of the person's folder, or any quoted one."""
    clean = cleaner(workspace, dataset)
    return tuple(replace(one, blocks=tuple(_cleaned(block, clean) for block in one.blocks)) for one in sections)


def cleaner(workspace: Workspace, dataset: Dataset) -> Callable[[str], str]:
    """What takes these places out of a text."""
    roots = {str(workspace.root), dataset.source, str(Path.home())} - {"", "/"}
    known = re.compile("|".join(rf"{re.escape(root)}[^\s”\"]*" for root in sorted(roots, key=len, reverse=True)))

    def clean(text: str) -> str:
        return known.sub(INSTEAD, _QUOTED.sub(INSTEAD, text))

    return clean


def _cleaned(block: Block, clean: Callable[[str], str]) -> Block:
    match block:
        case Paragraph():
            return replace(block, text=clean(block.text))
        case Facts():
            return replace(block, rows=tuple((name, clean(value)) for name, value in block.rows))
        case Table():
            return replace(block, rows=tuple(tuple(map(clean, row)) for row in block.rows))
    return block

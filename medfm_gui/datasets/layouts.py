"""The one list of layouts that can be imported, and the choice among them."""

from __future__ import annotations

from pathlib import Path

from medfm_gui.datasets.importers import csv_table, dicom_tree, folder, medmnist
from medfm_gui.datasets.layout import Layout
from medfm_gui.datasets.text import nearest, shown
from medfm_gui.domain.errors import InputError, UsageError

LAYOUTS: tuple[Layout, ...] = (medmnist.LAYOUT, dicom_tree.LAYOUT, csv_table.LAYOUT, folder.LAYOUT)
"""All layouts, the most particular first: ``auto`` takes the first that recognises a source."""


def choose(name: str, source: Path) -> tuple[Layout, str]:
    """The layout of that name, or for ``auto`` the one that fits; and why.

    Raises:
        UsageError: no layout is called so.
        InputError: ``auto`` recognises none in this source.
    """
    if name != "auto":
        found = next((layout for layout in LAYOUTS if layout.name == name), None)
        if found is None:
            names = [layout.name for layout in LAYOUTS]
            meant = nearest(name, names)
            hint = f"Did you mean “{meant[0]}”? " if meant else ""
            raise UsageError(f"There is no layout “{name}”.", f"{hint}Layouts are: auto, {', '.join(names)}.")
        return found, "as named"
    for layout in LAYOUTS:
        reason = layout.recognises(source)
        if reason:
            return layout, reason
    raise InputError(
        f"“{shown(source.name)}” is none of the known layouts: no table, no archive, no two folders with images.",
        "Put the images of each class into a folder of their own, or name a layout (see “medfm layouts”).",
    )

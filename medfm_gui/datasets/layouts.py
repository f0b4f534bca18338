"""The one list of layouts that can be imported, and the choice among them."""

from __future__ import annotations

from pathlib import Path

from medfm_gui.datasets.importers import (
    amos22,
    aptos2019,
    brain_tumor,
    btcv,
    busi,
    cbis_ddsm,
    cbis_ddsm_png,
    chexpert,
    csv_table,
    ddsm,
    dicom_tree,
    folder,
    ham10000,
    isic2019,
    medmnist,
    montgomery,
    msd,
    nifti_tree,
    nih_cxr14,
    rsna,
    sars_cov2_ct,
    shenzhen,
)
from medfm_gui.datasets.layout import Layout
from medfm_gui.datasets.text import nearest, shown
from medfm_gui.domain.errors import InputError, UsageError

LAYOUTS: tuple[Layout, ...] = (
    cbis_ddsm.LAYOUT,
    cbis_ddsm_png.LAYOUT,
    ddsm.LAYOUT,
    isic2019.LAYOUT,
    ham10000.LAYOUT,
    aptos2019.LAYOUT,
    busi.LAYOUT,
    chexpert.LAYOUT,
    nih_cxr14.LAYOUT,
    rsna.LAYOUT,
    brain_tumor.LAYOUT,
    sars_cov2_ct.LAYOUT,
    montgomery.LAYOUT,
    shenzhen.LAYOUT,
    amos22.LAYOUT,
    btcv.LAYOUT,
    msd.LAYOUT,
    # what any folder may look like, after every release that is known by the names of its files
    medmnist.LAYOUT,
    dicom_tree.LAYOUT,
    csv_table.LAYOUT,
    nifti_tree.LAYOUT,
    folder.LAYOUT,
)
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

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
from medfm_gui.datasets.walk import is_junk
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
_DEEPEST = 3
"""So many folders that hold nothing but a folder are entered."""


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


def entered(source: Path) -> Path:
    """Where ``auto`` looks: in the source, or in the one folder that is all it holds, if only there a layout fits.

    Archives are unpacked into a folder of their own name, and that often into another.
    """
    here = source
    for _ in range(_DEEPEST + 1):
        inside = _only_folder(here)
        if inside is None:
            break
        if any(layout.recognises(here) for layout in LAYOUTS):
            return here
        here = inside
    return here if here == source or any(layout.recognises(here) for layout in LAYOUTS) else source


def _only_folder(source: Path) -> Path | None:
    """The folder that is all that a folder holds, but for hidden files and rubbish; None where there is more."""
    try:
        found = [path for path in source.iterdir() if not is_junk(path.name)] if source.is_dir() else []
    except OSError:
        return None
    return found[0] if len(found) == 1 and found[0].is_dir() and not found[0].is_symlink() else None

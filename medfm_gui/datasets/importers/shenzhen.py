"""Shenzhen: 662 radiographs with tuberculosis or not; 566 of them with masks of the lungs that others drew later.

``ChinaSet_AllFiles/{CXR_png,ClinicalReadings}`` and, from elsewhere, ``mask[s]/CHNCXR_####_#_mask.png`` (0 and 255).
"""

from __future__ import annotations

import re
from pathlib import Path

from medfm_gui.datasets.importers.chest_readings import TASK, TUBERCULOSIS, Chests, first_called, listed
from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.domain.dataset import Statement

CHESTS = Chests(
    "shenzhen",
    re.compile(r"CHNCXR_\d{4}_([01])", re.IGNORECASE),
    "radiographs of Shenzhen (CHNCXR_####_0.png)",
    ("lungs",),
    {"0": 326, "1": 336},
    566,
    Statement(
        unit="image; one a patient",
        sampling="enriched",
        reference_standard="clinical reading of the radiologist; masks drawn by hand, by others, for 566 images",
        codes={TUBERCULOSIS: "SCT 154283005", "lungs": "SCT 39607008"},
        source="https://lhncbc.nlm.nih.gov/LHC-downloads/downloads.html",
    ),
)


def recognises(source: Path) -> str | None:
    """Images called CHNCXR_####_0 or _1."""
    name = first_called(source, CHESTS.name)
    return f"“{name}” is called like a radiograph of Shenzhen" if name else None


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the radiographs.

    Raises:
        InputError: there are none, or a folder cannot be read.
    """
    return listed(source, options, CHESTS)


LAYOUT = Layout(
    "shenzhen",
    "Shenzhen chest radiographs",
    "classification or segmentation",
    recognises,
    read,
    (TASK,),
    {"study-b": {"task": "lungs"}},
)

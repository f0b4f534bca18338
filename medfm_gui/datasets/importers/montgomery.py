"""Montgomery County: 138 radiographs with tuberculosis or not, and masks of the left and of the right lung.

``MontgomerySet/{CXR_png,ManualMask/{leftMask,rightMask},ClinicalReadings}``. The two masks are kept apart: where they
overlap, a sum of left = 1 and right = 2 would make a third class.
"""

from __future__ import annotations

import re
from pathlib import Path

from medfm_gui.datasets.importers.chest_readings import TASK, TUBERCULOSIS, Chests, first_called, listed
from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.domain.dataset import Statement

CHESTS = Chests(
    "montgomery",
    re.compile(r"MCUCXR_\d{4}_([01])", re.IGNORECASE),
    "radiographs of Montgomery County (MCUCXR_####_0.png)",
    ("left lung", "right lung"),
    {"0": 80, "1": 58},
    138,
    Statement(
        unit="image; one a patient",
        sampling="enriched",
        reference_standard="clinical reading of the radiologist; masks drawn by hand",
        codes={TUBERCULOSIS: "SCT 154283005", "left lung": "SCT 44029006", "right lung": "SCT 3341006"},
        source="https://lhncbc.nlm.nih.gov/LHC-downloads/downloads.html",
    ),
)


def recognises(source: Path) -> str | None:
    """Images called MCUCXR_####_0 or _1."""
    name = first_called(source, CHESTS.name)
    return f"“{name}” is called like a radiograph of Montgomery County" if name else None


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the radiographs.

    Raises:
        InputError: there are none, or a folder cannot be read.
    """
    return listed(source, options, CHESTS)


LAYOUT = Layout(
    "montgomery",
    "Montgomery County chest radiographs",
    "classification or segmentation",
    recognises,
    read,
    (TASK,),
    {"study-b": {"task": "lungs"}},
)

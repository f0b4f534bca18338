"""BTCV (Synapse syn3193805): thirteen abdominal organs in CT.

``RawData/Training/{img,label}/{img,label}####.nii.gz`` and ``Testing/img``, whose labels are not published.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from medfm_gui.datasets.importers.msd import volumes_of
from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.published import find_folder, junk_remark, needed
from medfm_gui.datasets.text import natural
from medfm_gui.datasets.volumes import Pairing, stem_of
from medfm_gui.datasets.walk import walk
from medfm_gui.domain.dataset import Count, Statement, Task

CLASSES = (
    "spleen",
    "right kidney",
    "left kidney",
    "gallbladder",
    "oesophagus",
    "liver",
    "stomach",
    "aorta",
    "inferior vena cava",
    "portal and splenic veins",
    "pancreas",
    "right adrenal gland",
    "left adrenal gland",
)
"""Organs of the values 1 to 13."""
_NAME = re.compile(r"(img|label)(\d{4})(.*)", re.IGNORECASE)
_STATEMENT = Statement(
    unit="volume",
    sampling="enriched",
    reference_standard="organs outlined by two trained readers, checked by a radiologist",
    source="https://www.synapse.org/Synapse:syn3193805",
)


def recognises(source: Path) -> str | None:
    """``Training/img`` with ``img####`` beside ``Training/label``."""
    folder = find_folder(source, "Training") if source.is_dir() else None
    if folder is None or not all((folder / name).is_dir() for name in ("img", "label")):
        return None
    if not any(_NAME.match(path.name) for path in (folder / "img").iterdir()):
        return None
    return "Training/img holds volumes called img####, beside Training/label"


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the labelled volumes.

    Raises:
        InputError: there is no folder ``Training``.
    """
    folder = needed(find_folder(source, "Training"), "folder “Training”", source)
    root = folder.parent if folder != source else folder
    prefix = "" if folder == source else f"{folder.name}/"
    tree = walk(root)
    there = volumes_of(tree)
    pairing = Pairing(root)
    tests = []
    for name in sorted(there, key=natural):
        found = _NAME.fullmatch(Path(name).name)
        if name.startswith(f"{prefix}img/") and found and found[1].lower() == "img":
            mask = f"{prefix}label/label{found[2]}{found[3]}"
            pairing.take(name, mask, there=there, covariates={"modality": "CT"})
        elif name.startswith(f"{prefix}label/") and found:
            if f"{prefix}img/img{found[2]}{found[3]}" not in there:
                pairing.skip(name, "missing_image", "Its mask is there, and the image is not.")
        elif "/img/" in f"/{name}" and found:
            tests.append(name)
        else:
            pairing.skip(name, "unknown_name", f"“{stem_of(name)}” is called neither img#### nor label####.")
    pairing.unlabelled(tests, "A test image of the challenge; its labels are not published.")
    return Listing(
        "btcv",
        root,
        tuple(pairing.entries),
        label_names=(),
        classes=CLASSES,
        task=Task.SEGMENTATION,
        skipped=(*tree.skipped, *pairing.skipped),
        warnings=(
            "The release says of no volume whose it is: each counts as a patient of its own.",
            *junk_remark(tree.junk),
        ),
        taken={"images and masks": "img#### and label#### of Training"},
        counts=(
            Count("volumes with masks", len(pairing.entries), 30, "pub"),
            Count("test volumes without masks", len(tests), 20, "pub"),
        ),
        statement=_STATEMENT,
    )


PRESETS: Mapping[str, Mapping[str, str]] = {"study-b": {}}
"""Study B's code leaves nothing to choose: all labelled volumes, all thirteen organs."""

LAYOUT = Layout("btcv", "BTCV, abdominal organs in CT (Synapse)", "segmentation", recognises, read, presets=PRESETS)

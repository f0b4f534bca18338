"""CBIS-DDSM as a re-release of PNGs has it: ``DATA/{Calc|Mass}/{Train|Test}/{MALIGNANT|BENIGN}/*_FULL_*.png``.

There are no tables: class and partition are the folders, the patient stands in the file's name where it was kept. The
masks beside the images (``*_MASK_*.png``) are no images. A view that lies in both classes counts as malignant.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.datasets.importers.cbis_ddsm import BENIGN, MALIGNANT
from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import Entry, ImportOptions, Listing
from medfm_gui.datasets.partitions import partition_named
from medfm_gui.datasets.published import find_folder, home, images_below, junk_remark, needed
from medfm_gui.datasets.text import examples, shown
from medfm_gui.domain.dataset import Count, Skipped, Statement, Task
from medfm_gui.domain.units import counted

_LESIONS = ("calc", "mass")
_CLASSES = {"malignant": MALIGNANT, "benign": BENIGN}
_EXPOSURE = re.compile(r"(?P<patient>P_\d+)_(?P<side>LEFT|RIGHT)_(?P<view>CC|MLO)", re.IGNORECASE)
_FULL = re.compile(r"_FULL(?![A-Za-z])", re.IGNORECASE)
_MASK = re.compile(r"_(?:MASK|ROI)(?![A-Za-z])", re.IGNORECASE)
_PNG = frozenset({".png"})
_STATEMENT = Statement(
    unit="mammogram, one view of one breast",
    sampling="enriched",
    reference_standard="pathology; what was not called back is not told from benign in this re-release",
    licence="CC BY 3.0",
    redistribution=True,
    source="https://www.kaggle.com/datasets/mohamedbenticha/cbis-ddsm",
)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the place and the name of a file say."""

    name: str
    lesion: str
    fold: str
    label: str
    exposure: tuple[str, str, str]
    """Patient, side, view; the patient is empty where the name does not tell."""


def recognises(source: Path) -> str | None:
    """The folders Calc and Mass with Train or Test, MALIGNANT and files with ``_FULL_`` in their names."""
    top = _top(source)
    if top is None:
        return None
    folders = (top / lesion / side / "MALIGNANT" for lesion in ("Calc", "Mass") for side in ("Train", "Test"))
    for folder in folders:
        if folder.is_dir() and any(
            _FULL.search(path.name) for path, _ in zip(folder.iterdir(), range(20), strict=False)
        ):
            return "the folders Calc and Mass hold “_FULL” mammograms by partition and class"
    return None


def _top(source: Path) -> Path | None:
    folder = find_folder(source, "Mass", depth=2) if source.is_dir() else None
    return folder.parent if folder and (folder.parent / "Calc").is_dir() else None


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the whole mammograms.

    Raises:
        InputError: there are no such folders.
    """
    source = home(source)
    policies = LAYOUT.chosen(options)
    root = needed(_top(source), "folders “Calc” and “Mass”", source)
    images = images_below(root, suffixes=_PNG)
    skipped = list(images.skipped)
    pictures: list[Picture] = []
    masks = 0
    for name in images.files:
        found = picture(name)
        if found is not None and policies["lesions"] in ("both", found.lesion):
            pictures.append(found)
        elif _MASK.search(name.rpartition("/")[2]):
            masks += 1
        elif found is None:
            skipped.append(Skipped(shown(name), "unknown_name", "Its place or name is not as in this re-release."))
    worst = {item.exposure: MALIGNANT for item in pictures if item.label == MALIGNANT}
    entries = [_entry(root, item, worst.get(item.exposure, item.label)) for item in pictures]
    nameless = [entry.path for entry in entries if not entry.patient]
    lone = (
        (f"{counted(len(nameless), 'image')} whose name tells no patient: {examples(nameless)}.",) if nameless else ()
    )
    found_labels = Counter(entry.labels[0] for entry in entries)
    return Listing(
        "cbis-ddsm-png",
        root,
        tuple(entries),
        label_names=("class",),
        classes=(BENIGN, MALIGNANT),
        task=Task.BINARY,
        skipped=tuple(skipped),
        warnings=(*lone, *junk_remark(images.junk)),
        taken={"class": "the folder", "fold": "the folders Train and Test", "patient": "P_##### in the file's name"},
        counts=(
            Count("whole mammograms", len(entries)),
            *(Count(f"{label} mammograms", found_labels[label]) for label in (BENIGN, MALIGNANT)),
            Count("masks", masks),
        ),
        policies=policies,
        statement=_STATEMENT,
    )


def picture(name: str) -> Picture | None:
    """What a relative path says of a whole mammogram; None where it is none of this re-release."""
    parts = name.split("/")
    if len(parts) < 4 or not _FULL.search(parts[-1]) or _MASK.search(parts[-1]):
        return None
    lesion, fold, label = (part.casefold() for part in parts[:3])
    side = partition_named(fold)
    if lesion not in _LESIONS or side is None or label not in _CLASSES:
        return None
    seen = _EXPOSURE.search(parts[-1])
    exposure = (seen["patient"].upper(), seen["side"].casefold(), seen["view"].upper()) if seen else ("", "", name)
    return Picture(name, lesion, side.value, _CLASSES[label], exposure)


def _entry(root: Path, item: Picture, label: str) -> Entry:
    patient, side, view = item.exposure
    facts = {"abnormality": item.lesion} | ({"laterality": side, "view": view} if patient else {})
    return Entry(
        shown(item.name), str(root / item.name), (label,), patient=patient or None, fold=item.fold, covariates=facts
    )


LAYOUT = Layout(
    "cbis-ddsm-png",
    "CBIS-DDSM: mammography re-released as PNG, without tables",
    "classification",
    recognises,
    read,
    policies=(
        Policy(
            "lesions",
            "Which abnormalities",
            (
                Choice("both", "Masses and calcifications"),
                Choice("mass", "Masses alone"),
                Choice("calc", "Calcifications alone"),
            ),
        ),
    ),
)

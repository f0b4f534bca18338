"""BUSI: breast ultrasound in three classes, with a mask of the lesion beside each image.

``Dataset_BUSI_with_GT/{benign,malignant,normal}/<class> (n).png`` with ``<class> (n)_mask.png``, and for further
lesions of an image ``_mask_1.png``, ``_mask_2.png``. Masks are joined to their image and are no images themselves.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import Entry, ImportOptions, Listing
from medfm_gui.datasets.published import find_folder, home, images_below, junk_remark, needed
from medfm_gui.datasets.text import examples, natural, shown
from medfm_gui.datasets.walk import suffix_of
from medfm_gui.domain.dataset import Count, Skipped, Statement, Task
from medfm_gui.domain.units import counted

CLASSES: Mapping[str, int] = {"normal": 133, "benign": 437, "malignant": 210}
"""How many images of each class were published."""
_NAME = re.compile(r"(?P<stem>(?P<kind>normal|benign|malignant) \((?P<number>\d+)\))(?P<mask>_mask(?:_\d+)?)?", re.I)
_NO_PATIENTS = (
    "The release says of no image whose it is: two images of one woman may stand on two sides of a split. It is known "
    "to hold doubles, some of them in two classes; look at what the leak check finds."
)
_STATEMENT = Statement(
    unit="ultrasound image of a breast",
    sampling="unknown",
    reference_standard="class as published; how it was confirmed is not stated for each image",
    source="https://doi.org/10.1016/j.dib.2019.104863",
)


def recognises(source: Path) -> str | None:
    """The folders of the classes with at least one image and its mask, as the release calls them."""
    folder = find_folder(source, "malignant", depth=3)
    if folder is None or not (folder.parent / "benign").is_dir():
        return None
    marks = [found for path in folder.iterdir() if (found := _NAME.fullmatch(path.stem))]
    if any(found["mask"] for found in marks) and any(not found["mask"] for found in marks):
        return "the folders benign and malignant hold “malignant (n).png” with “_mask.png” beside them"
    return None


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the images, each with its masks.

    Raises:
        InputError: there is no folder of a class.
    """
    source = home(source)
    policies = LAYOUT.chosen(options)
    above = needed(find_folder(source, "malignant", "benign", depth=3), "folder “malignant”", source).parent
    root = above if above.is_relative_to(source) else source
    images = images_below(root, suffixes=frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif"}))
    pictures: dict[str, str] = {}
    masks: defaultdict[str, list[str]] = defaultdict(list)
    skipped = list(images.skipped)
    for name in images.files:
        found = _NAME.fullmatch(name.rpartition("/")[2][: -len(suffix_of(name))])
        if found is None:
            skipped.append(Skipped(shown(name), "unknown_name", "It is called neither like an image nor like a mask."))
        elif found["mask"]:
            masks[found["stem"].casefold()].append(name)
        else:
            pictures[found["stem"].casefold()] = name
    entries = [_entry(root, stem, name, masks[stem]) for stem, name in pictures.items()]
    lone = [masks_of[0] for stem, masks_of in masks.items() if masks_of and stem not in pictures]
    skipped += [Skipped(shown(name), "missing_image", "There is a mask, and its image is not there.") for name in lone]
    wants_masks = policies["task"] == "lesion"
    if wants_masks:
        why = "There is no mask of it."
        skipped += [Skipped(entry.path, "missing_mask", why) for entry in entries if not entry.masks]
        entries = [replace(entry, labels=()) for entry in entries if entry.masks]
    elif policies["classes"] == "benign-vs-malignant":
        skipped += [
            Skipped(entry.path, "policy", "Normal images are left out (policy classes).")
            for entry in entries
            if entry.labels == ("normal",)
        ]
        entries = [entry for entry in entries if entry.labels != ("normal",)]
    return Listing(
        "busi",
        root,
        tuple(entries),
        label_names=() if wants_masks else ("class",),
        classes=("lesion",) if wants_masks else tuple(CLASSES),
        task=_task(policies),
        skipped=tuple(skipped),
        warnings=(*_unmasked(entries), *junk_remark(images.junk), _NO_PATIENTS),
        taken={"class": "the file's name", "masks": "the files with _mask beside the images"},
        counts=_counts(list(pictures), sum(map(len, masks.values()))),
        policies={"task": "lesion"} if wants_masks else policies,
        statement=_STATEMENT,
    )


def _task(policies: Mapping[str, str]) -> Task:
    if policies["task"] == "lesion":
        return Task.SEGMENTATION
    return Task.BINARY if policies["classes"] == "benign-vs-malignant" else Task.MULTICLASS


def _entry(root: Path, stem: str, name: str, masks: list[str]) -> Entry:
    kind = stem.partition(" ")[0]
    files = tuple(str(root / mask) for mask in sorted(masks, key=natural))
    facts = {"kind": kind} | ({"lesions drawn": str(len(masks))} if masks and kind != "normal" else {})
    return Entry(shown(name), str(root / name), (kind,), covariates=facts, masks=files)


def _unmasked(entries: list[Entry]) -> tuple[str, ...]:
    """Images of a lesion that nobody drew."""
    bare = [entry.path for entry in entries if not entry.masks and entry.covariates["kind"] != "normal"]
    return (f"{counted(len(bare), 'image')} of a lesion without a mask: {examples(bare)}.",) if bare else ()


def _counts(stems: list[str], n_masks: int) -> tuple[Count, ...]:
    found = Counter(stem.partition(" ")[0] for stem in stems)
    return (
        Count("images", len(stems), sum(CLASSES.values()), "pub"),
        *(Count(f"{kind} images", found[kind], known, "pub") for kind, known in CLASSES.items()),
        Count("masks", n_masks),
    )


LAYOUT = Layout(
    "busi",
    "BUSI: breast ultrasound with masks",
    "classification or segmentation",
    recognises,
    read,
    policies=(
        Policy(
            "task",
            "What is learnt",
            (
                Choice("diagnosis", "The class of an image"),
                Choice("lesion", "The outline of the lesions, of the images that have masks"),
            ),
        ),
        Policy(
            "classes",
            "Which classes",
            (
                Choice("three", "Normal, benign and malignant"),
                Choice("benign-vs-malignant", "Benign against malignant; normal left out"),
            ),
        ),
    ),
)

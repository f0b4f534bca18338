"""AMOS22: abdominal organs in CT and MRI, ``imagesTr/amos_####.nii.gz`` with ``labelsTr``, and the same for Va and Ts.

Ids below 500 are CT, the others MRI. The release's own folders are the folds; masks of the test part are not in every
copy, and without them its images are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from medfm_gui.datasets.importers.msd import volumes_of
from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
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
    "postcava",
    "pancreas",
    "right adrenal gland",
    "left adrenal gland",
    "duodenum",
    "bladder",
    "prostate/uterus",
)
"""Organs of the values 1 to 15."""
_SIDES = {"Tr": ("train", 240), "Va": ("val", 120), "Ts": ("test", 240)}
_MODALITIES = {"Tr": {"CT": 200, "MRI": 40}, "Va": {"CT": 100, "MRI": 20}, "Ts": {"CT": 200, "MRI": 40}}
"""Of the volumes of a part (500 CT and 100 MRI in all)."""
_NAME = re.compile(r"amos_(\d{4})", re.IGNORECASE)
_FIRST_MRI = 500
_STATEMENT = Statement(
    unit="volume",
    sampling="consecutive and enriched, of several centres",
    reference_standard="organs outlined by a model, corrected by readers and checked by radiologists",
    source="https://doi.org/10.5281/zenodo.7155725",
)


def recognises(source: Path) -> str | None:
    """Volumes called ``amos_####`` in the folder of training images."""
    folder = find_folder(source, "imagesTr") if source.is_dir() else None
    if folder is None or not any(_NAME.match(path.name) for path in folder.iterdir()):
        return None
    return "imagesTr holds volumes called amos_####"


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the labelled volumes of all three parts.

    Raises:
        InputError: there is no folder ``imagesTr``.
    """
    wanted = LAYOUT.chosen(options)["modality"]
    root = needed(find_folder(source, "imagesTr"), "folder “imagesTr”", source).parent
    tree = walk(root)
    there = volumes_of(tree)
    pairing = Pairing(root)
    seen: Counter[str] = Counter()
    by_modality: Counter[tuple[str, str]] = Counter()
    for name in sorted(there, key=natural):
        folder, _, file = name.partition("/")
        side = folder.removeprefix("images")
        found = _NAME.fullmatch(stem_of(name))
        if not folder.startswith("images") or side not in _SIDES:
            _leave_other(pairing, name, there)
            continue
        seen[side] += 1
        if found is None:
            pairing.skip(name, "unknown_name", "It is not called amos_####.")
            continue
        modality = "CT" if int(found[1]) < _FIRST_MRI else "MRI"
        by_modality[side, modality] += 1
        if wanted not in ("all", modality.lower()):
            pairing.skip(name, "policy", f"{modality} is left out (policy modality).")
        elif f"labels{side}" not in {one.partition("/")[0] for one in there}:
            pairing.skip(name, "no_label", "The masks of this part are not in this copy.")
        else:
            pairing.take(
                name, f"labels{side}/{file}", there=there, fold=_SIDES[side][0], covariates={"modality": modality}
            )
    counts = [
        Count(f"volumes in images{side}", seen[side], known, "pub") for side, (_, known) in _SIDES.items() if seen[side]
    ]
    counts += [
        Count(f"{modality} volumes in images{side}", by_modality[side, modality], known, "mem")
        for side, both in _MODALITIES.items()
        for modality, known in both.items()
        if seen[side]
    ]
    return Listing(
        "amos22",
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
        taken={"fold": "the folders Tr, Va, Ts", "modality": "ids below 500 are CT, the others MRI"},
        counts=tuple(counts),
        policies={"modality": wanted},
        statement=_STATEMENT,
    )


def _leave_other(pairing: Pairing, name: str, there: frozenset[str]) -> None:
    """A mask whose image is there is no news; anything else is."""
    folder, _, file = name.partition("/")
    side = folder.removeprefix("labels")
    if folder.startswith("labels") and side in _SIDES:
        if f"images{side}/{file}" not in there:
            pairing.skip(name, "missing_image", "Its mask is there, and the image is not.")
    else:
        pairing.skip(name, "not_listed", "It lies in none of the release's folders.")


LAYOUT = Layout(
    "amos22",
    "AMOS22, abdominal organs in CT and MRI",
    "segmentation",
    recognises,
    read,
    policies=(
        Policy(
            "modality",
            "Which volumes count",
            (
                Choice("all", "CT and MRI, with the modality as a covariate"),
                Choice("ct", "CT only (ids below 500)"),
                Choice("mri", "MRI only (ids from 500)"),
            ),
        ),
    ),
    presets={"study-b": {"modality": "ct"}},
)

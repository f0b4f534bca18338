"""A MedMNIST archive (``.npz``): images, labels and the official split in one file."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medfm_gui.datasets.archive import Member, members, missing, rows
from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import Entry, ImportOptions, Listing, Picture
from medfm_gui.datasets.text import shown
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError

SIDES = ("train", "val", "test")
_LARGEST_SIDE = 2048
_ORGANS = (
    "bladder; femur-left; femur-right; heart; kidney-left; kidney-right; liver; lung-left; lung-right; pancreas; spleen"
)
CLASSES: Mapping[str, str] = {
    "pathmnist": "adipose; background; debris; lymphocytes; mucus; smooth muscle; normal colon mucosa; "
    "cancer-associated stroma; colorectal adenocarcinoma epithelium",
    "chestmnist": "atelectasis; cardiomegaly; effusion; infiltration; mass; nodule; pneumonia; pneumothorax; "
    "consolidation; edema; emphysema; fibrosis; pleural; hernia",
    "dermamnist": "actinic keratoses and intraepithelial carcinoma; basal cell carcinoma; "
    "benign keratosis-like lesions; dermatofibroma; melanoma; melanocytic nevi; vascular lesions",
    "octmnist": "choroidal neovascularization; diabetic macular edema; drusen; normal",
    "pneumoniamnist": "normal; pneumonia",
    "retinamnist": "0; 1; 2; 3; 4",
    "breastmnist": "malignant; normal, benign",
    "bloodmnist": "basophil; eosinophil; erythroblast; immature granulocytes; lymphocyte; monocyte; neutrophil; "
    "platelet",
    "tissuemnist": "collecting duct, connecting tubule; distal convoluted tubule; glomerular endothelial cells; "
    "interstitial endothelial cells; leukocytes; podocytes; proximal tubule segments; thick ascending limb",
    "organamnist": _ORGANS,
    "organcmnist": _ORGANS,
    "organsmnist": _ORGANS,
}
"""Names of the classes in the order of their numbers (MedMNIST v2, ``medmnist/info.py``)."""


def recognises(source: Path) -> str | None:
    """An ``.npz`` file, or a folder with exactly one."""
    path = _archive_of(source)
    if path is None:
        return None
    return f"“{shown(path.name)}” is an archive of arrays"


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the images of the archive; their pixels are streamed from it later.

    Raises:
        InputError: it is no such archive, or it holds volumes.
    """
    path = _archive_of(source)
    if path is None:
        raise InputError(f"“{shown(source.name)}” is no .npz file.", "Name the MedMNIST archive.")
    found = members(path)
    sides = [side for side in SIDES if f"{side}_images" in found]
    wanted = [f"{side}_{kind}" for side in sides or SIDES for kind in ("images", "labels")]
    if lacking := missing(wanted, found):
        raise InputError(f"“{shown(path.name)}” lacks {lacking}, so it is no MedMNIST archive.", "Check the file.")
    for side in sides:
        _check(path, found[f"{side}_images"], found[f"{side}_labels"])
    known = next((key for key in CLASSES if path.stem.casefold().startswith(key)), "")
    codes = {side: [row.reshape(-1) for row in rows(path, f"{side}_labels")] for side in sides}
    width = max(len(code) for side in sides for code in codes[side])
    names = _class_names(known, width, int(max(code.max() for side in sides for code in codes[side])))
    entries = [
        Entry(f"{shown(path.name)}#{side}", "", _cells(code, names), frame=frame, fold=side)
        for side in sides
        for frame, code in enumerate(codes[side])
    ]
    return Listing(
        "medmnist",
        path.parent,
        tuple(entries),
        label_names=names if width > 1 else ("label",),
        classes=() if width > 1 else names,
        task=Task.ORDINAL if known == "retinamnist" else None,
        taken={
            "images and labels": ", ".join(wanted),
            "class names": f"of {known}" if known else "numbers, for the archive names none",
            "fold": f"the archive's own {', '.join(sides)}",
        },
        pictures=functools.partial(_pictures, path, tuple(sides)),
    )


def _archive_of(source: Path) -> Path | None:
    if source.is_dir():
        found = sorted(source.glob("*.npz"))
        return found[0] if len(found) == 1 else None
    return source if source.suffix.lower() == ".npz" else None


def _check(path: Path, images: Member, labels: Member) -> None:
    name = f"“{shown(path.name)}”"
    shape = images.shape
    if len(shape) == 5 or (len(shape) == 4 and shape[3] not in (1, 3)):
        raise InputError(
            f"{name} holds volumes ({'×'.join(map(str, shape[1:]))} voxels), and this version reads 2-D images.",
            "Take a two-dimensional archive.",
        )
    if len(shape) < 3 or images.dtype not in (np.dtype(np.uint8), np.dtype(np.uint16)):
        raise InputError(f"{name} holds {images.name} of {images.dtype} in the shape {shape}, not images.", "Check it.")
    if not 0 < min(shape[1:3]) <= max(shape[1:3]) <= _LARGEST_SIDE:
        raise InputError(f"{name} holds images of {shape[1]}×{shape[2]} pixels: not usable.", "Check the file.")
    if labels.dtype.kind not in "uib" or len(labels.shape) not in (1, 2) or labels.shape[:1] != shape[:1]:
        raise InputError(f"{name} has labels that do not fit its images ({labels.shape}, {shape}).", "Check the file.")


def _class_names(known: str, width: int, highest: int) -> tuple[str, ...]:
    """Known names where their number fits; else numbers (or ``finding 1`` … for several labels an image)."""
    names = tuple(CLASSES[known].split("; ")) if known else ()
    if width > 1:
        return names if len(names) == width else tuple(f"finding {number}" for number in range(1, width + 1))
    return names if len(names) > highest else tuple(str(number) for number in range(highest + 1))


def _cells(code: NDArray[Any], names: tuple[str, ...]) -> tuple[str, ...]:
    values = [int(value) for value in code]
    if len(values) > 1:
        return tuple(map(str, values))
    return (names[values[0]] if values[0] >= 0 else "",)


def _pictures(path: Path, sides: tuple[str, ...]) -> Iterator[Picture]:
    for side in sides:
        for frame, pixels in enumerate(rows(path, f"{side}_images")):
            flat = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
            yield f"{shown(path.name)}#{side}", frame, flat


LAYOUT = Layout("medmnist", "MedMNIST archive (.npz)", "classification", recognises, read)

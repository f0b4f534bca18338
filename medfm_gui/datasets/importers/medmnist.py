"""A MedMNIST archive (``.npz``): images or volumes, labels and the official split in one file.

A volume (n, 28, 28, 28) becomes one sample a slice along its first axis. All slices carry the label of their volume
and have it as their patient, so that splits keep a volume together and a training with ``aggregate=mean`` (or ``max``,
``attention``) learns and scores whole volumes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medfm_gui.datasets.archive import Member, members, missing, rows
from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import Entry, ImportOptions, Listing, Picture
from medfm_gui.datasets.text import examples, shown
from medfm_gui.datasets.walk import is_junk
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted

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
    "organmnist3d": "liver; kidney-right; kidney-left; femur-right; femur-left; bladder; heart; lung-right; lung-left; "
    "spleen; pancreas",
    "nodulemnist3d": "benign; malignant",
    "adrenalmnist3d": "normal; hyperplasia",
    "fracturemnist3d": "buckle rib fracture; nondisplaced rib fracture; displaced rib fracture",
    "vesselmnist3d": "vessel; aneurysm",
    "synapsemnist3d": "inhibitory synapse; excitatory synapse",
}
"""Names of the classes in the order of their numbers (MedMNIST v2, ``medmnist/info.py``)."""
KNOWN: Mapping[str, tuple[int, int, int]] = {
    "pathmnist": (89_996, 10_004, 7_180),
    "chestmnist": (78_468, 11_219, 22_433),
    "dermamnist": (7_007, 1_003, 2_005),
    "octmnist": (97_477, 10_832, 1_000),
    "pneumoniamnist": (4_708, 524, 624),
    "retinamnist": (1_080, 120, 400),
    "breastmnist": (546, 78, 156),
    "bloodmnist": (11_959, 1_712, 3_421),
    "tissuemnist": (165_466, 23_640, 47_280),
    "organmnist3d": (971, 161, 610),
    "nodulemnist3d": (1_158, 165, 310),
    "adrenalmnist3d": (1_188, 98, 298),
    "fracturemnist3d": (1_027, 103, 240),
    "synapsemnist3d": (1_230, 177, 352),
}
"""Images or volumes in train, val and test; those whose number changed between releases are left out."""
SLICES = Policy(
    "slices",
    "Slices of a volume (3-D archives)",
    (
        Choice("all", "every slice; joined by volume where training says so (aggregate)"),
        Choice("middle", "the middle slice alone"),
    ),
)


def recognises(source: Path) -> str | None:
    """An ``.npz`` file, or a folder with exactly one."""
    path = _archive_of(source)
    if path is None:
        return None
    return f"“{shown(path.name)}” is an archive of arrays"


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the images of the archive; their pixels are streamed from it later.

    Raises:
        InputError: it is no such archive, or holds images beside volumes.
    """
    path = _archive_of(source)
    if path is None:
        several = _archives_in(source) if source.is_dir() else []
        raise InputError(
            f"“{shown(source.name)}” holds {counted(len(several), 'archive')}: "
            f"{examples(shown(path.name) for path in several)}."
            if several
            else f"“{shown(source.name)}” is no .npz file.",
            "Name the MedMNIST archive.",
        )
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
    deep = _depth(path, [found[f"{side}_images"] for side in sides])
    chosen = range(deep) if options.policies.get("slices") != "middle" else range(deep // 2, deep // 2 + 1)
    entries = [
        entry
        for side in sides
        for number, code in enumerate(codes[side])
        for entry in _entries(shown(path.name), side, number, _cells(code, names), chosen)
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
            **(_of_volumes(deep, len(chosen)) if deep else {}),
        },
        pictures=functools.partial(_pictures, path, tuple(sides), tuple(chosen)),
        counts=tuple(_counts(known, {side: len(codes[side]) for side in sides}, "volumes" if deep else "images")),
        policies=options.policies if deep else {},
        statement=Statement(unit="volume, taken apart into slices") if deep else Statement(),
    )


def _entries(name: str, side: str, number: int, cells: tuple[str, ...], chosen: range) -> Iterator[Entry]:
    """An image as one entry; a volume as one entry a slice, with the volume as its patient."""
    if not chosen:
        yield Entry(f"{name}#{side}", "", cells, frame=number, fold=side)
    for frame in chosen:
        place, volume = f"{name}#{side}/{number:06d}", f"{side} volume {number}"
        facts = {"slice": str(frame + 1)}
        yield Entry(place, "", cells, frame=frame, patient=volume, fold=side, covariates=facts)


def _of_volumes(deep: int, chosen: int) -> dict[str, str]:
    some = "every slice" if chosen == deep else "the middle slice"
    return {
        "slices": f"{some} of {deep} along the first axis, each with the label of its whole volume",
        "patient": "the volume: its slices stay on one side of a split; train with aggregate=mean to score it",
    }


def _counts(known: str, found: Mapping[str, int], what: str) -> Iterator[Count]:
    for side, number in zip(SIDES, KNOWN.get(known, ()), strict=False):
        yield Count(f"{what} in {side}", found.get(side, 0), number, "mem")


def _archive_of(source: Path) -> Path | None:
    if source.is_dir():
        found = _archives_in(source)
        return found[0] if len(found) == 1 else None
    return source if source.suffix.lower() == ".npz" else None


def _archives_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".npz" and not is_junk(path.name))


def _check(path: Path, images: Member, labels: Member) -> None:
    name = f"“{shown(path.name)}”"
    shape = images.shape
    if len(shape) < 3 or images.dtype not in (np.dtype(np.uint8), np.dtype(np.uint16)):
        raise InputError(f"{name} holds {images.name} of {images.dtype} in the shape {shape}, not images.", "Check it.")
    if not 0 < min(shape[1:3]) <= max(shape[1:3]) <= _LARGEST_SIDE:
        raise InputError(f"{name} holds images of {shape[1]}×{shape[2]} pixels: not usable.", "Check the file.")
    if labels.dtype.kind not in "uib" or len(labels.shape) not in (1, 2) or labels.shape[:1] != shape[:1]:
        raise InputError(f"{name} has labels that do not fit its images ({labels.shape}, {shape}).", "Check the file.")


def _is_volume(shape: tuple[int, ...]) -> bool:
    """Whether entries of an array are volumes: a last axis of 1 or 3 is that of the channels."""
    return len(shape) == 5 or (len(shape) == 4 and shape[3] not in (1, 3))


def _depth(path: Path, images: list[Member]) -> int:
    """How many slices a volume has; 0 for images.

    Raises:
        InputError: the sides differ, or the volumes are coloured or too deep.
    """
    volumes = [member.shape for member in images if _is_volume(member.shape)]
    if not volumes:
        return 0
    deep = {shape[1:4] for shape in volumes}
    plain = all(len(shape) == 4 or shape[4] == 1 for shape in volumes)
    if len(volumes) < len(images) or len(deep) > 1 or not plain or volumes[0][3] > _LARGEST_SIDE:
        said = ", ".join("×".join(map(str, shape[1:])) for shape in volumes)
        raise InputError(
            f"“{shown(path.name)}” holds volumes that do not fit together ({said} voxels), or images beside volumes.",
            "Check the file; all sides must have grey volumes of one size.",
        )
    return volumes[0][1]


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


def _pictures(path: Path, sides: tuple[str, ...], chosen: tuple[int, ...]) -> Iterator[Picture]:
    for side in sides:
        for number, pixels in enumerate(rows(path, f"{side}_images")):
            if not chosen:
                flat = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
                yield f"{shown(path.name)}#{side}", number, flat
            for frame in chosen:
                yield f"{shown(path.name)}#{side}/{number:06d}", frame, pixels[frame].reshape(pixels.shape[1:3])


LAYOUT = Layout("medmnist", "MedMNIST archive (.npz)", "classification", recognises, read, (SLICES,))

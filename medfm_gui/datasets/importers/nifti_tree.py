"""Volumes in folders: NIfTI, NRRD, MHA or NPY with masks beside them, or one folder a class.

With masks (by the names that ``mask_pairs`` knows) it is a segmentation; plain images with masks are read the same way.
Without, and with two folders or more that hold volumes, it is a classification of **slices**: each is an image of its
own, and all slices of a volume count as one patient, so that no split tears them apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import Entry, ImportOptions, Listing
from medfm_gui.datasets.mask_pairs import Pairs, paired, said_of
from medfm_gui.datasets.pseudonym import pseudonym
from medfm_gui.datasets.published import junk_remark
from medfm_gui.datasets.text import examples, natural, shown
from medfm_gui.datasets.volumes import Pairing, is_volume, stem_of
from medfm_gui.datasets.walk import Tree, looks_like_image, walk
from medfm_gui.domain.dataset import Skipped, Statement, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted

_NEARLY_ALL = 0.8


def recognises(source: Path) -> str | None:
    """Volumes with masks, images that nearly all have masks, or folders with volumes."""
    if not source.is_dir():
        return None
    tree = walk(source)
    volumes = [name for name in tree.files if is_volume(name)]
    if volumes:
        pairs = paired(volumes)
        if pairs.masks:
            return f"{counted(len(pairs.masks), 'volume')} with a mask by name: {_example(pairs)}"
        if pairs.lone_masks:
            return f"{counted(len(pairs.lone_masks), 'volume')} called like a mask: {shown(pairs.lone_masks[0])}"
        classes = _class_folders(volumes)
        others = sum(looks_like_image(name) and not is_volume(name) for name in tree.files)
        if len(classes) > 1 and len(volumes) > others:
            return f"there are {len(classes)} folders with volumes: {examples(sorted(classes))}"
        return None
    images = [name for name in tree.files if looks_like_image(name)]
    pairs = paired(images)
    homes = {name.rpartition("/")[0] for name in pairs.masks}
    if len(pairs.masks) > 1 and len(homes) == 1 and len(pairs.lone_images) < (1 - _NEARLY_ALL) * len(pairs.masks):
        return f"{counted(len(pairs.masks), 'image')} with a mask by name: {_example(pairs)}"
    return None


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List images with their masks, or the slices of each class.

    Raises:
        InputError: there are neither masks nor folders of classes.
    """
    if not source.is_dir():
        raise InputError(f"“{shown(str(source))}” is not a folder.", "Name the folder that holds the volumes.")
    policies = LAYOUT.chosen(options)
    tree = walk(source)
    names = [name for name in tree.files if is_volume(name)] or [name for name in tree.files if looks_like_image(name)]
    pairs = paired(names)
    if pairs.masks:
        return _segmentation(source, tree, pairs)
    if pairs.lone_masks and is_volume(names[0]):
        raise InputError(
            f"{counted(len(pairs.lone_masks), 'volume')} in “{shown(source.name)}” are masks by their names "
            f"({examples(map(shown, pairs.lone_masks))}), and none is called like an image's.",
            "Call image and mask alike, one mask an image: images/x.nii.gz with labels/x.nii.gz, or x.nii.gz with "
            "x_seg.nii.gz.",
        )
    classes = _class_folders(names)
    if len(classes) < 2:
        raise InputError(
            f"“{shown(source.name)}” holds {counted(len(names), 'volume')}, and neither masks nor two folders of them.",
            "Put masks beside the images (images/x.nii.gz and labels/x.nii.gz), or the volumes of each class into a "
            "folder of their own.",
        )
    return _slices(source, tree, classes, policies, tools)


def _example(pairs: Pairs) -> str:
    image, masks = next(iter(pairs.masks.items()))
    return said_of([(shown(image), shown(masks[0]))])


def _class_folders(names: Sequence[str]) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        if "/" in name:
            found[name.split("/")[0]].append(name)
    return found


def _segmentation(source: Path, tree: Tree, pairs: Pairs) -> Listing:
    pairing = Pairing(source)
    there = frozenset(tree.files)
    several = 0
    for image, masks in pairs.masks.items():
        several += len(masks) > 1
        pairing.take(image, masks[0], there=there)
        for other in masks[1:]:
            pairing.skip(other, "other_reader", f"“{shown(image)}” has another mask, which comes first by name.")
        for other in pairs.siblings.get(image, ()):
            pairing.skip(other, "other_image", f"“{shown(image)}” has the same mask; one image a mask is taken.")
    pairing.unlabelled(list(pairs.lone_images), "This image has no mask.")
    for name in pairs.lone_masks:
        pairing.skip(name, "missing_image", "Its mask is there, and the image is not.")
    warnings = ["No file says whose an image is: each counts as a patient of its own."]
    if several:
        warnings.append(f"{counted(several, 'image')} with several masks: the first by name was taken of each.")
    if pairs.siblings:
        image, rest = next(iter(pairs.siblings.items()))
        warnings.append(
            f"{counted(len(pairs.siblings), 'mask')} with several images: “{shown(image)}” was taken and not "
            f"{examples(map(shown, rest))}, and so on. For another kind, put its images and the masks into a folder."
        )
    return Listing(
        "nifti",
        source,
        tuple(pairing.entries),
        label_names=(),
        task=Task.SEGMENTATION,
        skipped=(*tree.skipped, *pairing.skipped),
        warnings=(*warnings, *junk_remark(tree.junk)),
        taken={"images and masks": f"by name: {_example(pairs)}"},
        policies={},
        statement=Statement(unit="volume" if any(map(is_volume, pairs.masks)) else "image"),
    )


def _slices(
    source: Path, tree: Tree, classes: Mapping[str, list[str]], policies: Mapping[str, str], tools: Tools
) -> Listing:
    from medfm_gui.imaging.examined import VolumeJob

    label_of = {name: folder for folder, names in classes.items() for name in names}
    names = sorted(label_of, key=natural)
    jobs = (VolumeJob(str(number), str(source / name), (), str(source)) for number, name in enumerate(names))
    entries: list[Entry] = []
    skipped = list(tree.skipped)
    for result in tools.pool.volumes(jobs):
        name = names[int(result.key)]
        if not result.ok:
            skipped.append(Skipped(shown(name), result.reason, result.message))
            continue
        slices = max(1, result.slices)
        taken = [slices // 2] if policies["slices"] == "middle" else range(slices)
        patient = pseudonym(tools.key, name.removesuffix(name[len(name) - len(Path(name).name) :]) + stem_of(name))
        entries += [
            Entry(shown(name), str(source / name), (shown(label_of[name]),), frame=frame, patient=patient)
            for frame in taken
        ]
    loose = [name for name in tree.files if is_volume(name) and name not in label_of]
    skipped += [Skipped(shown(name), "no_label", "This volume lies in no class folder.") for name in loose]
    skipped.sort(key=lambda item: natural(item.path))
    return Listing(
        "nifti",
        source,
        tuple(entries),
        label_names=("folder",),
        classes=tuple(shown(folder) for folder in sorted(classes, key=natural)),
        skipped=tuple(skipped),
        warnings=junk_remark(tree.junk),
        taken={"class": "the folder's name", "patient": "the file: slices of one volume belong together"},
        policies=policies,
        statement=Statement(unit="slice of a volume"),
    )


LAYOUT = Layout(
    "nifti",
    "Volumes (NIfTI, NRRD, MHA, NPY) with masks, or one folder a class",
    "segmentation or classification",
    recognises,
    read,
    policies=(
        Policy(
            "slices",
            "Which slices of a volume are images (one folder a class)",
            (Choice("all", "every slice"), Choice("middle", "only the middle one")),
        ),
    ),
)

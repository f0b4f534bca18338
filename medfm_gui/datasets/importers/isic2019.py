"""ISIC 2019: dermoscopic photographs of eight diagnoses, one-hot in a table, with the lesion that images share.

``ISIC_2019_Training_Input/ISIC_#######[_downsampled].jpg``, ``ISIC_2019_Training_GroundTruth.csv`` (image, MEL … SCC,
and in most copies UNK), ``ISIC_2019_Training_Metadata.csv`` (image, age_approx, anatom_site_general, lesion_id, sex),
and since the challenge's end the same three of the test. Re-hosts nest the folder of images in one of the same name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.published import (
    Gathering,
    find_file,
    find_folder,
    home,
    images_below,
    lacking,
    needed,
    records,
)
from medfm_gui.datasets.table import read_table
from medfm_gui.datasets.text import shown
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import TableError
from medfm_gui.domain.units import counted

CLASSES: Mapping[str, tuple[str, int]] = {
    "MEL": ("melanoma", 4522),
    "NV": ("melanocytic nevus", 12875),
    "BCC": ("basal cell carcinoma", 3323),
    "AK": ("actinic keratosis", 867),
    "BKL": ("benign keratosis", 2624),
    "DF": ("dermatofibroma", 239),
    "VASC": ("vascular lesion", 253),
    "SCC": ("squamous cell carcinoma", 628),
}
"""Classes in the order of the table's columns: what the letters stand for, and how many training images there are."""
_TRAINING, _TEST = 25_331, 8_238
_TRUTH = ("ISIC_2019_Training_GroundTruth.csv", "ISIC_2019_Test_GroundTruth.csv")
_FACTS = ("ISIC_2019_Training_Metadata.csv", "ISIC_2019_Test_Metadata.csv")
_INPUT = ("ISIC_2019_Training_Input", "ISIC_2019_Test_Input")
_STATEMENT = Statement(
    unit="dermoscopic photograph of a lesion",
    sampling="enriched",
    reference_standard="histopathology, expert consensus or follow-up, differing from archive to archive",
    codes={name: f"ISIC {name} ({words})" for name, (words, _) in CLASSES.items()},
    licence="CC BY-NC 4.0",
    redistribution=True,
    source="https://challenge.isic-archive.com/data/#2019",
)


def recognises(source: Path) -> str | None:
    """The table of truth of the training set, or a folder with it."""
    found = find_file(source, _TRUTH[0])
    return f"there is “{shown(found.name)}”" if found else None


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the training images, and those of the official test where that was asked for.

    Raises:
        InputError: there is no table of truth.
        TableError: a table lacks a column, or an image has no class or two.
    """
    source = home(source)
    policies = LAYOUT.chosen(options)
    with_test = policies["official-test"] == "included"
    sides = (0, 1) if with_test else (0,)
    folders = [found for side in sides if (found := find_folder(source, _INPUT[side]))]
    inside = [folder for folder in folders if folder.is_relative_to(source)]
    gathering = Gathering(images_below(source, *(inside if len(inside) == len(sides) else ()), unique=True))
    taken = {"label": "the one of the columns MEL … SCC that is 1", "group": "lesion_id"}
    warnings: list[str] = []
    rows: Counter[str] = Counter()
    for side in sides:
        truth = needed(find_file(source, _TRUTH[side]), f"table “{_TRUTH[side]}”", source)
        facts = _facts(find_file(source, _FACTS[side]))
        if not facts:
            warnings.append(f"There is no “{_FACTS[side]}”: no lesions are known, so one may stand on two sides.")
        rows[_TRUTH[side]] = _gather(gathering, truth, facts, ("train", "test")[side] if with_test else None)
    if not with_test and (folder := find_folder(source, _INPUT[1])):
        left = len(images_below(folder, unique=True).files)
        if left:
            warnings.append(f"{counted(left, 'image')} of the official test left out (policy official-test).")
    return Listing(
        "isic2019",
        source,
        tuple(gathering.entries),
        label_names=("class",),
        classes=tuple(CLASSES),
        task=Task.MULTICLASS,
        skipped=(*gathering.skipped, *gathering.images.skipped),
        warnings=(*warnings, *gathering.remarks()),
        taken=taken,
        counts=_counts(gathering, rows, with_test),
        policies=policies,
        statement=_STATEMENT,
    )


def _facts(path: Path | None) -> Mapping[str, Mapping[str, str]]:
    """Rows of the metadata by image; nothing where there is no such table."""
    if path is None:
        return {}
    table = read_table(path)
    lacking(table, "image")
    return {row["image"]: row for row in records(table)}


def _gather(gathering: Gathering, truth: Path, facts: Mapping[str, Mapping[str, str]], fold: str | None) -> int:
    """Add the images of one table of truth; how many rows it has."""
    table = read_table(truth)
    lacking(table, "image", *CLASSES)
    for row in records(table):
        image = row["image"]
        name = _class_of(row, truth)
        if name not in CLASSES:
            gathering.leave(image, "no_label", "It is of none of the eight classes (UNK), of which training has none.")
            continue
        known = facts.get(image, {})
        said = image if gathering.images.named(image) else _other_size(image)
        gathering.take(
            said if gathering.images.named(said) else image,
            (name,),
            group=known.get("lesionid") or None,
            fold=fold,
            covariates={
                "age": _years(known.get("ageapprox", "")),
                "sex": known.get("sex", ""),
                "site": known.get("anatomsitegeneral", ""),
            },
        )
    return len(table.rows)


def _class_of(row: Mapping[str, str], truth: Path) -> str:
    """The column that is 1, of the eight or UNK.

    Raises:
        TableError: none is, several are, or a cell is no number.
    """
    try:
        ones = [name for name in (*CLASSES, "UNK") if float(row.get(name.casefold()) or 0) == 1.0]
    except ValueError:
        ones = []
    if len(ones) != 1:
        raise TableError(
            f"“{shown(truth.name)}” gives “{row['image']}” {len(ones) or 'no'} classes; each image has exactly one.",
            "Take the table as the challenge published it.",
        )
    return ones[0]


def _other_size(image: str) -> str:
    """Some re-hosts drop ``_downsampled`` from the file's name, others from the table."""
    mark = "_downsampled"
    return image.removesuffix(mark) if image.endswith(mark) else image + mark


def _years(age: str) -> str:
    return age.removesuffix(".0")


def _counts(gathering: Gathering, rows: Counter[str], with_test: bool) -> tuple[Count, ...]:
    training = [entry for entry in gathering.entries if entry.fold != "test"]
    found = Counter(entry.labels[0] for entry in training)
    counts = [
        Count("rows of the training truth", rows[_TRUTH[0]], _TRAINING, "data"),
        Count("training images", len(training), _TRAINING, "data"),
        *(Count(f"images of {name}", found[name], known, "mem") for name, (_, known) in CLASSES.items()),
        Count("lesions", len({entry.group for entry in training if entry.group})),
    ]
    if with_test:
        counts.append(Count("rows of the test truth", rows[_TRUTH[1]], _TEST, "mem"))
    return tuple(counts)


LAYOUT = Layout(
    "isic2019",
    "ISIC 2019: dermoscopy, eight diagnoses",
    "classification",
    recognises,
    read,
    policies=(
        Policy(
            "official-test",
            "The challenge's test images",
            (
                Choice("left-out", "Training images alone, no partitions"),
                Choice("included", "Both, with the official partitions; test images of no trained class left out"),
            ),
        ),
    ),
    presets={"study-a": {"official-test": "left-out"}},
)

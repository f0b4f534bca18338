"""RSNA Pneumonia Detection Challenge: one DICOM file an image, several rows a file, one row a box.

``stage_2_train_labels.csv`` has a row for every box and one without numbers for every image that has none;
``stage_2_detailed_class_info.csv`` splits the negative images in two. “patientId” names an image: the radiographs are
drawn from ChestX-ray14, where a patient has several. Only RSNA's own list of which is which
(``pneumonia-challenge-dataset-mappings_2018.json``) tells patients apart, and it is used where it lies beside the
tables.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.pseudonym import pseudonym
from medfm_gui.datasets.published import (
    Gathering,
    find_file,
    find_folder,
    header,
    home,
    images_below,
    lacking,
    needed,
    records,
)
from medfm_gui.datasets.table import read_table
from medfm_gui.datasets.text import shown
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted

LABELS = "stage_2_train_labels.csv"
CLASSES = "stage_2_detailed_class_info.csv"
MAPPING = "pneumonia-challenge-dataset-mappings_2018.json"
OPACITY, OTHER, NORMAL = "Lung Opacity", "No Lung Opacity / Not Normal", "Normal"
NO_OPACITY = "no lung opacity"
_LARGEST_MAPPING = 1 << 28
POLICY = Policy(
    "classes",
    "Classes",
    (
        Choice("binary", "lung opacity (pneumonia suspected) or not"),
        Choice("three", "lung opacity; no lung opacity but not normal; normal"),
    ),
)
STATEMENT = Statement(
    unit="image",
    sampling="enriched",
    reference_standard="boxes drawn by radiologists who looked at the image",
    source="https://www.rsna.org/rsnai/ai-image-challenge/rsna-pneumonia-detection-challenge-2018",
)


def recognises(source: Path) -> str | None:
    """Its table of labels, by name and columns."""
    path = find_file(source, LABELS)
    if path is None:
        return None
    fits = {"patientid", "target"} <= header(path)
    return f"there is “{shown(path.name)}” of the pneumonia challenge" if fits else None


@dataclass(slots=True)
class _Marked:
    """What the rows say of one image."""

    targets: set[str] = field(default_factory=set)
    boxes: list[str] = field(default_factory=list)
    group: str = ""


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the images of the training set; those of the test set have no labels and are counted only.

    Raises:
        InputError: a table or the images are not there.
        TableError: a table is broken or lacks a column.
    """
    table = read_table(needed(find_file(source, LABELS), f"“{LABELS}”", source))
    lacking(table, "patientId", "x", "y", "width", "height", "Target")
    root = home(source)
    folder = find_folder(root, "stage_2_train_images", "train_images") or root
    three = options.policies["classes"] == "three"
    marked = _marked(records(table))
    groups = _groups(root)
    if three and not groups:
        raise InputError(
            f"Three classes need “{CLASSES}”, and it is not there.",
            "Put it beside the other table, or choose --policy classes=binary.",
        )
    patients, remark = _patients(root)
    gathering = Gathering(images_below(root, folder, unique=True))
    torn = 0
    for image, said in marked.items():
        group = groups.get(image, "")
        if len(said.targets) != 1 or (three and not group):
            why = "conflicting_labels" if len(said.targets) > 1 else "no_label"
            gathering.leave(image, why, "Its rows do not give it one class.")
            continue
        torn += bool(group) and (group == OPACITY) != (said.targets == {"1"})
        label = group if three else (OPACITY.lower() if said.targets == {"1"} else NO_OPACITY)
        patient = pseudonym(tools.key, patients.get(image, image))
        facts = {"boxes": "; ".join(said.boxes), **({} if three else {"detailed_class": group})}
        gathering.take(image, (label,), patient=patient, covariates=facts)
    tested = find_folder(root, "stage_2_test_images")
    return Listing(
        "rsna-pneumonia",
        root,
        tuple(gathering.entries),
        label_names=("class",),
        classes=(NORMAL, OTHER, OPACITY) if three else (NO_OPACITY, OPACITY.lower()),
        task=Task.MULTICLASS if three else Task.BINARY,
        skipped=(*gathering.skipped, *gathering.images.skipped),
        warnings=(*table.warnings, remark, *_torn(torn), *gathering.remarks()),
        taken={
            "table": shown(table.path.name),
            "class": f"class of {CLASSES}" if three else "Target",
            "patient": f"the patient of ChestX-ray14 by {MAPPING}" if patients else "patientId, which names an image",
            **({"test images": "not taken: they have no labels"} if tested else {}),
            "boxes": counted(sum(len(said.boxes) for said in marked.values()), "box", "boxes"),
        },
        counts=(
            Count("rows in the table", len(table.rows), 30_227, "mem"),
            Count("images", len(gathering.entries), 26_684, "mem"),
        ),
        policies=options.policies,
        statement=STATEMENT,
    )


def _marked(rows: Iterator[Mapping[str, str]]) -> dict[str, _Marked]:
    """Image → its targets and boxes “x0 y0 x1 y1” in pixels, of all its rows."""
    found: defaultdict[str, _Marked] = defaultdict(_Marked)
    for row in rows:
        if not row["patientid"]:
            continue
        said = found[row["patientid"]]
        if row["target"]:
            said.targets.add(row["target"].removesuffix(".0"))
        try:
            x, y, width, height = (float(row[name]) for name in ("x", "y", "width", "height"))
        except ValueError:
            continue  # an image without a box
        if width > 0 and height > 0:
            said.boxes.append(f"{x:.1f} {y:.1f} {x + width:.1f} {y + height:.1f}")
    return dict(found)


def _groups(root: Path) -> dict[str, str]:
    """Image → one of the three classes; empty without their table."""
    path = find_file(root, CLASSES)
    if path is None:
        return {}
    table = read_table(path)
    lacking(table, "patientId", "class")
    return {row["patientid"]: row["class"] for row in records(table) if row["class"]}


def _patients(root: Path) -> tuple[dict[str, str], str]:
    """Image → patient of ChestX-ray14, by RSNA's own list, and what is to be said of it."""
    path = find_file(root, MAPPING)
    if path is None:
        return {}, (
            "Every “patientId” names one image. The images come from ChestX-ray14, where a patient has several: "
            f"without RSNA's list “{MAPPING}” beside the tables, one patient may stand on two sides of a split unseen."
        )
    try:
        if path.stat().st_size > _LARGEST_MAPPING:
            raise ValueError
        rows = json.loads(path.read_text("utf-8-sig"))
        names = {str(row["subset_img_id"]): str(row["img_id"]) for row in rows}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"“{shown(path.name)}” is not RSNA's list of images and patients.",
            "Download it again, or take it away.",
        ) from error
    patients = {image: f"nih {name.partition('_')[0]}" for image, name in names.items()}
    return patients, f"Patients are those of ChestX-ray14, by {counted(len(patients), 'row')} of “{MAPPING}”."


def _torn(number: int) -> tuple[str, ...]:
    if not number:
        return ()
    return (f"{counted(number, 'image')} with a Target that does not fit the class in “{CLASSES}”.",)


LAYOUT = Layout("rsna-pneumonia", "RSNA Pneumonia Detection Challenge", "classification", recognises, read, (POLICY,))

"""NIH ChestX-ray14: the release of 2017 with its table of either year, its lists, boxes and twelve folders of images.

The table's header has commas within its brackets (``OriginalImage[Width,Height]``), so that a plain reader sees eleven
columns, as the rows have cells; the older file ends every line with one more comma. Only columns before the brackets
are read by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.published import Gathering, find_file, header, home, images_below, lacking, records
from medfm_gui.datasets.table import Table, read_table
from medfm_gui.datasets.text import examples, shown
from medfm_gui.datasets.walk import without_image_suffix
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import InputError, TableError
from medfm_gui.domain.units import counted

TABLES = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv", "labels.csv")
BOXES = "BBox_List_2017.csv"
LISTS: Mapping[str, tuple[str, ...]] = {
    "train_val": ("train_val_list.txt", "train_val_list_NIH.txt"),
    "train": ("train_list.txt",),
    "val": ("val_list.txt",),
    "test": ("test_list.txt", "test_list_NIH.txt"),
}
FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
)
NO_FINDING = "No Finding"
LAST = 10_002
"""So many images at the end of train_val_list.txt are Study B's validation."""
_OLDEST = 120
STATEMENT = Statement(
    unit="image; a patient has up to dozens, over years",
    sampling="unknown",
    reference_standard="findings drawn from the radiology report by text mining; no reader looked at the images again",
    codes={
        "Atelectasis": "SCT 46621007",
        "Cardiomegaly": "SCT 8186001",
        "Edema": "SCT 19242006",
        "Effusion": "SCT 60046008",
        "Pneumonia": "SCT 233604007",
        "Pneumothorax": "SCT 36118008",
    },
    source="https://nihcc.app.box.com/v/ChestXray-NIHCC",
)
POLICIES = (
    Policy(
        "no-finding",
        "“No Finding”",
        (
            Choice("dropped", "no class: such an image has none of the 14 findings"),
            Choice("class", "a fifteenth class"),
        ),
    ),
    Policy(
        "validation",
        "Validation",
        (
            Choice("lists", "as the lists there are say (the official ones give train and test)"),
            Choice("last-10002", f"the last {LAST:,} images of train_val_list.txt (Study B)"),
        ),
    ),
    Policy(
        "views",
        "Views",
        (Choice("all", "PA and AP"), Choice("PA", "PA only"), Choice("AP", "AP only")),
    ),
)
PRESETS = {"study-b": {"no-finding": "class", "validation": "last-10002", "views": "all"}}


def recognises(source: Path) -> str | None:
    """Its table: by name and by the columns “Image Index” and “Finding Labels”."""
    table = _table(source)
    return f"“{shown(table.name)}” has the columns of NIH ChestX-ray14" if table else None


def _table(source: Path) -> Path | None:
    if find_file(source, *TABLES) is None:  # one look instead of three for whatever is no ChestX-ray14
        return None
    for name in TABLES:
        path = find_file(source, name)
        if path is not None and _is_entry_table(path):
            return path
    return None


def _is_entry_table(path: Path) -> bool:
    return {"imageindex", "findinglabels"} <= header(path)


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the images that the table names, wherever below the source they lie.

    Raises:
        InputError: there is no such table, or a folder cannot be read.
        TableError: the table is broken or lacks a column.
    """
    place = _table(source)
    if place is None:
        raise InputError(
            f"“{shown(source.name)}” holds no table of NIH ChestX-ray14 ({', '.join(TABLES)}).",
            "Put Data_Entry_2017_v2020.csv beside the folders of images.",
        )
    table = read_table(place)
    lacking(table, "Image Index", "Finding Labels")
    root = home(source)
    lists, said = _lists(root)
    folds, warnings = _folds(lists, options.policies["validation"])
    boxes, boxed = _boxes(root)
    gathering = Gathering(images_below(root, unique=True))
    odd_ages = _take(table, gathering, folds, boxes, options)
    if odd_ages:
        warnings.append(f"{counted(odd_ages, 'image')} with an age above {_OLDEST} years: not kept as a covariate.")
    patients = {entry.patient for entry in gathering.entries}
    is_class = options.policies["no-finding"] == "class"
    return Listing(
        "nih-cxr14",
        root,
        tuple(gathering.entries),
        label_names=(*FINDINGS, NO_FINDING) if is_class else FINDINGS,
        task=Task.MULTILABEL,
        skipped=(*gathering.skipped, *gathering.images.skipped),
        warnings=(*table.warnings, *warnings, *gathering.remarks()),
        taken={
            "table": shown(place.name),
            "patient": "Patient ID",
            **({"fold": said} if said else {}),
            **({"boxes": f"{BOXES} ({counted(boxed, 'box', 'boxes')})"} if boxed else {}),
        },
        counts=tuple(_counts(table, gathering, len(patients), lists, options.policies["views"])),
        policies=options.policies,
        statement=STATEMENT,
    )


def _take(
    table: Table, gathering: Gathering, folds: Mapping[str, str], boxes: Mapping[str, list[str]], options: ImportOptions
) -> int:
    """Take every image of the table; how many ages cannot be."""
    is_class = options.policies["no-finding"] == "class"
    views = options.policies["views"]
    names = (*FINDINGS, NO_FINDING) if is_class else FINDINGS
    strange: dict[str, int] = defaultdict(int)
    odd_ages = 0
    for row in records(table):
        image = row["imageindex"]
        if not image:
            continue
        found = {part.strip() for part in row["findinglabels"].split("|")} - {""}
        view = row.get("viewposition", "")
        if views not in ("all", view):
            gathering.leave(image, "policy", f"Only {views} images are taken (policy views).")
            continue
        if not found:
            gathering.leave(image, "no_label", "The table names no finding, not even “No Finding”.")
            continue
        for finding in found - {*FINDINGS, NO_FINDING}:
            strange[finding] += 1
        age, is_odd = _age(row.get("patientage", ""))
        odd_ages += is_odd
        key = without_image_suffix(image).casefold()
        facts = {
            "age": age,
            "sex": row.get("patientgender", row.get("patientsex", "")),
            "view": view,
            "followup": row.get("followup", ""),
            "boxes": "; ".join(boxes.get(key, ())),
        }
        marks = tuple("1" if name in found else "0" for name in names)
        patient = row.get("patientid") or image.partition("_")[0].lstrip("0") or None
        gathering.take(image, marks, patient=patient, fold=folds.get(key), covariates=facts)
    if strange:
        raise TableError(
            f"“{shown(table.path.name)}” names findings that ChestX-ray14 does not have: {examples(strange)}.",
            "Import the table with the layout csv instead.",
        )
    return odd_ages


def _age(text: str) -> tuple[str, bool]:
    """Whole years, of “58” or “058Y”; empty where they cannot be."""
    digits = text.upper().removesuffix("Y")
    if not digits.isdecimal():
        return "", False
    return (str(int(digits)), False) if int(digits) <= _OLDEST else ("", True)


# -- lists and boxes


def _lists(root: Path) -> tuple[dict[str, list[str]], str]:
    """The names in every list that there is, in its order, and the lists' file names."""
    found: dict[str, list[str]] = {}
    files: list[str] = []
    for side, names in LISTS.items():
        path = find_file(root, *names)
        if path is None:
            continue
        try:
            text = path.read_text("utf-8-sig", "replace")
        except OSError as error:
            raise InputError(f"“{shown(path.name)}” cannot be read ({error.strerror}).", "Check the file.") from error
        found[side] = [key for line in text.split("\n") if (key := _key(line))]
        files.append(shown(path.name))
    return found, ", ".join(files)


def _key(line: str) -> str:
    return without_image_suffix(line.strip().replace("\\", "/").rpartition("/")[2]).casefold()


def _folds(lists: Mapping[str, Sequence[str]], validation: str) -> tuple[dict[str, str], list[str]]:
    """Image → side, and what is to be said of it."""
    joint = list(lists.get("train_val", ()))
    folds = dict.fromkeys(joint, "train")
    warnings: list[str] = []
    if validation == "last-10002":
        if len(joint) > LAST:
            folds.update(dict.fromkeys(joint[-LAST:], "val"))
        elif "val" not in lists:
            warnings.append(
                f"Study B's validation, the last {LAST:,} of train_val_list.txt, cannot be made of "
                f"{counted(len(joint), 'name')}; the lists' own sides stand."
            )
    for side in ("train", "val", "test"):
        names = lists.get(side, ())
        rivals = [other for other in ("train", "val") if other != side] + (["train_val"] if side == "test" else [])
        twice = {name for other in rivals for name in lists.get(other, ())} & set(names)
        if twice and side != "train":
            some = examples(sorted(twice))
            warnings.append(f"{counted(len(twice), 'image')} stand in two lists ({some}); {side} counts.")
        folds.update(dict.fromkeys(names, side))
    return folds, warnings


def _boxes(root: Path) -> tuple[dict[str, list[str]], int]:
    """Image → its boxes “x0 y0 x1 y1” in pixels; the header's brackets leave x, y, w, h as the four last names."""
    path = find_file(root, BOXES)
    if path is None:
        return {}, 0
    table = read_table(path)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in table.rows:
        try:
            x, y, width, height = (float(cell) for cell in row[2:6])
        except ValueError:
            continue
        if width > 0 and height > 0:
            found[_key(row[0])].append(f"{x:.1f} {y:.1f} {x + width:.1f} {y + height:.1f}")
    return dict(found), sum(map(len, found.values()))


def _counts(
    table: Table, gathering: Gathering, patients: int, lists: Mapping[str, Sequence[str]], views: str
) -> Iterator[Count]:
    yield Count("rows in the table", len(table.rows), 112_120, "data")
    if views == "all":
        yield Count("images", len(gathering.entries), 112_120, "data")
        yield Count("patients", patients, 30_805, "data")
    labels = [row["findinglabels"] for row in records(table)]
    yield Count("rows “No Finding”", sum(label == NO_FINDING for label in labels), 60_361, "data")
    yield Count("rows with a hernia", sum("Hernia" in label.split("|") for label in labels), 227, "data")
    known = {"train_val": 86_524, "test": 25_596}
    for side, number in known.items():
        if side in lists:
            yield Count(f"names in {LISTS[side][0]}", len(lists[side]), number, "data")


LAYOUT = Layout("nih-cxr14", "NIH ChestX-ray14", "multilabel", recognises, read, POLICIES, PRESETS)

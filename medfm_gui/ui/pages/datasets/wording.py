"""Words and numbers of this page, as the field writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.split import Partition
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.ui.widgets.text import one_line

_LONGEST: Final = 400

TASKS: Final[Mapping[Task, str]] = {
    Task.BINARY: "Binary",
    Task.MULTICLASS: "Multi-class",
    Task.ORDINAL: "Ordinal",
    Task.MULTILABEL: "Multi-label",
    Task.SEGMENTATION: "Segmentation",
}
TASK_HINTS: Final[Mapping[Task, str]] = {
    Task.BINARY: "Two classes, one of them the event",
    Task.MULTICLASS: "One of several classes an image",
    Task.ORDINAL: "Grades in an order, such as 0 to 4",
    Task.MULTILABEL: "Several findings an image",
    Task.SEGMENTATION: "A mask an image",
}
PARTITIONS: Final[Mapping[str, str]] = {
    "all": "All",
    Partition.TRAIN.value: "Training",
    Partition.VAL.value: "Validation",
    Partition.CAL.value: "Calibration",
    Partition.TEST.value: "Internal test",
}
REASONS: Final[Mapping[str, str]] = {
    "no_label": "No label",
    "dropped_by_the_leak_gate": "Dropped by the leak gate",
    "in_no_partition_of_the_split": "In no partition of the split",
    "left_out_by_a_correction": "Left out by a correction",
    "no_path": "A row that names no image",
    "not_found": "File not found",
    "ambiguous": "Several files of that name",
    "outside": "Outside the image folder",
    "conflicting_labels": "Contradicting labels",
    "conflicting_rows": "Contradicting rows",
    "unreadable": "Cannot be read",
    "empty": "Empty file",
    "not_an_image": "Not an image",
    "not_regular": "Not an ordinary file",
    "unsupported_format": "Format not supported",
    "not_dicom": "Not DICOM",
    "truncated": "Cut short",
    "too_large": "Too large",
    "bad_header": "Damaged header",
    "bad_name": "File name not usable",
    "undecodable": "Cannot be decoded",
    "decoder_died": "Broke the decoder",
    "timed_out": "Took too long to decode",
    "no_pixels": "Holds no image",
    "multi_frame": "Several frames in one file",
    "no_such_frame": "No such frame",
    "nonfinite": "Values that are no numbers",
    "hidden": "Hidden file",
    "duplicate": "Duplicate",
    "uid_clash": "Same UID, other contents",
    "file_set_index": "Index of a file set",
    "link": "Link to another folder",
    "too_deep": "Folders too deep",
    "bad_mask": "Mask that cannot be used",
    "mask_geometry": "Mask elsewhere than its image",
    "mask_labels": "Mask with unknown labels",
    "missing_image": "Image not there",
    "missing_mask": "Mask not there",
    "no_patient": "In no patient's folder",
    "repeated": "A second row of one image",
    "not_listed": "Not in the release's list",
    "other_reader": "Mask of another reader",
    "policy": "Left out by a policy",
    "unknown_name": "Name not of the release",
    "bad_path": "Path that leaves the folder",
}
LAYOUTS: Final[Mapping[str, str]] = {
    "folder": "One folder a class",
    "csv": "Table of images",
    "dicom": "DICOM tree",
    "medmnist": "MedMNIST archive",
    "nifti": "NIfTI tree with masks",
    "cbis-ddsm": "CBIS-DDSM",
    "ddsm": "DDSM",
    "isic2019": "ISIC 2019",
    "ham10000": "HAM10000",
    "aptos2019": "APTOS 2019",
    "busi": "BUSI",
    "chexpert": "CheXpert",
    "nih-cxr14": "NIH ChestX-ray14",
    "rsna": "RSNA Pneumonia",
    "rsna-pneumonia": "RSNA Pneumonia",
    "brain-tumor": "Brain tumours (.mat)",
    "sars-cov2-ct": "SARS-CoV-2 CT",
    "montgomery": "Montgomery",
    "shenzhen": "Shenzhen",
    "msd": "Medical Segmentation Decathlon",
    "amos22": "AMOS22",
    "btcv": "BTCV",
}
HIDDEN: Final = "Label hidden"
"""What stands where the label of a sealed test image would."""
UNITS: Final[Mapping[str, str]] = {"patient": "Patient", "image": "Image", "group": "Group"}


def share(part: int, whole: int) -> str:
    """A percentage with one digit, ``71.5 %``; a dash where there is nothing to share."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def brief(text: str) -> str:
    """A text of bounded length on one line, for a grid of facts."""
    return one_line(text, _LONGEST)


def dataset_line(row: DatasetRow) -> str:
    """What stands below a dataset's name: images, patients, task."""
    patients = [counted(row.n_patients, "patient")] if row.n_patients else []
    return " · ".join([counted(row.n_samples, row.unit), *patients, TASKS[row.task].lower()])


def reason(code: str) -> str:
    """Why a file was left out, in words."""
    return REASONS.get(code) or code.replace("_", " ").capitalize()


def layout(name: str) -> str:
    """A layout in two or three words."""
    return LAYOUTS.get(name, name)


def unit(word: str) -> str:
    """What stays together in a split, in words."""
    return UNITS.get(word, word)


def day(created: str) -> str:
    """``2026-11-22 06:41 UTC`` of an ISO time."""
    return f"{created[:10]} {created[11:16]} UTC" if len(created) >= 16 else created


def split_title(row: SplitRow) -> str:
    """How a split is called in lists: its rule, or the fold within its family."""
    return row.rule or row.id


def sizes(row: SplitRow) -> str:
    """Images a partition, in one line: ``389 / 84 / 84``."""
    return " / ".join(f"{row.sizes[side.value]:,}" for side in Partition if row.sizes.get(side.value))


def gate(row: SplitRow) -> str:
    """What the leak gate says of a split, in two or three words."""
    if row.n_leaks:
        return f"{counted(row.n_leaks, 'leak')} accepted"
    if row.n_dropped:
        return f"no leak, {row.n_dropped:,} dropped"
    return "no leak"

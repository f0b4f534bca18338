"""Which column of a table says what: as named, else by its name, else by its contents."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medfm_gui.datasets.listing import ImportOptions
from medfm_gui.datasets.partitions import all_are_partitions
from medfm_gui.datasets.table import Table
from medfm_gui.datasets.text import plain_name, shown, words
from medfm_gui.domain.errors import TableError

PATH_NAMES = words(
    "path filepath imagepath imgpath file filename imagefile imagefilename image imagename img imgname imageid "
    "imageindex imgid idcode isicid fileid name id sample"
)
LABEL_NAMES = words(
    "label labels class target findinglabels findings benignmalignant malignant malignancy pathology diagnosis "
    "dx category classname classlabel disease condition tumour tumor tumortype tumourtype outcome grade level "
    "kl groundtruth"
)
PATIENT_NAMES = words(
    "patientid patient patientidx patientnumber subjectid subject participantid participant caseid pid personid"
)
GROUP_NAMES = words("group groupid lesionid")
FOLD_NAMES = words("fold split partition subset usage set dataset")
IDENTITY = frozenset(
    words(
        "patientname name firstname lastname surname familyname givenname birthdate dateofbirth dob birthday "
        "patientbirthdate address phone telephone email mrn ssn nhsnumber insurancenumber accession accessionnumber "
        "patientid medicalrecordnumber studyinstanceuid seriesinstanceuid sopinstanceuid referringphysician "
        "referringphysicianname operatorname"
    )
)
"""Columns that are never kept as covariates: they say who a person is and decide nothing."""
NAMES_OF_PERSONS = IDENTITY - {"patientid"}
"""A patient column called like one of these is kept as pseudonyms only."""
_COVARIATES = frozenset(
    words(
        "age ageapprox sex gender view viewposition site manufacturer modality laterality date followup race ethnicity"
    )
)
_A_FOLD = re.compile(r"(?:^|[\W_]|(?<=[a-z])(?=F))(?i:fold)$")
"""``fold``, ``patient_fold``, ``patientFold``; no scaffold."""
_PROBED = 200
_FEW = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns taken, by name; empty where there is none. ``why`` tells how each was recognised."""

    path: str
    labels: tuple[str, ...]
    patient: str
    group: str
    fold: str
    why: dict[str, str]

    @property
    def all(self) -> frozenset[str]:
        """Every column that was taken for something."""
        return frozenset({self.path, *self.labels, self.patient, self.group, self.fold} - {""})


def recognise(table: Table, options: ImportOptions, is_image: Callable[[str], bool]) -> Columns:
    """Find the columns of a table of images.

    Args:
        is_image: whether a cell leads to a file.

    Raises:
        TableError: a named column does not exist, or one that is needed was not recognised.
    """
    why: dict[str, str] = {}
    path = _path(table, options.path, is_image, why)
    return Columns(path, *others(table, options, path, why), why)


def others(
    table: Table, options: ImportOptions, taken: str, why: dict[str, str]
) -> tuple[tuple[str, ...], str, str, str]:
    """Label, patient, group and fold columns, once the column ``taken`` is known to name the images."""
    patient = _by_name(table, options.patient, "patient", PATIENT_NAMES, taken, why)
    group = _by_name(table, options.group, "group", GROUP_NAMES, taken, why)
    fold = _fold(table, options.fold, why)
    labels = _labels(table, options.labels, {taken, patient, group, fold}, why)
    return labels, patient, group, fold


def covariates(table: Table, taken: frozenset[str]) -> tuple[list[str], list[str]]:
    """All other columns: those to keep, and those left out because they identify a person."""
    rest = [name for name in table.columns if name not in taken and not name.startswith("column ")]
    left_out = [name for name in rest if plain_name(name) in IDENTITY]
    return [name for name in rest if name not in left_out], left_out


def _path(table: Table, asked: str, is_image: Callable[[str], bool], why: dict[str, str]) -> str:
    if asked:
        why["path"] = "as named"
        return table.named(asked, "image path")

    def hits(name: str) -> int:
        filled = [value for value in table.column(name) if value][:_PROBED]
        return sum(map(is_image, filled))

    for name in table.recognised(PATH_NAMES):
        if hits(name):
            why["path"] = "by its name"
            return name
    found = max(table.columns, key=hits)
    if hits(found):
        why["path"] = "by its contents"
        return found
    if any(is_image(name) for name in table.columns):
        raise TableError(f"“{shown(table.path.name)}” has no header row.", "Add a first row with the columns' names.")
    raise TableError(
        f"No column of “{shown(table.path.name)}” leads to images beside the table or below it.",
        f"Name the column with --path and the folder with --images. Columns: {', '.join(table.columns)}.",
    )


def _by_name(table: Table, asked: str, what: str, names: Sequence[str], taken: str, why: dict[str, str]) -> str:
    if asked:
        why[what] = "as named"
        return table.named(asked, what)
    found = [name for name in table.recognised(names) if name != taken]
    if found:
        why[what] = "by its name"
    return found[0] if found else ""


def _fold(table: Table, asked: str, why: dict[str, str]) -> str:
    """A column of official partitions or folds; unasked only if its cells are train, val, test or small numbers."""
    if asked:
        why["fold"] = "as named"
        return table.named(asked, "fold")
    named = table.recognised(FOLD_NAMES)
    named += [name for name in table.columns if _A_FOLD.search(name) and name not in named]
    for name in named:
        values = {value for value in table.column(name) if value}
        numbered = bool(_A_FOLD.search(name)) and _are_numbers(values)
        if (all_are_partitions(values) and len(values) > 1) or numbered:
            why["fold"] = "by its name and contents"
            return name
    return ""


def _are_numbers(values: set[str]) -> bool:
    return 1 < len(values) <= _FEW and all(value.isdecimal() for value in values)


def _labels(table: Table, asked: Sequence[str], taken: set[str], why: dict[str, str]) -> tuple[str, ...]:
    if asked:
        why["label"] = "as named"
        return tuple(dict.fromkeys(table.named(name, "label") for name in asked))
    free = [name for name in table.columns if name not in taken]
    named = [name for name in table.recognised(LABEL_NAMES) if name in free]
    named += [name for name in free if plain_name(name).endswith("label") and name not in named]
    for name in named:
        if len({value for value in table.column(name) if value}) > 1:
            why["label"] = "by its name"
            return (name,)
    likely = [name for name in free if plain_name(name) not in _COVARIATES | IDENTITY and _is_categorical(table, name)]
    if len(likely) == 1:
        why["label"] = "by its contents, the only column with few values"
        return (likely[0],)
    raise TableError(
        f"Which column of “{shown(table.path.name)}” holds the label is not plain.",
        f"Name it with --label, once for each finding. Columns: {', '.join(table.columns)}. Where the folder holds "
        "DICOM studies to look at, “medfm study import” reads it without labels.",
    )


def _is_categorical(table: Table, name: str) -> bool:
    filled = [value for value in table.column(name) if value]
    return 1 < len(set(filled)) <= min(_FEW, max(2, len(filled) // 3))

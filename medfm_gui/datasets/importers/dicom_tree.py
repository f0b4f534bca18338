"""A tree of DICOM files and a table of labels, joined on the object, the study, the patient or the path.

Patients are kept as pseudonyms and UIDs not at all: the join is made here and then forgotten.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.datasets.columns import IDENTITY, others
from medfm_gui.datasets.importers.csv_table import table_of, tables_in
from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import Entry, ImportOptions, Listing
from medfm_gui.datasets.locate import ImageFolder
from medfm_gui.datasets.pseudonym import pseudonym
from medfm_gui.datasets.published import junk_remark
from medfm_gui.datasets.table import Table, read_table
from medfm_gui.datasets.text import examples, plain_name, shown
from medfm_gui.datasets.walk import has_dicom_mark
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import InputError, TableError
from medfm_gui.domain.units import counted

if TYPE_CHECKING:
    from medfm_gui.imaging.header import DicomHeader

_PROBED = 40
JOINS: Mapping[str, tuple[str, ...]] = {
    "SOPInstanceUID": ("sopinstanceuid", "sopuid", "instanceuid", "imageuid"),
    "path": ("path", "filepath", "file", "filename", "imagepath", "dicompath", "image", "imageid", "imagename"),
    "SeriesInstanceUID": ("seriesinstanceuid", "seriesuid"),
    "StudyInstanceUID": ("studyinstanceuid", "studyuid", "studyid", "study"),
    "PatientID": ("patientid", "patient", "subjectid", "subject", "caseid"),
}
"""What a row of the table may speak of, the most particular first, and the column names that say so."""


@dataclass(frozen=True, slots=True)
class Object:
    """One readable DICOM image: its file (relative) and header."""

    name: str
    header: DicomHeader

    def key(self, join: str) -> str:
        """What the table may call this object by."""
        header = self.header
        return {
            "SOPInstanceUID": header.sop_instance_uid,
            "SeriesInstanceUID": header.series_uid,
            "StudyInstanceUID": header.study_uid,
            "PatientID": header.patient_id.strip(),
        }[join]


def recognises(source: Path) -> str | None:
    """A folder with DICOM among its first files, and a table in it, or one above it that names such objects."""
    if not source.is_dir():
        return None
    is_inside = bool(tables_in(source))
    key = "" if is_inside else _key_above(source)
    if not is_inside and not key:
        return None
    probed = ImageFolder(source).files[:_PROBED]
    if not any(has_dicom_mark(source / name) for name in probed):
        return None
    if is_inside:
        return "the folder holds DICOM files and a table"
    return f"the folder holds DICOM files, and the table beside it names them by “{shown(key)}”"


def _key_above(source: Path) -> str:
    """The column by which the one table of the folder above names DICOM objects; empty where there is none.

    Any table may lie there by chance: without such a column the folders are taken for classes.
    """
    if not tables_in(source.parent):
        return ""
    try:
        table = read_table(table_of(source.parent))
    except TableError:
        return ""
    return next((name for names in JOINS.values() for name in table.recognised(names)), "")


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """Read all headers, then join them with the table.

    Raises:
        InputError: there is no DICOM image in the tree.
        TableError: there is no table, it cannot be joined, or a named column is not in it.
    """
    table = read_table(options.table or (_table_near(source) if source.is_dir() else table_of(source)))
    root = options.images or (source if source.is_dir() else source.parent)
    folder = ImageFolder(root)
    objects, skipped = _objects(folder, tools, table.path)
    if not objects:
        raise InputError(
            f"There is no DICOM image in “{shown(root.name)}” ({counted(len(skipped), 'file')} could not be used"
            f"{_mostly(skipped)}).",
            "Check the folder; for PNG or JPEG take the layout csv.",
        )
    join, column, rows = _join(table, options, objects, folder)
    why = {join: "as named" if options.join or options.path else "by its name"}
    labels, patient, group, fold = others(table, options, column, why)
    used = frozenset({column, *labels, patient, group, fold} - {""})
    kept = [name for name in table.columns if name not in used and plain_name(name) not in IDENTITY]
    build = _Builder(table, root, labels, patient, group, fold, kept, tools.key)
    entries: list[Entry] = []
    for item in objects:
        found = rows(item)
        if not found:
            skipped.append(Skipped(shown(item.name), "no_label", f"No row of the table speaks of it (by {join})."))
            continue
        made = [build.entry(item, row) for row in found]
        if any(other != made[0] for other in (replace(entry, covariates=made[0].covariates) for entry in made)):
            skipped.append(Skipped(shown(item.name), "conflicting_labels", "Rows of the table contradict one another."))
        else:
            entries.append(made[0])
    taken = {"table": shown(table.path.name), "join": f"{column} as {join} ({why[join]})"}
    taken["patient"] = f"{patient or 'PatientID of the files'}, kept as pseudonyms"
    taken["label"] = f"{', '.join(labels)} ({why['label']})"
    taken.update({role: name for role, name in (("group", group), ("fold", fold)) if name})
    if plain_name(group) in IDENTITY:
        taken["group"] += ", kept as pseudonyms"
    if not group and any(entry.group for entry in entries):
        taken["group"] = "StudyInstanceUID of the files, kept as pseudonyms"
    return Listing(
        "dicom",
        root,
        tuple(entries),
        label_names=labels,
        skipped=(*skipped, *folder.skipped),
        warnings=(*table.warnings, *junk_remark(folder.junk)),
        taken=taken,
    )


def _mostly(skipped: Sequence[Skipped]) -> str:
    """The message that most of the files got that could not be used."""
    said = Counter(item.message for item in skipped if item.message)
    return "".join(f"; {count} × {message.rstrip('.')}" for message, count in said.most_common(1))


def _table_near(source: Path) -> Path:
    """The table in the folder, or in the one above it.

    Raises:
        TableError: neither holds exactly one.
    """
    return table_of(source if tables_in(source) or not tables_in(source.parent) else source.parent)


def _objects(folder: ImageFolder, tools: Tools, table: Path) -> tuple[list[Object], list[Skipped]]:
    names = {str(folder.root / name): name for name in folder.files if folder.root / name != table}
    objects: list[Object] = []
    skipped: list[Skipped] = []
    for result in tools.pool.headers([Path(path) for path in names]):
        name = names[str(result.path)]
        header = result.header
        if not result.ok or header is None:
            skipped.append(Skipped(shown(name), result.reason, result.message))
        elif not header.rows or not header.columns:
            skipped.append(Skipped(shown(name), "no_pixels", "This DICOM object holds no image."))
        elif header.frames > 1:
            why = f"This object holds {header.frames} frames; single images are read."
            skipped.append(Skipped(shown(name), "multi_frame", why))
        else:
            objects.append(Object(name, header))
    objects.sort(key=lambda item: item.name)
    skipped.sort(key=lambda item: item.path)
    return objects, skipped


Rows = Callable[[Object], Sequence[int]]


def _join(
    table: Table, options: ImportOptions, objects: Sequence[Object], folder: ImageFolder
) -> tuple[str, str, Rows]:
    """How rows find objects: the kind of key, the table's column, and a function that gives the rows of an object."""
    asked = options.join or options.path
    if asked:
        column = table.named(asked, "join")
        kinds = [kind for kind, names in JOINS.items() if plain_name(column) in names] or list(JOINS)
        candidates = [(kind, column) for kind in kinds]
    else:
        candidates = [(kind, column) for kind, names in JOINS.items() for column in table.recognised(names)]
    for kind, column in candidates:
        rows = _rows_by_path(table, column, folder) if kind == "path" else _rows_by_key(table, column, kind)
        if any(rows(item) for item in objects):
            return kind, column, rows
    tried = examples(dict.fromkeys(column for _, column in candidates)) or "none is called so"
    raise TableError(
        f"No row of “{shown(table.path.name)}” speaks of an object of the tree (columns tried: {tried}).",
        "Name the column with SOPInstanceUID, StudyInstanceUID, PatientID or the path with --join. "
        f"Columns: {', '.join(table.columns)}.",
    )


def _rows_by_key(table: Table, column: str, kind: str) -> Rows:
    by_key: defaultdict[str, list[int]] = defaultdict(list)
    for number, value in enumerate(table.column(column)):
        if value:
            by_key[value].append(number)
    return lambda item: by_key.get(item.key(kind), ())


def _rows_by_path(table: Table, column: str, folder: ImageFolder) -> Rows:
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for number, value in enumerate(table.column(column)):
        name = folder.find(value) if value else None
        if isinstance(name, str):
            by_name[name].append(number)
    return lambda item: by_name.get(item.name, ())


@dataclass(frozen=True, slots=True)
class _Builder:
    """Makes the entry of one object and one row."""

    table: Table
    root: Path
    labels: tuple[str, ...]
    patient: str
    group: str
    fold: str
    kept: Sequence[str]
    key: bytes

    def entry(self, item: Object, number: int) -> Entry:
        """The entry; the patient is the row's if a column was taken, else the file's, in both cases a pseudonym."""
        cells = dict(zip(self.table.columns, self.table.rows[number], strict=True))
        identity = cells.get(self.patient, "") or item.header.patient_id.strip()
        group = cells.get(self.group, "") if self.group else item.header.study_uid.strip()
        if not self.group or plain_name(self.group) in IDENTITY:
            group = group and pseudonym(self.key, group)
        facts = {name: cells[name] for name in self.kept if cells[name]}
        side = item.header.laterality.strip()
        if side and not any(plain_name(name) == "laterality" for name in self.kept):
            facts["laterality"] = side
        return Entry(
            shown(item.name),
            str(self.root / item.name),
            tuple(cells[name] for name in self.labels),
            patient=pseudonym(self.key, identity) if identity else None,
            group=group or None,
            fold=cells.get(self.fold) or None,
            covariates=facts,
        )


LAYOUT = Layout("dicom", "A tree of DICOM files with a table of labels", "classification", recognises, read)

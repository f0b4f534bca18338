"""CBIS-DDSM: mammograms with masses and calcifications whose pathology is known, as DICOM (TCIA) or JPEG (Kaggle).

Four tables, one row an abnormality in one view: ``{mass,calc}_case_description_{train,test}_set.csv``. What a row
names is found by ``cbis_ddsm_pictures``; what it says becomes labels here. One sample is a whole mammogram (of several
abnormalities in a view the worst counts, whichever table tells it) or the crop around one abnormality.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medfm_gui.datasets.importers.cbis_ddsm_pictures import Pictures, pictures_of
from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import Entry, ImportOptions, Listing
from medfm_gui.datasets.published import find_file, home, lacking, records
from medfm_gui.datasets.table import read_table
from medfm_gui.datasets.text import natural, shown
from medfm_gui.domain.dataset import Count, Skipped, Statement, Task
from medfm_gui.domain.errors import InputError, TableError

MALIGNANT, BENIGN, WITHOUT_CALLBACK = "malignant", "benign", "benign without callback"
_SEVERITY = (WITHOUT_CALLBACK, BENIGN, MALIGNANT)
_COLUMNS = (
    "patient_id", "left or right breast", "image view", "abnormality id", "pathology", "image file path",
    "cropped image file path", "ROI mask file path",
)  # fmt: skip
_DEPTH = 3
"""Levels below the source at which the tables lie at most: the JPEGs' release has them in a folder of its own."""
_STATEMENT = Statement(
    unit="mammogram, one view of one breast",
    sampling="enriched",
    reference_standard="pathology; benign without callback by follow-up",
    licence="CC BY 3.0",
    redistribution=True,
    source="https://doi.org/10.7937/K9/TCIA.2016.7O02S9CY",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the four tables and what is known of it: rows, whole mammograms, patients."""

    lesion: str
    fold: str
    rows: int
    mammograms: int
    patients: int

    @property
    def name(self) -> str:
        """The table's file name."""
        return f"{self.lesion}_case_description_{self.fold}_set.csv"


PARTS = (
    Part("mass", "train", 1_318, 1_231, 691),
    Part("mass", "test", 378, 361, 201),
    Part("calc", "train", 1_546, 1_227, 602),
    Part("calc", "test", 326, 284, 151),
)
_PERSONS = 1_566


@dataclass(frozen=True, slots=True)
class Finding:
    """One row: an abnormality in one view. The paths are as in the table, without the newlines that end some."""

    part: Part
    patient: str
    side: str
    view: str
    number: str
    pathology: str
    mammogram: str
    crops: tuple[str, str]
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def breast_view(self) -> tuple[str, str, str]:
        """Patient, side and view: what one exposure shows."""
        return self.patient, self.side, self.view


def recognises(source: Path) -> str | None:
    """A folder with one of the four tables in it or beside it."""
    if not source.is_dir():
        return None
    names = [part.name for part in PARTS]
    found = find_file(source, *names, depth=_DEPTH) or find_file(source.parent, *names, depth=0)
    return f"there is “{shown(found.name)}”" if found else None


def _table(source: Path, part: Part) -> Path | None:
    return find_file(source, part.name, depth=_DEPTH) or find_file(source.parent, part.name, depth=0)


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List whole mammograms or crops with what the tables say of them.

    Raises:
        InputError: there is none of the tables, or no image.
        TableError: a table lacks a column or holds an unknown pathology.
    """
    source = home(source)
    policies = LAYOUT.chosen(options)
    parts = [part for part in PARTS if policies["lesions"] in ("both", part.lesion)]
    findings, warnings, rows = _findings(source, parts)
    if not findings:
        names = " or ".join(f"“{part.name}”" for part in parts[:2])
        raise InputError(f"“{shown(source.name)}” holds no table {names}.", "Put the release's tables into the folder.")
    found = pictures_of(source, tools.pool)
    build = _Crops if policies["image"] == "crop" else _Mammograms
    entries, skipped = build(found, policies).entries(findings)
    counts = _counts(entries, rows, parts, found, policies)
    if options.preset:
        warnings.append(
            "Study A names CBIS-DDSM, but its code reads the older DDSM and tells normal from any lesion: its figures "
            "are repeated with the layout ddsm alone."
        )
    return Listing(
        "cbis-ddsm",
        source,
        tuple(entries),
        label_names=("pathology",),
        classes=_SEVERITY if policies["pathology"] == "callback" else (BENIGN, MALIGNANT),
        task=Task.MULTICLASS if policies["pathology"] == "callback" else Task.BINARY,
        skipped=(*skipped, *found.skipped),
        warnings=(*warnings, *found.remarks()),
        taken={
            "form": found.form,
            "label": "pathology, the worst in a view" if policies["image"] == "full" else "pathology",
            "patient": "patient_id",
            "fold": "the tables' own train and test",
        },
        counts=counts,
        policies=policies,
        statement=_STATEMENT,
    )


def _findings(source: Path, parts: Sequence[Part]) -> tuple[list[Finding], list[str], Counter[str]]:
    findings: list[Finding] = []
    warnings: list[str] = []
    rows: Counter[str] = Counter()
    for part in parts:
        path = _table(source, part)
        if path is None:
            warnings.append(f"There is no “{part.name}”: its images have no label.")
            continue
        table = read_table(path)
        lacking(table, *_COLUMNS)
        rows[part.name] = len(table.rows)
        for line, row in zip(table.lines, records(table), strict=True):
            findings.append(_finding(part, row, f"“{part.name}”, line {line}"))
    return findings, warnings, rows


def _finding(part: Part, row: Mapping[str, str], where: str) -> Finding:
    pathology = row["pathology"].replace("_", " ").casefold()
    if pathology not in _SEVERITY:
        known = ", ".join(word.upper().replace(" ", "_") for word in _SEVERITY)
        raise TableError(f"{where} holds the pathology “{row['pathology']}”.", f"Known are {known}.")
    facts = {
        "breast density": row.get("breastdensity", ""),
        "assessment": row.get("assessment", ""),
        "subtlety": row.get("subtlety", ""),
    }
    return Finding(
        part,
        row["patientid"],
        row["leftorrightbreast"].casefold(),
        row["imageview"].upper(),
        row["abnormalityid"],
        pathology,
        row["imagefilepath"],
        (row["croppedimagefilepath"], row["roimaskfilepath"]),
        facts,
    )


class _Labels:
    """What a pathology counts as, by the policy."""

    def __init__(self, found: Pictures, policies: Mapping[str, str]) -> None:
        self.found = found
        self.policy = policies["pathology"]
        self.skipped: list[Skipped] = []

    def of(self, pathology: str) -> str:
        """The class; empty where the policy leaves it out."""
        if pathology != WITHOUT_CALLBACK or self.policy == "callback":
            return pathology
        return "" if self.policy == "excluded" else BENIGN

    def entry(self, name: str, item: Finding, label: str, facts: Mapping[str, str]) -> list[Entry]:
        """The entry of a picture that is there, or none and why."""
        if not label:
            why = "Benign without callback is left out (policy pathology)."
            self.skipped.append(Skipped(shown(name), "policy", why))
            return []
        known = {"laterality": item.side, "view": item.view, **facts}
        known = {key: value for key, value in known.items() if value}
        file = str(self.found.root / name)
        return [Entry(shown(name), file, (label,), patient=item.patient, fold=item.part.fold, covariates=known)]

    def missing(self, said: str) -> None:
        """Note a picture that a row names and that is not there."""
        why = "The table names this image, and it is not in the folder."
        self.skipped.append(Skipped(shown(said), "missing_image", why))


class _Mammograms(_Labels):
    """Whole mammograms: one a path of the tables, its label the worst that any table tells of that view."""

    def entries(self, findings: Sequence[Finding]) -> tuple[list[Entry], list[Skipped]]:
        """All that are there, and what is not."""
        worst: dict[tuple[str, str, str], str] = {}
        by_image: defaultdict[str, list[Finding]] = defaultdict(list)
        for item in findings:
            known = worst.setdefault(item.breast_view, item.pathology)
            worst[item.breast_view] = max(known, item.pathology, key=_SEVERITY.index)
            by_image[item.mammogram].append(item)
        made: list[Entry] = []
        named: set[str] = set()
        for said, items in by_image.items():
            name = self.found.mammogram(said)
            if name is None:
                self.missing(said)
            elif name not in named:
                named.add(name)
                made += self.entry(name, items[0], self.of(worst[items[0].breast_view]), _together(items))
        return made, self.skipped


class _Crops(_Labels):
    """Crops around an abnormality: one a row."""

    def entries(self, findings: Sequence[Finding]) -> tuple[list[Entry], list[Skipped]]:
        """All that are there, and what is not."""
        made: list[Entry] = []
        named: set[str] = set()
        for item, name in zip(
            findings, self.found.crops([(row.mammogram, row.crops) for row in findings]), strict=True
        ):
            if name is None:
                self.missing(item.crops[0] or item.mammogram)
            elif name in named:
                self.skipped.append(Skipped(shown(name), "repeated", "Another row speaks of this crop already."))
            else:
                named.add(name)
                facts = {"abnormality": item.part.lesion, **item.facts}
                made += self.entry(name, item, self.of(item.pathology), facts)
        return made, self.skipped


def _together(items: Sequence[Finding]) -> dict[str, str]:
    """What the rows of one mammogram say together: the densest, the highest assessment, the least subtle."""
    facts = {
        key: max((item.facts[key] for item in items), key=natural)
        for key in ("breast density", "assessment", "subtlety")
    }
    facts["abnormality"] = " and ".join(sorted({item.part.lesion for item in items}))
    facts["abnormalities"] = str(len(items))
    return facts


def _counts(
    entries: Sequence[Entry],
    rows: Counter[str],
    parts: Sequence[Part],
    found: Pictures,
    policies: Mapping[str, str],
) -> tuple[Count, ...]:
    counts = [Count(f"rows of {part.name}", rows[part.name], part.rows, "data") for part in parts]
    whole = policies["pathology"] != "excluded"
    if policies["image"] == "full":
        known = sum(part.mammograms for part in parts)
        counts.append(Count("whole mammograms", len(entries), known if whole else None, "data" if whole else ""))
    else:
        known = sum(part.rows for part in parts)
        counts.append(Count("crops", len(entries), known if whole else None, "data" if whole else ""))
    persons = _PERSONS if whole and policies["lesions"] == "both" else None
    counts.append(Count("patients", len({entry.patient for entry in entries}), persons, "pub" if persons else ""))
    return (*counts, *found.counts)


LAYOUT = Layout(
    "cbis-ddsm",
    "CBIS-DDSM: mammography with pathology (TCIA DICOM or Kaggle JPEG)",
    "classification",
    recognises,
    read,
    policies=(
        Policy(
            "pathology",
            "Benign without callback",
            (
                Choice("benign-vs-malignant", "Counts as benign: benign against malignant"),
                Choice("callback", "Is a class of its own: three classes"),
                Choice("excluded", "Is left out: benign against malignant"),
            ),
        ),
        Policy(
            "image",
            "What one sample is",
            (
                Choice("full", "A whole mammogram; of several abnormalities the worst counts"),
                Choice("crop", "The crop around one abnormality"),
            ),
        ),
        Policy(
            "lesions",
            "Which abnormalities",
            (
                Choice("both", "Masses and calcifications"),
                Choice("mass", "Masses alone"),
                Choice("calc", "Calcifications alone"),
            ),
        ),
    ),
    presets={"study-a": {"pathology": "benign-vs-malignant", "image": "full", "lesions": "both"}},
)

"""DDSM as MIT's package of JPEGs has it, and Study A used it: whole mammograms named by class, volume, case and view.

``ddsm_raw/<name>.jpg`` and ``ddsm_raw_image_lists/{train,val,test}.txt``, one name a line. A name is
``{normal|benign|benign_without_callback|cancer}_<volume>-<letter>_<case>_1.{LEFT|RIGHT}_{CC|MLO}.LJPEG.1.jpg``.

A woman is known by letter and case number, whatever the volume: so three cases stand in train and val, one in train
and test, one in val and test, which the leak check must see. Class and volume are kept as covariates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.published import Gathering, find_file, find_folder, home, images_below, needed
from medfm_gui.datasets.text import shown
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import TableError

SIDES: Mapping[str, tuple[int, int]] = {"train": (2_216, 6_120), "val": (288, 752), "test": (276, 768)}
"""Official partitions: normal images and images with a lesion on each list."""
_CASES = 2_587
_NAME = re.compile(
    r"(?P<kind>normal|cancer|benign_without_callback|benign)_(?P<volume>\d+)-(?P<letter>[A-Z])_(?P<case>\d+)_\d+"
    r"\.(?P<side>LEFT|RIGHT)_(?P<view>CC|MLO)(?:\..*)?",
    re.IGNORECASE,
)
_LARGEST_LIST = 16 << 20
_CLASSES: Mapping[str, tuple[str, ...]] = {
    "normal-vs-lesion": ("normal", "lesion"),
    "three-classes": ("normal", "benign", "cancer"),
    "benign-vs-cancer": ("benign", "cancer"),
}
_STATEMENT = Statement(
    unit="whole mammogram, one view of one breast",
    sampling="enriched",
    reference_standard="pathology for cancer and biopsied benign cases; follow-up for normal and not called back",
    source="https://github.com/jimmyyhwu/ddsm-visual-primitives",
)


@dataclass(frozen=True, slots=True)
class Film:
    """What a file's name says."""

    kind: str
    volume: str
    patient: str
    side: str
    view: str


def film(name: str) -> Film | None:
    """What a file is called after, or None where it is no name of this release."""
    found = _NAME.fullmatch(name.strip())
    if found is None:
        return None
    patient = f"{found['letter'].upper()}_{found['case']}"
    kind = found["kind"].casefold()
    return Film(kind, f"{kind}_{found['volume']}", patient, found["side"].casefold(), found["view"].upper())


def recognises(source: Path) -> str | None:
    """A folder of lists as the release calls it, or one of films with such names."""
    if not source.is_dir():
        return None
    lists = _lists(source)
    if lists:
        return f"there are lists of films: {', '.join(shown(path.name) for path in lists.values())}"
    raw = find_folder(source, "ddsm_raw")
    names = [path.name for path, _ in zip(raw.iterdir(), range(50), strict=False)] if raw else []
    return "the folder ddsm_raw holds films named as in DDSM" if any(map(film, names)) else None


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the films of the official lists; without lists all that are there, and then without partitions.

    Raises:
        InputError: there are neither lists nor films.
        TableError: a list cannot be read.
    """
    source = home(source)
    policies = LAYOUT.chosen(options)
    lists = _lists(source)
    raw = find_folder(source, "ddsm_raw", "ddsm_raw_images")
    if not lists:
        needed(raw, "folder “ddsm_raw” or “ddsm_raw_image_lists”", source)
    inside = [raw] if raw and raw.is_relative_to(source) else []
    gathering = Gathering(images_below(source, *inside, unique=True))
    sizes: Counter[str] = Counter()
    for fold, name in _named(lists, gathering.images.files):
        sizes[fold] += 1
        _take(gathering, name, fold, policies)
    lacking = [side for side in SIDES if side not in lists]
    warnings = []
    if lacking and lists:
        warnings.append(f"There is no list of {' and '.join(lacking)}: the official partitions are not whole.")
    if not lists:
        warnings.append("There are no lists: no official partitions are known, and all films in the folder are taken.")
    return Listing(
        "ddsm",
        source,
        tuple(gathering.entries),
        label_names=("class",),
        classes=_CLASSES[policies["pathology"]],
        task=Task.MULTICLASS if policies["pathology"] == "three-classes" else Task.BINARY,
        skipped=(*gathering.skipped, *gathering.images.skipped),
        warnings=(*warnings, *gathering.remarks()),
        taken={
            "class": "the file's name",
            "patient": "letter and case in the file's name",
            **({"fold": ", ".join(path.name for path in lists.values())} if lists else {}),
        },
        counts=_counts(gathering, sizes, policies),
        policies=policies,
        statement=_STATEMENT,
    )


def _lists(source: Path) -> dict[str, Path]:
    """Partition → its list. Lists of other kinds (patches with labels) lie elsewhere under the same names."""
    folder = find_folder(source, "ddsm_raw_image_lists")
    if folder is None:
        return {}
    return {side: path for side in SIDES if (path := find_file(folder, f"{side}.txt", depth=0))}


def _named(lists: Mapping[str, Path], files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Partition and name of every film that a list names; without lists, every file without a partition."""
    for side, path in lists.items():
        for line in _lines(path):
            yield side, line
    if not lists:
        for name in files:
            yield "", name


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _LARGEST_LIST:
            raise TableError(f"“{shown(path.name)}” is too large for a list of films.", "Check the file.")
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError as error:
        raise TableError(f"“{shown(path.name)}” cannot be read ({error.strerror}).", "Check the file.") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _take(gathering: Gathering, name: str, fold: str, policies: Mapping[str, str]) -> None:
    seen = film(name.replace("\\", "/").rpartition("/")[2])
    if seen is None:
        gathering.leave(name, "unknown_name", "The name does not say class, case and view as in DDSM.")
        return
    label = _label(seen.kind, policies)
    if not label:
        gathering.leave(name, "policy", f"A film of the kind “{seen.kind}”, left out by a policy.")
        return
    facts = {"laterality": seen.side, "view": seen.view, "volume": seen.volume, "kind": seen.kind}
    gathering.take(name, (label,), patient=seen.patient, fold=fold or None, covariates=facts)


def _label(kind: str, policies: Mapping[str, str]) -> str:
    """The class that a kind of film counts as; empty where it is left out."""
    if kind == "benign_without_callback":
        if policies["without-callback"] == "excluded":
            return ""
        kind = "benign"
    if policies["pathology"] == "normal-vs-lesion":
        return "normal" if kind == "normal" else "lesion"
    return "" if kind == "normal" and policies["pathology"] == "benign-vs-cancer" else kind


def _counts(gathering: Gathering, sizes: Counter[str], policies: Mapping[str, str]) -> tuple[Count, ...]:
    counts = [Count(f"films on the list {side}", sizes[side], sum(known), "data") for side, known in SIDES.items()]
    if not sum(sizes[side] for side in SIDES):
        counts = []
    whole = policies["pathology"] != "benign-vs-cancer" and policies["without-callback"] == "benign"
    films, cases = (sum(map(sum, SIDES.values())), _CASES) if whole else (None, None)
    counts.append(Count("films", len(gathering.entries), films, "data" if whole else ""))
    counts.append(Count("cases", len({entry.patient for entry in gathering.entries}), cases, "data" if whole else ""))
    if policies["pathology"] == "normal-vs-lesion" and whole and counts[0].what != "films":
        found = Counter((entry.fold, entry.labels[0]) for entry in gathering.entries)
        for side, known in SIDES.items():
            for label, number in zip(_CLASSES["normal-vs-lesion"], known, strict=True):
                counts.append(Count(f"films of {label} in {side}", found[side, label], number, "data"))
    return tuple(counts)


LAYOUT = Layout(
    "ddsm",
    "DDSM: whole mammograms with official lists",
    "classification",
    recognises,
    read,
    policies=(
        Policy(
            "pathology",
            "What is told apart",
            (
                Choice("normal-vs-lesion", "Normal against any lesion, benign or cancer (Study A)"),
                Choice("three-classes", "Normal, benign, cancer"),
                Choice("benign-vs-cancer", "Benign against cancer; normal left out"),
            ),
        ),
        Policy(
            "without-callback",
            "Benign findings without callback",
            (Choice("benign", "Count as benign"), Choice("excluded", "Left out")),
        ),
    ),
    presets={"study-a": {"pathology": "normal-vs-lesion", "without-callback": "benign"}},
)

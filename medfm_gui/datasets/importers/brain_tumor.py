"""Brain tumours on contrast-enhanced T1 slices (figshare 1512427): ``1.mat`` … ``3064.mat`` and ``cvind.mat``.

Every file is a MATLAB record with image, class, patient and outline of the tumour; the records are read by the
decoding children (``imaging.matlab``). Patients are kept as pseudonyms, for the ids look like those of a hospital.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.pseudonym import pseudonym
from medfm_gui.datasets.published import Gathering, find_file, home, images_below
from medfm_gui.datasets.text import examples, natural, shown
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted

if TYPE_CHECKING:
    from medfm_gui.imaging.record import Record

CLASSES = {1: "meningioma", 2: "glioma", 3: "pituitary"}
KNOWN = {"meningioma": 708, "glioma": 1_426, "pituitary": 930}
FOLDS = "cvind.mat"
_PACKED = "brainTumorDataPublic_{}.zip"
ARCHIVES = tuple(_PACKED.format(part) for part in ("1-766", "767-1532", "1533-2298", "2299-3064"))
_MAT = frozenset({".mat"})
_DEEPEST = 2
_MOST_FOLDERS = 40
STATEMENT = Statement(
    unit="slice; a patient has several, in three planes",
    sampling="enriched",
    reference_standard="diagnosis of the two hospitals; outlines drawn by radiologists",
    codes={"glioma": "SCT 393564001"},
    licence="CC BY 4.0",
    redistribution=True,
    source="https://doi.org/10.6084/m9.figshare.1512427",
)


def recognises(source: Path) -> str | None:
    """Files called by a number and ``.mat``, or the four archives they come in."""
    if not source.is_dir():
        return None
    found = _first_numbered(source, _DEEPEST)
    if found:
        return f"“{shown(found)}” and its like are numbered MATLAB files"
    packed = find_file(source, *ARCHIVES)
    return f"there is “{shown(packed.name)}”" if packed else None


def _first_numbered(folder: Path, deeper: int) -> str:
    inside: list[str] = []
    found: list[str] = []
    try:
        with os.scandir(folder) as items:
            for item in items:
                if item.is_dir(follow_symlinks=False):
                    inside.append(item.name)
                elif item.name.lower().endswith(".mat") and _stem(item.name).isdecimal():
                    found.append(item.name)
    except OSError:
        return ""
    if found:
        return min(found, key=natural)
    below = sorted(inside)[:_MOST_FOLDERS] if deeper else []
    return next((name for one in below if (name := _first_numbered(folder / one, deeper - 1))), "")


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the slices, with what their records say.

    Raises:
        InputError: there are no such files, or only the archives they come in.
    """
    root = home(source)
    images = images_below(root, suffixes=_MAT)
    numbered = [name for name in images.files if _stem(name).isdecimal()]
    packed = [name for name in ARCHIVES if find_file(root, name)]
    if not numbered:
        raise InputError(
            f"“{shown(source.name)}” holds no numbered .mat file" + (f", only {examples(packed)}." if packed else "."),
            f"Unpack {examples(packed, most=4)} and import the folder again." if packed else "Check the folder.",
        )
    numbered.sort(key=lambda name: int(_stem(name)))
    gathering = Gathering(images)
    records = {result.path: result for result in tools.pool.records([root / name for name in numbered])}
    folds, remark = _folds(images.files, root, tools, int(_stem(numbered[-1])))
    for name in numbered:
        result = records[str(root / name)]
        record = result.record
        if record is None:
            gathering.leave(name, result.reason, result.message)
        elif record.label not in CLASSES:
            gathering.leave(name, "no_label", f"Its label is {record.label}, and there are 1, 2 and 3.")
        else:
            _take(gathering, name, record, folds, tools.key)
    strays = [name for name in images.files if name not in gathering.named and Path(name).name.casefold() != FOLDS]
    gathering.named.update(images.files)
    boxed = sum("box_xc" in entry.covariates for entry in gathering.entries)
    return Listing(
        "brain-tumor",
        root,
        tuple(gathering.entries),
        label_names=("tumour",),
        classes=tuple(CLASSES.values()),
        task=Task.MULTICLASS,
        skipped=(*gathering.skipped, *images.skipped),
        warnings=(*_still_packed(packed, len(numbered)), *remark, *_strays(strays), *gathering.remarks()),
        taken={
            "class": "label (1 meningioma, 2 glioma, 3 pituitary)",
            "patient": "PID, kept as pseudonyms",
            **({"fold": f"{FOLDS}, the authors' five folds by patient"} if folds else {}),
            "boxes": f"around the outlined tumour, of {counted(boxed, 'image')}",
        },
        counts=tuple(_counts(gathering)),
        policies=options.policies,
        statement=STATEMENT,
    )


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]


def _take(gathering: Gathering, name: str, record: Record, folds: Sequence[int], key: bytes) -> None:
    number = int(_stem(name))
    fold = str(folds[number - 1]) if 0 < number <= len(folds) else None
    facts: dict[str, str] = {}
    if len(record.box) == 4:
        x0, y0, x1, y1 = record.box
        sides = {"box_xc": (x0 + x1) / 2, "box_yc": (y0 + y1) / 2, "box_w": x1 - x0, "box_h": y1 - y0}
        facts = {name: f"{value:.4f}" for name, value in sides.items()}
    patient = pseudonym(key, record.patient) if record.patient else None
    gathering.take(name, (CLASSES[record.label],), patient=patient, fold=fold, covariates=facts)


def _folds(files: Sequence[str], root: Path, tools: Tools, highest: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The fold of every number, and what is to be said of the list."""
    name = next((name for name in files if name.rpartition("/")[2].casefold() == FOLDS), None)
    if name is None:
        return (), (f"There is no {FOLDS}, so the authors' folds are not known.",)
    (result,) = tools.pool.records([root / name])
    folds = result.record.folds if result.record else ()
    if len(folds) < highest or min(folds, default=0) < 1:
        why = f"{counted(len(folds), 'number')} for images up to {highest}" if folds else result.message
        return (), (f"{FOLDS} was not used ({why}).",)
    return folds, ()


def _still_packed(packed: Sequence[str], unpacked: int) -> tuple[str, ...]:
    if not packed or unpacked >= sum(KNOWN.values()):
        return ()
    return (f"{examples(packed, most=4)} may not be unpacked yet: archives are not looked into.",)


def _strays(strays: Sequence[str]) -> tuple[str, ...]:
    if not strays:
        return ()
    return (f"{counted(len(strays), 'MATLAB file')} not called by a number were not taken: {examples(strays)}.",)


def _counts(gathering: Gathering) -> Iterator[Count]:
    classes = Counter(entry.labels[0] for entry in gathering.entries)
    yield Count("slices", len(gathering.entries), sum(KNOWN.values()), "pub")
    for name, number in KNOWN.items():
        yield Count(f"slices of {name}", classes[name], number, "pub")
    yield Count("patients", len({entry.patient for entry in gathering.entries} - {None}), 233, "pub")


PRESETS: Mapping[str, Mapping[str, str]] = {"study-b": {}}
"""Study B leaves nothing to choose: three classes."""

LAYOUT = Layout(
    "brain-tumor", "Brain tumours (figshare, MATLAB files)", "classification", recognises, read, presets=PRESETS
)

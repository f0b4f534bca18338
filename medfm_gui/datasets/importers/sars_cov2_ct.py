"""SARS-CoV-2 CT, both releases: slices in a folder a patient, or all slices of a class in one folder.

The release with three classes, ``New_Data_CoV2/{Covid,Healthy,Others}/<patient>/<n>.png``, knows its patients. The one
with two, ``COVID/Covid (n).png`` and ``non-COVID/Non-Covid (n).png``, does not: neighbouring slices of one patient lie
in it, and no split can keep them apart.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.published import Gathering, find_folder, home, images_below
from medfm_gui.datasets.text import natural, shown
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted

COVID, HEALTHY, OTHERS = "Covid", "Healthy", "Others"
NO_COVID = "no Covid"
POLICY = Policy(
    "classes",
    "Classes",
    (
        Choice("three", "Covid, healthy, other findings (where the release has them)"),
        Choice("binary", "Covid against healthy and other findings (Study B)"),
    ),
)
PRESETS = {"study-b": {"classes": "binary"}}
SLICES = {COVID: 2_168, HEALTHY: 758, OTHERS: 1_247}
PATIENTS = {COVID: 80, HEALTHY: 50, OTHERS: 80}
_SHARED = "SARS-CoV-2 by a laboratory test, as the release says"
WITH_PATIENTS = Statement(
    unit="slice; a patient has many",
    sampling="case-control",
    reference_standard=_SHARED,
    codes={COVID: "SCT 840539006"},
    source="https://www.kaggle.com/datasets/plameneduardo/a-covid-multiclass-dataset-of-ct-scans",
)
WITHOUT_PATIENTS = Statement(
    unit="slice; whose it is was not published",
    sampling="case-control",
    reference_standard=_SHARED,
    codes={COVID: "SCT 840539006"},
    source="https://www.kaggle.com/datasets/plameneduardo/sarscov2-ctscan-dataset",
)


def recognises(source: Path) -> str | None:
    """The three class folders with folders of patients, or the two with slices."""
    three, two = _folders(source)
    if three:
        return "there are the folders Covid, Healthy and Others, with a folder a patient"
    return "there are the folders COVID and non-COVID" if two else None


def _folders(source: Path) -> tuple[Path | None, Path | None]:
    """The folder of the release with three classes, and of that with two."""
    healthy = find_folder(source, HEALTHY)
    if healthy is not None and source.is_dir() and healthy != source:
        names = _inside(healthy.parent)
        if {"covid", "healthy", "others"} <= set(names) and _inside(names["covid"]):
            return healthy.parent, None
    negative = find_folder(source, "non-COVID")
    if negative is not None and source.is_dir() and negative != source and "covid" in _inside(negative.parent):
        return None, negative.parent
    return None, None


def _inside(folder: Path) -> dict[str, Path]:
    """The folders directly in a folder by their names in lower case; none where it cannot be read."""
    try:
        with os.scandir(folder) as items:
            return {item.name.casefold(): folder / item.name for item in items if item.is_dir(follow_symlinks=False)}
    except OSError:
        return {}


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the slices of the release that there is.

    Raises:
        InputError: it is neither, or a folder cannot be read.
    """
    three, two = _folders(source)
    if three is not None:
        return _with_patients(home(source), three, options)
    if two is not None:
        return _without_patients(home(source), two)
    raise InputError(
        f"“{shown(source.name)}” holds neither the folders Covid, Healthy, Others nor COVID, non-COVID.",
        "Name the folder into which the release was unpacked.",
    )


def _with_patients(root: Path, folder: Path, options: ImportOptions) -> Listing:
    inside = _inside(folder)
    gathering = Gathering(images_below(root, *(inside[name.casefold()] for name in SLICES)))
    slices: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    depth = len(folder.relative_to(root).parts)
    names = {name.casefold(): name for name in SLICES}
    for name in gathering.images.files:
        parts = name.split("/")[depth:]
        if len(parts) < 3:
            gathering.leave(name, "no_patient", "This slice lies in no patient's folder.")
        else:
            slices[names[parts[0].casefold()], parts[1]].append(name)
    binary = options.policies["classes"] == "binary"
    for (kind, patient), files in sorted(slices.items(), key=lambda item: natural("/".join(item[0]))):
        label = NO_COVID if binary and kind != COVID else kind
        for number, name in enumerate(sorted(files, key=natural), 1):
            facts = {"slice": str(number), **({"class": kind} if binary else {})}
            gathering.take(name, (label,), patient=f"{kind}/{shown(patient)}", covariates=facts)
    return Listing(
        "sars-cov2-ct",
        root,
        tuple(gathering.entries),
        label_names=("class",),
        classes=(NO_COVID, COVID) if binary else (HEALTHY, OTHERS, COVID),
        task=Task.BINARY if binary else Task.MULTICLASS,
        skipped=(*gathering.skipped, *gathering.images.skipped),
        warnings=gathering.remarks(),
        taken={
            "class": "the folder's name",
            "patient": "class and folder of the patient; aggregate=mean in training scores whole patients (Study B)",
            "slice": "the order of the numbers in the names (2 before 10)",
        },
        counts=tuple(_counts(slices)),
        policies=options.policies,
        statement=WITH_PATIENTS,
    )


def _counts(slices: dict[tuple[str, str], list[str]]) -> Iterator[Count]:
    patients = Counter(kind for kind, _ in slices)
    images: Counter[str] = Counter()
    for (kind, _), files in slices.items():
        images[kind] += len(files)
    yield Count("slices (Kaggle holds 4,171)", images.total(), sum(SLICES.values()), "pub")
    for kind, number in SLICES.items():
        yield Count(f"slices of {kind}", images[kind], number, "pub")
    for kind, number in PATIENTS.items():
        yield Count(f"patients of {kind}", patients[kind], number, "pub")


def _without_patients(root: Path, folder: Path) -> Listing:
    inside = _inside(folder)
    gathering = Gathering(images_below(root, inside["covid"], inside["non-covid"]))
    depth = len(folder.relative_to(root).parts)
    for name in sorted(gathering.images.files, key=natural):
        kind = COVID if name.split("/")[depth].casefold() == "covid" else NO_COVID
        gathering.take(name, (kind,))
    return Listing(
        "sars-cov2-ct",
        root,
        tuple(gathering.entries),
        label_names=("class",),
        classes=(NO_COVID, COVID),
        task=Task.BINARY,
        skipped=(*gathering.skipped, *gathering.images.skipped),
        warnings=(
            f"These {counted(len(gathering.entries), 'slice')} have no patient ids: slices of one patient will stand "
            "on both sides of a split. Only the release with a folder a patient "
            "(a-covid-multiclass-dataset-of-ct-scans) supports a split by patient.",
            *gathering.remarks(),
        ),
        taken={"class": "the folder's name", "patient": "none: this release does not say"},
        counts=(Count("slices", len(gathering.entries), 2_482, "pub"),),
        policies={},  # two folders, two classes: nothing to choose
        statement=WITHOUT_PATIENTS,
    )


LAYOUT = Layout("sars-cov2-ct", "SARS-CoV-2 CT slices", "classification", recognises, read, (POLICY,), PRESETS)

"""What the two tuberculosis sets of the NLM have in common: readings in free words, names that end in 0 or 1, masks.

``ClinicalReadings/<name>.txt`` is written by hand: “Patient's Sex: F / Patient's Age: 045Y / normal”, “male 45yrs”,
“Female, 6 months”. Sex and age are drawn from it and everything else is kept as the reading.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medfm_gui.datasets.layout import Choice, Policy
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.published import Gathering, find_folder, home, images_below, junk_remark
from medfm_gui.datasets.text import cell, examples, shown
from medfm_gui.datasets.walk import walk, without_image_suffix
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted

NORMAL, TUBERCULOSIS = "normal", "tuberculosis"
TASK = Policy(
    "task",
    "Task",
    (
        Choice("tuberculosis", "tuberculosis or not: the last digit of the name"),
        Choice("lungs", "segmentation of the lungs, of the images that have masks"),
    ),
)
_SEX = (re.compile(r"\bsex\s*[:=]?\s*([mf])", re.IGNORECASE), re.compile(r"\b(m|f)(?:em)?ale?", re.IGNORECASE))
_AGE = (
    re.compile(r"\bage\s*[:=]?\s*(\d{1,3})\s*([ymwd]?)", re.IGNORECASE),
    re.compile(r"(?<!\d)(\d{1,3})\s*-?\s*([ymwd])(?:ea|r|s|on|th|eek|ay|\b)", re.IGNORECASE),
)
_A_YEAR = {"y": 1, "": 1, "m": 12, "w": 52, "d": 365}
_LONGEST = 120
_LARGEST_READING = 1 << 16


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: sex M or F, whole years, and the words that are left; each empty where it says nothing."""

    sex: str = ""
    age: str = ""
    words: str = ""


def reading_of(text: str) -> Reading:
    """Sex, age and finding of a reading, however it is written."""
    sex = next((match[1].upper() for pattern in _SEX if (match := pattern.search(text))), "")
    age = next((match for pattern in _AGE if (match := pattern.search(text))), None)
    years = str(int(age[1]) // _A_YEAR[age[2].lower()]) if age else ""
    left = [line for line in text.splitlines() if not any(one.search(line) for one in (*_SEX, *_AGE))]
    said = cell(" ".join(" ".join(left).split()))
    return Reading(sex, years, said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…")


@dataclass(frozen=True, slots=True)
class Chests:
    """One of the two releases: how its images are called, what is known of it, and what its masks are."""

    layout: str
    name: re.Pattern[str]
    folders: str
    regions: tuple[str, ...]
    known: Mapping[str, int]
    masks: int
    statement: Statement


_MASKS = frozenset({"manualmask", "leftmask", "rightmask", "mask", "masks"})


def first_called(source: Path, name: re.Pattern[str]) -> str:
    """The first image called so, in the source itself or in its folder CXR_png; empty where there is none."""
    for folder in (home(source), find_folder(source, "CXR_png")):
        if folder is None:
            continue
        try:
            with os.scandir(folder) as items:
                found = sorted(item.name for item in items if name.fullmatch(without_image_suffix(item.name)))
        except OSError:
            continue
        if found:
            return shown(found[0])
    return ""


def listed(source: Path, options: ImportOptions, chests: Chests) -> Listing:
    """The images of a release with tuberculosis or with the masks of the lungs.

    Raises:
        InputError: there are no such images, or a folder cannot be read.
    """
    images = images_below(home(source))
    gathering = Gathering(images)
    masks: dict[str, dict[str, str]] = {}
    pictures: list[tuple[str, re.Match[str]]] = []
    others = 0
    for name in images.files:
        parts = name.split("/")
        stem = without_image_suffix(parts[-1])
        is_mask = stem.casefold().endswith("_mask") or any(part.casefold() in _MASKS for part in parts[:-1])
        match = chests.name.fullmatch(re.sub(r"_mask$", "", stem, flags=re.IGNORECASE))
        if match and is_mask:
            gathering.named.add(name)
            region = next((one for one in chests.regions if f"{one.split()[0]}mask" in name.casefold()), "")
            only = chests.regions[0] if len(chests.regions) == 1 else ""  # one mask of both lungs is neither of them
            masks.setdefault(match[0].casefold(), {})[region or only] = str(images.root / name)
        elif match:
            pictures.append((name, match))
        else:
            others += 1
            gathering.named.add(name)
    if not pictures:
        raise InputError(f"“{shown(source.name)}” holds no {chests.folders}.", "Name the folder of the release.")
    readings = _readings(images.root, chests)
    wants_lungs = options.policies["task"] == "lungs"
    for name, match in pictures:
        _take(gathering, name, match, chests, masks.get(match[0].casefold(), {}), readings, wants_lungs)
    found = Counter(match[1] for _, match in pictures)
    classes = chests.regions if wants_lungs else (NORMAL, TUBERCULOSIS)
    codes = {name: code for name, code in chests.statement.codes.items() if name in classes}
    return Listing(
        chests.layout,
        images.root,
        tuple(gathering.entries),
        label_names=() if wants_lungs else (TUBERCULOSIS,),
        classes=classes,
        task=Task.SEGMENTATION if wants_lungs else Task.BINARY,
        skipped=(*gathering.skipped, *images.skipped),
        warnings=(*_remarks(images.junk, others), *_without_reading(pictures, readings)),
        taken={
            **({"masks": ", ".join(chests.regions)} if wants_lungs else {"class": "the last digit of the name"}),
            "patient": "the number in the name, one image a patient",
            "covariates": f"age, sex and reading of {counted(len(readings), 'text')} in ClinicalReadings",
        },
        counts=(
            Count("images", len(pictures), sum(chests.known.values()), "pub"),
            Count("images without tuberculosis", found["0"], chests.known["0"], "mem"),
            Count("images with tuberculosis", found["1"], chests.known["1"], "mem"),
            *([Count("images with masks", len(gathering.entries), chests.masks, "pub")] if wants_lungs else []),
        ),
        policies=options.policies,
        statement=replace(chests.statement, codes=codes),
    )


def _take(
    gathering: Gathering,
    name: str,
    match: re.Match[str],
    chests: Chests,
    masks: Mapping[str, str],
    readings: Mapping[str, Reading],
    wants_lungs: bool,
) -> None:
    key = match[0].casefold()
    reading = readings.get(key, Reading())
    facts = {"age": reading.age, "sex": reading.sex, "reading": reading.words}
    lacking = [region for region in chests.regions if region not in masks]
    if wants_lungs and lacking:
        gathering.leave(name, "missing_mask", f"There is no mask of the {' and the '.join(lacking)}.")
        return
    label = () if wants_lungs else (TUBERCULOSIS if match[1] == "1" else NORMAL,)
    files = tuple(masks[region] for region in chests.regions) if wants_lungs else ()
    patient = match[0].rpartition("_")[0].upper()
    gathering.take(name, label, patient=patient, covariates=facts, masks=files)


def _readings(root: Path, chests: Chests) -> dict[str, Reading]:
    """Name of the image → its reading, of every text below the root that is called like one."""
    found: dict[str, Reading] = {}
    for name in walk(root).files:
        stem, dot, ending = name.rpartition("/")[2].rpartition(".")
        if not dot or ending.casefold() != "txt" or not chests.name.fullmatch(stem):
            continue
        try:
            with (root / name).open("rb") as handle:
                text = handle.read(_LARGEST_READING).decode("utf-8-sig", "replace")
        except OSError:
            continue
        found[stem.casefold()] = reading_of(text)
    return found


def _remarks(junk: Sequence[str], others: int) -> Iterable[str]:
    said = list(junk_remark(junk))
    if others:
        said.append(f"{counted(others, 'image')} called otherwise, as in another set: not taken.")
    return said


def _without_reading(pictures: Sequence[tuple[str, re.Match[str]]], readings: Mapping[str, Reading]) -> Iterable[str]:
    lacking = [shown(name) for name, match in pictures if match[0].casefold() not in readings]
    return [f"{counted(len(lacking), 'image')} without a clinical reading: {examples(lacking)}."] if lacking else []

"""Which training images are shown when only a few may be: N shots a class.

``patients`` draws patients by lot, the lot decided by the seed alone: N a class, no patient for two classes, and one
image of each. Where a patient's images are one case, a patient has the class of that case, and all images are taken.
More shots contain fewer, class by class. ``study-b-nih`` and ``study-b-even`` are Study B's two rules, which know no
lot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medfm_gui.datasets.targets import patients, targets
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.engine.cases import cases_of


@dataclass(frozen=True, slots=True)
class Shots:
    """Samples that were drawn, in the order of the dataset, and how many patients were drawn for each class."""

    ids: tuple[str, ...]
    patients: Mapping[str, int]


def draw(
    dataset: Dataset, ids: Sequence[str], shots: int, seed: int, rule: str = "patients", *, all_images: bool = False
) -> Shots:
    """At most ``shots`` of each class among these samples.

    Args:
        all_images: take every image of a drawn patient, not one (``patients``; Study B's first rule always does).
    """
    match rule:
        case "study-b-nih":
            return _every_image_has_it(dataset, ids, shots)
        case "study-b-even":
            return _evenly_spaced(ids, shots)
        case _:
            return _by_lot(dataset, ids, shots, seed, all_images)


def _by_lot(dataset: Dataset, ids: Sequence[str], shots: int, seed: int, all_images: bool) -> Shots:
    """Round by round, each class takes the next patient of its own lot that no class has; the rarest class first.

    Neither the lots nor the order of classes depend on ``shots``, so that a round more only adds.
    """
    images = _images_of(dataset, ids)
    graded = dataset.task in (Task.BINARY, Task.ORDINAL)
    of_class = _of_cases(dataset, ids, images) if all_images and graded else _with_class(dataset, images)
    having = {
        name: sorted((who for who in images if found[who]), key=lambda who: _lot(seed, who))
        for name, found in of_class.items()
    }
    order = sorted(having, key=lambda name: (len(having[name]), dataset.classes.index(name)))
    drawn: dict[str, str] = {}
    for _ in range(shots):
        for name in order:
            new = next((who for who in having[name] if who not in drawn), None)
            if new is not None:
                drawn[new] = name
    chosen = {
        one
        for who, name in drawn.items()
        for one in (images[who] if all_images else [min(of_class[name][who], key=lambda one: _lot(seed, one))])
    }
    counts = {name: sum(given == name for given in drawn.values()) for name in dataset.classes}
    return Shots(tuple(one for one in ids if one in chosen), counts)


def _every_image_has_it(dataset: Dataset, ids: Sequence[str], shots: int) -> Shots:
    """Class by class, the first N patients (by name) in each of whose images it is; all their images."""
    images = _images_of(dataset, ids)
    drawn: dict[str, str] = {}
    for name, of_class in _with_class(dataset, images).items():
        fitting = (who for who in sorted(images, key=_by_number) if len(of_class[who]) == len(images[who]))
        new = [who for who in fitting if who not in drawn][:shots]  # who is taken does not count: Study B ends below N
        drawn.update(dict.fromkeys(new, name))
    chosen = {one for who in drawn for one in images[who]}
    counts = {name: sum(given == name for given in drawn.values()) for name in dataset.classes}
    return Shots(tuple(one for one in ids if one in chosen), counts)


def _evenly_spaced(ids: Sequence[str], shots: int) -> Shots:
    """N samples in all, whatever their class."""
    if shots >= len(ids):
        return Shots(tuple(ids), {})
    return Shots(tuple(ids[round(place * len(ids) / shots)] for place in range(shots)), {})


def _images_of(dataset: Dataset, ids: Sequence[str]) -> dict[str, list[str]]:
    """Samples by patient; without patient names each is a patient of its own."""
    found: dict[str, list[str]] = {}
    for one, who in zip(ids, patients(dataset, ids) or ids, strict=True):
        found.setdefault(who, []).append(one)
    return found


def _with_class(dataset: Dataset, images: Mapping[str, Sequence[str]]) -> dict[str, dict[str, list[str]]]:
    """By class and patient, the samples that have the class."""
    every = [one for of_patient in images.values() for one in of_patient]
    labels = dict(zip(every, targets(dataset, every), strict=True))
    many = dataset.task is Task.MULTILABEL
    return {
        name: {
            who: [one for one in of_patient if (labels[one][index] == 1 if many else labels[one] == index)]
            for who, of_patient in images.items()
        }
        for index, name in enumerate(dataset.classes)
    }


def _of_cases(
    dataset: Dataset, ids: Sequence[str], images: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, list[str]]]:
    """As ``_with_class``, where a patient counts by the worst finding alone: one with a lesion is no healthy one."""
    cases = cases_of(dataset, ids, "none" if patients(dataset, ids) is None else "mean")
    return {
        name: {
            who: list(images[who]) if target == index else []
            for who, target in zip(cases.names, cases.targets.tolist(), strict=True)
        }
        for index, name in enumerate(dataset.classes)
    }


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed} {name}".encode()).digest()


def _by_number(name: str) -> tuple[bool, int, str]:
    """Numbers by size, then words by letter."""
    return (False, int(name), name) if name.isdecimal() else (True, 0, name)

"""What images of a dataset belong to beside their patient: the lesion, eye, breast or study that a number may count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from medfm_gui.datasets.text import plain_name, words
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import IMAGE, UNITS, plural, unit_parts

_SIDES = words("laterality imagelaterality side breastside eyeside leftorright leftorrightbreast")
_COLUMNS: Mapping[str, frozenset[str]] = {
    "lesion": frozenset(words("lesion lesionid lesionnumber abnormalityid")),
    "eye": frozenset({*words("eye eyeid"), *_SIDES}),
    "breast": frozenset({*words("breast breastid"), *_SIDES}),
    "study": frozenset(words("study studyid studynumber studyuid exam examid examination")),
}
"""Covariates by which a unit is known, without blanks and signs."""
_NUMBERED = ("lesion", "study")
"""Their names are numbers of cases: they say which one it is, and nothing of what is in it."""
_PAIRED = ("eye", "breast")
"""A patient has two of these, and they are told by the side alone."""


def known_units(dataset: Dataset) -> tuple[str, ...]:
    """The units that this dataset can count, in the order of ``domain.units``."""
    found = {IMAGE, *_tellers(dataset, dataset.samples)} | ({"patient"} if dataset.n_patients is not None else set())
    return tuple(unit for unit in UNITS if unit in found)


def is_case_name(column: str) -> bool:
    """Whether a covariate of that name numbers lesions or studies: nothing that a model could rightly learn from."""
    return any(plain_name(column) in _COLUMNS[unit] for unit in _NUMBERED)


def check_unit(dataset: Dataset, unit: str) -> None:
    """Refuse a unit that a dataset cannot count.

    Raises:
        UsageError: it is no unit.
        InputError: the dataset does not tell which images are of one.
    """
    word, _ = unit_parts(unit)
    if word not in (known := known_units(dataset)):
        raise InputError(
            f"“{dataset.id}” does not tell which images are of one {word}, so nothing can be counted by {word}.",
            f"Choose one of {', '.join(known)}, or import the dataset with a column that names its {plural(word)}.",
        )


def unit_names(dataset: Dataset, samples: Sequence[Sample]) -> dict[str, tuple[str, ...]]:
    """For each unit besides image and patient that the dataset knows: the one of each sample, empty where unknown.

    A unit lies within a patient: the left eyes of two patients are two.
    """
    return {
        unit: tuple(_named(sample, tell(sample)) for sample in samples)
        for unit, tell in _tellers(dataset, samples).items()
    }


def names_of(dataset: Dataset, samples: Sequence[Sample], unit: str) -> tuple[str, ...]:
    """The unit of each sample by name, its own id where its unit is unknown.

    Raises:
        KeyError: the dataset does not know this unit (``known_units``).
    """
    if unit == IMAGE:
        return tuple(sample.id for sample in samples)
    if unit == "patient":
        return tuple(f"image {one.id}" if one.patient is None else one.patient for one in samples)
    names = unit_names(dataset, samples)[unit]
    return tuple(name or sample.id for name, sample in zip(names, samples, strict=True))


def _named(sample: Sample, value: str) -> str:
    return f"{sample.patient} · {value}" if value and sample.patient is not None else value


def _tellers(dataset: Dataset, samples: Iterable[Sample]) -> dict[str, Callable[[Sample], str]]:
    """How each unit that is known is read off a sample."""
    names = dict.fromkeys(name for sample in samples for name in sample.covariates)
    plain = {name: plain_name(name) for name in names}
    found: dict[str, Callable[[Sample], str]] = {}
    for unit, columns in _COLUMNS.items():
        column = next((name for name in names if plain[name] in columns), None)
        if unit in _PAIRED:
            if column is not None and dataset.n_patients is not None:
                found[unit] = _side_of(column)
        elif column is not None:
            found[unit] = _value_of(column)
        elif unit in plain_name(dataset.taken.get("group", "")):
            found[unit] = _group
    return found


def _group(sample: Sample) -> str:
    return sample.group or ""


def _value_of(column: str) -> Callable[[Sample], str]:
    return lambda sample: sample.covariates.get(column, "").strip()


def _side_of(column: str) -> Callable[[Sample], str]:
    """The side of a patient; without a patient a side says nothing."""

    def side(sample: Sample) -> str:
        said = sample.covariates.get(column, "").strip().casefold()
        if sample.patient is None or not said:
            return ""
        return {"l": "left", "r": "right", "os": "left", "od": "right"}.get(said, said)

    return side
